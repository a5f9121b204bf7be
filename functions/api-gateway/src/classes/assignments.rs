//! Assignments: a class is to solve an exercise, or some exercises of a topic, perhaps by a date.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use domain::{assignment::AssignmentState, text::TopicName};
use ids::{AssignmentId, ClassId, ExerciseId, UserId};
use requests::{Creation, idempotency_key};
use runtime::web::{Caller, Json, Path, Problem, Student, Teacher};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use storage::{
    assignments::{self, Assignment, Subject},
    classes::Class,
    enrollments::{self, ClassStudent},
    exercises,
};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    classes::{
        lookup::{MAX_STUDENTS, active, commit, locked},
        work::Works,
    },
    gateway::Gateway,
    pages::{self, PageOf},
    spec::NAME,
};

/// Assignments on a page.
const PAGE: i64 = 50;
/// Assignments of a class: one for each day of a school year.
pub(crate) const MAX_ASSIGNMENTS: i64 = 200;
/// Classes of a student whose assignments are listed.
const MAX_CLASSES: i64 = 100;

/// What is assigned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClassAssignment {
    /// Its id.
    pub id: AssignmentId,
    /// The exercise; without one it is a topic.
    pub exercise_id: Option<ExerciseId>,
    /// The slug of the topic, or of the exercise's. A topic is solved with three of its exercises.
    pub topic: String,
    /// What the exercise or the topic is called.
    pub title: String,
    /// When it is due; a solution that was handed in later is late.
    pub due_at: Option<DateTime<Utc>>,
    /// When it was assigned.
    pub created_at: DateTime<Utc>,
}

/// An assignment, and how many students are how far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AssignmentSummary {
    /// The assignment.
    #[serde(flatten)]
    pub assignment: ClassAssignment,
    /// How many students are how far.
    pub states: StateCounts,
}

/// How many students are how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct StateCounts {
    /// Have handed in nothing, and have time.
    pub not_begun: usize,
    /// Have not solved it yet, and have time.
    pub tried: usize,
    /// Have solved it in time.
    pub solved: usize,
    /// Have not solved it in time.
    pub late: usize,
}

/// An assignment, with the state of each student.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AssignmentDetail {
    /// The assignment.
    #[serde(flatten)]
    pub assignment: ClassAssignment,
    /// The students in the order of their names; at most 500.
    pub students: Vec<StudentState>,
}

/// How far a student is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StudentState {
    /// The student.
    pub id: UserId,
    /// Their name.
    pub name: String,
    /// How far they are.
    pub state: AssignmentState,
    /// Solutions that they have handed in for it.
    pub handed_in: i64,
    /// When they handed in what solved it, also late.
    pub solved_at: Option<DateTime<Utc>>,
}

/// A page of a class's assignments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AssignmentPage {
    /// The latest first, at most 50.
    pub items: Vec<AssignmentSummary>,
    /// The `cursor` of the next page; none on the last page.
    pub next_cursor: Option<String>,
}

/// What you are to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnAssignment {
    /// The assignment.
    #[serde(flatten)]
    pub assignment: ClassAssignment,
    /// The class.
    pub class_id: ClassId,
    /// What the class is called.
    pub class_name: String,
    /// How far you are.
    pub state: AssignmentState,
    /// Solutions that you have handed in for it.
    pub handed_in: i64,
    /// When you handed in what solved it, also late.
    pub solved_at: Option<DateTime<Utc>>,
}

/// A page of your assignments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OwnAssignmentPage {
    /// The latest first, at most 50.
    pub items: Vec<OwnAssignment>,
    /// The `cursor` of the next page; none on the last page.
    pub next_cursor: Option<String>,
}

/// A new assignment: an exercise or a topic.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAssignment {
    /// An exercise's id.
    exercise_id: Option<ExerciseId>,
    /// A topic's slug; it is solved with three of its exercises.
    topic: Option<TopicName>,
    /// When it is due; to come.
    due_at: Option<DateTime<Utc>>,
}

/// Assigns an exercise or a topic to a class.
#[utoipa::path(post, path = "/classes/{id}/assignments", operation_id = "create_assignment", tag = "Classes", security(("bearer" = [])),
    params(
        ("id" = Uuid, Path, description = "The class"),
        ("Idempotency-Key" = Option<String>, Header, description = "A request that is sent again with the same key is carried out once")),
    request_body = NewAssignment,
    responses((status = 201, body = AssignmentDetail), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn create(
    State(gateway): State<Gateway>,
    caller: Caller<Teacher>,
    Path(class): Path<String>,
    headers: HeaderMap,
    Json(request): Json<NewAssignment>,
) -> Result<Response, Problem> {
    let key = idempotency_key(&headers)?;
    let clock = &gateway.services.clock;
    let (id, now) = (clock.new_id(), clock.now());
    let mut tx = gateway.services.store.begin(NAME).await?;
    let class = locked(tx.conn(), &caller, &class).await?;
    let creation =
        Creation { operation: "assignment", owner: caller.id, key: key.as_deref(), id, now };
    if let Some(first) = creation.earlier(tx.conn(), &(class.id, &request)).await? {
        let first = detail(tx.conn(), &class, AssignmentId::from_uuid(first), now).await?;
        return Ok((StatusCode::CREATED, Json(first)).into_response());
    }
    if request.due_at.is_some_and(|due| due <= now) {
        return Err(Problem::field("due_at", "a time that is to come"));
    }
    let subject = subject(tx.conn(), &request).await?;
    if assignments::count(tx.conn(), class.id).await? >= MAX_ASSIGNMENTS {
        let detail = format!("a class has at most {MAX_ASSIGNMENTS} assignments; delete one first");
        return Err(Problem::new(StatusCode::CONFLICT, "too_many_assignments", detail));
    }
    let id = AssignmentId::from_uuid(id);
    assignments::insert(tx.conn(), id, class.id, &subject, request.due_at, now).await?;
    let made = detail(tx.conn(), &class, id, now).await?;
    commit(&gateway, tx).await?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

async fn subject(conn: &mut PgConnection, request: &NewAssignment) -> Result<Subject, Problem> {
    match (request.exercise_id, &request.topic) {
        (Some(id), None) => {
            let found = exercises::find::<::exercises::Exercise>(conn, id).await?;
            let none = || Problem::field("exercise_id", "the id of an exercise");
            found.map(|found| Subject::Exercise(found.id)).ok_or_else(none)
        }
        (None, Some(topic)) => {
            let found = curriculum::embedded().topic(topic.as_str());
            let none =
                || Problem::field("topic", "the slug of a topic of the course, such as lists");
            found.map(|topic| Subject::Topic(topic.slug.clone())).ok_or_else(none)
        }
        (Some(_), Some(_)) | (None, None) => {
            Err(Problem::field("exercise_id", "either an exercise or a topic, in `topic`"))
        }
    }
}

/// The assignments of a class, the latest first.
#[utoipa::path(get, path = "/classes/{id}/assignments", operation_id = "list_assignments", tag = "Classes", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The class"), PageOf),
    responses((status = 200, body = AssignmentPage), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    caller: Caller<Teacher>,
    Path(class): Path<String>,
    page: Result<Query<PageOf>, QueryRejection>,
) -> Result<Json<AssignmentPage>, Problem> {
    let before = pages::before_id(pages::read(page)?.cursor.as_deref())?;
    let now = gateway.services.clock.now();
    let mut conn = gateway.services.store.connection().await?;
    let class = active(&mut conn, &caller, &class).await?;
    let found = assignments::of_classes(&mut conn, &[class.id.as_uuid()], before, PAGE).await?;
    let next_cursor = pages::next_cursor(&found, PAGE, |last| last.id.to_string());
    let students: Vec<Uuid> = enrollments::students(&mut conn, class.id, MAX_STUDENTS)
        .await?
        .into_iter()
        .map(|student| student.id.as_uuid())
        .collect();
    let works = Works::load(&mut conn, &students, &found).await?;
    let summary = |assignment: Assignment| {
        let mut states = StateCounts::default();
        for student in &students {
            states.count(works.state(*student, &assignment, now));
        }
        AssignmentSummary { assignment: assignment.into(), states }
    };
    Ok(Json(AssignmentPage { items: found.into_iter().map(summary).collect(), next_cursor }))
}

impl StateCounts {
    fn count(&mut self, state: AssignmentState) {
        let count = match state {
            AssignmentState::NotBegun => &mut self.not_begun,
            AssignmentState::Tried => &mut self.tried,
            AssignmentState::Solved => &mut self.solved,
            AssignmentState::Late => &mut self.late,
        };
        *count += 1;
    }
}

/// An assignment of a class, with the state of each student.
#[utoipa::path(get, path = "/classes/{id}/assignments/{assignment_id}", operation_id = "get_assignment", tag = "Classes", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The class"), ("assignment_id" = Uuid, Path, description = "The assignment")),
    responses((status = 200, body = AssignmentDetail), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem)))]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    caller: Caller<Teacher>,
    Path((class, id)): Path<(String, String)>,
) -> Result<Json<AssignmentDetail>, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    let class = active(&mut conn, &caller, &class).await?;
    let id = id.parse().map_err(|_not_an_id| no_assignment())?;
    Ok(Json(detail(&mut conn, &class, id, gateway.services.clock.now()).await?))
}

fn no_assignment() -> Problem {
    Problem::not_found("the class has no such assignment")
}

async fn detail(
    conn: &mut PgConnection,
    class: &Class,
    id: AssignmentId,
    now: DateTime<Utc>,
) -> Result<AssignmentDetail, Problem> {
    let found = assignments::find(conn, class.id, id).await?.ok_or_else(no_assignment)?;
    let students = enrollments::students(conn, class.id, MAX_STUDENTS).await?;
    let ids: Vec<Uuid> = students.iter().map(|student| student.id.as_uuid()).collect();
    let works = Works::load(conn, &ids, std::slice::from_ref(&found)).await?;
    let state = |ClassStudent { id, name, .. }: ClassStudent| {
        let work = works.of(id.as_uuid(), &found);
        let state = work.state(found.due_at, now);
        StudentState { id, name, state, handed_in: work.handed_in, solved_at: work.solved_at }
    };
    let students = students.into_iter().map(state).collect();
    Ok(AssignmentDetail { assignment: found.into(), students })
}

/// Deletes an assignment; what students have handed in stays. Deleting one that is gone does nothing.
#[utoipa::path(delete, path = "/classes/{id}/assignments/{assignment_id}", operation_id = "delete_assignment", tag = "Classes", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The class"), ("assignment_id" = Uuid, Path, description = "The assignment")),
    responses((status = 204, description = "It is gone"), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem)))]
pub(crate) async fn delete(
    State(gateway): State<Gateway>,
    caller: Caller<Teacher>,
    Path((class, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let mut tx = gateway.services.store.begin(NAME).await?;
    let class = active(tx.conn(), &caller, &class).await?;
    let id = id.parse().map_err(|_not_an_id| no_assignment())?;
    assignments::delete(tx.conn(), class.id, id).await?;
    commit(&gateway, tx).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What you are to do for your classes, the latest first.
#[utoipa::path(get, path = "/assignments", operation_id = "list_own_assignments", tag = "Classes", security(("bearer" = [])), params(PageOf),
    responses((status = 200, body = OwnAssignmentPage), (status = 401, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn own(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    page: Result<Query<PageOf>, QueryRejection>,
) -> Result<Json<OwnAssignmentPage>, Problem> {
    let before = pages::before_id(pages::read(page)?.cursor.as_deref())?;
    let now = gateway.services.clock.now();
    let mut conn = gateway.services.store.connection().await?;
    let joined = assignments::classes_of_student(&mut conn, caller.id, MAX_CLASSES).await?;
    let found = assignments::of_classes(&mut conn, &joined, before, PAGE).await?;
    let next_cursor = pages::next_cursor(&found, PAGE, |last| last.id.to_string());
    let student = caller.id.as_uuid();
    let works = Works::load(&mut conn, &[student], &found).await?;
    let item = |assignment: Assignment| {
        let work = works.of(student, &assignment);
        OwnAssignment {
            class_id: assignment.class_id,
            class_name: assignment.class_name.clone(),
            state: work.state(assignment.due_at, now),
            handed_in: work.handed_in,
            solved_at: work.solved_at,
            assignment: assignment.into(),
        }
    };
    Ok(Json(OwnAssignmentPage { items: found.into_iter().map(item).collect(), next_cursor }))
}

impl From<Assignment> for ClassAssignment {
    fn from(assignment: Assignment) -> Self {
        let Assignment { id, exercise_id, topic, title, due_at, created_at, .. } = assignment;
        Self { id, exercise_id, topic, title, due_at, created_at }
    }
}
