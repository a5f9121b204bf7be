// The frame of the page: who is signed in, the menu, and the view of the address.
import { render, useEffect, useRef } from "../vendor/vendor.js";
import { CourseView, TopicView } from "./course.js";
import { html } from "./html.js";
import { InboxButton, InboxView } from "./inbox.js";
import { Loading, Title, useLoaded } from "./parts.js";
import { go, path, to } from "./router.js";
import { resume, signOut, user } from "./session.js";
import { SignInView } from "./signin.js";
import { t } from "./texts.js";
import { WorkspaceView } from "./workspace.js";

const ALL = ["student", "teacher", "admin"];
const STAFF = ["teacher", "admin"];

// What not everybody needs is loaded when it is needed.
const practice = () => import("./practice/index.js");
const teacher = () => import("./teacher/index.js");
const admin = () => import("./admin/index.js");

/** The first piece of an address, who has it in the menu, and the view of what follows. */
const VIEWS = [
    { name: "code", menu: ALL, view: () => html`<${WorkspaceView} />` },
    {
        name: "course",
        menu: ALL,
        view: (slug) => (slug ? html`<${TopicView} key=${slug} slug=${slug} />` : html`<${CourseView} />`),
    },
    { name: "exercises", menu: ALL, view: (id) => html`<${Later} from=${practice} name=${id ? "ExerciseView" : "ExercisesView"} id=${id} />` },
    { name: "quizzes", menu: ["student"], view: (id) => html`<${Later} from=${practice} name=${id ? "QuizView" : "QuizzesView"} id=${id} />` },
    { name: "progress", menu: ["student"], view: () => html`<${Later} from=${practice} name="ProgressView" />` },
    { name: "classes", menu: STAFF, view: (id, tab) => html`<${Later} from=${teacher} name=${id ? "ClassView" : "ClassesView"} id=${id} tab=${tab} />` },
    { name: "alerts", menu: STAFF, view: () => html`<${Later} from=${teacher} name="AlertsView" />` },
    { name: "students", menu: [], view: (id) => html`<${Later} from=${teacher} name="StudentView" id=${id} />` },
    { name: "operate", menu: ["admin"], view: (tab, id) => html`<${Later} from=${admin} name="OperateView" tab=${tab} id=${id} />` },
    { name: "notifications", menu: [], view: () => html`<${InboxView} />` },
    { name: "account", menu: [], view: () => html`<${Later} from=${admin} name="AccountView" />` },
];

/** A view of a module that is loaded now, unless it has been. */
function Later({ from, name, ...props }) {
    const { data, error, again } = useLoaded(from, from);
    // A version that was replaced on the server cannot load the rest of itself.
    if (error) return html`<div class="notice warn" role="alert"><p>${t("newer")}</p>
        <button type="button" onClick=${() => location.reload()}>${t("reload")}</button></div>`;
    if (!data) return html`<${Loading} error=${error} again=${again} />`;
    return html`<${data[name]} key=${`${name} ${props.id ?? ""}`} ...${props} />`;
}

function Header() {
    const role = user.value?.role || "";
    const here = path.value[0] || "code";
    const menu = useRef(/** @type {HTMLElement | null} */ (null));
    useEffect(() => {
        // On a phone the menu is one line that scrolls.
        menu.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
    }, [here]);
    const item = (name) => html`<li>
        <a href=${to(name)} aria-current=${here === name ? "page" : undefined}>${t(`nav.${name}`)}</a>
    </li>`;
    return html`<header class="top">
        <a class="skip" href="#main" onClick=${skip}>${t("nav.skip")}</a>
        <a class="brand" href=${to()}>LearnFlow</a>
        <nav aria-label=${t("nav.label")} ref=${menu}>
            <ul>${VIEWS.filter(({ menu }) => menu.includes(role)).map(({ name }) => item(name))}</ul>
        </nav>
        <div class="who">
            <${InboxButton} />
            <a href=${to("account")} aria-current=${here === "account" ? "page" : undefined}>
                <bdi>${user.value?.display_name}</bdi>
            </a>
            <button type="button" class="plain" onClick=${() => signOut()}>${t("nav.signout")}</button>
        </div>
    </header>`;
}

/** @param {Event} event */
function skip(event) {
    event.preventDefault();
    document.querySelector("main")?.focus();
}

function View() {
    const [name = "code", ...rest] = path.value;
    const found = VIEWS.find((view) => view.name === name);
    if (found) return found.view(...rest);
    return html`<${Title}>${t("notfound.title")}<//><p>${t("notfound.text")}</p>`;
}

function App() {
    useEffect(() => {
        // Teachers and administrators begin with what is theirs.
        const start = user.value?.role === "teacher" ? "classes" : user.value?.role === "admin" ? "operate" : "";
        if (start && path.value.length === 0) go(to(start));
    }, [user.value?.id]);
    if (user.value === undefined) return html`<p class="boot" role="status">${t("loading")}</p>`;
    if (user.value === null) return html`<main id="main" tabindex="-1"><${SignInView} /></main>`;
    return html`<${Header} />
        <main id="main" tabindex="-1" class=${`view-${path.value[0] || "code"}`}><${View} /></main>`;
}

render(html`<${App} />`, /** @type {HTMLElement} */ (document.getElementById("app")));
resume();
