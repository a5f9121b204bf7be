// What administrators look after, in tabs.
import { html } from "../html.js";
import { Title } from "../parts.js";
import { to } from "../router.js";
import { t } from "../texts.js";
import { DeadLetter, DeadLetters } from "./dead-letters.js";
import { Health } from "./health.js";
import { Lanes } from "./lanes.js";
import { TraceTab } from "./trace.js";
import { Usage } from "./usage.js";
import { User, Users } from "./users.js";

/** @type {Record<string, (id?: string) => any>} */
const TABS = {
    health: () => html`<${Health} />`,
    trace: (id) => html`<${TraceTab} key=${id} id=${id} />`,
    lanes: () => html`<${Lanes} />`,
    "dead-letters": (id) => (id ? html`<${DeadLetter} key=${id} id=${id} />` : html`<${DeadLetters} />`),
    usage: () => html`<${Usage} />`,
    users: (id) => (id ? html`<${User} key=${id} id=${id} />` : html`<${Users} />`),
};

/** @param {{ tab?: string, id?: string }} props */
export function OperateView({ tab = "health", id }) {
    const link = (name) => html`<li>
        <a href=${to("operate", name)} aria-current=${tab === name ? "page" : undefined}>${t(`operate.${name}`)}</a>
    </li>`;
    const shown = Object.hasOwn(TABS, tab) ? TABS[tab] : undefined;
    return html`<${Title} key=${tab}>${t(shown ? `operate.${tab}` : "notfound.title")}<//>
        <nav aria-label=${t("nav.operate")}><ul class="tabs">${Object.keys(TABS).map(link)}</ul></nav>
        ${shown ? shown(id) : html`<p>${t("notfound.text")}</p>`}`;
}
