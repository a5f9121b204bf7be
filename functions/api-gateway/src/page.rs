//! The page at `/`: a front end in the browser, made of the files in `page/`, which are compiled in.
//!
//! What a browser may keep for ever has the version in its address, so an upgrade needs no waiting for caches. A debug
//! build reads the files from the source tree, so that an edit shows on reload.

use std::{borrow::Cow, io::Write as _, path::Path as FilePath, sync::LazyLock};

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use flate2::{Compression, write::GzEncoder};
use runtime::web::Problem;
use sha2::{Digest, Sha256};

use crate::{
    cacheable::{Keep, tagged},
    gateway::Gateway,
};

/// Where the files are in the source tree.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/page/");
/// The file that names all others.
const INDEX: &str = "index.html";
/// What a debug build calls its version.
const UNVERSIONED: &str = "debug";

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_bytes!(concat!("../page/", $name)))),*]
    };
}

/// All files, by name.
const FILES: &[(&str, &[u8])] = files!(
    "app/account.js",
    "app/admin/dead-letters.js",
    "app/admin/health.js",
    "app/admin/index.js",
    "app/admin/json.js",
    "app/admin/lanes.js",
    "app/admin/operate.js",
    "app/admin/repair.js",
    "app/admin/trace.js",
    "app/admin/usage.js",
    "app/admin/users.js",
    "app/answers.js",
    "app/api.js",
    "app/chat.js",
    "app/course.js",
    "app/drafts.js",
    "app/editor.js",
    "app/forms.js",
    "app/html.js",
    "app/inbox.js",
    "app/main.js",
    "app/markdown.js",
    "app/parts.js",
    "app/practice/exercise.js",
    "app/practice/exercises.js",
    "app/practice/index.js",
    "app/practice/outcomes.js",
    "app/practice/pieces.js",
    "app/practice/progress.js",
    "app/practice/quiz.js",
    "app/practice/quizzes.js",
    "app/practice/tests.js",
    "app/router.js",
    "app/runs.js",
    "app/session.js",
    "app/signin.js",
    "app/socket.js",
    "app/steps.js",
    "app/teacher/alerts.js",
    "app/teacher/assignments.js",
    "app/teacher/classes.js",
    "app/teacher/index.js",
    "app/teacher/manage.js",
    "app/teacher/overview.js",
    "app/teacher/playback.js",
    "app/teacher/roster.js",
    "app/teacher/shared.js",
    "app/teacher/student.js",
    "app/texts-admin.js",
    "app/texts-practice.js",
    "app/texts-teacher.js",
    "app/texts.js",
    "app/topics.js",
    "app/tutor.js",
    "app/workspace.js",
    "icon.svg",
    "index.html",
    "style.css",
    "styles/admin.css",
    "styles/practice.css",
    "styles/teacher.css",
    "vendor/vendor.js",
);

/// Modules that are loaded when they are needed, if they are.
const LATER: [&str; 6] =
    ["app/practice/", "app/teacher/", "app/admin/", "app/account.js", "app/forms.js", "app/texts-"];

fn is_later(name: &str) -> bool {
    LATER.iter().any(|later| name.starts_with(later))
}

/// The largest file, compressed by `tests/page/vendor.mjs` as well as it can be.
const VENDOR_BROTLI: &[u8] = include_bytes!("../page/vendor/vendor.js.br");

/// A file as it is sent.
#[derive(Debug)]
struct Packed {
    name: &'static str,
    plain: &'static [u8],
    gzip: Vec<u8>,
}

impl Packed {
    /// The smallest form that the client takes, with the name of its coding.
    fn best(&self, headers: &HeaderMap) -> (Option<&'static str>, &[u8]) {
        if self.name == "vendor/vendor.js" && takes(headers, "br") {
            (Some("br"), VENDOR_BROTLI)
        } else if takes(headers, "gzip") {
            (Some("gzip"), &self.gzip)
        } else {
            (None, self.plain)
        }
    }
}

/// The compiled-in page.
#[derive(Debug)]
struct Page {
    /// A hash of all files.
    version: String,
    files: Vec<Packed>,
}

static PAGE: LazyLock<Page> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    let files = FILES.iter().map(|&(name, plain)| {
        hash.update(name);
        hash.update(Sha256::digest(plain));
        Packed { name, plain, gzip: compress(plain) }
    });
    let files = files.collect();
    Page { version: URL_SAFE_NO_PAD.encode(&hash.finalize()[..12]), files }
});

/// The page's routes.
pub(crate) fn routes() -> Router<Gateway> {
    Router::new().route("/", get(index)).route("/page/{version}/{*name}", get(file))
}

async fn index(State(gateway): State<Gateway>, headers: HeaderMap) -> Result<Response, Problem> {
    let (version, template) = match on_disk(INDEX) {
        Some(template) => (UNVERSIONED, Cow::Owned(template)),
        None => (PAGE.version.as_str(), Cow::Borrowed(embedded(INDEX)?.plain)),
    };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let sockets = sockets(gateway.config.sockets_url.as_deref(), host);
    let modules = FILES.iter().map(|(name, _)| name).filter(|name| name.ends_with(".js"));
    let modules = modules.filter(|name| !is_later(name));
    let preloads = modules
        .map(|name| format!("<link rel=\"modulepreload\" href=\"page/{version}/{name}\">\n"));
    let body = String::from_utf8_lossy(&template)
        .replace("{preloads}", &preloads.collect::<String>())
        .replace("{version}", version)
        .replace("{sockets}", &sockets);
    let mut response =
        tagged(&headers, "text/html; charset=utf-8", body.into_bytes(), Keep::Checked)?;
    let policy = HeaderValue::from_str(&policy(&sockets));
    let policy = policy.map_err(|error| Problem::internal(&error))?;
    let sent = response.headers_mut();
    sent.insert(header::CONTENT_SECURITY_POLICY, policy);
    protect(sent);
    Ok(response)
}

async fn file(
    Path((version, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    // Files of two versions do not fit together: a page that was replaced says so, and is loaded again.
    if version != PAGE.version && !(cfg!(debug_assertions) && version == UNVERSIONED) {
        return Err(Problem::not_found("the page has another version now; load it again"));
    }
    let mut response = if let Some(body) = on_disk(&name) {
        body.into_response()
    } else {
        match embedded(&name)?.best(&headers) {
            (Some(coding), body) => ([(header::CONTENT_ENCODING, coding)], body).into_response(),
            (None, body) => body.into_response(),
        }
    };
    let sent = response.headers_mut();
    let media_type = match name.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "text/plain; charset=utf-8",
    };
    // An edit shows on reload.
    let kept =
        if version == UNVERSIONED { "no-store" } else { "public, max-age=31536000, immutable" };
    sent.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    sent.insert(header::CACHE_CONTROL, HeaderValue::from_static(kept));
    sent.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    protect(sent);
    Ok(response)
}

/// A file by its name. Only the names of `FILES` are known, so none can lead elsewhere.
fn embedded(name: &str) -> Result<&'static Packed, Problem> {
    let found = PAGE.files.iter().find(|file| file.name == name);
    found.ok_or_else(|| Problem::not_found("the page has no such file"))
}

/// The file in the source tree, in a debug build that still has one.
fn on_disk(name: &str) -> Option<Vec<u8>> {
    let is_plain = |piece: &str| !piece.is_empty() && !piece.starts_with('.');
    if !cfg!(debug_assertions) || !name.split('/').all(is_plain) {
        return None;
    }
    std::fs::read(FilePath::new(FOLDER).join(name)).ok()
}

fn compress(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    // Writing into memory does not fail.
    let written = encoder.write_all(plain).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}

/// Whether a client takes a content coding (RFC 9110, section 12.5.3).
fn takes(headers: &HeaderMap, wanted: &str) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    accepted.into_iter().flat_map(|accepted| accepted.split(',')).any(|coding| {
        let (coding, weight) = coding.split_once(';').unwrap_or((coding, ""));
        coding.trim() == wanted && weight.trim().trim_end_matches(['0', '.']) != "q="
    })
}

/// Where the page opens sockets: as configured, else at this host on the websocket function's own port.
fn sockets(configured: Option<&str>, host: &str) -> String {
    if let Some(url) = configured {
        return url.to_owned();
    }
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|byte| byte.is_ascii_digit()) { name } else { host }
    });
    // It becomes a part of the page and its policy.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-[]:".contains(&byte);
    let name = if !name.is_empty() && name.bytes().all(plain) { name } else { "localhost" };
    format!("ws://{name}:8108{{path}}")
}

/// What the page may load and call: its own origin, and the sockets.
fn policy(sockets: &str) -> String {
    let (scheme, rest) = sockets.split_once("://").unwrap_or(("ws", sockets));
    let host = rest.split(['/', '?', '{', ';', ' ', ',']).next().unwrap_or_default();
    // Where the page came by TLS, it opens sockets by TLS.
    let other = if scheme == "ws" { format!(" wss://{host}") } else { String::new() };
    format!(
        "default-src 'self'; connect-src 'self' {scheme}://{host}{other}; img-src 'self' data:; object-src 'none'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}

fn protect(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, io::Read as _, path::Path};

    use axum::http::{HeaderMap, HeaderValue, header};
    use flate2::read::GzDecoder;
    use futures::executor::block_on;

    use super::{FILES, FOLDER, PAGE, file, is_later, policy, sockets, takes};

    fn names(folder: &Path, found: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                names(&path, found);
            } else {
                let name = path.strip_prefix(FOLDER).unwrap();
                found.insert(name.to_str().unwrap().to_owned());
            }
        }
    }

    #[test]
    fn all_files_of_the_page_are_compiled_in() {
        let mut found = BTreeSet::new();
        names(Path::new(FOLDER), &mut found);
        // Types are for the check of the scripts, licences for people.
        found.retain(|name| ![".d.ts", ".txt", ".br"].iter().any(|end| name.ends_with(end)));
        let listed: BTreeSet<String> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(listed, found);
    }

    #[test]
    fn what_everybody_loads_first_is_small() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, br"));
        let first = PAGE.files.iter().filter(|file| !is_later(file.name));
        let bytes: usize = first.map(|file| file.best(&headers).1.len()).sum();
        assert!(bytes <= 180 * 1024, "{bytes} bytes compressed");
    }

    #[test]
    fn a_browser_keeps_the_files_of_this_version_and_gets_none_of_another() {
        let ask = |version: &str| {
            let path = axum::extract::Path((version.to_owned(), "app/main.js".to_owned()));
            let response =
                block_on(file(path, HeaderMap::new())).map_err(|problem| problem.status());
            response.map(|response| response.headers()[header::CACHE_CONTROL].clone())
        };
        assert_eq!(ask(&PAGE.version).unwrap(), "public, max-age=31536000, immutable");
        assert_eq!(ask("another").unwrap_err(), 404);
        let form = PAGE.files.iter().find(|file| file.name == "app/main.js").unwrap();
        let mut headers = HeaderMap::new();
        assert_eq!(form.best(&headers), (None, form.plain));
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let (coding, packed) = form.best(&headers);
        let mut unpacked = Vec::new();
        GzDecoder::new(packed).read_to_end(&mut unpacked).unwrap();
        assert_eq!((coding, unpacked.as_slice()), (Some("gzip"), form.plain));
    }

    #[test]
    fn clients_get_only_codings_that_they_take() {
        for (accepted, taken) in [
            ("gzip, deflate, br", true),
            ("br;q=0.5", true),
            ("gzip", false),
            ("br;q=0", false),
            ("br;q=0.0, gzip", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accepted));
            assert_eq!(takes(&headers, "br"), taken, "{accepted}");
        }
    }

    #[test]
    fn sockets_are_at_the_host_that_the_browser_called() {
        for (host, expected) in [
            ("127.0.0.1:8180", "ws://127.0.0.1:8108{path}"),
            ("[::1]:8180", "ws://[::1]:8108{path}"),
            ("school.example", "ws://school.example:8108{path}"),
            ("x\"><script>", "ws://localhost:8108{path}"),
            ("", "ws://localhost:8108{path}"),
        ] {
            assert_eq!(sockets(None, host), expected);
        }
        let configured = "wss://api.example/dev?path={path}";
        assert_eq!(sockets(Some(configured), "school.example"), configured);
        assert!(policy(configured).contains("connect-src 'self' wss://api.example;"));
    }
}
