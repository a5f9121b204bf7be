// The part of Markdown that tutors write: paragraphs, headings, lists, code and emphasis. It makes elements with text in
// them; HTML, links and images stay the text that they are.
import { html } from "./html.js";
import { t } from "./texts.js";

/**
 * @param {string} text
 * @param {(code: string) => any} [actions] what to offer below a block of Python
 * @returns {any[]}
 */
export function markdown(text, actions) {
    const lines = text.replaceAll("\r\n", "\n").split("\n");
    const out = [];
    for (let at = 0; at < lines.length; ) {
        const line = lines[at] ?? "";
        const fence = /^(\s{0,3})(```+|~~~+)\s*([\w+-]*)/.exec(line);
        if (fence) {
            const [, indent = "", mark = "", language = ""] = fence;
            const end = lines.findIndex((other, index) => index > at && other.trim().startsWith(mark));
            const code = lines.slice(at + 1, end < 0 ? lines.length : end).map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line));
            out.push(block(code.join("\n"), language, actions));
            at = end < 0 ? lines.length : end + 1;
            continue;
        }
        const heading = /^\s{0,3}#{1,6}\s+([^]*)$/.exec(line);
        if (heading) {
            out.push(html`<p><strong>${inline(heading[1] || "")}</strong></p>`);
            at++;
            continue;
        }
        const marker = item(line);
        if (marker) {
            const items = [];
            while (at < lines.length) {
                const next = item(lines[at] ?? "");
                if (next && next.ordered === marker.ordered) {
                    items.push([next.text]);
                } else if (/^\s{2,}\S/.test(lines[at] ?? "") && items.length > 0) {
                    items.at(-1)?.push((lines[at] ?? "").trim());
                } else {
                    break;
                }
                at++;
            }
            const list = items.map((piece) => html`<li>${inline(piece.join(" "))}</li>`);
            out.push(marker.ordered ? html`<ol start=${marker.number}>${list}</ol>` : html`<ul>${list}</ul>`);
            continue;
        }
        if (!line.trim()) {
            at++;
            continue;
        }
        // Whatever this line is, it is taken, so that no text can hold the loop.
        const paragraph = [line];
        for (at++; at < lines.length && continues(lines[at] ?? ""); at++) paragraph.push(lines[at] ?? "");
        out.push(html`<p>${inline(paragraph.join("\n"))}</p>`);
    }
    return out;
}

/** Whether a line goes on with a paragraph. @param {string} line */
const continues = (line) => Boolean(line.trim()) && !/^\s{0,3}(```|~~~|#{1,6}\s)/.test(line) && !item(line);

/** @param {string} line */
function item(line) {
    const found = /^\s{0,3}(?:([-*•])|(\d{1,3})[.)])\s+(\S.*)$/.exec(line);
    return found && { ordered: Boolean(found[2]), number: Number(found[2] || 1), text: found[3] || "" };
}

/** @param {string} code @param {string} language @param {((code: string) => any) | undefined} actions */
function block(code, language, actions) {
    const isPython = actions && /^(python|py|python3)?$/i.test(language) && code.trim();
    return html`<figure class="code">
        <pre tabindex="0" aria-label=${t("code")}><code>${code}</code></pre>
        ${isPython && html`<figcaption>${actions(code)}</figcaption>`}
    </figure>`;
}

/** @param {string} text @returns {any[]} */
function inline(text) {
    const out = [];
    const pattern = /(`+)([^`]|[^`][\s\S]*?[^`])\1(?!`)|\*\*([^*\n]+)\*\*|\*([^*\s][^*\n]*)\*/g;
    let last = 0;
    for (const found of text.matchAll(pattern)) {
        if (found.index > last) out.push(text.slice(last, found.index));
        if (found[2] !== undefined) out.push(html`<code>${found[2].trim() || found[2]}</code>`);
        else if (found[3] !== undefined) out.push(html`<strong>${found[3]}</strong>`);
        else out.push(html`<em>${found[4]}</em>`);
        last = found.index + found[0].length;
    }
    if (last < text.length) out.push(text.slice(last));
    return out;
}
