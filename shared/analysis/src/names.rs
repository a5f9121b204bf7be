//! The names in a program: which it defines, and which it does not use.

use std::collections::BTreeSet;

use ruff_python_ast::{
    Expr, Parameter, Stmt,
    visitor::{Visitor, walk_expr, walk_parameter, walk_stmt},
};

use crate::Program;

impl Program<'_> {
    /// All names that the program defines: variables, functions, classes and parameters.
    #[must_use]
    pub fn assigned_names(&self) -> BTreeSet<&str> {
        let mut names = Names::default();
        names.visit_body(self.body());
        names.made
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
