//! Which names have a value where they are read.

use std::collections::{BTreeMap, BTreeSet};

use ruff_python_ast::{
    Alias, Comprehension, ExceptHandler, Expr, ExprContext, ExprName, Parameters, Pattern, Stmt,
    TypeParam, TypeParams,
    visitor::{Visitor, walk_except_handler, walk_expr, walk_pattern, walk_stmt, walk_type_param},
};
use ruff_text_size::{Ranged, TextRange, TextSize};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Module,
    Function,
    Class,
    /// A comprehension or a lambda: its names are its own, and it may run later.
    Inner,
}

/// A place that gives a name a value: the name has it from `since` on.
#[derive(Debug, Clone, Copy)]
struct Binding {
    since: TextSize,
    /// The line or block that does it.
    stmt: TextRange,
}

struct Scope<'a> {
    kind: Kind,
    /// The function's or class's name.
    name: &'a str,
    around: usize,
    bound: BTreeMap<&'a str, Vec<Binding>>,
    declared: BTreeSet<&'a str>,
}

/// A name that is read.
#[derive(Debug, Clone, Copy)]
struct Read<'a> {
    name: &'a str,
    place: TextRange,
    scope: usize,
    stmt: TextRange,
    /// The outermost loop around it in its scope.
    repeat: Option<TextRange>,
}

/// All scopes of a program, and what is read in them.
pub(crate) struct Scopes<'a> {
    all: Vec<Scope<'a>>,
    reads: Vec<Read<'a>>,
    now: usize,
    stmt: TextRange,
    repeat: Option<TextRange>,
}

/// A name that has no value where it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Missing<'a> {
    pub(crate) name: &'a str,
    pub(crate) place: TextRange,
    pub(crate) why: Why<'a>,
    scope: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why<'a> {
    /// Nothing gives it a value.
    Nowhere,
    /// Only this function does, for itself.
    In(&'a str),
    /// It is an attribute of this class.
    OfClass(&'a str),
    /// The program's own lines do, but later.
    Later,
    /// The function does, but later.
    LaterHere,
}

impl<'a> Scopes<'a> {
    pub(crate) fn of(body: &'a [Stmt]) -> Self {
        let module = Scope::new(Kind::Module, "", 0);
        let start = TextRange::default();
        let mut scopes =
            Self { all: vec![module], reads: Vec::new(), now: 0, stmt: start, repeat: None };
        scopes.visit_body(body);
        scopes
    }

    /// The names without a value, each once in each scope.
    pub(crate) fn missing(&self, is_builtin: impl Fn(&str) -> bool) -> Vec<Missing<'a>> {
        let mut reported = BTreeSet::new();
        let mut found = self.all_missing(is_builtin);
        found.retain(|missing| {
            let scope = if missing.why == Why::LaterHere { missing.scope } else { 0 };
            reported.insert((missing.name, scope))
        });
        found
    }

    fn all_missing(&self, is_builtin: impl Fn(&str) -> bool) -> Vec<Missing<'a>> {
        let mut owners: BTreeMap<&str, &Scope<'a>> = BTreeMap::new();
        for scope in self.all.iter().filter(|scope| scope.kind != Kind::Inner) {
            for name in scope.bound.keys() {
                owners.entry(name).or_insert(scope);
            }
        }
        let missing = self.reads.iter().filter_map(|read| {
            let why = match self.lookup(read) {
                Some(scope) if scope == read.scope => self.comes_later(read, &is_builtin)?,
                Some(_) => return None,
                None if is_builtin(read.name) => return None,
                None => match owners.get(read.name) {
                    Some(owner) if owner.kind == Kind::Class => Why::OfClass(owner.name),
                    Some(owner) => Why::In(owner.name),
                    None => Why::Nowhere,
                },
            };
            Some(Missing { name: read.name, place: read.place, why, scope: read.scope })
        });
        missing.collect()
    }

    /// Why a name that is read at one of these places has no value there.
    pub(crate) fn why(&self, name: &str, is_there: impl Fn(TextRange) -> bool) -> Option<Why<'a>> {
        let is_meant = |missing: &&Missing<'a>| missing.name == name && is_there(missing.place);
        self.all_missing(|_| false).iter().find(is_meant).map(|missing| missing.why)
    }

    /// The scope in which a name gets its value.
    fn lookup(&self, read: &Read<'_>) -> Option<usize> {
        let mut at = read.scope;
        let mut is_direct = true;
        loop {
            let scope = &self.all[at];
            // A comprehension in a class may see its names, a method does not.
            let is_visible = is_direct || scope.kind != Kind::Class;
            is_direct &= scope.kind == Kind::Inner;
            if is_visible && scope.bound.contains_key(read.name) {
                return Some(at);
            }
            if scope.kind == Kind::Module {
                return None;
            }
            at = scope.around;
        }
    }

    /// Whether a name is read before anything in its own scope gives it a value.
    fn comes_later(&self, read: &Read<'_>, is_builtin: impl Fn(&str) -> bool) -> Option<Why<'a>> {
        let scope = &self.all[read.scope];
        let why = match scope.kind {
            Kind::Module if is_builtin(read.name) => return None,
            Kind::Module => Why::Later,
            Kind::Function => Why::LaterHere,
            Kind::Class | Kind::Inner => return None,
        };
        let may_come_first = |binding: &Binding| {
            // A later line of the same loop comes first from the second iteration on.
            let is_repeated = read.repeat.is_some_and(|range| range.contains_range(binding.stmt))
                && binding.stmt != read.stmt;
            binding.since <= read.place.start() || is_repeated
        };
        (!scope.bound[read.name].iter().any(may_come_first)).then_some(why)
    }

    fn read(&mut self, name: &'a ExprName) {
        self.reads.push(Read {
            name: &name.id,
            place: name.range,
            scope: self.now,
            stmt: self.stmt,
            repeat: self.repeat,
        });
    }

    fn bind(&mut self, name: &'a str, since: TextSize) {
        let binding = Binding { since, stmt: self.stmt };
        // A global name belongs to the program, and may get its value at any time.
        if self.all[self.now].declared.contains(name) {
            let always = Binding { since: TextSize::new(0), ..binding };
            self.all[0].bound.entry(name).or_default().push(always);
        } else {
            self.all[self.now].bound.entry(name).or_default().push(binding);
        }
    }

    fn within(&mut self, kind: Kind, name: &'a str, visit: impl FnOnce(&mut Self)) {
        let before = (self.now, self.stmt, self.repeat.take());
        self.all.push(Scope::new(kind, name, self.now));
        self.now = self.all.len() - 1;
        visit(self);
        (self.now, self.stmt, self.repeat) = before;
    }

    fn bind_parameters(&mut self, parameters: &'a Parameters) {
        for parameter in parameters {
            self.bind(parameter.name().as_str(), TextSize::new(0));
        }
    }

    fn visit_defaults(&mut self, parameters: &'a Parameters) {
        for default in parameters.iter().filter_map(|parameter| parameter.default()) {
            self.visit_expr(default);
        }
    }

    fn visit_comprehended(&mut self, generators: &'a [Comprehension], parts: &[&'a Expr]) {
        self.within(Kind::Inner, "", |inner| {
            for generator in generators {
                inner.visit_comprehension(generator);
            }
            for part in parts {
                inner.visit_expr(part);
            }
        });
    }

    fn visit_definition(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => {
                function
                    .decorator_list
                    .iter()
                    .for_each(|decorator| self.visit_decorator(decorator));
                self.visit_defaults(&function.parameters);
                self.bind(&function.name, stmt.start());
                self.within(Kind::Function, &function.name, |inside| {
                    inside.declare(&function.body);
                    inside.bind_parameters(&function.parameters);
                    inside.visit_own_types(function.type_params.as_deref());
                    inside.visit_body(&function.body);
                });
            }
            Stmt::ClassDef(class) => {
                class.decorator_list.iter().for_each(|decorator| self.visit_decorator(decorator));
                // Unlike the names of a class, its type parameters are visible in its methods.
                let arguments = class.arguments.as_deref();
                if let Some(arguments) = arguments.filter(|_| class.type_params.is_none()) {
                    self.visit_arguments(arguments);
                }
                self.within(Kind::Inner, "", |around| {
                    around.visit_own_types(class.type_params.as_deref());
                    if let Some(arguments) = arguments.filter(|_| class.type_params.is_some()) {
                        around.visit_arguments(arguments);
                    }
                    around
                        .within(Kind::Class, &class.name, |inside| inside.visit_body(&class.body));
                });
                self.bind(&class.name, stmt.start());
            }
            _ => {}
        }
    }

    fn visit_own_types(&mut self, types: Option<&'a TypeParams>) {
        if let Some(types) = types {
            self.visit_type_params(types);
        }
    }

    /// A `global` line holds for the whole function, wherever it stands.
    fn declare(&mut self, body: &'a [Stmt]) {
        for stmt in crate::tree::own(body).statements {
            let names = match stmt {
                Stmt::Global(declared) => &declared.names,
                Stmt::Nonlocal(declared) => &declared.names,
                _ => continue,
            };
            self.all[self.now].declared.extend(names.iter().map(|name| name.as_str()));
        }
    }
}

impl<'a> Scope<'a> {
    const fn new(kind: Kind, name: &'a str, around: usize) -> Self {
        Self { kind, name, around, bound: BTreeMap::new(), declared: BTreeSet::new() }
    }
}

impl<'a> Visitor<'a> for Scopes<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        let before = self.stmt;
        self.stmt = stmt.range();
        match stmt {
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => self.visit_definition(stmt),
            Stmt::For(_) | Stmt::While(_) => {
                let before = self.repeat;
                self.repeat = before.or_else(|| Some(stmt.range()));
                walk_stmt(self, stmt);
                self.repeat = before;
            }
            // A note of a type gives no value.
            Stmt::AnnAssign(note) if note.value.is_none() => {
                if let Expr::Name(name) = &*note.target
                    && self.all[self.now].kind == Kind::Class
                {
                    self.bind(&name.id, stmt.start());
                }
            }
            Stmt::AugAssign(change) => {
                if let Expr::Name(name) = &*change.target {
                    self.read(name);
                }
                walk_stmt(self, stmt);
            }
            Stmt::TypeAlias(alias) => {
                self.within(Kind::Inner, "", |inner| {
                    inner.visit_own_types(alias.type_params.as_deref());
                    inner.visit_expr(&alias.value);
                });
                self.visit_expr(&alias.name);
            }
            _ => walk_stmt(self, stmt),
        }
        self.stmt = before;
    }

    // Python looks at annotations only when somebody asks for them.
    fn visit_annotation(&mut self, _: &'a Expr) {}

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) => match name.ctx {
                ExprContext::Store => {
                    // The value on the right is there first.
                    let is_assigned = self.stmt.start() == name.start();
                    let since = if is_assigned { self.stmt.end() } else { name.start() };
                    self.bind(&name.id, since);
                }
                _ => self.read(name),
            },
            Expr::Lambda(lambda) => {
                if let Some(parameters) = &lambda.parameters {
                    self.visit_defaults(parameters);
                }
                self.within(Kind::Inner, "", |inner| {
                    if let Some(parameters) = &lambda.parameters {
                        inner.bind_parameters(parameters);
                    }
                    inner.visit_expr(&lambda.body);
                });
            }
            Expr::ListComp(comp) => self.visit_comprehended(&comp.generators, &[&comp.elt]),
            Expr::SetComp(comp) => self.visit_comprehended(&comp.generators, &[&comp.elt]),
            Expr::Generator(comp) => self.visit_comprehended(&comp.generators, &[&comp.elt]),
            Expr::DictComp(comp) => {
                let key = comp.key.as_deref();
                let parts: Vec<&'a Expr> = key.into_iter().chain([&*comp.value]).collect();
                self.visit_comprehended(&comp.generators, &parts);
            }
            Expr::Named(named) => {
                self.visit_expr(&named.value);
                // In a comprehension it is a name of the code around it.
                let mut around = self.now;
                while self.all[around].kind == Kind::Inner {
                    around = self.all[around].around;
                }
                let before = std::mem::replace(&mut self.now, around);
                self.visit_expr(&named.target);
                self.now = before;
            }
            _ => walk_expr(self, expr),
        }
    }

    fn visit_alias(&mut self, alias: &'a Alias) {
        let whole = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
        self.bind(whole.split('.').next().unwrap_or(whole), alias.start());
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(of) = handler;
        if let Some(name) = &of.name {
            self.bind(name.as_str(), of.start());
        }
        walk_except_handler(self, handler);
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        captured(pattern, &mut |name| self.bind(name, pattern.start()));
        walk_pattern(self, pattern);
    }

    fn visit_type_param(&mut self, param: &'a TypeParam) {
        self.bind(param.name().as_str(), TextSize::new(0));
        walk_type_param(self, param);
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
