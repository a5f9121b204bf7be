// Accounts: found, given other rights, disabled and enabled.
import { useState } from "../../vendor/vendor.js";
import { call, get } from "../api.js";
import { html } from "../html.js";
import { Before, Field, Loading, Time, useLoaded, usePages } from "../parts.js";
import { query, to } from "../router.js";
import { roleName, user } from "../session.js";
import { t } from "../texts.js";
import { Choice, Confirm, Facts, Filter, Form, Table } from "../forms.js";

/** @typedef {import("@api").components["schemas"]["Account"]} Account */
/** @typedef {import("@api").components["schemas"]["AccountDetail"]} AccountDetail */

/** @type {Account["role"][]} */
const ROLES = ["student", "teacher", "admin"];
const CHOICES = ROLES.map((role) => /** @type {[string, string]} */ ([role, roleName(role)]));

export function Users() {
    const [by, text, role] = ["by", "text", "role"].map((name) => query.value.get(name) || "");
    const { items, error, again, more } = usePages("/admin/users", { [by === "name" ? "name" : "email"]: text || "", role: role || "" });
    return html`<${Filter} tab="users">
            <${Choice} label=${t("users.by")} name="by" chosen=${by} options=${[["email", t("users.email")], ["name", t("users.name")]]} />
            <${Field} label=${t("users.text")} name="text" type="search" defaultValue=${text} />
            <${Choice} label=${t("users.role")} name="role" chosen=${role} options=${[["", t("users.anyrole")], ...CHOICES]} />
        <//>
        <${Before} of=${{ items, error, again }} empty=${t("users.empty")} />
        ${items && items.length > 0 && html`<${Table} caption=${t("operate.users")}
            columns=${[t("users.name"), t("users.email"), t("users.role"), t("users.since"), t("users.state")]}>
            <tbody>${items.map((account) => html`<tr key=${account.id}>
                <th scope="row"><a href=${to("operate", "users", account.id)}><bdi>${account.display_name}</bdi></a></th>
                <td><bdi>${account.email}</bdi></td>
                <td>${roleName(account.role)}</td>
                <td><${Time} at=${account.created_at} /></td>
                <td><${AccountState} account=${account} /></td>
            </tr>`)}</tbody>
        <//>`}
        ${more}`;
}

/** @param {{ account: Account }} props */
function AccountState({ account }) {
    return html`<span class=${`tag ${account.disabled_at ? "bad" : "good"}`}>${t(account.disabled_at ? "users.disabled" : "users.active")}</span>`;
}

/** @param {{ id: string }} props */
export function User({ id }) {
    const path = `/admin/users/${encodeURIComponent(id)}`;
    const { data, error, again } = useLoaded(() => get(path), path);
    const [changed, setChanged] = useState(/** @type {AccountDetail | null} */ (null));
    /** @type {AccountDetail | undefined} */
    const detail = changed || data;
    const back = html`<p><a href=${to("operate", "users")}>${t("users.back")}</a></p>`;
    if (!detail) return html`${back}<${Loading} error=${error} again=${again} />`;
    const { account, changes } = detail;
    const change = async (body) => setChanged(await call("PATCH", path, { body }));
    return html`${back}<h2><bdi>${account.display_name}</bdi></h2>
        <${Facts} of=${[
            [t("users.email"), html`<bdi>${account.email}</bdi>`],
            [t("users.role"), roleName(account.role)],
            [t("users.since"), html`<${Time} at=${account.created_at} />`],
            [t("users.state"), html`<${AccountState} account=${account} />`],
            [t("users.disabledat"), account.disabled_at && html`<${Time} at=${account.disabled_at} />`],
        ]} />
        <${Form} act=${(form) => change({ role: form.get("role") })} button=${t("users.setrole")} done=${t("account.saved")}>
            <${Choice} label=${t("users.role")} name="role" chosen=${account.role} options=${CHOICES} hint=${t("users.role.hint")} />
        <//>
        <div class="row bottom">${account.disabled_at
            ? html`<${Confirm} label=${t("users.enable")} title=${t("users.enable.question", { name: account.display_name })}
                act=${() => change({ disabled: false })}><p>${t("users.enable.meaning")}</p><//>`
            : html`<${Confirm} label=${t("users.disable")} title=${t("users.disable.question", { name: account.display_name })}
                act=${() => change({ disabled: true })}><p>${t("users.disable.meaning")}</p><//>`}</div>
        <h3>${t("users.history")}</h3>
        <${History} changes=${changes} />`;
}

/** @param {{ changes: AccountDetail["changes"] }} props */
function History({ changes }) {
    const authors = [...new Set(changes.flatMap(({ changed_by }) => changed_by || []))].filter((id) => id !== user.value?.id);
    const { data: names } = useLoaded(() => namesOf(authors), authors.join());
    if (changes.length === 0) return html`<p class="quiet">${t("users.nochanges")}</p>`;
    const author = (id) => {
        if (!id) return t("users.command");
        if (id === user.value?.id) return t("users.you");
        return html`<a href=${to("operate", "users", id)}><bdi>${names?.get(id) || t("users.another")}</bdi></a>`;
    };
    return html`<${Table} caption=${t("users.history")} columns=${[t("users.when"), t("users.what"), t("users.who")]}>
        <tbody>${changes.map(({ change, changed_by, changed_at }) => html`<tr>
            <th scope="row"><${Time} at=${changed_at} /></th>
            <td>${t(`users.became.${change}`)}</td>
            <td>${author(changed_by)}</td>
        </tr>`)}</tbody>
    <//>`;
}

/** The names of accounts; those that cannot be loaded are left out. @param {string[]} ids @returns {Promise<Map<string, string>>} */
async function namesOf(ids) {
    const loaded = await Promise.allSettled(ids.map((id) => get(`/admin/users/${id}`)));
    return new Map(loaded.flatMap((one) => (one.status === "fulfilled" ? [[one.value.account.id, one.value.account.display_name]] : [])));
}
