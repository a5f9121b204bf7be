//! Classes as students see them: join by a code, list one's own, leave. Students do not see each other.

use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use domain::{invite_code::InviteCode, user::Role};
use ids::ClassId;
use runtime::web::{Caller, ClientAddress, Json, Path, Problem, Student};
use serde::{Deserialize, Serialize};
use storage::{classes, enrollments};
use utoipa::ToSchema;

use crate::{
    classes::lookup::{MAX_STUDENTS, commit, with_account},
    gateway::Gateway,
    limits, ownership,
    spec::NAME,
};

/// Classes of a student that are listed: more than anyone attends at once.
const MAX_JOINED: i64 = 100;

/// A class as its students see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct JoinedClass {
    /// Its id.
    pub id: ClassId,
    /// What it is called.
    pub name: String,
    /// The names of those who teach it, and so see your work.
    pub teachers: Vec<String>,
    /// When you joined.
    pub joined_at: DateTime<Utc>,
}

impl From<enrollments::JoinedClass> for JoinedClass {
    fn from(class: enrollments::JoinedClass) -> Self {
        let enrollments::JoinedClass { id, name, teachers, joined_at } = class;
        Self { id, name, teachers, joined_at }
    }
}

/// An invite code.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct JoinRequest {
    /// As the teacher gave it.
    #[schema(example = "7K3M-Q9XA-VT2B")]
    code: String,
}

/// Joins the class that has this code; who is in it already stays. Its teachers may read your questions, programs and
/// results from then on.
#[utoipa::path(post, path = "/classes/join", operation_id = "join_class", tag = "Classes", security(("bearer" = [])),
    request_body = JoinRequest,
    responses((status = 200, body = JoinedClass), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn join(
    State(gateway): State<Gateway>,
    ClientAddress(address): ClientAddress,
    caller: Caller<Student>,
    Json(request): Json<JoinRequest>,
) -> Result<Json<JoinedClass>, Problem> {
    if caller.role != Role::Student {
        let detail = "only students join a class; its teachers can add you as a teacher";
        return Err(Problem::forbidden(detail));
    }
    limits::invite_code(&gateway, address, caller.id).await?;
    let unknown = || Problem::not_found("no class has this code; ask your teacher for a new one");
    let code = InviteCode::read(&request.code).ok_or_else(unknown)?;
    let now = gateway.services.clock.now();
    let mut tx = gateway.services.store.begin(NAME).await?;
    with_account(tx.conn(), &caller).await?;
    let class = classes::find_by_code(tx.conn(), code.as_str()).await?.ok_or_else(unknown)?;
    if !classes::lock_active(tx.conn(), class).await? {
        return Err(unknown());
    }
    if !enrollments::is_enrolled(tx.conn(), class, caller.id).await? {
        if enrollments::count(tx.conn(), class).await? >= MAX_STUDENTS {
            let detail = format!("the class is full: it has {MAX_STUDENTS} students");
            return Err(Problem::new(StatusCode::CONFLICT, "class_full", detail));
        }
        enrollments::enroll(tx.conn(), class, &[caller.id.as_uuid()], now).await?;
    }
    let joined = enrollments::classes_of_student(tx.conn(), caller.id, MAX_JOINED).await?;
    let joined = joined.into_iter().find(|joined| joined.id == class).ok_or_else(unknown)?;
    commit(&gateway, tx).await?;
    Ok(Json(joined.into()))
}

/// The classes that you attend, the latest first, at most 100.
#[utoipa::path(get, path = "/me/classes", operation_id = "list_joined_classes", tag = "Classes", security(("bearer" = [])),
    responses((status = 200, body = [JoinedClass]), (status = 401, body = Problem)))]
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
) -> Result<Json<Vec<JoinedClass>>, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    let found = enrollments::classes_of_student(&mut conn, caller.id, MAX_JOINED).await?;
    Ok(Json(found.into_iter().map(Into::into).collect()))
}

/// Leaves a class: its teachers have no access to your work any more. Leaving one that you do not attend does nothing.
#[utoipa::path(delete, path = "/me/classes/{id}", operation_id = "leave_class", tag = "Classes", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The class")),
    responses((status = 204, description = "You do not attend it any more"), (status = 404, body = Problem)))]
pub(crate) async fn leave(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let id: ClassId = id.parse().map_err(|_not_an_id| ownership::no_class())?;
    let mut tx = gateway.services.store.begin(NAME).await?;
    enrollments::remove(tx.conn(), id, caller.id.as_uuid()).await?;
    commit(&gateway, tx).await?;
    Ok(StatusCode::NO_CONTENT)
}
