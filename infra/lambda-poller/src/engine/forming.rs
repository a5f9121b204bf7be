//! Making batches of what waits.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Condition, Engine,
    lane::Lane,
    part::{Part, State},
};
use crate::record::Record;

impl Engine {
    /// Makes a part of what waits, if it is time. `false`: it is not.
    pub(super) fn form(&mut self, now_ms: i64) -> bool {
        if self.running() >= self.policy.concurrency {
            return false;
        }
        let busy = self.partitions_where(|_| true);
        let idle: Vec<i32> = self
            .lanes
            .iter()
            .filter(|(partition, lane)| lane.has_waiting() && !busy.contains(partition))
            .map(|(partition, _)| *partition)
            .collect();
        let stepped: Vec<i32> = idle
            .iter()
            .copied()
            .filter(|partition| self.is_step(&BTreeSet::from([*partition])))
            .collect();
        if !stepped.is_empty() {
            return self.take(stepped);
        }
        let lanes: Vec<i32> =
            idle.into_iter().filter(|partition| !self.lanes[partition].is_paused).collect();
        let waiting = || lanes.iter().map(|partition| &self.lanes[partition]);
        let count: usize = waiting().map(Lane::waiting).sum();
        let bytes: usize = waiting().map(Lane::waiting_bytes).sum();
        let due_ms = waiting().filter_map(Lane::waiting_since_ms).min();
        let is_time = due_ms.is_some_and(|since| now_ms >= since + self.policy.window_ms)
            || count >= self.policy.batch_size
            || bytes >= self.policy.records_limit;
        is_time && self.take(lanes)
    }

    /// Takes a batch from these lanes, the longest waiting first.
    fn take(&mut self, mut lanes: Vec<i32>) -> bool {
        lanes.sort_by_key(|partition| self.lanes[partition].waiting_since_ms());
        let mut records: Vec<Arc<Record>> = Vec::new();
        let mut bytes = 0;
        let mut state = State::Ready;
        for partition in lanes {
            let Some(lane) = self.lanes.get_mut(&partition) else { continue };
            let mut lane_size = self.policy.lane_size;
            while records.len() < self.policy.batch_size
                && let Some(size) = lane.next_size()
            {
                let is_too_large = lane_size + size > self.policy.records_limit;
                if bytes + lane_size + size > self.policy.records_limit
                    && !(is_too_large && records.is_empty())
                {
                    break;
                }
                records.extend(lane.take());
                bytes += lane_size + size;
                lane_size = 0;
                if is_too_large {
                    state = State::Failed(Condition::MaximumPayloadSizeExceeded);
                    break;
                }
            }
            if state != State::Ready {
                break;
            }
        }
        if records.is_empty() {
            return false;
        }
        let part = Part::new(&mut self.next_part, records, state);
        self.parts.push(part);
        true
    }
}
