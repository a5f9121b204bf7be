//! The catalogue of Kafka topics.

/// Partitions of every topic: eight students' events can be in work at once in each function, and
/// the order within one student's events is kept.
pub const PARTITIONS: i32 = 8;

/// A Kafka topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// Students' questions, from the front doors to triage.
    LearningRequests,
    /// Questions for the concepts agent, from triage.
    ConceptsRequests,
    /// Questions for the debug agent, from triage.
    DebugRequests,
    /// Exercises that were made, from the exercise agent to progress.
    ExerciseGenerated,
    /// Wishes for something to practise, from triage.
    ExerciseRequests,
    /// Answers, from every agent to the front doors.
    LearningResponses,
    /// Programs to be run.
    CodeExecutions,
    /// What came of running them.
    CodeResults,
    /// Programs to be reviewed, from triage.
    CodeSubmissions,
    /// What students do, from every function to progress.
    ProgressEvents,
    /// Events that no function could handle, with the reason.
    DeadLetters,
}

impl Topic {
    /// Every topic, in alphabetical order of its name.
    pub const ALL: [Self; 11] = [
        Self::CodeExecutions,
        Self::CodeResults,
        Self::CodeSubmissions,
        Self::ConceptsRequests,
        Self::DeadLetters,
        Self::DebugRequests,
        Self::ExerciseGenerated,
        Self::ExerciseRequests,
        Self::LearningRequests,
        Self::LearningResponses,
        Self::ProgressEvents,
    ];

    /// The name on the broker.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LearningRequests => "learning.requests",
            Self::ConceptsRequests => "concepts.requests",
            Self::DebugRequests => "debug.requests",
            Self::ExerciseGenerated => "exercise.generated",
            Self::ExerciseRequests => "exercise.requests",
            Self::LearningResponses => "learning.responses",
            Self::CodeExecutions => "code.executions",
            Self::CodeResults => "code.results",
            Self::CodeSubmissions => "code.submissions",
            Self::ProgressEvents => "progress.events",
            Self::DeadLetters => "dead.letters",
        }
    }
}
