//! The code by which students join a class.

use std::fmt;

/// Digits and letters that nobody takes for each other when they are read aloud or copied from a board (Crockford's
/// base 32: no I, L, O and U).
const ALPHABET: [char; 32] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J',
    'K', 'M', 'N', 'P', 'Q', 'R', 'S', 'T', 'V', 'W', 'X', 'Y', 'Z',
];
/// Characters of a code: 60 bits. With a million classes and a million guesses a minute, one is hit in a month or so;
/// guesses are limited to a few a minute.
const LENGTH: usize = 12;
/// Characters between two hyphens.
const GROUP: usize = 4;

/// A code such as `7K3M-Q9XA-VT2B`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InviteCode(String);

impl InviteCode {
    /// A code made of random bytes.
    #[must_use]
    pub fn from_random(bytes: &[u8; 32]) -> Self {
        let characters = bytes.iter().map(|byte| ALPHABET[usize::from(byte % 32)]);
        Self::grouped(characters.take(LENGTH))
    }

    /// Reads a code as people type it: in lower case, with spaces, without hyphens, with O for 0 and I or L for 1.
    /// `None`: it is none.
    #[must_use]
    pub fn read(typed: &str) -> Option<Self> {
        let typed = typed.chars().filter(|character| !matches!(character, '-' | ' '));
        let mut characters = Vec::with_capacity(LENGTH);
        for character in typed {
            let character = match character.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            if characters.len() == LENGTH || !ALPHABET.contains(&character) {
                return None;
            }
            characters.push(character);
        }
        (characters.len() == LENGTH).then(|| Self::grouped(characters.into_iter()))
    }

    fn grouped(characters: impl Iterator<Item = char>) -> Self {
        let mut code = String::with_capacity(LENGTH + LENGTH / GROUP);
        for (number, character) in characters.enumerate() {
            if number > 0 && number.is_multiple_of(GROUP) {
                code.push('-');
            }
            code.push(character);
        }
        Self(code)
    }

    /// The code as it is shown and stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InviteCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{ALPHABET, InviteCode};

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = InviteCode::read("7K3M-Q9XA-VT20").unwrap();
        assert_eq!(code.as_str(), "7K3M-Q9XA-VT20");
        for typed in ["7k3mq9xavt20", " 7K3M Q9XA VT2O ", "7K3M-Q9XA-VT2o"] {
            assert_eq!(InviteCode::read(typed).as_ref(), Some(&code), "{typed}");
        }
        for wrong in ["", "7K3M", "7K3M-Q9XA-VT20-X", "7K3M-Q9XA-VT2U", "7K3M-Q9XA-VT2é"] {
            assert_eq!(InviteCode::read(wrong), None, "{wrong}");
        }
        // Any length of input is refused without being kept.
        assert_eq!(InviteCode::read(&"A".repeat(1_000_000)), None);
    }

    #[test]
    fn a_new_code_can_be_read_and_uses_every_character_alike() {
        let bytes: [u8; 32] = std::array::from_fn(|number| u8::try_from(number * 7).unwrap());
        let code = InviteCode::from_random(&bytes);
        assert_eq!(InviteCode::read(code.as_str()), Some(code));
        let mut counts = [0; 32];
        for byte in 0..=u8::MAX {
            let first = InviteCode::from_random(&[byte; 32]).as_str().chars().next().unwrap();
            counts[ALPHABET.iter().position(|known| *known == first).unwrap()] += 1;
        }
        assert_eq!(counts, [8; 32]);
    }
}
