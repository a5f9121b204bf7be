// What people are still writing: kept in this browser with each key, and by the server for their other devices.
//
// The server's text is replaced only where this browser has seen it. Where both have changed, their author chooses.
import { signal, useEffect, useRef } from "../vendor/vendor.js";
import { Problem, read, request } from "./api.js";
import { html } from "./html.js";
import { Time } from "./parts.js";
import { leaving, user } from "./session.js";
import { t } from "./texts.js";

/** How long nothing was typed before a text is sent. */
const PAUSE_MS = 3_000;
/** When what could not be sent is tried again, at first and at last. */
const SOON_MS = 10_000;
const SLOWEST_MS = 5 * 60_000;
/** Bytes that browsers still send for a page that is closed, less some for what is around the text. */
const LAST_BYTES = 60_000;

/** @typedef {import("@api").components["schemas"]["Draft"]} Stored */
/** @typedef {{ text: string, tag: string | undefined, at: string }} Other the text that another device has left */
/** @typedef {"" | "saving" | "saved" | "here" | "nowhere"} State where the text is kept */

/** Whether the server has another text for now. @param {State} state */
const isAlone = (state) => state === "here" || state === "nowhere";

/** What is kept in this browser. @param {string} place @returns {{ text?: string, base?: string, tag?: string, sent?: string }} */
function kept(place) {
    try {
        return JSON.parse(localStorage.getItem(place) || "{}");
    } catch {
        return {};
    }
}

/** A text of one account. */
class Draft {
    /** @param {string} owner @param {string} key as the API names it @param {string} first what is there before anything is written */
    constructor(owner, key, first) {
        this.owner = owner;
        this.path = `/drafts/${key}`;
        this.place = `learnflow.draft.${owner}.${key}`;
        this.first = first;
        const { text, base, tag, sent } = kept(this.place);
        this.text = signal(text ?? first);
        // What the server had when this browser last heard of it, and what was sent there since, maybe without success.
        this.base = base;
        this.tag = tag;
        this.sent = sent;
        /** @type {import("../vendor/vendor.js").Signal<Other | null>} */
        this.other = signal(null);
        /** The text that was not chosen. */
        /** @type {import("../vendor/vendor.js").Signal<string | null>} */
        this.aside = signal(null);
        this.state = signal(/** @type {State} */ (""));
        /** Views that show it. */
        this.views = 0;
        this.failures = 0;
        this.isBusy = false;
        this.isAskedAgain = false;
        this.isToRead = false;
        this.isHere = true;
        /** @type {ReturnType<typeof setTimeout> | undefined} */
        this.timer = undefined;
    }

    get isChanged() {
        return this.text.value !== (this.base ?? this.first);
    }

    /** Somebody else may have signed in since. */
    get isMine() {
        return user.value?.id === this.owner;
    }

    /** @param {string} text what its author has made of it @param {string} [before] what they have made it of */
    write(text, before = this.text.value) {
        if (text === this.text.value) return;
        // A text that has just come from another device was not seen by who typed in this moment.
        if (before !== this.text.value && this.text.value === this.base) {
            this.base = before;
            this.tag = undefined;
        }
        this.text.value = text;
        this.store();
        if (!isAlone(this.state.value)) this.state.value = "saving";
        this.plan(PAUSE_MS);
    }

    store() {
        const { text, base, tag, sent } = this;
        try {
            // A first text may be another one in a later version.
            if (base === undefined && !this.isChanged) localStorage.removeItem(this.place);
            else localStorage.setItem(this.place, JSON.stringify({ text: text.value, base, tag, sent }));
            this.isHere = true;
        } catch {
            // A full or forbidden storage costs the copy, not the work.
            this.isHere = false;
        }
    }

    /** @param {number} wait */
    plan(wait) {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.meet(), wait);
    }

    /** Looks for what other devices have written, too. */
    look() {
        this.isToRead = true;
        return this.meet();
    }

    /** Makes this browser and the server have the same, if nobody has to be asked. One request at a time. */
    async meet() {
        if (!this.isMine) return;
        this.isAskedAgain = this.isBusy;
        if (this.isBusy) return;
        clearTimeout(this.timer);
        this.isBusy = true;
        try {
            // Nobody knows what became of a request that failed.
            if (this.isToRead || this.sent !== undefined) await this.read();
            if (this.isMine && this.isChanged && !this.other.value) await this.send();
            this.failures = 0;
            this.settle(Boolean(this.other.value));
        } catch (error) {
            this.settle(true);
            this.tryAgain(error);
        }
        this.isBusy = false;
        if (this.isAskedAgain) this.plan(PAUSE_MS);
    }

    /** Says where the text is kept. @param {boolean} isAlone whether the server does not get what was changed for now */
    settle(isAlone) {
        if (!this.isChanged) this.state.value = this.base === undefined ? "" : "saved";
        else if (isAlone) this.state.value = this.isHere ? "here" : "nowhere";
    }

    /** @param {unknown} error */
    tryAgain(error) {
        const passes = error instanceof Problem && (error.status === 0 || error.status === 429 || error.status >= 500);
        if (passes) this.plan(Math.min(SLOWEST_MS, SOON_MS * 2 ** this.failures++) * (0.5 + Math.random() / 2));
    }

    async read() {
        const response = await request("GET", this.path, { headers: this.tag ? { "If-None-Match": this.tag } : {} });
        if (response.status !== 404 && response.status !== 304) this.compare(await read(response), tagOf(response));
        else if (response.status === 404) this.agree(undefined, undefined);
        else this.agree(this.base, this.tag);
        this.isToRead = false;
    }

    /** @param {Stored} stored @param {string | undefined} tag */
    compare({ text, updated_at }, tag) {
        if (!this.isMine) return;
        // What this browser has sent is no news, also if it never heard that it had arrived.
        const isKnown = text === this.text.value || text === this.sent || tag === this.tag;
        if (!isKnown && this.isChanged) {
            this.other.value = { text, tag, at: updated_at };
            return;
        }
        if (!isKnown) this.text.value = text;
        this.agree(text, tag);
    }

    /** Both have had this text. @param {string | undefined} text @param {string | undefined} tag */
    agree(text, tag) {
        if (!this.isMine) return;
        this.base = text;
        this.tag = tag;
        this.sent = undefined;
        this.other.value = null;
        this.store();
    }

    async send() {
        const text = this.text.value;
        this.sent = text;
        this.store();
        const response = await request("PUT", this.path, {
            body: { text },
            headers: this.tag ? { "If-Match": this.tag } : { "If-None-Match": "*" },
            keepalive: new Blob([text]).size < LAST_BYTES,
        });
        if (response.status === 412) {
            await this.read();
            if (!this.other.value) this.isAskedAgain = true;
            return;
        }
        await read(response);
        this.agree(text, tagOf(response));
    }

    /** Chooses the text of the other device, or else the one that is here. @param {boolean} isTheirs */
    choose(isTheirs) {
        const other = this.other.value;
        if (!other) return;
        this.aside.value = isTheirs ? this.text.value : other.text;
        this.agree(other.text, other.tag);
        if (isTheirs) this.write(other.text);
        this.meet();
    }

    /** Puts the text that was not chosen in the place of the other. */
    swap() {
        const text = this.text.value;
        this.write(this.aside.value ?? text);
        this.aside.value = text;
    }
}

/** @param {Response} response */
const tagOf = (response) => response.headers.get("ETag") || undefined;

/** Those of the account that is signed in. @type {Map<string, Draft>} */
const drafts = new Map();
let owner = "";

/** A draft of whoever is signed in. @param {string} key @param {string} first what is there before anything is written */
export function draftOf(key, first) {
    // They stay while nobody is signed in, for who comes back.
    const account = user.value?.id || owner;
    if (account !== owner) {
        for (const draft of drafts.values()) clearTimeout(draft.timer);
        drafts.clear();
        owner = account;
    }
    const found = drafts.get(key) || new Draft(account, key, first);
    drafts.set(key, found);
    return found;
}

const sendAll = () => Promise.all([...drafts.values()].map((draft) => draft.isChanged && draft.meet()));
const lookAgain = () => drafts.forEach((draft) => (draft.views > 0 ? draft.look() : draft.isChanged && draft.meet()));

leaving.add(sendAll);
addEventListener("online", lookAgain);
document.addEventListener("visibilitychange", () => (document.hidden ? sendAll() : lookAgain()));

/** A draft that a view shows. @param {string} key @param {string} first */
export function useDraft(key, first) {
    const draft = draftOf(key, first);
    useEffect(() => {
        draft.views++;
        draft.look();
        return () => {
            draft.views--;
        };
    }, [draft]);
    return draft;
}

/** Where a draft is kept. Only what lasts is said aloud, and only when it is something else. @param {{ draft: Draft }} props */
export function DraftState({ draft }) {
    const state = draft.state.value;
    const said = useRef("");
    if (state !== "saving") said.current = state;
    const words = (state) => state && t(`draft.${state}`);
    return html`<span class="quiet" aria-hidden="true">${words(state)}</span>
        <span class="hidden" role="status">${words(said.current)}</span>`;
}

/** The choice between what was written here and elsewhere, and the way back from it. @param {{ draft: Draft }} props */
export function DraftChoice({ draft }) {
    const place = useRef(/** @type {HTMLElement | null} */ (null));
    const [other, aside] = [draft.other.value, draft.aside.value];
    const act = (work) => () => {
        work();
        // The button is gone then.
        place.current?.focus();
    };
    const button = (text, work) => html`<button type="button" onClick=${act(work)}>${t(text)}</button>`;
    return html`<div ref=${place} tabindex="-1" class=${other || aside !== null ? "notice" : ""}>
        <div role="status">${other
            ? html`<p>${t("draft.both")} <${Time} at=${other.at} /></p>`
            : aside !== null && html`<p>${t("draft.aside")}</p>`}</div>
        ${other && html`<details><summary>${t("draft.theirs")}</summary><pre tabindex="0">${other.text}</pre></details>
            <div class="row">${button("draft.take", () => draft.choose(true))}${button("draft.keep", () => draft.choose(false))}</div>`}
        ${!other && aside !== null && html`<div class="row">
            ${button("draft.swap", () => draft.swap())}${button("close", () => (draft.aside.value = null))}
        </div>`}
    </div>`;
}
