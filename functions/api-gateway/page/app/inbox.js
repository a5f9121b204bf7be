// Notifications: a counter in the menu, and the list.
import { effect, signal, useEffect } from "../vendor/vendor.js";
import { get, post } from "./api.js";
import { html } from "./html.js";
import { Act, Empty, Fault, Time, Title } from "./parts.js";
import { to } from "./router.js";
import { user } from "./session.js";
import { listen, online } from "./socket.js";
import { t } from "./texts.js";

/** @typedef {import("@api").components["schemas"]["NotificationPage"]} Page */

const items = signal(/** @type {Page["items"]} */ ([]));
const next = signal(/** @type {string | null | undefined} */ (null));
const error = signal(/** @type {unknown} */ (undefined));

/** @param {string} [cursor] */
async function load(cursor) {
    const owner = user.value?.id;
    try {
        /** @type {Page} */
        const page = await get(`/notifications${cursor ? `?cursor=${encodeURIComponent(cursor)}` : ""}`);
        if (owner !== user.value?.id) return;
        items.value = cursor ? [...items.value, ...page.items] : page.items;
        next.value = page.next_cursor;
        error.value = undefined;
    } catch (fault) {
        if (owner === user.value?.id) error.value = fault;
    }
}

listen((frame) => {
    if (frame.type === "alert") load();
});

effect(() => {
    if (user.value) return;
    items.value = [];
    next.value = null;
});

export function InboxButton() {
    // Also after the socket was away, since what came meanwhile may be older than it gives again.
    useEffect(() => {
        load();
    }, [user.value?.id, online.value]);
    const unread = items.value.filter((item) => !item.read_at).length;
    return html`<a href=${to("notifications")} aria-label=${t("inbox.open", { count: unread })}>
        <span aria-hidden="true">${t("inbox.short")}${unread > 0 && html` <strong class="tag warn">${unread}</strong>`}</span>
    </a>`;
}

export function InboxView() {
    return html`<${Title}>${t("inbox.title")}<//>
        <${Fault} error=${error.value} again=${() => load()} />
        ${items.value.length === 0 ? html`<${Empty}>${t("inbox.empty")}<//>` : html`<${Act} act=${async () => {
            await post("/notifications/read");
            await load();
        }}>${t("inbox.read")}<//>`}
        <ul class="cards">${items.value.map(({ notification, read_at, student_name, updated_at }) => html`<li class="card">
            <h2>${notification.title}${!read_at && html` <span class="tag warn">${t("inbox.new")}</span>`}</h2>
            <p class="quiet">${student_name && html`<bdi>${student_name}</bdi> · `}<${Time} at=${updated_at} /></p>
            <p dir="auto">${notification.text}</p>
        </li>`)}</ul>
        ${next.value && html`<${Act} act=${() => load(next.value || undefined)}>${t("more")}<//>`}`;
}
