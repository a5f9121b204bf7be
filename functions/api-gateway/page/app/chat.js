// The tutor beside the code. What is typed is kept apart from the list of answers, which is drawn only when it changes.
import { useEffect, useMemo, useRef, useState } from "../vendor/vendor.js";
import { AnswerDetails } from "./answers.js";
import { get } from "./api.js";
import { html } from "./html.js";
import { Fault, Prose, Start, useWork } from "./parts.js";
import { online } from "./socket.js";
import { hasText, t } from "./texts.js";
import { ask, askForHint, askForReview, draft, exchanges, open, rate, reopen, startAnew, unopened } from "./tutor.js";

/** @typedef {import("./tutor.js").Exchange} Exchange */

/** Agents that quote lines of the student's own program, which are no programs to run. */
const ABOUT_OWN = ["debug", "code_review"];

/**
 * @param {object} props
 * @param {() => import("./tutor.js").Program} props.program what is in the editor, and its last error
 * @param {(code: string) => void} props.put
 * @param {(code: string) => void} props.run
 */
export function Chat({ program, put, run }) {
    return html`<section class="chat" aria-labelledby="chat-title">
        <${Head} />
        <${Log} program=${program} put=${put} run=${run} />
        <${Composer} program=${program} />
    </section>`;
}

function Head() {
    return html`<header>
        <h2 id="chat-title">${t("chat.title")}</h2>
        <span class="quiet" role="status"><span class=${`dot ${online.value ? "on" : ""}`} aria-hidden="true"></span> ${t(online.value ? "chat.online" : "chat.offline")}</span>
        <button type="button" class="plain" onClick=${startAnew}>${t("chat.new")}</button>
    </header>`;
}

function Log({ program, put, run }) {
    const log = useRef(/** @type {HTMLElement | null} */ (null));
    const [first] = exchanges.value;
    useEffect(() => {
        reopen();
    }, []);
    // The last question stays in sight, with the beginning of its answer.
    useEffect(() => {
        const asked = [...(log.current?.querySelectorAll(".said.you") || [])].at(-1);
        if (asked && log.current) log.current.scrollTop += asked.getBoundingClientRect().top - log.current.getBoundingClientRect().top;
    }, [exchanges.value.length, first?.key]);
    /** @param {string} code */
    const actions = useMemo(() => (code) => html`<button type="button" onClick=${() => run(code)}>${t("chat.run")}</button>
        <button type="button" onClick=${() => put(code)}>${t("chat.put")}</button>`, [put, run]);
    const said = (exchange) => html`<${Said} key=${exchange.key} exchange=${exchange} actions=${actions} program=${program} />`;
    const begun = exchanges.value.findIndex(({ isOld }) => !isOld);
    const olds = begun < 0 ? exchanges.value.length : begun;
    // What was said before is not read out when it is opened.
    return html`<div class="log" ref=${log} role="region" tabindex="0" aria-label=${t("chat.said")}>
        <${Earlier} />
        <${Fault} error=${unopened.value} again=${reopen} />
        ${!first && html`<p class="quiet">${t("chat.empty")}</p>`}
        ${olds > 0 && html`<div class="talk">${exchanges.value.slice(0, olds).map(said)}</div>`}
        <div class="talk" role="log">${exchanges.value.slice(olds).map(said)}</div>
    </div>`;
}

function Earlier() {
    const [list, setList] = useState(/** @type {import("@api").components["schemas"]["ListedConversation"][] | undefined} */ (undefined));
    const details = useRef(/** @type {HTMLDetailsElement | null} */ (null));
    const load = useWork(async () => setList(await get("/conversations")));
    const choose = useWork(async (id) => {
        await open(id);
        details.current?.removeAttribute("open");
    });
    return html`<details ref=${details} onToggle=${(event) => event.currentTarget.open && load.start()}>
        <summary>${t("chat.earlier")}</summary>
        <${Fault} error=${load.error} again=${load.again} />
        <${Fault} error=${choose.error} again=${choose.again} />
        ${list?.length === 0 && html`<p class="quiet">${t("chat.earlier.none")}</p>`}
        <ul class="earlier">${list?.map(({ id, title }) => html`<li key=${id}>
            <button type="button" class="plain" dir="auto" onClick=${() => choose.start(id)}>${title}</button>
        </li>`)}</ul>
    </details>`;
}

/** @param {{ exchange: Exchange, actions: (code: string) => any, program: () => import("./tutor.js").Program }} props */
function Said({ exchange, actions, program }) {
    const { answer } = exchange;
    // Drawn once, whatever happens beside it.
    return useMemo(() => html`<article class="said you"><h3>${t("chat.you")}</h3><div dir="auto">${exchange.question}</div></article>
        <article class="said tutor" aria-busy=${!answer && !exchange.error}>
            <h3>${saidBy(exchange)}</h3>
            <${Fault} error=${exchange.error} again=${exchange.again} />
            ${answer && html`<${Prose} text=${answer.content} code=${ABOUT_OWN.includes(exchange.agent || "") ? undefined : actions} />
                <${AnswerDetails} answer=${answer} />
                <div class="actions"><${NextHint} hint=${hintOf(exchange)} program=${program} /><${Rating} exchange=${exchange} /></div>`}
            ${!answer && !exchange.error && html`<${Written} pieces=${exchange.pieces} />`}
        </article>`, [exchange]);
}

/** What is there of an answer before it is. */
function Written({ pieces }) {
    return pieces ? html`<${Prose} text=${pieces.join("")} />` : html`<p class="quiet">${t("chat.thinking")}</p>`;
}

/** @param {Exchange} exchange */
function hintOf({ answer }) {
    if (answer?.details?.kind === "hint") return answer.details;
    return answer?.details?.kind === "debug" ? answer.details.hint : undefined;
}

/** @param {Exchange} exchange */
function saidBy(exchange) {
    const hint = hintOf(exchange);
    const agent = `agent.${exchange.agent}`;
    return [t("chat.tutor"), hasText(agent) && t(agent), hint && t("chat.hintof", { level: hint.level, of: hint.of })].filter(Boolean).join(" · ");
}

function NextHint({ hint, program }) {
    if (!hint || hint.level >= hint.of) return null;
    return html`<button type="button" onClick=${() => askForHint(program())}>${t("chat.next")}</button>`;
}

/** @param {{ exchange: Exchange }} props */
function Rating({ exchange }) {
    const [isThanked, setThanked] = useState(false);
    const work = useWork(async (helpful) => {
        await rate(exchange, helpful);
        setThanked(true);
    });
    const choice = (helpful, word) => html`<${Start} work=${work} input=${[helpful]} aria-pressed=${exchange.helpful === helpful}>
        ${exchange.helpful === helpful && html`<span aria-hidden="true">✓ </span>`}${t(word)}
    <//>`;
    return html`${choice(true, "chat.helpful")}${choice(false, "chat.unhelpful")}
        <span class="quiet" role="status">${isThanked && t("chat.rated")}</span>
        <${Fault} error=${work.error} />`;
}

function Composer({ program }) {
    const [withCode, setWithCode] = useState(true);
    const send = () => {
        const question = draft.value.trim();
        if (!question) return;
        draft.value = "";
        ask(question, withCode ? program() : undefined);
    };
    /** @param {KeyboardEvent} event */
    const key = (event) => {
        if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
        event.preventDefault();
        send();
    };
    const submit = (event) => {
        event.preventDefault();
        send();
    };
    const type = (event) => {
        draft.value = event.currentTarget.value;
    };
    return html`<form onSubmit=${submit}>
        <label for="question">${t("chat.ask")}</label>
        <textarea id="question" rows="3" maxlength="4000" dir="auto" aria-describedby="question-hint" value=${draft.value} onInput=${type} onKeyDown=${key}></textarea>
        <small id="question-hint" class="quiet">${t("chat.hint")}</small>
        <div class="row">
            <label><input type="checkbox" checked=${withCode} onChange=${() => setWithCode(!withCode)} /> ${t("chat.withcode")}</label>
            <span class="row">
                <button type="button" onClick=${() => askForReview(program())}>${t("code.review")}</button>
                <button class="primary">${t("chat.send")}</button>
            </span>
        </div>
    </form>`;
}
