//! What students say of a program that does something else than it should.

use std::sync::LazyLock;

use meaning::compile;
use regex::Regex;

/// What came out of a program, and what should have.
static WRONG_VALUE: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r#"\b(gives?|gave|returns?|returned|prints?|printed|outputs?|shows?|get|gets|got|is)\b[^.?!]*\b(instead of|should (be|have been|return|give|print|show)|(supposed|meant) to (be|return|give|print|show)|(i|we) expect(ed)?|not)\b\s*[`'"(\[{-]*(\d|true\b|false\b|none\b|['"\[{(])|\b(prints?|printed|outputs?|shows?|displays?)\b[^.?!\n]*\b(instead of|rather than)\b|\b(should|supposed to) (print|output|show|display)\b[^.?!\n]*\b(but|instead)\b[^.?!\n]*\b(prints?|outputs?|shows?|displays?|get|got|gives?)\b|\bexpected( output)?\s*:[^:]{0,300}\b(got|actual( output)?|output)\s*:"#,
    )
});
/// A program that does not end.
static NEVER_ENDS: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"\b(never|does ?n['’]?t|does not|wo ?n['’]?t|will not) (ends?|stops?|finish(es)?|terminates?)\b|\b(runs?|running|loops?|looping|goes|going|prints?|printing)\b[^.?!]{0,30}\b(forever|for ever|endlessly|on and on)\b|(\)`?|\b(it|this|that|program|code|loop|function|script)) (just |always |only )?(hangs|freezes)\b",
    )
});
/// A way that is asked for.
static ASKS_HOW: LazyLock<Regex> =
    LazyLock::new(|| compile(r"\bhow (do|does|can|could|to|would|should)\b"));

/// How a program misbehaves, if a student says so of the program beside the question.
pub(crate) fn misbehaves(asked: &str) -> Option<&'static str> {
    if WRONG_VALUE.is_match(asked) {
        return Some("says what came out and what should have");
    }
    let never_ends = NEVER_ENDS.is_match(asked) && !ASKS_HOW.is_match(asked);
    never_ends.then_some("says that the program never ends")
}

#[cfg(test)]
mod tests {
    use super::misbehaves;

    #[test]
    fn a_program_that_never_ends_is_told_from_one_that_should_not() {
        for question in [
            "f([2, 4, 6, 8], 8) never ends, it should be 3",
            "f(5) runs forever",
            "`f(5)` hangs",
            "It doesn't stop",
        ] {
            assert!(misbehaves(question).is_some(), "{question}");
        }
        for question in ["how can I let it run forever?", "what does f(5) do", "it stops"] {
            assert!(misbehaves(question).is_none(), "{question}");
        }
    }
}
