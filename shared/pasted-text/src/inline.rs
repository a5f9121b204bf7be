//! Finds code inside a sentence, with or without backticks.

use std::ops::Range;

use crate::{
    grow::{Sentence, grow},
    shape::{Shape, shape},
    token::{Kind, Token, pairs},
};

/// Functions whose name may have a space before its bracket.
const KNOWN: [&str; 8] = ["print", "input", "range", "len", "int", "str", "float", "sorted"];

/// A place of code in a line: from a backtick to the next one, or what has the form of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    /// The code.
    pub(crate) code: Range<usize>,
    /// The code with its backticks.
    pub(crate) whole: Range<usize>,
}

/// All code in a line, in its order.
pub(crate) fn spans(line: &str) -> Vec<Span> {
    let mut found = Vec::new();
    let mut at = 0;
    for quoted in backticks(line) {
        plain_spans(line, at..quoted.whole.start, &mut found);
        at = quoted.whole.end;
        found.push(quoted);
    }
    plain_spans(line, at..line.len(), &mut found);
    found.sort_by_key(|span| span.whole.start);
    found
}

/// What stands between backticks. Each run of backticks ends at the next run of the same length; runs without a partner
/// are looked at once.
fn backticks(line: &str) -> Vec<Span> {
    let bytes = line.as_bytes();
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (at, byte) in bytes.iter().enumerate() {
        match runs.last_mut() {
            _ if *byte != b'`' => {}
            Some(run) if run.end == at => run.end += 1,
            _ => runs.push(at..at + 1),
        }
    }
    let mut found = Vec::new();
    let mut runs = runs.into_iter().peekable();
    while let Some(open) = runs.next() {
        if let Some(close) = runs.next_if(|close| close.len() == open.len()) {
            found.push(Span { code: open.end..close.start, whole: open.start..close.end });
        }
    }
    found
}

fn plain_spans(line: &str, range: Range<usize>, found: &mut Vec<Span>) {
    let text = &line[range.clone()];
    let sentence = Sentence::new(text);
    let Sentence { tokens, .. } = &sentence;
    let mut at = 0;
    while at < tokens.len() {
        let Some(anchor) = anchor(&sentence, at) else { break };
        let place = grow(&sentence, anchor, at);
        for quoted in &tokens[at..place.start.max(at)] {
            in_quotes(text, range.start, quoted, found);
        }
        at = place.end.max(anchor + 1);
        if !is_code(text, &tokens[place.clone()]) {
            continue;
        }
        let (Some(first), Some(last)) = (tokens.get(place.start), tokens.get(place.end - 1)) else {
            continue;
        };
        let code = range.start + first.start..range.start + last.end;
        found.push(Span { code: code.clone(), whole: code });
    }
    for quoted in tokens.iter().skip(at) {
        in_quotes(text, range.start, quoted, found);
    }
}

/// What is quoted in a sentence, and is code as a whole: `you wrote 'if f(x)' there`.
fn in_quotes(text: &str, offset: usize, quoted: &Token, found: &mut Vec<Span>) {
    let inner = quoted.text(text);
    let code = inner.trim_matches(['\'', '"', '‘', '’', '“', '”']);
    if quoted.kind != Kind::Text || code.is_empty() {
        return;
    }
    let start = offset + quoted.start + inner.find(code).unwrap_or_default();
    let is_code = matches!(shape(code), Shape::Header | Shape::Statement)
        || code.starts_with("if ") && code.contains('(') && shape(code) != Shape::Other;
    if is_code {
        let code = start..start + code.len();
        found.push(Span { code: code.clone(), whole: code });
    }
}

/// The next token that only code has: an assignment, an operator between values, the bracket of a call or an index.
fn anchor(sentence: &Sentence<'_>, from: usize) -> Option<usize> {
    let Sentence { text, tokens, partners } = sentence;
    (from..tokens.len()).find(|at| {
        let token = tokens[*at];
        let before =
            at.checked_sub(1).filter(|before| *before >= from).map(|before| tokens[before]);
        let next = tokens.get(at + 1);
        match token.kind {
            Kind::Open => match before {
                Some(name) if name.kind == Kind::Name => {
                    let joined = name.end == token.start || KNOWN.contains(&name.text(text));
                    joined && partners[*at].is_some() && !is_plural(text, &tokens[*at..])
                }
                _ => token.text(text) == "[" && partners[*at].is_some_and(|end| end > at + 1),
            },
            Kind::Assign | Kind::Operator => is_between(text, &token, before, next),
            _ => false,
        }
    })
}

/// Whether an operator stands between two values as in code, and not as a sign of a sentence: `well-known`, `and/or`,
/// `lines 3-5`, `%f`.
fn is_between(text: &str, sign: &Token, before: Option<Token>, next: Option<&Token>) -> bool {
    let (Some(before), word) = (before.filter(Token::ends_value), sign.text(text)) else {
        return false;
    };
    if matches!(word, "++" | "&&" | "||") {
        return true;
    }
    let next = next.filter(|next| next.begins_value() || next.kind == Kind::Open);
    let Some(next) = next.filter(|_| !matches!(word, "->" | "=>" | "@" | "\\")) else {
        return false;
    };
    let is_tight = before.end == sign.start || next.start == sign.end;
    let is_range =
        word == "-" && is_tight && before.kind == Kind::Number && next.kind == Kind::Number;
    let is_calculation = matches!(word, "+" | "-" | "*" | "/" | "%" | "–" | "—" | "&" | "|");
    let is_in_words = matches!(word, "%" | "-" | "/" | "–" | "—" | "&" | "|" | ">")
        && is_tight
        && !has_digit(text, Some(before), Some(next));
    let joins_words = is_calculation && is_word(text, &before) && is_word(text, next);
    !(is_range || is_in_words || joins_words)
}

fn has_digit(text: &str, before: Option<Token>, next: Option<&Token>) -> bool {
    let is_value = |token: &Token| match token.kind {
        Kind::Number => token.text(text).bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'),
        Kind::Close | Kind::Text => true,
        _ => token.text(text).contains('_'),
    };
    before.as_ref().is_some_and(is_value) || next.is_some_and(is_value)
}

/// A word of a sentence, and hardly a variable.
fn is_word(text: &str, token: &Token) -> bool {
    let word = token.text(text);
    token.kind == Kind::Name && word.len() > 1 && word.chars().all(char::is_alphabetic)
}

/// `loop(s)`.
fn is_plural(text: &str, tokens: &[Token]) -> bool {
    tokens.get(1).is_some_and(|token| token.text(text) == "s")
        && tokens.get(2).is_some_and(|token| token.kind == Kind::Close)
}

/// Whether the grown tokens are code, and not a remark in brackets or a smiley.
fn is_code(text: &str, tokens: &[Token]) -> bool {
    let (outer, inner) = pairs(tokens);
    let has_value = tokens.iter().any(Token::begins_value);
    let has_stop = tokens.iter().any(|token| matches!(token.kind, Kind::Stop | Kind::Word));
    let first = tokens.first().map_or("", |token| token.text(text));
    let is_list = first == "[" && tokens.len() < 4;
    tokens.len() >= 3 && has_value && outer + inner == 0 && !has_stop && !is_list
}

#[cfg(test)]
mod tests {
    use super::spans;

    fn found(line: &str) -> Vec<&str> {
        spans(line).into_iter().map(|span| &line[span.code]).collect()
    }

    #[test]
    fn code_in_a_sentence_is_found_without_backticks() {
        for (line, code) in [
            ("why does x = [[0]*2]*2 change both rows", "x = [[0]*2]*2"),
            (
                "In Task 3, x = float(i) / (n-1) * 2 * pi What is the reason?",
                "x = float(i) / (n-1) * 2 * pi",
            ),
            ("what does for i in range(3): do", "for i in range(3):"),
            ("my code is: for i in range(3): print(i)", "for i in range(3): print(i)"),
            ("why is \"7\" == 7 False?", "\"7\" == 7"),
            ("Is it wrong to write if x == 3 or y == 4: here", "if x == 3 or y == 4:"),
            (
                "I have a function def add(a, b): return a + b and it fails",
                "def add(a, b): return a + b",
            ),
            ("what is xs[-1]", "xs[-1]"),
            ("Explain the a += 1 part", "a += 1"),
            ("why a, b = b, a works", "a, b = b, a"),
            ("what does hubo.carries_beepers() do on line 18?", "hubo.carries_beepers()"),
            ("use `x = 1` there", "x = 1"),
        ] {
            assert_eq!(found(line), [code], "{line}");
        }
    }

    #[test]
    fn two_calls_in_a_sentence_are_two() {
        assert_eq!(found("f() and g(1) do the same"), ["f()", "g(1)"]);
        assert_eq!(found("why is it range(4) in stage()"), ["range(4)", "stage()"]);
        assert_eq!(found("is f(x).It prints nothing"), ["f(x)"]);
    }

    #[test]
    fn sentences_have_no_code_in_them() {
        for line in [
            "it gives wrong values (I don't know why)",
            "a well-known problem and/or question",
            "the loop(s) are fine",
            "I read it on line 3 - and it fails",
            "my score is 3/10 :(",
            "see (1) and [2] above",
            "A -> B means a change",
            "I mean lines 3-5, and part 3-2-2",
            "what does \\t do, or %f",
        ] {
            let code = found(line);
            assert!(code.iter().all(|code| *code == "3/10"), "{line}: {code:?}");
        }
    }
}
