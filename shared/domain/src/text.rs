//! Text that a person typed, bounded and checked once, where it enters.

use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

/// Why a text was refused. The message says what would be accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing but white space.
    #[error("must not be empty")]
    Empty,
    /// Longer than its bound.
    #[error("must be at most {max} characters, got {actual}")]
    TooLong {
        /// The bound, in characters.
        max: usize,
        /// The length that came, in characters.
        actual: usize,
    },
    /// Shorter than its bound.
    #[error("must be at least {min} characters, got {actual}")]
    TooShort {
        /// The bound, in characters.
        min: usize,
        /// The length that came, in characters.
        actual: usize,
    },
    /// A NUL byte, which no database text can hold.
    #[error("must not contain a NUL character")]
    Nul,
    /// Not of the form `name@host.tld`.
    #[error("must be an e-mail address such as ada@example.org")]
    NotAnEmail,
}

/// Refuses NUL and anything over `max` characters.
fn bounded(text: &str, max: usize) -> Result<(), TextError> {
    if text.contains('\0') {
        return Err(TextError::Nul);
    }
    short_enough(text, max)
}

/// Refuses anything over `max` characters.
fn short_enough(text: &str, max: usize) -> Result<(), TextError> {
    // There are never more characters than bytes, so they are counted only when it matters.
    if text.len() > max {
        let actual = text.chars().count();
        if actual > max {
            return Err(TextError::TooLong { max, actual });
        }
    }
    Ok(())
}

fn bounded_and_filled(text: &str, max: usize) -> Result<(), TextError> {
    bounded(text, max)?;
    if text.trim().is_empty() { Err(TextError::Empty) } else { Ok(()) }
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident, max $max:literal, $check:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The most characters that are accepted.
            pub const MAX_CHARS: usize = $max;

            /// The text itself.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = TextError;

            fn try_from(text: String) -> Result<Self, TextError> {
                $check(&text, Self::MAX_CHARS)?;
                Ok(Self(text))
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let text = ObjectBuilder::new().schema_type(Type::String);
                text.max_length(Some(Self::MAX_CHARS)).into()
            }
        }

        impl ToSchema for $name {}
    )+};
}

texts! {
    /// The title of a notification.
    NotificationTitle, max 200, bounded_and_filled;
    /// The text of a notification.
    NotificationText, max 2_000, bounded_and_filled;
    /// The beginning of an address or a name that somebody looks for, or a name to filter a list by.
    SearchText, max 100, bounded_and_filled;
    /// What a student asks. 4,000 characters are two pages of prose; code has its own field.
    Question, max 4_000, bounded_and_filled;
    /// Student code. 64 Ki characters is over 1,500 lines, more than any course exercise.
    Code, max 65_536, bounded;
    /// An error message or traceback as pasted; a full recursion traceback has about 60 KB.
    ErrorText, max 65_536, bounded;
    /// A topic's slug or name, as sent by a client.
    TopicName, max 100, bounded_and_filled;
    /// The name that others in the class see.
    DisplayName, max 100, bounded_and_filled;
    /// What a student adds to a report on an answer: a paragraph.
    Comment, max 1_000, bounded_and_filled;
    /// A program to be run. It may be longer than is run, so that the response can say so as a verdict.
    Source, max 500_000, short_enough;
    /// Standard input: 256 Ki characters are more than a person types in a year.
    Stdin, max 262_144, short_enough;
    /// A file next to the program.
    FileText, max 262_144, short_enough;
    /// What a test case is called.
    TestName, max 200, bounded_and_filled;
    /// What a class of students is called.
    ClassTitle, max 100, bounded_and_filled;
    /// The name of an exception's class.
    ClassName, max 200, bounded_and_filled;
    /// An expression that a test evaluates.
    CallText, max 4_000, bounded_and_filled;
    /// What a test expects.
    ExpectedText, max 65_536, short_enough;
}

/// An e-mail address, trimmed and in lower case, so that one person has one account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, max_length = 254, example = "ada@example.org")]
pub struct Email(String);

impl Email {
    /// The longest address that SMTP carries (RFC 5321, 4.5.3.1.3).
    pub const MAX_CHARS: usize = 254;

    /// The address itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Email {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        let address = text.trim().to_lowercase();
        bounded_and_filled(&address, Self::MAX_CHARS)?;
        let (name, host) = address.rsplit_once('@').ok_or(TextError::NotAnEmail)?;
        let well_formed = !name.is_empty()
            && !name.contains('@')
            && host.contains('.')
            && !host.starts_with('.')
            && !host.ends_with('.')
            // No mail ever goes there (RFC 6761, 6.4): placeholders of ours are such addresses.
            && !host.ends_with(".invalid")
            && !address.contains(char::is_whitespace);
        if well_formed { Ok(Self(address)) } else { Err(TextError::NotAnEmail) }
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

/// The shortest password accepted (NIST SP 800-63B, 3.1.1.2: at least 8).
pub const PASSWORD_MIN_CHARS: usize = 8;
/// The longest password accepted: long enough for any passphrase, short enough to bound hashing.
pub const PASSWORD_MAX_CHARS: usize = 128;

/// Checks a new password's length; there are no rules for its content (NIST SP 800-63B).
///
/// # Errors
/// Too short, too long, or holding a NUL character.
pub fn check_password(password: &str) -> Result<(), TextError> {
    bounded(password, PASSWORD_MAX_CHARS)?;
    let actual = password.chars().count();
    if actual < PASSWORD_MIN_CHARS {
        return Err(TextError::TooShort { min: PASSWORD_MIN_CHARS, actual });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Email, Question, TextError, check_password};

    #[test]
    fn a_question_is_bounded_in_characters_not_bytes() {
        assert!(Question::try_from("é".repeat(4_000)).is_ok());
        assert_eq!(
            Question::try_from("é".repeat(4_001)),
            Err(TextError::TooLong { max: 4_000, actual: 4_001 })
        );
        assert_eq!(Question::try_from(" \n\t".to_owned()), Err(TextError::Empty));
        assert_eq!(Question::try_from("a\0b".to_owned()), Err(TextError::Nul));
    }

    #[test]
    fn an_email_address_is_normalised() {
        let email = |text: &str| Email::try_from(text.to_owned()).map(String::from);
        assert_eq!(email(" Ada@Example.org "), Ok("ada@example.org".to_owned()));
        for wrong in [
            "ada",
            "@example.org",
            "ada@org",
            "ada@.org",
            "ada@example.",
            "a b@c.de",
            "a@b@c.de",
            "ada@x.invalid",
        ] {
            assert_eq!(email(wrong), Err(TextError::NotAnEmail), "{wrong}");
        }
    }

    #[test]
    fn the_length_of_a_password_is_limited() {
        assert!(check_password("12345678").is_ok());
        assert_eq!(check_password("1234567"), Err(TextError::TooShort { min: 8, actual: 7 }));
        assert!(check_password(&"x".repeat(129)).is_err());
    }
}
