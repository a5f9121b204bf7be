// Running a program, and showing what came of it.
import { get, newKey, post, Problem } from "./api.js";
import { html } from "./html.js";
import { Prose } from "./parts.js";
import { listen, online } from "./socket.js";
import { hasText, t } from "./texts.js";

/** @typedef {import("@api").components["schemas"]["ExecutionResult"]} Result */

/** How often a pending result is asked for without a socket, and with one, which says when it is there. */
const ASK_MS = 500;
const SELDOM_MS = 2_000;
/** How often at most. */
const ASK_TIMES = 60;

/**
 * Waits for what a request began: first in its response, then over the socket or by asking.
 * @template T
 * @param {any} response of the request
 * @param {string} path where it is asked for
 * @param {(frame: any) => boolean} isIt whether a frame says that it is there
 * @param {(body: any) => T | undefined} done what it is once it is there
 * @returns {Promise<T>}
 */
export async function settled(response, path, isIt, done) {
    let body = response;
    for (let asked = 0; asked < ASK_TIMES; asked++) {
        const found = done(body);
        if (found !== undefined) return found;
        await new Promise((resolve) => {
            const end = () => {
                clearTimeout(timer);
                stop();
                resolve(undefined);
            };
            const timer = setTimeout(end, online.value ? SELDOM_MS : ASK_MS);
            const stop = listen((frame) => isIt(frame) && end());
        });
        try {
            body = await get(path);
        } catch (error) {
            // What is asked for is under way: a moment without an answer does not end it.
            const passes = error instanceof Problem && (error.status === 0 || error.status === 429 || error.status >= 500);
            if (!passes) throw error;
        }
    }
    throw new Error(t("problem.slow"));
}

/**
 * Runs a program.
 * @param {{ code: string, stdin?: string, files?: Record<string, string>, trace?: boolean }} program
 * @param {string} [exercise] the exercise that it is for
 * @returns {Promise<Result>}
 */
export async function run({ code, stdin, files, trace }, exercise) {
    const body = { code, stdin: stdin || undefined, files, trace };
    const suffix = exercise ? `?exercise_id=${encodeURIComponent(exercise)}` : "";
    const begun = await post(`/executions${suffix}`, body, { key: newKey(), prefer: "wait=10" });
    const isIt = (frame) => frame.type === "execution" && frame.execution_id === begun.id;
    return settled(begun, `/executions/${begun.id}`, isIt, (state) => {
        if (state.status === "failed") throw new Error(t("verdict.internal"));
        return state.status === "finished" ? state : undefined;
    });
}

/** Whether a program seems to read what somebody types. @param {string} code */
export const readsInput = (code) => /\binput\s*\(|\bstdin\b/.test(code);

/** The verdict in words. @param {string} verdict */
export const verdict = (verdict) => t(hasText(`verdict.${verdict}`) ? `verdict.${verdict}` : "verdict.unknown");

/** Where an error is, for the editor. @param {Result | undefined} result */
export function marksOf(result) {
    const error = result?.error;
    if (!error?.line) return [];
    const message = `${error.type}: ${error.message}`;
    return [{ line: error.line, column: error.column, endColumn: error.end_column, message }];
}

/** What a program wrote, in the order in which it did, and how it ended. @param {{ result: Result }} props */
export function Output({ result }) {
    const failed = result.verdict !== "ok" && result.verdict !== "exit";
    const pieces = result.transcript.map(({ stream, text }) => html`<span class=${stream}>${text}</span>`);
    return html`<div class="output">
        <p class="row">
            <span class=${`tag ${failed ? "bad" : "good"}`}>${verdict(result.verdict)}</span>
            <span class="quiet">${t("code.time", { ms: result.duration_ms, python: result.python })}</span>
        </p>
        <pre tabindex="0" aria-label=${t("code.output")}>${pieces.length > 0 ? pieces : html`<span class="quiet">${t("code.output.empty")}</span>`}</pre>
        ${result.truncated && html`<p class="quiet">${t("code.output.cut")}</p>`}
        <${Explanation} error=${result.error} />
        <${Files} files=${result.files} />
    </div>`;
}

/** An error in words, with what to look at. */
function Explanation({ error }) {
    if (!error) return null;
    const place = error.line ? ` · ${t("code.line", { line: error.line })}` : "";
    return html`<div class="notice bad">
        <p><strong>${error.type}</strong>${place}: ${error.message}</p>
        ${error.advice && html`<${Prose} text=${`${error.advice.what} ${error.advice.why}\n\n${error.advice.hint}`} />`}
    </div>`;
}

function Files({ files }) {
    const names = Object.keys(files || {});
    if (names.length === 0) return null;
    return html`<h3>${t("code.made")}</h3>
        ${names.map((name) => html`<details>
            <summary>${name}</summary>
            <pre tabindex="0" aria-label=${name}>${"text" in files[name] ? files[name].text : files[name].base64}</pre>
        </details>`)}`;
}
