//! Names that may have no value when they are read, because the line that gives it to them was not reached.

mod flow;
mod names;
mod state;
mod unset;

use std::collections::BTreeSet;

use ruff_python_ast::{
    Stmt, StmtFunctionDef,
    visitor::{Visitor, walk_stmt},
};

use crate::Program;

use flow::Flow;
use state::State;

pub use unset::{Unbound, Unset};

impl Program<'_> {
    /// The names that may have no value where they are read: in functions their own, in the program its own.
    #[must_use]
    pub fn unbound(&self) -> Vec<Unbound<'_>> {
        let mut functions = Functions(Vec::new());
        functions.visit_body(self.body());
        let outer: BTreeSet<&str> = declared(self.body()).into_iter().collect();
        let mut found = Vec::new();
        for (function, name) in functions.0.iter().map(|f| (*f, f.name.as_str())) {
            let own: BTreeSet<&str> = declared_here(&function.body);
            let parameters = function.parameters.iter().map(|p| p.name().as_str());
            let mut flow = Flow::new(self, &function.body, own, Some(name));
            let start = State { set: parameters.collect(), ..State::default() };
            flow.local.extend(&start.set);
            flow.block(&function.body, Some(start));
            found.append(&mut flow.found);
        }
        let mut flow = Flow::new(self, self.body(), outer, None);
        flow.block(self.body(), Some(State::default()));
        found.append(&mut flow.found);
        found.sort_by_key(|unbound| (unbound.line, unbound.range.start()));
        found
    }

    /// Why a name had no value on a line where Python found none.
    #[must_use]
    pub fn why_unbound(&self, name: &str, line: u32) -> Option<Unset> {
        let found = self.unbound();
        found
            .iter()
            .find(|unbound| unbound.name == name && unbound.line == line)
            .map(|unbound| unbound.why)
    }
}

struct Functions<'a>(Vec<&'a StmtFunctionDef>);

impl<'a> Visitor<'a> for Functions<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        if let Stmt::FunctionDef(function) = stmt {
            self.0.push(function);
        }
        walk_stmt(self, stmt);
    }
}

/// The names that any function declares `global` or `nonlocal`: calls may give them a value.
fn declared(body: &[Stmt]) -> Vec<&str> {
    struct Declared<'a>(Vec<&'a str>);
    impl<'a> Visitor<'a> for Declared<'a> {
        fn visit_stmt(&mut self, stmt: &'a Stmt) {
            match stmt {
                Stmt::Global(names) => self.0.extend(names.names.iter().map(|name| name.as_str())),
                Stmt::Nonlocal(names) => {
                    self.0.extend(names.names.iter().map(|name| name.as_str()));
                }
                _ => walk_stmt(self, stmt),
            }
        }
    }
    let mut declared = Declared(Vec::new());
    declared.visit_body(body);
    declared.0
}

fn declared_here(body: &[Stmt]) -> BTreeSet<&str> {
    declared(body).into_iter().collect()
}

#[cfg(test)]
mod tests;
