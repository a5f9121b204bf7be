//! The topics, their partitions and their settings; the list is one JSON file, replaced whole.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    configs::{self, Configs},
    log::PartitionLog,
};

/// Default number of partitions.
pub(crate) const DEFAULT_PARTITIONS: i32 = 8;
/// Most partitions of a topic.
pub(crate) const PARTITIONS_LIMIT: i32 = 256;
/// Most partitions of all topics together: each is an open file, of which a process may have 1024 on most
/// machines.
const OPEN_LIMIT: usize = 600;
/// Kafka's own bound on names.
const NAME_LIMIT: usize = 249;

#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) id: Uuid,
    pub(crate) partitions: Vec<PartitionLog>,
    pub(crate) configs: Configs,
}

#[derive(Debug)]
pub(crate) struct Topics {
    dir: PathBuf,
    by_name: BTreeMap<String, Topic>,
}

#[derive(Debug)]
pub(crate) enum ChangeError {
    Exists,
    Unknown,
    InvalidName,
    InvalidPartitions,
    TooManyPartitions,
    InvalidConfig(configs::Invalid),
    Io(io::Error),
}

/// A topic in the file.
#[derive(Debug, Serialize, Deserialize)]
struct Listed {
    name: String,
    id: Uuid,
    partitions: i32,
    configs: Configs,
}

impl Topics {
    pub(crate) fn open(dir: &Path) -> io::Result<Self> {
        let mut topics = Self { dir: dir.to_owned(), by_name: BTreeMap::new() };
        let old = dir.join("topics.tsv");
        let listed: Vec<Listed> = match read(&topics.list_path())? {
            Some(list) => serde_json::from_slice(&list)?,
            None => parse_old(&read(&old)?.unwrap_or_default()),
        };
        for listed in listed {
            let partitions = topics.open_partitions(listed.id, 0, listed.partitions)?;
            let topic = Topic { id: listed.id, partitions, configs: listed.configs };
            topics.by_name.insert(listed.name, topic);
        }
        topics.save()?;
        if old.exists() {
            fs::remove_file(old)?;
        }
        Ok(topics)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Topic> {
        self.by_name.get(name)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Topic)> {
        self.by_name.iter()
    }

    pub(crate) fn partition(&mut self, name: &str, index: i32) -> Option<&mut PartitionLog> {
        let index = usize::try_from(index).ok()?;
        self.by_name.get_mut(name)?.partitions.get_mut(index)
    }

    /// Validates a new topic; returns the number of its partitions.
    pub(crate) fn check_new(
        &self,
        name: &str,
        partitions: i32,
        configs: &Configs,
    ) -> Result<i32, ChangeError> {
        check_name(name)?;
        if self.by_name.contains_key(name) {
            return Err(ChangeError::Exists);
        }
        for (name, value) in configs {
            let set = configs::Operation::Set;
            configs::change(&mut Configs::new(), name, set, Some(value))
                .map_err(ChangeError::InvalidConfig)?;
        }
        let count = if partitions == -1 { DEFAULT_PARTITIONS } else { partitions };
        self.check_partitions(0, count)?;
        Ok(count)
    }

    #[expect(clippy::disallowed_methods, reason = "a tool for local use: it has no runtime to ask")]
    pub(crate) fn create(
        &mut self,
        name: &str,
        partitions: i32,
        configs: Configs,
    ) -> Result<Uuid, ChangeError> {
        let count = self.check_new(name, partitions, &configs)?;
        // Every topic has its own folder, even with the same name, so a deleted one leaves nothing behind.
        let id = Uuid::new_v4();
        let partitions = self.open_partitions(id, 0, count).map_err(ChangeError::Io)?;
        self.by_name.insert(name.to_owned(), Topic { id, partitions, configs });
        self.save().map_err(ChangeError::Io)?;
        Ok(id)
    }

    /// Validates a larger number of partitions; returns the current one.
    pub(crate) fn check_growth(&self, name: &str, count: i32) -> Result<i32, ChangeError> {
        let topic = self.by_name.get(name).ok_or(ChangeError::Unknown)?;
        let has = i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX);
        if count <= has {
            return Err(ChangeError::InvalidPartitions);
        }
        self.check_partitions(has, count)?;
        Ok(has)
    }

    pub(crate) fn grow(&mut self, name: &str, count: i32) -> Result<(), ChangeError> {
        let has = self.check_growth(name, count)?;
        let id = self.by_name.get(name).ok_or(ChangeError::Unknown)?.id;
        let more = self.open_partitions(id, has, count).map_err(ChangeError::Io)?;
        if let Some(topic) = self.by_name.get_mut(name) {
            topic.partitions.extend(more);
        }
        self.save().map_err(ChangeError::Io)
    }

    pub(crate) fn delete(&mut self, name: &str) -> Result<(), ChangeError> {
        let topic = self.by_name.remove(name).ok_or(ChangeError::Unknown)?;
        self.save().map_err(ChangeError::Io)?;
        fs::remove_dir_all(self.topic_dir(topic.id)).map_err(ChangeError::Io)
    }

    /// Replaces a topic's settings.
    pub(crate) fn configure(&mut self, name: &str, configs: Configs) -> Result<(), ChangeError> {
        let topic = self.by_name.get_mut(name).ok_or(ChangeError::Unknown)?;
        topic.configs = configs;
        self.save().map_err(ChangeError::Io)
    }

    fn check_partitions(&self, from: i32, to: i32) -> Result<(), ChangeError> {
        if !(1..=PARTITIONS_LIMIT).contains(&to) {
            return Err(ChangeError::InvalidPartitions);
        }
        let open: usize = self.by_name.values().map(|topic| topic.partitions.len()).sum();
        let more = usize::try_from(to - from).unwrap_or(usize::MAX);
        if open.saturating_add(more) > OPEN_LIMIT {
            return Err(ChangeError::TooManyPartitions);
        }
        Ok(())
    }

    fn open_partitions(&self, id: Uuid, from: i32, to: i32) -> io::Result<Vec<PartitionLog>> {
        let dir = self.topic_dir(id);
        fs::create_dir_all(&dir)?;
        (from..to).map(|index| PartitionLog::open(&dir.join(format!("{index}.log")))).collect()
    }

    fn topic_dir(&self, id: Uuid) -> PathBuf {
        self.dir.join("topics").join(id.to_string())
    }

    fn list_path(&self) -> PathBuf {
        self.dir.join("topics.json")
    }

    fn save(&self) -> io::Result<()> {
        let listed = self.by_name.iter().map(|(name, topic)| Listed {
            name: name.clone(),
            id: topic.id,
            partitions: i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX),
            configs: topic.configs.clone(),
        });
        let new = self.dir.join("topics.json.new");
        fs::write(&new, serde_json::to_vec_pretty(&listed.collect::<Vec<_>>())?)?;
        fs::rename(new, self.list_path())
    }
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The previous format: lines of tab-separated fields. A setting with a tab or a newline damaged its line or started a
/// new one, so lines that are no topics are left out, and unknown settings, too.
fn parse_old(list: &[u8]) -> Vec<Listed> {
    let list = String::from_utf8_lossy(list);
    let lines = list.lines().filter_map(|line| {
        let parsed = parse_old_line(line);
        if parsed.is_none() {
            tracing::warn!(line, "a damaged line of the list of topics is ignored");
        }
        parsed
    });
    lines.collect()
}

fn parse_old_line(line: &str) -> Option<Listed> {
    let mut fields = line.split('\t');
    let (name, id, count) = (fields.next()?, fields.next()?, fields.next()?);
    check_name(name).ok()?;
    let partitions = count.parse().ok().filter(|count| (1..=PARTITIONS_LIMIT).contains(count))?;
    let mut configs = Configs::new();
    for (key, value) in fields.filter_map(|field| field.split_once('=')) {
        if let Err(reason) =
            configs::change(&mut configs, key, configs::Operation::Set, Some(value))
        {
            tracing::warn!(topic = name, key, reason, "a topic's setting is ignored");
        }
    }
    Some(Listed { name: name.to_owned(), id: Uuid::try_parse(id).ok()?, partitions, configs })
}

/// Whether Kafka allows the name.
pub(crate) fn check_name(name: &str) -> Result<(), ChangeError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let fits = !name.is_empty() && name.len() <= NAME_LIMIT && !matches!(name, "." | "..");
    if fits && name.chars().all(allowed) { Ok(()) } else { Err(ChangeError::InvalidName) }
}

#[cfg(test)]
mod tests {
    use super::{ChangeError, Configs, OPEN_LIMIT, PARTITIONS_LIMIT, Topics};

    #[test]
    fn topics_of_an_older_version_are_read_even_from_a_damaged_list() {
        let dir = tempfile::tempdir().unwrap();
        let (one, two) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
        let list = format!(
            "a.topic\t{one}\t3\tretention.ms=5\tjunk=1\nover\nthree\tlines\tlong\n\
             b\t{two}\t1\tcompression.type=a\tb\n"
        );
        std::fs::write(dir.path().join("topics.tsv"), list).unwrap();
        for _ in 0..2 {
            let topics = Topics::open(dir.path()).unwrap();
            let names: Vec<_> = topics.iter().map(|(name, _)| name.as_str()).collect();
            assert_eq!(names, ["a.topic", "b"]);
            let topic = topics.get("a.topic").unwrap();
            assert_eq!((topic.id, topic.partitions.len()), (one, 3));
            assert_eq!(topic.configs, Configs::from([("retention.ms".into(), "5".into())]));
        }
        assert!(!dir.path().join("topics.tsv").exists());
    }

    #[test]
    fn partitions_grow_to_a_bound_and_stay_over_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let mut topics = Topics::open(dir.path()).unwrap();
        topics.create("t", 2, Configs::new()).unwrap();
        assert!(matches!(topics.grow("t", 2), Err(ChangeError::InvalidPartitions)));
        assert!(matches!(topics.grow("t", 300), Err(ChangeError::InvalidPartitions)));
        assert!(matches!(topics.grow("u", 3), Err(ChangeError::Unknown)));
        topics.grow("t", 5).unwrap();
        assert_eq!(Topics::open(dir.path()).unwrap().get("t").unwrap().partitions.len(), 5);
        let most = OPEN_LIMIT / usize::try_from(PARTITIONS_LIMIT).unwrap();
        let made = (0..=most)
            .map(|number| topics.create(&format!("t{number}"), PARTITIONS_LIMIT, Configs::new()));
        let last = made.last().unwrap();
        assert!(matches!(last, Err(ChangeError::TooManyPartitions)), "{last:?}");
    }
}
