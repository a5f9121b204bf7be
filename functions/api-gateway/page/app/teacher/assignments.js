// What a class is to do, and how far everybody is.
import { useState } from "../../vendor/vendor.js";
import { Choice, Confirm, Form, Table } from "../forms.js";
import { call, get, post } from "../api.js";
import { html } from "../html.js";
import { Act, Before, Empty, Fault, Field, Loading, Time, useKeyed, useLoaded, usePages } from "../parts.js";
import { go, path, to } from "../router.js";
import { t } from "../texts.js";
import { TopicLink, useTopics } from "../topics.js";
import { StudentLink, word } from "./shared.js";

/** The states in the order in which they are shown, with the look of their tags. */
const STATES = { solved: "good", tried: "", not_begun: "", late: "bad" };

export function Assignments({ id }) {
    const chosen = path.value[3];
    if (chosen) return html`<${Assignment} key=${chosen} id=${id} assignment=${chosen} />`;
    return html`<${List} id=${id} />`;
}

function List({ id }) {
    const { more, ...list } = usePages(`/classes/${id}/assignments`);
    const [note, setNote] = useState("");
    const done = async (title) => {
        setNote(t("teach.assign.done", { title }));
        await list.again();
    };
    const states = Object.keys(STATES);
    const columns = [t("teach.assignment"), t("teach.due"), ...states.map((state) => word("state", state))];
    return html`<h2>${t("teach.tab.assignments")}</h2>
        <${Before} of=${list} empty=${t("teach.assignments.empty")} />
        ${list.items && list.items.length > 0 && html`<${Table} caption=${t("teach.tab.assignments")} columns=${columns}>
            <tbody>${list.items.map((one) => html`<tr key=${one.id}>
                <th scope="row"><a href=${to("classes", id, "assignments", one.id)}>${titleOf(one)}</a></th>
                <td><${Due} at=${one.due_at} /></td>
                ${states.map((state) => html`<td>${one.states[state]}</td>`)}
            </tr>`)}</tbody>
        <//>`}
        ${more}
        <h2>${t("teach.assign")}</h2>
        <p role="status">${note}</p>
        <${NewAssignment} key=${note} id=${id} done=${done} />`;
}

const titleOf = ({ exercise_id, title }) => (exercise_id ? title : t("teach.assignment.topic", { title }));
const Due = ({ at }) => (at ? html`<${Time} at=${at} />` : t("teach.due.none"));

function NewAssignment({ id, done }) {
    const topics = useTopics();
    const [topic, setTopic] = useState("");
    const [exercise, setExercise] = useState("");
    const [due, setDue] = useState("");
    const exercises = useLoaded(() => (topic ? exercisesOf(topic) : Promise.resolve([])), topic);
    const once = useKeyed();
    if (!topics.modules) return html`<${Loading} error=${topics.error} again=${topics.again} />`;
    const assign = async () => {
        const due_at = due ? new Date(due).toISOString() : undefined;
        const body = exercise ? { exercise_id: exercise, due_at } : { topic, due_at };
        done(titleOf(await once(JSON.stringify(body), (key) => post(`/classes/${id}/assignments`, body, { key }))));
    };
    const choose = (event) => {
        setTopic(event.currentTarget.value);
        setExercise("");
    };
    const choices = (exercises.data || []).map((one) => [one.id, `${one.title} (${t(`difficulty.${one.difficulty}`)})`]);
    return html`<${Form} act=${assign} button=${t("teach.assign.do")}>
        <p class="field">
            <label for="assign-topic">${t("progress.topic")}</label>
            <select id="assign-topic" required value=${topic} onChange=${choose}>
                <option value="">${t("teach.assign.choose")}</option>
                ${topics.modules.map(({ title, topics }) => html`<optgroup label=${title}>
                    ${topics.map((one) => html`<option value=${one.slug}>${one.title}</option>`)}
                </optgroup>`)}
            </select>
        </p>
        ${topic && !exercises.data && html`<${Loading} ...${exercises} />`}
        ${choices.length > 0 && html`<${Choice} name="exercise" label=${t("teach.exercise")} chosen=${exercise}
            options=${[["", t("teach.assign.any")], ...choices]} onChange=${(event) => setExercise(event.currentTarget.value)} />`}
        <${Field} name="due" type="datetime-local" label=${t("teach.due")} hint=${t("teach.due.hint")} value=${due}
            onInput=${(event) => setDue(event.currentTarget.value)} />
    <//>`;
}

/** All exercises of a topic: a list to choose from has no pages. @param {string} topic */
async function exercisesOf(topic) {
    const items = [];
    const params = new URLSearchParams({ topic });
    for (;;) {
        const page = await get(`/exercises?${params}`);
        items.push(...page.items);
        if (!page.next_cursor) return items;
        params.set("cursor", page.next_cursor);
    }
}

function Assignment({ id, assignment }) {
    const address = `/classes/${id}/assignments/${assignment}`;
    const { data, error, again } = useLoaded(() => get(address), address);
    if (!data) return html`<${Loading} error=${error} again=${again} />`;
    const title = titleOf(data);
    const remove = async () => {
        await call("DELETE", address);
        go(to("classes", id, "assignments"));
    };
    const columns = ["role.student", "teach.state", "teach.handedin", "teach.solved"].map((key) => t(key));
    return html`<p><a href=${to("classes", id, "assignments")}>${t("teach.assignments.all")}</a></p>
        <h2>${title}</h2>
        <p class="row">
            <${TopicLink} slug=${data.topic} />
            ${data.exercise_id && html`<a href=${to("exercises", data.exercise_id)}>${t("teach.exercise.open")}</a>`}
            <span>${t("teach.due")}: <${Due} at=${data.due_at} /></span>
        </p>
        <${Fault} error=${error} again=${again} />
        ${data.students.length === 0 ? html`<${Empty}>${t("teach.nobody")}<//>` : html`<${Table} caption=${title} columns=${columns}>
            <tbody>${data.students.map((one) => html`<tr key=${one.id}>
                <th scope="row"><${StudentLink} id=${one.id} name=${one.name} /></th>
                <td><span class=${`tag ${STATES[one.state] || ""}`}>${word("state", one.state)}</span></td>
                <td>${one.handed_in}</td>
                <td>${one.solved_at ? html`<${Time} at=${one.solved_at} />` : t("none")}</td>
            </tr>`)}</tbody>
        <//>`}
        <div class="row teach-below">
            <${Act} act=${again}>${t("teach.reload")}<//>
            <${Confirm} label=${t("teach.assignment.delete")} title=${title} act=${remove}><p>${t("teach.assignment.sure")}</p><//>
        </div>`;
}
