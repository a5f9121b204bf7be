//! The files for Kubernetes, Knative, KEDA and Dapr: valid by the published schemas, and equal to the catalogue.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use runner::{
    deployment::settings::{SETTINGS, Source},
    functions::{FOLLOWERS, specs},
};
use runtime::config::COMMON_SETTINGS;
use serde::Deserialize;
use serde_json::Value;

use super::{root, said, tools};

/// The documents of a file.
fn documents(text: &str) -> Vec<Value> {
    let all = serde_yaml_ng::Deserializer::from_str(text);
    let all = all.map(|one| Value::deserialize(one).expect("it is YAML"));
    all.filter(|one| !one.is_null()).collect()
}

fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("infra").join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("an entry").path();
            match path.extension() {
                None => folders.push(path),
                Some(_) => found.push(path),
            }
        }
    }
    found.sort();
    found
}

/// The schemas of resources that Kubernetes itself does not know, by `apiVersion` and `kind`.
fn schemas() -> BTreeMap<(String, String), Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("kubernetes/crds");
    let all = fs::read_dir(folder).expect("the schemas");
    let all = all.filter_map(|entry| {
        let path = entry.expect("an entry").path();
        let is_schema = path.extension().is_some_and(|extension| extension == "json");
        is_schema.then(|| fs::read_to_string(path).expect("a schema"))
    });
    all.map(|text| {
        let schema: Value = serde_json::from_str(&text).expect("it is JSON");
        let of =
            |name: &str| schema["properties"][name]["const"].as_str().expect("a name").to_owned();
        ((of("apiVersion"), of("kind")), schema)
    })
    .collect()
}

/// What is wrong with a document, by the schema of its kind; `None` if Kubernetes itself knows it.
fn faults(schemas: &BTreeMap<(String, String), Value>, document: &Value) -> Option<Vec<String>> {
    let of = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
    let schema = schemas.get(&(of("apiVersion"), of("kind")))?;
    let validator = jsonschema::validator_for(schema).expect("a JSON schema");
    let at = |error: jsonschema::ValidationError<'_>| format!("{}: {error}", error.instance_path());
    Some(validator.iter_errors(document).map(at).collect())
}

#[test]
fn everything_is_valid_by_the_published_schemas() {
    let schemas = schemas();
    let mut checked = BTreeSet::new();
    let mut plain = Vec::new();
    for path in ["kubernetes", "knative", "dapr"].into_iter().flat_map(files) {
        let text = fs::read_to_string(&path).expect("it can be read");
        // Patches are no whole documents, and kustomize itself reads its own.
        if path.components().any(|part| part.as_os_str() == "overlays") {
            continue;
        }
        for document in documents(&text) {
            if document["kind"] == "Kustomization" {
                continue;
            }
            match faults(&schemas, &document) {
                Some(faults) => {
                    assert_eq!(faults, [""; 0], "{}: {}", path.display(), document["metadata"]);
                    checked.insert(document["kind"].as_str().unwrap_or_default().to_owned());
                }
                None => plain.push((path.clone(), document)),
            }
        }
    }
    let expected = [
        "Component",
        "DomainMapping",
        "KafkaSink",
        "KafkaSource",
        "ScaledObject",
        "Service",
        "Subscription",
    ];
    assert_eq!(checked, BTreeSet::from(expected.map(str::to_owned)));
    let Some(tools) = tools("kubernetes") else { return };
    let folder = tempfile::TempDir::new().expect("a folder");
    let check = |document: &Value| {
        let file = folder.path().join("document.json");
        fs::write(&file, document.to_string()).expect("it is written");
        let output = Command::new(tools.join("kubernetes-validate"))
            .arg("--strict")
            .arg(&file)
            .output()
            .expect("it starts");
        if output.status.success() { Ok(()) } else { Err(said(&output)) }
    };
    // One start of the tool for all: a list of documents is one file with several.
    let stream: Vec<String> = plain.iter().map(|(_, document)| document.to_string()).collect();
    let file = folder.path().join("all.yaml");
    fs::write(&file, stream.join("\n---\n")).expect("it is written");
    let output =
        Command::new(tools.join("kubernetes-validate")).arg("--strict").arg(&file).output();
    let output = output.expect("it starts");
    assert!(output.status.success(), "{}", said(&output));
    let (_, deployment) =
        plain.iter().find(|(_, document)| document["kind"] == "Deployment").expect("one");
    let mut broken = deployment.clone();
    broken["spec"]["template"]["spec"]["container"] = Value::Null;
    assert!(check(deployment).is_ok() && check(&broken).is_err(), "an unknown member is found");
}

#[test]
fn a_member_that_a_resource_does_not_have_is_found() {
    let schemas = schemas();
    for (file, pointer, member) in [
        ("knative/base/sources.yaml", "/spec/delivery", "retries"),
        ("knative/base/functions.yaml", "/spec/template/spec", "concurrency"),
        ("kubernetes/base/scaling.yaml", "/spec", "maxReplicas"),
        ("dapr/component.yaml", "/spec", "kind"),
    ] {
        let text = fs::read_to_string(root().join("infra").join(file)).expect("the file");
        let mut document = documents(&text).remove(0);
        let at = document.pointer_mut(pointer).expect("it has this part");
        at.as_object_mut().expect("an object").insert(member.to_owned(), Value::from(1));
        let faults = faults(&schemas, &document).expect("its schema is known");
        assert!(!faults.is_empty(), "{file}: {member}");
    }
}

type Pairs = BTreeSet<(String, String)>;

/// Functions with what `of` finds in the documents of a kind.
fn pairs(file: &str, kind: &str, of: impl Fn(&Value) -> Vec<(String, String)>) -> Pairs {
    let text = fs::read_to_string(root().join("infra").join(file)).expect("the file");
    let documents = documents(&text);
    documents.iter().filter(|document| document["kind"] == kind).flat_map(of).collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[test]
fn topics_are_those_of_the_catalogue_in_every_way_of_deployment() {
    let catalogue: Pairs = specs()
        // Instances of the others read all topics themselves: what a source sent them, they would skip.
        .filter(|spec| !FOLLOWERS.contains(&spec.name))
        .flat_map(|spec| {
            spec.consumes.iter().map(|topic| (spec.name.to_owned(), topic.name().to_owned()))
        })
        .collect();
    let sources = pairs("knative/base/sources.yaml", "KafkaSource", |source| {
        let spec = &source["spec"];
        let (function, topic) = (text(&spec["sink"]["ref"]["name"]), text(&spec["topics"][0]));
        assert_eq!(spec["topics"].as_array().map(Vec::len), Some(1));
        assert_eq!(text(&spec["consumerGroup"]), format!("learnflow.{function}.{topic}"));
        let delivery = &spec["delivery"];
        assert!(delivery["retry"].as_u64() > Some(0) && !delivery["deadLetterSink"].is_null());
        vec![(function, topic)]
    });
    assert_eq!(sources, catalogue);
    let scaled = pairs("kubernetes/base/scaling.yaml", "ScaledObject", |scaled| {
        let function = text(&scaled["spec"]["scaleTargetRef"]["name"]);
        let triggers = scaled["spec"]["triggers"].as_array().into_iter().flatten();
        triggers
            .filter(|trigger| trigger["type"] == "kafka")
            .map(|trigger| {
                let of = &trigger["metadata"];
                assert_eq!(text(&of["consumerGroup"]), format!("learnflow.{function}"));
                (function.clone(), text(&of["topic"]))
            })
            .collect()
    });
    assert_eq!(scaled, catalogue);
    let subscribed = pairs("dapr/subscriptions.yaml", "Subscription", |subscription| {
        vec![(text(&subscription["scopes"][0]), text(&subscription["spec"]["topic"]))]
    });
    assert_eq!(subscribed, catalogue);
}

/// The settings and the port of the container of each function.
fn containers(file: &str, kind: &str) -> (Pairs, Pairs) {
    let container =
        |document: &Value| document["spec"]["template"]["spec"]["containers"][0].clone();
    let name = |document: &Value| text(&document["metadata"]["name"]);
    let settings = pairs(file, kind, |document| {
        let container = container(document);
        let all = container["env"].as_array().into_iter().flatten();
        all.map(|variable| (name(document), text(&variable["name"]))).collect()
    });
    let ports = pairs(file, kind, |document| {
        let container = container(document);
        assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
        assert_eq!(container["securityContext"]["runAsNonRoot"], true);
        vec![(name(document), text(&container["ports"][0]["containerPort"]))]
    });
    (settings, ports)
}

#[test]
fn settings_and_ports_are_those_of_the_catalogue() {
    let ports: Pairs = specs().map(|spec| (spec.name.to_owned(), spec.port.to_string())).collect();
    let settings = |is_set: fn(&str, Source) -> bool| -> Pairs {
        let of = |name: &str| SETTINGS.iter().find(|(known, ..)| *known == name).map(|row| row.2);
        let all = specs().flat_map(|spec| {
            COMMON_SETTINGS.iter().chain(spec.settings).map(|name| (spec.name.to_owned(), *name))
        });
        all.filter(|(_, name)| of(name).is_none_or(|source| is_set(name, source)))
            .map(|(function, name)| (function, name.to_owned()))
            .collect()
    };
    let deployed = containers("kubernetes/base/functions.yaml", "Deployment");
    let all = settings(|_, source| source != Source::Unset);
    assert_eq!(deployed, (all, ports.clone()));
    // Knative sets the port itself, and refuses it.
    let all = settings(|name, source| source != Source::Unset && name != "PORT");
    assert_eq!(containers("knative/base/functions.yaml", "Service"), (all, ports));
    let given = |source: Source| -> BTreeSet<String> {
        let all = SETTINGS.iter().filter(|row| row.2 == source);
        all.map(|(name, ..)| (*name).to_owned()).collect()
    };
    let keys = |file: &str, kind: &str, member: &str| -> BTreeSet<String> {
        let all = pairs(file, kind, |document| {
            let data = document[member].as_object().into_iter().flatten();
            data.map(|(name, _)| (String::new(), name.clone())).collect()
        });
        all.into_iter().map(|(_, name)| name).collect()
    };
    assert_eq!(keys("kubernetes/common/settings.yaml", "ConfigMap", "data"), given(Source::Given));
    for overlay in [
        "kubernetes/overlays/dev",
        "kubernetes/overlays/prod",
        "knative/overlays/dev",
        "knative/overlays/prod",
    ] {
        let secret = keys(&format!("{overlay}/secret.yaml"), "Secret", "stringData");
        assert_eq!(secret, given(Source::Secret), "{overlay}");
    }
    // A secret beside it would overwrite the one of a vault.
    assert_eq!(keys("kubernetes/common/settings.yaml", "Secret", "stringData"), BTreeSet::new());
}

#[test]
fn kustomizations_name_files_that_are_there_and_fields_that_exist() {
    for path in ["kubernetes", "knative"].into_iter().flat_map(files) {
        if !path.ends_with("kustomization.yaml") {
            continue;
        }
        let folder = path.parent().expect("a folder");
        let document = documents(&fs::read_to_string(&path).expect("it can be read")).remove(0);
        let patches = document["patches"].as_array().into_iter().flatten();
        let named = document["resources"].as_array().into_iter().flatten();
        let mut named: Vec<String> = named.map(text).collect();
        named.extend(patches.map(|patch| text(&patch["path"])));
        for name in &named {
            assert!(folder.join(name).exists(), "{}: {name}", path.display());
        }
        for entry in fs::read_dir(folder).expect("the folder") {
            let name = entry.expect("an entry").file_name().into_string().expect("UTF-8");
            let is_used = named.contains(&name) || name == "kustomization.yaml";
            assert!(
                is_used || folder.join(&name).is_dir(),
                "{}: {name} is not used",
                path.display()
            );
        }
    }
}

#[test]
fn compose_starts_every_function_with_settings_that_exist() {
    let composed = fs::read_to_string(root().join("infra/compose.yaml")).expect("compose.yaml");
    let mut composed: serde_yaml_ng::Value =
        serde_yaml_ng::from_str(&composed).expect("it is YAML");
    composed.apply_merge().expect("merge keys");
    let composed = serde_json::to_value(composed).expect("it is JSON");
    let known: BTreeSet<&str> = SETTINGS.iter().map(|(name, ..)| *name).collect();
    let mut started = BTreeSet::new();
    for (name, service) in composed["services"].as_object().expect("services") {
        let Some(function) = service["build"]["args"]["FUNCTION"].as_str() else { continue };
        let variables = service["environment"].as_object().expect("settings");
        for variable in variables.keys() {
            assert!(known.contains(variable.as_str()), "{name}: {variable}");
        }
        started.insert(function.to_owned());
        let open = [&service["ports"], &service["expose"]];
        let port =
            open.into_iter().filter_map(|ports| ports[0].as_str()).next().unwrap_or_default();
        if let Some(spec) = specs().find(|spec| spec.name == name) {
            assert_eq!(function, spec.name);
            assert!(port.ends_with(&spec.port.to_string()), "{name}: {port}");
        }
    }
    let mut expected: BTreeSet<String> = specs().map(|spec| spec.name.to_owned()).collect();
    expected.insert("learnflow".to_owned());
    assert_eq!(started, expected);
}

#[test]
fn hadolint_finds_no_fault_in_the_dockerfile() {
    let Some(tools) = tools("kubernetes") else { return };
    let check = |file: &Path| {
        let output = Command::new(tools.join("hadolint")).arg(file).output().expect("it starts");
        if output.status.success() { Ok(()) } else { Err(said(&output)) }
    };
    assert_eq!(check(&root().join("infra/Dockerfile")), Ok(()));
    let broken = tempfile::NamedTempFile::new().expect("a file");
    fs::write(broken.path(), "FROM debian\nRUN cd /tmp && apt-get install curl\n")
        .expect("written");
    assert!(check(broken.path()).is_err());
}
