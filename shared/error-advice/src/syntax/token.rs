//! Words of a text that may not be Python: unlike a parser's, these go on after every mistake.

/// What a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Name,
    Keyword,
    /// With everything that sticks to its digits: `2x`, `3.0i`, `1.2.3`.
    Number,
    /// A string with its prefix and quotes.
    Text,
    /// An operator, a bracket, a comma and the like.
    Sign,
    /// A character that Python has no use for.
    Strange,
}

/// A word and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    /// In bytes.
    pub(super) start: usize,
    /// From 1.
    pub(super) line: u32,
    /// Whether a string has its closing quote; true for all other words.
    pub(super) closed: bool,
}

const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
    "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while",
    "with", "yield",
];

/// Python's operators and signs, the longest first.
const SIGNS: [&str; 47] = [
    "**=", "//=", ">>=", "<<=", "...", "!=", "->", ":=", "==", "<=", ">=", "+=", "-=", "*=", "/=",
    "%=", "&=", "|=", "^=", "@=", "**", "//", "<<", ">>", "+", "-", "*", "/", "%", "&", "|", "^",
    "~", "@", "<", ">", "=", ".", ",", ":", ";", "(", ")", "[", "]", "{", "}",
];

impl<'a> Token<'a> {
    pub(super) const fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// The line on which it ends.
    pub(super) fn last_line(&self) -> u32 {
        let breaks = self.text.bytes().filter(|byte| *byte == b'\n').count();
        self.line.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX))
    }

    /// Whether it is this sign or keyword; a string never is.
    pub(super) fn is(&self, text: &str) -> bool {
        self.text == text
    }

    pub(super) fn is_one_of(&self, texts: &[&str]) -> bool {
        texts.contains(&self.text)
    }

    pub(super) fn is_constant(&self) -> bool {
        self.is_one_of(&["True", "False", "None", "..."])
    }

    pub(super) fn opens(&self) -> bool {
        self.is_one_of(&["(", "[", "{"])
    }

    pub(super) fn closes(&self) -> bool {
        self.is_one_of(&[")", "]", "}"])
    }

    /// How many brackets are open after it, if so many were open before.
    pub(super) fn depth_after(&self, depth: usize) -> usize {
        if self.opens() {
            depth + 1
        } else if self.closes() {
            depth.saturating_sub(1)
        } else {
            depth
        }
    }

    /// Whether a value can end with it.
    pub(super) fn ends_value(&self) -> bool {
        matches!(self.kind, Kind::Name | Kind::Number | Kind::Text)
            || self.closes()
            || self.is_constant()
    }

    /// Whether it can only be the beginning of a value, wherever it stands.
    pub(super) fn starts_value(&self) -> bool {
        matches!(self.kind, Kind::Name | Kind::Number | Kind::Text)
            || self.is("{")
            || self.is_constant()
    }

    /// Whether a value can begin with it, an opening bracket included.
    pub(super) fn starts_with_value(&self) -> bool {
        self.starts_value() || self.opens()
    }

    /// Whether it is made of letters.
    pub(super) const fn is_word(&self) -> bool {
        matches!(self.kind, Kind::Name | Kind::Keyword)
    }

    /// Whether it joins a value on its left with one on its right.
    pub(super) fn is_binary(&self) -> bool {
        const BINARY: [&str; 22] = [
            "**", "//", "<<", ">>", "+", "-", "*", "/", "%", "&", "|", "^", "@", "<", ">", "==",
            "!=", "<=", ">=", "and", "or", "is",
        ];
        BINARY.contains(&self.text) || self.is("in")
    }

    /// Whether it is an `=` or one of `+=` and the like.
    pub(super) fn assigns(&self) -> bool {
        self.is("=")
            || (self.kind == Kind::Sign
                && self.text.len() > 1
                && self.text.ends_with('=')
                && !self.is_one_of(&["==", "!=", "<=", ">=", ":="]))
    }

    /// What is between the quotes of a string.
    pub(super) fn content(&self) -> &'a str {
        let quoted = self.text.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let quotes = if is_triple(quoted) { 3 } else { 1 };
        let end = if self.closed { quoted.len().saturating_sub(quotes) } else { quoted.len() };
        quoted.get(quotes..end).unwrap_or_default()
    }

    /// The letters before the quotes of a string, in lower case.
    pub(super) fn prefix(&self) -> String {
        self.text.chars().take_while(char::is_ascii_alphabetic).collect::<String>().to_lowercase()
    }

    pub(super) fn is_triple(&self) -> bool {
        is_triple(self.text.trim_start_matches(|c: char| c.is_ascii_alphabetic()))
    }
}

fn is_triple(quoted: &str) -> bool {
    quoted.starts_with("'''") || quoted.starts_with("\"\"\"")
}

/// The words of a text; comments and spaces are none.
pub(super) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while let Some(first) = source.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = &source[at..];
        let text = match first {
            '\n' => {
                line += 1;
                at += 1;
                continue;
            }
            '#' => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            _ if rest.starts_with("\\\n") || rest.starts_with("\\\r\n") => {
                at += 1;
                continue;
            }
            ' ' | '\t' | '\r' | '\u{c}' | '\u{feff}' => {
                at += first.len_utf8();
                continue;
            }
            _ => word(rest),
        };
        let (kind, text, closed) = text;
        found.push(Token { kind, text, start: at, line, closed });
        at += text.len();
        line += u32::try_from(text.matches('\n').count()).unwrap_or_default();
    }
    found
}

/// The first word of a text that begins with one.
fn word(rest: &str) -> (Kind, &str, bool) {
    let first = rest.chars().next().unwrap_or_default();
    let letters = rest.find(|c: char| !is_of_name(c)).unwrap_or(rest.len());
    let quote = rest[letters..].chars().next().filter(|c| matches!(c, '"' | '\''));
    let is_prefix = letters <= 2
        && ["", "r", "b", "f", "u", "t", "rb", "br", "fr", "rf", "tr", "rt"]
            .contains(&rest[..letters].to_lowercase().as_str());
    if quote.is_some() && is_prefix {
        let (length, closed) = string(rest, letters);
        return (Kind::Text, &rest[..length], closed);
    }
    let after_point = rest.strip_prefix('.').and_then(|after| after.chars().next());
    if first.is_ascii_digit() || after_point.is_some_and(|c| c.is_ascii_digit()) {
        return (Kind::Number, &rest[..number(rest)], true);
    }
    if first.is_alphabetic() || first == '_' {
        let text = &rest[..letters];
        let kind = if KEYWORDS.contains(&text) { Kind::Keyword } else { Kind::Name };
        return (kind, text, true);
    }
    if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
        return (Kind::Sign, &rest[..sign.len()], true);
    }
    (Kind::Strange, &rest[..first.len_utf8()], true)
}

/// Letters and digits of all scripts; raised digits, fractions and digits in circles are none to Python.
fn is_of_name(c: char) -> bool {
    let is_digit = c.is_numeric()
        && !matches!(c, '²' | '³' | '¹' | '¼'..='¾' | '⁰'..='₟' | '⅐'..='⅟' | '①'..='⓿');
    c == '_' || c.is_alphabetic() || is_digit
}

/// How long a number is, with the letters and points that stick to it.
fn number(rest: &str) -> usize {
    let mut length = 0;
    let mut before = ' ';
    for c in rest.chars() {
        let is_sign_of_exponent = matches!(c, '+' | '-')
            && matches!(before, 'e' | 'E')
            && !rest.starts_with("0x")
            && rest[length + 1..].starts_with(|c: char| c.is_ascii_digit());
        if !(is_of_name(c) || c == '.' || is_sign_of_exponent) {
            break;
        }
        length += c.len_utf8();
        before = c;
    }
    length
}

/// How long a string is whose quote stands at `at`, and whether it has its closing quotes.
fn string(rest: &str, at: usize) -> (usize, bool) {
    let is_formatted = rest[..at].contains(['f', 'F', 't', 'T']);
    let quoted = &rest[at..];
    let quotes = if is_triple(quoted) { &quoted[..3] } else { &quoted[..1] };
    let (mut place, mut braces) = (quotes.len(), 0_usize);
    while let Some(c) = quoted.get(place..).and_then(|rest| rest.chars().next()) {
        if c == '\\' {
            let escaped = quoted[place + 1..].chars().next().map_or(0, char::len_utf8);
            place += 1 + escaped;
            continue;
        }
        if c == '\n' && quotes.len() == 1 {
            return (at + place, false);
        }
        if is_formatted && quoted[place..].starts_with("{{") && braces == 0 {
            place += 2;
            continue;
        }
        if is_formatted && c == '{' {
            braces += 1;
        } else if is_formatted && c == '}' {
            braces = braces.saturating_sub(1);
        } else if quoted[place..].starts_with(quotes) {
            // Inside braces the same quotes may begin a string of its own, if it ends before the brace does.
            let inner = (braces > 0).then(|| nested(&quoted[place..], quotes)).flatten();
            match inner {
                Some(length) => {
                    place += length;
                    continue;
                }
                None => return (at + place + quotes.len(), true),
            }
        }
        place += c.len_utf8();
    }
    (rest.len(), false)
}

/// How far a string inside the braces of another one may reach: one line of text, so that a line of quotes is not read
/// again for each of them.
const NESTED_CHARS: usize = 200;

/// The length of a string inside the braces of another one.
fn nested(text: &str, quotes: &str) -> Option<usize> {
    let rest = text[quotes.len()..].split('\n').next()?;
    let end = rest.char_indices().nth(NESTED_CHARS).map_or(rest.len(), |(end, _)| end);
    let rest = &rest[..end];
    let end = rest.find(quotes)?;
    let is_in_braces = rest[end..].contains('}') && !rest[..end].contains(['{', '}']);
    is_in_braces.then_some(quotes.len() * 2 + end)
}

#[cfg(test)]
mod tests {
    use super::{Kind, tokens};

    #[test]
    fn words_are_found_in_any_text() {
        let texts = |source| tokens(source).iter().map(|t| t.text).collect::<Vec<_>>();
        assert_eq!(texts("if x =< 2x: # no"), ["if", "x", "=", "<", "2x", ":"]);
        assert_eq!(texts("'I don't mind.'"), ["'I don'", "t", "mind", ".", "'"]);
        assert_eq!(texts("f'{d['a']} b'+1e-5"), ["f'{d['a']} b'", "+", "1e-5"]);
        assert_eq!(texts("f\"{age['Bob]} old\")"), ["f\"{age['Bob]} old\"", ")"]);
        assert_eq!(texts("a = \"x\\\"\nb"), ["a", "=", "\"x\\\"", "b"]);
        assert_eq!(tokens("x = '''a\nb\n")[2].last_line(), 3);
        assert!(!tokens("x = 'abc")[2].closed);
        assert_eq!(tokens("“hi”")[0].kind, Kind::Strange);
        assert_eq!(tokens("\n\\\n  x")[0].line, 3);
    }
}
