// The modules of the course, loaded once, and its topics by name.
import { signal } from "../vendor/vendor.js";
import { get } from "./api.js";
import { html } from "./html.js";
import { useLoaded } from "./parts.js";
import { to } from "./router.js";

/** @typedef {import("@api").components["schemas"]["CourseModule"]} Module */

const modules = signal(/** @type {Module[]} */ ([]));

/** @type {Promise<Module[]> | undefined} */
let loading;

/** @returns {Promise<Module[]>} */
function load() {
    loading ??= get("/modules").then(
        (loaded) => (modules.value = loaded),
        (error) => {
            loading = undefined;
            throw error;
        },
    );
    return loading;
}

/** The course. Until it is there, a topic is called by its slug. */
export function useTopics() {
    const { data, error, again } = useLoaded(load, "");
    const list = modules.value.flatMap(({ topics }) => topics);
    /** @param {string} slug */
    const title = (slug) => list.find((topic) => topic.slug === slug)?.title || slug.replaceAll("-", " ");
    const options = list.map((topic) => /** @type {[string, string]} */ ([topic.slug, topic.title]));
    return { modules: data, title, options, error, again };
}

/** @param {{ slug: string }} props */
export function TopicLink({ slug }) {
    return html`<a href=${to("course", slug)}>${useTopics().title(slug)}</a>`;
}

/** Links to topics, one after the other. @param {{ slugs: string[] }} props */
export function TopicLinks({ slugs }) {
    return slugs.map((slug, at) => html`${at > 0 && ", "}<${TopicLink} slug=${slug} />`);
}
