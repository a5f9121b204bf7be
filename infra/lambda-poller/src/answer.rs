//! What a function's answer means.

use std::{collections::BTreeSet, fmt};

use serde_json::{Map, Value};

/// The type of the error when a function does not answer in time.
const TIMED_OUT: &str = "Sandbox.Timedout";
/// The most of a strange answer that is shown.
const SHOWN_LIMIT: usize = 200;

/// What an endpoint answered, or why it did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// An HTTP response.
    Response {
        /// The HTTP status.
        status: u16,
        /// AWS's header for errors of the function.
        function_error: Option<String>,
        /// AWS's header with the invocation's id.
        request_id: Option<String>,
        /// The body.
        body: Vec<u8>,
    },
    /// No response within the function's time.
    TimedOut {
        /// That time.
        seconds: u64,
    },
    /// The connection broke after the event was sent, so the function may have seen it.
    Broken(String),
    /// Nobody is there.
    Unreachable(String),
}

/// An error of the function, as AWS tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FunctionError {
    /// `Unhandled`, nearly always.
    pub(crate) kind: String,
    /// Such as `Runtime.ExitError`.
    pub(crate) error_type: String,
    /// What the function says.
    pub(crate) message: String,
    /// The invocation's id, if the endpoint gives one.
    pub(crate) request_id: Option<String>,
}

impl fmt::Display for FunctionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.error_type, self.message)
    }
}

/// What is to be done with a batch after an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing.
    Done,
    /// These records, by partition and offset, are tried again; all others are done.
    Items(BTreeSet<(i32, i64)>),
    /// The function has failed: all of it again, or its halves.
    Error(FunctionError),
    /// The answer makes no sense: all of it again.
    Invalid(String),
    /// The function does not accept so much.
    TooLarge,
    /// The function has not seen it: all of it again, without counting it as an attempt.
    NotInvoked(String),
}

/// A batch as answers speak of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Batch<'a> {
    /// The topic.
    pub(crate) topic: &'a str,
    /// Its records, by partition and offset.
    pub(crate) items: &'a BTreeSet<(i32, i64)>,
    /// Whether the mapping has `ReportBatchItemFailures`.
    pub(crate) reports_failures: bool,
}

impl Batch<'_> {
    /// What the answer to this batch means.
    #[must_use]
    pub(crate) fn verdict(&self, answer: Answer) -> Verdict {
        let (status, function_error, request_id, body) = match answer {
            Answer::Response { status, function_error, request_id, body } => {
                (status, function_error, request_id, body)
            }
            Answer::TimedOut { seconds } => {
                return Verdict::Error(timed_out(format!("no answer in {seconds} s"), None));
            }
            Answer::Broken(reason) => {
                return Verdict::Error(FunctionError {
                    kind: "Unhandled".to_owned(),
                    error_type: "Runtime.ExitError".to_owned(),
                    message: format!("the connection broke: {reason}"),
                    request_id: None,
                });
            }
            Answer::Unreachable(reason) => return Verdict::NotInvoked(reason),
        };
        if let Some(error) = error_of(status, function_error, request_id, &body) {
            return Verdict::Error(error);
        }
        match status {
            200..=299 if self.reports_failures => self.reported(&body),
            200..=299 => Verdict::Done,
            404 => Verdict::NotInvoked(format!(
                "the endpoint knows no such function: {}",
                shown(&body)
            )),
            413 => Verdict::TooLarge,
            429 => Verdict::NotInvoked("the endpoint is busy (429)".to_owned()),
            _ => Verdict::NotInvoked(format!("the endpoint answered {status}: {}", shown(&body))),
        }
    }

    /// The partial batch response, by AWS's rules.
    fn reported(&self, body: &[u8]) -> Verdict {
        if body.trim_ascii().is_empty() {
            return Verdict::Done;
        }
        let invalid = |reason: &str| Verdict::Invalid(format!("{reason}: {}", shown(body)));
        let failures = match serde_json::from_slice(body) {
            Ok(Value::Null) => return Verdict::Done,
            Ok(Value::Object(mut answer)) => answer.remove("batchItemFailures"),
            Ok(_) => return invalid("the answer is no object"),
            Err(_) => return invalid("the answer is not JSON"),
        };
        let failures = match failures {
            None | Some(Value::Null) => return Verdict::Done,
            Some(Value::Array(failures)) => failures,
            Some(_) => return invalid("batchItemFailures is no list"),
        };
        let items: Option<BTreeSet<(i32, i64)>> =
            failures.iter().map(|failure| self.item(failure)).collect();
        match items {
            Some(items) if items.is_empty() => Verdict::Done,
            Some(items) => Verdict::Items(items),
            None => invalid("batchItemFailures names records that were not in the batch"),
        }
    }

    /// `{"itemIdentifier": {"partition": "mytopic-0", "offset": 16}}`, if it was in the batch.
    fn item(&self, failure: &Value) -> Option<(i32, i64)> {
        let identifier = failure.get("itemIdentifier")?;
        // Earlier versions of AWS's documentation have the second name.
        let lane = identifier.get("partition").or_else(|| identifier.get("topic-partition"))?;
        let (topic, partition) = lane.as_str()?.rsplit_once('-')?;
        let item = (partition.parse().ok()?, identifier.get("offset")?.as_i64()?);
        (topic == self.topic && self.items.contains(&item)).then_some(item)
    }
}

fn timed_out(message: String, request_id: Option<String>) -> FunctionError {
    FunctionError {
        kind: "Unhandled".to_owned(),
        error_type: TIMED_OUT.to_owned(),
        message,
        request_id,
    }
}

/// AWS says 200 and names the error in a header; `cargo lambda watch` says 500; the runtime interface emulator says 200
/// or 502 and has only the body, and for a time-out only a sentence.
fn error_of(
    status: u16,
    function_error: Option<String>,
    request_id: Option<String>,
    body: &[u8],
) -> Option<FunctionError> {
    if status == 200 && body.starts_with(b"Task timed out after ") {
        return Some(timed_out(shown(body), request_id));
    }
    let object: Option<Map<String, Value>> = serde_json::from_slice(body).ok();
    let text = |name: &str| {
        let value = object.as_ref()?.get(name)?;
        Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    };
    let is_error = match status {
        _ if function_error.is_some() => true,
        200 => text("errorType").is_some() && text("errorMessage").is_some(),
        500 | 502 => text("errorType").is_some(),
        _ => false,
    };
    is_error.then(|| FunctionError {
        kind: function_error.unwrap_or_else(|| "Unhandled".to_owned()),
        error_type: text("errorType").unwrap_or_else(|| "unknown".to_owned()),
        message: text("errorMessage").unwrap_or_else(|| shown(body)),
        request_id,
    })
}

/// The beginning of a body, for people.
fn shown(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut shown: String = text.chars().take(SHOWN_LIMIT).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests;
