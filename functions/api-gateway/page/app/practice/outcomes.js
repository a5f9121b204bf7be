// What comes of a student's work on an exercise, in words: grades, hints and reviews.
import { Findings } from "../answers.js";
import { get } from "../api.js";
import { html } from "../html.js";
import { Act, Loading, Prose, Score, Time } from "../parts.js";
import { t } from "../texts.js";
import { useRevealed, Verdict, Verdicts } from "./tests.js";

/** @typedef {import("@api").components["schemas"]["Answer"]} Answer */
/** @typedef {import("@api").components["schemas"]["Feedback"]} Feedback */
/** @typedef {import("@api").components["schemas"]["SubmissionResponse"]} Submission */

/** @param {{ feedback: Feedback, isFresh?: boolean }} props `isFresh` if it has just come */
export function Grade({ feedback, isFresh = false }) {
    const { passed, score, message, tests, tested, not_as_asked: unmet = [], quality, attempt, best } = feedback;
    const shown = useRevealed(tests.length, isFresh && tested !== false);
    const isDone = shown >= tests.length;
    const facts = [
        t("practice.attempt", { attempt }),
        t("practice.bestof", { best }),
        typeof quality === "number" && t("practice.quality", { quality }),
    ];
    return html`${isDone && html`<p class="row"><${Verdict} passed=${passed} word=${t(passed ? "practice.passed" : "practice.failed")} /> <${Score} score=${score} label=${t("practice.score")} /></p>
            <${Prose} text=${message} />`}
        ${isDone && unmet.length > 0 && html`<div class="notice warn">
            <p><strong>${t("practice.unmet")}</strong></p>
            <${Prose} text=${unmet.map((requirement) => `- ${requirement}`).join("\n")} />
        </div>`}
        ${tested !== false && html`<${Verdicts} tests=${tests} shown=${shown} isFresh=${isFresh} />`}
        ${isDone && html`<p class="quiet">${facts.filter(Boolean).join(" · ")}</p>`}`;
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
        <${Findings} findings=${findings} point=${point} />`;
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
