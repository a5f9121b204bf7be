//! A TCP proxy between a client and a server that simulates network failures.

use std::{
    future::pending,
    io,
    net::{Ipv4Addr, SocketAddr},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use crate::reserved_port;

/// Most bytes in transit in one direction of a connection; a fault holds them back.
const PIECE: usize = 16 * 1024;

/// The state of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// No fault: everything is forwarded.
    Pass,
    /// Every connection is closed and new ones are refused, as when the server is down.
    Cut,
    /// Connections are accepted and stay open, but no byte is forwarded, as when packets are lost. Data sent meanwhile
    /// arrives when the fault is over: TCP retransmits it.
    Stall,
    /// Half open: the client's data arrives, the server's does not.
    NoAnswers,
    /// Half open: the server's data arrives, the client's does not.
    NoRequests,
}

#[derive(Debug, Clone, Copy)]
enum Direction {
    Requests,
    Answers,
}

impl Fault {
    const fn forwards(self, direction: Direction) -> bool {
        match self {
            Self::Pass => true,
            Self::Cut | Self::Stall => false,
            Self::NoAnswers => matches!(direction, Direction::Requests),
            Self::NoRequests => matches!(direction, Direction::Answers),
        }
    }
}

/// The proxy. It closes all connections when dropped.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    requested: watch::Sender<Fault>,
    in_force: watch::Receiver<Fault>,
    task: JoinHandle<()>,
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl FaultProxy {
    /// Starts forwarding to `upstream`, which need not be running yet.
    ///
    /// # Panics
    /// No port is free.
    pub async fn start(upstream: SocketAddr) -> Self {
        // While the proxy is cut, its port must stay free, so that it can be bound again.
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, reserved_port()));
        let listener = TcpListener::bind(address).await.expect("the port is free");
        let (requested, fault) = watch::channel(Fault::Pass);
        let (report, in_force) = watch::channel(Fault::Pass);
        let task = tokio::spawn(run(listener, upstream, fault, report));
        Self { address, requested, in_force, task }
    }

    /// The address for clients.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sets the fault from now on. When this returns, cut connections are closed, and no further byte passes in a
    /// stalled direction.
    ///
    /// # Panics
    /// The port was taken by another process while the proxy was cut.
    pub async fn set(&self, fault: Fault) {
        self.requested.send_replace(fault);
        let mut in_force = self.in_force.clone();
        in_force.wait_for(|now| *now == fault).await.expect("the proxy runs until it is dropped");
    }

    /// Repairs the network without waiting: for the clean-up of a failed test.
    pub fn repair(&self) {
        self.requested.send_replace(Fault::Pass);
    }
}

/// Accepts connections until aborted; they are in its task set and end with it.
async fn run(
    listener: TcpListener,
    upstream: SocketAddr,
    mut fault: watch::Receiver<Fault>,
    report: watch::Sender<Fault>,
) {
    let address = listener.local_addr().expect("it listens");
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            changed = fault.changed() => {
                if changed.is_err() {
                    return;
                }
                let now = *fault.borrow_and_update();
                if now == Fault::Cut {
                    listener = None;
                    connections.shutdown().await;
                } else if listener.is_none() {
                    listener = Some(TcpListener::bind(address).await.expect("the port stayed free"));
                }
                report.send_replace(now);
            }
            accepted = accept(listener.as_ref()) => {
                // A client that disconnects before it is accepted does not count.
                if let Ok((client, _)) = accepted {
                    connections.spawn(forward(client, upstream, fault.clone()));
                }
            }
            // However a connection ends, both sides of it are closed.
            Some(_ended) = connections.join_next() => {}
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => pending().await,
    }
}

/// Forwards in both directions until both sides have ended, or one of them breaks.
async fn forward(
    client: TcpStream,
    upstream: SocketAddr,
    mut fault: watch::Receiver<Fault>,
) -> io::Result<()> {
    // The server must not notice a client whose packets are lost, and time it out.
    passing(&mut fault, Direction::Requests).await?;
    let server = TcpStream::connect(upstream).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::try_join!(
        pump(from_client, to_server, fault.clone(), Direction::Requests),
        pump(from_server, to_client, fault, Direction::Answers),
    )
    .map(|((), ())| ())
}

/// Forwards in one direction, including the end of the stream.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut fault: watch::Receiver<Fault>,
    direction: Direction,
) -> io::Result<()> {
    let mut buffer = vec![0; PIECE];
    loop {
        let len = from.read(&mut buffer).await?;
        passing(&mut fault, direction).await?;
        if len == 0 {
            return to.shutdown().await;
        }
        let mut sent = 0;
        while sent < len {
            passing(&mut fault, direction).await?;
            to.writable().await?;
            // Setting a fault waits until this is dropped, so this write was still allowed.
            let now = fault.borrow();
            if !now.forwards(direction) {
                continue;
            }
            match to.try_write(&buffer[sent..len]) {
                Ok(written) => sent += written,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Waits until the network forwards in this direction.
async fn passing(fault: &mut watch::Receiver<Fault>, direction: Direction) -> io::Result<()> {
    let passes = fault.wait_for(|fault| fault.forwards(direction)).await;
    passes.map(drop).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        net::{Ipv4Addr, SocketAddr},
    };

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
        time::timeout,
    };

    use super::{Fault, FaultProxy};
    use crate::PATIENCE;

    /// A client and a server, connected through a proxy.
    struct Line {
        proxy: FaultProxy,
        listener: TcpListener,
        client: TcpStream,
        server: TcpStream,
    }

    impl Line {
        async fn new() -> Self {
            let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
            let listener = TcpListener::bind(any_port).await.unwrap();
            let proxy = FaultProxy::start(listener.local_addr().unwrap()).await;
            let client = TcpStream::connect(proxy.address()).await.unwrap();
            let (server, _) = listener.accept().await.unwrap();
            Self { proxy, listener, client, server }
        }
    }

    async fn says(from: &mut TcpStream, to: &mut TcpStream, text: &str) {
        from.write_all(text.as_bytes()).await.unwrap();
        receives(to, text).await;
    }

    async fn receives(stream: &mut TcpStream, text: &str) {
        let mut received = vec![0; text.len()];
        timeout(PATIENCE, stream.read_exact(&mut received)).await.unwrap().unwrap();
        assert_eq!(String::from_utf8_lossy(&received), text);
    }

    fn receives_nothing(stream: &TcpStream) {
        let received = stream.try_read(&mut [0]).map_err(|error| error.kind());
        assert_eq!(received, Err(io::ErrorKind::WouldBlock));
    }

    /// Waits for the end of the stream, or a reset by the other side.
    async fn ends(stream: &mut TcpStream) {
        let read = timeout(PATIENCE, stream.read(&mut [0])).await.unwrap();
        assert!(matches!(read, Ok(0)) || read.is_err(), "{read:?}");
    }

    #[tokio::test]
    async fn a_line_without_a_fault_forwards_both_directions_and_the_end() {
        let mut line = Line::new().await;
        let long = "x".repeat(200_000);
        says(&mut line.client, &mut line.server, "question").await;
        tokio::join!(
            async { line.server.write_all(long.as_bytes()).await.unwrap() },
            receives(&mut line.client, &long)
        );
        line.client.shutdown().await.unwrap();
        ends(&mut line.server).await;
        says(&mut line.server, &mut line.client, "last words").await;
        drop(line.server);
        ends(&mut line.client).await;
    }

    #[tokio::test]
    async fn a_stalled_line_is_open_and_silent_and_delivers_afterwards() {
        let mut line = Line::new().await;
        line.proxy.set(Fault::Stall).await;
        line.client.write_all(b"question").await.unwrap();
        line.server.write_all(b"answer").await.unwrap();
        let mut newcomer = TcpStream::connect(line.proxy.address()).await.unwrap();
        newcomer.write_all(b"hello").await.unwrap();
        // Everything in transit has passed when a line on another connection has made a round trip.
        for _ in 0..100 {
            let mut beside = Line::new().await;
            says(&mut beside.client, &mut beside.server, "x").await;
        }
        receives_nothing(&line.server);
        receives_nothing(&line.client);
        line.proxy.set(Fault::Pass).await;
        receives(&mut line.server, "question").await;
        receives(&mut line.client, "answer").await;
        let (mut welcomed, _) = line.listener.accept().await.unwrap();
        receives(&mut welcomed, "hello").await;
    }

    #[tokio::test]
    async fn a_half_open_line_forwards_one_way_only() {
        let mut line = Line::new().await;
        line.proxy.set(Fault::NoAnswers).await;
        says(&mut line.client, &mut line.server, "question").await;
        line.server.write_all(b"answer").await.unwrap();
        says(&mut line.client, &mut line.server, "are you there?").await;
        receives_nothing(&line.client);
        line.proxy.set(Fault::NoRequests).await;
        receives(&mut line.client, "answer").await;
        line.client.write_all(b"thanks").await.unwrap();
        says(&mut line.server, &mut line.client, "are you there?").await;
        receives_nothing(&line.server);
        line.proxy.set(Fault::Pass).await;
        receives(&mut line.server, "thanks").await;
    }

    #[tokio::test]
    async fn a_cut_line_is_closed_and_refuses_until_it_is_repaired() {
        let mut line = Line::new().await;
        line.proxy.set(Fault::Cut).await;
        ends(&mut line.client).await;
        ends(&mut line.server).await;
        let refused = TcpStream::connect(line.proxy.address()).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
        line.proxy.set(Fault::Pass).await;
        line.client = TcpStream::connect(line.proxy.address()).await.unwrap();
        (line.server, _) = line.listener.accept().await.unwrap();
        says(&mut line.client, &mut line.server, "again").await;
    }

    #[tokio::test]
    async fn without_a_server_a_client_is_closed() {
        let mut line = Line::new().await;
        drop((line.listener, line.server));
        ends(&mut line.client).await;
        let mut client = TcpStream::connect(line.proxy.address()).await.unwrap();
        ends(&mut client).await;
    }
}
