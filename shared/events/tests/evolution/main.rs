//! Versions side by side: this version's consumers read last version's events, and the other way round.
//!
//! `last_version.json` was recorded by last version's code: for each type the events that it writes, the fields that
//! its consumers need, and the fields with a closed set of names. It is recorded again at a release, by `RECORD=1 cargo
//! test -p events --test evolution`; until then it does not change.

use std::collections::{BTreeMap, BTreeSet};

use events::{
    Data,
    envelope::is_versioned_type,
    event_types::{self, EventType},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Reads an event's data as its consumers do, and writes it again.
fn reread(event: &EventType, data: &Value) -> Result<Value, String> {
    let event = event.example(data, "learnflow/test").map_err(|error| error.to_string())?;
    let Data::Json(json) = event.data else { return Err("it has no JSON".to_owned()) };
    json.read().map_err(|error| error.to_string())
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

/// Records an event: tries to read it without each field, and with another text in its place.
fn record(event: &EventType, data: &Value) -> Recorded {
    let mut all = Vec::new();
    pointers(data, "", &mut all);
    let (mut needs, mut closed) = (BTreeSet::new(), BTreeSet::new());
    for pointer in all {
        let mut without = data.clone();
        if remove(&mut without, &pointer) && reread(event, &without).is_err() {
            needs.insert(pointer.clone());
        }
        let mut other = data.clone();
        if let Some(text) = other.pointer_mut(&pointer).filter(|value| is_name(value)) {
            *text = json!("a_name_of_tomorrow");
            if reread(event, &other).is_err() {
                closed.insert(pointer);
            }
        }
    }
    Recorded { data: reread(event, data).expect("its own form"), needs, closed }
}

/// Whether a value may be one of a closed set of names; ids have digits.
fn is_name(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    })
}

fn each_type(mut check: impl FnMut(&EventType, &[Value])) {
    let samples = samples();
    for event in event_types::all() {
        check(&event, samples.get(event.name).expect("a sample of each type"));
    }
}

#[test]
fn samples_are_what_this_version_writes() {
    each_type(|event, samples| {
        for sample in samples {
            assert_eq!(&reread(event, sample).expect("its own form"), sample, "{}", event.name);
        }
    });
}

/// Today's consumers can read events with names and fields that a later version adds.
#[test]
fn what_a_later_version_adds_is_read() {
    each_type(|event, samples| {
        let event_type = event.name;
        for sample in samples {
            let now = record(event, sample);
            assert!(now.closed.is_empty(), "{event_type} knows a closed set at {:?}", now.closed);
            let mut all = vec![String::new()];
            pointers(sample, "", &mut all);
            for pointer in all {
                let mut more = sample.clone();
                let inner = more.pointer_mut(&pointer).and_then(Value::as_object_mut);
                let Some(inner) = inner.filter(|_| !is_map(&pointer)) else { continue };
                inner.insert("of_tomorrow".to_owned(), json!({ "a": [1] }));
                let read = reread(event, &more);
                assert!(read.is_ok(), "{event_type} at {pointer}: {read:?}");
            }
        }
    });
}

/// Objects whose fields are names that a student chooses, or that are passed on as they are.
fn is_map(pointer: &str) -> bool {
    ["/files", "/trace"].iter().any(|map| pointer.contains(map))
}

#[test]
fn this_versions_consumers_read_last_versions_events() {
    let types = event_types::all();
    for (event_type, recorded) in last_version() {
        let known = types.iter().find(|event| event.name == event_type);
        let event = known.expect("a type of event that is gone is still on its way");
        for recorded in &recorded {
            let read = reread(event, &recorded.data);
            assert_eq!(read.as_ref(), Ok(&recorded.data), "{event_type} keeps what it says");
        }
    }
}

#[test]
fn last_versions_consumers_read_this_versions_events() {
    let last_version = last_version();
    each_type(|event, samples| {
        let event_type = event.name;
        // A type that is new is skipped by last version's consumers.
        let Some(recorded) = last_version.get(event_type) else { return };
        for recorded in recorded {
            // What it was like then, of the same kind and with the same optional parts.
            let similar = samples.iter().filter(|sample| is_like(sample, &recorded.data));
            let mut found = 0;
            for sample in similar {
                found += 1;
                for pointer in &recorded.needs {
                    let (then, now) = (recorded.data.pointer(pointer), sample.pointer(pointer));
                    let now =
                        now.unwrap_or_else(|| panic!("{event_type} has no {pointer} any more"));
                    assert_eq!(
                        kind(now),
                        kind(then.expect("it was recorded")),
                        "{event_type}{pointer}"
                    );
                }
                for pointer in &recorded.closed {
                    let names = names_at(&last_version[event_type], pointer);
                    let now = sample.pointer(pointer).and_then(Value::as_str);
                    assert!(
                        now.is_none_or(|now| names.contains(now)),
                        "{event_type}{pointer}: {now:?}"
                    );
                }
            }
            assert!(found > 0, "there is no sample of {event_type} like {}", recorded.data);
        }
    });
}

/// Whether two events are of one kind: their tags are the same, and what is in the one is in the other.
fn is_like(sample: &Value, recorded: &Value) -> bool {
    ["/activity/type", "/answer/details/kind", "/outcome", "/purpose", "/result/verdict"]
        .iter()
        .all(|tag| sample.pointer(tag) == recorded.pointer(tag))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "text",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The names that were recorded at a place, or at the same place of another item.
fn names_at<'a>(recorded: &'a [Recorded], pointer: &str) -> BTreeSet<&'a str> {
    let place = |pointer: &str| -> Vec<String> {
        let parts = pointer.split('/').filter(|part| part.parse::<usize>().is_err());
        parts.map(str::to_owned).collect()
    };
    let mut names = BTreeSet::new();
    for recorded in recorded {
        let same = recorded.closed.iter().filter(|other| place(other) == place(pointer));
        names.extend(same.filter_map(|other| recorded.data.pointer(other)?.as_str()));
    }
    names
}

#[test]
fn every_type_has_a_sample() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut written = BTreeSet::new();
    for file in std::fs::read_dir(folder).expect("the sources") {
        let text = std::fs::read_to_string(file.expect("a file").path()).expect("it can be read");
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let types = code.flat_map(|line| line.split('"').skip(1).step_by(2));
        written.extend(types.filter(|text| is_versioned_type(text)).map(str::to_owned));
    }
    let listed: BTreeSet<String> =
        event_types::all().into_iter().map(|event| event.name.to_owned()).collect();
    assert_eq!(written, listed);
    assert_eq!(samples().into_keys().collect::<BTreeSet<_>>(), listed);
}

/// What a release records: asked to, this writes it.
#[test]
#[expect(clippy::disallowed_methods, reason = "whoever makes a release asks for it")]
fn what_a_release_records_can_be_read_again() {
    let mut all: BTreeMap<String, Vec<Recorded>> = BTreeMap::new();
    each_type(|event, samples| {
        let recorded = samples.iter().map(|sample| record(event, sample));
        all.insert(event.name.to_owned(), recorded.collect());
    });
    let json = serde_json::to_string_pretty(&all).expect("it has a JSON form") + "\n";
    let again: BTreeMap<String, Vec<Recorded>> = serde_json::from_str(&json).expect("its own form");
    assert_eq!(again, all);
    assert!(all.values().flatten().all(|recorded| !recorded.needs.is_empty()));
    if std::env::var("RECORD").is_ok() {
        let tests = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        std::fs::write(tests.join("evolution/last_version.json"), json).expect("it can be written");
    }
}
