//! The questions from which the weights are found, and which tell topics apart.

use curriculum::{Concept, Topic};
use domain::agent::Agent;

use crate::agent::{AGENTS, Asked};

const QUESTIONS: &str = include_str!("../training/questions.txt");
/// Questions with the story around them, and the idea that answers each.
const STORIES: &str = include_str!("../training/stories.txt");

/// How students ask for a topic as a whole.
const FOR_A_TOPIC: [&str; 10] = [
    "what is {}?",
    "explain {}",
    "{}",
    "how do {} work",
    "i don't understand {}",
    "I need help with {}, I am lost",
    "tell me about {} please",
    "what are {} in python and what are they good for",
    "can you teach me {}",
    "why do we need {}",
];
/// Names of a topic with which they ask.
const NAMES: usize = 3;

/// A question with what it is meant for.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The question.
    pub text: String,
    /// The agent that it is for.
    pub agent: Agent,
    /// The topic's slug, empty if no lesson is about it; `None` if that is open.
    pub topic: Option<String>,
    /// The title of the finer idea.
    pub idea: Option<String>,
    /// What is known besides; `prose` is empty.
    pub context: Asked<'static>,
    /// How much it counts.
    pub weight: f64,
}

/// All training questions.
///
/// # Panics
/// If a line has no agent: the tests read the file.
#[must_use]
pub fn questions() -> Vec<Question> {
    QUESTIONS
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(" | "))
        .map(|(label, text)| question(label, text))
        .collect()
}

/// Those whose topic is known, those that the course's ideas answer, those for a topic as a whole, and stories.
#[must_use]
pub fn of_topics() -> Vec<Question> {
    let about = |topic: &Topic, idea: Option<&Concept>, text: String| Question {
        text,
        agent: Agent::Concepts,
        topic: Some(topic.slug.clone()),
        idea: idea.map(|idea| idea.title.clone()),
        context: Asked::default(),
        weight: 1.0,
    };
    let mut all = questions();
    all.retain(|question| question.topic.is_some());
    for topic in curriculum::embedded().topics() {
        let title = topic.title.to_lowercase();
        for name in topic.own_terms().take(NAMES).chain([&title]) {
            let asked = FOR_A_TOPIC.iter().map(|asks| asks.replace("{}", name));
            all.extend(asked.map(|text| about(topic, None, text)));
        }
        for idea in &topic.lesson.concepts {
            all.extend(idea.asked.iter().map(|text| about(topic, Some(idea), text.clone())));
        }
    }
    all.extend(stories());
    all
}

/// Questions as forums have them.
fn stories() -> impl Iterator<Item = Question> {
    let lines = STORIES.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| {
        // A title may have a bar, too.
        let label_and_text = line.rsplit_once(" | ");
        let parts = label_and_text.and_then(|(label, text)| Some((label.split_once(": ")?, text)));
        let ((topic, idea), text) = parts.expect("each line has a topic, an idea and a text");
        Question {
            text: text.to_owned(),
            agent: Agent::Concepts,
            topic: Some(topic.to_owned()),
            idea: Some(idea.to_owned()),
            context: Asked::default(),
            weight: 1.0,
        }
    })
}

fn question(label: &str, text: &str) -> Question {
    let mut parts = label.split(' ');
    let name = parts.next().unwrap_or_default();
    let agent = AGENTS.into_iter().find(|agent| agent.as_str() == name);
    let agent = agent.expect("each line begins with the name of an agent");
    let mut question = Question {
        text: text.to_owned(),
        agent,
        topic: None,
        idea: None,
        context: Asked::default(),
        weight: 1.0,
    };
    let context = &mut question.context;
    for part in parts {
        match part {
            "c" => context.has_code = true,
            "e" => context.has_error = true,
            "x" => context.in_exercise = true,
            "f" => context.failed_recently = true,
            "@none" => question.topic = Some(String::new()),
            part if part.starts_with("t=") => context.on_page = true,
            part => {
                let (topic, idea) = part.split_once(':').unwrap_or((part, ""));
                question.topic = topic.strip_prefix('@').map(str::to_owned);
                question.idea = (!idea.is_empty()).then(|| idea.replace('_', " "));
            }
        }
    }
    question
}

#[cfg(test)]
mod tests {
    use super::stories;

    #[test]
    fn every_story_is_about_an_idea_of_the_course() {
        let course = curriculum::embedded();
        for story in stories() {
            let topic = story.topic.as_deref().and_then(|slug| course.topic(slug));
            let titles = topic.iter().flat_map(|topic| &topic.lesson.concepts);
            let is_known = titles.into_iter().any(|of| Some(&of.title) == story.idea.as_ref());
            assert!(is_known, "{:?}: {:?}", story.topic, story.idea);
        }
    }
}
