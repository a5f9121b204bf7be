// The tutor: questions, answers as they are made, hints rung by rung.
import { effect, signal, useEffect, useRef, useState } from "../vendor/vendor.js";
import { call, get, newKey, post } from "./api.js";
import { AnswerDetails } from "./answers.js";
import { html } from "./html.js";
import { Fault, Prose } from "./parts.js";
import { settled } from "./runs.js";
import { user } from "./session.js";
import { listen, online } from "./socket.js";
import { t } from "./texts.js";

/**
 * A question with its answer as far as it is there.
 * @typedef {object} Exchange
 * @property {string} id the question's; before it is accepted, one of our own
 * @property {string} question
 * @property {string[]} [pieces] what was written so far
 * @property {any} [answer]
 * @property {string | null} [agent]
 * @property {unknown} [error]
 * @property {boolean} [rated]
 * @property {() => void} [again]
 */

/** @type {import("../vendor/vendor.js").Signal<Exchange[]>} */
const exchanges = signal([]);
/** @type {import("../vendor/vendor.js").Signal<string | null>} */
const conversation = signal(null);
/** What is typed and not sent yet; it outlives a change of the view. */
const draft = signal("");

effect(() => {
    if (user.value) return;
    exchanges.value = [];
    conversation.value = null;
    draft.value = "";
});

/** @param {string} id @param {Partial<Exchange>} change */
function update(id, change) {
    exchanges.value = exchanges.value.map((exchange) => (exchange.id === id ? { ...exchange, ...change } : exchange));
}

listen((frame) => {
    if (!frame.query_id) return;
    if (frame.type === "ai_delta" && frame.sequence !== undefined) {
        const known = exchanges.value.find(({ id }) => id === frame.query_id);
        if (!known || known.answer) return;
        // A piece can come again, from an earlier one on.
        const pieces = [...(known.pieces || [])].slice(0, frame.sequence);
        pieces[frame.sequence] = frame.content;
        update(known.id, { pieces });
    }
    if (frame.type === "ai_response" && frame.answer) {
        update(frame.query_id, { answer: frame.answer, agent: frame.agent, error: undefined });
    }
});

/**
 * Asks something and shows the answer.
 * @param {string} question
 * @param {(key: string) => Promise<any>} send
 */
async function ask(question, send) {
    let key = newKey();
    const attempt = async (id) => {
        update(id, { error: undefined });
        try {
            const begun = await send(key);
            update(id, { id: begun.id });
            id = begun.id;
            conversation.value = begun.conversation_id || conversation.value;
            const isIt = (frame) => frame.type === "ai_response" && frame.query_id === id;
            const done = await settled(begun, `/queries/${id}`, isIt, (body) => {
                if (body.status === "failed") {
                    // The same key would find the same failed question.
                    key = newKey();
                    throw new Error(t("chat.failed"));
                }
                return body.answer ? body : undefined;
            });
            update(id, { answer: done.answer, agent: done.agent });
        } catch (error) {
            update(id, { error, again: () => attempt(id) });
        }
    };
    exchanges.value = [...exchanges.value, { id: key, question }];
    await attempt(key);
}

/** @param {string} id */
async function open(id) {
    const found = await get(`/conversations/${id}`);
    conversation.value = id;
    exchanges.value = found.exchanges.map((one) => ({
        id: one.query_id,
        question: one.question,
        agent: one.agent,
        answer: { content: one.content || t("chat.failed") },
    }));
}

function Earlier() {
    const [list, setList] = useState(/** @type {any[] | null} */ (null));
    const [error, setError] = useState(/** @type {unknown} */ (undefined));
    /** @param {Event} event */
    const toggle = async (event) => {
        if (!(/** @type {HTMLDetailsElement} */ (event.currentTarget).open)) return;
        try {
            setList(await get("/conversations"));
        } catch (fault) {
            setError(fault);
        }
    };
    return html`<details onToggle=${toggle}>
        <summary>${t("chat.earlier")}</summary>
        <${Fault} error=${error} />
        <ul>${(list || []).map((one) => html`<li>
            <button type="button" class="plain" onClick=${() => open(one.id).catch(setError)}>${one.title}</button>
        </li>`)}</ul>
    </details>`;
}

function Rating({ exchange }) {
    const [error, setError] = useState(/** @type {unknown} */ (undefined));
    const rate = async (helpful) => {
        try {
            await call("PUT", `/queries/${exchange.id}/rating`, { body: { helpful } });
            update(exchange.id, { rated: true });
        } catch (fault) {
            setError(fault);
        }
    };
    if (exchange.rated) return html`<span class="quiet" role="status">${t("chat.rated")}</span>`;
    return html`<button type="button" onClick=${() => rate(true)}>${t("chat.helpful")}</button>
        <button type="button" onClick=${() => rate(false)}>${t("chat.unhelpful")}</button>
        <${Fault} error=${error} />`;
}

function Said({ exchange, actions, next }) {
    const { answer, pieces, error, agent } = exchange;
    const hint = answer?.details?.hint || (answer?.details?.kind === "hint" ? answer.details : undefined);
    return html`<article class="said you"><h3>${t("chat.you")}</h3><div dir="auto">${exchange.question}</div></article>
        <article class="said tutor" aria-busy=${!answer && !error}>
            <h3>${t("chat.tutor")}${agent && ` · ${t(`agent.${agent}`)}`}${hint && ` · ${t("chat.hintof", { level: hint.level, of: hint.of })}`}</h3>
            <${Fault} error=${error} again=${exchange.again} />
            ${answer && html`<${Prose} text=${answer.content} code=${actions} />`}
            ${!answer && !error && (pieces ? html`<${Prose} text=${pieces.join("")} />` : html`<p class="quiet">${t("chat.thinking")}</p>`)}
            ${answer && html`<${AnswerDetails} answer=${answer} />
                <div class="actions">
                    ${hint && hint.level < hint.of && html`<button type="button" onClick=${next}>${t("chat.next")}</button>`}
                    <${Rating} exchange=${exchange} />
                </div>`}
        </article>`;
}

/**
 * @param {object} props
 * @param {() => { code: string, error?: string | null }} props.program what is in the editor, and its last error
 * @param {(code: string) => void} props.put
 * @param {(code: string) => void} props.run
 */
export function Chat({ program, put, run }) {
    const [withCode, setWithCode] = useState(true);
    const log = useRef(/** @type {HTMLElement | null} */ (null));
    // The last question stays in sight, with the beginning of its answer.
    useEffect(() => {
        const asked = [...(log.current?.querySelectorAll(".said.you") || [])].at(-1);
        if (asked instanceof HTMLElement && log.current) log.current.scrollTop = asked.offsetTop - log.current.offsetTop;
    }, [exchanges.value.length]);

    const send = () => {
        const question = draft.value.trim();
        if (!question) return;
        draft.value = "";
        const { code, error } = withCode ? program() : { code: "", error: undefined };
        const body = { question, code: code.trim() ? code : undefined, error: error || undefined, conversation_id: conversation.value || undefined };
        ask(question, (key) => post("/query", body, { key, prefer: "wait=0" }));
    };
    const next = () => {
        const { code, error } = program();
        ask(t("chat.next"), (key) => post("/debug", { code, error: error || undefined }, { key, prefer: "wait=10" }));
    };
    const review = () => {
        const { code } = program();
        if (code.trim()) ask(t("code.review"), (key) => post("/reviews", { code }, { key, prefer: "wait=10" }));
    };
    /** @param {string} code */
    const actions = (code) => html`<button type="button" onClick=${() => run(code)}>${t("chat.run")}</button>
        <button type="button" onClick=${() => put(code)}>${t("chat.put")}</button>`;
    /** @param {KeyboardEvent} event */
    const key = (event) => {
        if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
            event.preventDefault();
            send();
        }
    };

    return html`<section class="chat" aria-labelledby="chat-title">
        <header>
            <h2 id="chat-title">${t("chat.title")}</h2>
            <span class="quiet" role="status"><span class=${`dot ${online.value ? "on" : ""}`} aria-hidden="true"></span> ${t(online.value ? "chat.online" : "chat.offline")}</span>
            <button type="button" class="plain" onClick=${() => {
                exchanges.value = [];
                conversation.value = null;
            }}>${t("chat.new")}</button>
        </header>
        <div class="log" ref=${log} role="log" tabindex="0" aria-label=${t("chat.title")}>
            <${Earlier} />
            ${exchanges.value.length === 0 && html`<p class="quiet">${t("chat.empty")}</p>`}
            ${exchanges.value.map((exchange) => html`<${Said} key=${exchange.question + exchange.id} exchange=${exchange} actions=${actions} next=${next} />`)}
        </div>
        <form onSubmit=${(event) => {
            event.preventDefault();
            send();
        }}>
            <label for="question">${t("chat.ask")}</label>
            <textarea id="question" rows="3" maxlength="4000" dir="auto" aria-describedby="question-hint" value=${draft.value}
                onInput=${(event) => {
                    draft.value = event.currentTarget.value;
                }} onKeyDown=${key}></textarea>
            <small id="question-hint" class="quiet">${t("chat.hint")}</small>
            <div class="row">
                <label><input type="checkbox" checked=${withCode} onChange=${() => setWithCode(!withCode)} /> ${t("chat.withcode")}</label>
                <span class="row">
                    <button type="button" onClick=${review}>${t("code.review")}</button>
                    <button class="primary">${t("chat.send")}</button>
                </span>
            </div>
        </form>
    </section>`;
}
