//! The review finds nothing severe in the course's own solutions and examples.

use analysis::review::{Severity, review};

#[test]
fn the_courses_solutions_are_reviewed_without_an_error() {
    let mut found = Vec::new();
    let mut scores = Vec::new();
    for (topic, template) in curriculum::embedded().exercises() {
        let exercise = template.exercise();
        let review = review(&exercise.reference);
        scores.extend(review.score);
        for finding in review.findings.iter().filter(|f| f.rule.severity != Severity::Style) {
            let (rule, line) = (finding.rule.name, finding.line);
            found.push(format!(
                "{}, {}, line {line}: {rule}: {}",
                topic.slug, exercise.slug, finding.message
            ));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    let total: usize = scores.iter().map(|score| usize::from(*score)).sum();
    assert!(total / scores.len() >= 95, "the mean score is {}", total / scores.len());
}
