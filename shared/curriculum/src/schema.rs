//! JSON Schemas of the course's files, for editors and for teachers who write their own.

use schemars::{Schema, schema_for};

use crate::{Lesson, Practice, load::Comparisons};

/// The kinds of files, each with its schema.
#[must_use]
pub fn schemas() -> [(&'static str, Schema); 3] {
    [
        ("comparisons", schema_for!(Comparisons)),
        ("lesson", schema_for!(Lesson)),
        ("practice", schema_for!(Practice)),
    ]
}

/// A schema, formatted as in its file.
#[must_use]
pub fn text(schema: &Schema) -> String {
    format!("{:#}\n", schema.as_value())
}
