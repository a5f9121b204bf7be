//! The first line of a function or a class, and the parameters of a lambda.

use super::{
    case::{Case, Edit, Fault},
    token::{Kind, Token},
};

pub(super) const CHECKS: [super::check::Check; 4] = [lambda, lambda_colon, name, parameters];

fn at(token: &Token<'_>) -> std::ops::Range<usize> {
    token.start..token.end()
}

/// `lambda (a, b): a + b`
fn lambda(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let pair = words.windows(2).find(|pair| pair[0].is("lambda") && pair[1].is("("))?;
    Some(Fault::new(
        "syntax.lambda_parentheses",
        at(&pair[1]),
        format!("The parameters of the lambda on {} stand in parentheses.", case.on(pair[0].start)),
        "Between lambda and its colon there are only names and commas.",
        "How do the parameters look without parentheses?",
    ))
}

/// `lambda x x + 1`
fn lambda_colon(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let start = words.iter().position(|word| word.is("lambda"))?;
    let after = &words[start..];
    if after.iter().any(|word| word.is(":")) {
        return None;
    }
    let pairs = after.windows(2).filter(|pair| {
        (pair[0].kind == Kind::Name || pair[0].is("lambda")) && pair[1].starts_with_value()
    });
    pairs.take(super::check::FEW).find_map(|pair| {
        let fault = Fault::new(
            "syntax.lambda_colon",
            pair[0].end()..pair[0].end(),
            format!("The lambda on {} has no colon.", case.on(words[start].start)),
            "A colon stands between the parameters of a lambda and the value that it gives back.",
            "Where do the parameters end?",
        );
        fault.if_helps(case, vec![Edit::insert(pair[0].end(), ":")])
    })
}

/// `def f:`, `def "f"():`, `def my f():`
fn name(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let start = words.iter().take(2).position(|word| word.is_one_of(&["def", "class"]))?;
    let (word, name, next) = (&words[start], words.get(start + 1)?, words.get(start + 2));
    let on = case.on(name.start);
    if matches!(name.kind, Kind::Text | Kind::Number) {
        return Some(
            Fault::new(
                "syntax.def_name",
                at(name),
                format!(
                    "`{}` on {on} cannot be the name after `{}`.",
                    super::check::short(name.text),
                    word.text
                ),
                "A name begins with a letter or an underscore and has no quotes.",
                "What do you want to call it?",
            )
            .repaired(vec![Edit::replace(name, "x")]),
        );
    }
    if name.kind != Kind::Name {
        return None;
    }
    if let Some(dot) = next.filter(|next| next.is(".") && word.is("def")) {
        return Some(Fault::new(
            "syntax.def_name",
            at(dot),
            format!("There is a dot in the name of the function on {on}."),
            "A function has a plain name; a method is defined inside its class.",
            "What do you want to call it, and where does it belong?",
        ));
    }
    if let Some(found) = name_in_parts(case, words, start) {
        return Some(found);
    }
    if word.is("def") && next.is_none_or(|next| !next.is_one_of(&["(", "[", "."])) {
        return Some(no_parentheses(case, words, name, next));
    }
    None
}

/// `def my f():`, `def my-f():`: `start` is the place of the word `def`.
fn name_in_parts(case: &Case<'_>, words: &[Token<'_>], start: usize) -> Option<Fault> {
    let (name, next) = (words.get(start + 1)?, words.get(start + 2)?);
    if !(next.kind == Kind::Name || next.is("-")) {
        return None;
    }
    let open = words[start + 3..].iter().find(|word| word.is_one_of(&["(", ":"]))?;
    let written = case.source.get(name.start..open.start).unwrap_or_default().trim();
    let fault = Fault::new(
        if next.is("-") { "syntax.hyphen_name" } else { "syntax.space_in_name" },
        name.start..name.start + written.len(),
        format!(
            "The name `{}` on {} is not a single word.",
            super::check::short(written),
            case.on(name.start)
        ),
        "A name is a single word of letters, digits and underscores.",
        "How could you write it as one word?",
    );
    let repair = vec![Edit { at: name.start..open.start, with: "x".to_owned() }];
    open.is("(").then(|| fault.if_helps(case, repair)).flatten()
}

/// `def f:`, `def f a, b:`
fn no_parentheses(
    case: &Case<'_>,
    words: &[Token<'_>],
    name: &Token<'_>,
    next: Option<&Token<'_>>,
) -> Fault {
    let last = words.iter().take_while(|word| word.line == name.line).last().unwrap_or(name);
    let end = if last.is(":") { last.start } else { last.end() };
    let repair = match next.filter(|next| !next.is(":")) {
        None => vec![Edit::insert(name.end(), "()")],
        Some(next) => {
            vec![Edit { at: name.end()..next.start, with: "(".to_owned() }, Edit::insert(end, ")")]
        }
    };
    Fault::new(
        "syntax.def_parentheses",
        at(name),
        format!(
            "The function `{}` on {} has no parentheses after its name.",
            name.text,
            case.on(name.start)
        ),
        "Its parameters stand between them; a function without parameters has empty ones.",
        "Which parameters does the function have?",
    )
    .repaired(repair)
}

/// The parameters between the brackets of a `def`, or between `lambda` and its colon.
fn list<'t, 'a>(words: &'t [Token<'a>]) -> Option<Vec<&'t [Token<'a>]>> {
    let is_lambda = !words.iter().take(2).any(|word| word.is("def"));
    let start = if is_lambda {
        words.iter().position(|word| word.is("lambda"))? + 1
    } else {
        words.iter().position(|word| word.is("("))? + 1
    };
    let (mut depth, mut from, mut found) = (0_usize, start, Vec::new());
    for index in start..words.len() {
        let word = &words[index];
        let ends = depth == 0 && (word.closes() || (is_lambda && word.is(":")));
        if ends || (depth == 0 && word.is(",")) {
            found.push(&words[from..index]);
            from = index + 1;
        }
        if ends {
            return Some(found);
        }
        depth = word.depth_after(depth);
    }
    None
}

/// The stars and slashes of a list of parameters so far.
#[derive(Default)]
struct Signs<'a> {
    star: bool,
    slash: bool,
    /// The name after `**`.
    last: Option<&'a str>,
}

const ORDER: &str = "The order is: parameters, those with a default value, * for all further ones, ** for all named ones.";

/// What is wrong with the parameters.
fn parameters(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let parameters = list(words)?;
    let (mut names, mut has_default, mut signs) = (Vec::new(), None, Signs::default());
    for (index, parameter) in parameters.iter().enumerate().take(super::check::MANY) {
        let Some(first) = parameter.first() else { continue };
        let is_end = index + 1 == parameters.len();
        if let Some(found) = sign(case, parameter, is_end, &mut signs) {
            return Some(found);
        }
        let is_star = first.is_one_of(&["*", "**"]);
        let named = if is_star { parameter.get(1) } else { Some(first) };
        let Some(named) = named.filter(|named| !named.is("/")) else { continue };
        if let Some(found) = odd(case, parameter, named) {
            return Some(found);
        }
        let on = case.on(first.start);
        if names.contains(&named.text) {
            return Some(Fault::new(
                "syntax.parameter_repeated",
                at(first),
                format!("The parameter `{}` occurs twice on {on}.", named.text),
                "Each parameter is a name of its own, else Python could not tell them apart.",
                "What do the two stand for?",
            ));
        }
        names.push(named.text);
        let with_default = parameter.iter().any(|word| word.is("="));
        match has_default {
            Some(before) if !with_default && !signs.star && !is_star => {
                return Some(Fault::new(
                    "syntax.parameter_order",
                    at(first),
                    format!(
                        "On {on} `{}` has no default value, but `{before}` before it has one.",
                        named.text
                    ),
                    "A call fills the parameters from left to right, so those that may be left out come last.",
                    "In which order should the parameters be?",
                ));
            }
            None if with_default && !signs.star => has_default = Some(named.text),
            _ => {}
        }
    }
    None
}

/// What is wrong with a star or a slash among the parameters.
fn sign<'a>(
    case: &Case<'_>,
    parameter: &[Token<'a>],
    is_end: bool,
    signs: &mut Signs<'a>,
) -> Option<Fault> {
    let first = parameter.first()?;
    let on = case.on(first.start);
    let star = |what: String, why: &str, hint: &str| {
        Some(Fault::new("syntax.parameter_star", at(first), what, why, hint))
    };
    if let Some(before) = signs.last {
        return star(
            format!("On {on} a parameter follows `**{before}`."),
            ORDER,
            "What comes last in the list?",
        );
    }
    match first.text {
        "/" if signs.slash || signs.star => Some(Fault::new(
            "syntax.parameter_slash",
            at(first),
            format!(
                "The `/` on {on} is {}.",
                if signs.slash { "the second one" } else { "behind a `*`" }
            ),
            "One / may end the parameters that are given by position only, and it stands before any *.",
            "Do you need the / at all?",
        )),
        "/" => {
            signs.slash = true;
            None
        }
        "*" if signs.star => star(
            format!("There is a second `*` among the parameters on {on}."),
            ORDER,
            "What should each of the two collect?",
        ),
        "*" if parameter.len() == 1 && is_end => star(
            format!("Nothing follows the `*` among the parameters on {on}."),
            "A `*` alone says that the parameters after it are given by their names.",
            "Is a name missing behind it, which collects all further arguments?",
        ),
        "*" => {
            signs.star = true;
            None
        }
        "**" if parameter.len() == 1 => star(
            format!("The `**` on {on} has no name after it."),
            "`**` collects all further named arguments in a dictionary, which needs a name.",
            "What do you want to call it?",
        ),
        "**" => {
            signs.last = parameter.get(1).map(|named| named.text);
            None
        }
        _ => None,
    }
}

/// A parameter that is no name: `named` is the word that should be one.
fn odd(case: &Case<'_>, parameter: &[Token<'_>], named: &Token<'_>) -> Option<Fault> {
    let on = case.on(named.start);
    if named.kind == Kind::Keyword && !named.is_one_of(&["lambda", "not"]) {
        return Some(
            Fault::new(
                "syntax.keyword_name",
                at(named),
                format!("`{}` on {on} cannot be the name of a parameter.", named.text),
                "It is a word of Python itself, with a meaning of its own.",
                "What else could you call it?",
            )
            .repaired(vec![Edit::replace(named, "x")]),
        );
    }
    let next = parameter.iter().find(|word| word.start > named.start);
    let is_odd = named.kind != Kind::Name
        || next.is_some_and(|next| !next.is_one_of(&[":", "="]) && next.kind != Kind::Name);
    is_odd.then(|| {
        let end = parameter.iter().take_while(|word| !word.is("=")).last().map_or_else(|| named.end(), Token::end);
        let text = super::check::short(case.source.get(named.start..end).unwrap_or_default());
        Fault::new(
            "syntax.parameter_form",
            named.start..end,
            format!("`{text}` on {on} cannot be a parameter."),
            "A parameter is a plain name, with a default value behind = if you like; the values come from the call.",
            "What should the function call that value?",
        )
    })
}
