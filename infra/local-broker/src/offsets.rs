//! Committed offsets: an append-only file, compacted when the broker starts.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::Path,
};

/// Group, topic, partition.
type Key = (String, String, i32);

#[derive(Debug)]
pub(crate) struct CommittedOffsets {
    file: File,
    by_key: HashMap<Key, (i64, String)>,
}

impl CommittedOffsets {
    pub(crate) fn open(dir: &Path) -> io::Result<Self> {
        let path = dir.join("offsets.tsv");
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        // A line that a crash cut short has no fifth field and is left out.
        let by_key: HashMap<_, _> = text.lines().filter_map(parse).collect();
        let compacted = dir.join("offsets.tsv.new");
        fs::write(&compacted, by_key.iter().map(line).collect::<String>())?;
        fs::rename(compacted, &path)?;
        Ok(Self { file: OpenOptions::new().append(true).open(path)?, by_key })
    }

    pub(crate) fn get(&self, group: &str, topic: &str, partition: i32) -> Option<&(i64, String)> {
        self.by_key.get(&(group.to_owned(), topic.to_owned(), partition))
    }

    /// Every topic and partition of a group.
    pub(crate) fn of_group(&self, group: &str) -> Vec<(String, i32)> {
        let keys = self.by_key.keys().filter(|key| key.0 == group);
        keys.map(|key| (key.1.clone(), key.2)).collect()
    }

    pub(crate) fn commit(
        &mut self,
        group: &str,
        topic: &str,
        partition: i32,
        offset: i64,
        metadata: &str,
    ) -> io::Result<()> {
        let key = (group.to_owned(), topic.to_owned(), partition);
        let value = (offset, metadata.replace(['\t', '\n'], " "));
        self.file.write_all(line((&key, &value)).as_bytes())?;
        self.by_key.insert(key, value);
        Ok(())
    }
}

fn line((key, value): (&Key, &(i64, String))) -> String {
    format!("{}\t{}\t{}\t{}\t{}\t.\n", key.0, key.1, key.2, value.0, value.1)
}

fn parse(line: &str) -> Option<(Key, (i64, String))> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [group, topic, partition, offset, metadata, "."] = fields[..] else { return None };
    let key = (group.to_owned(), topic.to_owned(), partition.parse().ok()?);
    Some((key, (offset.parse().ok()?, metadata.to_owned())))
}
