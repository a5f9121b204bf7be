//! The gateway: the HTTP API for front ends, under `/api/v1`.
//!
//! In: HTTP requests. Out: `question.asked.v1`, `execution.requested.v1`, `submission.made.v1`, `account.erased.v1`, and
//! `activity.recorded.v1` for what it decides itself: ratings and quizzes. Work is accepted once it is in the database, so
//! Kafka may be down. Answers are stored by the functions that give them; the gateway only delivers them, from the
//! answer topics to waiting clients, otherwise from the database.

mod accept;
mod access;
mod accounts;
mod admin;
mod answer_reports;
mod api;
mod cacheable;
mod classes;
mod common_answers;
mod config;
mod conversation;
mod course;
mod drafts;
mod executions;
mod gateway;
mod help;
mod limits;
mod me;
mod notifications;
mod ownership;
mod page;
mod pages;
mod passwords;
mod practice;
mod progress;
mod queries;
mod quizzes;
mod refresh_cookie;
pub mod seed;
mod spec;
mod stored;
mod streaming;
mod tickets;

use std::sync::Arc;

use runtime::{
    Function, Services, Sweep,
    auth::{AuthConfig, Signer},
    config::Settings,
};

pub use self::{api::openapi, spec::SPEC};
use self::{config::GatewayConfig, gateway::Gateway};

/// The types of responses, for clients in Rust such as our own tests.
pub mod responses {
    pub use crate::{
        access::{Profile, Session, TokenType},
        admin::{
            Account, AccountChangeKind, AccountDetail, AccountPage, DeadLetterDetail,
            DeadLetterPage, Feature, FeatureState, InstallationHealth, LaneList, ListedDeadLetter,
            ListedLane, PeriodicWork, RecordedChange, RecordedReplay, ReplayedDeadLetter,
            UsageReport, UsageRow,
        },
        answer_reports::{AnswerReport, ReportPage, ReportingStudent},
        api::{Probe, ProbeStatus},
        classes::{
            AssignmentDetail, AssignmentPage, AssignmentSummary, ClassAlert, ClassAlertPage,
            ClassAssignment, ClassDetail, ClassError, ClassErrorExample, ClassOverview, ClassPage,
            ClassSummary, ClassTeacher, CsvMistake, HeatMap, HeatMapStudent, HeatMapTopic,
            JoinedClass, LevelCount, OwnAssignment, OwnAssignmentPage, RosterImport, RosterPage,
            RosterRow, RosterState, RosterStudent, RowOutcome, StateCounts, StrugglingStudent,
            StudentState, TimelineEntry, TimelinePage, TopicMastery,
        },
        conversation::{Conversation, ListedConversation, ShownExchange},
        course::{
            CourseConcept, CourseExample, CourseExercise, CourseMistake, CourseModule, CourseTopic,
            ListedTopic,
        },
        drafts::{Draft, SavedDraft},
        executions::{ExecutionResponse, ExecutionState, ExecutionStatus},
        me::{
            exports::{ExportState, OwnExport, OwnExports},
            sessions::{OwnSession, OwnSessions},
        },
        notifications::{
            deliveries::{DeliveryPage, DeliveryStatus, LoggedDelivery},
            inbox::{ListedNotification, NotificationPage},
            subscriptions::{NewSecret, SubscriptionMade, SubscriptionResponse},
        },
        practice::{ExercisePage, ListedExercise, SubmissionResponse, SubmissionStatus},
        queries::{QueryResponse, QueryStatus},
        quizzes::{
            ListedQuiz, QuestionResult, Quiz, QuizOrigin, QuizPage, QuizQuestion, QuizResult,
            QuizStatus, StartedQuiz, TopicResult,
        },
        tickets::SocketTicket,
    };
}

/// The function as the runtime hosts it.
pub fn function(settings: &mut Settings, services: &Arc<Services>) -> Function {
    let auth = AuthConfig::read(settings);
    let config = GatewayConfig::read(settings);
    let (origins, proxies) = (config.cors_origins.clone(), config.proxies.clone());
    let gateway = Gateway {
        services: Arc::clone(services),
        signer: Signer::new(&auth).map(Arc::new),
        config: Arc::new(config),
        counters: Arc::default(),
    };
    Function::new(&SPEC)
        .repeats(Sweep)
        .repeats(quizzes::SubmitOverdue)
        .repeats(me::erase_accounts::EraseAccounts)
        .repeats(me::make_exports::MakeExports)
        .repeats(admin::usage::SumUpUsage)
        .serves_public(api::routes(gateway))
        .allows_origins(origins.into_headers())
        .trusts_proxies(proxies)
        .awaits_replies()
}
