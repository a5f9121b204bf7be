//! How far code reaches in a sentence: values and operators in turn, around a sign that only code has.

use std::ops::Range;

use crate::token::{Kind, Token, tokens};

/// Words that connect parts of an expression, and parts of a sentence.
const CONNECTING: [&str; 7] = ["in", "and", "or", "not", "is", "if", "else"];

/// A sentence with its tokens, and the bracket that belongs to each bracket.
pub(crate) struct Sentence<'a> {
    pub(crate) text: &'a str,
    pub(crate) tokens: Vec<Token>,
    pub(crate) partners: Vec<Option<usize>>,
}

impl<'a> Sentence<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let tokens = tokens(text);
        let partners = partners(&tokens);
        Self { text, tokens, partners }
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

/// The expression or statement around an anchor: values and operators in turn. It begins at `from` or later.
pub(crate) fn grow(sentence: &Sentence<'_>, anchor: usize, from: usize) -> Range<usize> {
    let Sentence { text, tokens, .. } = sentence;
    let start = before(sentence, anchor, from);
    let mut end = after(sentence, anchor);
    // The header of a block, with what follows on the same line.
    let is_block = matches!(
        tokens.get(start).map_or("", |token| token.text(text)),
        "for" | "while" | "if" | "def" | "class" | "elif" | "with"
    );
    if is_block && tokens.get(end).is_some_and(|token| token.kind == Kind::Colon) {
        end += 1;
        let body = tokens
            .get(end + 1)
            .is_some_and(|token| matches!(token.kind, Kind::Open | Kind::Assign | Kind::Dot));
        if body {
            end = after(sentence, end + 1);
        }
        let is_return = tokens.get(end).is_some_and(|token| token.text(text) == "return");
        if is_return && tokens.get(end + 1).is_some_and(Token::begins_value) {
            end = after(sentence, end);
        }
    }
    start..end
}

/// What stands at the left of a value.
enum Left {
    /// Nothing that belongs to it.
    Stop,
    /// The first token of its statement.
    First(usize),
    /// A sign or a word that connects it; whether a value must stand before that.
    Sign { wants_value: bool },
}

/// Where the values left of an anchor begin.
fn before(sentence: &Sentence<'_>, anchor: usize, from: usize) -> usize {
    let tokens = &sentence.tokens;
    let mut at = anchor;
    // Whether the token at the left must end a value.
    let mut wants_value =
        tokens[anchor].kind != Kind::Open || anchor > from && tokens[anchor - 1].kind == Kind::Name;
    let is_pair = tokens[anchor].kind == Kind::Assign
        && tokens.get(anchor + 2).is_some_and(|token| token.kind == Kind::Comma);
    while at > from {
        if !wants_value {
            match left(sentence, at, from, is_pair) {
                Left::Stop => break,
                Left::First(first) => return first,
                Left::Sign { wants_value: wants } => wants_value = wants,
            }
            at -= 1;
            continue;
        }
        match tokens[at - 1].kind {
            Kind::Close => {
                let begin = sentence.partners[at - 1].filter(|begin| *begin >= from);
                let Some(begin) = begin else { break };
                at = begin;
                // A call or an index: its name belongs to it.
                wants_value = at > from
                    && tokens[at - 1].kind == Kind::Name
                    && tokens[at - 1].end == tokens[at].start;
            }
            Kind::Name | Kind::Number | Kind::Text => {
                at -= 1;
                wants_value = false;
            }
            _ => break,
        }
    }
    at
}

/// What stands before the value that begins at `at`. `is_pair`: two names are assigned at once.
fn left(sentence: &Sentence<'_>, at: usize, from: usize, is_pair: bool) -> Left {
    let Sentence { text, tokens, .. } = sentence;
    let (token, here) = (tokens[at - 1], tokens[at]);
    let two = at.checked_sub(2).filter(|two| *two >= from).map(|two| tokens[two]);
    let has_value = two.is_some_and(|two| two.ends_value());
    match token.kind {
        Kind::Dot if two.is_none_or(|two| two.end != token.start) => Left::First(at - 1),
        Kind::Dot => Left::Sign { wants_value: true },
        Kind::Operator | Kind::Assign if here.begins_value() || here.kind == Kind::Open => {
            let is_sign = matches!(token.text(text), "-" | "+" | "*" | "**" | "@" | "~");
            if has_value || is_sign { Left::Sign { wants_value: has_value } } else { Left::Stop }
        }
        // `a, b = b, a`
        Kind::Comma if is_pair && is_tuple(tokens, at - 1) => Left::Sign { wants_value: true },
        Kind::Keyword if token.text(text) == "in" => {
            let is_for = at >= from + 3 && tokens[at - 3].text(text) == "for";
            if is_for && has_value { Left::Sign { wants_value: true } } else { Left::Stop }
        }
        Kind::Keyword if is_connected(text, &tokens[at - 1..]) => {
            let is_sign = has_value || token.text(text) == "not";
            if is_sign { Left::Sign { wants_value: has_value } } else { Left::Stop }
        }
        Kind::Keyword if begins_statement(text, tokens, at - 1, from) => Left::First(at - 1),
        _ => Left::Stop,
    }
}

/// Whether the keyword before a value begins a statement: often it is only a word of the sentence.
fn begins_statement(text: &str, tokens: &[Token], at: usize, from: usize) -> bool {
    let is_block = || tokens[at..].iter().any(|token| token.kind == Kind::Colon);
    match tokens[at].text(text) {
        "while" | "def" | "return" | "elif" | "del" => true,
        "for" => tokens[at..].iter().take(6).any(|token| token.text(text) == "in"),
        "class" => is_block(),
        "if" => {
            let before =
                at.checked_sub(1).filter(|before| *before >= from).map(|before| tokens[before]);
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
    let is_pair = matches!(word.text(text), "and" | "or")
        && next.kind == Kind::Open
        && rest.get(1).is_some_and(|sign| {
            sign.kind == Kind::Operator || matches!(sign.text(text), "in" | "not" | "is")
        });
    let goes_on = is_pair || next.kind == Kind::Name && rest.first().is_some_and(is_sign);
    joins && (is_value || goes_on)
}

/// Where the values right of an anchor end.
fn after(sentence: &Sentence<'_>, anchor: usize) -> usize {
    let Sentence { text, tokens, partners } = sentence;
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
                Kind::Operator | Kind::Assign
                    if next.is_some_and(|next| {
                        next.begins_value()
                            || next.kind == Kind::Open
                            || next.kind == Kind::Operator
                    }) =>
                {
                    wants_value = true;
                }
                Kind::Comma
                    if token.text(text) == ","
                        && tokens[anchor].kind == Kind::Assign
                        && is_tuple(tokens, at) =>
                {
                    wants_value = true;
                }
                // `range(4) in stage()`: a value that was called is hardly looked for.
                Kind::Keyword if token.text(text) == "in" && tokens[at - 1].kind == Kind::Close => {
                    break;
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
    tokens.get(comma + 1).is_some_and(is_short)
        && comma.checked_sub(1).is_some_and(|at| is_short(&tokens[at]))
}
