//! A program as a list of its statements and headers, in the order of the text, each with a sentence.

use ruff_python_ast::{
    ElifElseClause, ExceptHandler, Expr, MatchCase, Stmt, StmtClassDef, StmtFor, StmtFunctionDef,
    StmtIf, StmtTry, StmtWhile,
};
use ruff_text_size::Ranged;

use crate::{
    facts::Scope,
    lines::{Lines, in_words, third},
    statements::Sentences,
    value::code,
    words::Words,
};

/// Most lines between the header of an `else` and its first statement.
const COMMENTS: u32 = 40;

/// A statement without those inside it, or a header such as `else:`.
#[derive(Debug, Clone)]
pub(crate) struct Item<'a> {
    /// Its own lines.
    pub(crate) lines: Lines,
    /// With all that is below a header.
    pub(crate) whole: Lines,
    pub(crate) depth: usize,
    /// The function around it.
    pub(crate) scope: Option<Scope<'a>>,
    pub(crate) what: What<'a>,
    /// What it does; the subject is the line.
    pub(crate) text: String,
}

/// What an item is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum What<'a> {
    Function(&'a StmtFunctionDef),
    Class(&'a StmtClassDef),
    /// With the lines of the body.
    For(&'a StmtFor, Lines),
    While(&'a StmtWhile, Lines),
    /// A condition: of `if` or `elif`, with the block below.
    Branch(&'a Expr, Lines),
    /// `else`, `try`, `except`, `finally`, `case`, `with`.
    Header,
    /// A statement of its own.
    Plain(&'a Stmt),
}

/// Lists the items of a program.
pub(crate) fn items<'a>(words: Words<'a>) -> Vec<Item<'a>> {
    let mut list = List { words, items: Vec::new(), scope: None, loops: Vec::new(), depth: 0 };
    list.block(words.program.body());
    list.items
}

struct List<'a> {
    words: Words<'a>,
    items: Vec<Item<'a>>,
    scope: Option<Scope<'a>>,
    /// The lines of the headers of the loops around.
    loops: Vec<u32>,
    depth: usize,
}

impl<'a> List<'a> {
    fn block(&mut self, body: &'a [Stmt]) {
        for (at, stmt) in body.iter().enumerate() {
            let is_text = matches!(stmt, Stmt::Expr(expr) if expr.value.is_string_literal_expr());
            if at == 0 && is_text {
                let lines = self.lines(stmt);
                let text = "says to people who read the program what this is for; Python does nothing with it";
                self.push(lines, lines, What::Plain(stmt), text.to_owned());
            } else {
                self.statement(stmt);
            }
        }
    }

    fn inside(&mut self, body: &'a [Stmt]) {
        self.depth += 1;
        self.block(body);
        self.depth -= 1;
    }

    fn lines(&self, place: impl Ranged) -> Lines {
        (self.words.program.line(&place), self.words.program.last_line(&place))
    }

    fn of_block(&self, body: &[Stmt]) -> Lines {
        match (body.first(), body.last()) {
            (Some(first), Some(last)) => (self.lines(first).0, self.lines(last).1),
            _ => (0, 0),
        }
    }

    fn push(&mut self, lines: Lines, whole: Lines, what: What<'a>, text: String) {
        let (depth, scope) = (self.depth, self.scope);
        self.items.push(Item { lines, whole, depth, scope, what, text });
    }

    fn statement(&mut self, stmt: &'a Stmt) {
        let whole = self.lines(stmt);
        match stmt {
            Stmt::FunctionDef(function) => self.function(function, whole),
            Stmt::ClassDef(class) => self.class(class, whole),
            Stmt::For(repeat) => self.repeat(repeat, whole),
            Stmt::While(repeat) => self.while_loop(repeat, whole),
            Stmt::If(branch) => self.branch(branch, whole),
            Stmt::Try(attempt) => self.attempt(attempt, whole),
            Stmt::With(with) => {
                let end = with.items.last().map_or(whole.0, |item| self.lines(item).1);
                let text = self.words.with(with, self.of_block(&with.body));
                self.push((whole.0, end), whole, What::Header, text);
                self.inside(&with.body);
            }
            Stmt::Match(choice) => {
                let text = self.words.choice(choice);
                self.push((whole.0, self.lines(&*choice.subject).1), whole, What::Header, text);
                self.depth += 1;
                for case in &choice.cases {
                    self.case(case);
                }
                self.depth -= 1;
            }
            Stmt::Break(_) | Stmt::Continue(_) => {
                let text = match (self.loops.last(), stmt) {
                    (Some(line), Stmt::Break(_)) => {
                        format!("leaves the loop that begins on line {line}")
                    }
                    (Some(line), _) => {
                        format!(
                            "skips the rest of this iteration: the loop on line {line} goes on with the next one"
                        )
                    }
                    (None, _) => "stands outside of any loop".to_owned(),
                };
                self.push(whole, whole, What::Plain(stmt), text);
            }
            _ => {
                let text = self.words.plain(stmt);
                self.push(whole, whole, What::Plain(stmt), text);
            }
        }
    }

    fn function(&mut self, function: &'a StmtFunctionDef, whole: Lines) {
        let begin = self.lines(&function.name).0;
        let end = function
            .returns
            .as_deref()
            .map_or_else(|| self.lines(&*function.parameters).1, |returns| self.lines(returns).1);
        let text = self.words.function(function, self.of_block(&function.body));
        self.push((begin, end), whole, What::Function(function), text);
        let scope = Scope { name: function.name.as_str(), lines: (whole.0, begin) };
        let outer = self.scope.replace(scope);
        let loops = std::mem::take(&mut self.loops);
        self.inside(&function.body);
        (self.scope, self.loops) = (outer, loops);
    }

    fn class(&mut self, class: &'a StmtClassDef, whole: Lines) {
        let begin = self.lines(&class.name).0;
        let end = class.arguments.as_deref().map_or(begin, |arguments| self.lines(arguments).1);
        let text = self.words.class(class);
        self.push((begin, end), whole, What::Class(class), text);
        self.inside(&class.body);
    }

    fn repeat(&mut self, repeat: &'a StmtFor, whole: Lines) {
        let body = self.of_block(&repeat.body);
        let text = self.words.repeat(repeat, body);
        self.push((whole.0, self.lines(&*repeat.iter).1), whole, What::For(repeat, body), text);
        self.loop_body(whole.0, &repeat.body);
        self.orelse(&repeat.orelse);
    }

    fn while_loop(&mut self, repeat: &'a StmtWhile, whole: Lines) {
        let body = self.of_block(&repeat.body);
        let text = self.words.while_loop(repeat, body);
        self.push((whole.0, self.lines(&*repeat.test).1), whole, What::While(repeat, body), text);
        self.loop_body(whole.0, &repeat.body);
        self.orelse(&repeat.orelse);
    }

    fn loop_body(&mut self, header: u32, body: &'a [Stmt]) {
        self.loops.push(header);
        self.inside(body);
        self.loops.pop();
    }

    fn orelse(&mut self, body: &'a [Stmt]) {
        if !body.is_empty() {
            let text =
                "belongs to the loop above: it is run when the loop has ended without `break`";
            self.keyword("else", body, text);
        }
    }

    /// The items of a block below a keyword of its own, which has no place in the tree.
    fn keyword(&mut self, word: &str, body: &'a [Stmt], text: &str) {
        let block = self.of_block(body);
        let source: Vec<&str> = self.words.program.source().lines().collect();
        let begins = |line: &u32| {
            let text = source.get(*line as usize - 1).map_or("", |text| text.trim_start());
            text.starts_with(word)
        };
        let mut candidates = (block.0.saturating_sub(COMMENTS).max(1)..=block.0).rev();
        let line = candidates.find(begins).unwrap_or(block.0);
        self.push((line, line), (line, block.1), What::Header, text.to_owned());
        self.inside(body);
    }

    fn branch(&mut self, branch: &'a StmtIf, whole: Lines) {
        let body = self.of_block(&branch.body);
        let text = format!("checks whether {}", self.words.condition(&branch.test));
        let text = format!("{text}. If so, {} run{}", in_words(body), third(body));
        let test = self.lines(&*branch.test);
        self.push((whole.0, test.1), (whole.0, body.1), What::Branch(&branch.test, body), text);
        self.inside(&branch.body);
        for clause in &branch.elif_else_clauses {
            self.clause(clause);
        }
    }

    fn clause(&mut self, clause: &'a ElifElseClause) {
        let (whole, body) = (self.lines(clause), self.of_block(&clause.body));
        match &clause.test {
            Some(test) => {
                let text = format!(
                    "is only looked at if no condition before it was true: it checks whether {}. If so, {} run{}",
                    self.words.condition(test),
                    in_words(body),
                    third(body)
                );
                self.push((whole.0, self.lines(test).1), whole, What::Branch(test, body), text);
            }
            None => {
                let text = format!(
                    "stands for everything else: {} run{} if no condition above was true",
                    in_words(body),
                    third(body)
                );
                self.push((whole.0, whole.0), whole, What::Header, text);
            }
        }
        self.inside(&clause.body);
    }

    fn attempt(&mut self, attempt: &'a StmtTry, whole: Lines) {
        let body = self.of_block(&attempt.body);
        let text = format!("tries {}: an error there need not end the program", in_words(body));
        self.push((whole.0, whole.0), (whole.0, body.1), What::Header, text);
        self.inside(&attempt.body);
        for handler in &attempt.handlers {
            let ExceptHandler::ExceptHandler(handler) = handler;
            let (lines, block) = (self.lines(handler), self.of_block(&handler.body));
            let kind = match handler.type_.as_deref() {
                Some(kind) => format!("the error is {}", self.words.a_class(kind)),
                None => "any error happens".to_owned(),
            };
            let named = handler.name.as_ref().map_or_else(String::new, |name| {
                format!(", which is called {} there", code(name.as_str()))
            });
            let text = format!(
                "catches errors of the `try` above: if {kind}{named}, {} run{}",
                in_words(block),
                third(block)
            );
            let end = handler.type_.as_deref().map_or(lines.0, |kind| self.lines(kind).1);
            self.push((lines.0, end), lines, What::Header, text);
            self.inside(&handler.body);
        }
        if !attempt.orelse.is_empty() {
            self.keyword(
                "else",
                &attempt.orelse,
                "belongs to the `try` above: it is run when no error happened",
            );
        }
        if !attempt.finalbody.is_empty() {
            self.keyword(
                "finally",
                &attempt.finalbody,
                "is run at the end in any case, error or not",
            );
        }
    }

    fn case(&mut self, case: &'a MatchCase) {
        let (whole, body) = (self.lines(case), self.of_block(&case.body));
        let text = self.words.case(case, body);
        let end = self.lines(&case.pattern).1;
        self.push((whole.0, end), whole, What::Header, text);
        self.inside(&case.body);
    }
}
