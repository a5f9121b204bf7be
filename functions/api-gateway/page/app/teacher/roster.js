// Who is in a class: the list, the invite code, and lists from and for spreadsheets.
import { useRef, useState } from "../../vendor/vendor.js";
import { Confirm, saveFile, Table } from "../forms.js";
import { call, get, post } from "../api.js";
import { html } from "../html.js";
import { Act, Before, Fault, Score, Time, usePages } from "../parts.js";
import { t } from "../texts.js";
import { StudentLink, word } from "./shared.js";

/** @typedef {import("@api").components["schemas"]["RosterImport"]} RosterImport */

/** Bytes of a list that the server accepts. */
const MAX_BYTES = 384 * 1024;

export function Roster({ id, detail, reload }) {
    const roster = usePages(`/classes/${id}/roster`);
    const changed = () => Promise.all([roster.again(), reload()]);
    // A link could not send the token.
    const save = (file) => async () => {
        saveFile(`${detail.name} ${file}`, new Blob([await get(`/classes/${id}/${file}`)], { type: "text/csv" }));
    };
    return html`<${InviteCode} id=${id} code=${detail.invite_code} reload=${reload} />
        <h2>${t("teach.roster")}</h2>
        <${Before} of=${roster} empty=${t("teach.nobody")} />
        ${roster.items && roster.items.length > 0 && html`<${List} id=${id} items=${roster.items} changed=${changed} />`}
        ${roster.more}
        <div class="row teach-below">
            <${Act} act=${save("roster.csv")}>${t("teach.roster.export")}<//>
            <${Act} act=${save("gradebook.csv")}>${t("teach.gradebook")}<//>
        </div>
        <h2>${t("teach.import")}</h2>
        <${Import} id=${id} done=${changed} />`;
}

function InviteCode({ id, code, reload }) {
    const [note, setNote] = useState("");
    const copy = async () => {
        await navigator.clipboard.writeText(code);
        setNote(t("teach.code.copied"));
    };
    const renew = async () => {
        await post(`/classes/${id}/invite-code`);
        await reload();
        setNote(t("teach.code.renewed"));
    };
    return html`<h2>${t("teach.code")}</h2>
        <p>${t("teach.code.hint")}</p>
        <div class="row">
            <code class="invite-code">${code}</code>
            ${navigator.clipboard && html`<${Act} act=${copy}>${t("teach.code.copy")}<//>`}
            <${Confirm} label=${t("teach.code.renew")} title=${t("teach.code.renew.title")} act=${renew}><p>${t("teach.code.sure")}</p><//>
        </div>
        <p class="quiet" role="status">${note}</p>`;
}

function List({ id, items, changed }) {
    const remove = (entry) => async () => {
        await call("DELETE", `/classes/${id}/roster/${entry}`);
        await changed();
    };
    const columns = ["sign.name", "sign.email", "progress.mastery", "teach.roster.alerts", "teach.roster.joined"].map((key) => t(key));
    const last = html`<span class="hidden">${t("teach.remove")}</span>`;
    return html`<${Table} caption=${t("teach.roster")} columns=${[...columns, last]}>
        <tbody>${items.map((one) => html`<tr key=${one.id}>
            <th scope="row">${one.state === "enrolled" ? html`<${StudentLink} id=${one.id} name=${one.name} />` : html`<bdi>${one.name}</bdi>`}</th>
            <td><bdi>${one.email}</bdi></td>
            <td><${Score} score=${one.mastery} level=${one.level} label=${t("progress.mastery")} /></td>
            <td>${one.open_alerts > 0 ? html`<strong class="tag warn">${one.open_alerts}</strong>` : 0}</td>
            <td>${one.state === "enrolled" ? html`<${Time} at=${one.joined_at} />` : html`<span class="tag">${t("teach.roster.invited")}</span>`}</td>
            <td><${Confirm} label=${t("teach.remove")} title=${t("teach.remove.of", one)} class="plain" aria-label=${t("teach.remove.of", one)} act=${remove(one.id)}><p>${t("teach.roster.sure")}</p><//></td>
        </tr>`)}</tbody>
    <//>`;
}

function Import({ id, done }) {
    const [text, setText] = useState("");
    const latest = useRef(text);
    // What the text as it stands would do; none if that has not been asked.
    const [plan, setPlan] = useState(/** @type {RosterImport | null} */ (null));
    const [error, setError] = useState(/** @type {unknown} */ (null));
    const [note, setNote] = useState("");
    const send = (path, body) => call("POST", `/classes/${id}/${path}`, { body, type: "text/csv" });
    const change = (value) => {
        latest.current = value;
        setText(value);
        setPlan(null);
        setNote("");
        setError(null);
    };
    const check = async (body) => {
        const checked = await send("roster/preview", body);
        // What is imported is what was seen, and not what was typed meanwhile.
        if (latest.current !== body) return;
        setPlan(checked);
        setNote(t(checked.mistakes.length > 0 ? "teach.import.wrong" : "teach.import.right", counts(checked)));
    };
    const pick = async (event) => {
        const [file] = event.currentTarget.files;
        if (!file) return;
        try {
            const read = await readCsv(file);
            change(read);
            await check(read);
        } catch (problem) {
            setError(problem);
        }
    };
    const bring = async () => {
        const made = await send("roster", text);
        change("");
        setNote(t("teach.import.done", counts(made)));
        await done();
    };
    const ready = plan && plan.mistakes.length === 0 && plan.rows.length > 0;
    return html`<p>${t("teach.import.hint")}</p>
        <p class="field">
            <label for="import-file">${t("teach.import.file")}</label>
            <input id="import-file" type="file" accept=".csv,.tsv,.txt,text/csv" onChange=${pick} />
        </p>
        <p class="field">
            <label for="import-text">${t("teach.import.text")}</label>
            <textarea id="import-text" rows="5" dir="ltr" spellcheck="false" placeholder="email,name" value=${text}
                onInput=${(event) => change(event.currentTarget.value)}></textarea>
        </p>
        <${Fault} error=${error} />
        <div class="row">
            <${Act} act=${() => check(text)} disabled=${!text.trim()}>${t("teach.import.check")}<//>
            ${ready && html`<${Act} class="primary" act=${bring}>${t("teach.import.do", { count: plan.rows.length })}<//>`}
        </div>
        <p role="status">${note}</p>
        ${plan && plan.mistakes.length > 0 && html`<${Mistakes} mistakes=${plan.mistakes} />`}
        ${plan && plan.rows.length > 0 && html`<${Rows} rows=${plan.rows} />`}`;
}

/** How many mistakes, and how many people join or are invited. @param {RosterImport} plan */
function counts({ rows, mistakes }) {
    const of = (outcome) => rows.filter((row) => row.outcome === outcome).length;
    return { mistakes: mistakes.length, added: of("added"), invited: of("invited") };
}

/** @param {File} file */
async function readCsv(file) {
    if (file.size > MAX_BYTES) throw new Error(t("teach.import.large"));
    const bytes = await file.arrayBuffer();
    try {
        return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
        throw new Error(t("teach.import.encoding"));
    }
}

function Mistakes({ mistakes }) {
    const columns = ["line", "column", "cell", "mistake"].map((name) => t(`teach.import.${name}`));
    return html`<h3>${t("teach.import.mistakes")}</h3>
        <${Table} caption=${t("teach.import.mistakes")} columns=${columns}>
            <tbody>${mistakes.map(({ line, column, value, detail }) => html`<tr>
                <th scope="row">${line}</th><td>${column || t("teach.import.whole")}</td>
                <td><bdi>${value || t("none")}</bdi></td><td>${detail}</td>
            </tr>`)}</tbody>
        <//>`;
}

function Rows({ rows }) {
    const columns = ["teach.import.line", "sign.email", "sign.name", "teach.import.outcome"].map((key) => t(key));
    return html`<h3>${t("teach.import.rows")}</h3>
        <${Table} caption=${t("teach.import.rows")} columns=${columns}>
            <tbody>${rows.map(({ line, email, name, outcome }) => html`<tr key=${line}>
                <th scope="row">${line}</th><td><bdi>${email}</bdi></td><td><bdi>${name}</bdi></td><td>${word("outcome", outcome)}</td>
            </tr>`)}</tbody>
        <//>`;
}
