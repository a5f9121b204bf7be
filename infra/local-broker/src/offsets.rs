//! Committed offsets: an append-only file of JSON lines, in which the last line for a key counts; compacted when the
//! broker starts and when it has grown.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

/// Longest metadata of an offset: Kafka's `offset.metadata.max.bytes`.
pub(crate) const METADATA_LIMIT: usize = 4_096;
/// Lines after which the file is rewritten, unless most of them are needed: some 10 MB.
const REWRITE_AFTER: usize = 100_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) group: String,
    pub(crate) topic: String,
    pub(crate) partition: i32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Offset {
    pub(crate) offset: i64,
    pub(crate) metadata: String,
}

/// A line: an offset, or its removal.
type Line = (Key, Option<Offset>);

#[derive(Debug)]
pub(crate) struct CommittedOffsets {
    path: PathBuf,
    file: File,
    lines: usize,
    by_key: HashMap<Key, Offset>,
}

impl CommittedOffsets {
    pub(crate) fn open(dir: &Path) -> io::Result<Self> {
        let (path, old) = (dir.join("offsets.jsonl"), dir.join("offsets.tsv"));
        // A line that a crash cut short is ignored.
        let mut lines: Vec<Line> = read(&old)?.lines().filter_map(parse_old).collect();
        lines.extend(read(&path)?.lines().filter_map(|line| serde_json::from_str(line).ok()));
        let mut by_key = HashMap::new();
        for (key, offset) in lines {
            match offset {
                Some(offset) => by_key.insert(key, offset),
                None => by_key.remove(&key),
            };
        }
        let file = write_all(&path, &by_key)?;
        if old.exists() {
            fs::remove_file(old)?;
        }
        Ok(Self { path, file, lines: by_key.len(), by_key })
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Offset> {
        self.by_key.get(key)
    }

    /// Every key of a group.
    pub(crate) fn of_group(&self, group: &str) -> Vec<Key> {
        self.by_key.keys().filter(|key| key.group == group).cloned().collect()
    }

    /// Every group that has committed something.
    pub(crate) fn groups(&self) -> impl Iterator<Item = &str> {
        self.by_key.keys().map(|key| key.group.as_str())
    }

    pub(crate) fn commit(&mut self, key: Key, offset: Offset) -> io::Result<()> {
        self.append(&[(key.clone(), Some(offset.clone()))])?;
        self.by_key.insert(key, offset);
        Ok(())
    }

    /// Removes the offsets of all keys for which `which` holds; returns their number.
    pub(crate) fn forget(&mut self, which: impl Fn(&Key) -> bool) -> io::Result<usize> {
        let forgotten: Vec<Line> =
            self.by_key.keys().filter(|key| which(key)).map(|key| (key.clone(), None)).collect();
        self.append(&forgotten)?;
        self.by_key.retain(|key, _| !which(key));
        Ok(forgotten.len())
    }

    fn append(&mut self, lines: &[Line]) -> io::Result<()> {
        if self.lines > REWRITE_AFTER.max(self.by_key.len() * 2) {
            self.file = write_all(&self.path, &self.by_key)?;
            self.lines = self.by_key.len();
        }
        let text: Vec<u8> = lines.iter().map(text).collect::<io::Result<Vec<_>>>()?.concat();
        self.file.write_all(&text)?;
        self.lines += lines.len();
        Ok(())
    }
}

fn read(path: &Path) -> io::Result<String> {
    match fs::read(path) {
        // A crash can cut a character in two.
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error),
    }
}

/// Replaces the file, and opens it for appending.
fn write_all(path: &Path, by_key: &HashMap<Key, Offset>) -> io::Result<File> {
    let new = path.with_extension("new");
    let mut bytes = Vec::new();
    for (key, offset) in by_key {
        bytes.extend(text(&(key.clone(), Some(offset.clone())))?);
    }
    fs::write(&new, bytes)?;
    fs::rename(new, path)?;
    OpenOptions::new().append(true).open(path)
}

fn text(line: &Line) -> io::Result<Vec<u8>> {
    let mut text = serde_json::to_vec(line)?;
    text.push(b'\n');
    Ok(text)
}

/// The previous format, tab-separated with a dot at the end; names with tabs were lost in it.
fn parse_old(line: &str) -> Option<Line> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [group, topic, partition, offset, metadata, "."] = fields[..] else { return None };
    let key = Key {
        group: group.to_owned(),
        topic: topic.to_owned(),
        partition: partition.parse().ok()?,
    };
    Some((key, Some(Offset { offset: offset.parse().ok()?, metadata: metadata.to_owned() })))
}

#[cfg(test)]
mod tests {
    use super::{CommittedOffsets, Key, Offset};

    fn key(group: &str) -> Key {
        Key { group: group.to_owned(), topic: "t".to_owned(), partition: 3 }
    }

    #[test]
    fn a_group_with_tabs_newlines_and_nul_in_its_name_is_kept_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        let names = ["plain", "a\tb", "a\nb\t0\t1\t\t.", "\0", "\"\\", "ä\u{2028}"];
        let mut offsets = CommittedOffsets::open(dir.path()).unwrap();
        for (number, name) in (0..).zip(names) {
            let offset = Offset { offset: number, metadata: format!("{name}\t\n\0") };
            offsets.commit(key(name), offset).unwrap();
        }
        for _ in 0..2 {
            let offsets = CommittedOffsets::open(dir.path()).unwrap();
            assert_eq!(offsets.by_key.len(), names.len());
            for (number, name) in (0..).zip(names) {
                let stored = offsets.get(&key(name)).unwrap();
                assert_eq!((stored.offset, &stored.metadata), (number, &format!("{name}\t\n\0")));
            }
        }
    }

    #[test]
    fn offsets_of_an_older_version_are_read_and_a_torn_line_is_left_out() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("offsets.tsv"), "g\tt\t3\t7\tm\t.\nh\tt\t3\t1\t").unwrap();
        let mut offsets = CommittedOffsets::open(dir.path()).unwrap();
        assert_eq!(offsets.get(&key("g")).map(|stored| stored.offset), Some(7));
        offsets.commit(key("g"), Offset { offset: 8, metadata: String::new() }).unwrap();
        drop(offsets);
        let path = dir.path().join("offsets.jsonl");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend("[{\"group\":\"ä".as_bytes().split_last().unwrap().1);
        std::fs::write(&path, bytes).unwrap();
        let mut offsets = CommittedOffsets::open(dir.path()).unwrap();
        assert_eq!(offsets.get(&key("g")).map(|stored| stored.offset), Some(8));
        assert_eq!(offsets.forget(|key| key.group == "g").unwrap(), 1);
        assert!(CommittedOffsets::open(dir.path()).unwrap().by_key.is_empty());
    }
}
