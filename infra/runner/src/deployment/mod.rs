//! The deployment files: templates, filled in from the catalogue of functions.
//!
//! A template has the name of its file and reads like it. What depends on a function, a topic or a setting comes from the
//! catalogue; what a file says besides stands in the template alone.

pub mod settings;

use std::{fs, path::Path};

use anyhow::{Context, bail};
use events::{Topic, topic::PARTITIONS};
use minijinja::{Environment, UndefinedBehavior, Value, syntax::SyntaxConfig, value::Serde};
use runtime::{Http, Spec, config::COMMON_SETTINGS};
use serde::Serialize;

use self::settings::{SETTINGS, Source};
use crate::functions::{FOLLOWERS, specs};

/// A template and the file that it makes.
macro_rules! templates {
    ($($file:literal),* $(,)?) => {
        &[$(($file, include_str!(concat!("templates/", $file, ".j2")))),*]
    };
}

/// All files, by their paths in the repository.
const FILES: &[(&str, &str)] = templates![
    "template.yaml",
    "samconfig.toml",
    "infra/kubernetes/common/kustomization.yaml",
    "infra/kubernetes/common/namespace.yaml",
    "infra/kubernetes/common/settings.yaml",
    "infra/kubernetes/common/accounts.yaml",
    "infra/kubernetes/common/migrate.yaml",
    "infra/kubernetes/common/network-policies.yaml",
    "infra/kubernetes/base/kustomization.yaml",
    "infra/kubernetes/base/functions.yaml",
    "infra/kubernetes/base/scaling.yaml",
    "infra/kubernetes/base/ingress.yaml",
    "infra/kubernetes/overlays/dev/kustomization.yaml",
    "infra/kubernetes/overlays/dev/secret.yaml",
    "infra/kubernetes/overlays/dev/settings.yaml",
    "infra/kubernetes/overlays/prod/kustomization.yaml",
    "infra/kubernetes/overlays/prod/secret.yaml",
    "infra/kubernetes/overlays/prod/settings.yaml",
    "infra/knative/base/kustomization.yaml",
    "infra/knative/base/functions.yaml",
    "infra/knative/base/sources.yaml",
    "infra/knative/base/undelivered.yaml",
    "infra/knative/base/ingress.yaml",
    "infra/knative/overlays/dev/kustomization.yaml",
    "infra/knative/overlays/dev/secret.yaml",
    "infra/knative/overlays/dev/settings.yaml",
    "infra/knative/overlays/prod/kustomization.yaml",
    "infra/knative/overlays/prod/secret.yaml",
    "infra/knative/overlays/prod/settings.yaml",
    "infra/dapr/component.yaml",
    "infra/dapr/network-policy.yaml",
    "infra/dapr/subscriptions.yaml",
    "infra/compose.yaml",
];

/// What several templates use.
const MACROS: (&str, &str) = ("macros.j2", include_str!("templates/macros.j2"));

/// Seconds between two runs of what a schedule starts, at least: `EventBridge` knows no shorter time.
const SHORTEST_SCHEDULE: u64 = 60;

/// What templates know.
#[derive(Debug, Serialize)]
struct Facts {
    functions: Vec<Function>,
    topics: Vec<&'static str>,
    settings: Vec<Setting>,
    /// Operations of the gateway that need no login.
    open_routes: Vec<Route>,
    partitions: i32,
}

#[derive(Debug, Serialize)]
struct Function {
    name: &'static str,
    /// The name in `CamelCase`.
    id: String,
    purpose: &'static str,
    port: u16,
    is_public: bool,
    migrates: bool,
    consumes: Vec<Consumed>,
    /// Each instance reads all of its topics, without a consumer group.
    is_follower: bool,
    timeout: u64,
    memory: u32,
    lambda_memory: u32,
    schedules: Vec<Schedule>,
    settings: Vec<Setting>,
}

#[derive(Debug, Serialize)]
struct Consumed {
    topic: &'static str,
    /// The name in `CamelCase`.
    id: String,
    /// The name as a part of a Kubernetes name.
    label: String,
}

#[derive(Debug, Serialize)]
struct Schedule {
    name: &'static str,
    id: String,
    /// How often it is due.
    seconds: u64,
    /// How often `EventBridge` can start it.
    minutes: u64,
}

#[derive(Debug, Clone, Serialize)]
struct Setting {
    name: &'static str,
    id: String,
    aws: Source,
    kubernetes: Source,
}

#[derive(Debug, Serialize)]
struct Route {
    id: String,
    method: String,
    path: String,
}

/// `code-execution`, `learning.responses` and `JWT_SECRET` as `CodeExecution`, `LearningResponses` and `JwtSecret`.
fn camel_case(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words
        .map(|word| {
            let (first, rest) = word.split_at(1);
            first.to_ascii_uppercase() + &rest.to_ascii_lowercase()
        })
        .collect()
}

impl Setting {
    fn of(name: &str) -> Option<Self> {
        let (name, aws, kubernetes) = SETTINGS.iter().find(|(known, ..)| *known == name)?;
        Some(Self { name, id: camel_case(name), aws: *aws, kubernetes: *kubernetes })
    }
}

impl Function {
    fn of(spec: &Spec) -> Self {
        let settings = COMMON_SETTINGS.iter().chain(spec.settings);
        Self {
            name: spec.name,
            id: camel_case(spec.name),
            purpose: spec.purpose,
            port: spec.port,
            is_public: spec.http == Http::Public,
            migrates: spec.migrates,
            consumes: spec
                .consumes
                .iter()
                .map(|topic| Consumed {
                    topic: topic.name(),
                    id: camel_case(topic.name()),
                    label: topic.name().replace('.', "-"),
                })
                .collect(),
            is_follower: FOLLOWERS.contains(&spec.name),
            timeout: spec.timeout.as_secs(),
            memory: spec.memory_mb,
            lambda_memory: spec.lambda_memory_mb(),
            schedules: spec
                .schedules
                .iter()
                .map(|schedule| Schedule {
                    name: schedule.name,
                    id: camel_case(schedule.name),
                    seconds: schedule.every.as_secs(),
                    minutes: schedule.every.as_secs().max(SHORTEST_SCHEDULE) / SHORTEST_SCHEDULE,
                })
                .collect(),
            settings: settings.filter_map(|name| Setting::of(name)).collect(),
        }
    }
}

/// The gateway's operations without `security`, and what it serves beside the API.
fn open_routes() -> anyhow::Result<Vec<Route>> {
    let document = serde_json::to_value(api_gateway::openapi())?;
    let paths = document["paths"].as_object().context("the document has paths")?;
    let mut routes: Vec<(String, String)> =
        [("GET", "/openapi.json"), ("GET", "/asyncapi.json"), ("GET", "/docs")]
            .map(|(method, path)| (method.to_owned(), path.to_owned()))
            .into();
    for path in ["/", "/page/{proxy+}", "/docs/{proxy+}"] {
        routes.push(("GET".to_owned(), path.to_owned()));
    }
    routes.push(("GET".to_owned(), "/health".to_owned()));
    routes.push(("GET".to_owned(), "/ready".to_owned()));
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().into_iter().flatten() {
            if operation["security"].as_array().is_none_or(Vec::is_empty) {
                routes.push((method.to_uppercase(), path.clone()));
            }
        }
    }
    routes.sort();
    routes.dedup();
    let named = |(method, path): (String, String)| Route {
        id: camel_case(&format!("{method} {path}")),
        method,
        path,
    };
    Ok(routes.into_iter().map(named).collect())
}

/// All files: path and content.
///
/// # Errors
/// A template is faulty.
pub fn files() -> anyhow::Result<Vec<(&'static str, String)>> {
    let facts = Facts {
        functions: specs().map(Function::of).collect(),
        topics: Topic::ALL.iter().map(|topic| topic.name()).collect(),
        settings: SETTINGS.iter().filter_map(|(name, ..)| Setting::of(name)).collect(),
        open_routes: open_routes()?,
        partitions: PARTITIONS,
    };
    let facts = Value::from(Serde(facts));
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let mut syntax = SyntaxConfig::builder();
    syntax.trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true);
    environment.set_syntax(syntax.build()?);
    for (file, template) in FILES.iter().chain([&MACROS]) {
        environment.add_template(file, template)?;
    }
    FILES
        .iter()
        .map(|(file, _)| Ok((*file, environment.get_template(file)?.render(facts.clone())?)))
        .collect()
}

/// Writes all files below a folder; with `check`, only says which are not there as they would be written.
///
/// # Errors
/// A file cannot be written, or, with `check`, is missing or different.
pub fn write(folder: &Path, check: bool) -> anyhow::Result<()> {
    let mut different = Vec::new();
    for (file, content) in files()? {
        let path = folder.join(file);
        if !check {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(&path, content)
                .with_context(|| format!("cannot write {}", path.display()))?;
        } else if fs::read_to_string(&path).ok().as_ref() != Some(&content) {
            different.push(file);
        }
    }
    if !different.is_empty() {
        bail!(
            "not as the catalogue says: {}; run `learnflow deploy-files .`",
            different.join(", ")
        );
    }
    Ok(())
}
