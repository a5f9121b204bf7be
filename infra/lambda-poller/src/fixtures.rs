//! Events in files: recorded ones, invented ones, and invoking a function with one of them.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use crate::{
    event::Source,
    record::{Consumed, Record},
};

/// Writes each event that a function is invoked with into a file.
#[derive(Debug)]
pub(crate) struct Recorder {
    folder: PathBuf,
    limit: usize,
    written: AtomicUsize,
}

impl Recorder {
    pub(crate) const fn new(folder: PathBuf, limit: usize) -> Self {
        Self { folder, limit, written: AtomicUsize::new(0) }
    }

    /// Writes an event as `MAPPING/TOPIC-PARTITION-OFFSET.json`; invoked again with it, a function has its file
    /// overwritten by the same.
    pub(crate) async fn record(
        &self,
        mapping: &str,
        source: &Source,
        first: &Record,
        event: &[u8],
    ) {
        let written = self.written.fetch_add(1, Ordering::Relaxed);
        if written >= self.limit {
            if written == self.limit {
                tracing::warn!(limit = self.limit, "no more events are recorded");
            }
            return;
        }
        let name = format!("{}-{}.json", source.lane(first.partition), first.offset);
        let path = self.folder.join(mapping).join(name);
        let event = event.to_vec();
        let work = move || write(&path, &event).map_err(|error| (path, error));
        if let Ok(Err((path, error))) = tokio::task::spawn_blocking(work).await {
            tracing::warn!(path = %path.display(), %error, "an event is not recorded");
        }
    }
}

fn write(path: &Path, event: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(path, event)
}

/// What an invented event has.
#[derive(Debug, Clone)]
pub(crate) struct Invented {
    pub(crate) source: Source,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) timestamp_ms: i64,
    pub(crate) key: Option<String>,
    /// A record for each.
    pub(crate) values: Vec<Option<String>>,
    pub(crate) headers: Vec<(String, String)>,
}

impl Invented {
    pub(crate) fn event(&self) -> Result<Vec<u8>, serde_json::Error> {
        let record = |(value, offset): (&Option<String>, i64)| {
            let consumed = Consumed {
                partition: self.partition,
                offset,
                timestamp_ms: self.timestamp_ms,
                is_log_append_time: false,
                key: self.key.as_ref().map(|key| key.clone().into_bytes()),
                value: value.as_ref().map(|value| value.clone().into_bytes()),
                headers: self
                    .headers
                    .iter()
                    .map(|(name, value)| (name.clone(), Some(value.clone().into_bytes())))
                    .collect(),
            };
            consumed.into_record(&self.source.topic).map(Arc::new)
        };
        let records: Result<Vec<Arc<Record>>, serde_json::Error> =
            self.values.iter().zip(self.offset..).map(record).collect();
        self.source.payload(&records?)
    }
}
