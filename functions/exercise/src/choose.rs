//! Which exercise a student gets: of the topic that they name, as hard as they want or can.

use std::sync::LazyLock;

use curriculum::{Curriculum, Exercise, Topic};
use domain::{difficulty::Difficulty, level::Level};
use regex::Regex;
use uuid::Uuid;

/// What a student wants to practise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The topic's slug, where one was named.
    pub topic: Option<String>,
    /// How hard.
    pub difficulty: Difficulty,
}

/// An exercise with its topic.
#[derive(Debug, Clone)]
pub struct Chosen<'a> {
    /// The topic.
    pub topic: &'a Topic,
    /// The exercise.
    pub exercise: Exercise,
}

static EASY: LazyLock<Regex> =
    LazyLock::new(|| words(r"easy|easier|simple|simpler|beginner|first"));
static MEDIUM: LazyLock<Regex> = LazyLock::new(|| words(r"medium|normal|intermediate"));
static HARD: LazyLock<Regex> =
    LazyLock::new(|| words(r"hard|harder|difficult|challenging|challenge|advanced|tricky"));

fn words(words: &str) -> Regex {
    Regex::new(&format!(r"(?i)\b({words})\b")).expect("the words are literals")
}

impl Wish {
    /// Reads a wish from a student's words; the page they are on and their level say what they do not.
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

    /// Chooses an exercise; the same `occasion` gives the same one. Without a topic it is one of any.
    #[must_use]
    pub fn choose<'a>(&self, course: &'a Curriculum, occasion: Uuid) -> Option<Chosen<'a>> {
        let fits = |topic: &Topic| self.topic.as_ref().is_none_or(|slug| *slug == topic.slug);
        let all = course.exercises().filter(|(topic, _)| fits(topic));
        let all: Vec<Chosen<'a>> = all
            .map(|(topic, template)| Chosen { topic, exercise: template.exercise() })
            .filter(|chosen| chosen.exercise.difficulty == self.difficulty)
            .collect();
        let count = u128::try_from(all.len()).ok().filter(|count| *count > 0)?;
        let place = usize::try_from(occasion.as_u128() % count).ok()?;
        all.into_iter().nth(place)
    }
}

#[cfg(test)]
mod tests {
    use domain::{difficulty::Difficulty, level::Level};
    use uuid::Uuid;

    use super::Wish;

    fn wish(question: &str, page: Option<&str>, level: Level) -> (Option<String>, Difficulty) {
        let wish = Wish::of_question(curriculum::embedded(), question, page, level);
        (wish.topic, wish.difficulty)
    }

    #[test]
    fn words_go_before_the_page_and_the_level() {
        let (topic, difficulty) =
            wish("a hard exercise about dictionaries", Some("lists"), Level::Beginner);
        assert_eq!((topic.as_deref(), difficulty), (Some("dictionaries"), Difficulty::Hard));
        let (topic, difficulty) = wish("give me another one", Some("lists"), Level::Learning);
        assert_eq!((topic.as_deref(), difficulty), (Some("lists"), Difficulty::Medium));
        assert_eq!(wish("I want to practise", None, Level::Mastered), (None, Difficulty::Hard));
    }

    #[test]
    fn every_topic_has_an_exercise_of_every_difficulty_and_occasions_differ() {
        let course = curriculum::embedded();
        for topic in course.topics() {
            for difficulty in Difficulty::ALL {
                let wish = Wish { topic: Some(topic.slug.clone()), difficulty };
                let chosen = wish.choose(course, Uuid::from_u128(7)).expect("there is one");
                assert_eq!(
                    (&chosen.topic.slug, chosen.exercise.difficulty),
                    (&topic.slug, difficulty)
                );
            }
        }
        let wish = Wish { topic: Some("lists".to_owned()), difficulty: Difficulty::Easy };
        let slug =
            |occasion| wish.choose(course, Uuid::from_u128(occasion)).map(|c| c.exercise.slug);
        assert_eq!(slug(1), slug(1));
        assert_ne!(slug(1), slug(2));
    }
}
