//! The errors that several students of a class had, with programs of theirs, to be shown to the class: without names
//! and ids.

use std::collections::BTreeSet;

use axum::extract::State;
use chrono::TimeDelta;
use domain::execution::Program;
use runtime::web::{Caller, Json, Path, Problem, Teacher};
use serde::{Deserialize, Serialize};
use storage::class_reports::{self, CommonError, ErrorExample, ErrorScope};
use tutor::privacy;
use utoipa::ToSchema;

use crate::{classes::lookup::active, gateway::Gateway};

/// How far back runs count: what a class does at present.
const PERIOD: TimeDelta = TimeDelta::days(30);
/// A student's latest failed runs that count: who tries very often is still one student.
const RUNS: i64 = 100;
/// What one student alone had is not common, and would point at them.
const STUDENTS: i64 = 2;
/// Errors that are listed.
const ERRORS: i64 = 10;
/// Programs for each.
const EXAMPLES: usize = 3;
/// Students of each whose latest program is looked at: many run the same one, such as what an exercise begins with.
const CANDIDATES: i64 = 12;
/// Bytes of a run that is shown: a page of code with its result. Longer ones are no examples.
const EXAMPLE_BYTES: i32 = 16 * 1024;

/// An error that several students of a class had in the last 30 days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClassError {
    /// The class of the exception, such as `IndexError`.
    pub error_type: String,
    /// How many students had it, at least 2.
    pub students: i64,
    /// How often.
    pub runs: i64,
    /// Different programs that had it, each by another student: at most 3.
    pub examples: Vec<ClassErrorExample>,
}

/// A program that had an error. What identifies its author is removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClassErrorExample {
    /// The program.
    pub code: String,
    /// What the exception said.
    pub message: String,
    /// Where it was raised.
    pub line: Option<u32>,
}

/// The most common errors of a class's students in the last 30 days, with programs that had them; at most 10. They show
/// nobody's name or id.
#[utoipa::path(get, path = "/classes/{id}/errors", operation_id = "get_class_errors", tag = "Classes", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The class")),
    responses((status = 200, body = [ClassError]), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem)))]
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    caller: Caller<Teacher>,
    Path(id): Path<String>,
) -> Result<Json<Vec<ClassError>>, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    let class = active(&mut conn, &caller, &id).await?;
    let scope = ErrorScope {
        class: class.id,
        since: gateway.services.clock.now() - PERIOD,
        runs: RUNS,
        students: STUDENTS,
        errors: ERRORS,
        examples: CANDIDATES,
        bytes: EXAMPLE_BYTES,
    };
    let common = class_reports::common_errors(&mut conn, &scope).await?;
    let types: Vec<String> = common.iter().map(|error| error.error_type.clone()).collect();
    let examples = class_reports::error_examples(&mut conn, &scope, &types).await?;
    let error = |common: CommonError| {
        let own = examples.iter().filter(|example| example.error_type == common.error_type);
        let examples = different(own.filter_map(anonymous));
        let CommonError { error_type, students, runs } = common;
        ClassError { error_type, students, runs, examples }
    };
    Ok(Json(common.into_iter().map(error).collect()))
}

/// The example without what identifies its author; `None` if a later version wrote it.
fn anonymous(example: &ErrorExample) -> Option<ClassErrorExample> {
    let program = Program::deserialize(&example.request).ok()?;
    let error = example.result.error.as_ref()?;
    Some(ClassErrorExample {
        code: privacy::scrub(program.code.as_str(), &example.author),
        message: privacy::scrub(&error.message, &example.author),
        line: error.line,
    })
}

/// The first examples that differ in more than white space. Names are removed before, so a program that is the same but
/// for its author's name is shown once, too.
fn different(examples: impl Iterator<Item = ClassErrorExample>) -> Vec<ClassErrorExample> {
    let mut seen = BTreeSet::new();
    let words = |code: &str| code.split_whitespace().collect::<Vec<_>>().join(" ");
    examples.filter(|example| seen.insert(words(&example.code))).take(EXAMPLES).collect()
}

#[cfg(test)]
mod tests {
    use super::{ClassErrorExample, different};

    #[test]
    fn a_program_is_shown_once_however_many_have_run_it() {
        let example = |code: &str| {
            let (code, message) = (code.to_owned(), "list index out of range".to_owned());
            ClassErrorExample { code, message, line: Some(1) }
        };
        let run =
            ["print([][0])", "print([][0])\n\n", "a = []\nprint(a[0])", "a = []\n\nprint(a[0])\n"];
        let more = ["print([][1])", "print([][2])"];
        let shown = different(run.into_iter().chain(more).map(example));
        let codes: Vec<&str> = shown.iter().map(|example| example.code.as_str()).collect();
        assert_eq!(codes, [run[0], run[2], more[0]]);
    }
}
