//! Chooses an exercise: of the topic that the student names, as hard as they want or can manage.

use std::sync::LazyLock;

use curriculum::Curriculum;
use domain::{difficulty::Difficulty, level::Level};
use events::question_routed::Sign;
use regex::Regex;
use serde::{Deserialize, Serialize};

/// What a student wants to practise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wish {
    /// The topic's slug, where one was named.
    pub topic: Option<String>,
    /// How hard.
    pub difficulty: Difficulty,
}

static EASY: LazyLock<Regex> =
    LazyLock::new(|| words(r"easy|easier|simple|simpler|beginner|first"));
static MEDIUM: LazyLock<Regex> = LazyLock::new(|| words(r"medium|normal|intermediate"));
static HARD: LazyLock<Regex> =
    LazyLock::new(|| words(r"hard|harder|difficult|challenging|challenge|advanced|tricky"));

static ANOTHER: LazyLock<Regex> = LazyLock::new(|| {
    words(r"another|next|new|other|more|different|harder|easier|give me|quiz|test me|practi[cs]e")
});
static VARIATION: LazyLock<Regex> = LazyLock::new(|| words(r"variations?|similar|like this"));

/// What to do for a student with an open exercise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// Help with the open one.
    Help,
    /// The same with other values.
    Vary,
    /// Another one.
    Another,
}

impl Intent {
    /// Reads it from the student's words, and from what triage has seen in them.
    #[must_use]
    pub fn of_question(question: &str, signs: &[Sign]) -> Self {
        if signs.contains(&Sign::SolutionRequest) {
            Self::Help
        } else if VARIATION.is_match(question) {
            Self::Vary
        } else if ANOTHER.is_match(question) {
            Self::Another
        } else {
            Self::Help
        }
    }
}

fn words(words: &str) -> Regex {
    Regex::new(&format!(r"(?i)\b({words})\b")).expect("the words are literals")
}

impl Wish {
    /// Reads a wish from a student's words; their page and level fill in what they do not say.
    #[must_use]
    pub fn of_question(
        course: &Curriculum,
        question: &str,
        page: Option<&str>,
        level: Level,
    ) -> Self {
        let found = course.find(question);
        let named = found.matches.first().map(|found| found.topic.slug.clone());
        let on_page = || page.and_then(|page| course.topic(page)).map(|topic| topic.slug.clone());
        let difficulty = if EASY.is_match(question) {
            Difficulty::Easy
        } else if MEDIUM.is_match(question) {
            Difficulty::Medium
        } else if HARD.is_match(question) {
            Difficulty::Hard
        } else {
            match level {
                Level::Beginner => Difficulty::Easy,
                Level::Learning => Difficulty::Medium,
                Level::Proficient | Level::Mastered => Difficulty::Hard,
            }
        };
        Self { topic: named.or_else(on_page), difficulty }
    }
}

#[cfg(test)]
mod tests {
    use domain::{difficulty::Difficulty, level::Level};
    use events::question_routed::Sign;

    use super::{Intent, Wish};

    fn wish(question: &str, page: Option<&str>, level: Level) -> (Option<String>, Difficulty) {
        let wish = Wish::of_question(curriculum::embedded(), question, page, level);
        (wish.topic, wish.difficulty)
    }

    #[test]
    fn words_take_precedence_over_page_and_level() {
        let (topic, difficulty) =
            wish("a hard exercise about dictionaries", Some("lists"), Level::Beginner);
        assert_eq!((topic.as_deref(), difficulty), (Some("dictionaries"), Difficulty::Hard));
        let (topic, difficulty) = wish("give me another one", Some("lists"), Level::Learning);
        assert_eq!((topic.as_deref(), difficulty), (Some("lists"), Difficulty::Medium));
        assert_eq!(wish("I want to practise", None, Level::Mastered), (None, Difficulty::Hard));
    }

    #[test]
    fn with_an_open_exercise_words_decide_what_is_wanted() {
        for (question, intent) in [
            ("I'm stuck", Intent::Help),
            ("I have no idea how to start", Intent::Help),
            ("give me another one", Intent::Another),
            ("can I have something harder?", Intent::Another),
            ("a similar one please", Intent::Vary),
        ] {
            assert_eq!(Intent::of_question(question, &[]), intent, "{question}");
        }
        let signs = [Sign::SolutionRequest];
        assert_eq!(Intent::of_question("give me the solution", &signs), Intent::Help);
    }
}
