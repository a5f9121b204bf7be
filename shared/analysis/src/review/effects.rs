//! Which functions do nothing but give a value back.

use std::collections::{BTreeMap, BTreeSet};

use ruff_python_ast::{Expr, Stmt};

use super::area::Area;
use crate::tree;

/// Built-ins that change nothing.
const LOOKING: &str = "abs all any ascii bin bool chr complex dict divmod enumerate filter float format frozenset \
hasattr hash hex int isinstance issubclass len list map max min oct ord pow range repr reversed round set sorted str \
sum tuple type zip defaultdict Counter deque sqrt floor ceil log sin cos tan";
/// Methods of built-in types that change nothing.
const ASKING: &str = "capitalize casefold center copy count difference endswith find format get index intersection \
isalnum isalpha isascii isdecimal isdigit islower isnumeric isspace issubset issuperset istitle isupper items join \
keys ljust lower lstrip most_common partition replace rfind rindex rjust rpartition rsplit rstrip split splitlines \
startswith strip swapcase title translate union upper values zfill sqrt floor ceil log sin cos tan";
/// Methods that change a collection.
const CHANGING: &str = "add append appendleft clear discard extend insert pop popitem popleft remove reverse \
setdefault sort update";
/// Rounds in which it is found out: a longer chain of functions that call each other is left alone.
const ROUNDS: usize = 20;

/// What is known about the functions of a program, by their names.
pub(super) struct Functions<'r, 'a> {
    by_name: BTreeMap<&'a str, &'r Area<'a>>,
    pure: BTreeSet<&'a str>,
    /// The functions whose values are used, not only called on lines of their own.
    used: BTreeSet<&'a str>,
    /// All names of functions, methods and attributes.
    defined: BTreeSet<&'a str>,
}

impl<'r, 'a> Functions<'r, 'a> {
    pub(super) fn of(areas: &'r [Area<'a>]) -> Self {
        let mut by_name = BTreeMap::new();
        let mut twice = BTreeSet::new();
        for area in areas.iter().filter(|area| area.function.is_some() && !area.is_method) {
            if by_name.insert(area.name(), area).is_some() {
                twice.insert(area.name());
            }
        }
        let lines: BTreeSet<*const Expr> = areas
            .iter()
            .flat_map(|area| &area.own.statements)
            .filter_map(|stmt| stmt.as_expr_stmt())
            .map(|line| std::ptr::from_ref(&*line.value))
            .collect();
        let used = areas.iter().flat_map(|area| &area.own.expressions);
        let used = used.filter(|expr| !lines.contains(&std::ptr::from_ref(**expr)));
        let used = used.filter_map(|expr| tree::name(&expr.as_call_expr()?.func)).collect();
        let attributes = areas.iter().flat_map(|area| &area.own.expressions);
        let attributes = attributes.filter_map(|expr| expr.as_attribute_expr());
        let attributes = attributes.filter(|attribute| attribute.ctx.is_store());
        let named = areas.iter().map(Area::name);
        let defined = attributes.map(|attribute| attribute.attr.as_str()).chain(named).collect();
        by_name.retain(|name, _| !twice.contains(name));
        let mut pure: BTreeSet<&str> = by_name.keys().copied().collect();
        for _ in 0..ROUNDS {
            let before = pure.len();
            let acting: Vec<&str> =
                pure.iter().copied().filter(|name| acts(by_name[name], &pure)).collect();
            pure.retain(|name| !acting.contains(name));
            if pure.len() == before {
                return Self { by_name, pure, used, defined };
            }
        }
        Self { by_name, pure: BTreeSet::new(), used, defined }
    }

    /// The only function of this name.
    pub(super) fn get(&self, name: &str) -> Option<&'r Area<'a>> {
        self.by_name.get(name).copied()
    }

    /// Whether the program has a function, a method or an attribute of this name.
    pub(super) fn defines(&self, name: &str) -> bool {
        self.defined.contains(name)
    }

    /// Whether a call of it is more than a line of its own.
    pub(super) fn is_used(&self, name: &str) -> bool {
        self.used.contains(name)
    }

    /// Whether calling it changes nothing.
    pub(super) fn is_pure(&self, name: &str) -> bool {
        self.pure.contains(name)
    }

    /// The name of the function that a call is of, if it gives a value back.
    pub(super) fn gives_value(&self, expr: &Expr) -> Option<&'a str> {
        let name = tree::name(&expr.as_call_expr()?.func)?;
        let area = self.get(name)?;
        (area.returns_value() && !area.is_generator()).then(|| area.name())
    }
}

fn has(words: &str, word: &str) -> bool {
    words.split(' ').any(|known| known == word)
}

/// Whether a method changes a collection.
pub(super) fn is_changing(method: &str) -> bool {
    has(CHANGING, method)
}

/// Whether a method of a built-in type changes nothing.
pub(super) fn is_asking(method: &str) -> bool {
    has(ASKING, method)
}

/// Whether a call of this built-in changes nothing.
pub(super) fn is_looking(name: &str) -> bool {
    has(LOOKING, name)
}

/// Whether a name holds something that was made in this area.
pub(super) fn is_fresh(area: &Area<'_>, name: &str) -> bool {
    area.is_local(name) && area.only_value(name).is_some_and(is_new)
}

/// Whether an expression makes a new collection.
pub(super) fn is_new(expr: &Expr) -> bool {
    match expr {
        Expr::List(_) | Expr::Dict(_) | Expr::Set(_) => true,
        Expr::ListComp(_) | Expr::DictComp(_) | Expr::SetComp(_) => true,
        Expr::Call(call) => {
            matches!(
                tree::called(expr),
                Some(
                    "list"
                        | "dict"
                        | "set"
                        | "sorted"
                        | "split"
                        | "copy"
                        | "defaultdict"
                        | "Counter"
                )
            ) && call.func.as_name_expr().is_none_or(|name| is_looking(&name.id))
        }
        Expr::BinOp(operation) => {
            is_new(&operation.left) && operation.right.is_number_literal_expr()
        }
        _ => false,
    }
}

/// The name at the beginning of `name[...].x`.
pub(super) fn root(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Name(name) => Some(&name.id),
        Expr::Subscript(item) => root(&item.value),
        Expr::Attribute(attribute) => root(&attribute.value),
        _ => None,
    }
}

/// Whether a function does anything but give a value back.
fn acts(area: &Area<'_>, pure: &BTreeSet<&str>) -> bool {
    let is_own = |expr: &Expr| root(expr).is_some_and(|name| is_fresh(area, name));
    let by_line = area.own.statements.iter().any(|stmt| {
        matches!(
            stmt,
            Stmt::Raise(_)
                | Stmt::Assert(_)
                | Stmt::Delete(_)
                | Stmt::With(_)
                | Stmt::Import(_)
                | Stmt::ImportFrom(_)
                | Stmt::Try(_)
                | Stmt::ClassDef(_)
        )
    });
    let is_async = area.function.is_some_and(|function| function.is_async);
    by_line
        || is_async
        || !area.declared.is_empty()
        || area.own.expressions.iter().any(|expr| match expr {
            Expr::Yield(_) | Expr::YieldFrom(_) | Expr::Await(_) => true,
            Expr::Attribute(attribute) if attribute.ctx.is_store() => true,
            Expr::Subscript(item) if item.ctx.is_store() => !is_own(&item.value),
            Expr::Call(call) => match &*call.func {
                Expr::Name(name) => !is_looking(&name.id) && !pure.contains(name.id.as_str()),
                Expr::Attribute(method) => {
                    let changes_own = is_changing(&method.attr) && is_own(&method.value);
                    !(has(ASKING, &method.attr) || changes_own)
                }
                _ => true,
            },
            _ => false,
        })
}
