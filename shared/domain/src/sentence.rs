//! Pieces of sentences.

/// A number with its noun in singular or plural, such as `1 hint` and `2 hints`.
#[must_use]
pub fn counted(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}
