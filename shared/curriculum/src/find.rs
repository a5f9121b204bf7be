//! Finding what a question is about, by the words of the course.

use std::{collections::HashSet, sync::LazyLock};

use crate::{
    content::{Concept, Curriculum, FUZZY_CHARS, Topic},
    terms::{ARTICLES, singular, words},
};

/// The longest term, in words.
const TERM_WORDS: usize = 5;
/// Words before "get" that make it mean understanding.
const DENIAL: [&str; 8] = ["don't", "dont", "didn't", "not", "t", "can't", "finally", "i"];

/// Words about the form of a question, not its subject.
const ASKING: &[&str] = &[
    "a",
    "about",
    "again",
    "all",
    "also",
    "am",
    "an",
    "and",
    "any",
    "are",
    "as",
    "at",
    "be",
    "being",
    "best",
    "better",
    "between",
    "both",
    "bit",
    "but",
    "by",
    "can",
    "cant",
    "clear",
    "code",
    "compare",
    "confused",
    "could",
    "describe",
    "did",
    "difference",
    "different",
    "differ",
    "do",
    "does",
    "doesnt",
    "done",
    "dont",
    "each",
    "easy",
    "else",
    "even",
    "example",
    "examples",
    "exactly",
    "explain",
    "explanation",
    "find",
    "for",
    "from",
    "get",
    "give",
    "good",
    "had",
    "has",
    "have",
    "help",
    "here",
    "hi",
    "hello",
    "how",
    "i",
    "id",
    "idea",
    "if",
    "im",
    "in",
    "instead",
    "into",
    "is",
    "isnt",
    "it",
    "its",
    "ive",
    "just",
    "kind",
    "know",
    "learn",
    "learning",
    "let",
    "lets",
    "like",
    "lot",
    "make",
    "mean",
    "meaning",
    "means",
    "me",
    "more",
    "most",
    "much",
    "must",
    "my",
    "need",
    "new",
    "no",
    "not",
    "now",
    "of",
    "off",
    "on",
    "one",
    "ones",
    "only",
    "or",
    "other",
    "our",
    "out",
    "over",
    "please",
    "program",
    "programming",
    "programs",
    "purpose",
    "python",
    "question",
    "really",
    "same",
    "say",
    "see",
    "should",
    "show",
    "simple",
    "so",
    "some",
    "something",
    "still",
    "tell",
    "than",
    "thank",
    "thanks",
    "that",
    "thats",
    "the",
    "their",
    "them",
    "then",
    "there",
    "these",
    "they",
    "thing",
    "things",
    "this",
    "those",
    "to",
    "too",
    "topic",
    "try",
    "two",
    "understand",
    "up",
    "us",
    "use",
    "used",
    "useful",
    "using",
    "versus",
    "very",
    "vs",
    "want",
    "was",
    "way",
    "ways",
    "we",
    "well",
    "were",
    "what",
    "whats",
    "when",
    "where",
    "which",
    "while",
    "who",
    "why",
    "will",
    "with",
    "without",
    "work",
    "working",
    "works",
    "would",
    "write",
    "you",
    "your",
    "always",
    "ever",
    "never",
    "called",
    "happens",
    "happen",
    "happened",
    "many",
    "another",
    "it's",
    "don't",
    "doesn't",
    "i'm",
    "can't",
    "what's",
    "exist",
    "exists",
    "possible",
    "because",
    "been",
    "go",
    "goes",
    "going",
    "put",
    "take",
    "takes",
    "time",
    "times",
    "first",
    "second",
    "next",
    "last",
    "end",
    "every",
    "whether",
    "basics",
    "basic",
    "concept",
    "concepts",
    "introduction",
    "beginner",
    "guide",
    "tutorial",
    "actually",
];

static IS_ASKING: LazyLock<HashSet<&str>> = LazyLock::new(|| ASKING.iter().copied().collect());

/// Terms that are everyday words too. They name their topic only if nothing stronger is named.
const EVERYDAY: &[&str] = &[
    "if",
    "set",
    "else",
    "try",
    "type",
    "number",
    "key",
    "power",
    "error",
    "file",
    "object",
    "class",
    "package",
    "import",
    "return",
    "input",
    "output",
    "print",
    "text",
    "element",
    "remove",
    "get",
    "copy",
    "position",
    "character",
    "none",
    "nothing",
    "true",
    "false",
    "module",
    "format",
    "insert",
];

/// A topic that a question touches.
#[derive(Debug, Clone, Copy)]
pub struct Match<'a> {
    /// The topic.
    pub topic: &'a Topic,
    /// The finer idea within it, if the question names one.
    pub concept: Option<&'a Concept>,
    /// How strongly, for comparison within one question: longer terms weigh more.
    pub weight: usize,
    /// How strongly its longest term names it.
    pub longest: usize,
}

impl Match<'_> {
    /// The weight of a term of one word that is no everyday word.
    pub const WORD: usize = 2;
    /// The weight of a term of two words: who says it means it.
    pub const PHRASE: usize = 4;
}

/// What a question is about.
#[derive(Debug, Clone, Default)]
pub struct Found<'a> {
    /// Topics, best first.
    pub matches: Vec<Match<'a>>,
    /// Ideas that it names and the course does not teach.
    pub not_covered: Vec<&'a str>,
    /// Content words that the course does not know.
    pub unknown: Vec<String>,
}

impl Curriculum {
    /// Finds what a question is about. An idea that the course does not teach hides the topics whose
    /// words it contains, so "linked list" is not taken for "list".
    #[must_use]
    pub fn find(&self, question: &str) -> Found<'_> {
        let mut words = words(question);
        words.retain(|word| !ARTICLES.contains(&word.as_str()));
        let normal: Vec<String> = words.iter().map(|word| singular(word)).collect();
        let vocabulary = &self.vocabulary;
        let topics: Vec<&Topic> = self.topics().collect();
        let mut taken = vec![false; words.len()];
        // "I don't get it" is not about the method.
        for (at, pair) in words.windows(2).enumerate() {
            taken[at + 1] = pair[1] == "get" && DENIAL.contains(&pair[0].as_str());
        }
        let mut found = Found::default();
        // Longest terms first, so that "for loop" is one thing and not two.
        for len in (1..=TERM_WORDS.min(words.len())).rev() {
            for start in 0..=words.len() - len {
                if taken[start..start + len].contains(&true) {
                    continue;
                }
                let phrase = normal[start..start + len].join(" ");
                let not_covered = self.not_covered_keys.get(&phrase);
                if let Some(idea) = not_covered.and_then(|at| self.not_covered.get(*at)) {
                    found.not_covered.push(idea);
                    taken[start..start + len].fill(true);
                } else if let Some(hits) = vocabulary.get(&phrase) {
                    let weight = if EVERYDAY.contains(&phrase.as_str()) { 1 } else { 2 * len };
                    for (topic, concept) in hits {
                        found.add(topics[*topic], *concept, weight);
                    }
                    taken[start..start + len].fill(true);
                }
            }
        }
        for ((word, normal), taken) in words.iter().zip(&normal).zip(taken) {
            if taken
                || IS_ASKING.contains(word.as_str())
                || word.chars().all(|c| c.is_ascii_digit())
            {
                continue;
            }
            match self.slip_of(normal).and_then(|term| vocabulary.get(term)) {
                Some(hits) => {
                    for (topic, concept) in hits {
                        found.add(topics[*topic], *concept, 1);
                    }
                }
                None => found.unknown.push(word.clone()),
            }
        }
        // A stable sort: among equals, the one named first stays first.
        found.matches.sort_by_key(|found| std::cmp::Reverse(found.weight));
        found
    }

    /// The term that a word was meant to be: it has one character more, fewer or changed, or two exchanged.
    fn slip_of(&self, word: &str) -> Option<&String> {
        let length = word.chars().count();
        if length < FUZZY_CHARS {
            return None;
        }
        let near = self.by_length.range(length - 1..=length + 1);
        let terms = near.flat_map(|(of, terms)| terms.iter().map(move |term| (*of, term)));
        // A slip changes at most two neighbouring characters, which is quickly compared.
        let may_be = |of: usize, term: &str| {
            let begin = same(word.chars(), term.chars());
            begin + same(word.chars().rev(), term.chars().rev()) + 2 >= of.max(length)
        };
        let mut may_be = terms.filter(|(of, term)| may_be(*of, term)).map(|(_, term)| term);
        may_be.find(|term| strsim::osa_distance(word, term) == 1)
    }

    /// The topics whose names are nearest to a text, at most `limit`: something to offer when nothing
    /// was found.
    #[must_use]
    pub fn nearest(&self, text: &str, limit: usize) -> Vec<&Topic> {
        let text = text.to_lowercase();
        let mut scored: Vec<(f64, &Topic)> = self
            .topics()
            .map(|topic| {
                let names = topic.terms.iter().chain([&topic.title]);
                let best = names.map(|name| strsim::jaro_winkler(name, &text)).fold(0.0, f64::max);
                (best, topic)
            })
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        scored.into_iter().take(limit).map(|(_, topic)| topic).collect()
    }
}

/// How many characters are the same, up to the first that is not.
fn same(one: impl Iterator<Item = char>, other: impl Iterator<Item = char>) -> usize {
    one.zip(other).take_while(|(one, other)| one == other).count()
}

impl<'a> Found<'a> {
    fn add(&mut self, topic: &'a Topic, concept: Option<usize>, weight: usize) {
        let concept = concept.and_then(|at| topic.lesson.concepts.get(at));
        match self.matches.iter_mut().find(|found| found.topic.slug == topic.slug) {
            Some(found) => {
                found.weight += weight;
                found.longest = found.longest.max(weight);
                found.concept = found.concept.or(concept);
            }
            None => self.matches.push(Match { topic, concept, weight, longest: weight }),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::embedded;

    fn first(question: &str) -> Option<String> {
        embedded().find(question).matches.first().map(|found| found.topic.slug.clone())
    }

    #[test]
    fn questions_find_their_topic() {
        for (question, topic) in [
            ("What is a list?", "lists"),
            ("explain tuples please", "tuples"),
            ("how do for loops work", "for-loops"),
            ("what does a while loop do?", "while-loops"),
            ("when do I use elif", "conditionals"),
            ("How do dictionarys work", "dictionaries"),
            ("what is a dictonary", "dictionaries"),
            ("how do I read input from the user", "input-output"),
            ("convert a string to an int", "type-conversion"),
            ("what does continue do", "break-continue"),
            ("what is the modulo operator", "operators"),
            ("what happens if I change a tuple", "tuples"),
            ("how do I get the last element of a list", "lists"),
        ] {
            assert_eq!(first(question).as_deref(), Some(topic), "{question}");
        }
    }

    #[test]
    fn one_wrong_character_does_not_hide_a_term() {
        for (question, topic) in [
            ("dictonaries", "dictionaries"),
            ("recrusion", "defining-functions"),
            ("forr loop", "for-loops"),
            ("wariables", "variables"),
            ("forloop", "for-loops"),
        ] {
            assert_eq!(first(question).as_deref(), Some(topic), "{question}");
        }
    }

    #[test]
    fn untaught_ideas_are_named_and_not_confused_with_topics() {
        let found = embedded().find("how do I reverse a linked list?");
        assert_eq!(found.not_covered, ["linked list"]);
        assert!(found.matches.iter().all(|found| found.weight <= 2), "{:?}", found.matches);
        assert_eq!(embedded().find("what is the meaning of zorblax").unknown, ["zorblax"]);
    }
}
