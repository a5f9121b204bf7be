// Small pieces that all views are made of.
import { useEffect, useRef, useState } from "../vendor/vendor.js";
import { Problem } from "./api.js";
import { html } from "./html.js";
import { markdown } from "./markdown.js";
import { t } from "./texts.js";

/**
 * Loads what a view shows, and again when `key` changes or `again` is called.
 * @template T
 * @param {() => Promise<T>} load
 * @param {unknown} key
 * @returns {{ data: T | undefined, error: unknown, again: () => Promise<void> }}
 */
export function useLoaded(load, key) {
    const [state, setState] = useState(/** @type {{ key: unknown, data?: any, error?: unknown }} */ ({ key }));
    const latest = useRef(0);
    const again = async () => {
        const turn = ++latest.current;
        try {
            const data = await load();
            if (turn === latest.current) setState({ key, data });
        } catch (error) {
            if (turn === latest.current) setState((old) => ({ key, data: old.key === key ? old.data : undefined, error }));
        }
    };
    useEffect(() => {
        again();
        return () => {
            latest.current++;
        };
    }, [key]);
    const current = state.key === key ? state : { key };
    return { data: current.data, error: current.error, again };
}

/** What is loading, or why it could not be loaded, with a way to try again. */
export function Loading({ error, again }) {
    if (!error) return html`<p class="quiet" role="status">${t("loading")}</p>`;
    return html`<${Fault} error=${error} again=${again} />`;
}

/** An error in words; everything else stays as it is. (An error of fields has them in its words.) */
export function Fault({ error, again = undefined }) {
    if (!error) return null;
    const trace = error instanceof Problem ? error.traceId : undefined;
    return html`<div class="notice bad" role="alert">
        <p>${error instanceof Error ? error.message : String(error)}</p>
        ${trace && error.status >= 500 && html`<p class="quiet">${t("problem.trace", { trace })}</p>`}
        ${again && html`<button type="button" onClick=${again}>${t("again")}</button>`}
    </div>`;
}

/** Text that a tutor or a person wrote, as paragraphs, lists and code. */
export function Prose({ text, code = undefined }) {
    return html`<div class="prose" dir="auto">${markdown(text || "", code)}</div>`;
}

/** A field with its label. */
export function Field({ label, hint = undefined, ...input }) {
    const id = `field-${input.name}`;
    return html`<p class="field">
        <label for=${id}>${label}</label>
        <input id=${id} aria-describedby=${hint ? `${id}-hint` : undefined} ...${input} />
        ${hint && html`<small id=${`${id}-hint`}>${hint}</small>`}
    </p>`;
}

/** A score from 0 to 100 as a bar and a number. */
export function Score({ score, level = undefined, label }) {
    if (score === null || score === undefined) return html`<span class="quiet">${t("score.none")}</span>`;
    return html`<span class="score" data-level=${level || ""}>
        <meter min="0" max="100" value=${score} aria-label=${label}></meter>
        <span>${score}</span>
        ${level && html`<span class="quiet">${t(`level.${level}`)}</span>`}
    </span>`;
}

/**
 * A button that does something which takes time, and says if it fails.
 * @param {{ act: () => Promise<unknown> | unknown, children: any, class?: string, disabled?: boolean, title?: string }} props
 */
export function Act({ act, children, disabled = false, ...rest }) {
    const [state, setState] = useState(/** @type {{ busy?: boolean, error?: unknown }} */ ({}));
    const start = async () => {
        setState({ busy: true });
        try {
            await act();
            setState({});
        } catch (error) {
            setState({ error });
        }
    };
    return html`<button type="button" ...${rest} disabled=${disabled || state.busy} aria-busy=${Boolean(state.busy)} onClick=${start}>
            ${children}
        </button>
        <${Fault} error=${state.error} />`;
}

/** A time in the reader's zone. */
export function Time({ at }) {
    if (!at) return null;
    const date = new Date(at);
    const text = date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
    return html`<time datetime=${at} title=${date.toLocaleString()}>${text}</time>`;
}

/** A heading of a view; it takes the focus when the view opens, so that screen readers begin there. */
export function Title({ children }) {
    const heading = useRef(/** @type {HTMLElement | null} */ (null));
    useEffect(() => {
        document.title = `${heading.current?.textContent} · LearnFlow`;
        heading.current?.focus({ preventScroll: true });
    }, []);
    return html`<h1 ref=${heading} tabindex="-1">${children}</h1>`;
}

/** What an empty list says: what it is for and what to do. */
export function Empty({ children }) {
    return html`<p class="empty">${children}</p>`;
}
