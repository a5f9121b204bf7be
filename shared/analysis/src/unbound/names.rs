//! The names that are read or bound by a piece of a program, without those of functions and comprehensions in it.

use std::collections::BTreeSet;

use ruff_python_ast::{
    Comprehension, Expr, Pattern, Stmt,
    visitor::{Visitor, walk_expr, walk_pattern, walk_stmt},
};
use ruff_text_size::{Ranged, TextRange};

use crate::scopes::{bound_by, captured};

/// The names that an expression reads, in the order of the text.
pub(super) fn reads(expr: &Expr) -> Reads<'_> {
    let mut reads = Reads { found: Vec::new(), given: Vec::new(), hidden: Vec::new() };
    reads.visit_expr(expr);
    reads
}

/// The names that statements bind in their own scope.
pub(super) fn bound(body: &[Stmt]) -> BTreeSet<&str> {
    let mut bound = Bound(BTreeSet::new());
    bound.visit_body(body);
    bound.0
}

/// The names that are read when an expression is worked out: not those in a lambda, nor a comprehension's own.
pub(super) struct Reads<'a> {
    pub(super) found: Vec<(&'a str, TextRange)>,
    /// Those that `:=` gives a value.
    pub(super) given: Vec<&'a str>,
    hidden: Vec<&'a str>,
}

impl<'a> Reads<'a> {
    fn comprehension(&mut self, generators: &'a [Comprehension], values: &[&'a Expr]) {
        let before = self.hidden.len();
        for generator in generators {
            self.visit_expr(&generator.iter);
            let mut bound = Bound(BTreeSet::new());
            bound.visit_expr(&generator.target);
            self.hidden.extend(bound.0);
            generator.ifs.iter().for_each(|test| self.visit_expr(test));
        }
        values.iter().for_each(|value| self.visit_expr(value));
        self.hidden.truncate(before);
    }
}

impl<'a> Visitor<'a> for Reads<'a> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) => {
                if !self.hidden.contains(&name.id.as_str()) {
                    self.found.push((name.id.as_str(), name.range()));
                }
            }
            Expr::Lambda(_) => {}
            Expr::Named(named) => {
                self.visit_expr(&named.value);
                if let Expr::Name(name) = named.target.as_ref() {
                    self.given.push(name.id.as_str());
                }
            }
            Expr::ListComp(list) => self.comprehension(&list.generators, &[&list.elt]),
            Expr::SetComp(set) => self.comprehension(&set.generators, &[&set.elt]),
            Expr::Generator(all) => self.comprehension(&all.generators, &[&all.elt]),
            Expr::DictComp(dict) => {
                let pair: Vec<&Expr> =
                    dict.key.iter().map(AsRef::as_ref).chain([dict.value.as_ref()]).collect();
                self.comprehension(&dict.generators, &pair);
            }
            _ => walk_expr(self, expr),
        }
    }
}

struct Bound<'a>(BTreeSet<&'a str>);

impl<'a> Visitor<'a> for Bound<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => {
                self.0.insert(function.name.as_str());
            }
            Stmt::ClassDef(class) => {
                self.0.insert(class.name.as_str());
            }
            _ => {
                bound_by(stmt, &mut |name| {
                    self.0.insert(name);
                });
                walk_stmt(self, stmt);
            }
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) if name.ctx.is_store() => {
                self.0.insert(name.id.as_str());
            }
            Expr::ListComp(_)
            | Expr::SetComp(_)
            | Expr::DictComp(_)
            | Expr::Generator(_)
            | Expr::Lambda(_) => {}
            _ => walk_expr(self, expr),
        }
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        captured(pattern, &mut |name| {
            self.0.insert(name);
        });
        walk_pattern(self, pattern);
    }
}
