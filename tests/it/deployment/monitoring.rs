//! Dashboards and rules ask only for what is recorded, and ask for all of it.

use std::{collections::BTreeSet, fs, path::PathBuf, process::Command};

use serde_json::Value;

use super::{root, said, tools};

/// The names of all metrics, and of histograms those of their series, in the sources.
fn recorded() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut folders: Vec<PathBuf> = ["functions", "shared"].map(|name| root().join(name)).into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(path).expect("it can be read");
                for kind in ["counter!(", "gauge!(", "histogram!("] {
                    for after in text.split(kind).skip(1) {
                        let name = after.trim_start().trim_start_matches('"').split('"').next();
                        let name = name.unwrap_or_default();
                        if name.starts_with("learnflow_") {
                            let suffix = if kind == "histogram!(" { "_bucket" } else { "" };
                            names.insert(format!("{name}{suffix}"));
                        }
                    }
                }
            }
        }
    }
    names
}

/// Everything in a text that may be the name of a metric of ours.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("learnflow_")).map(str::to_owned).collect()
}

/// Expressions of the rules and of the dashboard.
fn expressions() -> (Vec<String>, Vec<String>) {
    let folder = root().join("infra/monitoring");
    let rules = fs::read_to_string(folder.join("rules.yaml")).expect("the rules");
    let rules: Value = serde_yaml_ng::from_str(&rules).expect("it is YAML");
    let dashboard = fs::read_to_string(folder.join("dashboard.json")).expect("the dashboard");
    let dashboard: Value = serde_json::from_str(&dashboard).expect("it is JSON");
    let of = |list: &Value| -> Vec<String> {
        let all = list.as_array().into_iter().flatten();
        all.filter_map(|one| Some(one["expr"].as_str()?.to_owned())).collect()
    };
    let panels = dashboard["panels"].as_array().expect("panels");
    (
        of(&rules["groups"][0]["rules"]),
        panels.iter().flat_map(|panel| of(&panel["targets"])).collect(),
    )
}

#[test]
fn dashboards_and_rules_name_metrics_that_are_recorded() {
    let recorded = recorded();
    assert!(recorded.len() > 10, "{recorded:?}");
    let (rules, shown) = expressions();
    let unknown: Vec<String> = named(&rules.join("\n")).difference(&recorded).cloned().collect();
    assert_eq!(unknown, [""; 0]);
    assert_eq!(
        named(&shown.join("\n")),
        recorded,
        "the dashboard shows everything, and nothing else"
    );
}

#[test]
fn every_expression_is_one_of_prometheus() {
    let Some(tools) = tools("kubernetes") else { return };
    let (rules, shown) = expressions();
    let check = |expressions: &[String]| {
        let script = "import promql_parser, sys\nfor e in sys.argv[1:]: promql_parser.parse(e)";
        let output =
            Command::new(tools.join("python3")).args(["-c", script]).args(expressions).output();
        let output = output.expect("it starts");
        if output.status.success() { Ok(()) } else { Err(said(&output)) }
    };
    let all: Vec<String> =
        rules.into_iter().chain(shown).map(|one| one.replace("$__rate_interval", "5m")).collect();
    assert_eq!(check(&all), Ok(()));
    assert!(check(&["sum by (function (rate(x[5m]))".to_owned()]).is_err());
}
