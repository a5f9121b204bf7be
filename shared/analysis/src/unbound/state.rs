//! What is known at one point of a program: which names have a value, and which collections have items.

use std::collections::{BTreeMap, BTreeSet};

use ruff_python_ast::{
    BoolOp, CmpOp, Expr, UnaryOp,
    visitor::{Visitor, walk_expr},
};

use super::{names::reads, unset::Unset};

/// What is known at one point of a program.
#[derive(Debug, Clone, Default)]
pub(super) struct State<'a> {
    /// The names that have a value on every path.
    pub(super) set: BTreeSet<&'a str>,
    /// Why others have one on some paths only.
    pub(super) lost: BTreeMap<&'a str, Unset>,
    /// The names of collections that are not empty.
    pub(super) full: BTreeSet<&'a str>,
    /// Names of lengths, and what they are the length of.
    pub(super) lengths: BTreeMap<&'a str, &'a str>,
}

impl<'a> State<'a> {
    pub(super) fn give(&mut self, name: &'a str) {
        self.set.insert(name);
        self.lost.remove(name);
        self.full.remove(name);
        self.lengths.remove(name);
    }
}

/// What is known where two paths meet.
pub(super) fn meet<'a>(
    one: Option<State<'a>>,
    other: Option<State<'a>>,
    why: Unset,
) -> Option<State<'a>> {
    let (Some(one), Some(other)) = (one.clone(), other.clone()) else { return one.or(other) };
    let mut lost = one.lost.clone();
    lost.extend(other.lost.iter().map(|(name, why)| (*name, *why)));
    for name in one.set.symmetric_difference(&other.set) {
        lost.entry(name).or_insert(why);
    }
    let set: BTreeSet<&str> = one.set.intersection(&other.set).copied().collect();
    lost.retain(|name, _| !set.contains(name));
    let full = one.full.intersection(&other.full).copied().collect();
    let mut lengths = one.lengths;
    lengths.retain(|name, of| other.lengths.get(name) == Some(of));
    Some(State { set, lost, full, lengths })
}

fn name_of(expr: &Expr) -> Option<&str> {
    expr.as_name_expr().map(|name| name.id.as_str())
}

/// `x` of `len(x)`.
fn length_of(expr: &Expr) -> Option<&str> {
    let call = expr.as_call_expr()?;
    let [one] = &*call.arguments.args else { return None };
    (name_of(&call.func) == Some("len")).then(|| name_of(one)).flatten()
}

/// Whether something that differs from this has items. Not of `()`: from it an empty list differs, too, and most sequences
/// are lists.
fn tells_of_items(expr: &Expr) -> bool {
    match expr {
        Expr::List(list) => list.elts.is_empty(),
        Expr::Dict(dict) => dict.items.is_empty(),
        Expr::StringLiteral(text) => text.value.is_empty(),
        _ => false,
    }
}

pub(super) fn is_full_literal(expr: &Expr) -> bool {
    match expr {
        Expr::List(list) => !list.elts.is_empty(),
        Expr::Tuple(tuple) => !tuple.elts.is_empty(),
        Expr::Set(set) => !set.elts.is_empty(),
        Expr::Dict(dict) => !dict.items.is_empty(),
        Expr::StringLiteral(text) => !text.value.is_empty(),
        _ => false,
    }
}

/// What an assignment tells about a collection.
pub(super) fn remember<'a>(target: &'a Expr, value: &'a Expr, state: &mut State<'a>) {
    let Some(name) = name_of(target) else { return };
    let is_copy = value.as_call_expr().is_some_and(|call| {
        matches!(
            name_of(&call.func),
            Some("list" | "tuple" | "sorted" | "set" | "enumerate" | "reversed")
        )
    });
    if is_full_literal(value) || (is_copy && mentions_full(value, state)) {
        state.full.insert(name);
    }
    if let Some(of) = length_of(value) {
        state.lengths.insert(name, of);
    }
}

/// Whether a loop over this goes through at least one item.
pub(super) fn is_full(iter: &Expr, state: &State<'_>) -> bool {
    let is_number = |expr: &Expr| {
        let value =
            expr.as_number_literal_expr().and_then(|number| number.value.as_int()?.as_i64());
        value.is_some_and(|value| value > 0)
    };
    let counts = iter.as_call_expr().is_some_and(|call| {
        name_of(&call.func) == Some("range")
            && matches!(&*call.arguments.args, [end] if is_number(end))
    });
    counts || is_full_literal(iter) || mentions_full(iter, state)
}

pub(super) fn names_in(expr: &Expr) -> Vec<&str> {
    reads(expr).found.into_iter().map(|(name, _)| name).collect()
}

/// Whether an expression is made of a collection that is known not to be empty.
pub(super) fn mentions_full(expr: &Expr, state: &State<'_>) -> bool {
    names_in(expr).iter().any(|name| {
        let of = state.lengths.get(name).unwrap_or(name);
        state.full.contains(of) || state.full.contains(name)
    })
}

/// The collections that an expression takes an item from: with none in them the program would have ended there.
pub(super) fn taken_from(expr: &Expr) -> Vec<&str> {
    struct Taken<'a>(Vec<&'a str>);
    impl<'a> Visitor<'a> for Taken<'a> {
        fn visit_expr(&mut self, expr: &'a Expr) {
            let of = match expr {
                Expr::Call(call) if matches!(name_of(&call.func), Some("max" | "min")) => {
                    if let [one] = &*call.arguments.args { name_of(one) } else { None }
                }
                Expr::Subscript(part) if part.slice.is_number_literal_expr() => {
                    name_of(&part.value)
                }
                _ => None,
            };
            self.0.extend(of);
            // What stands behind these is not always worked out.
            if !(expr.is_lambda_expr() || expr.is_if_expr() || expr.is_bool_op_expr()) {
                walk_expr(self, expr);
            }
        }
    }
    let mut taken = Taken(Vec::new());
    taken.visit_expr(expr);
    taken.0
}

/// The collections that are not empty if a condition is true, or if it is false.
pub(super) fn full_if(test: &Expr, truth: bool) -> Vec<&str> {
    match test {
        Expr::Name(name) if truth => vec![name.id.as_str()],
        Expr::UnaryOp(not) if not.op == UnaryOp::Not => full_if(&not.operand, !truth),
        Expr::BoolOp(several) => {
            let all = matches!((several.op, truth), (BoolOp::And, true) | (BoolOp::Or, false));
            if all {
                several.values.iter().flat_map(|part| full_if(part, truth)).collect()
            } else {
                Vec::new()
            }
        }
        Expr::Call(_) if truth => length_of(test).into_iter().collect(),
        Expr::Compare(compare) => {
            let ([op], [right]) = (&*compare.ops, &*compare.comparators) else { return Vec::new() };
            let left = compare.left.as_ref();
            let number =
                right.as_number_literal_expr().and_then(|number| number.value.as_int()?.as_i64());
            if let Some(of) = length_of(left).or_else(|| name_of(left))
                && let Some(number) = number
            {
                let is_full = match (op, truth) {
                    (CmpOp::Eq, true) | (CmpOp::GtE, true) | (CmpOp::Lt, false) => number > 0,
                    (CmpOp::NotEq, true) | (CmpOp::Eq | CmpOp::LtE, false) => {
                        number >= 0 && (number == 0 || *op == CmpOp::LtE)
                    }
                    (CmpOp::Gt, true) => number >= 0,
                    _ => false,
                };
                return if is_full { vec![of] } else { Vec::new() };
            }
            let is_full = matches!((op, truth), (CmpOp::NotEq, true) | (CmpOp::Eq, false));
            if is_full && tells_of_items(right) {
                name_of(left).into_iter().collect()
            } else {
                Vec::new()
            }
        }
        _ => Vec::new(),
    }
}
