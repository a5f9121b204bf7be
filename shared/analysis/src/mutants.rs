//! Mutants: a correct program with a small mistake, which good tests must notice.
//!
//! The kinds of change are those of mutation testing (`DeMillo`, Lipton and Sayward,
//! "Hints on test data selection", 1978) that beginners make too: a comparison off by one, a sign, an
//! `and` for an `or`, a missing `return`, a forgotten statement.

use ruff_python_ast::{
    Expr, Number, Operator, Stmt, UnaryOp,
    visitor::{Visitor, walk_expr, walk_stmt},
};
use ruff_text_size::{Ranged, TextRange, TextSize};

use crate::Program;

/// A program with one mistake in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutant {
    /// The line of the change, from 1.
    pub line: u32,
    /// What was there, and what is there now.
    pub change: String,
    /// The changed program.
    pub source: String,
}

/// A program that stops before one of its statements: a test that reaches the statement fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// The line of the statement, from 1.
    pub line: u32,
    /// The changed program.
    pub source: String,
}

/// A stop before every statement that does something, from top to bottom.
#[must_use]
pub fn stops(program: &Program<'_>) -> Vec<Stop> {
    let mut statements = Statements(Vec::new());
    statements.visit_body(program.body());
    let made = statements.0.into_iter().map(|place| {
        let (before, after) = program.source().split_at(place.start().to_usize());
        let indent = before.rsplit('\n').next().unwrap_or_default();
        // Only a simple statement can follow another one on its line.
        let gap = if indent.trim().is_empty() { format!("\n{indent}") } else { "; ".to_owned() };
        Stop { line: program.line(place), source: format!("{before}raise SystemExit{gap}{after}") }
    });
    made.collect()
}

struct Statements(Vec<TextRange>);

impl<'a> Visitor<'a> for Statements {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        let is_text = |stmt: &Stmt| match stmt {
            Stmt::Expr(expression) => expression.value.is_string_literal_expr(),
            _ => false,
        };
        let does_nothing = stmt.is_function_def_stmt()
            || stmt.is_class_def_stmt()
            || stmt.is_import_stmt()
            || stmt.is_import_from_stmt()
            || stmt.is_global_stmt()
            || stmt.is_nonlocal_stmt()
            || stmt.is_pass_stmt()
            || is_text(stmt);
        if !does_nothing {
            self.0.push(stmt.range());
        }
        walk_stmt(self, stmt);
    }
}

/// All programs that differ from this one by one small mistake, from top to bottom.
#[must_use]
pub fn mutants(program: &Program<'_>) -> Vec<Mutant> {
    let mut changes = Changes { program, found: Vec::new() };
    changes.visit_body(program.body());
    changes.found.sort_by_key(|(range, _)| range.start());
    let made = changes.found.into_iter().map(|(range, new)| {
        let source = program.source();
        Mutant {
            line: program.line(range),
            change: format!("{} -> {new}", &source[range]),
            source: format!(
                "{}{new}{}",
                &source[..range.start().to_usize()],
                &source[range.end().to_usize()..]
            ),
        }
    });
    made.collect()
}

struct Changes<'p, 'a> {
    program: &'p Program<'a>,
    found: Vec<(TextRange, String)>,
}

impl Changes<'_, '_> {
    fn replace(&mut self, place: impl Ranged, new: impl Into<String>) {
        self.found.push((place.range(), new.into()));
    }

    /// Replaces an operator, which has no position in the tree: it is between its operands.
    fn between(&mut self, left: &Expr, right: &Expr, old: &str, new: &str) {
        let gap = TextRange::new(left.end(), right.start());
        if let Some(at) = self.program.text(gap).find(old) {
            let start = gap.start() + size(at);
            self.replace(TextRange::at(start, size(old.len())), new);
        }
    }
}

fn size(bytes: usize) -> TextSize {
    TextSize::try_from(bytes).unwrap_or_default()
}

impl<'a> Visitor<'a> for Changes<'_, '_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Return(returned) => {
                if let Some(value) =
                    returned.value.as_deref().filter(|value| !value.is_none_literal_expr())
                {
                    self.replace(value, "None");
                }
            }
            Stmt::AugAssign(assignment) => self.replace(assignment, "pass"),
            Stmt::Expr(expression) if expression.value.is_call_expr() => {
                self.replace(expression, "pass");
            }
            Stmt::Break(place) => self.replace(place, "pass"),
            Stmt::Continue(place) => self.replace(place, "pass"),
            Stmt::If(branch) => {
                let test = self.program.text(&*branch.test).to_owned();
                self.replace(&*branch.test, format!("not ({test})"));
            }
            _ => {}
        }
        walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Compare(comparison) => {
                let mut left = comparison.left.as_ref();
                for (op, right) in comparison.ops.iter().zip(&comparison.comparators) {
                    let old = op.as_str();
                    let new = match old {
                        "<" => "<=",
                        "<=" => "<",
                        ">" => ">=",
                        ">=" => ">",
                        "==" => "!=",
                        "!=" => "==",
                        "in" => "not in",
                        "not in" => "in",
                        "is" => "is not",
                        _ => "is",
                    };
                    self.between(left, right, old, new);
                    left = right;
                }
            }
            Expr::BinOp(operation) => {
                let new = match operation.op {
                    Operator::Add => "-",
                    Operator::Sub => "+",
                    Operator::Mult => "+",
                    Operator::Div => "*",
                    Operator::FloorDiv => "%",
                    Operator::Mod => "//",
                    _ => "+",
                };
                self.between(&operation.left, &operation.right, operation.op.as_str(), new);
            }
            Expr::BoolOp(operation) => {
                let (old, new) = if operation.op.is_and() { ("and", "or") } else { ("or", "and") };
                for pair in operation.values.windows(2) {
                    self.between(&pair[0], &pair[1], old, new);
                }
            }
            Expr::UnaryOp(operation) if matches!(operation.op, UnaryOp::Not | UnaryOp::USub) => {
                let operand = self.program.text(&*operation.operand).to_owned();
                self.replace(operation, operand);
            }
            Expr::NumberLiteral(literal) => {
                if let Number::Int(value) = &literal.value
                    && let Some(value) = value.as_i64().and_then(|value| value.checked_add(1))
                {
                    self.replace(literal, value.to_string());
                }
            }
            Expr::BooleanLiteral(literal) => {
                self.replace(literal, if literal.value { "False" } else { "True" });
            }
            _ => {}
        }
        walk_expr(self, expr);
    }
}

#[cfg(test)]
mod tests {
    use super::{mutants, stops};
    use crate::Program;

    #[test]
    fn a_program_is_changed_in_one_place_at_a_time() {
        let source =
            "def f(n):\n    if n < 0 and n != -5:\n        return n + 1\n    return (n) * (2)\n";
        let program = Program::read(source).expect("it is Python");
        let found: Vec<(u32, String)> =
            mutants(&program).into_iter().map(|mutant| (mutant.line, mutant.change)).collect();
        let expected = [
            (2, "n < 0 and n != -5 -> not (n < 0 and n != -5)"),
            (2, "< -> <="),
            (2, "0 -> 1"),
            (2, "and -> or"),
            (2, "!= -> =="),
            (2, "-5 -> 5"),
            (2, "5 -> 6"),
            (3, "n + 1 -> None"),
            (3, "+ -> -"),
            (3, "1 -> 2"),
            (4, "(n) * (2) -> None"),
            (4, "* -> +"),
            (4, "2 -> 3"),
        ];
        assert_eq!(found, expected.map(|(line, change)| (line, change.to_owned())));
        for mutant in mutants(&program) {
            assert!(Program::read(&mutant.source).is_ok(), "{}", mutant.source);
        }
    }
    #[test]
    fn a_program_is_stopped_before_every_statement_that_does_something() {
        let source = "import math\ndef f(n):\n    \"\"\"Says.\"\"\"\n    if n: return 1\n    elif n == 2:\n        \
                      n += 1; n += 2\n    return n\nprint(f(3))\n";
        let program = Program::read(source).expect("it is Python");
        let found = stops(&program);
        let lines: Vec<u32> = found.iter().map(|stop| stop.line).collect();
        assert_eq!(lines, [4, 4, 6, 6, 7, 8]);
        for stop in &found {
            assert!(Program::read(&stop.source).is_ok(), "{}", stop.source);
        }
        assert!(found[0].source.contains("    raise SystemExit\n    if n: return 1"));
        assert!(found[1].source.contains("if n: raise SystemExit; return 1"));
        assert!(found[3].source.contains("n += 1; raise SystemExit; n += 2"));
    }
}
