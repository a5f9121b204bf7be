// An exercise: its task beside the editor, and what came of running, submitting, asking for a hint or a review.
import { useEffect, useRef, useState } from "../../vendor/vendor.js";
import { Failed, get, post } from "../api.js";
import { DraftChoice, DraftState, useDraft } from "../drafts.js";
import { Editor } from "../editor.js";
import { html } from "../html.js";
import { Fault, Loading, Prose, Start, Title, useKeyed, useLoaded, useWork } from "../parts.js";
import { to } from "../router.js";
import { marksOf, Output, readsInput, run as execute, settled, verdict } from "../runs.js";
import { t } from "../texts.js";
import { TopicLink } from "../topics.js";
import { answered } from "../tutor.js";
import { Earlier, Grade, HintText, marksOfReview, Review } from "./outcomes.js";
import { Pieces } from "./pieces.js";
import { TestFacts, Waiting } from "./tests.js";

/** @typedef {import("@api").components["schemas"]["SetExercise"]} Exercise */
/** @typedef {import("@api").components["schemas"]["SubmissionResponse"]} Submission */

/** @param {{ id: string }} props */
export function ExerciseView({ id }) {
    const { data, error, again } = useLoaded(/** @returns {Promise<Exercise>} */ () => get(`/exercises/${encodeURIComponent(id)}`), id);
    if (!data) return html`<${Loading} error=${error} again=${again} />`;
    return html`<p><a href=${to("exercises")}>${t("practice.back")}</a></p>
        <${Title}>${data.title}<//>
        <p class="row"><span class="tag">${t(`difficulty.${data.difficulty}`)}</span> <${TopicLink} slug=${data.topic} /></p>
        <div class="exercise">
            <${Task} exercise=${data} />
            <${Desk} key=${data.id} exercise=${data} />
        </div>`;
}

/** @param {{ exercise: Exercise }} props */
function Task({ exercise: { task, tests, files, hidden_tests: hidden } }) {
    return html`<section>
        <h2>${t("practice.task")}</h2>
        <${Prose} text=${task} />
        ${Object.entries(files || {}).map(([name, text]) => html`<details>
            <summary>${t("practice.file", { name })}</summary>
            <pre tabindex="0" aria-label=${name}>${text}</pre>
        </details>`)}
        <h2>${t("practice.tests")}</h2>
        <ol class="tests">${tests.map((test) => html`<li><${TestFacts} test=${test} /></li>`)}</ol>
        ${hidden > 0 && html`<p class="quiet">${t("practice.hidden", { count: hidden })}</p>`}
    </section>`;
}

/**
 * What came of an action. There is one of each kind, the latest first.
 * @typedef {{ kind: string, turn: number, value: any }} Outcome
 */

/**
 * What can be done with a solution, what came of it, and in a few words that it is there.
 * @param {Exercise} exercise
 * @param {string} code
 * @param {string} input
 */
function useActions({ id, files }, code, input) {
    const [outcomes, setOutcomes] = useState(/** @type {Outcome[]} */ ([]));
    const [marks, setMarks] = useState(/** @type {import("../editor.js").Mark[]} */ ([]));
    const [said, setSaid] = useState("");
    const turn = useRef(0);
    const keyed = useKeyed();
    const useAction = (kind, act, words) => useWork(async (...given) => {
        setSaid(t("practice.working"));
        try {
            const value = await act(...given);
            const outcome = { kind, value, turn: ++turn.current };
            setOutcomes((old) => [outcome, ...old.filter((other) => other.kind !== kind)]);
            setSaid(words(value));
        } catch (error) {
            setSaid("");
            throw error;
        }
    });
    const ask = (path) => keyed(`${path} ${code}`, async (key) => (await answered(await post(path, { code, exercise_id: id }, { key, prefer: "wait=5" }))).answer);
    const actions = {
        run: useAction("output", async () => {
            const result = await execute({ code, stdin: input, files }, id);
            setMarks(marksOf(result));
            return { code, result };
        }, ({ result }) => verdict(result.verdict)),
        submit: useAction("grade", (solution = code) => keyed(solution, (key) => graded(id, solution, key)),
            ({ passed, score }) => t(passed ? "practice.said.passed" : "practice.said.failed", { score })),
        hint: useAction("hint", () => ask("/debug"), () => t("practice.said.hint")),
        review: useAction("review", async () => {
            const answer = await ask("/reviews");
            setMarks(marksOfReview(answer));
            return answer;
        }, () => t("practice.said.review")),
        pieces: useAction("pieces", () => post(`/exercises/${id}/parsons`), () => t("practice.said.pieces")),
    };
    return { actions, outcomes, marks, said };
}

/** @param {{ exercise: Exercise }} props */
function Desk({ exercise }) {
    const { id, tests } = exercise;
    const draft = useDraft(`exercise:${id}`, exercise.starter);
    const code = draft.text.value;
    /** @param {string} text @param {string} [before] */
    const change = (text, before) => draft.write(text, before);
    const [input, setInput] = useState(tests.find((test) => test.stdin)?.stdin || "");
    const [line, setLine] = useState(/** @type {number | null} */ (null));
    const { actions, outcomes, marks, said } = useActions(exercise, code, input);
    const grade = outcomes.find(({ kind }) => kind === "grade");
    const earlier = useLoaded(/** @returns {Promise<Submission[]>} */ () => get(`/exercises/${id}/submissions`), id);
    useEffect(() => {
        if (grade) earlier.again();
    }, [grade?.turn]);
    const offersPieces = (grade?.value || earlier.data?.[0]?.feedback)?.parsons;
    const all = Object.values(actions);
    /** @param {string} text @param {string} [before] */
    const type = (text, before) => {
        change(text, before);
        setLine(null);
    };
    return html`<section class="desk">
        <h2>${t("practice.solution")}</h2>
        <${Editor} value=${code} label=${t("code.editor")} marks=${marks} line=${line} onChange=${type} onRun=${() => actions.run.start()} />
        <small class="quiet">${t("code.keys")}</small> <small><${DraftState} draft=${draft} /></small>
        <${DraftChoice} draft=${draft} />
        ${(input || readsInput(code)) && html`<${Input} input=${input} set=${setInput} />`}
        <${Toolbar} actions=${actions} outcomes=${outcomes} offersPieces=${offersPieces}>
            <${StartOver} code=${code} starter=${exercise.starter} change=${change} />
        <//>
        <p class=${all.some((action) => action.busy) ? "quiet" : "hidden"} role="status">${said}</p>
        ${all.map((action) => html`<${Fault} error=${action.error} again=${action.again} />`)}
        ${actions.submit.busy && html`<div class="card outcome"><${Waiting} exercise=${exercise} /></div>`}
        ${outcomes.filter(({ kind }) => kind !== "grade" || !actions.submit.busy).map((outcome) => html`<div class="card outcome" key=${outcome.turn}>
            <${OutcomeView} outcome=${outcome} exercise=${exercise} code=${code} edit=${change} point=${setLine} submit=${actions.submit} />
        </div>`)}
        <${Earlier} loaded=${earlier} put=${type} />
    </section>`;
}

/** What the program reads. */
function Input({ input, set }) {
    return html`<p class="field">
        <label for="exercise-input">${t("code.input")}</label>
        <textarea id="exercise-input" rows="2" value=${input} aria-describedby="exercise-input-hint" onInput=${(event) => set(event.currentTarget.value)}></textarea>
        <small id="exercise-input-hint">${t("code.input.hint")}</small>
    </p>`;
}

function Toolbar({ actions: { run, submit, hint, review, pieces }, outcomes, offersPieces, children }) {
    const has = (kind) => outcomes.some((outcome) => outcome.kind === kind);
    return html`<div class="toolbar">
            <${Start} work=${run}>${t("code.run")}<//>
            <${Start} work=${submit} class="primary">${t("practice.submit")}<//>
            <${Start} work=${hint}>${t(has("hint") ? "chat.next" : "practice.hint")}<//>
            <${Start} work=${review}>${t("code.review")}<//>
            ${offersPieces && html`<${Start} work=${pieces}>${t(has("pieces") ? "practice.pieces.easier" : "practice.pieces.get")}<//>`}
            ${children}
        </div>
        ${offersPieces && !has("pieces") && html`<p class="quiet">${t("practice.pieces.offer")}</p>`}`;
}

function OutcomeView({ outcome: { kind, value }, exercise, code, edit, point, submit }) {
    if (kind === "output") return html`<${Ran} ran=${value} code=${code} call=${exercise.tests[0]?.call} />`;
    if (kind === "grade") return html`<h2>${t("practice.grade")}</h2><${Grade} feedback=${value} isFresh=${true} />`;
    if (kind === "hint") return html`<${HintText} answer=${value} />`;
    if (kind === "review") return html`<${Review} answer=${value} point=${point} />`;
    return html`<${Pieces} given=${value} submit=${submit} edit=${edit} />`;
}

/** What a run printed; of a function alone that is nothing, so it says how to see more. */
function Ran({ ran, code, call }) {
    const { result } = ran;
    return html`<h2>${t("code.output")}</h2>
        ${ran.code !== code && html`<p class="notice warn">${t("code.changed")}</p>`}
        <${Output} result=${result} />
        ${call && !result.stdout && result.verdict === "ok" && html`<${Prose} text=${t("practice.print", { call })} />`}`;
}

/** Puts the starter back; what was there can be had again. */
function StartOver({ code, starter, change }) {
    const [before, setBefore] = useState("");
    const restore = () => {
        change(before);
        setBefore("");
    };
    const begin = () => {
        setBefore(code);
        change(starter);
    };
    if (before && code === starter) return html`<button type="button" onClick=${restore}>${t("code.back")}</button>`;
    return html`<button type="button" class="plain" disabled=${code === starter} onClick=${begin}>${t("practice.restart")}</button>`;
}

/**
 * Submits a solution and waits for its grade.
 * @param {string} exercise @param {string} code @param {string} key
 * @returns {Promise<import("@api").components["schemas"]["Feedback"]>}
 */
async function graded(exercise, code, key) {
    const begun = await post(`/exercises/${exercise}/submissions`, { code }, { key, prefer: "wait=5" });
    const isIt = (frame) => frame.type === "progress" && frame.submission_id === begun.id;
    return settled(begun, `/submissions/${begun.id}`, isIt, (submission) => {
        if (submission.status === "failed") throw new Failed(t("practice.ungraded"));
        return submission.feedback || undefined;
    });
}
