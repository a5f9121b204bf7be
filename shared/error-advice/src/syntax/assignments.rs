//! The sign `=` where it cannot be, and what cannot stand on its left.

use std::ops::Range;

use super::{
    case::{Case, Edit, Fault},
    token::{Kind, Token},
};

pub(super) const CHECKS: [super::check::Check; 7] =
    [declared, dict_equals, condition, walrus, targets, loop_target, deletion];

fn span(words: &[Token<'_>]) -> Range<usize> {
    words.first().map_or(0, |first| first.start)..words.last().map_or(0, Token::end)
}

/// For each word, how many brackets are open before it.
fn depths(words: &[Token<'_>]) -> Vec<usize> {
    let mut depth = 0_usize;
    let depths = words.iter().map(|word| {
        if word.closes() {
            depth = depth.saturating_sub(1);
        }
        let here = depth;
        if word.opens() {
            depth += 1;
        }
        here
    });
    depths.collect()
}

/// `if x = 5:`, `return x = 5`, `a = (b = 5)`
fn condition(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let first = words.first()?;
    let is_condition = first.is_one_of(&["if", "elif", "while", "assert", "return", "not", "case"]);
    let is_colon = |index: &usize| words[*index].is(":");
    let depths = depths(words);
    let end = (0..words.len()).find(|index| is_colon(index) && depths[*index] == 0);
    let end = if is_condition { end.unwrap_or(words.len()) } else { words.len() };
    let single: Vec<&Token<'_>> = (0..end)
        .filter(|index| {
            let in_brackets = depths[*index] > 0 && !is_argument(words, &depths, *index);
            words[*index].is("=") && (in_brackets || (is_condition && depths[*index] == 0))
        })
        .map(|index| &words[index])
        .collect();
    let place = single.first()?;
    let (rule, why, hint) = (
        "syntax.assignment_in_condition",
        "A single = gives a name a value; two = compare.",
        "Do you want to give something a value here, or to compare two values?",
    );
    let fault = Fault::new(
        rule,
        place.start..place.end(),
        format!(
            "On {} there is a single = where Python expects a value or a condition.",
            case.on(place.start)
        ),
        why,
        hint,
    );
    fault.if_helps(case, single.iter().map(|sign| Edit::replace(sign, "==")).collect())
}

/// Whether an `=` stands in the brackets of a call or of parameters; in a lambda there it compares, unless it names an
/// argument.
fn is_argument(words: &[Token<'_>], depths: &[usize], index: usize) -> bool {
    let open = (0..index).rev().find(|at| depths[*at] + 1 == depths[index] && words[*at].opens());
    let Some(open) = open.filter(|open| words[*open].is("(")) else { return false };
    let is_in_lambda = words[open..index].iter().any(|word| word.is("lambda"))
        && !index.checked_sub(2).is_some_and(|at| words[at].is_one_of(&["(", ",", "lambda"]));
    !is_in_lambda && open.checked_sub(1).is_some_and(|at| words[at].ends_value())
}

/// `{"a" = 1}`
fn dict_equals(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let depths = depths(words);
    let of_dict = |index: &usize| {
        let open =
            (0..*index).rev().find(|at| depths[*at] + 1 == depths[*index] && words[*at].opens());
        words[*index].is("=") && open.is_some_and(|open| words[open].is("{"))
    };
    let signs: Vec<&Token<'_>> = (0..words.len().min(super::check::MANY))
        .filter(of_dict)
        .map(|index| &words[index])
        .collect();
    let first = signs.first()?;
    let fault = Fault::new(
        "syntax.dict_equals",
        first.start..first.end(),
        format!("On {} there is a `=` between curly brackets.", case.on(first.start)),
        "In a dictionary a colon stands between a key and its value.",
        "Which sign belongs between the key and the value?",
    );
    fault.if_helps(case, signs.iter().map(|sign| Edit::replace(sign, ":")).collect())
}

/// `x := 5` as a statement, `5 := x` anywhere.
fn walrus(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let index = words.iter().position(|word| word.is(":="))?;
    let sign = &words[index];
    let before = index.checked_sub(1).and_then(|at| words.get(at))?;
    let is_name = before.kind == Kind::Name
        && index.checked_sub(2).and_then(|at| words.get(at)).is_none_or(|token| !token.is("."));
    let on = case.on(sign.start);
    if !is_name {
        return Some(Fault::new(
            "syntax.walrus_target",
            before.start..before.end(),
            format!("What stands before `:=` on {on} is not a plain name."),
            "`:=` gives a name a value inside an expression, and only a name can get it.",
            "Do you want to compare here, or to give a name a value on a line of its own?",
        ));
    }
    let fault = Fault::new(
        "syntax.walrus_statement",
        sign.start..sign.end(),
        format!("`:=` stands on {on} where Python has another sign."),
        "`:=` is for giving a name a value inside a larger expression. On a line of its own = does that, and in a call = names an argument.",
        "Which sign gives a name a value on a line of its own?",
    );
    fault.if_helps(case, vec![Edit::replace(sign, "=")])
}

/// What is on the left of an assignment's `=`.
fn targets(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let first = words.first()?;
    if first.kind == Kind::Keyword
        && !first.is_constant()
        && !first.is_one_of(&["lambda", "not", "await", "yield"])
    {
        let next = words.get(1).filter(|next| next.assigns())?;
        return (!first.is_one_of(&["return", "print"])).then(|| {
            Fault::new(
                "syntax.keyword_name",
                first.start..next.end(),
                format!(
                    "`{}` on {} cannot be the name of a variable.",
                    first.text,
                    case.on(first.start)
                ),
                "It is a word of Python itself, with a meaning of its own.",
                "What else could you call it?",
            )
            .repaired(vec![Edit::replace(first, "x")])
        });
    }
    let depths = depths(words);
    let signs: Vec<usize> =
        (0..words.len()).filter(|at| depths[*at] == 0 && words[*at].assigns()).collect();
    let mut start = 0;
    for sign in signs.into_iter().take(super::check::MANY) {
        let target = &words[start..sign];
        let value = words.get(sign + 1..).unwrap_or_default();
        if let Some(fault) = target_fault(case, target, &words[sign], value) {
            return Some(fault);
        }
        start = sign + 1;
    }
    None
}

fn target_fault(
    case: &Case<'_>,
    target: &[Token<'_>],
    sign: &Token<'_>,
    value: &[Token<'_>],
) -> Option<Fault> {
    let (first, last) = (target.first()?, target.last()?);
    let (at, on) = (span(target), case.on(first.start));
    let fault = |rule, what: String, why: &str, hint: &str| {
        Some(Fault::new(rule, at.clone(), what, why, hint))
    };
    let text = super::check::short(case.source.get(at.clone()).unwrap_or_default());
    if let Some(found) = name_in_parts(case, target, value) {
        return Some(found);
    }
    if let Some(found) = fixed_target(case, target, sign, value) {
        return Some(found);
    }
    if let Some(found) = bracketed_target(case, target, sign) {
        return Some(found);
    }
    let depths = depths(target);
    let operator = target.iter().zip(&depths).find(|(word, depth)| {
        **depth == 0 && (word.is_binary() || word.is_one_of(&["not", "if", "lambda", "~"]))
    });
    let is_signed = first.is_one_of(&["-", "+"]);
    if operator.is_some()
        && (is_signed || first.ends_value() || first.opens() || first.kind == Kind::Keyword)
    {
        return fault(
            "syntax.assign_expression",
            format!("On {on} the calculation `{text}` stands on the left of `{}`.", sign.text),
            "The left side gets the value of the right side, so a name must stand there, not a result.",
            "Which name should get the value? Or do you want to compare?",
        );
    }
    let is_call = last.is(")")
        && target
            .iter()
            .zip(&depths)
            .rposition(|(word, depth)| *depth == 0 && word.is("("))
            .is_some_and(|open| open > 0 && target[open - 1].ends_value());
    if is_call {
        return fault(
            "syntax.assign_call",
            format!("On {on} the call `{text}` stands on the left of `{}`.", sign.text),
            "A call gives a value; it cannot get one. The name that gets a value stands on the left.",
            "Which name should keep the result? Or do you want to compare?",
        );
    }
    None
}

/// `None = 3`, `5 = x`
fn fixed_target(
    case: &Case<'_>,
    target: &[Token<'_>],
    sign: &Token<'_>,
    value: &[Token<'_>],
) -> Option<Fault> {
    let first = target.first()?;
    let (at, on) = (span(target), case.on(first.start));
    let text = super::check::short(case.source.get(at.clone()).unwrap_or_default());
    if first.is_constant() && target.len() == 1 || first.is("__debug__") {
        return Some(Fault::new(
            "syntax.assign_constant",
            at,
            format!("`{}` on {on} cannot get a value.", first.text),
            "It is a fixed value of Python itself.",
            "Which name should get the value? Or do you want to compare?",
        ));
    }
    let is_literal = |word: &Token<'_>| matches!(word.kind, Kind::Number | Kind::Text);
    if target.len() == 1 && is_literal(first) {
        let is_swapped = value.len() == 1 && value[0].kind == Kind::Name;
        let hint = if is_swapped {
            "Which side of the = gets the value?"
        } else {
            "Which name should get the value? Or do you want to compare?"
        };
        return Some(Fault::new(
            "syntax.assign_literal",
            at,
            format!("On {on} the value `{text}` stands on the left of `{}`.", sign.text),
            "The left side gets the value of the right side, so a name must stand there.",
            hint,
        ));
    }
    None
}

/// `my name = 3`, `my-name = 3`
fn name_in_parts(case: &Case<'_>, target: &[Token<'_>], value: &[Token<'_>]) -> Option<Fault> {
    let (at, on) = (span(target), case.on(target.first()?.start));
    let text = super::check::short(case.source.get(at.clone()).unwrap_or_default());
    let is_name = |word: &Token<'_>| word.kind == Kind::Name;
    if target.len() >= 2 && target.iter().all(is_name) {
        let values = depths(value)
            .iter()
            .zip(value)
            .filter(|(depth, word)| **depth == 0 && word.is(","))
            .count();
        if values + 1 == target.len() {
            // `a b = 1, 2`
            return None;
        }
        let joined: Vec<&str> = target.iter().map(|word| word.text).collect();
        let fault = Fault::new(
            "syntax.space_in_name",
            at.clone(),
            format!("The name `{text}` on {on} has a space in it."),
            "A name is a single word; its parts can be joined by underscores.",
            "How could you write it as one word?",
        );
        return fault.if_helps(case, vec![Edit { at, with: joined.join("_") }]);
    }
    let is_hyphenated = target.len() >= 3
        && target.iter().enumerate().all(
            |(index, word)| {
                if index % 2 == 0 { is_name(word) } else { word.is("-") }
            },
        );
    if !is_hyphenated || target.len().is_multiple_of(2) {
        return None;
    }
    let fault = Fault::new(
        "syntax.hyphen_name",
        at.clone(),
        format!("There is a hyphen in the name `{text}` on {on}."),
        "Python reads a hyphen as minus, so this is a subtraction, and a result cannot be given a value.",
        "Which sign may join the parts of a name?",
    );
    let name: String =
        target.iter().map(|word| if word.is("-") { "_" } else { word.text }).collect();
    fault.if_helps(case, vec![Edit { at, with: name }])
}

/// A dictionary, a set, a comprehension or a yield on the left side; a list or a tuple of names may stand there.
fn bracketed_target(case: &Case<'_>, target: &[Token<'_>], sign: &Token<'_>) -> Option<Fault> {
    let (first, last) = (target.first()?, target.last()?);
    if !(first.opens() && last.closes()) {
        return None;
    }
    let (at, on) = (span(target), case.on(first.start));
    let text = super::check::short(case.source.get(at.clone()).unwrap_or_default());
    let is_worked_out =
        target.iter().any(|word| word.is_one_of(&["for", "yield", "lambda", "await"]));
    if first.is("{") && !is_worked_out {
        return Some(Fault::new(
            "syntax.assign_literal",
            at,
            format!("On {on} the value `{text}` stands on the left of `{}`.", sign.text),
            "The left side gets the value of the right side, so a name must stand there.",
            "Which name should get the value? Or do you want to compare?",
        ));
    }
    is_worked_out.then(|| {
        Fault::new(
            "syntax.assign_expression",
            at,
            format!("On {on} the expression `{text}` stands on the left of `{}`.", sign.text),
            "The left side gets the value of the right side, so a name must stand there, not a result.",
            "Which name should get the value? Or do you want to compare?",
        )
    })
}

/// `for "x" in`, `with f() as "x"`
fn loop_target(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let index = words.iter().position(|word| word.is_one_of(&["for", "as"]))?;
    let target = words.get(index + 1)?;
    let next = words.get(index + 2)?;
    let is_wrong = matches!(target.kind, Kind::Number | Kind::Text)
        || target.is_constant()
        || (target.kind == Kind::Name && next.is("(") && words[index].is("for"));
    let on = case.on(target.start);
    (is_wrong && !words[..index].iter().any(|word| word.is("case"))).then(|| {
        Fault::new(
            "syntax.loop_target",
            target.start..target.end(),
            format!(
                "`{}` follows `{}` on {on}, where a name must stand.",
                super::check::short(target.text),
                words[index].text
            ),
            if words[index].is("for") {
                "A loop gives a name one item after the other; a fixed value cannot get any."
            } else {
                "`as` gives something a name, so a plain name follows, without quotes."
            },
            "What do you want to call it?",
        )
        .repaired(vec![Edit::replace(target, "x")])
    })
}

/// `global x = 5`
fn declared(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let first = words.first().filter(|first| first.is_one_of(&["global", "nonlocal"]))?;
    let sign = words.iter().find(|word| word.assigns())?;
    Some(Fault::new(
        "syntax.global_value",
        sign.start..sign.end(),
        format!("`{}` on {} is followed by an assignment.", first.text, case.on(first.start)),
        format!("`{}` only says whose name is meant; it gives no value.", first.text),
        "What belongs on a line of its own?",
    ))
}

/// `del f(x)`, `del True`
fn deletion(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let first = words.first().filter(|first| first.is("del"))?;
    Some(Fault::new(
        "syntax.delete",
        span(words.get(1..).filter(|rest| !rest.is_empty()).unwrap_or(words)),
        format!("What follows `del` on {} cannot be deleted.", case.on(first.start)),
        "`del` removes a name, or an item of a list or a dictionary; values, calls and calculations have no place to be removed from.",
        "Which name or which item should be gone?",
    ))
}
