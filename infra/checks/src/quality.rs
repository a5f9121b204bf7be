//! Measures the tutor on the project's own labelled cases, weak points included.

use std::{collections::BTreeMap, fmt::Write as _};

use analysis::review::{
    RULES, Severity,
    cases::{ALIKE, FAULTY},
    review,
};
use code_execution::workers::Workers;
use domain::{agent::Agent, execution::Verdict};
use futures::{StreamExt as _, stream};
use triage::{cases::Case, classify::Context};

use crate::course;

/// Programs that run at the same time.
const AT_ONCE: usize = 8;

/// A count of right ones out of all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share {
    /// Right ones.
    pub right: usize,
    /// All.
    pub all: usize,
}

impl Share {
    pub(crate) fn count(&mut self, is_right: bool) {
        self.right += usize::from(is_right);
        self.all += 1;
    }

    /// The percentage, rounded down.
    #[must_use]
    pub fn percent(self) -> usize {
        (self.right * 100).checked_div(self.all).unwrap_or_default()
    }
}

impl std::fmt::Display for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} ({} %)", self.right, self.all, self.percent())
    }
}

/// How triage does.
#[derive(Debug, Default)]
pub struct TriageQuality {
    /// Questions that go to the right agent.
    pub agents: Share,
    /// Questions with exactly the right further signs.
    pub signs: Share,
    /// How often a question for one agent goes to another.
    pub confusion: BTreeMap<(Agent, Agent), usize>,
    /// The misrouted questions.
    pub wrong: Vec<String>,
}

/// How triage does on labelled questions.
#[must_use]
pub fn triage(cases: &[Case]) -> TriageQuality {
    let mut quality = TriageQuality::default();
    for case in cases {
        let (agent, mut signs) = case.decided();
        let mut expected = case.signals.clone();
        signs.sort_by_key(|sign| *sign as u8);
        expected.sort_by_key(|sign| *sign as u8);
        quality.agents.count(agent == case.agent);
        quality.signs.count(signs == expected);
        *quality.confusion.entry((case.agent, agent)).or_default() += 1;
        if agent != case.agent || signs != expected {
            let (got, expected_agent) = (agent.as_str(), case.agent.as_str());
            quality.wrong.push(format!(
                "{:?}: {got} {signs:?}, not {expected_agent} {expected:?}",
                case.text
            ));
        }
    }
    quality
}

/// How the concepts agent does without a model.
#[derive(Debug, Default)]
pub struct ConceptsQuality {
    /// Questions that triage sends to it.
    pub routed: Share,
    /// Answers about the right topic, or that there is none.
    pub topics: Share,
    /// Answers about the right idea, where it is better than the whole topic.
    pub ideas: Share,
    /// The failures.
    pub wrong: Vec<String>,
}

/// How the concepts agent does on labelled questions.
#[must_use]
pub fn concepts(cases: &[concepts::cases::Case]) -> ConceptsQuality {
    let mut quality = ConceptsQuality::default();
    for case in cases {
        let about = case.about(curriculum::embedded());
        let routed =
            triage::classify::classify(&Context { question: &case.ask, ..Context::default() })
                .agent;
        quality.routed.count(routed == Agent::Concepts);
        quality.topics.count(about.is_right_topic);
        if let Some(is_right) = about.is_right_idea {
            quality.ideas.count(is_right);
        }
        if routed != Agent::Concepts || !about.is_right_topic || about.is_right_idea == Some(false)
        {
            quality.wrong.push(format!("{:?}: {}, {}", case.ask, routed.as_str(), about.found));
        }
    }
    quality
}

/// How the debug agent does.
#[derive(Debug, Default)]
pub struct DebugQuality {
    /// The error's class is right.
    pub classes: Share,
    /// The student's line is right.
    pub lines: Share,
    /// There is advice of our own, and not only Python's message.
    pub advised: Share,
    /// The failures.
    pub wrong: Vec<String>,
}

/// How the debug agent does on broken programs, which are run.
pub async fn debugging(workers: &Workers) -> DebugQuality {
    let runs = stream::iter(debug::cases::cases()).map(async |case| {
        let run = if case.code.is_empty() {
            None
        } else {
            Some(course::run_code(workers, &case.code, "").await)
        };
        (case, run)
    });
    let runs: Vec<_> = runs.buffered(AT_ONCE).collect().await;
    let mut quality = DebugQuality::default();
    for (case, run) in runs {
        let finding = case.found(run.as_ref());
        quality.classes.count(finding.kind == case.error);
        quality.lines.count(finding.line == case.line);
        quality.advised.count(!finding.rule.is_empty() && finding.rule != "unknown");
        if finding.kind != case.error || finding.line != case.line {
            quality.wrong.push(format!(
                "{}{}: {} at {:?}, not {} at {:?}",
                case.code, case.report, finding.kind, finding.line, case.error, case.line
            ));
        }
    }
    quality
}

/// How the review does.
#[derive(Debug, Default)]
pub struct ReviewQuality {
    /// For each rule: true and all findings in labelled programs.
    pub rules: BTreeMap<&'static str, Share>,
    /// Errors and advice found in programs of the course, which have none.
    pub invented: Vec<String>,
    /// True findings in examples that show a fault on purpose.
    pub shown: usize,
    /// Faults that examples are said to show, and that are not found.
    pub missed: Vec<String>,
    /// Programs of the course that were read.
    pub clean: usize,
    /// Matters of style found in them.
    pub style: usize,
}

/// How the review does on labelled programs, and on the course's own.
#[must_use]
pub fn reviewing() -> ReviewQuality {
    let mut quality = ReviewQuality::default();
    for rule in &RULES {
        quality.rules.insert(rule.name, Share::default());
    }
    let faulty =
        FAULTY.iter().map(|(source, label)| ((*source).to_owned(), vec![(*label).to_owned()]));
    let alike = ALIKE.iter().map(|source| ((*source).to_owned(), Vec::new()));
    let programs =
        [code_review::cases::tuned(), code_review::cases::held_out()].into_iter().flatten();
    let programs = programs.map(|case| (case.code, case.finds));
    for (source, labels) in faulty.chain(alike).chain(programs) {
        for finding in review(&source).findings {
            let found = format!("{} {}", finding.line, finding.rule.name);
            if let Some(share) = quality.rules.get_mut(finding.rule.name) {
                share.count(labels.contains(&found));
            }
        }
    }
    let course = curriculum::embedded();
    let solutions =
        course.exercises().map(|(_, template)| (template.exercise().reference, Vec::new()));
    let examples = course.examples().into_iter();
    let examples = examples.map(|(_, example)| (example.code.clone(), example.shows.clone()));
    for (source, shows) in solutions.chain(examples) {
        quality.clean += 1;
        let mut shown: Vec<&str> = Vec::new();
        for finding in review(&source).findings {
            let rule = finding.rule.name;
            if finding.rule.severity == Severity::Style {
                quality.style += 1;
            } else if shows.iter().any(|shows| shows == rule) {
                shown.push(rule);
            } else {
                quality.invented.push(format!("{rule}: {}\n{source}", finding.message));
            }
        }
        quality.shown += shown.len();
        let missed = shows.iter().filter(|shows| !shown.contains(&shows.as_str()));
        quality.missed.extend(missed.map(|rule| format!("{rule}:\n{source}")));
    }
    quality
}

/// How the review does on programs as beginners write them.
#[derive(Debug, Default)]
pub struct ProgramsQuality {
    /// Precision: true findings out of all reported.
    pub true_findings: Share,
    /// Recall: faults found out of all.
    pub found: Share,
    /// The missed and the false findings.
    pub wrong: Vec<String>,
}

/// How the review does on labelled programs.
#[must_use]
pub fn reviewing_programs(cases: &[code_review::cases::Case]) -> ProgramsQuality {
    let mut quality = ProgramsQuality::default();
    for case in cases {
        let found = case.found();
        for finding in &found {
            let is_true = case.finds.contains(finding);
            quality.true_findings.count(is_true);
            if !is_true {
                quality.wrong.push(format!("{}: invents \"{finding}\"", case.about));
            }
        }
        for fault in &case.finds {
            quality.found.count(found.contains(fault));
            if !found.contains(fault) {
                quality.wrong.push(format!("{}: misses \"{fault}\"", case.about));
            }
        }
    }
    quality
}

/// What help gives away.
#[derive(Debug, Default)]
pub struct LeakQuality {
    /// Hints and examples that were compared with solutions.
    pub checked: usize,
    /// Examples that are too similar to a solution, and are withheld for that exercise.
    pub withheld: usize,
    /// Those that solve an exercise and would still be shown.
    pub leaks: Vec<String>,
}

/// Compares every example of the last rung with every exercise: by similarity, and by submitting it.
pub async fn leaking(workers: &Workers) -> LeakQuality {
    let mut quality = LeakQuality::default();
    let exercises: Vec<_> = curriculum::bank(curriculum::embedded()).collect();
    let mut to_hand_in = Vec::new();
    for entry in &exercises {
        for parallel in debug::hint::parallels() {
            quality.checked += 1;
            if exercises::reveals_solution(&parallel.code, &entry.exercise) {
                quality.withheld += 1;
                continue;
            }
            // Without the called functions nothing can pass; the rest is run.
            let calls = entry.exercise.tests.iter().find_map(|check| check.call.as_deref());
            let function = calls.and_then(|call| call.split('(').next()).unwrap_or_default();
            if parallel.code.contains(function) {
                to_hand_in.push((entry, parallel));
            }
        }
    }
    let handed_in = stream::iter(to_hand_in).map(async |(entry, parallel)| {
        let source = parallel.code.clone().try_into().ok()?;
        let run = course::run_program(workers, &entry.exercise.trial(source)).await;
        let solves = entry.exercise.verdicts(&run.tests).iter().all(|verdict| verdict.is_passed());
        (solves && run.verdict == Verdict::Ok).then(|| entry.exercise.slug.clone())
    });
    let leaks: Vec<Option<String>> = handed_in.buffered(AT_ONCE).collect().await;
    quality.leaks = leaks.into_iter().flatten().collect();
    quality
}

/// Measures everything, and reports each part in Markdown as soon as it is known. Returns whether no hint reveals a
/// solution.
pub async fn report(workers: &Workers, say: impl Fn(String)) -> bool {
    say("# How good the tutor is on the project's own labelled cases\n".to_owned());
    for (name, cases) in
        [("tuned on", triage::cases::tuned()), ("held out", triage::cases::held_out())]
    {
        say(triage_report(name, &triage(&cases)));
    }
    for (name, cases) in
        [("tuned on", concepts::cases::tuned()), ("held out", concepts::cases::held_out())]
    {
        say(concepts_report(name, &concepts(&cases)));
    }
    say(debug_report(&debugging(workers).await));
    say(review_report(&reviewing()));
    for (name, cases) in
        [("tuned on", code_review::cases::tuned()), ("held out", code_review::cases::held_out())]
    {
        say(programs_report(name, &reviewing_programs(&cases)));
    }
    let leaks = leaking(workers).await;
    say(format!(
        "## Hints\n\n{} pairs of example and exercise; {} are too similar to the solution and withheld; of the others \
         {} solve an exercise.\n",
        leaks.checked,
        leaks.withheld,
        leaks.leaks.len()
    ));
    let found = course::check(curriculum::embedded(), workers).await;
    say(format!(
        "## Exercises\n\n{} with variations, {} pass every gate; their tests notice {} of {} small mistakes.\n",
        found.exercises,
        found.exercises.saturating_sub(found.faults.len()),
        found.killed,
        found.mutants
    ));
    say(
        "All cases were written by the authors of the rules, so results for real students will be \
         worse: take the held-out shares as upper bounds. A rule of the review has a few programs with its fault, which shows that it works \
         and says little of how often it errs."
            .to_owned(),
    );
    leaks.leaks.is_empty()
}

fn triage_report(name: &str, quality: &TriageQuality) -> String {
    let mut text = format!(
        "## Triage, questions {name}\n\nright agent: {}; right signs: {}\n\n",
        quality.agents, quality.signs
    );
    let agents = Agent::ALL;
    let names: Vec<&str> = agents.iter().map(|agent| agent.as_str()).collect();
    text.push_str(&format!(
        "| is \\ goes to | {} |\n|---|{}\n",
        names.join(" | "),
        "---|".repeat(agents.len())
    ));
    for is in agents {
        let row = agents.iter().map(|to| quality.confusion.get(&(is, *to)).copied().unwrap_or(0));
        let row: Vec<String> = row.map(|count| count.to_string()).collect();
        text.push_str(&format!("| {} | {} |\n", is.as_str(), row.join(" | ")));
    }
    for wrong in &quality.wrong {
        text.push_str(&format!("\n- {wrong}"));
    }
    text.push('\n');
    text
}

fn concepts_report(name: &str, quality: &ConceptsQuality) -> String {
    let wrong: String = quality.wrong.iter().map(|wrong| format!("- {wrong}\n")).collect();
    format!(
        "## Concepts without a model, questions {name}\n\nsent to the agent: {}; right topic: {}; right idea: {}\n\n{wrong}",
        quality.routed, quality.topics, quality.ideas
    )
}

fn debug_report(quality: &DebugQuality) -> String {
    let mut text = format!(
        "## Debug\n\nerror's class: {}; student's line: {}; advice of our own: {}\n",
        quality.classes, quality.lines, quality.advised
    );
    for wrong in &quality.wrong {
        text.push_str(&format!("\n```text\n{wrong}\n```\n"));
    }
    text
}

fn programs_report(name: &str, quality: &ProgramsQuality) -> String {
    let wrong: String = quality.wrong.iter().map(|wrong| format!("- {wrong}\n")).collect();
    format!(
        "## Review, programs {name}\n\ntrue findings out of all reported: {}; faults found out of all: {}\n\n{wrong}",
        quality.true_findings, quality.found
    )
}

fn review_report(quality: &ReviewQuality) -> String {
    let mut text = format!(
        "## Review\n\nerrors and advice invented on {} programs of the course: {}; found where an example shows them \
         on purpose: {}; matters of style named in them: {}\n\n| rule | true findings out of all, in labelled programs |\n|---|---|\n",
        quality.clean,
        quality.invented.len(),
        quality.shown,
        quality.style
    );
    for (rule, share) in &quality.rules {
        // Writing to a string cannot fail.
        if writeln!(text, "| {rule} | {share} |").is_err() {
            break;
        }
    }
    for invented in &quality.invented {
        text.push_str(&format!("\n```text\n{invented}\n```\n"));
    }
    text
}
