//! What the course says to a question: which idea it is about, as far as that can be told, and an answer from the texts
//! of the course.
//!
//! Belongs here: the choice of ideas, and the words around them. Never here: programs, models, and who is asked.

mod about;
pub mod answer;
mod asked;

pub use self::{
    about::{About, Choice, about},
    answer::answer,
    asked::Asked,
};
