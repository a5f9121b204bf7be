// Makes the page's bundle of other people's packages and their licences: `node vendor.mjs FOLDER`, where FOLDER is
// functions/api-gateway/page/vendor. The same packages make the same bytes.
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";

const [folder] = process.argv.slice(2);
const { metafile } = await build({
    entryPoints: ["vendor-entry.js"],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    legalComments: "none",
    banner: { js: "// Made by tests/page/vendor.mjs; licences are in LICENSES.txt" },
    preserveSymlinks: true,
    metafile: true,
    outfile: join(folder, "vendor.js"),
});

const bundle = await readFile(join(folder, "vendor.js"));
await writeFile(join(folder, "vendor.js.br"), brotliCompressSync(bundle));

const packages = new Set();
for (const input of Object.keys(metafile.inputs)) {
    const found = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (found) packages.add(found[1]);
}
const texts = [];
for (const name of [...packages].sort()) {
    const at = join("node_modules", name);
    const { version, license } = JSON.parse(await readFile(join(at, "package.json"), "utf8"));
    const file = (await readdir(at)).find((entry) => /^licen[cs]e/i.test(entry));
    texts.push(`${name} ${version}: ${license}\n\n${file ? await readFile(join(at, file), "utf8") : ""}`);
}
await writeFile(join(folder, "LICENSES.txt"), texts.join("\n----\n\n"));
