//! Help with the exercise that is open: the author's hints, one at a time, and never the solution.

use curriculum::Exercise;
use domain::hints::{self, Ladder, Step};
use events::{
    question_answered::{Answer, Details, Hint, SetExercise},
    question_routed::{Routing, Sign},
};

use crate::show;

/// The hint for a rung.
#[must_use]
pub fn hint(exercise: &Exercise, set: &SetExercise, rung: u8) -> String {
    match (rung, exercise.hints.as_slice()) {
        (1, [first, ..]) => first.clone(),
        (2, [_, second, ..]) => second.clone(),
        _ => {
            let test = set.tests.first().map(show::shown).unwrap_or_default();
            format!(
                "Do one test by hand, with paper and pencil:\n\n{test}\n\nWrite down each step that *you* take to \
                 get there, in plain words, one on a line. Then turn each line into one line of Python. If that \
                 does not help, hand in what you have: after three attempts you can have the solution in pieces, \
                 to put together."
            )
        }
    }
}

/// The answer with a hint.
#[must_use]
pub fn answer(
    exercise: &Exercise,
    set: &SetExercise,
    (step, ladder): (Step, &Ladder),
    routing: &Routing,
) -> Answer {
    let rung = ladder.rung;
    let text = hint(exercise, set, rung);
    let mut content = String::new();
    if routing.signs.contains(&Sign::SolutionRequest) {
        content.push_str(
            "I do not hand out solutions: you would learn little from one. But here is the next hint.\n\n",
        );
    }
    content.push_str(&match step {
        Step::Enough => "That were many hints for one day. Show your teacher what you have; that is no shame, and \
                         often two minutes are enough."
            .to_owned(),
        Step::New | Step::Again => {
            format!("**{}.** Hint {rung} of {}. {text}", exercise.title, hints::RUNGS)
        }
    });
    if step == Step::Again {
        content.push_str(
            "\n\nTry something first, however small; then ask again, and I will tell you more.",
        );
    }
    Answer {
        content,
        examples: Vec::new(),
        topics: vec![set.topic.clone()],
        related: Vec::new(),
        details: Some(Details::Hint(Hint { level: rung, of: hints::RUNGS, text })),
    }
}

#[cfg(test)]
mod tests {
    use super::hint;

    #[test]
    fn no_hint_to_any_exercise_gives_its_solution_away() {
        for (topic, template) in curriculum::embedded().exercises() {
            let exercise = template.exercise();
            let set = exercises::set(exercises::id(&exercise.slug, 0), &topic.slug, &exercise);
            let lines = exercise.reference.lines().map(str::trim);
            let own: Vec<&str> =
                lines.filter(|line| line.len() > 12 && !exercise.starter.contains(line)).collect();
            for rung in 1..=3 {
                let hint = hint(&exercise, &set, rung);
                let told = own.iter().find(|line| hint.contains(**line));
                assert!(told.is_none(), "{}, rung {rung}: {told:?}", exercise.slug);
                assert!(hint.split_whitespace().count() <= 160, "{}", exercise.slug);
            }
        }
    }
}
