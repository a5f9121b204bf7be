//! Answers as they are made, by server-sent events.
//!
//! A stream of its own and not `POST /query`, so that a client whose connection breaks opens it again, as browsers do by
//! themselves, and asks nothing twice.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    http::{HeaderName, HeaderValue},
    response::{
        IntoResponse, Response,
        sse::{Event as Sent, KeepAlive, Sse},
    },
};
use events::{Data, Event, model_call::AnswerDelta};
use futures::stream;
use ids::QueryId;
use runtime::{
    Heard, Listener,
    auth::{TokenError, Verified},
    deadline,
    web::{Caller, Path, Problem, Student},
};
use serde::Serialize;
use storage::queries::Query;
use utoipa::ToSchema;

use crate::{
    gateway::Gateway,
    ownership::missing,
    queries::{QueryResponse, QueryStatus, load},
};

/// How often something is sent, so that no proxy takes the connection for dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A piece of an answer that is still being made.
#[derive(Debug, Serialize)]
struct Delta {
    /// From 0. The pieces in this order make the text; a second 0 begins it again.
    sequence: u32,
    /// Markdown.
    text: String,
}

/// The name of a server-sent event.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "it is only described, and written by the library")]
enum StreamedEventName {
    /// A piece of the answer.
    Delta,
    /// The answer.
    Answer,
}

/// A server-sent event.
#[derive(Debug, Serialize, ToSchema)]
struct StreamedEvent {
    /// What it is.
    event: StreamedEventName,
    /// JSON: an object with `sequence` and `text`, or that of `GET /queries/{id}`.
    data: String,
}

/// An answer as it is made: `delta` events, each with a JSON object with `sequence` and `text`, in their order; then one
/// `answer` event, whose JSON is that of `GET /queries/{id}`, and which replaces the pieces. An answer that is there
/// already comes at once. Who comes too late for the first piece gets the answer alone. The stream ends after the
/// `answer`, with the session, and without either after two minutes: then open it again. Under AWS Lambda nothing can be streamed: the
/// response comes after 25 s at the latest, without deltas.
#[utoipa::path(get, path = "/queries/{id}/stream", operation_id = "stream_answer", tag = "Tutor", security(("bearer" = [])),
    params(("id" = Uuid, Path, description = "The id that `POST /query` returned; send that with `Prefer: wait=0`")),
    responses((status = 200, description = "Server-sent events", body = StreamedEvent, content_type = "text/event-stream"),
              (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn stream(
    State(gateway): State<Gateway>,
    caller: Caller<Student>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id: QueryId = id.parse().map_err(|_not_an_id| missing::<Query>())?;
    // Before the first look, so that nothing is missed.
    let listener = gateway.services.replies.listen(id.as_uuid());
    let found = load(&gateway, &caller, id).await?;
    let follower = Follower { id, token: caller.verified(), gateway, listener, found, next: 0 };
    let events = stream::unfold(Some(follower), async |follower| follower?.step().await);
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE).text("still working on it");
    let mut response = Sse::new(events).keep_alive(keep_alive).into_response();
    // Proxies like nginx keep responses back until they have some kilobytes.
    let unbuffered = HeaderName::from_static("x-accel-buffering");
    response.headers_mut().insert(unbuffered, HeaderValue::from_static("no"));
    Ok(response)
}

/// Follows one question.
struct Follower {
    id: QueryId,
    token: Verified,
    gateway: Gateway,
    listener: Listener,
    /// The question when it was last looked at.
    found: QueryResponse,
    /// The sequence number of the piece that comes next.
    next: u32,
}

/// An event, and who sends the next one, if there is one.
type Step = (Result<Sent, Infallible>, Option<Follower>);

impl Follower {
    async fn step(mut self) -> Option<Step> {
        loop {
            if self.found.status != QueryStatus::Pending {
                return Some((Ok(sent("answer", &self.found)), None));
            }
            match self.listener.next().await {
                Heard::Live(event) if event.event_type == AnswerDelta::TYPE => {
                    if let Data::Json(data) = event.data
                        && let Ok(delta) = data.read::<AnswerDelta>()
                        && let Some(piece) = in_order(&mut self.next, delta)
                    {
                        return Some((Ok(sent("delta", &piece)), Some(self)));
                    }
                }
                Heard::Live(_) => {}
                Heard::Look => {
                    // The account or the session may have ended meanwhile.
                    match self.gateway.services.verifier.admit(&self.token).await {
                        Ok(()) | Err(TokenError::AccountsAway(_)) => self.look().await,
                        Err(_ended) => return None,
                    }
                }
                Heard::Over => return None,
            }
        }
    }

    /// Looks for the answer. If that fails, the next look may not.
    async fn look(&mut self) {
        let look = load(&self.gateway, &self.token.person, self.id);
        if let Ok(Ok(found)) = deadline::keep(deadline::WORK_LIMIT, look).await {
            self.found = found;
        }
    }
}

/// The piece, if it is the next one, or the first one of a text that begins again. What comes after a gap would make no
/// sense.
fn in_order(next: &mut u32, delta: AnswerDelta) -> Option<Delta> {
    let AnswerDelta { sequence, text, .. } = delta;
    (sequence == *next || sequence == 0).then(|| {
        *next = sequence + 1;
        Delta { sequence, text }
    })
}

fn sent(name: &'static str, data: &impl Serialize) -> Sent {
    let event = Sent::default().event(name);
    // Our own types have a JSON form, whose line breaks are escaped.
    event.json_data(data).unwrap_or_else(|_unserializable| Sent::default().event(name))
}

#[cfg(test)]
mod tests {
    use domain::agent::Author;
    use events::model_call::AnswerDelta;
    use ids::{QueryId, UserId};
    use uuid::Uuid;

    use super::in_order;

    #[test]
    fn pieces_come_in_their_order_without_gaps_and_may_begin_again() {
        let passed = |sequences: &[u32]| -> Vec<u32> {
            let mut next = 0;
            let deltas = sequences.iter().map(|sequence| AnswerDelta {
                query_id: QueryId::from_uuid(Uuid::nil()),
                student_id: UserId::from_uuid(Uuid::nil()),
                agent: Author::Concepts,
                sequence: *sequence,
                text: String::new(),
            });
            deltas
                .filter_map(|delta| in_order(&mut next, delta))
                .map(|piece| piece.sequence)
                .collect()
        };
        assert_eq!(passed(&[0, 1, 2]), [0, 1, 2]);
        assert_eq!(passed(&[3, 4]), [0_u32; 0], "too late");
        assert_eq!(passed(&[0, 2, 3]), [0], "one was lost");
        assert_eq!(passed(&[0, 1, 1, 0, 1]), [0, 1, 0, 1], "repeated, and begun again");
    }
}
