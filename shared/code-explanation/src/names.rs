//! What the names of a program stand for.

use std::collections::BTreeMap;

use analysis::Program;
use ruff_python_ast::{
    Expr, Stmt, StmtClassDef, StmtFunctionDef,
    visitor::{Visitor, walk_expr, walk_stmt},
};

/// What a program defines.
#[derive(Debug, Default)]
pub(crate) struct Names<'a> {
    /// Functions and methods, in the order of the text, with the class of a method.
    pub(crate) functions: Vec<(&'a StmtFunctionDef, Option<&'a str>)>,
    /// Classes.
    pub(crate) classes: Vec<&'a StmtClassDef>,
    /// Modules by the name that they have in the program.
    pub(crate) modules: BTreeMap<&'a str, &'a str>,
    /// Names that are imported from a module, with the module.
    pub(crate) imported: BTreeMap<&'a str, &'a str>,
    /// The names that get a value, each time that they do, and those that are read.
    pub(crate) stored: Vec<(&'a str, &'a Expr)>,
    pub(crate) read: Vec<(&'a str, &'a Expr)>,
    /// The attributes that get a value: `name` of `self.name = …`.
    pub(crate) attributes: Vec<(&'a str, &'a Expr)>,
    class: Option<&'a str>,
}

impl<'a> Names<'a> {
    pub(crate) fn of(program: &'a Program<'a>) -> Self {
        let mut names = Self::default();
        names.visit_body(program.body());
        names
    }

    /// The first function or method of this name.
    pub(crate) fn function(&self, name: &str) -> Option<&'a StmtFunctionDef> {
        let mut found =
            self.functions.iter().filter(|(function, _)| function.name.as_str() == name);
        found.next().map(|(function, _)| *function)
    }

    pub(crate) fn class(&self, name: &str) -> Option<&'a StmtClassDef> {
        self.classes.iter().find(|class| class.name.as_str() == name).copied()
    }

    /// Whether the program gives this name a meaning.
    pub(crate) fn knows(&self, name: &str) -> bool {
        let is_attribute = self.attributes.iter().any(|(attribute, _)| *attribute == name);
        !self.is_pythons(name) || is_attribute
    }

    /// Whether a name of Python's own still stands for that.
    pub(crate) fn is_pythons(&self, name: &str) -> bool {
        let is_stored = self.stored.iter().any(|(stored, _)| *stored == name);
        let is_parameter = self.functions.iter().any(|(function, _)| {
            function.parameters.iter().any(|parameter| parameter.name().as_str() == name)
        });
        !is_stored
            && !is_parameter
            && self.function(name).is_none()
            && self.class(name).is_none()
            && !self.modules.contains_key(name)
            && !self.imported.contains_key(name)
    }

    /// Whether a method of this name is the program's own.
    pub(crate) fn has_method(&self, name: &str) -> bool {
        self.functions
            .iter()
            .any(|(function, class)| class.is_some() && function.name.as_str() == name)
    }
}

impl<'a> Visitor<'a> for Names<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        let outer = self.class;
        match stmt {
            Stmt::FunctionDef(function) => {
                self.functions.push((function, self.class));
                self.class = None;
            }
            Stmt::ClassDef(class) => {
                self.classes.push(class);
                self.class = Some(class.name.as_str());
            }
            Stmt::Import(import) => {
                for alias in &import.names {
                    let name = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
                    self.modules.insert(name, alias.name.as_str());
                }
            }
            Stmt::ImportFrom(import) => {
                let module = import.module.as_ref().map_or(".", |module| module.as_str());
                for alias in &import.names {
                    let name = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
                    self.imported.insert(name, module);
                }
            }
            _ => {}
        }
        walk_stmt(self, stmt);
        self.class = outer;
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        if let Expr::Name(name) = expr {
            let list = if name.ctx.is_store() { &mut self.stored } else { &mut self.read };
            list.push((name.id.as_str(), expr));
        }
        if let Expr::Attribute(attribute) = expr
            && attribute.ctx.is_store()
        {
            self.attributes.push((attribute.attr.as_str(), expr));
        }
        walk_expr(self, expr);
    }
}
