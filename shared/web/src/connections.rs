//! Connections: their number, time limits and shutdown.

use std::{
    collections::HashMap,
    convert::Infallible,
    io,
    net::{IpAddr, SocketAddr},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, HttpBody},
    extract::ConnectInfo,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use parking_lot::Mutex;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{Instant, Sleep},
};
use tokio_util::sync::CancellationToken;
use tower::Service;

use crate::{TrustedProxies, network, unread};

/// Limits on connections.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most connections at once; further ones wait in the system's accept queue.
    pub connections: usize,
    /// Most of these from one client, as far as the connection shows it; further ones are closed. A trusted proxy may
    /// have all of them.
    pub per_client: usize,
    /// From being ready for a request to the end of its head, so also the longest idle time.
    pub head: Duration,
    /// The longest time in which a client reads nothing of what is sent to it.
    pub write: Duration,
    /// From being told to stop to the end of the last connection.
    pub drain: Duration,
}

impl Limits {
    /// Limits that fit this process; raises its limit of open files, if the system allows it.
    pub fn of_process() -> Self {
        // The rest is for connections to the database and Kafka, pipes to workers, and the local broker's logs.
        let connections = CONNECTIONS_LIMIT.min(open_files() / 2);
        Self {
            connections,
            // A whole school behind one address fits, and still leaves room for everybody else; so does a proxy that is
            // not configured as trusted.
            per_client: connections / 2,
            // More than the 60 s for which load balancers keep idle connections, so that they close them, and not we
            // while a request is on its way.
            head: Duration::from_secs(65),
            // Tolerates a phone that loses reception for a moment.
            write: Duration::from_secs(30),
            // Two hosts one after the other, and the publisher's 5 s, take less than Kubernetes' 30 s.
            drain: Duration::from_secs(8),
        }
    }
}

/// Far more than are served at once; with full buffers 512 MiB.
const CONNECTIONS_LIMIT: usize = 4_096;
/// The wanted limit of open files: connections, and as many again for everything else. macOS allows no more.
const OPEN_FILES: u64 = 10_240;

/// The limit of open files of this process. Most systems begin with 1,024 or less, and let a program raise it.
fn open_files() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let current = limit.current.unwrap_or(u64::MAX);
    let target = OPEN_FILES.min(limit.maximum.unwrap_or(u64::MAX));
    let raised = Rlimit { current: Some(target), maximum: limit.maximum };
    let is_raised = current < target && setrlimit(Resource::Nofile, raised).is_ok();
    let files = if is_raised { target } else { current };
    usize::try_from(files).unwrap_or(usize::MAX)
}

/// Most bytes of a request's head, and of each buffer.
const BUFFER_LIMIT: usize = 64 * 1024;
/// The pause before the next attempt when the system cannot accept a connection, for instance without file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop`: then accepts no more connections, lets active ones finish, and closes the rest after the limit.
/// Dropping it closes all at once.
pub async fn serve(
    listener: TcpListener,
    routes: Router,
    limits: Limits,
    trusted: TrustedProxies,
    stop: CancellationToken,
) {
    let places = Arc::new(Semaphore::new(limits.connections));
    let shares = Shares { limit: limits.per_client, trusted, taken: Arc::default() };
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &places) => accepted,
            Some(_ended) = connections.join_next() => continue,
            () = stop.cancelled() => break,
        };
        match accepted {
            Ok((place, stream, peer)) => {
                let Some(share) = shares.take(peer.ip()) else {
                    tracing::debug!(%peer, "too many connections from one client");
                    continue;
                };
                // Both are given back when the stream is closed, which can outlive this task: as a WebSocket.
                let stream = Impatient::new(stream, limits.write, (place, share));
                let (routes, stop) = (routes.clone(), stop.clone());
                connections.spawn(connection(stream, peer, routes, limits, stop));
            }
            Err(error) => {
                tracing::debug!(%error, "a connection was not accepted");
                // Stopped or not, the loop sees it.
                drop(tokio::time::timeout(ACCEPT_PAUSE, stop.cancelled()).await);
            }
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.drain, drained).await.is_err() {
        tracing::warn!(left = connections.len(), "connections that did not finish are closed");
    }
    connections.shutdown().await;
}

/// The number of connections of each client.
struct Shares {
    limit: usize,
    trusted: TrustedProxies,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Shares {
    fn take(&self, peer: IpAddr) -> Option<Share> {
        let client = network(peer);
        let mut taken = self.taken.lock();
        let count = taken.entry(client).or_default();
        if *count >= self.limit && !self.trusted.trusts(peer.to_canonical()) {
            return None;
        }
        *count += 1;
        Some(Share { client, taken: Arc::clone(&self.taken) })
    }
}

/// One connection of a client, until it is dropped.
struct Share {
    client: IpAddr,
    taken: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = self.taken.lock();
        if let Some(count) = taken.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                taken.remove(&self.client);
            }
        }
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
    let place = Arc::clone(places).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((place, stream, peer))
}

async fn connection(
    stream: Impatient<(OwnedSemaphorePermit, Share)>,
    peer: SocketAddr,
    routes: Router,
    limits: Limits,
    stop: CancellationToken,
) {
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let (head, body) = request.into_parts();
        // Most requests have no body, and nothing to settle.
        let (body, rest) = if body.is_end_stream() {
            (Body::empty(), None)
        } else {
            let (body, rest) = unread::lend(body, &head.headers);
            (Body::new(body), Some(rest))
        };
        let mut request = hyper::Request::from_parts(head, body);
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = routes.clone().call(request);
        async move {
            let mut response = answer.await.unwrap_or_else(|never| match never {});
            if let Some(rest) = rest {
                rest.settle(&mut response).await;
            }
            Ok::<_, Infallible>(response)
        }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(BUFFER_LIMIT);
    let mut serving = pin!(builder.serve_connection(TokioIo::new(stream), service).with_upgrades());
    let served = tokio::select! {
        served = serving.as_mut() => served,
        () = stop.cancelled() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%peer, error = %environment::chain(&error), "a connection broke");
    }
}

/// A stream that gives up on a client that reads nothing.
struct Impatient<H> {
    stream: TcpStream,
    limit: Duration,
    /// Dropped together with the stream.
    _held: H,
    /// Runs from the first write that could not write at once to the next that did.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl<H> Impatient<H> {
    const fn new(stream: TcpStream, limit: Duration, held: H) -> Self {
        Self { stream, limit, _held: held, stalled: None }
    }

    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let end = || Box::pin(tokio::time::sleep_until(Instant::now() + self.limit));
        ready!(self.stalled.get_or_insert_with(end).as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client reads no response")))
    }
}

impl<H: Unpin> AsyncRead for Impatient<H> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<H: Unpin> AsyncWrite for Impatient<H> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
