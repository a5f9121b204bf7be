// What happened to a request: each event on its way to a function, as a waterfall.
import { useState } from "../../vendor/vendor.js";
import { get } from "../api.js";
import { html } from "../html.js";
import { Act, Empty, Fault, Field, Loading, Time, useLoaded } from "../parts.js";
import { go, to } from "../router.js";
import { t } from "../texts.js";
import { Facts, saveFile, Table } from "../forms.js";
import { indented } from "./json.js";

/** @typedef {import("@api").components["schemas"]["RequestTrace"]} RequestTrace */
/** @typedef {import("@api").components["schemas"]["Hop"]} Hop */

const LOOKS = { handled: "good", retrying: "warn", delayed: "warn", given_up: "bad", parked: "bad", unrecorded: "" };
const COLUMNS = 8;

/** @param {{ id?: string }} props */
export function TraceTab({ id }) {
    const [file, setFile] = useState(/** @type {{ name: string, trace: RequestTrace } | null} */ (null));
    const [error, setError] = useState(/** @type {unknown} */ (null));
    const find = (event) => {
        event.preventDefault();
        setFile(null);
        go(to("operate", "trace", String(new FormData(event.currentTarget).get("request")).trim()));
    };
    const open = async (event) => {
        const input = event.currentTarget;
        try {
            for (const chosen of input.files) setFile({ name: chosen.name, trace: readTrace(await chosen.text()) });
            setError(null);
        } catch (problem) {
            setError(problem);
        }
        // The same file can be opened again.
        input.value = "";
    };
    return html`<form class="filter" onSubmit=${find}>
            <${Field} label=${t("trace.id")} name="request" size="38" defaultValue=${id} required autocomplete="off" spellcheck=${false} />
            <p class="field"><button type="submit">${t("show")}</button></p>
        </form>
        <details><summary>${t("trace.open")}</summary>
            <${Field} label=${t("trace.open.file")} hint=${t("trace.open.hint")} name="file" type="file" accept=".json,application/json" onChange=${open} />
        </details>
        <${Fault} error=${error} />
        ${file && html`<p><bdi>${t("trace.file", { name: file.name })}</bdi> <button type="button" onClick=${() => setFile(null)}>${t("close")}</button></p>
            <${Waterfall} trace=${file.trace} />`}
        ${!file && (id ? html`<${Request} id=${id} />` : html`<${Empty}>${t("trace.empty")}<//>`)}`;
}

/** @param {{ id: string }} props */
function Request({ id }) {
    const path = `/admin/traces/${encodeURIComponent(id)}`;
    const { data, error, again } = useLoaded(() => get(path), path);
    const [full, setFull] = useState(/** @type {RequestTrace | null} */ (null));
    /** @type {RequestTrace | undefined} */
    const trace = full || data;
    if (!trace) return html`<${Loading} error=${error} again=${again} />`;
    const reload = () => (setFull(null), again());
    const show = async () => setFull(await get(`${path}?payload=true`));
    const save = () => saveFile(`trace-${trace.correlation_id}.json`, new Blob([JSON.stringify(trace, null, 1)], { type: "application/json" }));
    return html`<div class="row bottom">
            <${Act} act=${reload}>${t("trace.reload")}<//>
            ${full
                ? html`<button type="button" onClick=${() => setFull(null)}>${t("trace.payloads.hide")}</button>`
                : html`<${Act} act=${show}>${t("trace.payloads")}<//>`}
            <button type="button" onClick=${save}>${t("trace.save")}</button>
        </div>
        <p class="quiet">${t(full ? "trace.save.hint" : "trace.payloads.hint")}</p>
        <${Fault} error=${error} />
        <${Waterfall} trace=${trace} />`;
}

/**
 * A trace of a file, which may be anything.
 * @param {string} text
 * @returns {RequestTrace}
 */
function readTrace(text) {
    const isText = (value) => typeof value === "string";
    const isHop = (hop) => [hop?.event_id, hop?.event_type, hop?.emitted_at, hop?.outcome].every(isText) && Array.isArray(hop.reasons);
    try {
        const trace = JSON.parse(text);
        if (trace.sums && trace.hops.every(isHop) && (trace.payloads ?? []).every((payload) => isText(payload?.event_id))) return trace;
    } catch {
        // The same as another form.
    }
    throw new Error(t("trace.nofile"));
}

/** @param {{ trace: RequestTrace }} props */
function Waterfall({ trace }) {
    const { sums, subject } = trace;
    const start = Date.parse(trace.began_at);
    const end = Math.max(...trace.hops.map((hop) => Date.parse(hop.finished_at || hop.started_at || hop.emitted_at)), start + 1);
    /** @param {string} at how far it is, 0 to 100 */
    const place = (at) => ((Date.parse(at) - start) / (end - start)) * 100;
    const number = (name) => [name, "number"];
    return html`<${Facts} of=${[
            [t("trace.began"), html`<${Time} at=${trace.began_at} />`],
            [t("trace.took"), time(sums.took_ms)],
            [t("trace.waited"), time(sums.wait_ms)],
            [t("trace.worked"), time(sums.work_ms)],
            [t("trace.hops"), sums.hops],
            [t("trace.failed"), sums.failed_attempts],
            [t("trace.givenup"), sums.given_up],
            [t("trace.about"), subject && html`<a href=${to("operate", "users", subject)}>${t("trace.account")}</a>`],
        ]} />
        ${trace.truncated && html`<p class="notice warn">${t("trace.cut")}</p>`}
        <${Table} caption=${t("trace.table")} columns=${[
            t("trace.function"), t("trace.event"), t("trace.place"), number(t("trace.waited")), number(t("trace.worked")),
            number(t("trace.attempts")), t("trace.outcome"), [t("trace.when"), "timeline"],
        ]}>
            <tbody>${nested(trace.hops).map(({ hop, depth }) => html`
                <${HopRow} hop=${hop} depth=${depth} place=${place} start=${start} />
                <${Reasons} hop=${hop} />
                <${Payload} payload=${trace.payloads?.find((payload) => payload.event_id === hop.event_id)} />
            `)}</tbody>
        <//>
        <p class="legend quiet"><span class="wait"></span>${t("trace.waited")} <span class="work"></span>${t("trace.worked")}</p>`;
}

/** @param {{ hop: Hop, depth: number, place: (at: string) => number, start: number }} props */
function HopRow({ hop, depth, place, start }) {
    const bar = (kind, from, to) => from && to && html`<span class=${kind}
        style=${{ insetInlineStart: `min(${place(from)}%, 100% - 3px)`, inlineSize: `${place(to) - place(from)}%` }}></span>`;
    return html`<tr>
        <th scope="row"><span class="depth" style=${{ paddingInlineStart: `${depth}rem` }}>${hop.function || t("none")}</span></th>
        <td>${hop.event_type}<small class="quiet">${t("trace.from", { function: hop.emitted_by })}</small></td>
        <td>${hop.topic}<small class="quiet">${placeOf(hop)}</small></td>
        <td class="number">${time(hop.wait_ms)}</td>
        <td class="number">${time(hop.work_ms)}</td>
        <td class="number">${hop.attempts || t("none")}</td>
        <td><span class=${`tag ${LOOKS[hop.outcome] ?? ""}`}>${t(`outcome.${hop.outcome}`)}</span></td>
        <td class="timeline">
            <span class="hidden">${t("trace.after", { time: time(Date.parse(hop.emitted_at) - start) })}</span>
            <div class="bar">${bar("wait", hop.emitted_at, hop.started_at)}${bar("work", hop.started_at, hop.finished_at)}
                ${!hop.started_at && bar("wait", hop.emitted_at, hop.emitted_at)}</div>
        </td>
    </tr>`;
}

/** @param {{ hop: Hop }} props */
function Reasons({ hop }) {
    if (hop.reasons.length === 0 && !hop.dead_letter_id) return null;
    return html`<tr><td colspan=${COLUMNS} class="why">
        ${t("trace.reasons")}<ul>${hop.reasons.map((reason) => html`<li>${reason}</li>`)}</ul>
        ${hop.dead_letter_id && html`<a href=${to("operate", "dead-letters", hop.dead_letter_id)}>${t("trace.deadletter")}</a>`}
    </td></tr>`;
}

/** @param {{ payload?: import("@api").components["schemas"]["TracePayload"] }} props */
function Payload({ payload }) {
    if (!payload) return null;
    return html`<tr><td colspan=${COLUMNS}>${payload.state === "open"
        ? html`<details><summary>${t("trace.payload")}</summary><pre tabindex="0">${indented(payload.data || "")}</pre></details>`
        : t(`payload.${payload.state}`)}</td></tr>`;
}

/** @param {Hop} hop */
function placeOf({ partition, offset }) {
    if (partition === undefined || partition === null) return t("trace.noplace");
    return t("trace.partition", { partition, offset: offset ?? t("none") });
}

/** @param {number | null | undefined} ms */
function time(ms) {
    if (ms === undefined || ms === null) return t("none");
    return ms.toLocaleString(undefined, { style: "unit", unit: "millisecond", maximumFractionDigits: ms < 10 ? 1 : 0 });
}

/**
 * The hops, each followed by those that it caused.
 * @param {Hop[]} hops
 * @returns {{ hop: Hop, depth: number }[]}
 */
function nested(hops) {
    // Several functions may have handled an event: the cause is the one that emitted the next.
    const causes = hops.map((hop) => {
        const handled = hops.filter((other) => other.event_id === hop.caused_by);
        return handled.find((other) => other.function === hop.emitted_by) || handled[0];
    });
    /** @type {Map<Hop, number>} */
    const found = new Map();
    const add = (hop, depth) => {
        if (found.has(hop)) return;
        found.set(hop, depth);
        hops.forEach((next, index) => causes[index] === hop && add(next, depth + 1));
    };
    hops.forEach((hop, index) => causes[index] || add(hop, 0));
    // A file may have hops that cause each other.
    for (const hop of hops) add(hop, 0);
    return [...found].map(([hop, depth]) => ({ hop, depth }));
}
