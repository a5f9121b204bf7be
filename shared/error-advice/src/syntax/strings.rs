//! Quotes, backslashes, and the braces of f-strings.

use super::{
    case::{Case, Edit, Fault},
    token::{Kind, Token},
};

pub(super) const CHECKS: [super::check::Check; 4] =
    [quote_inside, unterminated, formatted, letters];

/// The most fields of an f-string that are read: each is tried by the parser.
const MAX_FIELDS: usize = 20;

/// A string that ends at a quote or an apostrophe of its own text: `'I don't'`, `"say "hi" now"`
fn quote_inside(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let index = words.windows(2).position(|pair| {
        pair[0].kind == Kind::Text
            && pair[0].closed
            && pair[1].is_word()
            && pair[0].end() == pair[1].start
    })?;
    let text = words[index];
    let quote = text.end() - 1;
    let repair = vec![Edit::insert(quote, "\\")];
    let line = words[index + 1..].iter().take_while(|word| word.line == text.line);
    let later = line.filter(|word| word.kind == Kind::Text);
    let fault = |at: usize| {
        Fault::new(
            "syntax.quote_inside",
            at..at + 1,
            format!(
                "On {} a string ends at a quote that was meant as part of the text.",
                case.on(at)
            ),
            "The first quote of the same kind ends a string, so Python reads what follows as code.",
            "Which other kind of quotes could stand around that text?",
        )
    };
    // The second of two inner quotes begins another string.
    let second = later.map(|second| second.start).next();
    let mut both = repair.clone();
    both.extend(second.map(|start| Edit::insert(start, "\\")));
    let best = [both, repair].into_iter().filter_map(|repair| Some((case.reach(&repair)?, repair)));
    let (_, repair) = best.reduce(|best, next| if next.0 > best.0 { next } else { best })?;
    Some(fault(quote).repaired(repair))
}

/// A string without its closing quotes.
fn unterminated(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let token = words.iter().find(|word| word.kind == Kind::Text && !word.closed)?;
    let on = case.on(token.start);
    let quotes = token.start + token.prefix().len();
    if token.is_triple() {
        return Some(Fault::new(
            "syntax.unterminated_triple",
            quotes..quotes + 3,
            format!("The string that begins with three quotes on {on} never ends."),
            "It goes on until the same three quotes come again, here to the end of the program.",
            "Where should the text end?",
        ));
    }
    let quote = case.source[quotes..].chars().next()?;
    let other = if quote == '"' { '\'' } else { '"' };
    let is_end = |rest: &str| rest.chars().all(|c| c.is_whitespace() || ")]}:,".contains(c));
    let escaped = token.text.rfind(&format!("\\{quote}"));
    if let Some(at) = escaped {
        let fault = Fault::new(
            "syntax.backslash_quote",
            token.start + at..token.start + at + 2,
            format!("On {on} a backslash stands before the quote that should end the string."),
            "A backslash takes away the meaning of the quote after it, so the string does not end there.",
            "How do you write one backslash inside a string?",
        );
        let found = fault.if_helps(case, vec![Edit::insert(token.start + at, "\\")]);
        if found.is_some() {
            return found;
        }
    }
    if let Some(at) = token.text.rfind(other).filter(|at| *at > 1 && is_end(&token.text[at + 1..]))
    {
        let place = token.start + at;
        let fault = Fault::new(
            "syntax.quotes_differ",
            place..place + 1,
            format!("The string on {on} begins with `{quote}` and ends with `{other}`."),
            "A string ends with the same quote that it begins with.",
            "Which of the two kinds of quotes do you want?",
        );
        let found =
            fault.if_helps(case, vec![Edit { at: place..place + 1, with: quote.to_string() }]);
        if found.is_some() {
            return found;
        }
    }
    let line_end = token.text.trim_end().len();
    let before = token.text.trim_end_matches([')', ']', '}', ':', ',', ' ', '\r']).len();
    let ends =
        [before, line_end].map(|end| vec![Edit::insert(token.start + end, &quote.to_string())]);
    let repair = ends.into_iter().find(|repair| case.helps(repair)).unwrap_or_default();
    Some(
        Fault::new(
            "syntax.unterminated_text",
            quotes..quotes + 1,
            format!("A string that begins on {on} has no closing quote."),
            "A string ends with the same quotes that it begins with; only one in triple quotes may go on for several lines.",
            "Where should the string end?",
        )
        .repaired(repair),
    )
}

/// The braces of an f-string, and the expressions between them.
fn formatted(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let texts = words.iter().filter(|word| word.kind == Kind::Text && word.closed);
    texts.filter(|text| text.prefix().contains(['f', 't'])).find_map(|text| field(case, text))
}

fn field(case: &Case<'_>, text: &Token<'_>) -> Option<Fault> {
    let on = case.on(text.start);
    let content = text.content();
    let begin = text.start + text.text.find(content).unwrap_or_default();
    let brace = |at: usize, what: String| {
        Fault::new(
            "syntax.fstring_brace",
            begin + at..begin + at + 1,
            what,
            "In an f-string curly brackets come in pairs, with a value between them; a bracket that should be shown is written twice.",
            "Which value should stand between curly brackets there?",
        )
    };
    let (mut at, mut fields) = (0, 0);
    while let Some(c) = content.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = &content[at..];
        if rest.starts_with("{{") || rest.starts_with("}}") {
            at += 2;
        } else if c == '}' {
            return Some(brace(
                at,
                format!("A `}}` in the f-string on {on} has no `{{` before it."),
            ));
        } else if c == '{' {
            let Some(end) = end_of_field(&rest[1..]) else {
                return Some(brace(at, format!("A `{{` in the f-string on {on} is never closed.")));
            };
            let inside = &rest[1..=end];
            if let Some(fault) = expression(case, text, inside, begin + at) {
                return Some(fault);
            }
            fields += 1;
            if fields == MAX_FIELDS {
                return None;
            }
            at += end + 2;
        } else {
            at += c.len_utf8();
        }
    }
    None
}

/// How long the inside of a field is.
fn end_of_field(rest: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, c) in rest.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// What is wrong with one field: `at` is its brace.
fn expression(case: &Case<'_>, text: &Token<'_>, inside: &str, at: usize) -> Option<Fault> {
    let on = case.on(text.start);
    let place = at..at + inside.len() + 2;
    if inside.trim().is_empty() || inside.trim_start().starts_with([':', '!']) {
        return Some(Fault::new(
            "syntax.fstring_empty",
            place,
            format!("There is no value between the curly brackets of the f-string on {on}."),
            "An f-string puts the value of what is in the brackets into the text.",
            "Which value should be shown there?",
        ));
    }
    let has_odd = |quote: char| inside.matches(quote).count() % 2 == 1;
    if has_odd('\'') || has_odd('"') {
        return Some(Fault::new(
            "syntax.fstring_quote",
            place,
            format!(
                "Between the curly brackets of the f-string on {on} a string begins and does not end."
            ),
            "What is in the brackets is Python of its own, with its own quotes in pairs.",
            "Which quote in these brackets has no partner?",
        ));
    }
    // Only what comes before a format or a conversion is an expression.
    let is_valid = |part: &str| analysis::first_error(&format!("({part})\n")).is_none();
    let ends =
        inside.char_indices().filter(|(_, c)| matches!(c, ':' | '!' | '=')).map(|(end, _)| end);
    let parts = ends.chain([inside.len()]).take(MAX_FIELDS);
    let is_readable = parts.into_iter().any(|end| is_valid(inside[..end].trim()));
    if is_readable {
        let after = inside.split_once('=').filter(|(_, rest)| !rest.starts_with('='));
        let after = after.map(|(_, rest)| rest.trim()).filter(|rest| !rest.is_empty());
        let is_odd = after.is_some_and(|rest| !rest.starts_with([':', '!']))
            && !is_valid(inside.split([':', '!']).next().unwrap_or(inside));
        if !is_odd {
            return None;
        }
    }
    Some(Fault::new(
        "syntax.fstring_expression",
        place,
        format!("`{{{inside}}}` in the f-string on {on} is not a value that Python can work out."),
        "Between the curly brackets stands one expression: a name, a call or a calculation.",
        "Work the value out on the line before and give it a name. What is left for the brackets then?",
    ))
}

/// Letters that do not belong to a string.
fn letters(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let escape = case.message.contains("unicodeescape") || case.message.contains("truncated \\");
    let is_plain = |word: &&Token<'_>| word.kind == Kind::Text && !word.prefix().contains('r');
    let text = words.iter().filter(is_plain).find_map(|word| {
        let found = ["\\U", "\\N", "\\u", "\\x"].iter().find_map(|sign| word.text.find(sign));
        found.map(|at| (word, word.start + at))
    });
    if let Some((word, at)) = text.filter(|_| escape) {
        let sign = &case.source[at..at + 2];
        return Some(Fault::new(
            "syntax.escape",
            at..at + 2,
            format!(
                "`{sign}` in the string on {} begins the number of a character, and no such number follows.",
                case.on(word.start)
            ),
            "A backslash and the letter after it mean something special in a string. In a path of Windows that happens by accident.",
            "How do you write a string in which backslashes mean nothing special?",
        ));
    }
    let bytes = words.iter().find(|word| {
        word.kind == Kind::Text && word.prefix().contains('b') && !word.text.is_ascii()
    });
    if let Some(bytes) = bytes {
        return Some(Fault::new(
            "syntax.bytes",
            bytes.start..bytes.end(),
            format!("The bytes on {} contain a character that is not ASCII.", case.on(bytes.start)),
            "The b before the quotes makes bytes, which are numbers up to 255, not text.",
            "Do you need bytes at all, or a string?",
        ));
    }
    words.windows(2).find_map(|pair| {
        let is_prefix = pair[0].kind == Kind::Name
            && pair[0].text.len() <= 3
            && pair[1].kind == Kind::Text
            && pair[0].end() == pair[1].start;
        let fault = Fault::new(
            "syntax.string_prefix",
            pair[0].start..pair[0].end(),
            format!("`{}` on {} stands directly before a string.", pair[0].text, case.on(pair[0].start)),
            "Only a few letters may stand there: f for values in the text, r for backslashes, b for bytes.",
            "What should these letters do?",
        );
        is_prefix.then(|| fault.if_helps(case, vec![Edit::replace(&pair[0], "")])).flatten()
    })
}
