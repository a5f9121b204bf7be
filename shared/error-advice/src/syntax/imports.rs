//! The two forms of import.

use super::{
    case::{Case, Edit, Fault},
    token::{Kind, Token},
};

pub(super) const CHECKS: [super::check::Check; 2] = [order, names];

fn at(token: &Token<'_>) -> std::ops::Range<usize> {
    token.start..token.end()
}

/// `import sin from math`
fn order(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let first = words.first().filter(|first| first.is("import"))?;
    let from = words.iter().find(|word| word.is_one_of(&["from", "of", "in"]))?;
    Some(Fault::new(
        "syntax.import_order",
        at(from),
        format!("The import on {} has its parts in the wrong order.", case.on(first.start)),
        "The module comes first: from a module, import some names.",
        "Which of these is the module, and which are names in it?",
    ))
}

/// `from math import sin and cos`, `import "math"`, `from math import`
fn names(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let first =
        words.first().filter(|first| first.is_one_of(&["import", "from", "include", "using"]))?;
    let on = case.on(first.start);
    if first.is_one_of(&["include", "using"]) {
        let fault = Fault::new(
            "syntax.other_word",
            at(first),
            format!("`{}` on {on} is not a word of Python.", first.text),
            "Other languages have that word; Python writes it differently.",
            "How does Python get a module?",
        );
        return fault.if_helps(case, vec![Edit::replace(first, "import")]);
    }
    let import = words.iter().find(|word| word.is("import"));
    let Some(import) = import else {
        return Some(Fault::new(
            "syntax.import_name",
            at(first),
            format!("The line that begins with `from` on {on} has no `import`."),
            "The complete form is: from a module, import some names.",
            "What do you need from that module?",
        ));
    };
    if let Some(found) = joined(case, words, &on) {
        return Some(found);
    }
    let next = words.iter().find(|word| word.start > import.start);
    let has_none = next.is_none_or(|next| next.line > import.line)
        || words.get(1).is_some_and(|word| first.is("from") && word.is("import"));
    if has_none {
        return Some(Fault::new(
            "syntax.import_name",
            at(import),
            format!("The import on {on} does not say what to import from where."),
            "After from stands the module; after import stand the names, or the module itself.",
            "Which module do you need, and what from it?",
        ));
    }
    let last = words.last().filter(|last| last.is(","))?;
    Some(Fault::new(
        "syntax.extra_comma",
        at(last),
        format!("The import on {on} ends with a comma."),
        "A comma separates two names, so another one must follow.",
        "Is a name missing there, or is the comma too much?",
    ))
}

/// What stands between the names of an import, or around them.
fn joined(case: &Case<'_>, words: &[Token<'_>], on: &str) -> Option<Fault> {
    let and = words.iter().find(|word| word.is_one_of(&["and", "&", "+"]));
    if let Some(and) = and {
        let every = words.iter().filter(|word| word.is(and.text));
        let repair: Vec<Edit> = every
            .map(|word| {
                let after_comma = words.iter().rfind(|other| other.end() <= word.start);
                Edit::replace(
                    word,
                    if after_comma.is_some_and(|before| before.is(",")) { "" } else { "," },
                )
            })
            .collect();
        let fault = Fault::new(
            "syntax.import_and",
            at(and),
            format!("Names are joined by `{}` in the import on {on}.", and.text),
            "In an import commas separate the names.",
            "Which sign belongs between the names?",
        );
        return fault.if_helps(case, repair);
    }
    if let Some(hyphen) = words.iter().find(|word| word.is("-")) {
        let every = words.iter().filter(|word| word.is("-"));
        let fault = Fault::new(
            "syntax.hyphen_name",
            at(hyphen),
            format!("There is a hyphen in the import on {on}."),
            "The name of a module is a single word of letters, digits and underscores, and so is the name of its file.",
            "How is the file or the module called exactly?",
        );
        return fault.if_helps(case, every.map(|hyphen| Edit::replace(hyphen, "_")).collect());
    }
    if let Some(pair) = words.windows(2).find(|pair| pair[0].is(")") && pair[1].is("as")) {
        return Some(Fault::new(
            "syntax.import_as",
            at(&pair[1]),
            format!("`as` on {on} stands behind several names."),
            "`as` gives another name to the one name before it.",
            "Which of the names should be called differently?",
        ));
    }
    let text = words.iter().find(|word| word.kind == Kind::Text);
    text.map(|text| {
        Fault::new(
            "syntax.import_text",
            at(text),
            format!("There are quotes in the import on {on}."),
            "A module is imported by its name, which is not a string, and without .py at its end.",
            "How is the module called?",
        )
    })
}
