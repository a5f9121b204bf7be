//! A call to a model: streamed, in bounded time, retried where that can help.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use async_openai::{
    Client,
    config::OpenAIConfig,
    error::OpenAIError,
    middleware::HttpRequestFactory,
    types::chat::{
        ChatCompletionRequestMessage, ChatCompletionRequestSystemMessage,
        ChatCompletionRequestUserMessage, ChatCompletionStreamOptions,
    },
};
use environment::Clock;
use events::model_call::{Field, Task};
use futures::StreamExt;
use parking_lot::Mutex;
use rand::RngExt;
use reqwest::{StatusCode, header::RETRY_AFTER};
use secrecy::ExposeSecret;
use serde::Serialize;

use crate::{
    breaker::Breaker,
    chunk::{Chunk, Said, Usage},
    config::{Budget, Spent, TutorConfig},
    dialect::{Dialect, Format, LimitField},
    prompt::{self, Prompt, prompt},
    stream::{Paragraphs, Thoughts, behind_thoughts},
};

/// Most attempts at a call that fails for a transient reason.
const ATTEMPTS: u32 = 3;
/// The delay after the first failed attempt, doubled for each further one.
const FIRST_DELAY: Duration = Duration::from_millis(200);
/// Most bytes of an answer. The prompts ask for a twentieth of it.
const MAX_ANSWER: usize = 64 << 10;
/// Most bytes of what a model thinks before its answer.
const MAX_THOUGHTS: usize = 256 << 10;
/// The property of an answer that is streamed.
const FIRST_TEXT: &str = "explanation";
/// Bytes of text per token, if the server does not report usage.
const BYTES_PER_TOKEN: usize = 4;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// It has failed often lately.
    #[error("the model is not asked for a while, after repeated failures")]
    Resting,
    /// It did not answer in time.
    #[error("the model did not answer in time")]
    Late,
    /// It asks for a retry later than anybody would wait.
    #[error("the model asks for a retry in {0} s")]
    Busy(u64),
    /// It declined.
    #[error("the model declined to answer")]
    Refused,
    /// The server refuses the request. Another one it may answer.
    #[error("the model's server refuses the request: {0}")]
    Unsuitable(String),
    /// The server gives this status instead of an answer.
    #[error("the model's server answers {0} {1}")]
    Status(u16, String),
    /// The answer was cut off.
    #[error("the answer was cut off")]
    Cut,
    /// It did not fit into its limit.
    #[error(
        "the answer did not fit into its limit; for a model that reasons set MODEL_REASONING_TOKENS"
    )]
    Length,
    /// The server sent an error instead of the rest of the answer.
    #[error("the model's server sent an error in the answer: {0}")]
    Server(String),
    /// The answer is longer than any that is asked for.
    #[error("the answer is too long")]
    TooLong,
    /// The requested schema is not JSON.
    #[error("the schema of the answer is broken")]
    Schema(#[source] serde_json::Error),
    /// The call failed.
    #[error("the model could not be asked")]
    Call(#[source] OpenAIError),
}

/// The outcome of a call.
#[derive(Debug)]
pub struct Answered {
    /// The text, or why there is none.
    pub text: Result<String, ModelError>,
    /// Its usage.
    pub spent: Spent,
}

/// Asks a model.
#[derive(Debug)]
pub struct Tutor {
    openai: OpenAIConfig,
    http: reqwest::Client,
    models: BTreeMap<Task, String>,
    dialect: Dialect,
    timeout: Duration,
    budget: Budget,
    clock: Clock,
    breaker: Mutex<Breaker>,
}

/// The client's own type of a request would sort the properties of the schema by name.
#[derive(Debug, Serialize)]
struct Request<'a> {
    model: &'a str,
    messages: [ChatCompletionRequestMessage; 2],
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Format<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'a str>,
    stream: bool,
    stream_options: ChatCompletionStreamOptions,
}

/// What has arrived of an answer, however it ends.
#[derive(Debug, Default)]
struct Received {
    /// Whether the server has begun to answer.
    has_begun: bool,
    /// Of text, thoughts included.
    bytes: usize,
    /// Of thoughts alone.
    thoughts: usize,
    /// As reported by the server, often only at the end.
    tokens_in: Option<u32>,
    tokens_out: Option<u32>,
}

impl Received {
    /// Takes what the server reports, but no zeros.
    fn report(&mut self, usage: Option<Usage>) {
        let Some(Usage { prompt_tokens, completion_tokens }) = usage else { return };
        self.tokens_in = prompt_tokens.filter(|tokens| *tokens > 0).or(self.tokens_in);
        self.tokens_out = completion_tokens.filter(|tokens| *tokens > 0).or(self.tokens_out);
    }
}

impl Tutor {
    /// A tutor with this model.
    #[must_use]
    pub fn new(config: TutorConfig, http: reqwest::Client, clock: Clock) -> Self {
        let openai = OpenAIConfig::new()
            .with_api_base(config.base_url)
            .with_api_key(config.key.expose_secret())
            // Else it takes those that a developer's shell has.
            .with_org_id("")
            .with_project_id("");
        let TutorConfig { models, dialect, timeout, budget, .. } = config;
        Self { openai, http, models, dialect, timeout, budget, clock, breaker: Mutex::default() }
    }

    /// What may be spent.
    #[must_use]
    pub const fn budget(&self) -> &Budget {
        &self.budget
    }

    /// The name of the model for a task.
    #[must_use]
    pub fn model(&self, task: Task) -> &str {
        self.models.get(&task).map_or("", String::as_str)
    }

    /// The most that a call can cost, for the ledger before it is made.
    #[must_use]
    pub fn at_most(&self, task: Task, fields: &[Field]) -> Spent {
        let prompt = prompt(task);
        let sent = prompt.system.len() + prompt::data(fields).len() + prompt.schema.len();
        Spent {
            model: self.model(task).to_owned(),
            tokens_in: tokens(sent),
            tokens_out: self.limit(prompt),
            latency_ms: 0,
        }
    }

    /// Asks, and gives the finished paragraphs of the answer's first text to `streamed` as they come.
    pub async fn ask(
        &self,
        task: Task,
        fields: &[Field],
        streamed: impl FnMut(String),
    ) -> Answered {
        if !self.breaker.lock().lets_through(self.clock.now()) {
            return Answered { text: Err(ModelError::Resting), spent: Spent::default() };
        }
        let started = Instant::now();
        let mut spent = self.at_most(task, fields);
        let mut received = Received::default();
        let call = self.call(task, fields, started + self.timeout, &mut received, streamed);
        let text = match tokio::time::timeout(self.timeout, call).await {
            Ok(text) => text,
            Err(_elapsed) => Err(ModelError::Late),
        };
        spent.tokens_in = received.tokens_in.unwrap_or(spent.tokens_in);
        spent.tokens_out = self.paid(&received, matches!(text, Err(ModelError::Late)), &spent);
        spent.latency_ms = u32::try_from(started.elapsed().as_millis()).unwrap_or(u32::MAX);
        let mut breaker = self.breaker.lock();
        match &text {
            // A server that declines or refuses one question is available for others: else one student could switch
            // the model off for all.
            Ok(_)
            | Err(
                ModelError::Refused
                | ModelError::Unsuitable(_)
                | ModelError::Length
                | ModelError::TooLong,
            ) => breaker.succeeded(),
            Err(_) => breaker.failed(self.clock.now()),
        }
        Answered { text, spent }
    }

    /// The tokens of an answer that are paid for, however it ended: rather too many than too few.
    fn paid(&self, received: &Received, is_late: bool, most: &Spent) -> u32 {
        let came = tokens(received.bytes);
        // What a model thinks is paid for, and often does not arrive.
        let thinks_in_secret = self.dialect.reasoning_tokens > 0 && received.thoughts == 0;
        match received.tokens_out {
            Some(reported) => reported,
            None if thinks_in_secret && (received.has_begun || is_late) => {
                most.tokens_out.max(came)
            }
            None => came,
        }
    }

    async fn call(
        &self,
        task: Task,
        fields: &[Field],
        deadline: Instant,
        received: &mut Received,
        mut streamed: impl FnMut(String),
    ) -> Result<String, ModelError> {
        let request = self.request(task, fields).map_err(ModelError::Schema)?;
        let http = self.http.clone();
        let client = Client::build(self.http.clone(), self.openai.clone()).with_http_service(
            tower::service_fn(move |factory| send(http.clone(), factory, deadline)),
        );
        let chat = client.chat();
        let mut chunks = chat.create_stream_byot::<_, Chunk>(request).await.map_err(explain)?;
        received.has_begun = true;
        let (mut text, mut finished) = (String::new(), None);
        let (mut paragraphs, mut thoughts) = (Paragraphs::of(FIRST_TEXT), Thoughts::default());
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(explain)?;
            if let Some(error) = chunk.error().map(in_stream) {
                return Err(error);
            }
            received.report(chunk.usage);
            for mut choice in chunk.choices {
                if let Some(refusal) = choice.delta.refusal() {
                    received.bytes += refusal.len();
                    return Err(ModelError::Refused);
                }
                let piece = choice.delta.text();
                let thought = choice.delta.thought();
                received.bytes += piece.len() + thought;
                received.thoughts += thought;
                let piece = thoughts.push(&piece);
                received.thoughts = received.thoughts.max(thoughts.left_out());
                text.push_str(&piece);
                if text.len() > MAX_ANSWER || thoughts.len() > MAX_THOUGHTS {
                    return Err(ModelError::TooLong);
                }
                // Else the beginning may be a thought without an opening mark, drafts of the answer in it.
                if self.dialect.reasoning_tokens == 0 || received.thoughts > 0 {
                    paragraphs.push(&piece).into_iter().for_each(&mut streamed);
                }
                finished = choice.finish_reason.filter(|reason| !reason.is_empty()).or(finished);
            }
        }
        text.push_str(&thoughts.finish());
        let text = behind_thoughts(&text).to_owned();
        match finished.as_deref() {
            // The last two are the reasons of servers of other makes, which name the token that ended it.
            Some("stop" | "eos" | "eos_token") => Ok(text),
            Some("content_filter") => Err(ModelError::Refused),
            Some("length") => Err(ModelError::Length),
            _ => Err(ModelError::Cut),
        }
    }

    /// Most tokens of an answer, with those of the reasoning before it.
    const fn limit(&self, prompt: &Prompt) -> u32 {
        prompt.max_tokens + self.dialect.reasoning_tokens
    }

    fn request(&self, task: Task, fields: &[Field]) -> Result<Request<'_>, serde_json::Error> {
        let prompt = prompt(task);
        let schema = serde_json::from_str(prompt.schema)?;
        let limit = Some(self.limit(prompt));
        let (max_completion_tokens, max_tokens) = match self.dialect.limit {
            LimitField::MaxCompletionTokens => (limit, None),
            LimitField::MaxTokens => (None, limit),
        };
        let instructions = self.dialect.instructions(prompt.system, prompt.schema);
        Ok(Request {
            model: self.model(task),
            messages: [
                ChatCompletionRequestSystemMessage::from(instructions).into(),
                ChatCompletionRequestUserMessage::from(prompt::data(fields)).into(),
            ],
            response_format: self.dialect.response_format(task.as_str(), schema),
            max_completion_tokens,
            max_tokens,
            reasoning_effort: self.dialect.effort(self.model(task)),
            stream: true,
            stream_options: ChatCompletionStreamOptions {
                include_usage: Some(true),
                include_obfuscation: None,
            },
        })
    }
}

fn tokens(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(BYTES_PER_TOKEN)).unwrap_or(u32::MAX)
}

/// What we know of an error that came through the client's layers.
fn explain(error: OpenAIError) -> ModelError {
    match error {
        OpenAIError::Boxed(error) => match error.downcast::<ModelError>() {
            Ok(error) => *error,
            Err(other) => ModelError::Call(OpenAIError::Boxed(other)),
        },
        OpenAIError::Reqwest(error) if error.is_timeout() => ModelError::Late,
        OpenAIError::StreamError(_) => ModelError::Cut,
        other => ModelError::Call(other),
    }
}

/// An error that a server sends instead of the rest of an answer.
fn in_stream(said: Said) -> ModelError {
    let is_about_the_request = said.status.is_some_and(refuses_the_request)
        || ["context", "invalid", "filter"].iter().any(|part| said.names.contains(part));
    if is_about_the_request {
        ModelError::Unsuitable(said.names)
    } else {
        ModelError::Server(said.names)
    }
}

/// Whether a status says that the request, and not our key or the server, is at fault: its content, its length, or how
/// it is written.
const fn refuses_the_request(status: u16) -> bool {
    matches!(status, 400 | 413 | 422)
}

/// What a server says instead of an answer.
async fn said(mut response: reqwest::Response) -> ModelError {
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while body.len() < MAX_ANSWER
        && let Ok(Some(piece)) = response.chunk().await
    {
        body.extend_from_slice(&piece);
    }
    let said = serde_json::from_slice(&body).ok().and_then(|chunk: Chunk| chunk.error());
    let names = said.map(|said| said.names).unwrap_or_default();
    match status {
        // Azure's filter of questions, which takes some harmless ones, too.
        _ if names.contains("content_filter") => ModelError::Refused,
        _ if refuses_the_request(status) => ModelError::Unsuitable(format!("{status} {names}")),
        _ => ModelError::Status(status, names),
    }
}

/// Sends a request, and retries if the reason for a failure is transient and there is time.
async fn send(
    http: reqwest::Client,
    factory: HttpRequestFactory,
    deadline: Instant,
) -> Result<reqwest::Response, OpenAIError> {
    let mut attempt = 1;
    loop {
        let mut request = factory.build().await?;
        // Of this call, whatever the client has for others.
        *request.timeout_mut() = Some(deadline.saturating_duration_since(Instant::now()));
        let result = http.execute(request).await;
        let asked_for = match &result {
            Ok(response) if !passes(response.status()) => return answer(result).await,
            Ok(response) => retry_after(response),
            Err(error) if error.is_connect() => None,
            Err(_) => return result.map_err(OpenAIError::Reqwest),
        };
        let left = deadline.saturating_duration_since(Instant::now());
        let delay = asked_for.unwrap_or_else(|| backoff(attempt));
        if attempt == ATTEMPTS || delay >= left {
            return match asked_for {
                Some(asked_for) if asked_for >= left => {
                    Err(OpenAIError::Boxed(Box::new(ModelError::Busy(asked_for.as_secs()))))
                }
                _ => answer(result).await,
            };
        }
        pause(delay).await;
        attempt += 1;
    }
}

/// A response that is an answer.
async fn answer(
    result: reqwest::Result<reqwest::Response>,
) -> Result<reqwest::Response, OpenAIError> {
    match result {
        Ok(response) if response.status().is_success() => Ok(response),
        Ok(response) => Err(OpenAIError::Boxed(Box::new(said(response).await))),
        Err(error) => Err(OpenAIError::Reqwest(error)),
    }
}

/// Whether the reason for a failure is transient.
fn passes(status: StatusCode) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT
        || status.is_server_error()
}

fn retry_after(response: &reqwest::Response) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

/// Exponential with jitter of up to half, so that calls that failed together are not retried together.
fn backoff(attempt: u32) -> Duration {
    let full = FIRST_DELAY.saturating_mul(1 << attempt.saturating_sub(1).min(8));
    full.mul_f64(rand::rng().random_range(0.5..=1.0))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the delay that the server asks for, within the call's time"
)]
async fn pause(delay: Duration) {
    tokio::time::sleep(delay).await;
}
