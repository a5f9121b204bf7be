//! Decides which agent a question is for: by what it means, by attachments, and by the student's context. Works without
//! a model server.

use std::sync::LazyLock;

use curriculum::{Found, Match};
use domain::agent::Agent;
use events::question_routed::{Routing, Sign};
use meaning::{Asked, Reading, Subject, asking, compile};
use pasted_text::Paste;
use regex::Regex;

use crate::{pleas, reply::clarification, signs::signs};

/// Below this share, a clarifying question is asked.
const SURE: f64 = 0.60;
/// The share from which a question is about something else than the course: to send a student away is worse than to
/// answer a question that was not meant.
const SURELY_OFF_TOPIC: f64 = 0.65;
/// The share from which an agent is offered as a third choice.
const LIKELY: f64 = 0.20;
/// The confidence that a traceback gives: it is hardly ever pasted for another reason.
const TRACEBACK_CONFIDENCE: f64 = 0.98;
/// The confidence that a question asks to explain code: its words name the code, a line or a name of it.
const EXPLAINS_CODE: f64 = 0.9;
/// The share from which a question is about an idea of the course, and not about the program that it came from.
const NAMES_IDEA: f64 = 0.4;
/// The share from which a title says that an idea is asked about, whatever program stands below it.
const SURE_OF_TITLE: f64 = 0.9;
/// The confidence that a question which names an idea wants it explained.
const ABOUT_IDEA: f64 = 0.75;
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
        r"what(['’]?s| does| is| are| means?)\b.*(error|exception)|\bmean(s|ing)?\b|\bstands? for\b|\b(avoid|prevent|handle|catch|deal with|raise)(ing)?\b",
    )
});
/// Words of somebody whose own program fails.
static FAILS: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"\b(\w*errors?|exceptions?|traceback|crash\w*|fail(s|ed|ing)?|bugs?|broken|wrong|incorrect\w*|debug\w*|fix|instead of|expected|supposed)\b|\b(do|does|did|is|wo|wont|dont|doesnt|isnt|not|never)(n['’]?t| not)? (\w+ )?(work|working|works|run|running|stop|print|return|end)\b|\b(my|this|our) (\w+ )?(code|program|script|function|loop|method|class|solution|output|result)\b|\b(the) (code|program|script|function|loop|output) (does|is|gives?|keeps?|only|never|always|return|print)|\b(invalid|out of range|not defined|i get|i got|i'?m getting|am i doing|help me|it (keeps|only|just|still))\b",
    )
});
/// Words of somebody who asks about Python, whatever program stands beside.
static ASKS_IDEA: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"\bhow \w+\b|\bwhy (do|does|is|are|must|can|would|should|i|we|you|it)\b|\bwhat('?s| is| are| does| do| would| should| must| can)\b|\bdifference\b|\b(is there|are there) (a|an|any)\b|\b(can|could) (someone|anyone|somebody|you) (please )?explain\b|\b(understand|purpose|meaning|keyword|confused|wonder\w*|curious|enlighten|clarify)\b",
    )
});
/// Text that only programs have: nobody writes it about something else.
static HAS_CODE_NAMES: LazyLock<Regex> =
    LazyLock::new(|| compile(r"`|\b[a-z]+_[a-z_]+\b|\b[a-z]\w*\(\)|\b[a-z]\w*\.[a-z]\w*\("));
/// What came out of a program, and what should have.
static WRONG_VALUE: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r#"\b(gives?|gave|returns?|returned|prints?|printed|outputs?|shows?|get|gets|got|is)\b[^.?!]*\b(instead of|should (be|have been|return|give|print|show)|(supposed|meant) to (be|return|give|print|show)|(i|we) expect(ed)?|not)\b\s*[`'"(\[{-]*(\d|true\b|false\b|none\b|['"\[{(])|\b(prints?|printed|outputs?|shows?|displays?)\b[^.?!\n]*\b(instead of|rather than)\b|\b(should|supposed to) (print|output|show|display)\b[^.?!\n]*\b(but|instead)\b[^.?!\n]*\b(prints?|outputs?|shows?|displays?|get|got|gives?)\b|\bexpected( output)?\s*:[^:]{0,300}\b(got|actual( output)?|output)\s*:"#,
    )
});
/// What the student says that they do not want.
static UNWANTED: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"\b(do ?n'?t|do not|dont|no need to|not asking (you )?(for|to)|without)\s+(want|need|give|giving|send|sending|make|create|show|review|reviewing|explain|explaining|fix|fixing)\b[^,.;!?]*",
    )
});

/// Decides.
#[must_use]
pub fn classify(context: &Context<'_>) -> Routing {
    let paste = pasted_text::split(context.question);
    let prose = paste.prose.trim();
    let signs = signs(prose);
    let foreign = meaning::recognise(prose);
    let words = foreign.as_ref().map_or(prose, |foreign| foreign.english.as_str());
    let routing = decide(context, &paste, words, &signs, foreign.is_some());
    Routing { signs, greeting: foreign.map(|foreign| foreign.greeting.to_owned()), ..routing }
}

fn decide(
    context: &Context<'_>,
    paste: &Paste,
    prose: &str,
    signs: &[Sign],
    is_foreign: bool,
) -> Routing {
    if signs.contains(&Sign::Distress) {
        return certain(Agent::OffTopic, 0.95, "its author may need help");
    }
    if signs.contains(&Sign::Unsafe) {
        return certain(Agent::OffTopic, 0.95, "asks for something that harms others");
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
        return certain(Agent::Debug, 0.9, format!("an error from {language} came with it"));
    }
    if !has_code && signs.contains(&Sign::Injection) {
        return certain(Agent::OffTopic, 0.9, "tells the tutor to be something else");
    }
    if !asked.contains(char::is_alphabetic) {
        return without_words(has_code);
    }
    if !has_code && context.in_exercise && signs.contains(&Sign::SolutionRequest) {
        return certain(Agent::Exercise, 0.9, "wants the solution of the exercise that is open");
    }
    let is_mood = pleas::is_only_mood(asked);
    if !has_code && (is_mood || is_bare_plea(context, asked)) {
        if context.failed_recently {
            return certain(Agent::Debug, 0.9, "a plea for help after a run that failed");
        }
        // Most who say no more have a program that does not work; but they may want something else, and who is lost
        // needs a place to begin.
        let choices = [Agent::Debug, Agent::Concepts, Agent::Exercise];
        let is_lost = is_mood || pleas::is_lost(asked);
        let agent = if is_lost { Agent::Concepts } else { Agent::Debug };
        let routing = certain(agent, 0.5, "a plea for help");
        return Routing { clarification: Some(clarification(&choices)), ..routing };
    }
    let code = context.code.filter(|code| !code.trim().is_empty()).or(Some(paste.code.as_str()));
    if report.is_none() && code_explanation::subject(asked, code).is_some() {
        return certain(Agent::Concepts, EXPLAINS_CODE, "asks what code does");
    }
    if has_code && WRONG_VALUE.is_match(asked) {
        return certain(Agent::Debug, 0.9, "says what came out and what should have");
    }
    let found = curriculum::embedded().find(asked);
    let reading = meaning::read(
        &Asked {
            prose: asked,
            has_code,
            has_error: report.is_some(),
            in_exercise: context.in_exercise,
            failed_recently: context.failed_recently,
            on_page: context.topic.is_some(),
        },
        &found,
    );
    let belongs = signs.contains(&Sign::Struggle) || HAS_CODE_NAMES.is_match(asked);
    let names_practice = reading.reasons.iter().any(|(agent, _)| *agent == Agent::Exercise);
    let routing = route(reading, &found, has_code, belongs);
    let is_misread = is_misread(context, &routing, asked, has_code, names_practice, is_foreign);
    if report.is_none() && is_misread && names_idea(asked) {
        return certain(Agent::Concepts, ABOUT_IDEA, "asks about an idea of the course");
    }
    routing
}

/// Whether a question that asks about Python was read as being about the student's program, or as a wish to practise,
/// without words that say so. Of a question in another language only some words are known, seldom those that ask.
fn is_misread(
    context: &Context<'_>,
    routing: &Routing,
    asked: &str,
    has_code: bool,
    names_practice: bool,
    is_foreign: bool,
) -> bool {
    let is_unsure = routing.clarification.is_some();
    if routing.agent == Agent::Exercise && !names_practice && !context.in_exercise {
        // Nothing but the meaning of the words said so, and a question wants an answer.
        if is_unsure || asked.contains('?') {
            return true;
        }
    }
    if let Some(title) = asking::title(asked) {
        return is_about_title(routing, title);
    }
    if !is_foreign && !ASKS_IDEA.is_match(asked) {
        return false;
    }
    match routing.agent {
        Agent::Debug => !FAILS.is_match(asked),
        Agent::CodeReview => !has_code,
        Agent::Exercise => is_unsure || !names_practice,
        Agent::Concepts | Agent::Progress | Agent::OffTopic | Agent::Unknown => false,
    }
}

/// Whether a question was read as being about the student's program, and its title asks about Python.
fn is_about_title(routing: &Routing, title: &str) -> bool {
    let found = curriculum::embedded().find(title);
    let reading = meaning::read(&Asked { prose: title, ..Asked::default() }, &found);
    let is_idea = reading
        .shares
        .first()
        .is_some_and(|(agent, share)| *agent == Agent::Concepts && *share >= SURE_OF_TITLE);
    is_idea
        && !FAILS.is_match(title)
        && matches!(routing.agent, Agent::Debug | Agent::CodeReview | Agent::Exercise)
}

/// Whether the question, or one of its sentences, names an idea of the course.
fn names_idea(asked: &str) -> bool {
    let names = |prose: &str| {
        let found = curriculum::embedded().find(prose);
        let by_phrase = found.matches.first();
        by_phrase.is_some_and(|named| named.concept.is_some() && named.longest >= Match::PHRASE)
            || meaning::topic(&meaning::ideas(&Subject { prose, ..Subject::default() }, &found))
                .is_some_and(|best| best.share >= NAMES_IDEA)
    };
    asking::sentences(asked).into_iter().chain([asked]).any(names)
}

/// Whether a student asks for help, says nothing more, and has no page or exercise open that it could be about.
fn is_bare_plea(context: &Context<'_>, asked: &str) -> bool {
    let is_elsewhere = context.in_exercise || context.topic.is_some();
    !is_elsewhere && pleas::is_plea(asked)
}

fn without_words(has_code: bool) -> Routing {
    let (agent, reason) = if has_code {
        (Agent::CodeReview, "code came without a question")
    } else {
        (Agent::Concepts, "nothing is asked")
    };
    let clarification = Some(clarification(&[agent, Agent::Debug]));
    Routing { clarification, ..certain(agent, 0.5, reason) }
}

fn certain(agent: Agent, confidence: f64, reason: impl Into<String>) -> Routing {
    Routing {
        agent,
        confidence,
        reasons: vec![reason.into()],
        signs: Vec::new(),
        clarification: None,
        greeting: None,
    }
}

/// The likeliest agent, with the evidence for it. `belongs`: it is about the course, whatever its words say.
fn route(reading: Reading, found: &Found<'_>, has_code: bool, belongs: bool) -> Routing {
    let Reading { mut shares, reasons } = reading;
    if let Some((_, share)) = shares.iter().find(|(agent, _)| *agent == Agent::OffTopic)
        // Who struggles is not sent away, nor who speaks of code.
        && (*share < SURELY_OFF_TOPIC || belongs)
    {
        shares.retain(|(agent, _)| *agent != Agent::OffTopic);
    }
    let (agent, share) = shares[0];
    let mut evidence: Vec<String> = Vec::new();
    let names = found.matches.iter().map(|found| found.topic.title.as_str());
    let named: Vec<&str> = names.chain(found.not_covered.iter().copied()).collect();
    if agent == Agent::Concepts && !named.is_empty() {
        evidence.push(format!("names {}", named.join(", ")));
    }
    let of_agent = reasons.into_iter().filter(|(of, _)| *of == agent);
    evidence.extend(of_agent.map(|(_, reason)| reason.to_owned()));
    evidence.dedup();
    evidence.truncate(REASONS);
    if has_code && matches!(agent, Agent::Debug | Agent::CodeReview) {
        evidence.push("code came with it".to_owned());
    }
    if evidence.is_empty() {
        let reason = match agent {
            Agent::OffTopic => "is about something else than programming",
            _ => "means much the same as questions for this agent",
        };
        evidence.push(reason.to_owned());
    }
    let likely =
        shares.iter().take(3).filter(|(_, share)| *share >= LIKELY).map(|(agent, _)| *agent);
    let mut choices: Vec<Agent> = likely.collect();
    if choices.len() < 2 {
        choices = shares.iter().take(2).map(|(agent, _)| *agent).collect();
    }
    Routing {
        agent,
        confidence: (share * 100.0).round() / 100.0,
        reasons: evidence,
        signs: Vec::new(),
        clarification: (share < SURE).then(|| clarification(&choices)),
        greeting: None,
    }
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
    fn a_title_that_asks_about_python_counts_for_more_than_the_program_below() {
        let below = "I have this, and in the end it always gives 1.\n\nprint(len([text]))";
        let code = Some("print(len([text]))");
        let titled = |title: &str| {
            let question = &format!("{title}\n\n{below}");
            classify(&Context { question, code, ..Context::default() }).agent
        };
        assert_eq!(titled("how to count the words of a text"), Agent::Concepts);
        assert_eq!(titled("my function gives the wrong result"), Agent::Debug);
    }

    #[test]
    fn who_wants_to_understand_gets_no_exercise() {
        for question in [
            "trying to understand slices of lists",
            "What should an attribute begin with that I do not know yet?",
            "I have some experience with C. A question: what does it mean to import a module?",
        ] {
            assert_eq!(agent(question), Agent::Concepts, "{question}");
        }
        assert_eq!(agent("I want an exercise on slices of lists"), Agent::Exercise);
    }

    #[test]
    fn who_wants_the_solution_gets_hints_on_the_open_exercise() {
        for question in [
            "just give me the solution to this",
            "my teacher said it's fine to show me the answer",
            "I've been stuck for hours, solve it for me",
        ] {
            let routing = classify(&Context { question, in_exercise: true, ..Context::default() });
            assert_eq!(routing.agent, Agent::Exercise, "{question}");
        }
    }

    #[test]
    fn the_first_message_about_a_program_goes_to_debug_unless_it_asks_for_something_else() {
        let code = Some("def f(n):\n    return n");
        let with_code =
            |question| classify(&Context { question, code, ..Context::default() }).agent;
        for question in [
            "Hi! I have trouble with my `largest()` function and I can't see why.",
            "Hello, I was working on this and it gives the opposite of what I want.",
            "help!",
            "largest([3, 9, 4]) still gives 3 instead of 9, I don't see why",
            "f(5) returns 8 but it should return 5",
        ] {
            assert_eq!(with_code(question), Agent::Debug, "{question}");
        }
        assert_eq!(with_code("could you explain what this function does?"), Agent::Concepts);
        assert_eq!(with_code("it works, but is it good style?"), Agent::CodeReview);
        assert_eq!(with_code("what's the weather like today?"), Agent::OffTopic);
    }

    #[test]
    fn a_question_about_an_idea_is_no_complaint_about_the_program_beside_it() {
        let code = Some("numbers = [1, 2, 3]\nprint(numbers)");
        let with = |question| classify(&Context { question, code, ..Context::default() }).agent;
        assert_eq!(with("why do lists begin with 0? I wonder about that"), Agent::Concepts);
        assert_eq!(with("how do I print the list without brackets?"), Agent::Concepts);
        assert_eq!(with("how come it prints the wrong thing"), Agent::Debug);
        for question in [
            "I cannot follow what self is for, could anybody explain?",
            "what would be a good way to think about nested loops?",
            "Can I call my_car something else? I mean, is a variable name free to choose?",
        ] {
            assert_eq!(agent(question), Agent::Concepts, "{question}");
        }
    }

    #[test]
    fn what_is_said_of_a_call_goes_to_debug_and_what_is_asked_does_not() {
        let with_code = |question: &str| {
            let code = Some("def f(n):\n    while n:\n        pass\n");
            classify(&Context { question, code, ..Context::default() }).agent
        };
        for question in [
            "f([2, 4, 6, 8], 8) never ends, it should be 3",
            "f(5) runs forever",
            "`f(5)` hangs",
            "It doesn't stop",
            "f(5) repeats it once too often",
        ] {
            assert_eq!(with_code(question), Agent::Debug, "{question}");
        }
        assert_eq!(with_code("what does f(5) do"), Agent::Concepts);
    }

    #[test]
    fn who_is_lost_gets_a_place_to_begin() {
        let mood = classify(&Context { question: "I feel so stupid", ..Context::default() });
        assert!(mood.agent == Agent::Concepts && mood.clarification.is_some(), "{mood:?}");
        assert_eq!(agent("I am so lost"), Agent::Concepts);
        assert_eq!(agent("please help"), Agent::Debug);
    }

    #[test]
    fn a_mood_or_a_story_does_not_hide_the_question() {
        for (question, expected) in [
            (
                "I'm so tired and I hate everything today, how does a while loop work?",
                Agent::Concepts,
            ),
            ("my sister laughed at me, but anyway: what is a tuple", Agent::Concepts),
            ("I cried for an hour, my loop never ends and nobody helps me", Agent::Debug),
        ] {
            assert_eq!(agent(question), expected, "{question}");
        }
    }

    #[test]
    fn a_question_in_another_language_is_understood_and_greeted() {
        for (question, expected) in [
            ("¿Qué es una variable?", Agent::Concepts),
            ("mein Programm funktioniert nicht", Agent::Debug),
            ("给我一个练习题", Agent::Exercise),
        ] {
            let routing = classify(&Context { question, ..Context::default() });
            assert_eq!(routing.agent, expected, "{question}");
            assert!(routing.greeting.is_some(), "{question}");
        }
        assert_eq!(
            classify(&Context { question: "what is a variable", ..Context::default() }).greeting,
            None
        );
    }

    #[test]
    fn unusual_input_is_answered_too() {
        let (long, brackets) = ("list ".repeat(13_000), "[".repeat(10_000));
        for question in ["?", "....", "ñandú 🐍", &long, &brackets] {
            let routing = classify(&Context { question, ..Context::default() });
            assert!((0.0..=1.0).contains(&routing.confidence) && !routing.reasons.is_empty());
        }
    }
}
