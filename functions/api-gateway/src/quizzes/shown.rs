//! What is shown of a quiz: until it is submitted nothing that tells a right answer from a wrong one.

use chrono::{DateTime, Utc};
use domain::quiz::score;
use events::activity_recorded::QuizTopic;
use ids::QuizAttemptId;
use serde::{Deserialize, Serialize};
use storage::quizzes::{AskedQuestion, Choices, ListedAttempt, QuizAttempt, QuizBody};
use utoipa::ToSchema;

/// The state of a quiz.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuizStatus {
    /// Its questions can be answered.
    Open,
    /// Its time is over: it can only be submitted, with what was answered in time.
    TimeOver,
    /// It is submitted, and has a result.
    Submitted,
}

impl QuizStatus {
    pub(super) fn of(
        submitted_at: Option<DateTime<Utc>>,
        ends_at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Self {
        match (submitted_at, ends_at) {
            (Some(_), _) => Self::Submitted,
            (None, Some(end)) if now >= end => Self::TimeOver,
            (None, _) => Self::Open,
        }
    }
}

/// A quiz as a student takes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Quiz {
    /// Its id.
    pub id: QuizAttemptId,
    /// The topic's slug; none if it is mixed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Its state.
    pub status: QuizStatus,
    /// When it was started.
    pub started_at: DateTime<Utc>,
    /// When its time is over, if it is limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<DateTime<Utc>>,
    /// When it was submitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<DateTime<Utc>>,
    /// Its questions.
    pub questions: Vec<QuizQuestion>,
}

/// How a request to start a quiz came to its quiz.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuizOrigin {
    /// It was started by this request.
    New,
    /// It was open before this request came.
    Open,
    /// The same request was sent before, with the same `Idempotency-Key`, and had this quiz.
    Repeated,
}

/// A quiz that was to be started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StartedQuiz {
    /// The quiz.
    #[serde(flatten)]
    pub quiz: Quiz,
    /// Whether it is new.
    pub origin: QuizOrigin,
    /// The fields of the request that this quiz does not follow: `questions`, `time_limit_seconds`, both or none. It was
    /// started before, or its topic has fewer questions.
    pub ignored: Vec<String>,
}

/// A question with its options.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QuizQuestion {
    /// From 1.
    pub number: i16,
    /// The topic's slug.
    pub topic: String,
    /// The question.
    pub ask: String,
    /// The program that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What is typed in while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdin: Option<String>,
    /// What can be chosen, numbered from 1.
    pub options: Vec<String>,
    /// The number of the option that you chose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choice: Option<i16>,
}

impl QuizQuestion {
    fn new(number: i16, asked: AskedQuestion, choices: &Choices) -> Self {
        Self {
            number,
            topic: asked.topic,
            ask: asked.ask,
            code: asked.code,
            stdin: Some(asked.stdin).filter(|typed| !typed.is_empty()),
            options: asked.options.into_iter().map(|option| option.text).collect(),
            choice: choices.get(&number).copied(),
        }
    }
}

impl Quiz {
    pub(super) fn new(attempt: QuizAttempt, choices: &Choices, now: DateTime<Utc>) -> Self {
        let QuizAttempt { id, topic, started_at, ends_at, submitted_at, .. } = attempt;
        let numbered = (1..).zip(attempt.body.questions);
        Self {
            id,
            topic,
            status: QuizStatus::of(submitted_at, ends_at, now),
            started_at,
            ends_at,
            submitted_at,
            questions: numbered
                .map(|(number, asked)| QuizQuestion::new(number, asked, choices))
                .collect(),
        }
    }
}

/// The result of a submitted quiz.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QuizResult {
    /// The quiz.
    pub id: QuizAttemptId,
    /// The topic's slug; none if it is mixed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// 0 to 100: the share of right answers; what was not answered is not right.
    pub score: i16,
    /// When it was started.
    pub started_at: DateTime<Utc>,
    /// When it was submitted.
    pub submitted_at: DateTime<Utc>,
    /// Whether it was submitted after its time was over; then what was answered in time counts.
    pub late: bool,
    /// Each topic with its right answers.
    pub topics: Vec<TopicResult>,
    /// Each question with what is right, and why.
    pub questions: Vec<QuestionResult>,
}

/// A topic's part of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TopicResult {
    /// The topic's slug.
    pub topic: String,
    /// Questions that were answered right.
    pub right: u32,
    /// Questions.
    pub of: u32,
}

/// A question's part of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QuestionResult {
    /// The question, with what you chose.
    #[serde(flatten)]
    pub question: QuizQuestion,
    /// The number of the right option.
    pub answer: i16,
    /// Whether you chose it.
    pub is_right: bool,
    /// Why it is right.
    pub why: String,
    /// What someone believes who chooses what you chose, if it is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub misconception: Option<String>,
}

impl QuizResult {
    /// The result of an attempt; `None` if it is not submitted.
    pub(super) fn new(attempt: QuizAttempt, choices: &Choices) -> Option<Self> {
        let (submitted_at, score) = attempt.submitted_at.zip(attempt.score)?;
        let topics = topics(&attempt.body, choices).into_iter();
        let numbered = (1..).zip(attempt.body.questions);
        Some(Self {
            id: attempt.id,
            topic: attempt.topic,
            score,
            started_at: attempt.started_at,
            submitted_at,
            late: attempt.ends_at.is_some_and(|end| submitted_at >= end),
            topics: topics
                .map(|QuizTopic { topic, right, of }| TopicResult { topic, right, of })
                .collect(),
            questions: numbered
                .map(|(number, asked)| QuestionResult::new(number, asked, choices))
                .collect(),
        })
    }
}

impl QuestionResult {
    fn new(number: i16, asked: AskedQuestion, choices: &Choices) -> Self {
        let answer = (1..).zip(&asked.options).find(|(_, option)| option.is_right);
        let answer = answer.map_or(0, |(place, _)| place);
        let misconception = chosen(number, &asked, choices)
            .and_then(|place| asked.options.get(place))
            .and_then(|option| option.misconception.clone());
        Self {
            answer,
            is_right: is_right(number, &asked, choices),
            why: asked.why.clone(),
            misconception,
            question: QuizQuestion::new(number, asked, choices),
        }
    }
}

/// The place of the option that was chosen for a question, from 0.
fn chosen(number: i16, asked: &AskedQuestion, choices: &Choices) -> Option<usize> {
    let place = usize::try_from(choices.get(&number)?.checked_sub(1)?).ok()?;
    (place < asked.options.len()).then_some(place)
}

fn is_right(number: i16, asked: &AskedQuestion, choices: &Choices) -> bool {
    let option = chosen(number, asked, choices).and_then(|place| asked.options.get(place));
    option.is_some_and(|option| option.is_right)
}

/// Each topic of a quiz with its right answers, in the order of the questions.
pub(super) fn topics(body: &QuizBody, choices: &Choices) -> Vec<QuizTopic> {
    let mut topics: Vec<QuizTopic> = Vec::new();
    for (number, asked) in (1..).zip(&body.questions) {
        let right = u32::from(is_right(number, asked, choices));
        match topics.iter_mut().find(|topic| topic.topic == asked.topic) {
            Some(topic) => {
                topic.right += right;
                topic.of += 1;
            }
            None => topics.push(QuizTopic { topic: asked.topic.clone(), right, of: 1 }),
        }
    }
    topics
}

/// The score of a quiz.
pub(super) fn total(topics: &[QuizTopic]) -> u8 {
    score(topics.iter().map(|topic| topic.right).sum(), topics.iter().map(|topic| topic.of).sum())
}

/// A quiz in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListedQuiz {
    /// Its id.
    pub id: QuizAttemptId,
    /// The topic's slug; none if it is mixed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    /// Its state.
    pub status: QuizStatus,
    /// How many questions it has.
    pub questions: i16,
    /// 0 to 100, once it is submitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<i16>,
    /// When it was started.
    pub started_at: DateTime<Utc>,
    /// When its time is over, if it is limited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<DateTime<Utc>>,
    /// When it was submitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<DateTime<Utc>>,
}

impl ListedQuiz {
    pub(super) fn new(attempt: ListedAttempt, now: DateTime<Utc>) -> Self {
        let ListedAttempt { id, topic, questions, started_at, ends_at, submitted_at, score } =
            attempt;
        let status = QuizStatus::of(submitted_at, ends_at, now);
        let id = QuizAttemptId::from_uuid(id);
        Self { id, topic, status, questions, score, started_at, ends_at, submitted_at }
    }
}

/// A page of quizzes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QuizPage {
    /// At most 20.
    pub items: Vec<ListedQuiz>,
    /// The `cursor` of the next page; none on the last page.
    pub next_cursor: Option<String>,
}
