//! Template and catalogue say the same, in both directions: read from the file as AWS reads it, without the generator.

use std::collections::{BTreeMap, BTreeSet};

use runner::{
    deployment::settings::{SETTINGS, Source},
    functions::specs,
};
use runtime::config::COMMON_SETTINGS;
use serde_yaml_ng::Value;

use super::root;

/// A member of a mapping, by a path; null if there is none.
fn at<'a>(value: &'a Value, path: &[&str]) -> &'a Value {
    path.iter().fold(value, |value, name| match value {
        Value::Tagged(tagged) => &tagged.value[*name],
        value => value.get(*name).unwrap_or(&Value::Null),
    })
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let all = value.as_mapping().into_iter().flatten();
    all.filter_map(|(name, value)| Some((name.as_str()?, value)))
}

/// Everything that is text below a value.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Sequence(all) => all.iter().flat_map(texts).collect(),
        Value::Mapping(all) => all.values().flat_map(texts).collect(),
        Value::Tagged(tagged) => texts(&tagged.value),
        _ => Vec::new(),
    }
}

type Names = BTreeSet<String>;

/// What a function is, as far as the template and the catalogue both know it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    consumes: Names,
    /// Topics that its role may read, and groups.
    reads: Names,
    groups: Names,
    writes: Names,
    settings: Names,
    periodic: Names,
    time: u64,
    memory: u64,
    binary: String,
}

fn catalogue() -> BTreeMap<String, Said> {
    let functions = specs().map(|spec| {
        let consumes: Names = spec.consumes.iter().map(|topic| topic.name().to_owned()).collect();
        let all = COMMON_SETTINGS.iter().chain(spec.settings);
        let source = |name: &str| SETTINGS.iter().find(|(known, ..)| *known == name);
        let set = all.filter(|name| source(name).is_none_or(|(_, aws, _)| *aws != Source::Unset));
        let group = |topic: &String| format!("{}.{topic}", spec.name);
        let said = Said {
            reads: consumes.clone(),
            groups: consumes.iter().map(group).collect(),
            consumes,
            writes: events::Topic::ALL.iter().map(|topic| topic.name().to_owned()).collect(),
            settings: set.map(|name| (*name).to_owned()).collect(),
            periodic: spec.schedules.iter().map(|schedule| schedule.name.to_owned()).collect(),
            time: spec.timeout.as_secs(),
            memory: u64::from(spec.lambda_memory_mb()),
            binary: spec.name.to_owned(),
        };
        (spec.name.to_owned(), said)
    });
    functions.collect()
}

/// What comes after the last slash of a resource's name.
fn last(names: Vec<&str>) -> Names {
    let names = names.into_iter().filter(|name| name.starts_with("${Cluster}/"));
    names.map(|name| name["${Cluster}/".len()..].replace("learnflow.${Stage}.", "")).collect()
}

fn template(text: &str) -> BTreeMap<String, Said> {
    let template: Value = serde_yaml_ng::from_str(text).expect("it is YAML");
    let resources = at(&template, &["Resources"]);
    let functions = members(resources)
        .filter(|(_, resource)| at(resource, &["Type"]) == "AWS::Serverless::Function");
    functions
        .map(|(id, function)| {
            let properties = at(function, &["Properties"]);
            let role = at(resources, &[&format!("{id}Role"), "Properties", "Policies"]);
            let statements = at(&role[0], &["PolicyDocument", "Statement"]);
            let of = |sid: &str| {
                let all = statements.as_sequence().into_iter().flatten();
                let statement = all.filter(|statement| at(statement, &["Sid"]) == sid);
                statement.flat_map(|statement| texts(at(statement, &["Resource"]))).collect()
            };
            let events = || members(at(properties, &["Events"]));
            let is = |kind: &'static str| {
                move |(_, event): &(&str, &Value)| at(event, &["Type"]) == kind
            };
            let name = texts(at(properties, &["FunctionName"])).concat();
            let said = Said {
                consumes: events()
                    .filter(is("MSK"))
                    .flat_map(|(_, event)| texts(at(event, &["Properties", "Topics"])))
                    .map(str::to_owned)
                    .collect(),
                reads: last(of("ReadTopics")),
                groups: last(of("Groups")),
                writes: last(of("WriteTopics")),
                settings: members(at(properties, &["Environment", "Variables"]))
                    .map(|(name, _)| name.to_owned())
                    .collect(),
                periodic: events()
                    .filter(is("Schedule"))
                    .map(|(_, event)| texts(at(event, &["Properties", "Input"])).concat())
                    .map(|input| {
                        let input: serde_json::Value =
                            serde_json::from_str(&input).expect("the input is JSON");
                        assert_eq!(input["detail-type"], "Scheduled Event");
                        input["detail"]["periodic"].as_str().unwrap_or_default().to_owned()
                    })
                    .collect(),
                time: at(properties, &["Timeout"]).as_u64().unwrap_or_default(),
                memory: at(properties, &["MemorySize"]).as_u64().unwrap_or_default(),
                binary: texts(at(function, &["Metadata", "BuildProperties", "Binary"])).concat(),
            };
            (name.replace("learnflow-${Stage}-", ""), said)
        })
        .collect()
}

fn text() -> String {
    std::fs::read_to_string(root().join("template.yaml")).expect("template.yaml")
}

#[test]
fn template_and_catalogue_say_the_same() {
    assert_eq!(template(&text()), catalogue());
    for (change, by) in [
        ("Topics: [learning.requests]", "Topics: [learning.request]"),
        ("          LOG_LEVEL: !Ref LogLevel\n", ""),
        ("          LOG_LEVEL: ", "          LOG_LEVELS: "),
        ("Timeout: 60", "Timeout: 61"),
        ("MemorySize: 1769", "MemorySize: 512"),
        ("\"periodic\": \"sweep\"", "\"periodic\": \"sweeps\""),
        ("Binary: triage", "Binary: concepts"),
        ("${Cluster}/dead.letters", "${Cluster}/dead.letter"),
        (
            "learnflow.${Stage}.debug.debug.requests\"\n                    -",
            "learnflow.x\"\n                    -",
        ),
    ] {
        let changed = text().replacen(change, by, 1);
        assert_ne!(changed, text(), "{change} is not there");
        assert_ne!(template(&changed), catalogue(), "{change} may become {by}");
    }
}

#[test]
fn every_mapping_reports_failures_one_by_one() {
    let template: Value = serde_yaml_ng::from_str(&text()).expect("it is YAML");
    let mut mappings = 0;
    for (_, resource) in members(at(&template, &["Resources"])) {
        for (name, event) in members(at(resource, &["Properties", "Events"])) {
            if at(event, &["Type"]) == "MSK" {
                let of = |property: &str| at(event, &["Properties", property]);
                assert_eq!(
                    texts(of("FunctionResponseTypes")),
                    ["ReportBatchItemFailures"],
                    "{name}"
                );
                assert_eq!(of("BisectBatchOnFunctionError"), &Value::Bool(true), "{name}");
                assert!(!of("DestinationConfig").is_null(), "{name}");
                mappings += 1;
            }
        }
    }
    assert_eq!(mappings, specs().map(|spec| spec.consumes.len()).sum::<usize>());
}

#[test]
fn every_parameter_of_both_configurations_is_one_of_the_template() {
    let template: Value = serde_yaml_ng::from_str(&text()).expect("it is YAML");
    let known: Names =
        members(at(&template, &["Parameters"])).map(|(name, _)| name.to_owned()).collect();
    let samconfig = std::fs::read_to_string(root().join("samconfig.toml")).expect("samconfig.toml");
    let samconfig: toml::Table = samconfig.parse().expect("it is TOML");
    for stage in ["default", "prod"] {
        let given = samconfig[stage]["deploy"]["parameters"]["parameter_overrides"].as_array();
        let given: Names = given
            .into_iter()
            .flatten()
            .filter_map(|pair| Some(pair.as_str()?.split_once('=')?.0.to_owned()))
            .collect();
        assert!(given.is_subset(&known), "{stage}: {:?}", given.difference(&known));
        for (name, parameter) in members(at(&template, &["Parameters"])) {
            let is_required = at(parameter, &["Default"]).is_null();
            assert!(
                !is_required || given.contains(name) || name == "KafkaBrokers",
                "{stage}: {name}"
            );
        }
    }
}
