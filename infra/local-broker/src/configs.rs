//! The settings that a topic can have: Apache Kafka 4.1's, with its defaults. All are stored and described;
//! `max.message.bytes` is the only one that changes what this broker does.

use std::collections::BTreeMap;

/// A topic's settings by name; missing ones have their defaults.
pub(crate) type Configs = BTreeMap<String, String>;

/// The largest batch that a topic accepts by default.
pub(crate) const DEFAULT_BATCH_LIMIT: usize = 1_048_588;
/// The setting that changes it.
pub(crate) const BATCH_LIMIT: &str = "max.message.bytes";
/// Longest value: lists of throttled replicas, which are the longest, are short here.
const VALUE_LIMIT: usize = 1_024;
/// Separates the items of a list.
const SEPARATOR: char = ',';

/// The type of a value, by its number in `DescribeConfigs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Boolean = 1,
    Text = 2,
    Int = 3,
    Long = 5,
    Double = 6,
    List = 7,
}

/// A known setting.
#[derive(Debug)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) default: &'static str,
}

const fn setting(name: &'static str, kind: Kind, default: &'static str) -> Setting {
    Setting { name, kind, default }
}

const LONG_MAX: &str = "9223372036854775807";

pub(crate) const SETTINGS: [Setting; 32] = [
    setting("cleanup.policy", Kind::List, "delete"),
    setting("compression.gzip.level", Kind::Int, "-1"),
    setting("compression.lz4.level", Kind::Int, "9"),
    setting("compression.type", Kind::Text, "producer"),
    setting("compression.zstd.level", Kind::Int, "3"),
    setting("delete.retention.ms", Kind::Long, "86400000"),
    setting("file.delete.delay.ms", Kind::Long, "60000"),
    setting("flush.messages", Kind::Long, LONG_MAX),
    setting("flush.ms", Kind::Long, LONG_MAX),
    setting("follower.replication.throttled.replicas", Kind::List, ""),
    setting("index.interval.bytes", Kind::Int, "4096"),
    setting("leader.replication.throttled.replicas", Kind::List, ""),
    setting("local.retention.bytes", Kind::Long, "-2"),
    setting("local.retention.ms", Kind::Long, "-2"),
    setting("max.compaction.lag.ms", Kind::Long, LONG_MAX),
    setting(BATCH_LIMIT, Kind::Int, "1048588"),
    setting("message.timestamp.after.max.ms", Kind::Long, "3600000"),
    setting("message.timestamp.before.max.ms", Kind::Long, LONG_MAX),
    setting("message.timestamp.type", Kind::Text, "CreateTime"),
    setting("min.cleanable.dirty.ratio", Kind::Double, "0.5"),
    setting("min.compaction.lag.ms", Kind::Long, "0"),
    setting("min.insync.replicas", Kind::Int, "1"),
    setting("preallocate", Kind::Boolean, "false"),
    setting("remote.log.copy.disable", Kind::Boolean, "false"),
    setting("remote.log.delete.on.disable", Kind::Boolean, "false"),
    setting("remote.storage.enable", Kind::Boolean, "false"),
    setting("retention.bytes", Kind::Long, "-1"),
    setting("retention.ms", Kind::Long, "604800000"),
    setting("segment.bytes", Kind::Int, "1073741824"),
    setting("segment.index.bytes", Kind::Int, "10485760"),
    setting("segment.jitter.ms", Kind::Long, "0"),
    setting("segment.ms", Kind::Long, "604800000"),
];

/// A change of one setting (KIP-339).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Set,
    Delete,
    Append,
    Subtract,
}

/// Why settings are refused, for the client.
pub(crate) type Invalid = &'static str;

/// Changes one setting.
pub(crate) fn change(
    configs: &mut Configs,
    name: &str,
    operation: Operation,
    value: Option<&str>,
) -> Result<(), Invalid> {
    let setting = find(name)?;
    let current = configs.get(name).map_or(setting.default, String::as_str);
    let items = |list: &str| -> Vec<String> {
        list.split(SEPARATOR).map(str::to_owned).filter(|item| !item.is_empty()).collect()
    };
    let value = match (operation, value) {
        (Operation::Delete, _) => {
            configs.remove(name);
            return Ok(());
        }
        (_, None) => return Err("a value is missing"),
        (Operation::Set, Some(value)) => value.to_owned(),
        _ if setting.kind != Kind::List => return Err("only lists are appended to"),
        (Operation::Append, Some(value)) => {
            let mut list = items(current);
            list.extend(items(value).into_iter().filter(|item| !items(current).contains(item)));
            list.join(",")
        }
        (Operation::Subtract, Some(value)) => {
            let less = items(value);
            let list = items(current).into_iter().filter(|item| !less.contains(item));
            list.collect::<Vec<_>>().join(",")
        }
    };
    check(setting, &value)?;
    configs.insert(name.to_owned(), value);
    Ok(())
}

/// The largest batch that a topic accepts.
pub(crate) fn batch_limit(configs: &Configs) -> usize {
    let limit = configs.get(BATCH_LIMIT).and_then(|value| value.parse().ok());
    limit.unwrap_or(DEFAULT_BATCH_LIMIT)
}

fn find(name: &str) -> Result<&'static Setting, Invalid> {
    let setting = SETTINGS.iter().find(|setting| setting.name == name);
    setting.ok_or("topics have no such setting")
}

fn check(setting: &Setting, value: &str) -> Result<(), Invalid> {
    let fits = match setting.kind {
        Kind::Boolean => matches!(value, "true" | "false"),
        Kind::Int if setting.name == BATCH_LIMIT => value.parse().is_ok_and(|n: i32| n >= 0),
        Kind::Int => value.parse::<i32>().is_ok(),
        Kind::Long => value.parse::<i64>().is_ok(),
        Kind::Double => value.parse::<f64>().is_ok_and(f64::is_finite),
        Kind::Text | Kind::List => !value.chars().any(char::is_control),
    };
    if value.len() > VALUE_LIMIT {
        Err("the value is longer than 1024 bytes")
    } else if fits {
        Ok(())
    } else {
        Err("the value does not have the setting's type")
    }
}

#[cfg(test)]
mod tests {
    use super::{Configs, Operation, SETTINGS, batch_limit, change, check};

    #[test]
    fn settings_are_known_ones_with_values_of_their_type() {
        let mut configs = Configs::new();
        let mut set = |name: &str, value: &str| {
            change(&mut configs, name, Operation::Set, Some(value)).is_ok()
        };
        assert!(set("retention.ms", "-1"));
        assert!(set("max.message.bytes", "5000000"));
        assert!(!set("max.message.bytes", "-5"));
        assert!(!set("max.message.bytes", "many"));
        assert!(!set("preallocate", "perhaps"));
        assert!(!set("no.such.setting", "1"));
        assert!(!set("compression.type", "a\tb"));
        assert!(!set("compression.type", &"x".repeat(5_000)));
        assert_eq!(batch_limit(&configs), 5_000_000);
        assert!(SETTINGS.iter().all(|setting| check(setting, setting.default).is_ok()));
    }

    #[test]
    fn lists_are_appended_to_and_subtracted_from() {
        let mut configs = Configs::new();
        let mut after = |operation, value| {
            change(&mut configs, "cleanup.policy", operation, Some(value)).unwrap();
            configs["cleanup.policy"].clone()
        };
        assert_eq!(after(Operation::Append, "compact"), "delete,compact");
        assert_eq!(after(Operation::Append, "compact"), "delete,compact");
        assert_eq!(after(Operation::Subtract, "delete"), "compact");
        assert!(change(&mut configs, "retention.ms", Operation::Append, Some("1")).is_err());
        change(&mut configs, "cleanup.policy", Operation::Delete, None).unwrap();
        assert!(configs.is_empty());
    }
}
