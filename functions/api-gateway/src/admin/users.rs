//! Accounts: found by the beginning of their address or name, given other rights, disabled and enabled.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::StatusCode,
};
use chrono::{DateTime, Utc};
use domain::{text::SearchText, user::Role};
use ids::{EventId, UserId};
use runtime::{
    Outgoing,
    web::{Admin, Caller, Json, Path, Problem},
};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use storage::administration::{self, Change, Search};
use utoipa::{IntoParams, ToSchema};

use crate::{
    gateway::Gateway,
    pages::{self, bad_cursor},
    spec::NAME,
    stored,
};

/// Accounts on a page.
const PAGE: i64 = 50;
/// Changes of an account that are shown.
const CHANGES_SHOWN: i64 = 50;
/// Bytes of a cursor: an address, or a name of 100 characters with an id.
const MAX_CURSOR_BYTES: usize = 500;
/// All roles.
const ROLES: [Role; 3] = [Role::Student, Role::Teacher, Role::Admin];

/// An account as administrators see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Account {
    /// Its id.
    pub id: UserId,
    /// The address to log in with.
    pub email: String,
    /// The name that others see.
    pub display_name: String,
    /// What its owner may do.
    pub role: Role,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Since when nobody can log in with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<DateTime<Utc>>,
}

impl From<administration::Account> for Account {
    fn from(account: administration::Account) -> Self {
        Self {
            id: account.id,
            email: account.email,
            display_name: account.display_name,
            role: account.role,
            created_at: account.created_at,
            disabled_at: account.disabled_at,
        }
    }
}

/// A page of accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountPage {
    /// At most 50.
    pub items: Vec<Account>,
    /// The `cursor` of the next page; none on the last page.
    pub next_cursor: Option<String>,
}

/// What was done to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountChangeKind {
    /// It became a student's.
    Student,
    /// It became a teacher's.
    Teacher,
    /// It became an administrator's.
    Admin,
    /// Nobody can log in with it any more.
    Disabled,
    /// Its owner can log in again.
    Enabled,
}

/// A change of an account, as recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecordedChange {
    /// What was done.
    pub change: AccountChangeKind,
    /// Who did it; none if it was a command, or their account is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<UserId>,
    /// When.
    pub changed_at: DateTime<Utc>,
}

/// An account with its latest changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountDetail {
    /// The account.
    pub account: Account,
    /// At most 50, newest first.
    pub changes: Vec<RecordedChange>,
}

/// Which accounts are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AccountFilter {
    /// The beginning of the address; the list is in the order of addresses then.
    email: Option<SearchText>,
    /// The beginning of the name; the list is in the order of names then. Not together with `email`.
    name: Option<SearchText>,
    /// Accounts with this role only.
    role: Option<Role>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Accounts, the newest first, or those whose address or name begins with a text.
#[utoipa::path(get, path = "/admin/users", operation_id = "list_users", tag = "Administration", security(("bearer" = [])),
    params(AccountFilter),
    responses((status = 200, body = AccountPage), (status = 403, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    _caller: Caller<Admin>,
    filter: Result<Query<AccountFilter>, QueryRejection>,
) -> Result<Json<AccountPage>, Problem> {
    let filter = pages::read(filter)?;
    let search = match (&filter.email, &filter.name) {
        (None, None) => Search::All,
        (Some(start), None) => Search::Email(start.as_str()),
        (None, Some(start)) => Search::Name(start.as_str()),
        (Some(_), Some(_)) => {
            return Err(Problem::field("name", "search by `email` or by `name`, not by both"));
        }
    };
    let cursor = filter.cursor.as_deref();
    if search == Search::All {
        pages::before_id(cursor)?;
    }
    if cursor.is_some_and(|key| key.len() > MAX_CURSOR_BYTES || key.contains('\0')) {
        return Err(bad_cursor());
    }
    let role = filter.role.map(|role| [role]);
    let roles = role.as_ref().map_or(&ROLES[..], |role| role);
    let mut conn = gateway.services.store.connection().await?;
    let found = administration::list(&mut conn, search, roles, cursor, PAGE).await?;
    let next_cursor = pages::next_cursor(&found, PAGE, |last| last.key.clone());
    Ok(Json(AccountPage { items: found.into_iter().map(Account::from).collect(), next_cursor }))
}

fn unknown() -> Problem {
    Problem::not_found("there is no account with this id")
}

async fn detail(conn: &mut PgConnection, id: UserId) -> Result<AccountDetail, Problem> {
    let account = administration::find(conn, id).await?.ok_or_else(unknown)?;
    let rows = administration::changes(conn, id, CHANGES_SHOWN).await?;
    let changes = rows.into_iter().map(|row| {
        Ok(RecordedChange {
            change: stored::name(row.change)?,
            changed_by: row.changed_by.map(UserId::from_uuid),
            changed_at: row.changed_at,
        })
    });
    Ok(AccountDetail { account: account.into(), changes: changes.collect::<Result<_, Problem>>()? })
}

/// An account, and who changed it.
#[utoipa::path(get, path = "/admin/users/{id}", operation_id = "get_user", tag = "Administration", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The account")),
    responses((status = 200, body = AccountDetail), (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn get(
    State(gateway): State<Gateway>,
    _caller: Caller<Admin>,
    Path(id): Path<String>,
) -> Result<Json<AccountDetail>, Problem> {
    let id = id.parse().map_err(|_not_an_id| unknown())?;
    let mut conn = gateway.services.store.connection().await?;
    Ok(Json(detail(&mut conn, id).await?))
}

/// What is changed; what is left out stays.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountChange {
    /// What the owner may do from now on. A token that was issued before keeps its role until it expires, within an
    /// hour. For people of an external identity provider that one decides.
    role: Option<Role>,
    /// Whether nobody can log in with it. Disabling ends all sessions: no token of the account works any more, within a
    /// minute, and its sockets end within minutes.
    disabled: Option<bool>,
}

/// What has to be done to an account so that it is as requested.
fn needed(account: &administration::Account, request: AccountChange) -> Vec<Change> {
    let role = request.role.filter(|role| *role != account.role).map(Change::Role);
    let is_disabled = account.disabled_at.is_some();
    let access = request.disabled.filter(|disabled| *disabled != is_disabled);
    let access = access.map(|disabled| if disabled { Change::Disabled } else { Change::Enabled });
    role.into_iter().chain(access).collect()
}

/// Whether an account is one of an administrator who can log in, and no more after these changes.
fn loses_admin(account: &administration::Account, changes: &[Change]) -> bool {
    let is_admin = account.role == Role::Admin && account.disabled_at.is_none();
    let takes_away = |change: &Change| match change {
        Change::Role(role) => *role != Role::Admin,
        Change::Disabled => true,
        Change::Enabled => false,
    };
    is_admin && changes.iter().any(takes_away)
}

/// Changes what the owner of an account may do, disables it, or enables it again. The last administrator who can log in
/// stays one.
#[utoipa::path(patch, path = "/admin/users/{id}", operation_id = "change_user", tag = "Administration", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The account")),
    request_body = AccountChange,
    responses((status = 200, body = AccountDetail), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 409, description = "It is the last administrator", body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn change(
    State(gateway): State<Gateway>,
    caller: Caller<Admin>,
    Path(id): Path<String>,
    Json(request): Json<AccountChange>,
) -> Result<Json<AccountDetail>, Problem> {
    let id: UserId = id.parse().map_err(|_not_an_id| unknown())?;
    let clock = &gateway.services.clock;
    let now = clock.now();
    let mut tx = gateway.services.store.begin(NAME).await?;
    administration::lock(tx.conn()).await?;
    let account = administration::find(tx.conn(), id).await?.ok_or_else(unknown)?;
    let changes = needed(&account, request);
    if loses_admin(&account, &changes) && !administration::is_another_admin(tx.conn(), id).await? {
        let detail = "this is the last administrator who can log in; appoint another one first";
        return Err(Problem::new(StatusCode::CONFLICT, "last_admin", detail));
    }
    for change in changes {
        let record = clock.new_id();
        administration::change(tx.conn(), id, change, record, Some(caller.id), now).await?;
    }
    let changed = detail(tx.conn(), id).await?;
    tx.commit(EventId::from_uuid(clock.new_id()), Outgoing::none(), now).await?;
    gateway.services.store.forget(id);
    Ok(Json(changed))
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use domain::user::Role;
    use ids::UserId;
    use storage::administration::{Account, Change};
    use uuid::Uuid;

    use super::{AccountChange, loses_admin, needed};

    fn account(role: Role, is_disabled: bool) -> Account {
        Account {
            id: UserId::from_uuid(Uuid::nil()),
            email: String::new(),
            display_name: String::new(),
            role,
            created_at: DateTime::UNIX_EPOCH,
            disabled_at: is_disabled.then_some(DateTime::UNIX_EPOCH),
            key: String::new(),
        }
    }

    #[test]
    fn only_what_is_different_is_changed() {
        let teacher = account(Role::Teacher, false);
        let change = |role, disabled| needed(&teacher, AccountChange { role, disabled });
        assert_eq!(change(None, None), []);
        assert_eq!(change(Some(Role::Teacher), Some(false)), []);
        assert_eq!(
            change(Some(Role::Admin), Some(true)),
            [Change::Role(Role::Admin), Change::Disabled]
        );
    }

    #[test]
    fn an_administrator_is_lost_by_demotion_and_by_disabling() {
        let (admin, disabled) = (account(Role::Admin, false), account(Role::Admin, true));
        assert!(loses_admin(&admin, &[Change::Role(Role::Student)]));
        assert!(loses_admin(&admin, &[Change::Disabled]));
        assert!(!loses_admin(&admin, &[]));
        assert!(!loses_admin(&disabled, &[Change::Role(Role::Student)]));
        assert!(!loses_admin(&account(Role::Teacher, false), &[Change::Disabled]));
    }
}
