//! The names in a program: which it defines, and which it does not use.

use std::collections::{BTreeSet, HashMap};

use ruff_python_ast::{
    Expr, Parameter, Stmt,
    visitor::{Visitor, walk_expr, walk_parameter, walk_stmt},
};

use ruff_text_size::{Ranged, TextRange};

use crate::{
    Program,
    scopes::{Scopes, Why, bound_by},
};

/// How often each name gets a value.
#[derive(Default)]
struct Stores<'a>(HashMap<&'a str, usize>);

impl<'a> Visitor<'a> for Stores<'a> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Name(name) = expr
            && !name.ctx.is_load()
        {
            *self.0.entry(name.id.as_str()).or_default() += 1;
        }
        walk_expr(self, expr);
    }
}

fn is_fixed(value: &Expr) -> bool {
    match value {
        Expr::Tuple(tuple) => tuple.elts.iter().all(is_fixed),
        Expr::UnaryOp(unary) => unary.operand.is_number_literal_expr(),
        _ => value.is_literal_expr(),
    }
}

impl Program<'_> {
    /// All names that the program defines: variables, functions, classes and parameters.
    #[must_use]
    pub fn assigned_names(&self) -> BTreeSet<&str> {
        let mut names = Names::default();
        names.visit_body(self.body());
        names.made
    }

    /// The line on which the program itself first gives a name a value, outside of functions.
    #[must_use]
    pub fn first_given(&self, name: &str) -> Option<u32> {
        let mut given = Given { name, found: None };
        given.visit_body(self.body());
        given.found.map(|range| self.line(range))
    }

    /// The function that has a name of its own which is written like one that is read in vain on a line.
    #[must_use]
    pub fn owner(&self, name: &str, line: u32) -> Option<&str> {
        match Scopes::of(self.body()).why(name, |place| self.line(place) == line)? {
            Why::In(function) => Some(function),
            _ => None,
        }
    }

    /// The functions at the top level, each with the names of its parameters.
    #[must_use]
    pub fn functions(&self) -> Vec<(&str, Vec<&str>)> {
        let functions = self.body().iter().filter_map(Stmt::as_function_def_stmt);
        functions
            .map(|function| {
                let parameters = function.parameters.iter();
                let names = parameters.map(|parameter| parameter.name().as_str()).collect();
                (function.name.as_str(), names)
            })
            .collect()
    }

    /// The names that have one value all the time, which cannot change either.
    #[must_use]
    pub fn globals(&self) -> Vec<&str> {
        let mut stores = Stores::default();
        stores.visit_body(self.body());
        let given = self.body().iter().filter_map(Stmt::as_assign_stmt);
        let fixed = given.filter(|statement| is_fixed(&statement.value));
        let targets = fixed.flat_map(|statement| &statement.targets);
        let names = targets.filter_map(|target| Some(target.as_name_expr()?.id.as_str()));
        names.filter(|name| stores.0.get(name) == Some(&1)).collect()
    }

    /// The first function at the top level that nothing mentions, with its line.
    #[must_use]
    pub fn uncalled_function(&self) -> Option<(&str, u32)> {
        let mut names = Names::default();
        names.visit_body(self.body());
        self.body().iter().find_map(|statement| {
            let function = statement.as_function_def_stmt()?;
            let name = function.name.as_str();
            (!names.read.contains(name)).then(|| (name, self.line(&function.name)))
        })
    }
}

/// Looks for the first binding of a name in the program itself.
struct Given<'n> {
    name: &'n str,
    found: Option<TextRange>,
}

impl<'a> Visitor<'a> for Given<'_> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        let mut is_bound = false;
        bound_by(stmt, &mut |name| is_bound |= name == self.name);
        match stmt {
            Stmt::FunctionDef(function) => is_bound |= function.name.as_str() == self.name,
            Stmt::ClassDef(class) => is_bound |= class.name.as_str() == self.name,
            _ => walk_stmt(self, stmt),
        }
        if is_bound && self.found.is_none() {
            self.found = Some(stmt.range());
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) if name.ctx.is_store() && name.id.as_str() == self.name => {
                self.found = self.found.or_else(|| Some(name.range()));
            }
            Expr::Lambda(_)
            | Expr::ListComp(_)
            | Expr::SetComp(_)
            | Expr::DictComp(_)
            | Expr::Generator(_) => {}
            _ => walk_expr(self, expr),
        }
    }
}

#[derive(Default)]
struct Names<'a> {
    made: BTreeSet<&'a str>,
    read: BTreeSet<&'a str>,
}

impl<'a> Visitor<'a> for Names<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => {
                self.made.insert(function.name.as_str());
            }
            Stmt::ClassDef(class) => {
                self.made.insert(class.name.as_str());
            }
            _ => {}
        }
        walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Name(name) = expr {
            let names = if name.ctx.is_store() { &mut self.made } else { &mut self.read };
            names.insert(name.id.as_str());
        }
        walk_expr(self, expr);
    }

    fn visit_parameter(&mut self, parameter: &'a Parameter) {
        self.made.insert(parameter.name.as_str());
        walk_parameter(self, parameter);
    }
}

#[cfg(test)]
mod tests {
    use crate::Program;

    #[test]
    fn names_are_those_that_the_program_makes() {
        let text = "import math\ndef area(r):\n    pi = math.pi\n    return pi * r\nfor i in range(3):\n    pass\n";
        let program = Program::read(text).expect("it is Python");
        let names: Vec<&str> = program.assigned_names().into_iter().collect();
        assert_eq!(names, ["area", "i", "pi", "r"]);
        assert_eq!(program.uncalled_function(), Some(("area", 2)));
        let called = Program::read("def f():\n    pass\nf()\n").expect("it is Python");
        assert_eq!(called.uncalled_function(), None);
    }
}
