//! `POST /explain` and `GET /concepts`, for direct callers.

use std::sync::Arc;

use agents::Direct;
use axum::{
    extract::State,
    routing::{get, post},
};
use domain::{
    agent::{Agent, AnsweredBy},
    level::Level,
    text::TopicName,
};
use events::{
    question_answered::{Details, Example, Explained},
    question_routed::QuestionRouted,
};
use runtime::{
    Endpoint, Services,
    web::{Json, Problem},
};
use serde::{Deserialize, Serialize};

use crate::spec::NAME;

pub(crate) fn routes(services: &Arc<Services>) -> [Endpoint; 2] {
    [("/explain", post(explain).with_state(Arc::clone(services))), ("/concepts", get(concepts))]
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
    #[serde(flatten)]
    explained: Explained,
    examples: Vec<Example>,
    related: Vec<String>,
    answered_by: AnsweredBy,
}

async fn explain(
    State(services): State<Arc<Services>>,
    Json(request): Json<ExplainRequest>,
) -> Result<Json<ExplainResponse>, Problem> {
    let course = curriculum::embedded();
    let name = request.concept.as_str();
    let title = course.topic(name).map_or(name, |topic| topic.title.as_str());
    let direct = Direct {
        agent: Agent::Concepts,
        question: format!("What is {title}?"),
        code: None,
        error: None,
        topic: None,
        hint_level: None,
        exercise_id: None,
        level: request.level,
        student_id: None,
    };
    let answered = agents::ask(&services, NAME, direct, |routed: QuestionRouted| routed).await?;
    match answered.answer.details {
        Some(Details::Explanation(explained)) => Ok(Json(ExplainResponse {
            explained,
            examples: answered.answer.examples,
            related: answered.answer.related,
            answered_by: answered.answered_by,
        })),
        _ => {
            let nearest = course.nearest(name, 3);
            let slugs: Vec<&str> = nearest.iter().map(|topic| topic.slug.as_str()).collect();
            let detail =
                format!("there is no lesson on \"{name}\"; the nearest are {}", slugs.join(", "));
            Err(Problem::not_found(detail))
        }
    }
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
