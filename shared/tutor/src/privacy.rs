//! Redaction: what identifies a student is not sent to a model.

use std::sync::LazyLock;

use regex::{Regex, RegexBuilder};

static EMAIL: LazyLock<Regex> = LazyLock::new(|| pattern(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"));
static PHONE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?:\+\d{1,3}[ .-]?)?\(?\b\d{2,4}\)?[ .-]\d{3}[ .-]\d{3,5}\b|\+\d{8,15}\b")
});
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| pattern(r"\bhttps?://\S+"));
/// Numbers of identity cards, students and accounts. Programs seldom have a number this long.
static NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(r"\b\d{8,}\b"));
/// Keys and tokens that people paste by mistake.
static SECRET: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"\b(?:sk|pk|ghp|gho|xox[bp])[-_][A-Za-z0-9_-]{16,}\b|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*",
    )
});
/// Folders of a person's own machine.
static HOME: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:/home/|/Users/|[A-Za-z]:\\Users\\)[^/\\\s:]+"));

/// The shortest name that is redacted: shorter ones are part of too many words.
const MIN_NAME: usize = 3;

fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is a literal that the tests compile")
}

/// Replaces what identifies somebody by words that say what was removed. `name` is the student's.
#[must_use]
pub fn scrub(text: &str, name: &str) -> String {
    let mut text = text.to_owned();
    for (pattern, instead) in [
        (&SECRET, "[secret]"),
        (&EMAIL, "[email]"),
        (&ADDRESS, "[address]"),
        (&HOME, "[home]"),
        (&PHONE, "[phone]"),
        (&NUMBER, "[number]"),
    ] {
        text = pattern.replace_all(&text, instead).into_owned();
    }
    let folded = folded(&text);
    let parts = name.split_whitespace().filter(|part| part.chars().count() >= MIN_NAME);
    // Few texts hold the name, and a pattern takes longer to make than to apply.
    for part in parts.filter(|part| folded.contains(&self::folded(part))) {
        let word = format!(r"\b{}\b", regex::escape(part));
        if let Ok(word) = RegexBuilder::new(&word).case_insensitive(true).build() {
            text = word.replace_all(&text, "[name]").into_owned();
        }
    }
    text
}

/// A text in which all that a pattern takes for the same letter is the same: `K` and the sign of the unit kelvin, `s` and
/// the long `ſ`.
fn folded(text: &str) -> String {
    let small = text.chars().flat_map(char::to_lowercase);
    // Once more in both directions: `ẞ` becomes `ß`, and that becomes `ss`.
    small.flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, prop_assert, proptest};
    use regex::RegexBuilder;

    use super::{folded, scrub};

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// A name is never overlooked because of how its letters are written.
        #[test]
        fn what_a_pattern_takes_for_a_name_has_the_same_letters(
            name in "[A-Za-zſKÅẞßςΣσİıǅǆŐő]{3,6}",
            text in "[A-Za-zſKÅẞßςΣσİıǅǆŐő]{3,6}",
        ) {
            let pattern = RegexBuilder::new(&regex::escape(&name)).case_insensitive(true).build().unwrap();
            for text in [&text, &name.to_uppercase(), &name.to_lowercase()] {
                prop_assert!(!pattern.is_match(text) || folded(text).contains(&folded(&name)), "{name} {text}");
            }
        }
    }

    /// For every letter that has another form, all that a pattern takes for it.
    #[test]
    fn every_letter_is_the_same_as_what_a_pattern_takes_for_it() {
        let has_forms = |letter: &char| {
            !letter.to_lowercase().eq([*letter]) || !letter.to_uppercase().eq([*letter])
        };
        let letters: String = ('\0'..=char::MAX).filter(has_forms).collect();
        for letter in letters.chars().map(String::from) {
            let pattern = RegexBuilder::new(&letter).case_insensitive(true).build().unwrap();
            for found in pattern.find_iter(&letters) {
                assert_eq!(folded(found.as_str()), folded(&letter), "{letter} {}", found.as_str());
            }
        }
    }

    #[test]
    fn nothing_that_identifies_a_student_is_left() {
        for (text, expected) in [
            ("I'm Ada Lovelace, ada.l@uni.example", "I'm [name] [name], [email]"),
            ("call +49 170 555 12345", "call [phone]"),
            ("my id is 20231104417", "my id is [number]"),
            ("File \"/home/ada/hw1.py\", line 3", "File \"[home]/hw1.py\", line 3"),
            ("C:\\Users\\ada\\x.py", "[home]\\x.py"),
            ("key sk-abcdEFGH12345678ijkl", "key [secret]"),
            ("see https://school.example/u/ada?t=1", "see [address]"),
        ] {
            assert_eq!(scrub(text, "Ada Lovelace"), expected);
        }
    }

    #[test]
    fn programs_stay_as_they_are() {
        for code in [
            "total = 1000000 - 3\nprint(total[2:10])",
            "for i in range(10, 200):\n    x = 3.14159 * i - 2000",
            "@app\ndef f(a, b): return a @ b",
            "adapter = 'Adam'",
        ] {
            assert_eq!(scrub(code, "Ada Al"), code);
        }
    }
}
