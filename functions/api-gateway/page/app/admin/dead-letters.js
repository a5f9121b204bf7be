// Events that a function has given up, and sending them again.
import { useState } from "../../vendor/vendor.js";
import { get, keyed, post } from "../api.js";
import { html } from "../html.js";
import { Act, Before, Fault, Field, Loading, Time, useLoaded, usePages } from "../parts.js";
import { query, to } from "../router.js";
import { t } from "../texts.js";
import { Confirm, Facts, Filter, Table } from "../forms.js";
import { Repair, Replays } from "./repair.js";

/** @typedef {import("@api").components["schemas"]["ListedDeadLetter"]} ListedDeadLetter */
/** @typedef {{ letter: ListedDeadLetter, state: "sent" | "skipped" | "failed", why?: string }} Result */

export function DeadLetters() {
    const chosen = { function: query.value.get("function") || "", topic: query.value.get("topic") || "" };
    const { items, error, again, more } = usePages("/admin/dead-letters", chosen);
    const [marked, setMarked] = useState(/** @type {Set<string>} */ (new Set()));
    const [results, setResults] = useState(/** @type {Result[]} */ ([]));
    const mark = (ids, on) => setMarked((old) => new Set(on ? [...old, ...ids] : [...old].filter((id) => !ids.includes(id))));
    const sent = async (made) => {
        setResults(made);
        setMarked(new Set());
        await again();
    };
    const isFiltered = Boolean(chosen.function || chosen.topic);
    return html`<p>${t("dead.lead")}</p>
        <${Filter} tab="dead-letters">
            <${Field} label=${t("dead.function")} name="function" defaultValue=${chosen.function} />
            <${Field} label=${t("dead.topic")} name="topic" defaultValue=${chosen.topic} />
        <//>
        <${Results} results=${results} />
        <${Before} of=${{ items, error, again }} empty=${t(isFiltered ? "dead.none" : "dead.empty")} />
        ${items && items.length > 0 && html`<${List} items=${items} marked=${marked} mark=${mark} sent=${sent} />`}
        ${more}`;
}

/** @param {{ items: ListedDeadLetter[], marked: Set<string>, mark: (ids: string[], on: boolean) => void, sent: (results: Result[]) => unknown }} props */
function List({ items, marked, mark, sent }) {
    const letters = items.filter(({ id }) => marked.has(id));
    const box = (label, checked, ids) => html`<input type="checkbox" aria-label=${label} checked=${checked}
        onChange=${(event) => mark(ids, event.currentTarget.checked)} />`;
    const all = box(t("dead.all"), letters.length === items.length, items.map(({ id }) => id));
    return html`<div class="row bottom">
            <${Replay} letters=${letters} sent=${sent} /><span role="status">${t("dead.chosen", { count: letters.length })}</span>
        </div>
        <${Table} caption=${t("operate.dead-letters")}
            columns=${[all, t("dead.at"), t("dead.function"), t("dead.origin"), t("dead.why"), [t("dead.attempts"), "number"], t("dead.replayed")]}>
            <tbody>${items.map((letter) => html`<tr key=${letter.id}>
                <td>${box(t("dead.choose", { name: nameOf(letter) }), marked.has(letter.id), [letter.id])}</td>
                <th scope="row"><a href=${to("operate", "dead-letters", letter.id)}><${Time} at=${letter.given_up_at} /></a></th>
                <td>${letter.function || t("dead.erased")}</td>
                <td>${originOf(letter)}</td>
                <td>${letter.reasons[0]}</td>
                <td class="number">${letter.attempts}</td>
                <td>${letter.replayed_at ? html`<${Time} at=${letter.replayed_at} />` : t("dead.never")}</td>
            </tr>`)}</tbody>
        <//>`;
}

/** @param {{ id: string }} props */
export function DeadLetter({ id }) {
    const path = `/admin/dead-letters/${encodeURIComponent(id)}`;
    /** @type {{ data: import("@api").components["schemas"]["DeadLetterDetail"] | undefined, error: unknown, again: () => Promise<void> }} */
    const { data, error, again } = useLoaded(() => get(path), path);
    const [results, setResults] = useState(/** @type {Result[]} */ ([]));
    const back = html`<p><a href=${to("operate", "dead-letters")}>${t("dead.back")}</a></p>`;
    if (!data) return html`${back}<${Loading} error=${error} again=${again} />`;
    const { dead_letter: letter, correlation_id: request, subject } = data;
    const sent = (made) => (setResults(made), again());
    const repaired = () => sent([{ letter, state: "sent" }]);
    return html`${back}<h2>${nameOf(letter)}</h2>
        <${Facts} of=${[
            [t("dead.event"), data.event_type || t("dead.noevent")],
            [t("dead.origin"), originOf(letter)],
            [t("dead.attempts"), letter.attempts],
            [t("dead.size"), t("dead.bytes", { count: data.bytes.toLocaleString() })],
            [t("dead.replayed"), letter.replayed_at ? html`<${Time} at=${letter.replayed_at} />` : t("dead.never")],
            [t("dead.request"), request && html`<a href=${to("operate", "trace", request)}>${t("dead.trace")}</a>`],
            [t("trace.about"), subject && html`<a href=${to("operate", "users", subject)}>${t("trace.account")}</a>`],
        ]} />
        <h3>${t("dead.why")}</h3>
        <ol>${letter.reasons.map((reason) => html`<li>${reason}</li>`)}</ol>
        ${data.truncated
            ? html`<p class="notice warn">${t("dead.truncated")}</p>`
            : html`<div class="row"><${Replay} letters=${[letter]} sent=${sent} /></div>`}
        <${Results} results=${results} /><${Fault} error=${error} />
        <${Data} path=${path} letter=${letter} isFinal=${data.truncated} sent=${repaired} />
        <${Replays} replays=${data.replays} />`;
}

/** What people wrote in it, for who asks for it, and a way to change it. */
function Data({ path, letter, isFinal, sent }) {
    const [shown, setShown] = useState(/** @type {{ data?: string } | null} */ (null));
    const show = async () => setShown(await get(`${path}?payload=true`));
    const hide = () => setShown(null);
    if (!shown) return html`<h3>${t("dead.data")}</h3><p class="quiet">${t("dead.private")}</p>
        <div class="row"><${Act} act=${show}>${t("dead.show")}<//></div>`;
    return html`<h3>${t("dead.data")}</h3>
        ${shown.data === undefined || isFinal
            ? html`<p class="notice">${t("dead.nodata")}</p>`
            : html`<${Repair} letter=${letter} data=${shown.data} sent=${sent} />`}
        <div class="row bottom"><button type="button" onClick=${hide}>${t("trace.payloads.hide")}</button></div>`;
}

/** @param {{ letters: ListedDeadLetter[], sent: (results: Result[]) => unknown }} props */
function Replay({ letters, sent }) {
    const before = letters.filter((letter) => letter.replayed_at).length;
    const send = async (data) => {
        const results = [];
        for (const letter of letters) results.push(await sendAgain(letter, data.has("again")));
        await sent(results);
    };
    return html`<${Confirm} label=${t("dead.send")} title=${t("dead.question", { count: letters.length })} disabled=${letters.length === 0} act=${send}>
        <p>${t("dead.meaning")}</p>
        ${before > 0 && html`<p><label>
            <input type="checkbox" name="again" required=${before === letters.length} /> ${t("dead.again", { count: before })}
        </label></p>`}
    <//>`;
}

/** Outlives the views: what failed on its way there may be sent from another one. */
const once = keyed();

/** @param {ListedDeadLetter} letter @param {boolean} again whether also one that was sent again before @returns {Promise<Result>} */
async function sendAgain(letter, again) {
    if (letter.replayed_at && !again) return { letter, state: "skipped" };
    try {
        const path = `/admin/dead-letters/${letter.id}/replay${letter.replayed_at ? "?again=true" : ""}`;
        await once(`${path} ${letter.replayed_at}`, (key) => post(path, {}, { key }));
        return { letter, state: "sent" };
    } catch (error) {
        return { letter, state: "failed", why: /** @type {Error} */ (error).message };
    }
}

/** @param {{ results: Result[] }} props */
function Results({ results }) {
    return html`<div role="status">${results.length > 0 && html`<div class="notice">
        <p>${t("dead.results")}</p>
        <ul>${results.map(({ letter, state, why }) => html`<li>${nameOf(letter)}: <strong>${t(`dead.${state}`)}</strong> ${why}</li>`)}</ul>
    </div>`}</div>`;
}

/** @param {ListedDeadLetter} letter */
const nameOf = (letter) =>
    t("dead.name", { function: letter.function || t("dead.erased"), time: new Date(letter.given_up_at).toLocaleString() });

/** @param {ListedDeadLetter} letter */
const originOf = ({ origin }) => (origin === "http" ? t("dead.http") : origin || t("none"));
