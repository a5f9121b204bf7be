//! Each check on programs that have its fault, and on programs that only look like it.

use super::{
    RULES, Severity,
    cases::{ALIKE, FAULTY},
    review,
};

/// What is found, as `line rule`.
fn found(source: &str) -> Vec<String> {
    review(source).findings.iter().map(|f| format!("{} {}", f.line, f.rule.name)).collect()
}

#[test]
fn each_rule_is_found_where_it_is() {
    let wrong: Vec<String> = FAULTY
        .iter()
        .filter(|(source, expected)| found(source) != [*expected])
        .map(|(source, expected)| format!("{source}{expected}, not {:?}", found(source)))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let mut untested: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
    untested
        .retain(|name| !FAULTY.iter().any(|(_, expected)| expected.ends_with(&format!(" {name}"))));
    assert_eq!(untested, [""; 0], "these rules have no case");
}

#[test]
fn lookalike_programs_have_no_findings() {
    for source in ALIKE {
        assert_eq!(found(source), [""; 0], "{source}");
    }
}

#[test]
fn the_score_follows_its_formula_and_names_what_it_costs() {
    let clean = review("a = 1\nb = 2\nprint(a + b)\n");
    assert_eq!((clean.score, clean.deductions.len()), (Some(100), 0));
    assert_eq!(review("print(1)\n").score, None);
    // 3 statements, one error: 100 - 800 / 13 = 38.46.
    let with_error = review("a = 1\na + 1\nprint(a)\n");
    assert_eq!(with_error.score, Some(38));
    assert_eq!(
        (with_error.deductions[0].rule.name, with_error.deductions[0].points),
        ("no_effect", 62)
    );
    assert_eq!(with_error.findings[0].rule.severity, Severity::Error);
}

#[test]
fn what_is_taken_off_adds_up() {
    let points = |source: &str| {
        let review = review(source);
        let taken: Vec<u8> = review.deductions.iter().map(|deduction| deduction.points).collect();
        (review.score.map_or(0, |score| 100 - score), taken)
    };
    // Each costs 16.7 or 17.6 of 100 by itself: rounded one by one they would be one too many.
    let two = "def f(xs):\n    for i in range(len(xs)):\n        print(xs[i])\n    if xs == None:\n        print(0)\n\n\n\
               f([1])\nf([2, 3])\nprint('done')\n";
    let (lacks, taken) = points(two);
    assert_eq!((lacks, taken.len()), (taken.iter().sum(), 2), "{taken:?}");
    let (lacks, taken) = points("a = 1\nb = 2\nprint(a\nc = 3\n");
    assert_eq!(vec![lacks], taken, "a program that cannot be read has one fault");
}

/// The most that is reviewed: the longest program that the sandbox accepts.
const LONGEST: usize = 64 * 1024;

#[test]
fn the_longest_programs_are_reviewed_quickly() {
    let of = |line: &str| line.repeat(LONGEST / line.len());
    let numbered = |line: &str| {
        let lines = (0..LONGEST / (line.len() + 5)).map(|n| line.replace('#', &n.to_string()));
        lines.collect::<String>()
    };
    for program in [
        of("for a in b:\n    c = 0\n"),
        of("class A:\n    b = []\n    def c(self):\n        self.b.append(1)\n"),
        of("if a != 1 or a != 2:\n    b[a / 2]\n"),
        numbered("def f#(a):\n    b# = a\n    f0(b#)\n"),
        numbered("a# = b#\nb# = a#\n"),
        numbered("class A#(A):\n    def __init__(self): self.a# = 1\n"),
        format!("x = [{}]\n", of("1, ")),
        of("("),
        of("a"),
        of("'{a}"),
    ] {
        let start = std::time::Instant::now();
        let found = review(&program).findings.len();
        let seconds = start.elapsed().as_secs_f32();
        // Without optimization; a busy machine needs some of it.
        assert!(seconds < 10.0, "{seconds} s, {found} findings: {}", &program[..60]);
    }
}
