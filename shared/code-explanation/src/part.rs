//! A part of a program: lines, a name, a statement, an expression.

use analysis::Program;
use domain::level::Level;
use ruff_python_ast::{Expr, Operator, Stmt};

use crate::{
    items::{Item, What},
    known::{Explanation, Known},
    lines::{Lines, in_words, list},
    names::Names,
    notes::{self, Notes},
    observed::{Observed, stored},
    outcome::Outcome,
    statements::Sentences,
    value::{code, cut},
    whole::{self, capital, description, label, one_by_one, together},
    words::Words,
};

/// Most lines that are named where a name occurs.
const PLACES: usize = 6;
/// Most statements that are explained because a name occurs in them.
const SHOWN: usize = 6;

/// Explains lines.
pub(crate) fn lines(known: &Known<'_>, (first, last): Lines) -> (String, String) {
    let title = capital(&in_words((first, last)));
    if first == 0 || first > known.last_line {
        let count = known.last_line;
        let text = format!(
            "Your program has {count} lines, so there is no line {first}. Which one do you mean?"
        );
        return (title, text);
    }
    let last = last.min(known.last_line);
    let found: Vec<&Item<'_>> =
        known.items.iter().filter(|item| item.lines.0 <= last && item.lines.1 >= first).collect();
    if found.is_empty() {
        return (title, nothing(known, first));
    }
    let mut text = points(known, &found);
    if let Some(around) = around(known, found[0]) {
        text.push_str(&format!("\n\n{around}"));
    }
    let below = found.last().filter(|item| first == last && item.whole.1 > item.lines.1);
    if let Some(header) = below.filter(|header| !matches!(header.what, What::Class(_))) {
        let inner: Vec<&Item<'_>> = known
            .items
            .iter()
            .filter(|item| item.lines.0 > header.lines.1 && item.lines.1 <= header.whole.1)
            .take(SHOWN)
            .collect();
        if !inner.is_empty() && !matches!(header.what, What::Function(_)) {
            text.push_str(&format!(
                "\n\nThe lines below belong to it:\n\n{}",
                points(known, &inner)
            ));
        }
    }
    (title, with_run(known, text))
}

/// The points of an answer, shorter for who knows more.
fn points(known: &Known<'_>, items: &[&Item<'_>]) -> String {
    match known.level {
        Level::Beginner => one_by_one(known, items),
        _ => together(known, items),
    }
}

/// How the values were found.
fn with_run(known: &Known<'_>, text: String) -> String {
    let is_told = text.contains("the run") || text.contains("its first call");
    let run = known.outcome.as_ref().filter(|_| is_told).and_then(Outcome::short);
    match run {
        Some(run) => format!("{text}\n\nAbout the run: {run}"),
        None => text,
    }
}

/// A line without a statement.
fn nothing(known: &Known<'_>, line: u32) -> String {
    let source = known.source(line);
    if source.is_empty() {
        return format!(
            "Line {line} is empty. Empty lines are for people who read the program; Python skips them."
        );
    }
    if source.starts_with('#') {
        return format!(
            "Line {line} is a comment: {}. Python skips what comes after `#`; it is for people who read the program.",
            code(source)
        );
    }
    let owner = known.items.iter().rev().find(|item| item.whole.0 <= line && item.whole.1 >= line);
    match owner {
        Some(item) => format!(
            "Line {line}, {}, belongs to what begins on line {}: it {}.",
            code(source),
            item.lines.0,
            item.text
        ),
        None => format!("Line {line} is {}.", code(source)),
    }
}

/// What is around an item.
fn around(known: &Known<'_>, item: &Item<'_>) -> Option<String> {
    let outer = known.items.iter().filter(|outer| {
        outer.depth < item.depth && outer.whole.0 <= item.lines.0 && outer.whole.1 >= item.lines.1
    });
    let names: Vec<String> = outer
        .map(|outer| match outer.what {
            What::Function(function) => {
                format!("the function {} (line {})", code(function.name.as_str()), outer.lines.0)
            }
            What::Class(class) => {
                format!("the class {} (line {})", code(class.name.as_str()), outer.lines.0)
            }
            What::For(..) | What::While(..) => {
                format!("the loop that begins on line {}", outer.lines.0)
            }
            What::Branch(..) => format!("the condition on line {}", outer.lines.0),
            _ => format!("the block of line {}", outer.lines.0),
        })
        .collect();
    (!names.is_empty()).then(|| format!("It stands inside {}.", list(&names)))
}

/// Explains a name.
pub(crate) fn name(known: &Known<'_>, name: &str) -> (String, String) {
    let title = code(name);
    let function = known.items.iter().find(
        |item| matches!(item.what, What::Function(function) if function.name.as_str() == name),
    );
    if let Some(item) = function {
        return (title, with_run(known, of_function(known, item)));
    }
    let class = known
        .items
        .iter()
        .find(|item| matches!(item.what, What::Class(class) if class.name.as_str() == name));
    if let Some(item) = class {
        let inside = known.items.iter().filter(|inner| {
            inner.whole.0 >= item.whole.0
                && inner.whole.1 <= item.whole.1
                && inner.depth <= item.depth + 1
        });
        return (title, with_run(known, points(known, &inside.collect::<Vec<_>>())));
    }
    let names = known.words.names;
    if let Some(module) = names.modules.get(name).or_else(|| names.imported.get(name)) {
        let text = format!(
            "{title} is not made in your program: it is imported, {}.",
            if names.modules.contains_key(name) {
                format!("the module {}", code(module))
            } else {
                format!("from the module {}", code(module))
            }
        );
        return (title, format!("{text}{}", uses(known, name)));
    }
    let text = variable(known, name).unwrap_or_else(|| match uses(known, name) {
        places if places.is_empty() => {
            format!("There is no {title} in the statements of your program.")
        }
        places => format!("{title} is used in your program.{places}"),
    });
    (title, with_run(known, text))
}

/// A function: its header, what its author says, its calls, its lines.
fn of_function(known: &Known<'_>, item: &Item<'_>) -> String {
    let mut notes = Notes::default();
    let What::Function(function) = item.what else { return String::new() };
    let mut text = format!("{} {}", label(known, item), known.sentence(item, &mut notes));
    if let Some(said) = description(function) {
        text.push_str(&format!(" Its author says: “{said}”"));
    }
    let inside: Vec<&Item<'_>> = known
        .items
        .iter()
        .filter(|inner| inner.lines.0 > item.lines.1 && inner.whole.1 <= item.whole.1)
        .collect();
    if known.level == Level::Mastered {
        return text;
    }
    text.push_str(&format!("\n\nInside it:\n\n{}", points(known, &inside)));
    text
}

/// A variable, a parameter or an attribute: where it gets values, which ones, and where it is used.
fn variable(known: &Known<'_>, name: &str) -> Option<String> {
    let names = known.words.names;
    let program = known.words.program;
    let stores: Vec<u32> = names
        .stored
        .iter()
        .chain(&names.attributes)
        .filter(|(stored, _)| *stored == name)
        .map(|(_, place)| program.line(*place))
        .collect();
    let owner = known.items.iter().find_map(|item| match item.what {
        What::Function(function)
            if function.parameters.iter().any(|parameter| parameter.name().as_str() == name) =>
        {
            Some((function, item))
        }
        _ => None,
    });
    let mut text = match (owner, stores.first()) {
        (Some((function, item)), _) => format!(
            "{} is a parameter of {} (line {}): whoever calls the function decides its value.",
            code(name),
            code(function.name.as_str()),
            item.lines.0
        ),
        (None, Some(_)) => format!("{} is {}.", code(name), role(known, name, &stores)),
        (None, None) => return None,
    };
    if let Some(observed) = &known.observed {
        text.push_str(&values(known, observed, name));
    }
    let changing: Vec<&Item<'_>> = known
        .items
        .iter()
        .filter(|item| {
            let is_changed = matches!(item.what, What::Plain(stmt) if stored(stmt).contains(&name));
            is_changed || stores.iter().any(|line| item.lines.0 <= *line && *line <= item.lines.1)
        })
        .take(SHOWN)
        .collect();
    if !changing.is_empty() {
        text.push_str(&format!(
            "\n\nWhere it gets its value, or is changed:\n\n{}",
            points(known, &changing)
        ));
    }
    text.push_str(&uses(known, name));
    Some(text)
}

/// What a variable is for, as far as the tree shows it.
fn role(known: &Known<'_>, name: &str, stores: &[u32]) -> String {
    let first = stores[0];
    let is_target = |target: &Expr| match target {
        Expr::Name(own) => own.id.as_str() == name,
        Expr::Tuple(tuple) => tuple
            .elts
            .iter()
            .any(|part| part.as_name_expr().is_some_and(|own| own.id.as_str() == name)),
        _ => false,
    };
    let by_loop = known
        .items
        .iter()
        .find(|item| matches!(item.what, What::For(repeat, _) if is_target(&repeat.target)));
    if let Some(repeat) = by_loop {
        return format!(
            "the name that the loop on line {} gives to each item in turn",
            repeat.lines.0
        );
    }
    let added = known.items.iter().find(|item| {
        matches!(item.what, What::Plain(Stmt::AugAssign(assign)) if is_target(&assign.target))
    });
    if let Some(added) = added.filter(|added| added.lines.0 != first) {
        return format!(
            "a name for a value that begins on line {first} and is changed step by step on line {}",
            added.lines.0
        );
    }
    if known.words.names.attributes.iter().any(|(attribute, _)| *attribute == name) {
        return format!(
            "an attribute: a value that belongs to an object. It gets its first value on line {first}"
        );
    }
    match stores {
        [_] => format!("a name for a value. It gets that on line {first}"),
        _ => format!("a name for a value. It gets its first one on line {first}, and others later"),
    }
}

/// The values of a name in the run.
fn values(known: &Known<'_>, observed: &Observed<'_>, name: &str) -> String {
    let scopes = known.items.iter().filter_map(|item| match item.what {
        What::Function(function) => Some(crate::observed::scope_of(function, item)),
        _ => None,
    });
    let of_program =
        observed.history(None, name).map(|values| format!(" In the run it is {values}."));
    let of_function = scopes.filter_map(|scope| {
        let values = observed.history(Some(scope), name)?;
        Some(format!(" In the run, in the first call of {}, it is {values}.", code(scope.name)))
    });
    of_program.into_iter().chain(of_function).next().unwrap_or_default()
}

/// Where a name is used.
fn uses(known: &Known<'_>, name: &str) -> String {
    let is_word = |line: &str| {
        line.match_indices(name).any(|(at, _)| {
            let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
            !part(line[..at].chars().next_back()) && !part(line[at + name.len()..].chars().next())
        })
    };
    let source: Vec<&str> = known.words.program.source().lines().collect();
    let text = |item: &&Item<'_>| {
        let lines = item.lines.0.saturating_sub(1)..item.lines.1;
        lines
            .filter_map(|line| source.get(line as usize))
            .any(|line| is_word(line.split('#').next().unwrap_or(line)))
    };
    let items: Vec<&Item<'_>> = known.items.iter().filter(text).collect();
    if items.is_empty() {
        return String::new();
    }
    let stored = |item: &&&Item<'_>| {
        !matches!(item.what, What::Plain(Stmt::Import(_) | Stmt::ImportFrom(_)))
    };
    let places: Vec<String> =
        items.iter().filter(stored).map(|item| item.lines.0.to_string()).collect();
    let is_more = places.len() > PLACES;
    let shown: Vec<String> = places.into_iter().take(PLACES).collect();
    let lines = if shown.len() == 1 { "line" } else { "lines" };
    let is_pythons = !known.words.names.knows(name);
    let mut text = if shown.is_empty() {
        String::new()
    } else {
        let shown = if is_more { format!("{}, …", shown.join(", ")) } else { list(&shown) };
        format!("\n\nIt is on {lines} {shown}.")
    };
    if is_pythons {
        let first: Vec<&Item<'_>> = items.into_iter().take(2).collect();
        text.push_str(&format!("\n\n{}", points(known, &first)));
    }
    text
}

/// Explains the first statement of a kind.
pub(crate) fn statement(known: &Known<'_>, keyword: &str) -> (String, String) {
    let fits = |item: &&Item<'_>| match item.what {
        What::For(..) => matches!(keyword, "for" | "loop"),
        What::While(..) => matches!(keyword, "while" | "loop"),
        What::Branch(..) => known.source(item.lines.0).starts_with(keyword),
        _ => known.source(item.lines.0).starts_with(keyword),
    };
    let title = format!("The {}", code(keyword)).replace("`loop`", "loop");
    let all: Vec<&Item<'_>> = known.items.iter().filter(fits).collect();
    let Some(first) = all.first() else {
        let kind =
            if keyword == "loop" { "`for` or `while` loop".to_owned() } else { code(keyword) };
        return (
            title,
            format!("There is no {kind} in your program.\n\n{}", whole::explain(known)),
        );
    };
    let inside: Vec<&Item<'_>> = known
        .items
        .iter()
        .filter(|item| item.lines.0 >= first.lines.0 && item.lines.1 <= first.whole.1)
        .collect();
    let mut text = points(known, &inside);
    if all.len() > 1 {
        let others: Vec<String> =
            all[1..].iter().take(PLACES).map(|item| format!("line {}", item.lines.0)).collect();
        text.push_str(&format!(
            "\n\nThere are others of this kind: {}. Ask about a line to hear about it.",
            list(&others)
        ));
    }
    (title, with_run(known, text))
}

/// Explains Python text that may be in the program.
pub(crate) fn expression(known: &Known<'_>, text: &str) -> (String, String) {
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    let wanted = squeezed(text);
    let found = known.items.iter().find(|item| {
        (item.lines.0..=item.lines.1).any(|line| squeezed(known.source(line)).contains(&wanted))
    });
    let alone = expression_alone(text, known.level);
    let title = alone.title;
    match found {
        Some(item) => {
            let line = format!("In your program it is on line {}.", item.lines.0);
            let text = format!("{}\n\n{line}\n\n{}", alone.text, points(known, &[item]));
            (title, with_run(known, text))
        }
        None => (title, alone.text),
    }
}

/// Explains Python text without a program.
pub(crate) fn expression_alone(text: &str, level: Level) -> Explanation {
    let title = code(&cut(text, 60));
    let unknown = |reason: &str| Explanation {
        title: title.clone(),
        text: reason.to_owned(),
        topics: Vec::new(),
    };
    let Ok(program) = Program::read(text) else {
        return unknown(
            "This alone is not Python that I can read. Show me the whole line that it is from.",
        );
    };
    let names = Names::of(&program);
    let words = Words::new(&program, &names);
    let [stmt] = program.body() else {
        return unknown("These are several statements: show me the program.");
    };
    let (sentence, notes) = match stmt {
        Stmt::Expr(expr) => {
            let said = operation(words, &expr.value);
            (
                said.map(|said| format!("{title} is {said}.")),
                notes::on_expression(&expr.value, level),
            )
        }
        _ => (Some(format!("{title} {}.", words.plain(stmt))), Vec::new()),
    };
    let mut text = sentence
        .unwrap_or_else(|| format!("{title} is an expression: Python works out its value."));
    for note in notes {
        text.push_str(&format!(" {note}"));
    }
    Explanation { title, text, topics: Vec::new() }
}

/// What an expression gives, also where a sentence about a program shows its code alone.
fn operation(words: Words<'_>, expr: &Expr) -> Option<String> {
    match expr {
        Expr::BinOp(operation) => {
            let (left, right) = (words.operand(&operation.left), words.operand(&operation.right));
            let is_text = matches!(&*operation.left, Expr::StringLiteral(_) | Expr::FString(_));
            Some(match operation.op {
                Operator::FloorDiv => {
                    format!("{left} divided by {right}, rounded down to a whole number")
                }
                Operator::Mod if is_text => format!("the text {left} with {right} filled in"),
                Operator::Mod => format!("what is left over when {left} is divided by {right}"),
                Operator::Pow => format!("{left} to the power of {right}"),
                Operator::Div => format!("{left} divided by {right}"),
                Operator::Mult => format!("{left} times {right}"),
                _ => return None,
            })
        }
        Expr::Subscript(part) if !part.slice.is_slice_expr() => {
            let (of, at) = (words.quote(&*part.value), words.quote(&*part.slice));
            Some(format!(
                "what {of} holds at {at}: at this position in a list or a text, under this key in a dictionary"
            ))
        }
        _ => Some(words.value(expr)).filter(|said| *said != words.quote(expr)),
    }
}
