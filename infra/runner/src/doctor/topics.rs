//! The settings of topics that decide how long their events are there.

use events::Topic;
use runtime::{
    cluster::{self, TopicSettings, TopicState},
    kafka_config::KafkaConfig,
};
use storage::retention::RETENTIONS;

use super::finding::Finding;

/// The shortest that events should be kept: a function that is down for a day loses nothing.
const SHORTEST_MS: i64 = 24 * 60 * 60 * 1_000;

/// Looks at the settings of all topics that are there.
pub(super) async fn check(config: &KafkaConfig) -> Vec<Finding> {
    let topics: Vec<TopicState> = {
        let config = config.clone();
        // The client blocks.
        let looked = tokio::task::spawn_blocking(move || cluster::topics(&config));
        // That the cluster is away is found with the groups.
        let Ok(Ok(topics)) = looked.await else { return Vec::new() };
        let is_ours =
            |state: &TopicState| Topic::ALL.iter().any(|topic| topic.name() == state.name);
        topics.into_iter().filter(is_ours).collect()
    };
    match cluster::settings(config, &topics).await {
        Ok(settings) => assess(&settings),
        Err(error) => vec![Finding::Warning(format!(
            "topics: their settings cannot be read ({error}); allow `DescribeConfigs`, or check them yourself"
        ))],
    }
}

/// How long functions remember which events they have handled, in milliseconds.
fn remembered_ms() -> i64 {
    let inbox = RETENTIONS.iter().find(|retention| retention.table == "inbox");
    inbox.map_or(i64::MAX, |retention| retention.keep.num_milliseconds())
}

fn assess(settings: &[TopicSettings]) -> Vec<Finding> {
    let names = |is: &dyn Fn(&TopicSettings) -> bool| {
        let found = settings.iter().filter(|topic| is(topic)).map(|topic| topic.name.as_str());
        found.collect::<Vec<_>>().join(", ")
    };
    let compacted = names(&|topic| topic.cleanup_policy != "delete");
    let short = names(&|topic| (0..SHORTEST_MS).contains(&topic.retention_ms));
    let long = names(&|topic| topic.retention_ms < 0 || topic.retention_ms > remembered_ms());
    let days = remembered_ms() / SHORTEST_MS;
    let found = [
        (
            compacted.is_empty(),
            Finding::Fault(format!(
                "topics: {compacted} are compacted, so that a student's newer event deletes an older one; set \
             cleanup.policy=delete"
            )),
        ),
        (
            short.is_empty(),
            Finding::Warning(format!(
                "topics: {short} keep events for less than a day, and a function that is down for longer loses them; set \
             retention.ms=604800000"
            )),
        ),
        (
            long.is_empty(),
            Finding::Warning(format!(
                "topics: {long} keep events for more than {days} days, longer than functions remember what they have \
             handled, and than what students erase may stay; set retention.ms=604800000"
            )),
        ),
    ];
    let faults: Vec<Finding> =
        found.into_iter().filter(|(is_fine, _)| !is_fine).map(|(_, fault)| fault).collect();
    if faults.is_empty() {
        return vec![Finding::Fine(
            "topics: they keep events long enough, and not too long".to_owned(),
        )];
    }
    faults
}

#[cfg(test)]
mod tests {
    use runtime::cluster::TopicSettings;

    use super::{Finding, assess};

    fn topic(name: &str, retention_ms: i64, policy: &str) -> TopicSettings {
        TopicSettings { name: name.to_owned(), retention_ms, cleanup_policy: policy.to_owned() }
    }

    #[test]
    fn a_week_is_fine_and_everything_else_is_named() {
        let week = topic("code.results", 604_800_000, "delete");
        assert!(matches!(&assess(std::slice::from_ref(&week))[..], [Finding::Fine(_)]));
        let found = assess(&[
            week,
            topic("dead.letters", 604_800_000, "compact,delete"),
            topic("learning.requests", 1_000, "delete"),
            topic("progress.events", -1, "delete"),
        ]);
        let [Finding::Fault(compacted), Finding::Warning(short), Finding::Warning(long)] =
            &found[..]
        else {
            panic!("{found:?}")
        };
        assert!(compacted.contains("dead.letters are compacted"), "{compacted}");
        assert!(short.contains("learning.requests keep events for less"), "{short}");
        assert!(long.contains("progress.events keep events for more than 14 days"), "{long}");
    }
}
