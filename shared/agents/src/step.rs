//! An agent as a state machine: facts go in, steps come out.

use std::{fmt, future::Future};

use chrono::{DateTime, Utc};
use domain::{
    agent::{AnsweredBy, Author},
    difficulty::Difficulty,
    execution::{ExecutionResult, Program},
    hints::Ladder,
    level::Level,
};
use events::{
    Event,
    activity_recorded::Activity,
    exercise_generated::ExerciseGenerated,
    model_call::{Field, ModelFinished, ModelRequested, Task},
    question_answered::Answer,
    question_routed::{QuestionRouted, Routing},
    submission_graded::SubmissionGraded,
};
use exercises::Exercise;
use ids::{ExerciseId, SubmissionId};
use runtime::HandlerError;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sqlx::PgConnection;
use storage::{
    exercises::{MadeExercise, NextExercise, StoredExercise},
    submissions::Record,
};

/// An agent that may need several steps. Its decisions are pure: they read neither clock nor database, and their only
/// effect is what they return.
pub trait Agent: Sized + Send + Sync + 'static {
    /// The name under which it answers.
    const AUTHOR: Author;
    /// The version of `Running` and `Asking`: counted up when what was stored cannot be read as the new shape.
    const VERSION: u32;
    /// What it needs to continue when a program has been run.
    type Running: Serialize + DeserializeOwned + fmt::Debug + Send + Sync;
    /// What it needs to continue when a model has answered.
    type Asking: Serialize + DeserializeOwned + fmt::Debug + Send + Sync;
    /// The event that asks the model, on the agent's own topic.
    type ModelRequested: Event + From<ModelRequested> + Into<ModelRequested>;
    /// The event with the model's answer, on the agent's own topic.
    type ModelFinished: Event + From<ModelFinished> + Into<ModelFinished>;

    /// Continues with what has arrived.
    fn resume(arrived: Arrived<Self>, now: DateTime<Utc>) -> Step<Self>;
}

/// An agent that begins work when an event `E` comes.
pub trait Begin<E: Event>: Agent {
    /// What it must know to begin.
    type Loaded: Send;

    /// Loads it, in as few round trips as possible.
    fn load(
        request: E,
        now: DateTime<Utc>,
        conn: &mut PgConnection,
    ) -> impl Future<Output = Result<Self::Loaded, HandlerError>> + Send;

    /// Decides what comes first.
    fn begin(loaded: Self::Loaded, now: DateTime<Utc>) -> Step<Self>;
}

/// The state of an agent that never waits: one that runs no programs, or asks no model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Never {}

/// What an agent was waiting for.
#[derive(Debug)]
pub enum Arrived<A: Agent> {
    /// The program has been run.
    Run {
        /// What the agent has stored.
        state: A::Running,
        /// What came of the run.
        result: Box<ExecutionResult>,
    },
    /// The model has been asked.
    Model {
        /// What the agent has stored.
        state: A::Asking,
        /// What it said; `None` if there is no model, no budget, or no answer in time.
        text: Option<String>,
    },
}

/// What an agent has decided.
#[derive(Debug)]
pub struct Step<A: Agent> {
    /// Additional changes and announcements, made first.
    pub effects: Vec<Effect>,
    /// What comes next.
    pub next: Next<A>,
}

/// What comes next.
#[derive(Debug)]
pub enum Next<A: Agent> {
    /// Something must be loaded that was not known to be needed before; then the decision continues.
    Load(Load<A>),
    /// A program is run, and the work continues with the result.
    Run(Box<Run<A>>),
    /// A model is asked, and the work continues with its answer, or without one.
    Ask(Box<Ask<A>>),
    /// The question is answered.
    Answer(Box<Reply>),
    /// The question is answered by an exercise that is assigned to the student.
    Assign {
        /// The exercise.
        exercise: ExerciseId,
        /// The answer that shows it.
        reply: Box<Reply>,
    },
    /// The question goes to an agent.
    Route {
        /// Which.
        to: Destination,
        /// The question.
        question: Box<QuestionRouted>,
    },
    /// A solution is graded.
    Grade(Box<SubmissionGraded>),
    /// A solution cannot be graded, which does not count as an attempt.
    GiveUp(SubmissionId),
    /// The event can never be handled.
    Fail(HandlerError),
}

/// A program to be run.
#[derive(Debug)]
pub struct Run<A: Agent> {
    /// The program.
    pub program: Program,
    /// What is needed to continue.
    pub state: A::Running,
    /// The answer if the work cannot be continued.
    pub fallback: Option<Reply>,
}

/// Something to ask a model.
#[derive(Debug)]
pub struct Ask<A: Agent> {
    /// The task.
    pub task: Task,
    /// The input.
    pub fields: Vec<Field>,
    /// What is needed to continue.
    pub state: A::Asking,
    /// The answer if the work cannot be continued.
    pub fallback: Option<Fallback>,
}

/// The answer that a question gets at the least.
#[derive(Debug)]
pub struct Fallback {
    /// The answer.
    pub reply: Reply,
    /// If the model's answer is shared by everybody: what it is about.
    pub shared: Option<Subject>,
}

/// The subject of a shared answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The idea's name.
    pub idea: String,
    /// The level that it is written for.
    pub level: Level,
}

/// An answer to a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// What it was made with.
    pub answered_by: AnsweredBy,
    /// How the question got to the agent.
    pub routing: Routing,
    /// The answer.
    pub answer: Answer,
}

/// An agent to which triage sends questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// Explains an idea.
    Concepts,
    /// Finds why code fails.
    Debug,
    /// Reviews code that works.
    CodeReview,
    /// Assigns exercises.
    Exercise,
    /// Reports progress.
    Progress,
}

/// An additional change or announcement.
#[derive(Debug)]
pub enum Effect {
    /// The student's new position on the hint ladder of a problem.
    StoreLadder {
        /// The problem.
        problem: Vec<u8>,
        /// The position.
        ladder: Ladder,
    },
    /// An exercise was made.
    StoreExercise(Box<ExerciseMade>),
    /// The student did something that shows their progress.
    Record(Activity),
    /// An exercise was made and passed the gates.
    Announce(Box<ExerciseGenerated>),
    /// A model's answer is not used, for this reason.
    Withhold(String),
}

/// An exercise that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct ExerciseMade {
    /// Its id.
    pub id: ExerciseId,
    /// The topic's slug.
    pub topic: String,
    /// The exercise.
    pub exercise: Exercise,
    /// `variation` or `model`.
    pub source: &'static str,
    /// The exercise that it varies.
    pub variation_of: Option<ExerciseId>,
    /// Why it cannot be assigned; none if it can.
    pub faults: Option<String>,
}

/// The continuation of a decision after a load.
pub type Then<A, T> = Box<dyn FnOnce(T) -> Step<A> + Send>;

/// Something to be loaded in the middle of a decision.
pub enum Load<A: Agent> {
    /// An exercise that can be assigned.
    Exercise {
        /// Its id.
        id: ExerciseId,
        /// Continues.
        then: Then<A, Option<StoredExercise<Exercise>>>,
    },
    /// The student's position on the hint ladder of a problem.
    Ladder {
        /// The problem.
        problem: Vec<u8>,
        /// Continues.
        then: Then<A, Option<Ladder>>,
    },
    /// The next exercise for the student.
    NextExercise {
        /// The topic's slug; of any topic if absent.
        topic: Option<String>,
        /// How hard.
        difficulty: Difficulty,
        /// Continues.
        then: Then<A, Option<NextExercise<Exercise>>>,
    },
    /// Which of these exercises were made before.
    Made {
        /// Their ids.
        ids: Vec<ExerciseId>,
        /// Continues.
        then: Then<A, Vec<MadeExercise>>,
    },
    /// How the student has done on an exercise before.
    Record {
        /// The exercise.
        exercise: ExerciseId,
        /// Continues.
        then: Then<A, Record>,
    },
}

impl<A: Agent> fmt::Debug for Load<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exercise { id, .. } => f.debug_tuple("Exercise").field(id).finish(),
            Self::Ladder { problem, .. } => f.debug_tuple("Ladder").field(problem).finish(),
            Self::NextExercise { topic, difficulty, .. } => {
                f.debug_tuple("NextExercise").field(topic).field(difficulty).finish()
            }
            Self::Made { ids, .. } => f.debug_tuple("Made").field(ids).finish(),
            Self::Record { exercise, .. } => f.debug_tuple("Record").field(exercise).finish(),
        }
    }
}

impl<A: Agent> From<Next<A>> for Step<A> {
    fn from(next: Next<A>) -> Self {
        Self { effects: Vec::new(), next }
    }
}

impl<A: Agent> Step<A> {
    /// Answers the question.
    #[must_use]
    pub fn answer(reply: Reply) -> Self {
        Next::Answer(Box::new(reply)).into()
    }

    /// The same with one more effect.
    #[must_use]
    pub fn with(mut self, effect: Effect) -> Self {
        self.effects.push(effect);
        self
    }
}

impl<A: Agent> Ask<A> {
    /// Something to ask a model.
    #[must_use]
    pub fn new(task: Task, fields: &[(&str, &str)], state: A::Asking) -> Self {
        let field = |(name, text): &(&str, &str)| Field {
            name: (*name).to_owned(),
            text: (*text).to_owned(),
        };
        Self { task, fields: fields.iter().map(field).collect(), state, fallback: None }
    }
}

impl Reply {
    /// An answer without a model, with the clarifying question if the student's was unclear.
    #[must_use]
    pub fn offline(routing: Routing, mut answer: Answer) -> Self {
        if let Some(clarification) = &routing.clarification {
            answer.content.push_str(&format!("\n\n*{clarification}*"));
        }
        Self::greeted(AnsweredBy::Offline, routing, answer)
    }

    /// An answer with what a model has said.
    #[must_use]
    pub fn by_model(routing: Routing, answer: Answer) -> Self {
        Self::greeted(AnsweredBy::Model, routing, answer)
    }

    /// An answer that begins with a word in the student's language.
    fn greeted(answered_by: AnsweredBy, routing: Routing, mut answer: Answer) -> Self {
        if let Some(greeting) = &routing.greeting {
            answer.content = format!("{greeting}\n\n{}", answer.content);
        }
        Self { answered_by, routing, answer }
    }
}
