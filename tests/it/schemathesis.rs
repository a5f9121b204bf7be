//! The running gateway answers as its OpenAPI document says, whoever asks and whatever is sent: an outside tool sends
//! what fits the document and what does not, and compares the answers with it.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use testing::outside_tools::python_packages;
use tests::{Setup, World, contract};
use uuid::Uuid;

use crate::access;

/// What must be so: no server error, and no status, content type, header or shape that is not documented.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_schema_conformance,response_headers_conformance";
/// Random requests to each operation, after those that try each bound of its schemas, which find most: with twice as many
/// this is the longest test by far.
const EXAMPLES: &str = "2";
/// Decides all requests.
const SEED: &str = "1";
/// More requests than are made.
const NO_LIMIT: &str = "1000000";

/// The document in which only what is listed is allowed, and resources are those of the test, or none.
fn strict_document(address: &impl Fn(&str) -> String, is_anonymous: bool) -> Value {
    let mut document = contract::document().clone();
    for (path, item) in document["paths"].as_object_mut().into_iter().flatten() {
        let concrete = address(path);
        let values: Vec<(&str, &str)> = path
            .split('/')
            .zip(concrete.split('/'))
            .filter_map(|(name, value)| Some((name.strip_prefix('{')?.strip_suffix('}')?, value)))
            .filter(|(_, value)| !value.is_empty())
            .collect();
        for operation in item.as_object_mut().into_iter().flatten().map(|(_, it)| it) {
            operation["responses"].as_object_mut().expect("responses").remove("default");
            if is_anonymous {
                // Else the tool registers and logs in by itself.
                operation.as_object_mut().expect("an operation").remove("security");
            }
            let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
            for parameter in parameters.into_iter().flatten() {
                let value = values.iter().find(|(name, _)| parameter["name"] == *name);
                if let Some((_, value)) = value.filter(|_| parameter["in"] == "path") {
                    let unknown = Uuid::max().to_string();
                    parameter["schema"] = json!({ "type": "string", "enum": [value, unknown] });
                }
            }
        }
    }
    if is_anonymous {
        document["components"].as_object_mut().expect("components").remove("securitySchemes");
    }
    document
}

/// Runs the tool on behalf of a caller; what it says if it finds anything.
fn check(program: &Path, document: &Path, url: &str, token: Option<&str>) -> Result<(), String> {
    let mut command = Command::new(program);
    command
        .arg("run")
        .arg(document)
        .args(["--url", url, "--checks", CHECKS, "--phases", "coverage,fuzzing"])
        .args(["--max-examples", EXAMPLES, "--seed", SEED, "--generation-database", "none"])
        .args(["--workers", "1", "--no-shrink", "--continue-on-failure", "--warnings", "off"])
        .args(["--no-color", "--generation-with-security-parameters", "false"])
        .current_dir(document.parent().expect("a folder"));
    if let Some(token) = token {
        command.args(["--header", &format!("Authorization: Bearer {token}")]);
    }
    let output = command.output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() && said.contains("No issues found") { Ok(()) } else { Err(said) }
}

/// Checks all answers to one of [`access::CALLERS`].
async fn every_answer_is_documented(caller: &str) {
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemathesis/requirements.txt");
    let installed = tokio::task::spawn_blocking(move || python_packages(&requirements));
    let Some(packages) = installed.await.expect("no panic").expect("the tool is installed") else {
        return;
    };
    let program: PathBuf = packages.join("bin/schemathesis");
    let limits = [
        "RATE_LIMIT_ADDRESS",
        "RATE_LIMIT_USER",
        "RATE_LIMIT_PASSWORD",
        "RATE_LIMIT_LOGIN",
        "RATE_LIMIT_ACCOUNT",
    ];
    let settings = limits.map(|name| (name, NO_LIMIT.to_owned())).into();
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    let people = access::people(&world).await;
    let address = access::things(&world, &people).await;
    let folder = tempfile::TempDir::new().expect("a folder");
    let url = world.stack().url("api-gateway").expect("there is a gateway");
    let number = access::CALLERS.iter().position(|known| *known == caller).expect("a caller");
    let token = people.tokens[number].clone();
    let document = strict_document(&address, token.is_none());
    let path = folder.path().join("openapi.json");
    std::fs::write(&path, document.to_string()).expect("it is written");
    let checked =
        tokio::task::spawn_blocking(move || check(&program, &path, &url, token.as_deref()));
    if let Err(said) = checked.await.expect("no panic") {
        panic!("{said}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_to_nobody_is_documented() {
    every_answer_is_documented("nobody").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_to_a_service_is_documented() {
    every_answer_is_documented("a service").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_to_an_administrator_is_documented() {
    every_answer_is_documented("an admin").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_to_a_teacher_is_documented() {
    every_answer_is_documented("their teacher").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_to_a_student_is_documented() {
    every_answer_is_documented("the owner").await;
}
