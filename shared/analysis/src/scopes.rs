//! Which names exist where: a function sees its own names, those of the functions around it, and the program's.

use std::collections::BTreeSet;

use ruff_python_ast::{
    Comprehension, Expr, Parameters, Pattern, Stmt,
    visitor::{Visitor, walk_expr, walk_pattern, walk_stmt},
};
use ruff_text_size::{Ranged, TextRange};

/// A name that is read where nothing gives it a value.
#[derive(Debug)]
pub(crate) struct Unknown<'a> {
    pub(crate) range: TextRange,
    /// A function that has a name of its own that is written the same way.
    pub(crate) elsewhere: Option<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Program,
    Function,
    /// Its names are not seen in its methods.
    Class,
}

#[derive(Debug)]
struct Scope<'a> {
    kind: Kind,
    name: &'a str,
    around: usize,
    bound: BTreeSet<&'a str>,
    read: Vec<(&'a str, TextRange)>,
}

/// The names that are read and neither bound in reach nor among `known`.
pub(crate) fn unknown<'a>(body: &'a [Stmt], known: &dyn Fn(&str) -> bool) -> Vec<Unknown<'a>> {
    let program = Scope {
        kind: Kind::Program,
        name: "",
        around: 0,
        bound: BTreeSet::new(),
        read: Vec::new(),
    };
    let mut reader = Reader { scopes: vec![program], at: 0 };
    reader.visit_body(body);
    let scopes = reader.scopes;
    let mut found = Vec::new();
    for (index, scope) in scopes.iter().enumerate() {
        for (name, range) in &scope.read {
            if !known(name) && !is_bound(&scopes, index, name) {
                let other = scopes.iter().find(|other| {
                    other.kind == Kind::Function
                        && !other.name.is_empty()
                        && other.bound.contains(name)
                });
                found.push(Unknown { range: *range, elsewhere: other.map(|other| other.name) });
            }
        }
    }
    found.sort_by_key(|unknown| unknown.range.start());
    found
}

/// Whether a name is bound in a scope or in one around it.
fn is_bound(scopes: &[Scope<'_>], from: usize, name: &str) -> bool {
    let mut at = from;
    loop {
        let scope = &scopes[at];
        if scope.bound.contains(name) && (scope.kind != Kind::Class || at == from) {
            return true;
        }
        if scope.kind == Kind::Program {
            return false;
        }
        at = scope.around;
    }
}

struct Reader<'a> {
    scopes: Vec<Scope<'a>>,
    at: usize,
}

impl<'a> Reader<'a> {
    fn bind(&mut self, name: &'a str) {
        self.scopes[self.at].bound.insert(name);
    }

    /// Reads something in a scope of its own.
    fn within(&mut self, kind: Kind, name: &'a str, read: impl FnOnce(&mut Self)) {
        let around = self.at;
        self.at = self.scopes.len();
        self.scopes.push(Scope { kind, name, around, bound: BTreeSet::new(), read: Vec::new() });
        read(self);
        self.at = around;
    }

    fn parameters(&mut self, parameters: &'a Parameters) {
        for parameter in parameters.iter() {
            self.bind(parameter.name().as_str());
        }
    }

    /// Defaults and types are worked out where the function is made.
    fn around_parameters(&mut self, parameters: &'a Parameters) {
        for parameter in parameters.iter() {
            if let Some(default) = parameter.default() {
                self.visit_expr(default);
            }
        }
    }

    fn comprehension(&mut self, generators: &'a [Comprehension], values: &[&'a Expr]) {
        self.within(Kind::Function, "", |reader| {
            for generator in generators {
                reader.visit_expr(&generator.iter);
                reader.visit_expr(&generator.target);
                for condition in &generator.ifs {
                    reader.visit_expr(condition);
                }
            }
            for value in values {
                reader.visit_expr(value);
            }
        });
    }

    /// A name that belongs to a scope further out: `global x` makes a name of the program.
    fn declare(&mut self, name: &'a str, is_global: bool) {
        if is_global {
            self.scopes[0].bound.insert(name);
        }
        self.bind(name);
    }
}

impl<'a> Visitor<'a> for Reader<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => {
                self.bind(function.name.as_str());
                for decorator in &function.decorator_list {
                    self.visit_expr(&decorator.expression);
                }
                self.around_parameters(&function.parameters);
                self.within(Kind::Function, function.name.as_str(), |reader| {
                    reader.parameters(&function.parameters);
                    reader.visit_body(&function.body);
                });
            }
            Stmt::ClassDef(class) => {
                self.bind(class.name.as_str());
                for decorator in &class.decorator_list {
                    self.visit_expr(&decorator.expression);
                }
                for base in class.arguments.iter().flat_map(|arguments| arguments.args.iter()) {
                    self.visit_expr(base);
                }
                self.within(Kind::Class, class.name.as_str(), |reader| {
                    reader.visit_body(&class.body);
                });
            }
            Stmt::Global(global) => {
                global.names.iter().for_each(|name| self.declare(name.as_str(), true));
            }
            Stmt::Nonlocal(nonlocal) => {
                nonlocal.names.iter().for_each(|name| self.declare(name.as_str(), false));
            }
            // Types are not always worked out.
            Stmt::AnnAssign(assignment) => {
                assignment.value.iter().for_each(|value| self.visit_expr(value));
                self.visit_expr(&assignment.target);
            }
            Stmt::TypeAlias(alias) => self.visit_expr(&alias.name),
            _ => {
                bound_by(stmt, &mut |name| self.bind(name));
                walk_stmt(self, stmt);
            }
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) if name.ctx.is_store() => self.bind(name.id.as_str()),
            Expr::Name(name) => self.scopes[self.at].read.push((name.id.as_str(), name.range())),
            Expr::Lambda(lambda) => {
                if let Some(parameters) = &lambda.parameters {
                    self.around_parameters(parameters);
                }
                self.within(Kind::Function, "", |reader| {
                    if let Some(parameters) = &lambda.parameters {
                        reader.parameters(parameters);
                    }
                    reader.visit_expr(&lambda.body);
                });
            }
            // `:=` in a comprehension makes a name of the function around it.
            Expr::Named(named) => {
                if let Expr::Name(name) = named.target.as_ref() {
                    let mut at = self.at;
                    while self.scopes[at].kind == Kind::Function && self.scopes[at].name.is_empty()
                    {
                        self.scopes[at].bound.insert(name.id.as_str());
                        at = self.scopes[at].around;
                    }
                    self.scopes[at].bound.insert(name.id.as_str());
                }
                self.visit_expr(&named.value);
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

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        captured(pattern, &mut |name| self.bind(name));
        walk_pattern(self, pattern);
    }
}

/// The names that a statement binds other than by an expression: imports and exceptions.
pub(crate) fn bound_by<'a>(stmt: &'a Stmt, bind: &mut dyn FnMut(&'a str)) {
    match stmt {
        Stmt::Import(import) => {
            for alias in &import.names {
                let whole = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
                bind(whole.split('.').next().unwrap_or(whole));
            }
        }
        Stmt::ImportFrom(import) => {
            for alias in &import.names {
                bind(alias.asname.as_ref().unwrap_or(&alias.name).as_str());
            }
        }
        Stmt::Try(attempt) => {
            let handlers =
                attempt.handlers.iter().filter_map(|handler| handler.as_except_handler());
            for name in handlers.filter_map(|handler| handler.name.as_ref()) {
                bind(name.as_str());
            }
        }
        _ => {}
    }
}

/// The name that a pattern of `match` gives a value.
pub(crate) fn captured<'a>(pattern: &'a Pattern, bind: &mut dyn FnMut(&'a str)) {
    let name = match pattern {
        Pattern::MatchAs(capture) => capture.name.as_ref(),
        Pattern::MatchStar(capture) => capture.name.as_ref(),
        Pattern::MatchMapping(mapping) => mapping.rest.as_ref(),
        _ => None,
    };
    if let Some(name) = name {
        bind(name.as_str());
    }
}
