//! Composing an answer from the curriculum.

use curriculum::{Comparison, Curriculum, Example, Found, Lesson, Match, Topic};
use domain::level::Level;
use events::{
    question_answered::{self, Answer, Details, Explained},
    question_routed::{FollowUp, FollowUpKind},
};

/// Most words of a question that asks for an idea and nothing more.
const PLAIN_WORDS: usize = 10;
/// The topic about installing packages that the course does not teach.
const INSTALLING: &str = "installing-packages";
/// Topics that are offered if there is no answer.
const OFFERED: usize = 3;
/// Examples in an answer that explains a whole topic.
const EXAMPLES: usize = 2;
/// Mistakes in an answer that explains a whole topic.
const MISTAKES: usize = 2;

/// Answers a question at a level. `page` is the topic that the student is looking at: it decides what "this" means, and
/// never overrides what the question names.
#[must_use]
pub fn answer(
    course: &Curriculum,
    question: &str,
    page: Option<&str>,
    level: Level,
    clarification: Option<&str>,
) -> Answer {
    let found = course.find(question);
    let page = page.and_then(|page| course.topic(page));
    let mut answer = match subject(course, &found, page) {
        Subject::Comparison(comparison) => compare(comparison, level),
        Subject::Topic(best) => explain(course, &best, level),
        Subject::NotCovered(idea) => not_covered(course, idea, &found),
        Subject::Unknown => unknown(course, question, &found),
    };
    if let Some(clarification) = clarification {
        answer.content.push_str(&format!("\n\n*{clarification}*"));
    }
    answer
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
    // From the last one, since examples are shown from the first.
    match parts.iter().rev().nth((round - 1) % parts.len().max(1)) {
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
const fn deeper(level: Level) -> Level {
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

/// Whether a question names nothing that the course knows.
#[must_use]
pub fn is_unknown(course: &Curriculum, question: &str, page: Option<&str>) -> bool {
    let page = page.and_then(|page| course.topic(page));
    matches!(subject(course, &course.find(question), page), Subject::Unknown)
}

/// The idea that a question is about, if the course knows it or at least its name.
#[must_use]
pub fn idea(course: &Curriculum, question: &str, page: Option<&str>, level: Level) -> Option<Idea> {
    let found = course.find(question);
    let page = page.and_then(|page| course.topic(page));
    let (name, lesson) = match subject(course, &found, page) {
        Subject::Comparison(comparison) => {
            let titles = comparison.topics.iter().filter_map(|slug| course.topic(slug));
            let titles: Vec<&str> = titles.map(|topic| topic.title.as_str()).collect();
            (titles.join(" and "), comparison.text.trim())
        }
        Subject::Topic(Match { concept: Some(concept), .. }) => {
            (concept.title.clone(), concept.text.trim())
        }
        Subject::Topic(Match { topic, .. }) => {
            (topic.title.clone(), explanation(&topic.lesson, level).trim())
        }
        Subject::NotCovered(idea) => (idea.to_owned(), ""),
        // The course prefers no answer to one that misses the point; a model reads the rest, too.
        Subject::Unknown => {
            let topic = found.matches.first()?.topic;
            (topic.title.clone(), explanation(&topic.lesson, level).trim())
        }
    };
    let is_plain = found.unknown.is_empty() && question.split_whitespace().count() <= PLAIN_WORDS;
    Some(Idea { name, lesson: lesson.to_owned(), is_plain })
}

enum Subject<'a> {
    Comparison(&'a Comparison),
    Topic(Match<'a>),
    NotCovered(&'a str),
    Unknown,
}

fn subject<'a>(course: &'a Curriculum, found: &Found<'a>, page: Option<&'a Topic>) -> Subject<'a> {
    // An idea outside the course is what the question is about, whatever else it mentions; only a package is
    // installed like any other.
    let is_installed = found.matches.first().is_some_and(|best| best.topic.slug == INSTALLING);
    if let Some(idea) = found.not_covered.first().filter(|_| !is_installed) {
        return Subject::NotCovered(idea);
    }
    let strongest = found.matches.first().map_or(0, |best| best.weight);
    let named: Vec<&Match<'a>> =
        found.matches.iter().filter(|found| found.weight * 2 >= strongest).collect();
    // A finer idea ("remove duplicates from a list") is more than two topics side by side.
    if let [one, other, ..] = named[..]
        && one.concept.is_none()
        && other.concept.is_none()
        && let Some(comparison) = course.comparison(&one.topic.slug, &other.topic.slug)
    {
        return Subject::Comparison(comparison);
    }
    match named.first() {
        // More unknown words than known ones: the question is about something else.
        Some(best) if found.unknown.len() <= best.weight => Subject::Topic(**best),
        Some(_) => Subject::Unknown,
        None if found.unknown.is_empty() => page.map_or(Subject::Unknown, |topic| {
            Subject::Topic(Match { topic, concept: None, weight: 0 })
        }),
        None => Subject::Unknown,
    }
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

fn explain(course: &Curriculum, best: &Match<'_>, level: Level) -> Answer {
    let lesson = &best.topic.lesson;
    let (mut content, text, examples) = match best.concept {
        Some(concept) => {
            let text = concept.text.trim();
            let content = format!("**{}** ({})\n\n{text}", concept.title, best.topic.title);
            (content, text, std::slice::from_ref(&concept.example))
        }
        None => {
            let text = explanation(lesson, level).trim();
            let content = format!("**{}**: {}\n\n{text}", best.topic.title, lesson.summary);
            (content, text, &lesson.examples[..lesson.examples.len().min(EXAMPLES)])
        }
    };
    show_examples(&mut content, examples);
    if best.concept.is_none() {
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
        topics: vec![best.topic.slug.clone()],
        related: lesson.related.clone(),
        details: Some(Details::Explanation(Explained {
            concept: best.concept.map_or(&best.topic.slug, |concept| &concept.title).clone(),
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

fn not_covered(course: &Curriculum, idea: &str, found: &Found<'_>) -> Answer {
    let content = format!("**{idea}** is not part of this course, so I cannot explain it.");
    if let Some(near) = found.matches.first() {
        return offer(course, content, &near.topic.title);
    }
    // Topics with a similar spelling are unrelated.
    let modules: Vec<&str> = course.modules.iter().map(|module| module.title.as_str()).collect();
    let content = format!(
        "{content} The course covers: {}. For anything else, see the Python manual: https://docs.python.org/3/.",
        modules.join(", ")
    );
    Answer::text(content)
}

fn unknown(course: &Curriculum, question: &str, found: &Found<'_>) -> Answer {
    let content = match found.unknown.as_slice() {
        [] => "I do not know which idea you mean. Name it, for example: \"What is a variable?\""
            .to_owned(),
        words => {
            format!(
                "I do not know \"{}\" from this course, so I cannot explain it.",
                words.join(" ")
            )
        }
    };
    offer(course, content, found.unknown.first().map_or(question, String::as_str))
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

fn offer(course: &Curriculum, mut content: String, near: &str) -> Answer {
    let nearest = course.nearest(near, OFFERED);
    let titles: Vec<&str> = nearest.iter().map(|topic| topic.title.as_str()).collect();
    content.push_str(&format!(" The closest topics that I can explain: {}.", titles.join(", ")));
    Answer {
        content,
        examples: Vec::new(),
        topics: Vec::new(),
        related: nearest.iter().map(|topic| topic.slug.clone()).collect(),
        details: None,
    }
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

pub(crate) fn show_examples(content: &mut String, examples: &[Example]) {
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
mod tests {
    use domain::level::Level;

    use super::answer;

    fn ask(question: &str) -> events::question_answered::Answer {
        answer(curriculum::embedded(), question, None, Level::Beginner, None)
    }

    #[test]
    fn a_comparison_is_answered_as_one() {
        let answer = ask("What is the difference between a list and a tuple?");
        assert_eq!(answer.topics, ["lists", "tuples"]);
        assert!(answer.content.contains("a list can change and a tuple cannot"));
        assert_eq!(answer.examples.len(), 2);
    }

    #[test]
    fn the_answer_is_about_what_was_asked() {
        for (question, topic, words) in [
            ("What is a variable?", "variables", "a name for a value"),
            ("How do I sort a list?", "lists", "sorted(items)"),
            ("what is modulo", "operators", "left over after dividing"),
            ("How do while loops work?", "while-loops", "as long as"),
            ("remove duplicates from a list", "sets", "keeps every value once"),
            ("what are f-strings?", "input-output", "values in curly braces"),
            ("How do I define a function?", "defining-functions", "gives a name to some lines"),
        ] {
            let answer = ask(question);
            assert_eq!(answer.topics, [topic], "{question}");
            assert!(answer.content.contains(words), "{question}: {}", answer.content);
            assert!(!answer.examples.is_empty(), "{question}");
        }
    }

    #[test]
    fn what_the_course_does_not_teach_is_said_and_nothing_else() {
        for (question, words) in [
            ("What is a decorator?", "**decorator** is not part of this course"),
            ("How do I reverse a linked list?", "**linked list** is not part of this course"),
            ("What is a flurble?", "I do not know \"flurble\""),
            ("Hello?", "I do not know which idea you mean"),
        ] {
            let answer = ask(question);
            assert!(answer.content.contains(words), "{question}: {}", answer.content);
            assert!(answer.examples.is_empty() && answer.topics.is_empty(), "{question}");
            assert!(
                answer.related.len() == 3 || answer.content.contains("The course covers"),
                "{question}"
            );
        }
    }

    #[test]
    fn the_page_gives_this_its_meaning_and_the_level_decides_the_explanation() {
        let course = curriculum::embedded();
        let on_page = |level| answer(course, "I don't understand this", Some("sets"), level, None);
        assert_eq!(on_page(Level::Beginner).topics, ["sets"]);
        assert!(on_page(Level::Beginner).content.contains("appears only once"));
        assert!(on_page(Level::Mastered).content.contains("O(1) on average"));
        let named = answer(course, "What is a tuple?", Some("sets"), Level::Beginner, None);
        assert_eq!(named.topics, ["tuples"]);
    }
}
