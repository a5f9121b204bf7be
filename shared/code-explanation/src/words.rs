//! Expressions in words.

use analysis::Program;
use ruff_python_ast::{
    BoolOp, CmpOp, Comprehension, Expr, ExprBoolOp, ExprCall, ExprCompare, ExprSlice, UnaryOp,
};
use ruff_text_size::Ranged;

use crate::{
    names::Names,
    phrases::{DONE, METHODS, OF_NONE, OF_ONE, OF_TWO, filled},
    value::{code, cut},
};

/// Most characters of code within a sentence.
const QUOTED: usize = 60;
/// Words for what is nested deeper are harder to read than the code.
const DEPTH: usize = 3;

/// A program, and what its names stand for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words<'a> {
    pub(crate) program: &'a Program<'a>,
    pub(crate) names: &'a Names<'a>,
    depth: usize,
}

impl<'a> Words<'a> {
    pub(crate) const fn new(program: &'a Program<'a>, names: &'a Names<'a>) -> Self {
        Self { program, names, depth: DEPTH }
    }

    /// The same, one level deeper; `None` where code says more than words.
    fn deeper(self) -> Option<Self> {
        Some(Self { depth: self.depth.checked_sub(1)?, ..self })
    }

    /// The source text as code, in one line.
    pub(crate) fn quote(self, place: impl Ranged) -> String {
        let text: Vec<&str> = self.program.text(place).split_whitespace().collect();
        code(&cut(&text.join(" "), QUOTED))
    }

    /// What an expression gives, as a noun.
    pub(crate) fn value(self, expr: &Expr) -> String {
        let Some(inner) = self.deeper() else { return self.quote(expr) };
        match expr {
            Expr::List(list) if list.elts.is_empty() => "an empty list".to_owned(),
            Expr::List(_) => format!("the list {}", self.quote(expr)),
            Expr::Dict(dict) if dict.items.is_empty() => "an empty dictionary".to_owned(),
            Expr::Dict(_) => format!("the dictionary {}", self.quote(expr)),
            Expr::Set(_) => format!("the set {}", self.quote(expr)),
            Expr::Tuple(tuple) if tuple.elts.is_empty() => "an empty tuple".to_owned(),
            Expr::Tuple(_) => format!("the tuple {}", self.quote(expr)),
            Expr::StringLiteral(text) if text.value.is_empty() => "an empty text".to_owned(),
            Expr::StringLiteral(_) => format!("the text {}", self.quote(expr)),
            Expr::FString(_) => format!("the text {} with its values filled in", self.quote(expr)),
            Expr::Call(call) => call_value(inner, call),
            Expr::Subscript(part) => match part.slice.as_ref() {
                Expr::Slice(slice) => inner.slice(&part.value, slice),
                _ => self.quote(expr),
            },
            Expr::ListComp(made) => inner.comprehension("a list", &made.elt, &made.generators),
            Expr::SetComp(made) => inner.comprehension("a set", &made.elt, &made.generators),
            Expr::Generator(made) => {
                inner.comprehension("the values, one after the other,", &made.elt, &made.generators)
            }
            Expr::DictComp(made) => {
                let entry = match &made.key {
                    Some(key) => format!(
                        "{} with the value {}",
                        self.quote(&**key),
                        self.quote(&*made.value)
                    ),
                    None => self.quote(&*made.value),
                };
                inner.each("a dictionary with the key", entry, &made.generators)
            }
            Expr::Lambda(lambda) => {
                let takes = match lambda.parameters.as_deref() {
                    Some(parameters) => format!("takes {} and gives", self.quote(parameters)),
                    None => "gives".to_owned(),
                };
                format!(
                    "a small function without a name that {takes} back {}",
                    self.quote(&*lambda.body)
                )
            }
            Expr::If(choice) => format!(
                "{} if {}, otherwise {}",
                inner.value(&choice.body),
                inner.condition(&choice.test),
                inner.value(&choice.orelse)
            ),
            Expr::Compare(_) => format!("`True` or `False`: whether {}", inner.condition(expr)),
            Expr::BoolOp(both) if both.values.iter().all(is_truth) => {
                format!("`True` or `False`: whether {}", inner.condition(expr))
            }
            Expr::UnaryOp(not) if not.op == UnaryOp::Not => {
                format!("`True` or `False`: whether {}", inner.condition(expr))
            }
            _ => self.quote(expr),
        }
    }

    /// What is handed over to a function, or put together with others: short.
    pub(crate) fn operand(self, expr: &Expr) -> String {
        match expr {
            Expr::Generator(made) => {
                self.each("", self.quote(&*made.elt), &made.generators).trim_start().to_owned()
            }
            Expr::StringLiteral(_)
            | Expr::List(_)
            | Expr::Tuple(_)
            | Expr::FString(_)
            | Expr::Dict(_) => self.quote(expr),
            _ => self.value(expr),
        }
    }

    /// When a condition is true, as a clause.
    pub(crate) fn condition(self, expr: &Expr) -> String {
        let Some(inner) = self.deeper() else {
            return format!("{} is true", self.quote(expr));
        };
        match expr {
            Expr::Compare(compare) => inner.compare(expr, compare),
            Expr::BoolOp(both) => inner.both(both),
            Expr::UnaryOp(not) if not.op == UnaryOp::Not => match not.operand.as_ref() {
                Expr::Name(name) => {
                    format!("{} is `False`, zero, empty or `None`", code(name.id.as_str()))
                }
                operand => format!("it is not so that {}", inner.condition(operand)),
            },
            Expr::BooleanLiteral(literal) if literal.value => "true (it always is)".to_owned(),
            Expr::Name(name) => {
                format!("{} is true (not `False`, zero, empty or `None`)", code(name.id.as_str()))
            }
            Expr::Call(call) => call_condition(inner, call),
            _ => format!("{} is true", self.quote(expr)),
        }
    }

    fn compare(self, whole: &Expr, compare: &ExprCompare) -> String {
        let ([op], [right]) = (&*compare.ops, &*compare.comparators) else {
            return self.chain(whole, compare);
        };
        let left = &*compare.left;
        if let Some(clause) = self.divisible(left, *op, right) {
            return clause;
        }
        let is = match op {
            CmpOp::Eq => "is equal to",
            CmpOp::NotEq => "is not equal to",
            CmpOp::Lt => "is less than",
            CmpOp::LtE => "is at most",
            CmpOp::Gt => "is greater than",
            CmpOp::GtE => "is at least",
            CmpOp::In => "is in",
            CmpOp::NotIn => "is not in",
            CmpOp::Is => "is",
            CmpOp::IsNot => "is not",
        };
        format!("{} {is} {}", self.operand(left), self.operand(right))
    }

    /// `0 < x < 10`.
    fn chain(self, whole: &Expr, compare: &ExprCompare) -> String {
        let middle = compare.comparators.first().filter(|_| compare.ops.len() == 2);
        match middle {
            Some(middle) => {
                format!(
                    "both comparisons of {} hold (with {} in the middle)",
                    self.quote(whole),
                    self.quote(middle)
                )
            }
            None => format!("all comparisons of {} hold", self.quote(whole)),
        }
    }

    /// `x % 2 == 0`: the remainder of a division, if it is one of whole numbers.
    fn divisible(self, left: &Expr, op: CmpOp, right: &Expr) -> Option<String> {
        let division = left.as_bin_op_expr()?;
        let number = |expr: &Expr| expr.as_number_literal_expr()?.value.as_int()?.as_i64();
        let is_remainder = division.op == ruff_python_ast::Operator::Mod && number(right)? == 0;
        let by = self.quote(&*division.right);
        let what = self.quote(&*division.left);
        match (is_remainder && !division.left.is_string_literal_expr(), op) {
            (true, CmpOp::Eq) => {
                Some(format!("{what} divided by {by} leaves nothing over ({})", self.quote(left)))
            }
            (true, CmpOp::NotEq) => {
                Some(format!("{what} divided by {by} leaves something over ({})", self.quote(left)))
            }
            _ => None,
        }
    }

    fn both(self, both: &ExprBoolOp) -> String {
        let word = if both.op == BoolOp::And { " and " } else { " or " };
        let part = |expr: &Expr| match expr {
            // Words have no brackets.
            Expr::BoolOp(_) => format!("{} is true", self.quote(expr)),
            _ => self.condition(expr),
        };
        both.values.iter().map(part).collect::<Vec<_>>().join(word)
    }

    fn comprehension(self, what: &str, element: &Expr, generators: &[Comprehension]) -> String {
        self.each(&format!("{what} of"), self.quote(element), generators)
    }

    fn each(self, what: &str, element: String, generators: &[Comprehension]) -> String {
        let mut text = format!("{what} {element}");
        for made in generators {
            text.push_str(&format!(
                " for each {} in {}",
                self.quote(&made.target),
                self.operand(&made.iter)
            ));
            for test in &made.ifs {
                text.push_str(&format!(", if {}", self.condition(test)));
            }
        }
        text
    }

    fn slice(self, of: &Expr, slice: &ExprSlice) -> String {
        let of = self.quote(of);
        let step = slice.step.as_deref();
        let (lower, upper) = (slice.lower.as_deref(), slice.upper.as_deref());
        let number = |expr: Option<&Expr>| expr.and_then(whole);
        let from = lower.map(|lower| self.quote(lower));
        let to = upper.map(|upper| self.quote(upper));
        if step.is_none_or(|step| whole(step) == Some(1)) {
            return match (from, to, number(lower), number(upper)) {
                (None, None, ..) => format!("a copy of all of {of}"),
                (None, Some(_), _, Some(count)) if count > 0 => {
                    format!("the first {count} of {of}")
                }
                (None, Some(_), _, Some(count)) if count < 0 => {
                    format!("{of} without the last {}", -count)
                }
                (None, Some(to), ..) => format!("the part of {of} before position {to}"),
                (Some(_), None, Some(count), _) if count < 0 => {
                    format!("the last {} of {of}", -count)
                }
                (Some(from), None, ..) => {
                    format!("the part of {of} from position {from} to the end")
                }
                (Some(from), Some(to), ..) => {
                    format!(
                        "the part of {of} from position {from} up to, but not including, position {to}"
                    )
                }
            };
        }
        let bounds = match (from, to) {
            (None, None) => String::new(),
            (Some(from), None) => format!(", starting at position {from}"),
            (None, Some(to)) => format!(", stopping before position {to}"),
            (Some(from), Some(to)) => {
                format!(", from position {from}, stopping before position {to}")
            }
        };
        match number(step) {
            Some(-1) => format!("{of} from back to front{bounds}"),
            Some(2) => format!("every second of {of}{bounds}"),
            Some(count) if count > 0 => format!("every {count}th of {of}{bounds}"),
            Some(count) => format!("every {}th of {of}, backwards{bounds}", -count),
            None => format!(
                "a part of {of} with steps of {}{bounds}",
                step.map_or_else(String::new, |step| self.quote(step))
            ),
        }
    }
}

/// A whole number, with a sign or without.
pub(crate) fn whole(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::UnaryOp(minus) if minus.op == UnaryOp::USub => {
            whole(&minus.operand).map(|number| -number)
        }
        _ => expr.as_number_literal_expr()?.value.as_int()?.as_i64(),
    }
}

/// Whether an expression gives `True` or `False`.
fn is_truth(expr: &Expr) -> bool {
    match expr {
        Expr::Compare(_) | Expr::BooleanLiteral(_) => true,
        Expr::UnaryOp(not) => not.op == UnaryOp::Not,
        Expr::BoolOp(both) => both.values.iter().all(is_truth),
        _ => false,
    }
}

/// What a call gives back, as a noun.
fn call_value(words: Words<'_>, call: &ExprCall) -> String {
    known(words, call).unwrap_or_else(|| of_program(words, call))
}

/// When the result of a call is true.
fn call_condition(words: Words<'_>, call: &ExprCall) -> String {
    match known(words, call).and_then(|text| text.strip_prefix("whether ").map(str::to_owned)) {
        Some(clause) => clause,
        None => format!("the result of {} is true", words.quote(call)),
    }
}

/// What a call does that stands alone, as a verb with its objects.
pub(crate) fn done(words: Words<'_>, call: &ExprCall) -> String {
    if let Some(text) = method(words, call, &DONE) {
        return text;
    }
    match call.func.as_ref() {
        Expr::Name(name) if name.id.as_str() == "print" && words.names.is_pythons("print") => {
            print(words, call)
        }
        Expr::Name(name) if name.id.as_str() == "input" && words.names.is_pythons("input") => {
            format!("waits until the user presses Enter ({})", words.quote(call))
        }
        _ => format!("calls {}", words.quote(call)),
    }
}

fn known(words: Words<'_>, call: &ExprCall) -> Option<String> {
    if let Expr::Name(name) = call.func.as_ref() {
        let name = name.id.as_str();
        if !call.arguments.keywords.is_empty() || !words.names.is_pythons(name) {
            return None;
        }
        let find = |list: &[(&str, &'static str)]| {
            list.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
        };
        let args = &call.arguments.args;
        if args.iter().any(Expr::is_starred_expr) {
            return None;
        }
        return match &**args {
            [Expr::Generator(made)] if matches!(name, "any" | "all" | "sum") => {
                of_each(words, name, &made.elt, &made.generators).or_else(|| {
                    find(&OF_ONE).map(|text| text.replace("{}", &words.operand(&args[0])))
                })
            }
            [] => find(&OF_NONE).map(str::to_owned),
            [one] => find(&OF_ONE).map(|text| text.replace("{}", &words.operand(one))),
            [one, two] => {
                let two = words.operand(two);
                find(&OF_TWO).map(|text| filled(text, "", &[words.operand(one), two]))
            }
            [from, to, step] if name == "range" => {
                let way = if whole(step)? > 0 { "up" } else { "down" };
                let [from, to, step] = [from, to, step].map(|arg| words.operand(arg));
                Some(format!(
                    "the whole numbers from {from} {way} to, but not including, {to}, in steps of {step}"
                ))
            }
            _ => None,
        };
    }
    method(words, call, &METHODS)
}

/// `any(x > 2 for x in xs)`, `all(…)`, and `sum(…)` of conditions, which counts.
fn of_each(
    words: Words<'_>,
    name: &str,
    element: &Expr,
    generators: &[Comprehension],
) -> Option<String> {
    let [made] = generators else { return None };
    if !made.ifs.is_empty() {
        return None;
    }
    let (item, items) = (words.quote(&made.target), words.operand(&made.iter));
    let condition = words.condition(element);
    match name {
        "any" => Some(format!(
            "`True` if, for at least one {item} in {items}, {condition}; otherwise `False`"
        )),
        "all" => {
            Some(format!("`True` if, for every {item} in {items}, {condition}; otherwise `False`"))
        }
        _ if element.is_compare_expr() => {
            Some(format!("the number of those {item} in {items} for which {condition}"))
        }
        _ => None,
    }
}

fn method(words: Words<'_>, call: &ExprCall, list: &[(&str, usize, &str)]) -> Option<String> {
    let attribute = call.func.as_attribute_expr()?;
    let name = attribute.attr.as_str();
    let object = &*attribute.value;
    let is_module = object.as_name_expr().is_some_and(|object| {
        let name = object.id.as_str();
        words.names.modules.contains_key(name) || words.names.imported.contains_key(name)
    });
    let args = &call.arguments.args;
    let is_plain = call.arguments.keywords.is_empty() && !args.iter().any(Expr::is_starred_expr);
    if is_module || !is_plain || words.names.has_method(name) {
        return None;
    }
    let (_, _, text) =
        list.iter().find(|(known, count, _)| *known == name && *count == args.len())?;
    let args: Vec<String> = args.iter().map(|arg| words.operand(arg)).collect();
    Some(filled(text, &words.operand(object), &args))
}

fn of_program(words: Words<'_>, call: &ExprCall) -> String {
    match call.func.as_ref() {
        Expr::Name(name) if words.names.class(name.id.as_str()).is_some() => {
            format!("a new {} object, made by {}", code(name.id.as_str()), words.quote(call))
        }
        Expr::Name(name) if words.names.function(name.id.as_str()).is_some() => {
            format!("what {} gives back", words.quote(call))
        }
        _ => format!("the result of {}", words.quote(call)),
    }
}

fn print(words: Words<'_>, call: &ExprCall) -> String {
    let args = &call.arguments.args;
    let keyword = |name: &str| {
        let mut keywords = call.arguments.keywords.iter();
        keywords.find(|keyword| keyword.arg.as_ref().is_some_and(|arg| arg.as_str() == name))
    };
    let shown: Vec<String> = args
        .iter()
        .map(|arg| match arg {
            Expr::Starred(star) => format!("all items of {}", words.quote(&*star.value)),
            _ => words.value(arg),
        })
        .collect();
    let mut text = match shown.split_last() {
        None => "prints an empty line".to_owned(),
        Some((one, [])) => format!("prints {one}"),
        Some((last, others)) => format!("prints {} and {last}", others.join(", ")),
    };
    if let Some(sep) = keyword("sep") {
        text.push_str(&format!(", with {} between them", words.quote(&sep.value)));
    } else if shown.len() > 1 {
        text.push_str(", with a space between them");
    }
    if let Some(end) = keyword("end") {
        text.push_str(&format!(
            ", and ends with {} instead of a new line",
            words.quote(&end.value)
        ));
    }
    text
}

#[cfg(test)]
mod tests;
