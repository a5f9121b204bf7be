//! `POST /exercises/generate` and `GET /exercises`, for direct callers.

use std::sync::Arc;

use agents::Direct;
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    routing::{get, post},
};
use domain::{agent::Agent, difficulty::Difficulty, text::TopicName};
use events::{
    exercise_requested::ExerciseRequested,
    question_answered::{AssignedExercise, Details},
};
use runtime::{
    Endpoint, Services,
    web::{Json, Problem},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::spec::NAME;

/// Exercises on a page.
const PAGE: usize = 20;

pub(crate) fn routes(services: &Arc<Services>) -> [Endpoint; 2] {
    [
        ("/exercises/generate", post(generate).with_state(Arc::clone(services))),
        ("/exercises", get(list)),
    ]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GenerateRequest {
    topic: TopicName,
    difficulty: Difficulty,
    variation_of: Option<Uuid>,
}

async fn generate(
    State(services): State<Arc<Services>>,
    Json(request): Json<GenerateRequest>,
) -> Result<Json<AssignedExercise>, Problem> {
    if curriculum::embedded().topic(request.topic.as_str()).is_none() {
        return Err(Problem::field(
            "topic",
            "the slug of a topic of the course, such as for-loops",
        ));
    }
    let direct = Direct {
        agent: Agent::Exercise,
        question: wish(request.difficulty, request.variation_of),
        code: None,
        error: None,
        topic: Some(request.topic),
        level: Default::default(),
        hint_level: None,
        exercise_id: request.variation_of,
        student_id: None,
    };
    let answered = agents::ask(&services, NAME, direct, ExerciseRequested).await?;
    match answered.answer.details {
        Some(Details::Exercise(exercise)) => Ok(Json(exercise)),
        _ => Err(Problem::not_found("there is no such exercise")),
    }
}

/// What a student would say.
fn wish(difficulty: Difficulty, variation_of: Option<Uuid>) -> String {
    let what = if variation_of.is_some() { "variation" } else { "new" };
    format!("Give me a {what} {} exercise.", difficulty.as_str())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    topic: Option<String>,
    difficulty: Option<Difficulty>,
    #[serde(default)]
    cursor: usize,
}

#[derive(Debug, Serialize)]
struct Page {
    items: Vec<AssignedExercise>,
    /// What to ask for next; none at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<usize>,
}

async fn list(filter: Result<Query<Filter>, QueryRejection>) -> Result<Json<Page>, Problem> {
    let Query(filter) =
        filter.map_err(|rejection| Problem::field("query string", rejection.body_text()))?;
    let bank = curriculum::bank(curriculum::embedded());
    let fits = bank.filter(|entry| {
        entry.position >= filter.cursor
            && filter.topic.as_ref().is_none_or(|slug| *slug == entry.topic.slug)
            && filter.difficulty.is_none_or(|difficulty| difficulty == entry.exercise.difficulty)
    });
    let mut found: Vec<_> = fits.take(PAGE + 1).collect();
    let next_cursor = found.get(PAGE).map(|entry| entry.position);
    found.truncate(PAGE);
    let assigned = |entry: &curriculum::BankExercise<'_>| {
        exercises::assigned(entry.id, &entry.topic.slug, &entry.exercise)
    };
    Ok(Json(Page { items: found.iter().map(assigned).collect(), next_cursor }))
}
