//! The function's static description.

use std::time::Duration;

use events::Topic;
use runtime::{Http, Periodic, Schedule, Spec, Sweep};

use crate::{
    admin::usage::SumUpUsage,
    me::{erase_accounts::EraseAccounts, make_exports::MakeExports},
};

/// The function's name, port, topics, limits and settings.
pub const SPEC: Spec = Spec {
    name: "api-gateway",
    purpose: "Serves front ends: accepts questions, programs and solutions, and delivers the results.",
    port: 8180,
    // It follows answers without a consumer group, since every instance needs all of them.
    consumes: &[],
    emits: &[
        Topic::CodeExecutions,
        Topic::ExerciseRequests,
        Topic::LearningRequests,
        Topic::LearningResponses,
        Topic::NotificationsDeliveries,
        Topic::ProgressEvents,
    ],
    http: Http::Public,
    migrates: true,
    timeout: Duration::from_secs(30),
    // Passwords: a hash takes 19 MiB while it is worked out.
    memory_mb: 512,
    schedules: &[
        Sweep::SCHEDULE,
        OVERDUE_QUIZZES,
        EraseAccounts::SCHEDULE,
        MakeExports::SCHEDULE,
        SumUpUsage::SCHEDULE,
    ],
    settings: &[
        "CORS_ORIGINS",
        "SOCKETS_URL",
        "TRUSTED_PROXIES",
        "PROXY_HEADER",
        "RATE_LIMIT_ADDRESS",
        "RATE_LIMIT_USER",
        "RATE_LIMIT_PASSWORD",
        "RATE_LIMIT_LOGIN",
        "RATE_LIMIT_ACCOUNT",
        "WEBHOOK_NETWORKS",
        "MAIL_FROM",
    ],
};

/// Quizzes whose time is over are submitted.
pub(crate) const OVERDUE_QUIZZES: Schedule = Schedule {
    name: "overdue-quizzes",
    // A teacher hears of a quiz that went badly while the student is still there.
    every: Duration::from_secs(60),
};

/// The function's name.
pub(crate) const NAME: &str = SPEC.name;
