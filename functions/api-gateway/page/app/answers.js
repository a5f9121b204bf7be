// What an answer has beside its text: findings of a review, an exercise, related topics.
import { html } from "./html.js";
import { to } from "./router.js";
import { t } from "./texts.js";

/** @param {{ answer: import("@api").components["schemas"]["Answer"] }} props */
export function AnswerDetails({ answer }) {
    const { details, related } = answer;
    return html`
        ${details?.kind === "exercise" && html`<p><a class="button" href=${to("exercises", details.id)}>${t("chat.assigned")}: ${details.title}</a></p>`}
        ${details?.kind === "review" && html`<${Findings} report=${details} />`}
        ${related && related.length > 0 && html`<p class="quiet">${t("chat.related")}: ${related.map((slug, at) => html`${at > 0 && ", "}<a href=${to("course", slug)}>${slug.replaceAll("-", " ")}</a>`)}</p>`}
    `;
}

/** The findings of a review, with what to write instead. */
function Findings({ report }) {
    if (report.findings.length === 0) return null;
    return html`<details>
        <summary>${t("chat.findings")}</summary>
        <ul>${report.findings.map((finding) => html`<li>
            ${finding.line && html`<strong>${t("code.line", { line: finding.line })}: </strong>`}${finding.message} ${finding.why}
            ${finding.before && html`<pre tabindex="0" aria-label=${t("chat.before")}><code>${finding.before}</code></pre>`}
            ${finding.after && html`<pre tabindex="0" aria-label=${t("chat.after")}><code>${finding.after}</code></pre>`}
        </li>`)}</ul>
    </details>`;
}
