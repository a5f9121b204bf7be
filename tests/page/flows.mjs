// What people do with the page, in a real browser: `node flows.mjs FLOW ADDRESS SOCKETS_PORT CHROMIUM [FOLDER]`.
// The accounts are those that `cargo run` makes: student, teacher and admin.
import { execSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const [flow, address, socketsPort, program, folder = "."] = process.argv.slice(2);
const password = (name) => `learnflow-${name}`;
const port = new URL(address).port;
// A name that is not this machine's own: browsers forbid more to pages that come without TLS from elsewhere.
const HOST = "learnflow.test";
const START = `http://${HOST}:${port}/`;

const axe = readFile("node_modules/axe-core/axe.min.js", "utf8");

const browser = await chromium.launch({
    executablePath: execSync(`command -v ${program}`, { encoding: "utf8" }).trim(),
    args: ["--no-sandbox", "--disable-dev-shm-usage", `--host-resolver-rules=MAP ${HOST}:8108 127.0.0.1:${socketsPort}, MAP ${HOST} 127.0.0.1`],
});

/** A person's own browser. What its console says is checked at the end. */
async function person(name, options = {}) {
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(30_000);
    page.faults = [];
    page.on("pageerror", (error) => page.faults.push(String(error)));
    page.on("console", (message) => {
        const isPolicy = /content security policy|refused to/i.test(message.text());
        // Browsers note each such response, also one that is no fault: a draft that is not there, or not the one that was known.
        const isDraft = message.location().url.includes("/drafts/") && /status of (404|412)/.test(message.text());
        if (isPolicy || (message.type() === "error" && !isDraft && !page.expectsFaults)) page.faults.push(message.text());
    });
    page.on("dialog", (dialog) => {
        if (dialog.type() === "alert") page.faults.push(`a dialog: ${dialog.message()}`);
        dialog.accept();
    });
    // So that a flow can close them, as a network does.
    await page.addInitScript(() => {
        const sockets = [];
        globalThis.sockets = sockets;
        globalThis.WebSocket = class extends WebSocket {
            constructor(...given) {
                super(...given);
                sockets.push(this);
            }
        };
    });
    await page.goto(START);
    if (name) {
        await page.getByLabel("E-mail address").fill(`${name}@example.org`);
        await page.getByLabel("Password").fill(password(name));
        await page.getByRole("button", { name: "Sign in" }).click();
        await page.getByRole("button", { name: "Sign out" }).waitFor();
    }
    return page;
}

/** Replaces the program in the editor. */
async function write(page, code) {
    const editor = page.getByRole("textbox", { name: /editor/i }).first();
    await editor.click();
    await page.keyboard.press("Control+a");
    await page.keyboard.press("Delete");
    await page.keyboard.insertText(code);
}

const show = (page, view) => page.goto(`${START}#/${view}`);
const seen = (page, text) => page.getByText(text).first().waitFor();

/** Calls the API as the page does, for what another person does meanwhile. */
async function token(name) {
    const body = JSON.stringify({ email: `${name}@example.org`, password: password(name) });
    const headers = { "Content-Type": "application/json" };
    const response = await fetch(`${address}/api/v1/auth/login`, { method: "POST", headers, body });
    return (await response.json()).access_token;
}
async function api(bearer, method, path, body) {
    const headers = { "Content-Type": "application/json", Prefer: "wait=10", ...(bearer && { Authorization: `Bearer ${bearer}` }) };
    const response = await fetch(`${address}/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
    assert.ok(response.ok, `${method} ${path}: ${response.status}`);
    return response.status === 204 ? undefined : response.json();
}

/** The widths at which nothing may be wider than the screen. */
const WIDTHS = [320, 390, 1024, 1440];

/** What nobody should meet in a view: what axe finds, and what does not fit. */
async function faultsIn(page) {
    await page.waitForLoadState("networkidle");
    // Half under what stays at the top, links would seem too small.
    await page.evaluate(() => scrollTo(0, 0));
    await page.evaluate(await axe);
    const { violations } = await page.evaluate(() => globalThis.axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
    const faults = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).slice(0, 3).join(" ")}`);
    for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 900 });
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        if (wide > 0) faults.push(`${wide} px too wide at ${width} px`);
    }
    return faults;
}

/** Lets people look at views in light and in dark; `look` gets a function that inspects what is shown. */
async function inBothSchemes(names, look) {
    const [faults, pages] = [[], []];
    for (const name of names) {
        for (const colorScheme of ["light", "dark"]) {
            const page = await person(name, { bypassCSP: true, colorScheme });
            pages.push(page);
            await look(name, page, async (view) => {
                for (const fault of await faultsIn(page)) faults.push(`${view} (${colorScheme}): ${fault}`);
            });
        }
    }
    assert.deepEqual(faults, []);
    return pages;
}

/** A dead letter of a question: an installation that works has none. @param {{ id: string, asked_at: string }} asked */
async function giveUp(page, asked, subject) {
    const letter = { id: asked.id, function: "triage", origin: "learning.requests", attempts: 5, reasons: ["the database is away: <b>"], given_up_at: asked.asked_at, event_id: asked.id, replayed_at: null };
    const replays = [{ event_id: asked.id, replayed_at: asked.asked_at, changed: ["question"] }];
    const detail = { dead_letter: letter, event_type: "question.asked.v1", subject, correlation_id: asked.id, bytes: 1234, truncated: false, replays };
    await page.route("**/admin/dead-letters?*", (route) => route.fulfill({ json: { items: [letter], next_cursor: "2" } }));
    await page.route("**/admin/dead-letters/*", (route) => route.fulfill({ json: detail }));
    await page.route("**/admin/dead-letters/*payload=true", (route) => route.fulfill({ json: { ...detail, data: '{"seed":12345678901234567890,"question":5}' } }));
    await page.route("**/replay*", (route) => {
        const { question } = JSON.parse(route.request().postDataJSON().data);
        const isSent = !route.request().url().includes("dry_run=true");
        if (typeof question === "string") route.fulfill({ status: isSent ? 202 : 200, json: { event_type: "question.asked.v1", topic: "learning.requests", changed: ["question"] } });
        else route.fulfill({ status: 422, json: { detail: "data.question: a number", errors: [{ field: "data.question", detail: "expected a string" }] } });
    });
    return letter;
}

/** Its data is shown, checked, changed and sent, under one key however often it is tried. */
async function repairs(page, asked) {
    const letter = await giveUp(page, asked);
    await show(page, `operate/dead-letters/${letter.id}`);
    await page.getByRole("button", { name: "Show and change the data" }).click();
    const data = page.getByLabel("Data as JSON");
    await page.getByRole("button", { name: "Check only" }).click();
    await seen(page, "expected a string");
    assert.equal(await data.getAttribute("aria-invalid"), "true");
    const chosen = await page.waitForFunction(() => {
        const field = document.activeElement;
        return field instanceof HTMLTextAreaElement && field.value.slice(field.selectionStart, field.selectionEnd);
    });
    assert.equal(await chosen.jsonValue(), '"question"', "the member is pointed out");
    assert.match(await data.inputValue(), /12345678901234567890/, "no number was changed by reading it");
    await data.fill((await data.inputValue()).replace("5\n", '"Why?"\n'));
    await page.getByRole("button", { name: "Check only" }).click();
    await seen(page, "Changed: question.");
    const keys = [];
    page.on("request", (request) => request.url().endsWith("/replay") && keys.push(request.headers()["idempotency-key"]));
    await page.route("**/replay", (route) => route.abort(), { times: 1 });
    const send = page.getByRole("button", { name: "Send with this data" });
    await send.click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Send with this data" }).click();
    await seen(dialog, "The server cannot be reached.");
    await dialog.getByRole("button", { name: "Send with this data" }).click();
    await seen(page, "On its way.");
    assert.equal(keys.length, 2);
    assert.ok(keys[0] && keys[0] === keys[1], "one intention has one key");
}

/** What is asked after "New conversation" begins one, also after a reload and if two questions are asked at once. */
async function beginsAnew(page, ask) {
    const bearer = await token("student");
    const count = async () => (await api(bearer, "GET", "/conversations")).length;
    const before = await count();
    await page.getByRole("button", { name: "New conversation" }).click();
    await page.reload();
    await page.getByText("Ask anything about Python").waitFor();
    await page.getByRole("button", { name: "Review my code" }).click();
    await page.locator(".said.tutor[aria-busy=false]").waitFor();
    await ask("What is a set?");
    await ask("What is a loop?");
    await page.locator(".said.tutor[aria-busy=false]").nth(2).waitFor();
    assert.equal(await count(), before + 1, "one conversation has begun");
    await page.reload();
    await page.locator(".said.you", { hasText: "What is a set?" }).waitFor();
    assert.equal(await page.locator(".said.you").count(), 2, "both questions are in it");
}

/** A file with one's data is made, and is still there after a reload. */
async function exports(page) {
    await show(page, "account");
    await page.getByRole("button", { name: "Make the file" }).click();
    await page.getByRole("button", { name: "Download" }).waitFor();
    await page.reload();
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download" }).click();
    assert.equal((await saved).suggestedFilename(), "learnflow-export.zip");
}

const FLOWS = {
    /** Code is run with input, its error is at its line, and it is still there after a reload. */
    async student() {
        const page = await person("student");
        await page.getByRole("button", { name: "Run", exact: true }).click();
        await seen(page, "Hello, Ada");
        await write(page, 'import sys\nprint("one")\nprint("two", file=sys.stderr)\nprint("three")\n1 / 0\n');
        await seen(page, "The code has changed since this run.");
        await page.keyboard.press("Control+Enter");
        await seen(page, "Stopped with an error");
        const output = page.locator(".output pre");
        assert.match(await output.textContent(), /one\s+two\s+three/, "one transcript in order");
        await seen(page, "ZeroDivisionError");
        assert.equal(await page.locator(".cm-lint-marker-error").count(), 1, "the line is marked");

        await write(page, "a = [1, 2]\nb = a\nb.append(3)\nprint(a)\n");
        await page.getByRole("button", { name: "Step through" }).click();
        await seen(page, "Step 1 of");
        await page.getByRole("button", { name: "Last step" }).click();
        await seen(page, "several names: a, b");
        await page.keyboard.press("Alt+ArrowLeft");
        await seen(page, "Line 4 is next.");
        await page.getByRole("button", { name: "Back to the editor" }).click();

        await page.reload();
        await page.getByRole("button", { name: "Sign out" }).waitFor();
        await seen(page, "b.append");
        await exports(page);
        const stored = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
        assert.doesNotMatch(stored, /eyJ|refresh_token|learnflow_refresh/, "no token where a script could read it");
        await page.getByRole("button", { name: "Sign out" }).click();
        await page.getByRole("button", { name: "Sign in" }).waitFor();
        await page.reload();
        await page.getByRole("button", { name: "Sign in" }).waitFor();
        return [page];
    },

    /** The tutor answers beside the code, also over sockets that drop. */
    async tutor() {
        const page = await person("student");
        await seen(page, "Connected");
        const ask = async (question) => {
            await page.getByLabel("Your question").fill(question);
            await page.keyboard.press("Enter");
        };
        await ask("What is a tuple?");
        await seen(page, "keeps values in order and never changes");
        await page.getByRole("button", { name: "Put into the editor" }).first().click();
        await seen(page.locator(".workspace section").first(), "point");
        await page.getByRole("button", { name: "This helped" }).first().click();
        await seen(page, "Thank you.");

        await write(page, "numbers = [1, 2, 3]\nprint(numbers[3])\n");
        await page.keyboard.press("Control+Enter");
        await seen(page, "IndexError");
        await ask("Why does this fail?");
        await seen(page, /Hint 1 of/);
        // A further hint is for a further attempt.
        await write(page, "numbers = [1, 2, 3]\nprint(numbers[4])\n");
        await page.keyboard.press("Control+Enter");
        await seen(page, "IndexError");
        await page.getByRole("button", { name: "I tried, next hint" }).last().click();
        await seen(page, /Hint 2 of/);

        // A reload brings the conversation back, with what its answers have beside their texts.
        await page.reload();
        await page.locator(".said.tutor h3", { hasText: "Hint 2 of" }).waitFor();
        await page.getByRole("button", { name: "I tried, next hint" }).last().waitFor();
        await page.getByRole("button", { name: "Put into the editor" }).first().waitFor();
        await page.locator(".said.tutor a", { hasText: "Lists" }).first().waitFor();
        const rating = page.getByRole("button", { name: "This helped", pressed: true });
        await rating.waitFor();
        await page.getByRole("button", { name: "This did not help" }).first().click();
        await rating.waitFor({ state: "detached" });
        assert.equal(await page.getByRole("log").locator(".said").count(), 0, "a conversation is not read out when it is opened");

        page.expectsFaults = true;
        await page.evaluate(() => globalThis.sockets.forEach((socket) => socket.close()));
        await seen(page, "Connecting …");
        await seen(page, "Connected");

        await page.context().setOffline(true);
        await ask("What is a dictionary?");
        await seen(page, "The server cannot be reached.");
        await page.context().setOffline(false);
        await page.getByRole("button", { name: "Try again" }).last().click();
        await seen(page, /dictionary/i);
        await page.locator(".said.tutor[aria-busy=false]").nth(3).waitFor();
        await page.getByText("Earlier conversations").click();
        await page.getByRole("button", { name: /tuple/i }).first().waitFor();
        await beginsAnew(page, ask);
        return [page];
    },

    /** An exercise is tried, hinted at and solved; a quiz is taken; both count. */
    async practice() {
        const page = await person("student");
        await show(page, "exercises");
        await page.getByRole("heading", { level: 1, name: "Exercises" }).waitFor();
        const bearer = await token("student");
        const [exercise] = (await api(bearer, "GET", "/exercises?topic=variables")).items;
        await page.getByRole("link", { name: exercise.title }).first().click();
        await page.getByRole("heading", { level: 1, name: exercise.title }).waitFor();
        await write(page, "def swap(a, b):\n    return a, b\n");
        await page.getByRole("button", { name: "Submit" }).click();
        // Its tests wait, then they have their verdicts, and the first that failed is open.
        await page.locator(".tests .waits").first().waitFor();
        await page.getByRole("heading", { name: "Grade", exact: true }).waitFor();
        await page.locator(".outcome .tag", { hasText: "Not passed yet" }).waitFor();
        await page.locator(".outcome .waits").first().waitFor({ state: "detached" });
        await page.locator(".outcome details[open]").first().waitFor();
        assert.equal(await page.locator(".outcome details[open]").count(), 1, "one test is open");
        await page.locator(".outcome summary:focus").waitFor();
        await write(page, 'def swap(a, b):\n    raise ValueError("never mind")\n');
        await page.getByRole("button", { name: "Submit" }).click();
        await page.locator("figure", { hasText: "Raised in line 2" }).getByText("ValueError: never mind").first().waitFor();
        // The page has its list before the quiz is started elsewhere: else it knows of the open quiz and does not say so.
        const listed = page.waitForResponse((got) => got.request().method() === "GET" && /\/quizzes(\?|$)/.test(got.url()));
        await show(page, "quizzes");
        await (await listed).finished();
        await page.getByLabel("Topic").selectOption("lists");
        await page.getByLabel("Questions").fill("1");
        const quiz = await api(bearer, "POST", "/quizzes", { topic: "lists" });
        await page.getByRole("button", { name: /start/i }).first().click();
        await seen(page, "You had started this quiz before");
        await seen(page, "not as many as you chose");
        await page.getByRole("radio").first().waitFor();
        const questions = page.locator("fieldset:has(input[type=radio])");
        for (let at = 0; at < (await questions.count()); at++) await questions.nth(at).getByRole("radio").first().check();
        await page.getByRole("button", { name: /submit|hand in|finish/i }).first().click();
        await page.getByRole("heading", { name: "Your answers, explained" }).waitFor();
        // By chance all first options may be right.
        const result = await api(bearer, "GET", `/quizzes/${quiz.id}/result`);
        if (result.questions.some((question) => question.misconception)) await seen(page, "What may have misled you");
        else assert.ok(result.questions.every((question) => question.is_right), "a wrong answer has a reason");
        await show(page, "progress");
        await seen(page, "What to do next");
        return [page];
    },

    /** What is typed on one device is there on the other; where both have typed, nothing is lost, and their owner chooses. */
    async drafts() {
        const [laptop, phone] = [await person("student"), await person("student", { viewport: { width: 390, height: 844 } })];
        const returns = (page) => page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
        const saved = (page) => page.locator("[aria-hidden]", { hasText: /^Saved$/ }).waitFor();
        const asks = (page) => seen(page, "You have changed this on another device");
        const bearer = await token("student");
        const stored = async (key) => (await api(bearer, "GET", `/drafts/${key}`)).text;
        await write(laptop, 'print("on the laptop")\n');
        await seen(laptop, "Saving …");
        await saved(laptop);
        // Nothing was typed there, so nobody is asked.
        await returns(phone);
        await seen(phone, "on the laptop");
        assert.equal(await phone.getByRole("button", { name: "Keep mine" }).count(), 0);

        phone.expectsFaults = true;
        await phone.context().setOffline(true);
        await write(phone, 'print("on the phone")\n');
        await seen(phone, "Saved on this device only");
        await write(laptop, 'print("on the laptop again")\n');
        await saved(laptop);
        await phone.context().setOffline(false);
        await asks(phone);
        await seen(phone, "on the phone");
        // Both are still there when it is opened again.
        await phone.reload();
        await asks(phone);
        await phone.getByText("See the other text").click();
        await seen(phone.locator("pre"), "on the laptop again");
        assert.match(await stored("workspace"), /on the laptop again/);
        await phone.getByRole("button", { name: "Keep mine" }).click();
        await saved(phone);
        assert.match(await stored("workspace"), /on the phone/);
        await phone.getByRole("button", { name: "Change to it" }).click();
        await seen(phone, "on the laptop again");

        // What is typed before the page is left is sent, too, and solutions are kept like programs.
        const [exercise] = (await api(bearer, "GET", "/exercises?topic=variables")).items;
        for (const page of [laptop, phone]) await show(page, `exercises/${exercise.id}`);
        await write(laptop, "def swap(a, b):\n    return b, a\n");
        await laptop.getByRole("button", { name: "Submit" }).click();
        await laptop.locator(".outcome .tag", { hasText: "Passed" }).first().waitFor();
        await saved(laptop);
        await returns(phone);
        await seen(phone, "return b, a");
        await write(laptop, "# the last words\n");
        await laptop.getByRole("button", { name: "Sign out" }).click();
        await laptop.getByRole("button", { name: "Sign in" }).waitFor();
        await returns(phone);
        await seen(phone, "# the last words");

        // Whoever uses the same browser then sees nothing of it.
        await laptop.getByLabel("E-mail address").fill("teacher@example.org");
        await laptop.getByLabel("Password").fill(password("teacher"));
        await laptop.getByRole("button", { name: "Sign in" }).click();
        await laptop.getByRole("button", { name: "Sign out" }).waitFor();
        await laptop.getByRole("textbox", { name: /editor/i }).waitFor();
        assert.equal(await laptop.getByText("# the last words").count(), 0);
        return [laptop, phone];
    },

    /** A teacher sees within moments who struggles and why, and sees to it. */
    async teacher() {
        const page = await person("teacher");
        await page.getByLabel("Name of the class").fill("Python 101");
        await page.getByRole("button", { name: "Create the class" }).click();
        await page.getByRole("heading", { level: 1, name: /Python 101/ }).waitFor();
        const [teacher, student] = [await token("teacher"), await token("student")];
        const [made] = (await api(teacher, "GET", "/classes")).items;
        await api(student, "POST", "/classes/join", { code: made.invite_code });
        await show(page, "alerts");
        await page.getByRole("heading", { level: 1 }).waitFor();
        for (let run = 0; run < 5; run++) await api(student, "POST", "/executions", { code: `print(${run}) + 1\n` });
        const alert = page.locator("li", { hasText: "Demo Student" }).first();
        await alert.getByRole("button", { name: "Acknowledge" }).click();
        await page.getByRole("link", { name: "Acknowledged" }).click();
        await page.getByRole("button", { name: "Mark as resolved" }).first().click();

        // Of the last of these, who make a crowd, the teacher is told without a name.
        await show(page, "alerts");
        for (const name of ["Ann", "Ben", "Cleo", "Dora"]) {
            const account = { email: `${name}@example.org`.toLowerCase(), password: "a long enough password", display_name: `${name} Crowded` };
            const joined = (await api("", "POST", "/auth/register", account)).access_token;
            await api(joined, "POST", "/classes/join", { code: made.invite_code });
            for (let run = 0; run < 5; run++) await api(joined, "POST", "/executions", { code: `print(${run}) + 1\n` });
            await page.locator("li.card", { hasText: `${name} Crowded` }).first().waitFor();
        }
        for (const tab of ["overview", "heatmap", "roster", "assignments", "errors", "teachers", "settings"]) {
            await show(page, `classes/${made.id}/${tab}`);
            await page.getByRole("heading", { level: 1, name: /Python 101/ }).waitFor();
        }
        await show(page, `classes/${made.id}/heatmap`);
        await page.getByRole("link", { name: "Demo Student" }).first().click();
        await page.getByRole("heading", { name: "Latest programs" }).waitFor();
        await page.locator("li.card", { hasText: "Resolved" }).first().waitFor();
        await seen(page.locator(".playback"), "print(4) + 1");
        await page.getByRole("button", { name: "Back" }).click();
        await seen(page.locator(".playback .added"), "print(3) + 1");
        await seen(page.locator(".playback .removed"), "print(2) + 1");
        return [page];
    },

    /** An administrator follows one question through every function, sees what waits, and repairs what was given up. */
    async operator() {
        const student = await token("student");
        const asked = await api(student, "POST", "/query", { question: "What is a list?" });
        const page = await person("admin");
        await show(page, `operate/trace/${asked.id}`);
        await page.getByRole("cell", { name: /concepts/i }).first().waitFor();
        for (const tab of ["health", "dead-letters", "usage", "users"]) {
            await show(page, `operate/${tab}`);
            await page.getByRole("heading", { level: 1 }).waitFor();
        }
        await show(page, "operate/lanes");
        await page.getByRole("row", { name: /concepts\.requests/ }).first().waitFor();
        page.expectsFaults = true;
        await page.route("**/admin/lanes", (route) => route.fulfill({ status: 503, json: { detail: "Kafka does not answer" } }), { times: 1 });
        await page.getByRole("button", { name: "Refresh" }).click();
        await seen(page, "Kafka does not answer");
        await page.getByRole("button", { name: "Try again" }).click();
        await page.getByText("Kafka does not answer").waitFor({ state: "detached" });
        await repairs(page, asked);
        await show(page, "account");
        await page.getByRole("heading", { name: "Where you are signed in" }).waitFor();
        return [page];
    },

    /** Whatever people write is text. */
    async attacks() {
        const markup = "<img src=x onerror=alert(1)><script>alert(2)</script>";
        const page = await person("");
        await page.getByRole("button", { name: "I am new here" }).click();
        await page.getByLabel("Name", { exact: true }).fill(`Eve ${markup}`);
        await page.getByLabel("E-mail address").fill("eve@example.org");
        await page.getByLabel("Password").fill("a long password");
        await page.getByRole("button", { name: "Create an account" }).click();
        await page.getByRole("button", { name: "Sign out" }).waitFor();
        await seen(page, "<script>alert(2)</script>");
        await write(page, `print("${markup}")\nprint("\\u202egnol")\nprint("x" * 130000)\n`);
        await page.keyboard.press("Control+Enter");
        await seen(page, "onerror=alert(1)");
        for (const attack of [markup, "[x](javascript:alert(3))", "![x](https://evil.example/x.png)", "```html\n<script>alert(4)</script>\n```", "<svg onload=alert(5)>", "`<b>`**<i>**", " # x", "a\n   ### y\n#\u2028z"]) {
            await page.getByLabel("Your question").fill(`What is this: ${attack}`);
            await page.getByRole("button", { name: "Ask", exact: true }).click();
        }
        await page.locator(".said.tutor[aria-busy=false]").nth(7).waitFor();
        // What a teacher's and a student's page show of a solution is the student's own text, too.
        await show(page, "exercises");
        await page.getByRole("link", { name: "Swap two values" }).click();
        await write(page, 'raise ValueError("x\\n # y\\n> z")\n');
        await page.getByRole("button", { name: "Submit" }).click();
        await page.locator(".outcome").first().waitFor();
        await show(page, "code");
        await page.getByRole("heading", { level: 1, name: "Code" }).waitFor();
        const made = await page.evaluate(() => document.querySelectorAll("#app script, #app img, #app svg, #app iframe, #app a[href^='javascript']").length);
        assert.equal(made, 0, "no element was made of what people wrote");
        assert.ok(await page.getByRole("button", { name: "Run", exact: true }).isEnabled(), "the page can still be used");
        return [page];
    },

    /** Makes the pictures in docs/page, on `cargo run -- demo`, whose class is worth a look. */
    async pictures() {
        const size = { viewport: { width: 1280, height: 800 } };
        const take = (page, name) => page.screenshot({ path: `${folder}/${name}.png` });
        const student = await person("student", size);
        await write(student, "numbers = [4, 8, 15]\nfor i in range(4):\n    print(numbers[i])\n");
        await student.keyboard.press("Control+Enter");
        await seen(student, "IndexError");
        await student.getByLabel("Your question").fill("Why does my loop fail at the end?");
        await student.keyboard.press("Enter");
        await seen(student, /Hint \d of/);
        await take(student, "workspace");
        await write(student, "a = [1, 2]\nb = a\nb.append(3)\npoint = {'x': 1, 'y': b}\nprint(a)\n");
        await student.getByRole("button", { name: "Step through" }).click();
        await student.getByRole("button", { name: "Last step" }).click();
        await take(student, "steps");
        const teacher = await person("teacher", size);
        const [shown] = (await api(await token("teacher"), "GET", "/classes")).items;
        await show(teacher, `classes/${shown.id}/heatmap`);
        await teacher.getByRole("cell").first().waitFor();
        await take(teacher, "heatmap");
        const asked = await api(await token("student"), "POST", "/query", { question: "What is a list?" });
        const admin = await person("admin", size);
        await show(admin, `operate/trace/${asked.id}`);
        await admin.getByRole("cell").first().waitFor();
        await take(admin, "trace");
        return [];
    },

    /** Every view can be used by everybody: axe finds nothing, and nothing is wider than the screen. */
    async look() {
        const views = {
            student: ["code", "course", "course/lists", "exercises", "quizzes", "progress", "notifications", "account"],
            teacher: ["classes", "alerts"],
            admin: ["operate/health", "operate/trace", "operate/lanes", "operate/dead-letters", "operate/usage", "operate/users"],
        };
        return inBothSchemes(Object.keys(views), async (name, page, inspect) => {
            for (const view of views[name]) {
                await show(page, view);
                await page.getByRole("heading", { level: 1 }).waitFor();
                await inspect(view);
            }
        });
    },

    /** The same of what a student sees at work: with results, answers, steps and questions. */
    async lookStudent() {
        const bearer = await token("student");
        const [exercise] = (await api(bearer, "GET", "/exercises?topic=variables")).items;
        // Pieces are offered to those who do not get on.
        for (let attempt = 0; attempt < 5; attempt++) await api(bearer, "POST", `/exercises/${exercise.id}/submissions`, { code: `def swap(a, b):\n    return ${attempt}\n` });
        return inBothSchemes(["student"], async (_, page, inspect) => {
            await write(page, "numbers = [1, 2]\nfor number in numbers:\n    print(number)\nprint(numbers[2])\n");
            await page.keyboard.press("Control+Enter");
            await seen(page, "IndexError");
            await page.getByLabel("Your question").fill("Why does this fail?");
            await page.keyboard.press("Enter");
            await seen(page, /Hint \d of/);
            await page.getByRole("button", { name: "Review my code" }).click();
            await page.locator(".said.tutor[aria-busy=false]").nth(1).waitFor();
            await page.getByText("Earlier conversations").click();
            await page.locator(".earlier button").first().waitFor();
            await inspect("code with answers");
            await page.getByRole("button", { name: "Step through" }).click();
            await page.getByRole("button", { name: "Last step" }).click();
            await inspect("steps");

            await show(page, `exercises/${exercise.id}`);
            await page.getByRole("button", { name: "Submit" }).click();
            await page.getByRole("heading", { name: "Grade", exact: true }).waitFor();
            await page.locator(".outcome details[open]").waitFor();
            await page.getByRole("button", { name: "Get a hint" }).click();
            await page.locator(".outcome").nth(1).waitFor();
            await page.getByRole("button", { name: "Solve it with pieces" }).click();
            await page.getByRole("button", { name: /^Use/ }).first().click();
            await inspect("exercise");

            // Another device has changed it, too.
            page.expectsFaults = true;
            await page.route("**/drafts/*", (route) => route.fulfill({ json: { key: "", text: "x = 1\n".repeat(40), updated_at: "2026-01-02T03:04:05Z" }, headers: { ETag: '"x"' } }));
            await write(page, "# mine\n");
            await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
            await page.getByText("See the other text").click();
            await inspect("a draft that two devices have changed");
            await page.getByRole("button", { name: "Keep mine" }).click();
            await page.getByRole("button", { name: "Change to it" }).waitFor();
            await inspect("a draft after the choice");

            const { id } = await api(bearer, "POST", "/quizzes", { topic: "lists" });
            await show(page, `quizzes/${id}`);
            await page.getByRole("radio").first().check();
            await inspect("open quiz");
            await page.getByRole("button", { name: "Submit" }).click();
            await page.getByRole("button", { name: "Submit without these answers" }).click();
            await page.getByRole("heading", { name: "Your answers, explained" }).waitFor();
            await inspect("answered quiz");

            await show(page, "course/lists");
            await page.getByRole("button", { name: "Run", exact: true }).first().click();
            await seen(page, "Finished");
            await inspect("course page with a result");
            await show(page, "account");
            await page.getByText("Add a channel").click();
            await page.getByRole("button", { name: "Erase your account" }).click();
            await inspect("account with a question");
        });
    },

    /** The same of a class that has students, alerts and assignments, and of a student in it. */
    async lookTeacher() {
        const [teacher, student] = [await token("teacher"), await token("student")];
        const made = await api(teacher, "POST", "/classes", { name: "Python 102" });
        await api(student, "POST", "/classes/join", { code: made.invite_code });
        const { id: assigned } = await api(teacher, "POST", `/classes/${made.id}/assignments`, { topic: "lists" });
        const [exercise] = (await api(student, "GET", "/exercises?topic=lists")).items;
        await api(student, "POST", `/exercises/${exercise.id}/submissions`, { code: "def nothing():\n    pass\n" });
        await api(student, "POST", "/query", { question: "What is a list?" });
        for (let run = 0; run < 5; run++) await api(student, "POST", "/executions", { code: `print(${run}) + 1\n` });
        const { id } = await api(student, "GET", "/me");
        const tabs = ["overview", "heatmap", "roster", "assignments", `assignments/${assigned}`, "errors", "teachers", "settings"];
        return inBothSchemes(["teacher"], async (_, page, inspect) => {
            for (const tab of tabs) {
                await show(page, `classes/${made.id}/${tab}`);
                await page.getByRole("heading", { level: 1 }).waitFor();
                if (tab === "overview") await page.locator(".struggling summary").first().click();
                await inspect(tab);
            }
            await show(page, `students/${id}`);
            await page.getByRole("heading", { name: "Latest programs" }).waitFor();
            await page.getByRole("button", { name: "Back" }).click();
            await page.locator(".playback .added").first().waitFor();
            for (const kind of ["Question", "Run", "Solution", "Alert"]) await page.locator(`.happenings summary:has(.tag:text-is("${kind}"))`).first().click();
            await page.locator(".whole").nth(3).waitFor();
            await inspect("a student");
            await show(page, "notifications");
            await page.locator(".news summary").first().click();
            await inspect("notifications");
        });
    },

    /** The same of what an operator looks into. */
    async lookOperator() {
        const asked = await api(await token("student"), "POST", "/query", { question: "What is a list?" });
        const { id } = await api(await token("student"), "GET", "/me");
        return inBothSchemes(["admin"], async (_, page, inspect) => {
            await show(page, `operate/trace/${asked.id}`);
            await page.getByRole("button", { name: "Show the data of the events" }).click();
            await page.getByText("Open a saved trace").click();
            await page.locator("td summary").first().click();
            await inspect("trace");
            await show(page, `operate/users/${id}`);
            await page.getByRole("heading", { level: 2, name: "Demo Student" }).waitFor();
            await inspect("an account");
            const lane = { function: "triage", topic: "learning.requests", partition: 0, next: 3, end: 3, lag: 0, is_consumed: true };
            const lanes = [lane, { ...lane, partition: 1, end: 1234567, lag: 1234564, oldest_age_ms: 7_260_000, is_consumed: false, paused_since: asked.asked_at, stops_at: 5 }];
            await page.route("**/admin/lanes", (route) => route.fulfill({ json: { items: lanes } }));
            await show(page, "operate/lanes");
            await seen(page, "2 hours");
            assert.match(await page.getByRole("row").nth(1).textContent(), /1,234,564/, "what waits comes first");
            await inspect("lanes");
            await page.getByLabel("Only those that are behind or paused").check();
            await page.getByRole("row").nth(2).waitFor({ state: "detached" });
            const letter = await giveUp(page, asked, id);
            await show(page, "operate/dead-letters");
            await page.getByRole("checkbox").nth(1).check();
            await inspect("dead letters");
            await show(page, `operate/dead-letters/${letter.id}`);
            await page.getByRole("button", { name: "Send again" }).click();
            await inspect("a dead letter");
            await page.keyboard.press("Escape");
            await page.getByRole("button", { name: "Show and change the data" }).click();
            page.expectsFaults = true;
            await page.getByRole("button", { name: "Check only" }).click();
            await seen(page, "expected a string");
            await inspect("the data of a dead letter");
        });
    },
};

try {
    const pages = await FLOWS[flow]();
    for (const page of pages) assert.deepEqual(page.faults, [], "faults in the console");
} finally {
    await browser.close();
}
