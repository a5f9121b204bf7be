//! `POST /exercises/generate` and `GET /exercises`, for whoever asks directly.

use std::sync::Arc;

use axum::{
    Router,
    extract::{Query, State},
    routing::{get, post},
};
use domain::{difficulty::Difficulty, text::TopicName};
use events::question_answered::SetExercise;
use runtime::{
    Services,
    http::{Json, Problem},
};
use serde::Deserialize;

use crate::{
    choose::{Chosen, Wish},
    show,
};

pub(crate) fn routes(services: &Arc<Services>) -> Router {
    Router::new()
        .route("/exercises/generate", post(generate))
        .route("/exercises", get(list))
        .with_state(Arc::clone(services))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GenerateRequest {
    topic: TopicName,
    difficulty: Difficulty,
}

async fn generate(
    State(services): State<Arc<Services>>,
    Json(request): Json<GenerateRequest>,
) -> Result<Json<SetExercise>, Problem> {
    let course = curriculum::embedded();
    let topic = course.topic(request.topic.as_str()).map(|topic| topic.slug.clone());
    if topic.is_none() {
        return Err(Problem::field(
            "topic",
            "the slug of a topic of the course, such as for-loops",
        ));
    }
    let wish = Wish { topic, difficulty: request.difficulty };
    let chosen = wish.choose(course, services.clock.new_id());
    let chosen = chosen.ok_or_else(|| Problem::not_found("there is no such exercise"))?;
    Ok(Json(show::set(&chosen)))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    topic: Option<String>,
    difficulty: Option<Difficulty>,
}

async fn list(Query(filter): Query<Filter>) -> Json<Vec<SetExercise>> {
    let all = curriculum::embedded().exercises();
    let exercises = all.map(|(topic, template)| Chosen { topic, exercise: template.exercise() });
    let fits = |chosen: &Chosen<'_>| {
        filter.topic.as_ref().is_none_or(|slug| *slug == chosen.topic.slug)
            && filter.difficulty.is_none_or(|difficulty| difficulty == chosen.exercise.difficulty)
    };
    Json(exercises.filter(fits).map(|chosen| show::set(&chosen)).collect())
}
