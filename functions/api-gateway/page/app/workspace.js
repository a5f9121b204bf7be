// The workspace: the editor, what the program prints, and the tutor beside it.
import { computed, signal, useEffect, useMemo, useRef, useState } from "../vendor/vendor.js";
import { Chat } from "./chat.js";
import { Editor } from "./editor.js";
import { html } from "./html.js";
import { Fault, Title } from "./parts.js";
import { marksOf, Output, run } from "./runs.js";
import { user } from "./session.js";
import { Steps } from "./steps.js";
import { t } from "./texts.js";

/** @type {import("./editor.js").Mark[]} */
const NO_MARKS = [];
const FIRST_PROGRAM = 'name = input("What is your name? ")\nprint("Hello,", name)\n';

/** What is in the workspace: kept in this browser, for each account by itself. */
const storageKey = computed(() => `learnflow.workspace.${user.value?.id}`);

/** @typedef {{ code: string, stdin: string, files: { name: string, text: string }[] }} Workspace */

/** @type {import("../vendor/vendor.js").Signal<Workspace>} */
const workspace = signal({ code: "", stdin: "", files: [] });
/** What the last run was of, and what came of it. */
/** @type {import("../vendor/vendor.js").Signal<{ code: string, result: import("./runs.js").Result } | null>} */
const last = signal(null);
let owner = "";

function load() {
    if (owner === storageKey.value) return;
    owner = storageKey.value;
    last.value = null;
    before.value = null;
    const first = { code: FIRST_PROGRAM, stdin: "Ada\n", files: [] };
    try {
        workspace.value = { ...first, ...JSON.parse(localStorage.getItem(owner) || "{}") };
    } catch {
        workspace.value = first;
    }
}

/** @param {Partial<Workspace>} change */
function change(change) {
    workspace.value = { ...workspace.value, ...change };
    try {
        localStorage.setItem(owner, JSON.stringify(workspace.value));
    } catch {
        // A full or forbidden storage costs the copy, not the work.
    }
}

/** What the editor had before another program was put into it. */
/** @type {import("../vendor/vendor.js").Signal<Workspace | null>} */
const before = signal(null);

/** Puts a program into the editor, from the tutor or another view. @param {string} code @param {string} [stdin] */
export function edit(code, stdin = "") {
    load();
    if (workspace.value.code !== code && !before.value) before.value = workspace.value;
    change({ code, stdin });
    last.value = null;
}

/** The way back to the program that was there. */
function Replaced() {
    if (!before.value) return null;
    const back = () => {
        change(before.value || {});
        before.value = null;
        last.value = null;
    };
    return html`<p class="notice row" role="status">${t("code.replaced")} <button type="button" onClick=${back}>${t("code.back")}</button></p>`;
}

function Files() {
    const { files } = workspace.value;
    const set = (at, field, value) => change({ files: files.map((file, index) => (index === at ? { ...file, [field]: value } : file)) });
    return html`<details open=${files.length > 0}>
        <summary>${t("code.files")}</summary>
        ${files.map(({ name, text }, at) => html`<fieldset key=${at} class="card">
            <legend class="hidden">${name || t("code.files.name")}</legend>
            <p class="field"><label for=${`file-name-${at}`}>${t("code.files.name")}</label>
                <input id=${`file-name-${at}`} value=${name} maxlength="100" onInput=${(event) => set(at, "name", event.currentTarget.value)} /></p>
            <p class="field"><label for=${`file-text-${at}`}>${t("code.files.text")}</label>
                <textarea id=${`file-text-${at}`} rows="4" value=${text} onInput=${(event) => set(at, "text", event.currentTarget.value)}></textarea></p>
            <button type="button" onClick=${() => change({ files: files.filter((_, index) => index !== at) })}>${t("code.files.remove", { name })}</button>
        </fieldset>`)}
        <button type="button" onClick=${() => change({ files: [...files, { name: `data${files.length + 1}.txt`, text: "" }] })}>${t("code.files.add")}</button>
    </details>`;
}

export function WorkspaceView() {
    load();
    const [busy, setBusy] = useState("");
    const [error, setError] = useState(/** @type {unknown} */ (undefined));
    const [stepping, setStepping] = useState(false);
    const latestRun = useRef(0);
    const { code, stdin } = workspace.value;
    const result = last.value?.result;
    const marks = useMemo(() => marksOf(result), [result]);
    const isStale = last.value && last.value.code !== code;

    /** @param {boolean} trace */
    const start = async (trace) => {
        const turn = ++latestRun.current;
        const now = workspace.value;
        setBusy(trace ? "steps" : "run");
        setError(undefined);
        try {
            const sent = Object.fromEntries(now.files.filter(({ name }) => name).map(({ name, text }) => [name, text]));
            const done = await run({ code: now.code, stdin: now.stdin, files: now.files.length > 0 ? sent : undefined, trace });
            if (turn !== latestRun.current) return;
            last.value = { code: now.code, result: done };
            setStepping(trace);
        } catch (fault) {
            if (turn === latestRun.current) setError(fault);
        } finally {
            if (turn === latestRun.current) setBusy("");
        }
    };
    useEffect(() => () => {
        latestRun.current++;
    }, []);

    if (stepping && last.value) {
        return html`<${Title}>${t("code.title")}<//>
            <${Steps} code=${last.value.code} result=${last.value.result} close=${() => setStepping(false)} />`;
    }
    return html`<div class="workspace">
        <section>
            <${Title}>${t("code.title")}<//>
            <${Editor} value=${code} label=${t("code.editor")} marks=${isStale ? NO_MARKS : marks}
                onChange=${(value) => change({ code: value })} onRun=${() => start(false)} />
            <${Replaced} />
            <div class="toolbar">
                <button type="button" class="primary" disabled=${Boolean(busy)} aria-busy=${busy === "run"} onClick=${() => start(false)}>${t(busy === "run" ? "code.running" : "code.run")}</button>
                <button type="button" disabled=${Boolean(busy)} aria-busy=${busy === "steps"} onClick=${() => start(true)}>${t("code.steps")}</button>
                <span class="quiet">${t("code.keys")}</span>
            </div>
            <p class="field">
                <label for="stdin">${t("code.input")}</label>
                <textarea id="stdin" rows="2" value=${stdin} aria-describedby="stdin-hint" onInput=${(event) => change({ stdin: event.currentTarget.value })}></textarea>
                <small id="stdin-hint">${t("code.input.hint")}</small>
            </p>
            <${Files} />
            <h2>${t("code.output")}</h2>
            <div aria-live="polite">
                <${Fault} error=${error} again=${() => start(false)} />
                ${isStale && html`<p class="notice warn">${t("code.changed")}</p>`}
                ${result ? html`<${Output} result=${result} />` : html`<p class="quiet">${t("code.output.none")}</p>`}
            </div>
        </section>
        <${Chat} program=${() => ({ code: workspace.value.code, error: last.value?.result.error?.traceback })} put=${edit} run=${(text) => {
            edit(text);
            start(false);
        }} />
    </div>`;
}
