//! What a question means: which agent it is for, which part of the course it is about, and in which language it is.
//! Learned from questions (`training/`), and the same on every machine.
//!
//! Belongs here: the models, their files of weights, and what they are trained with. Never here: deciding what is done
//! with a question, or how it is answered.

mod agent;
pub mod asking;
mod bm25;
mod descent;
mod encoder;
mod idea;
mod index;
mod language;
mod matrix;
mod patterns;
pub mod questions;
mod synonyms;
pub mod training;
mod vectors;
mod vocabulary;
mod weights;
mod wordpiece;

pub use agent::{Asked, Reading, read};
pub use idea::{Likely, Subject, ideas, together, topic};
pub use language::{Foreign, recognise};
pub use patterns::compile;
