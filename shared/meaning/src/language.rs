//! Recognises the language of a question, and gives it in plain English words, as far as a small dictionary goes.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::LazyLock,
};

use serde::Deserialize;

/// Words of a question that are read: more say nothing new about its language.
const READ_WORDS: usize = 60;
/// Words of the longest phrase in a dictionary.
const PHRASE_WORDS: usize = 4;
/// The part of a question's words that must be known to be of a language.
const ENOUGH: f64 = 0.5;
/// Words that many languages have, or English, too: they prove nothing alone.
const ENGLISH: [&str; 64] = [
    "a", "i", "the", "is", "are", "am", "in", "on", "to", "of", "for", "and", "or", "not", "my",
    "me", "no", "do", "does", "how", "what", "why", "when", "where", "it", "this", "that", "with",
    "you", "can", "if", "so", "as", "at", "be", "by", "an", "was", "but", "have", "help", "open",
    "code", "list", "set", "class", "object", "text", "file", "print", "loop", "function",
    "variable", "error", "string", "number", "return", "argument", "method", "sum", "program",
    "from", "please", "will",
];

static LANGUAGES: LazyLock<Vec<Language>> = LazyLock::new(|| {
    let file: File =
        toml::from_str(include_str!("../data/languages.toml")).expect("the tests read the file");
    file.languages.into_iter().map(Language::from).collect()
});
static IS_ENGLISH: LazyLock<HashSet<&str>> = LazyLock::new(|| ENGLISH.iter().copied().collect());

/// A question in another language than English.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// The language's English name.
    pub language: &'static str,
    /// A friendly sentence in it, to put before an answer in English.
    pub greeting: &'static str,
    /// The question word for word in English, as far as its words are known.
    pub english: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "language")]
    languages: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    greeting: String,
    own: Vec<String>,
    words: BTreeMap<String, String>,
}

struct Language {
    name: String,
    greeting: String,
    own: HashSet<String>,
    /// Whole words and phrases.
    exact: HashMap<String, String>,
    /// Beginnings of words.
    stems: Vec<(String, String)>,
    /// Ends of words.
    ends: Vec<(String, String)>,
}

impl From<Entry> for Language {
    fn from(entry: Entry) -> Self {
        let (mut exact, mut stems, mut ends) = (HashMap::new(), Vec::new(), Vec::new());
        for (names, english) in entry.words {
            for name in names.split('|') {
                match (name.strip_suffix('*'), name.strip_prefix('*')) {
                    (Some(stem), _) => stems.push((stem.to_owned(), english.clone())),
                    (None, Some(end)) => ends.push((end.to_owned(), english.clone())),
                    (None, None) => {
                        exact.insert(name.to_owned(), english.clone());
                    }
                }
            }
        }
        // The longest stem that fits says most.
        stems.sort_by_key(|(stem, _)| std::cmp::Reverse(stem.len()));
        let own = entry.own.into_iter().collect();
        Self { name: entry.name, greeting: entry.greeting, own, exact, stems, ends }
    }
}

/// The question in English words, if it is in another language that is known.
#[must_use]
pub fn recognise(prose: &str) -> Option<Foreign> {
    let text = prose.to_lowercase().replace('\u{2019}', "'");
    if text.chars().take(2_000).filter(|c| is_han(*c)).count() >= 2 {
        let chinese = LANGUAGES.iter().find(|language| language.name == "Chinese")?;
        return Some(chinese.foreign(chinese.without_spaces(&text)));
    }
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || ",;:?!¿¡\"().«»".contains(c))
        .filter(|word| !word.is_empty())
        .take(READ_WORDS)
        .collect();
    // Names in backticks belong to Python.
    let own: Vec<&str> = words.iter().copied().filter(|word| !word.contains('`')).collect();
    let (best, score) = LANGUAGES
        .iter()
        .map(|language| (language, language.score(&own)))
        .max_by(|one, other| one.1.total_cmp(&other.1))?;
    let english = own.iter().filter(|word| IS_ENGLISH.contains(**word)).count();
    let told = score / own.len().max(1) as f64;
    (told >= ENOUGH && score > english as f64).then(|| best.foreign(best.words(&words)))
}

const fn is_han(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}')
}

impl Language {
    fn foreign(&'static self, english: String) -> Foreign {
        Foreign { language: &self.name, greeting: &self.greeting, english }
    }

    /// How many words are of this language; those that English has, too, do not count.
    fn score(&self, words: &[&str]) -> f64 {
        let is_letters = |word: &str| word.chars().all(|c| c.is_ascii_alphabetic());
        let of_language = |word: &&&str| {
            let word = **word;
            if self.own.contains(word) {
                return !IS_ENGLISH.contains(word);
            }
            let glossed = self.word(word);
            glossed.is_some_and(|english| {
                !(IS_ENGLISH.contains(word) || is_letters(word) && word.starts_with(english))
            })
        };
        words.iter().filter(of_language).count() as f64
    }

    fn word(&self, word: &str) -> Option<&str> {
        let stem = || self.stems.iter().find(|(stem, _)| word.starts_with(stem.as_str()));
        let end = || self.ends.iter().find(|(end, _)| word.ends_with(end.as_str()));
        self.exact
            .get(word)
            .or_else(|| stem().map(|(_, english)| english))
            .or_else(|| end().map(|(_, english)| english))
            .map(String::as_str)
    }

    /// Phrases first, then words; what is not known stays as it is, since names and keywords of Python are English.
    fn words(&self, words: &[&str]) -> String {
        let (mut at, mut english) = (0, Vec::new());
        while at < words.len() {
            let most = PHRASE_WORDS.min(words.len() - at);
            let phrase = (2..=most).rev().find_map(|len| {
                let phrase = words[at..at + len].join(" ");
                self.word(&phrase).filter(|_| self.is_phrase(&phrase)).map(|english| (english, len))
            });
            let (word, len) = phrase
                .or_else(|| self.word(words[at]).map(|english| (english, 1)))
                .unwrap_or((words[at], 1));
            // Small words that are not in the dictionary carry nothing.
            if len > 1 || !self.own.contains(words[at]) || self.word(words[at]).is_some() {
                english.push(word.to_owned());
            }
            at += len;
        }
        english.join(" ")
    }

    fn is_phrase(&self, phrase: &str) -> bool {
        let spaces = |text: &str| text.matches(' ').count();
        let begins = |stem: &str| spaces(stem) == spaces(phrase) && phrase.starts_with(stem);
        self.exact.contains_key(phrase) || self.stems.iter().any(|(stem, _)| begins(stem))
    }

    /// The known words wherever they stand, the longest first.
    fn without_spaces(&self, text: &str) -> String {
        let chars: Vec<char> = text.chars().take(2_000).collect();
        let (mut at, mut english) = (0, String::new());
        while at < chars.len() {
            let known = (1..=6.min(chars.len() - at)).rev().find_map(|len| {
                let word: String = chars[at..at + len].iter().collect();
                self.exact.get(&word).map(|english| (english, len))
            });
            match known {
                Some((word, len)) => {
                    english.push_str(&format!(" {word} "));
                    at += len;
                }
                None => {
                    if !is_han(chars[at]) {
                        english.push(chars[at]);
                    }
                    at += 1;
                }
            }
        }
        english.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::recognise;

    #[test]
    fn ten_languages_are_recognised_and_read_word_for_word() {
        for (question, language, english) in [
            ("¿Cómo puedo ordenar una lista en Python?", "Spanish", "sort list"),
            ("Comment trier une liste ?", "French", "sort list"),
            ("Wie funktioniert eine for-Schleife?", "German", "for loop"),
            ("O que é uma variável?", "Portuguese", "what is variable"),
            ("Che cos'è un dizionario?", "Italian", "what is dictionary"),
            (
                "Wat is het verschil tussen een lijst en een tuple?",
                "Dutch",
                "difference between list and tuple",
            ),
            ("Jak posortować listę?", "Polish", "how do i sort list"),
            ("Değişken nedir?", "Turkish", "variable what is"),
            ("Как отсортировать список?", "Russian", "how do i sort list"),
            ("怎么给列表排序？", "Chinese", "how do i list sort"),
            ("mi código no funciona, ¿por qué?", "Spanish", "my code does not work why"),
            ("mein Programm funktioniert nicht", "German", "my code does not work"),
            ("为什么我的代码不能运行", "Chinese", "why my code does not work"),
        ] {
            let found = recognise(question);
            let found = found.unwrap_or_else(|| panic!("{question} is not recognised"));
            assert_eq!(found.language, language, "{question}");
            assert!(found.english.contains(english), "{question}: {}", found.english);
        }
    }

    #[test]
    fn english_is_not_taken_for_another_language() {
        for question in [
            "how do I sort a list?",
            "what is a variable",
            "",
            "no",
            "help me",
            "My code does not work",
            "is it a list or a set",
            "des moines is a city",
            "def f(x): return x",
            "the la liga results are in a file",
            "I get an error in my for loop, por favor",
            "elif",
            "lists",
        ] {
            assert_eq!(recognise(question), None, "{question}");
        }
        assert_eq!(recognise(&"?".repeat(64_000)), None);
    }
}
