// A student's progress: what is mastered, the streak, what is next and why.
import { get } from "../api.js";
import { Table } from "../forms.js";
import { html } from "../html.js";
import { Day, Empty, Loading, Score, Title, useLoaded } from "../parts.js";
import { to } from "../router.js";
import { user } from "../session.js";
import { t } from "../texts.js";

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
        <p class="row quiet" aria-hidden="true"><${Day} date=${days[0]?.date} /> <${Day} date=${days.at(-1)?.date} /></p>
        <ul class="hidden">${days.filter((day) => day.graded > 0).map((day) => html`<li>${words(day)}</li>`)}</ul>`;
}

/** @param {{ caption: string, topics: import("@api").components["schemas"]["TopicReport"][] }} props */
export function Mastery({ caption, topics }) {
    const columns = [t("progress.topic"), t("progress.mastery"), [t("progress.evidence"), "number"], t("progress.review")];
    return html`<${Table} caption=${caption} columns=${columns}>
        <tbody>${topics.map(({ slug, title, score, level, evidence, review_on: review }) => html`<tr key=${slug}>
            <th scope="row"><a href=${to("course", slug)}>${title}</a></th>
            <td><${Score} score=${score} level=${level} label=${title} /></td>
            <td class="number">${evidence}</td>
            <td><${Day} date=${review} />${isDue(review) && html` <span class="tag warn">${t("progress.due")}</span>`}</td>
        </tr>`)}</tbody>
    <//>`;
}

/** @param {string | null | undefined} review */
const isDue = (review) => Boolean(review) && Date.parse(`${review}T00:00`) <= Date.now();

/** A module's topics; those of a module that is not begun can be unfolded. @param {{ module: Report["modules"][number] }} props */
function Module({ module: { title, score, level, topics } }) {
    const isBegun = score !== null && score !== undefined;
    return html`<details open=${isBegun}>
        <summary><h3>${title}</h3> <${Score} score=${score} level=${level} label=${title} /></summary>
        <${Mastery} caption=${title} topics=${topics} />
    </details>`;
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
        ${report.modules.map((module) => html`<${Module} key=${module.slug} module=${module} />`)}`;
}
