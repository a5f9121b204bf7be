//! What a client believes is stored, and what is done if that is wrong (RFC 9110, section 13). Pure.

use axum::http::{HeaderMap, StatusCode, header};
use chrono::{DateTime, SecondsFormat, Utc};
use runtime::web::Problem;
use storage::editor_drafts::EditorDraft;

/// What a client believes is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Believed {
    /// Nothing: `If-None-Match: *`.
    Nothing,
    /// Anything at all: `If-Match: *`.
    Anything,
    /// The text with one of these tags: `If-Match: "…"`. Weak ones are left out, since they never match.
    OneOf(Vec<String>),
}

impl Believed {
    /// What the headers of a request say; `None` if they say nothing.
    ///
    /// # Errors
    /// 422 for an `If-None-Match` with a tag, which would replace any other text.
    pub(super) fn read(headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        let values = headers.get_all(header::IF_MATCH).iter();
        // What is no text names no tag of ours.
        let texts = values.map(|value| value.to_str().unwrap_or_default());
        let tags: Vec<&str> = texts.flat_map(|text| text.split(',')).map(str::trim).collect();
        if tags.contains(&"*") {
            return Ok(Some(Self::Anything));
        }
        if !tags.is_empty() {
            let strong = tags.into_iter().filter(|tag| tag.starts_with('"')).map(str::to_owned);
            return Ok(Some(Self::OneOf(strong.collect())));
        }
        match headers.get(header::IF_NONE_MATCH).map(|value| value.to_str().unwrap_or_default()) {
            None => Ok(None),
            Some("*") => Ok(Some(Self::Nothing)),
            Some(_) => Err(Problem::field(
                "If-None-Match",
                "only `*`, to make a new draft; to replace one, send its `ETag` in `If-Match`",
            )),
        }
    }
}

/// A draft's entity tag.
pub(super) fn tag(draft: &EditorDraft) -> String {
    format!("\"{}\"", draft.version)
}

/// Why nothing is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mismatch {
    /// Something was stored at this time that the client does not know.
    Changed(DateTime<Utc>),
    /// A new draft was made at the same moment.
    JustMade,
    /// What the client knows is gone.
    Gone,
}

impl From<Mismatch> for Problem {
    fn from(mismatch: Mismatch) -> Self {
        const ADVICE: &str =
            "GET it, keep what you want of both texts, and send that with its `ETag` in `If-Match`";
        let (code, detail) = match mismatch {
            Mismatch::Changed(at) => {
                let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
                ("draft_changed", format!("the draft was changed elsewhere at {at}; {ADVICE}"))
            }
            Mismatch::JustMade => {
                ("draft_changed", format!("another device has just made this draft; {ADVICE}"))
            }
            Mismatch::Gone => {
                let detail = "the draft was deleted elsewhere; send it with `If-None-Match: *` to make it again";
                ("draft_gone", detail.to_owned())
            }
        };
        Self::new(StatusCode::PRECONDITION_FAILED, code, detail)
    }
}

/// What is done with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Put<'a> {
    /// It is a new draft.
    Make,
    /// It replaces what is stored.
    Replace,
    /// It is stored already.
    Keep(&'a EditorDraft),
}

/// Decides what becomes of a text.
///
/// The same text again succeeds whatever the client believes: nothing is lost by it, and it may be a request that is
/// repeated because its response was lost.
pub(super) fn put<'a>(
    stored: Option<&'a EditorDraft>,
    believed: &Believed,
    text: &str,
) -> Result<Put<'a>, Mismatch> {
    match stored {
        None if *believed == Believed::Nothing => Ok(Put::Make),
        None => Err(Mismatch::Gone),
        Some(draft) if draft.text == text => Ok(Put::Keep(draft)),
        Some(draft) => known(draft, believed).map(|()| Put::Replace),
    }
}

/// Whether a client knows what it replaces or deletes.
pub(super) fn known(draft: &EditorDraft, believed: &Believed) -> Result<(), Mismatch> {
    let is_known = match believed {
        Believed::Nothing => false,
        Believed::Anything => true,
        Believed::OneOf(tags) => tags.contains(&tag(draft)),
    };
    if is_known { Ok(()) } else { Err(Mismatch::Changed(draft.updated_at)) }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, header};
    use chrono::DateTime;
    use storage::editor_drafts::EditorDraft;
    use uuid::Uuid;

    use super::{Believed, Mismatch, Put, put, tag};

    fn stored() -> EditorDraft {
        let (version, updated_at) = (Uuid::from_u128(7), DateTime::UNIX_EPOCH);
        EditorDraft { version, text: "print(1)".to_owned(), updated_at }
    }

    #[test]
    fn a_text_replaces_only_what_its_writer_knows() {
        let draft = stored();
        let (known, other) = (tag(&draft), "\"other\"".to_owned());
        let changed = Err(Mismatch::Changed(draft.updated_at));
        for (believed, expected) in [
            (Believed::Nothing, changed.clone()),
            (Believed::Anything, Ok(Put::Replace)),
            (Believed::OneOf(vec![other.clone(), known]), Ok(Put::Replace)),
            (Believed::OneOf(vec![other]), changed.clone()),
            (Believed::OneOf(Vec::new()), changed),
        ] {
            assert_eq!(put(Some(&draft), &believed, "print(2)"), expected, "{believed:?}");
            assert_eq!(put(Some(&draft), &believed, "print(1)"), Ok(Put::Keep(&draft)));
        }
        assert_eq!(put(None, &Believed::Nothing, "x"), Ok(Put::Make));
        assert_eq!(put(None, &Believed::Anything, "x"), Err(Mismatch::Gone));
    }

    #[test]
    fn headers_are_read_as_the_standard_says() {
        let read = |pairs: &[(header::HeaderName, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(name, HeaderValue::from_str(value).unwrap());
            }
            Believed::read(&headers).map_err(|problem| problem.status())
        };
        let one_of = |tags: &[&str]| {
            Ok(Some(Believed::OneOf(tags.iter().map(|tag| (*tag).to_owned()).collect())))
        };
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[(header::IF_NONE_MATCH, "*")]), Ok(Some(Believed::Nothing)));
        assert_eq!(read(&[(header::IF_NONE_MATCH, "\"a\"")]), Err(422));
        assert_eq!(read(&[(header::IF_MATCH, "*")]), Ok(Some(Believed::Anything)));
        assert_eq!(read(&[(header::IF_MATCH, "\"a\" , W/\"b\"")]), one_of(&["\"a\""]));
        let two = [(header::IF_MATCH, "\"a\""), (header::IF_MATCH, "\"b\"")];
        assert_eq!(read(&two), one_of(&["\"a\"", "\"b\""]));
        assert_eq!(read(&[(header::IF_MATCH, "a")]), one_of(&[]), "it is no tag");
        let both = [(header::IF_MATCH, "\"a\""), (header::IF_NONE_MATCH, "*")];
        assert_eq!(read(&both), one_of(&["\"a\""]), "the first one is checked first");
    }
}
