// The tests of an exercise: what they do, that they are under way, and what came of each.
import { useEffect, useRef, useState } from "../../vendor/vendor.js";
import { Code } from "../answers.js";
import { html } from "../html.js";
import { Prose } from "../parts.js";
import { named, t } from "../texts.js";

/** @typedef {import("@api").components["schemas"]["TestFeedback"]} Test */
/** @typedef {import("@api").components["schemas"]["VisibleTest"]} VisibleTest */

/** From one verdict to the next, and how long all may take. */
const STEP_MS = 150;
const MOST_MS = 1500;

/**
 * What a test does and should give, each with the key of its name.
 * @param {VisibleTest} test
 */
function factsOf({ call, stdin, expected, raises }) {
    /** @type {[string, string | null | undefined][]} */
    const all = [
        ["practice.call", call],
        ["code.input", stdin],
        [call ? "practice.gives" : "practice.prints", expected],
        ["practice.raises", raises],
    ];
    return all.filter(([, text]) => text !== undefined && text !== null);
}

/** @param {{ test: VisibleTest }} props */
export function TestFacts({ test }) {
    return html`<dl class="give">${factsOf(test).map(([label, text]) => html`<dt>${t(label)}</dt><dd dir="ltr">${text === "" ? t("practice.nothing") : html`<code>${text}</code>`}</dd>`)}</dl>`;
}

/** Passed or not, in words and with a sign. */
export function Verdict({ passed, word }) {
    return html`<span class=${`tag ${passed ? "good" : "bad"}`}><span aria-hidden="true">${passed ? "✓" : "✗"}</span> ${word}</span>`;
}

/** A solution's tests while they run. @param {{ exercise: import("@api").components["schemas"]["SetExercise"] }} props */
export function Waiting({ exercise: { tests, hidden_tests: hidden } }) {
    return html`<h2>${t("practice.grading")}</h2>
        <ol class="tests">${tests.map((test) => html`<li><p class="row"><${Waits} /> <${InShort} test=${test} /></p></li>`)}
        ${hidden > 0 && html`<li><p class="row"><${Waits} /> <span>${t("practice.hidden.count", { count: hidden })}</span></p></li>`}</ol>`;
}

const Waits = () => html`<span class="tag waits"><span aria-hidden="true">○</span> ${t("practice.test.waits")}</span>`;

/**
 * How many verdicts are shown: one after the other where a grade has just come, all at once where it is an old one or
 * somebody does not want things to move.
 * @param {number} count @param {boolean} isFresh
 */
export function useRevealed(count, isFresh) {
    const isStill = !isFresh || matchMedia("(prefers-reduced-motion: reduce)").matches;
    const [shown, setShown] = useState(isStill ? count : 0);
    useEffect(() => {
        if (shown >= count) return undefined;
        const timer = setTimeout(() => setShown(shown + 1), Math.min(STEP_MS, MOST_MS / count));
        return () => clearTimeout(timer);
    }, [shown]);
    return shown;
}

/**
 * What came of the tests; the first that failed is open.
 * @param {{ tests: Test[], shown: number, isFresh: boolean }} props `shown`: how many verdicts
 */
export function Verdicts({ tests, shown, isFresh }) {
    const list = useRef(/** @type {HTMLElement | null} */ (null));
    const failed = tests.findIndex(({ status }) => status !== "pass");
    useEffect(() => {
        // Nobody who has gone on typing is taken away from there.
        const isFree = [null, document.body].includes(/** @type {any} */ (document.activeElement)) || document.activeElement?.matches("button");
        if (isFresh && shown >= tests.length && isFree) list.current?.querySelector("summary")?.focus();
    }, [shown]);
    return html`<ol class="tests" ref=${list}>${tests.map((test, at) => html`<li>
        ${at >= shown ? html`<p class="row"><${Waits} /> <${InShort} test=${test} /></p>` : html`<${Result} test=${test} isOpen=${at === failed} />`}
    </li>`)}</ol>`;
}

/** A test in one line. @param {{ test: VisibleTest & Partial<Test> }} props */
function InShort({ test }) {
    return html`${test.hidden && html`<span class="tag">${t("practice.test.hidden")}</span>`}
        ${test.about && html`<span dir="auto">${test.about}</span>`}
        ${factsOf(test).map(([label, text]) => html`<span class="quiet">${t(label)}</span> ${text ? html`<code dir="ltr">${text}</code>` : t("practice.nothing")} `)}`;
}

/** @param {{ test: Test, isOpen: boolean }} props */
function Result({ test, isOpen }) {
    const { status, message, call, stdin, expected, actual, raised } = test;
    const passed = status === "pass";
    const head = html`<${Verdict} passed=${passed} word=${named(`practice.test.${status}`, "practice.test.wrong")} /> <${InShort} test=${test} />`;
    const isKnown = [message, stdin, expected, actual, raised].some((fact) => fact !== undefined && fact !== null);
    if (passed || !isKnown) return html`<p class="row">${head}</p>`;
    return html`<details open=${isOpen}>
        <summary><span class="row">${head}</span></summary>
        ${message && html`<${Prose} text=${message} />`}
        ${stdin && html`<${Code} title=${t("code.input")} text=${stdin} />`}
        <div class="pair">
            <${Given} title=${t(call ? "practice.gives" : "practice.prints")} text=${expected} />
            <${Given} title=${t("practice.actual")} text=${actual} />
            ${raised && html`<${Code} title=${raised.line ? t("practice.raised.line", { line: raised.line }) : t("practice.raised")} text=${[raised.type, raised.message].filter(Boolean).join(": ")} />`}
        </div>
    </details>`;
}

/** What a test should give or gave, if that is said. */
function Given({ title, text }) {
    if (text === undefined || text === null) return null;
    return html`<${Code} title=${title} text=${text || t("practice.nothing")} />`;
}
