// The course to read: modules, topics, and examples that run.
import { useState } from "../vendor/vendor.js";
import { get } from "./api.js";
import { html } from "./html.js";
import { Act, Fault, Loading, Prose, Title, useLoaded, useWork } from "./parts.js";
import { go, to } from "./router.js";
import { Output, run } from "./runs.js";
import { t } from "./texts.js";
import { TopicLinks, useTopics } from "./topics.js";
import { edit } from "./workspace.js";

/** @typedef {import("@api").components["schemas"]["CourseTopic"]} Topic */

const LEVELS = ["beginner", "learning", "proficient", "mastered"];

export function CourseView() {
    const { modules, error, again } = useTopics();
    return html`<${Title}>${t("course.title")}<//>
        <p class="quiet">${t("course.lead")}</p>
        ${!modules && html`<${Loading} error=${error} again=${again} />`}
        ${(modules || []).map((module) => html`<section>
            <h2>${module.title}</h2>
            <ul class="cards">${module.topics.map((topic) => html`<li class="card">
                <h3><a href=${to("course", topic.slug)}>${topic.title}</a></h3>
                <div class="quiet"><${Prose} text=${topic.summary} /></div>
            </li>`)}</ul>
        </section>`)}`;
}

function Example({ example }) {
    const [result, setResult] = useState(/** @type {import("./runs.js").Result | null} */ (null));
    return html`<section class="example">
        <h3>${example.title}</h3>
        <pre tabindex="0" aria-label=${t("code")}><code>${example.code}</code></pre>
        ${example.stdin && html`<p class="quiet">${t("course.input")}</p><pre tabindex="0" aria-label=${t("code.input")}>${example.stdin}</pre>`}
        <div class="toolbar">
            <${Act} act=${async () => setResult(await run({ code: example.code, stdin: example.stdin || "" }))}>${t("code.run")}<//>
            <button type="button" onClick=${() => {
                edit(example.code, example.stdin || "");
                go(to("code"));
            }}>${t("course.open")}</button>
        </div>
        <div aria-live="polite">${result && html`<${Output} result=${result} />`}</div>
    </section>`;
}

/** The explanation for the student's level, or for another one. @param {{ topic: Topic }} props */
function Explanation({ topic }) {
    const [shown, setShown] = useState(topic);
    const choose = useWork(async (level) => setShown(await get(`/topics/${topic.slug}?level=${level}`)));
    const button = (level) => html`<button type="button" aria-pressed=${shown.level === level} onClick=${() => choose.start(level)}>${t(`level.${level}`)}</button>`;
    return html`<div class="row small bottom" role="group" aria-labelledby="level">
            <span class="quiet" id="level">${t("course.level")}</span> ${LEVELS.map(button)}
        </div>
        <${Fault} error=${choose.error} again=${choose.again} />
        <div aria-live="polite"><${Prose} text=${shown.explanation} /></div>`;
}

/** @param {{ slug: string }} props */
export function TopicView({ slug }) {
    const { data: topic, error, again } = useLoaded(/** @returns {Promise<Topic>} */ () => get(`/topics/${encodeURIComponent(slug)}`), slug);
    if (!topic) return html`<${Loading} error=${error} again=${again} />`;
    return html`<p><a href=${to("course")}>${t("course.title")}</a></p>
        <${Title}>${topic.title}<//>
        <${Prose} text=${topic.summary} />
        ${topic.prerequisites.length > 0 && html`<p class="quiet">${t("course.needs")} <${TopicLinks} slugs=${topic.prerequisites} /></p>`}
        <${Explanation} topic=${topic} />
        <h2>${t("course.examples")}</h2>
        ${topic.examples.map((example) => html`<${Example} example=${example} />`)}
        ${topic.mistakes.length > 0 && html`<h2>${t("course.mistakes")}</h2>
            <ul>${topic.mistakes.map((mistake) => html`<li><strong>${mistake.title}.</strong> <${Prose} text=${mistake.text} /></li>`)}</ul>`}
        <h2>${t("course.practise")}</h2>
        <ul>${topic.exercises.map((exercise) => html`<li><a href=${to("exercises", exercise.id)}>${exercise.title}</a> <span class="quiet">${t(`difficulty.${exercise.difficulty}`)}</span></li>`)}</ul>
        <p><a class="button" href=${`${to("quizzes")}?topic=${encodeURIComponent(slug)}`}>${t("course.quiz")}</a></p>`;
}
