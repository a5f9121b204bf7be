// A solution in shuffled pieces (a Parsons problem): put in order with buttons or the arrow keys, or by dragging.
import { useEffect, useRef, useState } from "../../vendor/vendor.js";
import { html } from "../html.js";
import { Start } from "../parts.js";
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

/** @typedef {import("@api").components["schemas"]["Parsons"]} Given */

/**
 * The pieces in the student's order, what was last done in words, and the ways to change it.
 * @param {Given} given
 */
function usePieces({ blocks }) {
    const [placed, setPlaced] = useState(/** @type {Placed[]} */ ([]));
    const [said, setSaid] = useState("");
    const root = useRef(/** @type {HTMLElement | null} */ (null));
    const focus = useRef("");
    useEffect(() => {
        // An element that moves in the document loses the focus.
        if (focus.current) /** @type {HTMLElement | null | undefined} */ (root.current?.querySelector(focus.current))?.focus();
        focus.current = "";
    });
    const rest = blocks.filter(({ id }) => !placed.some((piece) => piece.id === id));
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
        const next = moved(placed, placed.findIndex((piece) => piece.id === id), action);
        if (next) setPlaced(next);
        setSaid(next ? afterMove(next, id, action) : t(`practice.pieces.no.${action}`));
        if (next) focus.current = action === "drop" ? `[data-use="${id}"]` : `[data-piece="${id}"] [data-act="${action}"]`;
    };
    const isPlaced = (id) => placed.some((piece) => piece.id === id);
    return { placed, rest, said, root, use, move, isPlaced };
}

/** What a move did, in words. @param {Placed[]} placed @param {string} id @param {string} action */
function afterMove(placed, id, action) {
    const now = placed.findIndex((piece) => piece.id === id);
    if (action === "drop") return t("practice.pieces.back");
    if (action === "up" || action === "down") return t("practice.pieces.at", { line: now + 1, of: placed.length });
    return t("practice.pieces.level", { level: placed[now]?.indent });
}

/** What makes an element one that can be dragged. @param {string} id */
const draggable = (id) => ({ draggable: true, onDragStart: (event) => event.dataTransfer.setData("text/plain", id) });

/** What makes an element one that pieces can be dropped on. @param {Given} given @param {(id: string) => unknown} act */
const droppable = ({ blocks }, act) => ({
    onDragOver: (event) => event.preventDefault(),
    onDrop: (event) => {
        event.preventDefault();
        event.stopPropagation();
        const id = event.dataTransfer.getData("text/plain");
        if (blocks.some((block) => block.id === id)) act(id);
    },
});

/**
 * @param {object} props
 * @param {Given} props.given
 * @param {{ busy: boolean, start: (code: string) => void }} props.submit
 * @param {(code: string) => void} props.edit puts a program into the editor
 */
export function Pieces({ given, submit, edit }) {
    const pieces = usePieces(given);
    const { placed, said, root } = pieces;
    const text = (id) => given.blocks.find((block) => block.id === id)?.text || "";
    const indented = ({ id, indent }) => text(id).split("\n").map((part) => INDENT.repeat(indent) + part).join("\n");
    const program = placed.map((piece) => `${indented(piece)}\n`).join("");
    return html`<section ref=${root} class="pieces">
        <h2>${t("practice.pieces.title")}</h2>
        <p>${t("practice.pieces.how")} ${given.too_many > 0 && t("practice.pieces.many", { count: given.too_many })} ${!given.indented && t("practice.pieces.indents")}</p>
        <${Rest} given=${given} pieces=${pieces} />
        <h3>${t("practice.pieces.own")}</h3>
        <ol ...${droppable(given, (id) => pieces.use(id))}>
            ${placed.map((piece, at) => html`<${Piece} key=${piece.id} given=${given} pieces=${pieces} id=${piece.id} at=${at} text=${indented(piece)} />`)}
            ${placed.length === 0 && html`<li class="quiet">${t("practice.pieces.none")}</li>`}
        </ol>
        <p class="hidden" role="status">${said}</p>
        <div class="toolbar">
            <${Start} work=${submit} input=${[program]} class="primary" disabled=${placed.length === 0}>${t("practice.pieces.submit")}<//>
            <button type="button" disabled=${placed.length === 0} onClick=${() => edit(program)}>${t("chat.put")}</button>
        </div>
    </section>`;
}

/** The pieces to choose from. */
function Rest({ given, pieces: { rest, use, move, isPlaced } }) {
    const label = (text) => t("practice.pieces.act", { action: t("practice.pieces.use"), text });
    return html`<h3>${t("practice.pieces.rest")}</h3>
        <ul ...${droppable(given, (id) => isPlaced(id) && move(id, "drop"))}>
            ${rest.map(({ id, text }) => html`<li key=${id} ...${draggable(id)}>
                <code dir="ltr">${text}</code>
                <span class="buttons"><button type="button" data-use=${id} aria-label=${label(text)} onClick=${() => use(id)}>${t("practice.pieces.use")}</button></span>
            </li>`)}
            ${rest.length === 0 && html`<li class="quiet">${t("practice.pieces.all")}</li>`}
        </ul>`;
}

/** A piece in the student's order. */
function Piece({ given, pieces: { use, move }, id, at, text }) {
    const actions = given.indented ? ["up", "down", "drop"] : ["up", "down", "outdent", "indent", "drop"];
    const keys = (event) => {
        const action = KEYS[event.key];
        if (!actions.includes(action)) return;
        event.preventDefault();
        move(id, action);
    };
    const button = (action) => html`<button type="button" data-act=${action} title=${t(`practice.pieces.${action}`)}
        aria-label=${t("practice.pieces.act", { action: t(`practice.pieces.${action}`), text: text.trim() })} onClick=${() => move(id, action)}>${SIGNS[action]}</button>`;
    return html`<li data-piece=${id} onKeyDown=${keys} ...${draggable(id)} ...${droppable(given, (dropped) => use(dropped, at))}>
        <code dir="ltr">${text}</code><span class="buttons">${actions.map(button)}</span>
    </li>`;
}
