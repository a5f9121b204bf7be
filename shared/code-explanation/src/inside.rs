//! What is inside a block: how it can be left, what it does besides.

use ruff_python_ast::{
    Expr, Stmt,
    visitor::{Visitor, walk_expr, walk_stmt},
};

/// What is in a function, without the functions inside it.
#[derive(Default)]
pub(crate) struct Inside<'a> {
    name: &'a str,
    pub(crate) yields: bool,
    pub(crate) calls_itself: bool,
    pub(crate) returns: bool,
    pub(crate) breaks: bool,
    pub(crate) prints: bool,
}

impl<'a> Inside<'a> {
    pub(crate) fn of(body: &'a [Stmt], name: &'a str) -> Self {
        let mut inside = Self { name, ..Self::default() };
        inside.visit_body(body);
        inside
    }
}

impl<'a> Visitor<'a> for Inside<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(_) | Stmt::ClassDef(_) => return,
            Stmt::Return(end) => self.returns |= end.value.is_some(),
            Stmt::Break(_) => self.breaks = true,
            _ => {}
        }
        walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Yield(_) | Expr::YieldFrom(_) => self.yields = true,
            Expr::Call(call) => {
                let name = call.func.as_name_expr().map(|name| name.id.as_str());
                self.calls_itself |= name == Some(self.name);
                self.prints |= name == Some("print");
            }
            _ => {}
        }
        walk_expr(self, expr);
    }
}

/// The ways in which a loop without a condition can be left.
pub(crate) fn leaves(body: &[Stmt]) -> Vec<String> {
    struct Ways {
        is_inner: bool,
        found: Vec<&'static str>,
    }
    impl<'a> Visitor<'a> for Ways {
        fn visit_stmt(&mut self, stmt: &'a Stmt) {
            let outer = self.is_inner;
            match stmt {
                Stmt::FunctionDef(_) | Stmt::ClassDef(_) => return,
                Stmt::For(_) | Stmt::While(_) => self.is_inner = true,
                Stmt::Break(_) if !self.is_inner => self.found.push("`break`"),
                Stmt::Return(_) => self.found.push("`return`"),
                Stmt::Raise(_) => self.found.push("an error"),
                _ => {}
            }
            walk_stmt(self, stmt);
            self.is_inner = outer;
        }

        fn visit_expr(&mut self, expr: &'a Expr) {
            let call = expr.as_call_expr();
            let name = call.map(|call| match call.func.as_ref() {
                Expr::Name(name) => name.id.as_str(),
                Expr::Attribute(attribute) => attribute.attr.as_str(),
                _ => "",
            });
            if name.is_some_and(|name| matches!(name, "exit" | "quit")) {
                self.found.push("the end of the program");
            }
            walk_expr(self, expr);
        }
    }
    let mut ways = Ways { is_inner: false, found: Vec::new() };
    ways.visit_body(body);
    ways.found.sort_unstable();
    ways.found.dedup();
    ways.found.into_iter().map(str::to_owned).collect()
}
