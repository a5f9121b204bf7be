//! What a student did, for their teachers: questions, runs, solutions and alerts.

use axum::extract::{Query, State, rejection::QueryRejection};
use chrono::{DateTime, Utc};
use domain::{agent::Author, alert_status::AlertStatus, execution::Verdict, struggle::Trigger};
use ids::{AlertId, ExecutionId, ExerciseId, QueryId, SubmissionId, UserId};
use runtime::web::{Caller, Json, Path, Problem, Teacher};
use serde::{Deserialize, Serialize};
use storage::{
    class_reports::{self, Happening, What},
    users::{self, User},
};
use utoipa::ToSchema;

use crate::{
    gateway::Gateway,
    ownership::{missing, readable},
    pages::{self, Moment, PageOf},
    stored,
};

/// Entries on a page.
const PAGE: i64 = 50;

/// Something that a student did, or that was noticed about them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TimelineEntry {
    /// They asked a question; `GET /queries/{id}` has the answer.
    Question {
        /// The question's id.
        id: QueryId,
        /// When.
        at: DateTime<Utc>,
        /// The question.
        question: String,
        /// Who answered.
        agent: Option<Author>,
    },
    /// They ran a program; `GET /executions/{id}` has the result.
    Run {
        /// The run's id.
        id: ExecutionId,
        /// When.
        at: DateTime<Utc>,
        /// How it ended; none as long as it has not.
        verdict: Option<Verdict>,
        /// The class of its exception.
        error_type: Option<String>,
    },
    /// They handed in a solution; `GET /submissions/{id}` has the grade.
    Submission {
        /// The solution's id.
        id: SubmissionId,
        /// When.
        at: DateTime<Utc>,
        /// The exercise.
        exercise_id: ExerciseId,
        /// What the exercise is called.
        title: String,
        /// The topic's slug.
        topic: String,
        /// 0 to 100, once it is graded.
        score: Option<i16>,
        /// Whether it solves the exercise.
        passed: Option<bool>,
    },
    /// A rule noticed that they struggle; `GET /alerts/{id}` has the evidence.
    Alert {
        /// The alert's id.
        id: AlertId,
        /// Since when.
        at: DateTime<Utc>,
        /// The rule.
        trigger: Trigger,
        /// The topic's slug, if it is about one.
        topic: Option<String>,
        /// What has been done about it.
        status: AlertStatus,
    },
}

/// A page of a student's timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TimelinePage {
    /// What the student is called.
    pub student_name: String,
    /// The latest first, at most 50.
    pub items: Vec<TimelineEntry>,
    /// The `cursor` of the next page; none on the last page.
    pub next_cursor: Option<String>,
}

/// What a student of one of your classes did, the latest first, with the alerts about them.
#[utoipa::path(get, path = "/students/{id}/timeline", operation_id = "get_timeline", tag = "Classes", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The student"), PageOf),
    responses((status = 200, body = TimelinePage), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 422, body = Problem)))]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    caller: Caller<Teacher>,
    Path(id): Path<String>,
    page: Result<Query<PageOf>, QueryRejection>,
) -> Result<Json<TimelinePage>, Problem> {
    let before = Moment::before(pages::read(page)?.cursor.as_deref())?;
    let id: UserId = id.parse().map_err(|_not_an_id| missing::<User>())?;
    let mut conn = gateway.services.store.connection().await?;
    let found = users::find(&mut conn, id).await?;
    let student = readable(&mut conn, &caller, found).await?;
    let found = class_reports::timeline(&mut conn, student.id, before.at, before.id, PAGE).await?;
    let next_cursor =
        pages::next_cursor(&found, PAGE, |last| Moment { at: last.at, id: last.id }.cursor());
    // One that a later version wrote must not hide the others; that it cannot be read is logged.
    let items = found.into_iter().filter_map(|entry| TimelineEntry::try_from(entry).ok()).collect();
    let student_name = student.display_name;
    Ok(Json(TimelinePage { student_name, items, next_cursor }))
}

impl TryFrom<Happening> for TimelineEntry {
    type Error = Problem;

    fn try_from(Happening { id, at, what }: Happening) -> Result<Self, Problem> {
        Ok(match what {
            What::Question { question, agent } => {
                let question = stored::legible(question).map(|body| body.question.into());
                let agent = agent.map(stored::name).transpose()?;
                let id = QueryId::from_uuid(id);
                Self::Question { id, at, question: question.unwrap_or_default(), agent }
            }
            What::Run { verdict, error_type } => {
                let verdict = verdict.map(stored::name).transpose()?;
                Self::Run { id: ExecutionId::from_uuid(id), at, verdict, error_type }
            }
            What::Submission { exercise, title, topic, score, passed } => {
                let (id, exercise_id) =
                    (SubmissionId::from_uuid(id), ExerciseId::from_uuid(exercise));
                Self::Submission { id, at, exercise_id, title, topic, score, passed }
            }
            What::Alert { topic, trigger, status } => Self::Alert {
                id: AlertId::from_uuid(id),
                at,
                trigger: stored::name(trigger)?,
                topic,
                status: stored::name(status)?,
            },
        })
    }
}
