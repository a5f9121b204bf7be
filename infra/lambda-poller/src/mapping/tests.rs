use super::{Destination, Kind, Mapping, Owner, StartingPosition};
use crate::{faults::Faults, tree::Node};

fn owner() -> Owner {
    Owner {
        name: "Questions".to_owned(),
        function: "triage".to_owned(),
        timeout_seconds: 30,
        path: "Properties".to_owned(),
    }
}

fn read(kind: Kind, yaml: &str) -> Result<Mapping, Vec<String>> {
    let mut faults = Faults::default();
    let mapping = Mapping::read(&owner(), kind, &Node::parse(yaml).unwrap(), &mut faults);
    mapping.ok_or(faults.found)
}

fn with(more: &str) -> Result<Mapping, Vec<String>> {
    read(
        Kind::SelfManaged,
        &format!("Topics: [questions]\nKafkaBootstrapServers: [b:9092]\n{more}"),
    )
}

#[test]
fn what_is_not_said_is_as_with_aws() {
    let mapping = with("").unwrap();
    assert_eq!((mapping.batch_size, mapping.window_ms), (100, 500));
    assert_eq!((mapping.retry_limit, mapping.record_age_limit_ms), (None, None));
    assert!(!mapping.bisects && !mapping.reports_failures && mapping.is_enabled);
    assert_eq!(mapping.group, "lambda-poller.Questions");
}

#[test]
fn attempts_without_limit_are_ten_if_there_is_a_destination() {
    let destination = "DestinationConfig: {OnFailure: {Destination: 'kafka://failures'}}";
    let mapping = with(destination).unwrap();
    assert_eq!(mapping.retry_limit, Some(10));
    assert_eq!(mapping.destination, Some(Destination::Kafka("failures".to_owned())));
    let limited = with(&format!("MaximumRetryAttempts: 0\n{destination}")).unwrap();
    assert_eq!(limited.retry_limit, Some(0));
    let endless = with(&format!("MaximumRetryAttempts: -1\n{destination}")).unwrap();
    assert_eq!(endless.retry_limit, Some(10));
    assert_eq!(with("MaximumRetryAttempts: -1").unwrap().retry_limit, None);
}

#[test]
fn all_three_spellings_say_the_same() {
    let common = "Topics: [t]\nBatchSize: '7'\nBisectBatchOnFunctionError: true\nFunctionResponseTypes: [ReportBatchItemFailures]\nMaximumRecordAgeInSeconds: 60\nStartingPosition: AT_TIMESTAMP\nStartingPositionTimestamp: 1700000000.5\nMaximumBatchingWindowInSeconds: 0\n";
    let msk = format!("{common}Stream: arn:aws:kafka:x\nConsumerGroupId: g\n");
    let own = format!("{common}KafkaBootstrapServers: [a:1, b:2]\nConsumerGroupId: g\n");
    let raw_msk = format!(
        "{common}FunctionName: f\nEventSourceArn: arn:aws:kafka:x\nAmazonManagedKafkaEventSourceConfig: {{ConsumerGroupId: g}}\n"
    );
    let raw_own = format!(
        "{common}SelfManagedEventSource: {{Endpoints: {{KafkaBootstrapServers: [a:1, b:2]}}}}\nSelfManagedKafkaEventSourceConfig: {{ConsumerGroupId: g}}\n"
    );
    let msk = read(Kind::Msk, &msk).unwrap();
    let own = read(Kind::SelfManaged, &own).unwrap();
    assert_eq!(msk, read(Kind::Resource, &raw_msk).unwrap());
    assert_eq!(own, read(Kind::Resource, &raw_own).unwrap());
    assert_eq!((own.batch_size, own.window_ms, own.group.as_str()), (7, 0, "g"));
    assert_eq!(own.start, StartingPosition::AtTimestamp(1_700_000_000_500));
    assert_eq!(own.source.bootstrap_servers, "a:1,b:2");
    assert!(own.bisects && own.reports_failures && own.source.arn.is_none());
    assert_eq!(msk.source.arn.as_deref(), Some("arn:aws:kafka:x"));
}

#[test]
fn all_faults_are_listed_with_their_places() {
    let faults = with("BatchSise: 5\nBatchSize: 0\nStartingPosition: OLDEST\nMaximumRecordAgeInSeconds: 5\nEnabled: perhaps\nFunctionResponseTypes: [X]\nDestinationConfig: {OnFailure: {Destination: 'arn:aws:lambda:x'}}\nFilterCriteria: {Filters: [{Pattern: '{\"key\":[1]}'}]}\nConsumptionMode: Queue\nZzzzzzzzzzzzz: 1\n").unwrap_err();
    let expected = [
        "Properties.StartingPosition: `OLDEST` is not TRIM_HORIZON, LATEST or AT_TIMESTAMP",
        "Properties.DestinationConfig: OnFailure.Destination must be kafka://TOPIC, or the ARN of a queue (sqs), a topic (sns) or a bucket (s3)",
        "Properties.Enabled: must be true or false, not `perhaps`",
        "Properties.BatchSize: must be 1 to 10000, not `0`",
        "Properties.FunctionResponseTypes: can only be [ReportBatchItemFailures]",
        "Properties.MaximumRecordAgeInSeconds: must be -1, or 60 to 604800",
        "Properties.FilterCriteria: key: Kafka mappings can only filter on `value`",
        "Properties.BatchSise: unknown property; is BatchSize meant?",
        "Properties.ConsumptionMode: is not for Kafka, or not supported here",
        "Properties.Zzzzzzzzzzzzz: unknown property",
    ];
    assert_eq!(faults, expected);
}

#[test]
fn a_mapping_needs_one_topic_and_the_same_is_no_destination() {
    let faults = read(Kind::Msk, "Topics: [a, b]\n").unwrap_err();
    assert_eq!(
        faults,
        ["Properties.Topics: must have exactly one topic", "Properties.Stream: is missing"]
    );
    let circle = with("DestinationConfig: {OnFailure: {Type: Kafka, Destination: questions}}");
    assert_eq!(circle.unwrap_err().len(), 1);
}

#[test]
fn what_has_no_effect_here_is_said() {
    let mapping = with("SourceAccessConfigurations: [{Type: BASIC_AUTH, URI: x}]\n").unwrap();
    assert_eq!(mapping.notes.len(), 1);
    assert!(mapping.notes[0].contains("--kafka-property"));
}

#[test]
fn a_function_behind_kafka_has_fourteen_minutes_at_most() {
    let mut faults = Faults::default();
    let owner = Owner { timeout_seconds: 841, ..owner() };
    let node = Node::parse("Topics: [t]\nStream: arn\n").unwrap();
    assert!(Mapping::read(&owner, Kind::Msk, &node, &mut faults).is_none());
    assert!(faults.found[0].contains("841 s"));
}
