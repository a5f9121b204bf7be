// Signing in and registering.
import { useState } from "../vendor/vendor.js";
import { Fault, Field, Start, Title, useWork } from "./parts.js";
import { html } from "./html.js";
import { ended, register, signIn, signOut, unreached } from "./session.js";
import { t } from "./texts.js";

/** The accounts that `cargo run` makes; they exist on nobody's server but one's own. */
const DEMO = ["student", "teacher", "admin"];

/** Whether this is somebody's own machine. */
const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(location.hostname);

export function SignInView() {
    const [isNew, setNew] = useState(false);
    const work = useWork((/** @type {() => Promise<void>} */ enter) => enter());
    /** @param {SubmitEvent} event */
    const submit = (event) => {
        event.preventDefault();
        const data = new FormData(/** @type {HTMLFormElement} */ (event.currentTarget));
        const value = (name) => String(data.get(name) || "");
        const [email, password] = [value("email"), value("password")];
        work.start(() => (isNew ? register(email, password, value("name")) : signIn(email, password)));
    };
    const demo = (role) => html`<button type="button" aria-disabled=${work.busy}
        onClick=${() => work.start(() => signIn(`${role}@example.org`, `learnflow-${role}`))}>${t(`role.${role}`)}</button>`;

    return html`<div class="sign">
        <p class="brand">LearnFlow</p>
        <${Title}>${t("sign.title")}<//>
        <p class="quiet">${t("sign.lead")}</p>
        ${ended.value && html`<p class="notice warn" role="status">${t("sign.ended")}</p>`}
        ${unreached.value && html`<div class="notice bad" role="alert"><p>${t("sign.unreached")}</p>
            <button type="button" onClick=${signOut}>${t("nav.signout")}</button></div>`}
        <form class="card" onSubmit=${submit}>
            ${isNew && html`<${Field} name="name" label=${t("sign.name")} hint=${t("sign.name.hint")} autocomplete="name" maxlength="100" required />`}
            <${Field} name="email" type="email" label=${t("sign.email")} autocomplete="username" maxlength="254" required />
            <${Field}
                name="password"
                type="password"
                label=${t("sign.password")}
                hint=${isNew ? t("sign.password.hint") : undefined}
                autocomplete=${isNew ? "new-password" : "current-password"}
                minlength=${isNew ? 8 : undefined}
                maxlength="128"
                required
            />
            <${Fault} error=${work.error} />
            <div class="row">
                <${Start} type="submit" class="primary" work=${work}>${t(isNew ? "sign.up" : "sign.in")}<//>
                <button type="button" class="plain" onClick=${() => setNew(!isNew)}>${t(isNew ? "sign.have" : "sign.new")}</button>
            </div>
        </form>
        ${isLocal && html`<p class="quiet bottom">${t("sign.demo")}</p><div class="demo">${DEMO.map(demo)}</div>`}
    </div>`;
}
