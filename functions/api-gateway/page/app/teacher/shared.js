// What several of a teacher's views need.
import { useEffect, useRef } from "../../vendor/vendor.js";
import { html } from "../html.js";
import { to } from "../router.js";
import { listen, online } from "../socket.js";
import { named } from "../texts.js";

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

/** A word for a value of the API. @param {string} kind @param {string} value */
export const word = (kind, value) => named(`teach.${kind}.${value}`, "teach.other");

export function StudentLink({ id, name }) {
    return html`<a href=${to("students", id)}><bdi>${name}</bdi></a>`;
}
