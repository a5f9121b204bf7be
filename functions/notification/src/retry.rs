//! When something is sent again, and when no more. Pure.

use std::collections::HashSet;

use chrono::{DateTime, TimeDelta, Utc};
use events::delivery_due::DeliveryDue;
use storage::deliveries::{Due, Job};

/// The delays after the first, second, … failed attempt, as the Standard Webhooks specification proposes: ten attempts
/// in about three days.
const DELAYS: [TimeDelta; 9] = [
    TimeDelta::seconds(5),
    TimeDelta::minutes(5),
    TimeDelta::minutes(30),
    TimeDelta::hours(2),
    TimeDelta::hours(5),
    TimeDelta::hours(10),
    TimeDelta::hours(14),
    TimeDelta::hours(20),
    TimeDelta::hours(24),
];
/// A delay is prolonged by up to this part of it, so that what failed together is not tried again together.
const JITTER_PARTS: u64 = 10;
/// The longest that a target can ask us to wait.
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(24);
/// The longest that a failing target is left alone: whatever is waiting for it, it is tried about once an hour.
const LONGEST_REST: TimeDelta = TimeDelta::hours(1);
/// After a failure one delivery is tried; the others look again after this.
const PROBE: TimeDelta = TimeDelta::minutes(1);
/// What could not be sent for this long is no news any more.
const MAX_AGE: TimeDelta = TimeDelta::days(7);

/// What is done about a delivery whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Plan {
    /// It is sent.
    Send,
    /// It was sent before, or is not to be sent.
    Skip,
    /// Its target is left alone until then.
    Postpone(DateTime<Utc>),
    /// It is given up for this reason.
    GiveUp(String),
}

/// Decides about a delivery when an event says that it is due. Whoever asks for an attempt gets it.
pub(crate) fn plan(job: &Job, due: &DeliveryDue, now: DateTime<Utc>) -> Plan {
    if !job.is_waiting || job.attempts != due.attempts {
        return Plan::Skip;
    }
    if let Some(reason) = &job.disabled {
        return Plan::GiveUp(format!("the subscription has ended: {reason}"));
    }
    if due.by_hand {
        return Plan::Send;
    }
    if now - job.message.created_at > MAX_AGE {
        return Plan::GiveUp(format!("it is more than {} days old", MAX_AGE.num_days()));
    }
    match job.retry_at {
        Some(at) if at > now => Plan::Postpone(at),
        _ => Plan::Send,
    }
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Failure {
    /// For the log; it names no address and no secret.
    pub(crate) reason: String,
    /// What the target answered.
    pub(crate) status: Option<u16>,
    /// How long it asks us to wait.
    pub(crate) retry_after: Option<TimeDelta>,
    /// Whether another attempt cannot succeed, either.
    pub(crate) is_final: bool,
    /// Whether the target wants nothing more at all.
    pub(crate) is_gone: bool,
}

/// When a delivery is sent again after a failure, and until when its target is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Again {
    /// Never, if it is given up.
    pub(crate) delivery_at: Option<DateTime<Utc>>,
    pub(crate) target_at: DateTime<Utc>,
}

/// Decides after a failure that was preceded by `attempts`; `seed` is any number that differs between deliveries.
pub(crate) fn again(failure: &Failure, attempts: u16, now: DateTime<Utc>, seed: u64) -> Again {
    let asked = failure.retry_after.unwrap_or_default().clamp(TimeDelta::zero(), LONGEST_WAIT);
    let scheduled = DELAYS.get(usize::from(attempts)).filter(|_| !failure.is_final);
    let rest = scheduled.map_or(LONGEST_REST, |delay| (*delay).min(LONGEST_REST));
    Again {
        delivery_at: scheduled.map(|delay| now + asked.max(*delay + jitter(*delay, seed))),
        target_at: now + asked.max(rest),
    }
}

fn jitter(delay: TimeDelta, seed: u64) -> TimeDelta {
    let most = delay.num_milliseconds().unsigned_abs() / JITTER_PARTS;
    TimeDelta::milliseconds(i64::try_from(seed % most.max(1)).unwrap_or_default())
}

/// What is done about deliveries that are due: in the same order, `None` for those that are sent now, or when they are
/// looked at again. Of a failing target one is tried, and the others wait for how that goes.
pub(crate) fn due(all: &[Due], now: DateTime<Utc>) -> Vec<Option<DateTime<Utc>>> {
    let mut probed = HashSet::new();
    let decide = |due: &Due| {
        let waits = due.preferences.end_of_quiet(now).max(due.retry_at.filter(|at| *at > now));
        if waits.is_some() {
            return waits;
        }
        let is_probe = !due.is_failing || probed.insert(due.subscription_id);
        (!is_probe).then(|| now + PROBE)
    };
    all.iter().map(decide).collect()
}

/// How long a target asks us to wait: seconds, or a date (RFC 9110, 10.2.3).
pub(crate) fn retry_after(text: &str, now: DateTime<Utc>) -> Option<TimeDelta> {
    let text = text.trim();
    match text.parse::<u32>() {
        Ok(seconds) => Some(TimeDelta::seconds(i64::from(seconds))),
        Err(_) => DateTime::parse_from_rfc2822(text).ok().map(|at| at.to_utc() - now),
    }
}

#[cfg(test)]
mod tests;
