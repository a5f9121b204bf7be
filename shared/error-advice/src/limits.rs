//! Endings without an exception: too long, too much, too deep, forever.

use crate::{
    failure::{Advice, Ending, Failure, advice},
    source::{self, Loop},
};

pub(crate) fn advise(failure: &Failure<'_>) -> Option<Advice> {
    match failure.ending {
        Ending::Exception => None,
        Ending::Timeout => timeout(failure),
        Ending::Memory => memory(failure),
        Ending::Output => output(failure),
        Ending::Recursion => recursion(failure),
        Ending::Deadlock => advice(
            "limit.deadlock",
            format!(
                "On {} your program waits for something that can never happen.",
                failure.place()
            ),
            "There is only one thread here, so nothing else can release a lock, fill a queue or set an event.",
            "What is your program waiting for, and does it happen before this line?",
        ),
        Ending::Aborted => advice(
            "limit.aborted",
            format!("Python itself crashed on {}.", failure.place()),
            "Something told the interpreter to stop at once, or damaged it; no ordinary program does that.",
            "Look for os.abort, signals, or bytecode that was made by hand.",
        ),
    }
}

/// Calls that wait, never end or take very long, recognised by the text of the line.
const SLOW: [(&str, &str, &str); 13] = [
    (
        "time.sleep",
        "limit.sleep",
        "It was sleeping: the time that a program sleeps counts like any other.",
    ),
    (
        "sleep(",
        "limit.sleep",
        "It was sleeping: the time that a program sleeps counts like any other.",
    ),
    ("itertools.count", "limit.endless_iterator", "itertools.count never runs out of numbers."),
    ("itertools.repeat", "limit.endless_iterator", "itertools.repeat without a number never ends."),
    ("itertools.cycle", "limit.endless_iterator", "itertools.cycle never ends."),
    (
        "count(",
        "limit.endless_iterator",
        "An iterator that never runs out gives more and more items.",
    ),
    (
        "permutations(",
        "limit.too_many",
        "The number of permutations grows as fast as 1 · 2 · 3 · … · n.",
    ),
    (
        "product(",
        "limit.too_many",
        "The number of results is all the lengths multiplied together, which soon becomes very large.",
    ),
    (
        "combinations(",
        "limit.too_many",
        "The number of combinations grows very fast with the number of items.",
    ),
    (
        "re.",
        "limit.regular_expression",
        "A regular expression with a repetition inside a repetition may have to try a huge number of ways.",
    ),
    (
        "factorial(",
        "limit.huge_number",
        "The result has more digits than can be calculated in this time.",
    ),
    (
        "**",
        "limit.huge_number",
        "A power of a large number has more digits than can be calculated in this time.",
    ),
    (
        "sum(range(",
        "limit.too_many",
        "Python adds the numbers one by one, and there are very many.",
    ),
];

fn timeout(failure: &Failure<'_>) -> Option<Advice> {
    let place = failure.place();
    let line = failure.line?;
    let text = failure.text();
    let around = source::innermost_loop(failure.source, line);
    if let Some((mark, rule, why)) = SLOW.iter().find(|(mark, ..)| text.contains(mark))
        && around.as_ref().is_none_or(|around| around.line == line || *mark == "time.sleep")
    {
        let hint = if *rule == "limit.sleep" {
            "How long does it sleep altogether?"
        } else {
            "How many steps does this line take? Try it with much smaller numbers first."
        };
        return advice(rule, format!("The time ran out on {place}: `{text}`."), *why, hint);
    }
    let Some(around) = around else {
        return advice(
            "limit.slow",
            format!("The time ran out on {place}: `{text}` was still running."),
            "This line, or something that it calls, takes longer than a program may run.",
            "How many steps does it take? Try it with much smaller numbers first.",
        );
    };
    endless_loop(failure, around)
}

fn endless_loop(failure: &Failure<'_>, around: Loop<'_>) -> Option<Advice> {
    let header = around.header;
    let what = format!(
        "It was still in the loop on line {} (`{header}`) when the time ran out.",
        around.line
    );
    if header.contains(":=") {
        return advice(
            "limit.walrus",
            what,
            "`:=` gives a name a value; it does not compare.",
            "Did you mean to compare two values here?",
        );
    }
    if header.starts_with("while True") || header.starts_with("while 1") {
        let has_way_out = around
            .lines
            .clone()
            .any(|number| source::line(failure.source, number).contains("break"));
        let why = if has_way_out {
            "`while True` ends only with `break` or `return`, and that line was never reached."
        } else {
            "`while True` ends only with `break` or `return`, and there is none in this loop."
        };
        return advice(
            "limit.while_true",
            what,
            why,
            "When should the loop end, and which line makes it end?",
        );
    }
    if let Some(condition) = header.strip_prefix("while") {
        let condition = condition.trim().trim_end_matches(':');
        let names: Vec<&str> = source::names(condition).collect();
        let body = around.lines.start() + 1..=*around.lines.end();
        let changed = names.iter().any(|name| source::assigns(failure.source, name, body.clone()));
        let why = match names.first() {
            Some(name) if !changed => format!(
                "Nothing in the loop changes `{name}`, so `{condition}` stays true forever."
            ),
            _ => format!("The loop goes on as long as `{condition}` is true, and it stayed true."),
        };
        return advice(
            "limit.while",
            what,
            why,
            format!(
                "What must happen for `{condition}` to become False? Print its parts in each iteration."
            ),
        );
    }
    advice(
        "limit.for",
        what,
        "Either there are very many items, or the collection grows while the loop runs.",
        "How many items are there, and does the loop add to them?",
    )
}

fn memory(failure: &Failure<'_>) -> Option<Advice> {
    let largest = failure.variables.iter().max_by_key(|variable| variable.length);
    let grown = largest.and_then(|variable| {
        let length = variable.length.filter(|length| *length > 1_000)?;
        Some(format!(" `{}` ({}) had {length} items.", variable.name, variable.kind))
    });
    let around = failure.line.and_then(|line| source::innermost_loop(failure.source, line));
    let hint = match around {
        Some(around) => format!(
            "Does the loop on line {} add to a collection without ever stopping?",
            around.line
        ),
        None => {
            "How large is the value that this line makes? Do you need all of it at once?".to_owned()
        }
    };
    advice(
        "limit.memory",
        format!(
            "On {} your program needed more than the 50 MB of memory that it may use.{}",
            failure.place(),
            grown.unwrap_or_default()
        ),
        "Every value takes memory for as long as some name or collection holds it.",
        hint,
    )
}

fn output(failure: &Failure<'_>) -> Option<Advice> {
    let around = failure.line.and_then(|line| source::innermost_loop(failure.source, line));
    let hint = match around {
        Some(around) => format!(
            "Is the call of print inside a loop that never ends? See the loop on line {}.",
            around.line
        ),
        None => "Does it print more than it has to?".to_owned(),
    };
    advice(
        "limit.output",
        format!("Your program printed more than 128 KB, so it was stopped on {}.", failure.place()),
        "Nobody can read that much, so the rest is not shown.",
        hint,
    )
}

/// Methods that Python calls implicitly, and what must not be in them.
const SPECIAL: [(&str, &str); 9] = [
    ("__eq__", "uses == on itself"),
    ("__lt__", "uses < on itself"),
    ("__str__", "turns itself into text"),
    ("__repr__", "turns itself into text"),
    ("__getattr__", "asks for an attribute that it does not have"),
    ("__getattribute__", "asks for an attribute of its own"),
    ("__setattr__", "sets an attribute of its own"),
    ("__hash__", "computes its own hash"),
    ("__init__", "makes another object of its own class"),
];

fn recursion(failure: &Failure<'_>) -> Option<Advice> {
    let why = "Each call takes memory until it returns, so Python stops a program when its calls are nested 1,000 deep.";
    let text = failure.text();
    let Some(function) = failure.function.and_then(|name| name.rsplit('.').next()) else {
        return advice(
            "recursion.nesting",
            format!("On {} something is nested too deeply for Python: `{text}`.", failure.place()),
            "Python works through brackets, chains of elif and nested structures from the outside in, and there is a limit to that.",
            "Can it be built in a loop, or looked up in a dictionary, instead?",
        );
    };
    if let Some((_, does)) = SPECIAL.iter().find(|(name, _)| *name == function) {
        return advice(
            "recursion.special_method",
            format!(
                "`{function}` {does} on {}, so Python calls it again and again.",
                failure.place()
            ),
            why,
            "Which plain values of the object could it use instead of the object itself?",
        );
    }
    let defined = source::definition(failure.source, function);
    let on = defined.map_or_else(String::new, |line| format!(" (line {line})"));
    let calls_itself = source::names(text).any(|name| name == function);
    let what = if calls_itself {
        format!("`{function}`{on} calls itself on {}, again and again.", failure.place())
    } else {
        format!(
            "`{function}`{on} and the functions it calls keep calling each other; the last call was on {}.",
            failure.place()
        )
    };
    advice(
        "recursion.no_base_case",
        what,
        why,
        "For which argument should it stop calling itself, and does every call come closer to that?",
    )
}
