// A solution in shuffled pieces (a Parsons problem): put in order with buttons or the arrow keys, or by dragging.
import { useEffect, useRef, useState } from "../../vendor/vendor.js";
import { html } from "../html.js";
import { t } from "../texts.js";

/** @typedef {{ id: string, indent: number }} Placed */

const INDENT = "    ";
const DEEPEST = 8;

/** What a key does while a button of a piece has the focus. */
const KEYS = { ArrowUp: "up", ArrowDown: "down", ArrowRight: "indent", ArrowLeft: "outdent" };
const SIGNS = { up: "↑", down: "↓", outdent: "⇤", indent: "⇥", drop: "✕" };

/**
 * The pieces with one of them moved, or null if it cannot be moved so.
 * @param {Placed[]} placed @param {number} at @param {string} action
 * @returns {Placed[] | null}
 */
function moved(placed, at, action) {
    const piece = placed[at];
    if (!piece) return null;
    const others = placed.filter((_, index) => index !== at);
    if (action === "drop") return others;
    if (action === "up" || action === "down") {
        const to = action === "up" ? at - 1 : at + 1;
        return to < 0 || to >= placed.length ? null : others.toSpliced(to, 0, piece);
    }
    const indent = piece.indent + (action === "indent" ? 1 : -1);
    return indent < 0 || indent > DEEPEST ? null : others.toSpliced(at, 0, { ...piece, indent });
}

/**
 * @param {object} props
 * @param {import("@api").components["schemas"]["Parsons"]} props.given
 * @param {{ busy: boolean, start: (code: string) => void }} props.submit
 * @param {(code: string) => void} props.edit puts a program into the editor
 */
export function Pieces({ given, submit, edit }) {
    const [placed, setPlaced] = useState(/** @type {Placed[]} */ ([]));
    const [said, setSaid] = useState("");
    const root = useRef(/** @type {HTMLElement | null} */ (null));
    const focus = useRef("");
    useEffect(() => {
        // An element that moves in the document loses the focus.
        if (focus.current) /** @type {HTMLElement | null | undefined} */ (root.current?.querySelector(focus.current))?.focus();
        focus.current = "";
    });
    const text = (id) => given.blocks.find((block) => block.id === id)?.text || "";
    const line = ({ id, indent }) => text(id).split("\n").map((part) => INDENT.repeat(indent) + part).join("\n");
    const rest = given.blocks.filter(({ id }) => !placed.some((piece) => piece.id === id));
    const program = placed.map((piece) => `${line(piece)}\n`).join("");

    /** @param {string} id @param {number} at */
    const use = (id, at = placed.length) => {
        const others = placed.filter((piece) => piece.id !== id);
        const known = placed.find((piece) => piece.id === id);
        const to = Math.min(at, others.length);
        setPlaced(others.toSpliced(to, 0, known || { id, indent: others[to - 1]?.indent || 0 }));
        setSaid(t("practice.pieces.at", { line: to + 1, of: others.length + 1 }));
        const next = rest[rest.findIndex((piece) => piece.id === id) + 1] || rest.find((piece) => piece.id !== id);
        focus.current = next && !known ? `[data-use="${next.id}"]` : `[data-piece="${id}"] button`;
    };
    /** @param {string} id @param {string} action */
    const move = (id, action) => {
        const at = placed.findIndex((piece) => piece.id === id);
        const next = moved(placed, at, action);
        if (!next) {
            setSaid(t(`practice.pieces.no.${action}`));
            return;
        }
        setPlaced(next);
        const now = next.findIndex((piece) => piece.id === id);
        if (action === "drop") setSaid(t("practice.pieces.back"));
        else if (action === "up" || action === "down") setSaid(t("practice.pieces.at", { line: now + 1, of: next.length }));
        else setSaid(t("practice.pieces.level", { level: next[now]?.indent }));
        focus.current = action === "drop" ? `[data-use="${id}"]` : `[data-piece="${id}"] [data-act="${action}"]`;
    };
    const keys = (id) => (event) => {
        const action = KEYS[event.key];
        if (!action || (given.indented && action.endsWith("dent"))) return;
        event.preventDefault();
        move(id, action);
    };
    /** @param {(id: string) => void} act */
    const target = (act) => ({
        onDragOver: (event) => event.preventDefault(),
        onDrop: (event) => {
            event.preventDefault();
            event.stopPropagation();
            const id = event.dataTransfer.getData("text/plain");
            if (given.blocks.some((block) => block.id === id)) act(id);
        },
    });
    const drag = (id) => ({ draggable: true, onDragStart: (event) => event.dataTransfer.setData("text/plain", id) });
    const actions = given.indented ? ["up", "down", "drop"] : ["up", "down", "outdent", "indent", "drop"];
    const button = (piece) => (action) => html`<button type="button" data-act=${action} title=${t(`practice.pieces.${action}`)}
        aria-label=${t("practice.pieces.act", { action: t(`practice.pieces.${action}`), text: text(piece.id) })} onClick=${() => move(piece.id, action)}>${SIGNS[action]}</button>`;

    return html`<section ref=${root} class="pieces">
        <h2>${t("practice.pieces.title")}</h2>
        <p>${t("practice.pieces.how")} ${given.too_many > 0 && t("practice.pieces.many", { count: given.too_many })} ${!given.indented && t("practice.pieces.indents")}</p>
        <h3>${t("practice.pieces.rest")}</h3>
        <ul ...${target((id) => placed.some((piece) => piece.id === id) && move(id, "drop"))}>
            ${rest.map(({ id, text }) => html`<li key=${id} ...${drag(id)}><code dir="ltr">${text}</code>
                <span class="buttons"><button type="button" data-use=${id} aria-label=${t("practice.pieces.act", { action: t("practice.pieces.use"), text })} onClick=${() => use(id)}>${t("practice.pieces.use")}</button></span></li>`)}
            ${rest.length === 0 && html`<li class="quiet">${t("practice.pieces.all")}</li>`}
        </ul>
        <h3>${t("practice.pieces.own")}</h3>
        <ol ...${target((id) => use(id))}>
            ${placed.map((piece, at) => html`<li key=${piece.id} data-piece=${piece.id} onKeyDown=${keys(piece.id)} ...${drag(piece.id)} ...${target((id) => use(id, at))}>
                <code dir="ltr">${line(piece)}</code><span class="buttons">${actions.map(button(piece))}</span></li>`)}
            ${placed.length === 0 && html`<li class="quiet">${t("practice.pieces.none")}</li>`}
        </ol>
        <p class="hidden" role="status">${said}</p>
        <div class="toolbar">
            <button type="button" class="primary" disabled=${placed.length === 0} aria-busy=${submit.busy} aria-disabled=${submit.busy} onClick=${() => submit.start(program)}>${t("practice.pieces.submit")}</button>
            <button type="button" disabled=${placed.length === 0} onClick=${() => edit(program)}>${t("chat.put")}</button>
        </div>
    </section>`;
}
