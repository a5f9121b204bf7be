//! Triage's own replies, to questions that are for no agent.

use curriculum::Topic;
use events::{
    question_answered::Answer,
    question_asked::QuestionAsked,
    question_routed::{Routing, Sign},
};

/// Topics that are offered.
const OFFERED: usize = 3;

const DISTRESS: &str = "That sounds very hard, and I am glad that you wrote it down. I am only a program that \
    teaches Python, so please talk to a person now: somebody you trust, a doctor, or a helpline in your country \
    (findahelpline.com lists them; 112 or 911 if you are in danger). Your course can wait.";
const UNSAFE: &str = "I do not help with things that can harm people or their property. If you \
    are curious how programs protect themselves, ask me how they check what users type.";
const INJECTION: &str = "I am the tutor of this course, and that will not change. Ask me about Python: an idea, a \
    program that does not work, a program that you want to improve, or something to practise.";
const OFF_TOPIC: &str = "I can help you learn Python, but this seems to be about something else. Ask me \
    about an idea such as variables, loops or lists.";

/// The reply to a question that goes to no agent.
pub(crate) fn reply(asked: &QuestionAsked, routing: &Routing) -> Answer {
    let course = curriculum::embedded();
    let paste = pasted_text::split(asked.question.as_str());
    let found = course.find(&paste.prose);
    let named = found.matches.iter().map(|found| found.topic);
    let sign = |sign| routing.signs.contains(&sign);
    // A student in distress is not sent to a lesson.
    let (text, topics): (&str, Vec<&Topic>) = if sign(Sign::Distress) {
        (DISTRESS, Vec::new())
    } else if sign(Sign::Unsafe) {
        (UNSAFE, Vec::new())
    } else if sign(Sign::Injection) {
        (INJECTION, Vec::new())
    } else {
        (OFF_TOPIC, named.take(OFFERED).collect())
    };
    let mut content = text.to_owned();
    if !topics.is_empty() {
        let names: Vec<&str> = topics.iter().map(|topic| topic.title.as_str()).collect();
        content.push_str(&format!("\n\nHere is what I can explain: {}.", names.join(", ")));
    }
    if let Some(clarification) = &routing.clarification {
        content.push_str(&format!("\n\n{clarification}"));
    }
    let slugs = topics.iter().map(|topic| topic.slug.clone()).collect();
    Answer { content, examples: Vec::new(), topics: slugs, related: Vec::new(), details: None }
}
