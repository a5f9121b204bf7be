//! Which model, where, and what it may cost.

use std::{collections::BTreeMap, time::Duration};

use environment::config::Settings;
use events::model_call::Task;
use reqwest::{Url, header::HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    dialect::{DEFAULT_MODEL, Dialect},
    prompt::prompt,
};

/// Tasks that can have a model of their own.
const TASKS: [Task; 6] =
    [Task::Explain, Task::Hint, Task::Review, Task::Exercise, Task::Solve, Task::Classify];
/// The default base URL.
const DEFAULT_BASE: &str = "https://api.openai.com/v1";
/// How long a student waits for a model by default, in milliseconds, with all retries. The longest answer that is asked for
/// takes a small model 15 s, and a local server loads its model with the first question.
const DEFAULT_TIMEOUT_MS: u64 = 20_000;
/// The most that can be set: two calls one after the other end within a function's 60 s under AWS Lambda.
const MAX_TIMEOUT_MS: u64 = 25_000;

/// Every variable that is read here.
pub const VARIABLES: [&str; 19] = [
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "OPENAI_MODEL",
    "OPENAI_MODEL_EXPLAIN",
    "OPENAI_MODEL_HINT",
    "OPENAI_MODEL_REVIEW",
    "OPENAI_MODEL_EXERCISE",
    "OPENAI_MODEL_SOLVE",
    "OPENAI_MODEL_CLASSIFY",
    "OPENAI_ANSWER_FORMAT",
    "OPENAI_LIMIT_FIELD",
    "OPENAI_REASONING_EFFORT",
    "MODEL_REASONING_TOKENS",
    "MODEL_TIMEOUT_MS",
    "MODEL_STUDENT_DAILY_CALLS",
    "MODEL_STUDENT_DAILY_MICRO_USD",
    "MODEL_DAILY_MICRO_USD",
    "MODEL_PRICE_IN",
    "MODEL_PRICE_OUT",
];

/// The usage of a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Spent {
    /// The model's name; empty if none was asked.
    pub model: String,
    /// Tokens that were sent.
    pub tokens_in: u32,
    /// Tokens that came back.
    pub tokens_out: u32,
    /// Milliseconds.
    pub latency_ms: u32,
}

/// What may be spent in 24 hours. Beyond it, questions are answered without a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// `MODEL_STUDENT_DAILY_CALLS`: calls for one student.
    pub student_calls: i64,
    /// `MODEL_STUDENT_DAILY_MICRO_USD`: millionths of a US dollar for one student.
    pub student_micro_usd: i64,
    /// `MODEL_DAILY_MICRO_USD`: millionths of a US dollar for all together.
    pub all_micro_usd: i64,
    /// `MODEL_PRICE_IN`: millionths of a US dollar for a million tokens that are sent.
    pub price_in: i64,
    /// `MODEL_PRICE_OUT`: the same for tokens that come back.
    pub price_out: i64,
}

impl Budget {
    /// The cost of a call in millionths of a US dollar, rounded up.
    #[must_use]
    pub fn cost(&self, spent: &Spent) -> i64 {
        let part = |tokens: u32, price: i64| i64::from(tokens).saturating_mul(price);
        let sum = part(spent.tokens_in, self.price_in)
            .saturating_add(part(spent.tokens_out, self.price_out));
        sum.saturating_add(999_999) / 1_000_000
    }
}

/// Which model is asked, and how.
#[derive(Debug, Clone)]
pub struct TutorConfig {
    /// `OPENAI_API_KEY`; local servers often need none.
    pub key: SecretString,
    /// `OPENAI_BASE_URL`: anything that speaks its HTTP API.
    pub base_url: String,
    /// `OPENAI_MODEL`, and `OPENAI_MODEL_EXPLAIN`, `_HINT`, `_REVIEW`, `_EXERCISE`, `_SOLVE`, `_CLASSIFY` for one
    /// task.
    pub models: BTreeMap<Task, String>,
    /// What its server understands.
    pub dialect: Dialect,
    /// `MODEL_TIMEOUT_MS`: wall time for an answer, retries included.
    pub timeout: Duration,
    /// What may be spent.
    pub budget: Budget,
}

impl TutorConfig {
    /// Reads the variables above; `None` if neither key nor address is set: then there is no model.
    pub fn read(settings: &mut Settings) -> Option<Self> {
        let key = settings.secret("OPENAI_API_KEY");
        let base = settings.optional("OPENAI_BASE_URL");
        if key.is_none() && base.is_none() {
            return None;
        }
        let named = settings.optional("OPENAI_MODEL");
        let dialect = Dialect::read(settings);
        let general = named.unwrap_or_else(|| DEFAULT_MODEL.to_owned());
        let models = TASKS.into_iter().map(|task| {
            let name = format!("OPENAI_MODEL_{}", task.as_str().to_uppercase());
            (task, settings.optional(&name).unwrap_or_else(|| general.clone()))
        });
        let models = models.collect();
        let budget = Budget {
            student_calls: settings.parsed("MODEL_STUDENT_DAILY_CALLS", 60),
            student_micro_usd: settings.parsed("MODEL_STUDENT_DAILY_MICRO_USD", 200_000),
            all_micro_usd: settings.parsed("MODEL_DAILY_MICRO_USD", 20_000_000),
            price_in: settings.parsed("MODEL_PRICE_IN", 100_000),
            price_out: settings.parsed("MODEL_PRICE_OUT", 500_000),
        };
        affordable(&budget, dialect.reasoning_tokens, settings);
        Some(Self {
            key: key.map_or_else(|| "none".into(), |key| usable_key(&key, settings)),
            base_url: base_url(base.as_deref().unwrap_or(DEFAULT_BASE), settings),
            models,
            dialect,
            timeout: timeout(settings),
            budget,
        })
    }
}

/// A budget with which nothing can be asked is a mistake, which nobody would notice.
fn affordable(budget: &Budget, reasoning_tokens: u32, settings: &mut Settings) {
    let longest = TASKS.map(|task| prompt(task).max_tokens).into_iter().max().unwrap_or_default();
    let most = Spent { tokens_out: longest + reasoning_tokens, ..Spent::default() };
    let cost = budget.cost(&most);
    for (name, allowed) in [
        ("MODEL_STUDENT_DAILY_MICRO_USD", budget.student_micro_usd),
        ("MODEL_DAILY_MICRO_USD", budget.all_micro_usd),
    ] {
        // Nothing at all is a way to switch the model off.
        if allowed > 0 && cost > allowed {
            settings.fault(format!(
                "{name} is not usable: it allows {allowed}, and the longest answer may cost {cost}, by MODEL_PRICE_OUT \
                 and MODEL_REASONING_TOKENS"
            ));
        }
    }
}

/// A key as a header holds it. Files and secret stores often end it with a new line.
fn usable_key(key: &SecretString, settings: &mut Settings) -> SecretString {
    let trimmed = key.expose_secret().trim();
    if HeaderValue::from_str(trimmed).is_err() {
        settings
            .fault("OPENAI_API_KEY is not usable: it has characters that no HTTP header can hold");
    }
    trimmed.into()
}

/// The address to which `/chat/completions` is added; who copied it from there has it already.
fn base_url(text: &str, settings: &mut Settings) -> String {
    let text = text.trim().trim_end_matches('/').trim_end_matches("/chat/completions");
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.query().is_none() => {
            if url.path() == "/" {
                tracing::warn!("OPENAI_BASE_URL has no path; most servers want /v1 at its end");
            }
        }
        _ => settings.fault(
            "OPENAI_BASE_URL is not usable: it must be an http or https address without a query, such as \
             http://localhost:11434/v1, or https://NAME.openai.azure.com/openai/v1 for Azure",
        ),
    }
    text.to_owned()
}

fn timeout(settings: &mut Settings) -> Duration {
    let milliseconds = settings.parsed("MODEL_TIMEOUT_MS", DEFAULT_TIMEOUT_MS);
    if !(1..=MAX_TIMEOUT_MS).contains(&milliseconds) {
        settings.fault(format!(
            "MODEL_TIMEOUT_MS is not usable: it must be 1 to {MAX_TIMEOUT_MS}, since no student waits longer"
        ));
    }
    Duration::from_millis(milliseconds)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use environment::config::Settings;
    use events::model_call::Task;
    use secrecy::ExposeSecret;

    use super::{Spent, TutorConfig};

    #[test]
    fn without_key_and_address_there_is_no_model() {
        assert!(TutorConfig::read(&mut Settings::from_pairs([("OPENAI_MODEL", "m")])).is_none());
    }

    #[test]
    fn a_timeout_without_effect_is_refused_at_startup() {
        for (value, is_usable) in
            [("25000", true), ("1", true), ("25001", false), ("0", false), ("60000", false)]
        {
            let pairs = [("OPENAI_API_KEY", "k"), ("MODEL_TIMEOUT_MS", value)];
            let mut settings = Settings::from_pairs(pairs);
            assert!(TutorConfig::read(&mut settings).is_some());
            let checked = settings.check().map_err(|error| error.to_string());
            assert_eq!(checked.is_ok(), is_usable, "{value}: {checked:?}");
            if let Err(error) = checked {
                assert!(
                    error.contains("MODEL_TIMEOUT_MS") && error.contains("1 to 25000"),
                    "{error}"
                );
            }
        }
    }

    #[test]
    fn a_task_can_have_a_model_of_its_own_and_a_call_has_a_price() {
        let mut settings = Settings::from_pairs([
            ("OPENAI_API_KEY", "k"),
            ("OPENAI_MODEL", "small"),
            ("OPENAI_MODEL_EXERCISE", "large"),
        ]);
        let config = TutorConfig::read(&mut settings).expect("there is a key");
        assert_eq!(
            (&*config.models[&Task::Hint], &*config.models[&Task::Exercise]),
            ("small", "large")
        );
        assert_eq!(config.timeout, Duration::from_secs(20));
        let spent = Spent { tokens_in: 1_000, tokens_out: 500, ..Spent::default() };
        assert_eq!(config.budget.cost(&spent), 100 + 250);
        assert_eq!(config.budget.cost(&Spent { tokens_in: 1, ..Spent::default() }), 1);
    }

    #[test]
    fn keys_and_addresses_are_taken_as_people_have_them() {
        let config = |pairs: &[(&str, &str)]| {
            let mut settings = Settings::from_pairs(pairs.iter().copied());
            let config = TutorConfig::read(&mut settings).expect("a model");
            settings.check().map(|()| config).map_err(|error| error.to_string())
        };
        let read = config(&[("OPENAI_API_KEY", "sk-1\n")]).expect("a new line is no fault");
        assert_eq!(read.key.expose_secret(), "sk-1");
        for (given, base) in [
            ("http://localhost:11434/v1/", Some("http://localhost:11434/v1")),
            ("https://example.org/v1/chat/completions", Some("https://example.org/v1")),
            ("http://localhost:1234", Some("http://localhost:1234")),
            ("localhost:11434/v1", None),
            ("https://x.openai.azure.com/openai/deployments/y?api-version=1", None),
        ] {
            let read = config(&[("OPENAI_BASE_URL", given), ("OPENAI_MODEL", "m")]);
            assert_eq!(read.as_ref().ok().map(|read| read.base_url.as_str()), base, "{read:?}");
        }
        assert!(config(&[("OPENAI_API_KEY", "sk\u{7}1")]).is_err());
    }

    #[test]
    fn a_budget_that_allows_no_answer_is_named_at_start() {
        for (reasoning, price, fault) in [
            ("0", "500000", None),
            ("16000", "10000000", None),
            ("16000", "15000000", Some("MODEL_STUDENT_DAILY_MICRO_USD")),
        ] {
            let mut settings = Settings::from_pairs([
                ("OPENAI_API_KEY", "k"),
                ("MODEL_REASONING_TOKENS", reasoning),
                ("MODEL_PRICE_OUT", price),
            ]);
            assert!(TutorConfig::read(&mut settings).is_some());
            let checked = settings.check().map_err(|error| error.to_string());
            assert_eq!(checked.is_err(), fault.is_some(), "{checked:?}");
            assert!(checked.err().is_none_or(|error| error.contains(fault.unwrap_or_default())));
        }
    }
}
