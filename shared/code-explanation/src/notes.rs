//! What a beginner may not know about what is on a line; each is said once.

use std::collections::BTreeSet;

use domain::level::Level;
use ruff_python_ast::{
    CmpOp, Expr, Operator, Stmt,
    visitor::{Visitor, walk_expr},
};

use crate::items::{Item, What};

/// Most notes on one line.
const AT_ONCE: usize = 2;

/// What has been said.
#[derive(Debug, Default)]
pub(crate) struct Notes(BTreeSet<&'static str>);

impl Notes {
    /// Notes on an item that were not given yet.
    pub(crate) fn on(&mut self, item: &Item<'_>, level: Level) -> Vec<&'static str> {
        let mut seen = Seen { level, notes: Vec::new() };
        match item.what {
            What::For(repeat, _) => seen.visit_expr(&repeat.iter),
            What::While(repeat, _) => seen.visit_expr(&repeat.test),
            What::Branch(test, _) => seen.visit_expr(test),
            What::Plain(stmt) => {
                seen.augmented(stmt);
                seen.visit_stmt(stmt);
            }
            What::Function(_) | What::Class(_) | What::Header => {}
        }
        let mut notes = seen.notes;
        notes.retain(|note| !self.0.contains(note));
        notes.dedup();
        notes.truncate(AT_ONCE);
        self.0.extend(&notes);
        notes
    }
}

/// Notes on an expression.
pub(crate) fn on_expression(expr: &Expr, level: Level) -> Vec<&'static str> {
    let mut seen = Seen { level, notes: Vec::new() };
    seen.visit_expr(expr);
    let mut notes = seen.notes;
    notes.dedup();
    notes.truncate(AT_ONCE + 1);
    notes
}

struct Seen {
    level: Level,
    notes: Vec<&'static str>,
}

impl Seen {
    fn note(&mut self, until: Level, note: &'static str) {
        if self.level <= until && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn augmented(&mut self, stmt: &Stmt) {
        let Stmt::AugAssign(assign) = stmt else { return };
        self.operator(assign.op);
        if assign.op == Operator::Add {
            self.note(
                Level::Beginner,
                "`a += b` is a short way to write much the same as `a = a + b`.",
            );
        }
    }

    fn operator(&mut self, operator: Operator) {
        match operator {
            Operator::FloorDiv => self.note(
                Level::Learning,
                "`//` divides and rounds down to a whole number: `7 // 2` is `3`.",
            ),
            Operator::Mod => self.note(
                Level::Learning,
                "`%` between numbers gives what is left over after dividing: `7 % 3` is `1`.",
            ),
            Operator::Pow => {
                self.note(Level::Learning, "`**` means “to the power of”: `2 ** 3` is `8`.");
            }
            Operator::Div => {
                self.note(Level::Beginner, "`/` gives a decimal number: `6 / 2` is `3.0`.");
            }
            _ => {}
        }
    }

    fn called(&mut self, name: &str) {
        match name {
            "range" => self.note(
                Level::Beginner,
                "`range` stops before its end: `range(3)` gives 0, 1 and 2.",
            ),
            "input" => self.note(
                Level::Learning,
                "`input` always gives a text, even if the user types digits.",
            ),
            "sorted" => {
                self.note(
                    Level::Learning,
                    "`sorted` makes a new list; the old one stays as it is.",
                );
            }
            "join" => self
                .note(Level::Beginner, "`join` belongs to the text that is put between the parts."),
            _ => {}
        }
    }
}

impl<'a> Visitor<'a> for Seen {
    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::BinOp(operation) if operation.op == Operator::Mod && is_text(&operation.left) => self.note(
                Level::Learning,
                "`%` after a text fills values in: each `%s` or `%d` is replaced by a value.",
            ),
            Expr::BinOp(operation) => self.operator(operation.op),
            Expr::Compare(compare) if compare.ops.contains(&CmpOp::Eq) => self.note(
                Level::Beginner,
                "`==` compares two values; a single `=` gives a name a value.",
            ),
            Expr::Subscript(part) => match part.slice.as_ref() {
                Expr::Slice(slice) => {
                    if slice.upper.is_some() {
                        self.note(Level::Learning, "In a slice `[a:b]`, position `b` is not included.");
                    }
                    self.note(Level::Learning, "Positions are counted from 0; a slice is a new text or list.");
                }
                Expr::UnaryOp(_) => self.note(
                    Level::Learning,
                    "In a list or a text, a negative position counts from the end: `-1` is the last one.",
                ),
                Expr::NumberLiteral(_) => self.note(
                    Level::Beginner,
                    "In a list or a text, positions are counted from 0: `[0]` is the first one.",
                ),
                _ => {}
            },
            Expr::FString(_) => self.note(
                Level::Beginner,
                "In a text with `f` before it, what is in `{…}` is replaced by its value.",
            ),
            Expr::ListComp(_) => self.note(
                Level::Learning,
                "A list comprehension makes a whole list in one line, as a `for` loop with `append` would.",
            ),
            Expr::Lambda(_) => {
                self.note(Level::Learning, "`lambda` makes a function; it is run only when it is called.");
            }
            Expr::Call(call) => match call.func.as_ref() {
                Expr::Name(name) => self.called(name.id.as_str()),
                Expr::Attribute(attribute) => self.called(attribute.attr.as_str()),
                _ => {}
            },
            _ => {}
        }
        walk_expr(self, expr);
    }
}

const fn is_text(expr: &Expr) -> bool {
    matches!(expr, Expr::StringLiteral(_) | Expr::FString(_))
}
