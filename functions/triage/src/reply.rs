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
        Agent::Debug => debug_reply(asked),
        Agent::CodeReview => {
            "You would like an opinion on your code. The review agent is not part of \
                              this version of LearnFlow, so I cannot give you one."
                .to_owned()
        }
        Agent::Exercise => {
            "You would like something to practise. The exercise agent is not part of \
                            this version of LearnFlow, so I have no exercise for you."
                .to_owned()
        }
        Agent::Progress => {
            "You would like to know how far you have come. The progress agent is not \
                            part of this version of LearnFlow, so I cannot tell you."
                .to_owned()
        }
        // Not reached by the event path, which routes these; the words are true all the same.
        Agent::Concepts => "You would like an explanation.".to_owned(),
    };
    if !topics.is_empty() {
        let names: Vec<&str> = topics.iter().map(|topic| topic.title.as_str()).collect();
        content.push_str(&format!("\n\nI can explain this to you: {}.", names.join(", ")));
    }
    if let Some(clarification) = &routing.clarification {
        content.push_str(&format!("\n\n{clarification}"));
    }
    let slugs = topics.iter().map(|topic| topic.slug.clone()).collect();
    Answer { content, examples: Vec::new(), topics: slugs, related: Vec::new() }
}

fn debug_reply(asked: &QuestionAsked) -> String {
    let given = asked.error.as_ref().map(|error| error.as_str()).unwrap_or_default();
    let no_agent = "The debugging agent is not part of this version of LearnFlow, so I cannot look \
                    into your code.";
    let Some(report) = python::read_report(&[given, asked.question.as_str()].join("\n")) else {
        return format!("Something in your code does not do what you expect. {no_agent}");
    };
    let line = report.line.map(|line| format!(" on line {line}")).unwrap_or_default();
    let message = match report.message.as_str() {
        "" => String::new(),
        text => format!(", with the message «{text}»"),
    };
    let cause = usual_cause(&report.error_type);
    format!("Python stopped with a **{}**{line}{message}. {cause} {no_agent}", report.error_type)
}

/// What an error of this type usually comes from (the tutoring study, section 5.2).
fn usual_cause(error_type: &str) -> &'static str {
    match error_type {
        "NameError" => {
            "It met a name that has no value yet: look for a spelling mistake, missing quotes, or a line that should come earlier."
        }
        "IndexError" => {
            "A position was asked for that is not there: the last one is the length minus one."
        }
        "KeyError" => {
            "A dictionary was asked for a key that it does not have: check the spelling and the type of the key."
        }
        "TypeError" => {
            "An operation got a value of a type that it cannot use, often text where a number is needed."
        }
        "ValueError" => {
            "A value has the right type but a content that cannot be used, such as int(\"abc\")."
        }
        "AttributeError" => {
            "A value was asked for something that its type does not have: check the spelling, and whether the value is None."
        }
        "ZeroDivisionError" => {
            "Something was divided by zero: ask for which input the divisor becomes 0."
        }
        "SyntaxError" => {
            "Python could not read the line: look for a missing colon, bracket or quote, also on the line above."
        }
        "IndentationError" | "TabError" => {
            "A line does not start in the column where its block starts."
        }
        "UnboundLocalError" => {
            "A name is given a value inside the function, but is read before that happens."
        }
        "RecursionError" => "A function called itself too often: ask which input makes it stop.",
        "ModuleNotFoundError" | "ImportError" => {
            "A module could not be imported: check its name, and whether it is installed."
        }
        _ => "Read the last line of the report first: it says what happened.",
    }
}
