//! Normalises the words of questions and the terms of the course, for comparison.

/// Articles and the like: "sort a list", "sort my list" and "sort lists" are the same.
pub(crate) const ARTICLES: [&str; 7] = ["a", "an", "the", "my", "your", "this", "some"];

/// The words of a text in lower case; `==`, `f-string` and `__init__` stay whole.
pub(crate) fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase().replace('\u{2019}', "'");
    let words = text.split(|c: char| c.is_whitespace() || ",;?!\"`()".contains(c));
    let words = words.map(|word| word.trim_matches(|c: char| ".:'".contains(c)).to_owned());
    words.filter(|word| !word.is_empty()).collect()
}

/// A term in normal form: in lower case and the singular, without articles.
pub(crate) fn key(term: &str) -> String {
    let words = words(term).into_iter().filter(|word| !ARTICLES.contains(&word.as_str()));
    words.map(|word| singular(&word)).collect::<Vec<_>>().join(" ")
}

/// An English word without its plural's ending, roughly.
pub(crate) fn singular(word: &str) -> String {
    let cut = |suffix: &str, with: &str| {
        let stem = word.strip_suffix(suffix)?;
        (stem.len() > 2).then(|| format!("{stem}{with}"))
    };
    cut("ies", "y")
        .or_else(|| cut("ss", "ss"))
        .or_else(|| cut("s", ""))
        .unwrap_or_else(|| word.to_owned())
}
