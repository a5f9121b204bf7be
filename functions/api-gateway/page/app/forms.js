// Forms, questions before something is done, and tables.
import { useEffect, useRef, useState } from "../vendor/vendor.js";
import { html } from "./html.js";
import { Fault, Start, useWork } from "./parts.js";
import { go, query, to } from "./router.js";
import { t } from "./texts.js";

/**
 * A form; what was typed stays if `act` fails.
 * @param {{ act: (data: FormData, form: HTMLFormElement) => unknown, button: string, done?: string, beside?: any, children?: any }} props
 */
export function Form({ act, button, done = "", beside = undefined, children }) {
    const [isDone, setDone] = useState(false);
    const work = useWork(async (/** @type {HTMLFormElement} */ form) => {
        setDone(false);
        await act(new FormData(form), form);
        setDone(true);
    });
    const submit = (event) => {
        event.preventDefault();
        work.start(event.currentTarget);
    };
    return html`<form onSubmit=${submit}>
        ${children}
        <div class="row">
            <${Start} type="submit" class="primary" work=${work}>${button}<//>
            ${beside}
            <span role="status">${isDone && done}</span>
        </div>
        <${Fault} error=${work.error} />
    </form>`;
}

/**
 * A button that asks before it acts. `children` says what happens, and may have fields.
 * @param {{ label: string, title: string, act: (data: FormData) => unknown, children: any, [attribute: string]: any }} props
 */
export function Confirm({ label, title, act, children, ...rest }) {
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
    return html`<button type="button" ...${rest} onClick=${open}>${label}</button>
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

/** Gives the browser a file to store. @param {string} name @param {Blob} content */
export function saveFile(name, content) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(content);
    link.download = name;
    link.click();
    // Browsers read it after the click.
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
