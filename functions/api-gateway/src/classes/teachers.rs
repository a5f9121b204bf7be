//! The teachers of a class: all have the same rights, and one always remains.

use axum::{extract::State, http::StatusCode};
use chrono::{DateTime, Utc};
use domain::{text::Email, user::Role};
use ids::UserId;
use runtime::web::{Caller, Json, Path, Problem, Teacher};
use serde::{Deserialize, Serialize};
use storage::{classes, users};
use utoipa::ToSchema;

use crate::{
    classes::lookup::{MAX_TEACHERS, commit, locked},
    gateway::Gateway,
    spec::NAME,
};

/// A teacher of a class.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClassTeacher {
    /// The account.
    pub id: UserId,
    /// Its address.
    pub email: String,
    /// Its name.
    pub display_name: String,
    /// Since when they teach the class.
    pub added_at: DateTime<Utc>,
}

impl From<classes::ClassTeacher> for ClassTeacher {
    fn from(teacher: classes::ClassTeacher) -> Self {
        let classes::ClassTeacher { id, email, display_name, added_at } = teacher;
        Self { id, email, display_name, added_at }
    }
}

/// Who is to teach a class, too.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewTeacher {
    /// The address of a teacher's account.
    email: Email,
}

/// Adds a teacher to a class, with the same rights as yours. Who teaches it already stays; returns all of them.
#[utoipa::path(post, path = "/classes/{id}/teachers", operation_id = "add_class_teacher", tag = "Classes", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The class")),
    request_body = NewTeacher,
    responses((status = 200, body = [ClassTeacher]), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn add(
    State(gateway): State<Gateway>,
    caller: Caller<Teacher>,
    Path(id): Path<String>,
    Json(request): Json<NewTeacher>,
) -> Result<Json<Vec<ClassTeacher>>, Problem> {
    let now = gateway.services.clock.now();
    let mut tx = gateway.services.store.begin(NAME).await?;
    let class = locked(tx.conn(), &caller, &id).await?;
    let account = users::find_by_email(tx.conn(), &request.email).await?;
    let account = account.filter(|account| account.role.includes(Role::Teacher));
    let account = account.ok_or_else(|| {
        Problem::field("email", "no teacher has this address; an administrator appoints teachers")
    })?;
    classes::add_teacher(tx.conn(), class.id, account.id, now).await?;
    let teachers = classes::teachers(tx.conn(), class.id, MAX_TEACHERS + 1).await?;
    if i64::try_from(teachers.len()).is_ok_and(|count| count > MAX_TEACHERS) {
        let detail = format!("a class has at most {MAX_TEACHERS} teachers");
        return Err(Problem::new(StatusCode::CONFLICT, "too_many_teachers", detail));
    }
    commit(&gateway, tx).await?;
    Ok(Json(teachers.into_iter().map(Into::into).collect()))
}

/// Removes a teacher from a class, also yourself, but never the last one. Removing who does not teach it does nothing.
#[utoipa::path(delete, path = "/classes/{id}/teachers/{teacher_id}", operation_id = "remove_class_teacher", tag = "Classes", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The class"), ("teacher_id" = Uuid, Path, description = "The teacher")),
    responses((status = 204, description = "They do not teach it any more"), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn remove(
    State(gateway): State<Gateway>,
    caller: Caller<Teacher>,
    Path((id, teacher)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let mut tx = gateway.services.store.begin(NAME).await?;
    let class = locked(tx.conn(), &caller, &id).await?;
    let teacher: UserId =
        teacher.parse().map_err(|_not_an_id| Problem::not_found("there is no such teacher"))?;
    classes::remove_teacher(tx.conn(), class.id, teacher).await?;
    if classes::teachers(tx.conn(), class.id, 1).await?.is_empty() {
        let detail = "a class has at least one teacher; add another one first, or archive it";
        return Err(Problem::new(StatusCode::CONFLICT, "last_teacher", detail));
    }
    commit(&gateway, tx).await?;
    Ok(StatusCode::NO_CONTENT)
}
