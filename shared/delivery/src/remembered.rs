//! What was read of people in the database, for as long as it is used without looking again.

use std::{
    collections::HashMap,
    hash::Hash,
    time::{Duration, Instant},
};

/// How long something is used without looking again: the most that a process that does not hear of an erasure still
/// handles what it is about to get, and that one admits a token of an account or session that has ended in another.
const LIFE: Duration = Duration::from_secs(60);
/// Most entries: everybody who is active in a minute on a busy host; a few hundred bytes each.
const LIMIT: usize = 20_000;

/// Values with the time of their reading. Old ones make room for new ones.
#[derive(Debug)]
pub(crate) struct Remembered<K, V>(HashMap<K, (V, Instant)>);

impl<K, V> Default for Remembered<K, V> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash, V: Clone> Remembered<K, V> {
    /// A value that is not too old.
    pub(crate) fn get(&self, key: &K) -> Option<V> {
        let (value, read_at) = self.0.get(key)?;
        (read_at.elapsed() < LIFE).then(|| value.clone())
    }

    /// Remembers what was read at this time, or later.
    pub(crate) fn insert(&mut self, key: K, value: V, read_at: Instant) {
        if self.0.len() >= LIMIT {
            self.0.retain(|_, (_, read_at)| read_at.elapsed() < LIFE);
            if self.0.len() >= LIMIT {
                self.0.clear();
            }
        }
        self.0.insert(key, (value, read_at));
    }

    /// Forgets what these keys stand for.
    pub(crate) fn forget(&mut self, is_meant: impl Fn(&K) -> bool) {
        self.0.retain(|key, _| !is_meant(key));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{LIFE, LIMIT, Remembered};

    #[test]
    fn a_value_is_used_until_it_is_old_or_forgotten() {
        let mut remembered = Remembered::default();
        let now = Instant::now();
        let Some(before) = now.checked_sub(LIFE) else { return };
        remembered.insert(1, 'a', now);
        remembered.insert(2, 'b', before);
        remembered.insert(3, 'c', now);
        remembered.forget(|key| *key == 3);
        assert_eq!([1, 2, 3].map(|key| remembered.get(&key)), [Some('a'), None, None]);
    }

    #[test]
    fn there_are_never_more_than_the_limit_and_old_values_go_first() {
        let mut remembered = Remembered::default();
        let now = Instant::now();
        let Some(before) = now.checked_sub(LIFE) else { return };
        for key in 0..LIMIT {
            remembered.insert(key, (), if key == 7 { now } else { before });
        }
        remembered.insert(LIMIT, (), now);
        assert_eq!(remembered.0.len(), 2, "the two that are not old");
        for key in 0..=2 * LIMIT {
            remembered.insert(key, (), now);
            assert!(remembered.0.len() <= LIMIT);
        }
    }
}
