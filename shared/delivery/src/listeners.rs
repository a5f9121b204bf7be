//! Listening to a request: what is said of it while it is worked on, and that its answer is stored.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use events::CloudEvent;
use parking_lot::Mutex;
use tokio::{sync::mpsc, time::Instant};
use uuid::Uuid;

use crate::live::EPHEMERAL;

/// Most listeners at once; further ones hear nothing and have to look.
const LISTENERS_LIMIT: usize = 4_096;
/// Events that a listener may be behind: more paragraphs than an answer has. A slower one is cut off.
const BEHIND_LIMIT: usize = 64;
/// How often a listener looks for what it may not have heard, such as an answer whose event the broker did not take.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// How long one listens: longer than any answer takes.
const LIVE_LIMIT: Duration = Duration::from_secs(120);
/// How often one looks where nothing can be heard, under Lambda.
const DEAF_LOOK_AGAIN: Duration = Duration::from_millis(250);
/// How long one looks there: API Gateway cuts off at 30 s.
const DEAF_LIMIT: Duration = Duration::from_secs(25);

/// What a listener hears.
#[derive(Debug)]
pub enum Heard {
    /// An event that is not stored.
    Live(Box<CloudEvent>),
    /// A stored event has come, or it is time to look whether one has.
    Look,
    /// There is nothing more to hear: the time is over, the process stops, or the listener was too slow.
    Over,
}

/// Everyone who listens in this process, by request.
#[derive(Debug, Default)]
pub(crate) struct Listeners {
    places: Mutex<HashMap<Uuid, Vec<Place>>>,
    next: AtomicU64,
}

#[derive(Debug)]
struct Place {
    number: u64,
    sender: mpsc::Sender<Heard>,
}

/// Listens to one request; dropping it ends that.
#[derive(Debug)]
pub struct Listener {
    request: Uuid,
    until: Instant,
    look_again: Duration,
    hearing: Option<Hearing>,
}

#[derive(Debug)]
struct Hearing {
    number: u64,
    receiver: mpsc::Receiver<Heard>,
    listeners: Arc<Listeners>,
}

impl Listeners {
    pub(crate) fn listen(listeners: &Arc<Self>, request: Uuid) -> Listener {
        let number = listeners.next.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = mpsc::channel(BEHIND_LIMIT);
        let mut places = listeners.places.lock();
        let has_room = places.values().map(Vec::len).sum::<usize>() < LISTENERS_LIMIT;
        let hearing = has_room.then(|| {
            places.entry(request).or_default().push(Place { number, sender });
            Hearing { number, receiver, listeners: Arc::clone(listeners) }
        });
        Listener { request, until: Instant::now() + LIVE_LIMIT, look_again: LOOK_AGAIN, hearing }
    }

    /// Passes an event on to those who listen to its request. Whoever is too far behind is cut off.
    pub(crate) fn pass(&self, event: &CloudEvent) {
        let request = event.extensions.get("correlationid").and_then(|text| text.parse().ok());
        let Some(request) = request else { return };
        let mut places = self.places.lock();
        let Entry::Occupied(mut entry) = places.entry(request) else { return };
        let is_live = event.extensions.contains_key(EPHEMERAL);
        entry.get_mut().retain(|place| {
            let heard = if is_live { Heard::Live(Box::new(event.clone())) } else { Heard::Look };
            place.sender.try_send(heard).is_ok()
        });
        if entry.get().is_empty() {
            entry.remove();
        }
    }

    /// Nothing more will be heard here.
    pub(crate) fn clear(&self) {
        self.places.lock().clear();
    }

    fn leave(&self, request: Uuid, number: u64) {
        if let Entry::Occupied(mut entry) = self.places.lock().entry(request) {
            entry.get_mut().retain(|place| place.number != number);
            if entry.get().is_empty() {
                entry.remove();
            }
        }
    }
}

impl Listener {
    /// Hears nothing, and looks from time to time.
    pub(crate) fn deaf(request: Uuid) -> Self {
        let until = Instant::now() + DEAF_LIMIT;
        Self { request, until, look_again: DEAF_LOOK_AGAIN, hearing: None }
    }

    /// What comes next.
    pub async fn next(&mut self) -> Heard {
        let look = Instant::now() + self.look_again;
        let heard = async {
            match &mut self.hearing {
                Some(hearing) => hearing.receiver.recv().await.unwrap_or(Heard::Over),
                None => std::future::pending().await,
            }
        };
        match tokio::time::timeout_at(look.min(self.until), heard).await {
            Ok(heard) => heard,
            Err(_elapsed) if look < self.until => Heard::Look,
            Err(_elapsed) => Heard::Over,
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(hearing) = &self.hearing {
            hearing.listeners.leave(self.request, hearing.number);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use events::{CloudEvent, Data};
    use uuid::Uuid;

    use super::{BEHIND_LIMIT, Heard, Listener, Listeners};
    use crate::live::EPHEMERAL;

    fn event(request: u128, is_live: bool) -> CloudEvent {
        let request = Uuid::from_u128(request).to_string();
        let live = is_live.then(|| (EPHEMERAL.to_owned(), "true".to_owned()));
        CloudEvent {
            id: "1".to_owned(),
            source: "test".to_owned(),
            event_type: "test".to_owned(),
            subject: None,
            time: None,
            extensions: live
                .into_iter()
                .chain([("correlationid".to_owned(), request)])
                .collect::<BTreeMap<_, _>>(),
            data: Data::None,
        }
    }

    #[tokio::test]
    async fn all_listeners_of_a_request_hear_it_in_order_and_others_do_not() {
        let listeners = Arc::new(Listeners::default());
        let listen = |request| Listeners::listen(&listeners, Uuid::from_u128(request));
        let (mut one, mut other, mut stranger) = (listen(1), listen(1), listen(2));
        listeners.pass(&event(1, true));
        listeners.pass(&event(1, false));
        for listener in [&mut one, &mut other] {
            assert!(matches!(listener.next().await, Heard::Live(_)));
            assert!(matches!(listener.next().await, Heard::Look));
        }
        listeners.clear();
        assert!(matches!(stranger.next().await, Heard::Over), "it has heard nothing before");
    }

    #[tokio::test]
    async fn who_is_too_slow_is_cut_off_and_who_leaves_is_forgotten() {
        let listeners = Arc::new(Listeners::default());
        let mut slow = Listeners::listen(&listeners, Uuid::from_u128(1));
        for _ in 0..=BEHIND_LIMIT {
            listeners.pass(&event(1, true));
        }
        for _ in 0..BEHIND_LIMIT {
            assert!(matches!(slow.next().await, Heard::Live(_)));
        }
        assert!(matches!(slow.next().await, Heard::Over));
        drop(Listeners::listen(&listeners, Uuid::from_u128(2)));
        assert!(listeners.places.lock().is_empty());
    }

    #[tokio::test]
    async fn where_nothing_can_be_heard_one_looks() {
        assert!(matches!(Listener::deaf(Uuid::nil()).next().await, Heard::Look));
    }
}
