//! Finding a class that the caller may manage, and ending what was done to it.

use axum::http::StatusCode;
use ids::{ClassId, EventId};
use runtime::{
    Outgoing, Transaction,
    web::{Person, Problem},
};
use sqlx::PgConnection;
use storage::{
    classes::{self, Class},
    users,
};

use crate::{gateway::Gateway, ownership};

/// Students of a class, those who are invited included: more than any course has, few enough for one heat map.
pub(crate) const MAX_STUDENTS: i64 = 500;
/// Teachers of a class.
pub(crate) const MAX_TEACHERS: i64 = 20;
/// Classes of a teacher that are not archived: their students' alerts are one list.
pub(crate) const MAX_CLASSES: i64 = 100;

/// A class that the caller may manage, archived or not.
///
/// # Errors
/// 404 if there is none with this id, or it is not the caller's.
pub(crate) async fn managed(
    conn: &mut PgConnection,
    caller: &Person,
    id: &str,
) -> Result<Class, Problem> {
    let id: ClassId = id.parse().map_err(|_not_an_id| ownership::no_class())?;
    ownership::manageable(caller, classes::find(conn, id, caller.id).await?)
}

/// A class that the caller may manage and that is not archived.
///
/// # Errors
/// 404 as for [`managed`]; 409 if it is archived.
pub(crate) async fn active(
    conn: &mut PgConnection,
    caller: &Person,
    id: &str,
) -> Result<Class, Problem> {
    let class = managed(conn, caller, id).await?;
    if class.archived_at.is_some() { Err(archived()) } else { Ok(class) }
}

/// The same, and nobody else changes who belongs to it before the transaction ends.
///
/// # Errors
/// As for [`active`].
pub(crate) async fn locked(
    conn: &mut PgConnection,
    caller: &Person,
    id: &str,
) -> Result<Class, Problem> {
    let class = active(conn, caller, id).await?;
    if classes::lock_active(conn, class.id).await? { Ok(class) } else { Err(archived()) }
}

/// 409: an archived class gives access to nothing.
fn archived() -> Problem {
    let detail = "the class is archived; restore it first";
    Problem::new(StatusCode::CONFLICT, "class_archived", detail)
}

/// Makes sure that the caller still has an account here to which classes can be tied.
///
/// # Errors
/// 401 if it was deleted since the token was issued.
pub(crate) async fn with_account(conn: &mut PgConnection, caller: &Person) -> Result<(), Problem> {
    let gone = || Problem::unauthorized("this account no longer exists; register again");
    users::find(conn, caller.id).await?.map(|_account| ()).ok_or_else(gone)
}

/// Commits what was done; nothing follows from it.
pub(crate) async fn commit(gateway: &Gateway, tx: Transaction<'_>) -> Result<(), Problem> {
    let clock = &gateway.services.clock;
    let cause = EventId::from_uuid(clock.new_id());
    Ok(tx.commit(cause, Outgoing::none(), clock.now()).await?)
}
