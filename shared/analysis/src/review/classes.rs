//! Classes: how objects get their values, and what methods must give back.

use std::collections::{BTreeMap, BTreeSet};

use ruff_python_ast::{Expr, Stmt, StmtClassDef, StmtFunctionDef};

use super::{effects, finding::Findings};
use crate::tree::{self, All};

/// Ways to misspell `__init__` that Python takes for ordinary names.
const MISSPELLED: [&str; 6] = ["_init_", "__init_", "_init__", "__int__", "__intit__", "__inti__"];
/// Methods that must give a text back.
const TEXTS: [&str; 2] = ["__str__", "__repr__"];

/// What is known about the whole program.
struct Known<'a> {
    classes: BTreeMap<&'a str, &'a StmtClassDef>,
    /// Attributes that anything sets.
    set: BTreeSet<&'a str>,
    called: BTreeSet<&'a str>,
    /// Names of classes that others build on.
    bases: BTreeSet<&'a str>,
    /// What is looked up on names: `name.attribute`.
    looked_up: BTreeSet<(&'a str, &'a str)>,
    /// Whether attributes may be set in ways that cannot be seen.
    is_open: bool,
}

pub(super) fn check(findings: &mut Findings<'_, '_>) {
    let all = tree::all(findings.program.body());
    let found = || all.statements.iter().filter_map(|stmt| stmt.as_class_def_stmt());
    let attributes = || all.expressions.iter().filter_map(|expr| expr.as_attribute_expr());
    let bases = found().filter_map(|class| class.arguments.as_deref());
    let known = Known {
        classes: found().map(|class| (class.name.as_str(), class)).collect(),
        set: attributes()
            .filter(|attribute| attribute.ctx.is_store())
            .map(|attribute| attribute.attr.as_str())
            .collect(),
        called: all.expressions.iter().filter_map(|expr| tree::called(expr)).collect(),
        bases: bases.flat_map(|arguments| arguments.args.iter().filter_map(tree::name)).collect(),
        looked_up: attributes()
            .filter_map(|attribute| Some((tree::name(&attribute.value)?, attribute.attr.as_str())))
            .collect(),
        is_open: all.calls(&["setattr", "vars", "hasattr"])
            || findings.program.mentions("__dict__"),
    };
    for class in found() {
        for method in methods(class) {
            special(findings, &known, class, method);
        }
        never_set(findings, &known, class);
        shared(findings, class);
        missing_super(findings, &known, class);
    }
    on_class(findings, &known, &all);
}

fn methods(class: &StmtClassDef) -> impl Iterator<Item = &StmtFunctionDef> {
    class.body.iter().filter_map(|stmt| stmt.as_function_def_stmt())
}

fn special(
    findings: &mut Findings<'_, '_>,
    known: &Known<'_>,
    class: &StmtClassDef,
    method: &StmtFunctionDef,
) {
    let name = method.name.as_str();
    let own = tree::own(&method.body);
    let returned = || own.statements.iter().filter_map(|stmt| stmt.as_return_stmt());
    let value = returned()
        .find(|stmt| stmt.value.as_ref().is_some_and(|value| !value.is_none_literal_expr()));
    let is_generator = own.expressions.iter().any(|expr| expr.is_yield_expr());
    let parameters =
        method.parameters.iter().filter(|parameter| parameter.default().is_none()).count();
    if name == "__init__" {
        if let Some(value) = value {
            findings.add("init_returns_value", value, "`__init__` fills a new object and must not return anything: Python stops with a TypeError here.");
        }
    } else if MISSPELLED.contains(&name)
        && (name != "__int__" || parameters > 1)
        && !methods(class).any(|method| method.name.as_str() == "__init__")
    {
        let what = format!(
            "`{name}` is not `__init__`, so Python does not call it for a new `{}`.",
            class.name
        );
        findings.add("init_misspelled", &method.name, what);
    } else if method.name.id == class.name.id {
        let what =
            format!("`{name}` is an ordinary method here: a new `{name}` is filled by `__init__`.");
        findings.add("init_misspelled", &method.name, what);
    } else if TEXTS.contains(&name) && value.is_none() && !tree::ends(&method.body) && !is_generator
    {
        let what = format!("`{name}` must return a text, and this one returns None.");
        findings.add("text_method_prints", &method.name, what);
    } else if method.parameters.is_empty() && method.decorator_list.is_empty() {
        let by_class = known.looked_up.contains(&(class.name.as_str(), name));
        if !by_class {
            let what =
                format!("`{name}` has no `self`, so it cannot be called on a `{}`.", class.name);
            findings.add("missing_self", &method.name, what);
        }
    }
}

/// The attributes of `self` that a method reads or sets.
fn of_self(method: &StmtFunctionDef, is_set: bool) -> Vec<(&str, &Expr)> {
    let Some(own) = method.parameters.iter().next().map(|first| first.name().as_str()) else {
        return Vec::new();
    };
    let is_method = method.decorator_list.iter().all(|decorator| {
        !matches!(tree::name(&decorator.expression), Some("staticmethod" | "classmethod"))
    });
    let attributes = tree::all(&method.body).expressions.into_iter().filter_map(|expr| {
        let attribute = expr.as_attribute_expr()?;
        let is_own = is_method
            && tree::name(&attribute.value) == Some(own)
            && attribute.ctx.is_store() == is_set;
        is_own.then_some((attribute.attr.as_str(), expr))
    });
    attributes.collect()
}

/// The names that a class gives its objects by itself.
fn own_names(class: &StmtClassDef) -> BTreeSet<&str> {
    let mut names: BTreeSet<&str> = tree::own(&class.body).stored();
    for stmt in &class.body {
        match stmt {
            Stmt::FunctionDef(method) => {
                names.insert(&method.name);
            }
            Stmt::ClassDef(inner) => {
                names.insert(&inner.name);
            }
            Stmt::Import(import) => {
                names.extend(import.names.iter().map(|alias| alias.name.as_str()));
            }
            Stmt::ImportFrom(import) => {
                names.extend(import.names.iter().map(|alias| alias.name.as_str()));
            }
            _ => {}
        }
    }
    names
}

fn is_plain(class: &StmtClassDef) -> bool {
    let has_bases = class.arguments.as_ref().is_some_and(|arguments| {
        !arguments.keywords.is_empty()
            || arguments.args.iter().any(|base| tree::name(base) != Some("object"))
    });
    !has_bases && class.decorator_list.is_empty()
}

/// `self.name` where no object has a `name`.
fn never_set(findings: &mut Findings<'_, '_>, known: &Known<'_>, class: &StmtClassDef) {
    let own = own_names(class);
    let name = class.name.as_str();
    let is_open = known.is_open
        || ["__getattr__", "__getattribute__", "__slots__"].iter().any(|name| own.contains(name));
    if is_open || !is_plain(class) || known.bases.contains(name) || !known.called.contains(name) {
        return;
    }
    let mut told = BTreeSet::new();
    for method in methods(class) {
        for (name, place) in of_self(method, false) {
            let is_known = known.set.contains(name) || own.contains(name) || name.starts_with("__");
            if !is_known && told.insert(name) {
                let what = format!(
                    "No line sets `self.{name}`, so an object of `{}` has no `{name}`.",
                    class.name
                );
                findings.add("attribute_never_set", place, what);
            }
        }
    }
}

/// A list in the class that methods change.
fn shared(findings: &mut Findings<'_, '_>, class: &StmtClassDef) {
    for stmt in &class.body {
        let Stmt::Assign(assignment) = stmt else { continue };
        let Some(name) = assignment.targets.first().and_then(tree::name) else { continue };
        // Registers and tables of a class are meant to be shared.
        let is_meant = name.starts_with(|c: char| c == '_' || c.is_uppercase());
        if is_meant || !effects::is_new(&assignment.value) {
            continue;
        }
        let is_set =
            methods(class).any(|method| of_self(method, true).iter().any(|(set, _)| *set == name));
        let is_changed = methods(class).any(|method| {
            let own = method.parameters.iter().next().map(|first| first.name().as_str());
            let is_own = |expr: &Expr| {
                expr.as_attribute_expr().is_some_and(|attribute| {
                    attribute.attr.as_str() == name
                        && tree::name(&attribute.value) == own
                        && own == Some("self")
                })
            };
            tree::all(&method.body).expressions.iter().any(|expr| match expr {
                Expr::Call(call) => call.func.as_attribute_expr().is_some_and(|changed| {
                    effects::is_changing(&changed.attr) && is_own(&changed.value)
                }),
                Expr::Subscript(item) => item.ctx.is_store() && is_own(&item.value),
                _ => false,
            })
        });
        if is_changed && !is_set {
            let what = format!(
                "All objects of `{}` share one `{name}`: what one of them puts into it, all others have, too.",
                class.name
            );
            findings.add("shared_attribute", stmt, what);
        }
    }
}

/// A class whose `__init__` does not call that of its base, though its methods need what that sets.
fn missing_super(findings: &mut Findings<'_, '_>, known: &Known<'_>, class: &StmtClassDef) {
    let Some(arguments) = &class.arguments else { return };
    let [base] = &*arguments.args else { return };
    let Some(base) = tree::name(base).and_then(|base| known.classes.get(base)) else { return };
    let init = |class: &'_ StmtClassDef| {
        methods(class).find(|method| method.name.as_str() == "__init__").cloned()
    };
    let (Some(own_init), Some(base_init)) = (init(class), init(base)) else { return };
    let calls_base = tree::all(&own_init.body).expressions.iter().any(|expr| match expr {
        Expr::Name(name) => name.id.as_str() == "super" || name.id == base.name.id,
        _ => false,
    });
    if calls_base || !is_plain(base) {
        return;
    }
    let set: BTreeSet<&str> =
        methods(class).flat_map(|method| of_self(method, true)).map(|(name, _)| name).collect();
    let by_base = of_self(&base_init, true);
    let needed =
        methods(class).chain(methods(base).filter(|method| method.name.as_str() != "__init__"));
    let needed: BTreeSet<&str> =
        needed.flat_map(|method| of_self(method, false)).map(|(name, _)| name).collect();
    let missing = by_base.iter().map(|(name, _)| *name).find(|name| {
        needed.contains(name) && !set.contains(name) && !own_names(class).contains(name)
    });
    if let Some(missing) = missing {
        let what = format!(
            "`__init__` of `{}` never calls that of `{}`, so `self.{missing}` is not set. `super().__init__(...)` does it.",
            class.name, base.name
        );
        let place = methods(class)
            .find(|method| method.name.as_str() == "__init__")
            .map(|method| &method.name);
        if let Some(place) = place {
            findings.add("missing_super", place, what);
        }
    }
}

/// `Dog.bark()`, where `bark` needs a dog.
fn on_class(findings: &mut Findings<'_, '_>, known: &Known<'_>, all: &All<'_>) {
    for expr in &all.expressions {
        let Some(call) = expr.as_call_expr().filter(|call| call.arguments.is_empty()) else {
            continue;
        };
        let Some(called) = call.func.as_attribute_expr() else { continue };
        let Some(class) = tree::name(&called.value).and_then(|name| known.classes.get(name)) else {
            continue;
        };
        let needs_object = methods(class).any(|method| {
            method.name.as_str() == called.attr.as_str()
                && method.decorator_list.is_empty()
                && method.parameters.iter().next().is_some_and(|first| {
                    first.name().as_str() == "self" && first.default().is_none()
                })
        });
        if needs_object {
            let name = &class.name;
            let what = format!("`{name}` is the class, not an object of it: `{name}()` makes one.");
            findings.add("method_on_class", *expr, what);
        }
    }
}
