//! All functions: the catalogue for this command, the tests and the documentation.

use std::{collections::BTreeSet, fmt::Write as _, sync::Arc};

use events::Topic;
use runtime::{
    Function, Http, Services, Spec,
    config::{COMMON_SETTINGS, Settings},
};

/// A function's constructor.
type Build = fn(&mut Settings, &Arc<Services>) -> Function;

/// All functions, in the order in which a question passes them. A new one is one line here.
pub const FUNCTIONS: &[(&Spec, Build)] = &[
    (&api_gateway::SPEC, api_gateway::function),
    (&triage::SPEC, triage::function),
    (&concepts::SPEC, concepts::function),
    (&debug::SPEC, debug::function),
    (&code_review::SPEC, code_review::function),
    (&exercise::SPEC, exercise::function),
    (&code_execution::SPEC, code_execution::function),
];

/// The specs of all functions.
pub fn specs() -> impl Iterator<Item = &'static Spec> {
    FUNCTIONS.iter().map(|(spec, _)| *spec)
}

/// The names of all settings that some function reads.
#[must_use]
pub fn settings() -> BTreeSet<&'static str> {
    specs().flat_map(|spec| spec.settings).chain(&COMMON_SETTINGS).copied().collect()
}

/// The catalogue as Markdown: `docs/functions.md`.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::from(
        "# Functions and topics\n\n\
         Made by `cargo run -- functions > docs/functions.md` from the `SPEC` of each function, and compared by a test.\n\n\
         | function | port | what it does | consumes | emits | HTTP | periodic work | time | memory |\n|---|---|---|---|---|---|---|---|---|\n",
    );
    for spec in specs() {
        let http = match spec.http {
            Http::Public => "public",
            Http::Internal => "internal",
        };
        let mut schedules: Vec<String> = spec
            .schedules
            .iter()
            .map(|schedule| format!("`{}` every {} s", schedule.name, schedule.every.as_secs()))
            .collect();
        if spec.migrates {
            schedules.push("migrates at start".to_owned());
        }
        line(
            &mut text,
            &[
                spec.name,
                &spec.port.to_string(),
                spec.purpose,
                &names(spec.consumes.iter().map(|topic| topic.name())),
                &names(spec.emits.iter().map(|topic| topic.name())),
                http,
                &schedules.join(", "),
                &format!("{} s", spec.timeout.as_secs()),
                &format!("{} MB", spec.memory_mb),
            ],
        );
    }
    text.push_str(
        "\nWhat no function can handle goes to `dead.letters`, whichever function has given up.\n",
    );
    text.push_str("\n| topic | emitted by | consumed by |\n|---|---|---|\n");
    for topic in Topic::ALL {
        let of = |is: fn(&Spec) -> &'static [Topic]| {
            let specs = specs().filter(|spec| is(spec).contains(topic));
            specs.map(|spec| spec.name).collect::<Vec<_>>().join(", ")
        };
        let emitters =
            if *topic == Topic::DeadLetters { "all".to_owned() } else { of(|spec| spec.emits) };
        line(&mut text, &[&names([topic.name()]), &emitters, &of(|spec| spec.consumes)]);
    }
    text.push_str("\nThe settings are described in the [README](../README.md#settings).\n\n| function | settings |\n|---|---|\n");
    line(&mut text, &["every function", &names(COMMON_SETTINGS)]);
    for spec in specs() {
        line(&mut text, &[spec.name, &names(spec.settings.iter().copied())]);
    }
    text
}

fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

fn line(text: &mut String, cells: &[&str]) {
    // Writing to a string cannot fail.
    writeln!(text, "| {} |", cells.join(" | ")).unwrap_or_default();
}
