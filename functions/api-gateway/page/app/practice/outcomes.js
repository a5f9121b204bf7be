// What comes of a student's work on an exercise, in words: grades, hints and reviews.
import { get } from "../api.js";
import { html } from "../html.js";
import { Act, Loading, Prose, Score, Time } from "../parts.js";
import { t } from "../texts.js";
import { named } from "./work.js";

/** @typedef {import("@api").components["schemas"]["Answer"]} Answer */
/** @typedef {import("@api").components["schemas"]["Feedback"]} Feedback */
/** @typedef {import("@api").components["schemas"]["SubmissionResponse"]} Submission */

/** What a test does and should give; with a grade, also what it gave. @param {{ test: any }} props */
export function Facts({ test: { call, stdin, expected, raises, actual } }) {
    const facts = [
        ["practice.call", call],
        ["code.input", stdin],
        [call ? "practice.gives" : "practice.prints", expected],
        ["practice.raises", raises],
        ["practice.actual", actual],
    ].filter(([, text]) => text !== undefined && text !== null);
    return html`<dl class="give">${facts.map(([label, text]) => html`<dt>${t(label)}</dt><dd dir="ltr">${text === "" ? t("practice.nothing") : html`<code>${text}</code>`}</dd>`)}</dl>`;
}

/** Passed or not, in words and with a sign. */
function Verdict({ passed, word }) {
    return html`<span class=${`tag ${passed ? "good" : "bad"}`}><span aria-hidden="true">${passed ? "✓" : "✗"}</span> ${word}</span>`;
}

/** @param {{ feedback: Feedback }} props */
export function Grade({ feedback }) {
    const { passed, score, message, tests, tested, not_as_asked: unmet = [], quality, attempt, best } = feedback;
    const facts = [
        t("practice.attempt", { attempt }),
        t("practice.bestof", { best }),
        typeof quality === "number" && t("practice.quality", { quality }),
    ];
    return html`<p class="row"><${Verdict} passed=${passed} word=${t(passed ? "practice.passed" : "practice.failed")} /> <${Score} score=${score} label=${t("practice.score")} /></p>
        <${Prose} text=${message} />
        ${unmet.length > 0 && html`<div class="notice warn">
            <p><strong>${t("practice.unmet")}</strong></p>
            <${Prose} text=${unmet.map((requirement) => `- ${requirement}`).join("\n")} />
        </div>`}
        ${tested !== false && html`<ol class="tests">${tests.map((test) => html`<${TestLine} test=${test} />`)}</ol>`}
        <p class="quiet">${facts.filter(Boolean).join(" · ")}</p>`;
}

/** @param {{ test: Feedback["tests"][number] }} props */
function TestLine({ test }) {
    const passed = test.status === "pass";
    return html`<li>
        <p class="row">
            <${Verdict} passed=${passed} word=${named(`practice.test.${test.status}`, "practice.test.wrong")} />
            ${test.hidden && html`<span class="tag">${t("practice.test.hidden")}</span>`}
            ${test.about && html`<span>${test.about}</span>`}
            ${passed && test.call && html`<code dir="ltr">${test.call}</code>`}
        </p>
        ${!passed && html`${test.message && html`<${Prose} text=${test.message} />`}<${Facts} test=${test} />`}
    </li>`;
}

/** One rung of the ladder of hints. @param {{ answer: Answer }} props */
export function HintText({ answer: { details, content } }) {
    const hint = details?.kind === "debug" ? details.hint : details?.kind === "hint" ? details : null;
    if (!hint) return html`<h2>${t("practice.answer")}</h2><${Prose} text=${content} />`;
    const { cause = "", misconception = "" } = details?.kind === "debug" ? details : {};
    return html`<h2>${t("chat.hintof", { level: hint.level, of: hint.of })}</h2>
        ${cause && html`<${Prose} text=${cause} />`}
        <${Prose} text=${hint.text} />
        ${misconception && html`<p class="quiet">${t("practice.misconception")}</p><${Prose} text=${misconception} />`}`;
}

const SEVERITIES = /** @type {const} */ ({ error: "error", advice: "warning", style: "info" });

/** The findings of a review at their lines. @param {Answer} answer @returns {import("../editor.js").Mark[]} */
export function marksOfReview({ details }) {
    if (details?.kind !== "review") return [];
    return details.findings.flatMap(({ line, message, severity }) => (line ? [{ line, message, severity: SEVERITIES[severity] || "info" }] : []));
}

/** @param {{ answer: Answer, point: (line: number) => void }} props `point` shows a line in the editor */
export function Review({ answer: { details, content }, point }) {
    if (details?.kind !== "review") return html`<h2>${t("practice.answer")}</h2><${Prose} text=${content} />`;
    const { score, praise, summary, findings } = details;
    return html`<h2>${t("practice.review")}</h2>
        ${typeof score === "number" && html`<p><${Score} score=${score} label=${t("practice.review.score")} /></p>`}
        <${Prose} text=${praise} />
        <${Prose} text=${summary} />
        <ol class="findings">${findings.map((finding) => html`<${Finding} finding=${finding} point=${point} />`)}</ol>`;
}

function Finding({ finding: { line, severity, message, why, before, after }, point }) {
    return html`<li>
        <p class="row">
            <span class="tag">${named(`practice.severity.${severity}`, "practice.severity.advice")}</span>
            ${line && html`<button type="button" class="plain" title=${t("practice.point")} onClick=${() => point(line)}>${t("code.line", { line })}</button>`}
        </p>
        <${Prose} text=${`${message} ${why}`} />
        ${before && html`<div class="pair">
            <figure><figcaption>${t("chat.before")}</figcaption><pre tabindex="0" aria-label=${t("chat.before")}>${before}</pre></figure>
            <figure><figcaption>${t("chat.after")}</figcaption>${after ? html`<pre tabindex="0" aria-label=${t("chat.after")}>${after}</pre>` : html`<p class="quiet">${t("practice.deleted")}</p>`}</figure>
        </div>`}
    </li>`;
}

/** @param {{ loaded: { data: Submission[] | undefined, error: unknown, again: () => Promise<void> }, put: (code: string) => void }} props */
export function Earlier({ loaded: { data, error, again }, put }) {
    return html`<section>
        <h2>${t("practice.earlier")}</h2>
        ${(error || !data) && html`<${Loading} error=${error} again=${again} />`}
        ${data?.length === 0 && html`<p class="quiet">${t("practice.earlier.none")}</p>`}
        ${(data || []).map((submission) => html`<${Submitted} key=${submission.id} submission=${submission} again=${again} put=${put} />`)}
    </section>`;
}

/** @param {{ submission: Submission, again: () => Promise<void>, put: (code: string) => void }} props */
function Submitted({ submission: { id, submitted_at: at, status, feedback }, again, put }) {
    const state = feedback ? t(feedback.passed ? "practice.earlier.passed" : "practice.earlier.failed", { score: feedback.score }) : t(`practice.status.${status}`);
    return html`<details>
        <summary><${Time} at=${at} /> · ${state}</summary>
        ${feedback && html`<${Grade} feedback=${feedback} />`}
        <${Act} act=${async () => put((await get(`/submissions/${id}`)).code)}>${t("chat.put")}<//>
        ${status === "failed" && html`<p>${t("practice.ungraded")}</p>`}
        ${status === "pending" && html`<button type="button" onClick=${again}>${t("practice.look")}</button>`}
    </details>`;
}
