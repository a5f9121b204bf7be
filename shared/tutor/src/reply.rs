//! Parses and checks a model's answers. What does not pass is not used, and nothing is repaired.

use domain::agent::Agent;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{guard, prompt::Prompt};

/// Why an answer is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Withheld {
    /// It does not have the requested shape.
    #[error("not of the requested shape: {0}")]
    Shape(String),
    /// A text is missing or too long.
    #[error("{0} has {1} words")]
    Length(&'static str, usize),
    /// It repeats its instructions.
    #[error("it repeats its instructions")]
    Instructions,
    /// It contains a link.
    #[error("it contains a link that nobody has checked")]
    Link,
    /// It contains code where none is allowed.
    #[error("{0} contains code")]
    Code(&'static str),
    /// It says what to write.
    #[error("it says what to write")]
    Solution,
    /// It lacks something that it must contain.
    #[error("it does not mention {0}")]
    OffPoint(String),
}

/// An idea, explained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explanation {
    /// Markdown.
    pub explanation: String,
    /// Programs; what they print is found by running them.
    pub examples: Vec<ProposedExample>,
    /// What people get wrong.
    pub common_mistakes: Vec<String>,
    /// A Mermaid diagram; empty if none helps.
    pub diagram: String,
}

/// A program that a model has written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposedExample {
    /// One sentence on what it shows.
    pub title: String,
    /// The program.
    pub code: String,
}

/// A hint in the model's wording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HintText {
    /// The hint.
    pub hint: String,
}

/// A model's notes on a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewNotes {
    /// One thing that is good.
    pub praise: String,
    /// Things to look at, the most severe first.
    pub notes: Vec<ReviewNote>,
}

/// One thing to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReviewNote {
    /// From 1.
    pub line: u32,
    /// What is wrong.
    pub message: String,
    /// Why it matters.
    pub why: String,
    /// The original lines.
    pub before: String,
    /// The suggested lines.
    pub after: String,
}

/// Which agent a question is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Classification {
    /// The agent.
    pub agent: Agent,
    /// Why, in a few words.
    pub reason: String,
}

/// An exercise that a model has written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenExercise {
    /// Its title.
    pub title: String,
    /// The task.
    pub task: String,
    /// The starter code.
    pub starter: String,
    /// A solution.
    pub reference: String,
    /// The more general one first.
    pub hints: Vec<String>,
    /// The tests.
    pub tests: Vec<WrittenTestCase>,
}

/// A solution that a model wrote from the task alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Solution {
    /// The program.
    pub solution: String,
}

/// A test case that a model has written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrittenTestCase {
    /// A Python expression.
    pub call: String,
    /// Its value as a Python expression.
    pub expected: String,
    /// What is tested, in words, if it is hidden; else empty.
    pub hidden: String,
}

/// Parses an answer of the requested shape.
fn read<T: DeserializeOwned>(text: &str, prompt: &Prompt) -> Result<T, Withheld> {
    if guard::repeats_instructions(text, prompt.system) {
        return Err(Withheld::Instructions);
    }
    // Models without training for plain JSON put a fence around it, or words before it.
    let bare = match (text.find('{'), text.rfind('}')) {
        (Some(begin), Some(end)) if begin < end => &text[begin..=end],
        _ => text.trim(),
    };
    serde_json::from_str(bare).map_err(|error| Withheld::Shape(error.to_string()))
}

fn words(what: &'static str, text: &str, most: usize) -> Result<(), Withheld> {
    let count = text.split_whitespace().count();
    if (1..=most).contains(&count) { Ok(()) } else { Err(Withheld::Length(what, count)) }
}

fn prose(what: &'static str, text: &str, most: usize) -> Result<(), Withheld> {
    words(what, text, most)?;
    if guard::has_link(text) { Err(Withheld::Link) } else { Ok(()) }
}

/// Code may contain any address, as long as it stays code.
fn fenced(what: &'static str, code: &str) -> Result<(), Withheld> {
    if guard::breaks_out_of_fence(code) { Err(Withheld::Code(what)) } else { Ok(()) }
}

/// Parts of a diagram can be links, too.
fn diagram(text: &str) -> Result<(), Withheld> {
    let lead = |line: &str| {
        let line = line.trim_start().to_lowercase();
        line.starts_with("click") || line.contains("%%{")
    };
    fenced("the diagram", text)?;
    if text.split(['\n', ';']).any(lead) || guard::has_link(text) {
        return Err(Withheld::Link);
    }
    Ok(())
}

/// Reads an explanation that speaks of `subject`. Its examples still have to be run.
///
/// # Errors
/// It is not to be used.
pub fn explanation(text: &str, prompt: &Prompt, subject: &str) -> Result<Explanation, Withheld> {
    const EXAMPLES: usize = 3;
    const MISTAKES: usize = 4;
    let read: Explanation = read(text, prompt)?;
    prose("the explanation", &read.explanation, 400)?;
    if guard::holds_code(&read.explanation) {
        // Code belongs to the examples, which are run.
        return Err(Withheld::Code("the explanation"));
    }
    let speaks =
        [&read.explanation[..], &read.examples.iter().map(|e| &*e.code).collect::<String>()];
    if !about(&speaks.concat(), subject) {
        return Err(Withheld::OffPoint(subject.to_owned()));
    }
    if read.examples.is_empty() || read.examples.len() > EXAMPLES {
        return Err(Withheld::Length("the list of examples", read.examples.len()));
    }
    for example in &read.examples {
        prose("a title", &example.title, 30)?;
        words("an example", &example.code, 300)?;
        fenced("an example", &example.code)?;
    }
    if read.common_mistakes.len() > MISTAKES {
        return Err(Withheld::Length("the list of mistakes", read.common_mistakes.len()));
    }
    for mistake in &read.common_mistakes {
        prose("a mistake", mistake, 60)?;
    }
    diagram(&read.diagram)?;
    Ok(read)
}

/// Whether a text speaks of a subject: a word of its name is in it, in singular or plural.
fn about(text: &str, subject: &str) -> bool {
    let text = text.to_lowercase();
    let stems = subject.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 2);
    let mut stems = stems.map(|word| word.to_lowercase().trim_end_matches('s').to_owned());
    stems.any(|stem| text.contains(&stem))
}

/// Reads a hint: short, without code, and still about the names that the finding is about.
///
/// # Errors
/// It is not to be used.
pub fn hint(text: &str, prompt: &Prompt, rung: u8, names: &[String]) -> Result<HintText, Withheld> {
    let read: HintText = read(text, prompt)?;
    // Shorter on the lowest rung, which only points at the place; with some margin over what the prompt asks for.
    prose("the hint", &read.hint, if rung == 1 { 50 } else { 100 })?;
    if guard::holds_code(&read.hint) {
        return Err(Withheld::Code("the hint"));
    }
    if guard::says_what_to_write(&read.hint) {
        return Err(Withheld::Solution);
    }
    match names.iter().find(|name| !read.hint.contains(*name)) {
        Some(missing) => Err(Withheld::OffPoint(missing.clone())),
        None => Ok(read),
    }
}

/// Reads notes on a program. Each `before` must be there, word for word; what is claimed about `after` still has to be
/// run.
///
/// # Errors
/// They are not to be used.
pub fn notes(text: &str, prompt: &Prompt, code: &str) -> Result<ReviewNotes, Withheld> {
    const NOTES: usize = 3;
    let read: ReviewNotes = read(text, prompt)?;
    prose("the praise", &read.praise, 60)?;
    if read.notes.len() > NOTES {
        return Err(Withheld::Length("the list of notes", read.notes.len()));
    }
    for note in &read.notes {
        prose("a note", &note.message, 60)?;
        prose("a reason", &note.why, 60)?;
        fenced("a note", &note.after)?;
        let line = usize::try_from(note.line).ok().and_then(|line| line.checked_sub(1));
        let there = line.and_then(|line| code.lines().nth(line)).unwrap_or_default().trim();
        let first = note.before.trim().lines().next().unwrap_or_default().trim();
        if first.is_empty() || there != first || !code.contains(note.before.trim_matches('\n')) {
            return Err(Withheld::OffPoint(format!("line {}", note.line)));
        }
    }
    Ok(read)
}

/// Reads which agent a question is for.
///
/// # Errors
/// It is not to be used.
pub fn classification(text: &str, prompt: &Prompt) -> Result<Classification, Withheld> {
    let read: Classification = read(text, prompt)?;
    prose("the reason", &read.reason, 30)?;
    Ok(read)
}

/// Reads an exercise, which still has to pass the gates.
///
/// # Errors
/// It is not to be used.
pub fn exercise(text: &str, prompt: &Prompt) -> Result<WrittenExercise, Withheld> {
    let read: WrittenExercise = read(text, prompt)?;
    prose("the title", &read.title, 12)?;
    prose("the task", &read.task, 200)?;
    fenced("the starter", &read.starter)?;
    for test in &read.tests {
        // They are shown between backticks.
        let shown = [&test.call, &test.expected];
        if shown.iter().any(|part| part.contains('`')) {
            return Err(Withheld::Code("a test"));
        }
        if guard::has_link(&test.hidden) {
            return Err(Withheld::Link);
        }
    }
    for hint in &read.hints {
        prose("a hint", hint, 80)?;
        if guard::holds_code(hint) {
            return Err(Withheld::Code("a hint"));
        }
    }
    match read.hints.len() {
        2 => Ok(read),
        other => Err(Withheld::Length("the list of hints", other)),
    }
}

/// Reads a solution, which still has to be run.
///
/// # Errors
/// It is not to be used.
pub fn solution(text: &str, prompt: &Prompt) -> Result<Solution, Withheld> {
    let read: Solution = read(text, prompt)?;
    words("the solution", &read.solution, 600)?;
    Ok(read)
}

#[cfg(test)]
mod tests {
    use events::model_call::Task;
    use serde_json::json;

    use super::{Withheld, classification, explanation, hint, notes};
    use crate::prompt;

    fn lists(change: impl Fn(&mut serde_json::Value)) -> Result<super::Explanation, Withheld> {
        let mut answer = json!({
            "explanation": "A list keeps values in order.",
            "examples": [{ "title": "Adding a value", "code": "x = [1]\nx.append(2)\nprint(x)" }],
            "common_mistakes": ["Counting from one."], "diagram": ""
        });
        change(&mut answer);
        explanation(&answer.to_string(), prompt(Task::Explain), "Lists")
    }

    #[test]
    fn an_explanation_keeps_to_its_subject_and_to_its_bounds() {
        assert!(lists(|_| {}).is_ok());
        for (change, why) in [
            (json!({ "explanation": "" }), "the explanation has 0 words"),
            (
                json!({ "explanation": "A list.\n```python\nx\n```" }),
                "the explanation contains code",
            ),
            (json!({ "explanation": "A list. See https://example.org" }), "it contains a link"),
            (
                json!({ "explanation": "Cats purr.", "examples": [{"title": "t", "code": "print(1)"}] }),
                "it does not mention Lists",
            ),
            (json!({ "examples": [] }), "the list of examples has 0"),
            (
                json!({ "diagram": "flowchart LR\n  a --> b\n  click a \"x\"" }),
                "it contains a link",
            ),
            (json!({ "diagram": "flowchart LR\n  a[\"<img src=x>\"]" }), "it contains a link"),
            (
                json!({ "examples": [{"title": "A list", "code": "'''\n```\n[x](//e)\n'''"}] }),
                "an example contains code",
            ),
            (json!({ "extra": 1 }), "not of the requested shape: unknown field `extra`"),
        ] {
            let fields = change.as_object().expect("an object");
            let refused = lists(|answer| {
                for (name, value) in fields {
                    answer[name] = value.clone();
                }
            });
            let error = refused.expect_err(why).to_string();
            assert!(error.starts_with(why), "{error}");
        }
        let prompt = prompt(Task::Explain);
        let fenced = "```json\n{\"explanation\": \"A list.\", \"examples\": [{\"title\": \"t\", \"code\": \"x\"}], \"common_mistakes\": [], \"diagram\": \"\"}\n```";
        assert!(explanation(fenced, prompt, "Lists").is_ok());
        assert!(matches!(explanation("{\"explana", prompt, "Lists"), Err(Withheld::Shape(_))));
        assert_eq!(explanation(prompt.system, prompt, "Lists"), Err(Withheld::Instructions));
    }

    #[test]
    fn a_hint_has_no_code_and_keeps_the_names_of_the_finding() {
        let prompt = prompt(Task::Hint);
        let read = |text: &str| {
            let names = ["total".to_owned()];
            hint(&json!({ "hint": text }).to_string(), prompt, 1, &names).map(|read| read.hint)
        };
        assert!(read("Where does `total` get its first value?").is_ok());
        assert_eq!(read("Write\ntotal = 0\nfirst."), Err(Withheld::Code("the hint")));
        assert_eq!(read("Change `total` to 0."), Err(Withheld::Solution));
        assert_eq!(read("Look at the sum."), Err(Withheld::OffPoint("total".to_owned())));
        assert_eq!(read(&"total ".repeat(60)), Err(Withheld::Length("the hint", 60)));
    }

    #[test]
    fn a_note_must_be_about_an_existing_line() {
        let prompt = prompt(Task::Review);
        let read = |line: u32, before: &str| {
            let note = json!({ "line": line, "message": "m", "why": "w", "before": before, "after": "x = 2" });
            let answer = json!({ "praise": "Good names.", "notes": [note] }).to_string();
            notes(&answer, prompt, "y = 0\nx = 1\n")
        };
        assert!(read(2, "x = 1").is_ok());
        for (line, before) in [(1, "x = 1"), (2, "x = 3"), (0, "x = 1"), (9, "x = 1"), (2, "")] {
            assert!(matches!(read(line, before), Err(Withheld::OffPoint(_))), "{line} {before}");
        }
    }

    #[test]
    fn an_unknown_agent_is_refused() {
        let prompt = prompt(Task::Classify);
        assert!(classification("{\"agent\": \"debug\", \"reason\": \"it fails\"}", prompt).is_ok());
        assert!(classification("{\"agent\": \"root\", \"reason\": \"x\"}", prompt).is_err());
    }
}
