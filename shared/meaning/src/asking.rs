//! Which sentences of a question ask something. The rest tells a story: what was tried, what it is for, thanks.

use std::sync::LazyLock;

use regex::Regex;

use crate::patterns::compile;

/// Sentences that are looked at: more say nothing new, and each takes time.
const LOOKED_AT: usize = 40;
/// Sentences that are read: each costs as much as a question.
const READ: usize = 4;
/// Words of the shortest and the longest sentence that can be read alone.
const WORDS: std::ops::RangeInclusive<usize> = 3..=30;

static ASKS: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"\?|^\W*(and |but |so |also |or )?(how|what|why|when|where|which|who|is|are|can|could|does|do|should|would|will)\b|\bhow (to|do|does|can|could|would|should|is|are)\b|\b(i|we) ('?d like|need|want|would like|have|am trying|'m trying|was trying|tried|try|wish|would want)\b.{0,20}\bto\b|\b(do ?n'?t|do not|dont|ca ?n'?t|cannot|not) (\w+ )?(understand|know|get|see|follow|figure)\b|\b(confused|unsure|not sure|wondering|curious|struggling|explain|difference|purpose)\b|\bwhat\b.{0,40}\b(does|do|is|are|means?)\b",
    )
});

/// A clause in which somebody says who they are, before the question.
static INTRODUCTION: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"^\W*((hi|hello|hey|dear|good (morning|evening|day|afternoon))\b[^,.!?]{0,30}[,!]?\s*)?(i am|i'm|im|my name is|this is)\b[^,?!;]{1,40}[,;]\s*",
    )
});

/// The sentences that ask, and the title above a text; none if there is just one sentence, and nothing before it.
#[must_use]
pub fn sentences(prose: &str) -> Vec<&str> {
    let introduction = INTRODUCTION.find(prose);
    let prose = introduction.map_or(prose, |found| &prose[found.end()..]);
    let lines = prose.lines().flat_map(|line| line.split_inclusive(['?', '!']));
    let parts = lines.flat_map(|part| part.split(". ")).map(str::trim);
    let all: Vec<&str> = parts.filter(|part| !part.is_empty()).take(LOOKED_AT).collect();
    if all.len() < 2 && introduction.is_none() {
        return Vec::new();
    }
    let has_title = title(prose).is_some();
    let asks = |at: usize, sentence: &str| (at == 0 && has_title) || ASKS.is_match(sentence);
    let sentences = all.into_iter().enumerate();
    let asking = sentences.filter(|(at, sentence)| asks(*at, sentence)).map(|(_, asks)| asks);
    asking.filter(|asks| WORDS.contains(&asks.split_whitespace().count())).take(READ).collect()
}

/// The title above a text, as people write it in forums: the first line, with an empty line below.
#[must_use]
pub fn title(prose: &str) -> Option<&str> {
    let (title, _) = prose.trim_start().split_once("\n\n")?;
    let words = title.split_whitespace().count();
    (!title.contains('\n') && !title.ends_with(':') && WORDS.contains(&words)).then_some(title)
}

#[cfg(test)]
mod tests {
    use super::{sentences, title};

    #[test]
    fn what_asks_is_distinguished_from_the_story_around_it() {
        let prose = "Good evening. We began with lists last week and my partner left. How can I turn a list \
                     around? Many thanks for this forum!";
        assert_eq!(sentences(prose), ["How can I turn a list around?"]);
        assert_eq!(
            sentences("sorting names by length\n\nMine come out by letter."),
            ["sorting names by length"]
        );
        assert_eq!(sentences("What is a list?"), [""; 0]);
        assert_eq!(sentences("Hi, I'm Ben, what is a list for?"), ["what is a list for?"]);
    }

    #[test]
    fn a_title_is_one_line_with_an_empty_one_below() {
        assert_eq!(title("merging two lists\n\nI have a and b."), Some("merging two lists"));
        for none in
            ["merging two lists", "Hello,\n\nI have a and b.", "my code does this:\n\nx = 1"]
        {
            assert_eq!(title(none), None, "{none}");
        }
    }

    #[test]
    fn long_texts_are_read_only_in_part() {
        assert!(sentences(&"Why is it so? ".repeat(5_000)).len() <= 4);
        assert!(sentences(&"why ".repeat(16_000)).is_empty());
    }
}
