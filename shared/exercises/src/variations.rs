//! The variations of an exercise, with ids that derive from its name.

use ids::ExerciseId;
use uuid::Uuid;

use crate::exercise::{Exercise, Template};

/// The id of a variation of an exercise; the exercise itself is variation 0.
#[must_use]
pub fn id(slug: &str, variation: usize) -> ExerciseId {
    let name = format!("learnflow/exercises/{slug}/{variation}");
    ExerciseId::from_uuid(Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()))
}

/// The variations of an exercise, except its written form. Their tests get expected values from the solution.
pub fn variations(template: &Template) -> impl Iterator<Item = (ExerciseId, Exercise)> + '_ {
    (1..template.variations()).map(|number| {
        let exercise = template.variation(number);
        (id(&exercise.slug, number), exercise)
    })
}
