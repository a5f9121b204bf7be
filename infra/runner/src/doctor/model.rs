//! The language model.

use events::model_call::Task;
use runtime::config::Settings;
use secrecy::ExposeSecret;
use serde_json::json;
use tutor::TutorConfig;

use super::finding::{Finding, REQUEST_LIMIT};

/// The longest for the answer to a small question.
const ANSWER_LIMIT: std::time::Duration = std::time::Duration::from_secs(20);

/// Asks the model's server for its models, or the model a small question.
pub(super) async fn check(is_to_be_called: bool, settings: &mut Settings) -> Finding {
    let Some(config) = TutorConfig::read(settings) else {
        return Finding::Fine("model: none; the offline tutor answers".to_owned());
    };
    let base = config.base_url.trim_end_matches('/');
    let model = config.models.get(&Task::Explain).map(String::as_str).unwrap_or_default();
    let asked = async {
        let client = runtime::http_client()?;
        let request = if is_to_be_called {
            let question = json!({
                "model": model,
                "messages": [{ "role": "user", "content": "Say ok." }],
                "max_completion_tokens": 16,
            });
            let request = client.post(format!("{base}/chat/completions")).timeout(ANSWER_LIMIT);
            request.header("content-type", "application/json").body(question.to_string())
        } else {
            client.get(format!("{base}/models")).timeout(REQUEST_LIMIT)
        };
        request.bearer_auth(config.key.expose_secret()).send().await
    };
    let status = asked.await.map(|response| response.status().as_u16());
    finding(base, model, is_to_be_called, status.ok())
}

fn finding(base: &str, model: &str, was_called: bool, status: Option<u16>) -> Finding {
    match status {
        Some(200..300) if was_called => {
            Finding::Fine(format!("model: {model} at {base} answers a question"))
        }
        Some(401 | 403) => {
            Finding::Fault(format!("model: {base} refuses our key; check OPENAI_API_KEY"))
        }
        Some(404) if was_called => Finding::Fault(format!(
            "model: {base} does not know {model}; check OPENAI_MODEL and OPENAI_BASE_URL"
        )),
        Some(429) if was_called => Finding::Warning(format!(
            "model: {base} answers no more now, so the offline tutor does; look at its limits and what is paid for"
        )),
        Some(status) if was_called => Finding::Fault(format!(
            "model: {base} answers with {status}; look at its state, and at OPENAI_BASE_URL"
        )),
        // Some servers have no list of models.
        Some(_) => {
            Finding::Fine(format!("model: {base} answers; `--call-model` asks it a question"))
        }
        None => Finding::Warning(format!(
            "model: {base} does not answer, so the offline tutor does; check OPENAI_BASE_URL"
        )),
    }
}
