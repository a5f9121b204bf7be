//! Classes: create, list, show, rename, archive, and renew the invite code.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use chrono::{DateTime, Utc};
use domain::{invite_code::InviteCode, text::ClassTitle};
use ids::ClassId;
use requests::{Creation, idempotency_key};
use runtime::web::{Caller, Json, Path, Person, Problem, Teacher};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use storage::classes::{self, Class};
use utoipa::ToSchema;

use crate::{
    classes::{
        lookup::{MAX_CLASSES, MAX_TEACHERS, commit, locked, managed, with_account},
        teachers::ClassTeacher,
    },
    gateway::Gateway,
    pages::{self, PageOf},
    spec::NAME,
};

/// Classes on a page.
const PAGE: i64 = 50;

/// A class as its teachers see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClassSummary {
    /// Its id.
    pub id: ClassId,
    /// What it is called.
    pub name: String,
    /// What students send to `POST /classes/join`; without hyphens and in lower case it is the same.
    pub invite_code: String,
    /// How many students it has.
    pub students: i64,
    /// How many were put on the roster and have not registered yet.
    pub invited: i64,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was archived: since then it gives access to nothing.
    pub archived_at: Option<DateTime<Utc>>,
}

/// A class with its teachers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClassDetail {
    /// The class.
    #[serde(flatten)]
    pub class: ClassSummary,
    /// Its teachers, at most 20.
    pub teachers: Vec<ClassTeacher>,
}

/// A page of classes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClassPage {
    /// At most 50.
    pub items: Vec<ClassSummary>,
    /// The `cursor` of the next page; none on the last page.
    pub next_cursor: Option<String>,
}

/// A new class.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewClass {
    /// What it is called.
    #[schema(example = "Python 1, autumn")]
    name: ClassTitle,
}

/// Makes a class, of which you are the teacher.
#[utoipa::path(post, path = "/classes", operation_id = "create_class", tag = "Classes", security(("bearer" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "A request that is sent again with the same key is carried out once")),
    request_body = NewClass,
    responses((status = 201, body = ClassDetail), (status = 403, body = Problem), (status = 409, body = Problem),
              (status = 422, body = Problem)))]
pub(crate) async fn create(
    State(gateway): State<Gateway>,
    caller: Caller<Teacher>,
    headers: HeaderMap,
    Json(request): Json<NewClass>,
) -> Result<Response, Problem> {
    let key = idempotency_key(&headers)?;
    let clock = &gateway.services.clock;
    let (id, now) = (clock.new_id(), clock.now());
    let code = new_code(&gateway)?;
    let mut tx = gateway.services.store.begin(NAME).await?;
    let creation = Creation { operation: "class", owner: caller.id, key: key.as_deref(), id, now };
    if let Some(first) = creation.earlier(tx.conn(), &request).await? {
        let class = managed(tx.conn(), &caller, &first.to_string()).await?;
        return Ok((StatusCode::CREATED, Json(detail(tx.conn(), class).await?)).into_response());
    }
    with_account(tx.conn(), &caller).await?;
    room_for_one_more(tx.conn(), &caller).await?;
    let id = ClassId::from_uuid(id);
    classes::insert(tx.conn(), id, caller.id, request.name.as_str(), code.as_str(), now).await?;
    let class = managed(tx.conn(), &caller, &id.to_string()).await?;
    let made = detail(tx.conn(), class).await?;
    commit(&gateway, tx).await?;
    Ok((StatusCode::CREATED, Json(made)).into_response())
}

fn new_code(gateway: &Gateway) -> Result<InviteCode, Problem> {
    let random = gateway.services.clock.new_secret();
    let random = random.map_err(|error| Problem::internal(&error))?;
    Ok(InviteCode::from_random(&random))
}

async fn room_for_one_more(conn: &mut PgConnection, teacher: &Person) -> Result<(), Problem> {
    if classes::count_active(conn, teacher.id).await? < MAX_CLASSES {
        return Ok(());
    }
    let detail = format!("you teach {MAX_CLASSES} classes; archive one first");
    Err(Problem::new(StatusCode::CONFLICT, "too_many_classes", detail))
}

async fn detail(conn: &mut PgConnection, class: Class) -> Result<ClassDetail, Problem> {
    let teachers = classes::teachers(conn, class.id, MAX_TEACHERS).await?;
    let teachers = teachers.into_iter().map(ClassTeacher::from).collect();
    Ok(ClassDetail { class: class.into(), teachers })
}

/// The classes that you teach, newest first, archived ones included.
#[utoipa::path(get, path = "/classes", operation_id = "list_classes", tag = "Classes", security(("bearer" = [])), params(PageOf),
    responses((status = 200, body = ClassPage), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    caller: Caller<Teacher>,
    page: Result<Query<PageOf>, QueryRejection>,
) -> Result<Json<ClassPage>, Problem> {
    let before = pages::before_id(pages::read(page)?.cursor.as_deref())?;
    let mut conn = gateway.services.store.connection().await?;
    let found = classes::of_teacher(&mut conn, caller.id, before, PAGE).await?;
    let next_cursor = pages::next_cursor(&found, PAGE, |last| last.id.to_string());
    Ok(Json(ClassPage { items: found.into_iter().map(Into::into).collect(), next_cursor }))
}

/// A class that you teach.
#[utoipa::path(get, path = "/classes/{id}", operation_id = "get_class", tag = "Classes", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The class")),
    responses((status = 200, body = ClassDetail), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    caller: Caller<Teacher>,
    Path(id): Path<String>,
) -> Result<Json<ClassDetail>, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    let class = managed(&mut conn, &caller, &id).await?;
    Ok(Json(detail(&mut conn, class).await?))
}

/// What is changed; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClassChange {
    /// What it is called from now on.
    name: Option<ClassTitle>,
    /// Whether it is archived: then nobody can join it, and it gives no access to its students' work.
    archived: Option<bool>,
}

/// Renames a class, archives it, or makes it active again.
#[utoipa::path(patch, path = "/classes/{id}", operation_id = "change_class", tag = "Classes", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The class")),
    request_body = ClassChange,
    responses((status = 200, body = ClassDetail), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn change(
    State(gateway): State<Gateway>,
    caller: Caller<Teacher>,
    Path(id): Path<String>,
    Json(request): Json<ClassChange>,
) -> Result<Json<ClassDetail>, Problem> {
    let now = gateway.services.clock.now();
    let mut tx = gateway.services.store.begin(NAME).await?;
    let class = managed(tx.conn(), &caller, &id).await?;
    if let Some(name) = request.name {
        classes::rename(tx.conn(), class.id, name.as_str()).await?;
    }
    match request.archived {
        Some(true) => classes::archive(tx.conn(), class.id, now).await?,
        Some(false) if class.archived_at.is_some() => {
            room_for_one_more(tx.conn(), &caller).await?;
            classes::restore(tx.conn(), class.id).await?;
        }
        Some(false) | None => {}
    }
    let class = managed(tx.conn(), &caller, &id).await?;
    let changed = detail(tx.conn(), class).await?;
    commit(&gateway, tx).await?;
    Ok(Json(changed))
}

/// Gives a class a new invite code. The one before admits nobody any more; who has joined stays.
#[utoipa::path(post, path = "/classes/{id}/invite-code", operation_id = "renew_invite_code", tag = "Classes", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The class")),
    responses((status = 200, body = ClassDetail), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem)))]
pub(crate) async fn renew_code(
    State(gateway): State<Gateway>,
    caller: Caller<Teacher>,
    Path(id): Path<String>,
) -> Result<Json<ClassDetail>, Problem> {
    let code = new_code(&gateway)?;
    let mut tx = gateway.services.store.begin(NAME).await?;
    let class = locked(tx.conn(), &caller, &id).await?;
    classes::renew_code(tx.conn(), class.id, code.as_str()).await?;
    let class = Class { invite_code: code.to_string(), ..class };
    let renewed = detail(tx.conn(), class).await?;
    commit(&gateway, tx).await?;
    Ok(Json(renewed))
}

impl From<Class> for ClassSummary {
    fn from(class: Class) -> Self {
        Self {
            id: class.id,
            name: class.name,
            invite_code: class.invite_code,
            students: class.students,
            invited: class.invited,
            created_at: class.created_at,
            archived_at: class.archived_at,
        }
    }
}
