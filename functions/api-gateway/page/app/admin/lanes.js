// What waits where: how far each function is with each partition that it reads.
import { useState } from "../../vendor/vendor.js";
import { get } from "../api.js";
import { html } from "../html.js";
import { Act, Empty, Fault, Loading, Time, useLoaded } from "../parts.js";
import { go, query, to } from "../router.js";
import { t } from "../texts.js";
import { Table } from "../forms.js";

/** @typedef {import("@api").components["schemas"]["ListedLane"]} Lane */

export function Lanes() {
    const [at, setAt] = useState(new Date());
    /** @returns {Promise<Lane[]>} */
    const load = async () => {
        const { items } = await get("/admin/lanes");
        setAt(new Date());
        return items;
    };
    const { data, error, again } = useLoaded(load, "");
    return html`<p>${t("lanes.lead")}</p>
        ${data
            ? html`<${Fault} error=${error} again=${again} /><${Listed} lanes=${data} at=${at} again=${again} />`
            : html`<${Loading} error=${error} again=${again} />`}`;
}

/** @param {{ lanes: Lane[], at: Date, again: () => Promise<void> }} props */
function Listed({ lanes, at, again }) {
    const onlyBehind = query.value.has("behind");
    const behind = lanes.filter(({ lag }) => lag > 0).sort(byWait);
    const others = lanes.filter(({ lag }) => lag <= 0);
    const [paused, moving] = [others.filter(isPaused), others.filter((lane) => !isPaused(lane))];
    const shown = [...behind, ...paused, ...(onlyBehind ? [] : moving)];
    const choose = (event) => go(`${to("operate", "lanes")}${event.currentTarget.checked ? "?behind=true" : ""}`);
    return html`<div class="row bottom">
            <${Act} act=${again}>${t("lanes.again")}<//>
            <label><input type="checkbox" checked=${onlyBehind} onChange=${choose} /> ${t("lanes.behind")}</label>
            <span role="status">${t(behind.length > 0 ? "lanes.some" : "lanes.none", { count: behind.length })}</span>
            <span class="quiet">${t("health.checked")} ${at.toLocaleTimeString()}</span>
        </div>
        ${lanes.length === 0 && html`<${Empty}>${t("lanes.empty")}<//>`}
        ${shown.length > 0 && html`<${Table} caption=${t("operate.lanes")} columns=${[
            t("trace.function"), t("dead.topic"), [t("lanes.partition"), "number"], [t("lanes.lag"), "number"],
            t("lanes.oldest"), t("lanes.consumed"), t("lanes.paused"),
        ]}><tbody>${shown.map((lane) => html`<${Row} key=${`${lane.function} ${lane.topic} ${lane.partition}`} lane=${lane} />`)}</tbody><//>`}`;
}

/** @param {{ lane: Lane }} props */
function Row({ lane }) {
    const { lag, next, end, oldest_age_ms: age, is_consumed, paused_since, stops_at } = lane;
    const oldest = lag > 0 && (age === undefined || age === null ? t("lanes.unknown") : inWords(age));
    return html`<tr>
        <th scope="row">${lane.function}</th>
        <td>${lane.topic}</td>
        <td class="number">${lane.partition}</td>
        <td class="number">${lag > 0 ? html`<strong>${lag.toLocaleString()}</strong>` : lag}
            ${end > 0 && html`<small class="quiet">${t("lanes.place", { next, end })}</small>`}</td>
        <td>${oldest || t("none")}</td>
        <td><span class=${`tag ${is_consumed ? "good" : lag > 0 ? "bad" : ""}`}>${t(is_consumed ? "lanes.read" : "lanes.unread")}</span></td>
        <td>${paused_since
            ? html`<span class="tag warn">${t("lanes.since")}</span> <${Time} at=${paused_since} />
                ${stops_at ? html`<small class="quiet">${t("lanes.until", { offset: stops_at })}</small>` : ""}`
            : t("none")}</td>
    </tr>`;
}

/** @param {Lane} lane */
const isPaused = ({ paused_since: since }) => Boolean(since);

/** The one that has waited for longest first. @param {Lane} a @param {Lane} b */
const byWait = (a, b) => (b.oldest_age_ms ?? 0) - (a.oldest_age_ms ?? 0) || b.lag - a.lag;

/** From which number of seconds on which unit says it best. @type {[number, string][]} */
const UNITS = [[86_400, "day"], [3_600, "hour"], [60, "minute"], [1, "second"]];

/** @param {number} ms */
function inWords(ms) {
    const [size, unit] = UNITS.find(([size]) => ms >= 2_000 * size) || [1, "second"];
    return Math.floor(ms / 1_000 / size).toLocaleString(undefined, { style: "unit", unit, unitDisplay: "long" });
}
