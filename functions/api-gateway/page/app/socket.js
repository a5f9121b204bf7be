// The WebSocket: what comes as it is made. It reconnects by itself and continues after the last message.
import { effect, signal } from "../vendor/vendor.js";
import { post } from "./api.js";
import { user } from "./session.js";

/** Whether it is open. */
export const online = signal(false);

/** @typedef {{ type: string, message_id: string, [field: string]: any }} Frame */

/** @type {Set<(frame: Frame) => void>} */
const listeners = new Set();
/** @type {WebSocket | null} */
let socket = null;
/** @type {string | undefined} */
let last;
let failures = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** Frames that API Gateway needs to keep a socket open. */
const PING_MS = 5 * 60_000;
/** The longest wait between two attempts to connect. */
const SLOWEST_MS = 20_000;

/** Calls `listener` for each frame. @param {(frame: Frame) => void} listener @returns {() => void} ends it */
export function listen(listener) {
    listeners.add(listener);
    return () => {
        listeners.delete(listener);
    };
}

/** The address of a path, as the server says in the page. @param {string} path @param {Record<string, string>} values */
function address(path, values) {
    const template = document.querySelector("meta[name=learnflow-sockets]")?.getAttribute("content") || "";
    // A page that came by TLS may not open a socket without.
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const safe = template.replace(/^wss?:/, (given) => (given === "ws:" ? scheme : given));
    const base = safe.includes("?") ? safe.replace("{path}", encodeURIComponent(path)) : safe.replace("{path}", path);
    return `${base}${base.includes("?") ? "&" : "?"}${new URLSearchParams(values)}`;
}

async function connect() {
    const account = user.value;
    if (!account) return;
    try {
        const { ticket } = await post("/ws/ticket");
        if (user.value?.id !== account.id) return;
        // A teacher's socket has the alerts, a student's the answers.
        const path = account.role === "student" ? `/ws/chat/${account.id}` : "/ws/alerts";
        open(new WebSocket(address(path, last ? { ticket, after: last } : { ticket })));
    } catch {
        if (user.value?.id === account.id) later();
    }
}

/** @param {WebSocket} opened */
function open(opened) {
    socket = opened;
    const pings = setInterval(() => opened.readyState === WebSocket.OPEN && opened.send('{"type":"ping"}'), PING_MS);
    opened.onopen = () => {
        online.value = true;
    };
    opened.onmessage = (message) => {
        const frame = JSON.parse(message.data);
        // One that comes was let in: the next lost connection is a new one.
        failures = 0;
        // Pieces and errors are not kept by the server, so it cannot continue after them.
        if (frame.type !== "ai_delta" && frame.type !== "error") last = frame.message_id;
        for (const listener of listeners) listener(frame);
    };
    opened.onclose = () => {
        clearInterval(pings);
        if (socket !== opened) return;
        socket = null;
        online.value = false;
        later();
    };
}

function later() {
    clearTimeout(timer);
    const wait = Math.min(SLOWEST_MS, 250 * 2 ** failures++) * (0.5 + Math.random() / 2);
    timer = setTimeout(connect, wait);
}

let owner = "";
effect(() => {
    const id = user.value?.id || "";
    if (id === owner) return;
    owner = id;
    clearTimeout(timer);
    const old = socket;
    socket = null;
    online.value = false;
    last = undefined;
    old?.close();
    if (id) connect();
});
