//! Triage's own words: replies to questions that are for no agent, and what it asks where two agents are likely.

use domain::agent::Agent;
use events::{
    question_answered::Answer,
    question_routed::{Routing, Sign},
};

const DISTRESS: &str = "That sounds very hard, and I am glad that you wrote it down. I am only a program that \
    teaches Python, so please talk to a person now: somebody you trust, a doctor, or a helpline in your country \
    (findahelpline.com lists them; 112 or 911 if you are in danger). Your course can wait.";
const UNSAFE: &str = "I do not help with things that can harm people or their property. If you \
    are curious how programs protect themselves, ask me how they check what users type.";
const INJECTION: &str = "I am the tutor of this course, and that will not change. Ask me about Python: an idea, a \
    program that does not work, a program that you want to improve, or something to practise.";
const OFF_TOPIC: &str = "I can help you learn Python, but this seems to be about something else. Ask me \
    about an idea such as variables, loops or lists.";

/// The reply to a question that goes to no agent. A student who asks about something else is not sent to a lesson whose
/// name happens to be one of their words.
pub(crate) fn reply(routing: &Routing) -> Answer {
    let sign = |sign| routing.signs.contains(&sign);
    let text = if sign(Sign::Distress) {
        DISTRESS
    } else if sign(Sign::Unsafe) {
        UNSAFE
    } else if sign(Sign::Injection) {
        INJECTION
    } else {
        OFF_TOPIC
    };
    Answer::text(text.to_owned())
}

/// Asks which of these is wanted.
pub(crate) fn clarification(choices: &[Agent]) -> String {
    let want = |agent: &Agent| match agent {
        Agent::Concepts => "an explanation of an idea",
        Agent::Debug => "help with code that does not work",
        Agent::CodeReview => "an opinion on code that works",
        Agent::Exercise => "something to practise",
        Agent::Progress => "a look at your progress",
        Agent::OffTopic | Agent::Unknown => "something else",
    };
    let wants: Vec<&str> = choices.iter().map(want).collect();
    match wants.split_last() {
        Some((last, others)) => format!("Do you want {}, or {last}?", others.join(", ")),
        None => String::new(),
    }
}
