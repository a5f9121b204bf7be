//! What a handler leaves unread of a request's body, for instance because it refuses the request at its head.
//!
//! The next request on a connection comes behind the whole body of the last one. A server that closes the connection
//! instead does so under that next request, and the client cannot know whether that was carried out. So what is left is
//! read and dropped before the response is sent. Where that is too much, the response says that the connection ends.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Bytes, HttpBody},
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use http_body_util::BodyExt;
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::sync::oneshot;

use crate::BODY_LIMIT;

/// Most bytes that are read and dropped, for a connection that is used again: a client that sends more at once should
/// rather know.
const REST_LIMIT: u64 = 4 * BODY_LIMIT as u64;
/// The longest for that, since the client waits for its response.
const REST_PATIENCE: Duration = Duration::from_secs(2);
/// How long a connection that ends is read from all the same: closed before the client has sent what it is sending, it
/// would be reset, and the client would never see the response.
const LINGER: Duration = Duration::from_secs(5);

/// A request's body that comes back when its reader is done with it.
#[derive(Debug)]
pub(crate) struct Lent {
    body: Option<Incoming>,
    back: Option<oneshot::Sender<Incoming>>,
}

/// Where a body comes back to.
#[derive(Debug)]
pub(crate) struct Rest {
    body: oneshot::Receiver<Incoming>,
    /// Whether the client sends nothing before it is told to. Reading would tell it to.
    waits: bool,
}

/// Lends a body to whoever answers the request with this head.
pub(crate) fn lend(body: Incoming, head: &HeaderMap) -> (Lent, Rest) {
    let (back, returned) = oneshot::channel();
    let rest = Rest { body: returned, waits: head.contains_key(header::EXPECT) };
    (Lent { body: Some(body), back: Some(back) }, rest)
}

impl Rest {
    /// Reads and drops what is left of the body, or announces the end of the connection.
    pub(crate) async fn settle(mut self, response: &mut Response) {
        // A body that is still being read is the reader's business.
        let Ok(mut body) = self.body.try_recv() else { return };
        if body.is_end_stream() {
            return;
        }
        let is_small = !self.waits && body.size_hint().lower() <= REST_LIMIT;
        let read = async { is_small && dropped(&mut body, REST_LIMIT).await };
        if tokio::time::timeout(REST_PATIENCE, read).await.unwrap_or(false) {
            return;
        }
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        if !self.waits {
            tokio::spawn(tokio::time::timeout(LINGER, async move {
                dropped(&mut body, u64::MAX).await
            }));
        }
    }
}

/// Reads and drops at most `limit` bytes; whether the body ended.
async fn dropped(body: &mut Incoming, limit: u64) -> bool {
    let mut read = 0;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return false };
        read += frame.data_ref().map_or(0, |data| data.len() as u64);
        if read > limit {
            return false;
        }
    }
    true
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match &mut self.body {
            Some(body) => Pin::new(body).poll_frame(context),
            None => Poll::Ready(None),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(body), Some(back)) = (self.body.take(), self.back.take()) {
            // Nobody waits for it if the request was given up.
            drop(back.send(body));
        }
    }
}
