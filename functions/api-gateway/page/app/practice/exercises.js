// The list of exercises: what was assigned, what the course has, and a way to get one more.
import { useEffect, useRef, useState } from "../../vendor/vendor.js";
import { post } from "../api.js";
import { html } from "../html.js";
import { Choice } from "../forms.js";
import { Before, Fault, Prose, Score, Start, Time, Title, useKeyed, usePages, useWork } from "../parts.js";
import { go, query, to } from "../router.js";
import { t } from "../texts.js";
import { useTopics } from "../topics.js";
import { answered } from "../tutor.js";

export { ExerciseView } from "./exercise.js";

/** @typedef {import("@api").components["schemas"]["ListedExercise"]} Exercise */
/** @typedef {import("@api").components["schemas"]["OwnAssignment"]} Assignment */

/** @type {[string, string][]} */
const DIFFICULTIES = ["easy", "medium", "hard"].map((difficulty) => [difficulty, t(`difficulty.${difficulty}`)]);

/** Changes the filter, which is in the address, so that going back finds it again. */
function filterBy(name, value) {
    const filter = new URLSearchParams(query.value);
    if (value) filter.set(name, value);
    else filter.delete(name);
    location.replace(`${to("exercises")}?${filter}`);
}

export function ExercisesView() {
    const topics = useTopics();
    const topic = query.value.get("topic") || "";
    const difficulty = query.value.get("difficulty") || "";
    const set = (event) => filterBy(event.currentTarget.name, event.currentTarget.value);
    return html`<${Title}>${t("practice.title")}<//>
        <${Assignments} />
        <h2>${t("practice.all")}</h2>
        <div class="filters">
            <${Choice} name="topic" label=${t("practice.topic")} chosen=${topic} options=${[["", t("practice.topic.all")], ...topics.options]} onChange=${set} />
            <${Choice} name="difficulty" label=${t("practice.difficulty")} chosen=${difficulty} options=${[["", t("practice.difficulty.all")], ...DIFFICULTIES]} onChange=${set} />
        </div>
        <${Fault} error=${topics.error} again=${topics.again} />
        <${Generate} key=${`${topic} ${difficulty}`} topic=${topic} difficulty=${difficulty || "easy"} topics=${topics} />
        <${Exercises} filter=${{ topic, difficulty }} topics=${topics} />`;
}

/** What the student's classes are to do; without any there is nothing to say. */
function Assignments() {
    const { items, error, again, more } = usePages("/assignments");
    if (!items?.length) return html`<${Fault} error=${error} again=${again} />`;
    return html`<section>
        <h2>${t("practice.assigned")}</h2>
        <${Fault} error=${error} again=${again} />
        <ul class="lines">${items.map((item) => html`<${AssignmentLine} key=${item.id} assignment=${item} />`)}</ul>
        ${more}
    </section>`;
}

/** @param {{ assignment: Assignment }} props */
function AssignmentLine({ assignment }) {
    const { title, topic, exercise_id: exercise, class_name: name, due_at: due, state, solved_at: solved } = assignment;
    const isOverdue = state === "late" && !solved;
    const tone = { solved: "good", tried: "warn", late: isOverdue ? "bad" : "warn" }[state] || "";
    return html`<li>
        <a href=${exercise ? to("exercises", exercise) : `${to("exercises")}?topic=${encodeURIComponent(topic)}`}>${title}</a>
        <bdi class="quiet">${name}</bdi>
        <span>${due ? html`${t("practice.due")} <${Time} at=${due} />` : t("practice.due.none")}</span>
        <span class=${`tag ${tone}`}>${t(isOverdue ? "practice.state.overdue" : `practice.state.${state}`)}</span>
    </li>`;
}

function Exercises({ filter, topics }) {
    const { more, ...pages } = usePages("/exercises", filter);
    return html`<${Before} of=${pages} empty=${t("practice.empty")} />
        <div>${byTopic(pages.items || []).map(({ topic, exercises }) => html`<section key=${exercises[0]?.id}>
            <h3>${topics.title(topic)}</h3>
            <ul class="lines">${exercises.map((exercise) => html`<${ExerciseLine} key=${exercise.id} exercise=${exercise} />`)}</ul>
        </section>`)}</div>
        ${more}`;
}

/** @param {Exercise[]} exercises in the order of the course */
function byTopic(exercises) {
    /** @type {{ topic: string, exercises: Exercise[] }[]} */
    const groups = [];
    for (const exercise of exercises) {
        if (groups.at(-1)?.topic !== exercise.topic) groups.push({ topic: exercise.topic, exercises: [] });
        groups.at(-1)?.exercises.push(exercise);
    }
    return groups;
}

/** @param {{ exercise: Exercise }} props */
function ExerciseLine({ exercise: { id, title, difficulty, attempts, best } }) {
    return html`<li>
        <a href=${to("exercises", id)}>${title}</a>
        <span class="tag">${t(`difficulty.${difficulty}`)}</span>
        <${Score} score=${best} label=${t("practice.best")} />
        <span class="quiet">${attempts > 0 && t("practice.attempts", { count: attempts })}</span>
    </li>`;
}

/** Asks for an exercise that the student has not had yet. */
function Generate({ topic, difficulty, topics }) {
    const [words, setWords] = useState("");
    const keyed = useKeyed();
    const isShown = useRef(true);
    useEffect(() => () => {
        isShown.current = false;
    }, []);
    const work = useWork(async () => {
        setWords("");
        const body = { topic, difficulty };
        const answer = await keyed("", async (key) => (await answered(await post("/exercises/generate", body, { key, prefer: "wait=5" }))).answer);
        if (answer.details?.kind !== "exercise") setWords(answer.content);
        else if (isShown.current) go(to("exercises", answer.details.id));
    });
    if (!topic) return html`<p class="quiet">${t("practice.new.lead")}</p>`;
    return html`<p><${Start} work=${work} class="primary">${t("practice.new", { topic: topics.title(topic), difficulty: t(`difficulty.${difficulty}`) })}<//></p>
        <div role="status">${work.busy && html`<p class="quiet">${t("practice.new.busy")}</p>`}${words && html`<${Prose} text=${words} />`}</div>
        <${Fault} error=${work.error} again=${work.again} />`;
}
