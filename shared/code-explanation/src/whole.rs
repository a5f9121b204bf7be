//! A whole program: what it is made of, what it did in a run, and its parts in order.

use ruff_python_ast::{Expr, Stmt, StmtFunctionDef};

use crate::{
    gist,
    inside::Inside,
    items::{Item, What},
    known::Known,
    lines::{in_words, list},
    notes::Notes,
    value::{code, cut},
};
use domain::level::Level;

/// Most points of an answer: more is not read.
const POINTS: usize = 40;
/// Statements in one point, where several are told together.
const TOGETHER: usize = 3;
/// Deepest indentation of a list.
const DEPTH: usize = 4;
/// Most characters of a line that is shown.
const SHOWN: usize = 60;
/// Most characters of a function's own description.
const DESCRIPTION: usize = 160;
/// Most names in a list.
const NAMES: usize = 8;

pub(crate) fn explain(known: &Known<'_>) -> String {
    if known.items.is_empty() {
        return "There is nothing in it that Python would run: only empty lines or comments."
            .to_owned();
    }
    let mut text = summary(known);
    match &known.outcome {
        Some(outcome) => text.push_str(&format!("\n\n{}", outcome.whole())),
        None => {
            text.push_str(
                "\n\nI have no run that shows its values, so this is what its text says.",
            );
            if !known.words.names.functions.is_empty() {
                text.push_str(
                    " Add a call at its end, and I can tell the values of its names, too.",
                );
            }
        }
    }
    let all: Vec<&Item<'_>> = known.items.iter().collect();
    text.push_str("\n\n");
    text.push_str(&match known.level {
        Level::Beginner => one_by_one(known, &all),
        Level::Learning => together(known, &all),
        Level::Proficient => blocks(known),
        Level::Mastered => structure(known),
    });
    text
}

/// What it is made of, in a sentence or two.
fn summary(known: &Known<'_>) -> String {
    let names = known.words.names;
    let outer = |item: &&Item<'_>| item.depth == 0;
    let mut parts = Vec::new();
    let functions: Vec<String> = known
        .items
        .iter()
        .filter(outer)
        .filter_map(|item| match item.what {
            What::Function(function) => {
                Some(format!("{} ({})", code(function.name.as_str()), in_words(item.whole)))
            }
            _ => None,
        })
        .collect();
    let classes: Vec<String> =
        names.classes.iter().map(|class| code(class.name.as_str())).collect();
    if !classes.is_empty() {
        parts.push(format!(
            "defines the {} {}",
            plural(&classes, "class", "classes"),
            listed(&classes)
        ));
    }
    if !functions.is_empty() {
        parts.push(format!(
            "defines the {} {}",
            plural(&functions, "function", "functions"),
            listed(&functions)
        ));
    }
    let own: Vec<&Item<'_>> = known.items.iter().filter(|item| item.scope.is_none()).collect();
    let line = |find: &dyn Fn(&Item<'_>) -> bool| {
        own.iter().find(|item| find(item)).map(|item| item.lines.0)
    };
    if let Some(line) = line(&|item| item.text.contains("what the user types")) {
        parts.push(format!("asks the user for input (line {line})"));
    }
    if let Some(repeat) =
        own.iter().find(|item| matches!(item.what, What::For(..) | What::While(..)))
    {
        parts.push(format!("repeats something in a loop ({})", in_words(repeat.whole)));
    }
    if let Some(line) = line(&|item| item.text.starts_with("prints")) {
        parts.push(format!("prints (line {line})"));
    }
    let lines = match known.last_line {
        1 => "one line".to_owned(),
        count => format!("{count} lines"),
    };
    let mut text = if parts.is_empty() {
        format!("This program has {lines}.")
    } else {
        format!("This program has {lines}. It {}.", list(&parts))
    };
    let only = match &names.functions[..] {
        [(function, None)] => Some(*function),
        _ => None,
    };
    if let Some(said) = only.and_then(description) {
        text.push_str(&format!(" Its author says of the function: “{said}”"));
    }
    for gist in gist::gists(known.words) {
        text.push_str(&format!(" {gist}"));
    }
    text
}

fn plural<'a>(names: &[String], one: &'a str, many: &'a str) -> &'a str {
    if names.len() == 1 { one } else { many }
}

fn listed(names: &[String]) -> String {
    if names.len() > NAMES {
        return format!("{} and {} more", names[..NAMES].join(", "), names.len() - NAMES);
    }
    list(names)
}

/// The first paragraph of a function's own description.
pub(crate) fn description(function: &StmtFunctionDef) -> Option<String> {
    let text = function.body.first()?.as_expr_stmt()?.value.as_string_literal_expr()?;
    let first = text.value.to_str().trim().split("\n\n").next()?;
    let lines = first.lines().map(str::trim).take_while(|line| !line.starts_with(">>>"));
    let text = lines.collect::<Vec<_>>().join(" ");
    let text = cut(&text, DESCRIPTION).replace('`', "'");
    (!text.trim().is_empty()).then(|| text.trim().to_owned())
}

/// A point for each statement.
pub(crate) fn one_by_one(known: &Known<'_>, items: &[&Item<'_>]) -> String {
    let mut notes = Notes::default();
    let base = items.iter().map(|item| item.depth).min().unwrap_or_default();
    let points = items.iter().take(POINTS).map(|item| {
        let sentence = known.sentence(item, &mut notes);
        format!("{}- {} {}", indent(item.depth - base), label(known, item), sentence)
    });
    let text = points.collect::<Vec<_>>().join("\n");
    with_rest(text, items, POINTS)
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth.min(DEPTH))
}

/// "**Line 3** `x = 1`".
pub(crate) fn label(known: &Known<'_>, item: &Item<'_>) -> String {
    let place = in_words(item.lines);
    let shown = cut(known.source(item.lines.0), SHOWN);
    if shown.contains(char::is_alphanumeric) {
        format!("**{}** {}", capital(&place), code(&shown))
    } else {
        format!("**{}**", capital(&place))
    }
}

pub(crate) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn with_rest(text: String, items: &[&Item<'_>], shown: usize) -> String {
    match items.get(shown) {
        Some(next) => format!(
            "{text}\n\nThere is more from line {line} on. Ask about any part of it, such as “what does line {line} do?”",
            line = next.lines.0
        ),
        None => text,
    }
}

/// A point for each header, and for some plain statements in a row.
pub(crate) fn together(known: &Known<'_>, items: &[&Item<'_>]) -> String {
    let mut notes = Notes::default();
    let base = items.iter().map(|item| item.depth).min().unwrap_or_default();
    let is_plain = |item: &Item<'_>| matches!(item.what, What::Plain(_));
    let mut points = Vec::new();
    let mut at = 0;
    while at < items.len() && points.len() < POINTS {
        let first = items[at];
        let same =
            items[at..].iter().take_while(|item| is_plain(item) && item.depth == first.depth);
        let count = same.take(TOGETHER).count().max(1);
        let group = &items[at..at + count];
        let lines = (first.lines.0, group[count - 1].lines.1);
        let sentences: Vec<String> =
            group.iter().map(|item| capital(&known.sentence(item, &mut notes))).collect();
        let place = capital(&in_words(lines));
        points.push(format!(
            "{}- **{place}**: {}",
            indent(first.depth - base),
            sentences.join(" ")
        ));
        at += count;
    }
    with_rest(points.join("\n"), items, at)
}

/// A point for each outer block, with its loops, decisions and results.
fn blocks(known: &Known<'_>) -> String {
    let matters = |item: &&Item<'_>| match item.what {
        What::Plain(stmt) => {
            item.depth == 0
                || matches!(
                    stmt,
                    Stmt::Return(_) | Stmt::AugAssign(_) | Stmt::Break(_) | Stmt::Raise(_)
                )
        }
        What::Header => item.text.starts_with("tries") || item.text.starts_with("catches"),
        _ => true,
    };
    let items: Vec<&Item<'_>> = known.items.iter().filter(matters).collect();
    together(known, &items)
}

/// Only the structure, what it costs, and what is notable.
fn structure(known: &Known<'_>) -> String {
    let mut points = Vec::new();
    for item in &known.items {
        match item.what {
            What::Function(function) => points.push(signature(known, function, item)),
            What::For(..) | What::While(..) => points.extend(cost(known, item)),
            _ => {}
        }
    }
    points.extend(notable(known));
    if points.is_empty() {
        let steps = "It is a plain sequence of statements: no loop, no function; each line is run at most once.";
        points.push(format!("- {steps}"));
    }
    points.truncate(POINTS);
    points.join("\n")
}

fn signature(known: &Known<'_>, function: &StmtFunctionDef, item: &Item<'_>) -> String {
    let inside = Inside::of(&function.body, function.name.as_str());
    let parameters = known.words.program.text(&*function.parameters);
    let head = code(&cut(&format!("{}{parameters}", function.name.as_str()), SHOWN));
    let gives = if inside.yields {
        "a generator"
    } else if inside.returns {
        "returns a value"
    } else if inside.prints {
        "prints and returns `None`"
    } else {
        "returns `None`"
    };
    let last =
        function.body.last().and_then(Stmt::as_return_stmt).and_then(|end| end.value.as_deref());
    let last = last.map(|value| known.words.program.text(value).replace('\n', " "));
    let gives = match &last {
        Some(value) if !inside.yields => {
            format!("ends with {}", code(&format!("return {}", cut(value, SHOWN))))
        }
        _ => gives.to_owned(),
    };
    let recursive = if inside.calls_itself { ", recursive" } else { "" };
    let seen = known.observed.as_ref().and_then(|observed| observed.about(item));
    let seen = seen.map_or_else(String::new, |seen| format!(" {seen}."));
    format!("- **{}**, {head}: {gives}{recursive}.{seen}", capital(&in_words(item.whole)))
}

/// How often the body of a loop runs.
fn cost(known: &Known<'_>, item: &Item<'_>) -> Option<String> {
    let outer = known.items.iter().filter(|outer| {
        let is_loop = matches!(outer.what, What::For(..) | What::While(..));
        let is_around = outer.whole.0 < item.whole.0 && outer.whole.1 >= item.whole.1;
        is_loop
            && is_around
            && outer.scope.map(|scope| scope.lines) == item.scope.map(|scope| scope.lines)
    });
    let depth = outer.count();
    let over = match item.what {
        What::For(repeat, _) => format!("over {}", known.words.operand(&repeat.iter)),
        What::While(repeat, _) => format!("while {}", known.words.quote(&*repeat.test)),
        _ => return None,
    };
    let nested = match depth {
        0 => String::new(),
        1 => ". It is inside another loop, so its iterations are added up for each iteration of that one".to_owned(),
        _ => format!(". It is inside {depth} other loops, so its iterations are added up for each of theirs"),
    };
    let total =
        known.observed.as_ref().filter(|observed| !observed.facts.is_cut).and_then(|observed| {
            let body = match item.what {
                What::For(_, body) | What::While(_, body) => body,
                _ => return None,
            };
            let count = observed.facts.visits((body.0, body.0));
            (body.0 > item.lines.1 && count > 0)
                .then(|| format!(". In the run its first line ran {count} times"))
        });
    Some(format!(
        "- **{}**: a loop {over}{nested}{}.",
        capital(&in_words(item.whole)),
        total.unwrap_or_default()
    ))
}

/// What is easily overlooked.
fn notable(known: &Known<'_>) -> Vec<String> {
    let mut points = Vec::new();
    for item in &known.items {
        let line = item.lines.0;
        let point = match item.what {
            What::Function(function) => {
                let mutable = function.parameters.iter_non_variadic_params().find(|parameter| {
                    matches!(
                        parameter.default.as_deref(),
                        Some(Expr::List(_) | Expr::Dict(_) | Expr::Set(_))
                    )
                });
                mutable.map(|parameter| {
                    let name = code(parameter.parameter.name.as_str());
                    format!("- **Line {line}**: the default value of {name} is made once, when the function is defined, and shared by all calls.")
                })
            }
            What::Header
                if item.text.starts_with("catches") && item.text.contains("any error happens") =>
            {
                Some(format!(
                    "- **Line {line}** catches every error, also those that nobody expects."
                ))
            }
            What::Plain(Stmt::Global(_)) => Some(format!("- **Line {line}** {}.", item.text)),
            _ => None,
        };
        points.extend(point);
    }
    points
}
