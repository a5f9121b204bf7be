//! Settings: described and changed. The broker's own cannot be changed.

use bytes::Bytes;
use kafka_protocol::{
    ResponseError,
    messages::{
        AlterConfigsRequest, AlterConfigsResponse, DescribeConfigsRequest, DescribeConfigsResponse,
        IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
        alter_configs_response::AlterConfigsResourceResponse as Replaced,
        describe_configs_request::DescribeConfigsResource,
        describe_configs_response::{DescribeConfigsResourceResult, DescribeConfigsResult},
        incremental_alter_configs_response::AlterConfigsResourceResponse as Altered,
    },
    protocol::StrBytes,
};

use crate::{
    call::{Call, Error},
    cluster::NODE,
    configs::{self, Configs, DEFAULT_BATCH_LIMIT, Kind, Operation, SETTINGS},
    state::State,
    topic_api,
    topics::{ChangeError, DEFAULT_PARTITIONS, Topics},
};

/// The resource type of a topic (Kafka's `ConfigResource.Type`).
const TOPIC: i8 = 2;
/// The resource type of a broker.
const BROKER: i8 = 4;
/// The source of a value that was set on a topic (Kafka's `ConfigSource`).
const SET_ON_TOPIC: i8 = 1;
/// The source of a broker's value that was given at its start.
const STATIC: i8 = 4;
/// The source of a default.
const DEFAULT: i8 = 5;

type Fault = (ResponseError, &'static str);

pub(crate) fn describe(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: DescribeConfigsRequest = call.request()?;
    let topics = state.topics.lock();
    let results = request.resources.into_iter().map(|resource| {
        let result = DescribeConfigsResult::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name.clone());
        match describe_resource(&topics, &resource) {
            Ok(mut configs) => {
                // As in Kafka, both no list and an empty one mean all.
                let keys = resource.configuration_keys.as_ref().filter(|keys| !keys.is_empty());
                if let Some(keys) = keys {
                    configs.retain(|config| keys.contains(&config.name));
                }
                result.with_configs(configs)
            }
            Err((code, message)) => result
                .with_error_code(code.code())
                .with_error_message(Some(StrBytes::from_static_str(message))),
        }
    });
    let results = results.collect();
    call.respond(&DescribeConfigsResponse::default().with_results(results))
}

fn describe_resource(
    topics: &Topics,
    resource: &DescribeConfigsResource,
) -> Result<Vec<DescribeConfigsResourceResult>, Fault> {
    let described = |name: &'static str, value: String, kind: Kind, source: i8| {
        DescribeConfigsResourceResult::default()
            .with_name(StrBytes::from_static_str(name))
            .with_value(Some(StrBytes::from_string(value)))
            .with_config_type(kind as i8)
            .with_config_source(source)
            .with_read_only(source == STATIC)
    };
    match resource.resource_type {
        TOPIC => {
            let topic = topics.get(&resource.resource_name);
            let topic = topic.ok_or_else(|| topic_api::describe(ChangeError::Unknown))?;
            let settings = SETTINGS.iter().map(|setting| match topic.configs.get(setting.name) {
                Some(value) => described(setting.name, value.clone(), setting.kind, SET_ON_TOPIC),
                None => described(setting.name, setting.default.to_owned(), setting.kind, DEFAULT),
            });
            Ok(settings.collect())
        }
        BROKER if is_us(&resource.resource_name) => Ok(vec![
            described("auto.create.topics.enable", "true".to_owned(), Kind::Boolean, STATIC),
            described("broker.id", NODE.0.to_string(), Kind::Int, STATIC),
            described("delete.topic.enable", "true".to_owned(), Kind::Boolean, STATIC),
            described("message.max.bytes", DEFAULT_BATCH_LIMIT.to_string(), Kind::Int, STATIC),
            described("num.partitions", DEFAULT_PARTITIONS.to_string(), Kind::Int, STATIC),
        ]),
        _ => Err((ResponseError::InvalidRequest, "only topics and this broker have settings")),
    }
}

/// An empty name means all brokers together.
fn is_us(name: &str) -> bool {
    name.is_empty() || name == NODE.0.to_string()
}

/// `AlterConfigs`: settings that are not named return to their defaults.
pub(crate) fn replace(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: AlterConfigsRequest = call.request()?;
    let mut topics = state.topics.lock();
    let responses = request.resources.into_iter().map(|resource| {
        let changes = resource.configs.iter();
        let changes = changes.map(|config| Change {
            name: &config.name,
            operation: Operation::Set,
            value: config.value.as_deref(),
        });
        let target =
            Resource { resource_type: resource.resource_type, name: &resource.resource_name };
        let replaced =
            change(&mut topics, target, Some(Configs::new()), changes, request.validate_only);
        let response = Replaced::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name);
        match replaced {
            Ok(()) => response,
            Err((code, message)) => response
                .with_error_code(code.code())
                .with_error_message(Some(StrBytes::from_static_str(message))),
        }
    });
    let responses = responses.collect();
    call.respond(&AlterConfigsResponse::default().with_responses(responses))
}

/// `IncrementalAlterConfigs`: settings that are not named stay.
pub(crate) fn alter(call: &mut Call, state: &State) -> Result<Bytes, Error> {
    let request: IncrementalAlterConfigsRequest = call.request()?;
    let mut topics = state.topics.lock();
    let responses = request.resources.into_iter().map(|resource| {
        let changes = resource.configs.iter().map(|config| {
            let operation = match config.config_operation {
                1 => Operation::Delete,
                2 => Operation::Append,
                3 => Operation::Subtract,
                _ => Operation::Set,
            };
            Change { name: &config.name, operation, value: config.value.as_deref() }
        });
        let target =
            Resource { resource_type: resource.resource_type, name: &resource.resource_name };
        let altered = change(&mut topics, target, None, changes, request.validate_only);
        let response = Altered::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name);
        match altered {
            Ok(()) => response,
            Err((code, message)) => response
                .with_error_code(code.code())
                .with_error_message(Some(StrBytes::from_static_str(message))),
        }
    });
    let responses = responses.collect();
    call.respond(&IncrementalAlterConfigsResponse::default().with_responses(responses))
}

/// What is changed.
#[derive(Clone, Copy)]
struct Resource<'a> {
    resource_type: i8,
    name: &'a str,
}

/// A change to one setting.
struct Change<'a> {
    name: &'a str,
    operation: Operation,
    value: Option<&'a str>,
}

/// Makes all changes to a topic's settings or none, starting from `from`, or from the current ones.
fn change<'a>(
    topics: &mut Topics,
    target: Resource<'_>,
    from: Option<Configs>,
    changes: impl Iterator<Item = Change<'a>>,
    validate_only: bool,
) -> Result<(), Fault> {
    let Resource { resource_type, name } = target;
    if resource_type != TOPIC {
        return Err((ResponseError::InvalidRequest, "only a topic's settings can be changed"));
    }
    let topic = topics.get(name).ok_or_else(|| topic_api::describe(ChangeError::Unknown))?;
    let mut configs = from.unwrap_or_else(|| topic.configs.clone());
    for change in changes {
        configs::change(&mut configs, change.name, change.operation, change.value)
            .map_err(|reason| topic_api::describe(ChangeError::InvalidConfig(reason)))?;
    }
    if validate_only {
        return Ok(());
    }
    topics.configure(name, configs).map_err(topic_api::describe)
}
