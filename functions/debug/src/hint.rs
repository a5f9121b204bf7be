//! The text of a hint: one rung of the ladder, with nothing of the solution in it.

use std::{collections::BTreeSet, sync::LazyLock};

use domain::hints::{MAX_A_DAY, RUNGS, Step};
use events::question_answered::{Answer, Details};
use exercises::Exercise;
use exercises::reveals_solution;
use serde::Deserialize;

use crate::diagnosis::Finding;

/// The same kind of mistake in another setting, with its fix.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parallel {
    /// Prefixes of the rules that it illustrates, or classes of exceptions.
    pub rules: Vec<String>,
    /// What it shows.
    pub text: String,
    /// A complete program.
    pub code: String,
    /// Everything that it prints.
    pub output: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parallels {
    #[serde(rename = "parallel")]
    parallels: Vec<Parallel>,
}

static PARALLELS: LazyLock<Vec<Parallel>> = LazyLock::new(|| {
    let file = include_str!("../content/parallels.toml");
    toml::from_str::<Parallels>(file).expect("the file is read by the tests").parallels
});

/// Advice for a student who wants a program and has none.
pub(crate) const NO_WHOLE_PROGRAMS: &str = "I do not write whole programs for you: you remember what you write yourself. But I will help you get there.";
/// How to get there.
pub(crate) const BEGIN_SMALL: &str = "Say in one sentence what the program should do in one single case. Then write the line that does just \
     that, and paste what you have, even if it does not work. Or ask for an exercise of that kind.";

/// Said below what the course explains, where there was no program to look at.
pub(crate) const SHOW_PROGRAM: &str = "If this is about a program of yours, paste it, and the last lines of the error message if there is one: then I can look for the mistake in it.";

/// All examples of the third rung.
#[must_use]
pub fn parallels() -> &'static [Parallel] {
    &PARALLELS
}

/// The text of a rung, at most 160 words.
#[must_use]
pub fn hint(finding: &Finding, rung: u8, code: &str, exercise: Option<&Exercise>) -> String {
    match rung {
        1 => match finding.place.map(|place| place.line).or(finding.line) {
            Some(line) => {
                format!("Look at line {line}. What do you expect it to do, and with which values?")
            }
            None => finding.next.clone(),
        },
        2 => format!("{} {}", finding.why, finding.next),
        _ => {
            let parallel = parallel(finding);
            let leaks = exercise.is_some_and(|exercise| reveals_solution(&parallel.code, exercise));
            if is_of_another_theme(&parallel.code, code) && !leaks {
                let (program, output) = (parallel.code.trim(), parallel.output.trim_end());
                format!(
                    "{}\n\n```python\n{program}\n```\n\nIt prints:\n\n```text\n{output}\n```\n\nWhat is different in yours?",
                    parallel.text
                )
            } else {
                format!("{} {}", parallel.text, finding.next)
            }
        }
    }
}

/// Most characters of a line that is shown: what fits beside a chat.
const SHOWN_CHARS: usize = 100;

/// The line of the program that a finding is about, with a mark below the part that is to blame.
#[must_use]
pub fn shown_line(finding: &Finding, code: &str) -> Option<String> {
    let number = finding.place.map(|place| place.line).or(finding.line)?;
    let line: Vec<char> = error_advice::line(code, number).trim_end().chars().collect();
    let margin = line.iter().take_while(|c| c.is_whitespace()).count();
    let marked =
        finding.place.map(|place| (place.column.saturating_sub(1) as usize, place.width as usize));
    // Of a long line, the part around the mark.
    let from = marked.map_or(margin, |(at, _)| margin.max(at.saturating_sub(SHOWN_CHARS / 2)));
    let text: String = line.iter().skip(from).take(SHOWN_CHARS).collect();
    if text.trim().is_empty() {
        return None;
    }
    let cut = if from > margin { "…" } else { "" };
    let label = format!("line {number}: {cut}");
    let Some((at, width)) =
        marked.filter(|(at, _)| (from..=from + text.chars().count()).contains(at))
    else {
        return Some(format!("{label}{text}"));
    };
    let width = width.clamp(1, text.chars().count().saturating_sub(at - from).max(1));
    let before = " ".repeat(label.chars().count() + at - from);
    Some(format!("{label}{text}\n{before}{}", "^".repeat(width)))
}

/// The names in a hint: what is between backticks.
#[must_use]
pub fn names(hint: &str) -> Vec<String> {
    let quoted = hint.split('`').skip(1).step_by(2);
    let mut names: Vec<String> = quoted.map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

/// An answer with its hint in other words.
#[must_use]
pub fn reworded(mut answer: Answer, text: &str) -> Answer {
    if let Some(Details::Debug(diagnosis)) = &mut answer.details {
        answer.content = answer.content.replace(&diagnosis.hint.text, text);
        text.clone_into(&mut diagnosis.hint.text);
    }
    answer
}

/// What is said about the ladder along with a hint; `is_stuck`: the student says so, or feels so.
#[must_use]
pub fn about_the_step(step: Step, rung: u8, is_stuck: bool) -> Option<String> {
    match step {
        Step::New if rung < RUNGS => None,
        Step::New => Some(
            "This is the last hint. If you are still stuck, show your program to your teacher."
                .to_owned(),
        ),
        Step::Again => {
            let comfort = if is_stuck {
                "Being stuck is part of programming, and everybody who programs knows it. "
            } else {
                ""
            };
            Some(format!(
                "{comfort}This is the same hint as before. Change something in your program, or think about it for \
                 another minute and a half, and I will have another one."
            ))
        }
        Step::Enough => Some(format!(
            "You have had {MAX_A_DAY} hints on this problem today. Take a break, or show your \
             teacher where you are."
        )),
    }
}

/// The misconception that usually causes a mistake.
#[must_use]
pub fn misconception(rule: &str) -> Option<&'static str> {
    const BELIEFS: [(&str, &str); 19] = [
        ("index_error", "positions start at 1, or end at the length"),
        ("none_value", "print, or a method that changes a list, gives a value back"),
        ("prints_none", "print, or a method that changes a list, gives a value back"),
        ("type_error.input_is_text", "typed digits are a number"),
        ("type_error.operands", "Python turns text into numbers, or numbers into text, by itself"),
        ("type_error.unchangeable", "text can be changed in place"),
        ("type_error.not_callable", "round and square brackets mean the same"),
        ("unbound_local.loop", "a loop always runs at least once"),
        ("unbound_local.branch", "a name exists as soon as some line could give it a value"),
        ("class.init_name", "any method called init prepares a new object"),
        ("attribute_error.base_init", "the __init__ of the base class always runs"),
        ("unbound_local", "an assignment in a function changes the name outside of it"),
        ("name_error.too_early", "Python knows the whole program before it runs the first line"),
        ("name_error.unknown", "text needs no quotes, or a name needs no value first"),
        ("key_error", "a key that is missing gives None"),
        ("syntax.assignment", "one equals sign compares"),
        ("silent.not_called", "defining a function runs it"),
        ("limit.while", "a loop ends by itself when it has done enough"),
        ("recursion", "a function that calls itself stops by itself"),
    ];
    BELIEFS.iter().find(|(start, _)| rule.starts_with(start)).map(|(_, belief)| *belief)
}

fn parallel(finding: &Finding) -> &'static Parallel {
    let fits = |parallel: &&Parallel| {
        parallel
            .rules
            .iter()
            .any(|rule| finding.rule.starts_with(rule.as_str()) || *rule == finding.kind)
    };
    PARALLELS.iter().find(fits).unwrap_or(&PARALLELS[PARALLELS.len() - 1])
}

/// Whether an example shares no name with the student's program, so that it cannot simply be copied.
fn is_of_another_theme(example: &str, code: &str) -> bool {
    let (Ok(example), Ok(code)) = (analysis::Program::read(example), analysis::Program::read(code))
    else {
        return true;
    };
    let own: BTreeSet<&str> = code.assigned_names();
    example.assigned_names().is_disjoint(&own)
}
