// Forms, questions before something is done, and tables.
import { useEffect, useRef, useState } from "../vendor/vendor.js";
import { get } from "./api.js";
import { html } from "./html.js";
import { Act, Fault, useLoaded } from "./parts.js";
import { go, query, to } from "./router.js";
import { t } from "./texts.js";

/**
 * A form; what was typed stays if `act` fails.
 * @param {{ act: (data: FormData, form: HTMLFormElement) => unknown, button: string, done?: string, beside?: any, children?: any }} props
 */
export function Form({ act, button, done = "", beside = undefined, children }) {
    const [state, setState] = useState(/** @type {{ busy?: boolean, done?: boolean, error?: unknown }} */ ({}));
    const submit = async (event) => {
        event.preventDefault();
        const form = event.currentTarget;
        setState({ busy: true });
        try {
            await act(new FormData(form), form);
            setState({ done: true });
        } catch (error) {
            setState({ error });
        }
    };
    return html`<form onSubmit=${submit}>
        ${children}
        <div class="row">
            <button type="submit" class="primary" disabled=${state.busy} aria-busy=${Boolean(state.busy)}>${button}</button>
            ${beside}
            <span role="status">${state.done && done}</span>
        </div>
        <${Fault} error=${state.error} />
    </form>`;
}

/**
 * A button that asks before it acts. `children` says what happens, and may have fields.
 * @param {{ label: string, title: string, disabled?: boolean, act: (data: FormData) => unknown, children: any }} props
 */
export function Confirm({ label, title, disabled = false, act, children }) {
    const dialog = useRef(/** @type {HTMLDialogElement | null} */ (null));
    // Made anew each time, so that nothing of the time before is in it.
    const [times, setTimes] = useState(0);
    const close = () => dialog.current?.close();
    const open = () => {
        setTimes(times + 1);
        dialog.current?.showModal();
    };
    const confirmed = async (data) => {
        await act(data);
        close();
    };
    return html`<button type="button" disabled=${disabled} onClick=${open}>${label}</button>
        <dialog ref=${dialog} aria-label=${title}>
            <h2>${title}</h2>
            <${Form} key=${times} act=${confirmed} button=${label}
                beside=${html`<button type="button" onClick=${close}>${t("cancel")}</button>`}>${children}<//>
        </dialog>`;
}

/**
 * A table that scrolls by itself.
 * @param {{ caption: string, columns: any[], children: any }} props columns: what stands above them, or that with a class
 */
export function Table({ caption, columns, children }) {
    const head = columns.map((column) => {
        const [name, kind] = Array.isArray(column) ? column : [column];
        return html`<th scope="col" class=${kind}>${name}</th>`;
    });
    return html`<div class="wide" tabindex="0" role="region" aria-label=${caption}>
        <table><caption class="hidden">${caption}</caption><thead><tr>${head}</tr></thead>${children}</table>
    </div>`;
}

/** What is known of something: names with values; those without a value are left out. @param {{ of: [string, any][] }} props */
export function Facts({ of }) {
    const known = of.filter(([, value]) => value !== undefined && value !== null && value !== "");
    return html`<dl class="facts">${known.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/**
 * A choice with its label. What is chosen stays so when the form is reset.
 * @param {{ label: string, name: string, options: [string, string][], chosen?: string, hint?: string, onChange?: (event: any) => void }} props
 */
export function Choice({ label, name, options, chosen = "", hint = undefined, onChange = undefined }) {
    const id = `field-${name}`;
    return html`<p class="field">
        <label for=${id}>${label}</label>
        <select id=${id} name=${name} onChange=${onChange} aria-describedby=${hint && `${id}-hint`}>
            ${options.map(([value, text]) => html`<option value=${value} selected=${value === chosen} defaultSelected=${value === chosen}>${text}</option>`)}
        </select>
        ${hint && html`<small id=${`${id}-hint`}>${hint}</small>`}
    </p>`;
}

/** Fields that choose what a tab shows; the choice is in the address, so that it can be kept and shared. */
export function Filter({ tab, children }) {
    const form = useRef(/** @type {HTMLFormElement | null} */ (null));
    // Another choice comes from outside when somebody goes back.
    useEffect(() => form.current?.reset(), [query.value]);
    const apply = (event) => {
        event.preventDefault();
        const chosen = [...new FormData(event.currentTarget)].map(([name, value]) => [name, String(value).trim()]);
        go(`${to("operate", tab)}?${new URLSearchParams(chosen.filter(([, value]) => value))}`);
    };
    return html`<form ref=${form} class="filter" onSubmit=${apply}>
        ${children}<p class="field"><button type="submit">${t("show")}</button></p>
    </form>`;
}

/**
 * A list that comes in pages.
 * @param {string} path
 * @param {Record<string, string>} [params] those without a value are left out
 */
export function usePages(path, params = {}) {
    const chosen = new URLSearchParams(Object.entries(params).filter(([, value]) => value));
    const { data, error, again } = useLoaded(() => get(`${path}?${chosen}`), `${path}?${chosen}`);
    const [rest, setRest] = useState(/** @type {{ first?: any, items: any[], cursor?: string }} */ ({ items: [] }));
    const { items, cursor } = data && rest.first === data ? rest : { items: [], cursor: data?.next_cursor };
    const next = async () => {
        const further = new URLSearchParams(chosen);
        further.set("cursor", cursor);
        const page = await get(`${path}?${further}`);
        setRest({ first: data, items: [...items, ...page.items], cursor: page.next_cursor });
    };
    const more = cursor && html`<div class="row bottom"><${Act} act=${next}>${t("more")}<//></div>`;
    return { items: data && [...data.items, ...items], error, again, more };
}

/** Gives the browser a file to store. @param {string} name @param {Blob} content */
export function saveFile(name, content) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(content);
    link.download = name;
    link.click();
    // Browsers read it after the click.
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
