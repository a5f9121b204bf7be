//! Answering what people ask of a mapping at work.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Ended, Poller,
    requests::{MappingView, Outcome, Reply, Request, Target},
};

/// How long the cluster may take to tell the ends of its partitions.
const BOUNDS_LIMIT: Duration = Duration::from_secs(3);

impl Poller {
    pub(super) fn answer_request(&mut self, request: Request, reply: Reply) {
        let outcome = match request {
            Request::View => return self.view(reply),
            Request::Rewind(partition, target) => return self.find(partition, target, reply),
            Request::Pause(partition) => self.known(partition).map(|lanes| {
                self.engine.pause(partition);
                format!("{lanes}: paused")
            }),
            Request::Resume(partition) => self.known(partition).map(|lanes| {
                self.engine.resume(partition);
                format!("{lanes}: resumed")
            }),
            Request::Step(partition) => self.known(partition).and_then(|lanes| {
                if self.engine.step(partition) {
                    Ok(format!("{lanes}: one invocation is permitted"))
                } else {
                    Err(format!("{lanes}: not paused"))
                }
            }),
        };
        send(reply, outcome);
    }

    /// The lanes in words, if there are any.
    fn known(&self, partition: Option<i32>) -> Result<String, String> {
        match partition {
            None => Ok(self.mapping.name.clone()),
            Some(partition) if self.engine.lanes().any(|lane| lane == partition) => {
                Ok(self.mapping.source.lane(partition))
            }
            Some(partition) => Err(format!("{} has no lane {partition} here", self.mapping.name)),
        }
    }

    fn view(&self, reply: Reply) {
        let mut view = MappingView {
            name: self.mapping.name.clone(),
            function: self.mapping.function.clone(),
            topic: self.mapping.source.topic.clone(),
            group: self.mapping.group.clone(),
            trouble: self.trouble.as_ref().map(|(trouble, _)| trouble.clone()),
            lanes: self.engine.view(),
        };
        let bounds = self.consumer.as_ref().map(crate::kafka::Consumer::bounds);
        // It does nothing that somebody would have to wait for.
        tokio::spawn(async move {
            if let Some(bounds) = bounds
                && let Ok(Ok(bounds)) = tokio::time::timeout(BOUNDS_LIMIT, bounds).await
            {
                for lane in &mut view.lanes {
                    lane.end = bounds.get(&lane.partition).map(|(_, end)| *end);
                }
            }
            drop(reply.send(Outcome::View(view)));
        });
    }

    /// Finds out at which offsets lanes go on, then rewinds them.
    fn find(&mut self, partition: Option<i32>, target: Target, reply: Reply) {
        let consumer = match (self.known(partition), &self.consumer) {
            (Ok(_), Some(consumer)) => consumer,
            (Ok(_), None) => return send(reply, Err("Kafka cannot be reached".to_owned())),
            (Err(reason), _) => return send(reply, Err(reason)),
        };
        let bounds = consumer.bounds();
        let by_time = match target {
            Target::Time(at_ms) => Some(consumer.offsets_at(at_ms)),
            Target::Offset(_) => None,
        };
        self.running.spawn(async move {
            let found = async {
                let away = || "Kafka does not answer".to_owned();
                let bounds = bounds.await.map_err(|_gone| away())?;
                let mut offsets = match (target, by_time) {
                    (Target::Offset(offset), _) => at_offset(&bounds, partition, offset)?,
                    (Target::Time(_), Some(by_time)) => by_time.await.map_err(|_gone| away())??,
                    (Target::Time(_), None) => BTreeMap::new(),
                };
                offsets.retain(|lane, _| partition.is_none_or(|partition| partition == *lane));
                if offsets.is_empty() { Err(away()) } else { Ok(offsets) }
            };
            Ended::Found { offsets: found.await, reply }
        });
    }

    pub(super) fn rewind(&mut self, offsets: Result<BTreeMap<i32, i64>, String>, reply: Reply) {
        let outcome = offsets.map(|offsets| {
            let lanes: Vec<String> = offsets
                .into_iter()
                .filter(|(partition, offset)| self.engine.rewind(*partition, *offset))
                .map(|(partition, offset)| {
                    format!("{} goes on at {offset}", self.mapping.source.lane(partition))
                })
                .collect();
            lanes.join(", ")
        });
        send(reply, outcome);
    }
}

/// The offset, where it lies in the lane.
fn at_offset(
    bounds: &crate::kafka::Bounds,
    partition: Option<i32>,
    offset: i64,
) -> Result<BTreeMap<i32, i64>, String> {
    let asked =
        bounds.iter().filter(|(lane, _)| partition.is_none_or(|partition| partition == **lane));
    let mut offsets = BTreeMap::new();
    for (lane, (first, end)) in asked {
        if !(*first..=*end).contains(&offset) {
            return Err(format!("partition {lane} has the offsets {first} to {end}"));
        }
        offsets.insert(*lane, offset);
    }
    Ok(offsets)
}

fn send(reply: Reply, outcome: Result<String, String>) {
    // Whoever asked may have gone.
    drop(reply.send(match outcome {
        Ok(done) => Outcome::Done(done),
        Err(reason) => Outcome::Refused(reason),
    }));
}
