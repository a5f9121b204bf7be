//! Finds code inside a sentence, with or without backticks.

use std::ops::Range;

use crate::{
    shape::{Shape, shape},
    token::{Kind, Token, pairs, tokens},
};

/// Functions whose name may have a space before its bracket.
const KNOWN: [&str; 8] = ["print", "input", "range", "len", "int", "str", "float", "sorted"];
/// Words that connect parts of an expression, and parts of a sentence.
const CONNECTING: [&str; 7] = ["in", "and", "or", "not", "is", "if", "else"];

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
    let tokens = tokens(text);
    let partners = partners(&tokens);
    let mut at = 0;
    while at < tokens.len() {
        let Some(anchor) = anchor(text, &tokens, &partners, at) else { break };
        let place = grow(text, &tokens, &partners, anchor, at);
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

/// The bracket that belongs to each bracket.
fn partners(tokens: &[Token]) -> Vec<Option<usize>> {
    let mut partners = vec![None; tokens.len()];
    let mut open = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Open => open.push(at),
            Kind::Close => {
                if let Some(begin) = open.pop() {
                    partners[begin] = Some(at);
                    partners[at] = Some(begin);
                }
            }
            _ => {}
        }
    }
    partners
}

/// The next token that only code has: an assignment, an operator between values, the bracket of a call or an index.
fn anchor(text: &str, tokens: &[Token], partners: &[Option<usize>], from: usize) -> Option<usize> {
    (from..tokens.len()).find(|at| {
        let token = tokens[*at];
        let before = at.checked_sub(1).filter(|before| *before >= from).map(|before| tokens[before]);
        let next = tokens.get(at + 1);
        match token.kind {
            Kind::Open => match before {
                Some(name) if name.kind == Kind::Name => {
                    let joined = name.end == token.start || KNOWN.contains(&name.text(text));
                    joined && partners[*at].is_some() && !is_plural(text, &tokens[*at..])
                }
                _ => token.text(text) == "[" && partners[*at].is_some_and(|end| end > at + 1),
            },
            Kind::Assign | Kind::Operator => {
                let sides = before.is_some_and(|before| before.ends_value())
                    && next.is_some_and(|next| next.begins_value() || next.kind == Kind::Open);
                // `well-known`, `and/or`, `a > b` in prose: a sign between words needs spaces or a digit.
                let sign = token.text(text);
                let tight = before.is_some_and(|before| before.end == token.start)
                    || next.is_some_and(|next| next.start == token.end);
                let is_word_sign = matches!(sign, "%" | "-" | "/" | "–" | "—" | "->" | "&" | "|" | ">");
                let is_arrow = matches!(sign, "->" | "=>");
                let is_calculation = matches!(sign, "+" | "-" | "*" | "/" | "%" | "–" | "—" | "&" | "|");
                let is_words = before.is_some_and(|before| is_word(text, &before))
                    && next.is_some_and(|next| is_word(text, next));
                sides && !is_arrow && !(is_calculation && is_words) && !(is_word_sign && tight && !has_digit(text, before, next))
                    || matches!(sign, "++" | "&&" | "||")
                        && before.is_some_and(|before| before.ends_value())
            }
            _ => false,
        }
    })
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

/// The expression or statement around an anchor: values and operators in turn. It begins at `from` or later.
fn grow(
    text: &str,
    tokens: &[Token],
    partners: &[Option<usize>],
    anchor: usize,
    from: usize,
) -> Range<usize> {
    let start = before(text, tokens, partners, anchor, from);
    let mut end = after(text, tokens, partners, anchor);
    // The header of a block, with what follows on the same line.
    let is_block = matches!(
        tokens.get(start).map_or("", |token| token.text(text)),
        "for" | "while" | "if" | "def" | "class" | "elif" | "with"
    );
    if is_block && tokens.get(end).is_some_and(|token| token.kind == Kind::Colon) {
        end += 1;
        let body = tokens.get(end + 1).is_some_and(|token| matches!(token.kind, Kind::Open | Kind::Assign | Kind::Dot));
        if body {
            end = after(text, tokens, partners, end + 1);
        }
        let is_return = tokens.get(end).is_some_and(|token| token.text(text) == "return");
        if is_return && tokens.get(end + 1).is_some_and(Token::begins_value) {
            end = after(text, tokens, partners, end);
        }
    }
    start..end
}

/// Where the values left of an anchor begin.
fn before(text: &str, tokens: &[Token], partners: &[Option<usize>], anchor: usize, from: usize) -> usize {
    let mut at = anchor;
    // Whether the token at the left must end a value.
    let mut wants_value = tokens[anchor].kind != Kind::Open
        || anchor.checked_sub(1).is_some_and(|name| tokens[name].kind == Kind::Name && anchor > from);
    let is_assignment = tokens[anchor].kind == Kind::Assign
        && tokens.get(anchor + 2).is_some_and(|token| token.kind == Kind::Comma);
    while at > from {
        let token = tokens[at - 1];
        let here = tokens[at];
        if wants_value {
            match token.kind {
                Kind::Close => match partners[at - 1].filter(|begin| *begin >= from) {
                    Some(begin) => {
                        at = begin;
                        let called = at > from && tokens[at - 1].kind == Kind::Name && tokens[at - 1].end == tokens[at].start;
                        wants_value = called;
                        continue;
                    }
                    None => break,
                },
                Kind::Name | Kind::Number | Kind::Text => {
                    at -= 1;
                    wants_value = false;
                }
                _ => break,
            }
        } else {
            match token.kind {
                Kind::Dot => {
                    let before = at.checked_sub(2).filter(|two| *two >= from).map(|two| tokens[two]);
                    if before.is_none_or(|before| before.end != token.start) {
                        return at - 1;
                    }
                    wants_value = true;
                }
                Kind::Operator | Kind::Assign if here.begins_value() || here.kind == Kind::Open => {
                    let two = at.checked_sub(2).filter(|two| *two >= from).map(|two| tokens[two]);
                    wants_value = two.is_some_and(|two| two.ends_value());
                    let is_sign = matches!(token.text(text), "-" | "+" | "*" | "**" | "@" | "~");
                    if !wants_value && !is_sign {
                        break;
                    }
                }
                // `a, b = b, a`
                Kind::Comma if is_assignment && is_tuple(tokens, at - 1) => {
                    wants_value = true;
                }
                Kind::Keyword if token.text(text) == "in" || is_connected(text, &tokens[at - 1..]) => {
                    let target = at.checked_sub(2).filter(|two| *two >= from).map(|two| tokens[two]);
                    let is_for = at >= from + 3 && tokens[at - 3].text(text) == "for";
                    if token.text(text) == "in" && !is_for {
                        break;
                    }
                    wants_value = target.is_some_and(|target| target.ends_value());
                    if !wants_value && token.text(text) != "not" {
                        break;
                    }
                }
                Kind::Keyword => return at - usize::from(begins_statement(text, tokens, at - 1, from)),
                _ => break,
            }
            at -= 1;
        }
    }
    at
}

/// Whether the keyword before a value begins a statement: often it is only a word of the sentence.
fn begins_statement(text: &str, tokens: &[Token], at: usize, from: usize) -> bool {
    let is_block = || tokens[at..].iter().any(|token| token.kind == Kind::Colon);
    match tokens[at].text(text) {
        "while" | "def" | "return" | "elif" | "del" => true,
        "for" => tokens[at..].iter().take(6).any(|token| token.text(text) == "in"),
        "class" => is_block(),
        "if" => {
            let before = at.checked_sub(1).filter(|before| *before >= from).map(|before| tokens[before]);
            before.is_none_or(|before| before.kind != Kind::Name) || is_block()
        }
        _ => false,
    }
}

/// Whether a word between two values connects them: what stands behind it is a value with a sign of code.
fn is_connected(text: &str, tokens: &[Token]) -> bool {
    let [word, next, rest @ ..] = tokens else { return false };
    let joins = CONNECTING.contains(&word.text(text));
    let holds = matches!(word.text(text), "in" | "else")
        && matches!(next.kind, Kind::Number | Kind::Text | Kind::Open);
    let is_value = holds || matches!(next.text(text), "True" | "False" | "None");
    let is_sign = |sign: &Token| match word.text(text) {
        "is" => false,
        // `f() and g()` are two calls in a sentence.
        "and" | "or" => sign.kind == Kind::Operator,
        "if" if !rest.iter().any(|token| token.text(text) == "else") => false,
        _ => {
            matches!(sign.kind, Kind::Operator | Kind::Dot | Kind::Assign)
                || sign.kind == Kind::Open && sign.start == next.end
        }
    };
    let is_pair = matches!(word.text(text), "and" | "or") && next.kind == Kind::Open
        && rest.get(1).is_some_and(|sign| {
            sign.kind == Kind::Operator || matches!(sign.text(text), "in" | "not" | "is")
        });
    let goes_on = is_pair || next.kind == Kind::Name && rest.first().is_some_and(is_sign);
    joins && (is_value || goes_on)
}

/// Where the values right of an anchor end.
fn after(text: &str, tokens: &[Token], partners: &[Option<usize>], anchor: usize) -> usize {
    let mut at = anchor;
    let mut wants_value = tokens[anchor].kind != Kind::Open;
    if wants_value {
        at += 1;
    } else {
        at = partners[anchor].map_or(at, |end| end) + 1;
    }
    while let Some(token) = tokens.get(at) {
        if wants_value {
            match token.kind {
                Kind::Name | Kind::Number | Kind::Text => wants_value = false,
                Kind::Open => match partners[at] {
                    Some(end) => {
                        at = end;
                        wants_value = false;
                    }
                    None => break,
                },
                Kind::Operator => {}
                Kind::Keyword if matches!(token.text(text), "not" | "lambda") => {}
                _ => break,
            }
        } else {
            let joined = tokens[at - 1].end == token.start;
            let next = tokens.get(at + 1);
            match token.kind {
                Kind::Open if joined => match partners[at] {
                    Some(end) => at = end,
                    None => break,
                },
                Kind::Dot if joined => wants_value = true,
                Kind::Operator | Kind::Assign if next.is_some_and(|next| next.begins_value() || next.kind == Kind::Open || next.kind == Kind::Operator) => {
                    wants_value = true;
                }
                Kind::Comma if token.text(text) == "," && tokens[anchor].kind == Kind::Assign && is_tuple(tokens, at) => {
                    wants_value = true;
                }
                Kind::Keyword if is_connected(text, &tokens[at..]) => wants_value = true,
                _ => break,
            }
        }
        at += 1;
    }
    // A sign at the end that no value follows.
    while at > anchor + 1 && tokens[at - 1].kind == Kind::Operator {
        at -= 1;
    }
    at
}

/// Whether a comma stands between two short names: `a, b = b, a`.
fn is_tuple(tokens: &[Token], comma: usize) -> bool {
    let is_short = |token: &Token| token.kind == Kind::Name && token.end - token.start <= 2;
    tokens.get(comma + 1).is_some_and(is_short) && comma.checked_sub(1).is_some_and(|at| is_short(&tokens[at]))
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
            ("In Task 3, x = float(i) / (n-1) * 2 * pi What is the reason?", "x = float(i) / (n-1) * 2 * pi"),
            ("what does for i in range(3): do", "for i in range(3):"),
            ("my code is: for i in range(3): print(i)", "for i in range(3): print(i)"),
            ("why is \"7\" == 7 False?", "\"7\" == 7"),
            ("Is it wrong to write if x == 3 or y == 4: here", "if x == 3 or y == 4:"),
            ("I have a function def add(a, b): return a + b and it fails", "def add(a, b): return a + b"),
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
    fn sentences_have_no_code_in_them() {
        for line in [
            "it gives wrong values (I don't know why)",
            "a well-known problem and/or question",
            "the loop(s) are fine",
            "I read it on line 3 - and it fails",
            "my score is 3/10 :(",
            "see (1) and [2] above",
            "A -> B means a change",
        ] {
            let code = found(line);
            assert!(code.iter().all(|code| *code == "3/10"), "{line}: {code:?}");
        }
    }
}
