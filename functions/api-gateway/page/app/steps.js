// Stepping through a program: its frames, names and objects at each step, as a picture and as text.
import { useEffect, useState } from "../vendor/vendor.js";
import { Editor } from "./editor.js";
import { html } from "./html.js";
import { t } from "./texts.js";

/** @typedef {import("@api").components["schemas"]["TraceStep"]} Step */
/** @typedef {import("@api").components["schemas"]["TraceValue"]} Value */

/** @param {any} value @returns {string} */
function text(value) {
    if (value === null) return "None";
    if (value === true) return "True";
    if (value === false) return "False";
    if (typeof value === "string") return quoted(value);
    if (typeof value === "object") return "ref" in value ? `#${value.ref}` : value.text;
    return String(value);
}

/** As Python shows a string. @param {string} value */
function quoted(value) {
    const json = JSON.stringify(value);
    return value.includes("'") ? json : `'${json.slice(1, -1).replaceAll('\\"', '"')}'`;
}

/** A value; an object is a link to where it is drawn. @param {{ value: any, heap: Step["heap"] }} props */
function Shown({ value, heap }) {
    if (value !== null && typeof value === "object" && "ref" in value) {
        const object = heap[value.ref];
        /** @param {Event} event */
        const point = (event) => {
            event.preventDefault();
            const target = document.getElementById(`object-${value.ref}`);
            document.querySelectorAll(".pointed").forEach((other) => other.classList.remove("pointed"));
            target?.classList.add("pointed");
            target?.scrollIntoView({ block: "nearest" });
        };
        return html`<a class="ref" href=${`#object-${value.ref}`} onClick=${point}>${t("steps.object", { type: object?.type || "", id: value.ref })}</a>`;
    }
    return text(value);
}

/** Which names stand for an object, so that it is seen when there are several. @param {Step} step @param {string} id */
function namesOf(step, id) {
    const names = [];
    for (const frame of step.frames) {
        for (const [name, value] of Object.entries(frame.locals)) {
            if (value !== null && typeof value === "object" && "ref" in value && String(value.ref) === id) names.push(name);
        }
    }
    return names;
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

/** The names that are new or have another value than one step before. @param {Step} step @param {Step | undefined} before */
function changed(step, before) {
    const found = new Set();
    step.frames.forEach((frame, depth) => {
        const old = before?.frames[depth];
        for (const [name, value] of Object.entries(frame.locals)) {
            if (!old || old.function !== frame.function || !same(old.locals[name], value)) found.add(`${depth}.${name}`);
        }
    });
    for (const [id, object] of Object.entries(step.heap)) {
        if (!same(before?.heap[id], object)) found.add(`#${id}`);
    }
    return found;
}

/** What happens at a step, in a sentence. @param {Step} step @param {Set<string>} changes */
function sentence(step, changes) {
    const what = {
        line: () => t("steps.line", { line: step.line }),
        call: () => t("steps.call", { function: step.function }),
        return: () => step.function === "<module>" ? t("steps.end") : t("steps.return", { function: step.function, value: text(step.value ?? null) }),
        exception: () => t("steps.exception", { exception: step.exception }),
    }[step.event];
    const names = [...changes].filter((name) => !name.startsWith("#")).map((name) => name.slice(name.indexOf(".") + 1));
    return [what?.(), names.length > 0 && t("steps.changed", { names: names.join(", ") })].filter(Boolean).join(" ");
}

function Frame({ frame, depth, step, changes }) {
    const names = Object.entries(frame.locals);
    const title = depth === 0 && frame.function === "<module>" ? t("steps.global") : t("steps.frame", { function: frame.function, line: frame.line });
    return html`<section class="frame">
        <h4>${title}</h4>
        ${names.length === 0 && html`<p class="quiet">${t("steps.names")}</p>`}
        <dl>${names.map(([name, value]) => html`<dt>${name}</dt>
            <dd><span class=${changes.has(`${depth}.${name}`) ? "changed" : ""}><${Shown} value=${value} heap=${step.heap} /></span></dd>`)}</dl>
    </section>`;
}

function Item({ id, object, step, changes }) {
    const names = namesOf(step, id);
    const show = (value) => html`<${Shown} value=${value} heap=${step.heap} />`;
    const pairs = object.entries || Object.entries(object.attributes || {});
    const isMore = object.length != null && object.length > (object.items || pairs).length;
    return html`<section class=${`object ${changes.has(`#${id}`) ? "changed" : ""}`} id=${`object-${id}`}>
        <h4>
            ${t("steps.object", { type: object.name ? `${object.type} ${object.name}` : object.type, id })}
            ${names.length > 1 && html` <span class="quiet">${t("steps.shared", { names: names.join(", ") })}</span>`}
        </h4>
        ${object.items && html`<ol class="cells">${object.items.map((value, at) => html`<li><small>${object.kind.endsWith("set") ? "" : at}</small>${show(value)}</li>`)}</ol>`}
        ${!object.items && pairs.length > 0 && html`<dl>${pairs.map(([key, value]) => html`<dt>${object.entries ? show(key) : key}</dt><dd>${show(value)}</dd>`)}</dl>`}
        ${isMore && html`<p class="quiet">${t("steps.more")}</p>`}
    </section>`;
}

/**
 * @param {{ code: string, result: import("@api").components["schemas"]["ExecutionResult"], close: () => void }} props
 */
export function Steps({ code, result, close }) {
    const steps = result.trace?.steps || [];
    const [at, setAt] = useState(0);
    const step = steps[at];
    const show = (next) => setAt(Math.max(0, Math.min(steps.length - 1, next)));
    useEffect(() => {
        /** @param {KeyboardEvent} event */
        const key = (event) => {
            const keys = ["ArrowLeft", "ArrowRight"];
            if (!event.altKey || !keys.includes(event.key)) return;
            // As on the slider, forward is where the page's text goes.
            const isForward = keys.indexOf(event.key) === (document.dir === "rtl" ? 0 : 1);
            show(isForward ? at + 1 : at - 1);
            event.preventDefault();
        };
        addEventListener("keydown", key);
        return () => removeEventListener("keydown", key);
    });
    if (!step) return html`<p>${t("steps.none")}</p><button type="button" onClick=${close}>${t("steps.close")}</button>`;
    const changes = changed(step, steps[at - 1]);
    const isFailure = at === steps.length - 1 && result.error && !result.trace?.truncated;
    const written = result.transcript.map((piece) => piece.text).join("");
    return html`<h2>${t("steps.title")}</h2>
        <div class="toolbar">
            <button type="button" onClick=${() => show(0)} disabled=${at === 0}>${t("steps.first")}</button>
            <button type="button" onClick=${() => show(at - 1)} disabled=${at === 0}>${t("steps.back")}</button>
            <button type="button" class="primary" onClick=${() => show(at + 1)} disabled=${at === steps.length - 1}>${t("steps.forward")}</button>
            <button type="button" onClick=${() => show(steps.length - 1)} disabled=${at === steps.length - 1}>${t("steps.last")}</button>
            <span class="quiet">${t("steps.keys")}</span>
            <button type="button" class="plain" onClick=${close}>${t("steps.close")}</button>
        </div>
        <input type="range" min="0" max=${steps.length - 1} value=${at} aria-label=${t("steps.slider")}
            aria-valuetext=${t("steps.at", { step: at + 1, steps: steps.length })} onInput=${(event) => show(Number(event.currentTarget.value))} />
        <p role="status">${t("steps.at", { step: at + 1, steps: steps.length })}: ${isFailure ? t("steps.failed", result.error || {}) : sentence(step, changes)}
            ${at === steps.length - 1 && result.trace?.truncated && ` ${t("steps.cut")}`}</p>
        <div class="steps">
            <div>
                <${Editor} value=${code} label=${t("code.editor")} line=${step.line} readOnly=${true} />
                <h3>${t("code.output")}</h3>
                <div class="output"><pre tabindex="0" aria-label=${t("code.output")}>${[...written].slice(0, step.written).join("")}</pre></div>
            </div>
            <div class="picture" tabindex="0" role="region" aria-label=${t("steps.picture")}>
                ${step.frames.map((frame, depth) => html`<${Frame} frame=${frame} depth=${depth} step=${step} changes=${changes} />`)}
                ${Object.keys(step.heap).length > 0 && html`<h3>${t("steps.objects")}</h3>`}
                ${Object.entries(step.heap).map(([id, object]) => html`<${Item} id=${id} object=${object} step=${step} changes=${changes} />`)}
            </div>
        </div>`;
}
