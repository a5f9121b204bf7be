//! Setting an exercise: one that the student has not had, else one that is made, else an old one again.

use agents::Origin;
use curriculum::{Curriculum, Exercise, Topic};
use domain::{
    agent::AnsweredBy,
    difficulty::Difficulty,
    hints::{self, Step},
};
use events::{
    activity_recorded::{Activity, ActivityRecorded},
    exercise_generated::ExerciseGenerated,
    question_routed::QuestionRouted,
};
use exercises::{Fault, Report};
use ids::ExerciseId;
use runtime::{HandlerError, Outgoing};
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use storage::{
    exercises::{self as stored, NewExercise},
    hint_ladders,
};
use tutor::Tutor;
use uuid::Uuid;

use crate::{
    Waiting, answered, answered_by,
    choose::Wish,
    help,
    make::{Making, Next},
    model::{have_solved, have_written},
    show,
};

/// Where exercises that were made stand in lists: after the course.
const AFTER_THE_COURSE: i32 = 1_000_000;

/// An exercise that can be set, with its topic.
#[derive(Debug)]
pub(crate) struct Ready {
    pub(crate) id: ExerciseId,
    pub(crate) topic: &'static Topic,
    pub(crate) exercise: Exercise,
}

fn ready(found: stored::StoredExercise) -> Result<Option<Ready>, HandlerError> {
    let exercise = serde_json::from_value(found.body).map_err(HandlerError::fail)?;
    let topic = curriculum::embedded().topic(&found.topic);
    Ok(topic.map(|topic| Ready { id: found.id, topic, exercise }))
}

/// The exercise with this id.
pub(crate) async fn find(
    conn: &mut PgConnection,
    id: ExerciseId,
) -> Result<Option<Ready>, HandlerError> {
    let found = agents::exercise(conn, Some(id)).await?;
    Ok(found.and_then(|(slug, exercise)| {
        let topic = curriculum::embedded().topic(&slug)?;
        Some(Ready { id, topic, exercise })
    }))
}

fn wish(course: &Curriculum, request: &QuestionRouted) -> Wish {
    let page = request.asked.topic.as_ref().map(|topic| topic.as_str());
    Wish::of_question(course, request.asked.question.as_str(), page, request.level)
}

/// Sets an exercise that the student has not had, or has one made.
pub(crate) async fn begin(
    conn: &mut PgConnection,
    tutor: Option<&Tutor>,
    origin: Origin,
    request: QuestionRouted,
) -> Result<Outgoing, HandlerError> {
    let course = curriculum::embedded();
    let wish = wish(course, &request);
    let topic = wish.topic.as_deref();
    let found = stored::next_for(conn, origin.student, topic, wish.difficulty)
        .await
        .map_err(HandlerError::retry)?;
    let Some((found, is_new)) = found else {
        return answered(request, AnsweredBy::Offline, show::nothing(course));
    };
    let Some(old) = ready(found)? else {
        return answered(request, AnsweredBy::Offline, show::nothing(course));
    };
    if is_new {
        let note = topic.is_none().then_some(
            "Name a topic, such as lists or functions, if you would rather practise that. For now:",
        );
        return set(conn, origin, request, (&old, note)).await;
    }
    match tutor {
        Some(tutor) => have_written(conn, tutor, origin, request, old).await,
        None => vary(conn, origin, request, old).await,
    }
}

/// Sets an exercise.
async fn set(
    conn: &mut PgConnection,
    origin: Origin,
    request: QuestionRouted,
    (ready, note): (&Ready, Option<&str>),
) -> Result<Outgoing, HandlerError> {
    stored::note_set(conn, origin.student, ready.id, origin.now)
        .await
        .map_err(HandlerError::retry)?;
    let set = exercises::set(ready.id, &ready.topic.slug, &ready.exercise);
    answered(request, AnsweredBy::Offline, show::answer(ready.topic, set, note))
}

/// Makes the next variation of an exercise, or of another one of its topic and difficulty; if there is none
/// left, the old one is set again.
pub(crate) async fn vary(
    conn: &mut PgConnection,
    origin: Origin,
    request: QuestionRouted,
    old: Ready,
) -> Result<Outgoing, HandlerError> {
    let templates = old.topic.practice.exercises.iter();
    let mut all: Vec<(ExerciseId, ExerciseId, Exercise)> = templates
        .filter(|template| template.exercise().difficulty == old.exercise.difficulty)
        .flat_map(|template| {
            let of = exercises::id(&template.exercise().slug, 0);
            exercises::variations(template).map(move |(id, exercise)| (id, of, exercise))
        })
        .collect();
    // Of the exercise itself first.
    all.sort_by_key(|(_, of, _)| *of != old.id);
    let ids: Vec<Uuid> = all.iter().map(|(id, ..)| id.as_uuid()).collect();
    let kept = stored::kept(conn, origin.student, &ids).await.map_err(HandlerError::retry)?;
    let known = |id: &ExerciseId| kept.iter().find(|kept| kept.id == id.as_uuid());
    // One that was made for somebody else does as well.
    match all.into_iter().find(|(id, ..)| known(id).is_none_or(|kept| kept.is_new)) {
        Some((id, of, exercise)) => match known(&id) {
            Some(_) => give(conn, origin, request, id).await,
            None => {
                let topic = old.topic.slug.clone();
                // A variation needs no model: it says what an exercise of the course says.
                go_on(conn, None, origin, Making::varied(request, topic, (id, of), exercise)).await
            }
        },
        None => again(conn, origin, request, (&old.topic.slug, old.exercise.difficulty)).await,
    }
}

/// Sets the exercise with this id.
async fn give(
    conn: &mut PgConnection,
    origin: Origin,
    request: QuestionRouted,
    id: ExerciseId,
) -> Result<Outgoing, HandlerError> {
    match find(conn, id).await? {
        Some(ready) => set(conn, origin, request, (&ready, None)).await,
        None => answered(request, AnsweredBy::Offline, show::nothing(curriculum::embedded())),
    }
}

/// Sets the exercise of a topic and a difficulty that the student has had longest ago.
async fn again(
    conn: &mut PgConnection,
    origin: Origin,
    request: QuestionRouted,
    (topic, difficulty): (&str, Difficulty),
) -> Result<Outgoing, HandlerError> {
    const NOTE: &str = "You have had all that I have of this. Do this one again, without looking at your old solution:";
    let found = stored::next_for(conn, origin.student, Some(topic), difficulty)
        .await
        .map_err(HandlerError::retry)?;
    match found.map(|(found, is_new)| Ok((ready(found)?, is_new))).transpose()? {
        Some((Some(old), is_new)) => {
            set(conn, origin, request, (&old, (!is_new).then_some(NOTE))).await
        }
        _ => answered(request, AnsweredBy::Offline, show::nothing(curriculum::embedded())),
    }
}

/// Has the next trial run, or keeps the exercise and sets it.
pub(crate) async fn go_on(
    conn: &mut PgConnection,
    tutor: Option<&Tutor>,
    origin: Origin,
    making: Making,
) -> Result<Outgoing, HandlerError> {
    match making.next() {
        Next::Run(program) => {
            let waiting = Waiting::Making(Box::new(making));
            agents::request_run(conn, origin, &waiting, *program).await
        }
        Next::Solve => match have_solved(conn, tutor, origin, &making).await? {
            Some(requested) => Outgoing::none().with(&requested),
            None => publish(conn, origin, making, Report::of(Fault::Unsolved)).await,
        },
        Next::Judged(report) => publish(conn, origin, making, report).await,
    }
}

/// Keeps the exercise, and sets it if it has no fault.
pub(crate) async fn publish(
    conn: &mut PgConnection,
    origin: Origin,
    making: Making,
    report: Report,
) -> Result<Outgoing, HandlerError> {
    let faults: Vec<String> = report.faults.iter().map(ToString::to_string).collect();
    let faults = (!faults.is_empty()).then(|| faults.join("; "));
    keep(conn, origin, &making, faults.as_deref()).await?;
    let source = making.source();
    let Making { request, topic, id, exercise, .. } = making;
    if let Some(faults) = faults {
        tracing::warn!(source, faults, "an exercise did not pass the gates");
        return again(conn, origin, request, (&topic, exercise.difficulty)).await;
    }
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let generated = ExerciseGenerated {
        exercise_id: id,
        student_id: origin.student,
        request_id: origin.query.as_uuid(),
        topic: topic.clone(),
        difficulty: exercise.difficulty,
        source: source.to_owned(),
        mutants: (count(report.mutants), count(report.killed)),
    };
    let Some(topic) = curriculum::embedded().topic(&topic) else {
        return answered(request, AnsweredBy::Offline, show::nothing(curriculum::embedded()));
    };
    stored::note_set(conn, origin.student, id, origin.now).await.map_err(HandlerError::retry)?;
    let by = if source == "model" { AnsweredBy::Model } else { AnsweredBy::Offline };
    let answer = show::answer(topic, exercises::set(id, &topic.slug, &exercise), None);
    Outgoing::none().with(&answered_by(request, by, answer))?.with(&generated)
}

async fn keep(
    conn: &mut PgConnection,
    origin: Origin,
    making: &Making,
    faults: Option<&str>,
) -> Result<(), HandlerError> {
    let body = serde_json::to_value(&making.exercise).map_err(HandlerError::fail)?;
    let exercise = NewExercise {
        id: making.id,
        topic: &making.topic,
        difficulty: making.exercise.difficulty,
        title: &making.exercise.title,
        task: &making.exercise.task,
        starter: &making.exercise.starter,
        body: &body,
        source: making.source(),
        position: AFTER_THE_COURSE,
        variation_of: making.variation_of,
        faults,
    };
    stored::upsert(conn, &exercise, origin.now).await.map_err(HandlerError::retry)
}

/// Gives the next hint to the exercise that is open.
pub(crate) async fn help(
    conn: &mut PgConnection,
    origin: Origin,
    request: QuestionRouted,
    open: Ready,
) -> Result<Outgoing, HandlerError> {
    let problem = open.id.as_uuid().as_bytes().to_vec();
    let attempt = Sha256::digest(agents::code(&request).unwrap_or_default().as_bytes());
    let before = hint_ladders::find(conn, origin.student, &problem).await;
    let before = before.map_err(HandlerError::retry)?;
    let (step, ladder) = hints::climb(before, 1, &attempt, origin.now);
    hint_ladders::store(conn, origin.student, &problem, &ladder)
        .await
        .map_err(HandlerError::retry)?;
    let set = exercises::set(open.id, &open.topic.slug, &open.exercise);
    let answer = help::answer(&open.exercise, &set, (step, &ladder), &request.routing);
    let outgoing = answered(request, AnsweredBy::Offline, answer)?;
    if step != Step::New {
        return Ok(outgoing);
    }
    outgoing.with(&ActivityRecorded {
        student_id: origin.student,
        request_id: origin.query.as_uuid(),
        activity: Activity::HintGiven {
            level: ladder.rung,
            of: hints::RUNGS,
            rule: "exercise".to_owned(),
            exercise_id: Some(open.id.as_uuid()),
        },
    })
}
