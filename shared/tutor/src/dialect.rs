//! How servers differ that speak `OpenAI`'s API: what they understand of a request.

use std::str::FromStr;

use environment::config::Settings;
use serde::Serialize;
use serde_json::value::RawValue;

/// Most tokens for reasoning that can be allowed: with more nobody would wait for the answer.
const MAX_REASONING_TOKENS: u32 = 16_000;

/// The default model: a small one, since answers are checked anyway.
pub(crate) const DEFAULT_MODEL: &str = "gpt-6-luna";
/// How much it is asked to reason if nothing is set. Not every other model knows the word.
const DEFAULT_EFFORT: &str = "none";

/// How an answer is given the shape that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AnswerFormat {
    /// The server keeps the model to the schema.
    JsonSchema,
    /// The server keeps it to JSON, and the schema is a part of the instructions.
    JsonObject,
    /// Only the instructions say it.
    Text,
}

impl FromStr for AnswerFormat {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "json_schema" => Ok(Self::JsonSchema),
            "json_object" => Ok(Self::JsonObject),
            "text" => Ok(Self::Text),
            _ => Err("must be json_schema, json_object or text"),
        }
    }
}

/// The member of a request that says how long the answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitField {
    /// As `OpenAI` and Azure want it.
    MaxCompletionTokens,
    /// As many others do.
    MaxTokens,
}

impl FromStr for LimitField {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "max_completion_tokens" => Ok(Self::MaxCompletionTokens),
            "max_tokens" => Ok(Self::MaxTokens),
            _ => Err("must be max_completion_tokens or max_tokens"),
        }
    }
}

/// What a server understands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialect {
    /// `OPENAI_ANSWER_FORMAT`.
    pub format: AnswerFormat,
    /// `OPENAI_LIMIT_FIELD`.
    pub limit: LimitField,
    /// `OPENAI_REASONING_EFFORT`: sent as it is, if there is one.
    pub reasoning_effort: Option<String>,
    /// `MODEL_REASONING_TOKENS`: added to the limit of each answer, since reasoning counts.
    pub reasoning_tokens: u32,
}

impl Dialect {
    pub(crate) fn read(settings: &mut Settings) -> Self {
        let format = settings.parsed("OPENAI_ANSWER_FORMAT", AnswerFormat::JsonSchema);
        let limit = settings.parsed("OPENAI_LIMIT_FIELD", LimitField::MaxCompletionTokens);
        let reasoning_effort = settings.optional("OPENAI_REASONING_EFFORT");
        let reasoning_tokens = settings.parsed("MODEL_REASONING_TOKENS", 0);
        if reasoning_tokens > MAX_REASONING_TOKENS {
            settings.fault(format!(
                "MODEL_REASONING_TOKENS is not usable: it must be at most {MAX_REASONING_TOKENS}"
            ));
        }
        Self { format, limit, reasoning_effort, reasoning_tokens }
    }

    /// How much a model is asked to reason.
    pub(crate) fn effort(&self, model: &str) -> Option<&str> {
        let usual = || (model == DEFAULT_MODEL).then_some(DEFAULT_EFFORT);
        self.reasoning_effort.as_deref().or_else(usual)
    }

    /// The instructions, with the schema where the server does not know it.
    pub(crate) fn instructions(&self, system: &str, schema: &str) -> String {
        match self.format {
            AnswerFormat::JsonSchema => system.to_owned(),
            AnswerFormat::JsonObject | AnswerFormat::Text => format!(
                "{system}\n\nAnswer with one JSON object of this JSON Schema, and nothing else:\n\n{schema}"
            ),
        }
    }

    pub(crate) fn response_format<'a>(
        &self,
        name: &'static str,
        schema: &'a RawValue,
    ) -> Option<Format<'a>> {
        match self.format {
            AnswerFormat::JsonSchema => {
                let json_schema = JsonSchema { name, schema, strict: true };
                Some(Format { kind: "json_schema", json_schema: Some(json_schema) })
            }
            AnswerFormat::JsonObject => Some(Format { kind: "json_object", json_schema: None }),
            AnswerFormat::Text => None,
        }
    }
}

/// The member `response_format`.
#[derive(Debug, Serialize)]
pub(crate) struct Format<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    json_schema: Option<JsonSchema<'a>>,
}

#[derive(Debug, Serialize)]
struct JsonSchema<'a> {
    name: &'static str,
    schema: &'a RawValue,
    strict: bool,
}
