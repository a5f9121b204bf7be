// What several of a teacher's views need.
import { useEffect, useRef } from "../../vendor/vendor.js";
import { html } from "../html.js";
import { to } from "../router.js";
import { listen, online } from "../socket.js";
import { named } from "../texts.js";

/** How often is looked for others where many students of a class struggle alike: of them a teacher is told only once. */
const CROWD_MS = 30_000;

/**
 * Calls `changed` with the ids of the alerts that have changed, at most once in `ms`; without ids if that may be any, as
 * after the socket was closed for a while.
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
        /** @type {ReturnType<typeof setInterval> | undefined} */
        let looking;
        let isAny = false;
        const tell = () => {
            timer = undefined;
            const all = isAny ? [] : [...ids];
            isAny = false;
            ids.clear();
            latest.current(all);
        };
        const end = listen((frame) => {
            if (frame.type !== "alert" || !frame.notification) return;
            const { alert_id } = frame.notification;
            if (alert_id) ids.add(alert_id);
            else {
                isAny = true;
                looking ??= setInterval(() => latest.current([]), CROWD_MS);
            }
            timer ??= setTimeout(tell, ms);
        });
        return () => {
            end();
            clearTimeout(timer);
            clearInterval(looking);
        };
    }, []);
    useEffect(() => {
        if (online.value && !wasOnline.current) latest.current([]);
        wasOnline.current = online.value;
    }, [online.value]);
}

/** A word for a value of the API. @param {string} kind @param {string} value */
export const word = (kind, value) => named(`teach.${kind}.${value}`, "teach.other");

export function StudentLink({ id, name }) {
    return html`<a href=${to("students", id)}><bdi>${name}</bdi></a>`;
}
