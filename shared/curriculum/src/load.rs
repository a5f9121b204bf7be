//! Loading the course from the files that are built into the program.

use std::{collections::BTreeMap, fs, io, path::Path, sync::LazyLock};

use serde::Deserialize;

use crate::{
    Comparison, Curriculum, Lesson, Module, Practice,
    content::{Vocabulary, by_length, vocabulary},
    terms::key,
};

macro_rules! topics {
    ($($slug:literal),+ $(,)?) => {
        [$(TopicFiles {
            slug: $slug,
            lesson: include_str!(concat!("../content/", $slug, ".toml")),
            practice: include_str!(concat!("../content/practice/", $slug, ".toml")),
        }),+]
    };
}

/// The two files of a topic.
pub(crate) struct TopicFiles<'a> {
    pub(crate) slug: &'a str,
    pub(crate) lesson: &'a str,
    pub(crate) practice: &'a str,
}

const TOPICS: [TopicFiles<'static>; 31] = topics![
    "variables",
    "data-types",
    "input-output",
    "operators",
    "type-conversion",
    "conditionals",
    "for-loops",
    "while-loops",
    "break-continue",
    "lists",
    "tuples",
    "dictionaries",
    "sets",
    "defining-functions",
    "parameters",
    "return-values",
    "scope",
    "classes-objects",
    "attributes-methods",
    "inheritance",
    "encapsulation",
    "reading-writing-files",
    "csv",
    "json",
    "try-except",
    "exception-types",
    "custom-exceptions",
    "debugging",
    "installing-packages",
    "apis",
    "virtual-environments",
];

/// Why content cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file is missing, or is not text.
    #[error("{file} cannot be read")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file does not have its form.
    #[error("{file} is malformed")]
    Malformed {
        /// The file.
        file: String,
        /// Where and why.
        #[source]
        source: toml::de::Error,
    },
    /// Something refers to a topic that does not exist.
    #[error("{file} names the topic {slug}, which does not exist")]
    UnknownTopic {
        /// The file.
        file: String,
        /// The name.
        slug: String,
    },
    /// A topic needs one that is not before it. In teaching order prerequisites cannot form a circle.
    #[error("{topic} needs {slug}, which is not an earlier topic")]
    NotEarlier {
        /// The topic.
        topic: String,
        /// What it needs.
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

#[derive(Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Comparisons {
    #[serde(rename = "comparison")]
    comparisons: Vec<Comparison>,
}

static EMBEDDED: LazyLock<Curriculum> = LazyLock::new(|| {
    load(
        include_str!("../content/outline.toml"),
        include_str!("../content/comparisons.toml"),
        &TOPICS,
    )
    .expect("the built-in course is loaded by this crate's tests")
});

/// The course that is built in.
#[must_use]
pub fn embedded() -> &'static Curriculum {
    &EMBEDDED
}

/// Reads a course from a folder that has the same files as this crate's `content/`.
///
/// # Errors
/// A file is missing, or does not have its form; see `schema/` for that.
pub fn read(folder: &Path) -> Result<Curriculum, LoadError> {
    let text = |name: &str| {
        let file = folder.join(name);
        fs::read_to_string(&file)
            .map_err(|source| LoadError::Unreadable { file: file.display().to_string(), source })
    };
    let outline = text("outline.toml")?;
    let parsed: Outline = parse("outline.toml", &outline)?;
    let slugs = parsed.modules.iter().flat_map(|module| &module.topics).map(|topic| &topic.slug);
    let files = slugs.map(|slug| {
        let lesson = text(&format!("{slug}.toml"))?;
        Ok((slug.as_str(), lesson, text(&format!("practice/{slug}.toml"))?))
    });
    let files: Vec<(&str, String, String)> = files.collect::<Result<_, LoadError>>()?;
    let topics: Vec<TopicFiles<'_>> = files
        .iter()
        .map(|(slug, lesson, practice)| TopicFiles { slug, lesson, practice })
        .collect();
    load(&outline, &text("comparisons.toml")?, &topics)
}

pub(crate) fn load(
    outline: &str,
    comparisons: &str,
    topics: &[TopicFiles<'_>],
) -> Result<Curriculum, LoadError> {
    let outline: Outline = parse("outline.toml", outline)?;
    let comparisons: Comparisons = parse("comparisons.toml", comparisons)?;
    let mut curriculum = Curriculum {
        modules: outline.modules,
        comparisons: comparisons.comparisons,
        // Backwards, so that among equals the first one stays.
        not_covered_keys: (outline.not_covered.iter().enumerate().rev())
            .map(|(at, idea)| (key(idea), at))
            .collect(),
        not_covered: outline.not_covered,
        vocabulary: Vocabulary::new(),
        by_length: BTreeMap::new(),
    };
    for files in topics {
        let file = format!("{}.toml", files.slug);
        let lesson: Lesson = parse(&file, files.lesson)?;
        let practice: Practice = parse(&format!("practice/{file}"), files.practice)?;
        let mut topics = curriculum.modules.iter_mut().flat_map(|module| &mut module.topics);
        let Some(topic) = topics.find(|topic| topic.slug == files.slug) else {
            return Err(LoadError::UnknownTopic { file, slug: files.slug.to_owned() });
        };
        topic.lesson = lesson;
        topic.practice = practice;
    }
    check_references(&curriculum)?;
    curriculum.vocabulary = vocabulary(&curriculum);
    curriculum.by_length = by_length(&curriculum.vocabulary);
    Ok(curriculum)
}

fn parse<T: for<'a> Deserialize<'a>>(file: &str, text: &str) -> Result<T, LoadError> {
    toml::from_str(text).map_err(|source| LoadError::Malformed { file: file.to_owned(), source })
}

fn check_references(curriculum: &Curriculum) -> Result<(), LoadError> {
    let related = curriculum.topics().flat_map(|topic| {
        topic.lesson.related.iter().map(move |slug| (format!("{}.toml", topic.slug), slug))
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
    let mut earlier: Vec<&str> = Vec::new();
    for topic in curriculum.topics() {
        let needed = topic.prerequisites.iter().find(|slug| !earlier.contains(&slug.as_str()));
        if let Some(slug) = needed {
            return Err(LoadError::NotEarlier { topic: topic.slug.clone(), slug: slug.clone() });
        }
        earlier.push(&topic.slug);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{LoadError, load};

    #[test]
    fn a_topic_needs_only_earlier_topics() {
        let outline = |first: &str, second: &str| {
            let topic = |slug: &str, needs: &str| {
                format!(
                    "[[module.topic]]\nslug = \"{slug}\"\ntitle = \"\"\nterms = []\nprerequisites = [{needs}]\n"
                )
            };
            let topics = format!("{}{}", topic("a", first), topic("b", second));
            format!("not_covered = []\n[[module]]\nslug = \"m\"\ntitle = \"\"\n{topics}")
        };
        let loaded = |first, second| load(&outline(first, second), "comparison = []", &[]);
        assert!(loaded("", "\"a\"").is_ok());
        for (first, second) in [("\"b\"", ""), ("\"b\"", "\"a\""), ("", "\"b\""), ("", "\"c\"")] {
            let error = loaded(first, second).expect_err("it needs a later topic or none");
            assert!(matches!(error, LoadError::NotEarlier { .. }), "{error}");
        }
    }
}
