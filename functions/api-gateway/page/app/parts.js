// Small pieces that all views are made of.
import { useEffect, useMemo, useRef, useState } from "../vendor/vendor.js";
import { get, keyed, Problem } from "./api.js";
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
    const made = useMemo(() => markdown(text || "", code), [text, code]);
    return html`<div class="prose" dir="auto">${made}</div>`;
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
        <meter min="0" max="100" low="41" high="71" optimum="100" value=${score} aria-label=${label}></meter>
        <span>${score}</span>
        ${level && html`<span class="quiet">${t(`level.${level}`)}</span>`}
    </span>`;
}

/**
 * Something that takes time: whether it is under way, and why it failed. Starting it twice at once does it once.
 * @template {any[]} Input
 * @param {(...input: Input) => unknown} work
 */
export function useWork(work) {
    const [state, setState] = useState({ busy: false, error: /** @type {unknown} */ (undefined) });
    const isBusy = useRef(false);
    const last = useRef(/** @type {any} */ ([]));
    /** @param {Input} input */
    const start = async (...input) => {
        if (isBusy.current) return;
        isBusy.current = true;
        last.current = input;
        setState({ busy: true, error: undefined });
        /** @type {unknown} */
        let error;
        try {
            await work(...input);
        } catch (fault) {
            error = fault;
        }
        isBusy.current = false;
        setState({ busy: false, error });
    };
    return { ...state, start, again: () => start(...last.current) };
}

/** A button that starts work. Unlike a disabled one it keeps the focus meanwhile. */
export function Start({ work, input = [], children, type = "button", ...rest }) {
    const start = type === "button" ? () => work.start(...input) : undefined;
    return html`<button type=${type} ...${rest} aria-busy=${work.busy} aria-disabled=${work.busy} onClick=${start}>${children}</button>`;
}

/**
 * A button that does something which takes time, and says if it fails.
 * @param {{ act: () => unknown, children: any, class?: string, disabled?: boolean, title?: string }} props
 */
export function Act({ act, children, ...rest }) {
    const work = useWork(act);
    return html`<${Start} work=${work} ...${rest}>${children}<//><${Fault} error=${work.error} />`;
}

/** `keyed`, with keys of the view's own. */
export const useKeyed = () => useState(keyed)[0];

/**
 * A list that comes in pages.
 * @param {string} path
 * @param {Record<string, string>} [params] those without a value are left out
 * @returns {{ items: any[] | undefined, error: unknown, again: () => Promise<void>, more: any }} `more` stands after the list
 */
export function usePages(path, params = {}) {
    const chosen = Object.entries(params).filter(([, value]) => value);
    const first = `${path}?${new URLSearchParams(chosen)}`;
    const { data, error, again } = useLoaded(() => get(first), first);
    const [rest, setRest] = useState({ after: /** @type {unknown} */ (null), items: /** @type {any[]} */ ([]), cursor: "" });
    const { items, cursor } = rest.after === data ? rest : { items: [], cursor: data?.next_cursor };
    const next = async () => {
        const page = await get(`${path}?${new URLSearchParams([...chosen, ["cursor", cursor]])}`);
        setRest({ after: data, items: [...items, ...page.items], cursor: page.next_cursor });
    };
    return { items: data && [...data.items, ...items], error, again, more: cursor && html`<${More} next=${next} />` };
}

/** Loads the next page of the list that stands before it; the focus goes to the first new item. */
function More({ next }) {
    const row = useRef(/** @type {HTMLElement | null} */ (null));
    const act = async () => {
        const list = row.current?.previousElementSibling;
        /** @returns {ArrayLike<HTMLElement>} */
        const stops = () => list?.querySelectorAll("a, summary") || [];
        const before = stops().length;
        await next();
        requestAnimationFrame(() => stops()[before]?.focus());
    };
    return html`<div class="row bottom" ref=${row}><${Act} act=${act}>${t("more")}<//></div>`;
}

/** What stands before a list: that it is loading, why it is not there, or that it is empty. */
export function Before({ of: { items, error, again }, empty }) {
    if (!items) return html`<${Loading} error=${error} again=${again} />`;
    return html`<${Fault} error=${error} again=${again} />${items.length === 0 && html`<${Empty}>${empty}<//>`}`;
}

/** A time in the reader's zone. */
export function Time({ at }) {
    if (!at) return null;
    const date = new Date(at);
    const text = date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
    return html`<time datetime=${at} title=${date.toLocaleString()}>${text}</time>`;
}

/** A day, as the API writes it, in the reader's form. */
export function Day({ date }) {
    if (!date) return t("none");
    return html`<time datetime=${date}>${new Date(`${date}T12:00`).toLocaleDateString(undefined, { dateStyle: "medium" })}</time>`;
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
