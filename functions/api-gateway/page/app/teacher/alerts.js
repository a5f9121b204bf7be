// Alerts about the students of one's classes, as they come.
import { useState } from "../../vendor/vendor.js";
import { get, post } from "../api.js";
import { html } from "../html.js";
import { Act, Empty, Fault, Loading, Time, Title, usePages } from "../parts.js";
import { query, to } from "../router.js";
import { t } from "../texts.js";
import { TopicLink } from "../topics.js";
import { StudentLink, useAlertFrames, word } from "./shared.js";

/** @typedef {import("@api").components["schemas"]["ClassAlert"]} ClassAlert */

const STATES = ["open", "acknowledged", "resolved", "all"];
/** So that one request of the server's own, such as several rules at once, is one change here. */
const SOON_MS = 200;

export function AlertsView() {
    const wanted = query.value.get("status") || "";
    const status = STATES.includes(wanted) ? wanted : "open";
    const tab = (name) => html`<li>
        <a href=${`${to("alerts")}?status=${name}`} aria-current=${name === status ? "page" : undefined}>${t(`teach.alerts.${name}`)}</a>
    </li>`;
    return html`<${Title}>${t("nav.alerts")}<//>
        <nav aria-label=${t("teach.alerts.filter")}><ul class="tabs">${STATES.map(tab)}</ul></nav>
        <${AlertList} key=${status} status=${status} />`;
}

/** @param {{ status: string, student?: string }} props `student` is the id of the only one whose alerts are shown */
export function AlertList({ status, student = "" }) {
    const { items, error, again, more } = usePages("/alerts", { status: status === "all" ? "" : status, student_id: student });
    // What came or was changed since the list was loaded. It stays where it is, so that nothing jumps away.
    const [changed, setChanged] = useState(/** @type {Record<string, ClassAlert>} */ ({}));
    const [note, setNote] = useState("");
    const isShown = (id) => id in changed || items?.some((alert) => alert.id === id);
    const put = (alert) => setChanged((old) => ({ ...old, [alert.id]: alert }));
    const reload = async () => {
        await again();
        setChanged({});
    };
    const update = (alert) => {
        if (student && alert.student_id !== student) return;
        if (!isShown(alert.id) && status !== "all" && status !== alert.status) return;
        setNote(t(isShown(alert.id) ? "teach.alerts.changed" : "teach.alerts.new", { name: alert.student_name }));
        put(alert);
    };
    useAlertFrames((ids) => {
        if (ids.length === 0) return reload();
        return Promise.all(ids.map((id) => get(`/alerts/${id}`).then(update, () => undefined)));
    }, SOON_MS);

    if (!items) return html`<${Loading} error=${error} again=${again} />`;
    const added = Object.values(changed).filter(({ id }) => !items.some((alert) => alert.id === id));
    added.sort((one, other) => other.opened_at.localeCompare(one.opened_at));
    const shown = [...added, ...items.map((alert) => changed[alert.id] || alert)];
    const empty = student ? "teach.alerts.never" : status === "open" ? "teach.alerts.calm" : "teach.alerts.empty";
    return html`<p class="quiet" role="status">${note}</p>
        <${Fault} error=${error} again=${reload} />
        ${shown.length === 0 && html`<${Empty}>${t(empty)}<//>`}
        <ul class="plain-list">
            ${shown.map((alert) => html`<li class="card" key=${alert.id}>
                ${!student && html`<h2><${StudentLink} id=${alert.student_id} name=${alert.student_name} /></h2>`}
                <${AlertBody} alert=${alert} changed=${put} />
            </li>`)}
        </ul>
        ${more}`;
}

export function SeverityTag({ severity }) {
    const tone = { high: "bad", medium: "warn" }[severity] || "";
    return html`<span class=${`tag ${tone}`}>${word("severity", severity)}</span>`;
}

/**
 * What an alert says, and what to do with it.
 * @param {{ alert: ClassAlert, changed: (alert: ClassAlert) => void }} props
 */
export function AlertBody({ alert, changed }) {
    const { severity, status } = alert;
    const act = (verb) => async () => changed(await post(`/alerts/${alert.id}/${verb}`));
    return html`<div class="alert">
        <p class="row">
            <strong>${word("trigger", alert.trigger)}</strong>
            <${SeverityTag} severity=${severity} />
            <span class=${`tag ${status === "resolved" ? "good" : ""}`}>${word("status", status)}</span>
            <span class="quiet">${t("teach.alert.since")} <${Time} at=${alert.opened_at} /></span>
        </p>
        <p dir="auto">${alert.summary}</p>
        ${alert.evidence.length > 0 && html`<details>
            <summary>${t("teach.alert.evidence", { count: alert.evidence.length })}</summary>
            <ul>${alert.evidence.map(({ text, at }) => html`<li><bdi>${text}</bdi> <span class="quiet"><${Time} at=${at} /></span></li>`)}</ul>
        </details>`}
        ${alert.resolution && html`<p>${t("teach.alert.recovered")} <bdi>${alert.resolution}</bdi></p>`}
        <div class="row">
            ${status === "open" && html`<${Act} act=${act("acknowledge")}>${t("teach.alert.acknowledge")}<//>`}
            ${status !== "resolved" && html`<${Act} act=${act("resolve")}>${t("teach.alert.resolve")}<//>`}
            ${alert.topic && html`<${TopicLink} slug=${alert.topic} />`}
            ${alert.exercise_id && html`<a href=${to("exercises", alert.exercise_id)}>${t("teach.exercise.open")}</a>`}
        </div>
    </div>`;
}
