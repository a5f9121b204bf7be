use chrono::{DateTime, TimeDelta};
use ids::{EventId, ExerciseId};
use proptest::prelude::{
    Just, ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};
use uuid::Uuid;

use super::{Components, components, consistency, overall};
use crate::{
    activity::{Activity, Kind, in_order},
    difficulty::Difficulty,
    level::Level,
};

fn activity(number: u128, minute: i64, exercise: Option<u128>, kind: Kind) -> Activity {
    Activity {
        id: EventId::from_uuid(Uuid::from_u128(number)),
        source: None,
        at: DateTime::UNIX_EPOCH + TimeDelta::minutes(minute),
        topic: Some("lists".to_owned()),
        exercise: exercise.map(|id| ExerciseId::from_uuid(Uuid::from_u128(id))),
        kind,
    }
}

fn solution(difficulty: Difficulty, score: u8) -> Kind {
    Kind::Submission {
        difficulty,
        score,
        passed: score == 100,
        quality: (score == 100).then_some(80),
        helped: false,
    }
}

fn of(kinds: Vec<(Option<u128>, Kind)>) -> Components {
    let numbered = kinds.into_iter().zip(1..);
    let activities: Vec<Activity> = numbered
        .map(|((exercise, kind), n)| activity(n, i64::try_from(n).unwrap(), exercise, kind))
        .collect();
    components(&activities.iter().collect::<Vec<_>>())
}

#[test]
fn the_score_is_forty_thirty_twenty_ten() {
    let all = |exercises, quizzes, quality, consistency| Components {
        exercises: Some(exercises),
        quizzes: Some(quizzes),
        quality: Some(quality),
        consistency: Some(consistency),
    };
    assert_eq!(all(100, 100, 100, 100).score(), Some(100));
    assert_eq!(all(80, 70, 60, 50).score(), Some(70), "32 + 21 + 12 + 5");
    assert_eq!(all(41, 40, 40, 40).score(), Some(40), "40.4");
    assert_eq!(all(40, 40, 40, 45).score(), Some(41), "40.5 is rounded up");
    assert_eq!(Level::of_score(41), Level::Learning);
}

#[test]
fn a_missing_part_is_left_out_and_the_others_weigh_more() {
    let only = |exercises| Components { exercises, ..Components::default() };
    assert_eq!(only(Some(65)).score(), Some(65));
    let two = Components { quizzes: Some(30), ..only(Some(65)) };
    assert_eq!(two.score(), Some(50), "(40 · 65 + 30 · 30) / 70");
    let without = Components { consistency: Some(100), ..Components::default() };
    assert_eq!(without.score(), None, "being there is no evidence of mastery");
    assert_eq!(Components { consistency: Some(0), ..only(Some(100)) }.score(), Some(80));
}

#[test]
fn of_an_exercise_the_best_solution_counts_and_hints_make_it_worth_less() {
    let hint = |rung| Kind::Hint { rung };
    let easy = |score| solution(Difficulty::Easy, score);
    let exercises = |kinds| of(kinds).exercises;
    assert_eq!(
        exercises(vec![(Some(1), easy(50)), (Some(1), easy(100)), (Some(1), easy(0))]),
        Some(100)
    );
    for (rung, worth) in [(1, 95), (2, 85), (3, 70), (4, 70)] {
        assert_eq!(exercises(vec![(Some(1), hint(rung)), (Some(1), easy(100))]), Some(worth));
    }
    assert_eq!(
        exercises(vec![(Some(1), easy(100)), (Some(1), hint(3))]),
        Some(100),
        "a later hint"
    );
    assert_eq!(
        exercises(vec![(Some(2), hint(3)), (Some(1), easy(100))]),
        Some(100),
        "another's hint"
    );
    let helped = Kind::Submission {
        difficulty: Difficulty::Easy,
        score: 100,
        passed: true,
        quality: None,
        helped: true,
    };
    assert_eq!(exercises(vec![(Some(1), helped)]), Some(50));
    let hard = solution(Difficulty::Hard, 100);
    assert_eq!(exercises(vec![(Some(1), easy(0)), (Some(2), hard)]), Some(67), "weights 2 and 4");
    assert_eq!(exercises(vec![(Some(1), hint(1))]), None);
}

#[test]
fn newer_quizzes_weigh_more_and_only_five_count() {
    let quiz = |right| (None, Kind::Quiz { right, of: 4, score: 0 });
    assert_eq!(of(vec![quiz(0), quiz(4)]).quizzes, Some(51), "100 / (100 + 95)");
    assert_eq!(of(vec![quiz(4), quiz(0)]).quizzes, Some(49));
    let mut six = vec![quiz(0)];
    six.extend(vec![quiz(4); 5]);
    assert_eq!(of(six).quizzes, Some(100));
}

#[test]
fn quality_is_that_of_the_latest_programs() {
    let of_quality = |quality| Kind::Submission {
        difficulty: Difficulty::Easy,
        score: 100,
        passed: true,
        quality: Some(quality),
        helped: false,
    };
    let quality = |kinds| of(kinds).quality;
    assert_eq!(quality(vec![(Some(1), of_quality(20)), (Some(1), of_quality(90))]), Some(90));
    assert_eq!(quality(vec![(Some(1), of_quality(20)), (Some(2), of_quality(90))]), Some(55));
    assert_eq!(
        quality(vec![(Some(1), of_quality(20)), (Some(1), Kind::Review { quality: 70 })]),
        Some(70)
    );
    assert_eq!(quality(vec![(Some(1), solution(Difficulty::Easy, 60))]), None, "not solved");
    let mut six: Vec<_> = (2..7).map(|exercise| (Some(exercise), of_quality(100))).collect();
    six.insert(0, (Some(1), of_quality(0)));
    assert_eq!(quality(six), Some(100));
}

#[test]
fn consistency_is_the_share_of_active_days() {
    assert_eq!([0, 1, 3, 15, 30, 31].map(consistency), [0, 3, 10, 50, 100, 100]);
    assert_eq!(overall([40, 41]), Some(41));
    assert_eq!(overall([]), None);
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![
        (0_usize..3, 0_u8..=100, any::<bool>(), prop::option::of(0_u8..=100)).prop_map(
            |(difficulty, score, helped, quality)| Kind::Submission {
                difficulty: Difficulty::ALL[difficulty],
                score,
                passed: score == 100,
                quality,
                helped,
            }
        ),
        (1_u8..=3).prop_map(|rung| Kind::Hint { rung }),
        (0_u32..=4, Just(4_u32)).prop_map(|(right, of)| Kind::Quiz { right, of, score: 0 }),
        (0_u8..=100).prop_map(|quality| Kind::Review { quality }),
    ]
}

fn histories() -> impl Strategy<Value = Vec<Activity>> {
    let one = (0_i64..2_000, prop::option::of(1_u128..5), kinds());
    prop::collection::vec(one, 0..30).prop_map(|all| {
        let numbered = all.into_iter().zip(1..);
        numbered.map(|((minute, exercise, kind), n)| activity(n, minute, exercise, kind)).collect()
    })
}

fn score_of(activities: Vec<Activity>) -> (Components, Option<u8>) {
    let activities = in_order(activities);
    let mut components = components(&activities.iter().collect::<Vec<_>>());
    components.consistency = Some(50);
    (components, components.score())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn scores_are_within_bounds_and_order_and_duplicates_make_no_difference(
        history in histories().prop_flat_map(|history| {
            let twice: Vec<Activity> = history.iter().chain(&history).cloned().collect();
            (Just(history), Just(twice).prop_shuffle())
        }),
    ) {
        let (history, shuffled) = history;
        let (components, score) = score_of(history);
        prop_assert_eq!((components, score), score_of(shuffled));
        let parts = [components.exercises, components.quizzes, components.quality, components.consistency];
        let known: Vec<u8> = parts.into_iter().flatten().collect();
        if let Some(score) = score {
            prop_assert!(score <= 100);
            prop_assert!(known.iter().min() <= Some(&score) && Some(&score) <= known.iter().max());
        }
    }

    #[test]
    fn a_better_solution_never_lowers_what_exercises_show(
        history in histories(), which in any::<prop::sample::Index>(), more in 0_u8..=100,
    ) {
        let is_solution = |activity: &&mut Activity| matches!(activity.kind, Kind::Submission { .. });
        let mut better = history.clone();
        let mut solutions: Vec<&mut Activity> = better.iter_mut().filter(is_solution).collect();
        if !solutions.is_empty() {
            let which = which.index(solutions.len());
            if let Kind::Submission { score, helped, .. } = &mut solutions[which].kind {
                *score = score.saturating_add(more).min(100);
                *helped = false;
            }
            let (before, after) = (score_of(history).0, score_of(better).0);
            prop_assert!(after.exercises >= before.exercises, "{before:?} {after:?}");
        }
    }

    #[test]
    fn each_part_raises_the_score(parts in prop::array::uniform4(0_u8..100), which in 0_usize..4) {
        let score = |parts: [u8; 4]| {
            let [exercises, quizzes, quality, consistency] = parts.map(Some);
            Components { exercises, quizzes, quality, consistency }.score()
        };
        let mut more = parts;
        more[which] += 1;
        prop_assert!(score(more) >= score(parts));
    }
}
