//! Walking the tree for the checks.

use std::collections::BTreeSet;

use ruff_python_ast::{
    Expr, Stmt, StmtFunctionDef,
    visitor::{Visitor, walk_expr, walk_stmt},
};

/// Everything below some statements, functions and classes included.
#[derive(Default)]
pub(crate) struct All<'a> {
    pub(crate) statements: Vec<&'a Stmt>,
    pub(crate) expressions: Vec<&'a Expr>,
}

impl<'a> Visitor<'a> for All<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        self.statements.push(stmt);
        walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        self.expressions.push(expr);
        walk_expr(self, expr);
    }
}

pub(crate) fn all(body: &[Stmt]) -> All<'_> {
    let mut all = All::default();
    all.visit_body(body);
    all
}

/// Everything below some statements that runs with them, without the bodies of functions and classes.
#[derive(Default)]
pub(crate) struct Own<'a>(All<'a>);

impl<'a> Visitor<'a> for Own<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        self.0.statements.push(stmt);
        if !matches!(stmt, Stmt::FunctionDef(_) | Stmt::ClassDef(_)) {
            walk_stmt(self, stmt);
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        self.0.expressions.push(expr);
        if !matches!(expr, Expr::Lambda(_)) {
            walk_expr(self, expr);
        }
    }
}

pub(crate) fn own(body: &[Stmt]) -> All<'_> {
    let mut own = Own::default();
    own.visit_body(body);
    own.0
}

impl<'a> All<'a> {
    pub(crate) fn of_expr(expr: &'a Expr) -> Self {
        let mut all = Self::default();
        all.visit_expr(expr);
        all
    }

    pub(crate) fn functions(&self) -> impl Iterator<Item = &'a StmtFunctionDef> {
        self.statements.iter().filter_map(|stmt| stmt.as_function_def_stmt())
    }

    /// The names that are read.
    pub(crate) fn read(&self) -> BTreeSet<&'a str> {
        let names = self.expressions.iter().filter_map(|expr| expr.as_name_expr());
        names.filter(|name| !name.ctx.is_store()).map(|name| name.id.as_str()).collect()
    }

    /// The names that are assigned.
    pub(crate) fn stored(&self) -> BTreeSet<&'a str> {
        let names = self.expressions.iter().filter_map(|expr| expr.as_name_expr());
        names.filter(|name| name.ctx.is_store()).map(|name| name.id.as_str()).collect()
    }

    /// Whether one of these names is called.
    pub(crate) fn calls(&self, names: &[&str]) -> bool {
        self.expressions.iter().any(|expr| called(expr).is_some_and(|name| names.contains(&name)))
    }
}

/// `f` of `f(...)`, `m` of `x.m(...)`.
pub(crate) fn called(expr: &Expr) -> Option<&str> {
    match expr.as_call_expr()?.func.as_ref() {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        _ => None,
    }
}

/// `x` and `m` of `x.m(...)`, with how many arguments.
pub(crate) fn method_call(expr: &Expr) -> Option<(&str, &str, usize)> {
    let call = expr.as_call_expr()?;
    let attribute = call.func.as_attribute_expr()?;
    let object = attribute.value.as_name_expr()?;
    Some((object.id.as_str(), attribute.attr.as_str(), call.arguments.args.len()))
}

/// `f` of `f(one)`, with its only argument.
pub(crate) fn call_of_one(expr: &Expr) -> Option<(&str, &Expr)> {
    let call = expr.as_call_expr()?;
    let name = call.func.as_name_expr()?;
    match (&*call.arguments.args, call.arguments.keywords.is_empty()) {
        ([one], true) => Some((name.id.as_str(), one)),
        _ => None,
    }
}

pub(crate) fn name(expr: &Expr) -> Option<&str> {
    expr.as_name_expr().map(|name| name.id.as_str())
}

pub(crate) fn int(expr: &Expr) -> Option<i64> {
    expr.as_number_literal_expr()?.value.as_int()?.as_i64()
}

/// Whether control never goes on after these statements.
pub(crate) fn ends(body: &[Stmt]) -> bool {
    body.iter().any(|stmt| match stmt {
        Stmt::Return(_) | Stmt::Raise(_) | Stmt::Continue(_) | Stmt::Break(_) => true,
        Stmt::If(branch) => {
            let has_else =
                branch.elif_else_clauses.last().is_some_and(|clause| clause.test.is_none());
            has_else
                && ends(&branch.body)
                && branch.elif_else_clauses.iter().all(|clause| ends(&clause.body))
        }
        Stmt::With(with) => ends(&with.body),
        Stmt::Try(attempt) => {
            let handled = attempt.handlers.iter().all(|handler| {
                handler.as_except_handler().is_some_and(|handler| ends(&handler.body))
            });
            ends(&attempt.finalbody) || (handled && (ends(&attempt.body) || ends(&attempt.orelse)))
        }
        Stmt::While(repeat) => is_true(&repeat.test) && !breaks(&repeat.body),
        Stmt::Match(choice) => {
            let is_complete =
                choice.cases.iter().any(|case| case.guard.is_none() && case.pattern.is_wildcard());
            is_complete && choice.cases.iter().all(|case| ends(&case.body))
        }
        Stmt::Expr(expr) => called(&expr.value).is_some_and(|name| matches!(name, "exit" | "quit")),
        _ => false,
    })
}

pub(crate) fn is_true(expr: &Expr) -> bool {
    expr.as_boolean_literal_expr().is_some_and(|literal| literal.value) || int(expr) == Some(1)
}

/// Whether a loop with this body is left by a `break` of its own.
pub(crate) fn breaks(body: &[Stmt]) -> bool {
    body.iter().any(|stmt| match stmt {
        Stmt::Break(_) => true,
        Stmt::If(branch) => {
            breaks(&branch.body)
                || branch.elif_else_clauses.iter().any(|clause| breaks(&clause.body))
        }
        Stmt::With(with) => breaks(&with.body),
        Stmt::Try(attempt) => {
            let handlers =
                attempt.handlers.iter().filter_map(|handler| handler.as_except_handler());
            breaks(&attempt.body)
                || breaks(&attempt.orelse)
                || breaks(&attempt.finalbody)
                || handlers.into_iter().any(|handler| breaks(&handler.body))
        }
        Stmt::Match(choice) => choice.cases.iter().any(|case| breaks(&case.body)),
        // A `break` in an inner loop leaves only that one, except in its `else`.
        Stmt::For(inner) => breaks(&inner.orelse),
        Stmt::While(inner) => breaks(&inner.orelse),
        _ => false,
    })
}

pub(crate) fn count_statements(body: &[Stmt]) -> usize {
    all(body).statements.len()
}

/// The bodies of all blocks, the whole program first.
pub(crate) fn blocks<'a>(body: &'a [Stmt]) -> Vec<&'a [Stmt]> {
    let mut found: Vec<&'a [Stmt]> = vec![body];
    for stmt in all(body).statements {
        match stmt {
            Stmt::FunctionDef(inner) => found.push(&inner.body),
            Stmt::ClassDef(inner) => found.push(&inner.body),
            Stmt::For(inner) => found.extend([&*inner.body, &*inner.orelse]),
            Stmt::While(inner) => found.extend([&*inner.body, &*inner.orelse]),
            Stmt::If(inner) => {
                found.push(&inner.body);
                found.extend(inner.elif_else_clauses.iter().map(|clause| &*clause.body));
            }
            Stmt::With(inner) => found.push(&inner.body),
            Stmt::Try(inner) => {
                found.extend([&*inner.body, &*inner.orelse, &*inner.finalbody]);
                let handlers =
                    inner.handlers.iter().filter_map(|handler| handler.as_except_handler());
                found.extend(handlers.map(|handler| &*handler.body));
            }
            Stmt::Match(inner) => found.extend(inner.cases.iter().map(|case| &*case.body)),
            _ => {}
        }
    }
    found
}
