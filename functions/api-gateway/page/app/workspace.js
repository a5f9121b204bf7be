// The workspace: the editor, what the program prints, and the tutor beside it.
import { computed, signal, useEffect, useMemo } from "../vendor/vendor.js";
import { Chat } from "./chat.js";
import { DraftChoice, draftOf, DraftState, useDraft } from "./drafts.js";
import { Editor } from "./editor.js";
import { html } from "./html.js";
import { Fault, Title } from "./parts.js";
import { marksOf, Output, readsInput, run } from "./runs.js";
import { user } from "./session.js";
import { Steps } from "./steps.js";
import { t } from "./texts.js";

/** @type {import("./editor.js").Mark[]} */
const NO_MARKS = [];
const KEY = "workspace";
const FIRST_PROGRAM = 'name = input("What is your name? ")\nprint("Hello,", name)\n';

/** What is beside the program: kept in this browser, for each account by itself. */
const storageKey = computed(() => `learnflow.workspace.${user.value?.id}`);

/** @typedef {{ stdin: string, files: { name: string, text: string }[] }} Workspace */

/** @type {import("../vendor/vendor.js").Signal<Workspace>} */
const workspace = signal({ stdin: "", files: [] });
/** The program is a draft, which other devices have, too. */
const draft = computed(() => draftOf(KEY, FIRST_PROGRAM));
const code = computed(() => draft.value.text.value);
const stdin = computed(() => workspace.value.stdin);
const files = computed(() => workspace.value.files);
/** What the last run was of, and what came of it. */
/** @type {import("../vendor/vendor.js").Signal<{ code: string, result: import("./runs.js").Result } | null>} */
const last = signal(null);
const isStale = computed(() => Boolean(last.value) && last.value?.code !== code.value);
/** What is under way. */
const running = signal(/** @type {"" | "run" | "steps"} */ (""));
const failure = signal(/** @type {unknown} */ (undefined));
const isStepping = signal(false);
let latestRun = 0;
let owner = "";

function load() {
    if (owner === storageKey.value) return;
    owner = storageKey.value;
    stop();
    last.value = null;
    before.value = null;
    const first = { stdin: "Ada\n", files: [] };
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

/** What was there before another program was put into the editor. */
/** @type {import("../vendor/vendor.js").Signal<{ code: string, beside: Workspace } | null>} */
const before = signal(null);

/** Puts a program into the editor, from the tutor or another view. @param {string} code @param {string} [stdin] */
export function edit(code, stdin = "") {
    load();
    const old = draft.value.text.value;
    if (old !== code && !before.value) before.value = { code: old, beside: workspace.value };
    draft.value.write(code);
    change({ stdin });
    last.value = null;
}

/** @param {boolean} trace whether its steps are wanted */
async function start(trace) {
    const turn = ++latestRun;
    const { stdin, files } = workspace.value;
    const code = draft.value.text.value;
    const sent = Object.fromEntries(files.filter(({ name }) => name).map(({ name, text }) => [name, text]));
    running.value = trace ? "steps" : "run";
    failure.value = undefined;
    try {
        const result = await run({ code, stdin, files: files.length > 0 ? sent : undefined, trace });
        if (turn !== latestRun) return;
        last.value = { code, result };
        isStepping.value = trace;
    } catch (fault) {
        if (turn === latestRun) failure.value = fault;
    }
    if (turn === latestRun) running.value = "";
}

/** Nobody waits for what is under way any more. */
function stop() {
    latestRun++;
    running.value = "";
    failure.value = undefined;
    isStepping.value = false;
}

/** @param {string} code */
function editAndRun(code) {
    edit(code);
    start(false);
}

const program = () => ({ code: code.value, error: last.value?.result.error?.traceback });

export function WorkspaceView() {
    load();
    useDraft(KEY, FIRST_PROGRAM);
    useEffect(() => stop, []);
    // So that nothing that is typed beside it reaches the tutor's answers.
    const chat = useMemo(() => html`<${Chat} program=${program} put=${edit} run=${editAndRun} />`, []);
    if (isStepping.value && last.value) {
        const close = () => (isStepping.value = false);
        return html`<${Title}>${t("code.title")}<//>
            <${Steps} code=${last.value.code} result=${last.value.result} close=${close} />`;
    }
    return html`<div class="workspace">
        <section>
            <${Title}>${t("code.title")}<//>
            <${ProgramEditor} />
            <${DraftChoice} draft=${draft.value} />
            <${Replaced} />
            <${Toolbar} />
            <${Input} />
            <${Files} />
            <h2>${t("code.output")}</h2>
            <${Result} />
        </section>
        ${chat}
    </div>`;
}

function ProgramEditor() {
    const result = last.value?.result;
    const marks = useMemo(() => marksOf(result), [result]);
    return html`<${Editor} value=${code.value} label=${t("code.editor")} marks=${isStale.value ? NO_MARKS : marks}
        onChange=${(text, old) => draft.value.write(text, old)} onRun=${() => start(false)} />`;
}

/** The way back to the program that was there. */
function Replaced() {
    if (!before.value) return null;
    const { code, beside } = before.value;
    const back = () => {
        draft.value.write(code);
        change(beside);
        before.value = null;
        last.value = null;
    };
    return html`<p class="notice row" role="status">${t("code.replaced")} <button type="button" onClick=${back}>${t("code.back")}</button></p>`;
}

function Toolbar() {
    const button = (kind, trace, text) => html`<button type="button" class=${trace ? "" : "primary"} disabled=${Boolean(running.value)}
        aria-busy=${running.value === kind} onClick=${() => start(trace)}>${text}</button>`;
    return html`<div class="toolbar">
        ${button("run", false, t(running.value === "run" ? "code.running" : "code.run"))}
        ${button("steps", true, t("code.steps"))}
        <span class="quiet">${t("code.keys")}</span>
        <${DraftState} draft=${draft.value} />
    </div>`;
}

/** What the program reads, if it seems to read anything. */
function Input() {
    if (!readsInput(code.value)) return null;
    return html`<p class="field">
        <label for="stdin">${t("code.input")}</label>
        <textarea id="stdin" rows="2" value=${stdin.value} aria-describedby="stdin-hint" onInput=${(event) => change({ stdin: event.currentTarget.value })}></textarea>
        <small id="stdin-hint">${t("code.input.hint")}</small>
    </p>`;
}

function Files() {
    const all = files.value;
    const set = (at, changes) => change({ files: all.map((file, index) => (index === at ? { ...file, ...changes } : file)) });
    const remove = (at) => change({ files: all.filter((_, index) => index !== at) });
    const add = () => change({ files: [...all, { name: `data${all.length + 1}.txt`, text: "" }] });
    return html`<details open=${all.length > 0}>
        <summary>${t("code.files")}</summary>
        ${all.map((file, at) => html`<${File} key=${at} file=${file} at=${at} set=${set} remove=${remove} />`)}
        <button type="button" onClick=${add}>${t("code.files.add")}</button>
    </details>`;
}

function File({ file: { name, text }, at, set, remove }) {
    return html`<fieldset class="card">
        <legend class="hidden">${name || t("code.files.name")}</legend>
        <p class="field"><label for=${`file-name-${at}`}>${t("code.files.name")}</label>
            <input id=${`file-name-${at}`} value=${name} maxlength="100" onInput=${(event) => set(at, { name: event.currentTarget.value })} /></p>
        <p class="field"><label for=${`file-text-${at}`}>${t("code.files.text")}</label>
            <textarea id=${`file-text-${at}`} rows="4" value=${text} onInput=${(event) => set(at, { text: event.currentTarget.value })}></textarea></p>
        <button type="button" onClick=${() => remove(at)}>${t("code.files.remove", { name })}</button>
    </fieldset>`;
}

function Result() {
    const result = last.value?.result;
    const output = useMemo(() => result && html`<${Output} result=${result} />`, [result]);
    return html`<div aria-live="polite">
        <${Fault} error=${failure.value} again=${() => start(false)} />
        ${isStale.value && html`<p class="notice warn">${t("code.changed")}</p>`}
        ${output || html`<p class="quiet">${t("code.output.none")}</p>`}
    </div>`;
}
