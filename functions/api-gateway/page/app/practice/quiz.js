// A quiz: taking it, with each answer saved at once, and its result.
import { signal, useEffect, useRef, useState } from "../../vendor/vendor.js";
import { call, get, post, Problem } from "../api.js";
import { Table } from "../forms.js";
import { html } from "../html.js";
import { Fault, Loading, Prose, Score, Start, Time, Title, useKeyed, useLoaded, useWork } from "../parts.js";
import { go, to } from "../router.js";
import { t } from "../texts.js";
import { useTopics } from "../topics.js";

/** @typedef {import("@api").components["schemas"]["Quiz"]} Quiz */
/** @typedef {import("@api").components["schemas"]["QuizQuestion"]} Question */
/** @typedef {import("@api").components["schemas"]["QuizResult"]} Result */

/** How often the server is asked whether the time is over once it is by this browser's clock, which may be wrong. */
const OVER_MS = 5_000;

/** @typedef {import("@api").components["schemas"]["StartedQuiz"]} Started */

/** The quiz that was started last, and whether its student knew that it was open already. */
const started = signal(/** @type {Started & { isKnown: boolean } | null} */ (null));

/** Work that starts a quiz, or goes on with an open one of its topic, and opens it. @param {boolean} [isKnown] whether one is known to be open */
export function useQuizStart(isKnown = false) {
    const keyed = useKeyed();
    return useWork(async (/** @type {import("@api").components["schemas"]["QuizRequest"]} */ wanted) => {
        /** @type {Started} */
        const quiz = await keyed(JSON.stringify(wanted), (key) => post("/quizzes", wanted, { key }));
        started.value = { ...quiz, isKnown };
        go(to("quizzes", quiz.id));
    });
}

/** @param {string} id @returns {Promise<{ quiz?: Quiz, result?: Result }>} the result if the quiz has or can only have one */
async function load(id) {
    /** @type {Quiz} */
    const quiz = await get(`/quizzes/${encodeURIComponent(id)}`);
    if (quiz.status === "open") return { quiz };
    if (quiz.status === "submitted") return { result: await get(`/quizzes/${quiz.id}/result`) };
    return { result: await post(`/quizzes/${quiz.id}/submission`) };
}

/** @param {{ id: string }} props */
export function QuizView({ id }) {
    const { data, error, again } = useLoaded(() => load(id), id);
    const topics = useTopics();
    const of = data?.quiz || data?.result;
    if (!of) return html`<${Loading} error=${error} again=${again} />`;
    const title = of.topic ? t("quiz.of", { topic: topics.title(of.topic) }) : t("quiz.mixed");
    return html`<p><a href=${to("quizzes")}>${t("quiz.back")}</a></p>
        <${Fault} error=${error} again=${again} />
        ${data?.quiz && html`<${Taking} key=${data.quiz.id} quiz=${data.quiz} title=${title} again=${again} />`}
        ${data?.result && html`<${QuizOutcome} key=${`result ${data.result.id}`} result=${data.result} title=${title} topics=${topics} />`}`;
}

/** What was chosen at a question, and whether it is saved. @typedef {{ choice: number, state: "saving" | "saved" | "failed", error?: unknown }} Chosen */

/**
 * The answers to a quiz. They are saved one after the other, so that the last one of a question is the one that counts.
 * @param {Quiz} quiz @param {() => void} ended is called if there is nothing to answer any more
 */
function useAnswers({ id, questions }, ended) {
    const known = questions.flatMap(({ number, choice }) => (choice ? [[number, { choice, state: "saved" }]] : []));
    const [answers, setAnswers] = useState(/** @type {Record<number, Chosen>} */ (Object.fromEntries(known)));
    const queue = useRef(Promise.resolve());
    /** @param {number} number @param {Chosen} chosen */
    const note = (number, chosen) => setAnswers((old) => (old[number]?.choice === chosen.choice ? { ...old, [number]: chosen } : old));
    /** @param {number} number @param {number} choice */
    const save = async (number, choice) => {
        try {
            await call("PUT", `/quizzes/${id}/answers/${number}`, { body: { choice } });
            note(number, { choice, state: "saved" });
        } catch (error) {
            note(number, { choice, state: "failed", error });
            if (error instanceof Problem && error.status === 409) ended();
        }
    };
    /** @param {number} number @param {number} choice */
    const choose = (number, choice) => {
        setAnswers((old) => ({ ...old, [number]: { choice, state: "saving" } }));
        queue.current = queue.current.then(() => save(number, choice));
    };
    return { answers, choose, saved: () => queue.current };
}

/** Says that a quiz was open already, and what was wished of it and not used. */
function StartNote({ id }) {
    const quiz = started.value;
    if (!quiz || quiz.id !== id) return null;
    const wasOpen = quiz.origin === "open";
    const count = quiz.questions.length;
    const notes = [
        wasOpen && !quiz.isKnown && t("quiz.wasopen"),
        quiz.ignored.includes("questions") && t(wasOpen ? "quiz.ignored.questions" : "quiz.fewer", { count }),
        quiz.ignored.includes("time_limit_seconds") && t(quiz.ends_at ? "quiz.ignored.limit" : "quiz.ignored.nolimit"),
        wasOpen && quiz.ignored.length > 0 && t("quiz.ignored.instead"),
    ].filter(Boolean);
    return notes.length > 0 && html`<p class="notice warn" role="status">${notes.join(" ")}</p>`;
}

/** @param {{ quiz: Quiz, title: string, again: () => Promise<void> }} props */
function Taking({ quiz, title, again }) {
    const { answers, choose, saved } = useAnswers(quiz, again);
    const latest = useRef(answers);
    latest.current = answers;
    const [isWarned, setWarned] = useState(false);
    const form = useRef(/** @type {HTMLElement | null} */ (null));
    const open = quiz.questions.filter(({ number }) => !answers[number]);
    const submit = useWork(async () => {
        if (open.length > 0 && !isWarned) {
            setWarned(true);
            return;
        }
        await saved();
        const failed = Object.values(latest.current).find(({ state }) => state === "failed");
        if (failed) throw new Error(t("quiz.unsaved"));
        await post(`/quizzes/${quiz.id}/submission`);
        await again();
    });
    const answer = (number, choice) => {
        setWarned(false);
        choose(number, choice);
    };
    const show = (number) => /** @type {HTMLElement | null | undefined} */ (form.current?.querySelector(`[name="question-${number}"]`))?.focus();
    return html`<${Title}>${title}<//>
        <${StartNote} id=${quiz.id} />
        <p class="quiet">${t("quiz.lead")}</p>
        <div ref=${form}>${quiz.questions.map((question) => html`<${Ask} key=${question.number} question=${question} chosen=${answers[question.number]} answer=${answer} />`)}</div>
        ${quiz.ends_at && html`<${Countdown} ends=${quiz.ends_at} over=${again} />`}
        <p>${t("quiz.answered", { done: quiz.questions.length - open.length, of: quiz.questions.length })}</p>
        ${isWarned && open.length > 0 && html`<div class="notice warn" role="alert">
            <p>${t("quiz.open", { count: open.length })}</p>
            <p class="row">${open.map(({ number }) => html`<button type="button" onClick=${() => show(number)}>${t("quiz.goto", { number })}</button>`)}</p>
        </div>`}
        <${Start} work=${submit} class="primary">${t(isWarned && open.length > 0 ? "quiz.submit.anyway" : "quiz.submit")}<//>
        <${Fault} error=${submit.error} again=${submit.again} />`;
}

/** @param {{ question: Question, chosen: Chosen | undefined, answer: (number: number, choice: number) => void }} props */
function Ask({ question, chosen, answer }) {
    const { number, options, code } = question;
    return html`<fieldset class="card question" aria-labelledby=${`number-${number} ask-${number}`}>
        <legend id=${`number-${number}`}>${t("quiz.number", { number })}</legend>
        <div id=${`ask-${number}`}><${Asked} question=${question} /></div>
        ${options.map((option, at) => html`<label class="option">
            <input type="radio" name=${`question-${number}`} checked=${chosen?.choice === at + 1} onChange=${() => answer(number, at + 1)} />
            <${Option} text=${option} isCode=${Boolean(code)} />
        </label>`)}
        <p class="quiet" role="status">${chosen && chosen.state !== "failed" && t(`quiz.${chosen.state}`)}</p>
        ${chosen?.state === "failed" && html`<${Fault} error=${chosen.error} again=${() => answer(number, chosen.choice)} />`}
    </fieldset>`;
}

/** @param {{ question: Question }} props */
function Asked({ question: { ask, code, stdin } }) {
    return html`<${Prose} text=${ask} />
        ${code && html`<pre tabindex="0" aria-label=${t("code")}><code>${code}</code></pre>`}
        ${stdin && html`<p class="quiet">${t("course.input")}</p><pre tabindex="0" aria-label=${t("code.input")}>${stdin}</pre>`}`;
}

/** An option as it is written: where a program is asked about, it is what that prints. */
function Option({ text, isCode }) {
    return isCode ? html`<code dir="ltr">${text}</code>` : html`<span dir="auto">${text}</span>`;
}

/** The time that is left. Only its last minutes are announced. @param {{ ends: string, over: () => void }} props */
function Countdown({ ends, over }) {
    const left = () => Math.max(0, Math.ceil((Date.parse(ends) - Date.now()) / 1000));
    const [seconds, setSeconds] = useState(left);
    const asked = useRef(0);
    useEffect(() => {
        const timer = setInterval(() => {
            setSeconds(left());
            if (left() > 0 || Date.now() - asked.current < OVER_MS) return;
            asked.current = Date.now();
            over();
        }, 1000);
        return () => clearInterval(timer);
    }, [ends]);
    const minutes = seconds > 300 ? 0 : seconds > 60 ? 5 : 1;
    const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
    return html`<p class="countdown"><span role="timer">${t("quiz.left", { clock })}</span></p>
        <p class="hidden" role="status">${minutes > 0 && t("quiz.lessthan", { count: minutes })}</p>`;
}

/** @param {{ result: Result, title: string, topics: ReturnType<typeof useTopics> }} props */
function QuizOutcome({ result, title, topics }) {
    const retake = useQuizStart();
    return html`<${Title}>${t("quiz.result", { title })}<//>
        <p class="row"><${Score} score=${result.score} label=${t("quiz.score")} /> <span class="quiet">${t("quiz.submitted")} <${Time} at=${result.submitted_at} /></span></p>
        ${result.late && html`<p class="notice warn">${t("quiz.late")}</p>`}
        <${Table} caption=${t("quiz.topics")} columns=${[t("practice.topic"), t("quiz.right"), t("quiz.practise")]}>
            <tbody>${result.topics.map(({ topic, right, of }) => html`<tr>
                <th scope="row"><a href=${to("course", topic)}>${topics.title(topic)}</a></th>
                <td>${t("quiz.rightof", { right, of })}</td>
                <td><a href=${`${to("exercises")}?topic=${encodeURIComponent(topic)}`}>${t("quiz.exercises", { topic: topics.title(topic) })}</a></td>
            </tr>`)}</tbody>
        <//>
        <div class="toolbar">
            <${Start} work=${retake} input=${[{ topic: result.topic || undefined }]} class="primary">${t("quiz.retake")}<//>
        </div>
        <${Fault} error=${retake.error} again=${retake.again} />
        <h2>${t("quiz.explained")}</h2>
        ${result.questions.map((question) => html`<${Explained} question=${question} />`)}`;
}

/** @param {{ question: import("@api").components["schemas"]["QuestionResult"] }} props */
function Explained({ question }) {
    const { number, options, code, choice, answer, is_right: isRight, why, misconception } = question;
    const word = isRight ? "quiz.verdict.right" : choice ? "quiz.verdict.wrong" : "quiz.verdict.none";
    return html`<article class="card question">
        <h3>${t("quiz.number", { number })}</h3>
        <p><span class=${`tag ${isRight ? "good" : "bad"}`}><span aria-hidden="true">${isRight ? "✓" : "✗"}</span> ${t(word)}</span></p>
        <${Asked} question=${question} />
        <ul class="options">${options.map((option, at) => html`<li>
            <${Option} text=${option} isCode=${Boolean(code)} />
            ${at + 1 === answer && html` <span class="tag good">${t("quiz.answer")}</span>`}
            ${at + 1 === choice && html` <span class="tag">${t("quiz.choice")}</span>`}
        </li>`)}</ul>
        <p><strong>${t("quiz.why")}</strong></p><${Prose} text=${why} />
        ${misconception && html`<div class="notice warn"><p><strong>${t("quiz.misconception")}</strong></p><${Prose} text=${misconception} /></div>`}
    </article>`;
}
