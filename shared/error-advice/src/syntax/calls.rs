//! What stands in brackets: arguments, items, pairs, conditions, comprehensions; and calls without brackets.

use super::{
    case::{Case, Edit, Fault},
    token::{Kind, Token},
};

/// Python 2's `print`, whose text may have anything in it.
pub(super) const PRINT: [super::check::Check; 1] = [print];
pub(super) const CHECKS: [super::check::Check; 7] =
    [no_index, raise_two, call_parentheses, separators, keyword_target, dict_value, comma];

fn at(token: &Token<'_>) -> std::ops::Range<usize> {
    token.start..token.end()
}

/// `print "x"`
fn print(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let pair = words.windows(2).enumerate().find(|(index, pair)| {
        let before = index.checked_sub(1).and_then(|at| words.get(at));
        let begins = before.is_none_or(|before| before.is_one_of(&[":", ";", "else"]));
        begins
            && pair[0].is_one_of(&["print", "exec"])
            && (pair[1].starts_value()
                || pair[1].is_one_of(&["not", "lambda", ">>"])
                || pair[1].is("[") && pair[0].end() < pair[1].start)
            && pair[0].line == pair[1].line
    });
    let (_, pair) = pair?;
    let word = pair[0].text;
    let line = words.iter().take_while(|token| token.line == pair[0].line).last()?;
    let end = words
        .iter()
        .rfind(|token| token.start >= line.start)
        .map_or_else(|| line.end(), Token::end);
    Some(
        Fault::new(
            "syntax.print",
            at(&pair[0]),
            format!(
                "`{word}` on {} has no parentheses around what belongs to it.",
                case.on(pair[0].start)
            ),
            format!("`{word}` is a function; only in Python 2 was it written without parentheses."),
            "What belongs inside the parentheses?",
        )
        .repaired(vec![
            Edit { at: pair[0].end()..pair[1].start, with: "(".to_owned() },
            Edit::insert(end, ")"),
        ]),
    )
}

/// `range 3`, `input "Name?"`
fn call_parentheses(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    const FUNCTIONS: [&str; 17] = [
        "range", "len", "int", "str", "float", "input", "sum", "max", "min", "abs", "sorted",
        "list", "round", "type", "open", "print", "set",
    ];
    words.windows(2).enumerate().take(super::check::MANY).find_map(|(index, pair)| {
        let fits = (pair[0].is_one_of(&FUNCTIONS) || (words[0].is("raise") && index == 1))
            && pair[1].starts_value()
            && pair[0].line == pair[1].line;
        let after = words.get(index + 2..).unwrap_or_default();
        let mut depth = 0_usize;
        let end = after.iter().find(|word| {
            if word.closes() && depth == 0 {
                return true;
            }
            depth = word.depth_after(depth);
            depth == 0 && (word.is(":") || word.line > pair[0].line)
        });
        let end = end.map_or_else(
            || words.last().map_or(0, Token::end),
            |word| {
                let before = words.iter().rfind(|other| other.end() <= word.start);
                before.map_or(word.start, Token::end)
            },
        );
        let is_parameter = words[0].is_one_of(&["def", "class", "async"]);
        let fault = Fault::new(
            "syntax.call_parentheses",
            at(&pair[0]),
            format!(
                "`{}` on {} has no parentheses around what belongs to it.",
                pair[0].text,
                case.on(pair[0].start)
            ),
            "A function is called with parentheses, and what it works with stands between them.",
            "Where do the parentheses begin and end?",
        );
        let repair = vec![
            Edit { at: pair[0].end()..pair[1].start, with: "(".to_owned() },
            Edit::insert(end, ")"),
        ];
        (fits && !is_parameter).then(|| fault.if_helps(case, repair)).flatten()
    })
}

/// `[1; 2]`, `(1, , 2)`
fn separators(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let pair = words.windows(2).find(|pair| {
        let repeats = pair[0].is(",") && pair[1].is(",");
        let begins = pair[0].opens() && pair[1].is(",");
        repeats || begins
    });
    if let Some(pair) = pair {
        let what = if pair[0].opens() { "begins with" } else { "repeats" };
        return Some(
            Fault::new(
                "syntax.extra_comma",
                at(&pair[1]),
                format!(
                    "On {} a list of values {what} `{}`.",
                    case.on(pair[1].start),
                    pair[1].text
                ),
                "A comma separates two values, so there is one value on each side of it.",
                "Is a value missing there, or is the sign too much?",
            )
            .repaired(vec![Edit::replace(&pair[1], "")]),
        );
    }
    let mut depth = 0_usize;
    let mut semicolons = Vec::new();
    for word in words {
        depth = word.depth_after(depth);
        if depth > 0 && word.is(";") {
            semicolons.push(word);
        }
    }
    let first = semicolons.first()?;
    Some(
        Fault::new(
            "syntax.semicolon_comma",
            at(first),
            format!("There is a semicolon inside brackets on {}.", case.on(first.start)),
            "Values in brackets are separated by commas; a semicolon would end the statement.",
            "Which sign separates values?",
        )
        .repaired(semicolons.iter().map(|sign| Edit::replace(sign, ",")).collect()),
    )
}

/// The word that opens the brackets around a word, and what stands before it.
type Holder<'t, 'a> = Option<(&'t Token<'a>, Option<&'t Token<'a>>)>;

fn holders<'t, 'a>(words: &'t [Token<'a>]) -> Vec<Holder<'t, 'a>> {
    let mut open = Vec::new();
    let mut found = Vec::new();
    for (index, word) in words.iter().enumerate() {
        if word.closes() {
            open.pop();
        }
        found.push(open.last().copied());
        if word.opens() {
            open.push((word, index.checked_sub(1).and_then(|at| words.get(at))));
        }
    }
    found
}

/// `f(a.b=1)`, `f("a"=1)`
fn keyword_target(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    if words.iter().any(|word| word.is_one_of(&["def", "lambda", "class"])) {
        return None;
    }
    let holders = holders(words);
    let index = (1..words.len()).find(|index| {
        let in_call = holders[*index]
            .is_some_and(|(open, before)| open.is("(") && before.is_some_and(Token::ends_value));
        let (before, earlier) =
            (&words[*index - 1], index.checked_sub(2).and_then(|at| words.get(at)));
        let is_name = before.kind == Kind::Name
            && earlier.is_some_and(|earlier| earlier.is_one_of(&["(", ","]));
        words[*index].is("=") && in_call && !is_name
    })?;
    let before = &words[index - 1];
    Some(Fault::new(
        "syntax.keyword_target",
        at(before),
        format!(
            "In the call on {} something other than a name stands before `=`.",
            case.on(before.start)
        ),
        "In a call = gives an argument its name, without quotes, dots or calculations; two = compare.",
        "Do you want to name an argument, or to compare two values?",
    ))
}

/// `xs[]`
fn no_index(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let three = words.windows(3).find(|three| {
        three[0].ends_value()
            && three[1].is("[")
            && three[2].is("]")
            && three[0].line == three[1].line
    })?;
    Some(Fault::new(
        "syntax.missing_index",
        three[1].start..three[2].end(),
        format!(
            "Nothing stands in the square brackets behind `{}` on {}.",
            super::check::short(three[0].text),
            case.on(three[1].start)
        ),
        "Square brackets behind a value pick one of its items, by an index or a key.",
        "Which item do you want?",
    ))
}

/// `raise ValueError, "bad"`
fn raise_two(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    words.first().filter(|first| first.is("raise"))?;
    let holders = holders(words);
    let (_, comma) =
        words.iter().enumerate().find(|(index, word)| word.is(",") && holders[*index].is_none())?;
    Some(Fault::new(
        "syntax.raise_two",
        at(comma),
        format!("A comma follows the exception that is raised on {}.", case.on(comma.start)),
        "Only Python 2 separated an exception from its text by a comma; today the class is called with the text.",
        "How do you give a text to an exception?",
    ))
}

/// `{1: 2, 3}`, `{1: 2, 3:}`, `{"a" 1}`
fn dict_value(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let holders = holders(words);
    let in_dict = |index: usize| holders[index].is_some_and(|(open, _)| open.is("{"));
    let has_pairs = (0..words.len()).any(|index| in_dict(index) && words[index].is(":"));
    let (why, hint) = (
        "A dictionary is made of pairs: a key, a colon, and the value of that key.",
        "What belongs to that key?",
    );
    for index in 0..words.len().saturating_sub(1) {
        let (one, other) = (&words[index], &words[index + 1]);
        let may_be_key = has_pairs || (in_dict(index) && one.kind == Kind::Text);
        if !may_be_key {
            continue;
        }
        let on = case.on(one.start);
        if in_dict(index) && one.is(":") && other.is_one_of(&[",", "}"]) {
            let fault = Fault::new(
                "syntax.dict_value",
                at(one),
                format!("In the dictionary on {on} a key has no value."),
                why,
                hint,
            );
            return Some(fault.repaired(vec![Edit::insert(one.end(), " 0")]));
        }
        if in_dict(index) && one.is(":") && other.is("*") {
            return Some(Fault::new(
                "syntax.star",
                at(other),
                format!("A star stands before a value in the dictionary on {on}."),
                "Each key has one value; a star would make several of it.",
                "Should the value be a list or a tuple?",
            ));
        }
        let ends_item = other.is(",") || other.is("}");
        let fault = |what: String| Fault::new("syntax.dict_value", at(one), what, why, hint);
        if has_pairs && one.ends_value() && ends_item && in_dict(index) {
            let what = format!(
                "In the dictionary on {on} `{}` has no value.",
                super::check::short(one.text)
            );
            if let Some(found) = fault(what).if_helps(case, vec![Edit::insert(one.end(), ": 0")]) {
                return Some(found);
            }
        }
        if one.ends_value() && other.starts_with_value() && in_dict(index) && in_dict(index + 1) {
            let what = format!(
                "In the dictionary on {on} no colon stands behind `{}`.",
                super::check::short(one.text)
            );
            if let Some(found) = fault(what).if_helps(case, vec![Edit::insert(one.end(), ":")]) {
                return Some(found);
            }
        }
    }
    None
}

/// Two values with nothing between them.
fn comma(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let holders = holders(words);
    let of_for =
        if words[0].is("for") { words.iter().position(|word| word.is("in")) } else { None };
    // `a b = 1, 2`
    let is_several = words.iter().any(|word| word.is("="))
        && words[0].kind == Kind::Name
        && words[1..].first().is_some_and(|next| next.kind == Kind::Name);
    let is_import = words[0].is_one_of(&["from", "import"]);
    let is_pair = |index: &usize| {
        let (one, other) = (&words[*index], &words[index + 1]);
        let is_list =
            other.is_one_of(&["[", "("]) && one.end() < other.start && one.kind != Kind::Name;
        one.ends_value() && (other.starts_value() || is_list || other.is_one_of(&["not", "lambda"]))
    };
    let pairs = (0..words.len().saturating_sub(1)).filter(is_pair).take(super::check::FEW);
    for index in pairs {
        let (one, other) = (&words[index], &words[index + 1]);
        let (left, right) = (super::check::short(one.text), super::check::short(other.text));
        let place = if one.last_line() == other.line {
            case.on(one.start)
        } else {
            format!("{}, at its end", case.on(one.end()))
        };
        let what = format!("Nothing stands between `{left}` and `{right}` on {place}.");
        let gap = one.end()..one.end();
        if let Some(found) = unquoted(case, &holders, words, index) {
            return Some(found);
        }
        if holders[index + 1].is_some()
            || is_several
            || is_import
            || of_for.is_some_and(|at| index < at)
        {
            let fault = Fault::new(
                "syntax.comma",
                gap,
                what,
                "Items and arguments are separated by commas, and a calculation or a longer text needs an operator such as +.",
                "What belongs between the two?",
            );
            if let Some(found) = fault.if_helps(case, vec![Edit::insert(one.end(), ",")]) {
                return Some(found);
            }
        } else if let Some(found) = on_one_line(case, one, other, what) {
            return Some(found);
        }
    }
    None
}

/// `print(Hello World)`
fn unquoted(
    case: &Case<'_>,
    holders: &[Holder<'_, '_>],
    words: &[Token<'_>],
    index: usize,
) -> Option<Fault> {
    let (one, other) = (&words[index], &words[index + 1]);
    let (_, called) = holders[index]?;
    let is_shown = called.is_some_and(|called| called.is_one_of(&["print", "input"]));
    let is_name = |token: &Token<'_>| {
        let mut places = case.tokens.windows(2).filter(|pair| pair[0].text == token.text);
        let is_given = places
            .any(|pair| pair[1].assigns() || pair[1].is_one_of(&["in", ","]) || pair[1].closes());
        token.kind == Kind::Name && (!is_given || token.start == one.start)
    };
    (is_shown && is_name(one) && other.kind == Kind::Name).then(|| {
        Fault::new(
            "syntax.unquoted_text",
            one.start..other.end(),
            format!("`{} {}` on {} stands in the brackets of `{}` without quotes.", one.text, other.text, case.on(one.start), called.map_or("print", |called| called.text)),
            "Python reads words without quotes as names, and between two names something must stand. Text needs quotes around it.",
            "Is it a text, or are these names of yours?",
        )
    })
}

/// Two values next to each other outside of brackets: two statements, or an operator that is missing.
fn on_one_line(case: &Case<'_>, one: &Token<'_>, other: &Token<'_>, what: String) -> Option<Fault> {
    let after = case.tokens.iter().find(|token| token.start >= other.end());
    let is_statement = other.kind == Kind::Name
        && after.is_some_and(|after| after.assigns() || after.is_one_of(&["(", "."]));
    let repair = vec![Edit::insert(one.end(), ";")];
    let gap = one.end()..one.end();
    if one.kind == Kind::Number && other.kind == Kind::Number {
        let fault = Fault::new(
            "syntax.number_space",
            gap,
            what,
            "A number has no spaces in it, and between two numbers an operator or a comma is needed.",
            "Is it meant as one number or as two?",
        );
        return fault.if_helps(case, repair);
    }
    let (rule, why, hint) = if is_statement {
        (
            "syntax.two_statements",
            "Each statement has a line of its own.",
            "Where does the second statement begin?",
        )
    } else {
        (
            "syntax.two_values",
            "Between two values Python needs an operator, a comma, or the end of the line.",
            "What belongs between the two?",
        )
    };
    Fault::new(rule, gap, what, why, hint).if_helps(case, repair)
}
