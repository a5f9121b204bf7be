//! Reports on bad answers: students make them, their teachers read them.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
};
use chrono::{DateTime, Utc};
use domain::{
    agent::{AnsweredBy, Author},
    answer_report::ReportReason,
    text::Comment,
    user::Role,
};
use ids::{EventId, QueryId, UserId};
use runtime::{
    Outgoing,
    web::{Caller, Json, Path, Problem, Student, Teacher},
};
use serde::{Deserialize, Serialize};
use storage::{
    answer_reports::{self, ListedReport},
    queries,
};
use utoipa::ToSchema;

use crate::{
    gateway::Gateway,
    ownership::{changeable, missing},
    pages::{self, Moment, PageOf},
    spec::NAME,
    stored,
};

/// What is wrong with an answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReportRequest {
    /// Why it is bad.
    reason: ReportReason,
    /// In your words.
    comment: Option<Comment>,
}

/// Reports that an answer is bad; your teachers see the report with the question and the answer. A later report on the
/// same answer replaces an earlier one.
#[utoipa::path(post, path = "/queries/{id}/report", operation_id = "report_answer", tag = "Tutor", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The id that `POST /query` returned")), request_body = ReportRequest,
    responses((status = 204, description = "Recorded"), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 409, description = "There is no answer yet", body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn report(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Path(id): Path<String>,
    Json(request): Json<ReportRequest>,
) -> Result<StatusCode, Problem> {
    let id: QueryId = id.parse().map_err(|_not_an_id| missing::<queries::Query>())?;
    let services = &gateway.services;
    let now = services.clock.now();
    let mut tx = services.store.begin(NAME).await?;
    let found = queries::find(tx.conn(), id).await?;
    changeable(tx.conn(), &caller, found).await?;
    let ReportRequest { reason, comment } = request;
    if !answer_reports::upsert(tx.conn(), id, reason, comment.as_ref(), now).await? {
        let detail = "this question has no answer yet that could be reported";
        return Err(Problem::new(StatusCode::CONFLICT, "not_answered", detail));
    }
    tx.commit(EventId::from_uuid(services.clock.new_id()), Outgoing::none(), now).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportingStudent {
    /// The account's id.
    pub id: UserId,
    /// The name that others see.
    pub display_name: String,
}

/// A report with what it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AnswerReport {
    /// The question.
    pub query_id: QueryId,
    /// Who reports.
    pub student: ReportingStudent,
    /// Why the answer is bad.
    pub reason: ReportReason,
    /// In the student's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// When it was made, or changed.
    pub reported_at: DateTime<Utc>,
    /// The question.
    pub question: String,
    /// The agent that answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<Author>,
    /// What the answer was made with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered_by: Option<AnsweredBy>,
    /// The answer's text, Markdown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<String>,
}

impl TryFrom<ListedReport> for AnswerReport {
    type Error = Problem;

    fn try_from(report: ListedReport) -> Result<Self, Problem> {
        let question = stored::legible(report.question);
        Ok(Self {
            query_id: QueryId::from_uuid(report.query_id),
            student: ReportingStudent {
                id: UserId::from_uuid(report.student_id),
                display_name: report.student_name,
            },
            reason: stored::name(report.reason)?,
            comment: report.comment,
            reported_at: report.reported_at,
            question: question.map(|body| body.question.as_str().to_owned()).unwrap_or_default(),
            agent: report.agent.map(stored::name).transpose()?,
            answered_by: report.answered_by.map(stored::name).transpose()?,
            content: report.answer.and_then(stored::legible).map(|body| body.answer.content),
        })
    }
}

/// A page of reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReportPage {
    /// At most 20.
    pub items: Vec<AnswerReport>,
    /// The `cursor` of the next page; none on the last page.
    pub next_cursor: Option<String>,
}

/// Reports on a page.
const PAGE: i64 = 20;

/// What students report, newest first: to teachers those of their own classes, to administrators all.
#[utoipa::path(get, path = "/reports", operation_id = "list_reports", tag = "Teachers", security(("bearer" = [])), params(PageOf),
    responses((status = 200, body = ReportPage), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 422, body = Problem)))]
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    caller: Caller<Teacher>,
    page: Result<Query<PageOf>, QueryRejection>,
) -> Result<Json<ReportPage>, Problem> {
    let Moment { at, id } = Moment::before(pages::read(page)?.cursor.as_deref())?;
    let mut conn = gateway.services.store.connection().await?;
    let found = match caller.role {
        Role::Admin => answer_reports::of_all(&mut conn, (at, id), PAGE).await?,
        Role::Teacher | Role::Student => {
            answer_reports::of_teacher(&mut conn, caller.id, (at, id), PAGE).await?
        }
    };
    let next_cursor = pages::next_cursor(&found, PAGE, |last| {
        Moment { at: last.reported_at, id: last.query_id }.cursor()
    });
    let items: Result<_, Problem> = found.into_iter().map(AnswerReport::try_from).collect();
    Ok(Json(ReportPage { items: items?, next_cursor }))
}
