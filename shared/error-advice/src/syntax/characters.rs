//! Characters that Python cannot read, and numbers with a fault in them.

use super::{
    case::{Case, Edit, Fault},
    token::{Kind, Token},
};

pub(super) const CHECKS: [super::check::Check; 2] = [strange, number];

/// Quotes of a word processor, and the straight ones that they stand for.
const QUOTES: [(char, &str); 14] = [
    ('“', "\""),
    ('”', "\""),
    ('„', "\""),
    ('‟', "\""),
    ('«', "\""),
    ('»', "\""),
    ('‹', "\""),
    ('›', "\""),
    ('″', "\""),
    ('‘', "'"),
    ('’', "'"),
    ('‚', "'"),
    ('´', "'"),
    ('′', "'"),
];

/// Characters that look like one of Python's, and that one.
const ALIKE: [(char, &str); 22] = [
    ('–', "-"),
    ('—', "-"),
    ('−', "-"),
    ('‐', "-"),
    ('‑', "-"),
    ('×', "*"),
    ('∗', "*"),
    ('·', "*"),
    ('÷', "/"),
    ('⁄', "/"),
    ('∕', "/"),
    ('≤', "<="),
    ('≥', ">="),
    ('≠', "!="),
    ('…', "..."),
    ('、', ","),
    ('。', "."),
    ('【', "["),
    ('】', "]"),
    ('½', "1/2"),
    ('¼', "1/4"),
    ('¾', "3/4"),
];

/// What a character stands for, if it looks like one that Python knows.
fn alike(c: char) -> Option<String> {
    // Full-width forms are the ASCII characters in the same order.
    let full_width = ('\u{ff01}'..='\u{ff5e}').contains(&c);
    if full_width {
        return char::from_u32(u32::from(c) - 0xfee0).map(String::from);
    }
    ALIKE.iter().find(|(from, _)| *from == c).map(|(_, to)| (*to).to_owned())
}

const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{a0}' | '\u{ad}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}'
            | '\u{3000}' | '\u{feff}' | '\0'..='\u{1f}' | '\u{7f}'
    )
}

fn strange(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let token = words.iter().find(|word| word.kind == Kind::Strange)?;
    let c = token.text.chars().next()?;
    let (on, at) = (case.on(token.start), token.start..token.end());
    if let Some(fault) = quote(case, words, token, c) {
        return Some(fault);
    }
    if let Some(meant) = alike(c) {
        let repair = words
            .iter()
            .filter(|word| word.kind == Kind::Strange)
            .filter_map(|word| Some(Edit::replace(word, &alike(word.text.chars().next()?)?)));
        return Some(
            Fault::new(
                "syntax.look_alike",
                at,
                format!("The character `{c}` on {on} only looks like `{meant}`."),
                "Python knows the characters that are on a keyboard, and this one comes from a document or another keyboard.",
                "Which key would you press to write it?",
            )
            .repaired(repair.collect()),
        );
    }
    if let Some(fault) = unseen(case, token, c) {
        return Some(fault);
    }
    let (rule, why) = match c {
        '?' => (
            "syntax.question_mark",
            "Other languages choose between two values with ? and :; Python does it in words, with if and else.",
        ),
        '!' => (
            "syntax.exclamation",
            "As a part of a text it must stand in quotes; outside of them the sign ! occurs only in != and in f-strings.",
        ),
        '`' => ("syntax.backquote", "Strings stand between straight quotes, \" or '."),
        '$' => (
            "syntax.character",
            "The names of Python's variables begin with a letter, with nothing in front of it.",
        ),
        '\\' => (
            "syntax.backslash",
            "Outside of strings a backslash only continues a line, with nothing after it; / divides.",
        ),
        _ => (
            "syntax.character",
            "Names are made of letters, digits and underscores; other signs belong into strings.",
        ),
    };
    Some(Fault::new(
        rule,
        at,
        format!("Python cannot read the character `{c}` on {on}."),
        why,
        "What should that character do there?",
    ))
}

/// A character that does not show.
fn unseen(case: &Case<'_>, token: &Token<'_>, c: char) -> Option<Fault> {
    let (on, at) = (case.on(token.start), token.start..token.end());
    if c == '\0' {
        return Some(Fault::new(
            "syntax.null",
            at,
            format!("There is a zero character on {on}."),
            "That is not text; perhaps it is not the file that you meant.",
            "Is this really the text of your program?",
        ));
    }
    is_invisible(c).then(|| {
        Fault::new(
            "syntax.invisible",
            at,
            format!("On {on} there is a character that you cannot see: U+{:04X}.", u32::from(c)),
            "Text that is copied from a web page can contain special spaces and marks.",
            "Delete what is at the marked place and type it again.",
        )
        .repaired(vec![Edit::replace(token, " ")])
    })
}

fn quote(case: &Case<'_>, words: &[Token<'_>], token: &Token<'_>, c: char) -> Option<Fault> {
    let straight = |c: char| QUOTES.iter().find(|(from, _)| *from == c).map(|(_, to)| *to);
    straight(c)?;
    let on = case.on(token.start);
    let quotes: Vec<(&Token<'_>, &str)> = words
        .iter()
        .filter(|word| word.kind == Kind::Strange)
        .filter_map(|word| Some((word, straight(word.text.chars().next()?)?)))
        .collect();
    if let [(one, _)] = quotes.as_slice()
        && let Some(sign) =
            [('‹', "<"), ('›', ">")].iter().find(|(from, _)| *from == c).map(|(_, to)| *to)
        && case.helps(&[Edit::replace(one, sign)])
    {
        return Some(Fault::new(
            "syntax.look_alike",
            token.start..token.end(),
            format!("The character `{c}` on {on} only looks like `{sign}`; it is a curly quote."),
            "Python knows the characters that are on a keyboard, and this one comes from a document.",
            "Which key would you press to write it?",
        ));
    }
    Some(
        Fault::new(
            "syntax.curly_quotes",
            token.start..token.end(),
            format!("There is a curly quote {c} on {on}, probably copied from a document."),
            "Python knows only the straight quotes \" and '.",
            "Which characters in that line should be straight quotes?",
        )
        .repaired(quotes.iter().map(|(word, to)| Edit::replace(word, to)).collect()),
    )
}

/// What is wrong with a number.
fn number(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    words.iter().enumerate().find_map(|(index, token)| {
        if token.kind != Kind::Number {
            return None;
        }
        let before = index.checked_sub(1).and_then(|index| words.get(index));
        let group = before.filter(|before| before.is(",") && before.end() == token.start);
        let on = case.on(token.start);
        let at = token.start..token.end();
        let text = token.text;
        let fault = |rule, what: String, why: &str, hint: &str| {
            Some(Fault::new(rule, at.clone(), what, why, hint))
        };
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'_');
        let has_zero = text.len() > 1 && text.starts_with('0') && digits(text);
        if has_zero && text.bytes().any(|digit| digit.is_ascii_digit() && digit != b'0') {
            if group.is_some() && text.len() == 3 {
                return fault(
                    "syntax.number_comma",
                    format!("On {on} there is a comma inside a number."),
                    "To Python a comma separates two values, so each part is a number of its own, and a number must not begin with 0.",
                    "How do you write the number without a comma?",
                );
            }
            return fault(
                "syntax.leading_zero",
                format!("The number `{text}` on {on} begins with a 0."),
                "Python's whole numbers do not begin with 0; codes such as phone numbers belong into quotes.",
                "Is it a number to calculate with, or a text made of digits?",
            );
        }
        let lower = text.to_lowercase();
        if let Some((base, name, most)) =
            [("0o", "octal", '7'), ("0b", "binary", '1')].iter().find(|(base, ..)| lower.starts_with(base))
        {
            let wrong = lower[base.len()..].chars().find(|c| c.is_ascii_digit() && c > most)?;
            return fault(
                "syntax.number_digits",
                format!("The digit {wrong} on {on} cannot be part of the {name} number `{text}`."),
                "A number after 0o has the digits 0 to 7, one after 0b only 0 and 1.",
                "Which digits did you want to write?",
            );
        }
        if let Some(digits) = lower.strip_prefix("0x") {
            let wrong = digits.chars().find(|c| !c.is_ascii_hexdigit() && *c != '_')?;
            return fault(
                "syntax.number_digits",
                format!("The letter `{wrong}` on {on} cannot be part of the hexadecimal number `{text}`."),
                "A number after 0x has the digits 0 to 9 and the letters a to f.",
                "Which digits did you want to write?",
            );
        }
        odd_number(case, token)
    })
}

/// Letters, points and underscores that make no number.
fn odd_number(case: &Case<'_>, token: &Token<'_>) -> Option<Fault> {
    let text = token.text;
    let on = case.on(token.start);
    let at = token.start..token.end();
    let end =
        text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_')).unwrap_or(text.len());
    let (value, rest) = text.split_at(end);
    if value.matches('.').count() > 1 {
        return Some(Fault::new(
            "syntax.number_points",
            at,
            format!("The number `{text}` on {on} has more than one point."),
            "A decimal number has one point; dates, versions and addresses belong into quotes.",
            "What kind of value is it?",
        ));
    }
    if value.contains("__") || (value.ends_with('_') && rest.is_empty()) {
        return Some(Fault::new(
            "syntax.number_underscore",
            at,
            format!("An underscore stands at the wrong place in the number `{text}` on {on}."),
            "In a number an underscore stands between two digits only.",
            "Which digits does it separate?",
        ));
    }
    let is_exponent = rest.starts_with(['e', 'E'])
        && rest[1..].trim_start_matches(['+', '-']).bytes().all(|b| b.is_ascii_digit())
        && rest.len() > 1;
    let is_followed = ["and", "or", "if", "in", "is", "else", "for", "not"].contains(&rest);
    if rest.is_empty() || is_exponent || is_followed || matches!(rest, "j" | "J") {
        return None;
    }
    if matches!(rest, "e" | "E") {
        return Some(Fault::new(
            "syntax.number_exponent",
            at,
            format!("Nothing follows the `{rest}` of the number `{text}` on {on}."),
            "The letter e in a number means “times ten to the power of”, so a whole number follows it.",
            "How many zeros should the number have, or is the letter part of a name?",
        ));
    }
    if matches!(rest, "i" | "I") {
        return Some(Fault::new(
            "syntax.imaginary",
            at,
            format!("The number `{text}` on {on} ends with `{rest}`."),
            "Python writes imaginary numbers with j. For a multiplication, it needs the sign *.",
            "Is it an imaginary number, or a number times a name?",
        ));
    }
    Some(Fault::new(
        "syntax.name_digit",
        at,
        format!("On {on} `{text}` is neither a number nor a name."),
        "A name must not begin with a digit, and between a number and a name Python needs a sign, such as * for times.",
        "Is it meant as one name, or as a calculation?",
    ))
}
