// Questions to the tutor and its answers, whichever view shows them.
import { effect, signal } from "../vendor/vendor.js";
import { call, Failed, get, keyed, newKey, post } from "./api.js";
import { settled } from "./runs.js";
import { user } from "./session.js";
import { listen } from "./socket.js";
import { t } from "./texts.js";

/** @typedef {import("@api").components["schemas"]["QueryResponse"]} Query */

/**
 * A question with its answer as far as it is there.
 * @typedef {object} Exchange
 * @property {string} key stays the same while it is shown
 * @property {string} [id] the question's, once it is accepted
 * @property {string} question
 * @property {string[]} [pieces] what was written so far
 * @property {import("@api").components["schemas"]["Answer"]} [answer]
 * @property {boolean} [isOld] whether it was answered before it was shown
 * @property {boolean | null} [helpful] one's own rating of the answer
 * @property {string | null} [agent]
 * @property {unknown} [error]
 * @property {() => void} [again]
 */

/** @type {import("../vendor/vendor.js").Signal<Exchange[]>} */
export const exchanges = signal([]);
/** What is typed and not sent yet; it outlives a change of the view. */
export const draft = signal("");
/** Why a conversation could not be opened. */
export const unopened = signal(/** @type {unknown} */ (undefined));
/** The conversation that the next question begins, until it has an id. */
const NEW = "new";
/** @type {import("../vendor/vendor.js").Signal<string | null>} */
const conversation = signal(null);

/** Where the conversation of this tab is kept, so that it is there again after a reload. */
const keptAt = () => `learnflow.conversation.${user.value?.id}`;

/** @param {string} id */
function converse(id) {
    if (conversation.value === id) return;
    conversation.value = id;
    sessionStorage.setItem(keptAt(), id);
}

effect(() => {
    if (user.value) return;
    exchanges.value = [];
    conversation.value = null;
    draft.value = "";
    unopened.value = undefined;
});

/** @param {string} key @param {Partial<Exchange>} change */
function update(key, change) {
    exchanges.value = exchanges.value.map((exchange) => (exchange.key === key ? { ...exchange, ...change } : exchange));
}

listen((frame) => {
    const known = exchanges.value.find(({ id }) => id && id === frame.query_id);
    if (!known) return;
    if (frame.type === "ai_delta" && frame.sequence !== undefined && !known.answer) {
        // A piece can come again, from an earlier one on.
        const pieces = [...(known.pieces || [])].slice(0, frame.sequence);
        pieces[frame.sequence] = frame.content;
        update(known.key, { pieces });
    }
    if (frame.type === "ai_response" && frame.answer) {
        update(known.key, { answer: frame.answer, agent: frame.agent, error: undefined });
    }
});

/**
 * A question with its answer, once that is there.
 * @param {{ id: string, status?: string, answer?: unknown }} begun
 * @returns {Promise<Query & { answer: import("@api").components["schemas"]["Answer"] }>}
 */
export function answered(begun) {
    const isIt = (frame) => frame.type === "ai_response" && frame.query_id === begun.id;
    return settled(begun, `/queries/${begun.id}`, isIt, (query) => {
        if (query.status === "failed") throw new Failed(t("chat.failed"));
        return query.answer ? query : undefined;
    });
}

/** Questions are accepted in order, so that the second one goes on with the conversation that the first one begins. */
let queue = Promise.resolve();

/**
 * Sends something to the tutor and shows the answer.
 * @param {string} question as it is shown
 * @param {string} path
 * @param {(place: string | null) => object} write the body, in a conversation
 */
async function send(question, path, write) {
    const shown = newKey();
    const once = keyed();
    const isQuestion = path === "/query";
    /** @type {object | undefined} */
    let body;
    /** @param {string} key */
    const accept = async (key) => {
        const place = conversation.value;
        body ??= write(place);
        // A question is accepted at once, since its answer comes in pieces.
        const begun = await post(path, body, { key, prefer: isQuestion ? "wait=0" : "wait=10" });
        update(shown, { id: begun.id });
        // Only questions begin conversations, and another one may have been opened meanwhile.
        const isPlace = conversation.value === place && (isQuestion || place !== NEW);
        if (isPlace && begun.conversation_id) converse(begun.conversation_id);
        return begun;
    };
    const attempt = async () => {
        update(shown, { error: undefined });
        try {
            const done = await once("", async (key) => {
                const next = () => accept(key);
                return answered(await (isQuestion ? (queue = queue.then(next, next)) : next()));
            });
            update(shown, { answer: done.answer, agent: done.agent });
        } catch (error) {
            update(shown, { error, again: attempt });
        }
    };
    exchanges.value = [...exchanges.value, { key: shown, question }];
    await attempt();
}

/** @typedef {{ code: string, error?: string | null }} Program a program and its last error */

/** @param {string} question @param {Program} [program] */
export function ask(question, { code, error } = { code: "" }) {
    const isSent = Boolean(code.trim());
    const body = { question, code: isSent ? code : undefined, error: (isSent && error) || undefined };
    return send(question, "/query", (place) => ({ ...body, ...(place === NEW ? { new_conversation: true } : { conversation_id: place || undefined }) }));
}

/** @param {Program} program */
export const askForHint = ({ code, error }) => send(t("chat.next"), "/debug", () => ({ code, error: error || undefined }));

/** @param {Program} program */
export const askForReview = ({ code }) => code.trim() && send(t("code.review"), "/reviews", () => ({ code }));

export function startAnew() {
    exchanges.value = [];
    unopened.value = undefined;
    converse(NEW);
}

/** Says whether an answer helped; a later rating replaces an earlier one. @param {Exchange} exchange @param {boolean} helpful */
export async function rate({ key, id }, helpful) {
    await call("PUT", `/queries/${id}/rating`, { body: { helpful } });
    update(key, { helpful });
}

/** Shows an earlier conversation. @param {string} id */
export async function open(id) {
    /** @type {import("@api").components["schemas"]["Conversation"]} */
    const found = await get(`/conversations/${id}`);
    converse(id);
    exchanges.value = found.exchanges.map(({ id, question, agent, answer, helpful }) => {
        return { key: id, id, question, agent, answer: answer || undefined, helpful, isOld: Boolean(answer) };
    });
    for (const exchange of found.exchanges) if (!exchange.answer) awaited(exchange);
}

/** Shows the answer to a question that has none yet. @param {Query} begun */
async function awaited(begun) {
    try {
        const { answer, agent } = await answered(begun);
        update(begun.id, { answer, agent });
    } catch (error) {
        update(begun.id, { error });
    }
}

/** Shows the conversation that this tab had before a reload. */
export async function reopen() {
    const kept = sessionStorage.getItem(keptAt());
    if (!kept || exchanges.value.length > 0) return;
    if (kept === NEW) {
        converse(NEW);
        return;
    }
    try {
        await open(kept);
        unopened.value = undefined;
    } catch (error) {
        // It may have been deleted.
        if (error instanceof Error && "status" in error && error.status === 404) sessionStorage.removeItem(keptAt());
        else unopened.value = error;
    }
}
