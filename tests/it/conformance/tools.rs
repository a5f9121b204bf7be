//! What tools ask of a broker: groups listed and described, settings replaced, partitions added, records and
//! groups deleted.

use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    admin::{AlterConfig, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication},
    consumer::{BaseConsumer, CommitMode, Consumer},
    error::{KafkaError, RDKafkaErrorCode},
    groups::GroupMemberInfo,
    producer::FutureRecord,
};
use testing::eventually;

use super::{LIMIT, admin, consume, group_member, make_topic, options, producer, send};

pub(super) async fn check_all(brokers: &str) {
    groups_are_listed_described_and_deleted(brokers).await;
    settings_are_replaced_as_a_whole_and_checked(brokers).await;
    a_batch_over_the_topics_limit_is_refused(brokers).await;
    topics_get_more_partitions_but_never_fewer(brokers).await;
    deleted_records_are_gone(brokers).await;
    a_topic_made_anew_is_read_from_its_beginning(brokers).await;
}

/// A group as it is described.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    name: String,
    state: String,
    protocol_type: String,
    protocol: String,
    members: Vec<Member>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Member {
    id: String,
    client_id: String,
    client_host: String,
    metadata: Vec<u8>,
    assignment: Vec<u8>,
}

/// All groups, or the one of a name.
async fn groups(brokers: &str, name: Option<&str>) -> Vec<Group> {
    let (brokers, name) = (brokers.to_owned(), name.map(str::to_owned));
    let looked = tokio::task::spawn_blocking(move || -> Result<_, KafkaError> {
        let client: BaseConsumer =
            ClientConfig::new().set("bootstrap.servers", brokers).create()?;
        let listed = client.fetch_group_list(name.as_deref(), LIMIT)?;
        let groups = listed.groups().iter().map(|group| Group {
            name: group.name().to_owned(),
            state: group.state().to_owned(),
            protocol_type: group.protocol_type().to_owned(),
            protocol: group.protocol().to_owned(),
            members: group.members().iter().map(member).collect(),
        });
        Ok(groups.collect())
    });
    looked.await.expect("no panic").expect("groups are listed")
}

fn member(info: &GroupMemberInfo) -> Member {
    Member {
        id: info.id().to_owned(),
        client_id: info.client_id().to_owned(),
        client_host: info.client_host().to_owned(),
        metadata: info.metadata().unwrap_or_default().to_vec(),
        assignment: info.assignment().unwrap_or_default().to_vec(),
    }
}

async fn groups_are_listed_described_and_deleted(brokers: &str) {
    make_topic(brokers, "tooled").await;
    // Names are any text.
    let name = "tools' group\twith a tab";
    let consumer = group_member(brokers, name, "range", "tooled");
    send(&producer(brokers, &[]), "tooled", "k", "v").await;
    consume(&consumer, 1).await;
    consumer.commit_consumer_state(CommitMode::Sync).expect("the offsets are committed");
    let [group] = &groups(brokers, Some(name)).await[..] else { panic!("there is one") };
    assert_eq!((&*group.name, &*group.state), (name, "Stable"));
    assert_eq!((&*group.protocol_type, &*group.protocol), ("consumer", "range"));
    let [member] = &group.members[..] else { panic!("{group:?}") };
    assert!(member.id.starts_with("rdkafka-"), "{member:?}");
    assert_eq!((&*member.client_id, &*member.client_host), ("rdkafka", "/127.0.0.1"));
    assert!(!member.metadata.is_empty(), "{member:?}");
    assert!(member.assignment.windows(6).any(|window| window == b"tooled"), "{member:?}");
    assert!(groups(brokers, None).await.iter().any(|group| group.name == name));

    let admin = admin(brokers);
    let delete = async |group| {
        let deleted = admin.delete_groups(&[group], &options()).await;
        deleted.expect("it is answered").remove(0).map_err(|(_, code)| code)
    };
    assert_eq!(delete(name).await, Err(RDKafkaErrorCode::NonEmptyGroup));
    assert_eq!(delete("never there").await, Err(RDKafkaErrorCode::GroupIdNotFound));
    drop(consumer);
    eventually("the member has left", async || {
        (groups(brokers, Some(name)).await[0].state == "Empty").then_some(())
    })
    .await;
    assert_eq!(delete(name).await, Ok(name.to_owned()));
    assert!(groups(brokers, None).await.iter().all(|group| group.name != name));
}

/// A setting's value, and whether it is the default.
async fn setting(brokers: &str, topic: &str, name: &str) -> Option<(String, bool)> {
    let resource = ResourceSpecifier::Topic(topic);
    let described = admin(brokers).describe_configs([&resource], &options()).await.ok()?;
    let entry = described.first()?.as_ref().ok()?.get(name)?;
    Some((entry.value.clone()?, entry.is_default))
}

async fn has_setting(brokers: &str, topic: &str, name: &str, value: &str) {
    eventually("the setting has its value", async || {
        (setting(brokers, topic, name).await?.0 == value).then_some(())
    })
    .await;
}

async fn replace_settings(brokers: &str, change: AlterConfig<'_>) {
    let changed = admin(brokers).alter_configs([&change], &options()).await;
    changed.expect("it is answered");
}

async fn settings_are_replaced_as_a_whole_and_checked(brokers: &str) {
    let topic =
        NewTopic::new("settings", 1, TopicReplication::Fixed(1)).set("retention.ms", "5000");
    let made = admin(brokers).create_topics([&topic], &options()).await.expect("it is answered");
    assert_eq!(made, [Ok("settings".to_owned())]);
    has_setting(brokers, "settings", "retention.ms", "5000").await;
    let change = || AlterConfig::new(ResourceSpecifier::Topic("settings"));
    replace_settings(brokers, change().set("cleanup.policy", "compact")).await;
    has_setting(brokers, "settings", "cleanup.policy", "compact").await;
    has_setting(brokers, "settings", "retention.ms", "604800000").await;
    let default = setting(brokers, "settings", "retention.ms").await;
    assert_eq!(default, Some(("604800000".to_owned(), true)));
    for (name, value) in [
        ("no.such.setting", "1"),
        ("retention.ms", "soon"),
        ("max.message.bytes", "-5"),
        ("compression.type", "a\tb\nc"),
    ] {
        // The client does not say that it is refused, but nothing has changed in the end.
        replace_settings(brokers, change().set(name, value)).await;
        let topic = NewTopic::new("unsettled", 1, TopicReplication::Fixed(1)).set(name, value);
        let made = admin(brokers).create_topics([&topic], &options()).await;
        let made = made.expect("it is answered");
        assert_eq!(
            made,
            [Err(("unsettled".to_owned(), RDKafkaErrorCode::InvalidConfig))],
            "{name}"
        );
    }
    has_setting(brokers, "settings", "cleanup.policy", "compact").await;
}

async fn a_batch_over_the_topics_limit_is_refused(brokers: &str) {
    make_topic(brokers, "limited").await;
    // The client would refuse it itself; from the pieces that it does send nothing can be compressed away.
    let producer = producer(brokers, &[("message.max.bytes", "6000000")]);
    let send = async |bytes: usize| {
        let payload = vec![b'x'; bytes];
        let record: FutureRecord<'_, str, [u8]> = FutureRecord::to("limited").payload(&payload[..]);
        producer.send(record, LIMIT).await.map(drop).map_err(|(error, _)| error)
    };
    let too_large = Err(KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge));
    assert_eq!(send(1_000_000).await, Ok(()));
    assert_eq!(send(1_100_000).await, too_large);
    assert_eq!(send(5_000_000).await, too_large);
    let limit = |bytes| {
        AlterConfig::new(ResourceSpecifier::Topic("limited")).set("max.message.bytes", bytes)
    };
    replace_settings(brokers, limit("6000000")).await;
    has_setting(brokers, "limited", "max.message.bytes", "6000000").await;
    assert_eq!(send(5_000_000).await, Ok(()));
    replace_settings(brokers, limit("1000")).await;
    has_setting(brokers, "limited", "max.message.bytes", "1000").await;
    assert_eq!(send(1_100).await, too_large);
    assert_eq!(send(800).await, Ok(()));
}

async fn topics_get_more_partitions_but_never_fewer(brokers: &str) {
    make_topic(brokers, "growing").await;
    let grow = async |topic, count| {
        let grown = [&NewPartitions::new(topic, count)];
        let grown = admin(brokers).create_partitions(grown, &options()).await;
        grown.expect("it is answered").remove(0).map_err(|(_, code)| code)
    };
    assert_eq!(grow("growing", 10).await, Ok("growing".to_owned()));
    assert_eq!(grow("growing", 10).await, Err(RDKafkaErrorCode::InvalidPartitions));
    assert_eq!(grow("growing", 5).await, Err(RDKafkaErrorCode::InvalidPartitions));
    assert_eq!(grow("missing", 5).await, Err(RDKafkaErrorCode::UnknownTopicOrPartition));
    let admin = admin(brokers);
    eventually("the new partitions are known", async || {
        let metadata = admin.inner().fetch_metadata(Some("growing"), LIMIT).ok()?;
        (metadata.topics().first()?.partitions().len() == 10).then_some(())
    })
    .await;
    let producer = producer(brokers, &[]);
    let record = FutureRecord::to("growing").partition(9).key("k").payload("v");
    let sent = producer.send(record, LIMIT).await.expect("a new partition takes records");
    assert_eq!((sent.partition, sent.offset), (9, 0));
}

async fn deleted_records_are_gone(brokers: &str) {
    make_topic(brokers, "emptied").await;
    let producer = producer(brokers, &[]);
    for number in 0..10 {
        let value = number.to_string();
        let record = FutureRecord::to("emptied").partition(2).key("k").payload(&value);
        producer.send(record, LIMIT).await.expect("the broker takes it");
    }
    let admin = admin(brokers);
    let delete = async |partition, offset| {
        let mut wanted = TopicPartitionList::new();
        wanted.add_partition_offset("emptied", partition, offset).expect("an offset");
        let deleted = admin.delete_records(&wanted, &options()).await.expect("it is answered");
        let element = &deleted.elements()[0];
        element.error().map(|()| element.offset())
    };
    assert_eq!(delete(2, Offset::Offset(4)).await, Ok(Offset::Offset(4)));
    assert_eq!(delete(2, Offset::Offset(1)).await, Ok(Offset::Offset(4)), "it was deleted before");
    assert!(delete(2, Offset::Offset(99)).await.is_err(), "there is nothing like that");
    let consumer = group_member(brokers, "emptied", "range", "emptied");
    let records = consume(&consumer, 6).await;
    let values: Vec<_> = records.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(values, ["4", "5", "6", "7", "8", "9"]);
    assert_eq!(delete(2, Offset::End).await, Ok(Offset::Offset(10)));
    let brokers = brokers.to_owned();
    let ends = tokio::task::spawn_blocking(move || {
        let client: BaseConsumer =
            ClientConfig::new().set("bootstrap.servers", brokers).create()?;
        client.fetch_watermarks("emptied", 2, LIMIT)
    });
    assert_eq!(ends.await.expect("no panic"), Ok((10, 10)));
}

/// A group has read a topic that is deleted and made again.
async fn a_topic_made_anew_is_read_from_its_beginning(brokers: &str) {
    for round in ["first", "second"] {
        make_topic(brokers, "made-anew").await;
        let producer = producer(brokers, &[]);
        let sent = eventually("the new topic takes records", async || {
            let record = FutureRecord::to("made-anew").partition(0).key("k").payload(round);
            producer.send(record, LIMIT).await.ok()
        });
        assert_eq!(sent.await.offset, 0);
        let consumer = group_member(brokers, "anew", "range", "made-anew");
        let message = tokio::time::timeout(LIMIT, consumer.recv()).await.expect("it comes in time");
        let message = message.expect("it can be read");
        assert_eq!((message.offset(), message.payload()), (0, Some(round.as_bytes())));
        consumer.commit_consumer_state(CommitMode::Sync).expect("the offset is committed");
        drop(message);
        drop(consumer);
        let deleted = admin(brokers).delete_topics(&["made-anew"], &options()).await;
        assert_eq!(deleted.expect("it is answered"), [Ok("made-anew".to_owned())]);
        let admin = admin(brokers);
        eventually("the topic is gone", async || {
            let all = admin.inner().fetch_metadata(None, LIMIT).ok()?;
            all.topics().iter().all(|topic| topic.name() != "made-anew").then_some(())
        })
        .await;
    }
}
