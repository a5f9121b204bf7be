//! What a student expects of a program: from the words of the question, from comments, doctests and asserts.

use std::{collections::BTreeMap, sync::LazyLock};

use analysis::{Program, call_at, value_at};
use exercises::TestCase;
use regex::Regex;

/// Most expectations that are read: each is a run of the program.
const MAX_CASES: usize = 12;
/// Most bytes of a question.
const MAX_QUESTION: usize = 8 << 10;
/// Most bytes between a value and the call after it.
const MAX_BEFORE: usize = 80;
/// Most bytes between a call and the value after it, besides what stands in backticks.
const MAX_AFTER: usize = 160;
/// Most bytes between a call and the end of the quotation that it is in.
const MAX_REST: usize = 40;

/// What people put around a call to see its result.
const AROUND: [&str; 6] = ["dict(", "len(", "list(", "set(", "sorted(", "tuple("];

/// Words after which the expected value comes.
static EXPECTED: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"(?ix)\b(?:
            (?:should|must|ought\ to|has\ to|have\ to|needs?\ to|supposed\ to|want(?:ed)?\ (?:it|this|that)?\ ?to|would)
                (?:\ \w+)?\ (?:be|return|give|print|output|equal|show|produce|yield|result\ in|come\ out\ as|have\ been)
                (?:\ (?:back|me|out|the\ (?:list|value|number|string|result|answer)))?
            |(?:i|we|it|test)\ (?:want|need|expect|hope)(?:s|ed)?(?:\ for|\ it\ to\ (?:be|return|give|print))?
            |expect(?:s|ed|ing)?(?:\ (?:it|this|that|result|value|output|answer|the\ (?:output|result|answer)))*
                (?:\ (?:to\ (?:be|get|see|return|give|print|equal|output|have)|is|was))*
            |instead\ of|rather\ than|(?:and|but|,)\ not|to\ (?:be|return|give|equal|print|output)
            |(?:correct|right|real|actual|expected)\ (?:answer|result|output|value|one)\ (?:is|was|would\ be|should\ be)
        )\s*[:=]?\s*`?",
    )
});
/// What stands between a call and its expected value in a task, or in a comment.
static ARROW: LazyLock<Regex> = LazyLock::new(|| {
    compile(r"^`?\)?\s*(?:=>|-+>|→|⇒|==?|➜|should (?:be|return|give|print)|must be)\s*`?")
});
/// How a comment begins that says what a line should show.
static COMMENT: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"(?i)^(?:=>|-+>|→|⇒|==|should (?:be|return|give|print|output)|must be|expect(?:ed|s|ing)?(?: output| result| value)?(?: is)?)\s*[:=]?\s*",
    )
});
/// The end of a text after which a call is given to a function that is not known.
static GIVEN_TO: LazyLock<Regex> = LazyLock::new(|| compile(r"\w\($"));
/// What belongs to a result.
static ATTRIBUTE: LazyLock<Regex> = LazyLock::new(|| compile(r"^\.[A-Za-z_]"));
/// What stands between an expected value and the call after it: "5 instead of 8 for".
static BETWEEN: LazyLock<Regex> = LazyLock::new(|| {
    compile(r"(?i)^`?[^.\n]{0,30}\b(?:for|when|with|if|from|calling|call|run|using)\b[^.\n]{0,30}$")
});

pub(crate) fn compile(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the tests use all patterns")
}

/// Where expectations are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFrom {
    /// Only in the question.
    Question,
    /// In the program, too.
    QuestionAndProgram,
}

/// What is expected of a program, by what is said of it and in it. Nothing for a text that is no program, or that has no
/// function.
#[must_use]
pub fn expectations(question: &str, code: &str, read: ReadFrom) -> Vec<TestCase> {
    let Ok(program) = Program::read(code) else { return Vec::new() };
    let known = Known::of(&program);
    let question = plain(question);
    let mut cases: Vec<TestCase> = Vec::new();
    let mut add = |call: &str, value: &str| {
        let is_new = cases.iter().all(|case| case.call.as_deref() != Some(call));
        if is_new && cases.len() < MAX_CASES {
            let (call, expected) = (Some(call.to_owned()), Some(value.to_owned()));
            cases.push(TestCase { call, stdin: None, expected, raises: None, hidden: None });
        }
    };
    for (call, value) in said(&question, &known) {
        add(&call, &value);
    }
    if known.functions.len() == 1
        && let Some((function, parameters)) = known.functions.first_key_value()
        && let [parameter] = parameters[..]
        // What is typed in need not be what the function gets.
        && !code.contains("input(")
    {
        for (argument, value) in said_of_argument(&question, parameter) {
            add(&format!("{function}({argument})"), &value);
        }
    }
    let lines = code.lines().filter(|_| read == ReadFrom::QuestionAndProgram);
    for (line, next) in lines.zip(code.lines().skip(1).chain([""])) {
        if let Some((call, value)) = written(line, next, &known) {
            add(call, value);
        }
    }
    cases
}

/// The program without the asserts that are read as expectations, which would end it before anything is known. All lines
/// keep their numbers.
#[must_use]
pub fn without_asserts(code: &str) -> String {
    let Ok(program) = Program::read(code) else { return code.to_owned() };
    let known = Known::of(&program);
    let is_read = |line: &str| line.starts_with("assert ") && asserted(line, &known).is_some();
    let lines = code.lines().map(|line| if is_read(line) { "pass\n" } else { line });
    lines.map(|line| format!("{}\n", line.trim_end_matches('\n'))).collect()
}

/// The question, with plain quotes and of bounded length.
fn plain(question: &str) -> String {
    let question = question.get(..question.floor_char_boundary(MAX_QUESTION)).unwrap_or(question);
    question.replace(['“', '”'], "\"").replace(['‘', '’'], "'")
}

/// What calls are made of.
struct Known<'a> {
    /// With the names of their parameters.
    functions: BTreeMap<&'a str, Vec<&'a str>>,
    /// Names of values.
    globals: Vec<&'a str>,
}

impl<'a> Known<'a> {
    fn of(program: &'a Program<'_>) -> Self {
        Self { functions: program.functions().into_iter().collect(), globals: program.globals() }
    }

    /// The call of a function at the beginning of a text, or of what is made of its result: `list(f(5))`.
    fn call_at<'t>(&self, text: &'t str) -> Option<&'t str> {
        let around = AROUND.iter().find(|around| text.starts_with(**around));
        let before = around.map_or(0, |around| around.len());
        let inside = &text[before..];
        let name = &inside[..inside.find(|c| !is_of_name(c)).unwrap_or(inside.len())];
        let (name, _) = self.functions.get_key_value(name)?;
        let call = call_at(inside, name, &self.globals)?;
        let end = before + call.len();
        match before {
            0 => Some(call),
            _ => text[end..].starts_with(')').then_some(&text[..=end]),
        }
    }
}

const fn is_of_name(c: char) -> bool {
    c == '_' || c.is_ascii_alphanumeric()
}

/// The calls in a text, with their places. What is given to another function, or of which only a part is looked at, says
/// nothing of the call.
fn calls<'a>(text: &'a str, known: &Known<'_>) -> Vec<(usize, &'a str)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find(is_of_name).map(|at| from + at) {
        let before = text[..at].chars().next_back();
        let call = known.call_at(&text[at..]).filter(|call| {
            let after = text[at + call.len()..].trim_start_matches('`');
            let is_part = after.starts_with(['[', '(']) || ATTRIBUTE.is_match(after);
            let is_whole = before.is_none_or(|c| !c.is_alphanumeric() && c != '.');
            let is_given = !text[..at].ends_with("print(") && GIVEN_TO.is_match(&text[..at]);
            is_whole && !is_part && !is_given
        });
        let name = text[at..].find(|c| !is_of_name(c)).unwrap_or(text.len() - at);
        from = at + call.map_or(name, str::len);
        found.extend(call.map(|call| (at, call)));
    }
    found
}

/// Calls and the values that the words around them expect.
fn said(question: &str, known: &Known<'_>) -> Vec<(String, String)> {
    let calls = calls(question, known);
    let mut said = Vec::new();
    let mut from = 0;
    for (number, (at, call)) in calls.iter().enumerate() {
        let end = at + call.len();
        // The next call may stand within this one.
        let until = calls.get(number + 1).map_or(question.len(), |(next, _)| end.max(*next));
        let after = &question[end..until];
        let before =
            &question[from.max(question.floor_char_boundary(at.saturating_sub(MAX_BEFORE)))..*at];
        if let Some(value) = after_words(&question[..until], end)
            .or_else(|| after_arrow(after))
            .or_else(|| before_call(before))
        {
            said.push(((*call).to_owned(), value.to_owned()));
        }
        from = end;
    }
    said
}

/// "with 5 the output is 8 instead of 5", of a function with one parameter.
fn said_of_argument(question: &str, parameter: &str) -> Vec<(String, String)> {
    let name = regex::escape(parameter);
    let Ok(given) = Regex::new(&format!(
        r"(?i)\b(?:(?:for|with|when|if|given|pass(?:ing|ed)?(?: in)?|enter(?:ing|ed)?|input(?:ting)?)\s+(?:i (?:pass|enter|use|give|type)(?: in)?\s+)?(?:(?:the|an?|my)?\s*`?(?:{name}|input|value|argument|list|string|number)`?\s*)?(?:==?|is|as|of|being|equals?|:)?\s*|{name}`?\s*==?\s*)`?"
    )) else {
        return Vec::new();
    };
    let mut said = Vec::new();
    for found in given.find_iter(question).take(MAX_CASES) {
        let Some(argument) = value_at(&question[found.end()..]) else { continue };
        if let Some(value) = after_words(question, found.end() + argument.len()) {
            said.push((argument.to_owned(), value.to_owned()));
        }
    }
    said
}

/// What comes soon after a place in a text: a long result in backticks takes nothing of it.
fn near_after(text: &str, at: usize) -> &str {
    let line = text[..at].rsplit('\n').next().unwrap_or_default();
    let after = &text[at..];
    // The rest of the quotation that the call is in belongs to it, if it is soon closed.
    let rest = &after[..after.floor_char_boundary(MAX_REST)];
    let mut is_quoted = line.matches('`').count() % 2 == 1 && rest.contains('`');
    let mut said = 0;
    for (at, letter) in after.char_indices() {
        match letter {
            '\n' => is_quoted = false,
            // One that is never closed is none.
            '`' => {
                let rest = after[at + 1..].lines().next().unwrap_or_default();
                is_quoted = !is_quoted && rest.contains('`');
            }
            _ => {}
        }
        said += if is_quoted { 0 } else { letter.len_utf8() };
        if said > MAX_AFTER {
            return &after[..at];
        }
    }
    after
}

/// The value after the first words that expect one, which come soon after a place in a text.
fn after_words(text: &str, at: usize) -> Option<&str> {
    let near = near_after(text, at);
    EXPECTED.find_iter(near).find_map(|found| value_at(&text[at + found.end()..]))
}

fn after_arrow(text: &str) -> Option<&str> {
    value_at(&text[ARROW.find(text)?.end()..])
}

/// The expected value before a call: "I get 8 instead of 5 for".
fn before_call(text: &str) -> Option<&str> {
    EXPECTED.find_iter(text).find_map(|found| {
        let value = value_at(&text[found.end()..])?;
        BETWEEN.is_match(&text[found.end() + value.len()..]).then_some(value)
    })
}

/// What a line of a program expects of a call: an assert, a doctest with its next line, or a comment.
fn written<'a>(line: &'a str, next: &'a str, known: &Known<'_>) -> Option<(&'a str, &'a str)> {
    let line = line.trim();
    if let Some(found) = asserted(line, known) {
        return Some(found);
    }
    if let Some(example) = line.strip_prefix(">>> ") {
        let next = next.trim();
        let value = value_at(next).filter(|value| value.len() == next.len())?;
        let call = known.call_at(example)?;
        return (call == example).then_some((call, value));
    }
    let (statement, comment) = line.split_once('#')?;
    let comment = comment.trim();
    let comment = comment[COMMENT.find(comment)?.end()..].trim_end_matches('.');
    let value = value_at(comment).filter(|value| value.len() == comment.len())?;
    let statement = statement.trim();
    let inner = statement.strip_prefix("print(").and_then(|rest| rest.strip_suffix(')'));
    let call = inner.unwrap_or(statement);
    let found = known.call_at(call)?;
    (found == call).then_some((found, value))
}

/// `assert f(5) == 8`
fn asserted<'a>(line: &'a str, known: &Known<'_>) -> Option<(&'a str, &'a str)> {
    let rest = line.strip_prefix("assert ")?.trim_start();
    let call = known.call_at(rest)?;
    let right = rest[call.len()..].trim_start().strip_prefix("==")?.trim_start();
    let value = value_at(right)?;
    let end = right[value.len()..].trim_start();
    (end.is_empty() || end.starts_with(['#', ','])).then_some((call, value))
}

#[cfg(test)]
mod tests {
    use super::{ReadFrom, expectations, without_asserts};

    const CODE: &str = "def f(n):\n    return n + 1\n";

    fn read(question: &str, code: &str) -> Vec<String> {
        let cases = expectations(question, code, ReadFrom::QuestionAndProgram).into_iter();
        cases.map(|case| format!("{} {}", case.call.unwrap(), case.expected.unwrap())).collect()
    }

    #[test]
    fn words_say_what_is_expected() {
        for question in [
            "f(5) gives 8 but it should be 5",
            "f(5) returns 8, should return 5.",
            "My f(5) should give 5!",
            "print(f(5)) shows 8, but it should be 5",
            "when I call `f(5)` I get `8` instead of `5`",
            "I get 8 instead of 5 for f(5)",
            "expected f(5) to be 5",
            "f(5) prints 8, I expected 5",
            "why is f(5) 8 and not 5?",
            "f(5) is supposed to return 5",
            "For f(5) the correct answer is 5",
            "Examples: f(5) => 5",
            "f(5) -> 5",
            "`f(5)` == 5",
            "When I run the function with `n` as 5 the output is 8 instead of 5.",
            "for n = 5 it returns 8 but it should return 5",
            "if i pass 5 i get 8 but expected 5",
        ] {
            assert_eq!(read(question, CODE), ["f(5) 5"], "{question}");
        }
        let defined_twice = format!("{CODE}{CODE}");
        assert_eq!(read("f(5) should be 5", &defined_twice), ["f(5) 5"]);
        assert_eq!(
            read("f([1, 2]) should be 'a b' and f(\"x\") returns 3 instead of None", CODE),
            ["f([1, 2]) 'a b'", "f(\"x\") None"]
        );
    }

    #[test]
    fn a_call_includes_what_is_made_of_its_result() {
        assert_eq!(read("`list(f(5))` gives [8] instead of [5]", CODE), ["list(f(5)) [5]"]);
        assert_eq!(read("why?", &format!("{CODE}print(len(f(5)))  # => 2\n")), ["len(f(5)) 2"]);
        for other in
            ["is_sorted(f(5)) should be True", "f(5)[0] should be 1", "f(5).left is 1, not 2"]
        {
            assert_eq!(read(other, CODE), [""; 0], "{other}");
        }
    }

    #[test]
    fn a_long_result_may_stand_between_a_call_and_what_is_expected() {
        let result = "<generator object f at 0x7f0000000000>, ".repeat(9);
        for call in ["`f(5)`", "`print(f(5))`", "f(5)"] {
            let gives = format!("{call} gives `[{result}]`, but it should be `[5]`.");
            assert_eq!(read(&gives, CODE), ["f(5) [5]"], "{call}");
        }
        let more = "And so it goes on. ".repeat(20);
        for call in ["`f(5)`", "`print(f(5))`", "f(5)", "`f(5)", "`x = f(5) + 1`"] {
            let far = format!("{call} is called. {more} It should be `[5]`.");
            assert_eq!(read(&far, CODE), [""; 0], "{call}");
        }
        let block = format!("```\nf(5)\n```\n{more} It should be 9.");
        assert_eq!(read(&block, CODE), [""; 0]);
    }

    #[test]
    fn calls_may_name_values_of_the_program() {
        let code = format!("{CODE}start = 5\n");
        assert_eq!(read("f(start) gives 8 instead of 5", &code), ["f(start) 5"]);
        // It may have another value by the end of the program.
        for given in ["start = 6\n", "start += 1\n", "for start in [1]: pass\n"] {
            assert_eq!(read("f(start) gives 8 instead of 5", &format!("{code}{given}")), [""; 0]);
        }
        for given in ["start = [5]\n", "start = int(input())\n"] {
            assert_eq!(read("f(start) gives 8 instead of 5", &format!("{CODE}{given}")), [""; 0]);
        }
        assert_eq!(read("f(other) gives 8 instead of 5", &code), [""; 0]);
    }

    #[test]
    fn words_that_expect_nothing_certain_are_left_alone() {
        for question in [
            "f(5) gives 8",
            "what does f(5) return?",
            "it should be 5",
            "f(x) should be 5",
            "I have 5 apples instead of 8",
            "g(5) should be 5",
            "f(5) should be fast",
            "",
        ] {
            assert_eq!(read(question, CODE), [""; 0], "{question}");
        }
        assert_eq!(read("f(5) should be 5", "def f(n)\n    return n\n"), [""; 0]);
    }

    #[test]
    fn comments_doctests_and_asserts_say_it_too() {
        for line in [
            "print(f(5))  # => 5",
            "f(5)  # should be 5",
            "print(f(5)) # Expected: 5",
            "print(f(5))  # expected output 5.",
            "assert f(5) == 5",
            "assert f(5) == 5, 'no'",
        ] {
            assert_eq!(read("why?", &format!("{CODE}{line}\n")), ["f(5) 5"], "{line}");
        }
        let doctest =
            "def f(n):\n    \"\"\"Adds.\n\n    >>> f(5)\n    5\n    \"\"\"\n    return n + 1\n";
        assert_eq!(read("why?", doctest), ["f(5) 5"]);
        for line in ["print(f(5))  # 8", "print(f(5))  # prints 8", "x = f(5)  # => five"] {
            assert_eq!(read("why?", &format!("{CODE}{line}\n")), [""; 0], "{line}");
        }
    }

    #[test]
    fn asserts_do_not_end_the_program_before_the_rest_is_known() {
        let code = format!("{CODE}assert f(5) == 5\nprint(1)\nassert f(1)\n");
        assert_eq!(without_asserts(&code), format!("{CODE}pass\nprint(1)\nassert f(1)\n"));
    }

    #[test]
    fn long_and_hostile_texts_are_bounded() {
        let many: String = (0..500).map(|n| format!("f({n}) should be {n}. ")).collect();
        assert_eq!(expectations(&many, CODE, ReadFrom::Question).len(), super::MAX_CASES);
        let defined_often = "def f(): 0\n".repeat(1_000);
        assert!(expectations(&"f(".repeat(4_000), &defined_often, ReadFrom::Question).is_empty());
        for text in ["f(".repeat(30_000), "should be ".repeat(7_000), "é".repeat(9_000)] {
            assert!(expectations(&text, CODE, ReadFrom::Question).is_empty());
        }
    }
}
