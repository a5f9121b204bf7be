//! Lines of a program, moved and copied.

use ruff_python_ast::Stmt;
use ruff_text_size::Ranged as _;

use crate::Program;

/// The indentation of a statement, if it is the first on its line.
pub(super) fn indent<'a>(program: &Program<'a>, stmt: &Stmt) -> Option<&'a str> {
    let before = &program.source()[..stmt.start().to_usize()];
    let indent = before.rsplit('\n').next().unwrap_or_default();
    indent.trim().is_empty().then_some(indent)
}

/// A statement's lines with another indentation.
pub(super) fn indented(text: &str, old: &str, new: &str) -> String {
    let mut lines = text.lines();
    let mut made = format!("{new}{}", lines.next().unwrap_or_default());
    for line in lines {
        made.push('\n');
        made.push_str(
            &line.strip_prefix(old).map_or_else(|| line.to_owned(), |rest| format!("{new}{rest}")),
        );
    }
    made
}
