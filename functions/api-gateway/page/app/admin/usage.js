// What models were used for, and what that cost.
import { get } from "../api.js";
import { html } from "../html.js";
import { Empty, Field, Loading, useLoaded } from "../parts.js";
import { query } from "../router.js";
import { hasText, t } from "../texts.js";
import { Filter, Table } from "../forms.js";

/** Rows at which the API ends a report. */
const MOST = 1_000;

export function Usage() {
    const [days, until] = [query.value.get("days") || "7", query.value.get("to") || ""];
    const params = new URLSearchParams(until ? { days, to: until } : { days });
    /** @type {{ data: import("@api").components["schemas"]["UsageReport"] | undefined, error: unknown, again: () => Promise<void> }} */
    const { data, error, again } = useLoaded(() => get(`/admin/usage?${params}`), `${params}`);
    return html`<p>${t("usage.lead")}</p>
        <${Filter} tab="usage">
            <${Field} label=${t("usage.days")} name="days" type="number" min="1" max="31" required defaultValue=${days} />
            <${Field} label=${t("usage.to")} name="to" type="date" defaultValue=${until} />
        <//>
        ${data ? html`<${Report} report=${data} />` : html`<${Loading} error=${error} again=${again} />`}`;
}

/** @param {{ report: import("@api").components["schemas"]["UsageReport"] }} props */
function Report({ report }) {
    const { rows } = report;
    if (rows.length === 0) return html`<${Empty}>${t("usage.empty", { from: date(report.from), to: date(report.to) })}<//>`;
    const number = (value) => html`<td class="number">${value.toLocaleString()}</td>`;
    const sum = (name) => rows.reduce((all, row) => all + row[name], 0);
    const counts = ["calls", "saved", "failed", "tokens_in", "tokens_out"];
    const head = [...counts, "cost"].map((name) => /** @type {[string, string]} */ ([t(`usage.${name}`), "number"]));
    return html`<h2>${t("usage.span", { from: date(report.from), to: date(report.to) })}</h2>
        ${rows.length >= MOST && html`<p class="notice warn">${t("usage.cut")}</p>`}
        <${Table} caption=${t("operate.usage")} columns=${[t("usage.day"), t("usage.agent"), t("usage.model"), ...head]}>
            <tbody>${rows.map((row) => html`<tr>
                <th scope="row">${date(row.day)}</th>
                <td>${hasText(`agent.${row.agent}`) ? t(`agent.${row.agent}`) : row.agent}</td>
                <td>${row.model || t("usage.nomodel")}</td>
                ${counts.map((name) => number(row[name]))}
                <td class="number">${dollars(row.cost_micro_usd)}</td>
            </tr>`)}</tbody>
            <tfoot><tr>
                <th scope="row" colspan="3">${t("usage.sum")}</th>
                ${counts.map((name) => number(sum(name)))}
                <td class="number">${dollars(report.cost_micro_usd)}</td>
            </tr></tfoot>
        <//>`;
}

/** A day of UTC. @param {string} day */
const date = (day) => new Date(day).toLocaleDateString(undefined, { dateStyle: "medium", timeZone: "UTC" });

/** @param {number} micro millionths of a dollar */
const dollars = (micro) =>
    (micro / 1e6).toLocaleString(undefined, { style: "currency", currency: "USD", maximumFractionDigits: micro < 1e6 ? 6 : 2 });
