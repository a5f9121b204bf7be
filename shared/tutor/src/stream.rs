//! Reads an answer while it is streamed: the first property of a JSON object, if it is a string, paragraph by
//! paragraph.

/// Reads the text of one property of a JSON object that arrives in pieces, if it is the first one, and returns its
/// finished paragraphs.
#[derive(Debug)]
pub(crate) struct Paragraphs {
    /// The property's name.
    property: &'static str,
    name: String,
    state: State,
    /// Text of the value that was not returned yet.
    waiting: String,
    /// The part of an escape that has arrived.
    escape: String,
    /// The first half of a character beyond the basic plane.
    high: Option<u16>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum State {
    /// Before the object.
    #[default]
    Outside,
    /// In it, before the first name.
    Before,
    InName,
    Colon,
    InValue,
    After,
}

impl Paragraphs {
    pub(crate) fn of(property: &'static str) -> Self {
        Self {
            property,
            name: String::new(),
            state: State::default(),
            waiting: String::new(),
            escape: String::new(),
            high: None,
        }
    }

    /// Takes a piece and returns the paragraphs that it completes.
    pub(crate) fn push(&mut self, piece: &str) -> Vec<String> {
        for c in piece.chars() {
            self.take(c);
        }
        let mut finished = Vec::new();
        while let Some(end) = self.waiting.find("\n\n") {
            let rest = self.waiting.split_off(end + 2);
            finished.push(std::mem::replace(&mut self.waiting, rest));
        }
        if self.state == State::After && !self.waiting.is_empty() {
            finished.push(std::mem::take(&mut self.waiting));
        }
        finished
    }

    fn take(&mut self, c: char) {
        match self.state {
            State::Outside if c == '{' => self.state = State::Before,
            State::Before if c == '"' => self.state = State::InName,
            State::InName if c == '"' && self.name == self.property => self.state = State::Colon,
            State::InName if c == '"' => self.state = State::After,
            State::InName => self.name.push(c),
            State::Colon if c == '"' => self.state = State::InValue,
            State::InValue => self.take_text(c),
            State::Outside | State::Before | State::Colon | State::After => {}
        }
    }

    fn take_text(&mut self, c: char) {
        if self.escape.is_empty() {
            match c {
                '"' => self.state = State::After,
                '\\' => self.escape.push(c),
                _ => self.waiting.push(c),
            }
            return;
        }
        self.escape.push(c);
        let plain = match self.escape.as_bytes() {
            [_, b'u'] => return,
            [_, b'u', digits @ ..] if digits.len() < 4 => return,
            [_, b'u', ..] => self.unicode(),
            [_, b'n'] => Some('\n'),
            [_, b't'] => Some('\t'),
            [_, b'r' | b'b' | b'f'] => None,
            _ => Some(c),
        };
        self.escape.clear();
        self.waiting.extend(plain);
    }

    fn unicode(&mut self) -> Option<char> {
        let unit = u16::from_str_radix(self.escape.get(2..).unwrap_or_default(), 16).ok()?;
        let units: Vec<u16> = self.high.take().into_iter().chain([unit]).collect();
        match char::decode_utf16(units).next() {
            Some(Ok(c)) => Some(c),
            _ => {
                self.high = Some(unit);
                None
            }
        }
    }
}

/// The marks around what a model thinks.
const BEGIN: &str = "<think>";
const END: &str = "</think>";
/// Most bytes of thoughts without an opening mark: a text that is longer is the answer, if a bad one.
const UNMARKED: usize = 16 << 10;

/// Leaves out what a model thinks before its answer, where it comes as a part of the text: `<think>…</think>`. Some
/// servers leave out the opening mark, so nothing counts before the closing one or the answer's first brace.
#[derive(Debug, Default)]
pub(crate) struct Thoughts {
    held: String,
    is_over: bool,
    /// Bytes that were left out.
    left_out: usize,
}

impl Thoughts {
    /// Takes a piece and returns what of it, and of earlier ones, is the answer.
    pub(crate) fn push(&mut self, piece: &str) -> String {
        if self.is_over {
            return piece.to_owned();
        }
        self.held.push_str(piece);
        let has_begun = self.held.trim_start().starts_with(BEGIN);
        let brace = self.held.find('{').filter(|_| !has_begun);
        match (self.held.find(END), brace) {
            (Some(end), brace) if brace.is_none_or(|brace| brace > end) => {
                self.left_out = end + END.len();
                self.held.drain(..self.left_out);
            }
            (None, None) if has_begun || self.held.len() < UNMARKED => return String::new(),
            (_, _) => {}
        }
        self.finish()
    }

    /// What was held back, when no more comes.
    pub(crate) fn finish(&mut self) -> String {
        self.is_over = true;
        std::mem::take(&mut self.held)
    }

    /// Bytes of thoughts so far.
    pub(crate) const fn left_out(&self) -> usize {
        self.left_out
    }

    /// Bytes that are held back.
    pub(crate) fn len(&self) -> usize {
        self.held.len()
    }
}

/// A finished answer without the thoughts that were not recognised while it came: those without an opening mark, and
/// with a brace in them.
pub(crate) fn behind_thoughts(text: &str) -> &str {
    match text.rsplit_once(END) {
        Some((_, answer)) if answer.trim_start().starts_with('{') => answer.trim_start(),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Paragraphs, Thoughts, behind_thoughts};

    #[test]
    fn what_a_model_thinks_is_no_part_of_its_answer() {
        for (text, answer) in [
            ("<think>Is {\"explanation\": 1} right?</think>\n{\"a\": 1}", "\n{\"a\": 1}"),
            ("They ask about lists.</think>{\"a\": 1}", "{\"a\": 1}"),
            ("Here it is: {\"a\": \"</think>\"}", "Here it is: {\"a\": \"</think>\"}"),
            ("I cannot.", "I cannot."),
            // A brace in what it thinks, and no opening mark: only the end tells.
            ("Use {} or {\"b\": 1}.</think>\n{\"a\": 1}", "{\"a\": 1}"),
        ] {
            for size in 1..9 {
                let mut thoughts = Thoughts::default();
                let chars: Vec<char> = text.chars().collect();
                let pieces = chars.chunks(size).map(|piece| piece.iter().collect::<String>());
                let mut given: String = pieces.map(|piece| thoughts.push(&piece)).collect();
                given.push_str(&thoughts.finish());
                let given = behind_thoughts(&given);
                assert_eq!(given, answer, "in pieces of {size}");
            }
        }
    }

    #[test]
    fn paragraphs_come_as_soon_as_they_are_finished_however_the_text_is_cut() {
        let text = "A \"list\" keeps\torder.\n\nIt can grow: \u{1f40d} \\ é.\n\nThe end.";
        let whole = format!("{{ \"explanation\": {}, \"mistakes\": [\"a\\n\\nc\"] }}", json!(text));
        let escaped = whole.replace('\u{1f40d}', "\\ud83d\\udc0d").replace('é', "\\u00e9");
        for size in 1..12 {
            let mut paragraphs = Paragraphs::of("explanation");
            let chars: Vec<char> = escaped.chars().collect();
            let pieces = chars.chunks(size).map(|piece| piece.iter().collect::<String>());
            let given: Vec<String> = pieces.flat_map(|piece| paragraphs.push(&piece)).collect();
            assert_eq!(given.len(), 3, "{given:?}");
            assert_eq!(given.concat(), text, "in pieces of {size}");
        }
    }

    #[test]
    fn only_a_json_object_is_parsed() {
        for text in ["I am sorry, I cannot.\n\nReally.", "{\"mistakes\": [\"a\\n\\nb\"]}"] {
            assert!(Paragraphs::of("explanation").push(text).is_empty(), "{text}");
        }
    }
}
