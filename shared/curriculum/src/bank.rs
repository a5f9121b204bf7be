//! The course's own exercises, with their ids.

use exercises::{Exercise, id};
use ids::ExerciseId;

use crate::content::{Curriculum, Topic};

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

/// All exercises of the course as they are written, in teaching order.
pub fn bank(course: &Curriculum) -> impl Iterator<Item = BankExercise<'_>> {
    course.exercises().enumerate().map(|(position, (topic, template))| {
        let exercise = template.exercise();
        BankExercise { id: id(&exercise.slug, 0), topic, exercise, position }
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use exercises::variations;

    use super::bank;
    use crate::embedded;

    #[test]
    fn every_exercise_and_every_variation_has_an_id_of_its_own() {
        let course = embedded();
        let written = bank(course).map(|entry| entry.id);
        let varied = course.exercises().flat_map(|(_, template)| variations(template));
        let ids: Vec<_> = written.chain(varied.map(|(id, _)| id)).collect();
        let distinct: BTreeSet<_> = ids.iter().collect();
        assert_eq!((ids.len(), distinct.len()), (177, 177));
    }
}
