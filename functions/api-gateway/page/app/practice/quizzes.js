// The list of one's quizzes, and the start of a new one.
import { useState } from "../../vendor/vendor.js";
import { Choice } from "../forms.js";
import { html } from "../html.js";
import { Before, Fault, Field, Score, Start, Time, Title, usePages } from "../parts.js";
import { query, to } from "../router.js";
import { t } from "../texts.js";
import { useTopics } from "../topics.js";
import { useQuizStart } from "./quiz.js";

export { QuizView } from "./quiz.js";

/** @typedef {import("@api").components["schemas"]["ListedQuiz"]} Quiz */

export function QuizzesView() {
    const { more, ...pages } = usePages("/quizzes");
    const topics = useTopics();
    return html`<${Title}>${t("quiz.list")}<//>
        <${NewQuiz} key=${query.value.get("topic")} topics=${topics} open=${(pages.items || []).filter((quiz) => quiz.status === "open")} />
        <h2>${t("quiz.yours")}</h2>
        <${Before} of=${pages} empty=${t("quiz.empty")} />
        <ul class="lines">${(pages.items || []).map((quiz) => html`<${QuizLine} key=${quiz.id} quiz=${quiz} topics=${topics} />`)}</ul>
        ${more}`;
}

/** @param {{ quiz: Quiz, topics: ReturnType<typeof useTopics> }} props */
function QuizLine({ quiz: { id, topic, status, questions, score, started_at: at }, topics }) {
    return html`<li>
        <a href=${to("quizzes", id)}>${topic ? topics.title(topic) : t("quiz.mixed")}</a>
        <${Time} at=${at} />
        <span class="quiet">${t("quiz.count", { count: questions })}</span>
        ${status === "submitted" ? html`<${Score} score=${score} label=${t("quiz.score")} />` : html`<span class="tag warn">${t(`quiz.status.${status}`)}</span>`}
    </li>`;
}

/** @param {{ topics: ReturnType<typeof useTopics>, open: Quiz[] }} props `open` are those that can be gone on with */
function NewQuiz({ topics, open }) {
    const [wanted, setWanted] = useState({ topic: query.value.get("topic") || "", questions: "", minutes: "" });
    const set = (event) => setWanted({ ...wanted, [event.currentTarget.name]: event.currentTarget.value });
    const isOpen = open.some(({ topic }) => (topic || "") === wanted.topic);
    const work = useQuizStart(isOpen);
    const start = (event) => {
        event.preventDefault();
        work.start({
            topic: wanted.topic || undefined,
            // An open quiz has its questions and its limit.
            questions: (!isOpen && Number(wanted.questions)) || undefined,
            time_limit_seconds: (!isOpen && Number(wanted.minutes) * 60) || undefined,
        });
    };
    return html`<form class="card new" onSubmit=${start}>
        <h2>${t("quiz.new")}</h2>
        <div class="filters">
            <${Choice} name="topic" label=${t("practice.topic")} chosen=${wanted.topic} options=${[["", t("quiz.mixed")], ...topics.options]} onChange=${set} />
            ${!isOpen && html`<${Field} name="questions" type="number" min="1" max="20" label=${t("quiz.questions")} hint=${t("quiz.questions.hint")} value=${wanted.questions} onInput=${set} />
            <${Field} name="minutes" type="number" min="1" max="180" label=${t("quiz.minutes")} hint=${t("quiz.minutes.hint")} value=${wanted.minutes} onInput=${set} />`}
        </div>
        <p class="quiet">${isOpen ? t("quiz.open.hint") : !wanted.topic && t("quiz.mixed.hint")}</p>
        <${Start} type="submit" class="primary" work=${work}>${t(isOpen ? "quiz.continue" : "quiz.start")}<//>
        <${Fault} error=${work.error} />
        <${Fault} error=${topics.error} again=${topics.again} />
    </form>`;
}
