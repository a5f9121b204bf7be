// What a student of one's classes can do and has done.
import { useState } from "../../vendor/vendor.js";
import { AnswerDetails } from "../answers.js";
import { get } from "../api.js";
import { html } from "../html.js";
import { Before, Empty, Loading, Prose, Score, Time, Title, useLoaded, usePages } from "../parts.js";
import { Grade } from "../practice/outcomes.js";
import { Mastery } from "../practice/progress.js";
import { to } from "../router.js";
import { Output, verdict } from "../runs.js";
import { t } from "../texts.js";
import { AlertBody, AlertList } from "./alerts.js";
import { Playback } from "./playback.js";
import { word } from "./shared.js";

/** @typedef {import("@api").components["schemas"]["TimelinePage"]} TimelinePage */

export function StudentView({ id }) {
    const { data, error, again } = useLoaded(/** @returns {Promise<TimelinePage>} */ () => get(`/students/${id}/timeline`), id);
    if (!data) return html`${error && html`<${Title}>${t("role.student")}<//>`}<${Loading} error=${error} again=${again} />`;
    return html`<p><a href=${to("classes")}>${t("teach.classes.all")}</a></p>
        <${Title}><bdi>${data.student_name}</bdi><//>
        <h2>${t("nav.alerts")}</h2>
        <${AlertList} key=${id} status="all" student=${id} />
        <h2>${t("nav.progress")}</h2>
        <${Progress} id=${id} />
        <${Playback} items=${data.items} />
        <h2>${t("teach.timeline")}</h2>
        <${Timeline} id=${id} />`;
}

function Progress({ id }) {
    const { data, error, again } = useLoaded(() => get(`/progress/${id}`), id);
    if (!data) return html`<${Loading} error=${error} again=${again} />`;
    const begun = data.modules.flatMap(({ topics }) => topics).filter(({ score }) => score !== null);
    if (begun.length === 0) return html`<${Empty}>${t("teach.progress.none")}<//>`;
    return html`<p class="row">
            <span>${t("progress.overall")}</span>
            <${Score} score=${data.overall.score} level=${data.overall.level} label=${t("progress.overall")} />
            <span>${t("progress.streak", { count: data.streak.current })}</span>
        </p>
        <${Mastery} caption=${t("nav.progress")} topics=${begun} />`;
}

function Timeline({ id }) {
    const { more, ...list } = usePages(`/students/${id}/timeline`);
    return html`<${Before} of=${list} empty=${t("teach.timeline.none")} />
        <ol class="plain-list happenings">${list.items?.map((entry) => html`<${Entry} key=${entry.id} entry=${entry} />`)}</ol>
        ${more}`;
}

/** Of each kind: where the whole is, its short form, and how the whole is shown. */
const KINDS = {
    question: { path: "queries", short: ({ question }) => html`<bdi>${question}</bdi>`, view: Question },
    run: { path: "executions", short: runInShort, view: Run },
    submission: { path: "submissions", short: submissionInShort, view: Submission },
    alert: { path: "alerts", short: ({ trigger, status }) => `${word("trigger", trigger)} – ${word("status", status)}`, view: AlertBody },
};

function Entry({ entry }) {
    const [isOpen, setOpen] = useState(false);
    const kind = KINDS[entry.kind];
    return kind && html`<li>
        <details onToggle=${(event) => setOpen(event.currentTarget.open)}>
            <summary>
                <span class="quiet"><${Time} at=${entry.at} /></span>
                <span class=${`tag ${entry.kind === "alert" ? "warn" : ""}`}>${word("kind", entry.kind)}</span>
                <span>${kind.short(entry)}</span>
            </summary>
            ${isOpen && html`<${Whole} address=${`/${kind.path}/${entry.id}`} view=${kind.view} />`}
        </details>
    </li>`;
}

function Whole({ address, view }) {
    const { data, error, again } = useLoaded(() => get(address), address);
    if (!data) return html`<${Loading} error=${error} again=${again} />`;
    return html`<div class="whole"><${view} found=${data} alert=${data} changed=${again} /></div>`;
}

function runInShort({ verdict: ended, error_type }) {
    return html`${ended ? verdict(ended) : t("teach.run.pending")}${error_type && html`: <code>${error_type}</code>`}`;
}

function submissionInShort({ title, score, passed }) {
    const said = score === null ? "pending" : passed ? "passed" : "failed";
    return html`<bdi>${title}</bdi> – ${t(`teach.submission.${said}`, { score })}`;
}

function Question({ found: { agent, answer } }) {
    if (!answer) return html`<p>${t("teach.question.pending")}</p>`;
    return html`<p class="quiet">${t(`agent.${agent}`)}</p><${Prose} text=${answer.content} /><${AnswerDetails} answer=${answer} />`;
}

function Run({ found }) {
    return found.verdict ? html`<${Output} result=${found} />` : html`<p>${t("teach.run.pending")}</p>`;
}

function Submission({ found: { feedback, exercise_id } }) {
    return html`${feedback ? html`<${Grade} feedback=${feedback} />` : html`<p>${t("teach.submission.pending")}</p>`}
        <p><a href=${to("exercises", exercise_id)}>${t("teach.exercise.open")}</a></p>`;
}
