//! The language model.

use events::model_call::{Field, Task};
use runtime::{Clock, config::Settings};
use secrecy::ExposeSecret;
use tutor::{ModelError, Tutor, TutorConfig, prompt, reply};

use super::finding::{Finding, REQUEST_LIMIT};

/// Asks the model's server for its models, or the model a small question.
pub(super) async fn check(is_to_be_called: bool, settings: &mut Settings) -> Finding {
    let Some(config) = TutorConfig::read(settings) else {
        return Finding::Fine("model: none; the offline tutor answers".to_owned());
    };
    let base = config.base_url.clone();
    let client = match runtime::http_client() {
        Ok(client) => client,
        Err(error) => return Finding::Fault(format!("model: no HTTP client: {error}")),
    };
    if is_to_be_called {
        // As the functions ask, so that what a server does not understand of it is seen here.
        let tutor = Tutor::new(config, client, Clock::System);
        let text = "What is a list?".to_owned();
        let fields = [Field { name: "question".to_owned(), text }];
        let answered = tutor.ask(Task::Classify, &fields, |_| {}).await;
        return called(&base, tutor.model(Task::Classify), answered.text);
    }
    let request = client.get(format!("{base}/models")).timeout(REQUEST_LIMIT);
    let asked = request.bearer_auth(config.key.expose_secret()).send().await;
    match asked.map(|response| response.status().as_u16()) {
        Ok(401 | 403) => refused(&base),
        // Some servers have no list of models.
        Ok(_) => Finding::Fine(format!("model: {base} answers; `--call-model` asks it a question")),
        Err(_) => away(&base),
    }
}

/// What the answer to a question says.
fn called(base: &str, model: &str, answer: Result<String, ModelError>) -> Finding {
    let text = match answer {
        Ok(text) => text,
        Err(ModelError::Status(401 | 403, _)) => return refused(base),
        Err(ModelError::Status(404, _)) => {
            return Finding::Fault(format!(
                "model: {base} does not know {model}; check OPENAI_MODEL and OPENAI_BASE_URL"
            ));
        }
        Err(ModelError::Status(429, _) | ModelError::Busy(_)) => {
            return Finding::Warning(format!(
                "model: {base} answers no more now, so the offline tutor does; look at its limits and what is paid for"
            ));
        }
        Err(ModelError::Unsuitable(names)) => {
            return Finding::Fault(format!(
                "model: {base} refuses how we ask {model} ({names}); check OPENAI_ANSWER_FORMAT, OPENAI_LIMIT_FIELD and \
                 OPENAI_REASONING_EFFORT"
            ));
        }
        Err(ModelError::Call(_) | ModelError::Late) => return away(base),
        Err(error) => {
            return Finding::Fault(format!("model: {model} at {base} gives no answer: {error}"));
        }
    };
    match reply::classification(&text, prompt(Task::Classify)) {
        Ok(_) => Finding::Fine(format!("model: {model} at {base} answers a question")),
        Err(error) => Finding::Fault(format!(
            "model: the answer of {model} at {base} cannot be used ({error}); check OPENAI_ANSWER_FORMAT, or take another model"
        )),
    }
}

fn refused(base: &str) -> Finding {
    Finding::Fault(format!("model: {base} refuses our key; check OPENAI_API_KEY"))
}

fn away(base: &str) -> Finding {
    Finding::Warning(format!(
        "model: {base} does not answer, so the offline tutor does; check OPENAI_BASE_URL"
    ))
}
