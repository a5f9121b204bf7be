//! A class's roster: list it, import it from a CSV file, export it, and take somebody off it.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, SecondsFormat, Utc};
use domain::{level::Level, user::Role};
use ids::ClassId;
use runtime::web::{Caller, FieldError, Json, Path, Problem, Teacher, read_body};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use storage::enrollments::{self, KnownAddress, NewInvitation, RosterEntry};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    classes::{
        lookup::{MAX_STUDENTS, active, commit, locked},
        roster_csv::{self, CsvMistake, Parsed},
        scores::{Scores, csv_file},
    },
    gateway::Gateway,
    pages::{self, PageOf},
    spec::NAME,
};

/// Students on a page.
const PAGE: i64 = 100;

/// Whether somebody on a roster is in the class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RosterState {
    /// A student of the class.
    Enrolled,
    /// There is no account with this address yet.
    Invited,
}

/// Somebody on a class's roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RosterStudent {
    /// The student's id, or the invitation's.
    pub id: Uuid,
    /// The address.
    pub email: String,
    /// The name.
    pub name: String,
    /// Whether they are in the class.
    pub state: RosterState,
    /// When they joined.
    pub joined_at: Option<DateTime<Utc>>,
    /// The mean of the mastery scores of the topics that have one, 0 to 100.
    pub mastery: Option<u8>,
    /// The band of that score.
    pub level: Option<Level>,
    /// Alerts about them that are not resolved.
    pub open_alerts: i64,
}

/// A page of a class's roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RosterPage {
    /// In the order of addresses, at most 100.
    pub items: Vec<RosterStudent>,
    /// The `cursor` of the next page; none on the last page.
    pub next_cursor: Option<String>,
}

/// What a row of a file would do, or has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowOutcome {
    /// There is an account with this address: it is put into the class.
    Added,
    /// It is in the class already.
    AlreadyThere,
    /// There is no account with this address yet: it is put into the class when somebody registers with it.
    Invited,
    /// It was invited already.
    AlreadyInvited,
}

/// A row of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RosterRow {
    /// The line of the file, from 1.
    pub line: u64,
    /// The address.
    pub email: String,
    /// The name in the file; an account keeps its own.
    pub name: String,
    /// What becomes of it.
    pub outcome: RowOutcome,
}

/// A file, row by row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RosterImport {
    /// The rows without mistakes.
    pub rows: Vec<RosterRow>,
    /// Everything that is wrong. With any of these nothing of the file is imported.
    pub mistakes: Vec<CsvMistake>,
}

/// A class's roster with everybody's mastery and open alerts, in the order of addresses.
#[utoipa::path(get, path = "/classes/{id}/roster", operation_id = "get_roster", tag = "Classes", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The class"), PageOf),
    responses((status = 200, body = RosterPage), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    caller: Caller<Teacher>,
    Path(id): Path<String>,
    page: Result<Query<PageOf>, QueryRejection>,
) -> Result<Json<RosterPage>, Problem> {
    let after = match pages::read(page)?.cursor {
        None => String::new(),
        Some(cursor) => read_cursor(&cursor).ok_or_else(pages::bad_cursor)?,
    };
    let mut conn = gateway.services.store.connection().await?;
    let class = active(&mut conn, &caller, &id).await?;
    let items = students(&mut conn, class.id, &after, PAGE).await?;
    let next_cursor =
        pages::next_cursor(&items, PAGE, |last| URL_SAFE_NO_PAD.encode(last.email.as_bytes()));
    Ok(Json(RosterPage { items, next_cursor }))
}

fn read_cursor(cursor: &str) -> Option<String> {
    let email = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    // No text of the database holds NUL.
    (!email.contains('\0')).then_some(email)
}

async fn students(
    conn: &mut PgConnection,
    class: ClassId,
    after: &str,
    limit: i64,
) -> Result<Vec<RosterStudent>, Problem> {
    let entries = enrollments::roster(conn, class, after, limit).await?;
    let ids: Vec<Uuid> = entries.iter().map(|entry| entry.id).collect();
    let scores = Scores::load(conn, &ids).await?;
    let shown = |entry: RosterEntry| {
        let mastery = scores.overall(entry.id);
        RosterStudent {
            id: entry.id,
            email: entry.email,
            name: entry.name,
            state: match entry.joined_at {
                Some(_) => RosterState::Enrolled,
                None => RosterState::Invited,
            },
            joined_at: entry.joined_at,
            mastery,
            level: mastery.map(Level::of_score),
            open_alerts: entry.open_alerts,
        }
    };
    Ok(entries.into_iter().map(shown).collect())
}

/// A class's roster as a CSV file, which can be imported again.
#[utoipa::path(get, path = "/classes/{id}/roster.csv", operation_id = "export_roster", tag = "Classes", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The class")),
    responses((status = 200, body = String, content_type = "text/csv"), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn export(
    State(gateway): State<Gateway>,
    caller: Caller<Teacher>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    let class = active(&mut conn, &caller, &id).await?;
    let students = students(&mut conn, class.id, "", MAX_STUDENTS).await?;
    let headings = ["email", "name", "state", "joined_at", "mastery", "open_alerts"];
    let rows = students.into_iter().map(|student| {
        let state = match student.state {
            RosterState::Enrolled => "enrolled",
            RosterState::Invited => "invited",
        };
        let joined = student.joined_at.map(|at| at.to_rfc3339_opts(SecondsFormat::Secs, true));
        [
            student.email,
            student.name,
            state.to_owned(),
            joined.unwrap_or_default(),
            student.mastery.map(|score| score.to_string()).unwrap_or_default(),
            student.open_alerts.to_string(),
        ]
    });
    csv_file("roster.csv", [headings.map(str::to_owned)].into_iter().chain(rows))
}

/// Says row by row what the import of a CSV file would do, and everything that is wrong with it; nothing is changed.
#[utoipa::path(post, path = "/classes/{id}/roster/preview", operation_id = "preview_roster", tag = "Classes", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The class")),
    request_body(content = String, content_type = "text/csv", description = "UTF-8, with the columns email and name"),
    responses((status = 200, body = RosterImport), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem)))]
pub(crate) async fn preview(
    State(gateway): State<Gateway>,
    caller: Caller<Teacher>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<RosterImport>, Problem> {
    let parsed = read_csv(&headers, body).await?;
    let mut conn = gateway.services.store.connection().await?;
    let class = active(&mut conn, &caller, &id).await?;
    Ok(Json(planned(&mut conn, class.id, parsed).await?.import))
}

/// Imports a CSV file into a class's roster. Accounts with these addresses are put into it, the other addresses are
/// invited. A file with any mistake is refused whole. Importing it again changes nothing.
#[utoipa::path(post, path = "/classes/{id}/roster", operation_id = "import_roster", tag = "Classes", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The class")),
    request_body(content = String, content_type = "text/csv", description = "UTF-8, with the columns email and name"),
    responses((status = 200, body = RosterImport), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem), (status = 413, body = Problem), (status = 415, body = Problem),
              (status = 422, body = Problem)))]
pub(crate) async fn import(
    State(gateway): State<Gateway>,
    caller: Caller<Teacher>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<RosterImport>, Problem> {
    let parsed = read_csv(&headers, body).await?;
    let clock = &gateway.services.clock;
    let now = clock.now();
    let mut tx = gateway.services.store.begin(NAME).await?;
    let class = locked(tx.conn(), &caller, &id).await?;
    let plan = planned(tx.conn(), class.id, parsed).await?;
    if !plan.import.mistakes.is_empty() {
        return Err(refused(plan.import.mistakes));
    }
    let invited: Vec<NewInvitation> = plan
        .invited
        .into_iter()
        .map(|(email, name)| NewInvitation { id: clock.new_id(), email, name })
        .collect();
    let (accounts, emails): (Vec<Uuid>, Vec<String>) = plan.added.into_iter().unzip();
    enrollments::enroll(tx.conn(), class.id, &accounts, now).await?;
    enrollments::uninvite(tx.conn(), class.id, &emails).await?;
    enrollments::invite(tx.conn(), class.id, &invited, now).await?;
    commit(&gateway, tx).await?;
    Ok(Json(plan.import))
}

async fn read_csv(headers: &HeaderMap, body: Body) -> Result<Parsed, Problem> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("text/csv") {
        let detail = "send the header Content-Type: text/csv";
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        return Err(Problem::new(status, "unsupported_media_type", detail));
    }
    Ok(roster_csv::read(&read_body(body, roster_csv::MAX_BYTES).await?))
}

/// 422: all mistakes of the file, each with its place.
fn refused(mistakes: Vec<CsvMistake>) -> Problem {
    let place = |mistake: &CsvMistake| match mistake.column.as_str() {
        "" => format!("line {}", mistake.line),
        column => format!("line {}, {column}", mistake.line),
    };
    let errors: Vec<FieldError> = mistakes
        .iter()
        .map(|mistake| FieldError { field: place(mistake), detail: mistake.detail.clone() })
        .collect();
    let detail = format!("nothing was imported, since the file has {} mistake(s)", errors.len());
    Problem::fields(detail, errors)
}

/// What an import would do.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    import: RosterImport,
    /// Accounts to be put into the class, with their addresses.
    added: Vec<(Uuid, String)>,
    /// Addresses to be invited, with the names.
    invited: Vec<(String, String)>,
}

async fn planned(conn: &mut PgConnection, class: ClassId, parsed: Parsed) -> Result<Plan, Problem> {
    let emails: Vec<String> =
        parsed.students.iter().map(|listed| listed.email.as_str().to_owned()).collect();
    let known = enrollments::known_addresses(conn, class, &emails).await?;
    let count = enrollments::count(conn, class).await?;
    Ok(plan(parsed, known, count))
}

/// Decides what becomes of each row; `count` students are on the roster.
fn plan(parsed: Parsed, known: Vec<KnownAddress>, count: i64) -> Plan {
    let known: BTreeMap<String, KnownAddress> =
        known.into_iter().map(|address| (address.email.clone(), address)).collect();
    let Parsed { students, mut mistakes } = parsed;
    let (mut rows, mut added, mut invited) = (Vec::new(), Vec::new(), Vec::new());
    let mut count = count;
    let before = count;
    for listed in students {
        let (line, email, name) =
            (listed.line, String::from(listed.email), String::from(listed.name));
        let address = known.get(&email);
        let is_invited = address.is_some_and(|address| address.is_invited);
        let outcome = match address.and_then(|address| address.account.as_ref()) {
            Some((_, role)) if role != Role::Student.as_str() => {
                let detail = "this is the account of a teacher, who can be added as a teacher";
                mistakes.push(CsvMistake::of(line, "email", &email, detail));
                continue;
            }
            Some(_) if address.is_some_and(|address| address.is_enrolled) => {
                RowOutcome::AlreadyThere
            }
            Some((account, _)) => {
                added.push((account.as_uuid(), email.clone()));
                count += i64::from(!is_invited);
                RowOutcome::Added
            }
            None if is_invited => RowOutcome::AlreadyInvited,
            None => {
                invited.push((email.clone(), name.clone()));
                count += 1;
                RowOutcome::Invited
            }
        };
        rows.push(RosterRow { line, email, name, outcome });
    }
    if count > MAX_STUDENTS {
        let detail = format!(
            "a class has at most {MAX_STUDENTS} students; there are {before}, and would be {count}"
        );
        mistakes.push(CsvMistake::of(1, "", "", detail));
    }
    mistakes.sort_by_key(|mistake| mistake.line);
    Plan { import: RosterImport { rows, mistakes }, added, invited }
}

/// Takes a student off a class's roster, or withdraws an invitation. Removing who is not on it does nothing.
#[utoipa::path(delete, path = "/classes/{id}/roster/{entry_id}", operation_id = "remove_from_roster", tag = "Classes", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The class"), ("entry_id" = Uuid, Path, description = "The id in the roster")),
    responses((status = 204, description = "They are not on it any more"), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn remove(
    State(gateway): State<Gateway>,
    caller: Caller<Teacher>,
    Path((id, entry)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let mut tx = gateway.services.store.begin(NAME).await?;
    let class = locked(tx.conn(), &caller, &id).await?;
    let entry: Uuid = entry
        .parse()
        .map_err(|_not_an_id| Problem::not_found("nobody on the roster has this id"))?;
    enrollments::remove(tx.conn(), class.id, entry).await?;
    commit(&gateway, tx).await?;
    Ok(StatusCode::NO_CONTENT)
}
