//! The course is complete: its parts, their sizes, and its search terms. Its programs are run in the sandbox by
//! `tests/it/sandbox/curriculum.rs`.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use curriculum::{Curriculum, Question, Topic, embedded, schema::schemas};
use domain::difficulty::Difficulty;

#[test]
fn the_course_has_its_eight_modules_and_31_topics() {
    let counts: Vec<usize> = embedded().modules.iter().map(|module| module.topics.len()).collect();
    assert_eq!(counts, [5, 4, 4, 4, 4, 3, 4, 3]);
}

#[test]
fn every_topic_has_four_levels_examples_mistakes_exercises_and_a_quiz() {
    let course = embedded();
    let missing: Vec<String> = course.topics().flat_map(faults).collect();
    assert_eq!(missing, [""; 0]);
    assert!(course.exercises().count() >= 120);
}

fn faults(topic: &Topic) -> Vec<String> {
    let lesson = &topic.lesson;
    let levels = &lesson.explanation;
    let levels = [&levels.beginner, &levels.learning, &levels.proficient, &levels.mastered];
    let exercises: Vec<_> = topic.practice.exercises.iter().map(|e| e.exercise()).collect();
    let difficulties: BTreeSet<Difficulty> = exercises.iter().map(|e| e.difficulty).collect();
    let is_in_order = exercises.is_sorted_by_key(|exercise| exercise.difficulty);
    let questions = &topic.practice.questions;
    let rules = [
        (
            levels.iter().all(|text| (150..1_000).contains(&text.len())),
            "four levels of some length",
        ),
        (lesson.examples.len() >= 2, "two examples"),
        (lesson.mistakes.len() >= 2, "two mistakes"),
        (exercises.len() >= 3 && difficulties.len() == 3 && is_in_order, "easy to hard exercises"),
        (exercises.iter().all(|e| e.hints.len() == 2), "two hints for each exercise"),
        (questions.len() >= 4, "four questions"),
        (
            questions.iter().all(|q| q.wrong.len() == 3 && !q.wrong.contains(&q.answer)),
            "wrong answers",
        ),
        (questions.iter().all(Question::is_explained), "a reason for every wrong answer"),
    ];
    let broken = rules.into_iter().filter(|(holds, _)| !holds);
    broken.map(|(_, rule)| format!("{} lacks {rule}", topic.slug)).collect()
}

#[test]
fn every_topic_but_the_first_says_what_a_student_should_know_before_it() {
    let topics: Vec<&Topic> = embedded().topics().collect();
    let without = topics.iter().filter(|topic| topic.prerequisites.is_empty());
    assert_eq!(without.map(|topic| topic.slug.as_str()).collect::<Vec<_>>(), ["variables"]);
}

#[test]
fn exercise_names_are_unique_in_the_course() {
    let course = embedded();
    let slugs: Vec<String> = course.exercises().map(|(_, e)| e.exercise().slug).collect();
    let different: BTreeSet<&String> = slugs.iter().collect();
    assert_eq!(different.len(), slugs.len());
}

#[test]
fn variations_differ_and_leave_no_placeholder() {
    for (topic, template) in embedded().exercises().filter(|(_, e)| e.variations() > 1) {
        let all: Vec<String> =
            (0..template.variations()).map(|n| format!("{:?}", template.variation(n))).collect();
        let different: BTreeSet<&String> = all.iter().collect();
        assert_eq!(different.len(), all.len(), "{}", topic.slug);
        for name in template.vary.keys() {
            let placeholder = format!("<{name}>");
            assert!(all.iter().all(|e| !e.contains(&placeholder)), "{} {placeholder}", topic.slug);
        }
    }
}

#[test]
fn the_files_of_the_course_can_be_read_from_a_folder() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/content");
    let read: Curriculum = curriculum::read(folder.as_ref()).expect("the folder holds a course");
    assert_eq!(read.topics().count(), embedded().topics().count());
    let error = curriculum::read("no-such-folder".as_ref()).expect_err("there is none");
    assert!(error.to_string().contains("outline.toml"), "{error}");
}

#[test]
fn every_title_and_every_slug_finds_its_own_topic() {
    let course = embedded();
    let lost: Vec<&str> = course
        .topics()
        .filter(|topic| {
            let found =
                course.find(&format!("Please explain {} to me", topic.title.to_lowercase()));
            found.matches.first().is_none_or(|best| best.topic.slug != topic.slug)
        })
        .map(|topic| topic.slug.as_str())
        .collect();
    assert_eq!(lost, [""; 0]);
}

#[test]
fn the_schemas_are_those_of_the_code_and_every_file_keeps_to_its_own() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, schema) in schemas() {
        let path = folder.join(format!("schema/{name}.json"));
        let text = curriculum::schema::text(&schema);
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(
            committed, text,
            "make them again with `learnflow course-schema shared/curriculum/schema`"
        );
        let validator = jsonschema::validator_for(schema.as_value()).expect("a schema");
        let files = match name {
            "practice" => files(&folder.join("content/practice")),
            "lesson" => files(&folder.join("content")),
            _ => vec![folder.join("content/comparisons.toml")],
        };
        for file in files {
            let text = fs::read_to_string(&file).expect("a text");
            let stated = text.lines().next().unwrap_or_default();
            if !stated.ends_with(&format!("schema/{name}.json")) {
                assert_ne!(name, "practice", "{}: {stated}", file.display());
                continue;
            }
            let value: serde_json::Value = toml::from_str(&text).expect("TOML");
            let faults: Vec<String> =
                validator.iter_errors(&value).map(|error| error.to_string()).collect();
            assert_eq!(faults, [""; 0], "{}", file.display());
        }
        let wrong = serde_json::json!({ "exercise": [{ "slug": 1 }], "colour": "red" });
        assert!(!validator.is_valid(&wrong), "{name} accepts anything");
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "toml")).collect()
}
