//! Lines that go wrong because of the kind of value that a name has.

use std::collections::BTreeSet;

use ruff_python_ast::{CmpOp, Expr, Number, Operator, Stmt};

use super::{area::Area, effects::Functions, finding::Findings, tree};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Whole,
    Fraction,
    Text,
    List,
    Dict,
    Set,
    Tuple,
}

impl Kind {
    const fn name(self) -> &'static str {
        match self {
            Self::Whole | Self::Fraction => "a number",
            Self::Text => "text",
            Self::List => "a list",
            Self::Dict => "a dictionary",
            Self::Set => "a set",
            Self::Tuple => "a tuple",
        }
    }

    const fn is_number(self) -> bool {
        matches!(self, Self::Whole | Self::Fraction)
    }

    /// Methods that people look for in vain, and what to use.
    const fn missing(self) -> &'static [(&'static str, &'static str)] {
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

pub(super) fn check(
    findings: &mut Findings<'_, '_>,
    areas: &[Area<'_>],
    functions: &Functions<'_, '_>,
) {
    for area in areas {
        let lengths =
            area.own.expressions.iter().filter_map(|expr| match tree::call_of_one(expr) {
                Some(("len", of)) => tree::name(of),
                _ => None,
            });
        let of = Kinds { area, functions, lengths: lengths.collect() };
        for stmt in &area.own.statements {
            if let Stmt::For(repeat) = stmt {
                of.repeated(findings, &repeat.target, &repeat.iter);
            }
        }
        for expr in &area.own.expressions {
            if !area.is_attempted(*expr) {
                of.expression(findings, expr);
            }
        }
    }
}

struct Kinds<'r, 'a> {
    area: &'r Area<'a>,
    functions: &'r Functions<'r, 'a>,
    /// The names whose length is asked for.
    lengths: BTreeSet<&'a str>,
}

impl Kinds<'_, '_> {
    /// The kind of an expression's value, if it is certain.
    fn kind(&self, expr: &Expr) -> Option<Kind> {
        let name = match expr {
            Expr::Name(name) => name.id.as_str(),
            _ => return self.of_literal(expr),
        };
        self.area
            .only_value(name)
            .filter(|_| !self.area.declared.contains(name))
            .and_then(|value| self.of_literal(value))
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

    /// `for i in 5`, `for key, value in scores` of a dictionary.
    fn repeated(&self, findings: &mut Findings<'_, '_>, target: &Expr, iter: &Expr) {
        let text = findings.program.text(iter);
        let pairs = target.as_tuple_expr().map_or(0, |names| names.elts.len());
        match self.kind(iter) {
            Some(kind) if kind.is_number() => {
                let what = format!(
                    "`{text}` is a number, and a loop needs several things: range({text}) gives the numbers below it."
                );
                findings.add("loops_over_number", iter, what);
            }
            Some(Kind::Dict) if pairs == 2 && self.has_single_keys(iter) => {
                let what = format!(
                    "A loop over `{text}` gives its keys alone: `{text}.items()` gives keys and values."
                );
                findings.add("keys_without_values", iter, what);
            }
            _ => {}
        }
    }

    /// Whether all keys of a dictionary are ones that cannot be taken apart into two.
    fn has_single_keys(&self, iter: &Expr) -> bool {
        let value = tree::name(iter).and_then(|name| self.area.only_value(name)).unwrap_or(iter);
        value.as_dict_expr().is_some_and(|dict| {
            !dict.items.is_empty()
                && dict.items.iter().all(|item| match &item.key {
                    Some(Expr::StringLiteral(text)) => text.value.to_str().chars().count() != 2,
                    Some(key) => key.is_number_literal_expr(),
                    None => false,
                })
        })
    }

    fn expression(&self, findings: &mut Findings<'_, '_>, expr: &Expr) {
        match expr {
            Expr::BinOp(sum) if matches!(sum.op, Operator::Add) => {
                if let (Some(left), Some(right)) = (self.kind(&sum.left), self.kind(&sum.right))
                    && left != right
                    && !(left.is_number() && right.is_number())
                    && !self.is_typed(&sum.left)
                    && !self.is_typed(&sum.right)
                {
                    let (one, other) =
                        (findings.program.text(&*sum.left), findings.program.text(&*sum.right));
                    let what = format!(
                        "`{one}` is {} and `{other}` is {}: `+` does not join them.",
                        left.name(),
                        right.name()
                    );
                    findings.add("mixed_sum", expr, what);
                }
            }
            Expr::Compare(test) => {
                let ([CmpOp::Eq | CmpOp::NotEq], [right]) = (&*test.ops, &*test.comparators) else {
                    return;
                };
                let kinds = (self.kind(&test.left), self.kind(right));
                if let (Some(left), Some(other)) = kinds
                    && left.is_number() != other.is_number()
                    && matches!((left, other), (Kind::Text, _) | (_, Kind::Text))
                    && !self.is_typed(&test.left)
                    && !self.is_typed(right)
                {
                    let (one, two) =
                        (findings.program.text(&*test.left), findings.program.text(right));
                    let what = format!(
                        "`{one}` is {} and `{two}` is {}, so they are never equal.",
                        left.name(),
                        other.name()
                    );
                    findings.add("never_equal", expr, what);
                }
            }
            Expr::Subscript(item) => self.item(findings, expr, item),
            Expr::Call(call) => self.call(findings, expr, call),
            _ => {}
        }
    }

    /// Whether a value was typed in: another check tells that.
    fn is_typed(&self, expr: &Expr) -> bool {
        let value = tree::name(expr).and_then(|name| self.area.only_value(name)).unwrap_or(expr);
        tree::called(value) == Some("input")
    }

    /// `text[0] = "x"`, `items[len(items) / 2]`.
    fn item(
        &self,
        findings: &mut Findings<'_, '_>,
        expr: &Expr,
        item: &ruff_python_ast::ExprSubscript,
    ) {
        let text = findings.program.text(&*item.value);
        let kind = self.kind(&item.value);
        if item.ctx.is_store()
            && let Some(kind @ (Kind::Text | Kind::Tuple)) = kind
        {
            let what = format!("`{text}` is {}, and that cannot be changed.", kind.name());
            findings.add("fixed_item_set", expr, what);
        } else if is_division(&item.slice)
            && !matches!(kind, Some(Kind::Dict))
            && self.is_sequence(&item.value)
        {
            let what = format!(
                "`/` gives a number with a decimal point, which is no position: `//` gives a whole number for `{text}[...]`."
            );
            findings.add("division_as_position", expr, what);
        }
    }

    /// Whether `len(x)` or a range is asked of it, or it is a list or text.
    fn is_sequence(&self, value: &Expr) -> bool {
        matches!(self.kind(value), Some(Kind::List | Kind::Text | Kind::Tuple))
            || tree::name(value).is_some_and(|name| self.lengths.contains(name))
    }

    fn call(&self, findings: &mut Findings<'_, '_>, expr: &Expr, call: &ruff_python_ast::ExprCall) {
        match &*call.func {
            Expr::Name(name)
                if name.id.as_str() == "range" && call.arguments.args.iter().any(is_division) =>
            {
                findings.add("division_as_position", expr, "`/` gives a number with a decimal point, and range needs whole numbers: `//` gives them.");
            }
            Expr::Attribute(method) => {
                let Some(kind) = self.kind(&method.value) else { return };
                let missing = kind.missing().iter().find(|(name, _)| *name == method.attr.as_str());
                if let Some((name, instead)) = missing {
                    let text = findings.program.text(&*method.value);
                    let what = format!(
                        "`{text}` is {}, which has no `{name}`. For this there is {instead}.",
                        kind.name()
                    );
                    findings.add("no_such_method", expr, what);
                }
            }
            _ => {}
        }
    }
}

fn is_division(expr: &Expr) -> bool {
    match expr {
        Expr::BinOp(operation) => match operation.op {
            Operator::Div => true,
            Operator::Add | Operator::Sub => {
                is_division(&operation.left) || is_division(&operation.right)
            }
            _ => false,
        },
        _ => false,
    }
}
