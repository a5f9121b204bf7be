//! Names that have no value, are not used, or shadow another.

use std::collections::BTreeSet;

use ruff_python_ast::{Parameters, Stmt};
use ruff_text_size::Ranged;

use crate::{
    Unset,
    scopes::{Missing, Scopes, Why},
};

use super::{area::Area, effects::Functions, finding::Findings, results};
use crate::tree::{self, All};

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

pub(super) fn check(
    findings: &mut Findings<'_, '_>,
    areas: &[Area<'_>],
    functions: &Functions<'_, '_>,
) {
    let program = findings.program;
    let all = tree::all(program.body());
    undefined(findings, &all, areas, functions);
    no_value(findings, &all);
    shadowed(findings, &all);
    unused_imports(findings, &all);
    for function in all.functions() {
        let own = tree::own(&function.body);
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
    not_global(findings, areas);
    styles(findings, &all);
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

/// A function that assigns a name of the program, and only makes one of its own.
fn not_global(findings: &mut Findings<'_, '_>, areas: &[Area<'_>]) {
    let Some((program, functions)) = areas.split_first() else { return };
    for area in functions {
        for stmt in &area.own.statements {
            let Stmt::Assign(assignment) = stmt else { continue };
            let Some(name) = assignment.targets.first().and_then(tree::name) else { continue };
            let is_meant = program.is_local(name) && program.is_read_after(name, stmt.end());
            if is_meant && area.is_local(name) && !area.is_parameter(name) && !area.is_read(name) {
                let what = format!(
                    "This makes a new `{name}` inside `{}`: the `{name}` outside stays as it is.",
                    area.name()
                );
                findings.add("not_global", stmt, what);
            }
        }
    }
}

/// Names without a value where they are read.
fn undefined(
    findings: &mut Findings<'_, '_>,
    all: &All<'_>,
    areas: &[Area<'_>],
    functions: &Functions<'_, '_>,
) {
    let is_expected = all
        .expressions
        .iter()
        .any(|expr| matches!(tree::name(expr), Some("NameError" | "UnboundLocalError")));
    if makes_unseen_names(all) || is_expected {
        return;
    }
    // A note of a type without a value has a finding of its own.
    let notes = all.statements.iter().filter_map(|stmt| stmt.as_ann_assign_stmt());
    let noted: BTreeSet<&str> = notes
        .filter(|note| note.value.is_none())
        .filter_map(|note| tree::name(&note.target))
        .collect();
    let forgotten = results::forgotten(areas, functions);
    let is_builtin = |name: &str| BUILTINS.split(' ').any(|builtin| builtin == name);
    for Missing { name, place, why, .. } in Scopes::of(findings.program.body()).missing(is_builtin)
    {
        if why == Why::Nowhere && noted.contains(name) {
            continue;
        }
        let (rule, what) = match why {
            Why::Nowhere => match results::last_before(&forgotten, areas, place) {
                Some(results::Forgotten { name: call, .. }) => (
                    "result_not_stored",
                    format!(
                        "`{call}(...)` gives a value back, and no line stores it: `{name}` gets none by itself."
                    ),
                ),
                None => (
                    "undefined_name",
                    format!(
                        "`{name}` never gets a value here. Is it spelled the same way everywhere, or is the line that \
                         sets it missing from what you sent?"
                    ),
                ),
            },
            Why::In(function) => (
                "undefined_name",
                format!("`{name}` only has a value inside `{function}`, and not on this line."),
            ),
            Why::OfClass(class) => (
                "undefined_name",
                format!(
                    "`{name}` belongs to the class `{class}`: here it needs its object, as in `self.{name}`."
                ),
            ),
            Why::Later => (
                "undefined_name",
                format!(
                    "`{name}` has no value yet when this line uses it: it gets one further down."
                ),
            ),
            Why::LaterHere => (
                "local_before_value",
                format!(
                    "`{name}` is assigned in this function, so it is a name of its own here, and it has no value yet on this line."
                ),
            ),
        };
        findings.add(rule, place, what);
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

/// Names that are read before they get a value, or that may not have got one.
fn no_value(findings: &mut Findings<'_, '_>, all: &All<'_>) {
    if makes_unseen_names(all) {
        return;
    }
    let program = findings.program;
    for unbound in program.unbound() {
        let (name, is_global) = (unbound.name, unbound.function.is_none());
        if is_global && BUILTINS.split(' ').any(|builtin| builtin == name) {
            continue;
        }
        let message = match unbound.why {
            // Found with the names that never have a value.
            Unset::Later => continue,
            Unset::Loop(line) => format!(
                "`{name}` has no value here if the loop on line {line} never reaches the line that gives it one."
            ),
            Unset::Branch(line) => {
                format!("`{name}` gets a value only in some branches of line {line}.")
            }
            Unset::Attempt(line) => format!(
                "`{name}` has no value here if the `try` on line {line} fails before it gets one."
            ),
            Unset::Deleted(line) => format!("`{name}` is deleted on line {line}."),
        };
        findings.add("maybe_no_value", unbound.range, message);
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
