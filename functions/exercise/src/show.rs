//! An exercise as a student gets it: nothing of its solution, nothing of its hidden tests.

use curriculum::Curriculum;
use events::question_answered::{Answer, Details, SetExercise, VisibleTest};

use crate::choose::{Chosen, Wish};

/// The answer to a wish.
#[must_use]
pub fn answer(course: &Curriculum, wish: &Wish, chosen: Option<Chosen<'_>>) -> Answer {
    let Some(chosen) = chosen else { return nothing(course) };
    let set = set(&chosen);
    let mut content = format!(
        "**{}** ({}, {})\n\n{}\n\n```python\n{}\n```",
        set.title,
        chosen.topic.title,
        set.difficulty.as_str(),
        set.task,
        set.starter.trim()
    );
    let tests: Vec<String> = set.tests.iter().map(shown).collect();
    content.push_str(&format!("\n\nIt must do this:\n\n{}", tests.join("\n")));
    if set.hidden_tests > 0 {
        content.push_str(&format!(
            "\n\nAnd {} tests more that you do not see: think of the cases at the edge.",
            set.hidden_tests
        ));
    }
    if wish.topic.is_none() {
        content.push_str(
            "\n\nName a topic, such as lists or functions, if you would rather practise that.",
        );
    }
    Answer {
        content,
        examples: Vec::new(),
        topics: vec![chosen.topic.slug.clone()],
        related: chosen.topic.lesson.related.clone(),
        details: Some(Details::Exercise(set)),
    }
}

/// What may be seen of an exercise.
#[must_use]
pub fn set(chosen: &Chosen<'_>) -> SetExercise {
    let exercise = &chosen.exercise;
    let visible = exercise.tests.iter().filter(|check| check.hidden.is_none());
    let tests: Vec<VisibleTest> = visible
        .map(|check| VisibleTest {
            call: check.call.clone(),
            stdin: check.stdin.clone(),
            expected: check.expected.clone(),
            raises: check.raises.clone(),
        })
        .collect();
    SetExercise {
        slug: exercise.slug.clone(),
        topic: chosen.topic.slug.clone(),
        title: exercise.title.clone(),
        difficulty: exercise.difficulty,
        task: exercise.task.clone(),
        starter: exercise.starter.clone(),
        hidden_tests: u32::try_from(exercise.tests.len() - tests.len()).unwrap_or_default(),
        tests,
    }
}

fn shown(test: &VisibleTest) -> String {
    match (&test.call, &test.expected, &test.raises) {
        (Some(call), Some(expected), _) => format!("- `{call}` is `{expected}`"),
        (Some(call), None, Some(raises)) => format!("- `{call}` raises a {raises}"),
        (_, expected, _) => {
            let (typed, printed) = (test.stdin.as_deref().unwrap_or_default(), expected.as_deref());
            format!("- with {typed:?} typed in it prints {:?}", printed.unwrap_or_default())
        }
    }
}

fn nothing(course: &Curriculum) -> Answer {
    let topics: Vec<&str> = course.topics().map(|topic| topic.title.as_str()).collect();
    Answer {
        content: format!("I have no such exercise. I have some on: {}.", topics.join(", ")),
        examples: Vec::new(),
        topics: Vec::new(),
        related: Vec::new(),
        details: None,
    }
}

#[cfg(test)]
mod tests {
    use domain::difficulty::Difficulty;
    use uuid::Uuid;

    use super::answer;
    use crate::choose::Wish;

    #[test]
    fn no_answer_holds_a_solution_or_a_hidden_test() {
        let course = curriculum::embedded();
        for (topic, template) in course.exercises() {
            let exercise = template.exercise();
            let chosen = crate::choose::Chosen { topic, exercise: exercise.clone() };
            let wish = Wish { topic: Some(topic.slug.clone()), difficulty: Difficulty::Easy };
            let shown = format!("{:?}", answer(course, &wish, Some(chosen)));
            let hidden = exercise.tests.iter().filter(|check| check.hidden.is_some());
            for call in hidden.filter_map(|check| check.call.as_deref()) {
                assert!(!shown.contains(&format!("{call:?}")), "{}: {call}", exercise.slug);
            }
            // The lines of the solution that the student does not begin with.
            let solution = exercise.reference.lines().filter(|line| line.trim().len() > 12);
            let own = solution.filter(|line| !exercise.starter.contains(line.trim()));
            for line in own {
                assert!(!shown.contains(line.trim()), "{}: {line}", exercise.slug);
            }
        }
    }

    #[test]
    fn an_exercise_shows_its_task_its_start_and_its_tests() {
        let course = curriculum::embedded();
        let wish = Wish { topic: Some("lists".to_owned()), difficulty: Difficulty::Medium };
        let answer = answer(course, &wish, wish.choose(course, Uuid::nil()));
        assert!(
            answer.content.contains("**The second largest** (Lists, medium)"),
            "{}",
            answer.content
        );
        assert!(answer.content.contains("def second_largest(numbers):\n    pass"));
        assert!(answer.content.contains("- `second_largest([4, 9, 7])` is `7`"));
        assert!(answer.content.contains("And 4 tests more"));
    }
}
