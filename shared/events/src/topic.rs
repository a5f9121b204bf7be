//! The Kafka topics.

/// Partitions of every topic: each function can handle the events of eight students at once, and the order of each
/// student's events is kept.
pub const PARTITIONS: i32 = 8;

/// Defines the enum, its names on the broker and the list of all from one list.
macro_rules! topics {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal;)+) => {
        /// A Kafka topic.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Topic {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Topic {
            /// Every topic, in alphabetical order of its name.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name on the broker.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// What its events are, in one sentence.
            #[must_use]
            pub const fn purpose(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($doc),+).trim_ascii(),)+
                }
            }
        }
    };
}

topics! {
    /// Programs to be run.
    CodeExecutions = "code.executions";
    /// The results of runs.
    CodeResults = "code.results";
    /// Programs to be reviewed, from triage.
    CodeSubmissions = "code.submissions";
    /// Questions for the concepts agent, from triage.
    ConceptsRequests = "concepts.requests";
    /// Events that no function could handle, with the reason.
    DeadLetters = "dead.letters";
    /// Questions for the debug agent, from triage.
    DebugRequests = "debug.requests";
    /// Exercises that were made, from the exercise agent to progress.
    ExerciseGenerated = "exercise.generated";
    /// Wishes for something to practise, from triage.
    ExerciseRequests = "exercise.requests";
    /// Students' questions, from the front doors to triage.
    LearningRequests = "learning.requests";
    /// Answers, from every agent to the front doors.
    LearningResponses = "learning.responses";
    /// Notifications to be sent to the outside, from notification to itself.
    NotificationsDeliveries = "notifications.deliveries";
    /// Notifications of people, from notification to websocket.
    NotificationsMade = "notifications.made";
    /// What students do, from every function to progress.
    ProgressEvents = "progress.events";
    /// Connections that API Gateway holds and that may be behind, from websocket to itself.
    SocketsConnections = "sockets.connections";
    /// Alerts about struggling students, from progress to notification.
    StruggleDetected = "struggle.detected";
}
