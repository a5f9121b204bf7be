// What exercises and quizzes have in common: work that takes time, lists that come in pages, and topics by name.
import { useRef, useState } from "../../vendor/vendor.js";
import { get, newKey, Problem } from "../api.js";
import { html } from "../html.js";
import { Act, useLoaded } from "../parts.js";
import { settled } from "../runs.js";
import { hasText, t } from "../texts.js";

/** @typedef {import("@api").components["schemas"]["ListedTopic"]} Topic */

/** What was accepted and came to nothing, so that it has to be begun anew. */
export class Failed extends Error {}

/**
 * Something that takes time: whether it is under way, and why it failed. Starting it twice at once does it once.
 * @template {any[]} Input
 * @param {(...input: Input) => Promise<unknown>} work
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
        let failure;
        try {
            await work(...input);
        } catch (error) {
            failure = error;
        }
        isBusy.current = false;
        setState({ busy: false, error: failure });
    };
    return { ...state, start, again: () => start(...last.current) };
}

/** A button that starts work. Unlike a disabled one it keeps the focus meanwhile. */
export function Start({ work, children, ...rest }) {
    return html`<button type="button" ...${rest} aria-busy=${work.busy} aria-disabled=${work.busy} onClick=${() => work.start()}>
        ${children}
    </button>`;
}

/**
 * Sends what creates something under a key that stays the same while it is tried again, so that it counts once.
 * @returns {<T>(content: string, send: (key: string) => Promise<T>) => Promise<T>}
 */
export function useKeyed() {
    const keys = useRef(/** @type {Map<string, string>} */ (new Map()));
    return async (content, send) => {
        const key = keys.current.get(content) || newKey();
        keys.current.set(content, key);
        try {
            const done = await send(key);
            keys.current.delete(content);
            return done;
        } catch (error) {
            const isRefused = error instanceof Problem && error.status >= 400 && error.status < 500;
            if (isRefused || error instanceof Failed) keys.current.delete(content);
            throw error;
        }
    };
}

/**
 * The answer to a question, once it is there.
 * @param {import("@api").components["schemas"]["QueryResponse"]} begun
 * @returns {Promise<import("@api").components["schemas"]["Answer"]>}
 */
export function answered(begun) {
    const isIt = (frame) => frame.type === "ai_response" && frame.query_id === begun.id;
    return settled(begun, `/queries/${begun.id}`, isIt, (query) => {
        if (query.status === "failed") throw new Failed(t("practice.unanswered"));
        return query.answer;
    });
}

/**
 * A list that comes in pages: what is loaded of it, and how to load more.
 * @param {string} path
 */
export function usePages(path) {
    const { data: first, error, again } = useLoaded(() => get(path), path);
    const [later, setLater] = useState({ of: /** @type {unknown} */ (null), items: /** @type {any[]} */ ([]), next: "" });
    const { items, next } = later.of === first ? later : { items: [], next: first?.next_cursor };
    const more = async () => {
        const page = await get(`${path}${path.includes("?") ? "&" : "?"}cursor=${encodeURIComponent(next)}`);
        setLater({ of: first, items: [...items, ...page.items], next: page.next_cursor });
    };
    return { items: first && [...first.items, ...items], hasMore: Boolean(next), more, error, again };
}

/** What loads the next page of a list, in which each item has one link; the focus goes to the first new one. */
export function More({ pages, list }) {
    if (!pages.hasMore) return null;
    const act = async () => {
        const links = () => list.current?.querySelectorAll("a") || [];
        const before = links().length;
        await pages.more();
        requestAnimationFrame(() => links()[before]?.focus());
    };
    return html`<${Act} act=${act}>${t("more")}<//>`;
}

/** @type {Promise<{ topics: Topic[] }[]> | undefined} */
let modules;
const loadModules = () => {
    modules ??= get("/modules").catch((error) => {
        modules = undefined;
        throw error;
    });
    return /** @type {Promise<{ topics: Topic[] }[]>} */ (modules);
};

/** The topics of the course in their order; until they are there, a topic is called by its slug. */
export function useTopics() {
    const { data, error, again } = useLoaded(loadModules, "");
    const list = (data || []).flatMap((module) => module.topics);
    /** @param {string} slug */
    const title = (slug) => list.find((topic) => topic.slug === slug)?.title || slug.replaceAll("-", " ");
    const options = list.map((topic) => [topic.slug, topic.title]);
    return { title, options, error, again };
}

/** A choice with its label. @param {{ name: string, label: string, options: string[][], [attribute: string]: any }} props */
export function Choice({ name, label, options, ...rest }) {
    const id = `field-${name}`;
    return html`<p class="field">
        <label for=${id}>${label}</label>
        <select id=${id} name=${name} ...${rest}>${options.map(([value, text]) => html`<option value=${value}>${text}</option>`)}</select>
    </p>`;
}

export const DIFFICULTIES = ["easy", "medium", "hard"].map((difficulty) => [difficulty, t(`difficulty.${difficulty}`)]);

/** The text of something that the API names, also of what only a later version names. @param {string} key @param {string} other */
export const named = (key, other) => t(hasText(key) ? key : other);
