//! The order of handling and sending: one at a time for each key, many keys concurrently, and offsets that are only
//! committed when everything before them is done. Pure, so that it can be tested thoroughly.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    hash::Hash,
};

/// Queues of items by key. Items of one key are returned in order, one at a time.
#[derive(Debug)]
pub(crate) struct KeyedQueue<K, T> {
    queues: HashMap<K, VecDeque<T>>,
    ready: VecDeque<K>,
    running: usize,
    limit: usize,
    len: usize,
}

impl<K: Clone + Eq + Hash, T> KeyedQueue<K, T> {
    /// At most `limit` items are in progress at once.
    pub(crate) fn new(limit: usize) -> Self {
        Self { queues: HashMap::new(), ready: VecDeque::new(), running: 0, limit, len: 0 }
    }

    /// Items queued or in progress.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// The queued items with their keys, in any order.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (&K, &T)> {
        self.queues.iter().flat_map(|(key, queue)| queue.iter().map(move |item| (key, item)))
    }

    /// Adds an item behind those with the same key.
    pub(crate) fn push(&mut self, key: K, item: T) {
        self.len += 1;
        // A key has a queue while an item of it is queued or in progress; only a new key becomes ready.
        match self.queues.get_mut(&key) {
            Some(queue) => queue.push_back(item),
            None => {
                self.queues.insert(key.clone(), VecDeque::from([item]));
                self.ready.push_back(key);
            }
        }
    }

    /// The next item to work on, if the limit allows it.
    pub(crate) fn next(&mut self) -> Option<(K, T)> {
        if self.running >= self.limit {
            return None;
        }
        let key = self.ready.pop_front()?;
        let item = self.queues.get_mut(&key)?.pop_front()?;
        self.running += 1;
        Some((key, item))
    }

    /// Removes and returns the items queued behind the one in progress for this key.
    pub(crate) fn take_waiting(&mut self, key: &K) -> Vec<T> {
        let waiting: Vec<T> =
            self.queues.get_mut(key).map(|queue| queue.drain(..).collect()).unwrap_or_default();
        self.len -= waiting.len();
        waiting
    }

    /// Drops queued items that are `stale`; items in progress continue.
    pub(crate) fn drop_stale(&mut self, stale: impl Fn(&K, &T) -> bool) {
        for (key, queue) in &mut self.queues {
            let before = queue.len();
            queue.retain(|item| !stale(key, item));
            self.len -= before - queue.len();
        }
        let queues = &mut self.queues;
        // A ready key has no item in progress, so without queued items it can be removed.
        self.ready.retain(|key| {
            let has_items = queues.get(key).is_some_and(|queue| !queue.is_empty());
            if !has_items {
                queues.remove(key);
            }
            has_items
        });
    }

    /// Marks the item in progress for this key as done.
    pub(crate) fn done(&mut self, key: K) {
        self.running -= 1;
        self.len -= 1;
        if self.queues.get(&key).is_some_and(VecDeque::is_empty) {
            self.queues.remove(&key);
        } else {
            self.ready.push_back(key);
        }
    }
}

/// The offsets of one partition that are in progress.
#[derive(Debug, Default)]
pub(crate) struct Offsets {
    unfinished: BTreeSet<i64>,
    highest: Option<i64>,
}

impl Offsets {
    pub(crate) fn start(&mut self, offset: i64) {
        self.unfinished.insert(offset);
        self.highest = self.highest.max(Some(offset));
    }

    /// Finishes an offset; returns the last offset of the contiguous finished prefix, if it moved.
    pub(crate) fn finish(&mut self, offset: i64) -> Option<i64> {
        let was_first = self.unfinished.first() == Some(&offset);
        self.unfinished.remove(&offset);
        if !was_first {
            return None;
        }
        self.unfinished.first().map(|next| next - 1).or(self.highest)
    }

    /// Forgets everything from `offset` on: it will be received again.
    pub(crate) fn rewind(&mut self, offset: i64) {
        self.unfinished.split_off(&offset);
        self.highest = self.highest.map(|highest| highest.min(offset - 1));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, prop, prop_assert, prop_assert_eq, proptest};

    use super::{KeyedQueue, Offsets};

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// In any order of completion: order within a key is kept, the limit holds, nothing is lost.
        #[test]
        fn a_keyed_queue_keeps_order_within_a_key(
            keys in prop::collection::vec(0_u8..5, 0..60),
            choices in prop::collection::vec(0_usize..100, 0..400),
            limit in 1_usize..8,
        ) {
            let mut queue = KeyedQueue::new(limit);
            for (position, key) in keys.iter().enumerate() {
                queue.push(*key, position);
            }
            let (mut running, mut seen) = (Vec::new(), Vec::new());
            let mut choices = choices.into_iter().cycle();
            while queue.len() > 0 {
                while let Some((key, item)) = queue.next() {
                    prop_assert!(running.iter().all(|other| *other != key), "one at a time");
                    running.push(key);
                    seen.push((key, item));
                }
                prop_assert!(running.len() <= limit);
                let chosen = choices.next().unwrap_or(0) % running.len();
                queue.done(running.swap_remove(chosen));
            }
            prop_assert_eq!(seen.len(), keys.len());
            for key in 0..5 {
                let order: Vec<_> = seen.iter().filter(|(k, _)| *k == key).map(|(_, i)| *i).collect();
                prop_assert!(order.is_sorted());
            }
        }

        /// Whenever items are dropped: the others are returned in order, and the count is right.
        #[test]
        fn a_keyed_queue_drops_only_what_is_stale(
            keys in prop::collection::vec(0_u8..4, 0..40),
            in_work in 0_usize..6,
            boundary in 0_usize..40,
        ) {
            let mut queue = KeyedQueue::new(usize::MAX);
            for (position, key) in keys.iter().enumerate() {
                queue.push(*key, position);
            }
            let mut running: Vec<_> = std::iter::from_fn(|| queue.next()).take(in_work).collect();
            let mut seen: Vec<_> = running.clone();
            queue.drop_stale(|_, position| *position < boundary);
            while let Some((key, _)) = running.pop() {
                queue.done(key);
                while let Some((key, position)) = queue.next() {
                    prop_assert!(position >= boundary);
                    seen.push((key, position));
                    running.push((key, position));
                }
            }
            while let Some((key, position)) = queue.next() {
                prop_assert!(position >= boundary);
                seen.push((key, position));
                queue.done(key);
            }
            prop_assert_eq!(queue.len(), 0);
            for key in 0..4 {
                let order: Vec<_> = seen.iter().filter(|(k, _)| *k == key).map(|(_, i)| *i).collect();
                prop_assert!(order.is_sorted());
            }
            let left = (0..keys.len()).filter(|position| *position >= boundary);
            prop_assert!(left.into_iter().all(|position| seen.iter().any(|(_, i)| *i == position)));
        }

        /// What is received again after a rewind is committed only once it is finished again.
        #[test]
        fn offsets_pass_nothing_that_was_rewound(
            count in 1_i64..30,
            finished in prop::collection::btree_set(0_i64..30, 0..30),
            from in 0_i64..30,
        ) {
            let mut offsets = Offsets::default();
            for offset in 0..count {
                offsets.start(offset);
            }
            let (before, after): (Vec<i64>, Vec<i64>) =
                (0..count).partition(|offset| finished.contains(offset));
            let mut committed = before.into_iter().filter_map(|offset| offsets.finish(offset)).max();
            offsets.rewind(from);
            // Those that were in progress end, whether or not they are received again.
            committed = after.into_iter().filter_map(|offset| offsets.finish(offset)).max().max(committed);
            let contiguous = (0..count).take_while(|offset| finished.contains(offset)).last();
            prop_assert!(committed <= contiguous.max(Some(from - 1)));
            for offset in from..count {
                offsets.start(offset);
            }
            let again = (from..count).filter_map(|offset| offsets.finish(offset)).max();
            prop_assert_eq!(again, (from < count).then_some(count - 1));
        }

        /// A committed offset never passes an unfinished one, and in the end all are committed.
        #[test]
        fn offsets_commit_only_the_finished_prefix(
            gaps in prop::collection::vec(1_i64..4, 1..40),
            order in prop::collection::vec(0_usize..100, 40),
        ) {
            let mut offsets = Offsets::default();
            let mut open: Vec<i64> = gaps.iter().scan(10, |at, gap| { *at += gap; Some(*at) }).collect();
            let last = open.last().copied();
            for offset in &open {
                offsets.start(*offset);
            }
            let mut committed = None;
            for choice in order.into_iter().cycle() {
                if open.is_empty() { break; }
                let offset = open.remove(choice % open.len());
                if let Some(upto) = offsets.finish(offset) {
                    prop_assert!(open.iter().all(|unfinished| *unfinished > upto));
                    prop_assert!(committed.is_none_or(|before| before <= upto));
                    committed = Some(upto);
                }
            }
            prop_assert_eq!(committed, last);
        }
    }
}
