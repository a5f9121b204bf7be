//! Exercises: list, show, generate, submit, and read grades.

use ::exercises::{Exercise, MIN_FAILED, Parsons};
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use domain::{
    agent::Agent,
    difficulty::Difficulty,
    text::{Code, Question, TextError, TopicName},
};
use events::{
    Envelope,
    question_answered::AssignedExercise,
    submission_graded::{Feedback, SubmissionGraded},
    submission_made::SubmissionMade,
};
use ids::{ExerciseId, SubmissionId, UserId};
use requests::{QueryRequest, StudentRequest};
use runtime::{
    Outgoing,
    web::{Caller, Json, Path, Person, Problem, Student},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;
use storage::{
    exercises::{self, Listed},
    submissions::{self, Submission},
};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::{
    accept::{accept, pending},
    gateway::Gateway,
    help::AgentQuestion,
    ownership::{missing, readable},
    queries::{QueryResponse, answered},
    spec::NAME,
    stored,
};

/// Exercises on a page.
const PAGE: i64 = 20;
/// Attempts that are listed.
const MAX_ATTEMPTS: i64 = 50;

/// Which exercises.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Filter {
    /// A topic's slug.
    topic: Option<String>,
    /// How hard they are.
    difficulty: Option<Difficulty>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// An exercise in a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ListedExercise {
    /// Its id.
    pub id: ExerciseId,
    /// Its name for people.
    pub title: String,
    /// The slug of the topic that it practises.
    pub topic: String,
    /// How hard it is.
    pub difficulty: Difficulty,
    /// How often you have handed in a solution.
    pub attempts: i64,
    /// Your best score, 0 to 100; none before the first attempt.
    pub best: Option<i16>,
}

/// A page of exercises.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ExercisePage {
    /// At most 20.
    pub items: Vec<ListedExercise>,
    /// The `cursor` of the next page; none on the last page.
    pub next_cursor: Option<String>,
}

/// Exercises in the order of the course, with your results.
#[utoipa::path(get, path = "/exercises", operation_id = "list_exercises", tag = "Exercises", security(("bearer" = [])), params(Filter),
    responses((status = 200, body = ExercisePage), (status = 401, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    filter: Result<Query<Filter>, QueryRejection>,
) -> Result<Json<ExercisePage>, Problem> {
    let Query(filter) =
        filter.map_err(|rejection| Problem::field("query string", rejection.body_text()))?;
    let (after_position, after_id) = match filter.cursor.as_deref() {
        None => (i32::MIN, Uuid::nil()),
        Some(cursor) => read_cursor(cursor)
            .ok_or_else(|| Problem::field("cursor", "what `next_cursor` of the last page was"))?,
    };
    let topic = filter.topic.map(TopicName::try_from).transpose();
    let topic = topic.map_err(|error| Problem::field("topic", error.to_string()))?;
    let mut conn = gateway.services.store.connection().await?;
    let page = exercises::Page {
        topic: topic.as_ref().map(TopicName::as_str),
        difficulty: filter.difficulty,
        after_position,
        after_id,
        limit: PAGE,
    };
    let found = exercises::list(&mut conn, caller.id, page).await?;
    let is_full = i64::try_from(found.len()).is_ok_and(|count| count == PAGE);
    let last = found.last().filter(|_| is_full);
    let next_cursor = last.map(|last| format!("{}.{}", last.position, last.id));
    let item = |listed: Listed| {
        let Listed { id, topic, difficulty, title, attempts, best, .. } = listed;
        let (id, difficulty) = (ExerciseId::from_uuid(id), stored::name(difficulty)?);
        Ok(ListedExercise { id, title, topic, difficulty, attempts, best })
    };
    let items: Result<_, Problem> = found.into_iter().map(item).collect();
    Ok(Json(ExercisePage { items: items?, next_cursor }))
}

fn read_cursor(text: &str) -> Option<(i32, Uuid)> {
    let (position, id) = text.split_once('.')?;
    Some((position.parse().ok()?, id.parse().ok()?))
}

async fn find(
    conn: &mut PgConnection,
    id: &str,
) -> Result<(ExerciseId, String, Exercise), Problem> {
    let none = || Problem::not_found("there is no such exercise");
    // What is not an id names nothing, so it is not found rather than malformed.
    let id: ExerciseId = id.parse().map_err(|_not_an_id| none())?;
    let found = exercises::find(conn, id).await?.ok_or_else(none)?;
    Ok((id, found.topic, found.body))
}

/// An exercise, without its solution and its hidden tests.
#[utoipa::path(get, path = "/exercises/{id}", operation_id = "get_exercise", tag = "Exercises", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The id in the list of exercises")),
    responses((status = 200, body = AssignedExercise), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    _: Caller<Student>,
    Path(id): Path<String>,
) -> Result<Json<AssignedExercise>, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    let (id, topic, exercise) = find(&mut conn, &id).await?;
    Ok(Json(::exercises::assigned(id, &topic, &exercise)))
}

/// A request for an exercise.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct GenerateRequest {
    /// The topic's slug.
    #[schema(example = "lists")]
    topic: TopicName,
    /// How hard it should be.
    #[schema(example = "easy")]
    difficulty: Difficulty,
    /// The exercise that it should be like.
    variation_of: Option<Uuid>,
}

/// Assigns an exercise that you have not had yet; if none is left, a new one is made and verified first.
#[utoipa::path(post, path = "/exercises/generate", operation_id = "generate_exercise", tag = "Exercises", security(("bearer" = [])),
    params(
        ("Prefer" = Option<String>, Header, description = "`wait=SECONDS`, 0 to 25; 5 by default"),
        ("Idempotency-Key" = Option<String>, Header, description = "A request that is sent again with the same key is carried out once")),
    request_body = GenerateRequest,
    responses(
        (status = 200, description = "`answer.details` is the exercise", body = QueryResponse),
        (status = 202, description = "Accepted; the answer will be at `status_url`", body = QueryResponse),
        (status = 401, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn generate(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    headers: HeaderMap,
    Json(request): Json<GenerateRequest>,
) -> Result<Response, Problem> {
    if curriculum::embedded().topic(request.topic.as_str()).is_none() {
        return Err(Problem::field("topic", "the slug of a topic of the course, such as lists"));
    }
    let what = if request.variation_of.is_some() { "variation" } else { "new" };
    let question = format!("Give me a {what} {} exercise.", request.difficulty.as_str());
    let question =
        Question::try_from(question).map_err(|error: TextError| Problem::internal(&error))?;
    let request = QueryRequest {
        question,
        code: None,
        error: None,
        topic: Some(request.topic),
        exercise_id: request.variation_of,
        conversation_id: None,
        new_conversation: false,
    };
    answered(&gateway, &caller, &headers, AgentQuestion { agent: Agent::Exercise, request }).await
}

/// A solution.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SubmitRequest {
    /// The program.
    code: Code,
}

/// The state of a solution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SubmissionStatus {
    /// The grade is still to come: poll `status_url`.
    Pending,
    /// The grade is here.
    Graded,
    /// It could not be graded; hand it in again.
    Failed,
}

/// A solution and, once there is one, its grade.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SubmissionResponse {
    /// Its id.
    pub id: SubmissionId,
    /// The exercise.
    pub exercise_id: ExerciseId,
    /// Its state.
    pub status: SubmissionStatus,
    /// Where the grade will be found.
    pub status_url: String,
    /// When it was handed in.
    pub submitted_at: DateTime<Utc>,
    /// The grade, and what to make of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub feedback: Option<Feedback>,
    /// What was handed in, where a solution is asked for by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

/// Submits a solution: it is run against all tests and graded.
#[utoipa::path(post, path = "/exercises/{id}/submissions", operation_id = "submit_solution", tag = "Exercises", security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The exercise"),
        ("Prefer" = Option<String>, Header, description = "`wait=SECONDS`, 0 to 25; 5 by default"),
        ("Idempotency-Key" = Option<String>, Header, description = "A request that is sent again with the same key is carried out once")),
    request_body = SubmitRequest,
    responses(
        (status = 200, description = "Graded", body = SubmissionResponse),
        (status = 202, description = "Accepted; the grade will be at `status_url`", body = SubmissionResponse),
        (status = 401, body = Problem), (status = 404, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)))]
pub(crate) async fn submit(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    headers: HeaderMap,
    Path(id): Path<String>,
    Json(request): Json<SubmitRequest>,
) -> Result<Response, Problem> {
    let exercise_id = {
        let mut conn = gateway.services.store.connection().await?;
        find(&mut conn, &id).await?.0
    };
    let handed_in = HandedIn { exercise_id, code: request.code };
    let accepted = accept(&gateway, &caller, &headers, handed_in).await?;
    let id = SubmissionId::from_uuid(accepted.id);
    match accepted.answer.map(|answered| Envelope::<SubmissionGraded>::read(answered.event)) {
        // The agent stored it before announcing it.
        Some(Ok(event)) => {
            let (feedback, status) = (Some(event.data.feedback), SubmissionStatus::Graded);
            let pending = SubmissionResponse::pending(id, exercise_id, accepted.at);
            Ok(SubmissionResponse { feedback, status, ..pending }.into_response())
        }
        Some(Err(_)) | None => find_submission(&gateway, &caller, id).await,
    }
}

#[derive(Debug, Serialize)]
struct HandedIn {
    exercise_id: ExerciseId,
    code: Code,
}

impl StudentRequest for HandedIn {
    type Event = SubmissionMade;
    type Answer = SubmissionGraded;
    type Stored = ();

    const OPERATION: &'static str = "submission";

    async fn store(
        &self,
        conn: &mut PgConnection,
        id: Uuid,
        student: UserId,
        _: &Value,
        now: DateTime<Utc>,
    ) -> sqlx::Result<()> {
        let id = SubmissionId::from_uuid(id);
        submissions::insert(conn, id, student, self.exercise_id, self.code.as_str(), now).await
    }

    fn event(&self, id: Uuid, student: UserId) -> SubmissionMade {
        SubmissionMade {
            submission_id: SubmissionId::from_uuid(id),
            student_id: student,
            exercise_id: self.exercise_id,
            code: self.code.clone(),
        }
    }
}

/// A solution of yours, with its grade once there is one.
#[utoipa::path(get, path = "/submissions/{id}", operation_id = "get_submission", tag = "Exercises", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The id that the submission returned")),
    responses((status = 200, body = SubmissionResponse), (status = 202, body = SubmissionResponse),
              (status = 404, body = Problem)))]
pub(crate) async fn submission(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = id.parse().map_err(|_not_an_id| missing::<Submission>())?;
    find_submission(&gateway, &caller, id).await
}

async fn find_submission(
    gateway: &Gateway,
    caller: &Person,
    id: SubmissionId,
) -> Result<Response, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    let found = submissions::find(&mut conn, id).await?;
    let found = readable(&mut conn, caller, found).await?;
    Ok(SubmissionResponse::try_from(found)?.into_response())
}

/// Your solutions of an exercise, newest first, at most 50.
#[utoipa::path(get, path = "/exercises/{id}/submissions", operation_id = "list_submissions", tag = "Exercises", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The exercise")),
    responses((status = 200, body = [SubmissionResponse]), (status = 404, body = Problem)))]
pub(crate) async fn attempts(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Path(id): Path<String>,
) -> Result<Json<Vec<SubmissionResponse>>, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    let (id, ..) = find(&mut conn, &id).await?;
    let found = submissions::of_exercise(&mut conn, caller.id, id, MAX_ATTEMPTS).await?;
    let attempts: Result<_, Problem> = found.into_iter().map(TryFrom::try_from).collect();
    attempts.map(Json)
}

/// The solution in shuffled pieces, to be put in order and submitted. It is available after three failed attempts, gets
/// easier with more of them, and its use is recorded.
#[utoipa::path(post, path = "/exercises/{id}/parsons", operation_id = "get_parsons", tag = "Exercises", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The exercise")),
    responses((status = 200, body = Parsons), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn parsons(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Path(id): Path<String>,
) -> Result<Json<Parsons>, Problem> {
    let services = &gateway.services;
    let now = services.clock.now();
    let mut tx = services.store.begin(NAME).await?;
    let (id, _, exercise) = find(tx.conn(), &id).await?;
    let record = submissions::record(tx.conn(), caller.id, id).await?;
    if record.failed < MIN_FAILED {
        let detail = format!(
            "hand in {MIN_FAILED} attempts of your own first; you have {} that did not pass",
            record.failed
        );
        return Err(Problem::new(StatusCode::CONFLICT, "too_early", detail));
    }
    exercises::note_parsons(tx.conn(), caller.id, id, now).await?;
    let cause = ids::EventId::from_uuid(services.clock.new_id());
    tx.commit(cause, Outgoing::none(), now).await?;
    let (seed, _) = caller.id.as_uuid().as_u64_pair();
    Ok(Json(::exercises::parsons(&exercise, record.failed, seed)))
}

impl SubmissionResponse {
    fn pending(id: SubmissionId, exercise_id: ExerciseId, submitted_at: DateTime<Utc>) -> Self {
        let status_url = format!("/api/v1/submissions/{id}");
        let status = SubmissionStatus::Pending;
        Self { id, exercise_id, status, status_url, submitted_at, feedback: None, code: None }
    }
}

impl TryFrom<Submission> for SubmissionResponse {
    type Error = Problem;

    fn try_from(stored: Submission) -> Result<Self, Problem> {
        let feedback = stored.feedback.map(stored::read).transpose()?;
        let status = match (&feedback, stored.failed) {
            (Some(_), _) => SubmissionStatus::Graded,
            (None, true) => SubmissionStatus::Failed,
            (None, false) => SubmissionStatus::Pending,
        };
        let pending = Self::pending(stored.id, stored.exercise_id, stored.submitted_at);
        Ok(Self { feedback, status, code: stored.code, ..pending })
    }
}

impl IntoResponse for SubmissionResponse {
    fn into_response(self) -> Response {
        if self.status != SubmissionStatus::Pending {
            return Json(self).into_response();
        }
        pending(&self.status_url, &self)
    }
}
