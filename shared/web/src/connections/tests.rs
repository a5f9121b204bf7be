//! Tests of connections, with clients that write what they like.

use std::{net::SocketAddr, time::Duration};

use axum::{
    Router,
    body::Bytes,
    routing::{get, post},
};
use environment::config::Settings;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::{Limits, OPEN_FILES, open_files, serve};
use crate::TrustedProxies;

/// Long enough for a slow machine, far from the server's own defaults.
const PATIENCE: Duration = Duration::from_secs(20);
/// So long that a test does not see it run out.
const NEVER: Duration = Duration::from_secs(3_600);
const SOON: Duration = Duration::from_millis(50);

struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Server {
    async fn start(limits: Limits) -> Self {
        Self::start_behind("", limits).await
    }

    async fn start_behind(proxies: &str, limits: Limits) -> Self {
        let mut settings = Settings::from_pairs([("TRUSTED_PROXIES", proxies)]);
        let trusted = TrustedProxies::read(&mut settings);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new()
            .route("/", get(async || "hello"))
            // More than the buffers of both systems hold.
            .route("/much", get(async || vec![b'x'; 64 * 1024 * 1024]))
            .route("/take", post(async |body: Bytes| body.len().to_string()))
            .route("/refuse", post(async || "no"))
            .route("/hang", get(std::future::pending::<&'static str>));
        let stop = CancellationToken::new();
        let task = tokio::spawn(serve(listener, routes, limits, trusted, stop.clone()));
        Self { address, stop, task }
    }

    async fn send(&self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    async fn stops(self) {
        self.stop.cancel();
        tokio::time::timeout(PATIENCE, self.task).await.expect("it stops").unwrap();
    }
}

const LIMITS: Limits =
    Limits { connections: 8, per_client: 8, head: NEVER, write: NEVER, drain: NEVER };
const HELLO: &str = "GET / HTTP/1.1\r\nhost: x\r\n\r\n";

async fn is_closed(mut stream: TcpStream) {
    let mut buffer = vec![0; 1 << 20];
    let end = async { while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {} };
    tokio::time::timeout(PATIENCE, end).await.expect("the server closes the connection");
}

async fn is_greeted(stream: &mut TcpStream) {
    let mut read = Vec::new();
    let mut buffer = [0; 1024];
    while !read.ends_with(b"hello") {
        let count = tokio::time::timeout(PATIENCE, stream.read(&mut buffer)).await;
        let count = count.expect("an answer").unwrap();
        assert!(count > 0, "the connection ended");
        read.extend_from_slice(&buffer[..count]);
    }
}

#[tokio::test]
async fn a_client_that_sends_nothing_or_half_a_head_is_disconnected() {
    let server = Server::start(Limits { head: SOON, ..LIMITS }).await;
    is_closed(server.send("").await).await;
    is_closed(server.send("GET / HTTP/1.1\r\nhost: x\r\nx-slow: ").await).await;
    let mut idle = server.send(HELLO).await;
    is_greeted(&mut idle).await;
    is_closed(idle).await;
    server.stops().await;
}

#[tokio::test]
async fn a_client_that_never_reads_is_disconnected() {
    let server = Server::start(Limits { connections: 1, write: SOON, ..LIMITS }).await;
    let deaf = server.send("GET /much HTTP/1.1\r\nhost: x\r\n\r\n").await;
    // There is room for one, so it is served only when the other is gone.
    is_greeted(&mut server.send(HELLO).await).await;
    drop(deaf);
    server.stops().await;
}

#[tokio::test]
async fn connections_beyond_the_limit_wait() {
    let server = Server::start(Limits { connections: 1, ..LIMITS }).await;
    let mut first = server.send(HELLO).await;
    is_greeted(&mut first).await;
    let mut second = server.send(HELLO).await;
    let waits = tokio::time::timeout(SOON, second.read(&mut [0; 64])).await;
    assert!(waits.is_err(), "nobody answers yet");
    drop(first);
    is_greeted(&mut second).await;
    server.stops().await;
}

#[tokio::test]
async fn one_client_cannot_take_every_place_but_a_proxy_can() {
    let limits = Limits { per_client: 2, ..LIMITS };
    let server = Server::start(limits).await;
    let mut first = server.send(HELLO).await;
    is_greeted(&mut first).await;
    let mut second = server.send(HELLO).await;
    is_greeted(&mut second).await;
    is_closed(TcpStream::connect(server.address).await.unwrap()).await;
    drop(first);
    // Its place is free when the server has seen that it is gone.
    let mut third = loop {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let sent = stream.write_all(HELLO.as_bytes()).await;
        if sent.is_ok() && stream.peek(&mut [0]).await.is_ok_and(|count| count > 0) {
            break stream;
        }
    };
    is_greeted(&mut third).await;
    server.stops().await;
    let server = Server::start_behind("127.0.0.0/8", limits).await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        let mut client = server.send(HELLO).await;
        is_greeted(&mut client).await;
        clients.push(client);
    }
    server.stops().await;
}

#[test]
fn the_files_that_a_process_may_open_are_more_than_its_connections() {
    let files = open_files();
    assert!(Limits::of_process().connections <= files / 2);
    let most = rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum;
    let most = usize::try_from(most.unwrap_or(u64::MAX).min(OPEN_FILES)).unwrap();
    assert!(files >= most, "{files} of {most}");
}

/// Reads one response with a short body.
async fn response(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    let mut byte = [0];
    while !(read.ends_with(b"\r\n\r\nno") || read.ends_with(b"\r\n\r\n6")) {
        let count = tokio::time::timeout(PATIENCE, stream.read(&mut byte)).await;
        assert_eq!(count.expect("a response").unwrap(), 1, "the connection ended");
        read.push(byte[0]);
    }
    String::from_utf8(read).unwrap()
}

#[tokio::test]
async fn a_refused_body_ends_no_connection_under_the_next_request() {
    const BYTES: usize = 1 << 20;
    let server = Server::start(LIMITS).await;
    let mut client = server.send("").await;
    let fixed = format!("POST /refuse HTTP/1.1\r\nhost: x\r\ncontent-length: {BYTES}\r\n\r\n")
        + &"x".repeat(BYTES);
    let chunk = format!("{BYTES:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(BYTES));
    let chunked =
        format!("POST /refuse HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n{chunk}");
    for _ in 0..20 {
        for request in [&fixed, &chunked] {
            // The end of the body comes late.
            let (first, rest) = request.split_at(request.len() - BYTES / 2);
            client.write_all(first.as_bytes()).await.unwrap();
            tokio::task::yield_now().await;
            client.write_all(rest.as_bytes()).await.unwrap();
            let response = response(&mut client).await;
            assert!(!response.contains("connection: close"), "{response}");
        }
        let taken = "POST /take HTTP/1.1\r\nhost: x\r\ncontent-length: 6\r\n\r\nabcdef";
        client.write_all(taken.as_bytes()).await.unwrap();
        assert!(response(&mut client).await.ends_with("\r\n\r\n6"));
    }
    server.stops().await;
}

#[tokio::test]
async fn too_large_a_refused_body_ends_its_connection_but_not_before_the_response_is_read() {
    const BYTES: usize = 16 << 20;
    let server = Server::start(LIMITS).await;
    let mut client = server.send("").await;
    let head = format!("POST /refuse HTTP/1.1\r\nhost: x\r\ncontent-length: {BYTES}\r\n\r\n");
    client.write_all(head.as_bytes()).await.unwrap();
    client.write_all(&vec![b'x'; BYTES]).await.expect("all of it is read");
    let refused = response(&mut client).await;
    assert!(refused.contains("connection: close"), "{refused}");
    is_closed(client).await;
    // Who waits to be told is told the response instead.
    let mut client = server
        .send(
            "POST /refuse HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\nexpect: 100-continue\r\n\r\n",
        )
        .await;
    let refused = response(&mut client).await;
    assert!(refused.starts_with("HTTP/1.1 200") && refused.contains("connection: close"));
    is_closed(client).await;
    server.stops().await;
}

#[tokio::test]
async fn stopping_ends_whatever_clients_do() {
    let server = Server::start(Limits { drain: SOON, ..LIMITS }).await;
    let mut idle = server.send(HELLO).await;
    is_greeted(&mut idle).await;
    let clients = [
        idle,
        server.send("").await,
        server.send("GET / HTT").await,
        server.send("GET /hang HTTP/1.1\r\nhost: x\r\n\r\n").await,
        server.send("GET /much HTTP/1.1\r\nhost: x\r\n\r\n").await,
        server.send("POST /take HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nslow").await,
    ];
    server.stops().await;
    for client in clients {
        is_closed(client).await;
    }
}

#[tokio::test]
async fn what_is_being_answered_is_finished_before_stopping() {
    let server = Server::start(LIMITS).await;
    let mut half =
        server.send("POST /take HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhel").await;
    let mut idle = server.send(HELLO).await;
    is_greeted(&mut idle).await;
    server.stop.cancel();
    is_closed(idle).await;
    half.write_all(b"lo").await.unwrap();
    let mut answer = String::new();
    half.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\n5"), "{answer}");
    server.stops().await;
}
