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

/// Replaces what identifies somebody by words that say what was removed. `names` are those of the student.
#[must_use]
pub fn scrub(text: &str, names: &[String]) -> String {
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
    let parts = names.iter().flat_map(|name| name.split_whitespace());
    for part in parts.filter(|part| part.chars().count() >= MIN_NAME) {
        let word = format!(r"\b{}\b", regex::escape(part));
        if let Ok(word) = RegexBuilder::new(&word).case_insensitive(true).build() {
            text = word.replace_all(&text, "[name]").into_owned();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::scrub;

    #[test]
    fn nothing_that_identifies_a_student_is_left() {
        let names = ["Ada Lovelace".to_owned()];
        for (text, expected) in [
            ("I'm Ada Lovelace, ada.l@uni.example", "I'm [name] [name], [email]"),
            ("call +49 170 555 12345", "call [phone]"),
            ("my id is 20231104417", "my id is [number]"),
            ("File \"/home/ada/hw1.py\", line 3", "File \"[home]/hw1.py\", line 3"),
            ("C:\\Users\\ada\\x.py", "[home]\\x.py"),
            ("key sk-abcdEFGH12345678ijkl", "key [secret]"),
            ("see https://school.example/u/ada?t=1", "see [address]"),
        ] {
            assert_eq!(scrub(text, &names), expected);
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
            assert_eq!(scrub(code, &["Ada".to_owned(), "Al".to_owned()]), code);
        }
    }
}
