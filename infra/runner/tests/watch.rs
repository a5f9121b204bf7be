//! All functions under `cargo lambda watch`, with `learnflow poll` as their trigger: the three commands that the README
//! has for developing Lambda functions.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use testing::{
    eventually,
    outside_tools::{forget_the_tests_package, python_packages},
    reserved_port,
};

/// The longest for one answer. `cargo lambda watch` links a function when it is invoked for the first time.
const FIRST_ANSWER: Duration = Duration::from_secs(300);

/// A running command. What it prints is in a file.
struct Running {
    child: Child,
    output: PathBuf,
}

impl Running {
    fn start(mut command: Command, folder: &Path, name: &str) -> Self {
        let output = folder.join(name);
        let file = File::create(&output).expect("a file");
        let copy = file.try_clone().expect("a file");
        let command = command.current_dir(root()).stdin(Stdio::null()).process_group(0);
        let child = command.stdout(file).stderr(copy).spawn().expect("it starts");
        Self { child, output }
    }

    /// The first line that has this text.
    async fn line(&self, text: &str) -> String {
        eventually(text, async || {
            let lines = BufReader::new(File::open(&self.output).expect("a file")).lines();
            lines.map_while(Result::ok).find(|line| line.contains(text))
        })
        .await
    }
}

impl Drop for Running {
    /// Ctrl-C, as at a terminal: it reaches the whole process group.
    #[expect(clippy::print_stderr, reason = "why a test has failed must be seen")]
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        drop(Command::new("kill").args(["-INT", "--", &group]).status());
        drop(self.child.wait());
        if std::thread::panicking() {
            let said = fs::read_to_string(&self.output).unwrap_or_default();
            let tail = said.lines().rev().take(60).collect::<Vec<_>>();
            for line in tail.into_iter().rev() {
                eprintln!("{line}");
            }
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn learnflow(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_learnflow"));
    command.args(arguments);
    command
}

fn cargo_lambda(tools: &Path, settings: &Path, port: u16) -> Command {
    let mut command = Command::new(tools.join("bin/cargo-lambda"));
    // Whatever else changes in the repository while this test runs is none of its business.
    command.args(["lambda", "watch", "--ignore-changes", "-A", "127.0.0.1", "-P"]);
    command.arg(port.to_string()).arg("--env-file").arg(settings);
    forget_the_tests_package(&mut command);
    command
}

/// The functions behind the endpoint of `cargo lambda watch`.
struct Functions {
    client: Client,
    url: String,
}

impl Functions {
    async fn send(
        &self,
        method: &str,
        path: &str,
        token: &str,
        body: Value,
    ) -> (StatusCode, Value) {
        let method = method.parse().expect("a method");
        let request = self.client.request(method, format!("{}{path}", self.url)).json(&body);
        let request = if token.is_empty() { request } else { request.bearer_auth(token) };
        let response = request.timeout(FIRST_ANSWER).send().await.expect("an answer");
        let status = response.status();
        (status, response.json().await.unwrap_or_default())
    }

    async fn log_in(&self, name: &str) -> String {
        let body = json!({ "email": format!("{name}@example.org"), "password": format!("learnflow-{name}") });
        let (status, body) = self.send("POST", "/api/v1/auth/login", "", body).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        body["access_token"].as_str().expect("a token").to_owned()
    }

    /// A batch without records, as a function's first invocation. Returns once it has answered.
    async fn wake(&self, function: &str) {
        let path = format!("/2015-03-31/functions/{function}/invocations");
        let batch = json!({ "eventSource": "aws:kafka", "records": {} });
        let (status, body) = self.send("POST", &path, "", batch).await;
        assert_eq!(
            (status, body),
            (StatusCode::OK, json!({ "batchItemFailures": [] })),
            "{function}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_and_an_alert_pass_through_functions_under_cargo_lambda_watch() {
    let requirements = root().join("tests/cargo-lambda/requirements.txt");
    let installed = tokio::task::spawn_blocking(move || python_packages(&requirements));
    let Some(tools) = installed.await.expect("it ends").expect("cargo-lambda is installed") else {
        return;
    };
    let folder = TempDir::new().expect("a folder");
    let data = folder.path().join("data");
    let data = data.to_str().expect("UTF-8");
    let backends = learnflow(&["dev", "--backends-only", "--data", data]);
    let backends = Running::start(backends, folder.path(), "backends");
    let line = backends.line("--bootstrap-servers ").await;
    let brokers = line.rsplit(' ').next().expect("an address");

    let port = reserved_port();
    let watch = cargo_lambda(&tools, &folder.path().join("data/functions.env"), port);
    let watch = Running::start(watch, folder.path(), "watch");
    watch.line("starting Runtime server").await;
    let client = runtime::http_client().expect("a client");
    let functions = Functions { client, url: format!("http://127.0.0.1:{port}") };
    for (spec, _) in runner::functions::FUNCTIONS {
        functions.wake(spec.name).await;
    }
    let poll =
        ["poll", "run", "--template", "template.yaml", "--parameter", "KafkaClusterArn=local"];
    let further =
        ["--bootstrap-servers", brokers, "--control", "127.0.0.1:0", "--endpoint", &functions.url];
    let _poll =
        Running::start(learnflow(&[&poll[..], &further[..]].concat()), folder.path(), "poll");

    let student = functions.log_in("student").await;
    let question = json!({ "question": "What is the difference between a list and a tuple?" });
    let (status, asked) = functions.send("POST", "/api/v1/query", &student, question).await;
    assert!(status.is_success(), "{status} {asked}");
    let path = asked["status_url"].as_str().expect("a path").to_owned();
    let answered = eventually("an answer", async || {
        let (_, seen) = functions.send("GET", &path, &student, Value::Null).await;
        (seen["status"] == "answered").then_some(seen)
    });
    let answered = answered.await;
    assert_eq!(answered["agent"], "concepts", "{answered}");

    let teacher = functions.log_in("teacher").await;
    let class = json!({ "name": "Python 1" });
    let (_, class) = functions.send("POST", "/api/v1/classes", &teacher, class).await;
    let code = json!({ "code": class["invite_code"] });
    let (status, joined) = functions.send("POST", "/api/v1/classes/join", &student, code).await;
    assert!(status.is_success(), "{joined}");
    for code in ["print(a)", "1 + ''", "[][1]", "{}['x']", "int('x')"] {
        let program = json!({ "code": code });
        let (status, run) = functions.send("POST", "/api/v1/executions", &student, program).await;
        assert!(status.is_success(), "{run}");
    }
    let alert = eventually("an alert", async || {
        let (_, seen) = functions.send("GET", "/api/v1/alerts", &teacher, Value::Null).await;
        seen["items"].get(0).cloned()
    });
    let alert = alert.await;
    assert_eq!(alert["trigger"], "failed_runs", "{alert}");
}
