// Fails if a function of the page's own scripts is longer than people can take in at once: `node functions.mjs FOLDER`,
// where FOLDER is functions/api-gateway/page.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import ts from "typescript";

const folder = join(process.argv[2] || "", "app");
const MOST_LINES = 70;

/** The functions in a script that are too long, each with its lines. */
function tooLong(name, text) {
    const source = ts.createSourceFile(name, text, ts.ScriptTarget.ES2022, true);
    const line = (position) => source.getLineAndCharacterOfPosition(position).line + 1;
    const found = [];
    const visit = (node) => {
        const [from, to] = [line(node.getStart()), line(node.getEnd())];
        if (ts.isFunctionLike(node) && to - from >= MOST_LINES) {
            const called = node.name?.getText() || node.parent.name?.getText() || "a function";
            found.push(`${name}:${from}: ${called} has ${to - from + 1} lines`);
        }
        ts.forEachChild(node, visit);
    };
    visit(source);
    return found;
}

const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".js"));
const faults = (await Promise.all(names.map(async (name) => tooLong(name, await readFile(join(folder, name), "utf8"))))).flat();
if (names.length === 0) faults.push(`no scripts in ${folder}`);
for (const fault of faults) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;
