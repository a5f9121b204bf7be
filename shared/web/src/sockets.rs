//! Sockets: how many there are, what they may send, and how they end.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::ws::{CloseFrame, WebSocket, WebSocketUpgrade},
    http::StatusCode,
    response::Response,
};
use tokio::sync::Semaphore;
use tokio_tungstenite::tungstenite;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::Problem;

/// Most bytes of a message, in both directions: what API Gateway passes on.
pub const MESSAGE_LIMIT: usize = 128 << 10;
/// Most bytes of one frame of a message that a client sends: what API Gateway takes.
pub const FRAME_LIMIT: usize = 32 << 10;
/// Bytes of each buffer. Students write little; the default would be 128 KiB for each socket, used or not.
const BUFFER: usize = 4 << 10;
/// Most bytes that wait in a socket's own buffer: one message and its frame. By default there is no limit.
const WRITE_LIMIT: usize = MESSAGE_LIMIT + (64 << 10);
/// The longest for closing all sockets when the function stops.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);
/// Seconds after which to try again when all places are taken.
const RETRY_SECONDS: u32 = 5;

/// All sockets of a function on this instance.
#[derive(Debug, Clone)]
pub struct Sockets(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    places: Arc<Semaphore>,
    open: TaskTracker,
    stop: CancellationToken,
    cut: CancellationToken,
}

impl Sockets {
    /// No sockets yet, and at most `limit` at once.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Inner {
            places: Arc::new(Semaphore::new(limit)),
            open: TaskTracker::new(),
            stop: CancellationToken::new(),
            cut: CancellationToken::new(),
        }))
    }

    /// Opens a socket; `serve` keeps it until it ends, or until it is told to stop.
    ///
    /// # Errors
    /// 503: there is no place for another one.
    pub fn open<F: Future<Output = ()> + Send + 'static>(
        &self,
        upgrade: WebSocketUpgrade,
        serve: impl FnOnce(WebSocket, CancellationToken) -> F + Send + 'static,
    ) -> Result<Response, Problem> {
        let Inner { places, open, stop, cut } = &*self.0;
        let place = Arc::clone(places).try_acquire_owned().map_err(|_none_left| {
            let detail = "too many sockets are open here; try again in a few seconds";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
                .retry_after(RETRY_SECONDS)
        })?;
        let (stop, cut, token) = (stop.clone(), cut.clone(), open.token());
        let counted = Counted::new();
        let upgrade = upgrade
            .max_message_size(MESSAGE_LIMIT)
            .max_frame_size(FRAME_LIMIT)
            .read_buffer_size(BUFFER)
            .write_buffer_size(0)
            .max_write_buffer_size(WRITE_LIMIT);
        Ok(upgrade.on_upgrade(async move |socket| {
            cut.run_until_cancelled(serve(socket, stop)).await;
            drop((token, place, counted));
        }))
    }

    /// Keeps the sockets until `stop`, then has them closed. Dropping it cuts them off at once.
    pub async fn keep(self, stop: CancellationToken) {
        let Inner { open, stop: told, cut, .. } = &*self.0;
        let _cut = cut.clone().drop_guard();
        stop.cancelled().await;
        told.cancel();
        open.close();
        if tokio::time::timeout(CLOSE_LIMIT, open.wait()).await.is_err() {
            tracing::warn!(left = open.len(), "sockets that did not close are cut off");
        }
    }
}

/// Counts an open socket until it is dropped.
struct Counted;

impl Counted {
    fn new() -> Self {
        metrics::gauge!("learnflow_sockets_open").increment(1);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        metrics::gauge!("learnflow_sockets_open").decrement(1);
    }
}

/// Counts the end of a socket, by its code; 0 if the client ended it.
pub fn count_end(code: u16) {
    metrics::counter!("learnflow_sockets_ended_total", "code" => code.to_string()).increment(1);
}

/// A close frame. The reason has at most 123 bytes.
#[must_use]
pub const fn close_frame(code: u16, reason: &'static str) -> CloseFrame {
    CloseFrame { code, reason: axum::extract::ws::Utf8Bytes::from_static(reason) }
}

/// Whether a client has sent more than a message may have.
#[must_use]
pub fn is_too_large(error: &axum::Error) -> bool {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref());
    matches!(cause, Some(tungstenite::Error::Capacity(_)))
}
