//! What is wrong with what was given, and where.

/// Faults, each with the place where it is.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    /// The file, for messages.
    pub(crate) file: String,
    /// The faults.
    pub(crate) found: Vec<String>,
}

impl Faults {
    /// Notes a fault, unless there is one at that place: the first says why.
    pub(crate) fn add(&mut self, line: usize, path: &str, reason: impl std::fmt::Display) {
        let place = match (self.file.as_str(), line) {
            ("", _) => String::new(),
            (file, 0) => format!("{file}: "),
            (file, line) => format!("{file}:{line}: "),
        };
        let place = format!("{place}{path}: ");
        if !self.found.iter().any(|fault| fault.starts_with(&place)) {
            self.found.push(format!("{place}{reason}"));
        }
    }
}
