// Elements written as templates. Whatever is put into one is text or an attribute, never HTML.
import { h, htm } from "../vendor/vendor.js";

/** @type {(strings: TemplateStringsArray, ...values: any[]) => any} */
export const html = htm.bind(/** @type {any} */ (h));
