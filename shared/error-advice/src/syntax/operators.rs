//! Operators that Python does not have, and operators without a value.

use super::{
    case::{Case, Edit, Fault},
    token::{Kind, Token},
};

/// Operators that Python does not have.
pub(super) const FOREIGN: [super::check::Check; 2] = [order, other_languages];
/// Operators of other languages, and operators with a space in them.
pub(super) const SIGNS: [super::check::Check; 2] = [increment, apart];
/// Operators without their values.
pub(super) const VALUES: [super::check::Check; 4] = [in_a_row, word_order, no_value, dots];

fn touches(pair: &[Token<'_>]) -> bool {
    pair[0].end() == pair[1].start
}

fn both(pair: &[Token<'_>]) -> std::ops::Range<usize> {
    pair[0].start..pair[1].end()
}

fn joined(pair: &[Token<'_>]) -> String {
    format!("{}{}", pair[0].text, pair[1].text)
}

/// `&&`, `||`, `!x`, `===`, `<>`
fn other_languages(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    const OPERATORS: [(&str, &str, &str); 6] = [
        ("&&", " and ", "Python writes it as a word: and."),
        ("||", " or ", "Python writes it as a word: or."),
        ("===", "==", "Python compares with ==, and asks for the very same object with is."),
        ("!==", "!=", "Python's sign for “is not equal” has one = only."),
        ("<>", "!=", "Only the first versions of Python had it."),
        ("=!", "!=", "In Python's sign for “is not equal” the ! comes first."),
    ];
    let found = words.windows(2).filter(|pair| touches(pair)).find_map(|pair| {
        let text = joined(pair);
        OPERATORS.iter().find(|(sign, ..)| *sign == text)
    });
    if let Some((sign, with, why)) = found {
        let places = words.windows(2).filter(|pair| touches(pair) && joined(pair) == *sign);
        let repair: Vec<Edit> =
            places.map(|pair| Edit { at: both(pair), with: (*with).to_owned() }).collect();
        let first = repair.first()?.at.clone();
        return Some(
            Fault::new(
                if sign.len() == 3 || *sign == "<>" || *sign == "=!" {
                    "syntax.other_comparison"
                } else {
                    "syntax.word_operator"
                },
                first.clone(),
                format!("`{sign}` on {} is not an operator of Python.", case.on(first.start)),
                *why,
                "How does Python write what you mean?",
            )
            .repaired(repair),
        );
    }
    let not = words.windows(2).find(|pair| pair[0].is("!") && pair[1].starts_with_value())?;
    Some(
        Fault::new(
            "syntax.word_operator",
            not[0].start..not[0].end(),
            format!("`!` on {} is not an operator of Python.", case.on(not[0].start)),
            "Python writes it as a word: not.",
            "How does Python write what you mean?",
        )
        .repaired(vec![Edit::replace(&not[0], " not ")]),
    )
}

/// `=<`, `=>`, `!<`
fn order(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let pair = words
        .windows(2)
        .find(|pair| touches(pair) && ["=<", "=>", "!<", "!>"].contains(&joined(pair).as_str()))?;
    let (sign, with) = match joined(pair).as_str() {
        "=<" => ("=<", "<="),
        "=>" => ("=>", ">="),
        "!<" => ("!<", ">="),
        _ => ("!>", "<="),
    };
    let why = if sign.starts_with('=') {
        "In Python's comparisons the = always comes last."
    } else {
        "Python has no sign for “not less” and “not greater”; it has the opposite comparison."
    };
    Some(
        Fault::new(
            "syntax.operator_order",
            both(pair),
            format!("`{sign}` on {} is not an operator of Python.", case.on(pair[0].start)),
            why,
            "How do you say it in words, and which comparison is that?",
        )
        .repaired(vec![Edit { at: both(pair), with: with.to_owned() }]),
    )
}

/// `x++`
fn increment(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let index = words.windows(3).position(|three| {
        let sign = three[1].text;
        three[0].ends_value()
            && matches!(sign, "+" | "-")
            && three[2].is(sign)
            && touches(&three[1..])
    })?;
    let ends = words.get(index + 3).is_none_or(|next| {
        !(next.starts_with_value() || next.is_one_of(&["+", "-", "~", "not"]))
            || next.line > words[index].line
    });
    let pair = words.get(index + 1..index + 3)?;
    ends.then(|| {
        Fault::new(
            "syntax.increment",
            both(pair),
            format!("`{}` on {} is not an operator of Python.", joined(pair), case.on(pair[0].start)),
            "Python has no sign that only counts up or down; it adds a number and keeps the result.",
            format!("By how much should `{}` change, and which operator adds and keeps?", words[index].text),
        )
        .repaired(vec![Edit { at: both(pair), with: format!("{}=1", pair[0].text) }])
    })
}

/// `> =`, `* *`
fn apart(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    const WHOLE: [&str; 15] = [
        ">=", "<=", "!=", "==", "+=", "-=", "*=", "/=", "//=", "%=", "**", "//", ":=", "**=", "->",
    ];
    let apart = words.windows(2).filter(|pair| !touches(pair) && pair[0].line == pair[1].line);
    apart.filter(|pair| WHOLE.contains(&joined(pair).as_str())).take(3).find_map(|pair| {
        let whole = joined(pair);
        let fault = Fault::new(
            "syntax.operator_space",
            both(pair),
            format!("The two parts of `{whole}` are apart on {}.", case.on(pair[0].start)),
            "An operator of two signs is one word to Python, so no space may be inside it.",
            "What do you find between the two signs?",
        );
        fault.if_helps(case, vec![Edit { at: both(pair), with: whole }])
    })
}

/// `3 */ 4`, `x and or y`, `x == 1 or == 2`
fn in_a_row(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let is_sign_only = |token: &Token<'_>| token.is_binary() && !token.is_one_of(&["+", "-", "in"]);
    let pair = words.windows(2).find(|pair| {
        let (one, other) = (&pair[0], &pair[1]);
        let is_pair = (one.is_binary() || one.is_one_of(&["=", "not"]) || one.assigns())
            && is_sign_only(other)
            && !one.is_one_of(&["in"]);
        // `print(*items)`, `x = *a, b`, and the `/` of parameters are no calculations.
        is_pair && !(one.assigns() && other.is("*"))
    })?;
    let on = case.on(pair[0].start);
    let joins = |token: &Token<'_>| token.is_one_of(&["and", "or", "not"]);
    if joins(&pair[0]) && !joins(&pair[1]) {
        return Some(
            Fault::new(
                "syntax.missing_operand",
                both(pair),
                format!("On {on} nothing stands between `{}` and `{}`.", pair[0].text, pair[1].text),
                format!("`{}` joins two complete conditions, and `{}` needs a value on its left, even if it is the same value again.", pair[0].text, pair[1].text),
                "How do you say the second condition alone, as a complete sentence?",
            )
            .repaired(vec![Edit::insert(pair[1].start, "0 ")]),
        );
    }
    Some(
        Fault::new(
            "syntax.operators_in_a_row",
            both(pair),
            format!(
                "On {on} the operators `{}` and `{}` follow each other.",
                pair[0].text, pair[1].text
            ),
            "Each of them needs a value on both sides, so there must be one between them.",
            "Is one of the two too many, or is a value missing between them?",
        )
        .repaired(vec![Edit::replace(&pair[1], "")]),
    )
}

/// `x in not xs`, `x not == y`
fn word_order(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let swapped = words.windows(2).find(|pair| pair[0].is("in") && pair[1].is("not"));
    if let Some(pair) = swapped {
        let fault = Fault::new(
            "syntax.word_order",
            both(pair),
            format!("`in` and `not` are in the wrong order on {}.", case.on(pair[0].start)),
            "As in English, the word not comes first.",
            "How would you say it aloud?",
        );
        return fault.if_helps(case, vec![Edit { at: both(pair), with: "not in".to_owned() }]);
    }
    let pair = words.windows(3).find(|three| {
        three[0].ends_value()
            && three[1].is("not")
            && !three[2].is("in")
            && three[0].line == three[1].line
    })?;
    Some(Fault::new(
        "syntax.word_order",
        pair[1].start..pair[1].end(),
        format!("`not` stands behind a value on {}.", case.on(pair[1].start)),
        "`not` stands before a condition and turns it around; between two values there is only `not in` and `is not`.",
        "Which comparison says it without `not`?",
    ))
}

/// An operator with nothing on one side.
fn no_value(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let on = |token: &Token<'_>| case.on(token.start);
    // `is x in xs:`: the line is complete without that word.
    if let Some(first) = words.first().filter(|first| first.is_one_of(&["is", "in", "and", "or"]))
        && words.last().is_some_and(|last| last.is(":"))
        && case.helps(&[Edit::replace(first, "if")])
    {
        return Some(Fault::new(
            "syntax.keyword_typo",
            first.start..first.end(),
            format!(
                "{} begins with `{}` and ends with a colon, and no block begins with that word.",
                crate::failure::capital(&on(first)),
                first.text
            ),
            "A block begins with a word like if, while or for.",
            "Which word did you want to write?",
        ));
    }
    for (index, token) in words.iter().enumerate() {
        let assigns = token.assigns() || token.is(":=");
        if !(token.is_binary() || assigns || token.is("not")) {
            continue;
        }
        let next = words.get(index + 1);
        let before = index.checked_sub(1).and_then(|index| words.get(index));
        let is_of_parameters = token.is_one_of(&["*", "/", "**"])
            && before.is_some_and(|before| before.is_one_of(&["(", ","]));
        let is_star = is_of_parameters || before.is_some_and(|b| b.is("import") && token.is("*"));
        let ends = next.is_none_or(|next| {
            next.closes() || next.is_one_of(&[":", ",", ";"]) || next.is_one_of(&["else", "for"])
        });
        // After `in` a word like `if` begins another mistake.
        if ends && !is_star {
            return Some(
                Fault::new(
                    "syntax.missing_operand",
                    token.start..token.end(),
                    format!("Nothing follows `{}` on {}.", token.text, on(token)),
                    format!("`{}` needs a value on its right.", token.text),
                    "Which value should stand there?",
                )
                .repaired(vec![Edit::insert(token.end(), " 0")]),
            );
        }
        let is_prefix = token.is_one_of(&["+", "-", "not", "*", "**", "@"]);
        let begins = before.is_none_or(|before| {
            before.opens()
                || before.is_one_of(&[":", ",", ";", "=", "if", "elif", "while", "return"])
        });
        let is_type = token.is("=") && before.is_some_and(|before| before.is(":"));
        if begins && !(is_prefix || is_star || is_type) {
            return Some(Fault::new(
                "syntax.missing_operand",
                token.start..token.end(),
                format!("Nothing stands before `{}` on {}.", token.text, on(token)),
                format!("`{}` needs a value on its left.", token.text),
                "Which value should stand there?",
            ));
        }
    }
    None
}

/// `x..y`, `x.`, `....`
fn dots(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let is_import = words.first().is_some_and(|first| first.is_one_of(&["from", "import"]));
    let bare = words.windows(2).find(|pair| {
        pair[1].is(".")
            && (pair[0].assigns()
                || pair[0].is_binary()
                || pair[0].is_one_of(&["(", "[", ",", "return"]))
    });
    if let Some(pair) = bare.filter(|_| !is_import) {
        return Some(Fault::new(
            "syntax.dot",
            pair[1].start..pair[1].end(),
            format!("Nothing stands before the dot on {}.", case.on(pair[1].start)),
            "Before a dot stands the object that something belongs to.",
            "Whose method or attribute do you want?",
        ));
    }
    let (index, dot) = words.iter().enumerate().find(|(index, word)| {
        let next = words.get(index + 1);
        word.is_one_of(&[".", "..."])
            && next.is_none_or(|next| !next.is_word() || next.line > word.line)
            && (word.is(".") || next.is_some_and(|next| next.is(".") || next.kind == Kind::Name))
            && !is_import
    })?;
    let next = words.get(index + 1);
    if next.is_some_and(|next| next.is(".")) {
        return Some(
            Fault::new(
                "syntax.extra_dot",
                dot.start..next.map_or_else(|| dot.end(), Token::end),
                format!("There is a dot too many on {}.", case.on(dot.start)),
                "One dot stands between an object and the name of what belongs to it; three dots alone are a placeholder.",
                "How many dots do you need there?",
            )
            .repaired(next.map(|next| Edit::replace(next, "")).into_iter().collect()),
        );
    }
    Some(Fault::new(
        "syntax.dot",
        dot.start..dot.end(),
        format!("The dot on {} is not followed by a name.", case.on(dot.start)),
        "After a dot stands the name of a method or of an attribute; an item is picked by square brackets alone, without a dot.",
        "What do you want to get from the value before the dot?",
    ))
}
