// What people do with their own account: its name, password, classes, notifications, sessions, data, and its end.
import { useEffect, useState } from "../vendor/vendor.js";
import { Choice, Confirm, Form, saveFile } from "./forms.js";
import { call, get, post, read, send } from "./api.js";
import { html } from "./html.js";
import { Act, Empty, Fault, Field, Loading, Time, Title, useKeyed, useLoaded } from "./parts.js";
import { changed, signOut, user } from "./session.js";
import { t } from "./texts.js";

/** @typedef {import("@api").components["schemas"]["Profile"]} Profile */
/** @typedef {import("@api").components["schemas"]["SubscriptionResponse"]} Subscription */
/** @typedef {import("@api").components["schemas"]["OwnExport"]} OwnExport */

const POLL_MS = 2_000;
const CHANNELS = ["in_app", "digest", "email", "email_digest", "webhook", "sns"];
/** What has an address outside of LearnFlow. */
const WITH_TARGET = ["webhook", "sns"];
const SEVERITIES = ["low", "medium", "high"];

export function AccountView() {
    const sessions = useLoaded(() => get("/me/sessions"), "");
    const profile = user.value;
    if (!profile) return null;
    return html`<${Title}>${t("account.title")}<//>
        <p><bdi>${profile.email}</bdi> · ${t(`role.${profile.role}`)}</p>
        <div class="account">
            <${Person} profile=${profile} />
            ${profile.role === "student" && html`<${Classes} />`}
            <${Settings} zone=${profile.time_zone} />
            <${Subscriptions} />
            <${Password} email=${profile.email} done=${sessions.again} />
            <${Sessions} sessions=${sessions} />
            <${Export} />
            <${Erasure} />
        </div>`;
}

/** @param {{ profile: Profile }} props */
function Person({ profile }) {
    const zones = [...new Set([profile.time_zone, "UTC", ...Intl.supportedValuesOf("timeZone")])].sort();
    const save = async (form) => {
        const body = { display_name: form.get("display_name"), time_zone: form.get("time_zone") };
        changed(await call("PATCH", "/me", { body }));
    };
    return html`<section class="card"><h2>${t("account.person")}</h2>
        <${Form} act=${save} button=${t("save")} done=${t("account.saved")}>
            <${Field} label=${t("account.name")} hint=${t("sign.name.hint")} name="display_name" defaultValue=${profile.display_name}
                required maxlength="100" autocomplete="name" />
            <${Choice} label=${t("account.zone")} name="time_zone" chosen=${profile.time_zone} options=${zones.map((zone) => [zone, zone.replaceAll("_", " ")])} />
        <//>
    </section>`;
}

/** @param {{ email: string, done: () => unknown }} props */
function Password({ email, done }) {
    const change = async (data, form) => {
        await post("/me/password", { current_password: data.get("old"), new_password: data.get("new") });
        form.reset();
        done();
    };
    return html`<section class="card"><h2>${t("account.password")}</h2>
        <${Form} act=${change} button=${t("account.password")} done=${t("account.password.done")}>
            <input type="text" hidden readonly autocomplete="username" value=${email} />
            <${Field} label=${t("account.password.old")} name="old" type="password" required autocomplete="current-password" />
            <${Field} label=${t("account.password.new")} hint=${t("sign.password.hint")} name="new" type="password"
                required minlength="8" maxlength="128" autocomplete="new-password" />
        <//>
    </section>`;
}

function Classes() {
    const { data, error, again } = useLoaded(() => get("/me/classes"), "");
    const join = async (form, element) => {
        await post("/classes/join", { code: form.get("code") });
        element.reset();
        await again();
    };
    const leave = async (id) => {
        await call("DELETE", `/me/classes/${id}`);
        await again();
    };
    return html`<section class="card"><h2>${t("account.classes")}</h2>
        ${data ? html`<${Fault} error=${error} />` : html`<${Loading} error=${error} again=${again} />`}
        ${data?.length === 0 && html`<${Empty}>${t("account.noclass")}<//>`}
        <ul class="plain">${data?.map(({ id, name, teachers }) => html`<li key=${id}>
            <span><bdi>${name}</bdi><small class="quiet">${t("account.taught")} <bdi>${teachers.join(", ")}</bdi></small></span>
            <${Confirm} label=${t("account.leave")} title=${t("account.leave.question", { name })} act=${() => leave(id)}>
                <p>${t("account.leave.meaning")}</p>
            <//>
        </li>`)}</ul>
        <${Form} act=${join} button=${t("account.join")} done=${t("account.joined")}>
            <${Field} label=${t("account.code")} hint=${t("account.code.hint")} name="code" required autocomplete="off" autocapitalize="characters" />
        <//>
    </section>`;
}

/** @param {{ zone: string }} props */
function Settings({ zone }) {
    /** @type {{ data: import("@api").components["schemas"]["Preferences"] | undefined, error: unknown, again: () => Promise<void> }} */
    const { data, error, again } = useLoaded(() => get("/notifications/settings"), "");
    const [isQuiet, setQuiet] = useState(/** @type {boolean | undefined} */ (undefined));
    if (!data) return html`<section class="card"><h2>${t("account.notifications")}</h2><${Loading} error=${error} again=${again} /></section>`;
    const hours = isQuiet ?? Boolean(data.quiet_hours);
    const save = (form) => {
        const quiet_hours = hours ? { from: form.get("from"), to: form.get("to") } : null;
        return call("PUT", "/notifications/settings", { body: { time_zone: zone, quiet_hours, digest_at: form.get("digest_at") } });
    };
    return html`<section class="card"><h2>${t("account.notifications")}</h2>
        <${Form} act=${save} button=${t("save")} done=${t("account.saved")}>
            <p><label class="row">
                <input type="checkbox" checked=${hours} onChange=${(event) => setQuiet(event.currentTarget.checked)} /> ${t("account.quiet")}
            </label><small class="quiet">${t("account.quiet.hint")}</small></p>
            ${hours && html`<div class="pair">
                <${Field} label=${t("account.from")} name="from" type="time" required defaultValue=${data.quiet_hours?.from || "22:00"} />
                <${Field} label=${t("account.to")} name="to" type="time" required defaultValue=${data.quiet_hours?.to || "07:00"} />
            </div>`}
            <${Field} label=${t("account.digest")} hint=${t("account.digest.hint")} name="digest_at" type="time" required defaultValue=${data.digest_at} />
        <//>
    </section>`;
}

function Subscriptions() {
    /** @type {{ data: Subscription[] | undefined, error: unknown, again: () => Promise<void> }} */
    const { data, error, again } = useLoaded(() => get("/notifications/subscriptions"), "");
    const [secret, setSecret] = useState("");
    const end = async (id) => {
        await call("DELETE", `/notifications/subscriptions/${id}`);
        await again();
    };
    const renewed = async (id) => setSecret((await post(`/notifications/subscriptions/${id}/secret`)).secret);
    const added = (made) => {
        setSecret(made.secret || "");
        return again();
    };
    return html`<section class="card"><h2>${t("account.subscriptions")}</h2>
        <p class="quiet">${t("account.subscriptions.lead")}</p>
        <div role="status">${secret && html`<${Secret} secret=${secret} close=${() => setSecret("")} />`}</div>
        ${data ? html`<${Fault} error=${error} />` : html`<${Loading} error=${error} again=${again} />`}
        <ul class="plain">${data?.map((one) => html`<li key=${one.id}>
            <${SubscriptionText} one=${one} />
            <div class="row">
                ${one.channel === "webhook" && html`<${Confirm} label=${t("account.secret.new")} title=${t("account.secret.question")} act=${() => renewed(one.id)}>
                    <p>${t("account.secret.meaning")}</p>
                <//>`}
                <${Confirm} label=${t("account.delete")} title=${t("account.delete.question")} act=${() => end(one.id)}>
                    <p>${t("account.delete.meaning")}</p>
                <//>
            </div>
        </li>`)}</ul>
        <${NewSubscription} added=${added} />
    </section>`;
}

/** @param {{ one: Subscription }} props */
function SubscriptionText({ one }) {
    const state = one.disabled_at ? "off" : one.failures > 0 ? "failing" : "on";
    const look = { off: "bad", failing: "warn", on: "good" }[state];
    const classes = one.filter.classes?.length;
    return html`<span>${t(`channel.${one.channel}`)} <span class=${`tag ${look}`}>${t(`subscription.${state}`)}</span>
        ${one.target && html`<small class="quiet"><bdi>${one.target}</bdi></small>`}
        <small class="quiet">${t(`subscription.${one.filter.min_severity || "low"}`)}</small>
        ${classes ? html`<small class="quiet">${t("subscription.classes", { count: classes })}</small>` : null}
        ${state === "failing" && html`<small>${t("subscription.failures", { count: one.failures })} ${one.retry_at && html`${t("subscription.retry")} <${Time} at=${one.retry_at} />`}</small>`}
        ${one.disabled_at && html`<small><${Time} at=${one.disabled_at} />: ${one.disabled_reason}</small>`}</span>`;
}

/** @param {{ added: (made: import("@api").components["schemas"]["SubscriptionMade"]) => unknown }} props */
function NewSubscription({ added }) {
    const [channel, setChannel] = useState("digest");
    const once = useKeyed();
    const hasTarget = WITH_TARGET.includes(channel);
    const add = async (form, element) => {
        const body = { channel, target: form.get("target") ?? undefined, filter: { min_severity: form.get("severity") } };
        await added(await once(JSON.stringify(body), (key) => post("/notifications/subscriptions", body, { key })));
        const target = element.elements.namedItem("target");
        if (target) target.value = "";
    };
    return html`<details><summary>${t("account.subscribe.open")}</summary>
        <${Form} act=${add} button=${t("account.subscribe")} done=${t("account.subscribed")}>
            <${Choice} label=${t("account.channel")} name="channel" chosen=${channel} options=${CHANNELS.map((name) => [name, t(`channel.${name}`)])}
                onChange=${(event) => setChannel(event.currentTarget.value)} hint=${t(`channel.${channel}.hint`)} />
            ${hasTarget && html`<${Field} key=${channel} label=${t(`account.target.${channel}`)} name="target" required dir="ltr" autocomplete="off" spellcheck=${false}
                type=${channel === "webhook" ? "url" : "text"} placeholder=${channel === "webhook" ? "https://" : "arn:aws:sns:"} />`}
            <${Choice} label=${t("account.severity")} name="severity" options=${SEVERITIES.map((name) => [name, t(`subscription.${name}`)])} />
        <//>
    </details>`;
}

/** @param {{ secret: string, close: () => void }} props */
function Secret({ secret, close }) {
    return html`<div class="notice warn">
        <p>${t("account.secret")}</p>
        <p><code class="secret">${secret}</code></p>
        <div class="row">
            ${navigator.clipboard && html`<${Act} act=${() => navigator.clipboard.writeText(secret)}>${t("account.copy")}<//>`}
            <button type="button" onClick=${close}>${t("close")}</button>
        </div>
    </div>`;
}

/** @param {{ sessions: { data: any, error: unknown, again: () => Promise<void> } }} props */
function Sessions({ sessions: { data, error, again } }) {
    const end = async (path) => {
        await call("DELETE", path);
        await again();
    };
    /** @type {import("@api").components["schemas"]["OwnSession"][]} */
    const items = data?.items || [];
    return html`<section class="card"><h2>${t("account.sessions")}</h2>
        ${data ? html`<${Fault} error=${error} />` : html`<${Loading} error=${error} again=${again} />`}
        <ul class="plain">${items.map((one) => html`<li key=${one.id}>
            <span>${device(one.user_agent || "")} ${one.current && html`<span class="tag good">${t("account.this")}</span>`}
                <small class="quiet">${t("account.since")} <${Time} at=${one.created_at} /></small>
                <small class="quiet">${t("account.used")} <${Time} at=${one.last_used_at} /></small></span>
            ${!one.current && html`<div><${Act} act=${() => end(`/me/sessions/${one.id}`)} aria-label=${t("account.end.one", { name: device(one.user_agent || "") })}>${t("account.end")}<//></div>`}
        </li>`)}</ul>
        ${items.some(({ current }) => !current) && html`<div class="row"><${Act} act=${() => end("/me/sessions")}>${t("account.endall")}<//></div>`}
    </section>`;
}

/** What a browser calls itself, and what that means; more special names come first. */
const BROWSERS = { Firefox: "Firefox", Edg: "Edge", OPR: "Opera", Chrome: "Chrome", Safari: "Safari" };
const SYSTEMS = { Android: "Android", iPhone: "iPhone", iPad: "iPad", Windows: "Windows", CrOS: "ChromeOS", "Mac OS": "macOS", Linux: "Linux" };

/** @param {string} agent */
function device(agent) {
    const browser = Object.entries(BROWSERS).find(([mark]) => agent.includes(`${mark}/`))?.[1];
    const system = Object.entries(SYSTEMS).find(([mark]) => agent.includes(mark))?.[1];
    if (!browser || !system) return agent.slice(0, 40) || t("account.unknown");
    return t("account.browser", { browser, system });
}

function Export() {
    /** @type {{ data: import("@api").components["schemas"]["OwnExports"] | undefined, error: unknown, again: () => Promise<void> }} */
    const { data, error, again } = useLoaded(() => get("/me/exports"), "");
    const isPending = data?.items.some(({ state }) => state === "pending");
    useEffect(() => {
        if (!isPending) return undefined;
        const timer = setInterval(again, POLL_MS);
        return () => clearInterval(timer);
    }, [isPending]);
    const request = async () => {
        await post("/me/exports");
        await again();
    };
    const [latest] = data?.items || [];
    return html`<section class="card"><h2>${t("account.export")}</h2>
        <p>${t("account.export.lead")}</p>
        <p class="hidden" role="status">${latest && exportState(latest)}</p>
        ${data ? html`<${Fault} error=${error} again=${again} />` : html`<${Loading} error=${error} again=${again} />`}
        <ul class="plain">${data?.items.map((one) => html`<${Exported} key=${one.id} one=${one} />`)}</ul>
        ${!isPending && html`<div class="row"><${Act} act=${request}>${t(latest ? "account.export.again" : "account.export.start")}<//></div>`}
    </section>`;
}

/** How far an export is, in words. @param {OwnExport} one */
const exportState = ({ state, failure, bytes }) => t(`export.${state}`, { reason: failure, kb: Math.ceil((bytes || 0) / 1024) });

/** @param {{ one: OwnExport }} props */
function Exported({ one }) {
    return html`<li>
        <span>${exportState(one)}
            <small class="quiet">${t("export.requested")} <${Time} at=${one.requested_at} /></small>
            <small class="quiet">${t("export.expires")} <${Time} at=${one.expires_at} /></small></span>
        ${one.state === "ready" && html`<div><${Act} act=${() => download(one.id)}>${t("account.download")}<//></div>`}
    </li>`;
}

/** A link would not send the token. @param {string} id */
async function download(id) {
    // It may have expired, and so may the token, which this renews.
    await get(`/me/exports/${id}`);
    const response = await send("GET", `/me/exports/${id}/download`, {});
    if (!response.ok) await read(response);
    saveFile("learnflow-export.zip", await response.blob());
}

function Erasure() {
    const erase = async (form) => {
        await call("DELETE", "/me", { body: { password: form.get("password") || undefined } });
        // What was kept in this browser for the account goes, too.
        for (const key of Object.keys(localStorage)) {
            if (key.startsWith("learnflow.") && key.includes(String(user.value?.id))) localStorage.removeItem(key);
        }
        await signOut(true);
    };
    return html`<section class="card"><h2>${t("account.erase")}</h2>
        <p>${t("account.erase.lead")}</p>
        <div class="row"><${Confirm} label=${t("account.erase")} title=${t("account.erase.question")} act=${erase}>
            <p class="notice bad">${t("account.erase.meaning")}</p>
            <${Field} label=${t("sign.password")} hint=${t("account.erase.password")} name="password" type="password" autocomplete="current-password" />
        <//></div>
    </section>`;
}
