//! Which part of a program a question asks to explain.

use std::sync::LazyLock;

use analysis::Program;
use regex::Regex;
use ruff_python_ast::{
    CmpOp, Expr, Operator, Stmt,
    visitor::{Visitor, walk_expr},
};

use crate::names::Names;

/// Most bytes of a question that are looked at: who writes more has pasted something.
const LONGEST: usize = 2_000;
/// Most bytes of an expression that is asked about.
const EXPRESSION: usize = 200;

/// What is to be explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The whole program.
    Program,
    /// Some lines: first and last.
    Lines(u32, u32),
    /// The last line.
    LastLine,
    /// A name: a variable, a function, a class, a method.
    Name(String),
    /// The first statement of a kind, by its keyword: `for`, `while`, `if`.
    Statement(&'static str),
    /// Python text that need not be in the program.
    Expression(String),
}

/// Kinds of statements as students call them.
const STATEMENTS: [(&str, &str); 19] = [
    ("for loop", "for"),
    ("for-loop", "for"),
    ("for statement", "for"),
    ("while loop", "while"),
    ("while-loop", "while"),
    ("while statement", "while"),
    ("while", "while"),
    ("nested loop", "for"),
    ("loop", "loop"),
    ("if statement", "if"),
    ("if-statement", "if"),
    ("if condition", "if"),
    ("if", "if"),
    ("else", "else"),
    ("elif", "elif"),
    ("try", "try"),
    ("except", "except"),
    ("return statement", "return"),
    ("return", "return"),
];

static LINES: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\blines?\s*(?:no\.?|number|nr\.?|#)?\s*(\d{1,5})(?:\s*(?:-|–|to|until|and|through|till)\s*(?:line\s*)?(\d{1,5}))?\b",
    )
});
static ORDINAL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last|1st|2nd|3rd|[4-9]th|10th)\s+line\b",
    )
});
/// Words of somebody who wants to understand what is there.
static EXPLAIN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(explain|explanation|describe|walk (me|us) through|go through|break (it|this|that) down|what(['’]?s| is| are| do| does| did| will| would| happens?| happened)\b|mean(s|ing)?\b|purpose|role|how (does|do|is|are|did|exactly)\b|understand|why\b|tell me (what|how|about)|line[ -]by[ -]line|stands? for|used for|need for|point of)",
    )
});
/// Words of somebody who wants something else about the program.
static OTHER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(wrong|wrongly|fix|debug|bugs?|broken|crash(es|ed|ing)?|fail(s|ed|ing)?|does(n['’]?t| not) (work|run|print|return|do|stop|end)|(not|n['’]?t) working|won['’]?t (work|run)|errors?|exceptions?|traceback|improve|better|review|feedback|cleaner|shorter|faster|pythonic|refactor|optimi[sz]e|style|correct(ly)?|exercise|quiz|instead|difference|should (i|it|this)|how (can|could|do|should|would) (i|we|you)|never|nothing|always|forever|infinite|endless|expected|supposed|not (true|equal|found|defined|sure|certain|nice)|strange(ly)?|weird(ly)?|odd(ly)?|almost|delete|come(s)? out|jumps?|\w+error|unnecessary|superfluous|problems?|stuck|each time|every time|only (returns?|responds?|prints?|gives?|shows?)|think of|opinion)\b|\b(isn|aren|doesn|don|won|can|wasn)['’]?t\b",
    )
});
/// The whole program.
static WHOLE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(explain|describe|walk (me|us) through|go through|break down|understand|tell me about|summari[sz]e|interpret)\b[^.?!]*\b(it|this|that|these|code|program|script|snippet|below|above|following|codes|everything|each (line|step|part)|every (line|step|part)|function|tasks?|algorithm|process|implementation|structure|principle|part|section)\b|\b(what|how)\b[^.?!]{0,30}\b(it|this|that|code|program|script|snippet|function|below|above|following|here)\b[^.?!]{0,30}\b(do(es|ing)?|mean(s|ing)?|works?|print(s|ed|ing)?|outputs?|returns?|happen(s|ing)?|happened|going on|about|for|calculate[sd]?|compute[sd]?|displays?|shows?|result)\b|\bwhat happens in (this|the|my)\b|\b(result|output|purpose|meaning) of (this|it|the (code|program|function))\b|\bwhat(['’]?s| is| are| happens?| happened) (it|this|that|here|going on|happening)\b|\bline[ -]by[ -]line\b|\bstep[ -]by[ -]step\b|^\W*(please |pls |plz |can you |could you )*explain( please| pls| it)?\W*$",
    )
});
/// What stands where the subject of a question stands.
static SUBJECT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:\b(?:explain|describe|understand|(?:purpose|role|meaning|use|point|job|function|value|content|action|behaviou?r|implementation|operation|principle)s? (?:and (?:role|action|purpose|meaning|content|type)s? )?of|tell me about|know about)(?: to me| me)?(?: briefly| shortly| what| how| why| about)*|\bwhat(?:['’]?s| is| are| do| does| did| will)|\bhow (?:does|do|is|are|did)|\bwhy (?:is|are|do|does|did)(?: (?:you|we|they|i))?(?: need| use| have| put| call| write)?)\s+(?:the |a |an |this |that |each |these |my |your )*(?:(?:meaning|purpose|role|point|value|use|job) of (?:the )?)?(.{1,200}?)\s*(?:\b(?:means?|meaning|do|does|doing|works?|for|stands? for|here|inside|in (?:this|the|my|that|your|task ?\d*|line)|on line|used|using|needed|return|returns|represents?|holds?|stores?|contains?|roles?|play|please|pls|exactly|functions? (?:in|used)|briefly)\b|[?!;\n]|[.,](?:\s|$)|$)",
    )
});
/// What follows the subject.
static TAIL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\s*(?:\b(?:means?|do|does|doing|stands? for|in (?:this|the|my) (?:code|program|line|function|script|case))\b.*|[?!.]\s*)$",
    )
});
static KIND: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:(?:variable|function|method|class|parameter|argument|name|expression|statement|command|line|keyword|part|code|value|term|object|attribute|list|module|operator)s?\s+)+|(?:\s+(?:variable|function|method|class|parameter|argument|expression|statement|command|keyword|part|term|object|module|operator)s?)+$",
    )
});

fn pattern(text: &str) -> Regex {
    Regex::new(&format!("(?i){text}")).expect("the pattern is a literal that the tests compile")
}

/// What a question asks to explain, if it is a question of this kind. `prose` are the student's own words, `code` is the
/// program that came with them.
#[must_use]
pub fn subject(prose: &str, code: Option<&str>) -> Option<Subject> {
    let end = (0..=prose.len().min(LONGEST)).rev().find(|at| prose.is_char_boundary(*at))?;
    let prose = &prose[..end];
    let code = code.filter(|code| !code.trim().is_empty());
    if !EXPLAIN.is_match(prose) {
        return code.and_then(|_| plain_request(prose));
    }
    let Some(code) = code else { return expression(prose) };
    let about_lines = lines(prose);
    if OTHER.is_match(&own_words(prose)) && !is_plainly_explaining(prose) {
        return None;
    }
    if about_lines.is_some() {
        return about_lines;
    }
    let program = Program::read(code).ok();
    let names = program.as_ref().map(Names::of);
    let candidates = candidates(prose);
    let named = candidates.iter().find_map(|text| of_program(text, code, names.as_ref()));
    named.or_else(|| mentioned(prose, names.as_ref())).or_else(|| {
        let is_whole = WHOLE.is_match(prose) && !names_what_is_not_there(prose, code);
        is_whole.then_some(Subject::Program)
    })
}

/// Whether the words speak of a name that the program does not have: then the program is not what is asked about.
fn names_what_is_not_there(prose: &str, code: &str) -> bool {
    static NAME: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b([a-z]\w*_\w+|[a-z]\w+)(\(\)|\b)"));
    let mut names = NAME.captures_iter(prose).filter_map(|found| {
        let name = found.get(1)?.as_str();
        let is_call = found.get(2).is_some_and(|end| !end.as_str().is_empty());
        (is_call || name.contains('_')).then_some(name)
    });
    names.any(|name| !code.contains(name))
}

/// Whether the words speak of code that is not beside them: of a line, of code in backticks, of "the code".
#[must_use]
pub fn refers_to_code(prose: &str) -> bool {
    let end = (0..=prose.len().min(LONGEST))
        .rev()
        .find(|at| prose.is_char_boundary(*at))
        .unwrap_or_default();
    let prose = &prose[..end];
    static SHOWN: LazyLock<Regex> = LazyLock::new(|| {
        pattern(r"\b(the|this|my|that|your|our) (code|program|script|function|loop|line)\b")
    });
    let names_code = prose.contains('`') || lines(prose).is_some() || SHOWN.is_match(prose);
    names_code && (EXPLAIN.is_match(prose) || WHOLE.is_match(prose))
}

/// "line by line", and other wishes that ask nothing.
fn plain_request(prose: &str) -> Option<Subject> {
    (WHOLE.is_match(prose) && !OTHER.is_match(&own_words(prose))).then_some(Subject::Program)
}

/// Whether the words can only be a wish for an explanation, whatever else is said: "explain this error-checking code".
fn is_plainly_explaining(prose: &str) -> bool {
    static PLAIN: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\bexplain (to me )?(how |what )?(this|the|my|that|following)?\s*(code|program|script|snippet|function|line)|\bwhat (does|do) (this|the|my|that) (code|program|script|snippet|function|line)( \d+)? (do|mean)\b|\bline[ -]by[ -]line\b|\bwhat does lines? \d+.* (do|mean)\b|\bexplain lines? \d+",
        )
    });
    static FAILS: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\b(fix|debug|wrong|bugs?|not work(ing)?|n['’]?t work|error|exception|fails?|crash(es)?|better|improve|review)\b",
        )
    });
    PLAIN.is_match(prose) && !FAILS.is_match(prose)
}

/// The words without quoted code; who does not understand something wants to understand it.
fn own_words(prose: &str) -> String {
    static LOST: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"\b(do|did|can|could|does)(n['’]?t| not|not) (really |quite |fully )?(understand|get|know|see|follow|figure|make sense)",
        )
    });
    let unquoted = prose.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    LOST.replace_all(&unquoted, " ").into_owned()
}

fn lines(prose: &str) -> Option<Subject> {
    if let Some(found) = LINES.captures(prose) {
        let number = |at: usize| found.get(at).and_then(|part| part.as_str().parse::<u32>().ok());
        let first = number(1)?;
        let last = number(2).filter(|last| *last > first).unwrap_or(first);
        return Some(Subject::Lines(first, last));
    }
    let word = ORDINAL.captures(prose)?[1].to_lowercase();
    const WORDS: [&str; 10] = [
        "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth",
        "tenth",
    ];
    let at = WORDS.iter().position(|known| *known == word).map(|at| at + 1);
    let digits: String = word.chars().take_while(char::is_ascii_digit).collect();
    match at.or_else(|| digits.parse().ok()).and_then(|at| u32::try_from(at).ok()) {
        Some(line) => Some(Subject::Lines(line, line)),
        None => Some(Subject::LastLine),
    }
}

/// The texts that stand where the subject stands; what is in backticks first.
fn candidates(prose: &str) -> Vec<String> {
    let quoted = prose.split('`').skip(1).step_by(2).map(str::to_owned);
    let mut found: Vec<String> = quoted.filter(|text| !text.trim().is_empty()).collect();
    let mut from = 0;
    while let Some(place) = SUBJECT.captures_at(prose, from).and_then(|found| found.get(1)) {
        // Code may hold words that end a subject: `[n for n in xs]`.
        let rest = prose[place.start()..].lines().next().unwrap_or_default();
        let whole = TAIL.find(rest).map_or(rest, |tail| &rest[..tail.start()]);
        if rest.len() <= EXPRESSION && is_special(bare(whole)) {
            found.push(whole.to_owned());
        }
        found.push(place.as_str().to_owned());
        from = place.end();
    }
    found
}

static SIGN: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?:(?:double |two )?(?:colon|minus|dot|comma|star|asterisk|bracket|parenthes[ie]s|brace|symbol|sign|slash|number|index)s? )(?:in|inside) ",
    )
});

/// Takes quotes, and the word for what kind of thing it is, off a name.
fn bare(text: &str) -> &str {
    let text = text.trim().trim_matches(|c: char| "`'\"“”‘’ ".contains(c));
    let text = SIGN.find(text).map_or(text, |sign| &text[sign.end()..]);
    let start = KIND.find(text).filter(|kind| kind.start() == 0 && kind.end() < text.len());
    let text = start.map_or(text, |kind| &text[kind.end()..]);
    let end = KIND.find_iter(text).find(|kind| kind.end() == text.len() && kind.start() > 0);
    let text = end.map_or(text, |kind| &text[..kind.start()]);
    text.trim().trim_matches(|c: char| "`'\"“”‘’ ".contains(c))
}

fn of_program(raw: &str, code: &str, names: Option<&Names<'_>>) -> Option<Subject> {
    let text = raw;
    let lower = text.trim().trim_matches('`').to_lowercase();
    let lower =
        lower.split(" in ").next().unwrap_or_default().trim_start_matches("the ").trim().to_owned();
    if let Some((_, keyword)) = STATEMENTS.iter().find(|(words, _)| *words == lower) {
        return Some(Subject::Statement(keyword));
    }
    let text = bare(text);
    let call = text.split_once('(').filter(|(_, rest)| rest.trim_end().ends_with(')'));
    let name = call.filter(|(_, rest)| rest.trim() == ")").map_or(text, |(name, _)| name).trim();
    let name = name.rsplit('.').next().unwrap_or(name);
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if is_name && names.is_some_and(|names| names.knows(name)) {
        return Some(Subject::Name(name.to_owned()));
    }
    // A method or a function of Python's, such as `join`.
    let is_written_as_code = call.is_some() || raw.contains('`') || raw.trim() != name;
    if is_name
        && name.len() > 2
        && mentions(code, name)
        && (is_written_as_code || !is_everyday(name))
    {
        return Some(Subject::Name(name.to_owned()));
    }
    let is_there = !is_name && text.len() > 2 && code.contains(text);
    (is_there || is_special(text)).then(|| Subject::Expression(text.to_owned()))
}

/// Whether a program calls a function or method of this name.
fn mentions(code: &str, name: &str) -> bool {
    let calls = |at: usize| {
        let before = code[..at].chars().next_back();
        let is_start = !before.is_some_and(|c| c.is_alphanumeric() || c == '_');
        is_start && code[at + name.len()..].trim_start().starts_with('(')
    };
    code.match_indices(name).take(EXPRESSION).any(|(at, _)| calls(at))
}

/// Words that are hardly ever meant as a name, even where the program has such a name.
fn is_everyday(word: &str) -> bool {
    const WORDS: [&str; 14] = [
        "it", "this", "that", "the", "code", "program", "print", "output", "a", "an", "i", "you",
        "is", "in",
    ];
    WORDS.contains(&word.to_lowercase().as_str())
}

/// A name of the program anywhere in the words: `count_cards`, "the function area", not an English word.
fn mentioned(prose: &str, names: Option<&Names<'_>>) -> Option<Subject> {
    const KINDS: [&str; 8] = [
        "function",
        "functions",
        "variable",
        "variables",
        "class",
        "method",
        "parameter",
        "attribute",
    ];
    let names = names?;
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut words: Vec<(&str, &str)> = Vec::new();
    for part in prose.split_inclusive(|c: char| !is_word(c)) {
        let word = part.trim_end_matches(|c: char| !is_word(c));
        if word.is_empty() {
            // A bracket belongs to the word before it.
            if let Some(last) = words.last_mut().filter(|_| part == "(") {
                last.1 = part;
            }
            continue;
        }
        words.push((word, &part[word.len()..]));
    }
    let is_kind = |at: usize| {
        words.get(at).is_some_and(|(word, _)| KINDS.contains(&word.to_lowercase().as_str()))
    };
    let is_meant = |at: usize, (word, after): (&str, &str)| {
        let is_special = word.contains('_')
            || word.chars().skip(1).any(char::is_uppercase)
            || word.chars().any(|c| c.is_ascii_digit());
        let is_beside = at.checked_sub(1).is_some_and(is_kind) || is_kind(at + 1);
        is_special || after == "(" || (is_beside && !is_everyday(word) && !is_kind(at))
    };
    let mut known = words.iter().enumerate().filter(|(at, word)| is_meant(*at, **word));
    known
        .find(|(_, (word, _))| names.knows(word))
        .map(|(_, (word, _))| Subject::Name((*word).to_owned()))
}

/// A question without a program: only about Python text that is special enough to say something about.
fn expression(prose: &str) -> Option<Subject> {
    let found = candidates(prose);
    let texts = found.iter().map(|text| bare(text));
    let mut special = texts.filter(|text| is_special(text));
    special.next().map(|text| Subject::Expression(text.to_owned()))
}

/// Whether a text is Python, and more than a name, a literal or a call.
fn is_special(text: &str) -> bool {
    struct Special(bool);
    impl<'a> Visitor<'a> for Special {
        fn visit_expr(&mut self, expr: &'a Expr) {
            self.0 |= match expr {
                Expr::Subscript(_) | Expr::FString(_) | Expr::Lambda(_) | Expr::If(_) => true,
                Expr::ListComp(_) | Expr::SetComp(_) | Expr::DictComp(_) | Expr::Generator(_) => {
                    true
                }
                Expr::BinOp(operation) => {
                    matches!(operation.op, Operator::FloorDiv | Operator::Mod | Operator::Pow)
                }
                // "What is join() in task1?" is English.
                Expr::Compare(compare) => {
                    !(matches!(compare.ops[..], [CmpOp::In]) && compare.left.is_call_expr())
                }
                _ => false,
            };
            walk_expr(self, expr);
        }
    }
    if text.len() > EXPRESSION || !text.contains(|c: char| "[%*/=<>{(".contains(c)) {
        return false;
    }
    let Ok(program) = Program::read(text) else { return false };
    let mut special = Special(false);
    special.visit_body(program.body());
    let [stmt] = program.body() else { return false };
    special.0 || matches!(stmt, Stmt::AugAssign(_))
}

#[cfg(test)]
mod tests {
    use super::{Subject, subject};

    const CODE: &str = "def area(w, h):\n    return w * h\n\ntotal = 0\nfor i in range(4):\n    total += area(i, 2)\nprint(', '.join(['a']), total)\n";

    #[test]
    fn the_part_that_is_asked_about_is_found() {
        let name = |name: &str| Some(Subject::Name(name.to_owned()));
        for (prose, expected) in [
            ("explain this code", Some(Subject::Program)),
            ("Can you walk me through it?", Some(Subject::Program)),
            ("what does this program do", Some(Subject::Program)),
            ("please explain line by line", Some(Subject::Program)),
            ("I don't understand this code", Some(Subject::Program)),
            ("what will this print", Some(Subject::Program)),
            ("what does line 3 do", Some(Subject::Lines(3, 3))),
            ("explain lines 2-4 please", Some(Subject::Lines(2, 4))),
            ("what happens in the third line?", Some(Subject::Lines(3, 3))),
            ("what is `total` here", name("total")),
            ("what is total", name("total")),
            ("What is the role of the area() function in Task4?", name("area")),
            ("please explain the area function", name("area")),
            ("what does i mean here", name("i")),
            ("What does join do in this code?", name("join")),
            ("Can you briefly explain what function area is?", name("area")),
            ("what should I do to correct it, what do you suggest", None),
            ("what does the for loop do", Some(Subject::Statement("for"))),
            (
                "what does total += area(i, 2) mean",
                Some(Subject::Expression("total += area(i, 2)".to_owned())),
            ),
            ("why does it not work", None),
            ("is this code good?", None),
            ("how can I make it faster", None),
            ("fix my code", None),
            ("what does this code do, and how do I fix it", None),
        ] {
            assert_eq!(subject(prose, Some(CODE)), expected, "{prose}");
        }
    }

    #[test]
    fn without_a_program_only_an_expression_can_be_explained() {
        let expression = |text: &str| Some(Subject::Expression(text.to_owned()));
        for (prose, expected) in [
            ("what does `x[::-1]` mean", expression("x[::-1]")),
            ("what does x[::-1] do?", expression("x[::-1]")),
            ("what does n % 2 == 0 mean", expression("n % 2 == 0")),
            ("what does [n * n for n in xs] mean", expression("[n * n for n in xs]")),
            ("what is a list", None),
            ("explain this code", None),
            ("what is print()", None),
            ("What is join() in task1?", None),
            ("what's the difference between input/output", None),
            ("what does the colon in items[2:5] do", expression("items[2:5]")),
            ("what is 12 * 12", None),
            ("what does // mean", None),
        ] {
            assert_eq!(subject(prose, None), expected, "{prose}");
        }
    }
}
