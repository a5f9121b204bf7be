//! Changes within an expression.

use ruff_python_ast::{
    Expr, Number, Operator, Stmt, StmtFunctionDef, UnaryOp,
    visitor::{Visitor, walk_expr, walk_stmt},
};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::{
    change::{Changes, Kind, MAX_PARAMETERS, Part},
    scope,
};

const ORDERING: [&str; 6] = ["<", "<=", ">", ">=", "==", "!="];
const ARITHMETIC: [&str; 6] = ["+", "-", "*", "//", "%", "/"];
const OF_BITS: [&str; 3] = ["&", "|", "^"];
/// Functions that are taken for each other.
const OPPOSITES: [(&str, &str); 4] =
    [("min", "max"), ("max", "min"), ("any", "all"), ("all", "any")];

pub(super) fn collect(changes: &mut Changes<'_, '_>, part: Part) {
    let program = changes.program;
    let body = program.body();
    let names = match part {
        Part::Functions => Vec::new(),
        Part::Program => scope::names_of_program(body),
    };
    let own = program.functions().into_iter().map(|(name, _)| name).collect();
    let mut walk = Walk { changes, names, parameters: Vec::new(), own, callee: false };
    walk.visit_body(body);
}

struct Walk<'c, 'p, 'a, 'n> {
    changes: &'c mut Changes<'p, 'a>,
    /// The names of the function that is walked.
    names: Vec<&'n str>,
    /// Its parameters.
    parameters: Vec<&'n str>,
    /// The program's functions.
    own: Vec<&'n str>,
    /// Whether the next expression is what is called.
    callee: bool,
}

impl Walk<'_, '_, '_, '_> {
    fn between(&mut self, kind: Kind, (left, right): (&Expr, &Expr), old: &str, new: &str) {
        let gap = TextRange::new(left.end(), right.start());
        if let Some(at) = self.changes.program.text(gap).find(old) {
            let start = gap.start() + TextSize::try_from(at).unwrap_or_default();
            let len = TextSize::try_from(old.len()).unwrap_or_default();
            self.changes.replace(kind, TextRange::at(start, len), new);
        }
    }

    /// One more and one less.
    fn by_one(&mut self, expr: &Expr) {
        self.one_more_or_less(Kind::OffByOne, expr);
    }

    fn one_more_or_less(&mut self, kind: Kind, expr: &Expr) {
        let text = self.changes.program.text(expr);
        if let Expr::BinOp(sum) = expr
            && matches!(sum.op, Operator::Add | Operator::Sub)
            && sum.right.is_number_literal_expr()
        {
            let left = self.changes.program.text(&*sum.left).to_owned();
            self.changes.replace(kind, expr, left);
            return;
        }
        let is_slice = expr.as_subscript_expr().is_some_and(|item| item.slice.is_slice_expr());
        if expr.is_literal_expr() || expr.is_list_expr() || expr.is_compare_expr() || is_slice {
            return;
        }
        let (more, less) = (format!("{text} + 1"), format!("{text} - 1"));
        self.changes.replace(kind, expr, more);
        self.changes.replace(kind, expr, less);
    }

    fn negate(&mut self, test: &Expr) {
        let text = self.changes.program.text(test).to_owned();
        self.changes.replace(Kind::Logic, test, format!("not ({text})"));
    }

    fn compare(&mut self, comparison: &ruff_python_ast::ExprCompare) {
        let mut left = comparison.left.as_ref();
        for (op, right) in comparison.ops.iter().zip(&comparison.comparators) {
            let old = op.as_str();
            let others: &[&str] = match old {
                "in" => &["not in"],
                "not in" => &["in"],
                "is" => &["==", "is not"],
                "is not" => &["!=", "is"],
                "==" => &["<", "<=", ">", ">=", "!=", "in"],
                "!=" => &["<", "<=", ">", ">=", "==", "not in"],
                _ => &ORDERING,
            };
            for new in others.iter().filter(|new| **new != old) {
                self.between(Kind::Comparison, (left, right), old, new);
            }
            let is_empty = match right {
                Expr::List(list) => list.elts.is_empty(),
                Expr::Tuple(tuple) => tuple.elts.is_empty(),
                Expr::StringLiteral(text) => text.value.is_empty(),
                _ => false,
            };
            if is_empty && old == "==" {
                let whole = format!("len({}) == 0", self.changes.program.text(left));
                self.changes.replace(Kind::EmptyCase, comparison, whole);
            }
            if old == "==" && self.changes.program.text(right) == "0" {
                // One item is as simple as none.
                let whole = format!("{} <= 1", self.changes.program.text(left));
                self.changes.replace(Kind::Comparison, comparison, whole);
            }
            if comparison.ops.len() == 1 && ORDERING.contains(&old) {
                self.by_one(right);
            }
            left = right;
        }
    }

    fn call(&mut self, call: &ruff_python_ast::ExprCall) {
        let args = &*call.arguments.args;
        let name = call.func.as_name_expr().map(|name| name.id.as_str());
        if name == Some("range") {
            for arg in args {
                self.by_one(arg);
            }
            if let [start, end] = args {
                let (start, end) =
                    (self.changes.program.text(start), self.changes.program.text(end));
                let less = format!("({start} - 1, {end})");
                self.changes.replace(Kind::OffByOne, &call.arguments, less);
            }
        }
        if name != Some("range") {
            for pair in args.windows(2) {
                self.swap(Kind::Name, call, (&pair[0], &pair[1]));
            }
        }
        if name.is_some_and(|name| self.own.contains(&name)) {
            for arg in args {
                self.by_one(arg);
            }
        }
        if let Some((_, other)) = OPPOSITES.iter().find(|(function, _)| name == Some(*function)) {
            self.changes.replace(Kind::Name, &*call.func, *other);
        }
        if let Expr::Attribute(attribute) = &*call.func {
            let other = match attribute.attr.as_str() {
                "append" => "extend",
                "extend" => "append",
                "min" => "max",
                "max" => "min",
                _ => return,
            };
            self.changes.replace(Kind::Name, &attribute.attr, other);
        }
    }

    fn swap(&mut self, kind: Kind, place: impl Ranged, (first, second): (&Expr, &Expr)) {
        let program = self.changes.program;
        let edits = vec![
            (first.range(), program.text(second).to_owned()),
            (second.range(), program.text(first).to_owned()),
        ];
        self.changes.edit(kind, place, edits);
    }

    /// A call with one argument.
    fn argument(&mut self, call: &ruff_python_ast::ExprCall) {
        let [only] = &*call.arguments.args else { return };
        let program = self.changes.program;
        let text = program.text(only);
        self.changes.replace(Kind::Conversion, call, format!("[{text}]"));
        self.changes.replace(Kind::Result, call, text);
        if let Some(inner) = only.as_call_expr()
            && let [argument] = &*inner.arguments.args
        {
            // `len(range(x))` for `range(len(x))`.
            let (outer, inner) = (program.text(&*call.func), program.text(&*inner.func));
            let swapped = format!("{inner}({outer}({}))", program.text(argument));
            self.changes.replace(Kind::Order, call, swapped);
        }
    }

    fn calculation(&mut self, sum: &ruff_python_ast::ExprBinOp) {
        let program = self.changes.program;
        let (left, right) = (program.text(&*sum.left), program.text(&*sum.right));
        self.changes.replace(Kind::Operator, sum, left);
        self.changes.replace(Kind::Operator, sum, right);
        let old = sum.op.as_str();
        let others: &[&str] = if OF_BITS.contains(&old) { &OF_BITS } else { &ARITHMETIC };
        for new in others.iter().filter(|new| **new != old) {
            self.between(Kind::Operator, (&sum.left, &sum.right), old, new);
        }
        // Texts are added in an order, too.
        let has_order =
            [Operator::Add, Operator::Sub, Operator::Div, Operator::FloorDiv, Operator::Pow];
        if has_order.contains(&sum.op) && !sum.right.is_number_literal_expr() {
            self.swap(Kind::Operator, sum, (&sum.left, &sum.right));
        }
        if sum.op == Operator::Pow && !sum.right.is_number_literal_expr() {
            self.changes.replace(Kind::Number, &*sum.right, "2");
        }
    }

    fn item(&mut self, item: &ruff_python_ast::ExprSubscript) {
        let program = self.changes.program;
        let (list, position) = (program.text(&*item.value), program.text(&*item.slice));
        if item.value.is_attribute_expr() {
            let call = format!("{list}({position})");
            self.changes.replace(Kind::MissingCall, item, call);
        } else if !item.slice.is_slice_expr() {
            self.by_one(&item.slice);
            self.changes.replace(Kind::LoopOver, item, position);
            self.changes.replace(Kind::LoopOver, item, list);
        }
    }

    fn name(&mut self, name: &ruff_python_ast::ExprName) {
        let own = name.id.as_str();
        for other in self.names.iter().filter(|other| **other != own) {
            self.changes.replace(Kind::Name, name, *other);
        }
        for list in self.parameters.iter().filter(|list| **list != own) {
            self.changes.replace(Kind::LoopOver, name, format!("{list}[{own}]"));
        }
        self.changes.replace(Kind::Conversion, name, format!("[{own}]"));
        for function in ["str", "int", "len", "list"] {
            self.changes.replace(Kind::Conversion, name, format!("{function}({own})"));
        }
    }

    fn number(&mut self, literal: &ruff_python_ast::ExprNumberLiteral) {
        let Number::Int(value) = &literal.value else { return };
        let Some(value) = value.as_i64() else { return };
        let near = [value.checked_add(1), value.checked_sub(1), Some(0), Some(1)];
        for new in near.into_iter().flatten().filter(|new| *new != value) {
            self.changes.replace(Kind::Number, literal, new.to_string());
        }
    }
}

impl<'a> Visitor<'a> for Walk<'_, '_, '_, 'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => return self.function(function),
            Stmt::If(branch) => {
                self.negate(&branch.test);
                for test in
                    branch.elif_else_clauses.iter().filter_map(|clause| clause.test.as_ref())
                {
                    self.negate(test);
                }
            }
            Stmt::While(repeat) => self.negate(&repeat.test),
            Stmt::Assign(assignment)
                if matches!(*assignment.value, Expr::BinOp(_) | Expr::Call(_) | Expr::Name(_)) =>
            {
                self.by_one(&assignment.value);
            }
            Stmt::AugAssign(assignment) if OF_BITS.contains(&assignment.op.as_str()) => {
                let (name, value) = (&*assignment.target, &*assignment.value);
                let old = format!("{}=", assignment.op.as_str());
                for new in OF_BITS.iter().map(|op| format!("{op}=")).filter(|new| *new != old) {
                    self.between(Kind::Operator, (name, value), &old, &new);
                }
            }
            Stmt::Return(returned) => {
                if let Some(value) = returned.value.as_deref() {
                    self.one_more_or_less(Kind::ReturnValue, value);
                }
            }
            _ => {}
        }
        walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        let is_callee = std::mem::take(&mut self.callee);
        match expr {
            Expr::Compare(comparison) => self.compare(comparison),
            Expr::BinOp(sum) => self.calculation(sum),
            Expr::BoolOp(test) => {
                let (old, new) = if test.op.is_and() { ("and", "or") } else { ("or", "and") };
                for pair in test.values.windows(2) {
                    self.between(Kind::Logic, (&pair[0], &pair[1]), old, new);
                }
                for value in &test.values {
                    let text = self.changes.program.text(value).to_owned();
                    self.changes.replace(Kind::Logic, expr, text);
                }
            }
            Expr::UnaryOp(operation) if matches!(operation.op, UnaryOp::Not | UnaryOp::USub) => {
                let operand = self.changes.program.text(&*operation.operand).to_owned();
                self.changes.replace(Kind::Logic, operation, operand);
            }
            Expr::NumberLiteral(literal) => self.number(literal),
            Expr::BooleanLiteral(literal) => {
                let new = if literal.value { "False" } else { "True" };
                self.changes.replace(Kind::ReturnValue, literal, new);
            }
            Expr::Attribute(attribute) if attribute.ctx.is_load() && !is_callee => {
                let call = format!("{}()", self.changes.program.text(attribute));
                self.changes.replace(Kind::MissingCall, expr, call);
            }
            Expr::Subscript(item) => self.item(item),
            Expr::Tuple(tuple) if tuple.ctx.is_load() => {
                if let [first, second] = tuple.elts.as_slice() {
                    self.swap(Kind::Name, tuple, (first, second));
                }
            }
            Expr::Slice(slice) => {
                for bound in [&slice.lower, &slice.upper].into_iter().flatten() {
                    self.by_one(bound);
                }
            }
            Expr::Call(call) => {
                self.argument(call);
                self.call(call);
                self.callee = call.func.is_name_expr() || call.func.is_attribute_expr();
            }
            Expr::Name(name) if name.ctx.is_load() && !is_callee => self.name(name),
            _ => {}
        }
        walk_expr(self, expr);
    }
}

impl<'a> Walk<'_, '_, '_, 'a> {
    fn function(&mut self, function: &'a StmtFunctionDef) {
        let parameters = function.parameters.iter().map(|parameter| parameter.name().as_str());
        let parameters = parameters.take(MAX_PARAMETERS).collect();
        let parameters = std::mem::replace(&mut self.parameters, parameters);
        let names = std::mem::replace(&mut self.names, scope::names(function));
        self.visit_body(&function.body);
        (self.names, self.parameters) = (names, parameters);
    }
}
