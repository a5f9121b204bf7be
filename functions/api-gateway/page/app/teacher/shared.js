// What several of a teacher's views need.
import { signal, useEffect, useRef } from "../../vendor/vendor.js";
import { get, newKey } from "../api.js";
import { html } from "../html.js";
import { Empty, Fault, Loading } from "../parts.js";
import { to } from "../router.js";
import { listen, online } from "../socket.js";
import { hasText, t } from "../texts.js";

/** @typedef {import("@api").components["schemas"]["CourseModule"]} CourseModule */

/**
 * Calls `changed` with the ids of the alerts that have changed, at most once in `ms`; without ids after the socket was
 * closed for a while.
 * @param {(ids: string[]) => unknown} changed
 * @param {number} ms
 */
export function useAlertFrames(changed, ms) {
    const latest = useRef(changed);
    latest.current = changed;
    const wasOnline = useRef(online.value);
    useEffect(() => {
        /** @type {Set<string>} */
        const ids = new Set();
        /** @type {ReturnType<typeof setTimeout> | undefined} */
        let timer;
        const tell = () => {
            timer = undefined;
            const all = [...ids];
            ids.clear();
            latest.current(all);
        };
        const end = listen((frame) => {
            if (frame.type !== "alert" || !frame.notification?.alert_id) return;
            ids.add(frame.notification.alert_id);
            timer ??= setTimeout(tell, ms);
        });
        return () => {
            end();
            clearTimeout(timer);
        };
    }, []);
    useEffect(() => {
        if (online.value && !wasOnline.current) latest.current([]);
        wasOnline.current = online.value;
    }, [online.value]);
}

/** What stands before a list: that it is loading, why it is not there, or that it is empty. */
export function Before({ of: { items, error, again }, empty }) {
    if (!items) return html`<${Loading} error=${error} again=${again} />`;
    return html`<${Fault} error=${error} again=${again} />${items.length === 0 && html`<${Empty}>${empty}<//>`}`;
}

/** A word for a value of the API; later versions may have others. @param {string} kind @param {string} value */
export function word(kind, value) {
    const key = `teach.${kind}.${value}`;
    return t(hasText(key) ? key : "teach.other");
}

export function StudentLink({ id, name }) {
    return html`<a href=${to("students", id)}><bdi>${name}</bdi></a>`;
}

/** The titles of topics by slug. */
const titles = signal(/** @type {Record<string, string>} */ ({}));
/** @type {Promise<CourseModule[]> | undefined} */
let modules;

/** The course, loaded once. */
export function course() {
    modules ??= get("/modules").then(
        (loaded) => {
            titles.value = Object.fromEntries(loaded.flatMap(({ topics }) => topics).map(({ slug, title }) => [slug, title]));
            return loaded;
        },
        (error) => {
            modules = undefined;
            throw error;
        },
    );
    return modules;
}

export function TopicLink({ slug }) {
    useEffect(() => {
        course().catch(() => undefined);
    }, []);
    return html`<a href=${to("course", slug)}>${titles.value[slug] || t("teach.topic")}</a>`;
}

/** The key of a request that creates `content`: the same until something else is to be created. @param {unknown} content */
export function useKey(content) {
    const kept = useRef({ text: "", key: "" });
    const text = JSON.stringify(content);
    if (kept.current.text !== text) kept.current = { text, key: newKey() };
    return kept.current.key;
}
