//! Loading the course from the files that are built into the program.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::{
    Comparison, Curriculum, Lesson, Module,
    content::{Vocabulary, vocabulary},
};

/// The files with lessons, by topic.
const LESSONS: [(&str, &str); 13] = [
    ("variables", include_str!("../content/variables.toml")),
    ("data-types", include_str!("../content/data-types.toml")),
    ("input-output", include_str!("../content/input-output.toml")),
    ("operators", include_str!("../content/operators.toml")),
    ("type-conversion", include_str!("../content/type-conversion.toml")),
    ("conditionals", include_str!("../content/conditionals.toml")),
    ("for-loops", include_str!("../content/for-loops.toml")),
    ("while-loops", include_str!("../content/while-loops.toml")),
    ("break-continue", include_str!("../content/break-continue.toml")),
    ("lists", include_str!("../content/lists.toml")),
    ("tuples", include_str!("../content/tuples.toml")),
    ("dictionaries", include_str!("../content/dictionaries.toml")),
    ("sets", include_str!("../content/sets.toml")),
];

/// Why content cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file does not have its form.
    #[error("{file} is malformed")]
    Malformed {
        /// The file.
        file: String,
        /// Where and why.
        #[source]
        source: toml::de::Error,
    },
    /// Something refers to a topic that there is not.
    #[error("{file} names the topic {slug}, which does not exist")]
    UnknownTopic {
        /// The file.
        file: String,
        /// The name.
        slug: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Outline {
    not_covered: Vec<String>,
    #[serde(rename = "module")]
    modules: Vec<Module>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Comparisons {
    #[serde(rename = "comparison")]
    comparisons: Vec<Comparison>,
}

static EMBEDDED: LazyLock<Curriculum> = LazyLock::new(|| {
    load(
        include_str!("../content/outline.toml"),
        include_str!("../content/comparisons.toml"),
        &LESSONS,
    )
    .expect("the built-in course is loaded by this crate's tests")
});

/// The course that is built in.
#[must_use]
pub fn embedded() -> &'static Curriculum {
    &EMBEDDED
}

pub(crate) fn load(
    outline: &str,
    comparisons: &str,
    lessons: &[(&str, &str)],
) -> Result<Curriculum, LoadError> {
    let outline: Outline = parse("outline.toml", outline)?;
    let comparisons: Comparisons = parse("comparisons.toml", comparisons)?;
    let mut curriculum = Curriculum {
        modules: outline.modules,
        comparisons: comparisons.comparisons,
        not_covered: outline.not_covered,
        vocabulary: Vocabulary::new(),
    };
    for (slug, text) in lessons {
        let file = format!("{slug}.toml");
        let lesson: Lesson = parse(&file, text)?;
        let topics = curriculum.modules.iter_mut().flat_map(|module| &mut module.topics);
        match topics.into_iter().find(|topic| topic.slug == *slug) {
            Some(topic) => topic.lesson = Some(lesson),
            None => return Err(LoadError::UnknownTopic { file, slug: (*slug).to_owned() }),
        }
    }
    check_references(&curriculum)?;
    curriculum.vocabulary = vocabulary(&curriculum);
    Ok(curriculum)
}

fn parse<T: for<'a> Deserialize<'a>>(file: &str, text: &str) -> Result<T, LoadError> {
    toml::from_str(text).map_err(|source| LoadError::Malformed { file: file.to_owned(), source })
}

fn check_references(curriculum: &Curriculum) -> Result<(), LoadError> {
    let lessons = curriculum.topics().filter_map(|topic| Some((topic, topic.lesson.as_ref()?)));
    let related = lessons.flat_map(|(topic, lesson)| {
        lesson.related.iter().map(move |slug| (format!("{}.toml", topic.slug), slug))
    });
    let compared = curriculum
        .comparisons
        .iter()
        .flat_map(|comparison| &comparison.topics)
        .map(|slug| ("comparisons.toml".to_owned(), slug));
    for (file, slug) in related.chain(compared) {
        if curriculum.topic(slug).is_none() {
            return Err(LoadError::UnknownTopic { file, slug: slug.clone() });
        }
    }
    Ok(())
}
