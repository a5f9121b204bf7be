//! Which agent a question is for: by words, by what is attached, and by where the student is. Works
//! without a model; patterns and weights are those of the project's tutoring study, section 5.1.

use std::sync::LazyLock;

use curriculum::Found;
use domain::agent::Agent;
use events::question_routed::Routing;
use regex::Regex;

/// The temperature of the softmax over scores.
const TEMPERATURE: f64 = 1.5;
/// Below this share of the whole, or this lead over the next, one question is asked back.
const SURE: f64 = 0.60;
const LEAD: f64 = 0.15;
/// How sure a traceback makes: it is hardly ever pasted for another reason.
const TRACEBACK_CONFIDENCE: f64 = 0.98;
/// Words up to which a plea such as «help, I'm stuck» says nothing about what it needs.
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

struct Signal {
    agent: Agent,
    weight: f64,
    pattern: Regex,
    reason: &'static str,
}

static SIGNALS: LazyLock<Vec<Signal>> = LazyLock::new(|| {
    let signal = |agent, weight, pattern, reason| Signal {
        agent,
        weight,
        pattern: Regex::new(pattern).expect("the pattern is a literal that the tests compile"),
        reason,
    };
    vec![
        signal(Agent::Debug, 4.0, r"(?i)\b\w+(Error|Exception)\b", "names an error"),
        signal(
            Agent::Debug,
            2.5,
            r"(?i)\b(errors?|exceptions?|crash(es|ed)?|throws?)\b",
            "speaks of an error",
        ),
        signal(
            Agent::Debug,
            3.0,
            r"(?i)(n't|\bnot|\bnever|\bwont|\bdoesnt|\bisnt)\s+(\w+\s+)?(work|run|stop|print|return|pass|compile)",
            "something does not work",
        ),
        signal(
            Agent::Debug,
            3.0,
            r"(?i)(isn'?t|\bnot|seem to be)\s+working",
            "something does not work",
        ),
        signal(
            Agent::Debug,
            2.0,
            r"(?i)\b(fail(s|ed|ing)?|wrong|incorrect|unexpected|bugs?|broken|fix)\b",
            "something is wrong",
        ),
        signal(
            Agent::Debug,
            2.0,
            r"(?i)\bwhy\b.{0,40}\b(my|this) (code|program|function|loop|script)",
            "asks why the own code behaves so",
        ),
        signal(
            Agent::Debug,
            2.5,
            r"(?i)\b(infinite|endless)\b.{0,20}\b(my|this)\b|\b(my|this)\b.{0,30}\b(infinite|endless|forever)\b",
            "the own loop does not end",
        ),
        signal(
            Agent::Debug,
            2.0,
            r"(?i)\b(returns?|prints?|gives?|getting?)\b.{0,15}\b(none|empty|nothing)\b",
            "a result is missing",
        ),
        signal(Agent::Debug, 2.0, r"(?i)\btests?\b.{0,20}\b(fail|but|except)", "a test fails"),
        signal(Agent::Debug, 1.5, r"(?i)\binstead of\b", "something else was expected"),
        signal(
            Agent::Concepts,
            1.5,
            r"(?i)^\s*(what|how|why|when|which|where|who)\b",
            "begins with a question word",
        ),
        signal(
            Agent::Concepts,
            1.5,
            r"(?i)\bwhat('s| is| are| does| do| means?)\b|\bmeans?\b",
            "asks what something is",
        ),
        signal(
            Agent::Concepts,
            3.0,
            r"(?i)\bdifferen(ce|t)\b|\b(vs|versus)\b|\bcompared? (to|with)\b",
            "compares two things",
        ),
        signal(
            Agent::Concepts,
            2.0,
            r"(?i)\b(explain|understand|concepts?|meaning|describe|teach)\b",
            "asks for an explanation",
        ),
        signal(
            Agent::Concepts,
            1.5,
            r"(?i)\bhow (do|does|can|to|would|should)\b",
            "asks how something is done",
        ),
        signal(
            Agent::Concepts,
            1.5,
            r"(?i)\b(when should|purpose|advantages?|is it possible|examples?)\b",
            "asks for purpose or example",
        ),
        signal(
            Agent::CodeReview,
            2.5,
            r"(?i)\b(review|feedback|clean(er)?|refactor|pythonic|readab\w+|style|pep ?8|improve|better way|optimi[sz]e|efficient|simplif\w+|shorten)\b",
            "asks how to make code better",
        ),
        signal(
            Agent::CodeReview,
            3.0,
            r"(?i)\bis (my|this) (code|solution|program|function) (good|correct|ok|okay|fine|right)\b",
            "asks whether code is good",
        ),
        signal(
            Agent::CodeReview,
            2.0,
            r"(?i)\b(suggestions|rate my)\b",
            "asks for an opinion on code",
        ),
        signal(
            Agent::Exercise,
            3.5,
            r"(?i)\b(give|generate|create|another|next|new|more|practi[cs]e)\b.{0,25}\b(exercises?|problems?|challenges?|tasks?|questions?|quiz(zes)?)\b",
            "asks for something to practise",
        ),
        signal(
            Agent::Exercise,
            3.5,
            r"(?i)\b(quiz|test) me\b|\bi want to practi[cs]e\b",
            "wants to be tested",
        ),
        signal(Agent::Exercise, 2.5, r"(?i)\bhint\b", "asks for a hint"),
        signal(
            Agent::Progress,
            4.0,
            r"(?i)\bmy (progress|score|mastery|level|streak)\b|\bhow am i doing\b|\bwhat should i learn next\b",
            "asks about the own progress",
        ),
    ]
});

static ABOUT_ERRORS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)what (does|is|are|means?)\b.*(error|exception)")
        .expect("the pattern is a literal that the tests compile")
});
static PLEA: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(stuck|help|lost|confused|no idea|don'?t (get|understand)|makes no sense)\b")
        .expect("the pattern is a literal that the tests compile")
});
static PROGRAMMING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(python|cod(e|ing)|program\w*|script|algorithm|software|syntax|ide|exercise|quiz|homework|lesson|course)\b")
        .expect("the pattern is a literal that the tests compile")
});

/// Decides.
#[must_use]
pub fn classify(context: &Context<'_>) -> Routing {
    let paste = python::split(context.question);
    let report_text = [context.error.unwrap_or_default(), context.question].join("\n");
    let report = python::read_report(&report_text);
    let has_code =
        context.code.is_some_and(|code| !code.trim().is_empty()) || !paste.code.is_empty();
    let prose = paste.prose.trim();
    let found = curriculum::embedded().find(prose);
    if let Some(report) = &report
        && (has_code || !ABOUT_ERRORS.is_match(prose))
    {
        return Routing {
            agent: Agent::Debug,
            confidence: TRACEBACK_CONFIDENCE,
            reasons: vec![format!("an error report came with it: {}", report.error_type)],
            clarification: None,
        };
    }
    let scores = Scores::new(context, prose, &found, has_code, report.is_some());
    if scores.is_empty() && !PROGRAMMING.is_match(prose) && context.topic.is_none() {
        return Routing {
            agent: Agent::OffTopic,
            confidence: 0.9,
            reasons: vec!["names nothing that has to do with programming".to_owned()],
            clarification: None,
        };
    }
    scores.decide()
}

/// Evidence for each agent.
struct Scores {
    evidence: Vec<(Agent, f64, String)>,
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
        let mut evidence: Vec<(Agent, f64, String)> = SIGNALS
            .iter()
            .filter(|signal| signal.pattern.is_match(prose))
            .map(|signal| (signal.agent, signal.weight, signal.reason.to_owned()))
            .collect();
        let names = found.matches.iter().map(|found| found.topic.title.as_str());
        let named: Vec<&str> = names.chain(found.not_covered.iter().copied()).collect();
        if !named.is_empty() {
            evidence.push((Agent::Concepts, 1.5, format!("names {}", named.join(", "))));
        }
        let mut note = |holds: bool, agent, weight, reason: &str| {
            if holds {
                evidence.push((agent, weight, reason.to_owned()));
            }
        };
        let asks = prose.contains('?') || prose.split_whitespace().count() > PLEA_WORDS;
        note(
            has_report && ABOUT_ERRORS.is_match(prose),
            Agent::Concepts,
            4.0,
            "asks what an error means",
        );
        note(context.failed_recently, Agent::Debug, 1.0, "a run failed lately");
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

    /// Whether nothing speaks for anything but the form of a question.
    fn is_empty(&self) -> bool {
        let strong = [Agent::CodeReview, Agent::Exercise, Agent::Progress, Agent::Debug];
        !self.about_programming
            && !self
                .evidence
                .iter()
                .any(|(agent, weight, _)| strong.contains(agent) && *weight >= 2.5)
    }

    fn decide(mut self) -> Routing {
        let agents = &Agent::ALL[..5];
        let total = |agent: Agent| -> f64 {
            self.evidence.iter().filter(|(of, ..)| *of == agent).map(|(_, weight, _)| weight).sum()
        };
        let mut ranked: Vec<(Agent, f64)> =
            agents.iter().map(|agent| (*agent, (total(*agent) / TEMPERATURE).exp())).collect();
        let sum: f64 = ranked.iter().map(|(_, share)| share).sum();
        ranked.sort_by(|a, b| b.1.total_cmp(&a.1));
        let (agent, share) = (ranked[0].0, ranked[0].1 / sum);
        let (second, next) = (ranked[1].0, ranked[1].1 / sum);
        let sure = share >= SURE && share - next >= LEAD;
        self.evidence.retain(|(of, ..)| *of == agent);
        self.evidence.sort_by(|a, b| b.1.total_cmp(&a.1));
        let mut reasons: Vec<String> =
            self.evidence.into_iter().map(|(.., reason)| reason).take(REASONS).collect();
        reasons.dedup();
        if reasons.is_empty() {
            reasons.push("nothing speaks for another agent".to_owned());
        }
        Routing {
            agent,
            confidence: (share * 100.0).round() / 100.0,
            reasons,
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
        Agent::OffTopic => "something else",
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
    fn odd_input_gets_an_answer_too() {
        for question in ["?", "....", "ñandú 🐍", &"list ".repeat(800)] {
            let routing = classify(&Context { question, ..Context::default() });
            assert!((0.0..=1.0).contains(&routing.confidence) && !routing.reasons.is_empty());
        }
    }
}
