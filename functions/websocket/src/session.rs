//! The life of one socket.
//!
//! What is stored is read from the database when the client has taken what came before, so a slow client costs one page
//! and not everything that it has not read yet.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    body::Bytes,
    extract::ws::{Message, Utf8Bytes, WebSocket, close_code},
};
use events::{Event, question_answered::QuestionAnswered};
use futures::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use runtime::{
    auth::{TokenError, Verified},
    web::{
        Person,
        sockets::{MESSAGE_LIMIT, close_frame, count_end, is_too_large},
    },
};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    door::Door,
    frames::{Channel, Recipient, StoredFrame, stored_frame},
    hub::Membership,
    messages::{Place, Start, unknown_place},
    questions::{Done, NOT_TEXT, handle, reply},
};

/// Answers to a client's own frames that wait for it to read them; beyond that its frames are not read.
const REPLIES_WAITING: usize = 4;
/// How often a socket looks for messages although nothing said that there are any: the word of one may be lost while the
/// broker is away.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// The pause before the next look when the database is away.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How long a client may take to answer a ping.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
/// How long the end of a socket may take. A client that does not read never gets the reason.
const GOODBYE_LIMIT: Duration = Duration::from_secs(2);
/// Questions whose answers were sent lately: pieces that come after an answer are dropped.
const ANSWERED_KEPT: usize = 32;

/// A socket that was opened.
#[derive(Debug)]
pub(crate) struct Opened {
    /// What its token says.
    pub(crate) verified: Verified,
    pub(crate) channel: Channel,
    /// Where the client continues.
    pub(crate) start: Start,
    pub(crate) membership: Membership,
}

/// Why a socket ends. The codes are documented in `docs/websocket.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The client closed it, or its connection broke.
    Gone,
    /// The instance stops.
    Restart,
    /// A message was larger than messages may be.
    TooLarge,
    /// The socket has lived as long as sockets do.
    Old,
    /// The token has expired.
    Expired,
    /// The account was erased.
    Erased,
    /// The account is disabled.
    Disabled,
    /// The session has ended.
    SessionEnded,
    /// The client did not read, or did not answer a ping.
    Silent,
}

impl End {
    const fn close(self) -> Option<(u16, &'static str)> {
        match self {
            Self::Gone => None,
            Self::Restart => Some((close_code::RESTART, "the server restarts; connect again")),
            Self::TooLarge => Some((close_code::SIZE, "a message may have at most 128 KB")),
            Self::Old => Some((4000, "connect again with after=")),
            Self::Expired => Some((4401, "the token has expired; connect with a new one")),
            Self::Erased => Some((4401, "the account was erased")),
            Self::Disabled => Some((4401, "the account is disabled")),
            Self::SessionEnded => Some((4401, "the session has ended; log in again")),
            Self::Silent => Some((4408, "nothing was read for too long")),
        }
    }
}

/// Keeps a socket until it ends.
pub(crate) async fn serve(
    door: Arc<Door>,
    socket: WebSocket,
    stop: CancellationToken,
    opened: Opened,
) {
    let (mut sink, mut stream) = socket.split();
    let Opened { verified, channel, start, membership } = opened;
    let person = verified.person;
    let (replies, waiting) = mpsc::channel(REPLIES_WAITING);
    let (renewed, token) = watch::channel(verified);
    let heard = AtomicBool::new(false);
    let reader = Reader {
        door: &door,
        person,
        channel,
        stream: &mut stream,
        replies,
        renewed,
        heard: &heard,
    };
    let recipient = Recipient { id: person.id, role: person.role, channel };
    let writer = Writer {
        door: &door,
        recipient,
        sink: &mut sink,
        waiting,
        membership: &membership,
        heard: &heard,
        answered: Vec::new(),
    };
    let end = tokio::select! {
        // What comes first ends it.
        end = reader.run() => end,
        end = writer.run(start) => end,
        end = dismissed(&door, token) => end,
        end = grown_old(&door, person, &membership) => end,
        () = membership.mailbox.erased.cancelled() => End::Erased,
        () = stop.cancelled() => End::Restart,
    };
    drop(membership);
    goodbye(sink, stream, end).await;
}

/// Says why it ends, if the client may hear it.
async fn goodbye(
    mut sink: SplitSink<WebSocket, Message>,
    mut stream: SplitStream<WebSocket>,
    end: End,
) {
    let (code, reason) = end.close().unwrap_or_default();
    tracing::debug!(?end, code, "a socket ends");
    count_end(code);
    if end == End::Gone {
        return;
    }
    let said = async {
        if sink.send(Message::Close(Some(close_frame(code, reason)))).await.is_ok() {
            // Closed before the client has read it, the connection would be reset.
            while let Some(Ok(_)) = stream.next().await {}
        }
    };
    // Whoever does not read this finds the connection closed.
    if tokio::time::timeout(GOODBYE_LIMIT, said).await.is_err() {
        tracing::debug!("a client did not close its socket");
    }
}

/// When a token expires, as a moment of the runtime's clock.
fn deadline(door: &Door, token: &Verified) -> Instant {
    let left = (token.ends_at - door.services.clock.now()).to_std().unwrap_or_default();
    // A token for a century is as good as one for a day: sockets live for hours.
    Instant::now() + left.min(Duration::from_secs(86_400))
}

/// Completes when the token has expired and no other one has come, or when its account or session has ended. The latter
/// is looked at whenever a ping is due: nobody says so.
async fn dismissed(door: &Door, mut token: watch::Receiver<Verified>) -> End {
    loop {
        let last = *token.borrow_and_update();
        let expires = deadline(door, &last);
        let look = Instant::now() + door.config.ping;
        match tokio::time::timeout_at(look.min(expires), token.changed()).await {
            Ok(Ok(())) => {}
            // The reader is gone, and says so itself.
            Ok(Err(_closed)) => std::future::pending().await,
            Err(_elapsed) if expires <= look => return End::Expired,
            Err(_elapsed) => {
                if let Some(end) = refused(door, &last).await {
                    return end;
                }
            }
        }
    }
}

/// Why nobody may be here with this token any more.
async fn refused(door: &Door, token: &Verified) -> Option<End> {
    match door.services.verifier.admit(token).await {
        Ok(()) => None,
        Err(TokenError::Erased) => Some(End::Erased),
        Err(TokenError::Disabled) => Some(End::Disabled),
        Err(TokenError::SessionEnded) => Some(End::SessionEnded),
        Err(error) => {
            tracing::debug!(%error, "it is not known whether a session has ended");
            None
        }
    }
}

/// Completes when the client should connect again.
async fn grown_old(door: &Door, person: Person, membership: &Membership) -> End {
    // Any two sockets lie at different addresses.
    let mixed = person.id.as_uuid().as_u128() ^ (std::ptr::from_ref(membership).addr() as u128);
    tokio::time::sleep_until(Instant::now() + door.config.life_of(mixed)).await;
    End::Old
}

/// Reads what the client sends.
struct Reader<'a> {
    door: &'a Door,
    person: Person,
    channel: Channel,
    stream: &'a mut SplitStream<WebSocket>,
    replies: mpsc::Sender<String>,
    renewed: watch::Sender<Verified>,
    heard: &'a AtomicBool,
}

impl Reader<'_> {
    async fn run(self) -> End {
        while let Some(received) = self.stream.next().await {
            let message = match received {
                Ok(message) => message,
                Err(error) if is_too_large(&error) => return End::TooLarge,
                Err(_broken) => return End::Gone,
            };
            self.heard.store(true, Ordering::Relaxed);
            let text = match message {
                Message::Text(text) => text,
                Message::Binary(_) => Utf8Bytes::from_static(NOT_TEXT),
                // Answered below us; after a close nothing follows.
                Message::Ping(_) | Message::Pong(_) | Message::Close(_) => continue,
            };
            let Self { door, person, channel, .. } = &self;
            let token = *self.renewed.borrow();
            if let Some(end) = refused(door, &token).await {
                return end;
            }
            let answer = match handle(door, person, *channel, text.as_bytes()).await {
                Done::Nothing => continue,
                Done::Reply(answer) => answer,
                Done::Renewed(token) => {
                    self.renewed.send_replace(token);
                    continue;
                }
            };
            if self.replies.send(answer).await.is_err() {
                return End::Gone;
            }
        }
        End::Gone
    }
}

/// Sends what there is.
struct Writer<'a> {
    door: &'a Door,
    recipient: Recipient,
    sink: &'a mut SplitSink<WebSocket, Message>,
    waiting: mpsc::Receiver<String>,
    membership: &'a Membership,
    heard: &'a AtomicBool,
    answered: Vec<Uuid>,
}

impl Writer<'_> {
    async fn run(mut self, start: Start) -> End {
        match self.send_all(start).await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn send_all(&mut self, start: Start) -> Result<Infallible, End> {
        let mut place = self.start(start).await?;
        // Messages that the client has missed come first.
        let mut look = self.deliver(&mut place).await?;
        let mut ping = Ping::new(self.door.config.ping);
        loop {
            let wake = &self.membership.mailbox.wake;
            tokio::select! {
                Some(reply) = self.waiting.recv() => self.send(reply.into()).await?,
                () = wake.notified() => look = self.deliver(&mut place).await?,
                () = tokio::time::sleep_until(look) => look = self.deliver(&mut place).await?,
                () = ping.due() => match ping.tick(self.heard) {
                    Tick::Ask => self.write(Message::Ping(Bytes::new())).await?,
                    Tick::Heard => {}
                    Tick::Missed => return Err(End::Silent),
                },
            }
        }
    }

    /// Tells a client that cannot continue where it wants to.
    async fn start(&mut self, start: Start) -> Result<Place, End> {
        match start {
            Start::Found(place) => Ok(place),
            Start::Unknown(place) => {
                let answer = reply(self.door, self.recipient.id, None).refused(&unknown_place());
                self.send(answer.into()).await?;
                Ok(place)
            }
        }
    }

    /// Sends all that is new; returns when to look again.
    async fn deliver(&mut self, place: &mut Place) -> Result<Instant, End> {
        let mut look = true;
        loop {
            while let Some(piece) = self.membership.mailbox.next_piece() {
                if !self.answered.contains(&piece.query) {
                    self.send((&*piece.frame).into()).await?;
                }
            }
            let found = match place.next(self.door, look).await {
                Ok(found) => found,
                Err(error) => {
                    tracing::warn!(%error, "a person's messages cannot be read");
                    return Ok(Instant::now() + LOOK_AGAIN);
                }
            };
            if found.is_empty() {
                return Ok(Instant::now() + LOOK_EVERY);
            }
            look = false;
            let mut bytes = 0;
            for message in found {
                let position = message.position;
                if message.event_type == QuestionAnswered::TYPE {
                    self.answered.push(message.request);
                }
                let frame = stored_frame(&message, self.recipient);
                if let Some(StoredFrame { text, .. }) = frame {
                    bytes += text.len();
                    self.send(text.into()).await?;
                }
                place.pass(position);
                // The rest of the page would wait for a slow client in memory.
                if bytes > MESSAGE_LIMIT {
                    break;
                }
            }
            let many = self.answered.len().saturating_sub(ANSWERED_KEPT);
            self.answered.drain(..many);
        }
    }

    async fn send(&mut self, text: Utf8Bytes) -> Result<(), End> {
        self.write(Message::Text(text)).await
    }

    async fn write(&mut self, message: Message) -> Result<(), End> {
        match tokio::time::timeout(self.door.config.stall, self.sink.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_broken)) => Err(End::Gone),
            Err(_elapsed) => Err(End::Silent),
        }
    }
}

/// When to ping, and when an answer is overdue.
struct Ping {
    every: Duration,
    next: Instant,
    is_asked: bool,
}

/// What is to be done.
enum Tick {
    /// A ping is due.
    Ask,
    /// The last one was answered.
    Heard,
    /// It was not.
    Missed,
}

impl Ping {
    fn new(every: Duration) -> Self {
        Self { every, next: Instant::now() + every, is_asked: false }
    }

    async fn due(&self) {
        tokio::time::sleep_until(self.next).await;
    }

    fn tick(&mut self, heard: &AtomicBool) -> Tick {
        let was_heard = heard.swap(false, Ordering::Relaxed);
        self.is_asked = !self.is_asked;
        if self.is_asked {
            self.next = Instant::now() + ANSWER_LIMIT.min(self.every);
            return Tick::Ask;
        }
        self.next = Instant::now() + self.every;
        if was_heard { Tick::Heard } else { Tick::Missed }
    }
}
