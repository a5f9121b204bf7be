//! An exercise as students see it, without its solution and its hidden tests.

use curriculum::{Curriculum, Topic};
use events::question_answered::{Answer, AssignedExercise, Details, VisibleTestCase};

/// The answer that assigns an exercise, introduced by `note`.
#[must_use]
pub fn answer(topic: &Topic, exercise: AssignedExercise, note: Option<&str>) -> Answer {
    let mut content = note.map(|note| format!("{note}\n\n")).unwrap_or_default();
    content.push_str(&format!(
        "**{}** ({}, {})\n\n{}\n\n```python\n{}\n```",
        exercise.title,
        topic.title,
        exercise.difficulty.as_str(),
        exercise.task,
        exercise.starter.trim()
    ));
    let tests: Vec<String> = exercise.tests.iter().map(shown).collect();
    content.push_str(&format!("\n\nIt must do this:\n\n{}", tests.join("\n")));
    let hidden = match exercise.hidden_tests {
        0 => None,
        1 => Some("There is 1 more test that you cannot see".to_owned()),
        count => Some(format!("There are {count} more tests that you cannot see")),
    };
    if let Some(hidden) = hidden {
        content.push_str(&format!("\n\n{hidden}: think of the edge cases."));
    }
    Answer {
        content,
        examples: Vec::new(),
        topics: vec![topic.slug.clone()],
        related: topic.lesson.related.clone(),
        details: Some(Details::Exercise(exercise)),
    }
}

/// A test in one line.
#[must_use]
pub fn shown(test: &VisibleTestCase) -> String {
    match (&test.call, &test.expected, &test.raises) {
        (Some(call), Some(expected), _) => format!("- `{call}` is `{expected}`"),
        (Some(call), None, Some(raises)) => format!("- `{call}` raises {raises}"),
        (_, expected, _) => {
            let (typed, printed) = (test.stdin.as_deref().unwrap_or_default(), expected.as_deref());
            format!("- with the input {typed:?} it prints {:?}", printed.unwrap_or_default())
        }
    }
}

/// The answer if there is no exercise to assign.
#[must_use]
pub fn nothing(course: &Curriculum) -> Answer {
    let topics: Vec<&str> = course.topics().map(|topic| topic.title.as_str()).collect();
    Answer::text(format!(
        "I do not have an exercise like that. I have exercises on: {}.",
        topics.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use exercises::assigned;

    use super::answer;

    #[test]
    fn no_answer_holds_a_solution_or_a_hidden_test() {
        let course = curriculum::embedded();
        for (topic, template) in course.exercises() {
            let exercise = template.exercise();
            let id = exercises::id(&exercise.slug, 0);
            let shown = format!("{:?}", answer(topic, assigned(id, &topic.slug, &exercise), None));
            let hidden = exercise.tests.iter().filter(|check| check.hidden.is_some());
            for call in hidden.filter_map(|check| check.call.as_deref()) {
                assert!(!shown.contains(&format!("{call:?}")), "{}: {call}", exercise.slug);
            }
            // The lines of the solution that the starter code does not have.
            let solution = exercise.reference.lines().filter(|line| line.trim().len() > 12);
            let own = solution.filter(|line| !exercise.starter.contains(line.trim()));
            for line in own {
                assert!(!shown.contains(line.trim()), "{}: {line}", exercise.slug);
            }
        }
    }

    #[test]
    fn an_exercise_shows_its_task_starter_and_tests() {
        let course = curriculum::embedded();
        let (topic, template) = course
            .exercises()
            .find(|(_, template)| template.exercise().title == "The second largest")
            .expect("there is such an exercise");
        let exercise = template.exercise();
        let id = exercises::id(&exercise.slug, 0);
        let answer = answer(topic, assigned(id, &topic.slug, &exercise), Some("Another one:"));
        let content = answer.content;
        assert!(
            content.starts_with("Another one:\n\n**The second largest** (Lists, medium)"),
            "{content}"
        );
        assert!(content.contains("def second_largest(numbers):\n    pass"));
        assert!(content.contains("- `second_largest([4, 9, 7])` is `7`"));
        assert!(content.contains("There are 4 more tests"));
    }
}
