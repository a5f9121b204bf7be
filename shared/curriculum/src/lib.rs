//! The course: modules and topics as data files that a teacher can edit, and finding what a question
//! is about.
//!
//! Belongs here: content, its schema, its loading and its index. Never here: deciding how to answer.

mod bank;
mod content;
mod find;
mod load;
mod practice;
pub mod schema;
mod terms;

pub use bank::{BankExercise, bank};
pub use content::{
    Comparison, Concept, Curriculum, Example, Explanations, Lesson, Mistake, Module, Topic,
};
pub use find::{Found, Match};
pub use load::{LoadError, embedded, read};
pub use practice::{Practice, Question};
