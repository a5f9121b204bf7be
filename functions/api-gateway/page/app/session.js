// Who is signed in. The access token is only in memory; the refresh token is in a cookie that no script can read.
import { signal } from "../vendor/vendor.js";
import { Problem, read, send } from "./api.js";
import { t } from "./texts.js";

/** @typedef {import("@api").components["schemas"]["Profile"]} Profile */

/** @type {import("../vendor/vendor.js").Signal<string>} */
export const token = signal("");
/** Null if nobody is signed in, undefined until that is known. */
/** @type {import("../vendor/vendor.js").Signal<Profile | null | undefined>} */
export const user = signal(undefined);
/** Whether the session ended by itself, so that the reason can be shown. */
export const ended = signal(false);

/** Whether the server does not know that somebody has signed out. */
export const unreached = signal(false);

/** What sends what is not sent yet, before its author is gone. */
/** @type {Set<() => Promise<unknown>>} */
export const leaving = new Set();
/** How long somebody who signs out may wait for that. */
const LEAVE_MS = 2_000;

/** Whether this browser may have a session, so that nobody is asked for one in vain. */
const MARK = "learnflow.signed-in";

/** @param {any} session */
function begin(session) {
    // Somebody else has signed in, in another tab: nothing of the one before may stay, or be sent for them.
    if (user.value && user.value.id !== session.user.id) {
        location.reload();
        throw new Error(t("sign.another"));
    }
    token.value = session.access_token;
    user.value = session.user;
    ended.value = false;
    unreached.value = false;
    localStorage.setItem(MARK, "yes");
}

/** @param {string} email @param {string} password */
export async function signIn(email, password) {
    const body = { email, password, refresh_token_in: "cookie" };
    begin(await read(await send("POST", "/auth/login", { body })));
}

/** @param {string} email @param {string} password @param {string} name */
export async function register(email, password, name) {
    const body = { email, password, display_name: name, refresh_token_in: "cookie" };
    begin(await read(await send("POST", "/auth/register", { body })));
}

/** Continues the session that the cookie stands for, at the start and when its access token has expired. */
export async function resume() {
    if (!localStorage.getItem(MARK) || !(await renew())) user.value = null;
}

/** @type {Promise<any> | null} */
let renewing = null;

/** A new access token. */
export function renew() {
    renewing ??= alone(async () => {
        try {
            begin(await read(await send("POST", "/auth/refresh", { body: {} })));
            return true;
        } catch (error) {
            // Without a server nobody is signed out.
            if (error instanceof Problem && [401, 422].includes(error.status)) localStorage.removeItem(MARK);
            return false;
        } finally {
            renewing = null;
        }
    });
    return renewing;
}

/**
 * A refresh token works once, so all tabs of a browser wait for each other; where the browser has no locks, which is on
 * pages without TLS, two tabs that renew in the same moment may be signed out.
 * @param {() => Promise<boolean>} work
 * @returns {Promise<any>}
 */
const alone = (work) => (navigator.locks ? navigator.locks.request("learnflow.session", work) : work());

/** Forgets a session that has ended. */
export function signedOut() {
    if (localStorage.getItem(MARK)) return;
    ended.value = Boolean(user.value);
    token.value = "";
    user.value = null;
}

/** @param {boolean} [isErased] whether there is nothing left to be sent for */
export async function signOut(isErased = false) {
    const last = isErased ? [] : [...leaving].map((send) => send());
    await Promise.race([Promise.allSettled(last), new Promise((resolve) => setTimeout(resolve, LEAVE_MS))]);
    localStorage.removeItem(MARK);
    token.value = "";
    user.value = null;
    const response = await send("POST", "/auth/logout", { body: {} }).catch(() => undefined);
    unreached.value = !response?.ok;
}

/** @param {Profile} profile */
export function changed(profile) {
    user.value = profile;
}

/** The title of a role. @param {Profile["role"]} role */
export const roleName = (role) => t(`role.${role}`);
