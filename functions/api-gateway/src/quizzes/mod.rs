//! Quizzes: start, answer, submit, and read what was right and why.
//!
//! The questions are data of the course; an attempt keeps those that it asked. Right answers leave the server with the
//! result, and there is none before the submission.

mod choose;
mod overdue;
mod shown;

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use curriculum::embedded;
use domain::text::TopicName;
use events::activity_recorded::{Activity, ActivityRecorded};
use ids::{EventId, QuizAttemptId};
use requests::{Creation, failed, idempotency_key, without_account};
use runtime::{
    HandlerError, Outgoing,
    web::{Caller, Json, Path, Person, Problem, Student},
};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use storage::{
    progress::{self, TopicRow},
    quizzes::{self, NewAttempt, QuizAttempt, QuizBody},
    users,
};
use utoipa::{IntoParams, ToSchema};

pub(crate) use self::overdue::SubmitOverdue;
pub use self::shown::{
    ListedQuiz, QuestionResult, Quiz, QuizOrigin, QuizPage, QuizQuestion, QuizResult, QuizStatus,
    StartedQuiz, TopicResult,
};
use crate::{
    gateway::Gateway,
    limits,
    ownership::{changeable, missing, readable},
    pages::{self, Moment},
    spec::NAME,
};

/// Questions of a topic's quiz by default: fewer than a topic has, so that a retake has others.
const OF_TOPIC: u8 = 3;
/// Questions of a mixed quiz by default.
const MIXED: u8 = 8;
/// Most questions of a quiz.
const MOST: u8 = 20;
/// The shortest time limit in seconds: enough to read one question.
const SHORTEST: u32 = 30;
/// The longest time limit in seconds; whoever wants more needs none.
const LONGEST: u32 = 3 * 60 * 60;
/// Quizzes that a retake looks back at: more than ask all questions of a topic.
const LOOKED_BACK: i64 = 10;
/// Quizzes on a page.
const PAGE: i64 = 20;
/// Tries to start a quiz while the same student starts another one of the topic at the same time.
const TRIES: u8 = 3;

/// Which quiz to start.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuizRequest {
    /// The topic's slug; without one the quiz is mixed: due reviews first, then your weakest topics, then new ones.
    #[schema(example = "lists")]
    topic: Option<TopicName>,
    /// How many questions: 1 to 20; by default 3 of a topic and 8 of a mixed quiz. A topic may have fewer.
    questions: Option<u8>,
    /// 30 to 10800; without it there is no limit.
    time_limit_seconds: Option<u32>,
}

impl QuizRequest {
    fn topic(&self) -> Option<&str> {
        self.topic.as_ref().map(TopicName::as_str)
    }

    fn check(&self) -> Result<(), Problem> {
        if self.topic().is_some_and(|slug| embedded().topic(slug).is_none()) {
            return Err(Problem::field(
                "topic",
                "the slug of a topic of the course, such as lists",
            ));
        }
        if self.questions.is_some_and(|count| !(1..=MOST).contains(&count)) {
            return Err(Problem::field("questions", format!("1 to {MOST}")));
        }
        if self.time_limit_seconds.is_some_and(|limit| !(SHORTEST..=LONGEST).contains(&limit)) {
            return Err(Problem::field("time_limit_seconds", format!("{SHORTEST} to {LONGEST}")));
        }
        Ok(())
    }

    /// The fields that a quiz does not follow.
    fn ignored(&self, quiz: &Quiz) -> Vec<String> {
        let limit = quiz.ends_at.map(|end| (end - quiz.started_at).num_seconds());
        let wanted = self.time_limit_seconds.map(i64::from);
        let has_other_number =
            self.questions.is_some_and(|count| usize::from(count) != quiz.questions.len());
        let has_other_limit = wanted.is_some() && wanted != limit;
        let fields = [("questions", has_other_number), ("time_limit_seconds", has_other_limit)];
        let ignored = fields.into_iter().filter(|(_, is_ignored)| *is_ignored);
        ignored.map(|(name, _)| name.to_owned()).collect()
    }
}

/// Starts a quiz, or goes on with the one of this topic that you have started and not submitted. Then the status is 200,
/// `origin` says that it was open, and `ignored` which of your wishes it does not follow: to get a quiz as you wish,
/// submit that one first. An open one whose time is over is submitted first, with what was answered in time.
#[utoipa::path(post, path = "/quizzes", operation_id = "start_quiz", tag = "Quizzes", security(("bearer" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "A request that is sent again with the same key is carried out once")),
    request_body = QuizRequest,
    responses(
        (status = 201, description = "Started", body = StartedQuiz),
        (status = 200, description = "It was started before: it is open, or the request was sent before", body = StartedQuiz),
        (status = 401, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn start(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    headers: HeaderMap,
    Json(request): Json<QuizRequest>,
) -> Result<Response, Problem> {
    limits::check(&gateway, &format!("user:{}", caller.id), gateway.config.per_user).await?;
    request.check()?;
    let key = idempotency_key(&headers)?;
    for _ in 0..TRIES {
        if let Some((id, origin)) =
            try_to_start(&gateway, &caller, &request, key.as_deref()).await?
        {
            let Json(quiz) = find(&gateway, &caller, id).await?;
            let status = match origin {
                QuizOrigin::New => StatusCode::CREATED,
                QuizOrigin::Open | QuizOrigin::Repeated => StatusCode::OK,
            };
            let started = StartedQuiz { origin, ignored: request.ignored(&quiz), quiz };
            let mut response = (status, Json(started)).into_response();
            if let Ok(location) = HeaderValue::from_str(&format!("/api/v1/quizzes/{id}")) {
                response.headers_mut().insert(header::LOCATION, location);
            }
            return Ok(response);
        }
    }
    Err(Problem::not_in_time())
}

/// The quiz that was started, or had been started before; `None` if another request has just started one.
async fn try_to_start(
    gateway: &Gateway,
    caller: &Person,
    request: &QuizRequest,
    key: Option<&str>,
) -> Result<Option<(QuizAttemptId, QuizOrigin)>, Problem> {
    let services = &gateway.services;
    let now = services.clock.now();
    let mut tx = services.store.begin(NAME).await?;
    let mut outgoing = Outgoing::none();
    let mut open = quizzes::lock_open(tx.conn(), caller.id, request.topic()).await?;
    if let Some(over) = open.take_if(|open| status(open, now) == QuizStatus::TimeOver) {
        outgoing = submit_locked(tx.conn(), &over, outgoing, now).await.map_err(failed)?;
    }
    let id = open.as_ref().map(|open| open.id);
    let id = id.unwrap_or_else(|| QuizAttemptId::from_uuid(services.clock.new_id()));
    let mut outcome = (id, QuizOrigin::Open);
    let creation = Creation { operation: "quiz", owner: caller.id, key, id: id.as_uuid(), now };
    match creation.earlier(tx.conn(), request).await? {
        Some(first) => outcome = (QuizAttemptId::from_uuid(first), QuizOrigin::Repeated),
        None if open.is_some() => {}
        None => {
            let secret = services.clock.new_secret().map_err(|error| Problem::internal(&error))?;
            let [a, b, c, d, e, f, g, h, ..] = secret;
            let seed = i64::from_le_bytes([a, b, c, d, e, f, g, h]);
            let body = choose(tx.conn(), caller, request, seed, now).await?;
            let limit = request.time_limit_seconds.map(|limit| TimeDelta::seconds(limit.into()));
            let ends_at = limit.map(|limit| now + limit);
            let topic = request.topic();
            let attempt = NewAttempt { id, student: caller.id, topic, seed, body: &body, ends_at };
            let inserted = quizzes::insert(tx.conn(), attempt, now).await;
            if !inserted.map_err(|error| without_account(HandlerError::retry(error)))? {
                return Ok(None);
            }
            outcome.1 = QuizOrigin::New;
        }
    }
    tx.commit(EventId::from_uuid(services.clock.new_id()), outgoing, now).await?;
    Ok(Some(outcome))
}

async fn choose(
    conn: &mut PgConnection,
    caller: &Person,
    request: &QuizRequest,
    seed: i64,
    now: DateTime<Utc>,
) -> Result<QuizBody, Problem> {
    let asked = quizzes::recently_asked(conn, caller.id, request.topic(), LOOKED_BACK).await?;
    let course = embedded();
    let (topics, each, default) = match request.topic().and_then(|slug| course.topic(slug)) {
        Some(topic) => (vec![topic], usize::MAX, OF_TOPIC),
        None => {
            let known = progress::of_student(conn, caller.id).await?;
            let zone = users::time_zone(conn, caller.id).await?.unwrap_or_default();
            let topics = choose::topics(course, &due(&known, zone.day(now)), &scores(&known));
            (topics, choose::OF_EACH_TOPIC, MIXED)
        }
    };
    let count = usize::from(request.questions.unwrap_or(default));
    Ok(choose::questions(&topics, each, count, &asked, seed.cast_unsigned()))
}

/// The topics whose review is due, the most overdue first.
fn due(known: &[TopicRow], today: NaiveDate) -> Vec<String> {
    let dated = known.iter().filter_map(|row| row.due_on.map(|due_on| (due_on, &row.topic)));
    let mut due: Vec<_> = dated.filter(|(due_on, _)| *due_on <= today).collect();
    due.sort_unstable();
    due.into_iter().map(|(_, topic)| topic.clone()).collect()
}

fn scores(known: &[TopicRow]) -> Vec<(String, u8)> {
    known.iter().filter_map(|row| Some((row.topic.clone(), row.score?))).collect()
}

fn status(attempt: &QuizAttempt, now: DateTime<Utc>) -> QuizStatus {
    QuizStatus::of(attempt.submitted_at, attempt.ends_at, now)
}

/// Which of your quizzes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// A topic's slug.
    topic: Option<String>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Your quizzes, newest first.
#[utoipa::path(get, path = "/quizzes", operation_id = "list_quizzes", tag = "Quizzes", security(("bearer" = [])), params(Filter),
    responses((status = 200, body = QuizPage), (status = 401, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    filter: Result<Query<Filter>, QueryRejection>,
) -> Result<Json<QuizPage>, Problem> {
    let filter = pages::read(filter)?;
    let Moment { at, id } = Moment::before(filter.cursor.as_deref())?;
    let topic = filter.topic.map(TopicName::try_from).transpose();
    let topic = topic.map_err(|error| Problem::field("topic", error.to_string()))?;
    let topic = topic.as_ref().map(TopicName::as_str);
    let mut conn = gateway.services.store.connection().await?;
    let found = quizzes::list(&mut conn, caller.id, topic, (at, id), PAGE).await?;
    let next_cursor = pages::next_cursor(&found, PAGE, |last| {
        Moment { at: last.started_at, id: last.id }.cursor()
    });
    let now = gateway.services.clock.now();
    let items = found.into_iter().map(|attempt| ListedQuiz::new(attempt, now)).collect();
    Ok(Json(QuizPage { items, next_cursor }))
}

/// A quiz of yours, with what you have answered so far.
#[utoipa::path(get, path = "/quizzes/{id}", operation_id = "get_quiz", tag = "Quizzes", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The id of the quiz that was started")),
    responses((status = 200, body = Quiz), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Path(id): Path<String>,
) -> Result<Json<Quiz>, Problem> {
    find(&gateway, &caller, parse(&id)?).await
}

fn parse(id: &str) -> Result<QuizAttemptId, Problem> {
    id.parse().map_err(|_not_an_id| missing::<QuizAttempt>())
}

async fn find(
    gateway: &Gateway,
    caller: &Person,
    id: QuizAttemptId,
) -> Result<Json<Quiz>, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    let found = quizzes::find(&mut conn, id).await?;
    let attempt = readable(&mut conn, caller, found).await?;
    let choices = quizzes::choices(&mut conn, id).await?;
    Ok(Json(Quiz::new(attempt, &choices, gateway.services.clock.now())))
}

/// An answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuizAnswer {
    /// The number of the option, from 1.
    #[schema(example = 1)]
    choice: i16,
}

/// Answers a question; a later answer replaces an earlier one, until the quiz is submitted or its time is over.
#[utoipa::path(put, path = "/quizzes/{id}/answers/{number}", operation_id = "answer_question", tag = "Quizzes", security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The quiz"),
        ("number" = i16, Path, description = "The number of the question, from 1")),
    request_body = QuizAnswer,
    responses((status = 204, description = "Recorded"), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 409, description = "It is submitted, or its time is over", body = Problem),
              (status = 422, body = Problem)))]
pub(crate) async fn answer(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Path((id, number)): Path<(String, String)>,
    Json(answer): Json<QuizAnswer>,
) -> Result<StatusCode, Problem> {
    let id = parse(&id)?;
    let services = &gateway.services;
    let now = services.clock.now();
    let mut tx = services.store.begin(NAME).await?;
    let found = quizzes::lock(tx.conn(), id).await?;
    let attempt = changeable(tx.conn(), &caller, found).await?;
    let number: Option<i16> = number.parse().ok();
    let place = number.and_then(|number| usize::try_from(number.checked_sub(1)?).ok());
    let question = place.and_then(|place| attempt.body.questions.get(place));
    let (Some(number), Some(question)) = (number, question) else {
        return Err(Problem::not_found("this quiz has no such question"));
    };
    let options = question.options.len();
    if !usize::try_from(answer.choice).is_ok_and(|choice| (1..=options).contains(&choice)) {
        return Err(Problem::field("choice", format!("the number of an option, 1 to {options}")));
    }
    match status(&attempt, now) {
        QuizStatus::Open => {}
        QuizStatus::Submitted => {
            let detail = "this quiz is submitted; its answers cannot be changed any more";
            return Err(Problem::new(StatusCode::CONFLICT, "quiz_submitted", detail));
        }
        QuizStatus::TimeOver => {
            let detail = "the time of this quiz is over; submit it to see the result";
            return Err(Problem::new(StatusCode::CONFLICT, "quiz_time_over", detail));
        }
    }
    quizzes::answer(tx.conn(), id, number, answer.choice, now).await?;
    tx.commit(EventId::from_uuid(services.clock.new_id()), Outgoing::none(), now).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Submits a quiz. After its time is over, what was answered in time counts. A quiz is submitted once: a repeated request
/// gets the same result.
#[utoipa::path(post, path = "/quizzes/{id}/submission", operation_id = "submit_quiz", tag = "Quizzes", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The quiz")),
    responses((status = 200, body = QuizResult), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn submit(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Path(id): Path<String>,
) -> Result<Json<QuizResult>, Problem> {
    let id = parse(&id)?;
    let services = &gateway.services;
    let now = services.clock.now();
    let mut tx = services.store.begin(NAME).await?;
    let found = quizzes::lock(tx.conn(), id).await?;
    let attempt = changeable(tx.conn(), &caller, found).await?;
    if attempt.submitted_at.is_none() {
        let submitted = submit_locked(tx.conn(), &attempt, Outgoing::none(), now).await;
        let outgoing = submitted.map_err(failed)?;
        tx.commit(EventId::from_uuid(id.as_uuid()), outgoing, now).await?;
    } else {
        drop(tx);
    }
    find_result(&gateway, &caller, id).await
}

/// Submits an attempt that this transaction has locked, and announces what it says about the student: nothing if its
/// time ran out before anything was answered.
async fn submit_locked(
    conn: &mut PgConnection,
    attempt: &QuizAttempt,
    outgoing: Outgoing,
    now: DateTime<Utc>,
) -> Result<Outgoing, HandlerError> {
    let choices = quizzes::choices(conn, attempt.id).await.map_err(HandlerError::retry)?;
    let topics = shown::topics(&attempt.body, &choices);
    let score = shown::total(&topics);
    quizzes::submit(conn, attempt.id, score, now).await.map_err(HandlerError::retry)?;
    let ended_before = attempt.ends_at.filter(|end| *end < now);
    if choices.is_empty() && ended_before.is_some() {
        return Ok(outgoing);
    }
    let activity = Activity::QuizSubmitted {
        attempt_id: attempt.id,
        topic: attempt.topic.clone(),
        score,
        topics,
    };
    outgoing.with(&ActivityRecorded {
        student_id: attempt.student_id,
        request_id: attempt.id.as_uuid(),
        activity,
        done_at: ended_before,
    })
}

/// The result of a submitted quiz of yours: what is right and why, and what may have misled you.
#[utoipa::path(get, path = "/quizzes/{id}/result", operation_id = "get_quiz_result", tag = "Quizzes", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The quiz")),
    responses((status = 200, body = QuizResult), (status = 404, body = Problem),
              (status = 409, description = "It is not submitted yet", body = Problem)))]
pub(crate) async fn result(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Path(id): Path<String>,
) -> Result<Json<QuizResult>, Problem> {
    find_result(&gateway, &caller, parse(&id)?).await
}

async fn find_result(
    gateway: &Gateway,
    caller: &Person,
    id: QuizAttemptId,
) -> Result<Json<QuizResult>, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    let found = quizzes::find(&mut conn, id).await?;
    let attempt = readable(&mut conn, caller, found).await?;
    let choices = quizzes::choices(&mut conn, id).await?;
    let result = QuizResult::new(attempt, &choices).ok_or_else(|| {
        let detail = "this quiz has a result once it is submitted";
        Problem::new(StatusCode::CONFLICT, "quiz_not_submitted", detail)
    })?;
    Ok(Json(result))
}
