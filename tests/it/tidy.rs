//! The project's own rules that the compiler does not check; all violations are listed at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use cargo_metadata::{DependencyKind, MetadataCommand, Package};

/// The most lines in a file: a longer one is split by behaviour.
const FILE_LINES: usize = 500;

/// Which of our crates each crate may depend on. A function may depend on [`FUNCTION_MAY`] and on no other function;
/// [`MAY_USE_FUNCTIONS`] may also depend on every function.
const ALLOWED: [(&str, &[&str]); 29] = [
    ("ids", &[]),
    ("aws", &["environment"]),
    ("domain", &["ids"]),
    ("events", &["domain", "ids"]),
    (
        "agents",
        &["domain", "events", "exercises", "ids", "pasted-text", "runtime", "storage", "tutor"],
    ),
    ("analysis", &[]),
    ("code-explanation", &["analysis", "domain", "error-advice"]),
    ("course-answers", &["curriculum", "domain", "events", "meaning", "pasted-text"]),
    ("curriculum", &["exercises", "ids"]),
    ("meaning", &["curriculum", "domain"]),
    ("progress-report", &["curriculum", "domain", "ids", "storage"]),
    ("exercises", &["analysis", "domain", "events", "ids"]),
    ("error-advice", &["analysis"]),
    ("pasted-text", &[]),
    ("storage", &["domain", "events", "ids"]),
    ("environment", &[]),
    ("web", &["domain", "environment", "ids", "storage"]),
    ("delivery", &["aws", "environment", "events", "ids", "storage"]),
    ("runtime", &["aws", "delivery", "environment", "events", "ids", "web"]),
    ("requests", &["domain", "events", "ids", "runtime", "storage"]),
    ("trace", &["events", "ids", "runtime", "storage"]),
    ("tutor", &["domain", "environment", "events"]),
    ("testing", &["events", "ids", "local-broker", "local-postgres", "runtime", "storage"]),
    ("lambda-poller", &["local-broker"]),
    ("local-broker", &[]),
    ("local-postgres", &[]),
    (
        "checks",
        &[
            "agents",
            "analysis",
            "curriculum",
            "domain",
            "environment",
            "events",
            "exercises",
            "ids",
        ],
    ),
    (
        "runner",
        &[
            "aws",
            "checks",
            "curriculum",
            "domain",
            "events",
            "ids",
            "lambda-poller",
            "local-broker",
            "local-postgres",
            "runtime",
            "storage",
            "trace",
            "tutor",
        ],
    ),
    (
        "tests",
        &[
            "checks",
            "curriculum",
            "domain",
            "events",
            "exercises",
            "ids",
            "local-broker",
            "local-postgres",
            "progress-report",
            "runner",
            "runtime",
            "storage",
            "testing",
            "trace",
        ],
    ),
];
/// Crates that combine functions.
const MAY_USE_FUNCTIONS: [&str; 3] = ["checks", "runner", "tests"];
const FUNCTION_MAY: [&str; 19] = [
    "agents",
    "analysis",
    "aws",
    "code-explanation",
    "course-answers",
    "curriculum",
    "domain",
    "error-advice",
    "events",
    "exercises",
    "ids",
    "meaning",
    "pasted-text",
    "progress-report",
    "requests",
    "runtime",
    "storage",
    "trace",
    "tutor",
];

/// Crates that do no I/O, and the dependencies that they must not have.
const PURE: [&str; 11] = [
    "analysis",
    "code-explanation",
    "course-answers",
    "curriculum",
    "domain",
    "error-advice",
    "events",
    "exercises",
    "ids",
    "meaning",
    "pasted-text",
];
const IMPURE: [&str; 5] = ["tokio", "sqlx", "reqwest", "rdkafka", "tracing"];

/// Licences under which code may be linked into the product.
const LICENCES: [&str; 15] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "MPL-2.0",
    "MPL-2.0+",
    "OpenSSL",
    "Unicode-3.0",
    "Zlib",
];

/// Apache-2.0 by its licence file, which the manifest does not mention; used in tests only.
const LICENCE_IN_A_FILE: &str = "cloudevents-sdk";

#[test]
fn every_dependency_has_a_licence_that_we_may_use() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml");
    let metadata = MetadataCommand::new().manifest_path(manifest).exec();
    let metadata = metadata.expect("cargo knows the dependencies");
    let faults: Vec<String> = metadata
        .packages
        .iter()
        .filter(|package| !may_use(package.license.as_deref().unwrap_or("none")))
        .filter(|package| package.name.as_str() != LICENCE_IN_A_FILE)
        .map(|package| format!("{} {}: {:?}", package.name, package.version, package.license))
        .collect();
    assert!(faults.is_empty(), "{} fault(s):\n{}", faults.len(), faults.join("\n"));
}

/// One alternative of an OR must be accepted, and all parts of an AND. Brackets are not nested in practice.
fn may_use(expression: &str) -> bool {
    let expression = expression.replace(['(', ')'], "").replace('/', " OR ");
    let listed = |licence: &str| LICENCES.contains(&licence.trim());
    expression.split(" OR ").any(|one| one.split(" AND ").all(listed))
        || expression.split(" AND ").all(|part| part.split(" OR ").any(listed))
}

/// A feature that only a dependency of the tests switches on would have `cargo run` compile everything above that crate
/// once more after `cargo test`, and the other way round. Switch it on in the workspace's manifest.
#[test]
fn what_the_tests_compile_serves_the_product_too() {
    let product = features("normal");
    let with_tests = features("normal,dev");
    let twice: Vec<_> = product
        .iter()
        .filter(|(name, features)| with_tests.get(*name) != Some(features))
        .map(|(name, features)| {
            format!("{name}: {features:?}, in tests {:?}", with_tests.get(name))
        })
        .collect();
    assert!(twice.is_empty(), "compiled twice:\n{}", twice.join("\n"));
}

/// The features with which each package is compiled, by its name and version. It can have two entries: macros are
/// compiled apart.
fn features(edges: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["tree", "--workspace", "--locked", "--prefix", "none"]);
    command.args(["--edges", edges, "--format", "{p}|{f}"]);
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo runs");
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut packages = BTreeMap::<_, BTreeSet<_>>::new();
    let lines = text.lines().map(|line| line.strip_suffix(" (*)").unwrap_or(line));
    for (package, features) in lines.filter_map(|line| line.split_once('|')) {
        packages.entry(package.to_owned()).or_default().insert(features.to_owned());
    }
    packages
}

#[test]
fn the_house_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let metadata = MetadataCommand::new().manifest_path(root.join("Cargo.toml")).no_deps().exec();
    let metadata = metadata.expect("cargo knows the workspace");
    let ours: BTreeMap<String, &Package> =
        metadata.packages.iter().map(|package| (package.name.to_string(), package)).collect();
    let mut faults = Vec::new();
    for (name, package) in &ours {
        check_package(name, package, &ours, &mut faults);
    }
    for file in rust_files(&root) {
        check_file(&root, &file, &mut faults);
    }
    assert!(faults.is_empty(), "{} fault(s):\n{}", faults.len(), faults.join("\n"));
}

fn is_function(package: &Package) -> bool {
    package.manifest_path.as_str().contains("/functions/")
}

fn check_package(
    name: &str,
    package: &Package,
    ours: &BTreeMap<String, &Package>,
    faults: &mut Vec<String>,
) {
    let allowed = ALLOWED.iter().find(|(of, _)| *of == name).map(|(_, allowed)| *allowed);
    let allowed =
        if is_function(package) { FUNCTION_MAY.as_slice() } else { allowed.unwrap_or_default() };
    if !is_function(package) && !ALLOWED.iter().any(|(of, _)| *of == name) {
        faults.push(format!("{name} is missing in the list of who may depend on whom"));
    }
    let folder = package.manifest_path.parent().and_then(|folder| folder.file_name());
    if folder != Some(name) {
        faults.push(format!("{name} lies in the folder {}", folder.unwrap_or("?")));
    }
    for dependency in &package.dependencies {
        let other = dependency.name.as_str();
        let is_normal = dependency.kind == DependencyKind::Normal;
        let may_use = |our: &&Package| {
            allowed.contains(&other) || MAY_USE_FUNCTIONS.contains(&name) && is_function(our)
        };
        if is_normal && ours.get(other).is_some_and(|our| !may_use(our)) {
            faults.push(format!("{name} depends on {other}"));
        }
        if is_normal && PURE.contains(&name) && IMPURE.contains(&other) {
            faults.push(format!("pure crate {name} depends on {other}"));
        }
    }
    let manifest = fs::read_to_string(&package.manifest_path).expect("the manifest can be read");
    if !manifest.contains("[lints]\nworkspace = true") {
        faults.push(format!("{name} does not inherit the lints"));
    }
    for line in manifest.lines().filter(|line| line.contains("version = \"")) {
        faults.push(format!("{name} pins a version of its own: {line}"));
    }
}

fn check_file(root: &Path, file: &Path, faults: &mut Vec<String>) {
    let text = fs::read_to_string(file).expect("the file can be read");
    let name = file.strip_prefix(root).unwrap_or(file).display().to_string();
    let lines = text.lines().count();
    if lines > FILE_LINES {
        faults.push(format!("{name} has {lines} lines"));
    }
    let in_tests = name.starts_with("tests/")
        || name.starts_with("shared/testing/")
        || name.contains("/tests/");
    let outside = |home: &str| !in_tests && !name.starts_with(home);
    for (number, line) in text.lines().enumerate() {
        let mut breach = |holds: bool, rule: &str| {
            if holds {
                faults.push(format!("{name}:{}: {rule}", number + 1));
            }
        };
        let code = line.split("//").next().unwrap_or_default();
        breach(code.contains("sqlx::query") && outside("shared/storage/"), "SQL outside storage");
        // Worker processes are to code-execution what a database is to others.
        let is_workers = name.starts_with("functions/code-execution/src/workers/");
        breach(
            code.contains("tokio::spawn") && name.starts_with("functions/") && !is_workers,
            "a function spawns",
        );
        breach(
            code.contains("env::var")
                && (name.starts_with("functions/")
                    || name.starts_with("shared/") && outside("shared/environment/"))
                && !name.ends_with("build.rs"),
            "the environment is read elsewhere",
        );
        breach(
            code.contains("wasmtime::") && outside("functions/code-execution/"),
            "WebAssembly outside code-execution",
        );
        // The poller is a program of its own, which knows none of our events.
        breach(
            code.contains("rdkafka::")
                && outside("shared/delivery/")
                && outside("infra/lambda-poller/"),
            "Kafka outside the delivery of events",
        );
        breach(
            code.contains("pool.begin(") && outside("shared/delivery/"),
            "a transaction outside the delivery of events",
        );
        breach(
            code.contains("Clock::lagging(")
                && outside("infra/runner/src/demo/")
                && name != "shared/environment/src/clock.rs",
            "only the demonstration has another clock",
        );
        // Split, so that this line does not violate its own rule.
        breach(
            line.contains(concat!("TO", "DO")) || line.contains(concat!("FIX", "ME")),
            "an open end without an issue",
        );
        breach(code.contains(concat!("#[", "ignore]")), "an ignored test");
    }
}

fn rust_files(root: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders: Vec<PathBuf> =
        ["functions", "shared", "infra", "tests"].iter().map(|name| root.join(name)).collect();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files
}
