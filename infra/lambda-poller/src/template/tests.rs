use super::{FunctionNames, Options, mappings};
use crate::{
    faults::Faults,
    mapping::{Destination, Mapping, StartingPosition},
};

const TEMPLATE: &str = r"
AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: {Type: String, Default: dev}
  Batch: {Type: Number, Default: 25}
  Brokers: {Type: CommaDelimitedList, Default: 'b-1:9092, b-2:9092'}
  ClusterArn: {Type: String}
Conditions:
  IsProd: !Equals [!Ref Stage, prod]
  IsOther: !Not [!Or [!Condition IsProd, !Equals [!Ref Stage, dev]]]
Mappings:
  Windows: {dev: {seconds: 0}, prod: {seconds: 5}}
Globals:
  Function:
    Timeout: 30
Resources:
  Cluster: {Type: AWS::MSK::Cluster}
  Bucket: {Type: AWS::S3::Bucket}
  Queue: {Type: AWS::SQS::Queue}
  Triage:
    Type: AWS::Serverless::Function
    Metadata: {BuildMethod: rust-cargolambda, BuildProperties: {Binary: triage}}
    Properties:
      FunctionName: !Sub '${Stage}-triage'
      Events:
        Questions:
          Type: MSK
          Properties:
            Stream: !Ref Cluster
            Topics: [!Sub '${Stage}.questions']
            StartingPosition: LATEST
            BatchSize: !Ref Batch
            MaximumBatchingWindowInSeconds: !FindInMap [Windows, !Ref Stage, seconds]
            ConsumerGroupId: !Join ['.', [local, !Select [1, !Split ['-', 'a-b']]]]
            BisectBatchOnFunctionError: !If [IsProd, true, !Ref AWS::NoValue]
            FunctionResponseTypes: [ReportBatchItemFailures]
            SourceAccessConfigurations: [{Type: SASL_SCRAM_512_AUTH, URI: !Ref Nowhere}]
            DestinationConfig: {OnFailure: {Type: S3, Destination: !GetAtt Bucket.Arn}}
        Other: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn}}
  Progress:
    Type: AWS::Serverless::Function
    Properties:
      Timeout: 60
      Events:
        Own:
          Type: SelfManagedKafka
          Properties:
            KafkaBootstrapServers: !Ref Brokers
            Topics: [t]
            DestinationConfig: {OnFailure: {Type: SQS, Destination: !GetAtt Queue.Arn}}
  Raw:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: !GetAtt Progress.Arn
      EventSourceArn: !GetAtt Cluster.Arn
      Topics: [raw]
      StartingPosition: TRIM_HORIZON
  NotMade:
    Type: AWS::Lambda::EventSourceMapping
    Condition: IsOther
    Properties: {FunctionName: x, Topics: [a, b, c]}
  NotKafka:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {FunctionName: x, EventSourceArn: !GetAtt Queue.Arn, ScalingConfig: {}}
";

fn read(text: &str, options: &Options) -> Result<Vec<Mapping>, Vec<String>> {
    let mut faults = Faults { file: "template.yaml".to_owned(), found: vec![] };
    let found = mappings(text, options, &mut faults);
    if faults.found.is_empty() { Ok(found) } else { Err(faults.found) }
}

#[test]
fn mappings_are_read_from_all_three_kinds_of_places() {
    let found = read(TEMPLATE, &Options::default()).unwrap();
    let names: Vec<(&str, &str)> =
        found.iter().map(|mapping| (mapping.name.as_str(), mapping.function.as_str())).collect();
    assert_eq!(
        names,
        [("TriageQuestions", "triage"), ("ProgressOwn", "Progress"), ("Raw", "Progress")]
    );
    let [questions, own, raw] = &found[..] else { panic!("three mappings") };
    assert_eq!((questions.timeout_seconds, own.timeout_seconds), (30, 60));
    assert_eq!(questions.source.topic, "dev.questions");
    assert_eq!(questions.start, StartingPosition::Latest);
    assert_eq!((questions.batch_size, questions.window_ms), (25, 0));
    assert_eq!(questions.group, "local.b");
    assert!(!questions.bisects && questions.reports_failures);
    assert_eq!(questions.destination, Some(Destination::S3("arn:aws:s3:::Bucket".to_owned())));
    let cluster = "arn:aws:kafka:us-east-1:123456789012:cluster/Cluster/local";
    assert_eq!(questions.source.arn.as_deref(), Some(cluster));
    assert_eq!(raw.source.arn.as_deref(), Some(cluster));
    assert_eq!(own.source.bootstrap_servers, "b-1:9092,b-2:9092");
    let queue = "arn:aws:sqs:us-east-1:123456789012:Queue".to_owned();
    assert_eq!(own.destination, Some(Destination::Sqs(queue)));
}

#[test]
fn parameters_can_be_given() {
    let parameters = [("Stage", "prod"), ("Batch", "3"), ("AWS::Region", "eu-west-1")];
    let parameters =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let found = read(TEMPLATE, &Options { parameters, ..Options::default() }).unwrap();
    assert_eq!(found[0].source.topic, "prod.questions");
    assert_eq!((found[0].batch_size, found[0].window_ms, found[0].bisects), (3, 5_000, true));
    assert!(found[0].source.arn.as_deref().unwrap().contains(":eu-west-1:"));
}

#[test]
fn functions_are_called_as_the_endpoint_knows_them() {
    let name = |names| {
        read(TEMPLATE, &Options { names, ..Options::default() }).unwrap()[0].function.clone()
    };
    assert_eq!(name(FunctionNames::LogicalId), "Triage");
    assert_eq!(name(FunctionNames::FunctionName), "dev-triage");
    let invoke_as = [("Triage".to_owned(), "function".to_owned())].into();
    let found = read(TEMPLATE, &Options { invoke_as, ..Options::default() }).unwrap();
    assert_eq!(found[0].function, "function");
}

#[test]
fn an_unknown_property_is_named_with_file_line_and_path() {
    let faults =
        read(&TEMPLATE.replace("BatchSize:", "BatchSise:"), &Options::default()).unwrap_err();
    assert_eq!(
        faults,
        [
            "template.yaml:33: Resources.Triage.Properties.Events.Questions.Properties.BatchSise: unknown property; is BatchSize meant?"
        ]
    );
}

#[test]
fn what_cannot_be_resolved_is_named_with_a_way_out() {
    let faults = read(&TEMPLATE.replace("!Ref Cluster", "!Ref ClusterArn"), &Options::default());
    assert_eq!(
        faults.unwrap_err(),
        [
            "template.yaml:30: Resources.Triage.Properties.Events.Questions.Properties.Stream: `ClusterArn` is neither a resource nor a parameter with a default: use --parameter ClusterArn=VALUE"
        ]
    );
    let import = TEMPLATE.replace("!Ref Cluster", "!ImportValue x");
    assert!(read(&import, &Options::default()).unwrap_err()[0].contains("use a parameter"));
    let parameters = [("Nobody".to_owned(), "x".to_owned())].into();
    let faults = read(TEMPLATE, &Options { parameters, ..Options::default() }).unwrap_err();
    assert_eq!(faults, ["template.yaml: --parameter Nobody: the template has no such parameter"]);
}

#[test]
fn what_is_no_template_is_refused() {
    assert_eq!(read("a: [", &Options::default()).unwrap_err().len(), 1);
    let faults = read("a: 1", &Options::default()).unwrap_err();
    assert_eq!(faults, ["template.yaml: the template: has no Resources"]);
}
