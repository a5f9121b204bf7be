//! What triage says itself: where no agent is needed, or the one that is needed is not there yet.

use curriculum::Topic;
use domain::agent::Agent;
use events::{question_answered::Answer, question_asked::QuestionAsked, question_routed::Routing};

/// Topics that are offered.
const OFFERED: usize = 3;

/// The reply to a question that goes to no agent.
pub(crate) fn reply(asked: &QuestionAsked, routing: &Routing) -> Answer {
    let question = asked.question.as_str();
    let course = curriculum::embedded();
    let paste = python::split(question);
    let found = course.find(&paste.prose);
    let topics: Vec<&Topic> = found.matches.iter().map(|found| found.topic).take(OFFERED).collect();
    let mut content = match routing.agent {
        Agent::OffTopic => {
            "I can help you with learning Python, and this seems to be about something \
                            else. Ask me about an idea such as variables, loops or lists."
                .to_owned()
        }
        Agent::Progress => {
            "You would like to know how far you have come. The progress agent is not \
                            part of this version of LearnFlow, so I cannot tell you."
                .to_owned()
        }
        // Not reached by the event path, which routes these; the words are true all the same.
        Agent::Concepts => "You would like an explanation.".to_owned(),
        Agent::Exercise => "You would like something to practise.".to_owned(),
        Agent::CodeReview => "You would like an opinion on your program.".to_owned(),
        Agent::Debug => "You would like to know why your program fails.".to_owned(),
    };
    if !topics.is_empty() {
        let names: Vec<&str> = topics.iter().map(|topic| topic.title.as_str()).collect();
        content.push_str(&format!("\n\nI can explain this to you: {}.", names.join(", ")));
    }
    if let Some(clarification) = &routing.clarification {
        content.push_str(&format!("\n\n{clarification}"));
    }
    let slugs = topics.iter().map(|topic| topic.slug.clone()).collect();
    Answer { content, examples: Vec::new(), topics: slugs, related: Vec::new(), details: None }
}
