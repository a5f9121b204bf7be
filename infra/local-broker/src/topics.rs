//! The topics, their partitions and their settings; the list is one file, replaced whole.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use uuid::Uuid;

use crate::log::PartitionLog;

/// Partitions of a topic that is made without a number.
pub(crate) const DEFAULT_PARTITIONS: i32 = 8;
/// Most partitions of a topic: each is an open file.
pub(crate) const PARTITIONS_LIMIT: i32 = 256;
/// Kafka's own bound on names.
const NAME_LIMIT: usize = 249;

#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) id: Uuid,
    pub(crate) partitions: Vec<PartitionLog>,
    pub(crate) configs: BTreeMap<String, String>,
}

#[derive(Debug)]
pub(crate) struct Topics {
    dir: PathBuf,
    by_name: BTreeMap<String, Topic>,
}

#[derive(Debug)]
pub(crate) enum CreateError {
    Exists,
    InvalidName,
    InvalidPartitions,
    Io(io::Error),
}

impl Topics {
    pub(crate) fn open(dir: &Path) -> io::Result<Self> {
        let mut topics = Self { dir: dir.to_owned(), by_name: BTreeMap::new() };
        let list = match fs::read_to_string(topics.list_path()) {
            Ok(list) => list,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error),
        };
        for line in list.lines() {
            let mut fields = line.split('\t');
            let (Some(name), Some(id), Some(count)) = (fields.next(), fields.next(), fields.next())
            else {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "malformed list of topics"));
            };
            let id = Uuid::try_parse(id).map_err(io::Error::other)?;
            let count = count.parse().map_err(io::Error::other)?;
            let configs = fields
                .filter_map(|field| field.split_once('='))
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            let partitions = topics.open_partitions(id, count)?;
            topics.by_name.insert(name.to_owned(), Topic { id, partitions, configs });
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

    #[expect(clippy::disallowed_methods, reason = "a tool for local use: it has no runtime to ask")]
    pub(crate) fn create(
        &mut self,
        name: &str,
        partitions: i32,
        configs: BTreeMap<String, String>,
    ) -> Result<Uuid, CreateError> {
        check_name(name)?;
        if self.by_name.contains_key(name) {
            return Err(CreateError::Exists);
        }
        let count = if partitions == -1 { DEFAULT_PARTITIONS } else { partitions };
        if !(1..=PARTITIONS_LIMIT).contains(&count) {
            return Err(CreateError::InvalidPartitions);
        }
        // Every incarnation of a name has its own folder, so a deleted one leaves nothing behind.
        let id = Uuid::new_v4();
        let partitions = self.open_partitions(id, count).map_err(CreateError::Io)?;
        self.by_name.insert(name.to_owned(), Topic { id, partitions, configs });
        self.save().map_err(CreateError::Io)?;
        Ok(id)
    }

    pub(crate) fn delete(&mut self, name: &str) -> io::Result<bool> {
        let Some(topic) = self.by_name.remove(name) else { return Ok(false) };
        self.save()?;
        fs::remove_dir_all(self.topic_dir(topic.id))?;
        Ok(true)
    }

    pub(crate) fn configure(
        &mut self,
        name: &str,
        key: &str,
        value: Option<&str>,
    ) -> io::Result<bool> {
        let Some(topic) = self.by_name.get_mut(name) else { return Ok(false) };
        match value {
            Some(value) => topic.configs.insert(key.to_owned(), value.replace(['\t', '\n'], " ")),
            None => topic.configs.remove(key),
        };
        self.save()?;
        Ok(true)
    }

    fn open_partitions(&self, id: Uuid, count: i32) -> io::Result<Vec<PartitionLog>> {
        let dir = self.topic_dir(id);
        fs::create_dir_all(&dir)?;
        (0..count).map(|index| PartitionLog::open(&dir.join(format!("{index}.log")))).collect()
    }

    fn topic_dir(&self, id: Uuid) -> PathBuf {
        self.dir.join("topics").join(id.to_string())
    }

    fn list_path(&self) -> PathBuf {
        self.dir.join("topics.tsv")
    }

    fn save(&self) -> io::Result<()> {
        let mut list = String::new();
        for (name, topic) in &self.by_name {
            list.push_str(&format!("{name}\t{}\t{}", topic.id, topic.partitions.len()));
            for (key, value) in &topic.configs {
                list.push_str(&format!("\t{key}={value}"));
            }
            list.push('\n');
        }
        let new = self.dir.join("topics.tsv.new");
        fs::write(&new, list)?;
        fs::rename(new, self.list_path())
    }
}

fn check_name(name: &str) -> Result<(), CreateError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let fits = !name.is_empty() && name.len() <= NAME_LIMIT && !matches!(name, "." | "..");
    if fits && name.chars().all(allowed) { Ok(()) } else { Err(CreateError::InvalidName) }
}
