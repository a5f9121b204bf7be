//! Lines that go wrong because of the kind of value that a name has.

use ruff_python_ast::{CmpOp, Expr, ExprCompare, Operator, Stmt};
use ruff_text_size::Ranged;

use super::{
    area::Area,
    effects::Functions,
    finding::Findings,
    kind::{Kind, Kinds},
};
use crate::tree;

/// What a dictionary has.
const DICT_METHODS: &str =
    "clear copy fromkeys get items keys pop popitem setdefault update values";

pub(super) fn check(
    findings: &mut Findings<'_, '_>,
    areas: &[Area<'_>],
    functions: &Functions<'_, '_>,
) {
    for area in areas {
        let of = Kinds::of(area, functions);
        for stmt in &area.own.statements {
            if let Stmt::For(repeat) = stmt {
                of.repeated(findings, repeat);
            }
        }
        for expr in &area.own.expressions {
            if !area.is_attempted(*expr) {
                of.expression(findings, expr);
            }
        }
    }
}

impl Kinds<'_, '_> {
    /// `for i in 5`, `for key, value in scores` of a dictionary.
    fn repeated(&self, findings: &mut Findings<'_, '_>, repeat: &ruff_python_ast::StmtFor) {
        let iter = &*repeat.iter;
        let text = findings.program.text(iter);
        let pairs = repeat.target.as_tuple_expr().map_or(0, |names| names.elts.len());
        if let Some(target) = tree::name(&repeat.target)
            && self.kind(iter) == Some(Kind::Dict)
            && self.has_single_keys(iter)
            && self.has_text_keys(iter)
        {
            let counts = |expr: &Expr| {
                expr.as_bin_op_expr().is_some_and(|sum| {
                    let is_key = |side: &Expr| tree::name(side) == Some(target);
                    is_key(&sum.left) && self.kind(&sum.right).is_some_and(Kind::is_number)
                        || is_key(&sum.right) && self.kind(&sum.left).is_some_and(Kind::is_number)
                }) && !expr
                    .as_bin_op_expr()
                    .is_some_and(|sum| matches!(sum.op, Operator::Mult | Operator::Mod))
            };
            let body = tree::own(&repeat.body);
            let adds = body.statements.iter().find(|stmt| {
                stmt.as_aug_assign_stmt().is_some_and(|change| {
                    tree::name(&change.value) == Some(target)
                        && tree::name(&change.target).is_some_and(|total| {
                            self.area
                                .all_values_but(total, &change.value)
                                .is_some_and(|value| self.kind(value).is_some_and(Kind::is_number))
                        })
                })
            });
            let place = adds.map(|stmt| stmt.range()).or_else(|| {
                body.expressions.iter().find(|expr| counts(expr)).map(|expr| expr.range())
            });
            if let Some(place) = place {
                let what = format!(
                    "A loop over `{text}` gives its keys, and `{target}` is one of them: the value is `{text}[{target}]`."
                );
                findings.add("keys_without_values", place, what);
                return;
            }
        }
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

    fn has_text_keys(&self, iter: &Expr) -> bool {
        let value = tree::name(iter).and_then(|name| self.area.only_value(name)).unwrap_or(iter);
        value.as_dict_expr().is_some_and(|dict| {
            dict.items
                .iter()
                .all(|item| item.key.as_ref().is_some_and(Expr::is_string_literal_expr))
        })
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
            Expr::Compare(test) => self.comparison(findings, expr, test),
            Expr::Subscript(item) => {
                self.item(findings, expr, item);
                self.position(findings, expr, item);
            }
            Expr::Attribute(attribute) if self.kind(&attribute.value) == Some(Kind::Dict) => {
                let name = attribute.attr.as_str();
                let is_known = DICT_METHODS.split(' ').any(|known| known == name)
                    || Kind::Dict.missing().iter().any(|(known, _)| *known == name);
                if !is_known && !name.starts_with("__") {
                    let text = findings.program.text(&*attribute.value);
                    let what = format!(
                        "`{text}` is a dictionary, which has no `{name}`: what is in it has a key, as in `{text}[\"{name}\"]`."
                    );
                    findings.add("no_such_method", expr, what);
                }
            }
            Expr::Call(call) => self.call(findings, expr, call),
            _ => {}
        }
    }

    /// `5 == "5"`, `is` between numbers or texts.
    fn comparison(&self, findings: &mut Findings<'_, '_>, expr: &Expr, test: &ExprCompare) {
        let ([op], [right]) = (&*test.ops, &*test.comparators) else { return };
        let (Some(one), Some(other)) = (self.kind(&test.left), self.kind(right)) else { return };
        let is_value = |kind: Kind| kind.is_number() || kind == Kind::Text;
        if !is_value(one) || !is_value(other) || self.is_typed(&test.left) || self.is_typed(right) {
            return;
        }
        match op {
            CmpOp::Eq | CmpOp::NotEq if one.is_number() != other.is_number() => {
                let left = findings.program.text(&*test.left);
                let right = findings.program.text(right);
                let what = format!(
                    "`{left}` is {} and `{right}` is {}, so they are never equal.",
                    one.name(),
                    other.name()
                );
                findings.add("never_equal", expr, what);
            }
            CmpOp::Is | CmpOp::IsNot if test.left.is_name_expr() && right.is_name_expr() => {
                let what = "`is` with a value compares the wrong thing.";
                findings.add("is_with_value", expr, what);
            }
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

    /// `items[3]` where there are three, `items[n]` where `n` is their number.
    fn position(
        &self,
        findings: &mut Findings<'_, '_>,
        expr: &Expr,
        item: &ruff_python_ast::ExprSubscript,
    ) {
        let Some(list) = tree::name(&item.value) else { return };
        let text = findings.program.text(expr);
        let is_length = tree::name(&item.slice)
            .and_then(|name| self.area.only_value(name))
            .and_then(tree::call_of_one)
            .is_some_and(|(name, of)| name == "len" && tree::name(of) == Some(list));
        let only = self.area.only_value(list);
        if self.is_changed(list) || (is_length && only.is_none() && !self.area.is_parameter(list)) {
            return;
        }
        if is_length && self.area.stores_of(list) <= 1 {
            let what = format!(
                "The last position of `{list}` is its length minus one, so there is no `{text}`."
            );
            findings.add("off_by_one", expr, what);
            return;
        }
        let count = only
            .and_then(|value| value.as_list_expr())
            .filter(|list| !list.elts.iter().any(|item| item.is_starred_expr()));
        let Some(count) = count.and_then(|list| i64::try_from(list.elts.len()).ok()) else {
            return;
        };
        let highest = match &*item.slice {
            Expr::Name(name) => self.area.only_value(&name.id).and_then(highest_random),
            slice => tree::int(slice).or_else(|| highest_random(slice)),
        };
        if highest.is_some_and(|highest| highest >= count) && count > 0 {
            let what = format!(
                "`{list}` has {count} items, and their positions are 0 to {}: `{text}` goes too far.",
                count - 1
            );
            findings.add("off_by_one", expr, what);
        }
    }

    /// Whether a list gets or loses items.
    fn is_changed(&self, list: &str) -> bool {
        self.changed.contains(list)
    }

    fn call(&self, findings: &mut Findings<'_, '_>, expr: &Expr, call: &ruff_python_ast::ExprCall) {
        match &*call.func {
            Expr::Name(name)
                if name.id.as_str() == "range" && call.arguments.args.iter().any(is_division) =>
            {
                findings.add("division_as_position", expr, "`/` gives a number with a decimal point, and range needs whole numbers: `//` gives them.");
            }
            Expr::Name(name) if matches!(name.id.as_str(), "len" | "range") => {
                let is_own = self.area.stores_of(&name.id) > 0 || self.area.is_parameter(&name.id);
                let Some(given) = call.arguments.args.first().filter(|_| !is_own) else { return };
                let text = findings.program.text(given);
                match (name.id.as_str(), self.kind(given)) {
                    ("len", Some(Kind::Whole | Kind::Fraction)) => {
                        findings.add(
                            "no_length",
                            expr,
                            format!("`{text}` is a number, and a number has no length."),
                        );
                    }
                    ("range", Some(Kind::Text)) if given.is_name_expr() => {
                        findings.add(
                            "input_as_number",
                            expr,
                            format!("`{text}` is text, and range needs a whole number."),
                        );
                    }
                    _ => {}
                }
            }
            Expr::Attribute(method)
                if method.attr.as_str() == "pop"
                    && self.kind(&method.value) == Some(Kind::List)
                    && call.arguments.args.first().and_then(|given| self.kind(given))
                        == Some(Kind::Text) =>
            {
                let text = findings.program.text(&*method.value);
                let what = format!("`{text}.pop` takes a position: `{text}.remove` takes a value.");
                findings.add("pop_of_value", expr, what);
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

/// The highest value of `randint(low, high)`.
fn highest_random(expr: &Expr) -> Option<i64> {
    let call = expr.as_call_expr().filter(|_| tree::called(expr) == Some("randint"))?;
    tree::int(call.arguments.args.get(1)?)
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
