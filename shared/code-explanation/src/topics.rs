//! The course's topics that an explanation touches.

use ruff_python_ast::Stmt;

use crate::{
    items::{Item, What},
    known::Known,
    question::Subject,
};

/// Most topics of an answer.
const MOST: usize = 3;

/// The topics, most important first.
pub(crate) fn of(known: &Known<'_>, subject: &Subject) -> Vec<&'static str> {
    let is_asked = |item: &&Item<'_>| match subject {
        Subject::Lines(first, last) => item.lines.0 <= *last && item.lines.1 >= *first,
        _ => true,
    };
    let mut topics: Vec<&'static str> =
        known.items.iter().filter(is_asked).filter_map(topic).collect();
    let order = |topic: &&'static str| ORDER.iter().position(|known| known == topic);
    topics.sort_by_key(order);
    topics.dedup();
    topics.truncate(MOST);
    topics
}

const ORDER: [&str; 10] = [
    "classes-objects",
    "try-except",
    "reading-writing-files",
    "defining-functions",
    "while-loops",
    "for-loops",
    "conditionals",
    "return-values",
    "input-output",
    "variables",
];

fn topic(item: &Item<'_>) -> Option<&'static str> {
    match item.what {
        What::Class(_) => Some("classes-objects"),
        What::Function(_) => Some("defining-functions"),
        What::For(..) => Some("for-loops"),
        What::While(..) => Some("while-loops"),
        What::Branch(..) => Some("conditionals"),
        What::Header if item.text.starts_with("tries") => Some("try-except"),
        What::Header if item.text.starts_with("opens") => Some("reading-writing-files"),
        What::Header => None,
        What::Plain(stmt) => match stmt {
            Stmt::Return(_) => Some("return-values"),
            Stmt::Assign(_) | Stmt::AugAssign(_) => Some("variables"),
            Stmt::Expr(_) if item.text.starts_with("prints") => Some("input-output"),
            _ => None,
        },
    }
}
