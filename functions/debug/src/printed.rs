//! What a student expects a program to print, from the words of the question: "it prints 8 instead of 5".
//!
//! The words say what came out and what should have. Which part of the output they mean is only known after a run: there
//! what came out is looked for, and the expected output is the whole output with the expected part in its place.

use std::{ops::Range, sync::LazyLock};

use analysis::value_at;
use domain::execution::{ExecutionResult, TestResult, Verdict};
use exercises::TestCase;
use regex::Regex;

use crate::expected::compile;

/// Most bytes of a question that are read, and most places in it where something is said.
const MAX_QUESTION: usize = 8 << 10;
const MAX_PLACES: usize = 12;
/// Most characters and lines of what is said to come out: what people paste is seldom longer than a page.
const MAX_CHARS: usize = 1_500;
const MAX_LINES: usize = 40;

/// What a program should print, as its author says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Printed {
    /// What is typed in; empty if the program reads nothing.
    pub(crate) stdin: String,
    /// What comes out; unknown if only the expected output is said.
    actual: Option<String>,
    /// What should come out.
    expected: String,
}

/// After these words comes what should come out.
static SHOULD: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"(?ix)\b(?:
            (?:should|must|ought\ to|has\ to|needs\ to|supposed\ to|want(?:ed)?\ it\ to)\ (?:have\ )?
                (?:be(?:en)?|print(?:ed)?|output|show(?:n)?|display(?:ed)?|say|give(?:n)?)(?:\ out)?
            |(?:i|we)(?:'m|\ am|\ was)?\ (?:want(?:ed)?|expect(?:ed|ing)?|need(?:ed)?)(?:\ it)?
                (?:\ to\ (?:be|print|show|say|see|get|output|display))?
            |expect(?:ed|ing)(?:\ (?:output|result|value))?(?:\ (?:is|was))?
            |(?:instead\ of|rather\ than)(?:\ (?:printing|showing|saying))?
            |(?:and|but)?\ not
        )\b",
    )
});
/// After these words comes what does come out.
static DOES: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"(?ix)\b(?:
            prints?(?:\ out)?|printed|outputs|outputted|shows|showed|displays|displayed|says|said|writes
            |(?:it|program|code|which|always|only|just)\ (?:gives|gave|returns)(?:\ me)?
            |(?:i|we)\ (?:only\ |just\ |always\ )?(?:get|got|see|saw)
            |(?:output|result|answer|it|total)\ (?:is|was|comes\ out\ as)
            |got|actual(?:\ (?:output|result|value))?|my\ output|output:
        )(?:\ only|\ just|\ always)?(?:\b|$)",
    )
});
/// Where what is said without quotes ends.
static END: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"(?ix)[.!?]+(?:\s|$) | [,;\n] | \s(?:but|instead|rather\ than|and\ not|not|when|while|where|for|if|with
            |even|although|though|because|why|it\ should|should|must|and\ (?:i|it)|got|actual|expected)\b",
    )
});
/// A line that says which output comes next.
static LABEL: LazyLock<Regex> = LazyLock::new(|| {
    compile(r"(?i)^\W*(?:expected|got|actual|output|my output|instead|but|code|why)\b")
});
/// What is typed in.
static TYPED: LazyLock<Regex> = LazyLock::new(|| {
    let one = r#"(?:`[^`\n]{1,60}`|"[^"\n]{0,60}"|'[^'\n]{0,60}'|-?\d[\w.]*\b|[A-Za-z]\w*)"#;
    compile(&format!(
        r"(?i)(?:\bi (?:type|typed|enter|entered|input|put|write|give it)(?: in)?|\b(?:with|for) (?:the )?inputs?|\binputs?:|\b(?:typing|entering)(?: in)?) (?P<all>{one}(?:(?:,| and| then|, and|, then) {one}){{0,5}})"
    ))
});
/// One of the values that are typed in.
static ONE: LazyLock<Regex> =
    LazyLock::new(|| compile(r#"`([^`\n]+)`|"([^"\n]*)"|'([^'\n]*)'|([^\s,"'`]+)"#));
/// Words that say something about an output, and are none.
const VAGUE: [&str; 36] = [
    "a",
    "all",
    "an",
    "anything",
    "correct",
    "different",
    "error",
    "everything",
    "in",
    "it",
    "its",
    "just",
    "less",
    "like",
    "more",
    "my",
    "nothing",
    "number",
    "numbers",
    "once",
    "only",
    "out",
    "right",
    "something",
    "text",
    "that",
    "the",
    "them",
    "this",
    "too",
    "twice",
    "value",
    "what",
    "word",
    "wrong",
    "your",
];

/// What a program should print, by what is said of it; nothing if that is not certain. All that a program reads must be
/// said, too.
pub(crate) fn printed(question: &str, code: &str) -> Option<Printed> {
    let question = question.get(..question.floor_char_boundary(MAX_QUESTION))?;
    let question = question.replace(['“', '”'], "\"").replace(['‘', '’'], "'");
    let stdin = stdin(&question, code)?;
    let places: Vec<Range<usize>> =
        SHOULD.find_iter(&question).take(MAX_PLACES).map(|found| found.range()).collect();
    let does = DOES
        .find_iter(&question)
        .take(MAX_PLACES)
        .filter(|found| !places.iter().any(|place| place.contains(&(found.end() - 1))))
        .filter_map(|found| said(&question[found.end()..]));
    let does: Vec<Said> = does.collect();
    let should: Vec<Said> =
        places.iter().filter_map(|place| said(&question[place.end..])).collect();
    let pairs = should.iter().flat_map(|should| does.iter().map(move |got| (should, got)));
    let both = pairs.into_iter().find(|(should, got)| {
        should.text != got.text && (should.is_certain || are_alike(&should.text, &got.text))
    });
    if let Some((should, got)) = both {
        let actual = Some(got.text.clone());
        return Some(Printed { stdin, actual, expected: should.text.clone() });
    }
    let only = should.into_iter().find(|should| should.is_certain)?;
    (does.is_empty() && !code.contains("input(")).then_some(Printed {
        stdin,
        actual: None,
        expected: only.text,
    })
}

/// An output that is quoted in a question.
struct Said {
    text: String,
    /// Whether it stands between quotes, or is a value: it cannot be mere words.
    is_certain: bool,
}

/// The output at the beginning of a text.
fn said(rest: &str) -> Option<Said> {
    let rest = rest.trim_start_matches([' ', ':', '=']);
    if let Some(block) = rest.trim_start().strip_prefix("```") {
        let inside = block.split("```").next()?;
        // The first line may name a language.
        let text = match inside.split_once('\n') {
            Some((first, rest)) if !first.trim().contains(char::is_whitespace) => rest,
            _ => inside,
        };
        let text = text.trim_matches('\n');
        return is_output(text).then(|| Said { text: text.to_owned(), is_certain: true });
    }
    for quote in ['`', '"', '\''] {
        if let Some(inside) = rest.strip_prefix(quote) {
            let text = inside.split(quote).next()?.trim_matches('\n');
            return is_output(text).then(|| Said { text: text.to_owned(), is_certain: true });
        }
    }
    if let Some(lines) = rest.strip_prefix('\n') {
        // What follows a label, line by line.
        let lines = lines.trim_start_matches('\n').lines();
        let lines = lines.take_while(|line| !line.trim().is_empty() && !LABEL.is_match(line));
        let text = lines.take(MAX_LINES).collect::<Vec<_>>().join("\n");
        return is_output(&text).then_some(Said { text, is_certain: true });
    }
    if let Some(value) = value_at(rest).filter(|value| !value.starts_with(['"', '\''])) {
        let after = &rest[value.len()..];
        let is_whole = after.is_empty() || END.find(after).is_some_and(|end| end.start() == 0);
        if is_whole {
            return Some(Said { text: value.to_owned(), is_certain: true });
        }
    }
    let end = END.find(rest).map_or(rest.len(), |end| end.start());
    let text = rest[..end].trim();
    let first = text.split(' ').next()?.to_lowercase();
    let is_plain = is_output(text) && !VAGUE.contains(&first.as_str());
    is_plain.then(|| Said { text: text.to_owned(), is_certain: false })
}

fn is_output(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= MAX_CHARS && text.lines().count() <= MAX_LINES
}

/// Whether two outputs may be one with a mistake: one word each, or some words in common.
fn are_alike(one: &str, other: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        text.to_lowercase().split_whitespace().map(str::to_owned).collect()
    };
    let (one, other) = (words(one), words(other));
    one.len() == 1 && other.len() == 1 || one.iter().any(|word| other.contains(word))
}

/// What is typed into a program, a line for each `input`; nothing if it is not certain.
fn stdin(question: &str, code: &str) -> Option<String> {
    let reads = code.matches("input(").count();
    if reads == 0 {
        return Some(String::new());
    }
    let all = &TYPED.captures(question)?["all"];
    let values = ONE.captures_iter(all).filter_map(|one| {
        let quoted = (1..=3).find_map(|group| one.get(group));
        let plain = one.get(4).filter(|word| {
            !["and", "then"].contains(&word.as_str()) && !VAGUE.contains(&word.as_str())
        });
        Some(quoted.or(plain)?.as_str().trim_end_matches('.').to_owned())
    });
    let values: Vec<String> = values.collect();
    (values.len() == reads).then(|| values.join("\n") + "\n")
}

/// What a program should print in all, once it has been run: nothing if what is said to come out did not, or more than
/// once. A program that does not come to its end should print the expected lines, if it has begun with them.
pub(crate) fn completed(printed: &Printed, verdict: Verdict, stdout: &str) -> Option<TestCase> {
    let Printed { stdin, actual, expected } = printed;
    let whole = match actual {
        _ if verdict != Verdict::Ok => {
            let mut lines = expected.lines();
            let begins = stdout.trim_end().lines().all(|line| lines.next() == Some(line));
            begins.then(|| format!("{expected}\n"))?
        }
        Some(actual) => match &whole(stdout, actual)[..] {
            [at] => format!("{}{expected}{}", &stdout[..*at], &stdout[at + actual.len()..]),
            [] if whole(stdout, expected).len() == 1 => stdout.to_owned(),
            _ => return None,
        },
        None if stdout.trim_end().lines().count() == 1 => match whole(stdout, expected)[..] {
            [] => format!("{expected}\n"),
            _ => stdout.to_owned(),
        },
        None => return None,
    };
    let stdin = Some(stdin.clone()).filter(|stdin| !stdin.is_empty());
    Some(TestCase { call: None, stdin, expected: Some(whole), raises: None, hidden: None })
}

/// Where a text stands in an output as a whole: `5` is no part of `15` or `5.5`.
fn whole(output: &str, text: &str) -> Vec<usize> {
    let of_word = |c: char| c.is_alphanumeric() || c == '_';
    let is_whole = |at: usize| {
        let before = output[..at].chars().next_back();
        let mut after = output[at + text.len()..].chars();
        let next = after.next();
        let goes_on = match next {
            Some('.') => after.next().is_some_and(|c| c.is_ascii_digit()),
            Some(next) => of_word(next) && text.ends_with(of_word),
            None => false,
        };
        let begins_before = before.is_some_and(|c| {
            of_word(c) && text.starts_with(of_word)
                || ".-".contains(c) && text.starts_with(|c: char| c.is_ascii_digit())
        });
        !goes_on && !begins_before
    };
    output.match_indices(text).map(|(at, _)| at).filter(|at| is_whole(*at)).collect()
}

/// The result of a run as that of a test of its output.
pub(crate) fn judged(case: &TestCase, run: &ExecutionResult) -> TestResult {
    let expected = case.expected.clone().unwrap_or_default();
    TestResult {
        name: "output".to_owned(),
        passed: expected == run.stdout,
        verdict: run.verdict,
        expected,
        actual: run.stdout.clone(),
        error: run.error.clone(),
        problem: None,
        duration_ms: run.duration_ms,
    }
}

/// What a program prints beside what it should print.
pub(crate) fn beside(stdin: &str, got: &str, expected: &str) -> String {
    let typed: Vec<String> = stdin.lines().map(|line| format!("`{line}`")).collect();
    let given = match &typed[..] {
        [] => "Your".to_owned(),
        typed => format!("With {} as input, your", typed.join(" and ")),
    };
    let got = match got.trim_end() {
        "" => format!("{given} program prints nothing."),
        got => format!("{given} program prints:\n\n```text\n{got}\n```"),
    };
    format!("{got}\n\nThis should come out:\n\n```text\n{}\n```", expected.trim_end())
}

#[cfg(test)]
mod tests {
    use domain::execution::Verdict;

    use super::{completed, printed};

    /// The expected output of a program that has printed this.
    fn expected(question: &str, code: &str, stdout: &str) -> Option<String> {
        completed(&printed(question, code)?, Verdict::Ok, stdout)?.expected
    }

    #[test]
    fn words_say_what_should_be_printed() {
        for question in [
            "it prints 8 instead of 5",
            "Why does my program print 8? It should print 5.",
            "output is 8 but should be 5",
            "The output is 8, but it should be 5!",
            "expected: 5, got: 8",
            "Expected output: 5\nActual output: 8",
            "expected:\n5\n\ngot:\n8\n",
            "got `8`, expected `5`",
            "it should print 5 but it prints 8",
            "I expected 5 but I get 8",
            "My code shows 8 rather than 5. Why?",
            "it prints '8' and not '5'",
            "it should print 5",
            "It prints:\n\n```\n8\n```\n\nIt should print:\n\n```text\n5\n```",
            "It prints ```8```. It should print:\n```console\n5\n```",
        ] {
            assert_eq!(
                expected(question, "print(3 + 5)\n", "8\n").as_deref(),
                Some("5\n"),
                "{question}"
            );
        }
    }

    #[test]
    fn a_program_that_is_ended_early_should_go_on_as_it_began() {
        let printed =
            printed("It should print:\n\n```\n1\n2\n```", "print(1)\n").expect("it says it");
        let expected = |stdout| completed(&printed, Verdict::Error, stdout)?.expected;
        assert_eq!(expected("1\n").as_deref(), Some("1\n2\n"));
        assert_eq!(expected("").as_deref(), Some("1\n2\n"));
        assert_eq!(expected("3\n"), None);
        assert_eq!(expected("1\n2\n3\n"), None);
    }

    #[test]
    fn only_what_has_come_out_is_replaced() {
        for (question, stdout, whole) in [
            ("it should print Hello Bob but prints Hello bob", "> Hello bob\n", "> Hello Bob\n"),
            ("it prints odd instead of even", "4 is odd\n", "4 is even\n"),
            ("it prints 8 instead of 5", "18\nsum: 8\n", "18\nsum: 5\n"),
            ("it prints 8 instead of 5", "5\n", "5\n"),
            ("expected:\n1\n2\n\ngot:\n1\n3\n", "1\n3\n", "1\n2\n"),
        ] {
            assert_eq!(
                expected(question, "print(x)\n", stdout).as_deref(),
                Some(whole),
                "{question}"
            );
        }
    }

    #[test]
    fn what_is_not_certain_is_left_alone() {
        for (question, stdout) in [
            ("it prints 8 instead of 5", "7\n"),
            ("it prints 8 instead of 5", "8\n8\n"),
            ("it prints nothing instead of the total", ""),
            ("it prints the wrong number instead of the right one", "8\n"),
            ("it should print 5 times", "8\n"),
            ("it should print the sum", "8\n"),
            ("it should print 5", "8\n9\n"),
            ("it should be faster", "8\n"),
            ("why does it print 8", "8\n"),
            ("", ""),
        ] {
            assert_eq!(expected(question, "print(x)\n", stdout), None, "{question}");
        }
    }

    #[test]
    fn what_is_typed_in_is_read_where_a_line_is_said_for_each_input() {
        let one = "n = int(input('Number: '))\nprint(n + n)\n";
        let two = "a = input()\nb = input()\nprint(a + b)\n";
        for (question, code, stdin) in [
            ("when I type 4 it prints 8 instead of 16", one, Some("4\n")),
            ("If I enter `4` it prints 8 instead of 16", one, Some("4\n")),
            ("With input 4 the output is 8 but should be 16", one, Some("4\n")),
            ("when I enter 2 and 3 it prints 23 instead of 5", two, Some("2\n3\n")),
            ("when I type bob it prints bobbob instead of BOB", one, Some("bob\n")),
            ("when I type 4 it prints 44 instead of 8", two, None),
            ("when I type a number it prints 8 instead of 16", one, None),
            ("it prints 8 instead of 16", one, None),
        ] {
            let found = printed(question, code).map(|printed| printed.stdin);
            assert_eq!(found.as_deref(), stdin, "{question}");
        }
        let asked = expected("when I type 4 it prints 8 instead of 16", one, "Number: 8\n");
        assert_eq!(asked.as_deref(), Some("Number: 16\n"));
    }

    #[test]
    fn long_and_hostile_texts_are_bounded() {
        for text in [
            "it prints ".repeat(9_000),
            "should be ".repeat(9_000),
            "```".repeat(30_000),
            "é".repeat(9_999),
            "I type 4 and ".repeat(9_000),
        ] {
            assert_eq!(expected(&text, "print(input())\n", &"8 ".repeat(9_000)), None);
        }
    }
}
