//! Which words suggest which agent: evidence that can be named, beside the vectors. The weights were chosen by hand, and
//! training decides how much they count.

use std::sync::LazyLock;

use domain::agent::Agent::{self, CodeReview, Concepts, Debug, Exercise, Progress};
use regex::Regex;

/// One kind of evidence.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) agent: Agent,
    pub(crate) weight: f64,
    pub(crate) regex: Regex,
    pub(crate) reason: &'static str,
}

/// All of them.
pub(crate) static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    TABLE
        .iter()
        .map(|(agent, weight, regex, reason)| Pattern {
            agent: *agent,
            weight: *weight,
            regex: compile(regex),
            reason,
        })
        .collect()
});

/// A case-insensitive pattern.
///
/// # Panics
/// If it is no pattern: only literals are compiled.
#[must_use]
pub fn compile(pattern: &str) -> Regex {
    Regex::new(&format!("(?i){pattern}")).expect("the pattern is a literal that the tests compile")
}

const TABLE: [(Agent, f64, &str, &str); 47] = [
    (Debug, 4.0, r"\b\w+(error|exception)\b", "names an error"),
    (Debug, 2.5, r"\b(errors?|exceptions?|throws?|complains?)\b", "mentions an error"),
    (Debug, 2.5, r"\b(in|on|at) line \d+\b", "names a line"),
    (Debug, 3.0, r"\bcrash(es|ed|ing)?\b|\b(died|dies) with\b|\bbroken\b", "the program breaks"),
    (
        Debug,
        3.0,
        r"(n'?t|\bnot|\bnever|\bwont|\bdoesnt|\bisnt|\bcant)\s+(\w+\s+)?(work|run|stop|print|return|pass|compile|import|find it|end)",
        "something does not work",
    ),
    (
        Debug,
        3.0,
        r"(isn'?t|\bnot|seem to be)\s+working|\bnothing (works|happens)\b",
        "something does not work",
    ),
    (
        Debug,
        3.0,
        r"\bshould ?n'?t\b|\bmine does ?n'?t\b|\bit should (give|print|return|be)\b",
        "something else was expected",
    ),
    (
        Debug,
        2.0,
        r"\b(fail(s|ed|ing)?|wrong|incorrect|unexpected|bugs?|fix)\b|\bare red\b|\boff by one\b",
        "something is wrong",
    ),
    (
        Debug,
        2.0,
        r"\bwhy\b.{0,40}\b(my|this|mine) (\w+ )?(code|program|function|loop|script|list)",
        "asks why their own code behaves that way",
    ),
    (
        Debug,
        2.5,
        r"\b(infinite|endless)\b.{0,20}\b(my|this)\b|\b(my|this)\b.{0,30}\b(infinite|endless|forever)\b|\b(runs?|loops?|goes on) forever\b|\bnever stops?\b",
        "their own loop does not end",
    ),
    (
        Debug,
        2.5,
        r"\b(returns?|prints?|gives?|get|getting)\b.{0,15}\b(none|an? empty|empty|nothing)\b",
        "a result is missing",
    ),
    (
        Debug,
        2.0,
        r"\b(is|are) (never|always|suddenly) (true|false|empty|none)\b|\bempty after\b",
        "a result is not as it should be",
    ),
    (Debug, 2.5, r"\b(worked|ran) (yesterday|before|fine)\b|\bsuddenly\b", "it worked before"),
    (
        Debug,
        2.5,
        r"\bexpected\b.{0,30}\b(but|got|and)\b|\bgot\b.{0,20}\binstead\b",
        "something else was expected",
    ),
    (
        Debug,
        2.5,
        r"\b(i|it) (get|gets|got|says?|keeps?)\b.{0,60}\b(error|out of range|not defined|not found|callable|invalid)\b",
        "quotes Python",
    ),
    (
        Debug,
        2.0,
        r"\b(the|one|two|last|first|some|hidden) (hidden )?tests?\b.{0,30}\b(fail|but|except|red)",
        "a test fails",
    ),
    (
        Debug,
        1.5,
        r"\binstead of\b|\bonly the (first|last)\b|\bstops after\b",
        "something else was expected",
    ),
    (
        Concepts,
        1.5,
        r"^\W*(\w+\W+){0,3}?(what|how|why|when|which|where|who)\b|(^|,\s*)(can|is|are|do|does|could|would)\b",
        "begins with a question word",
    ),
    (
        Concepts,
        1.5,
        r"\bwhat(['’]?s| is| are| does| do| means?| would| happens?| exactly)\b|\bmean(s|ing)?\b|\bstands? for\b",
        "asks what something is",
    ),
    (
        Concepts,
        3.0,
        r"\bwhy (do|does|would|should) (we|you|one|people|anyone|python)\b",
        "asks what something is good for",
    ),
    (
        Concepts,
        3.0,
        r"\bdifferen(ce|t)\b|\b(vs|versus)\b|\bcompared? (to|with)\b",
        "compares two things",
    ),
    (
        Concepts,
        2.0,
        r"\b(explain|understand|understood|concepts?|meaning|describe|teach|tell me about|go over)\b",
        "asks for an explanation",
    ),
    (
        Concepts,
        1.5,
        r"\bhow (do|does|can|to|would|should|is|are)\b|\bknow how\b",
        "asks how something is done",
    ),
    (
        Concepts,
        1.5,
        r"\b(when should|purpose|advantages?|the point of|is it possible|is there a way|examples?|used for|good way to think)\b",
        "asks for purpose or example",
    ),
    (
        Concepts,
        1.5,
        r"\b(confused about|don'?t (get|understand)|understand(ing)? (while|for|what|how|why|the)|good for)\b",
        "wants to understand an idea",
    ),
    (
        CodeReview,
        3.0,
        r"\b(review|feedback|clean(er)?|refactor\w*|pythonic|readab\w+|style|pep ?8|professional)\b",
        "asks how to make code better",
    ),
    (
        CodeReview,
        3.0,
        r"\b(improve|improvements?|better (way|code|version)|optimi[sz]e|(more )?efficient|simplif\w+|short(er|en)|ugly|nicer|elegant)\b",
        "asks how to make code better",
    ),
    (
        CodeReview,
        3.5,
        r"\b(is|are|was) (my|this|the) (\w+ )?(code|solution|program|function|names?|it) (good|correct|ok|okay|fine|right)\b|\blooks? (ok|okay|good|fine|right)\b",
        "asks whether code is good",
    ),
    (
        CodeReview,
        3.0,
        r"\b(suggestions|rate my|what do you think|your opinion|check my)\b",
        "asks for an opinion on code",
    ),
    (
        CodeReview,
        2.0,
        r"\b(it|program|code|solution) works\b|\ball tests pass|\bi solved it\b",
        "says that the code works",
    ),
    (
        Exercise,
        3.5,
        r"\b(give|generate|create|set|make|another|next|new|more|practi[cs]e|any|some|need|want|do you have)\b.{0,25}\b(exercises?|problems?|challenges?|tasks?|quiz(zes)?|homework)\b|\b(give|generate|create|set|make|practi[cs]e|do you have|get)\b( \w+){0,4} questions\b|\b(give|ask|set|make|generate)\b( me)?( a| an| another| one| the next)( \w+)? question\b|\b(want|need|like) (to have )?(some|more|a few|a couple of|other|new)( \w+)? questions\b|\b(the |my )?next question\b",
        "asks for something to practise",
    ),
    (
        Exercise,
        4.0,
        r"\b(quiz|test) me\b|\b(want|like|need|try|more|some|to) (to )?(\w+ )?(practi[cs]e|train|a quiz)\b",
        "wants to be tested",
    ),
    (
        Exercise,
        3.5,
        r"\b(something|an?|one) (\w+ )?(hard|easi)er\b|\b(hard|easi)er one\b|\banother one\b|\bnext one\b",
        "wants another exercise",
    ),
    (
        Exercise,
        3.5,
        r"\b(give|set|show) me (something|one) (\w+ )?(easy|hard|tricky|difficult|challenging|simple|to do|to try)\b|\bchallenge me\b",
        "wants something to do",
    ),
    (Exercise, 2.5, r"\bhint\b", "asks for a hint"),
    (
        Exercise,
        2.5,
        r"\bhow to (start|begin)\b|\bwhere (do|to|should) i? ?(start|begin)\b",
        "does not know how to begin",
    ),
    (
        Progress,
        5.0,
        r"\bmy (progress|score|mastery|level|streak|points|results)\b|\bhow am i doing\b|\bwhat (should|do|can) i (learn|do) next\b",
        "asks about their progress",
    ),
    (
        Progress,
        5.0,
        r"\bhow (far|much)\b.{0,25}\b(have|did) i\b|\b(am i|i'?m) ready (for|to)\b|\b(am i|i'?m|are my) (weak|weakest|strong|good|bad) (in|at)\b|\bdid i get better\b|\b(weak|strong) (in|at)\b",
        "asks about their progress",
    ),
    (Debug, 1.5, r"\bwhy\b", "asks why"),
    (Debug, 2.0, r"\bwhy is (this|it|the (output|result))\b", "asks why a result is what it is"),
    (Debug, 1.5, r"\b(can'?t|cannot|could ?n'?t)\b", "something cannot be done"),
    (
        Debug,
        2.0,
        r"\bam i doing wrong\b|\bwhat('?s| is) wrong\b|\bwhere is (the|my) (mistake|bug|error)\b",
        "looks for a mistake",
    ),
    (
        Debug,
        1.5,
        r"\bwhen i (run|type|try|call|add|enter|write)\b|\bi (run|ran|type|typed) it\b",
        "says what was tried",
    ),
    (
        Debug,
        1.5,
        r"\b(my|the) (code|program|function|loop|script|output)\b",
        "mentions their program",
    ),
    (
        CodeReview,
        1.5,
        r"\b(my|this) (code|solution|program|function|style)\b",
        "mentions their program",
    ),
    (CodeReview, 1.0, r"\bcould (i|be)\b|\bwould\b.{0,30}\bwrite it\b", "asks for another way"),
    (Exercise, 1.0, r"\b(tasks?|exercises?|quiz)\b", "mentions exercises"),
];
