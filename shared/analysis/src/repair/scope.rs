//! The names that a function could mean at a place.

use ruff_text_size::{Ranged, TextRange};

use ruff_python_ast::{
    Expr, Parameter, Stmt, StmtFunctionDef,
    visitor::{Visitor, walk_expr, walk_parameter, walk_stmt},
};

/// Most names of a function that are tried in the place of another.
const MAX_NAMES: usize = 10;

/// The names that a function assigns, its parameters first.
pub(super) fn names(function: &StmtFunctionDef) -> Vec<&str> {
    let mut names = Names(Vec::new());
    names.visit_parameters(&function.parameters);
    names.visit_body(&function.body);
    names.0.truncate(MAX_NAMES);
    names.0
}

/// The names that a program assigns outside of its functions.
pub(super) fn names_of_program(body: &[Stmt]) -> Vec<&str> {
    let mut names = Names(Vec::new());
    names.visit_body(body);
    names.0.truncate(MAX_NAMES);
    names.0
}

struct Names<'a>(Vec<&'a str>);

impl<'a> Names<'a> {
    fn add(&mut self, name: &'a str) {
        if !self.0.contains(&name) {
            self.0.push(name);
        }
    }
}

impl<'a> Visitor<'a> for Names<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => {}
            // A name that is only added to has no value.
            Stmt::AugAssign(assignment) => self.visit_expr(&assignment.value),
            _ => walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Name(name) = expr
            && name.ctx.is_store()
        {
            self.add(name.id.as_str());
        }
        walk_expr(self, expr);
    }

    fn visit_parameter(&mut self, parameter: &'a Parameter) {
        self.add(parameter.name.as_str());
        walk_parameter(self, parameter);
    }
}

/// Every place in a function where a name is read, or changed in place.
pub(super) fn uses(function: &StmtFunctionDef) -> Vec<(&str, TextRange)> {
    let mut uses = Uses(Vec::new());
    uses.visit_body(&function.body);
    uses.0
}

struct Uses<'a>(Vec<(&'a str, TextRange)>);

impl<'a> Visitor<'a> for Uses<'a> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Name(name) = expr {
            self.0.push((name.id.as_str(), name.range()));
        }
        walk_expr(self, expr);
    }
}
