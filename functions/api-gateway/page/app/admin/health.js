// How the installation is, looked at again and again.
import { useEffect } from "../../vendor/vendor.js";
import { get } from "../api.js";
import { html } from "../html.js";
import { Fault, Loading, Time, useLoaded } from "../parts.js";
import { hasText, t } from "../texts.js";
import { Table } from "../forms.js";

/** @typedef {import("@api").components["schemas"]["InstallationHealth"]} InstallationHealth */

const AGAIN_MS = 10_000;
const LOOKS = { ok: "good", degraded: "warn", down: "bad" };

/** The title of a part or of work; those of later versions have only their name. @param {string} name */
const titled = (name) => (hasText(`health.${name}`) ? t(`health.${name}`) : name);

export function Health() {
    /** @type {{ data: InstallationHealth | undefined, error: unknown, again: () => Promise<void> }} */
    const { data, error, again } = useLoaded(() => get("/admin/health"), "");
    useEffect(() => {
        const look = () => {
            if (!document.hidden) again();
        };
        const timer = setInterval(look, AGAIN_MS);
        document.addEventListener("visibilitychange", look);
        return () => {
            clearInterval(timer);
            document.removeEventListener("visibilitychange", look);
        };
    }, []);
    if (!data) return html`<${Loading} error=${error} again=${again} />`;
    const troubled = data.features.filter(({ state }) => state !== "ok").map(({ name }) => titled(name));
    // Only the sentence is announced, and it changes only with a state.
    return html`<div class=${`notice ${LOOKS[data.state]}`} role="status">
            <p><strong>${t(`health.all.${data.state}`)}</strong> ${troubled.join(", ")}</p>
        </div>
        <p class="quiet">${t("health.checked")} ${new Date(data.checked_at).toLocaleTimeString()}</p>
        <${Fault} error=${error} />
        <${Table} caption=${t("health.parts")} columns=${[t("health.part"), t("health.state"), t("health.why")]}>
            <tbody>${data.features.map(({ name, state, summary }) => html`<tr key=${name}>
                <th scope="row">${titled(name)}</th>
                <td><span class=${`tag ${LOOKS[state]}`}>${t(`health.${state}`)}</span></td>
                <td class="sentence">${summary}</td>
            </tr>`)}</tbody>
        <//>
        <h2>${t("health.periodic")}</h2>
        <${Table} caption=${t("health.periodic")} columns=${[t("health.work"), t("health.begun")]}>
            <tbody>${data.periodic_work.map(({ name, begun_at }) => html`<tr key=${name}>
                <th scope="row">${titled(name)}</th><td><${Time} at=${begun_at} /></td>
            </tr>`)}</tbody>
        <//>`;
}
