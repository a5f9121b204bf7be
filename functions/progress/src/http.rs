//! `GET /progress/{user_id}` and `POST /progress`, for direct callers.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::{get, post},
};
use chrono::{DateTime, TimeDelta, Utc};
use domain::difficulty::Difficulty;
use events::activity_recorded::{Activity, ActivityRecorded, QuizTopic};
use ids::{EventId, ExerciseId, QuizAttemptId, UserId};
use progress_report::ProgressReport;
use requests::{Creation, idempotency_key};
use runtime::{
    Endpoint, Outgoing, Services,
    web::{Json, Path, Problem},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::spec::NAME;

/// How long ago an activity may have been: as long as activities are kept.
const OLDEST: TimeDelta = TimeDelta::days(400);
/// How far another clock may be ahead of ours.
const AHEAD: TimeDelta = TimeDelta::minutes(1);
/// The score from which an exercise of another front end is passed, which has no tests of ours.
const PASSED: u8 = 100;

pub(crate) fn routes(services: &Arc<Services>) -> [Endpoint; 2] {
    [
        ("/progress/{user_id}", get(show).with_state(Arc::clone(services))),
        ("/progress", post(report).with_state(Arc::clone(services))),
    ]
}

async fn show(
    State(services): State<Arc<Services>>,
    Path(user_id): Path<String>,
) -> Result<Json<ProgressReport>, Problem> {
    let unknown = || Problem::not_found("there is no such student");
    let user: UserId = user_id.parse().map_err(|_not_an_id| unknown())?;
    let mut conn = services.store.connection().await?;
    let report = progress_report::load(&mut conn, user, services.clock.now()).await?;
    report.map(Json).ok_or_else(unknown)
}

/// What another front end reports.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReportRequest {
    user_id: UserId,
    r#type: ReportType,
    topic: Option<String>,
    exercise_id: Option<Uuid>,
    score: Option<u8>,
    occurred_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ReportType {
    ExerciseSubmitted,
    QuizSubmitted,
    CodeReviewed,
}

#[derive(Debug, Serialize)]
struct Accepted {
    id: Uuid,
}

/// Records what a student did elsewhere. Sent again with the same `Idempotency-Key`, it is recorded once.
async fn report(
    State(services): State<Arc<Services>>,
    headers: HeaderMap,
    Json(request): Json<ReportRequest>,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    let key = idempotency_key(&headers)?;
    let now = services.clock.now();
    let id = services.clock.new_id();
    let event = read(&request, id, now)?;
    let mut tx = services.store.begin(NAME).await?;
    if storage::users::find(tx.conn(), event.student_id).await?.is_none() {
        return Err(Problem::field("user_id", "the id of an account"));
    }
    let (operation, owner) = ("report", event.student_id);
    let creation = Creation { operation, owner, key: key.as_deref(), id, now };
    if let Some(first) = creation.earlier(tx.conn(), &request).await? {
        return Ok((StatusCode::ACCEPTED, Json(Accepted { id: first })));
    }
    let outgoing = Outgoing::none().with(&event).map_err(|_error| {
        Problem::field("topic", "the slug of a topic of the course, such as for-loops")
    })?;
    tx.commit(EventId::from_uuid(id), outgoing, now).await?;
    Ok((StatusCode::ACCEPTED, Json(Accepted { id })))
}

/// The activity that a report means.
fn read(
    request: &ReportRequest,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<ActivityRecorded, Problem> {
    let ReportRequest { user_id, r#type, topic, exercise_id, score, occurred_at } = request.clone();
    let score = score
        .filter(|score| *score <= 100)
        .ok_or_else(|| Problem::field("score", "a whole number from 0 to 100"))?;
    if occurred_at.is_some_and(|at| at > now + AHEAD || at < now - OLDEST) {
        return Err(Problem::field("occurred_at", "a time within the last 400 days"));
    }
    let course_topic = topic.filter(|slug| progress_report::is_topic(slug));
    let topic = || {
        let expected = "the slug of a topic of the course, such as for-loops";
        course_topic.clone().ok_or_else(|| Problem::field("topic", expected))
    };
    let activity = match r#type {
        ReportType::ExerciseSubmitted => Activity::ExerciseSubmitted {
            exercise_id: ExerciseId::from_uuid(
                exercise_id.ok_or_else(|| Problem::field("exercise_id", "the exercise's id"))?,
            ),
            topic: topic()?,
            difficulty: Difficulty::Medium,
            score,
            passed: score >= PASSED,
            quality: None,
            attempt: 1,
            helped: false,
            tested: true,
        },
        ReportType::QuizSubmitted => Activity::QuizSubmitted {
            attempt_id: QuizAttemptId::from_uuid(id),
            topic: Some(topic()?),
            score,
            topics: vec![QuizTopic { topic: topic()?, right: score.into(), of: 100 }],
        },
        ReportType::CodeReviewed => {
            Activity::CodeReviewed { quality: Some(score), topic: Some(topic()?), exercise_id }
        }
    };
    Ok(ActivityRecorded { student_id: user_id, request_id: id, activity, done_at: occurred_at })
}
