//! Lines of something else: other languages, shells, consoles, plain English.

use super::{
    case::{Case, Edit, Fault},
    token::{Kind, Token},
};

/// What was copied along with a program.
pub(super) const PASTED: [super::check::Check; 1] = [pasted];
/// A name with a type or a word before it.
pub(super) const DECLARATION: [super::check::Check; 1] = [declaration];
pub(super) const CHECKS: [super::check::Check; 6] =
    [shell, other_word, c_for, braces, comment, prose];

/// A prompt of the console, a fence of Markdown, or a report of an error.
fn pasted(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let first = words.first()?;
    let text = case.line_text(first.line).trim();
    let on = case.on(first.start);
    let at = |length: usize| first.start..first.start + length;
    let is_prompt = text.starts_with(">>>")
        || (first.is("...")
            && words
                .get(1)
                .is_some_and(|next| next.starts_with_value() || next.kind == Kind::Keyword));
    if is_prompt {
        return Some(Fault::new(
            "syntax.prompt",
            at(3),
            format!("{} begins with the prompt of Python's console.", crate::failure::capital(&on)),
            "The console writes >>> and ... itself; they are not part of a program.",
            "Which characters at the beginning of the lines did you not type yourself?",
        ));
    }
    let is_terminal = text.starts_with("$ ")
        || text.starts_with("PS ") && text.contains('>')
        || text.starts_with("C:\\");
    if is_terminal {
        return Some(Fault::new(
            "syntax.shell",
            at(1),
            format!("{} begins with the prompt of a terminal.", crate::failure::capital(&on)),
            "What stands behind such a prompt is a command for the terminal, not a part of a program.",
            "Does the line belong into your program at all?",
        ));
    }
    if text.starts_with("```") {
        return Some(Fault::new(
            "syntax.fence",
            at(3),
            format!("On {on} there are three backquotes, which are not part of a program."),
            "They mark code in a chat or a document.",
            "Which lines around your program came along when you copied it?",
        ));
    }
    let is_report = text.starts_with("Traceback (most recent") || text.starts_with("File \"");
    is_report.then(|| {
        Fault::new(
            "syntax.pasted_report",
            at(first.text.len()),
            format!(
                "{} is part of an error message, not of a program.",
                crate::failure::capital(&on)
            ),
            "Python runs every line of the file, whatever it was meant to be.",
            "Which lines of the file are not yours?",
        )
    })
}

/// A command that belongs into a terminal.
fn shell(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    const COMMANDS: [&str; 14] = [
        "pip", "pip3", "python", "python3", "py", "conda", "sudo", "cd", "ls", "git", "npm", "apt",
        "brew", "jupyter",
    ];
    let (first, next) = (words.first()?, words.get(1)?);
    let is_command = first.is_one_of(&COMMANDS)
        && next.line == first.line
        && (next.kind == Kind::Name || next.is("-") || next.is("..") || next.is("/"));
    is_command.then(|| {
        Fault::new(
            "syntax.shell",
            first.start..first.end(),
            format!(
                "{} is a command for a terminal.",
                crate::failure::capital(&case.on(first.start))
            ),
            format!("`{}` is a program of its own; Python does not know its commands.", first.text),
            "Does the line belong into your program at all?",
        )
    })
}

/// `int x = 5`, `var x = 5`, `def f(int x)`.
fn declaration(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    const TYPES: [&str; 18] = [
        "int", "float", "str", "string", "String", "bool", "boolean", "char", "double", "long",
        "var", "let", "const", "auto", "val", "dim", "list", "dict",
    ];
    let is_one = |index: usize| {
        let [of, name, next] = words.get(index..index + 3)? else { return None };
        let before = index.checked_sub(1).and_then(|index| words.get(index));
        let fits = of.is_one_of(&TYPES)
            && (name.kind == Kind::Name || name.is_one_of(&TYPES))
            && !before.is_some_and(|before| before.is("."))
            && (next.is_one_of(&["=", ":=", ",", ")"])
                || next.is_one_of(&TYPES)
                || next.kind == Kind::Name);
        fits.then_some((of, name.start))
    };
    let found: Vec<(&Token<'_>, usize)> = (0..words.len()).filter_map(is_one).collect();
    let (first, _) = found.first()?;
    let fault = Fault::new(
        "syntax.declaration",
        first.start..first.end(),
        format!("On {} a name is declared with the word `{}`.", case.on(first.start), first.text),
        "In Python a name needs no declaration: it exists as soon as it gets a value, of any type.",
        "Which word on that line is too much?",
    );
    fault.if_helps(case, found.iter().map(|(of, name)| Edit::delete(of.start..*name)).collect())
}

/// Words that other languages use: what Python writes for it, and what it is for.
const WORDS: [(&str, &str, &str); 16] = [
    ("function", "def", "begin a function"),
    ("func", "def", "begin a function"),
    ("fun", "def", "begin a function"),
    ("fn", "def", "begin a function"),
    ("define", "def", "begin a function"),
    ("sub", "def", "begin a function"),
    ("void", "def", "begin a function"),
    ("catch", "except", "catch an exception"),
    ("throw", "raise", "raise an exception"),
    ("foreach", "for", "begin a loop over items"),
    ("until", "while", "begin a loop with a condition"),
    ("switch", "match", "choose among several cases"),
    ("unless", "if", "begin a condition"),
    ("then", ":", "begin the block after a condition"),
    ("do", ":", "begin the block of a loop"),
    ("new", "", "make an object"),
];

/// Whether other languages begin a statement with this word.
pub(super) fn is_foreign(word: &str) -> bool {
    WORDS.iter().any(|(foreign, ..)| *foreign == word)
}

fn other_word(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let at_end = |index: usize| {
        words.get(index + 1).is_none_or(|next| next.is(":") || next.line > words[index].line)
    };
    let candidates = words.iter().enumerate().filter_map(|(index, token)| {
        let (word, python, does) = WORDS.iter().find(|(word, ..)| token.is(word))?;
        let next = words.get(index + 1);
        let followed = next.is_some_and(|next| {
            next.line == token.line
                && (next.kind == Kind::Name
                    || next.is("{")
                    || (next.is("(") && next.start > token.end()))
        });
        let fits = match *python {
            ":" => index > 0 && at_end(index),
            "" => next.is_some_and(|next| next.kind == Kind::Name),
            "except" => index == 0 && (followed || next.is_some_and(|next| next.is(":"))),
            _ => index == 0 && followed,
        };
        let with =
            if *python == ":" && next.is_some_and(|next| next.is(":")) { "" } else { python };
        fits.then_some((token, *word, with, *does))
    });
    for (token, word, python, does) in candidates.take(3) {
        let fault = Fault::new(
            "syntax.other_word",
            token.start..token.end(),
            format!("`{word}` on {} is not a word of Python.", case.on(token.start)),
            "Other languages have that word; Python writes it differently.",
            format!("How does Python {does}?"),
        );
        let found = fault.if_helps(case, vec![Edit::replace(token, python)]);
        // There is nothing to put in the place of these words alone.
        let is_certain =
            matches!(word, "switch" | "function" | "foreach") && token.start == words[0].start;
        if found.is_some() {
            return found;
        }
        if is_certain {
            return Some(Fault::new(
                "syntax.other_word",
                token.start..token.end(),
                format!("`{word}` on {} is not a word of Python.", case.on(token.start)),
                "Other languages have that word; Python writes it differently.",
                format!("How does Python {does}?"),
            ));
        }
    }
    None
}

/// `for (i = 0; i < 3; i++)` and `for i = 1 to 3`
fn c_for(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let first = words.first().filter(|first| first.is("for"))?;
    let has = |sign: &str| words.iter().any(|word| word.is(sign));
    let counts = words.get(1).is_some_and(|next| next.is("(")) && has(";")
        || words.get(2).is_some_and(|next| next.is("=")) && !has("in");
    counts.then(|| {
        Fault::new(
            "syntax.c_for",
            first.start..first.end(),
            format!("The `for` on {} counts in the way of another language.", case.on(first.start)),
            "Python's `for` goes through the items of something: for name in items. The function range gives it numbers.",
            "Which numbers should the loop go through, and how do you get them from range?",
        )
    })
}

/// A block in curly brackets.
fn braces(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    const HEADS: [&str; 11] =
        ["if", "elif", "else", "while", "for", "def", "class", "try", "except", "finally", "with"];
    let first = words.first()?;
    let head = if first.is("}") { words.get(1).unwrap_or(first) } else { first };
    let line = words.iter().take_while(|word| word.line == first.line);
    let last = line.last()?;
    let opens = head.is_one_of(&HEADS) && last.is("{") && last.start > head.start;
    let after_colon = words.iter().rev().find(|word| word.start < last.start);
    let is_dict =
        after_colon.is_some_and(|before| before.is_one_of(&["=", "(", ",", "in", "[", "return"]));
    (opens && !is_dict).then(|| {
        Fault::new(
            "syntax.braces",
            last.start..last.end(),
            format!("On {} a block begins with a curly bracket.", case.on(last.start)),
            "In Python a block begins with a colon, and its lines are indented; curly brackets make dictionaries and sets.",
            "What belongs at the end of that line instead, and how does Python see where the block ends?",
        )
    })
}

/// `// text` and `/* text */`
fn comment(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let (index, token) = words.iter().enumerate().find(|(index, token)| {
        let next = words.get(index + 1);
        token.is("//")
            || (token.is("-") && next.is_some_and(|next| next.start == token.end() && next.is("-")))
            || (token.is("/")
                && next.is_some_and(|next| next.start == token.end() && next.text.starts_with('*')))
    })?;
    let is_prose = |at: usize| {
        words
            .get(at)
            .zip(words.get(at + 1))
            .is_some_and(|(one, other)| one.line == other.line && one.is_word() && other.is_word())
    };
    let begins = (index == 0 && !token.is("-")) || is_prose(index + 1) || is_prose(index + 2);
    let fault = Fault::new(
        "syntax.comment",
        token.start..token.start + 2,
        format!(
            "On {} a comment begins with `{}`.",
            case.on(token.start),
            &case.source[token.start..token.start + 2]
        ),
        "Python's comments begin with #; // divides two numbers.",
        "With which character should the comment begin?",
    );
    begins.then(|| fault.if_helps(case, vec![Edit::insert(token.start, "#")])).flatten()
}

/// A sentence that is not a comment.
fn prose(case: &Case<'_>, words: &[Token<'_>]) -> Option<Fault> {
    let first = words.first().filter(|first| first.kind == Kind::Name && !first.is("print"))?;
    let line: Vec<&Token<'_>> = words.iter().take_while(|word| word.line == first.line).collect();
    let pairs = line.windows(2).filter(|pair| pair[0].is_word() && pair[1].is_word()).count();
    let is_code = line.iter().any(|word| word.assigns() || word.opens());
    let fault = Fault::new(
        "syntax.prose",
        first.start..line.last()?.end(),
        format!(
            "{} looks like a sentence, not like Python.",
            crate::failure::capital(&case.on(first.start))
        ),
        "Python tries to run every line, unless it is a comment or stands in quotes.",
        "With which character does a comment begin?",
    );
    (pairs >= 2 && pairs * 2 >= line.len().saturating_sub(1) && !is_code)
        .then(|| fault.if_helps(case, vec![Edit::insert(first.start, "#")]))
        .flatten()
}
