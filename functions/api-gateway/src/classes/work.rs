//! What students have handed in for assignments.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::assignment::{AssignmentState, EXERCISES_OF_TOPIC, Solutions, Work};
use ids::ExerciseId;
use runtime::web::Problem;
use sqlx::PgConnection;
use storage::assignments::{self, Assignment, Tried};
use uuid::Uuid;

/// The work of some students for some assignments.
#[derive(Debug, Default)]
pub(crate) struct Works(BTreeMap<Uuid, Vec<Tried>>);

impl Works {
    /// What these students have handed in for these assignments.
    ///
    /// # Errors
    /// 503 if the database is away.
    pub(crate) async fn load(
        conn: &mut PgConnection,
        students: &[Uuid],
        assigned: &[Assignment],
    ) -> Result<Self, Problem> {
        let exercises = assigned.iter().filter_map(|one| one.exercise_id);
        let exercises: Vec<Uuid> = exercises.map(ExerciseId::as_uuid).collect();
        let topics = assigned.iter().filter(|one| one.exercise_id.is_none());
        let topics: Vec<String> = topics.map(|one| one.topic.clone()).collect();
        let mut works = Self::default();
        for tried in assignments::tried(conn, students, &exercises, &topics).await? {
            works.0.entry(tried.student).or_default().push(tried);
        }
        Ok(works)
    }

    /// A student's work for an assignment.
    pub(crate) fn of(&self, student: Uuid, assignment: &Assignment) -> Work {
        let exercise = assignment.exercise_id.map(ExerciseId::as_uuid);
        let counts = |tried: &&Tried| match exercise {
            Some(exercise) => tried.exercise == exercise,
            None => tried.topic == assignment.topic,
        };
        let tried = self.0.get(&student).into_iter().flatten().filter(counts);
        let solutions: Vec<Solutions> = tried
            .map(|tried| Solutions { handed_in: tried.handed_in, solved_at: tried.solved_at })
            .collect();
        Work::of(&solutions, if exercise.is_some() { 1 } else { EXERCISES_OF_TOPIC })
    }

    /// How far a student is with an assignment.
    pub(crate) fn state(
        &self,
        student: Uuid,
        assignment: &Assignment,
        now: DateTime<Utc>,
    ) -> AssignmentState {
        self.of(student, assignment).state(assignment.due_at, now)
    }
}
