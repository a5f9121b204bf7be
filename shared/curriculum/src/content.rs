//! The shape of the course.

use std::collections::{BTreeMap, HashMap};

use exercises::Template;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::{practice::Practice, terms::key};

/// The shortest word in which a slip is tolerated; shorter ones are too similar to each other.
pub(crate) const FUZZY_CHARS: usize = 6;

/// The whole course.
#[derive(Debug, Clone)]
pub struct Curriculum {
    /// The modules in teaching order.
    pub modules: Vec<Module>,
    /// Comparisons of two topics.
    pub comparisons: Vec<Comparison>,
    /// Python ideas that the course does not teach, so that answers can say so.
    pub not_covered: Vec<String>,
    /// The terms of all topics and concepts: the topic, and the concept in it.
    pub(crate) vocabulary: Vocabulary,
    /// The terms for which a word may be a slip, by their number of characters.
    pub(crate) by_length: BTreeMap<usize, Vec<String>>,
    /// The indices of the ideas that are not taught, by their normalised terms.
    pub(crate) not_covered_keys: HashMap<String, usize>,
}

/// Terms with the indices of the topics and concepts that they mean.
pub(crate) type Vocabulary = BTreeMap<String, Vec<(usize, Option<usize>)>>;

/// A part of the course.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Module {
    /// Its name in URLs.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// Its topics in teaching order.
    #[serde(rename = "topic")]
    pub topics: Vec<Topic>,
}

/// One thing to learn.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// Its name in URLs.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// Words and phrases by which a question means this topic, in lower case.
    pub terms: Vec<String>,
    /// The slugs of the topics that a student should know first, all of them earlier in the course. What those need
    /// themselves is not repeated.
    #[serde(default)]
    pub prerequisites: Vec<String>,
    /// What is taught about it.
    #[serde(skip)]
    pub lesson: Lesson,
    /// What is practised.
    #[serde(skip)]
    pub practice: Practice,
}

/// What is taught about a topic.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lesson {
    /// One sentence.
    pub summary: String,
    /// Slugs of topics to read next.
    pub related: Vec<String>,
    /// The explanation at each level.
    pub explanation: Explanations,
    /// Programs that show it.
    #[serde(rename = "example")]
    pub examples: Vec<Example>,
    /// What beginners get wrong.
    #[serde(rename = "mistake")]
    pub mistakes: Vec<Mistake>,
    /// Finer ideas inside the topic, each with words of its own.
    #[serde(rename = "concept", default)]
    pub concepts: Vec<Concept>,
}

/// The same idea for four readers.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Explanations {
    /// For someone who sees it for the first time.
    pub beginner: String,
    /// For someone who has used it.
    pub learning: String,
    /// For someone who uses it well.
    pub proficient: String,
    /// For someone who wants to know how it really works.
    pub mastered: String,
}

/// A complete program and exactly what it prints.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// One sentence on what it shows.
    pub title: String,
    /// The program.
    pub code: String,
    /// Everything that it writes to standard output.
    pub output: String,
    /// What is typed in while it runs.
    #[serde(default)]
    pub stdin: String,
    /// Rules of the review that it breaks on purpose, to show what happens.
    #[serde(default)]
    pub shows: Vec<String>,
}

/// A typical mistake, with its fix.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mistake {
    /// What goes wrong, as a short name.
    pub title: String,
    /// Why, and what to do instead.
    pub text: String,
}

/// A finer idea inside a topic.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Concept {
    /// Its title.
    pub title: String,
    /// Words and phrases by which a question means it, in lower case.
    pub terms: Vec<String>,
    /// Questions that it answers, as students ask them.
    #[serde(default)]
    pub asked: Vec<String>,
    /// The explanation.
    pub text: String,
    /// A program that shows it.
    pub example: Example,
}

/// How two topics differ.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// The slugs of both, in any order.
    pub topics: [String; 2],
    /// The answer to "what is the difference?".
    pub text: String,
    /// Programs that show it.
    #[serde(rename = "example")]
    pub examples: Vec<Example>,
}

impl Concept {
    /// The first sentence of its text; a stop inside code ends none.
    #[must_use]
    pub fn first_sentence(&self) -> &str {
        let text = self.text.trim();
        let mut in_code = false;
        for (at, c) in text.char_indices() {
            in_code ^= c == '`';
            let ends = matches!(c, '.' | '!' | '?') && text[at + 1..].starts_with([' ', '\n']);
            if ends && !in_code {
                return &text[..=at];
            }
        }
        text
    }
}

impl Topic {
    /// The terms that mean the topic as a whole, and none of its ideas.
    pub fn own_terms(&self) -> impl Iterator<Item = &String> {
        let ideas = &self.lesson.concepts;
        self.terms.iter().filter(|term| !ideas.iter().any(|idea| idea.terms.contains(term)))
    }
}

impl Curriculum {
    /// Every topic in teaching order.
    pub fn topics(&self) -> impl Iterator<Item = &Topic> {
        self.modules.iter().flat_map(|module| &module.topics)
    }

    /// The topic with this slug.
    #[must_use]
    pub fn topic(&self, slug: &str) -> Option<&Topic> {
        self.topics().find(|topic| topic.slug == slug)
    }

    /// Every exercise with its topic, in teaching order.
    pub fn exercises(&self) -> impl Iterator<Item = (&Topic, &Template)> {
        self.topics().flat_map(|topic| topic.practice.exercises.iter().map(move |e| (topic, e)))
    }

    /// The comparison of two topics, in either order.
    #[must_use]
    pub fn comparison(&self, one: &str, other: &str) -> Option<&Comparison> {
        self.comparisons.iter().find(|comparison| {
            let [first, second] = &comparison.topics;
            (first == one && second == other) || (first == other && second == one)
        })
    }

    /// Every program in the course with the slug that it belongs to, for checks.
    #[must_use]
    pub fn examples(&self) -> Vec<(String, &Example)> {
        let mut examples = Vec::new();
        for topic in self.topics() {
            let concepts = topic.lesson.concepts.iter().map(|concept| &concept.example);
            let all = topic.lesson.examples.iter().chain(concepts);
            examples.extend(all.map(|example| (topic.slug.clone(), example)));
        }
        for comparison in &self.comparisons {
            let name = comparison.topics.join(" and ");
            examples.extend(comparison.examples.iter().map(|e| (name.clone(), e)));
        }
        examples
    }
}

/// The terms that are long enough for a slip, by their number of characters.
pub(crate) fn by_length(vocabulary: &Vocabulary) -> BTreeMap<usize, Vec<String>> {
    let mut by_length: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for term in vocabulary.keys() {
        by_length.entry(term.chars().count()).or_default().push(term.clone());
    }
    by_length.split_off(&FUZZY_CHARS)
}

/// The words of all topics and concepts, for the index, as [`key`] has them.
pub(crate) fn vocabulary(curriculum: &Curriculum) -> Vocabulary {
    let mut terms = Vocabulary::new();
    for (index, topic) in curriculum.topics().enumerate() {
        for term in &topic.terms {
            terms.entry(key(term)).or_default().push((index, None));
        }
        for (position, concept) in topic.lesson.concepts.iter().enumerate() {
            for term in &concept.terms {
                terms.entry(key(term)).or_default().push((index, Some(position)));
            }
        }
    }
    terms
}

#[cfg(test)]
mod tests {
    use crate::{Concept, Example, embedded};

    #[test]
    fn a_stop_inside_code_ends_no_sentence() {
        let example = Example {
            title: String::new(),
            code: String::new(),
            output: String::new(),
            stdin: String::new(),
            shows: Vec::new(),
        };
        let mut concept = Concept {
            title: String::new(),
            terms: Vec::new(),
            asked: Vec::new(),
            text: "`print(\"Hi. You\")` greets. It does no more.".to_owned(),
            example,
        };
        assert_eq!(concept.first_sentence(), "`print(\"Hi. You\")` greets.");
        concept.text = "Version 3.12 is one\n".to_owned();
        assert_eq!(concept.first_sentence(), "Version 3.12 is one");
    }

    #[test]
    fn a_term_of_an_idea_is_none_of_the_topics_own() {
        let operators = embedded().topic("operators").expect("it is in the course");
        let own: Vec<&String> = operators.own_terms().collect();
        assert!(operators.terms.iter().any(|term| term == "modulo"), "{:?}", operators.terms);
        assert!(own.iter().all(|term| *term != "modulo"), "{own:?}");
        assert!(own.iter().any(|term| *term == "operator"), "{own:?}");
    }
}
