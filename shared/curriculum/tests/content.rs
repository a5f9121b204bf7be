//! The content holds what it promises: every program prints what the course says it prints.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use curriculum::{Example, Lesson, embedded};

/// Runs a program in real CPython and returns what it printed.
fn run(example: &Example) -> String {
    let mut python = Command::new("python3")
        .args(["-I", "-X", "utf8", "-c", &example.code])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python3 starts");
    let mut stdin = python.stdin.take().expect("stdin is piped");
    stdin.write_all(example.stdin.as_bytes()).expect("the program reads its input");
    drop(stdin);
    let output = python.wait_with_output().expect("python3 ends");
    assert!(
        output.status.success(),
        "{}\n{}",
        example.code,
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("output is UTF-8")
}

#[test]
fn every_example_prints_what_it_says() {
    let examples = embedded().examples();
    assert!(examples.len() >= 60, "only {} examples were found", examples.len());
    let wrong: Vec<String> = examples
        .into_iter()
        .filter(|(_, example)| run(example) != example.output)
        .map(|(place, example)| format!("{place}: {}", example.title))
        .collect();
    assert_eq!(wrong, [""; 0], "these print something else");
}

#[test]
fn the_course_has_its_eight_modules_and_31_topics_with_lessons_in_the_first_three() {
    let course = embedded();
    let counts: Vec<usize> = course.modules.iter().map(|module| module.topics.len()).collect();
    assert_eq!(counts, [5, 4, 4, 4, 4, 3, 4, 3]);
    for (module, count) in course.modules.iter().zip([5, 4, 4]) {
        let lessons: Vec<&Lesson> =
            module.topics.iter().filter_map(|t| t.lesson.as_ref()).collect();
        assert_eq!(lessons.len(), count, "{}", module.slug);
        for lesson in lessons {
            assert!(lesson.examples.len() >= 2 && lesson.mistakes.len() >= 2, "{}", lesson.summary);
            let levels = &lesson.explanation;
            for text in [&levels.beginner, &levels.learning, &levels.proficient, &levels.mastered] {
                assert!((150..1_000).contains(&text.len()), "too short or too long: {text}");
            }
        }
    }
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
