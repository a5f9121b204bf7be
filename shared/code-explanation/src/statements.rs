//! What statements and headers do, in words; the subject is the line.

use ruff_python_ast::{
    Expr, ExprCall, MatchCase, Operator, Pattern, Stmt, StmtAugAssign, StmtClassDef, StmtFor,
    StmtFunctionDef, StmtImport, StmtImportFrom, StmtMatch, StmtWhile, StmtWith,
};

use crate::{
    inside::{Inside, leaves},
    lines::{Lines, in_words, list, third},
    value::code,
    words::{Words, done, whole},
};

/// Sentences about whole statements.
pub(crate) trait Sentences {
    fn plain(self, stmt: &Stmt) -> String;
    fn function(self, function: &StmtFunctionDef, body: Lines) -> String;
    fn class(self, class: &StmtClassDef) -> String;
    fn repeat(self, repeat: &StmtFor, body: Lines) -> String;
    fn while_loop(self, repeat: &StmtWhile, body: Lines) -> String;
    fn with(self, with: &StmtWith, body: Lines) -> String;
    fn choice(self, choice: &StmtMatch) -> String;
    fn case(self, case: &MatchCase, body: Lines) -> String;
    fn a_class(self, kind: &Expr) -> String;
}

impl Sentences for Words<'_> {
    fn plain(self, stmt: &Stmt) -> String {
        match stmt {
            Stmt::Assign(assign) => match &*assign.targets {
                [target] => assignment(self, target, &assign.value),
                targets => {
                    let names: Vec<String> =
                        targets.iter().map(|target| self.quote(target)).collect();
                    format!("gives {} the same value: {}", list(&names), self.value(&assign.value))
                }
            },
            Stmt::AnnAssign(assign) => match assign.value.as_deref() {
                Some(value) => assignment(self, &assign.target, value),
                None => format!("says which type {} will have", self.quote(&*assign.target)),
            },
            Stmt::AugAssign(assign) => augmented(self, assign),
            Stmt::Expr(expr) => alone(self, &expr.value),
            Stmt::Return(end) => match end.value.as_deref() {
                None => "ends the function here; it gives back `None`".to_owned(),
                Some(value) => format!("ends the function and gives back {}", self.value(value)),
            },
            Stmt::Pass(_) => "does nothing: Python wants at least one line in a block".to_owned(),
            Stmt::Import(import) => imports(import),
            Stmt::ImportFrom(import) => imports_from(import),
            Stmt::Global(global) => {
                let names: Vec<String> =
                    global.names.iter().map(|name| code(name.as_str())).collect();
                format!(
                    "says that {} in this function means the name of the whole program, not a new one of the function",
                    list(&names)
                )
            }
            Stmt::Nonlocal(outer) => {
                let names: Vec<String> =
                    outer.names.iter().map(|name| code(name.as_str())).collect();
                format!("says that {} means the name of the function around this one", list(&names))
            }
            Stmt::Assert(assert) => {
                format!(
                    "makes sure that {}: if not, the program stops here with an `AssertionError`",
                    self.condition(&assert.test)
                )
            }
            Stmt::Raise(raise) => match raise.exc.as_deref() {
                Some(kind) => {
                    let said = kind.as_call_expr().and_then(|call| call.arguments.args.first());
                    let said = said.map_or_else(String::new, |said| {
                        format!(", with the message {}", self.quote(said))
                    });
                    format!("raises {}{said}: an error that is made on purpose", self.a_class(kind))
                }
                None => "passes the error on that was just caught".to_owned(),
            },
            Stmt::Delete(delete) => {
                let gone: Vec<String> =
                    delete.targets.iter().map(|target| self.quote(target)).collect();
                format!("removes {}", list(&gone))
            }
            _ => format!("is the statement {}", self.quote(stmt)),
        }
    }

    fn function(self, function: &StmtFunctionDef, body: Lines) -> String {
        let class = self.names.functions.iter().find(|(known, _)| std::ptr::eq(*known, function));
        let class = class.and_then(|(_, class)| *class);
        let name = code(function.name.as_str());
        let mut names: Vec<String> = Vec::new();
        for parameter in &*function.parameters {
            let own = parameter.as_parameter().name.as_str();
            let text = match parameter.default() {
                Some(default) => {
                    format!("{} ({} if nothing is given)", code(own), self.quote(default))
                }
                None if parameter.is_variadic() => format!("{} (any number of them)", code(own)),
                None => code(own),
            };
            names.push(text);
        }
        let is_method = class.is_some() && names.first().is_some_and(|first| first == "`self`");
        let takes = if is_method { &names[1..] } else { &names[..] };
        let takes = match takes {
            [] => String::new(),
            [one] => format!(" with the parameter {one}"),
            many => format!(" with the parameters {}", list(many)),
        };
        let run = format!("{} run{} only when it is called", in_words(body), third(body));
        let mut text = match class {
            Some(class) if function.name.as_str() == "__init__" => format!(
                "defines what happens when a new {} object is made{takes}; `self` is that new object",
                code(class)
            ),
            Some(class) if is_method => {
                format!(
                    "defines the method {name} of {}{takes}; `self` is the object that it is called on",
                    code(class)
                )
            }
            Some(class) => format!("defines {name} in the class {}{takes}", code(class)),
            None => format!("defines the function {name}{takes}; {run}"),
        };
        let inside = Inside::of(&function.body, function.name.as_str());
        if inside.yields {
            text.push_str(
                ". It is a generator: it hands out one value after the other, with `yield`",
            );
        }
        if inside.calls_itself && class.is_none() {
            text.push_str(". It calls itself (this is called recursion)");
        }
        text
    }

    fn class(self, class: &StmtClassDef) -> String {
        let name = code(class.name.as_str());
        let bases =
            class.arguments.as_deref().map(|arguments| &*arguments.args).unwrap_or_default();
        let bases: Vec<String> = bases.iter().map(|base| self.quote(base)).collect();
        let bases = if bases.is_empty() {
            String::new()
        } else {
            format!(", which takes over everything from {}", list(&bases))
        };
        format!("defines the class {name}{bases}: a plan from which objects are made")
    }

    fn repeat(self, repeat: &StmtFor, body: Lines) -> String {
        let text = goes_through(self, repeat, body);
        let ways = leaves(&repeat.body);
        if ways.is_empty() {
            text
        } else {
            format!("{text}. It can be left before that by {}", either(&ways))
        }
    }

    fn while_loop(self, repeat: &StmtWhile, body: Lines) -> String {
        let is_endless = matches!(repeat.test.as_ref(), Expr::BooleanLiteral(literal) if literal.value)
            || whole(&repeat.test) == Some(1);
        let lines = in_words(body);
        if is_endless {
            let ways = leaves(&repeat.body);
            let ends = if ways.is_empty() {
                "nothing in it ends it (only an error could)".to_owned()
            } else {
                format!("it is left by {}", either(&ways))
            };
            return format!("repeats {lines} without a condition; {ends}");
        }
        format!(
            "repeats {lines} as long as this is so: {}. It is checked again before each iteration",
            self.condition(&repeat.test)
        )
    }

    fn with(self, with: &StmtWith, body: Lines) -> String {
        let parts: Vec<String> = with
            .items
            .iter()
            .map(|item| {
                let opened = item.context_expr.as_call_expr().filter(|call| {
                    call.func.as_name_expr().is_some_and(|name| name.id.as_str() == "open")
                });
                let named = item.optional_vars.as_deref().map(|name| self.quote(name));
                let named = named.map_or_else(String::new, |name| format!(" as {name}"));
                match opened.and_then(|call| {
                    Some((call.arguments.args.first()?, call.arguments.args.get(1)))
                }) {
                    Some((file, mode)) if self.names.is_pythons("open") => {
                        let mode = mode.and_then(|mode| mode.as_string_literal_expr());
                        let purpose = match mode.map_or("r", |mode| mode.value.to_str()) {
                            "r" | "rt" => " to read it",
                            "w" | "wt" => " to write it anew",
                            "a" | "at" => " to write at its end",
                            _ => "",
                        };
                        format!("opens the file {}{purpose},{named}", self.quote(file))
                    }
                    _ => format!("uses {}{named}", self.quote(&item.context_expr)),
                }
            })
            .collect();
        let is_open = parts.iter().all(|part| part.starts_with("opens"));
        let end = if is_open { "it is closed" } else { "Python cleans up" };
        format!(
            "{} for {}. After these lines {end}, even if an error happens",
            list(&parts).trim_end_matches(','),
            in_words(body)
        )
    }

    fn choice(self, choice: &StmtMatch) -> String {
        format!(
            "compares {} with the `case`s below, one after the other; only the first one that fits is run",
            self.quote(&*choice.subject)
        )
    }

    fn case(self, case: &MatchCase, body: Lines) -> String {
        let run = format!("{} run{}", in_words(body), third(body));
        let guard =
            case.guard.as_deref().map(|guard| format!(", and only if {}", self.condition(guard)));
        let guard = guard.unwrap_or_default();
        match &case.pattern {
            Pattern::MatchAs(any) if any.pattern.is_none() && any.name.is_none() => {
                format!("fits everything else{guard}: {run}")
            }
            pattern => {
                format!("fits if the value has the form {}{guard}: then {run}", self.quote(pattern))
            }
        }
    }

    fn a_class(self, kind: &Expr) -> String {
        let kind = kind.as_call_expr().map_or(kind, |call| call.func.as_ref());
        match kind {
            Expr::Tuple(kinds) => {
                let kinds: Vec<String> = kinds.elts.iter().map(|kind| self.quote(kind)).collect();
                format!("one of {}", list(&kinds))
            }
            _ => {
                let name = self.quote(kind);
                let article = if name.trim_start_matches('`').starts_with(['A', 'E', 'I', 'O', 'U'])
                {
                    "an"
                } else {
                    "a"
                };
                format!("{article} {name}")
            }
        }
    }
}

/// Which values a loop goes through.
fn goes_through(words: Words<'_>, repeat: &StmtFor, body: Lines) -> String {
    let target = words.quote(&*repeat.target);
    let call = repeat.iter.as_call_expr();
    let name = call.and_then(|call| call.func.as_name_expr()).map(|name| name.id.as_str());
    let name = name.filter(|name| words.names.is_pythons(name));
    let args = call.map_or(&[][..], |call| &*call.arguments.args);
    let parts = match repeat.target.as_ref() {
        Expr::Tuple(tuple) => tuple.elts.iter().map(|part| words.quote(part)).collect(),
        _ => Vec::new(),
    };
    let run = format!("runs {}", in_words(body));
    let method = call.and_then(|call| call.func.as_attribute_expr());
    let method =
        method.filter(|method| args.is_empty() && !words.names.has_method(method.attr.as_str()));
    match (name, args, &*parts) {
        (Some("range"), [count], []) if whole(count).is_some_and(|count| count > 1) => {
            let last = whole(count).unwrap_or_default() - 1;
            format!("{run} {} times: {target} counts from `0` to `{last}`", words.quote(count))
        }
        (Some("range"), [Expr::Call(of)], []) if length_of(words, of).is_some() => format!(
            "{run} once for each position in {items}: {target} is `0`, then `1`, and so on up to the last position",
            items = length_of(words, of).unwrap_or_default()
        ),
        (Some("range"), _, []) => {
            format!("{run} again and again: {target} goes through {}", words.value(&repeat.iter))
        }
        (Some("enumerate"), [items], [position, item]) => format!(
            "{run} once for each item of {}: {position} is its position, counted from 0, and {item} is the item",
            words.operand(items)
        ),
        (Some("enumerate"), [items, start], [position, item]) => format!(
            "{run} once for each item of {}: {position} is its number, counted from {}, and {item} is the item",
            words.operand(items),
            words.quote(start)
        ),
        (Some("zip"), [one, two], [a, b]) => format!(
            "{run} once for each pair: {a} is the next item of {} and {b} the next item of {}",
            words.operand(one),
            words.operand(two)
        ),
        (_, _, [key, held]) if method.is_some_and(|method| method.attr.as_str() == "items") => {
            let of = method.map_or_else(String::new, |method| words.quote(&*method.value));
            format!("{run} once for each entry of {of}: {key} is its key and {held} its value")
        }
        (_, _, []) => {
            format!(
                "{run} once for each item of {}; each time, {target} is the next one",
                words.operand(&repeat.iter)
            )
        }
        (_, _, parts) => format!(
            "{run} once for each item of {}; the parts of the item are called {}",
            words.operand(&repeat.iter),
            list(parts)
        ),
    }
}

/// "a, b or c".
fn either(parts: &[String]) -> String {
    list(parts).replace(" and ", " or ")
}

/// `xs` of `len(xs)`.
fn length_of(words: Words<'_>, call: &ExprCall) -> Option<String> {
    let is_len = call.func.as_name_expr().is_some_and(|name| name.id.as_str() == "len");
    match &*call.arguments.args {
        [of] if is_len && words.names.is_pythons("len") => Some(words.quote(of)),
        _ => None,
    }
}

fn assignment(words: Words<'_>, target: &Expr, value: &Expr) -> String {
    let made = words.value(value);
    match (target, value) {
        (Expr::Tuple(targets), Expr::Tuple(values)) if targets.elts.len() == values.elts.len() => {
            let texts = |tuple: &[Expr]| -> Vec<String> {
                tuple.iter().map(|part| words.quote(part)).collect()
            };
            let (names, given) = (texts(&targets.elts), texts(&values.elts));
            let is_swap = names.len() == 2 && names[0] == given[1] && names[1] == given[0];
            if is_swap {
                return format!("swaps {} and {}", names[0], names[1]);
            }
            let pairs: Vec<String> = names
                .iter()
                .zip(&given)
                .map(|(name, value)| format!("{name} the value {value}"))
                .collect();
            format!("gives {}, all at once", list(&pairs))
        }
        (Expr::Tuple(targets), _) => {
            let names: Vec<String> = targets.elts.iter().map(|part| words.quote(part)).collect();
            format!("takes {made} apart: its parts get the names {}, in this order", list(&names))
        }
        (Expr::Subscript(place), _) => {
            format!(
                "stores {made} in {} at {}",
                words.quote(&*place.value),
                words.quote(&*place.slice)
            )
        }
        (Expr::Attribute(attribute), _)
            if attribute.value.as_name_expr().is_some_and(|name| name.id.as_str() == "self") =>
        {
            format!(
                "keeps {made} in the object itself, under the name {}",
                code(attribute.attr.as_str())
            )
        }
        (Expr::Attribute(attribute), _) => {
            format!(
                "sets {} of {} to {made}",
                code(attribute.attr.as_str()),
                words.quote(&*attribute.value)
            )
        }
        (Expr::Name(name), Expr::Name(other)) => {
            format!(
                "makes {} another name for the value of {}",
                code(name.id.as_str()),
                code(other.id.as_str())
            )
        }
        _ => format!("gives {} the value: {made}", words.quote(target))
            .replace("the value: `", "the value `"),
    }
}

fn augmented(words: Words<'_>, assign: &StmtAugAssign) -> String {
    let target = words.quote(&*assign.target);
    let value = words.operand(&assign.value);
    match assign.op {
        Operator::Add => format!("adds {value} to {target}"),
        Operator::Sub => format!("takes {value} away from {target}"),
        Operator::Mult => format!("multiplies {target} by {value}"),
        Operator::Div => format!("divides {target} by {value}"),
        Operator::FloorDiv => {
            format!("divides {target} by {value} and rounds down to a whole number")
        }
        Operator::Mod => {
            format!("replaces {target} by what is left over when it is divided by {value}")
        }
        _ => format!("changes {target}: {}", words.quote(assign)),
    }
}

fn alone(words: Words<'_>, expr: &Expr) -> String {
    match expr {
        Expr::Call(call) => done(words, call),
        Expr::StringLiteral(_) => {
            "is a text that is used for nothing: a note for people who read the program".to_owned()
        }
        Expr::EllipsisLiteral(_) => "does nothing: it keeps the place for code to come".to_owned(),
        Expr::Yield(given) => match given.value.as_deref() {
            Some(value) => format!(
                "hands out {} and pauses until the next value is asked for",
                words.value(value)
            ),
            None => "hands out `None` and pauses until the next value is asked for".to_owned(),
        },
        _ => format!("works out {}, and does nothing with it", words.value(expr)),
    }
}

fn imports(import: &StmtImport) -> String {
    let parts: Vec<String> = import
        .names
        .iter()
        .map(|alias| match &alias.asname {
            Some(name) => format!(
                "the module {} under the name {}",
                code(alias.name.as_str()),
                code(name.as_str())
            ),
            None => format!("the module {}", code(alias.name.as_str())),
        })
        .collect();
    format!("makes {} available", list(&parts))
}

fn imports_from(import: &StmtImportFrom) -> String {
    let module = import.module.as_ref().map_or("this package", |module| module.as_str());
    let parts: Vec<String> = import
        .names
        .iter()
        .map(|alias| match &alias.asname {
            Some(name) => {
                format!("{} under the name {}", code(alias.name.as_str()), code(name.as_str()))
            }
            None if alias.name.as_str() == "*" => "everything".to_owned(),
            None => code(alias.name.as_str()),
        })
        .collect();
    format!("takes {} from the module {}", list(&parts), code(module))
}
