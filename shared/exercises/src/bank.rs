//! The course's own exercises and their variations, with ids that derive from their names.

use curriculum::{Curriculum, Exercise, Template, Topic};
use ids::ExerciseId;
use uuid::Uuid;

/// An exercise of the course.
#[derive(Debug, Clone)]
pub struct BankExercise<'a> {
    /// Its id.
    pub id: ExerciseId,
    /// Its topic.
    pub topic: &'a Topic,
    /// The exercise.
    pub exercise: Exercise,
    /// Its place in the course, from 0.
    pub position: usize,
}

/// The id of a variation of an exercise; the exercise itself is variation 0.
#[must_use]
pub fn id(slug: &str, variation: usize) -> ExerciseId {
    let name = format!("learnflow/exercises/{slug}/{variation}");
    ExerciseId::from_uuid(Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()))
}

/// All exercises of the course as they are written, in teaching order.
pub fn bank(course: &Curriculum) -> impl Iterator<Item = BankExercise<'_>> {
    course.exercises().enumerate().map(|(position, (topic, template))| {
        let exercise = template.exercise();
        BankExercise { id: id(&exercise.slug, 0), topic, exercise, position }
    })
}

/// The variations of an exercise, its written form left out. What their tests expect is for its solution to
/// say.
pub fn variations(template: &Template) -> impl Iterator<Item = (ExerciseId, Exercise)> + '_ {
    (1..template.variations()).map(|number| {
        let exercise = template.variation(number);
        (id(&exercise.slug, number), exercise)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{bank, variations};

    #[test]
    fn every_exercise_and_every_variation_has_an_id_of_its_own() {
        let course = curriculum::embedded();
        let written = bank(course).map(|entry| entry.id);
        let varied = course.exercises().flat_map(|(_, template)| variations(template));
        let ids: Vec<_> = written.chain(varied.map(|(id, _)| id)).collect();
        let distinct: BTreeSet<_> = ids.iter().collect();
        assert_eq!((ids.len(), distinct.len()), (177, 177));
    }
}
