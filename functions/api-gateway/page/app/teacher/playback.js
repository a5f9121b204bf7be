// A student's latest programs in the order in which they were run and handed in, with what changed from one to the next.
import { useState } from "../../vendor/vendor.js";
import { get } from "../api.js";
import { html } from "../html.js";
import { Fault, Time, useLoaded } from "../parts.js";
import { Output } from "../runs.js";
import { t } from "../texts.js";

/** Lines that are compared; a longer program is shown without its changes. */
const MOST_LINES = 500;

/**
 * The lines of `after`, and between them those of `before` that are gone.
 * @param {string[]} before
 * @param {string[]} after
 * @returns {{ text: string, change: "" | "added" | "removed" }[]}
 */
function changes(before, after) {
    if (before.length > MOST_LINES || after.length > MOST_LINES) return after.map((text) => ({ text, change: "" }));
    // common[i][j]: how many lines before[i..] and after[j..] have in common, in order.
    const common = Array.from({ length: before.length + 1 }, () => new Array(after.length + 1).fill(0));
    const at = (i, j) => /** @type {number} */ (common[i]?.[j] ?? 0);
    for (let i = before.length - 1; i >= 0; i--) {
        for (let j = after.length - 1; j >= 0; j--) {
            const row = /** @type {number[]} */ (common[i]);
            row[j] = before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
        }
    }
    /** @type {{ text: string, change: "" | "added" | "removed" }[]} */
    const lines = [];
    let [i, j] = [0, 0];
    while (i < before.length || j < after.length) {
        if (i < before.length && j < after.length && before[i] === after[j]) {
            lines.push({ text: after[j++] ?? "", change: "" });
            i++;
        } else if (j >= after.length || (i < before.length && at(i + 1, j) >= at(i, j + 1))) {
            lines.push({ text: before[i++] ?? "", change: "removed" });
        } else {
            lines.push({ text: after[j++] ?? "", change: "added" });
        }
    }
    return lines;
}

/** The share of words that two programs have in common from which on one is the other, changed. */
const RELATED = 0.3;

/** @param {string} before @param {string} after */
function isRelated(before, after) {
    const [one, other] = [before, after].map((code) => new Set(code.match(/\w+/g)));
    const both = [...(one || [])].filter((word) => other?.has(word)).length;
    return both >= RELATED * new Set([...(one || []), ...(other || [])]).size;
}

/** A program with what changed in it, unless it is the first one or another one. @param {string | undefined} before @param {string} after */
function changed(before, after) {
    const lines = after.split("\n");
    return changes(before && isRelated(before, after) ? before.split("\n") : lines, lines);
}

/** A program with its result. @param {{ kind: string, id: string }} entry */
const load = (entry) => get(`/${entry.kind === "run" ? "executions" : "submissions"}/${entry.id}`);

/** @param {{ items: import("@api").components["schemas"]["TimelineEntry"][] }} props the latest first */
export function Playback({ items }) {
    const programs = items.filter(({ kind }) => kind === "run" || kind === "submission").reverse();
    const [at, setAt] = useState(programs.length - 1);
    const [before, entry] = [programs[at - 1], programs[at]];
    const { data, error, again } = useLoaded(() => Promise.all([before && load(before), entry && load(entry)]), at);
    if (!entry) return null;
    const [old, now] = data || [];
    const lines = now?.code === undefined ? [] : changed(old?.code, now.code);
    const isOther = Boolean(old?.code) && lines.length > 0 && !isRelated(old.code, now.code);
    return html`<h2>${t("teach.playback")}</h2>
        <div class="toolbar">
            <button type="button" disabled=${at === 0} onClick=${() => setAt(at - 1)}>${t("steps.back")}</button>
            <button type="button" disabled=${at === programs.length - 1} onClick=${() => setAt(at + 1)}>${t("steps.forward")}</button>
            <span role="status">${t("teach.playback.at", { at: at + 1, of: programs.length })}, <${Time} at=${entry.at} /></span>
        </div>
        <${Fault} error=${error} again=${again} />
        ${isOther && html`<p class="quiet">${t("teach.playback.other")}</p>`}
        <pre class="playback" tabindex="0" aria-label=${t("code")}><code>${lines.map(({ text, change }) => html`<span class=${change}>${change && html`<span class="hidden">${t(`teach.playback.${change}`)} </span>`}${text}</span>${"\n"}`)}</code></pre>
        ${now?.verdict && html`<${Output} result=${now} />`}`;
}
