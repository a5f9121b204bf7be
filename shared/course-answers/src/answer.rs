//! Composing an answer from the curriculum.

use curriculum::{Comparison, Concept, Curriculum, Example, Lesson, Topic};
use domain::level::Level;
use events::{
    question_answered::{self, Answer, Details, Explained},
    question_routed::{FollowUp, FollowUpKind},
};
use meaning::Subject;

use crate::about::{About, Choice};

/// Most words of a question that asks for an idea and nothing more.
const PLAIN_WORDS: usize = 10;
/// Examples in an answer that explains a whole topic.
const EXAMPLES: usize = 2;
/// Mistakes in an answer that explains a whole topic.
const MISTAKES: usize = 2;
/// Ideas that are explained where it is not clear which is meant: more would be a lesson.
const EXPLAINED: usize = 2;

/// Answers a question at a level, by what it is about.
pub fn answer(
    course: &Curriculum,
    subject: &Subject<'_>,
    about: &About<'_>,
    level: Level,
) -> Answer {
    match *about {
        About::Comparison(comparison) => compare(comparison, level),
        About::Topic(topic, concept) => explain(course, topic, concept, level),
        About::Both(ideas) => both(course, ideas, level),
        About::NotCovered(idea, near) => not_covered(course, idea, near),
        About::Perhaps(idea, ref others) => perhaps(course, idea, others, level),
        About::OneOf(ref choices) => one_of(choices, level),
        About::Unknown(Some(ref name)) if subject.has_code && name.contains('_') => not_there(name),
        About::Unknown(ref word) => unknown(course, word.as_deref()),
    }
}

/// Answers a follow-up to an answer about a topic; `None` if the course no longer has that topic.
#[must_use]
pub fn follow_up(
    course: &Curriculum,
    question: &str,
    follow_up: &FollowUp,
    level: Level,
) -> Option<Answer> {
    let topic = follow_up.topics.iter().find_map(|slug| course.topic(slug))?;
    if let Some(other) = course.find(question).matches.first().map(|found| found.topic) {
        let comparison = course.comparison(&topic.slug, &other.slug);
        return comparison
            .filter(|_| other.slug != topic.slug)
            .map(|comparison| compare(comparison, level));
    }
    let lesson = &topic.lesson;
    let round = usize::try_from(follow_up.times).unwrap_or(1);
    let (content, examples): (String, Vec<Example>) = match follow_up.kind {
        FollowUpKind::Example => {
            // The first ones were in the previous answer.
            let concepts = lesson.concepts.iter().map(|concept| &concept.example);
            let all: Vec<&Example> = lesson.examples.iter().chain(concepts).collect();
            let place = (EXAMPLES + round - 1) % all.len().max(1);
            let example = (*all.get(place)?).clone();
            (format!("Another example of {}:", topic.title.to_lowercase()), vec![example])
        }
        FollowUpKind::Simpler => simpler(topic, level, round),
        FollowUpKind::Why => {
            let deeper = explanation(lesson, deeper(level)).trim();
            (format!("Some background on {}:\n\n{deeper}", topic.title.to_lowercase()), Vec::new())
        }
        FollowUpKind::More | FollowUpKind::Same | FollowUpKind::Unknown => {
            let deeper = explanation(lesson, deeper(level)).trim();
            let mistakes = lesson.mistakes.iter().skip(MISTAKES * round.saturating_sub(1));
            let mistakes: Vec<String> = mistakes
                .take(MISTAKES)
                .map(|mistake| format!("- **{}.** {}", mistake.title, mistake.text))
                .collect();
            let watch = if mistakes.is_empty() { "" } else { "\n\nWatch out for:\n" };
            (
                format!(
                    "More on {}:\n\n{deeper}{watch}{}",
                    topic.title.to_lowercase(),
                    mistakes.join("\n")
                ),
                Vec::new(),
            )
        }
    };
    let mut content = content;
    show_examples(&mut content, &examples);
    Some(Answer {
        content,
        examples: examples.iter().map(wire).collect(),
        topics: vec![topic.slug.clone()],
        related: lesson.related.clone(),
        details: None,
    })
}

/// Explains it again: in a simpler text if there is one, else one idea at a time.
fn simpler(topic: &Topic, level: Level, round: usize) -> (String, Vec<Example>) {
    let lesson = &topic.lesson;
    if level != Level::Beginner && round == 1 {
        let text = lesson.explanation.beginner.trim();
        return (
            format!("Let me say it more simply.\n\n{text}"),
            lesson.examples.iter().take(1).cloned().collect(),
        );
    }
    let parts = &lesson.concepts;
    match parts.get((round - 1) % parts.len().max(1)) {
        Some(part) => {
            let content = format!(
                "Let us take it one piece at a time. **{}**\n\n{}\n\nWhich line is unclear? Tell me, or \
                 ask for the next piece.",
                part.title,
                part.text.trim()
            );
            (content, vec![part.example.clone()])
        }
        None => {
            let content = format!(
                "In one sentence: {} Change one thing in this program, guess what it prints, and run it:",
                lesson.summary
            );
            (content, lesson.examples.iter().take(1).cloned().collect())
        }
    }
}

/// The next level.
pub const fn deeper(level: Level) -> Level {
    match level {
        Level::Beginner => Level::Learning,
        Level::Learning => Level::Proficient,
        Level::Proficient | Level::Mastered => Level::Mastered,
    }
}

/// An idea that a model may explain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idea {
    /// Its name, which an explanation must speak of.
    pub name: String,
    /// What the course says about it, on which a model builds.
    pub lesson: String,
    /// Whether the question asks for the idea and nothing more, so that one answer suits everybody.
    pub is_plain: bool,
}

/// The idea that a question is about, if the course knows it or at least its name.
pub fn idea(
    course: &Curriculum,
    subject: &Subject<'_>,
    about: &About<'_>,
    level: Level,
) -> Option<Idea> {
    let of_topic = |topic: &Topic, concept: Option<&Concept>| match concept {
        Some(concept) => (concept.title.clone(), concept.text.trim().to_owned()),
        None => (topic.title.clone(), explanation(&topic.lesson, level).trim().to_owned()),
    };
    let found = course.find(subject.prose);
    let (name, lesson) = match *about {
        About::Comparison(comparison) => {
            let titles = comparison.topics.iter().filter_map(|slug| course.topic(slug));
            let titles: Vec<&str> = titles.map(|topic| topic.title.as_str()).collect();
            (titles.join(" and "), comparison.text.trim().to_owned())
        }
        About::Topic(topic, concept) => of_topic(topic, concept),
        About::Both([(topic, concept), _]) => of_topic(topic, Some(concept)),
        About::NotCovered(idea, _) => (idea.to_owned(), String::new()),
        About::Perhaps((topic, concept), _) => of_topic(topic, concept),
        // The course asks which of them is meant; a model reads the rest of the question, too.
        About::OneOf(ref choices) => {
            choices.first().map(|(topic, concept)| of_topic(topic, *concept))?
        }
        About::Unknown(_) => of_topic(found.matches.first()?.topic, None),
    };
    let is_plain =
        found.unknown.is_empty() && subject.prose.split_whitespace().count() <= PLAIN_WORDS;
    Some(Idea { name, lesson, is_plain })
}

fn compare(comparison: &Comparison, level: Level) -> Answer {
    let mut content = comparison.text.trim().to_owned();
    show_examples(&mut content, &comparison.examples);
    Answer {
        content,
        examples: comparison.examples.iter().map(wire).collect(),
        topics: comparison.topics.to_vec(),
        related: Vec::new(),
        details: Some(Details::Explanation(Explained {
            concept: comparison.topics.join(" and "),
            level,
            explanation: comparison.text.trim().to_owned(),
            common_mistakes: Vec::new(),
            diagram: None,
        })),
    }
}

fn explain(course: &Curriculum, topic: &Topic, concept: Option<&Concept>, level: Level) -> Answer {
    let lesson = &topic.lesson;
    let (mut content, text, examples) = match concept {
        Some(concept) => {
            let text = concept.text.trim();
            let content = format!("**{}** ({})\n\n{text}", concept.title, topic.title);
            (content, text, std::slice::from_ref(&concept.example))
        }
        None => {
            let text = explanation(lesson, level).trim();
            let content = format!("**{}**: {}\n\n{text}", topic.title, lesson.summary);
            (content, text, &lesson.examples[..lesson.examples.len().min(EXAMPLES)])
        }
    };
    show_examples(&mut content, examples);
    if concept.is_none() {
        content.push_str("\n\nWatch out for:");
        for mistake in lesson.mistakes.iter().take(MISTAKES) {
            content.push_str(&format!("\n- **{}.** {}", mistake.title, mistake.text));
        }
    }
    let next = lesson.related.iter().filter_map(|slug| course.topic(slug));
    let next: Vec<&str> = next.map(|topic| topic.title.as_str()).collect();
    content.push_str(&format!("\n\nRead next: {}.", next.join(", ")));
    Answer {
        content,
        examples: examples.iter().map(wire).collect(),
        topics: vec![topic.slug.clone()],
        related: lesson.related.clone(),
        details: Some(Details::Explanation(Explained {
            concept: concept.map_or(&topic.slug, |concept| &concept.title).clone(),
            level,
            explanation: text.to_owned(),
            common_mistakes: mistakes(lesson),
            diagram: None,
        })),
    }
}

fn mistakes(lesson: &Lesson) -> Vec<String> {
    let mistakes = lesson.mistakes.iter();
    mistakes.map(|mistake| format!("{}. {}", mistake.title, mistake.text)).collect()
}

fn not_covered(course: &Curriculum, idea: &str, near: Option<&Topic>) -> Answer {
    let content = format!("**{idea}** is not part of this course, so I cannot explain it.");
    let Some(near) = near else { return Answer::text(format!("{content} {}", covered(course))) };
    let content =
        format!("{content} Your question also names something that I can explain: {}.", near.title);
    Answer { related: vec![near.slug.clone()], ..Answer::text(content) }
}

/// Explains two ideas, one after the other.
fn both(
    course: &Curriculum,
    [(topic, concept), (other_topic, other)]: [(&Topic, &Concept); 2],
    level: Level,
) -> Answer {
    let mut answer = explain(course, topic, Some(concept), level);
    let second = explain(course, other_topic, Some(other), level);
    answer.content = format!(
        "This is about two ideas.\n\n{}\n\n{}",
        explained_alone(&(topic, Some(concept)), level),
        explained_alone(&(other_topic, Some(other)), level)
    );
    answer.examples.extend(second.examples);
    answer.topics.extend(second.topics.into_iter().filter(|slug| *slug != topic.slug));
    answer
}

/// An idea or a topic with an example, without what to read next.
fn explained_alone(choice: &Choice<'_>, level: Level) -> String {
    let (topic, concept) = choice;
    let mut content = match concept {
        Some(concept) => {
            format!("**{}** ({})\n\n{}", concept.title, topic.title, concept.text.trim())
        }
        None => {
            format!("**{}**\n\n{}", topic.title, explanation(&topic.lesson, level).trim())
        }
    };
    show_examples(&mut content, example(choice).map(std::slice::from_ref).unwrap_or_default());
    content
}

/// The example of an idea, or the first one of a topic.
fn example<'a>((topic, concept): &Choice<'a>) -> Option<&'a Example> {
    concept.map_or_else(|| topic.lesson.examples.first(), |concept| Some(&concept.example))
}

/// Explains the likeliest idea, and names what else may be meant.
fn perhaps(
    course: &Curriculum,
    (topic, concept): Choice<'_>,
    others: &[Choice<'_>],
    level: Level,
) -> Answer {
    let answer = explain(course, topic, concept, level);
    let content = format!("{}\n\n{}", answer.content, or_else(others));
    Answer { content, ..answer }
}

/// Explains the two likeliest of several ideas, and names the others.
fn one_of(choices: &[Choice<'_>], level: Level) -> Answer {
    let (explained, others) = choices.split_at(choices.len().min(EXPLAINED));
    let texts: Vec<String> =
        explained.iter().map(|choice| explained_alone(choice, level)).collect();
    let content = format!(
        "I am not sure which of these you mean.\n\n{}\n\n{}",
        texts.join("\n\n"),
        or_else(others)
    );
    let examples = explained.iter().filter_map(|choice| example(choice)).map(wire).collect();
    let related = choices.iter().map(|(topic, _)| topic.slug.clone()).collect();
    Answer { examples, related, ..Answer::text(content) }
}

/// What else may be meant, and how to ask for it.
fn or_else(others: &[Choice<'_>]) -> String {
    if others.is_empty() {
        return "If you mean something else, ask in other words.".to_owned();
    }
    let choice = |(topic, concept): &Choice<'_>| match concept {
        Some(concept) => format!("\n- **{}**: {}", concept.title, concept.first_sentence()),
        None => format!("\n- **{}**: {}", topic.title, topic.lesson.summary),
    };
    let list: String = others.iter().map(choice).collect();
    let these = if others.len() == 1 { "this" } else { "one of these" };
    format!(
        "If you mean something else, it may be {these}:\n{list}\n\nAsk for it by its name, or in other words."
    )
}

fn unknown(course: &Curriculum, word: Option<&str>) -> Answer {
    let content = match word {
        None => "I do not know which idea you mean. Name it, for example: \"What is a variable?\" If you ask about \
                 your own program, show me the lines that you mean."
            .to_owned(),
        Some(word) => {
            format!("I do not know \"{word}\" from this course, so I cannot explain it.")
        }
    };
    Answer::text(format!("{content} {}", covered(course)))
}

/// The program does not have the name that is asked about.
fn not_there(name: &str) -> Answer {
    let content = format!(
        "I do not find `{name}` in your program. Is the name right? If it comes from another file, show me the lines \
         that define it."
    );
    Answer::text(content)
}

fn covered(course: &Curriculum) -> String {
    let modules: Vec<&str> = course.modules.iter().map(|module| module.title.as_str()).collect();
    format!(
        "The course covers: {}. For anything else, see the Python manual: https://docs.python.org/3/.",
        modules.join(", ")
    )
}

/// The answer to a student who is stuck and does not say where.
#[must_use]
pub fn encourage() -> Answer {
    let content = "That feeling is part of learning to program, and it passes: everybody who programs has had it. \
                   Let us start small. Tell me one of these:\n\n\
                   - a word that you would like explained, such as \"variable\" or \"loop\"\n\
                   - the line that you do not understand, or the program that does not work\n\
                   - or \"an easy exercise, please\", and we will do it step by step."
        .to_owned();
    Answer::text(content)
}

/// The text for a level.
#[must_use]
pub fn explanation(lesson: &Lesson, level: Level) -> &str {
    match level {
        Level::Beginner => &lesson.explanation.beginner,
        Level::Learning => &lesson.explanation.learning,
        Level::Proficient => &lesson.explanation.proficient,
        Level::Mastered => &lesson.explanation.mastered,
    }
}

pub fn show_examples(content: &mut String, examples: &[Example]) {
    for example in examples {
        content.push_str(&format!(
            "\n\n{}:\n\n```python\n{}\n```",
            example.title,
            example.code.trim()
        ));
        if !example.stdin.is_empty() {
            content.push_str(&format!(
                "\n\nWith this input:\n\n```text\n{}\n```",
                example.stdin.trim_end()
            ));
        }
        content.push_str(&format!("\n\nIt prints:\n\n```text\n{}\n```", example.output.trim_end()));
    }
}

/// An example as sent in an event.
#[must_use]
pub fn wire(example: &Example) -> question_answered::Example {
    question_answered::Example {
        title: example.title.clone(),
        code: example.code.clone(),
        output: example.output.clone(),
    }
}

#[cfg(test)]
mod tests;
