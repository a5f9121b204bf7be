//! Follows the paths through a function, and notes where a name is read that has no value on one of them.

use std::collections::{BTreeMap, BTreeSet};

use ruff_python_ast::{
    ExceptHandler, Expr, Pattern, Stmt, StmtTry,
    visitor::{Visitor, walk_pattern},
};
use ruff_text_size::{Ranged, TextRange, TextSize};

use super::{
    names::{bound, reads},
    state::{State, full_if, is_full, meet, mentions_full, names_in, remember, taken_from},
    unset::{Unbound, Unset},
};
use crate::{
    Program,
    scopes::{bound_by, captured},
};

/// The most statements of a function, or of the program itself, that are followed: each branch copies what is known.
const MAX_STATEMENTS: usize = 2_000;

/// The paths that leave a loop's body before its end.
#[derive(Default)]
struct Loop<'a> {
    breaks: Vec<Option<State<'a>>>,
    continues: Vec<Option<State<'a>>>,
}

pub(super) struct Flow<'p, 'a> {
    program: &'p Program<'p>,
    /// The names that are the function's own.
    pub(super) local: BTreeSet<&'a str>,
    function: Option<&'a str>,
    loops: Vec<Loop<'a>>,
    pub(super) found: Vec<Unbound<'a>>,
    told: BTreeSet<&'a str>,
    /// For each loop, by its line, the names that its items come from.
    sources: BTreeMap<u32, Vec<&'a str>>,
    left: usize,
}

impl<'p, 'a> Flow<'p, 'a> {
    pub(super) fn new(
        program: &'p Program<'p>,
        body: &'a [Stmt],
        declared: BTreeSet<&'a str>,
        function: Option<&'a str>,
    ) -> Self {
        let local = bound(body).difference(&declared).copied().collect();
        Self {
            program,
            local,
            function,
            loops: Vec::new(),
            found: Vec::new(),
            told: BTreeSet::new(),
            sources: BTreeMap::new(),
            left: MAX_STATEMENTS,
        }
    }

    fn line(&self, start: TextSize) -> u32 {
        self.program.line(TextRange::empty(start))
    }

    pub(super) fn block(
        &mut self,
        body: &'a [Stmt],
        mut state: Option<State<'a>>,
    ) -> Option<State<'a>> {
        for stmt in body {
            let now = state?;
            self.left = self.left.saturating_sub(1);
            if self.left == 0 {
                return None;
            }
            state = self.statement(stmt, now);
        }
        state
    }

    fn statement(&mut self, stmt: &'a Stmt, mut state: State<'a>) -> Option<State<'a>> {
        let line = self.line(stmt.start());
        match stmt {
            Stmt::If(branch) => {
                let mut tests = vec![(Some(branch.test.as_ref()), branch.body.as_slice())];
                tests.extend(
                    branch.elif_else_clauses.iter().map(|c| (c.test.as_ref(), c.body.as_slice())),
                );
                self.branches(&tests, state, line)
            }
            Stmt::For(repeat) => {
                self.reads(&repeat.iter, &mut state);
                let runs = is_full(&repeat.iter, &state);
                self.sources.insert(line, names_in(&repeat.iter));
                let mut inside = state.clone();
                self.target(&repeat.target, &mut inside);
                self.repeat(&repeat.body, &repeat.orelse, state, inside, runs, line)
            }
            Stmt::While(repeat) => {
                self.reads(&repeat.test, &mut state);
                let is_endless = repeat.test.as_boolean_literal_expr().is_some_and(|b| b.value)
                    || repeat.test.as_number_literal_expr().is_some();
                let runs = !is_endless && mentions_full(&repeat.test, &state);
                self.sources.insert(line, names_in(&repeat.test));
                let mut inside = state.clone();
                inside.full.extend(full_if(&repeat.test, true));
                if is_endless {
                    self.endless(&repeat.body, inside, line)
                } else {
                    self.repeat(&repeat.body, &repeat.orelse, state, inside, runs, line)
                }
            }
            Stmt::Try(attempt) => self.attempt(attempt, state, line),
            Stmt::With(with) => {
                for item in &with.items {
                    self.reads(&item.context_expr, &mut state);
                    if let Some(target) = &item.optional_vars {
                        self.target(target, &mut state);
                    }
                }
                self.block(&with.body, Some(state))
            }
            Stmt::Match(choice) => {
                self.reads(&choice.subject, &mut state);
                let mut after = None;
                let mut is_complete = false;
                for case in &choice.cases {
                    let mut inside = state.clone();
                    capture(&case.pattern, &mut inside);
                    if let Some(guard) = &case.guard {
                        self.reads(guard, &mut inside);
                    }
                    is_complete |= case.guard.is_none() && case.pattern.is_irrefutable();
                    let end = self.block(&case.body, Some(inside));
                    after = meet(after, end, Unset::Branch(line));
                }
                if is_complete { after } else { meet(after, Some(state), Unset::Branch(line)) }
            }
            _ => self.simple(stmt, state, line),
        }
    }

    fn simple(&mut self, stmt: &'a Stmt, mut state: State<'a>, line: u32) -> Option<State<'a>> {
        match stmt {
            Stmt::Assign(assignment) => {
                self.reads(&assignment.value, &mut state);
                for target in &assignment.targets {
                    self.target(target, &mut state);
                    remember(target, &assignment.value, &mut state);
                }
            }
            Stmt::AnnAssign(assignment) => {
                if let Some(value) = &assignment.value {
                    self.reads(value, &mut state);
                    self.target(&assignment.target, &mut state);
                }
            }
            Stmt::AugAssign(assignment) => {
                if let Expr::Name(name) = assignment.target.as_ref() {
                    self.read(name.id.as_str(), name.range(), &state);
                }
                self.reads(&assignment.value, &mut state);
                self.target(&assignment.target, &mut state);
            }
            Stmt::Delete(delete) => {
                for target in &delete.targets {
                    self.reads(target, &mut state);
                    if let Expr::Name(name) = target {
                        state.set.remove(name.id.as_str());
                        state.lost.insert(name.id.as_str(), Unset::Deleted(line));
                    }
                }
            }
            Stmt::FunctionDef(function) => {
                for default in function.parameters.iter().filter_map(|p| p.default()) {
                    self.reads(default, &mut state);
                }
                state.give(function.name.as_str());
            }
            Stmt::ClassDef(class) => state.give(class.name.as_str()),
            Stmt::Return(end) => {
                end.value.iter().for_each(|value| self.reads(value, &mut state));
                return None;
            }
            Stmt::Raise(raise) => {
                raise.exc.iter().for_each(|value| self.reads(value, &mut state));
                return None;
            }
            Stmt::Break(_) | Stmt::Continue(_) => {
                let around = self.loops.last_mut()?;
                let paths =
                    if stmt.is_break_stmt() { &mut around.breaks } else { &mut around.continues };
                paths.push(Some(state));
                return None;
            }
            Stmt::Expr(expr) => {
                self.reads(&expr.value, &mut state);
                if is_exit(&expr.value) {
                    return None;
                }
            }
            Stmt::Assert(assert) => self.reads(&assert.test, &mut state),
            _ => bound_by(stmt, &mut |name| state.give(name)),
        }
        Some(state)
    }

    fn branches(
        &mut self,
        tests: &[(Option<&'a Expr>, &'a [Stmt])],
        mut state: State<'a>,
        line: u32,
    ) -> Option<State<'a>> {
        // Two conditions that each give a name a value may leave no case out.
        let bound: BTreeSet<&str> = tests.iter().flat_map(|(_, body)| bound(body)).collect();
        let is_second = |name: &&&str| state.lost.contains_key(**name);
        let again: Vec<&str> = bound.iter().filter(is_second).copied().collect();
        let sure = |mut state: State<'a>| {
            again.iter().for_each(|name| state.give(name));
            state
        };
        let mut after = None;
        for (test, body) in tests {
            let mut inside = state.clone();
            let is_else = test.is_none();
            if let Some(test) = test {
                self.reads(test, &mut state);
                inside = state.clone();
                inside.full.extend(full_if(test, true));
                state.full.extend(full_if(test, false));
            }
            let end = self.block(body, Some(inside));
            after = meet(after, end, Unset::Branch(line));
            if is_else {
                return after.map(sure);
            }
        }
        meet(after, Some(state), Unset::Branch(line)).map(sure)
    }

    /// A loop that goes on until its condition is false or its items are used up.
    fn repeat(
        &mut self,
        body: &'a [Stmt],
        orelse: &'a [Stmt],
        before: State<'a>,
        inside: State<'a>,
        runs: bool,
        line: u32,
    ) -> Option<State<'a>> {
        self.loops.push(Loop::default());
        let end = self.block(body, Some(inside));
        let paths = self.loops.pop().unwrap_or_default();
        let why = Unset::Branch(line);
        let end = paths.continues.into_iter().fold(end, |end, path| meet(end, path, why));
        // In a loop that runs, the author may know that some iteration gives the name its value.
        let bound = bound(body);
        let sure = |mut state: State<'a>| {
            bound.iter().for_each(|name| state.give(name));
            state
        };
        let normal = if runs { end.map(sure) } else { meet(Some(before), end, Unset::Loop(line)) };
        let normal = match normal {
            Some(state) => self.block(orelse, Some(state)),
            None => None,
        };
        paths.breaks.into_iter().fold(normal, |end, path| meet(end, path, Unset::Loop(line)))
    }

    /// A `while True`, which only `break` leaves.
    fn endless(&mut self, body: &'a [Stmt], inside: State<'a>, line: u32) -> Option<State<'a>> {
        self.loops.push(Loop::default());
        self.block(body, Some(inside));
        let paths = self.loops.pop().unwrap_or_default();
        paths.breaks.into_iter().fold(None, |end, path| meet(end, path, Unset::Branch(line)))
    }

    fn attempt(&mut self, attempt: &'a StmtTry, state: State<'a>, line: u32) -> Option<State<'a>> {
        let why = Unset::Attempt(line);
        let end = self.block(&attempt.body, Some(state.clone()));
        // A handler may begin after any statement of the block: only what was known before is sure.
        let bound = bound(&attempt.body);
        let mut failed = state;
        let new = bound.iter().filter(|name| !failed.set.contains(*name));
        let new: Vec<&str> = new.copied().collect();
        failed.lost.extend(new.into_iter().map(|name| (name, why)));
        let mut after = match end {
            Some(end) => self.block(&attempt.orelse, Some(end)),
            None => None,
        };
        for ExceptHandler::ExceptHandler(handler) in &attempt.handlers {
            let mut inside = failed.clone();
            if let Some(name) = &handler.name {
                inside.give(name.as_str());
            }
            let mut end = self.block(&handler.body, Some(inside));
            if let (Some(end), Some(name)) = (&mut end, &handler.name) {
                end.set.remove(name.as_str());
                end.lost.insert(name.as_str(), why);
            }
            after = meet(after, end, why);
        }
        if attempt.finalbody.is_empty() {
            return after;
        }
        match after {
            Some(after) => self.block(&attempt.finalbody, Some(after)),
            None => {
                self.block(&attempt.finalbody, Some(failed));
                None
            }
        }
    }

    fn target(&mut self, target: &'a Expr, state: &mut State<'a>) {
        match target {
            Expr::Name(name) => state.give(name.id.as_str()),
            Expr::Tuple(tuple) => tuple.elts.iter().for_each(|part| self.target(part, state)),
            Expr::List(list) => list.elts.iter().for_each(|part| self.target(part, state)),
            Expr::Starred(starred) => self.target(&starred.value, state),
            // `a[i] = x` reads both names, and `append` and the like may fill the list.
            _ => self.reads(target, state),
        }
    }

    fn reads(&mut self, expr: &'a Expr, state: &mut State<'a>) {
        let reads = reads(expr);
        for (name, range) in reads.found {
            if !reads.given.contains(&name) {
                self.read(name, range, state);
            }
        }
        reads.given.into_iter().for_each(|name| state.give(name));
        state.full.extend(taken_from(expr));
    }

    fn read(&mut self, name: &'a str, range: TextRange, state: &State<'a>) {
        if !self.local.contains(name) || state.set.contains(name) || self.told.contains(name) {
            return;
        }
        let why = state.lost.get(name).copied().unwrap_or(Unset::Later);
        // The loop ran after all: by now its items are known to exist.
        if let Unset::Loop(line) = why
            && self
                .sources
                .get(&line)
                .is_some_and(|names| names.iter().any(|name| state.full.contains(name)))
        {
            return;
        }
        self.told.insert(name);
        let line = self.line(range.start());
        self.found.push(Unbound { name, line, why, function: self.function, range });
    }
}

/// `exit()`, `quit()`, `sys.exit()`
fn is_exit(expr: &Expr) -> bool {
    let Some(call) = expr.as_call_expr() else { return false };
    match call.func.as_ref() {
        Expr::Name(name) => matches!(name.id.as_str(), "exit" | "quit"),
        Expr::Attribute(attribute) => matches!(attribute.attr.as_str(), "exit" | "_exit"),
        _ => false,
    }
}

fn capture<'a>(pattern: &'a Pattern, state: &mut State<'a>) {
    struct Captures<'s, 'a>(&'s mut State<'a>);
    impl<'a> Visitor<'a> for Captures<'_, 'a> {
        fn visit_pattern(&mut self, pattern: &'a Pattern) {
            captured(pattern, &mut |name| self.0.give(name));
            walk_pattern(self, pattern);
        }
    }
    Captures(state).visit_pattern(pattern);
}
