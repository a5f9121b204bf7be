//! Suggested simplifications, for rules where that is a small change. The caller must run the program to see whether it
//! still does the same.

use ruff_python_ast::{Alias, CmpOp, Expr, ExprCompare, Stmt, StmtFor, StmtIf};
use ruff_text_size::{Ranged, TextRange};

use crate::Program;
use crate::tree;

/// A program with some lines changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewrite {
    /// The first changed line, from 1.
    pub line: u32,
    /// The original lines.
    pub before: String,
    /// The suggested lines; empty if they are deleted.
    pub after: String,
    /// The whole program with the change.
    pub program: String,
}

/// Simplifies the line of a finding; `None` if there is no rule for it.
#[must_use]
pub fn rewrite(source: &str, rule: &str, line: u32) -> Option<Rewrite> {
    let program = Program::read(source).ok()?;
    let all = tree::all(program.body());
    let here = |place: TextRange| program.line(place) == line;
    let statement = || all.statements.iter().copied().filter(|stmt| here(stmt.range()));
    let comparison = || {
        let comparisons = all.expressions.iter().filter_map(|expr| expr.as_compare_expr());
        comparisons.filter(|comparison| here(comparison.range()) && comparison.ops.len() == 1)
    };
    let edits = match rule {
        "compares_to_none" => vec![comparison().find_map(|found| with_none(&program, found))?],
        "compares_to_bool" => vec![comparison().find_map(|found| with_bool(&program, found))?],
        "returns_bool" => {
            let branches = statement().filter_map(|stmt| stmt.as_if_stmt());
            vec![branches.into_iter().find_map(|branch| returned(&program, branch))?]
        }
        "index_loop" => {
            let loops = statement().filter_map(|stmt| stmt.as_for_stmt());
            loops.into_iter().find_map(|found| over_items(found, &all))?
        }
        "unused_import" => vec![statement().find_map(|stmt| without_import(&program, stmt))?],
        "self_assignment" => {
            let stmt = statement().find(|stmt| stmt.is_assign_stmt())?;
            vec![(whole_lines(source, stmt.range()), String::new())]
        }
        _ => return None,
    };
    apply(&program, edits)
}

type Edit = (TextRange, String);

fn apply(program: &Program<'_>, mut edits: Vec<Edit>) -> Option<Rewrite> {
    let source = program.source();
    edits.sort_by_key(|(range, _)| range.start());
    let whole = TextRange::new(edits.first()?.0.start(), edits.last()?.0.end());
    let whole = whole_lines(source, whole);
    let mut changed = source.to_owned();
    for (range, text) in edits.iter().rev() {
        changed.replace_range(std::ops::Range::<usize>::from(*range), text);
    }
    let (start, end) = (usize::from(whole.start()), usize::from(whole.end()));
    let after_end = end + changed.len() - source.len();
    Some(Rewrite {
        line: program.line(whole),
        before: source[start..end].trim_end().to_owned(),
        after: changed.get(start..after_end).unwrap_or_default().trim_end().to_owned(),
        program: changed,
    })
}

/// The lines of a node, with line ends.
fn whole_lines(source: &str, range: TextRange) -> TextRange {
    let (start, end) = (usize::from(range.start()), usize::from(range.end()));
    let first = source[..start].rfind('\n').map_or(0, |at| at + 1);
    let last = if end > first && source[..end].ends_with('\n') {
        end
    } else {
        source[end..].find('\n').map_or(source.len(), |at| end + at + 1)
    };
    let size = |at: usize| ruff_text_size::TextSize::try_from(at).unwrap_or_default();
    TextRange::new(size(first), size(last))
}

/// `x is None` for `x == None`.
fn with_none(program: &Program<'_>, comparison: &ExprCompare) -> Option<Edit> {
    let [right] = &*comparison.comparators else { return None };
    let left = comparison.left.as_ref();
    let other = if right.is_none_literal_expr() { left } else { right };
    let word = match comparison.ops.first()? {
        CmpOp::Eq => "is",
        CmpOp::NotEq => "is not",
        _ => return None,
    };
    (left.is_none_literal_expr() != right.is_none_literal_expr())
        .then(|| (comparison.range(), format!("{} {word} None", program.text(other))))
}

/// `x` for `x == True`.
fn with_bool(program: &Program<'_>, comparison: &ExprCompare) -> Option<Edit> {
    let [right] = &*comparison.comparators else { return None };
    let left = comparison.left.as_ref();
    let (value, other) = match (left.as_boolean_literal_expr(), right.as_boolean_literal_expr()) {
        (None, Some(literal)) => (literal.value, left),
        (Some(literal), None) => (literal.value, right),
        _ => return None,
    };
    let is_same = match comparison.ops.first()? {
        CmpOp::Eq => value,
        CmpOp::NotEq => !value,
        _ => return None,
    };
    let text = program.text(other);
    Some((comparison.range(), if is_same { text.to_owned() } else { negated(other, text) }))
}

fn negated(expr: &Expr, text: &str) -> String {
    match expr {
        Expr::BoolOp(_) | Expr::Compare(_) | Expr::If(_) => format!("not ({text})"),
        _ => format!("not {text}"),
    }
}

/// `return x > 1` for `if x > 1: return True, else: return False`.
fn returned(program: &Program<'_>, branch: &StmtIf) -> Option<Edit> {
    let [otherwise] = branch.elif_else_clauses.as_slice() else { return None };
    let is_else = otherwise.test.is_none();
    let value = |body: &[Stmt]| match body {
        [Stmt::Return(returned)] => {
            Some(returned.value.as_deref()?.as_boolean_literal_expr()?.value)
        }
        _ => None,
    };
    let (first, second) = (value(&branch.body)?, value(&otherwise.body)?);
    let test = branch.test.as_ref();
    let text = program.text(test);
    let is_bool =
        test.is_compare_expr() || matches!(test, Expr::UnaryOp(operation) if operation.op.is_not());
    let text = match (first, second) {
        (true, false) if is_bool => text.to_owned(),
        (true, false) => format!("bool({text})"),
        (false, true) => negated(test, text),
        _ => return None,
    };
    is_else.then(|| (branch.range(), format!("return {text}")))
}

/// `for word in words` for `for i in range(len(words))`.
fn over_items(found: &StmtFor, all: &tree::All<'_>) -> Option<Vec<Edit>> {
    let target = tree::name(&found.target)?;
    let (function, argument) = tree::call_of_one(&found.iter)?;
    let (inner, list) = tree::call_of_one(argument)?;
    let list = tree::name(list).filter(|_| function == "range" && inner == "len")?;
    let taken: Vec<&str> = all.expressions.iter().filter_map(|expr| tree::name(expr)).collect();
    let singular = list.strip_suffix('s').filter(|name| name.len() > 1);
    let names = singular.into_iter().chain(["item", "value", "element"]);
    let name = names.into_iter().find(|name| !taken.contains(name))?;
    let mut edits =
        vec![(found.target.range(), name.to_owned()), (found.iter.range(), list.to_owned())];
    let inside = tree::all(&found.body);
    let items = inside.expressions.iter().filter_map(|expr| expr.as_subscript_expr());
    let items = items.filter(|item| {
        tree::name(&item.value) == Some(list) && tree::name(&item.slice) == Some(target)
    });
    edits.extend(items.map(|item| (item.range(), name.to_owned())));
    Some(edits)
}

/// Deletes `import math`.
fn without_import(program: &Program<'_>, stmt: &Stmt) -> Option<Edit> {
    let names: &[Alias] = match stmt {
        Stmt::Import(import) => &import.names,
        Stmt::ImportFrom(import) => &import.names,
        _ => return None,
    };
    (names.len() == 1).then(|| (whole_lines(program.source(), stmt.range()), String::new()))
}

#[cfg(test)]
mod tests {
    use super::rewrite;
    use crate::review::review;

    #[test]
    fn a_suggestion_removes_its_finding() {
        for (source, rule, before, after) in [
            (
                "x = 3\nif x == None:\n    print(x)\n",
                "compares_to_none",
                "if x == None:",
                "if x is None:",
            ),
            (
                "x = 3\nif None != x:\n    print(x)\n",
                "compares_to_none",
                "if None != x:",
                "if x is not None:",
            ),
            (
                "a = 1 > 2\nif a == False:\n    print(a)\n",
                "compares_to_bool",
                "if a == False:",
                "if not a:",
            ),
            (
                "def f(n):\n    if n > 1:\n        return True\n    else:\n        return False\n\nprint(f(1))\n",
                "returns_bool",
                "    if n > 1:\n        return True\n    else:\n        return False",
                "    return n > 1",
            ),
            (
                "words = ['a', 'b']\nfor i in range(len(words)):\n    print(words[i])\n",
                "index_loop",
                "for i in range(len(words)):\n    print(words[i])",
                "for word in words:\n    print(word)",
            ),
            ("import math\nprint(1)\n", "unused_import", "import math", ""),
            ("x = 1\nx = x\nprint(x)\n", "self_assignment", "x = x", ""),
        ] {
            let review = review(source);
            let finding = review.findings.iter().find(|finding| finding.rule.name == rule);
            let line = finding.expect(rule).line;
            let rewrite = rewrite(source, rule, line).expect(rule);
            assert_eq!((&*rewrite.before, &*rewrite.after), (before, after), "{source}");
            let again = super::super::review(&rewrite.program);
            assert!(!again.findings.iter().any(|f| f.rule.name == rule), "{}", rewrite.program);
        }
    }

    #[test]
    fn lines_without_a_simplification_stay() {
        assert!(rewrite("x = 1\nx + 1\nprint(x)\n", "no_effect", 2).is_none());
        assert!(rewrite("if x\n", "compares_to_none", 1).is_none());
        assert!(rewrite("print(1)\n", "compares_to_none", 1).is_none());
    }
}
