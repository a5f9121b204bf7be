// A student's progress: what is mastered, the streak, what is next and why.
import { get } from "./api.js";
import { html } from "./html.js";
import { Empty, Loading, Score, Title, useLoaded } from "./parts.js";
import { to } from "./router.js";
import { user } from "./session.js";
import { t } from "./texts.js";

/** @typedef {import("@api").components["schemas"]["ProgressReport"]} Report */
/** @typedef {import("@api").components["schemas"]["ProgressHistory"]} History */

/** Days that are drawn. */
const DAYS = 30;

/** @param {{ history: History }} props */
function Days({ history }) {
    const days = history.days;
    const most = Math.max(1, ...days.map((day) => day.graded));
    const words = (day) => t("progress.history.day", { date: new Date(`${day.date}T12:00`).toLocaleDateString(), graded: day.graded, score: day.score ?? t("none") });
    return html`<h2>${t("progress.history", { days: DAYS })}</h2>
        <div class="history" aria-hidden="true">${days.map((day) => html`<span title=${words(day)} class=${day.graded ? "" : "nothing"} style=${{ height: `${(day.graded / most) * 100}%` }}></span>`)}</div>
        <ul class="hidden">${days.filter((day) => day.graded > 0).map((day) => html`<li>${words(day)}</li>`)}</ul>`;
}

/** @param {{ module: Report["modules"][number] }} props */
function Module({ module }) {
    return html`<div class="wide" tabindex="0" role="region" aria-label=${module.title}><table>
        <caption class="hidden">${module.title}</caption>
        <thead><tr><th scope="col">${t("progress.topic")}</th><th scope="col">${t("progress.mastery")}</th><th scope="col" class="number">${t("progress.evidence")}</th><th scope="col">${t("progress.review")}</th></tr></thead>
        <tbody>${module.topics.map((topic) => html`<tr>
            <th scope="row"><a href=${to("course", topic.slug)}>${topic.title}</a></th>
            <td><${Score} score=${topic.score} level=${topic.level} label=${topic.title} /></td>
            <td class="number">${topic.evidence}</td>
            <td>${topic.review_on ? new Date(`${topic.review_on}T12:00`).toLocaleDateString() : t("none")}</td>
        </tr>`)}</tbody>
    </table></div>`;
}

export function ProgressView() {
    const id = user.value?.id;
    const { data, error, again } = useLoaded(/** @returns {Promise<[Report, History]>} */ () => Promise.all([get(`/progress/${id}`), get(`/progress/${id}/history?days=${DAYS}`)]), id);
    if (!data) return html`<${Title}>${t("progress.title")}<//><${Loading} error=${error} again=${again} />`;
    const [report, history] = data;
    return html`<${Title}>${t("progress.title")}<//>
        <div class="cards">
            <div class="card"><h2>${t("progress.overall")}</h2><${Score} score=${report.overall.score} level=${report.overall.level} label=${t("progress.overall")} /></div>
            <div class="card"><h2>${t("progress.streak", { count: report.streak.current })}</h2><p class="quiet">${t("progress.longest", { count: report.streak.longest })}</p></div>
        </div>
        <h2>${t("progress.next")}</h2>
        <ul class="cards">${report.next.map((step) => html`<li class="card">
            <p>${step.reason}</p>
            <p><a class="button" href=${step.exercise ? to("exercises", step.exercise.id) : to("course", step.topic)}>${step.exercise?.title || t("progress.next.open")}</a></p>
        </li>`)}</ul>
        <${Days} history=${history} />
        <h2>${t("progress.map")}</h2>
        ${report.overall.score == null && html`<${Empty}>${t("progress.empty")}<//>`}
        ${report.modules.map((module) => html`<h3>${module.title} <${Score} score=${module.score} level=${module.level} label=${module.title} /></h3><${Module} module=${module} />`)}`;
}
