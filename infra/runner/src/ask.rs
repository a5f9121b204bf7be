//! `learnflow ask`: asks a question like a front end.

use anyhow::{Context, bail};
use clap::Args;
use serde_json::{Value, json};

use crate::terminal::say;

/// The question, and where to ask it.
#[derive(Debug, Args)]
pub(crate) struct AskArguments {
    /// The question.
    question: String,
    /// The topic of the page that you are on.
    #[arg(long)]
    topic: Option<String>,
    /// The gateway.
    #[arg(long, env = "LEARNFLOW_URL", default_value = "http://127.0.0.1:8180")]
    url: String,
    /// The account to ask as.
    #[arg(long, env = "LEARNFLOW_EMAIL", default_value = api_gateway::seed::DEMO_LOGINS[0].email)]
    email: String,
    /// Its password.
    #[arg(long, env = "LEARNFLOW_PASSWORD", default_value = api_gateway::seed::DEMO_LOGINS[0].password, hide_env_values = true)]
    password: String,
    /// Print the answer as JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(arguments: AskArguments) -> anyhow::Result<()> {
    let client = runtime::http_client()?;
    let api = format!("{}/api/v1", arguments.url.trim_end_matches('/'));
    let post = async |path: &str, token: Option<&str>, body: Value| -> anyhow::Result<Value> {
        let mut request = client.post(format!("{api}{path}")).json(&body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.with_context(|| {
            format!("nothing answers at {}; start LearnFlow with `cargo run`", arguments.url)
        })?;
        let status = response.status();
        let body: Value = response.json().await.context("the answer is not JSON")?;
        if status.is_success() {
            return Ok(body);
        }
        bail!("{status}: {}", body["detail"].as_str().unwrap_or("no reason given"))
    };
    let login = json!({ "email": arguments.email, "password": arguments.password });
    let session = post("/auth/login", None, login).await?;
    let question = json!({ "question": arguments.question, "topic": arguments.topic });
    let answered = post("/query", session["access_token"].as_str(), question).await?;
    if arguments.json {
        say(serde_json::to_string_pretty(&answered)?);
        return Ok(());
    }
    match answered["answer"]["content"].as_str() {
        Some(content) => {
            say(content);
            let text = |name: &str| answered[name].as_str().unwrap_or("?").to_owned();
            say(format!("\n— {} ({})", text("agent"), text("answered_by")));
        }
        None => {
            let status_url = answered["status_url"].as_str().unwrap_or_default();
            say(format!("No answer yet; it will be at {}{status_url}", arguments.url));
        }
    }
    Ok(())
}
