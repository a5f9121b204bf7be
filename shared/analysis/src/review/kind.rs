//! The kinds of values that names have, where they are certain.

use std::collections::BTreeSet;

use ruff_python_ast::{Expr, ExprContext, Number};

use super::{
    area::Area,
    effects::{self, Functions},
};
use crate::tree;

/// Names of names that are followed.
const NAMES: usize = 2;
/// A name with more values has no certain kind.
const MANY_VALUES: usize = 8;
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Whole,
    Fraction,
    Text,
    List,
    Dict,
    Set,
    Tuple,
}

impl Kind {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Whole | Self::Fraction => "a number",
            Self::Text => "text",
            Self::List => "a list",
            Self::Dict => "a dictionary",
            Self::Set => "a set",
            Self::Tuple => "a tuple",
        }
    }

    pub(super) const fn is_number(self) -> bool {
        matches!(self, Self::Whole | Self::Fraction)
    }

    /// Methods that people look for in vain, and what to use.
    pub(super) const fn missing(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Text => &[
                ("reverse", "[::-1]"),
                ("append", "+"),
                ("sort", "sorted"),
                ("length", "len"),
                ("contains", "in"),
                ("push", "+"),
                ("remove", "replace"),
                ("pop", "a slice"),
                ("insert", "slices and +"),
            ],
            Self::List => &[
                ("add", "append"),
                ("push", "append"),
                ("length", "len"),
                ("size", "len"),
                ("contains", "in"),
                ("join", "the text's join, as in ', '.join(items)"),
                ("split", "a slice"),
                ("delete", "remove or del"),
                ("replace", "an index and ="),
                ("sorted", "sort"),
                ("upper", "a loop"),
                ("lower", "a loop"),
                ("strip", "a loop"),
            ],
            Self::Dict => &[
                ("append", "a key and ="),
                ("add", "a key and ="),
                ("has_key", "in"),
                ("contains", "in"),
                ("length", "len"),
                ("sort", "sorted"),
                ("push", "a key and ="),
                ("remove", "pop or del"),
            ],
            Self::Set => {
                &[("append", "add"), ("sort", "sorted"), ("push", "add"), ("extend", "update")]
            }
            Self::Tuple => &[
                ("append", "a list"),
                ("sort", "sorted"),
                ("remove", "a list"),
                ("add", "a list"),
                ("extend", "a list"),
            ],
            Self::Whole | Self::Fraction => {
                &[("append", "a list"), ("split", "text"), ("upper", "text"), ("lower", "text")]
            }
        }
    }
}

/// The kinds of the names in an area.
pub(super) struct Kinds<'r, 'a> {
    pub(super) area: &'r Area<'a>,
    functions: &'r Functions<'r, 'a>,
    /// The names that are changed in place, or handed to something that may do it.
    pub(super) changed: BTreeSet<&'a str>,
    /// The names whose length is asked for.
    pub(super) lengths: BTreeSet<&'a str>,
}

impl<'r, 'a> Kinds<'r, 'a> {
    pub(super) fn of(area: &'r Area<'a>, functions: &'r Functions<'r, 'a>) -> Self {
        let lengths =
            area.own.expressions.iter().filter_map(|expr| match tree::call_of_one(expr) {
                Some(("len", of)) => tree::name(of),
                _ => None,
            });
        Self { area, functions, changed: changed(area), lengths: lengths.collect() }
    }

    /// The kind of an expression's value, if it is certain.
    pub(super) fn kind(&self, expr: &Expr) -> Option<Kind> {
        self.kind_through(expr, NAMES)
    }

    /// The same, through so many names.
    fn kind_through(&self, expr: &Expr, names: usize) -> Option<Kind> {
        let Expr::Name(name) = expr else { return self.of_literal(expr) };
        let values = self.area.all_values(&name.id);
        if names == 0 || values.len() > MANY_VALUES {
            return None;
        }
        let counts = self.area.counts(&name.id) && !self.area.is_parameter(&name.id);
        let mut kinds = values.iter().map(|value| self.kind_through(value, names - 1));
        let first = if counts && values.len() < self.area.stores_of(&name.id) {
            Kind::Whole
        } else {
            kinds.next()??
        };
        kinds.all(|kind| kind == Some(first)).then_some(first)
    }

    fn of_literal(&self, expr: &Expr) -> Option<Kind> {
        match expr {
            Expr::NumberLiteral(number) => match number.value {
                Number::Int(_) => Some(Kind::Whole),
                Number::Float(_) => Some(Kind::Fraction),
                Number::Complex { .. } => None,
            },
            Expr::StringLiteral(_) | Expr::FString(_) => Some(Kind::Text),
            Expr::List(_) | Expr::ListComp(_) => Some(Kind::List),
            Expr::Dict(_) | Expr::DictComp(_) => Some(Kind::Dict),
            Expr::Set(_) | Expr::SetComp(_) => Some(Kind::Set),
            Expr::Tuple(_) => Some(Kind::Tuple),
            Expr::Call(call) => {
                let name = tree::name(&call.func)?;
                if self.functions.get(name).is_some()
                    || self.area.is_parameter(name)
                    || self.area.stores_of(name) > 0
                {
                    return None;
                }
                match name {
                    "int" | "len" | "ord" => Some(Kind::Whole),
                    "float" => Some(Kind::Fraction),
                    "str" | "input" | "chr" => Some(Kind::Text),
                    "list" | "sorted" => Some(Kind::List),
                    "dict" => Some(Kind::Dict),
                    "set" => Some(Kind::Set),
                    "tuple" => Some(Kind::Tuple),
                    _ => None,
                }
            }
            _ => None,
        }
    }
}

/// The names that methods change, that are deleted from, or that are handed over.
fn changed<'a>(area: &Area<'a>) -> BTreeSet<&'a str> {
    let mut names = BTreeSet::new();
    for expr in &area.own.expressions {
        match expr {
            Expr::Call(call) => {
                if let Some((object, method, _)) = tree::method_call(expr)
                    && effects::is_changing(method)
                {
                    names.insert(object);
                }
                if !tree::name(&call.func)
                    .is_some_and(|name| effects::is_looking(name) || name == "print")
                {
                    names.extend(call.arguments.args.iter().filter_map(tree::name));
                }
            }
            Expr::Subscript(item)
                if matches!(item.ctx, ExprContext::Del) || item.slice.is_slice_expr() =>
            {
                names.extend(tree::name(&item.value));
            }
            _ => {}
        }
    }
    names
}
