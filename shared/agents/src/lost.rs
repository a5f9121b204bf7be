//! Questions whose run or model call was lost: nobody waits for ever.

use chrono::{DateTime, Utc};
use domain::agent::{Agent, Author};
use events::{question_answered::Answer, question_routed::Routing};
use ids::EventId;
use runtime::{HandlerError, Outgoing};
use sqlx::PgConnection;
use storage::drafts::{self, LostQuestion};

use crate::{
    draft::{Header, Origin},
    driver::Driver,
    step::Reply,
};

/// Lost questions that are answered at once.
const AT_ONCE: i64 = 5;

const LOST: &str = "Something broke on our side while I looked into your question, so I have no answer to it. \
                    Please ask it again.";

/// Answers questions whose draft is past its deadline, at most 5, each with the answer that its draft holds anyway;
/// solutions among them count as not graded.
///
/// # Errors
/// The database is away.
pub async fn answer_lost_drafts(
    conn: &mut PgConnection,
    now: DateTime<Utc>,
) -> Result<Outgoing, HandlerError> {
    let lost = drafts::take_lost(conn, now, AT_ONCE).await.map_err(HandlerError::retry)?;
    let mut outgoing = Outgoing::none();
    for LostQuestion { query, student, body } in lost {
        tracing::warn!(%query, "a question was lost on its way");
        let header = Header::read(&body).unwrap_or_default();
        let (agent, reply) = match (header.agent, header.fallback) {
            (Some(agent), Some(reply)) => (agent, reply),
            _ => (Author::Triage, lost_reply()),
        };
        // Nothing waits for this answer, so no id derives from a cause.
        let origin =
            Origin { cause: EventId::from_uuid(query.as_uuid()), agent, query, student, now };
        let mut driver = Driver { conn, origin, tutor: None, shares: None, outgoing };
        driver.answer(reply).await?;
        outgoing = driver.outgoing;
    }
    Ok(outgoing)
}

fn lost_reply() -> Reply {
    let routing = Routing {
        agent: Agent::OffTopic,
        confidence: 1.0,
        reasons: vec!["asked for directly".to_owned()],
        signs: Vec::new(),
        clarification: None,
    };
    Reply::offline(routing, Answer::text(LOST.to_owned()))
}
