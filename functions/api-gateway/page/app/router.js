// Which view is shown: what stands behind the # of the address, such as `#/exercises/lists-1`.
import { computed, signal } from "../vendor/vendor.js";

const address = signal(location.hash);
addEventListener("hashchange", () => {
    address.value = location.hash;
});

/** The pieces of the path. */
export const path = computed(() => {
    const [before] = address.value.replace(/^#\/?/, "").split("?");
    return (before || "").split("/").filter(Boolean).map(decoded);
});

/** What stands behind the `?`. */
export const query = computed(() => new URLSearchParams(address.value.split("?")[1] || ""));

/** @param {string} piece */
function decoded(piece) {
    try {
        // It becomes a piece of an API's path, and must not lead elsewhere.
        const text = decodeURIComponent(piece);
        return /[/?#\\]|^\.*$/.test(text) ? "-" : text;
    } catch {
        return piece;
    }
}

/** The address of a view. @param {...string} pieces */
export const to = (...pieces) => `#/${pieces.map(encodeURIComponent).join("/")}`;

/** @param {string} target an address of `to` */
export function go(target) {
    location.hash = target;
}
