//! Who is connected to this instance, and what wakes their sockets.
//!
//! An event on a topic only says that there may be something new for a person; what it is, and in which order, is read
//! from the database. So an event that is lost, late or delivered twice changes nothing. Pieces of answers are the
//! exception: they are not stored, so they are passed on from here.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use events::{
    CloudEvent, Envelope, Event, Topic, account_erased::AccountErased, model_call::AnswerDelta,
};
use ids::UserId;
use parking_lot::Mutex;
use runtime::Live;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::frames::{Channel, live_frame};

/// Most bytes of pieces that wait for one socket. Further ones are dropped: the answer replaces them.
const WAITING_BYTES: usize = 64 << 10;

/// A piece of an answer.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    /// The question that it belongs to.
    pub(crate) query: uuid::Uuid,
    /// The frame.
    pub(crate) frame: Arc<str>,
}

#[derive(Debug, Default)]
struct Pieces {
    waiting: VecDeque<Piece>,
    bytes: usize,
}

/// What waits for one socket.
#[derive(Debug)]
pub(crate) struct Mailbox {
    channel: Channel,
    /// There may be something new.
    pub(crate) wake: Notify,
    /// Its account was erased.
    pub(crate) erased: CancellationToken,
    pieces: Mutex<Pieces>,
}

impl Mailbox {
    /// The next piece of an answer.
    pub(crate) fn next_piece(&self) -> Option<Piece> {
        let mut pieces = self.pieces.lock();
        let piece = pieces.waiting.pop_front()?;
        pieces.bytes -= piece.frame.len();
        Some(piece)
    }

    fn add(&self, piece: &Piece) {
        let mut pieces = self.pieces.lock();
        if pieces.bytes + piece.frame.len() > WAITING_BYTES {
            return;
        }
        pieces.bytes += piece.frame.len();
        pieces.waiting.push_back(piece.clone());
    }
}

type People = HashMap<UserId, Vec<Arc<Mailbox>>>;

/// Everybody who is connected to this instance.
#[derive(Debug, Clone)]
pub(crate) struct Hub {
    people: Arc<Mutex<People>>,
    per_person: usize,
}

/// A socket's place among those of its person, until it is dropped.
#[derive(Debug)]
pub(crate) struct Membership {
    pub(crate) mailbox: Arc<Mailbox>,
    user: UserId,
    hub: Hub,
}

impl Hub {
    pub(crate) fn new(per_person: usize) -> Self {
        Self { people: Arc::default(), per_person }
    }

    /// Adds a socket. `None`: this person has too many.
    pub(crate) fn join(&self, user: UserId, channel: Channel) -> Option<Membership> {
        let mut people = self.people.lock();
        let own = people.entry(user).or_default();
        if own.len() >= self.per_person {
            return None;
        }
        let mailbox = Arc::new(Mailbox {
            channel,
            wake: Notify::new(),
            erased: CancellationToken::new(),
            pieces: Mutex::default(),
        });
        own.push(Arc::clone(&mailbox));
        Some(Membership { mailbox, user, hub: self.clone() })
    }

    /// Hears an event that somebody here may be waiting for.
    pub(crate) fn hear(&self, event: CloudEvent) {
        let subject = event.subject.as_deref().and_then(|subject| subject.parse().ok());
        let Some(user) = subject else { return };
        let people = self.people.lock();
        let Some(own) = people.get(&user) else { return };
        if Live::is_live(&event) {
            if let Some(piece) = piece(event, user) {
                for mailbox in own.iter().filter(|mailbox| mailbox.channel == Channel::Chat) {
                    mailbox.add(&piece);
                    mailbox.wake.notify_one();
                }
            }
            return;
        }
        let is_erased = event.event_type == AccountErased::TYPE;
        for mailbox in own {
            if is_erased {
                mailbox.erased.cancel();
            }
            mailbox.wake.notify_one();
        }
    }
}

/// The piece that a live event brings.
pub(crate) fn piece(event: CloudEvent, user: UserId) -> Option<Piece> {
    debug_assert_eq!(AnswerDelta::TOPIC, Topic::LearningResponses, "it is followed");
    let event = Envelope::<AnswerDelta>::read(event).ok()?;
    // Whoever the event says it is about gets it, and nobody else.
    (event.data.student_id == user)
        .then(|| Piece { query: event.data.query_id.as_uuid(), frame: live_frame(event).into() })
}

impl Drop for Membership {
    fn drop(&mut self) {
        let mut people = self.hub.people.lock();
        if let Some(own) = people.get_mut(&self.user) {
            own.retain(|mailbox| !Arc::ptr_eq(mailbox, &self.mailbox));
            if own.is_empty() {
                people.remove(&self.user);
            }
        }
    }
}
