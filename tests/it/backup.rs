//! A restored backup: what was in it is there, the functions work on, and what came after it can be had from the broker.

use std::time::Duration;

use api_gateway::responses::QueryResponse;
use progress_report::ProgressReport;
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    consumer::{BaseConsumer, CommitMode, Consumer},
};
use reqwest::StatusCode;
use runner::functions;
use runtime::fault::Faults;
use serde_json::json;
use tempfile::TempDir;
use testing::{TestDatabase, eventually};
use tests::{PASSWORD, Student, World};

/// The longest for one request to the broker.
const BROKER_LIMIT: Duration = Duration::from_secs(20);

async fn ask(world: &World, student: &Student, question: &str) -> QueryResponse {
    world.ask(student, question, 20).await.ok()
}

async fn report(world: &World, student: &Student) -> ProgressReport {
    world.get("/progress/me", Some(&student.token)).await.ok()
}

/// A student with something to lose, whose answer to a question comes after the backup. Returns the answer before it and
/// the one after it.
async fn lose(world: &mut World, ada: &Student, backup: &TempDir) -> Option<[QueryResponse; 2]> {
    let known = ask(world, ada, "What is a list?").await;
    let quiz = world.post("/quizzes", Some(&ada.token), &json!({ "topic": "lists" })).await;
    let path = format!("/quizzes/{}/submission", quiz.body["id"].as_str().expect("an id"));
    let submitted = world.post(&path, Some(&ada.token), &json!({})).await;
    assert_eq!(submitted.status, StatusCode::OK, "{}", submitted.body);
    eventually("the day counts", async || {
        (report(world, ada).await.streak.longest == 1).then_some(())
    })
    .await;
    let file = backup.path().join("backup");
    if !world.back_up(&file).await {
        return None;
    }
    let lost = ask(world, ada, "What is a tuple?").await;
    world.stop().await;
    world.replace_database(TestDatabase::restore(&file).await).await;
    Some([known, lost])
}

/// Sets every function's group back to the first record since a time, as `kafka-consumer-groups.sh --reset-offsets
/// --to-datetime` does.
fn set_back(brokers: &str, since: i64) {
    for spec in functions::specs().filter(|spec| !spec.consumes.is_empty()) {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", brokers)
            .set("group.id", format!("learnflow.{}", spec.name));
        let client: BaseConsumer = config.create().expect("a client");
        let mut wanted = TopicPartitionList::new();
        for topic in spec.consumes {
            let metadata =
                client.fetch_metadata(Some(topic.name()), BROKER_LIMIT).expect("it is there");
            for partition in metadata.topics()[0].partitions() {
                let at = wanted
                    .add_partition(topic.name(), partition.id())
                    .set_offset(Offset::Offset(since));
                at.expect("a time");
            }
        }
        let found = client.offsets_for_times(wanted, BROKER_LIMIT).expect("they are found");
        let mut offsets = TopicPartitionList::new();
        for element in found.elements() {
            // Nothing was sent to the others.
            if let Offset::Offset(_) = element.offset() {
                let (topic, partition) = (element.topic(), element.partition());
                let added = offsets.add_partition_offset(topic, partition, element.offset());
                added.expect("an offset");
            }
        }
        if offsets.count() > 0 {
            client.commit(&offsets, CommitMode::Sync).expect("the group has no members");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restored_backup_has_what_was_in_it_and_works_on() {
    let mut world = World::new().await;
    let ada = world.student("ada").await;
    let backup = TempDir::new().expect("a folder");
    let Some([known, lost]) = lose(&mut world, &ada, &backup).await else {
        return world.finish().await;
    };
    world.start(Faults::default()).await;
    let ada = world.log_in("ada@example.org", PASSWORD).await;
    let path = format!("/queries/{}", known.id);
    let again: QueryResponse = world.get(&path, Some(&ada.token)).await.ok();
    assert_eq!(again.answer, known.answer);
    let gone = world.get(&format!("/queries/{}", lost.id), Some(&ada.token)).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND, "{}", gone.body);
    assert_eq!(report(&world, &ada).await.streak.longest, 1);
    assert!(ask(&world, &ada, "What is a dictionary?").await.answer.is_some());
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_that_are_set_back_to_the_time_of_the_backup_do_nothing_twice() {
    let mut world = World::new().await;
    let ada = world.student("ada").await;
    let backup = TempDir::new().expect("a folder");
    let Some([known, lost]) = lose(&mut world, &ada, &backup).await else {
        return world.finish().await;
    };
    set_back(world.kafka(), 0);
    world.start(Faults::default()).await;
    let ada = world.log_in("ada@example.org", PASSWORD).await;
    assert!(ask(&world, &ada, "What is a dictionary?").await.answer.is_some());
    assert_eq!(world.answers_emitted(known.id.as_uuid()).await, 1, "it is known");
    eventually("the lost question is handled again", async || {
        (world.answers_emitted(lost.id.as_uuid()).await == 1).then_some(())
    })
    .await;
    world.finish().await;
}
