//! Help with the open exercise: the author's hints, one at a time, and never the solution.

use agents::{Effect, Load, Next, Reply, Step};
use chrono::{DateTime, Utc};
use domain::hints::{self, Ladder, Step as Climbed};
use events::{
    activity_recorded::Activity,
    question_answered::{Answer, AssignedExercise, Details, Hint},
    question_routed::{QuestionRouted, Routing, Sign},
};
use exercises::Exercise;
use sha2::{Digest as _, Sha256};

use crate::{assignable::Assignable, show, state};

/// Gives the next hint for the open exercise.
pub(crate) fn give(
    request: QuestionRouted,
    open: Assignable,
    now: DateTime<Utc>,
) -> Step<state::Exercise> {
    let problem = open.id.as_uuid().as_bytes().to_vec();
    let key = problem.clone();
    let then = move |before| {
        let attempt = Sha256::digest(agents::code(&request).unwrap_or_default().as_bytes());
        let (climbed, ladder) = hints::climb(before, 1, &attempt, now);
        let shown = exercises::assigned(open.id, &open.topic.slug, &open.exercise);
        let answer = answer(&open.exercise, &shown, climbed, &ladder, &request.routing);
        let given = Activity::HintGiven {
            level: ladder.rung,
            of: hints::RUNGS,
            rule: "exercise".to_owned(),
            exercise_id: Some(open.id.as_uuid()),
        };
        let step = Step::answer(Reply::offline(request.routing, answer))
            .with(Effect::StoreLadder { problem: key, ladder });
        if climbed == Climbed::New { step.with(Effect::Record(given)) } else { step }
    };
    Next::Load(Load::Ladder { problem, then: Box::new(then) }).into()
}

/// The hint for a rung.
#[must_use]
pub fn hint(exercise: &Exercise, assigned: &AssignedExercise, rung: u8) -> String {
    match (rung, exercise.hints.as_slice()) {
        (1, [first, ..]) => first.clone(),
        (2, [_, second, ..]) => second.clone(),
        _ => {
            let test = assigned.tests.first().map(show::shown).unwrap_or_default();
            format!(
                "Do one test by hand, with paper and pencil:\n\n{test}\n\nWrite down each step that *you* take to \
                 get there, in plain words, one step on each line. Then turn each line into one line of Python. If that \
                 does not help, hand in what you have: after three attempts you can get the solution in pieces \
                 and put it together."
            )
        }
    }
}

/// The answer with a hint.
#[must_use]
pub fn answer(
    exercise: &Exercise,
    assigned: &AssignedExercise,
    climbed: Climbed,
    ladder: &Ladder,
    routing: &Routing,
) -> Answer {
    let rung = ladder.rung;
    let text = hint(exercise, assigned, rung);
    let mut content = String::new();
    if routing.signs.contains(&Sign::SolutionRequest) {
        content.push_str(
            "I do not give away solutions, because you would learn little from them. But here is the next hint.\n\n",
        );
    }
    content.push_str(&match climbed {
        Climbed::Enough => "You have had a lot of hints for one day. Show your teacher what you have so far: there is no \
                         shame in that, and two minutes are often enough."
            .to_owned(),
        Climbed::New | Climbed::Again => {
            format!("**{}.** Hint {rung} of {}. {text}", exercise.title, hints::RUNGS)
        }
    });
    if climbed == Climbed::Again {
        content.push_str(
            "\n\nTry something first, however small. Then ask again, and I will tell you more.",
        );
    }
    Answer {
        content,
        examples: Vec::new(),
        topics: vec![assigned.topic.clone()],
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
            let assigned =
                exercises::assigned(exercises::id(&exercise.slug, 0), &topic.slug, &exercise);
            let lines = exercise.reference.lines().map(str::trim);
            let own: Vec<&str> =
                lines.filter(|line| line.len() > 12 && !exercise.starter.contains(line)).collect();
            for rung in 1..=3 {
                let hint = hint(&exercise, &assigned, rung);
                let leaked = own.iter().find(|line| hint.contains(**line));
                assert!(leaked.is_none(), "{}, rung {rung}: {leaked:?}", exercise.slug);
                assert!(hint.split_whitespace().count() <= 160, "{}", exercise.slug);
            }
        }
    }
}
