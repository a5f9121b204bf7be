// Classes, and a class with its tabs.
import { useState } from "../../vendor/vendor.js";
import { Form } from "../forms.js";
import { get, post } from "../api.js";
import { html } from "../html.js";
import { Before, Fault, Field, Loading, Title, useKeyed, useLoaded, usePages } from "../parts.js";
import { go, to } from "../router.js";
import { t } from "../texts.js";
import { Assignments } from "./assignments.js";
import { Errors, Settings, Teachers } from "./manage.js";
import { HeatMap, Overview } from "./overview.js";
import { Roster } from "./roster.js";

export function ClassesView() {
    const classes = usePages("/classes");
    return html`<${Title}>${t("nav.classes")}<//>
        <${Before} of=${classes} empty=${t("teach.classes.empty")} />
        <ul class="cards">${classes.items?.map(classCard)}</ul>
        ${classes.more}
        <h2>${t("teach.classes.new")}</h2>
        <${NewClass} />`;
}

function classCard({ id, name, students, invited, invite_code, archived_at }) {
    return html`<li class="card" key=${id}>
        <h2><a href=${to("classes", id)}><bdi>${name}</bdi></a></h2>
        <p>${t("teach.students", { count: students })}${invited > 0 && html` · ${t("teach.invited", { count: invited })}`}</p>
        ${archived_at ? html`<p class="tag">${t("teach.archived")}</p>` : html`<p class="quiet">${t("teach.code")}: <code>${invite_code}</code></p>`}
    </li>`;
}

function NewClass() {
    const [name, setName] = useState("");
    const once = useKeyed();
    const make = async () => {
        const { id } = await once(name, (key) => post("/classes", { name }, { key }));
        go(to("classes", id, "roster"));
    };
    return html`<${Form} act=${make} button=${t("teach.classes.make")}>
        <${Field} name="name" label=${t("teach.class.name")} hint=${t("teach.class.name.hint")} required maxlength="100"
            value=${name} onInput=${(event) => setName(event.currentTarget.value)} />
    <//>`;
}

const TABS = { overview: Overview, heatmap: HeatMap, roster: Roster, assignments: Assignments, errors: Errors, teachers: Teachers, settings: Settings };

export function ClassView({ id, tab }) {
    const { data, error, again } = useLoaded(() => get(`/classes/${id}`), id);
    if (!data) return html`${error && html`<${Title}>${t("nav.classes")}<//>`}<${Loading} error=${error} again=${again} />`;
    // The server shows nothing of an archived class.
    const names = data.archived_at ? ["settings"] : Object.keys(TABS);
    const shown = names.includes(tab) ? tab : names[0];
    const link = (name) => html`<li>
        <a href=${to("classes", id, name)} aria-current=${name === shown ? "page" : undefined}>${t(`teach.tab.${name}`)}</a>
    </li>`;
    return html`<p><a href=${to("classes")}>${t("teach.classes.all")}</a></p>
        <${Title}><bdi>${data.name}</bdi><//>
        <nav aria-label=${t("teach.class")}><ul class="tabs">${names.map(link)}</ul></nav>
        <${Fault} error=${error} again=${again} />
        <${TABS[shown]} id=${id} detail=${data} reload=${again} />`;
}
