//! The gradebook: a CSV file with each student's mastery in each topic, and how far they are with each assignment.

use axum::{extract::State, response::Response};
use runtime::web::{Caller, Path, Problem, Teacher};
use storage::{
    assignments::{self, Assignment},
    enrollments::ClassStudent,
};
use uuid::Uuid;

use crate::{
    classes::{
        assignments::MAX_ASSIGNMENTS, lookup::active, overview::students_with_scores,
        scores::csv_file, work::Works,
    },
    gateway::Gateway,
};

/// A class's gradebook as a CSV file: one row for each student, one column for the mastery of each topic (0 to 100,
/// empty without evidence) and one for each assignment (`not_begun`, `tried`, `solved` or `late`), the oldest first.
#[utoipa::path(get, path = "/classes/{id}/gradebook.csv", operation_id = "export_gradebook", tag = "Classes", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The class")),
    responses((status = 200, body = String, content_type = "text/csv"), (status = 403, body = Problem),
              (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn export(
    State(gateway): State<Gateway>,
    caller: Caller<Teacher>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let now = gateway.services.clock.now();
    let mut conn = gateway.services.store.connection().await?;
    let class = active(&mut conn, &caller, &id).await?;
    let (students, scores) = students_with_scores(&mut conn, &class).await?;
    let mut assigned =
        assignments::of_classes(&mut conn, &[class.id.as_uuid()], Uuid::max(), MAX_ASSIGNMENTS)
            .await?;
    assigned.reverse();
    let ids: Vec<Uuid> = students.iter().map(|student| student.id.as_uuid()).collect();
    let works = Works::load(&mut conn, &ids, &assigned).await?;
    let topics = || curriculum::embedded().topics().map(|topic| topic.slug.as_str());
    let headings = ["name", "email", "mastery"].into_iter().chain(topics()).map(str::to_owned);
    let headings: Vec<String> = headings.chain(assigned.iter().map(heading)).collect();
    let shown = |score: Option<u8>| score.map(|score| score.to_string()).unwrap_or_default();
    let rows = students.into_iter().map(|ClassStudent { id, email, name }| {
        let id = id.as_uuid();
        let mut row = vec![name, email, shown(scores.overall(id))];
        row.extend(topics().map(|topic| shown(scores.of(id, topic))));
        row.extend(assigned.iter().map(|one| works.state(id, one, now).as_str().to_owned()));
        row
    });
    csv_file("gradebook.csv", [headings].into_iter().chain(rows))
}

fn heading(assignment: &Assignment) -> String {
    match assignment.due_at {
        Some(due) => format!("{} (due {})", assignment.title, due.format("%Y-%m-%d")),
        None => assignment.title.clone(),
    }
}
