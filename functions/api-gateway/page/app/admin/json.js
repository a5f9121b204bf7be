// JSON for people. It is not parsed for that, so that numbers of any size stay as they are.

const TOKENS = /"(?:[^"\\]|\\.)*"|[[{]\s*[\]}]|[[\]{},:]|\s+/g;

/** JSON with a member on each line. @param {string} json */
export function indented(json) {
    let depth = 0;
    const line = () => `\n${"  ".repeat(depth)}`;
    return json.replace(TOKENS, (token) => {
        const kind = token.length > 1 ? "" : token;
        if (/^\s/.test(token)) return "";
        if (kind === "{" || kind === "[") depth++;
        else if (kind === "}" || kind === "]") depth = Math.max(0, depth - 1);
        if (kind === "{" || kind === "[" || kind === ",") return token + line();
        if (kind === "}" || kind === "]") return line() + token;
        return kind === ":" ? ": " : token;
    });
}
