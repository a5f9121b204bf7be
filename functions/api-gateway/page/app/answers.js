// What an answer has beside its text: findings of a review, an exercise, related topics.
import { html } from "./html.js";
import { Prose } from "./parts.js";
import { to } from "./router.js";
import { named, t } from "./texts.js";
import { TopicLinks } from "./topics.js";

/** @typedef {import("@api").components["schemas"]["ReviewReport"]} Report */

/** @param {{ answer: import("@api").components["schemas"]["Answer"] }} props */
export function AnswerDetails({ answer }) {
    const { details, related } = answer;
    return html`
        ${details?.kind === "exercise" && html`<p><a class="button" href=${to("exercises", details.id)}>${t("chat.assigned", { title: details.title })}</a></p>`}
        ${details?.kind === "review" && details.findings.length > 0 && html`<details>
            <summary>${t("chat.findings")}</summary>
            <${Findings} findings=${details.findings} />
        </details>`}
        ${related && related.length > 0 && html`<p class="quiet">${t("chat.related")} <${TopicLinks} slugs=${related} /></p>`}
    `;
}

/**
 * The findings of a review, with what to write instead.
 * @param {{ findings: Report["findings"], point?: (line: number) => void }} props `point` shows a line in the editor
 */
export function Findings({ findings, point = undefined }) {
    return html`<ol class="findings">${findings.map((finding) => html`<${Finding} finding=${finding} point=${point} />`)}</ol>`;
}

function Finding({ finding: { line, severity, message, why, before, after }, point }) {
    const place = t("code.line", { line });
    return html`<li>
        <p class="row">
            <span class="tag">${named(`review.${severity}`, "review.advice")}</span>
            ${line && (point ? html`<button type="button" class="plain" title=${t("review.point")} onClick=${() => point(line)}>${place}</button>` : html`<span>${place}</span>`)}
        </p>
        <${Prose} text=${`${message} ${why}`} />
        ${before && html`<div class="pair">
            <${Code} title=${t("chat.before")} text=${before} />
            ${after ? html`<${Code} title=${t("chat.after")} text=${after} />` : html`<p class="quiet">${t("review.delete")}</p>`}
        </div>`}
    </li>`;
}

/** A piece of a program or of what it gives, under a title. @param {{ title: string, text: string }} props */
export function Code({ title, text }) {
    return html`<figure class="titled"><figcaption>${title}</figcaption><pre tabindex="0" aria-label=${title}>${text}</pre></figure>`;
}
