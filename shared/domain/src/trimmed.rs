//! Trims results so that they can always be sent and stored.

use serde::Serialize;

use crate::{
    execution::{ExecutionError, ExecutionResult, MAX_RESULT_BYTES, MAX_TESTS, TestResult},
    trace::TraceStep,
};

/// The limits in bytes of JSON to which long texts are trimmed, step by step. After the last one a result always fits:
/// see `the_last_step_is_enough`.
const STEPS: [usize; 2] = [16 << 10, 1 << 10];
/// The share of that limit for each text of a test.
const PART_OF_TEST: usize = 16;
/// Bytes of JSON around the text of one part of the transcript.
const AROUND_PART: usize = 32;
/// Bytes of JSON around the steps of a trace.
const AROUND_TRACE: usize = 48;

impl ExecutionResult {
    /// Trims it to [`MAX_RESULT_BYTES`]: the last steps of the trace go first, then the files, then the ends of all texts.
    /// Any result fits afterwards.
    #[must_use]
    pub fn trimmed(mut self) -> Self {
        let steps: [fn(&mut Self); 4] = [
            Self::shorten_trace,
            |result| result.files.clear(),
            |result| result.shorten(STEPS[0]),
            |result| result.shorten(STEPS[1]),
        ];
        for step in steps {
            if self.size() <= MAX_RESULT_BYTES {
                break;
            }
            step(&mut self);
            self.truncated = true;
        }
        self
    }

    fn size(&self) -> usize {
        size(self)
    }

    /// Keeps the first steps, as many as fit beside everything else.
    fn shorten_trace(&mut self) {
        let Some(mut trace) = self.trace.take() else { return };
        let mut left = MAX_RESULT_BYTES.saturating_sub(self.size() + AROUND_TRACE);
        let fits = |step: &&TraceStep| {
            let size = size(step) + ",".len();
            let fits = size <= left;
            left = left.saturating_sub(size);
            fits
        };
        let fitting = trace.steps.iter().take_while(fits).count();
        if fitting > 0 {
            trace.truncated |= fitting < trace.steps.len();
            trace.steps.truncate(fitting);
            self.trace = Some(trace);
        }
    }

    fn shorten(&mut self, bytes: usize) {
        cut(&mut self.stdout, bytes);
        cut(&mut self.stderr, bytes);
        cut(&mut self.python, bytes);
        let mut left = 2 * bytes;
        self.transcript.retain_mut(|part| {
            cut(&mut part.text, left.saturating_sub(AROUND_PART));
            left = left.saturating_sub(escaped(&part.text) + AROUND_PART);
            !part.text.is_empty()
        });
        if let Some(error) = &mut self.error {
            error.shorten(bytes);
        }
        // No more were requested.
        self.tests.truncate(MAX_TESTS);
        for test in &mut self.tests {
            test.shorten(bytes / PART_OF_TEST);
        }
    }
}

impl ExecutionError {
    fn shorten(&mut self, bytes: usize) {
        let own = [&mut self.kind, &mut self.message, &mut self.traceback];
        let advice = self.advice.iter_mut().flat_map(|advice| {
            [&mut advice.rule, &mut advice.what, &mut advice.why, &mut advice.hint]
        });
        for text in own.into_iter().chain(&mut self.function).chain(advice) {
            cut(text, bytes);
        }
    }
}

impl TestResult {
    fn shorten(&mut self, bytes: usize) {
        // The name is the teacher's, and at most 200 characters.
        cut(&mut self.name, 4 * bytes);
        cut(&mut self.expected, bytes);
        cut(&mut self.actual, bytes);
        if let Some(problem) = &mut self.problem {
            cut(problem, 2 * bytes);
        }
        if let Some(error) = &mut self.error {
            error.shorten(bytes);
        }
    }
}

/// Bytes of a value in JSON.
fn size(value: &impl Serialize) -> usize {
    serde_json::to_string(value).map_or(usize::MAX, |json| json.len())
}

/// Cuts a text to so many bytes of JSON.
fn cut(text: &mut String, bytes: usize) {
    let mut left = bytes;
    let end = text.char_indices().find(|(_, character)| {
        let length = escaped_character(*character);
        let fits = length <= left;
        left = left.saturating_sub(length);
        !fits
    });
    if let Some((end, _)) = end {
        text.truncate(end);
    }
}

/// Bytes of a text in JSON.
fn escaped(text: &str) -> usize {
    text.chars().map(escaped_character).sum()
}

/// Bytes of a character in JSON (RFC 8259, section 7).
const fn escaped_character(character: char) -> usize {
    match character {
        '"' | '\\' | '\u{8}' | '\t' | '\n' | '\u{c}' | '\r' => 2,
        '\0'..='\u{1f}' => 6,
        _ => character.len_utf8(),
    }
}

#[cfg(test)]
mod tests;
