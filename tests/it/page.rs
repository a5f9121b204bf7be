//! The page at `/`, as people use it: in a real browser, on the whole product.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use reqwest::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, ETAG, HeaderValue,
    IF_NONE_MATCH, SET_COOKIE,
};
use serde_json::{Value, json};
use testing::outside_tools::{npm_packages, program};
use tests::{PASSWORD, Setup, World, contract};
use tokio::process::Command;

/// The longest that a flow may take: minutes on a machine that is busy with other tests.
const LIMIT: Duration = Duration::from_secs(300);

/// Fails if the compressed bundle is another one than the plain one.
const UNPACKS: &str = "import assert from 'node:assert/strict'; import { readFileSync } from 'node:fs'; \
    import { brotliDecompressSync } from 'node:zlib'; const at = process.argv[1]; \
    assert.ok(brotliDecompressSync(readFileSync(`${at}/vendor.js.br`)).equals(readFileSync(`${at}/vendor.js`)));";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("page")
}

/// A folder with the scripts of `tests/page` and their packages; `None` if Node.js is missing.
async fn scripts() -> Option<tempfile::TempDir> {
    let install = tokio::task::spawn_blocking(|| npm_packages(&folder()));
    let packages = install.await.expect("no panic").expect("the packages are installed")?;
    let copy = tempfile::TempDir::new().expect("a folder");
    for entry in std::fs::read_dir(folder()).expect("the folder") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            std::fs::copy(&path, copy.path().join(path.file_name().expect("a name")))
                .expect("it is copied");
        }
    }
    std::os::unix::fs::symlink(packages.join("node_modules"), copy.path().join("node_modules"))
        .expect("a link");
    Some(copy)
}

/// Runs a program of Node.js in that folder; what it says if it fails.
async fn node(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new("node");
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).kill_on_drop(true);
    let ended = tokio::time::timeout(LIMIT, command.output()).await;
    let output = ended.expect("it ends in time").expect("it starts");
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{arguments:?}:\n{}", String::from_utf8_lossy(&said));
}

/// Plays one of the flows of `tests/page/flows.mjs`.
async fn play(flow: &str) {
    let (Some(chromium), Some(scripts)) =
        (program(&["chromium", "chromium-browser", "google-chrome"]), scripts().await)
    else {
        return;
    };
    // One account looks at everything within seconds, twice.
    let settings = vec![("RATE_LIMIT_USER", "10000".to_owned())];
    let world = World::with(Setup { system_clock: true, settings, ..Setup::default() }).await;
    let url = |function| world.stack().url(function).expect("the function is there");
    let sockets = url("websocket");
    let port = sockets.rsplit(':').next().expect("a port");
    node(scripts.path(), &["flows.mjs", flow, &url("api-gateway"), port, &chromium]).await;
    world.finish().await;
}

macro_rules! flows {
    ($($test:ident = $flow:literal),* $(,)?) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            play($flow).await;
        })*
    };
}

flows! {
    a_student_runs_code_and_steps_through_it = "student",
    the_tutor_answers_beside_the_code = "tutor",
    exercises_and_quizzes_are_tried_and_graded = "practice",
    a_second_device_goes_on_where_the_first_one_was_left = "drafts",
    a_teacher_sees_who_struggles_and_sees_to_it = "teacher",
    an_administrator_follows_a_question = "operator",
    what_people_write_is_text = "attacks",
    every_view_is_accessible_and_fits_the_screen = "look",
    a_student_at_work_sees_accessible_views = "lookStudent",
    a_class_and_a_student_are_accessible_views = "lookTeacher",
    an_operator_looks_into_accessible_views = "lookOperator",
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_scripts_fit_the_api_and_the_bundle_is_what_its_script_makes() {
    let Some(scripts) = scripts().await else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions/api-gateway/page");
    let at = |name: &str| scripts.path().join(name).to_str().expect("a path").to_owned();
    node(scripts.path(), &["vendor.mjs", &at("made")]).await;
    for name in ["vendor.js", "LICENSES.txt"] {
        let made = std::fs::read(scripts.path().join("made").join(name)).expect("it is made");
        let committed = std::fs::read(root.join("vendor").join(name)).expect("it is committed");
        assert!(made == committed, "{name}: run tests/page/vendor.mjs again");
    }
    // Another version of Node.js may compress to other bytes.
    let vendor = root.join("vendor");
    let vendor = vendor.to_str().expect("a path");
    node(scripts.path(), &["--input-type=module", "--eval", UNPACKS, vendor]).await;
    std::fs::create_dir(scripts.path().join("generated")).expect("a folder");
    std::fs::write(at("openapi.json"), contract::document().to_string()).expect("it is written");
    let types = at("node_modules/openapi-typescript/bin/cli.js");
    node(scripts.path(), &[&types, "openapi.json", "--output", "generated/api.d.ts"]).await;
    // The configuration names the scripts by where it stands in the repository.
    let configuration = std::fs::read_to_string(at("tsconfig.json")).expect("a configuration");
    let real = root.canonicalize().expect("the page");
    let configuration =
        configuration.replace("../../functions/api-gateway/page", real.to_str().expect("a path"));
    std::fs::write(at("tsconfig.json"), configuration).expect("it is written");
    node(scripts.path(), &[&at("node_modules/typescript/bin/tsc"), "-p", "."]).await;
    node(scripts.path(), &["functions.mjs", root.to_str().expect("a path")]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_is_safe_and_kept_by_browsers() {
    let world = World::new().await;
    let url = world.stack().url("api-gateway").expect("there is a gateway");
    let client = runtime::http_client().expect("a client");
    let index = client.get(format!("{url}/")).send().await.expect("the page");
    let policy = index.headers()[CONTENT_SECURITY_POLICY].to_str().expect("text").to_owned();
    assert!(policy.starts_with(
        "default-src 'self'; connect-src 'self' ws://127.0.0.1:8108 wss://127.0.0.1:8108;"
    ));
    let tag = index.headers()[ETAG].clone();
    let text = index.text().await.expect("a page");
    assert!(!text.contains("<script>") && !text.contains("style="), "{text}");
    let again = client.get(format!("{url}/")).header(IF_NONE_MATCH, tag).send().await;
    assert_eq!(again.expect("a response").status(), 304);
    let file = client.get(format!("{url}/page/debug/app/main.js"));
    let file = file.header(ACCEPT_ENCODING, "gzip").send().await.expect("a script");
    assert_eq!(file.status(), 200);
    assert_eq!(file.headers()[CACHE_CONTROL], "no-store", "an edit shows on reload");
    for path in [
        "other/app/main.js",
        "debug/..%2fCargo.toml",
        "debug/app%2f..%2f..%2fCargo.toml",
        "debug/%2fetc%2fpasswd",
        "debug/app/none.js",
    ] {
        let response = client.get(format!("{url}/page/{path}")).send().await.expect("a response");
        assert_eq!(response.status(), 404, "{path}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_token_in_a_cookie_is_out_of_reach_and_works_once() {
    let world = World::new().await;
    world.student("ada").await;
    let url = world.stack().url("api-gateway").expect("there is a gateway");
    let client = runtime::http_client().expect("a client");
    let post = async |path: &str, cookie: &str, site: &str, origin: &str, body: Value| {
        let request = client.post(format!("{url}/api/v1/auth/{path}")).json(&body);
        let request = request.header(COOKIE, cookie).header("sec-fetch-site", site);
        let response = request.header("origin", origin).send().await.expect("a response");
        let set = response.headers().get(SET_COOKIE).map(HeaderValue::to_str);
        let set = set.map(|text| text.expect("text").to_owned()).unwrap_or_default();
        (response.status(), set, response.json::<Value>().await.unwrap_or_default())
    };
    let login =
        json!({ "email": "ada@example.org", "password": PASSWORD, "refresh_token_in": "cookie" });
    let (status, set, body) = post("login", "", "same-origin", "http://x", login.clone()).await;
    assert_eq!(status, 200);
    assert!(body.get("refresh_token").is_none(), "{body}");
    assert!(set.contains("; HttpOnly; SameSite=Strict; ") && !set.contains("Secure"), "{set}");
    assert!(set.contains("; Path=/api/v1/auth;"), "{set}");
    let (_, secure, _) = post("login", "", "same-origin", "https://x", login).await;
    assert!(secure.ends_with("; Secure"), "{secure}");
    let cookie = set.split(';').next().expect("a pair").to_owned();
    for site in ["cross-site", "same-site", "none"] {
        let (status, set, _) =
            post("refresh", &cookie, site, "https://evil.example", json!({})).await;
        assert_eq!((status.as_u16(), set.as_str()), (401, ""), "{site}");
    }
    let others = format!("theme=dark; {cookie}; x=y");
    let (status, set, body) = post("refresh", &others, "same-origin", "http://x", json!({})).await;
    assert_eq!(status, 200, "{body}");
    let next = set.split(';').next().expect("a pair").to_owned();
    assert_ne!(next, cookie);
    let (status, ..) = post("refresh", "", "same-origin", "http://x", json!({})).await;
    assert_eq!(status, 422, "no cookie");
    let (status, set, _) = post("logout", &next, "same-origin", "http://x", json!({})).await;
    assert_eq!(status, 204);
    assert!(set.contains("Max-Age=0"), "{set}");
    let (status, ..) = post("refresh", &next, "same-origin", "http://x", json!({})).await;
    assert_eq!(status, 401, "logged out");
    world.finish().await;
}
