//! The one run from which values are taken: of the program, with answers to its questions, and a call of a function that
//! the program never calls itself.

use analysis::Program;
use ruff_python_ast::{
    Expr, ExprCall, Operator, Parameters, Stmt, StmtFunctionDef,
    visitor::{Visitor, walk_expr, walk_stmt},
};

use crate::{inside::Inside, names::Names, question::Subject};

/// What the program gets to read: numbers fit most questions of a first course, and are texts, too.
pub const ANSWERS: &str = "5\n3\n8\n2\n7\n4\n";

/// Most lines of a function's description in which a call is looked for.
const DESCRIPTION: usize = 60;
/// Most characters of a call.
const CALL: usize = 300;

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
        !is_definition
            && calls(stmt)
                .iter()
                .any(|name| names.function(name).is_some() || names.class(name).is_some())
    });
    if calls_own {
        return None;
    }
    let functions: Vec<&StmtFunctionDef> = program
        .body()
        .iter()
        .filter_map(Stmt::as_function_def_stmt)
        .filter(|function| !function.is_async)
        .collect();
    let line = focus(program, names, subject);
    let asked = functions.iter().find(|function| {
        line.is_some_and(|line| {
            (program.line(**function)..=program.last_line(**function)).contains(&line)
        })
    });
    let is_called = |function: &&&StmtFunctionDef| {
        let others = functions.iter().filter(|other| other.name != function.name);
        !others
            .flat_map(|other| other.body.iter().flat_map(calls))
            .any(|name| name == function.name.as_str())
    };
    let function = asked.or_else(|| functions.iter().rfind(is_called))?;
    described(function).or_else(|| guessed(function))
}

/// The line that a question is about.
fn focus(program: &Program<'_>, names: &Names<'_>, subject: &Subject) -> Option<u32> {
    let begins = |is_it: &dyn Fn(&str) -> bool| {
        let at = program.source().lines().position(|line| is_it(line.trim_start()))?;
        u32::try_from(at + 1).ok()
    };
    match subject {
        Subject::Program | Subject::LastLine => None,
        Subject::Lines(first, _) => Some(*first),
        Subject::Name(name) => {
            let function = names.function(name).map(|function| program.line(function));
            let stored = names.stored.iter().find(|(stored, _)| stored == name);
            let parameter = || {
                let mut functions = names.functions.iter().map(|(function, _)| *function);
                functions.find(|function| {
                    function.parameters.iter().any(|own| own.name().as_str() == name)
                })
            };
            function
                .or_else(|| stored.map(|(_, place)| program.line(*place)))
                .or_else(|| parameter().map(|function| program.line(function)))
        }
        Subject::Statement("loop") => {
            begins(&|line| line.starts_with("for ") || line.starts_with("while "))
        }
        Subject::Statement(keyword) => begins(&|line| line.starts_with(keyword)),
        Subject::Expression(text) => begins(&|line| line.contains(text.trim())),
    }
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

/// The first call of the function in its own description: `>>> f(3)`, or `f(3) == 9`.
fn described(function: &StmtFunctionDef) -> Option<Example> {
    let text = function.body.first()?.as_expr_stmt()?.value.as_string_literal_expr()?;
    let begin = format!("{}(", function.name.as_str());
    let lines = text.value.to_str().lines().take(DESCRIPTION);
    let calls = lines.filter_map(|line| {
        let at = line.find(&begin)?;
        let is_alone = !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.');
        let call = closed(&line[at..]).filter(|_| is_alone)?;
        let program = Program::read(call).ok()?;
        let is_call = matches!(program.body(), [Stmt::Expr(expr)] if matches!(&*expr.value, Expr::Call(call) if is_closed(call)));
        is_call.then(|| call.to_owned())
    });
    calls.take(1).map(|call| Example { call, is_described: true }).next()
}

/// The text up to the bracket that closes its first one.
fn closed(text: &str) -> Option<&str> {
    let mut depth = 0_u32;
    let end = text.char_indices().take(CALL).find(|(_, c)| {
        depth += u32::from(*c == '(');
        let closes = *c == ')' && depth == 1;
        depth -= u32::from(*c == ')' && depth > 0);
        closes
    });
    end.map(|(at, _)| &text[..=at])
}

/// Whether the arguments are values: without names, which stand for nothing here.
fn is_closed(call: &ExprCall) -> bool {
    struct Reads(bool);
    impl<'a> Visitor<'a> for Reads {
        fn visit_expr(&mut self, expr: &'a Expr) {
            self.0 |= expr.is_name_expr();
            walk_expr(self, expr);
        }
    }
    let mut reads = Reads(false);
    for arg in &call.arguments.args {
        reads.visit_expr(arg);
    }
    for keyword in &call.arguments.keywords {
        reads.visit_expr(&keyword.value);
    }
    !reads.0
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
    /// Names of its items, and what is done with these.
    items: Vec<&'a str>,
    pairs: u32,
    texts: u32,
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
        Uses { pairs: 1.., .. } => "[(1, 2), (3, 1), (2, 1)]",
        Uses { texts: 1.., .. } => "['pear', 'fig', 'apple']",
        Uses { list: 1.., .. } if function.name.contains("sort") => "[3, 1, 2]",
        // In order, as what searches a list may need it, and one of them twice.
        Uses { list: 1.., .. } => "[1, 2, 2, 5]",
        _ => number,
    };
    Some(value.to_owned())
}

impl Uses<'_> {
    fn is_it(&self, expr: &Expr) -> bool {
        expr.as_name_expr().is_some_and(|name| name.id.as_str() == self.name)
    }

    fn is_item(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Subscript(part) => self.is_it(&part.value) && !part.slice.is_slice_expr(),
            _ => expr.as_name_expr().is_some_and(|name| self.items.contains(&name.id.as_str())),
        }
    }

    fn handed_over(&mut self, call: &ExprCall) {
        let name = call.func.as_name_expr().map_or("", |name| name.id.as_str());
        if call.arguments.args.iter().any(|arg| self.is_it(arg)) {
            match name {
                "len" | "sum" | "max" | "min" | "sorted" | "enumerate" | "set" | "zip"
                | "reversed" | "list" | "tuple" => self.list += 1,
                "range" | "abs" => self.number += 1,
                "ord" => self.text += 1,
                _ => {}
            }
        }
    }

    fn method(&mut self, method: &str) {
        match method {
            "items" | "keys" | "values" | "get" => self.dictionary += 1,
            "upper" | "lower" | "split" | "strip" | "replace" | "startswith" | "endswith"
            | "title" | "isdigit" | "isalpha" | "find" | "join" | "isupper" | "islower"
            | "isalnum" => self.text += 1,
            "append" | "sort" | "pop" | "index" | "count" | "copy" | "remove" | "insert"
            | "extend" | "reverse" => self.list += 1,
            _ => self.other += 1,
        }
    }
}

impl<'a> Visitor<'a> for Uses<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::For(repeat) if self.is_it(&repeat.iter) => {
                self.list += 1;
                match repeat.target.as_ref() {
                    Expr::Tuple(_) => self.pairs += 1,
                    target => self.items.extend(target.as_name_expr().map(|name| name.id.as_str())),
                }
            }
            Stmt::AugAssign(assign) if self.is_it(&assign.target) => self.number += 1,
            _ => {}
        }
        walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            // There, the name is another one.
            Expr::Lambda(lambda)
                if lambda.parameters.iter().any(|parameters| parameters.includes(self.name)) =>
            {
                return;
            }
            Expr::Subscript(part) if self.is_item(&part.value) => self.pairs += 1,
            Expr::Attribute(attribute)
                if self.is_item(&attribute.value)
                    && matches!(
                        attribute.attr.as_str(),
                        "upper" | "lower" | "split" | "strip" | "startswith" | "endswith"
                    ) =>
            {
                self.texts += 1;
            }
            Expr::Attribute(attribute) if self.is_it(&attribute.value) => {
                self.method(attribute.attr.as_str());
            }
            Expr::Subscript(part) if self.is_it(&part.value) => {
                if part.slice.is_string_literal_expr() {
                    self.dictionary += 1;
                } else {
                    self.list += 1;
                }
            }
            Expr::Call(call) if self.is_it(&call.func) => self.other += 1,
            Expr::Call(call) => self.handed_over(call),
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
            Expr::BinOp(operation)
                if self.is_it(&operation.left) || self.is_it(&operation.right) =>
            {
                let is_text = [&operation.left, &operation.right]
                    .iter()
                    .any(|side| side.is_string_literal_expr());
                match operation.op {
                    Operator::Add if is_text => self.text += 1,
                    _ => self.number += 1,
                }
            }
            Expr::ListComp(made) if made.generators.iter().any(|made| self.is_it(&made.iter)) => {
                self.list += 1;
            }
            Expr::Generator(made) if made.generators.iter().any(|made| self.is_it(&made.iter)) => {
                self.list += 1;
            }
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
            ("def f(xs):\n    for x in xs:\n        print(x)\n", Some("f([1, 2, 2, 5])")),
            ("def f(n):\n    return n % 2\n", Some("f(4)")),
            ("def f(text):\n    return text.upper()\n", Some("f('hello')")),
            ("def f(a: int, b: str = 'x'):\n    return b * a\n", Some("f(4)")),
            (
                "def f(n):\n    \"\"\"\n    >>> f(9)\n    81\n    \"\"\"\n    return n * n\n",
                Some("f(9)"),
            ),
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
