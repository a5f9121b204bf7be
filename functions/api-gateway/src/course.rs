//! The course, for everyone: modules, topics and finer ideas.

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use curriculum::{Concept, Curriculum, Module, Topic, bank, embedded};
use domain::{difficulty::Difficulty, level::Level, text::Question};
use ids::ExerciseId;
use runtime::web::{Caller, Path, Person, Problem, Student};
use serde::{Deserialize, Serialize};
use storage::progress;
use utoipa::{IntoParams, ToSchema};

use crate::{
    cacheable::{Keep, cacheable},
    gateway::Gateway,
    pages,
};

/// A topic in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListedTopic {
    /// Its name in URLs.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// One sentence.
    pub summary: String,
    /// The slugs of the topics that you should know first.
    pub prerequisites: Vec<String>,
}

/// A module with its topics.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CourseModule {
    /// Its name in URLs.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// Its topics in teaching order.
    pub topics: Vec<ListedTopic>,
}

impl From<&Module> for CourseModule {
    fn from(module: &Module) -> Self {
        Self {
            slug: module.slug.clone(),
            title: module.title.clone(),
            topics: module.topics.iter().map(ListedTopic::from).collect(),
        }
    }
}

impl From<&Topic> for ListedTopic {
    fn from(topic: &Topic) -> Self {
        Self {
            slug: topic.slug.clone(),
            title: topic.title.clone(),
            summary: topic.lesson.summary.clone(),
            prerequisites: topic.prerequisites.clone(),
        }
    }
}

/// The modules of the course with their topics, in teaching order.
#[utoipa::path(get, path = "/modules", operation_id = "list_modules", tag = "Course",
    params(("If-None-Match" = Option<String>, Header, description = "The `ETag` of what you have")),
    responses((status = 200, body = [CourseModule]), (status = 304, description = "You have it")))]
pub(crate) async fn modules(headers: HeaderMap) -> Result<Response, Problem> {
    let modules: Vec<CourseModule> = embedded().modules.iter().map(CourseModule::from).collect();
    cacheable(&headers, &modules, Keep::Public)
}

/// A module with its topics.
#[utoipa::path(get, path = "/modules/{slug}", operation_id = "get_module", tag = "Course",
    params(("slug" = String, Path, description = "The slug in the list of modules"),
           ("If-None-Match" = Option<String>, Header, description = "The `ETag` of what you have")),
    responses((status = 200, body = CourseModule), (status = 304, description = "You have it"),
              (status = 404, body = Problem)))]
pub(crate) async fn module(
    headers: HeaderMap,
    Path(slug): Path<String>,
) -> Result<Response, Problem> {
    let found = embedded().modules.iter().find(|module| module.slug == slug);
    let module = found.ok_or_else(|| Problem::not_found("there is no such module"))?;
    cacheable(&headers, &CourseModule::from(module), Keep::Public)
}

/// A program and exactly what it prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CourseExample {
    /// One sentence on what it shows.
    pub title: String,
    /// A complete program.
    pub code: String,
    /// Everything that it writes to standard output.
    pub output: String,
    /// What is typed in while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stdin: Option<String>,
}

impl From<&curriculum::Example> for CourseExample {
    fn from(example: &curriculum::Example) -> Self {
        Self {
            title: example.title.clone(),
            code: example.code.clone(),
            output: example.output.clone(),
            stdin: Some(example.stdin.clone()).filter(|typed| !typed.is_empty()),
        }
    }
}

/// A typical mistake, with its fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CourseMistake {
    /// What goes wrong, as a short name.
    pub title: String,
    /// Why, and what to do instead; Markdown.
    pub text: String,
}

/// An exercise of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CourseExercise {
    /// Its id.
    pub id: ExerciseId,
    /// Its title.
    pub title: String,
    /// How hard it is.
    pub difficulty: Difficulty,
}

/// What is taught about a topic.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CourseTopic {
    /// Its name in URLs.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// The slug of its module.
    pub module: String,
    /// One sentence.
    pub summary: String,
    /// The slugs of the topics that you should know first.
    pub prerequisites: Vec<String>,
    /// The level of the explanation.
    pub level: Level,
    /// The explanation at this level, Markdown.
    pub explanation: String,
    /// Programs that show it.
    pub examples: Vec<CourseExample>,
    /// What beginners get wrong.
    pub mistakes: Vec<CourseMistake>,
    /// The titles of the finer ideas inside it.
    pub concepts: Vec<String>,
    /// The slugs of topics to read next.
    pub related: Vec<String>,
    /// The course's exercises, easiest first.
    pub exercises: Vec<CourseExercise>,
    /// How many quiz questions it has.
    pub quiz_questions: usize,
}

impl CourseTopic {
    fn new(course: &Curriculum, topic: &Topic, level: Level) -> Self {
        let lesson = &topic.lesson;
        let module = course
            .modules
            .iter()
            .find(|module| module.topics.iter().any(|other| other.slug == topic.slug));
        let mistakes = lesson.mistakes.iter().map(|mistake| CourseMistake {
            title: mistake.title.clone(),
            text: mistake.text.clone(),
        });
        let exercises = bank(course).filter(|entry| entry.topic.slug == topic.slug);
        let exercises = exercises.map(|entry| CourseExercise {
            id: entry.id,
            title: entry.exercise.title,
            difficulty: entry.exercise.difficulty,
        });
        let levels = &lesson.explanation;
        let explanation = match level {
            Level::Beginner => &levels.beginner,
            Level::Learning => &levels.learning,
            Level::Proficient => &levels.proficient,
            Level::Mastered => &levels.mastered,
        };
        Self {
            slug: topic.slug.clone(),
            title: topic.title.clone(),
            module: module.map(|module| module.slug.clone()).unwrap_or_default(),
            summary: lesson.summary.clone(),
            prerequisites: topic.prerequisites.clone(),
            level,
            explanation: explanation.clone(),
            examples: lesson.examples.iter().map(CourseExample::from).collect(),
            mistakes: mistakes.collect(),
            concepts: lesson.concepts.iter().map(|concept| concept.title.clone()).collect(),
            related: lesson.related.clone(),
            exercises: exercises.collect(),
            quiz_questions: topic.practice.questions.len(),
        }
    }
}

/// For whom a topic is explained.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Reader {
    /// The level of the explanation. By default yours in this topic if you send an access token, else `beginner`.
    level: Option<Level>,
}

/// A topic: its explanation, examples, mistakes, and what there is to practise.
#[utoipa::path(get, path = "/topics/{slug}", operation_id = "get_topic", tag = "Course",
    params(("slug" = String, Path, description = "The slug in a module"), Reader,
           ("If-None-Match" = Option<String>, Header, description = "The `ETag` of what you have")),
    responses((status = 200, body = CourseTopic), (status = 304, description = "You have it"),
              (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn topic(
    State(gateway): State<Gateway>,
    caller: Result<Caller<Student>, Problem>,
    headers: HeaderMap,
    Path(slug): Path<String>,
    reader: Result<Query<Reader>, QueryRejection>,
) -> Result<Response, Problem> {
    let reader = pages::read(reader)?;
    let course = embedded();
    let topic = course.topic(&slug).ok_or_else(|| Problem::not_found("there is no such topic"))?;
    // Whoever has no valid token may read it, too.
    let (level, keep) = match (reader.level, caller) {
        (Some(level), _) => (level, Keep::Public),
        (None, Ok(caller)) => (level_of(&gateway, &caller, &slug).await?, Keep::Private),
        (None, Err(_)) => (Level::default(), Keep::Public),
    };
    let mut response = cacheable(&headers, &CourseTopic::new(course, topic, level), keep)?;
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Authorization"));
    Ok(response)
}

async fn level_of(gateway: &Gateway, caller: &Person, slug: &str) -> Result<Level, Problem> {
    let mut conn = gateway.services.store.connection().await?;
    let known = progress::of_student(&mut conn, caller.id).await?;
    let score = known.into_iter().find(|row| row.topic == slug).and_then(|row| row.score);
    Ok(score.map_or_else(Level::default, Level::of_score))
}

/// Something that the course explains: a topic, or a finer idea inside one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CourseConcept {
    /// What it is called.
    pub title: String,
    /// The slug of its topic.
    pub topic: String,
    /// What it is: a topic's summary, or the explanation of a finer idea; Markdown.
    pub text: String,
    /// The programs that show it.
    pub examples: Vec<CourseExample>,
}

impl CourseConcept {
    fn of_topic(topic: &Topic) -> Self {
        Self {
            title: topic.title.clone(),
            topic: topic.slug.clone(),
            text: topic.lesson.summary.clone(),
            examples: topic.lesson.examples.iter().map(CourseExample::from).collect(),
        }
    }

    fn of_concept(topic: &Topic, concept: &Concept) -> Self {
        Self {
            title: concept.title.clone(),
            topic: topic.slug.clone(),
            text: concept.text.clone(),
            examples: vec![CourseExample::from(&concept.example)],
        }
    }
}

/// What to look for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Search {
    /// Words or a question; without it everything is listed.
    q: Option<String>,
}

/// What the course explains, in teaching order; or what a text is about, the nearest first.
#[utoipa::path(get, path = "/concepts", operation_id = "find_concepts", tag = "Course",
    params(Search, ("If-None-Match" = Option<String>, Header, description = "The `ETag` of what you have")),
    responses((status = 200, body = [CourseConcept]), (status = 304, description = "You have it"),
              (status = 422, body = Problem)))]
pub(crate) async fn concepts(
    headers: HeaderMap,
    search: Result<Query<Search>, QueryRejection>,
) -> Result<Response, Problem> {
    let search = pages::read(search)?;
    let course = embedded();
    let found: Vec<CourseConcept> = match search.q.map(Question::try_from).transpose() {
        Err(error) => return Err(Problem::field("q", error.to_string())),
        Ok(None) => course.topics().flat_map(everything).collect(),
        Ok(Some(text)) => {
            let matches = course.find(text.as_str()).matches.into_iter();
            matches
                .map(|found| match found.concept {
                    Some(concept) => CourseConcept::of_concept(found.topic, concept),
                    None => CourseConcept::of_topic(found.topic),
                })
                .collect()
        }
    };
    cacheable(&headers, &found, Keep::Public)
}

fn everything(topic: &Topic) -> impl Iterator<Item = CourseConcept> {
    let finer =
        topic.lesson.concepts.iter().map(|concept| CourseConcept::of_concept(topic, concept));
    std::iter::once(CourseConcept::of_topic(topic)).chain(finer)
}
