//! Assigning an exercise: one that the student has not had, else a new one that is made, else an old one again.

use agents::{Effect, Load, Next, Reply, Run, Step, step::ExerciseMade};
use curriculum::Curriculum;
use domain::difficulty::Difficulty;
use events::{exercise_generated::ExerciseGenerated, question_routed::QuestionRouted};
use exercises::Exercise as Task;
use exercises::Report;
use ids::ExerciseId;
use storage::exercises::{MadeExercise, NextExercise};

use crate::{
    ask,
    assignable::Assignable,
    choose::Wish,
    make::{self, Making, Variation},
    show,
    state::{Exercise, Running},
};

/// The note if no topic was named.
const ANY_TOPIC: &str = "If you would rather practise something else, name a topic, such as lists or functions. For now:";
/// The note if there is nothing new.
const ALL_DONE: &str = "You have already had all my exercises on this. Try this one again, without looking at your old solution:";

fn wish(course: &Curriculum, request: &QuestionRouted) -> Wish {
    let page = request.asked.topic.as_ref().map(|topic| topic.as_str());
    Wish::of_question(course, request.asked.question.as_str(), page, request.level)
}

/// Assigns an exercise that the student has not had, or has one made.
pub(crate) fn next(request: QuestionRouted) -> Step<Exercise> {
    let Wish { topic, difficulty } = wish(curriculum::embedded(), &request);
    let is_any_topic = topic.is_none();
    let then = move |found: Option<NextExercise<Task>>| {
        let found = found.map(|found| (found.is_new, Assignable::of(found.exercise)));
        match found {
            Some((true, Some(new))) => assign(request, &new, is_any_topic.then_some(ANY_TOPIC)),
            Some((false, Some(old))) => ask::for_exercise(request, &old),
            Some((_, None)) | None => nothing(request),
        }
    };
    Next::Load(Load::NextExercise { topic, difficulty, then: Box::new(then) }).into()
}

/// Assigns an exercise, introduced by `note`.
fn assign(request: QuestionRouted, found: &Assignable, note: Option<&str>) -> Step<Exercise> {
    let shown = exercises::assigned(found.id, &found.topic.slug, &found.exercise);
    let reply = Reply::offline(request.routing, show::answer(found.topic, shown, note));
    Next::Assign { exercise: found.id, reply: Box::new(reply) }.into()
}

fn nothing(request: QuestionRouted) -> Step<Exercise> {
    Step::answer(Reply::offline(request.routing, show::nothing(curriculum::embedded())))
}

/// Makes the next variation of an exercise, or of another one of its topic and difficulty; if there is none
/// left, the old one is assigned again.
pub(crate) fn vary(request: QuestionRouted, old: Assignable) -> Step<Exercise> {
    let templates = old.topic.practice.exercises.iter();
    let mut all: Vec<Variation> = templates
        .filter(|template| template.exercise().difficulty == old.exercise.difficulty)
        .flat_map(|template| {
            let of = exercises::id(&template.exercise().slug, 0);
            exercises::variations(template).map(move |(id, exercise)| Variation {
                id,
                of,
                exercise,
            })
        })
        .collect();
    // Variations of the exercise itself first.
    all.sort_by_key(|variation| variation.of != old.id);
    let ids = all.iter().map(|variation| variation.id).collect();
    let then = move |made: Vec<MadeExercise>| {
        let known = |id: ExerciseId| made.iter().find(|made| made.id == id.as_uuid());
        // One that was made for another student will do, too.
        let mut free =
            all.into_iter().filter(|variation| known(variation.id).is_none_or(|made| made.is_new));
        match free.next() {
            Some(variation) if known(variation.id).is_some() => {
                assign_stored(request, variation.id)
            }
            Some(variation) => {
                let topic = old.topic.slug.clone();
                continue_making(Making::varied(request, topic, variation))
            }
            None => assign_again(request, old.topic.slug.clone(), old.exercise.difficulty),
        }
    };
    Next::Load(Load::Made { ids, then: Box::new(then) }).into()
}

/// Assigns the exercise with this id.
fn assign_stored(request: QuestionRouted, id: ExerciseId) -> Step<Exercise> {
    let then = move |found: Option<_>| match found.and_then(Assignable::of) {
        Some(found) => assign(request, &found, None),
        None => nothing(request),
    };
    Next::Load(Load::Exercise { id, then: Box::new(then) }).into()
}

/// Assigns the exercise of a topic and difficulty that the student had longest ago.
fn assign_again(request: QuestionRouted, topic: String, difficulty: Difficulty) -> Step<Exercise> {
    let then = move |found: Option<NextExercise<Task>>| {
        let found = found.map(|found| (found.is_new, Assignable::of(found.exercise)));
        match found {
            Some((is_new, Some(old))) => assign(request, &old, (!is_new).then_some(ALL_DONE)),
            Some((_, None)) | None => nothing(request),
        }
    };
    Next::Load(Load::NextExercise { topic: Some(topic), difficulty, then: Box::new(then) }).into()
}

/// Has the next trial run, or stores the exercise and assigns it.
pub(crate) fn continue_making(making: Making) -> Step<Exercise> {
    match making.next() {
        make::Next::Run(program) => {
            let state = Running::Making(Box::new(making));
            Next::Run(Box::new(Run { program: *program, state, fallback: None })).into()
        }
        make::Next::Solve => ask::for_solution(making),
        make::Next::Judged(report) => publish(making, &report),
    }
}

/// Stores the exercise, and assigns it if it has no fault.
pub(crate) fn publish(making: Making, report: &Report) -> Step<Exercise> {
    let faults: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    let source = making.source();
    let Making { request, topic, id, exercise, variation_of, .. } = making;
    let made = ExerciseMade {
        id,
        topic: topic.clone(),
        exercise: exercise.clone(),
        source,
        variation_of,
        faults: (!faults.is_empty()).then(|| faults.join("; ")),
    };
    let store = Effect::StoreExercise(Box::new(made));
    if !faults.is_empty() {
        return assign_again(request, topic, exercise.difficulty).with(store);
    }
    let Some(topic) = curriculum::embedded().topic(&topic) else {
        return nothing(request).with(store);
    };
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let generated = ExerciseGenerated {
        exercise_id: id,
        student_id: request.asked.student_id,
        request_id: request.asked.query_id.as_uuid(),
        topic: topic.slug.clone(),
        difficulty: exercise.difficulty,
        source: source.to_owned(),
        mutants: (count(report.mutants), count(report.killed)),
    };
    let answer = show::answer(topic, exercises::assigned(id, &topic.slug, &exercise), None);
    let routing = request.routing;
    let reply = match variation_of {
        None => Reply::by_model(routing, answer),
        Some(_) => Reply::offline(routing, answer),
    };
    Step::from(Next::Assign { exercise: id, reply: Box::new(reply) })
        .with(store)
        .with(Effect::Announce(Box::new(generated)))
}
