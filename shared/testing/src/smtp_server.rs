//! A mail server that keeps what it gets (RFC 5321, as much as a client needs).

use std::{
    collections::VecDeque,
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufStream},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// The number of the connection on which it came, from 1.
    pub connection: usize,
    /// The line that names the sender.
    pub from: String,
    /// The line that names the recipient.
    pub to: String,
    /// Headers and text, as they were sent.
    pub data: String,
}

#[derive(Debug, Default)]
struct State {
    mails: Vec<Mail>,
    /// What is answered to the next recipients instead of 250.
    refusals: VecDeque<&'static str>,
}

/// The server, on loopback.
#[derive(Debug)]
pub struct SmtpServer {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: JoinHandle<()>,
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl SmtpServer {
    /// Starts a server that refuses the first recipients with these answers.
    ///
    /// # Panics
    /// No port is free.
    pub async fn refusing(refusals: impl IntoIterator<Item = &'static str>) -> Self {
        let refusals = refusals.into_iter().collect();
        let state = Arc::new(Mutex::new(State { mails: Vec::new(), refusals }));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let shared = Arc::clone(&state);
        let task = tokio::spawn(async move {
            for connection in 1.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                let state = Arc::clone(&shared);
                // A client that goes away has said all that it wanted to.
                tokio::spawn(async move { converse(stream, connection, &state).await.ok() });
            }
        });
        Self { address, state, task }
    }

    /// The value for `SMTP_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// All mails so far, oldest first.
    ///
    /// # Panics
    /// Another test panicked while holding the lock.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        self.state.lock().expect("no test panics here").mails.clone()
    }
}

async fn converse(stream: TcpStream, connection: usize, state: &Mutex<State>) -> io::Result<()> {
    let mut stream = BufStream::new(stream);
    let (mut from, mut to) = (String::new(), String::new());
    say(&mut stream, "220 test").await?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        let command = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        match command.as_str() {
            "EHLO" | "HELO" => say(&mut stream, "250 test").await?,
            "MAIL" => {
                line.clone_into(&mut from);
                say(&mut stream, "250 ok").await?;
            }
            "RCPT" => {
                line.clone_into(&mut to);
                let refusal = state.lock().expect("no test panics here").refusals.pop_front();
                say(&mut stream, refusal.unwrap_or("250 ok")).await?;
            }
            "DATA" => {
                say(&mut stream, "354 go on").await?;
                let mut data = String::new();
                while !data.ends_with("\r\n.\r\n") {
                    if stream.read_line(&mut data).await? == 0 {
                        return Ok(());
                    }
                }
                data.truncate(data.len() - ".\r\n".len());
                let mail = Mail { connection, from: from.clone(), to: to.clone(), data };
                state.lock().expect("no test panics here").mails.push(mail);
                say(&mut stream, "250 kept").await?;
            }
            "QUIT" => return say(&mut stream, "221 bye").await,
            _ => say(&mut stream, "250 ok").await?,
        }
    }
}

async fn say(stream: &mut BufStream<TcpStream>, line: &str) -> io::Result<()> {
    stream.write_all(format!("{line}\r\n").as_bytes()).await?;
    stream.flush().await
}
