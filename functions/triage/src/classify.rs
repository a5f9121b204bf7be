//! Decides which agent a question is for: by its words, by attachments, and by the student's context. Works without a
//! model.

use std::sync::LazyLock;

use curriculum::Found;
use domain::agent::Agent;
use events::question_routed::{Routing, Sign};
use pasted_text::Paste;
use regex::Regex;

use crate::{
    patterns::{PATTERNS, compile},
    signs::signs,
};

/// The temperature of the softmax over scores.
const TEMPERATURE: f64 = 1.5;
/// Below this probability, or this lead over the second, a clarifying question is asked.
const SURE: f64 = 0.60;
const LEAD: f64 = 0.15;
/// The confidence that a traceback gives: it is hardly ever pasted for another reason.
const TRACEBACK_CONFIDENCE: f64 = 0.98;
/// Up to this many words, a plea such as "help, I'm stuck" does not say what it needs.
const PLEA_WORDS: usize = 6;
/// Most reasons that are passed on.
const REASONS: usize = 4;

/// What triage knows about a question.
#[derive(Debug, Clone, Copy, Default)]
pub struct Context<'a> {
    /// The question in the student's words; code and tracebacks may be pasted into it.
    pub question: &'a str,
    /// Code that came in its own field.
    pub code: Option<&'a str>,
    /// An error that came in its own field.
    pub error: Option<&'a str>,
    /// The topic of the page that the student is on.
    pub topic: Option<&'a str>,
    /// Whether an exercise is open.
    pub in_exercise: bool,
    /// Whether a run of the student's code failed lately.
    pub failed_recently: bool,
}

static ABOUT_ERRORS: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"what(['’]?s| does| is| are| means?)\b.*(error|exception)|\bmean(s|ing)?\b|\bstands? for\b",
    )
});
static ERROR_NAME: LazyLock<Regex> = LazyLock::new(|| compile(r"\b\w+(error|exception)s?\b"));
static PLEA: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"\b(stuck|help|pls|please|lost|confused|no idea|don'?t (get|understand)|makes no sense)\b",
    )
});
static PROGRAMMING: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"\b(python|cod(e|es|ing)|program\w*|scripts?|algorithms?|software|syntax|ide|exercises?|quiz(zes)?|lessons?|course|modules?|functions?|class(es)?|loops?|variables?|strings?|lists?|outputs?|tests?|hint|debug\w*|comput\w+|data)\b",
    )
});
/// What the student says that they do not want.
static UNWANTED: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"\b(do ?n'?t|do not|dont|no need to|not asking (you )?(for|to)|without)\s+(want|need|give|giving|send|sending|make|create|show|review|reviewing|explain|explaining|fix|fixing)\b[^,.;!?]*",
    )
});
/// Homework that is not programming.
static OTHER_SUBJECT: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"\b(history|maths?|english|biology|chemistry|physics|geography|french|german|spanish|essay)\b.{0,20}\b(homework|essay|test|exam)\b",
    )
});

/// Decides.
#[must_use]
pub fn classify(context: &Context<'_>) -> Routing {
    let paste = pasted_text::split(context.question);
    let prose = paste.prose.trim();
    let signs = signs(prose);
    let routing = decide(context, &paste, prose, &signs);
    Routing { signs, ..routing }
}

fn decide(context: &Context<'_>, paste: &Paste, prose: &str, signs: &[Sign]) -> Routing {
    let certain = |agent, confidence, reason: String| Routing {
        agent,
        confidence,
        reasons: vec![reason],
        signs: Vec::new(),
        clarification: None,
    };
    if signs.contains(&Sign::Distress) {
        return certain(Agent::OffTopic, 0.95, "its author may need help".to_owned());
    }
    if signs.contains(&Sign::Unsafe) {
        return certain(Agent::OffTopic, 0.95, "asks for something that harms others".to_owned());
    }
    let report_text = [context.error.unwrap_or_default(), context.question].join("\n");
    let report = pasted_text::read_report(&report_text);
    let has_code =
        context.code.is_some_and(|code| !code.trim().is_empty()) || !paste.code.is_empty();
    let asked = UNWANTED.replace_all(prose, " ");
    let asked = asked.trim();
    if let Some(report) = &report
        && (has_code || !ABOUT_ERRORS.is_match(asked))
    {
        let reason = format!("an error report came with it: {}", report.error_type);
        return certain(Agent::Debug, TRACEBACK_CONFIDENCE, reason);
    }
    if let Some(language) = pasted_text::foreign_language(&report_text) {
        let reason = format!("an error from {language} came with it");
        return certain(Agent::Debug, 0.9, reason);
    }
    let found = curriculum::embedded().find(asked);
    let scores = Scores::new(context, asked, &found, has_code, report.is_some());
    let in_lesson = context.topic.is_some() || context.in_exercise || context.failed_recently;
    let is_foreign =
        !has_code && (OTHER_SUBJECT.is_match(asked) || signs.contains(&Sign::Injection));
    if is_foreign || (scores.is_empty() && !PROGRAMMING.is_match(asked) && !in_lesson) {
        let reason = "mentions nothing about programming".to_owned();
        return certain(Agent::OffTopic, 0.9, reason);
    }
    scores.decide()
}

/// What suggests an agent.
struct Evidence {
    agent: Agent,
    weight: f64,
    reason: String,
}

impl Evidence {
    fn new(agent: Agent, weight: f64, reason: impl Into<String>) -> Self {
        Self { agent, weight, reason: reason.into() }
    }
}

/// Evidence for each agent.
struct Scores {
    evidence: Vec<Evidence>,
    about_programming: bool,
}

impl Scores {
    fn new(
        context: &Context<'_>,
        prose: &str,
        found: &Found<'_>,
        has_code: bool,
        has_report: bool,
    ) -> Self {
        let held = PATTERNS.iter().filter(|pattern| pattern.regex.is_match(prose));
        let mut evidence: Vec<Evidence> =
            held.map(|held| Evidence::new(held.agent, held.weight, held.reason)).collect();
        let names = found.matches.iter().map(|found| found.topic.title.as_str());
        let named: Vec<&str> = names.chain(found.not_covered.iter().copied()).collect();
        if !named.is_empty() {
            let reason = format!("names {}", named.join(", "));
            evidence.push(Evidence::new(Agent::Concepts, 1.5, reason));
        }
        let mut note = |holds: bool, agent, weight, reason: &str| {
            if holds {
                evidence.push(Evidence::new(agent, weight, reason));
            }
        };
        let asks = prose.contains('?') || prose.split_whitespace().count() > PLEA_WORDS;
        note(
            !has_code && ABOUT_ERRORS.is_match(prose) && (has_report || ERROR_NAME.is_match(prose)),
            Agent::Concepts,
            4.0,
            "asks what an error means",
        );
        note(context.failed_recently, Agent::Debug, 1.0, "a run failed recently");
        note(has_code && !asks, Agent::CodeReview, 1.0, "code came without a question");
        note(has_code && asks, Agent::Debug, 0.5, "code came with it");
        note(
            context.topic.is_some() && !has_code,
            Agent::Concepts,
            1.0,
            "asked on a lesson's page",
        );
        note(context.in_exercise, Agent::Exercise, 0.5, "asked while an exercise is open");
        let plea = prose.split_whitespace().count() <= PLEA_WORDS && PLEA.is_match(prose);
        let attempted = has_code || context.failed_recently;
        note(plea && attempted, Agent::Debug, 2.5, "a plea for help with an attempt");
        note(
            plea && !attempted && context.in_exercise,
            Agent::Exercise,
            2.5,
            "a plea for help in an exercise",
        );
        note(plea && !attempted && !context.in_exercise, Agent::Concepts, 1.0, "a plea for help");
        let about_programming =
            !named.is_empty() || has_code || has_report || PROGRAMMING.is_match(prose) || plea;
        Self { evidence, about_programming }
    }

    /// Whether the only evidence is the form of the question.
    fn is_empty(&self) -> bool {
        let strong = [Agent::CodeReview, Agent::Exercise, Agent::Progress, Agent::Debug];
        !self.about_programming
            && !self
                .evidence
                .iter()
                .any(|evidence| strong.contains(&evidence.agent) && evidence.weight >= 2.5)
    }

    fn decide(mut self) -> Routing {
        let agents = &Agent::ALL[..5];
        let total = |agent: Agent| -> f64 {
            let of_agent = self.evidence.iter().filter(|evidence| evidence.agent == agent);
            of_agent.map(|evidence| evidence.weight).sum()
        };
        let mut ranked: Vec<(Agent, f64)> =
            agents.iter().map(|agent| (*agent, (total(*agent) / TEMPERATURE).exp())).collect();
        let sum: f64 = ranked.iter().map(|(_, share)| share).sum();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        let (agent, share) = (ranked[0].0, ranked[0].1 / sum);
        let (second, next) = (ranked[1].0, ranked[1].1 / sum);
        let sure = share >= SURE && share - next >= LEAD;
        self.evidence.retain(|evidence| evidence.agent == agent);
        self.evidence.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        let mut reasons: Vec<String> =
            self.evidence.into_iter().map(|evidence| evidence.reason).take(REASONS).collect();
        reasons.dedup();
        if reasons.is_empty() {
            reasons.push("nothing points to another agent".to_owned());
        }
        Routing {
            agent,
            confidence: (share * 100.0).round() / 100.0,
            reasons,
            signs: Vec::new(),
            clarification: (!sure).then(|| clarification(agent, second)),
        }
    }
}

fn clarification(best: Agent, second: Agent) -> String {
    let want = |agent| match agent {
        Agent::Concepts => "an explanation of an idea",
        Agent::Debug => "help with code that does not work",
        Agent::CodeReview => "an opinion on code that works",
        Agent::Exercise => "something to practise",
        Agent::Progress => "a look at your progress",
        Agent::OffTopic | Agent::Unknown => "something else",
    };
    format!("Do you want {} or {}?", want(best), want(second))
}

#[cfg(test)]
mod tests {
    use domain::agent::Agent;

    use super::{Context, classify};

    fn agent(question: &str) -> Agent {
        classify(&Context { question, ..Context::default() }).agent
    }

    #[test]
    fn words_alone_tell_most_questions_apart() {
        for (question, expected) in [
            ("What is the difference between a list and a tuple?", Agent::Concepts),
            ("explain for loops", Agent::Concepts),
            ("how do I sort a list?", Agent::Concepts),
            ("What does IndexError mean?", Agent::Concepts),
            ("Why does my loop never stop?", Agent::Debug),
            ("my code doesn't work, it prints nothing", Agent::Debug),
            ("I get a TypeError when I add a number to a string", Agent::Debug),
            ("Could you review my code and improve its style?", Agent::CodeReview),
            ("is this code good?", Agent::CodeReview),
            ("Give me another exercise about loops", Agent::Exercise),
            ("quiz me on dictionaries", Agent::Exercise),
            ("what is my progress?", Agent::Progress),
            ("How am I doing?", Agent::Progress),
            ("What is the capital of France?", Agent::OffTopic),
            ("Who won the football match yesterday?", Agent::OffTopic),
        ] {
            assert_eq!(agent(question), expected, "{question}");
        }
    }

    #[test]
    fn a_traceback_means_debugging_whatever_the_words() {
        let question = "what is this\nTraceback (most recent call last):\n  File \"a.py\", line 1\nNameError: name 'x' is not defined";
        let routing = classify(&Context { question, code: Some("print(x)"), ..Context::default() });
        assert_eq!((routing.agent, routing.confidence), (Agent::Debug, 0.98));
        let question = "help please";
        let error = Some("ValueError: invalid literal for int() with base 10: 'a'");
        assert_eq!(
            classify(&Context { question, error, ..Context::default() }).agent,
            Agent::Debug
        );
    }

    #[test]
    fn a_bare_plea_is_understood_by_its_context() {
        let question = "Help! I'm stuck";
        let with = |context: Context<'_>| classify(&Context { question, ..context }).agent;
        assert_eq!(with(Context { code: Some("x = 1"), ..Context::default() }), Agent::Debug);
        assert_eq!(with(Context { failed_recently: true, ..Context::default() }), Agent::Debug);
        assert_eq!(with(Context { in_exercise: true, ..Context::default() }), Agent::Exercise);
        let alone = classify(&Context { question, ..Context::default() });
        assert!(alone.clarification.is_some(), "{alone:?}");
    }

    #[test]
    fn unusual_input_is_answered_too() {
        for question in ["?", "....", "ñandú 🐍", &"list ".repeat(800)] {
            let routing = classify(&Context { question, ..Context::default() });
            assert!((0.0..=1.0).contains(&routing.confidence) && !routing.reasons.is_empty());
        }
    }
}
