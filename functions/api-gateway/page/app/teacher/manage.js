// A class's common errors, its teachers and its settings.
import { useState } from "../../vendor/vendor.js";
import { Confirm, Form, Table } from "../forms.js";
import { call, get, post } from "../api.js";
import { html } from "../html.js";
import { Act, Before, Field, Time, useLoaded } from "../parts.js";
import { go, to } from "../router.js";
import { user } from "../session.js";
import { t } from "../texts.js";

export function Errors({ id }) {
    const { data, ...rest } = useLoaded(() => get(`/classes/${id}/errors`), id);
    return html`<h2>${t("teach.errors")}</h2>
        <p>${t("teach.errors.lead")}</p>
        <${Before} of=${{ items: data, ...rest }} empty=${t("teach.errors.none")} />
        ${data?.map(({ error_type, students, runs, examples }) => html`<section class="card teach-error" key=${error_type}>
            <h3><code>${error_type}</code></h3>
            <p>${t("teach.students", { count: students })} · ${t("teach.runs", { count: runs })}</p>
            ${different(examples).map((example) => html`<${ErrorExample} ...${example} />`)}
        </section>`)}`;
}

/** Programs that are not the same: many students begin with what the course shows. */
const different = (examples) => [...new Map(examples.map((example) => [`${example.line} ${example.code}`, example])).values()];

/** A program with the line at which it failed. */
function ErrorExample({ code, line, message }) {
    const lines = code.trimEnd().split("\n");
    return html`<figure class="code">
        <figcaption>${line && html`<strong>${t("code.line", { line })}:</strong>`} <bdi>${message}</bdi></figcaption>
        <pre class="numbered" tabindex="0" aria-label=${t("code")}><code>${lines.map((text, at) =>
            at + 1 === line ? html`<mark>${text}${"\n"}</mark>` : html`<span>${text}${"\n"}</span>`,
        )}</code></pre>
    </figure>`;
}

export function Teachers({ id, detail, reload }) {
    const add = async (data, form) => {
        await post(`/classes/${id}/teachers`, { email: data.get("email") });
        form.reset();
        await reload();
    };
    const remove = (teacher) => async () => {
        await call("DELETE", `/classes/${id}/teachers/${teacher}`);
        if (teacher === user.value?.id) go(to("classes"));
        else await reload();
    };
    const columns = ["sign.name", "sign.email", "teach.teachers.since", "teach.remove"].map((key) => t(key));
    return html`<h2>${t("teach.tab.teachers")}</h2>
        <p>${t("teach.teachers.lead")}</p>
        <${Table} caption=${t("teach.tab.teachers")} columns=${columns}>
            <tbody>${detail.teachers.map((one) => html`<tr key=${one.id}>
                <th scope="row"><bdi>${one.display_name}</bdi></th>
                <td><bdi>${one.email}</bdi></td>
                <td><${Time} at=${one.added_at} /></td>
                <td><${Confirm} label=${t("teach.remove")} title=${t("teach.remove.of", { name: one.display_name })} class="plain" aria-label=${t("teach.remove.of", { name: one.display_name })} act=${remove(one.id)}>
                    <p>${t(one.id === user.value?.id ? "teach.teachers.leave" : "teach.teachers.sure")}</p>
                <//></td>
            </tr>`)}</tbody>
        <//>
        <h2>${t("teach.teachers.new")}</h2>
        <${Form} act=${add} button=${t("teach.teachers.add")}>
            <${Field} name="email" type="email" required label=${t("sign.email")} hint=${t("teach.teachers.hint")} />
        <//>`;
}

export function Settings({ id, detail, reload }) {
    const [note, setNote] = useState("");
    const change = async (body, said) => {
        await call("PATCH", `/classes/${id}`, { body });
        await reload();
        setNote(t(`teach.settings.${said}`));
    };
    const rename = (data) => change({ name: data.get("name") }, "renamed");
    return html`<h2>${t("teach.tab.settings")}</h2>
        <p role="status">${note}</p>
        <${Form} act=${rename} button=${t("teach.settings.rename")}>
            <${Field} name="name" label=${t("teach.class.name")} required maxlength="100" defaultValue=${detail.name} />
        <//>
        ${detail.archived_at
            ? html`<h2>${t("teach.settings.restore")}</h2>
                <p>${t("teach.settings.restore.hint")}</p>
                <${Act} act=${() => change({ archived: false }, "restored")}>${t("teach.settings.restore")}<//>`
            : html`<h2>${t("teach.settings.archive")}</h2>
                <p>${t("teach.settings.archive.hint")}</p>
                <${Confirm} label=${t("teach.settings.archive")} title=${detail.name} act=${() => change({ archived: true }, "archived")}>
                    <p>${t("teach.settings.sure")}</p>
                <//>`}`;
}
