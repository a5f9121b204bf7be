//! Whether a line looks like code, by its form. It may be faulty code: it is pasted because it does not work.

use crate::token::{Kind, Token, keyword, pairs, tokens};

/// What a line looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// The first line of a block.
    Header,
    /// Another statement.
    Statement,
    /// Could be code, and could be something else.
    Weak,
    /// A sentence, or nothing that is known.
    Other,
}

/// Functions that beginners call; their names before a bracket or a string are code.
const KNOWN: [&str; 14] = [
    "print", "input", "range", "len", "int", "str", "float", "list", "sum", "max", "min", "sorted",
    "type", "open",
];
/// Types before a name, in other languages.
const TYPES: [&str; 12] = [
    "int", "float", "double", "char", "bool", "boolean", "String", "string", "let", "var", "const",
    "auto",
];

/// A line with its tokens.
pub(crate) struct Line<'a> {
    pub(crate) text: &'a str,
    pub(crate) tokens: Vec<Token>,
}

impl<'a> Line<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        let mut tokens = tokens(text);
        tokens.retain(|token| token.kind != Kind::Comment);
        Self { text, tokens }
    }

    fn word(&self, at: usize) -> &'a str {
        self.tokens.get(at).map_or("", |token| token.text(self.text))
    }

    fn kind(&self, at: usize) -> Option<Kind> {
        self.tokens.get(at).map(|token| token.kind)
    }

    fn last(&self) -> Option<Kind> {
        self.tokens.last().map(|token| token.kind)
    }

    fn has(&self, kind: Kind) -> bool {
        self.tokens.iter().any(|token| token.kind == kind)
    }

    /// Whether a name is directly followed by a round or square bracket.
    fn has_call(&self) -> bool {
        self.tokens.windows(2).any(|two| is_call(two, self.text))
    }
}

fn is_call(two: &[Token], text: &str) -> bool {
    let [name, open] = two else { return false };
    let is_known = KNOWN.contains(&name.text(text));
    name.kind == Kind::Name && open.kind == Kind::Open && (is_known || name.end == open.start)
}

/// The shape of a line.
pub(crate) fn shape(text: &str) -> Shape {
    let line = Line::new(text);
    let Some(first) = line.tokens.first() else {
        // Only a comment, or nothing.
        return if text.trim().is_empty() { Shape::Other } else { Shape::Weak };
    };
    if first.kind == Kind::Keyword {
        return of_keyword(&line);
    }
    let (outer, inner) = pairs(&line.tokens);
    let found = statement(&line, outer, inner);
    if found != Shape::Other {
        return found;
    }
    let indent = text.len() - text.trim_start().len();
    let is_indented = indent >= 2 || text.starts_with('\t');
    let is_short = outer + inner <= 1 && !line.has(Kind::Word);
    if is_indented && is_short { Shape::Weak } else { Shape::Other }
}

/// A line that begins with a keyword.
fn of_keyword(line: &Line<'_>) -> Shape {
    let (outer, inner) = pairs(&line.tokens);
    let pairs = outer + inner;
    let is_block = line.last() == Some(Kind::Colon);
    let is_clean = pairs == 0 && !line.has(Kind::Stop) && !line.has(Kind::Word);
    let count = line.tokens.len();
    let has_sign = line.has_call()
        || line.has(Kind::Operator)
        || line.has(Kind::Assign)
        || line.has(Kind::Text);
    let when = |fits: bool, shape: Shape| if fits { shape } else { Shape::Other };
    let Some(word) = keyword(line.word(0)) else { return Shape::Other };
    match word {
        "def" | "class" | "async" => {
            let named = line.kind(1) == Some(Kind::Name) || line.word(1) == "def";
            let bracket = matches!(
                line.kind(2),
                Some(Kind::Open | Kind::Close | Kind::Colon | Kind::Name | Kind::Dot) | None
            );
            let named = named || is_block && line.tokens.len() <= 8;
            let is_definition = named && bracket && (pairs <= 1 || is_block || line.has_call());
            let is_sentence = word == "class" && !is_block && !line.has(Kind::Open);
            match (is_definition, is_sentence) {
                (true, false) => Shape::Header,
                (true, true) if count == 2 => Shape::Weak,
                _ => Shape::Other,
            }
        }
        "for" => of_for(line, pairs, is_block),
        "while" | "if" | "elif" => {
            let is_forever = line.word(1) == "True" || (count == 2 && is_block);
            if is_clean && (has_sign || (is_block && count >= 3) || is_forever)
                || (pairs <= 1 && is_block && has_sign)
            {
                return if has_sign || is_forever { Shape::Header } else { Shape::Weak };
            }
            when(is_clean && count <= 3, Shape::Weak)
        }
        "else" | "try" | "finally" | "except" => {
            let is_header = is_block && (pairs == 0 || line.word(1) == "if");
            if is_header { Shape::Header } else { when(count == 1, Shape::Weak) }
        }
        "with" => when(line.has_call() && pairs <= 1, Shape::Header),
        "import" => {
            let is_name = |token: &Token| {
                matches!(token.kind, Kind::Name | Kind::Dot | Kind::Comma)
                    || token.text(line.text) == "as"
            };
            when(is_clean && count >= 2 && line.tokens[1..].iter().all(is_name), Shape::Statement)
        }
        "from" => {
            let imports = line.tokens.iter().any(|token| token.text(line.text) == "import");
            when(imports && pairs <= 1, Shape::Statement)
        }
        "return" | "raise" | "assert" | "del" | "yield" | "lambda" | "not" | "await" => {
            let is_sure = is_clean && (has_sign || line.has(Kind::Open));
            if is_sure { Shape::Statement } else { when(is_clean && count <= 4, Shape::Weak) }
        }
        "pass" | "break" | "continue" => when(count == 1, Shape::Weak),
        "global" | "nonlocal" => when(is_clean && count >= 2, Shape::Statement),
        _ => Shape::Other,
    }
}

/// `for i in range(4)`, also without `in` or the colon.
fn of_for(line: &Line<'_>, pairs: usize, is_block: bool) -> Shape {
    let has_in = line.tokens.iter().any(|token| token.text(line.text) == "in");
    let is_named = line.kind(1) == Some(Kind::Name) || line.kind(1) == Some(Kind::Open);
    let clean = !line.has(Kind::Stop) && !line.has(Kind::Word);
    let is_loop = (has_in || line.has_call())
        && is_named
        && clean
        && pairs <= usize::from(!has_in || is_block);
    if is_loop && (is_block || line.has_call() || line.has(Kind::Text)) {
        return Shape::Header;
    }
    if is_loop && has_in && line.tokens.len() <= 4 { Shape::Weak } else { Shape::Other }
}

/// An assignment, a call, a decorator, or a part of an expression.
fn statement(line: &Line<'_>, outer: usize, inner: usize) -> Shape {
    if line.has(Kind::Word) {
        return Shape::Other;
    }
    let first = line.tokens[0];
    let is_known = KNOWN.contains(&first.text(line.text));
    // `print("a" + b` and `print(Hello World!)`: inside the brackets anything goes.
    if is_known && line.kind(1) == Some(Kind::Open) && outer == 0 {
        let ends = matches!(line.last(), Some(Kind::Close | Kind::Text | Kind::Colon));
        return if ends || inner == 0 { Shape::Statement } else { Shape::Other };
    }
    if first.text(line.text) == "print" && line.kind(1) == Some(Kind::Text) {
        return if outer <= 2 { Shape::Statement } else { Shape::Other };
    }
    if let Some(found) = assignment(line) {
        return found;
    }
    let stops = line.tokens.iter().filter(|token| token.kind == Kind::Stop).count();
    if first.text(line.text) == "@" && outer == 0 && stops == 0 {
        return Shape::Statement;
    }
    if outer > 0 || inner > 0 || stops > usize::from(first.kind == Kind::Open) {
        let is_braced = line.text.trim_end().ends_with(['{', ';', '}']) && outer <= 3;
        return if is_braced && !line.has(Kind::Stop) { Shape::Weak } else { Shape::Other };
    }
    let is_statement = is_whole_call(line);
    if is_statement {
        return Shape::Statement;
    }
    let has_sign = line.has(Kind::Operator)
        || line.has(Kind::Open)
        || line.has(Kind::Close)
        || first.kind == Kind::Text
        || first.kind == Kind::Number;
    let is_bullet = first.kind == Kind::Operator && line.kind(1) == Some(Kind::Name);
    if has_sign && !is_bullet { Shape::Weak } else { Shape::Other }
}

/// `name.name(…).name(…)`, with nothing after its last bracket.
fn is_whole_call(line: &Line<'_>) -> bool {
    let mut names = 0;
    while line.kind(names) == Some(Kind::Name) && line.kind(names + 1) == Some(Kind::Dot) {
        names += 2;
    }
    let call = line.tokens.get(names..names + 2);
    call.is_some_and(|two| is_call(two, line.text))
        && matches!(line.last(), Some(Kind::Close | Kind::Comma | Kind::Text | Kind::Open))
}

/// `x = …`, `a, b = …`, `x: int = …`, `xs[0] += …`; also with a type before it.
fn assignment(line: &Line<'_>) -> Option<Shape> {
    let mut depth = 0_usize;
    let at = line.tokens.iter().position(|token| {
        match token.kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        token.kind == Kind::Assign && depth == 0
    })?;
    let (left, right) = (&line.tokens[..at], &line.tokens[at + 1..]);
    let is_target = |token: &Token| {
        matches!(
            token.kind,
            Kind::Name
                | Kind::Dot
                | Kind::Comma
                | Kind::Open
                | Kind::Close
                | Kind::Number
                | Kind::Text
                | Kind::Colon
                | Kind::Operator
        )
    };
    let begins = left
        .first()
        .is_some_and(|first| matches!(first.kind, Kind::Name | Kind::Open | Kind::Number));
    if !begins || !left.iter().all(is_target) {
        return None;
    }
    let (outer, inner) = pairs(left);
    let is_typed = outer == 1 && TYPES.contains(&line.word(0));
    let (right_outer, right_inner) = pairs(right);
    let stops = right.iter().filter(|token| token.kind == Kind::Stop).count();
    let is_string_broken = stops == 1
        && right.first().is_some_and(|t| t.kind == Kind::Stop && "\"'".contains(t.text(line.text)));
    if (outer + inner == 0 || is_typed) && !right.is_empty() {
        let calls = line.tokens.windows(2).skip(at).any(|two| is_call(two, line.text));
        if right_outer == 0 && (right_inner == 0 || calls) && stops == 0 || is_string_broken {
            return Some(Shape::Statement);
        }
    }
    (outer + inner == 0 && right.is_empty() && at <= 3).then_some(Shape::Weak)
}

#[cfg(test)]
mod tests {
    use super::{Shape, shape};

    #[test]
    fn code_is_known_with_and_without_its_faults() {
        for line in [
            "for i in range(4)",
            "for i in range(4):",
            "for i range(10):",
            "if x == 3",
            "while True",
            "def add(a, b)",
            "class Dog:",
            "else:",
            "else if x > 3:",
        ] {
            assert_eq!(shape(line), Shape::Header, "{line}");
        }
        for line in [
            "x = 3",
            "int count = 0",
            "a, b = b, a",
            "my_robot.drop_beeper()",
            "print \"hello\"",
            "print(Hello World)",
            "from math import pi",
            "print（“hi”）",
            "name = “Ada”",
        ] {
            assert_eq!(shape(line), Shape::Statement, "{line}");
        }
    }

    #[test]
    fn sentences_are_no_code() {
        for line in [
            "if I use a list here is that ok",
            "for loops confuse me a lot",
            "for example:",
            "with my code I get this:",
            "class is hard",
            "while I was testing:",
            "values (I don't know why)",
            "我的代码不对",
            "print is not working",
            "import does not work for me",
            "from here I do not know",
        ] {
            assert_eq!(shape(line), Shape::Other, "{line}");
        }
    }
}
