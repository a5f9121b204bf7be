//! Questions whose run or model call was lost: nobody waits forever.

use chrono::{DateTime, Utc};
use domain::agent::{Agent, Author};
use events::{question_answered::Answer, question_routed::Routing};
use ids::EventId;
use runtime::{HandlerError, Outgoing, Round};
use sqlx::PgConnection;
use storage::drafts::{self, LostDraft};

use crate::{
    draft::{Header, Origin},
    driver::Driver,
    step::Reply,
};

/// Most drafts in one transaction.
const AT_ONCE: i64 = 5;

const LOST: &str = "Something went wrong on our side while I was working on your question, so I have no answer. \
                    Please ask it again.";

/// Answers questions whose draft is past its deadline with the draft's fallback; solutions are marked as ungraded. At
/// most 5 in one round.
///
/// # Errors
/// The database is unavailable.
pub async fn answer_lost_drafts(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
) -> Result<Round, HandlerError> {
    let lost = drafts::take_lost(conn, now, AT_ONCE).await.map_err(HandlerError::retry)?;
    let has_more = i64::try_from(lost.len()).is_ok_and(|taken| taken == AT_ONCE);
    let mut outgoing = Outgoing::none();
    for LostDraft { unanswered, body } in lost {
        let Some((query, student)) = unanswered else { continue };
        tracing::warn!(%query, "a question was lost");
        let header = Header::read(&body).unwrap_or_default();
        let (agent, reply) = match (header.agent, header.fallback) {
            (Some(agent), Some(reply)) => (agent, reply),
            _ => (Author::Triage, lost_reply()),
        };
        // Nothing waits for this answer, so no id derives from a cause.
        let cause = EventId::from_uuid(query.as_uuid());
        let origin = Origin { cause, agent, query, student, now };
        let mut driver = Driver { conn, origin, tutor: None, shares: None, outgoing };
        driver.answer(reply).await?;
        outgoing = driver.outgoing;
    }
    Ok(Round { outgoing, has_more })
}

fn lost_reply() -> Reply {
    let routing = Routing {
        agent: Agent::OffTopic,
        confidence: 1.0,
        reasons: vec!["asked for directly".to_owned()],
        signs: Vec::new(),
        clarification: None,
        greeting: None,
    };
    Reply::offline(routing, Answer::text(LOST.to_owned()))
}
