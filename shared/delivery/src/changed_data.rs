//! Data that an operator has changed before an event is sent again. Pure.

use events::{
    CloudEvent, DecodeError, Json,
    envelope::MAX_DATA_BYTES,
    event_types::{self, About},
};
use ids::UserId;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::sealing::sealed_size;

/// Why changed data is not sent.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// Nobody here could say whether the data is right.
    #[error("no function here handles {0}, so its data cannot be changed")]
    Type(String),
    /// Functions could not read it.
    #[error("the data does not have the form of its type")]
    Shape(#[source] DecodeError),
    /// It would be sealed with another key, or get into another student's order.
    #[error("the data must be about the same person and request as before")]
    Another,
    /// Brokers refuse it.
    #[error("the data has {bytes} bytes as it is sent, at most {MAX_DATA_BYTES} can be")]
    TooLarge {
        /// Its size, sealed if it is.
        bytes: usize,
    },
}

/// An event as it was given up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Original<'a> {
    pub(crate) event: &'a CloudEvent,
    /// Its data, if anybody can read it.
    pub(crate) data: Option<&'a Json>,
    /// With whose key it was sealed.
    pub(crate) owner: Option<UserId>,
}

/// What follows from changed data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    /// With whose key it is sealed.
    pub(crate) owner: Option<UserId>,
    pub(crate) student: UserId,
    pub(crate) correlation: Uuid,
    /// The members of the data that were changed, by their names. None is a text that somebody wrote: only members that the
    /// type has are named.
    pub(crate) members: Vec<String>,
}

/// Checks changed data as the functions would that handle the event.
///
/// What an event says of itself outside of its data (whom it is about, its request, its place in their order) stays, so
/// the data must agree with that.
pub(crate) fn check(original: Original<'_>, data: &Json) -> Result<Change, ChangeError> {
    let Original { event, owner, .. } = original;
    let unknown = || ChangeError::Type(event.event_type.clone());
    let types = event_types::all();
    let known = types.iter().find(|known| known.name == event.event_type).ok_or_else(unknown)?;
    let about = known.read(data).ok_or_else(unknown)?.map_err(ChangeError::Shape)?;
    let says = |text: Option<&String>| text.and_then(|text| text.parse::<Uuid>().ok());
    let is_another = says(event.subject.as_ref()).is_some_and(|id| id != about.student.as_uuid())
        || says(event.extensions.get("correlationid")).is_some_and(|id| id != about.correlation)
        || owner.is_some() && owner != about.owner;
    if is_another {
        return Err(ChangeError::Another);
    }
    let bytes = data.as_str().len();
    let bytes = if about.owner.is_some() { sealed_size(bytes) } else { bytes };
    if bytes > MAX_DATA_BYTES {
        return Err(ChangeError::TooLarge { bytes });
    }
    let (before, after) = (members(original.data), members(Some(data)));
    let is_changed = |name: &&str| before.get(*name) != after.get(*name);
    let changed = known.members().into_iter().filter(is_changed).map(str::to_owned).collect();
    let About { student, correlation, owner } = about;
    Ok(Change { owner, student, correlation, members: changed })
}

fn members(data: Option<&Json>) -> Map<String, Value> {
    data.and_then(|data| data.read().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use events::{CloudEvent, Data, Json};
    use ids::UserId;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::{ChangeError, Original, check};

    fn id(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    /// A question of student 2.
    fn event() -> CloudEvent {
        CloudEvent {
            id: id(7).to_string(),
            source: "learnflow/api-gateway".to_owned(),
            event_type: "question.asked.v1".to_owned(),
            subject: Some(id(2).to_string()),
            time: None,
            extensions: [("correlationid".to_owned(), id(1).to_string())].into(),
            data: Data::None,
        }
    }

    fn question(text: &str) -> Value {
        json!({ "query_id": id(1), "student_id": id(2), "question": text })
    }

    fn changed(
        event: &CloudEvent,
        before: Option<Value>,
        after: Value,
    ) -> Result<Vec<String>, ChangeError> {
        let (before, after) = (before.map(Json::from), Json::from(after));
        let owner = Some(UserId::from_uuid(id(2)));
        let change = check(Original { event, data: before.as_ref(), owner }, &after)?;
        assert_eq!((change.owner, change.correlation), (owner, id(1)));
        Ok(change.members)
    }

    #[test]
    fn the_members_that_were_changed_are_named_and_nothing_that_is_in_them() {
        let mut after = question("Why?");
        after["topic"] = json!("lists");
        after["swordfish"] = json!(1);
        let members = changed(&event(), Some(question("Wy?")), after).unwrap();
        assert_eq!(members, ["question", "topic"]);
        assert!(changed(&event(), Some(question("x")), question("x")).unwrap().is_empty());
        let damaged = changed(&event(), None, question("x")).unwrap();
        assert_eq!(damaged, ["query_id", "question", "student_id"], "nothing is known of before");
        let foreign = changed(&event(), Some(json!({ "swordfish": 1 })), question("x")).unwrap();
        assert_eq!(foreign, damaged);
    }

    #[test]
    fn data_must_be_what_functions_can_read() {
        let mut faulty = question("x");
        faulty["question"] = json!(1);
        let error = changed(&event(), None, faulty).unwrap_err();
        assert!(matches!(error, ChangeError::Shape(_)), "{error:?}");
        let later = CloudEvent { event_type: "question.asked.v9".to_owned(), ..event() };
        let error = changed(&later, None, question("x")).unwrap_err();
        assert!(matches!(error, ChangeError::Type(_)), "{error:?}");
        let mut long = question("x");
        long["code"] = json!("x".repeat(65_536));
        assert!(changed(&event(), None, long.clone()).is_ok());
        // A member that no version here knows counts, too.
        long["later"] = json!("x".repeat(700_000));
        let error = changed(&event(), None, long).unwrap_err();
        assert!(matches!(error, ChangeError::TooLarge { bytes } if bytes > 900_000), "{error:?}");
    }

    #[test]
    fn data_stays_about_the_same_person_and_request() {
        for member in ["student_id", "query_id"] {
            let mut other = question("x");
            other[member] = json!(id(9));
            let error = changed(&event(), None, other.clone()).unwrap_err();
            assert!(matches!(error, ChangeError::Another), "{member}: {error:?}");
            // Also if only the key says whose it was.
            let bare = CloudEvent { subject: None, ..event() };
            let error = changed(&bare, None, other).unwrap_err();
            assert!(matches!(error, ChangeError::Another), "{member}: {error:?}");
        }
    }
}
