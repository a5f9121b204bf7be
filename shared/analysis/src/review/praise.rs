//! One thing that this program does well.

use ruff_python_ast::Expr;

use super::{finding::Finding, rules::Severity};
use crate::Program;
use crate::tree;

pub(super) fn praise(program: &Program<'_>, findings: &[Finding]) -> &'static str {
    let all = tree::all(program.body());
    let has = |test: &dyn Fn(&Expr) -> bool| all.expressions.iter().any(|expr| test(expr));
    let functions: Vec<_> = all.functions().collect();
    let has_docstring = functions.iter().any(|function| {
        let first = function.body.first().and_then(|stmt| stmt.as_expr_stmt());
        first.is_some_and(|stmt| stmt.value.is_string_literal_expr())
    });
    let has_early_return = functions.iter().any(|function| {
        let first = function.body.first().and_then(|stmt| stmt.as_if_stmt());
        function.body.len() > 1
            && first.is_some_and(|branch| {
                branch.elif_else_clauses.is_empty() && tree::ends(&branch.body)
            })
    });
    let worst = findings.first().map(|finding| finding.rule.severity);
    if has_docstring {
        "The docstring says what the function is for, so nobody has to guess."
    } else if program.mentions("with") {
        "`with` closes the file in every case."
    } else if has_early_return {
        "The special case is dealt with first, and the rest stays simple."
    } else if has(&|expr| {
        tree::called(expr).is_some_and(|name| matches!(name, "enumerate" | "zip"))
    }) {
        "enumerate and zip say what the loop needs, with no counting by hand."
    } else if has(&|expr| {
        expr.is_list_comp_expr() || expr.is_dict_comp_expr() || expr.is_set_comp_expr()
    }) {
        "The comprehension builds the collection in one readable line."
    } else if has(&|expr| expr.is_f_string_expr()) {
        "The f-strings make the output easy to read in the code."
    } else if functions.len() > 1 {
        "The work is split into functions with names of their own."
    } else if functions.len() == 1 && worst.is_none() {
        "The function does one thing and is easy to test."
    } else if worst != Some(Severity::Error) {
        "It reads from top to bottom without surprises."
    } else {
        "The parts are in the right order, which is the harder half."
    }
}
