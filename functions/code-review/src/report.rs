//! The text of a review: one thing that is good, and at most three to look at.

use analysis::review::{Review, Severity};
use domain::execution::{ExecutionResult, Verdict};
use events::question_answered::{
    Answer, Details, ReviewDeduction, ReviewFinding, ReviewReport, ReviewSeverity,
};

/// Findings that are shown first: nobody reads more.
pub(crate) const UP_FRONT: usize = 3;
/// Most findings that are stored. A program with more has other problems.
const MAX_FINDINGS: usize = 50;

/// The findings in a program that was run.
#[must_use]
pub fn details(review: &Review, run: &ExecutionResult) -> ReviewReport {
    let mut findings: Vec<ReviewFinding> = run_finding(run).into_iter().collect();
    let seen_line = findings.first().and_then(|finding| finding.line);
    // What the run has shown is not repeated for the same line.
    let others = review.findings.iter().filter(|finding| {
        finding.rule.severity != Severity::Error || seen_line != Some(finding.line)
    });
    findings.extend(others.map(|finding| ReviewFinding {
        line: Some(finding.line),
        severity: match finding.rule.severity {
            Severity::Error => ReviewSeverity::Error,
            Severity::Advice => ReviewSeverity::Advice,
            Severity::Style => ReviewSeverity::Style,
        },
        rule: finding.rule.name.to_owned(),
        message: finding.message.clone(),
        why: finding.rule.why.to_owned(),
        before: None,
        after: None,
    }));
    findings.truncate(MAX_FINDINGS);
    let deductions = review.deductions.iter().map(|deduction| ReviewDeduction {
        rule: deduction.rule.name.to_owned(),
        count: u32::try_from(deduction.count).unwrap_or(u32::MAX),
        points: deduction.points,
    });
    ReviewReport {
        score: review.score,
        summary: summary(
            &findings,
            run.verdict,
            run.error.as_ref().is_some_and(|error| error.kind == "EOFError"),
        ),
        praise: review.praise.to_owned(),
        deductions: deductions.collect(),
        findings,
    }
}

/// The answer: praise, the first findings, and how many more there are.
#[must_use]
pub fn compose(report: ReviewReport, code: &str) -> Answer {
    let mut content = format!("**What is good.** {}\n\n{}", report.praise, report.summary);
    for (number, finding) in report.findings.iter().take(UP_FRONT).enumerate() {
        let place = finding.line.map(|line| format!("line {line}: ")).unwrap_or_default();
        content.push_str(&format!(
            "\n\n{}. {place}{} {}",
            number + 1,
            finding.message,
            finding.why
        ));
        content.push_str(&shown(finding, code));
    }
    let more = report.findings.len().saturating_sub(UP_FRONT);
    if more > 0 {
        let things = if more == 1 { "thing" } else { "things" };
        content.push_str(&format!("\n\n{more} less important {things} can wait."));
    }
    if let Some(score) = report.score {
        content.push_str(&format!("\n\nQuality: {score} out of 100."));
        let parts = report.deductions.iter().map(|deduction| {
            format!("{} for {}", deduction.points, deduction.rule.replace('_', " "))
        });
        let named: u8 = report.deductions.iter().map(|deduction| deduction.points).sum();
        let others = 100_u8.saturating_sub(score).saturating_sub(named);
        let others = (others > 0).then(|| format!("{others} for other things"));
        let parts: Vec<String> = parts.chain(others).collect();
        if !parts.is_empty() {
            content.push_str(&format!(" Points taken off: {}.", parts.join(", ")));
        }
    }
    Answer {
        content,
        examples: Vec::new(),
        topics: Vec::new(),
        related: Vec::new(),
        details: Some(Details::Review(report)),
    }
}

/// The line that a finding is about, or its lines before and after.
fn shown(finding: &ReviewFinding, code: &str) -> String {
    let block = |text: &str| {
        let lines: Vec<String> = text.lines().map(|line| format!("   {line}")).collect();
        format!("\n\n   ```python\n{}\n   ```", lines.join("\n"))
    };
    match (&finding.before, &finding.after) {
        (Some(before), Some(after)) if after.is_empty() => {
            format!(
                "{}\n\n   Without it, the program does the same. I ran it to make sure.",
                block(before)
            )
        }
        (Some(before), Some(after)) => {
            format!(
                "{}\n\n   This does the same. I ran it to make sure:{}",
                block(before),
                block(after)
            )
        }
        _ => {
            let line = finding.line.map_or("", |line| error_advice::line(code, line)).trim();
            if line.is_empty() { String::new() } else { block(line) }
        }
    }
}

/// The answer where there is nothing to review.
#[must_use]
pub fn without_program() -> Answer {
    let content = "I would like to read your program, but there is no program in your question. Paste it, and say what \
                   it is meant to do.";
    Answer::text(content.to_owned())
}

/// What the run has shown, if it failed. A program that asks for input got none.
fn run_finding(run: &ExecutionResult) -> Option<ReviewFinding> {
    let error = run.error.as_ref().filter(|error| error.kind != "EOFError")?;
    let (message, why) = match &error.advice {
        Some(advice) => (advice.what.clone(), advice.why.clone()),
        None => (
            format!("When I ran it, it ended with {}: {}.", error.kind, error.message),
            "First of all, a program has to run to the end.".to_owned(),
        ),
    };
    Some(ReviewFinding {
        line: error.line,
        severity: ReviewSeverity::Error,
        rule: "ends_with_error".to_owned(),
        message,
        why,
        before: None,
        after: None,
    })
}

pub(crate) fn summary(
    findings: &[ReviewFinding],
    verdict: Verdict,
    asks_for_input: bool,
) -> String {
    let count = |severity| findings.iter().filter(|finding| finding.severity == severity).count();
    let ran = match verdict {
        Verdict::Ok => "I ran it, and it runs to the end.",
        _ if asks_for_input => "It asks for input, so I read it without running it to the end.",
        _ => "I ran it, and it stops before the end.",
    };
    let found = match (count(ReviewSeverity::Error), findings.len()) {
        (_, 0) => "I found nothing to improve.".to_owned(),
        (0, all) => format!("There {} to improve, and no mistakes.", are(all)),
        (errors, _) => format!("There {} to fix first.", are(errors)),
    };
    format!("{ran} {found}")
}

fn are(count: usize) -> String {
    if count == 1 { "is 1 thing".to_owned() } else { format!("are {count} things") }
}

#[cfg(test)]
mod tests {
    use super::{ReviewDeduction, ReviewReport, compose};

    #[test]
    fn what_is_named_and_the_rest_add_up_to_what_the_score_lacks() {
        let deduction =
            |rule: &str, points| ReviewDeduction { rule: rule.to_owned(), count: 1, points };
        let report = |score, deductions| ReviewReport {
            score: Some(score),
            summary: String::new(),
            praise: String::new(),
            deductions,
            findings: Vec::new(),
        };
        let content = |report| compose(report, "").content;
        let three = vec![deduction("no_effect", 57), deduction("a", 10), deduction("b", 5)];
        let some = content(report(24, three));
        assert!(
            some.ends_with("57 for no effect, 10 for a, 5 for b, 4 for other things."),
            "{some}"
        );
        let all = content(report(62, vec![deduction("no_effect", 38)]));
        assert!(all.ends_with("Points taken off: 38 for no effect."), "{all}");
    }
}
