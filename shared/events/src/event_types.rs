//! Every type of event with its schema, for documents that describe the events.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use ids::{EventId, UserId};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    CloudEvent, Data, DecodeError, Event, Json, Topic,
    account_erased::AccountErased,
    activity_recorded::ActivityRecorded,
    connection_due::ConnectionDue,
    dead_letter::{self, DeadLetter},
    debug_requested::DebugRequested,
    delivery_due::DeliveryDue,
    envelope,
    execution_finished::ExecutionFinished,
    execution_requested::ExecutionRequested,
    exercise_generated::ExerciseGenerated,
    exercise_requested::ExerciseRequested,
    model_call::{
        AnswerDelta, ConceptsModelFinished, ConceptsModelRequested, DebugModelFinished,
        DebugModelRequested, ExerciseModelFinished, ExerciseModelRequested, ReviewModelFinished,
        ReviewModelRequested, TriageModelFinished, TriageModelRequested,
    },
    notification_made::NotificationMade,
    progress_requested::ProgressRequested,
    progress_updated::{NudgeGiven, ProgressUpdated},
    question_answered::QuestionAnswered,
    question_asked::QuestionAsked,
    question_routed::QuestionRouted,
    review_requested::ReviewRequested,
    struggle_detected::StruggleDetected,
    submission_graded::SubmissionGraded,
    submission_made::SubmissionMade,
};

/// The time of examples.
const EXAMPLE_SECONDS: i64 = 1_767_258_000;

/// A type of event on a topic.
#[derive(Debug, Clone)]
pub struct EventType {
    /// The type's name on the wire.
    pub name: &'static str,
    /// Its topic. One type may travel on several.
    pub topic: Topic,
    /// The name of its data's type in Rust, which is also that of its schema.
    pub data: String,
    /// Whether its data is sealed on its way, with the key of the person whom it is about.
    pub is_sealed: bool,
    /// The schema of its data, and all schemas that this one refers to, by name.
    pub schemas: Vec<(String, Value)>,
    example: fn(&Value, &str) -> serde_json::Result<CloudEvent>,
    read: Option<Read>,
}

/// Reads an event's data as its handlers do.
type Read = fn(&Json) -> Result<About, DecodeError>;

/// What an event's data says about whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct About {
    /// Whom the event is about.
    pub student: UserId,
    /// The request that it belongs to.
    pub correlation: Uuid,
    /// With whose key it is sealed, if it is.
    pub owner: Option<UserId>,
}

impl EventType {
    fn of<E: Event + ToSchema>() -> Self {
        let example = |data: &Value, source: &str| {
            let event: E = serde_json::from_value(data.clone())?;
            let student = event.student_id().to_string();
            let extensions = [
                ("correlationid", event.correlation_id().to_string()),
                ("partitionkey", student.clone()),
            ];
            Ok(CloudEvent {
                subject: Some(student),
                extensions: extensions.map(|(name, text)| (name.to_owned(), text)).into(),
                ..example(E::TYPE, source, Json::of(&event)?)
            })
        };
        let read = |data: &Json| {
            let event: E = envelope::payload(data.as_str().as_bytes())?;
            Ok(About {
                student: event.student_id(),
                correlation: event.correlation_id(),
                owner: E::SEALED.then(|| event.owner()),
            })
        };
        let new = Self::new::<E>(E::TYPE, E::TOPIC, example);
        Self { is_sealed: E::SEALED, read: Some(read), ..new }
    }

    fn new<T: ToSchema>(
        name: &'static str,
        topic: Topic,
        example: fn(&Value, &str) -> serde_json::Result<CloudEvent>,
    ) -> Self {
        let data = T::name().into_owned();
        let mut schemas = vec![(data.clone(), T::schema())];
        T::schemas(&mut schemas);
        // A schema has a JSON form.
        let json = |schema| serde_json::to_value(schema).unwrap_or_default();
        let schemas = schemas.into_iter().map(|(name, schema)| (name, json(schema))).collect();
        Self { name, topic, data, is_sealed: false, schemas, example, read: None }
    }

    /// An event of this type with this data, as `source` sends it.
    ///
    /// # Errors
    /// The data has another shape.
    pub fn example(&self, data: &Value, source: &str) -> serde_json::Result<CloudEvent> {
        (self.example)(data, source)
    }

    /// Reads an event's data as functions that handle it do. `None`: no function handles this type.
    ///
    /// # Errors
    /// The data has another shape.
    pub fn read(&self, data: &Json) -> Option<Result<About, DecodeError>> {
        self.read.map(|read| read(data))
    }

    /// The members that an event's data may have.
    #[must_use]
    pub fn members(&self) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        self.find_members(&self.data, &mut found);
        found
    }

    fn find_members<'a>(&'a self, name: &str, found: &mut BTreeSet<&'a str>) {
        let schema = self.schemas.iter().find(|(known, _)| known == name);
        let mut parts: Vec<&'a Value> = schema.iter().map(|(_, schema)| schema).collect();
        while let Some(part) = parts.pop() {
            let properties = part["properties"].as_object().into_iter().flatten();
            found.extend(properties.map(|(name, _)| name.as_str()));
            for of in ["allOf", "anyOf", "oneOf"] {
                parts.extend(part[of].as_array().into_iter().flatten());
            }
            // A flattened part; no type is a part of itself.
            if let Some(name) = part["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
                self.find_members(name, found);
            }
        }
    }
}

fn example(event_type: &str, source: &str, data: Json) -> CloudEvent {
    CloudEvent {
        id: EventId::from_uuid(Uuid::nil()).to_string(),
        source: source.to_owned(),
        event_type: event_type.to_owned(),
        subject: None,
        time: DateTime::from_timestamp(EXAMPLE_SECONDS, 0),
        extensions: BTreeMap::new(),
        data: Data::Json(data),
    }
}

/// Every type of event on every topic that it travels on.
#[must_use]
pub fn all() -> Vec<EventType> {
    vec![
        EventType::of::<QuestionAsked>(),
        EventType::of::<QuestionRouted>(),
        EventType::of::<DebugRequested>(),
        EventType::of::<ReviewRequested>(),
        EventType::of::<ExerciseRequested>(),
        EventType::of::<ProgressRequested>(),
        EventType::of::<QuestionAnswered>(),
        EventType::of::<AnswerDelta>(),
        EventType::of::<ExecutionRequested>(),
        EventType::of::<ExecutionFinished>(),
        EventType::of::<SubmissionMade>(),
        EventType::of::<SubmissionGraded>(),
        EventType::of::<ExerciseGenerated>(),
        EventType::of::<ActivityRecorded>(),
        EventType::of::<ProgressUpdated>(),
        EventType::of::<NudgeGiven>(),
        EventType::of::<StruggleDetected>(),
        EventType::of::<NotificationMade>(),
        EventType::of::<DeliveryDue>(),
        EventType::of::<ConnectionDue>(),
        EventType::of::<AccountErased>(),
        EventType::of::<TriageModelRequested>(),
        EventType::of::<TriageModelFinished>(),
        EventType::of::<ConceptsModelRequested>(),
        EventType::of::<ConceptsModelFinished>(),
        EventType::of::<DebugModelRequested>(),
        EventType::of::<DebugModelFinished>(),
        EventType::of::<ReviewModelRequested>(),
        EventType::of::<ReviewModelFinished>(),
        EventType::of::<ExerciseModelRequested>(),
        EventType::of::<ExerciseModelFinished>(),
        EventType::new::<DeadLetter>(dead_letter::TYPE, Topic::DeadLetters, |data, source| {
            let letter: DeadLetter = serde_json::from_value(data.clone())?;
            Ok(example(dead_letter::TYPE, source, Json::of(&letter)?))
        }),
    ]
}

#[cfg(test)]
mod tests {
    use std::{
        collections::{BTreeMap, BTreeSet},
        fs,
        path::Path,
    };

    use serde_json::Value;

    use super::all;
    use crate::Json;

    /// The types that the sources of this crate define.
    fn defined() -> BTreeSet<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut names = BTreeSet::new();
        for file in fs::read_dir(folder).expect("the sources") {
            let text = fs::read_to_string(file.expect("a file").path()).expect("it can be read");
            for line in text.lines().map(str::trim) {
                let own = line
                    .strip_prefix("impl Event for ")
                    .and_then(|rest| rest.strip_suffix(" {"))
                    .filter(|name| name.chars().all(char::is_alphanumeric));
                let by_macro = line
                    .split_once(" = \"")
                    .filter(|(_, rest)| rest.contains(".v1\" on ") && rest.ends_with(';'))
                    .and_then(|(head, _)| head.split('(').next());
                names.extend(own.or(by_macro).map(str::to_owned));
            }
        }
        names.insert("DeadLetter".to_owned());
        names
    }

    #[test]
    fn every_type_of_event_is_listed() {
        let listed: Vec<String> = all().into_iter().map(|event| event.data).collect();
        assert_eq!(listed.iter().cloned().collect::<BTreeSet<_>>(), defined());
        assert_eq!(listed.len(), defined().len(), "one is listed twice");
    }

    /// Else a change of such a member would not be named.
    #[test]
    fn the_members_of_every_sample_are_known() {
        let samples = include_str!("../tests/evolution/samples.json");
        let samples: BTreeMap<String, Vec<Value>> = serde_json::from_str(samples).unwrap();
        for event in all() {
            let members = event.members();
            for sample in samples.get(event.name).into_iter().flatten() {
                let names: BTreeSet<&str> =
                    sample.as_object().unwrap().keys().map(String::as_str).collect();
                assert!(names.is_subset(&members), "{}: {names:?}, {members:?}", event.name);
                let read = event.read(&Json::from(sample.clone()));
                assert_eq!(read.is_none(), event.data == "DeadLetter", "{}", event.name);
                assert!(read.is_none_or(|read| read.is_ok()), "{}", event.name);
            }
        }
    }

    #[test]
    fn no_two_schemas_have_one_name() {
        let mut known = BTreeMap::new();
        for (name, schema) in all().into_iter().flat_map(|event| event.schemas) {
            let before = known.insert(name.clone(), schema.clone());
            assert!(before.is_none_or(|before| before == schema), "{name} is two things");
        }
    }
}
