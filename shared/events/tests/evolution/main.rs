//! Versions beside each other: this version's consumers read last version's events, and the other way round.
//!
//! `last_version.json` is what last version's code has recorded: for each type the events that it writes, which of their
//! fields its consumers need, and where they know a closed set of names. At a release it is recorded anew, by
//! `RECORD=1 cargo test -p events --test evolution`; until then it stays as it is, whatever is changed here.

use std::collections::{BTreeMap, BTreeSet};

use events::{
    CloudEvent, Data, Envelope, Event,
    activity_recorded::ActivityRecorded,
    dead_letter::{self, DeadLetter},
    debug_requested::DebugRequested,
    execution_finished::ExecutionFinished,
    execution_requested::ExecutionRequested,
    exercise_generated::ExerciseGenerated,
    exercise_requested::ExerciseRequested,
    model_call::{AnswerDelta, ConceptsModelFinished, ConceptsModelRequested},
    question_answered::QuestionAnswered,
    question_asked::QuestionAsked,
    question_routed::QuestionRouted,
    review_requested::ReviewRequested,
    submission_graded::SubmissionGraded,
    submission_made::SubmissionMade,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Reads an event's data as its consumers do, and writes it again.
type Reread = fn(&Value) -> Result<Value, String>;

/// Every type of event.
const TYPES: [(&str, Reread); 16] = [
    (QuestionAsked::TYPE, reread::<QuestionAsked>),
    (QuestionRouted::TYPE, reread::<QuestionRouted>),
    (DebugRequested::TYPE, reread::<DebugRequested>),
    (ReviewRequested::TYPE, reread::<ReviewRequested>),
    (ExerciseRequested::TYPE, reread::<ExerciseRequested>),
    (QuestionAnswered::TYPE, reread::<QuestionAnswered>),
    (ExecutionRequested::TYPE, reread::<ExecutionRequested>),
    (ExecutionFinished::TYPE, reread::<ExecutionFinished>),
    (ActivityRecorded::TYPE, reread::<ActivityRecorded>),
    (SubmissionMade::TYPE, reread::<SubmissionMade>),
    (SubmissionGraded::TYPE, reread::<SubmissionGraded>),
    (ExerciseGenerated::TYPE, reread::<ExerciseGenerated>),
    (ConceptsModelRequested::TYPE, reread::<ConceptsModelRequested>),
    (ConceptsModelFinished::TYPE, reread::<ConceptsModelFinished>),
    (AnswerDelta::TYPE, reread::<AnswerDelta>),
    (dead_letter::TYPE, reread_letter),
];

fn reread<E: Event>(data: &Value) -> Result<Value, String> {
    let event = CloudEvent {
        id: "1".to_owned(),
        source: "learnflow/test".to_owned(),
        event_type: E::TYPE.to_owned(),
        subject: None,
        time: None,
        extensions: BTreeMap::new(),
        data: Data::Json(data.clone()),
    };
    let read = Envelope::<E>::read(event)
        .map_err(|error| format!("{error}: {:?}", std::error::Error::source(&error)))?;
    Ok(serde_json::to_value(read.data).expect("it has a JSON form"))
}

fn reread_letter(data: &Value) -> Result<Value, String> {
    let letter: DeadLetter =
        serde_json::from_value(data.clone()).map_err(|error| error.to_string())?;
    Ok(serde_json::to_value(letter).expect("it has a JSON form"))
}

/// What a version has recorded of one of its events.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Recorded {
    /// The event's data.
    data: Value,
    /// Fields without which its consumers cannot read it, as JSON pointers.
    needs: BTreeSet<String>,
    /// Texts that are one of a closed set of names: another name is not read.
    closed: BTreeSet<String>,
}

fn samples() -> BTreeMap<String, Vec<Value>> {
    serde_json::from_str(include_str!("samples.json")).expect("samples of each type")
}

fn last_version() -> BTreeMap<String, Vec<Recorded>> {
    serde_json::from_str(include_str!("last_version.json")).expect("what was recorded")
}

/// JSON pointers of all that is in a value.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    let mut visit = |name: &str, inner: &Value| {
        let pointer = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        pointers(inner, &pointer, found);
        found.push(pointer);
    };
    match value {
        Value::Object(object) => object.iter().for_each(|(name, inner)| visit(name, inner)),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, inner)| visit(&index.to_string(), inner));
        }
        _ => {}
    }
}

fn remove(value: &mut Value, pointer: &str) -> bool {
    let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
    let parent = value.pointer_mut(parent).and_then(Value::as_object_mut);
    parent
        .is_some_and(|object| object.remove(&name.replace("~1", "/").replace("~0", "~")).is_some())
}

/// Records an event: tries what becomes of it without each field, and with another text in its place.
fn record(reread: Reread, data: &Value) -> Recorded {
    let mut all = Vec::new();
    pointers(data, "", &mut all);
    let (mut needs, mut closed) = (BTreeSet::new(), BTreeSet::new());
    for pointer in all {
        let mut without = data.clone();
        if remove(&mut without, &pointer) && reread(&without).is_err() {
            needs.insert(pointer.clone());
        }
        let mut other = data.clone();
        if let Some(text) = other.pointer_mut(&pointer).filter(|value| is_name(value)) {
            *text = json!("a_name_of_tomorrow");
            if reread(&other).is_err() {
                closed.insert(pointer);
            }
        }
    }
    Recorded { data: reread(data).expect("its own form"), needs, closed }
}

/// Whether a value may be one of a closed set of names; ids have digits.
fn is_name(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    })
}

fn each_type(mut check: impl FnMut(&str, Reread, &[Value])) {
    let samples = samples();
    for (event_type, reread) in TYPES {
        let samples = samples.get(event_type).expect("a sample of each type");
        check(event_type, reread, samples);
    }
}

#[test]
fn samples_are_what_this_version_writes() {
    each_type(|event_type, reread, samples| {
        for sample in samples {
            assert_eq!(&reread(sample).expect("its own form"), sample, "{event_type}");
        }
    });
}

#[test]
fn record_now() {
    let mut all: BTreeMap<String, Vec<Recorded>> = BTreeMap::new();
    each_type(|event_type, reread, samples| {
        all.insert(
            event_type.to_owned(),
            samples.iter().map(|sample| record(reread, sample)).collect(),
        );
    });
    std::fs::write(
        "tests/evolution/last_version.json",
        serde_json::to_string_pretty(&all).unwrap(),
    )
    .unwrap();
}
