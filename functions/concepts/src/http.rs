//! `POST /explain` and `GET /concepts`: the curriculum for whoever asks directly.

use axum::{
    Router,
    routing::{get, post},
};
use domain::{agent::AnsweredBy, level::Level, text::TopicName};
use events::question_answered::Example;
use runtime::http::{Json, Problem};
use serde::{Deserialize, Serialize};

use crate::answer::{explanation, wire};

pub(crate) fn routes() -> Router {
    Router::new().route("/explain", post(explain)).route("/concepts", get(concepts))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExplainRequest {
    concept: TopicName,
    #[serde(default)]
    level: Level,
}

#[derive(Debug, Serialize)]
struct ExplainResponse {
    concept: String,
    level: Level,
    explanation: String,
    examples: Vec<Example>,
    common_mistakes: Vec<String>,
    related: Vec<String>,
    answered_by: AnsweredBy,
}

async fn explain(Json(request): Json<ExplainRequest>) -> Result<Json<ExplainResponse>, Problem> {
    let course = curriculum::embedded();
    let name = request.concept.as_str();
    let found = course.find(name);
    let best = (found.not_covered.is_empty() && found.unknown.is_empty())
        .then(|| found.matches.first())
        .flatten();
    let topic = course.topic(name).or_else(|| best.map(|best| best.topic));
    let Some(topic) = topic else {
        let nearest = course.nearest(name, 3);
        let slugs: Vec<&str> = nearest.iter().map(|topic| topic.slug.as_str()).collect();
        let detail =
            format!("there is no lesson on «{name}»; the nearest are {}", slugs.join(", "));
        return Err(Problem::not_found(detail));
    };
    let lesson = &topic.lesson;
    let concept = best.and_then(|best| best.concept);
    let (text, examples) = match concept {
        Some(concept) => (concept.text.as_str(), std::slice::from_ref(&concept.example)),
        None => (explanation(lesson, request.level), lesson.examples.as_slice()),
    };
    Ok(Json(ExplainResponse {
        concept: concept.map_or(&topic.slug, |concept| &concept.title).clone(),
        level: request.level,
        explanation: text.trim().to_owned(),
        examples: examples.iter().map(wire).collect(),
        common_mistakes: lesson
            .mistakes
            .iter()
            .map(|m| format!("{}. {}", m.title, m.text))
            .collect(),
        related: lesson.related.clone(),
        answered_by: AnsweredBy::Offline,
    }))
}

#[derive(Debug, Serialize)]
struct ConceptEntry {
    module: &'static str,
    slug: &'static str,
    title: &'static str,
    concepts: Vec<&'static str>,
}

async fn concepts() -> Json<Vec<ConceptEntry>> {
    let modules = curriculum::embedded().modules.iter();
    let entries = modules.flat_map(|module| {
        module.topics.iter().map(|topic| ConceptEntry {
            module: &module.slug,
            slug: &topic.slug,
            title: &topic.title,
            concepts: topic.lesson.concepts.iter().map(|concept| concept.title.as_str()).collect(),
        })
    });
    Json(entries.collect())
}
