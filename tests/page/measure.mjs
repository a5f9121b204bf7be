// Measures the page in a real browser, beside `cargo run --release`: `node measure.mjs ADDRESS CHROMIUM`.
// Prints one line for each figure. The demo accounts are used.
import { execSync } from "node:child_process";
import { chromium } from "playwright-core";

const [address, program] = process.argv.slice(2);
const ROUNDS = 5;
const ANSWERS = 60;
/** Chrome's «Slow 4G»: 1.6 Mbit/s down, 0.75 up, 150 ms. */
const SLOW = { offline: false, downloadThroughput: 200_000, uploadThroughput: 93_750, latency: 150 };

const executablePath = execSync(`command -v ${program}`, { encoding: "utf8" }).trim();
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const say = (what, values, unit) => console.log(`${what}: ${median(values).toFixed(0)} ${unit} (${values.map((value) => value.toFixed(0)).join(", ")})`);

/** Posts to the API as the page does, and waits for what it begins. */
async function api(token, path, body) {
    const headers = { "Content-Type": "application/json", Prefer: "wait=10", ...(token && { Authorization: `Bearer ${token}` }) };
    const response = await fetch(`${address.replace(/\/$/, "")}/api/v1${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
}

async function person(name) {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(address);
    if (name) {
        await page.getByLabel("E-mail address").fill(`${name}@example.org`);
        await page.getByLabel("Password").fill(`learnflow-${name}`);
        await page.getByRole("button", { name: "Sign in" }).click();
        await page.getByRole("button", { name: "Sign out" }).waitFor();
    }
    return page;
}

/** What is loaded until somebody can sign in, and when it is seen, on a slow connection without a cache. */
async function firstPaint() {
    const [bytes, painted, usable] = [[], [], []];
    for (let round = 0; round < ROUNDS; round++) {
        const page = await (await browser.newContext()).newPage();
        const session = await page.context().newCDPSession(page);
        await session.send("Network.enable");
        await session.send("Network.emulateNetworkConditions", SLOW);
        let sum = 0;
        session.on("Network.loadingFinished", ({ encodedDataLength }) => (sum += encodedDataLength));
        const began = Date.now();
        await page.goto(address);
        await page.getByRole("button", { name: "Sign in" }).waitFor();
        usable.push(Date.now() - began);
        const paint = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN);
        painted.push(paint);
        bytes.push(sum / 1024);
        await page.context().close();
    }
    say("loaded until one can sign in", bytes, "KiB");
    say("first contentful paint, slow 4G", painted, "ms");
    say("sign-in form, slow 4G", usable, "ms");
}

/** From «Run» to the output, and the same by the API alone. */
async function run() {
    const page = await person("student");
    const button = page.getByRole("button", { name: "Run", exact: true });
    await button.waitFor();
    const measured = await page.evaluate(async (rounds) => {
        // Its text changes while the program runs.
        const button = [...document.querySelectorAll("button")].find((one) => one.textContent === "Run");
        const times = [];
        for (let round = 0; round < rounds * 4; round++) {
            const began = performance.now();
            button.click();
            await new Promise((resolve) => {
                const look = () => (button.disabled ? requestAnimationFrame(look) : resolve());
                requestAnimationFrame(look);
            });
            times.push(performance.now() - began);
        }
        return times;
    }, ROUNDS);
    say("from «Run» to the output", measured.slice(2), "ms");
    const { access_token } = await api("", "/auth/login", { email: "student@example.org", password: "learnflow-student" });
    const alone = [];
    for (let round = 0; round < ROUNDS * 4; round++) {
        const began = performance.now();
        await api(access_token, "/executions", { code: 'name = input("What is your name? ")\nprint("Hello,", name)\n', stdin: "Ada\n" });
        alone.push(performance.now() - began);
    }
    say("the same run by the API alone", alone.slice(2), "ms");
}

/** Frames a second while 1,000 steps are shown one after the other. */
async function steps() {
    const page = await person("student");
    await page.evaluate(() => document.querySelector(".editor")?.shadowRoot?.querySelector(".cm-content")?.focus());
    await page.keyboard.press("Control+a");
    await page.keyboard.insertText("squares = []\nfor i in range(400):\n    squares.append(i * i)\n    total = sum(squares)\nprint(total)\n");
    await page.getByRole("button", { name: "Step through" }).click();
    await page.getByText("Step 1 of").first().waitFor();
    const shown = await page.evaluate(async () => {
        const slider = document.querySelector("input[type=range]");
        const until = Math.min(1000, Number(slider.max));
        const began = performance.now();
        for (let step = 1; step <= until; step++) {
            slider.value = String(step);
            slider.dispatchEvent(new Event("input", { bubbles: true }));
            await new Promise(requestAnimationFrame);
        }
        return (until * 1000) / (performance.now() - began);
    });
    say("steps shown a second, one in each frame", [shown], "");
}

/** From a key in the question's field to the end of its work, beside a conversation of many answers, on a CPU four times as slow. */
async function typing() {
    const login = await api("", "/auth/login", { email: "student@example.org", password: "learnflow-student" });
    let conversation;
    for (let at = 0; at < ANSWERS; at++) {
        const asked = await api(login.access_token, "/query", { question: "What is a tuple?", conversation_id: conversation });
        conversation ??= asked.conversation_id;
    }
    const page = await person("student");
    const session = await page.context().newCDPSession(page);
    await session.send("Emulation.setCPUThrottlingRate", { rate: 4 });
    await page.getByText("Earlier conversations").click();
    await page.getByRole("button", { name: /tuple/ }).first().click();
    await page.locator(".said.tutor").nth(ANSWERS - 1).waitFor();
    await page.waitForLoadState("networkidle");
    const times = await page.evaluate(async () => {
        const field = document.querySelector("#question");
        const frame = () => new Promise(requestAnimationFrame);
        const times = [];
        for (let key = 0; key < 40; key++) {
            await frame();
            const began = performance.now();
            field.value += "x";
            field.dispatchEvent(new Event("input", { bubbles: true }));
            await new Promise((resolve) => setTimeout(resolve));
            times.push(performance.now() - began);
        }
        return times;
    });
    say(`a key typed beside ${ANSWERS} answers, CPU four times as slow`, times, "ms");
}

/** From the request of a student's fifth failed run to their alert on a teacher's screen. */
async function alerts() {
    const teacher = await api("", "/auth/login", { email: "teacher@example.org", password: "learnflow-teacher" });
    const made = await api(teacher.access_token, "/classes", { name: "Measured" });
    const page = await person("teacher");
    await page.goto(`${address.replace(/\/$/, "")}/#/alerts`);
    await page.getByRole("heading", { level: 1, name: "Alerts" }).waitFor();
    const times = [];
    // The fourth tells of a crowd, and of nobody after that.
    for (let round = 0; round < 4; round++) {
        const name = `Measured ${Date.now()}`;
        const account = { email: `measured-${Date.now()}@example.org`, password: "a long enough password", display_name: name };
        const { access_token } = await api("", "/auth/register", account);
        await api(access_token, "/classes/join", { code: made.invite_code });
        const fail = (run) => api(access_token, "/executions", { code: `print(${run}) + 1\n` });
        for (let run = 0; run < 4; run++) await fail(run);
        const began = performance.now();
        await fail(4);
        await page.getByText(name).first().waitFor();
        times.push(performance.now() - began);
    }
    say("from the fifth failed run to the teacher's alert", times, "ms");
}

try {
    await firstPaint();
    await run();
    await steps();
    await typing();
    await alerts();
} finally {
    await browser.close();
}
