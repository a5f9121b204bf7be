//! Names that have no value, are not used, or shadow another.

use std::collections::{BTreeMap, BTreeSet};

use ruff_python_ast::{Expr, Parameters, Pattern, Stmt, visitor::Visitor};
use ruff_text_size::Ranged;

use super::{
    finding::Findings,
    tree::{self, All},
};

/// Names that every program has without an import (CPython 3.14, `dir(builtins)` and a module's own names).
const BUILTINS: &str = "ArithmeticError AssertionError AttributeError BaseException BaseExceptionGroup \
BlockingIOError BrokenPipeError BufferError BytesWarning ChildProcessError ConnectionAbortedError \
ConnectionError ConnectionRefusedError ConnectionResetError DeprecationWarning EOFError Ellipsis \
EncodingWarning EnvironmentError Exception ExceptionGroup False FileExistsError FileNotFoundError \
FloatingPointError FutureWarning GeneratorExit IOError ImportError ImportWarning IndentationError IndexError \
InterruptedError IsADirectoryError KeyError KeyboardInterrupt LookupError MemoryError ModuleNotFoundError \
NameError None NotADirectoryError NotImplemented NotImplementedError OSError OverflowError \
PendingDeprecationWarning PermissionError ProcessLookupError PythonFinalizationError RecursionError \
ReferenceError ResourceWarning RuntimeError RuntimeWarning StopAsyncIteration StopIteration SyntaxError \
SyntaxWarning SystemError SystemExit TabError TimeoutError True TypeError UnboundLocalError \
UnicodeDecodeError UnicodeEncodeError UnicodeError UnicodeTranslateError UnicodeWarning UserWarning \
ValueError Warning ZeroDivisionError __annotations__ __builtins__ __debug__ __doc__ __file__ __import__ \
__loader__ __name__ __package__ __spec__ __class__ __module__ __qualname__ __dict__ abs aiter all anext any \
ascii bin bool breakpoint bytearray bytes callable chr classmethod compile complex copyright credits delattr \
dict dir divmod enumerate eval exec exit filter float format frozenset getattr globals hasattr hash help hex \
id input int isinstance issubclass iter len license list locals map max memoryview min next object oct open \
ord pow print property quit range repr reversed round set setattr slice sorted staticmethod str sum super \
tuple type vars zip _";

/// Built-ins that beginners use as names of their own, and miss afterwards.
const MISSED: [&str; 12] =
    ["list", "dict", "str", "set", "int", "float", "sum", "max", "min", "len", "input", "print"];

pub(super) fn check(findings: &mut Findings<'_, '_>) {
    let program = findings.program;
    let all = tree::all(program.body());
    let bound = bound(&all);
    undefined(findings, &all, &bound);
    global_self_references(findings, &all);
    shadowed(findings, &all);
    unused_imports(findings, &all);
    for function in all.functions() {
        let own = tree::own(&function.body);
        local_before_value(findings, &own, &function.parameters);
        local_self_references(findings, &own, &function.parameters);
        let inside = tree::all(&function.body);
        let read = inside.read();
        let declared = declared(&inside);
        for stmt in &own.statements {
            let Some(assignment) = stmt.as_assign_stmt() else { continue };
            let [target] = assignment.targets.as_slice() else { continue };
            if let Some(name) = tree::name(target)
                && !read.contains(name)
                && !declared.contains(name)
                && !name.starts_with('_')
            {
                findings.add(
                    "unused_variable",
                    target,
                    format!("`{name}` gets a value that nothing uses."),
                );
            }
        }
    }
    styles(findings, &all);
}

/// Every name that is assigned anywhere: reading another one is a `NameError`.
fn bound<'a>(all: &All<'a>) -> BTreeSet<&'a str> {
    let mut names = all.stored();
    for stmt in &all.statements {
        match stmt {
            Stmt::FunctionDef(function) => {
                names.insert(function.name.as_str());
                names.extend(parameters(&function.parameters));
            }
            Stmt::ClassDef(class) => {
                names.insert(class.name.as_str());
            }
            Stmt::Import(import) => names.extend(import.names.iter().map(|alias| {
                let whole = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
                whole.split('.').next().unwrap_or(whole)
            })),
            Stmt::ImportFrom(import) => names.extend(
                import
                    .names
                    .iter()
                    .map(|alias| alias.asname.as_ref().unwrap_or(&alias.name).as_str()),
            ),
            Stmt::Global(global) => names.extend(global.names.iter().map(|name| name.as_str())),
            Stmt::Try(attempt) => {
                let handlers =
                    attempt.handlers.iter().filter_map(|handler| handler.as_except_handler());
                names.extend(
                    handlers.filter_map(|handler| handler.name.as_ref()).map(|n| n.as_str()),
                );
            }
            Stmt::Match(choice) => {
                let mut captures = Captures(&mut names);
                for case in &choice.cases {
                    captures.visit_pattern(&case.pattern);
                }
            }
            _ => {}
        }
    }
    for expr in &all.expressions {
        if let Expr::Lambda(lambda) = expr
            && let Some(parameters_of) = &lambda.parameters
        {
            names.extend(parameters(parameters_of));
        }
    }
    names
}

struct Captures<'s, 'a>(&'s mut BTreeSet<&'a str>);

impl<'a> Visitor<'a> for Captures<'_, 'a> {
    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        let name = match pattern {
            Pattern::MatchAs(capture) => capture.name.as_ref(),
            Pattern::MatchStar(capture) => capture.name.as_ref(),
            Pattern::MatchMapping(mapping) => mapping.rest.as_ref(),
            _ => None,
        };
        self.0.extend(name.map(|name| name.as_str()));
        ruff_python_ast::visitor::walk_pattern(self, pattern);
    }
}

pub(super) fn parameters(parameters: &Parameters) -> impl Iterator<Item = &str> {
    parameters.iter().map(|parameter| parameter.name().as_str())
}

/// Whether there may be names that are not visible in the source.
fn makes_unseen_names(all: &All<'_>) -> bool {
    let imports_all = all.statements.iter().any(|stmt| {
        stmt.as_import_from_stmt().is_some_and(|i| i.names.iter().any(|alias| &*alias.name == "*"))
    });
    imports_all || all.calls(&["exec", "eval", "globals", "locals", "vars", "setattr"])
}

fn undefined(findings: &mut Findings<'_, '_>, all: &All<'_>, bound: &BTreeSet<&str>) {
    if makes_unseen_names(all) {
        return;
    }
    let mut reported = BTreeSet::new();
    for expr in &all.expressions {
        let Some(name) = tree::name(expr) else { continue };
        let is_known = bound.contains(name) || BUILTINS.split(' ').any(|builtin| builtin == name);
        if !is_known && reported.insert(name) {
            findings.add(
                "undefined_name",
                *expr,
                format!("`{name}` never gets a value. Is it spelled the same way everywhere?"),
            );
        }
    }
}

fn shadowed(findings: &mut Findings<'_, '_>, all: &All<'_>) {
    let mut reported = BTreeSet::new();
    for expr in &all.expressions {
        let stored = expr.as_name_expr().filter(|name| name.ctx.is_store());
        if let Some(name) = stored.map(|name| name.id.as_str())
            && MISSED.contains(&name)
            && reported.insert(name)
        {
            findings.add(
                "shadowed_builtin",
                *expr,
                format!("`{name}` is the name of a built-in, and now it is your variable."),
            );
        }
    }
}

fn unused_imports(findings: &mut Findings<'_, '_>, all: &All<'_>) {
    let read = all.read();
    for stmt in &all.statements {
        let aliases = match stmt {
            Stmt::Import(import) => &import.names,
            Stmt::ImportFrom(import) if import.module.as_deref() != Some("__future__") => {
                &import.names
            }
            _ => continue,
        };
        for alias in aliases {
            let whole = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
            let name = whole.split('.').next().unwrap_or(whole);
            if name != "*" && !read.contains(name) {
                findings.add("unused_import", alias, format!("`{name}` is imported and not used."));
            }
        }
    }
}

fn declared<'a>(all: &All<'a>) -> BTreeSet<&'a str> {
    let names = all.statements.iter().filter_map(|stmt| match stmt {
        Stmt::Global(declared) => Some(&declared.names),
        Stmt::Nonlocal(declared) => Some(&declared.names),
        _ => None,
    });
    names.flatten().map(|name| name.as_str()).collect()
}

/// `count += 1` where nothing else in the function assigns `count`.
fn local_before_value(findings: &mut Findings<'_, '_>, own: &All<'_>, of: &Parameters) {
    let declared = declared(own);
    let mut given: BTreeSet<&str> = parameters(of).collect();
    let mut added = Vec::new();
    let mut targets = BTreeSet::new();
    for stmt in &own.statements {
        if let Stmt::AugAssign(assignment) = stmt
            && let Some(name) = tree::name(&assignment.target)
        {
            added.push((name, *stmt));
            targets.insert(std::ptr::from_ref(assignment.target.as_ref()));
        }
    }
    let stored =
        own.expressions.iter().filter(|expr| !targets.contains(&std::ptr::from_ref(**expr)));
    given.extend(
        stored
            .filter_map(|expr| expr.as_name_expr())
            .filter(|name| name.ctx.is_store())
            .map(|n| n.id.as_str()),
    );
    let mut reported = BTreeSet::new();
    for (name, stmt) in added {
        if !given.contains(name) && !declared.contains(name) && reported.insert(name) {
            findings.add(
                "local_before_value",
                stmt,
                format!("`{name}` has no value in this function before something is added to it."),
            );
        }
    }
}

/// The assignments that give a name its first value by reading that name, in the order of the text.
fn first_self_references<'a>(own: &All<'a>) -> Vec<(&'a str, &'a Stmt)> {
    let mut first = BTreeMap::new();
    let stored = own.expressions.iter().filter_map(|expr| expr.as_name_expr());
    let stored =
        stored.filter(|name| name.ctx.is_store()).map(|name| (name.id.as_str(), name.start()));
    let defined = own.statements.iter().flat_map(|stmt| {
        let only = All { statements: vec![*stmt], expressions: Vec::new() };
        bound(&only).into_iter().map(|name| (name, stmt.start()))
    });
    for (name, start) in stored.chain(defined) {
        let known = first.entry(name).or_insert(start);
        *known = start.min(*known);
    }
    let found = own.statements.iter().filter_map(|stmt| {
        let assignment = stmt.as_assign_stmt()?;
        let [target] = assignment.targets.as_slice() else { return None };
        let name = tree::name(target)?;
        let value = All::of_expr(&assignment.value);
        // A comprehension or a lambda has names of its own.
        let is_its_own = value.stored().contains(name)
            || value.expressions.iter().any(|expr| expr.is_lambda_expr());
        let reads = value.read().contains(name) && !is_its_own;
        (reads && first.get(name) == Some(&target.start())).then_some((name, *stmt))
    });
    found.collect()
}

/// `total = total + 1` in the program itself, where `total` has no value yet.
fn global_self_references(findings: &mut Findings<'_, '_>, all: &All<'_>) {
    let own = tree::own(findings.program.body());
    let declared = declared(all);
    if makes_unseen_names(all) {
        return;
    }
    for (name, stmt) in first_self_references(&own) {
        let is_known = declared.contains(name) || BUILTINS.split(' ').any(|known| known == name);
        if !is_known {
            findings.add(
                "undefined_name",
                stmt,
                format!("`{name}` has no value yet when this line uses it. Is it spelled the same way everywhere?"),
            );
        }
    }
}

/// The same in a function.
fn local_self_references(findings: &mut Findings<'_, '_>, own: &All<'_>, of: &Parameters) {
    let declared = declared(own);
    for (name, stmt) in first_self_references(own) {
        if !declared.contains(name) && !parameters(of).any(|parameter| parameter == name) {
            findings.add(
                "local_before_value",
                stmt,
                format!("`{name}` has no value in this function when this line uses it."),
            );
        }
    }
}

fn styles(findings: &mut Findings<'_, '_>, all: &All<'_>) {
    let mut reported = BTreeSet::new();
    for stmt in &all.statements {
        match stmt {
            Stmt::FunctionDef(function) if is_camel(&function.name) => {
                findings.add(
                    "name_style",
                    &function.name,
                    format!("The function `{}` is not in lower case.", &function.name),
                );
            }
            Stmt::ClassDef(class) if class.name.starts_with(|c: char| c.is_ascii_lowercase()) => {
                findings.add(
                    "name_style",
                    &class.name,
                    format!("The class `{}` does not begin with a capital letter.", &class.name),
                );
            }
            _ => {}
        }
    }
    for expr in &all.expressions {
        let stored = expr.as_name_expr().filter(|name| name.ctx.is_store());
        let Some(name) = stored.map(|name| name.id.as_str()) else { continue };
        if matches!(name, "l" | "O" | "I") && reported.insert(name) {
            findings.add("ambiguous_name", *expr, format!("The name `{name}` is easily misread."));
        } else if is_camel(name) && reported.insert(name) {
            findings.add(
                "name_style",
                *expr,
                format!("The variable `{name}` is not in lower case."),
            );
        }
    }
}

/// `camelCase`; not `CapWords`, which may be a class in a variable, and not `CONSTANTS`.
fn is_camel(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().any(|c| c.is_ascii_uppercase())
}
