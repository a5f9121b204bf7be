// How a class gets on: an overview that follows the alerts, and the scores of everybody in everything.
import { useState } from "../../vendor/vendor.js";
import { Facts, Table } from "../forms.js";
import { get } from "../api.js";
import { html } from "../html.js";
import { Empty, Fault, Loading, Score, useLoaded } from "../parts.js";
import { to } from "../router.js";
import { t } from "../texts.js";
import { AlertBody, SeverityTag } from "./alerts.js";
import { StudentLink, useAlertFrames, word } from "./shared.js";

/** A class may have many alerts at once, and an overview is much work for the server. */
const SETTLED_MS = 1000;
/** The highest score of each level, as the API says at `Level`; a heat map has scores alone. */
const LEVELS = /** @type {const} */ ([["beginner", 40], ["learning", 70], ["proficient", 90], ["mastered", 100]]);

export function Overview({ id }) {
    const { data, error, again } = useLoaded(() => get(`/classes/${id}/overview`), id);
    const [note, setNote] = useState("");
    useAlertFrames(async (ids) => {
        await again();
        const time = new Date().toLocaleTimeString(undefined, { timeStyle: "medium" });
        if (ids.length > 0) setNote(t("teach.overview.live", { time }));
    }, SETTLED_MS);
    if (!data) return html`<${Loading} error=${error} again=${again} />`;
    const { students, invited } = data.class;
    return html`<p class="quiet" role="status">${note}</p>
        <${Fault} error=${error} again=${again} />
        <${Facts} of=${[
            [t("teach.roster"), students],
            [t("teach.roster.invited"), invited || null],
            [t("progress.mastery"), html`<${Score} score=${data.mastery} label=${t("progress.mastery")} />`],
        ]} />
        ${students === 0 && html`<${Empty}>${t("teach.nobody")} <a href=${to("classes", id, "roster")}>${t("teach.tab.roster")}</a><//>`}
        <h2>${t("teach.struggling")}</h2>
        ${data.struggling.length === 0 && html`<${Empty}>${t("teach.struggling.none")}<//>`}
        <ul class="plain-list struggling">${data.struggling.map((student) => html`<${Struggling} key=${student.student_id} ...${student} again=${again} />`)}</ul>
        <div class="teach-halves">
            <section><h2>${t("teach.levels")}</h2><${Levels} levels=${data.levels} students=${students} /></section>
            <section><h2>${t("teach.topics")}</h2><${Topics} topics=${data.topics} /></section>
        </div>`;
}

const SEVERITIES = ["high", "medium", "low"];

/** A student with what is worst in short; the alerts can be unfolded. */
function Struggling({ student_id, name, alerts, again }) {
    const [worst] = alerts.toSorted((one, other) => SEVERITIES.indexOf(one.severity) - SEVERITIES.indexOf(other.severity));
    return html`<li class="card"><details>
        <summary>
            <h3><bdi>${name}</bdi></h3>
            <${SeverityTag} severity=${worst?.severity} />
            <span>${word("trigger", worst?.trigger)}</span>
            <span class="quiet">${t("teach.alerts", { count: alerts.length })}</span>
        </summary>
        <p><a href=${to("students", student_id)}>${t("teach.student.open")}</a></p>
        ${alerts.map((alert) => html`<${AlertBody} key=${alert.id} alert=${alert} changed=${again} />`)}
    </details></li>`;
}

function Levels({ levels, students }) {
    return html`<${Table} caption=${t("teach.levels")} columns=${[t("teach.level"), t("teach.roster")]}>
        <tbody>${levels.map(({ level, students: count }) => html`<tr key=${level}>
            <th scope="row">${t(`level.${level}`)}</th>
            <td><span class="score"><meter max=${Math.max(students, 1)} value=${count} aria-hidden="true"></meter>${count}</span></td>
        </tr>`)}</tbody>
    <//>`;
}

function Topics({ topics }) {
    if (topics.length === 0) return html`<${Empty}>${t("teach.topics.none")}<//>`;
    return html`<${Table} caption=${t("teach.topics")} columns=${[t("progress.topic"), t("progress.mastery"), t("teach.roster")]}>
        <tbody>${topics.map(({ topic, title, mastery, students }) => html`<tr key=${topic}>
            <th scope="row"><a href=${to("course", topic)}>${title}</a></th>
            <td><${Score} score=${mastery} level=${levelOf(mastery)} label=${title} /></td>
            <td>${students}</td>
        </tr>`)}</tbody>
    <//>`;
}

/** @param {number} score */
const levelOf = (score) => LEVELS.find(([, highest]) => score <= highest)?.[0];

export function HeatMap({ id }) {
    const { data, error, again } = useLoaded(() => get(`/classes/${id}/heatmap`), id);
    if (!data) return html`<${Loading} error=${error} again=${again} />`;
    if (data.students.length === 0) return html`<${Empty}>${t("teach.nobody")}<//>`;
    const columns = [t("role.student"), t("progress.overall"), ...data.topics.map(({ title }) => title)];
    return html`<h2>${t("teach.tab.heatmap")}</h2>
        <p>${t("teach.heatmap.lead")}</p>
        <ul class="row plain-list heat-key">${LEVELS.map(([level, highest], index) => html`<li class="heat" data-level=${level}>
            ${t("teach.heatmap.level", { level: t(`level.${level}`), from: index && (LEVELS[index - 1]?.[1] || 0) + 1, to: highest })}
        </li>`)}</ul>
        <div class="heatmap"><${Table} caption=${t("teach.tab.heatmap")} columns=${columns}>
            <tbody>${data.students.map(({ id, name, mastery, scores }) => html`<tr key=${id}>
                <th scope="row"><${StudentLink} id=${id} name=${name} /></th>
                ${[mastery, ...scores].map(heatCell)}
            </tr>`)}</tbody>
        <//></div>`;
}

/** @param {number | null} score */
function heatCell(score) {
    if (score === null) return html`<td class="quiet">${t("none")}</td>`;
    return html`<td class="heat" data-level=${levelOf(score)}>${score}</td>`;
}
