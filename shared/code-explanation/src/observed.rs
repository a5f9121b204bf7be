//! What a run has shown about a statement, in words.

use ruff_python_ast::{Expr, Stmt, StmtFor, StmtFunctionDef};

use crate::{
    facts::{Call, Facts, Scope},
    items::{Item, What},
    lines::{Lines, list},
    value::{code, cut},
};

/// Most values of a name.
const VALUES: usize = 6;
/// Most calls of a function.
const CALLS: usize = 3;
/// Most characters of one line's output.
const OUTPUT: usize = 40;

/// A run: what its trace says, and what it printed.
#[derive(Debug)]
pub(crate) struct Observed<'a> {
    pub(crate) facts: Facts,
    pub(crate) stdout: &'a str,
}

impl Observed<'_> {
    /// What the run has shown about an item, as a sentence.
    pub(crate) fn about(&self, item: &Item<'_>) -> Option<String> {
        match item.what {
            What::Function(function) => self.of_function(function, item),
            What::For(repeat, body) => self.of_loop(item, repeat, body),
            What::While(_, body) => self.of_while(item, body),
            What::Branch(_, body) => self.of_branch(item, body),
            What::Plain(stmt) => self.of_plain(item, stmt).or_else(|| self.unreached(item, stmt)),
            What::Class(_) | What::Header => None,
        }
    }

    /// The values that a name has in a function, or among the program's own lines, one after the other.
    pub(crate) fn history(&self, scope: Option<Scope<'_>>, name: &str) -> Option<String> {
        let values = self.facts.history(scope, name);
        (!values.is_empty()).then(|| self.series(&values))
    }

    fn of_function(&self, function: &StmtFunctionDef, item: &Item<'_>) -> Option<String> {
        let scope = scope_of(function, item);
        let calls: Vec<&Call> = self.facts.calls(scope).collect();
        if calls.is_empty() {
            return (!self.facts.is_cut).then(|| "In the run it is never called".to_owned());
        }
        let shown: Vec<String> =
            calls.iter().take(CALLS).filter_map(|call| one_call(function, call)).collect();
        let times = match calls.len() {
            _ if self.facts.is_cut => String::new(),
            1 => "In the run it is called once".to_owned(),
            count => format!("In the run it is called {count} times"),
        };
        if shown.is_empty() {
            return (!times.is_empty()).then_some(times);
        }
        let more = if calls.len() > shown.len() { "; …" } else { "" };
        let times = if times.is_empty() { "In the run".to_owned() } else { format!("{times}:") };
        Some(format!("{times} {}{more}", shown.join("; ")))
    }

    fn of_loop(&self, item: &Item<'_>, repeat: &StmtFor, body: Lines) -> Option<String> {
        let names: Vec<&str> = match repeat.target.as_ref() {
            Expr::Name(name) => vec![name.id.as_str()],
            Expr::Tuple(tuple) => tuple
                .elts
                .iter()
                .filter_map(|part| Some(part.as_name_expr()?.id.as_str()))
                .collect(),
            _ => Vec::new(),
        };
        let call = self.facts.first(item.scope)?;
        let Some(found) = call.iterations(item.lines.0, body, &names) else {
            let name = names.first()?;
            let values = self.facts.history(item.scope, name);
            return (!values.is_empty()).then(|| {
                format!("{} {} becomes {}", self.when(item, 1), code(name), self.series(&values))
            });
        };
        if found.entries == 0 {
            return self.not_reached(item);
        }
        let when = self.when(item, found.entries);
        if found.count == 0 {
            let is_known = !self.facts.is_cut && !call.is_raised();
            return is_known
                .then(|| format!("{when} there is no item, so the loop's body is not run"));
        }
        let column = |at: usize| {
            let values: Vec<String> =
                found.values.iter().map(|values| values[at].clone()).collect();
            self.series(&values)
        };
        let series: Vec<String> = names
            .iter()
            .enumerate()
            .take(VALUES)
            .map(|(at, name)| format!("{} is {}", code(name), column(at)))
            .collect();
        Some(format!("{when} {}", list(&series)))
    }

    /// Of which part of the run values are told: of the first call of a function, the first time that a loop is reached.
    fn when(&self, item: &Item<'_>, entries: usize) -> &'static str {
        let calls = item.scope.map_or(1, |scope| self.facts.calls(scope).take(2).count());
        match (calls, entries) {
            (0 | 1, 0 | 1) => "In the run",
            (0 | 1, _) => "The first time in the run",
            (_, 0 | 1) => "In its first call",
            _ => "In its first call, the first time,",
        }
    }

    fn of_while(&self, item: &Item<'_>, body: Lines) -> Option<String> {
        let found = self.facts.first(item.scope)?.iterations(item.lines.0, body, &[])?;
        if found.entries == 0 {
            return self.not_reached(item);
        }
        if self.facts.is_cut {
            return None;
        }
        let when = self.when(item, found.entries);
        Some(format!("{when} the loop has {}", counted(found.count, "iteration")))
    }

    fn of_branch(&self, item: &Item<'_>, body: Lines) -> Option<String> {
        let (checked, taken) = self.facts.taken(item.lines, body);
        if self.facts.is_cut {
            return None;
        }
        match (checked, taken) {
            (0, _) => self.not_reached(item),
            (1, 1) => Some("In the run this is so".to_owned()),
            (1, _) => Some("In the run this is not so".to_owned()),
            (checked, 0) => {
                Some(format!("In the run it is checked {checked} times and is never true"))
            }
            (checked, taken) if checked == taken => {
                Some(format!("In the run it is checked {checked} times and is true each time"))
            }
            (checked, taken) => Some(format!(
                "In the run it is checked {checked} times and is true {}",
                times(taken)
            )),
        }
    }

    fn of_plain(&self, item: &Item<'_>, stmt: &Stmt) -> Option<String> {
        match stmt {
            Stmt::Return(_) => {
                let values = self.facts.returned(item.scope?, item.lines).into_iter();
                let values: Vec<String> = values.map(str::to_owned).collect();
                (!values.is_empty())
                    .then(|| format!("In the run it gives back {}", self.series(&values)))
            }
            Stmt::Expr(expr) if item.text.starts_with("prints") && expr.value.is_call_expr() => {
                self.printed(item)
            }
            _ => self.then(item, &stored(stmt)),
        }
    }

    /// The values of names after a statement.
    fn then(&self, item: &Item<'_>, names: &[&str]) -> Option<String> {
        let call = self.facts.first(item.scope)?;
        let series: Vec<String> = names
            .iter()
            .take(VALUES)
            .map(|name| (name, call.after(item.lines, name)))
            .filter(|(_, values)| values.iter().any(|value| !is_opaque(value)))
            .map(|(name, values)| format!("{} is then {}", code(name), self.series(&values)))
            .collect();
        (!series.is_empty()).then(|| format!("{} {}", self.when(item, 1), list(&series)))
    }

    fn printed(&self, item: &Item<'_>) -> Option<String> {
        let places = self.facts.written(item.lines);
        let text = |(from, to): (u64, u64)| -> Option<String> {
            let (from, to) = (usize::try_from(from).ok()?, usize::try_from(to).ok()?);
            let text: String = self.stdout.chars().skip(from).take(to.checked_sub(from)?).collect();
            (text.chars().count() == to - from).then_some(text)
        };
        let texts: Option<Vec<String>> = places.into_iter().take(VALUES + 1).map(text).collect();
        let texts: Vec<String> = texts?
            .into_iter()
            .map(|text| cut(text.trim_end_matches('\n'), OUTPUT).replace('\n', "⏎"))
            .filter(|text| !text.trim().is_empty())
            .collect();
        (!texts.is_empty()).then(|| format!("In the run it prints {}", self.series(&texts)))
    }

    fn unreached(&self, item: &Item<'_>, stmt: &Stmt) -> Option<String> {
        let runs = match stmt {
            Stmt::Assign(_) | Stmt::AugAssign(_) | Stmt::Return(_) | Stmt::Raise(_) => true,
            Stmt::Expr(expr) => expr.value.is_call_expr(),
            _ => false,
        };
        if runs { self.not_reached(item) } else { None }
    }

    /// Says that a line is not reached, where that says something: its function is called.
    fn not_reached(&self, item: &Item<'_>) -> Option<String> {
        let is_known = !self.facts.is_cut
            && self.facts.first(item.scope).is_some()
            && self.facts.visits(item.lines) == 0;
        is_known.then(|| "In the run this line is not reached".to_owned())
    }

    /// Values in a row, as code.
    fn series(&self, values: &[String]) -> String {
        let shown: Vec<String> = values.iter().take(VALUES).map(|value| code(value)).collect();
        if values.len() > VALUES || self.facts.is_cut {
            format!("{}, …", shown.join(", "))
        } else {
            shown.join(", ")
        }
    }
}

/// A function as a trace names it.
pub(crate) fn scope_of<'a>(function: &'a StmtFunctionDef, item: &Item<'_>) -> Scope<'a> {
    Scope { name: function.name.as_str(), lines: (item.whole.0, item.lines.0) }
}

/// "with `n` = 3 it gives back 6".
fn one_call(function: &StmtFunctionDef, call: &Call) -> Option<String> {
    let arguments: Vec<String> = function
        .parameters
        .iter()
        .filter_map(|parameter| {
            let name = parameter.name().as_str();
            let value = call.argument(name).filter(|value| name != "self" && !is_opaque(value))?;
            Some(code(&format!("{name} = {value}")))
        })
        .collect();
    let returned = call.returned.as_deref().filter(|_| !call.is_raised());
    let gives = returned
        .filter(|value| *value != "None")
        .map(|value| format!("it gives back {}", code(value)));
    match (arguments.is_empty(), gives) {
        (true, gives) => gives,
        (false, Some(gives)) => Some(format!("with {} {gives}", list(&arguments))),
        (false, None) => Some(format!("with {}", list(&arguments))),
    }
}

/// Whether a value says no more than its class.
fn is_opaque(value: &str) -> bool {
    value.starts_with('<')
}

/// The names that a statement gives a value, or whose object it changes.
pub(crate) fn stored(stmt: &Stmt) -> Vec<&str> {
    fn of(target: &Expr) -> Vec<&str> {
        match target {
            Expr::Name(name) => vec![name.id.as_str()],
            Expr::Tuple(tuple) => tuple.elts.iter().flat_map(of).collect(),
            Expr::Subscript(part) => of(&part.value),
            _ => Vec::new(),
        }
    }
    match stmt {
        Stmt::Assign(assign) => assign.targets.iter().flat_map(of).collect(),
        Stmt::AugAssign(assign) => of(&assign.target),
        Stmt::AnnAssign(assign) => of(&assign.target),
        Stmt::Expr(expr) => {
            let method = expr.value.as_call_expr().and_then(|call| call.func.as_attribute_expr());
            method.map_or_else(Vec::new, |method| of(&method.value))
        }
        _ => Vec::new(),
    }
}

pub(crate) fn times(count: usize) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{count} times"),
    }
}

pub(crate) fn counted(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{ending}")
}
