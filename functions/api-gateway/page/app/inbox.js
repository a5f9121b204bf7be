// Notifications: a counter in the menu, and the list.
import { effect, signal, useEffect } from "../vendor/vendor.js";
import { get, post } from "./api.js";
import { html } from "./html.js";
import { Act, Before, Prose, Time, Title, usePages } from "./parts.js";
import { to } from "./router.js";
import { user } from "./session.js";
import { listen, online } from "./socket.js";
import { t } from "./texts.js";

/** @typedef {import("@api").components["schemas"]["NotificationPage"]} Page */

/** The latest notifications. */
const latest = signal(/** @type {Page | null} */ (null));

async function load() {
    const owner = user.value?.id;
    const page = await get("/notifications").catch(() => null);
    // The list says why it could not be loaded; the counter can wait.
    if (page && owner === user.value?.id) latest.value = page;
}

listen((frame) => {
    if (frame.type === "alert") load();
});

effect(() => {
    if (!user.value) latest.value = null;
});

export function InboxButton() {
    // Also after the socket was away, since what came meanwhile may be older than it gives again.
    useEffect(() => {
        load();
    }, [user.value?.id, online.value]);
    const items = latest.value?.items || [];
    const unread = items.filter((item) => !item.read_at).length;
    const count = unread === items.length && latest.value?.next_cursor ? `${unread}+` : unread;
    return html`<a href=${to("notifications")} aria-label=${t("inbox.open", { count })}>
        <span aria-hidden="true">${t("inbox.short")}${unread > 0 && html` <strong class="tag warn">${count}</strong>`}</span>
    </a>`;
}

export function InboxView() {
    const { more, ...list } = usePages("/notifications");
    useEffect(() => {
        // What has just come is on top of the list.
        const [newest] = latest.value?.items || [];
        if (newest && list.items && newest.notification.id !== list.items[0]?.notification.id) list.again();
    }, [latest.value]);
    const read = async () => {
        await post("/notifications/read");
        await Promise.all([load(), list.again()]);
    };
    const hasUnread = list.items?.some((item) => !item.read_at);
    return html`<${Title}>${t("inbox.title")}<//>
        <${Before} of=${list} empty=${t("inbox.empty")} />
        ${hasUnread && html`<p><${Act} act=${read}>${t("inbox.read")}<//></p>`}
        <ul class="plain-list news">${list.items?.map((item) => html`<${Item} key=${item.notification.id} item=${item} />`)}</ul>
        ${more}`;
}

/** @param {{ item: Page["items"][number] }} props */
function Item({ item: { notification: { title, text, student_id: student }, read_at, student_name: name, updated_at } }) {
    const [first, ...rest] = text.split("\n");
    const who = name && (user.value?.role === "student" ? html`<bdi>${name}</bdi>` : html`<a href=${to("students", student || "")}><bdi>${name}</bdi></a>`);
    return html`<li class="card">
        <div class="row">
            <h2>${title}</h2> ${who} <span class="quiet"><${Time} at=${updated_at} /></span>
            ${!read_at && html`<span class="tag warn">${t("inbox.new")}</span>`}
        </div>
        <p dir="auto">${first}</p>
        ${rest.length > 0 && html`<details><summary>${t("inbox.details")}</summary><${Prose} text=${rest.join("\n")} /></details>`}
    </li>`;
}
