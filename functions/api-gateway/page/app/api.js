// Requests to the public API, as any other front end makes them.
import { token, renew, signedOut, user } from "./session.js";
import { t } from "./texts.js";

/** What the API says is wrong (RFC 9457), or that it cannot be reached. */
export class Problem extends Error {
    /**
     * @param {number} status 0 if there was no response
     * @param {Partial<import("@api").components["schemas"]["Problem"]>} body
     */
    constructor(status, body) {
        super(body.detail || t("problem.unknown", { status }));
        this.status = status;
        this.traceId = body.trace_id || undefined;
        this.errors = body.errors || [];
    }
}

/** How long a request may take: longer than the server waits for an answer. */
const LIMIT_MS = 20_000;

/**
 * @typedef {object} Options
 * @property {unknown} [body] sent as JSON; a string is sent as it is
 * @property {string} [key] the same key makes a repeated request count once
 * @property {string} [prefer] how long the server should wait for a result: `wait=5`
 * @property {string} [type] the media type of a body that is a string
 * @property {Record<string, string>} [headers] what else the server should know
 * @property {boolean} [keepalive] whether it goes on when the page is closed
 */

/**
 * Sends a request, renewing the session once if its token has expired.
 * @param {string} method
 * @param {string} path below `/api/v1`
 * @param {Options} [options]
 * @returns {Promise<Response>}
 */
export async function request(method, path, options = {}) {
    const account = user.value?.id;
    const response = await send(method, path, options);
    if (response.status !== 401 || !token.value) return response;
    if (!(await renew())) signedOut();
    // What one account has asked is never asked again for another.
    else if (user.value?.id === account) return send(method, path, options);
    return response;
}

/**
 * Sends a request and reads what comes.
 * @param {string} method @param {string} path @param {Options} [options]
 * @returns {Promise<any>} the body: JSON, or the text of another type
 */
export const call = async (method, path, options) => read(await request(method, path, options));

/** @param {string} path @param {Options} [options] */
export const get = (path, options) => call("GET", path, options);
/** @param {string} path @param {unknown} [body] @param {Options} [options] */
export const post = (path, body, options) => call("POST", path, { ...options, body: body ?? {} });

/** A new key for `Idempotency-Key`. (`randomUUID` exists only on pages that came over TLS or from this machine.) */
export const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** What was accepted and came to nothing, so that it has to be begun anew. */
export class Failed extends Error {}

/**
 * Sends what creates something under a key that stays the same while it is tried again, so that it counts once.
 * @returns {<T>(content: string, send: (key: string) => Promise<T>) => Promise<T>} `content` says what it is
 */
export function keyed() {
    /** @type {Map<string, string>} */
    const keys = new Map();
    return async (content, send) => {
        const key = keys.get(content) || newKey();
        keys.set(content, key);
        try {
            const done = await send(key);
            keys.delete(content);
            return done;
        } catch (error) {
            const isRefused = error instanceof Problem && error.status >= 400 && error.status < 500;
            if (isRefused || error instanceof Failed) keys.delete(content);
            throw error;
        }
    };
}

/**
 * @param {string} method @param {string} path @param {Options} options
 * @returns {Promise<Response>}
 */
export async function send(method, path, { body, key, prefer, type, headers: given, keepalive }) {
    /** @type {Record<string, string>} */
    const headers = { ...given };
    if (token.value) headers["Authorization"] = `Bearer ${token.value}`;
    if (body !== undefined) headers["Content-Type"] = type || "application/json";
    if (key) headers["Idempotency-Key"] = key;
    if (prefer) headers["Prefer"] = prefer;
    try {
        return await fetch(`api/v1${path}`, {
            method,
            headers,
            body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
            signal: AbortSignal.timeout(LIMIT_MS),
            cache: "no-store",
            keepalive,
        });
    } catch {
        throw new Problem(0, { code: "unreachable", detail: t("problem.unreachable") });
    }
}

/** @param {Response} response */
export async function read(response) {
    const isJson = (response.headers.get("Content-Type") || "").includes("json");
    let body;
    try {
        const text = await response.text();
        body = isJson && text ? JSON.parse(text) : text;
    } catch {
        throw new Problem(0, { code: "unreachable", detail: t("problem.unreachable") });
    }
    if (response.ok) return body;
    throw new Problem(response.status, typeof body === "object" ? body : {});
}
