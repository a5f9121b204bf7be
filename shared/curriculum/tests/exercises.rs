//! What help with the course's exercises reveals, and their solutions in pieces.

use curriculum::embedded;
use exercises::{parsons, reveals_solution, same_as};

#[test]
fn every_solution_is_a_leak_and_no_starter_is() {
    for (_, template) in embedded().exercises() {
        let exercise = template.exercise();
        assert!(!reveals_solution(&exercise.starter, &exercise), "{}", exercise.slug);
        let renamed = exercise.reference.replace("result", "answer");
        let is_long = analysis::Tokens::of(&exercise.reference).len() >= 12;
        assert_eq!(reveals_solution(&renamed, &exercise), is_long, "{}", exercise.slug);
        assert!(same_as(&exercise, &exercise), "{}", exercise.slug);
    }
}

#[test]
fn the_pieces_make_the_solution_and_get_easier() {
    for (_, template) in embedded().exercises() {
        let exercise = template.exercise();
        let lines = exercise.reference.lines().filter(|line| !line.trim().is_empty());
        let mut lines: Vec<&str> = lines.collect();
        let with_wrong = parsons(&exercise, 3, 7);
        assert_eq!(with_wrong.blocks.len(), lines.len() + with_wrong.too_many);
        assert_eq!(parsons(&exercise, 4, 7).blocks.len(), lines.len(), "{}", exercise.slug);
        let indented = parsons(&exercise, 5, 7);
        let mut pieces: Vec<&str> =
            indented.blocks.iter().map(|block| block.text.as_str()).collect();
        pieces.sort_unstable();
        lines.sort_unstable();
        assert_eq!(pieces, lines, "{}", exercise.slug);
        assert!(parsons(&exercise, 6, 7).blocks.len() <= 3, "{}", exercise.slug);
    }
}

#[test]
fn the_order_is_another_one_for_another_student() {
    let course = embedded();
    let longest = course.exercises().map(|(_, template)| template.exercise());
    let longest = longest.max_by_key(|exercise| exercise.reference.len()).expect("exercises");
    assert_eq!(parsons(&longest, 4, 1), parsons(&longest, 4, 1));
    assert_ne!(parsons(&longest, 4, 1), parsons(&longest, 4, 2));
}
