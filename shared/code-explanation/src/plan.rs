//! The one run from which values are taken: of the program, with answers to its questions, and a call of a function that
//! the program never calls itself.

use analysis::Program;
use ruff_python_ast::{
    Expr, Operator, Parameters, Stmt, StmtFunctionDef,
    visitor::{Visitor, walk_expr, walk_stmt},
};

use crate::{names::Names, question::Subject, statements::Inside};

/// What the program gets to read: numbers fit most questions of a first course, and are texts, too.
pub const ANSWERS: &str = "5\n3\n8\n2\n7\n4\n";

/// A run that shows what a program does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The program, with the call at its end if there is one.
    pub program: String,
    /// Its input; empty if it does not ask for any.
    pub stdin: String,
    /// The call that was added.
    pub example: Option<Example>,
}

/// A call of a function that the program does not call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The call.
    pub call: String,
    /// Whether it is from the function's own description.
    pub is_described: bool,
}

/// What to run for a question about this part of a program; `None` for a text that is no program.
#[must_use]
pub fn plan(code: &str, subject: &Subject) -> Option<Plan> {
    let program = Program::read(code).ok()?;
    let names = Names::of(&program);
    let stdin = if program.mentions("input") || program.mentions("stdin") { ANSWERS } else { "" };
    let example = example(&program, &names, subject);
    let mut text = code.to_owned();
    if let Some(example) = &example {
        text = format!("{}\n\n{}\n", code.trim_end(), example.call);
    }
    Some(Plan { program: text, stdin: stdin.to_owned(), example })
}

fn example(program: &Program<'_>, names: &Names<'_>, subject: &Subject) -> Option<Example> {
    let calls_own = program.body().iter().any(|stmt| {
        let is_definition = matches!(stmt, Stmt::FunctionDef(_) | Stmt::ClassDef(_));
        !is_definition && calls(stmt).iter().any(|name| names.function(name).is_some() || names.class(name).is_some())
    });
    if calls_own {
        return None;
    }
    let functions: Vec<&StmtFunctionDef> =
        program.body().iter().filter_map(Stmt::as_function_def_stmt).filter(|function| !function.is_async).collect();
    let asked = functions.iter().find(|function| match subject {
        Subject::Name(name) => function.name.as_str() == name,
        Subject::Lines(first, _) => {
            (program.line(*function)..=program.last_line(*function)).contains(first)
        }
        _ => false,
    });
    let is_called = |function: &&&StmtFunctionDef| {
        let others = functions.iter().filter(|other| other.name != function.name);
        !others.flat_map(|other| other.body.iter().flat_map(calls)).any(|name| name == function.name.as_str())
    };
    let function = asked.or_else(|| functions.iter().rfind(is_called))?;
    described(function).or_else(|| guessed(function))
}

fn calls(stmt: &Stmt) -> Vec<&str> {
    struct Calls<'a>(Vec<&'a str>);
    impl<'a> Visitor<'a> for Calls<'a> {
        fn visit_stmt(&mut self, stmt: &'a Stmt) {
            walk_stmt(self, stmt);
        }
        fn visit_expr(&mut self, expr: &'a Expr) {
            if let Expr::Call(call) = expr
                && let Expr::Name(name) = call.func.as_ref()
            {
                self.0.push(name.id.as_str());
            }
            walk_expr(self, expr);
        }
    }
    let mut calls = Calls(Vec::new());
    calls.visit_stmt(stmt);
    calls.0
}

/// The first example in the function's own description: `>>> f(3)`.
fn described(function: &StmtFunctionDef) -> Option<Example> {
    let text = function.body.first()?.as_expr_stmt()?.value.as_string_literal_expr()?;
    let mut lines = text.value.to_str().lines().map(str::trim);
    let call = lines.find_map(|line| line.strip_prefix(">>> "))?;
    let begins = call.strip_prefix(function.name.as_str())?.starts_with('(');
    let program = Program::read(call).ok()?;
    let is_call = matches!(program.body(), [Stmt::Expr(expr)] if expr.value.is_call_expr());
    (begins && is_call).then(|| Example { call: call.to_owned(), is_described: true })
}

/// A call with values that fit what the function does with its parameters.
fn guessed(function: &StmtFunctionDef) -> Option<Example> {
    let Parameters { vararg, kwonlyargs, .. } = &*function.parameters;
    if vararg.is_some() || !kwonlyargs.is_empty() || !function.decorator_list.is_empty() {
        return None;
    }
    let mut values = Vec::new();
    for (at, parameter) in function.parameters.iter_non_variadic_params().enumerate() {
        if parameter.default.is_some() {
            break;
        }
        let name = parameter.parameter.name.as_str();
        let annotation = parameter.parameter.annotation.as_deref();
        values.push(match annotation.and_then(annotated) {
            Some(value) => value.to_owned(),
            None if annotation.is_some() => return None,
            None => used(function, name, at)?,
        });
    }
    let call = format!("{}({})", function.name.as_str(), values.join(", "));
    let yields = Inside::of(&function.body, "").yields;
    let call = if yields { format!("list({call})") } else { call };
    Some(Example { call, is_described: false })
}

fn annotated(annotation: &Expr) -> Option<&'static str> {
    let name = |expr: &Expr| expr.as_name_expr().map(|name| name.id.to_lowercase());
    match annotation {
        Expr::Subscript(of) => match (name(&of.value)?.as_str(), name(&of.slice)?.as_str()) {
            ("list", "int" | "float") => Some("[3, 1, 2]"),
            ("list", "str") => Some("['pear', 'fig', 'apple']"),
            _ => None,
        },
        _ => match name(annotation)?.as_str() {
            "int" => Some("4"),
            "float" => Some("2.5"),
            "str" => Some("'hello'"),
            "bool" => Some("True"),
            "list" => Some("[3, 1, 2]"),
            "dict" => Some("{'a': 1, 'b': 2}"),
            _ => None,
        },
    }
}

/// What a function does with a parameter.
#[derive(Default)]
struct Uses<'a> {
    name: &'a str,
    text: u32,
    list: u32,
    number: u32,
    dictionary: u32,
    other: u32,
}

/// A value that fits the uses of a parameter; `None` for a function or an object.
fn used(function: &StmtFunctionDef, name: &str, at: usize) -> Option<String> {
    let mut uses = Uses { name, ..Uses::default() };
    uses.visit_body(&function.body);
    let number = ["4", "2", "5", "3"].get(at).copied().unwrap_or("4");
    let value = match uses {
        Uses { other: 1.., .. } => return None,
        Uses { dictionary: 1.., .. } => "{'a': 1, 'b': 2}",
        Uses { text: 1.., .. } => "'hello'",
        Uses { list: 1.., .. } => "[3, 1, 2]",
        _ => number,
    };
    Some(value.to_owned())
}

impl Uses<'_> {
    fn is_it(&self, expr: &Expr) -> bool {
        expr.as_name_expr().is_some_and(|name| name.id.as_str() == self.name)
    }

    fn method(&mut self, method: &str) {
        match method {
            "items" | "keys" | "values" | "get" => self.dictionary += 1,
            "upper" | "lower" | "split" | "strip" | "replace" | "startswith" | "endswith" | "title"
            | "isdigit" | "isalpha" | "find" | "join" | "isupper" | "islower" | "isalnum" => self.text += 1,
            "append" | "sort" | "pop" | "index" | "count" | "copy" | "remove" | "insert" | "extend"
            | "reverse" => self.list += 1,
            _ => self.other += 1,
        }
    }
}

impl<'a> Visitor<'a> for Uses<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::For(repeat) if self.is_it(&repeat.iter) => self.list += 1,
            Stmt::AugAssign(assign) if self.is_it(&assign.target) => self.number += 1,
            _ => {}
        }
        walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Attribute(attribute) if self.is_it(&attribute.value) => self.method(attribute.attr.as_str()),
            Expr::Subscript(part) if self.is_it(&part.value) => {
                if part.slice.is_string_literal_expr() { self.dictionary += 1 } else { self.list += 1 }
            }
            Expr::Call(call) if self.is_it(&call.func) => self.other += 1,
            Expr::Call(call) => {
                let name = call.func.as_name_expr().map_or("", |name| name.id.as_str());
                if call.arguments.args.iter().any(|arg| self.is_it(arg)) {
                    match name {
                        "len" | "sum" | "max" | "min" | "sorted" | "enumerate" | "set" | "zip" | "reversed"
                        | "list" | "tuple" => self.list += 1,
                        "range" | "abs" => self.number += 1,
                        "ord" => self.text += 1,
                        _ => {}
                    }
                }
            }
            Expr::Compare(compare) => {
                let is_in = compare.ops.iter().any(|op| op.is_in() || op.is_not_in());
                if is_in && compare.comparators.iter().any(|right| self.is_it(right)) {
                    self.list += 1;
                }
                if self.is_it(&compare.left)
                    && compare.comparators.iter().any(Expr::is_string_literal_expr)
                    && !is_in
                {
                    self.text += 1;
                }
            }
            Expr::BinOp(operation) if self.is_it(&operation.left) || self.is_it(&operation.right) => {
                let is_text = [&operation.left, &operation.right].iter().any(|side| side.is_string_literal_expr());
                match operation.op {
                    Operator::Add if is_text => self.text += 1,
                    _ => self.number += 1,
                }
            }
            Expr::ListComp(made) if made.generators.iter().any(|made| self.is_it(&made.iter)) => self.list += 1,
            Expr::Generator(made) if made.generators.iter().any(|made| self.is_it(&made.iter)) => self.list += 1,
            _ => {}
        }
        walk_expr(self, expr);
    }
}

#[cfg(test)]
mod tests {
    use super::plan;
    use crate::question::Subject;

    #[test]
    fn a_function_that_nothing_calls_is_called_with_values_that_fit() {
        for (code, call) in [
            ("def f(xs):\n    for x in xs:\n        print(x)\n", Some("f([3, 1, 2])")),
            ("def f(n):\n    return n % 2\n", Some("f(4)")),
            ("def f(text):\n    return text.upper()\n", Some("f('hello')")),
            ("def f(a: int, b: str = 'x'):\n    return b * a\n", Some("f(4)")),
            ("def f(n):\n    \"\"\"\n    >>> f(9)\n    81\n    \"\"\"\n    return n * n\n", Some("f(9)")),
            ("def f(g):\n    return g(1)\n", None),
            ("def f(n):\n    return n\nprint(f(2))\n", None),
            ("x = 1\n", None),
        ] {
            let plan = plan(code, &Subject::Program).expect("it is Python");
            assert_eq!(plan.example.as_ref().map(|example| example.call.as_str()), call, "{code}");
        }
    }

    #[test]
    fn a_program_that_asks_gets_answers_and_no_program_is_not_run() {
        assert!(!plan("n = input()\n", &Subject::Program).unwrap().stdin.is_empty());
        assert_eq!(plan("if x\n", &Subject::Program), None);
    }
}
