//! What a program's classes set on their objects, and where.

use ruff_python_ast::{
    Expr, Stmt, StmtClassDef, StmtFunctionDef,
    visitor::{Visitor, walk_expr, walk_stmt},
};

use crate::Program;

/// How many classes up a base is looked for: a course has two or three, and a circle has no end.
const MAX_BASES: usize = 20;

/// Why an object may lack an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lacking<'a> {
    /// A method's name looks like `__init__` and is none: its name and line.
    InitMisspelled(&'a str, u32),
    /// The base class sets it in its `__init__`, which the class's own `__init__` never calls: the base's name, and the
    /// line of the class's `__init__`.
    BaseNotCalled(&'a str, u32),
    /// `__init__` has a local name of its own instead: its line.
    Local(u32),
    /// Only another method sets it: its name and the line.
    SetBy(&'a str, u32),
}

impl Program<'_> {
    /// Why objects of a class may lack an attribute, as far as the class itself tells.
    #[must_use]
    pub fn lacking(&self, class: &str, attribute: &str) -> Option<Lacking<'_>> {
        let own = self.class(class)?;
        let init = method(own, "__init__");
        if init.is_none()
            && let Some(found) = self.misspelled_init(class)
        {
            return Some(found);
        }
        if let Some(init) = init
            && !calls_base(init)
        {
            let mut base = self.base(own);
            for _ in 0..MAX_BASES {
                let Some(above) = base else { break };
                let sets =
                    method(above, "__init__").is_some_and(|init| sets(init, attribute).is_some());
                if sets {
                    return Some(Lacking::BaseNotCalled(
                        above.name.as_str(),
                        self.line(&init.name),
                    ));
                }
                base = self.base(above);
            }
        }
        let others = own.body.iter().filter_map(|stmt| stmt.as_function_def_stmt());
        let set_by =
            others.filter(|method| method.name.as_str() != "__init__").find_map(|method| {
                Some(Lacking::SetBy(method.name.as_str(), self.line(sets(method, attribute)?)))
            });
        let init = init?;
        let local = init.body.iter().find_map(|stmt| {
            let assignment = stmt.as_assign_stmt()?;
            let is_local = assignment.targets.iter().any(|target| {
                target.as_name_expr().is_some_and(|name| name.id.as_str() == attribute)
            });
            is_local.then(|| Lacking::Local(self.line(stmt)))
        });
        if sets(init, attribute).is_some() { None } else { local.or(set_by) }
    }

    /// A method of a class whose name looks like `__init__`.
    #[must_use]
    pub fn misspelled_init(&self, class: &str) -> Option<Lacking<'_>> {
        let methods = self.class(class)?.body.iter().filter_map(|stmt| stmt.as_function_def_stmt());
        let mut methods = methods.map(|method| (method.name.as_str(), self.line(&method.name)));
        let (name, line) = methods.find(|(name, _)| {
            let letters = name.trim_matches('_').to_lowercase();
            *name != "__init__"
                && matches!(letters.as_str(), "init" | "int" | "inti" | "ini" | "initt" | "intit")
        })?;
        Some(Lacking::InitMisspelled(name, line))
    }

    fn class(&self, name: &str) -> Option<&StmtClassDef> {
        struct Classes<'a, 'n>(&'n str, Option<&'a StmtClassDef>);
        impl<'a> Visitor<'a> for Classes<'a, '_> {
            fn visit_stmt(&mut self, stmt: &'a Stmt) {
                match stmt {
                    Stmt::ClassDef(class) if class.name.as_str() == self.0 => self.1 = Some(class),
                    _ => walk_stmt(self, stmt),
                }
            }
        }
        let mut found = Classes(name, None);
        found.visit_body(self.body());
        found.1
    }

    /// The first base that the program itself has.
    fn base(&self, class: &StmtClassDef) -> Option<&StmtClassDef> {
        let bases = class.arguments.as_ref()?.args.iter();
        bases.filter_map(|base| base.as_name_expr()).find_map(|base| self.class(base.id.as_str()))
    }
}

fn method<'a>(class: &'a StmtClassDef, name: &str) -> Option<&'a StmtFunctionDef> {
    let mut methods = class.body.iter().filter_map(|stmt| stmt.as_function_def_stmt());
    methods.find(|method| method.name.as_str() == name)
}

/// Where a method sets an attribute of its object.
fn sets<'a>(method: &'a StmtFunctionDef, attribute: &str) -> Option<&'a Expr> {
    struct Set<'a, 'n> {
        object: &'n str,
        attribute: &'n str,
        found: Option<&'a Expr>,
    }
    impl<'a> Visitor<'a> for Set<'a, '_> {
        fn visit_expr(&mut self, expr: &'a Expr) {
            let is_it = expr.as_attribute_expr().is_some_and(|found| {
                found.ctx.is_store()
                    && found.attr.as_str() == self.attribute
                    && found
                        .value
                        .as_name_expr()
                        .is_some_and(|name| name.id.as_str() == self.object)
            });
            if is_it && self.found.is_none() {
                self.found = Some(expr);
            }
            walk_expr(self, expr);
        }
    }
    let object = method.parameters.iter().next()?.name().as_str();
    let mut set = Set { object, attribute, found: None };
    set.visit_body(&method.body);
    set.found
}

/// Whether a method calls the `__init__` of another class.
fn calls_base(method: &StmtFunctionDef) -> bool {
    struct Calls(bool);
    impl<'a> Visitor<'a> for Calls {
        fn visit_expr(&mut self, expr: &'a Expr) {
            self.0 |=
                expr.as_attribute_expr().is_some_and(|found| found.attr.as_str() == "__init__");
            walk_expr(self, expr);
        }
    }
    let mut calls = Calls(false);
    calls.visit_body(&method.body);
    calls.0
}

#[cfg(test)]
mod tests {
    use super::Lacking;
    use crate::Program;

    #[test]
    fn the_class_tells_why_an_attribute_is_missing() {
        let base = "class Animal:\n    def __init__(self, name):\n        self.name = name\n\n";
        for (rest, expected) in [
            (
                "class Dog(Animal):\n    def __init__(self):\n        self.age = 1\n",
                Some(Lacking::BaseNotCalled("Animal", 6)),
            ),
            (
                "class Dog(Animal):\n    def __init__(self):\n        super().__init__('Rex')\n",
                None,
            ),
            (
                "class Dog:\n    def _init_(self):\n        self.name = 1\n",
                Some(Lacking::InitMisspelled("_init_", 6)),
            ),
            (
                "class Dog:\n    def __init__(self, name):\n        name = name\n",
                Some(Lacking::Local(7)),
            ),
            (
                "class Dog:\n    def __init__(self):\n        pass\n    def call(self):\n        self.name = 'Rex'\n",
                Some(Lacking::SetBy("call", 9)),
            ),
            ("class Dog:\n    pass\n", None),
            ("class Dog(Dog):\n    def __init__(self):\n        pass\n", None),
        ] {
            let source = format!("{base}{rest}");
            let program = Program::read(&source).expect("it is Python");
            assert_eq!(program.lacking("Dog", "name"), expected, "{source}");
        }
    }
}
