// Changing the data of a dead letter before it is sent again, and what was sent before.
import { useRef, useState } from "../../vendor/vendor.js";
import { post, Problem } from "../api.js";
import { html } from "../html.js";
import { Act, Time, useKeyed } from "../parts.js";
import { to } from "../router.js";
import { user } from "../session.js";
import { t } from "../texts.js";
import { Confirm, Table } from "../forms.js";
import { indented } from "./json.js";

/** @typedef {import("@api").components["schemas"]["ListedDeadLetter"]} ListedDeadLetter */
/** @typedef {import("@api").components["schemas"]["ReplayedDeadLetter"]} Replayed */

/** @param {{ letter: ListedDeadLetter, data: string, sent: () => unknown }} props */
export function Repair({ letter, data, sent }) {
    const original = indented(data);
    const [text, setText] = useState(original);
    const [fault, setFault] = useState(/** @type {Problem | null} */ (null));
    const [checked, setChecked] = useState(/** @type {Replayed | null} */ (null));
    const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
    const once = useKeyed();
    const type = (now) => {
        setText(now);
        setFault(null);
        setChecked(null);
    };
    const body = { data: text };
    /** What is wrong with the data is said beside it. @param {() => Promise<unknown>} work */
    const guarded = async (work) => {
        setFault(null);
        try {
            await work();
        } catch (error) {
            if (!(error instanceof Problem) || error.status !== 422) throw error;
            setFault(error);
            setTimeout(() => point(field.current, error));
        }
    };
    const path = `/admin/dead-letters/${letter.id}/replay`;
    const check = () => guarded(async () => setChecked(await post(`${path}?dry_run=true&again=true`, body)));
    const send = () => guarded(async () => {
        const target = letter.replayed_at ? `${path}?again=true` : path;
        await once(`${letter.replayed_at} ${text}`, (key) => post(target, body, { key }));
        setChecked(null);
        await sent();
    });
    return html`<p class="field wide-field">
            <label for="event-data">${t("dead.edit")}</label>
            <textarea id="event-data" ref=${field} class="source" rows="14" dir="ltr" spellcheck=${false} value=${text} aria-invalid=${Boolean(fault)}
                aria-describedby="event-data-hint event-data-fault" onInput=${(event) => type(event.currentTarget.value)}></textarea>
            <small id="event-data-hint">${t("dead.edit.hint")}</small>
            <span id="event-data-fault" class="fault" role="alert">${fault && wordsOf(fault)}</span>
        </p>
        <div class="row">
            <${Act} act=${check}>${t("dead.check")}<//>
            <${Confirm} label=${t("dead.sendchanged")} title=${t("dead.sendchanged.question")} class="primary"
                disabled=${text === original} act=${send}>
                <p>${t("dead.meaning")}</p>
                ${letter.replayed_at && html`<p><label><input type="checkbox" required /> ${t("dead.again", { count: 1 })}</label></p>`}
            <//>
            <button type="button" class="plain" disabled=${text === original} onClick=${() => type(original)}>${t("dead.undo")}</button>
        </div>
        <div role="status">${checked && html`<p class="notice good">${t("dead.fits", { type: checked.event_type, topic: checked.topic })} ${changesOf(checked.changed)}</p>`}</div>`;
}

/** @param {string[]} names of members */
const changesOf = (names) => (names.length > 0 ? t("dead.changes", { names: names.join(", ") }) : t("dead.same"));

/** The member that a fault is in, if it is in one. @param {string} field as the API names it */
const memberOf = (field) => field.replace(/^data\.?/, "");

/** @param {Problem} fault */
function wordsOf({ errors, message }) {
    if (errors.length === 0) return message;
    return errors.map(({ field, detail }) => html`<span>${memberOf(field) && html`<code>${memberOf(field)}</code>: `}${detail} </span>`);
}

/** Shows where the fault is: at the member, if it is there. @param {HTMLTextAreaElement | null} field @param {Problem} fault */
function point(field, { errors }) {
    const name = memberOf(errors[0]?.field || "").split(/[.[]/).findLast((piece) => /^[a-z_]/i.test(piece));
    const at = name ? field?.value.indexOf(`"${name}"`) ?? -1 : -1;
    field?.focus();
    if (name && at >= 0) field?.setSelectionRange(at, at + name.length + 2);
}

/** @param {{ replays: import("@api").components["schemas"]["RecordedReplay"][] }} props newest first */
export function Replays({ replays }) {
    if (replays.length === 0) return null;
    const author = (id) => {
        if (!id) return t("users.command");
        return id === user.value?.id ? t("users.you") : html`<a href=${to("operate", "users", id)}>${t("users.another")}</a>`;
    };
    return html`<h3>${t("dead.history")}</h3>
        <${Table} caption=${t("dead.history")} columns=${[t("users.when"), t("users.who"), t("dead.changed")]}>
            <tbody>${replays.map(({ event_id, replayed_at, replayed_by, changed }) => html`<tr key=${event_id}>
                <th scope="row"><${Time} at=${replayed_at} /></th>
                <td>${author(replayed_by)}</td>
                <td>${changed.join(", ") || t("dead.nochange")}</td>
            </tr>`)}</tbody>
        <//>`;
}
