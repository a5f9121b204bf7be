//! The tokens of one line, read the same way in code and in prose.

/// The kind of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name, or a word of a sentence.
    Name,
    /// One of Python's keywords.
    Keyword,
    /// Letters of a script without capitals that nobody names variables in: Chinese, Korean, Arabic, …
    Word,
    /// A number, also with a fault: `2x`.
    Number,
    /// A string, with its prefix.
    Text,
    Open,
    Close,
    Comma,
    Colon,
    Dot,
    /// `=`, `+=`, `:=`.
    Assign,
    Operator,
    Comment,
    /// What only a sentence has: `?`, `!`, the stop at its end.
    Stop,
}

/// A token and its place in the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Token {
    pub(crate) fn text<'a>(&self, line: &'a str) -> &'a str {
        line.get(self.start..self.end).unwrap_or_default()
    }

    /// Whether a value can end with it.
    pub(crate) const fn ends_value(&self) -> bool {
        matches!(self.kind, Kind::Name | Kind::Number | Kind::Text | Kind::Word | Kind::Close)
    }

    /// Whether a value begins with it, brackets aside.
    pub(crate) const fn begins_value(&self) -> bool {
        matches!(self.kind, Kind::Name | Kind::Number | Kind::Text | Kind::Word)
    }
}

const KEYWORDS: [&str; 32] = [
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif",
    "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda",
    "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];
/// The longest operators first.
const OPERATORS: [(&str, Kind); 34] = [
    ("**=", Kind::Assign),
    ("//=", Kind::Assign),
    ("...", Kind::Operator),
    ("===", Kind::Operator),
    ("&&", Kind::Operator),
    ("||", Kind::Operator),
    ("==", Kind::Operator),
    ("!=", Kind::Operator),
    ("<=", Kind::Operator),
    (">=", Kind::Operator),
    ("=<", Kind::Operator),
    ("=>", Kind::Operator),
    ("<>", Kind::Operator),
    ("->", Kind::Operator),
    ("**", Kind::Operator),
    ("//", Kind::Operator),
    ("++", Kind::Operator),
    ("+=", Kind::Assign),
    ("-=", Kind::Assign),
    ("*=", Kind::Assign),
    ("/=", Kind::Assign),
    ("%=", Kind::Assign),
    (":=", Kind::Assign),
    ("=", Kind::Assign),
    ("<", Kind::Operator),
    (">", Kind::Operator),
    ("+", Kind::Operator),
    ("-", Kind::Operator),
    ("*", Kind::Operator),
    ("/", Kind::Operator),
    ("%", Kind::Operator),
    ("|", Kind::Operator),
    ("^", Kind::Operator),
    ("&", Kind::Operator),
];

/// The keyword that a word is, also if a picture of it was misread: `f0r`, `e1se`, `whi1e`.
pub(crate) fn keyword(word: &str) -> Option<&'static str> {
    /// The longest keyword has eight letters.
    const LONGEST: usize = 8;
    let known = |word: &str| KEYWORDS.iter().find(|keyword| **keyword == word).copied();
    if !word.bytes().any(|byte| byte.is_ascii_digit()) {
        return known(word);
    }
    let is_short = word.len() > 1
        && word.len() <= LONGEST
        && word.bytes().any(|byte| byte.is_ascii_lowercase());
    let letters = |one: &str| word.replace('0', "o").replace('5', "s").replace('1', one);
    let read = || known(&letters("l")).or_else(|| known(&letters("i")));
    if is_short { read() } else { None }
}

/// The ASCII character that a full-width or typographic one stands for; itself for all others.
pub(crate) fn plain(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '“' | '”' | '„' | '″' => '"',
        '‘' | '’' | '‚' | '′' | '´' => '\'',
        '–' | '—' | '−' => '-',
        '、' => ',',
        '。' => '.',
        '\u{3000}' | '\u{a0}' => ' ',
        _ => c,
    }
}

/// Marks that say in which direction text is read, and other characters without a width.
pub(crate) const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Whether a letter is of a script in which sentences have no spaces, or that is read from right to left.
const fn is_word_letter(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{900}'..='\u{d7f}' | '\u{e00}'..='\u{e7f}' | '\u{1100}'..='\u{11ff}'
        | '\u{3040}'..='\u{318f}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}')
}

/// Reads a line. Time is linear: a string that does not end is looked for once for each kind of quote.
pub(crate) fn tokens(line: &str) -> Vec<Token> {
    let mut reader = Reader { line, at: 0, unclosed: [false; 2], found: Vec::new() };
    while reader.step() {}
    reader.found
}

struct Reader<'a> {
    line: &'a str,
    at: usize,
    /// The quotes `"` and `'` that do not end on this line.
    unclosed: [bool; 2],
    found: Vec<Token>,
}

impl Reader<'_> {
    fn push(&mut self, kind: Kind, end: usize) -> bool {
        // A token has a character at least, whatever it is: else the reader would never end.
        let first = self.line[self.at..].chars().next().map_or(1, char::len_utf8);
        let end = end.max(self.at + first);
        self.found.push(Token { kind, start: self.at, end });
        self.at = end;
        true
    }

    /// Reads one token; false at the end of the line.
    fn step(&mut self) -> bool {
        let rest = &self.line[self.at..];
        let Some(first) = rest.chars().next() else { return false };
        let sign = plain(first);
        let after = self.at + first.len_utf8();
        match sign {
            _ if sign.is_whitespace() || is_invisible(sign) || sign.is_control() => {
                self.at = after;
                true
            }
            '#' => self.push(Kind::Comment, self.line.len()),
            '"' | '\'' => self.quote(self.at, sign),
            '0'..='9' => {
                let end = self.while_in(|c| plain(c).is_ascii_alphanumeric() || c == '_');
                let is_misread = keyword(&self.line[self.at..end]).is_some();
                if is_misread { self.push(Kind::Keyword, end) } else { self.number(end) }
            }
            _ if is_word_letter(sign) => {
                let end = self.while_in(is_word_letter);
                self.push(Kind::Word, end)
            }
            _ if sign.is_alphabetic() || sign == '_' => self.name(),
            '(' | '[' | '{' => self.push(Kind::Open, after),
            ')' | ']' | '}' => self.push(Kind::Close, after),
            ',' => self.push(Kind::Comma, after),
            ':' if !rest[first.len_utf8()..].starts_with('=') => self.push(Kind::Colon, after),
            ';' => self.push(Kind::Comma, after),
            '.' if !rest.starts_with("...") => {
                let next = self.line[after..].chars().next();
                // `f(x).It`: a sentence that ends without a space behind it.
                let ends = self.found.last().is_some_and(|last| {
                    matches!(last.kind, Kind::Close | Kind::Number) && last.end == self.at
                });
                let begins = next.is_some_and(char::is_uppercase);
                let joins =
                    next.is_some_and(|c| c.is_alphanumeric() || c == '_') && !(ends && begins);
                self.push(if joins { Kind::Dot } else { Kind::Stop }, after)
            }
            '.' if rest.starts_with("...")
                && self.found.last().is_some_and(|last| last.end == self.at) =>
            {
                self.push(Kind::Stop, self.at + 3)
            }
            _ => self.operator(after),
        }
    }

    fn while_in(&self, fits: impl Fn(char) -> bool) -> usize {
        let rest = &self.line[self.at..];
        self.at + rest.find(|c| !fits(c)).unwrap_or(rest.len())
    }

    /// A number, with its decimal part.
    fn number(&mut self, end: usize) -> bool {
        let rest = &self.line[end..];
        let decimals = rest.strip_prefix('.').map_or(0, |rest| {
            rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len())
        });
        let is_decimal = decimals > 0 && rest[1..].starts_with(|c: char| c.is_ascii_digit());
        self.push(Kind::Number, if is_decimal { end + 1 + decimals } else { end })
    }

    fn name(&mut self) -> bool {
        let mut end = self.while_in(|c| (c.is_alphanumeric() || c == '_') && !is_word_letter(c));
        let name = &self.line[self.at..end];
        let quote = self.line[end..].chars().next();
        let is_prefix = name.len() <= 2 && name.chars().all(|c| "fFrRbBuU".contains(c));
        if is_prefix && let Some(quote @ ('"' | '\'')) = quote {
            return self.quote(end, quote);
        }
        // `don't`, `student's`: a word with an apostrophe.
        if let Some(mark) = quote.filter(|c| plain(*c) == '\'') {
            let rest = &self.line[end + mark.len_utf8()..];
            let letters = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
            if matches!(&rest[..letters], "t" | "s" | "m" | "d" | "ll" | "re" | "ve") {
                end += mark.len_utf8() + letters;
                return self.push(Kind::Name, end);
            }
        }
        let is_keyword = keyword(name).is_some();
        self.push(if is_keyword { Kind::Keyword } else { Kind::Name }, end)
    }

    /// A string that begins here, or only a mark if it does not end.
    fn quote(&mut self, at: usize, quote: char) -> bool {
        let opening = self.line[at..].chars().next().map_or(1, char::len_utf8);
        let which = usize::from(quote == '\'');
        if !self.unclosed[which] {
            let mut escaped = false;
            for (offset, c) in self.line[at + opening..].char_indices() {
                if plain(c) == quote && !escaped {
                    return self.push(Kind::Text, at + opening + offset + c.len_utf8());
                }
                escaped = c == '\\' && !escaped;
            }
            self.unclosed[which] = true;
        }
        self.push(Kind::Stop, at + opening)
    }

    fn operator(&mut self, after: usize) -> bool {
        let rest = &self.line[self.at..];
        let known = OPERATORS.iter().find(|(sign, _)| rest.starts_with(sign));
        match known {
            Some((sign, kind)) => self.push(*kind, self.at + sign.len()),
            None if rest.starts_with(['@', '\\', '≤', '≥', '≠']) => {
                self.push(Kind::Operator, after)
            }
            None => {
                let sign = plain(rest.chars().next().unwrap_or(' '));
                let kind = match sign {
                    '=' => Kind::Assign,
                    '+' | '-' | '*' | '/' | '<' | '>' | '%' => Kind::Operator,
                    _ => Kind::Stop,
                };
                self.push(kind, after)
            }
        }
    }
}

/// How many values stand next to each other without an operator, at the top level and inside brackets. Sentences are
/// full of them, code has none.
pub(crate) fn pairs(tokens: &[Token]) -> (usize, usize) {
    let (mut outer, mut inner, mut depth) = (0, 0, 0_usize);
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        let before = at.checked_sub(1).and_then(|before| tokens.get(before));
        let is_pair = before.is_some_and(|before| {
            let strings = before.kind == Kind::Text && token.kind == Kind::Text;
            before.ends_value() && token.begins_value() && !strings
        });
        if is_pair && depth == 0 {
            outer += 1;
        } else if is_pair {
            inner += 1;
        }
    }
    (outer, inner)
}

#[cfg(test)]
mod tests {
    use super::{Kind, pairs, tokens};

    fn kinds(line: &str) -> Vec<Kind> {
        tokens(line).iter().map(|token| token.kind).collect()
    }

    #[test]
    fn apostrophes_are_no_strings() {
        assert_eq!(kinds("I don't know"), [Kind::Name; 3]);
        assert_eq!(kinds("x = 'a'"), [Kind::Name, Kind::Assign, Kind::Text]);
        assert_eq!(kinds("f'{x}'"), [Kind::Text]);
    }

    #[test]
    fn full_width_signs_are_read_as_what_they_look_like() {
        assert_eq!(kinds("f（x）"), [Kind::Name, Kind::Open, Kind::Name, Kind::Close]);
        assert_eq!(kinds("x = “a”"), [Kind::Name, Kind::Assign, Kind::Text]);
        assert_eq!(
            kinds("ｘ＝３５＋y"),
            [Kind::Name, Kind::Assign, Kind::Number, Kind::Operator, Kind::Name]
        );
    }

    #[test]
    fn sentences_have_neighbouring_values_and_code_has_none() {
        assert_eq!(pairs(&tokens("total = prices[0] * (1 + tax) if tax else 0")), (0, 0));
        assert!(pairs(&tokens("my loop never stops")).0 == 3);
    }
}
