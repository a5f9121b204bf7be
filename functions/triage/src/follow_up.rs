//! Follow-ups to the previous answer: "and why?", "show me another example", "I still don't get it". They are
//! understood from the last exchanges of the conversation.

use std::sync::LazyLock;

use domain::{agent::Agent, text::Code};
use events::{
    question_asked::QuestionAsked,
    question_routed::{FollowUp, FollowUpKind, Routing},
};
use meaning::compile;
use regex::Regex;
use storage::{queries::QuestionBody, student_context::AnsweredQuestion};

use crate::pleas::is_only_mood;

/// Most exchanges that are considered.
pub const WINDOW: i64 = 4;
/// Most words of a follow-up: longer questions say themselves what they are about.
const MAX_WORDS: usize = 14;
/// The confidence of a follow-up.
const CONFIDENCE: f64 = 0.85;

static WHY: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"^\W*(and |but |ok(ay)?,? |so )*(why|how come|what for)( is| does| not| would)?( it| that| this)?( so| be)?\W*$|^\W*(and |but )?why (is|does|do|not|would)\b.{0,20}\b(that|this|it)\b",
    )
});
static EXAMPLE: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"\b(another|one more|more|different|other|second|next|an?|any) examples?\b|^\W*(and |please )?(show|give) me (another|one more|one)\W*$|^\W*examples?( please)?\W*$",
    )
});
static SIMPLER: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"\bstill (do ?n'?t|dont|do not|ca ?n'?t) \w+|\b(simpler|easier|slower|more simply)\b|\bin other words\b|\bin (simple|plain|easy) \w+\b|\b(explain|say) (it|that|this) (again|differently|another way)\b|\bagain,? please\b|^\W*(huh|what|sorry)\W*$|\bwhat do you mean\b|^\W*i (do ?n'?t|dont|do not) (get|understand)( it| that| this)?\W*$|\btoo (hard|complicated|difficult)\b",
    )
});
static MORE: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"\b(tell me|say|know|explain) more\b|\bmore (details?|about (it|that|this))\b|^\W*(go on|continue|and then|what else|more|next)( please)?\W*$|\b(next|another|one more) hint\b|\bin (more )?depth\b",
    )
});
static SAME: LazyLock<Regex> = LazyLock::new(|| {
    compile(r"\b(it|that|this|them|these|those|one)\b|^\W*(and|but|so|then|ok(ay)?|also)\b")
});

/// Compares something with the previous subject.
static COMPARED: LazyLock<Regex> =
    LazyLock::new(|| compile(r"^\W*(and|but|so)\b.*\b(instead|rather)\b"));

/// Whether a question had code or an error.
const fn has_more(question: &QuestionBody) -> bool {
    question.code.is_some() || question.error.is_some() || question.exercise_id.is_some()
}

/// What a question wants of the previous answer, by its words alone.
#[must_use]
pub fn kind(question: &str) -> Option<FollowUpKind> {
    let paste = pasted_text::split(question);
    let prose = paste.prose.trim();
    if prose.split_whitespace().count() > MAX_WORDS
        || !paste.code.is_empty()
        || !paste.report.is_empty()
    {
        return None;
    }
    if is_only_mood(prose) {
        return Some(FollowUpKind::Simpler);
    }
    let kinds = [
        (FollowUpKind::Example, &EXAMPLE),
        (FollowUpKind::Why, &WHY),
        (FollowUpKind::Simpler, &SIMPLER),
        (FollowUpKind::More, &MORE),
        (FollowUpKind::Same, &SAME),
    ];
    if COMPARED.is_match(prose) {
        return Some(FollowUpKind::Same);
    }
    let (kind, words) = kinds.into_iter().find(|(_, words)| words.is_match(prose))?;
    // A question that names its own subject is no follow-up.
    let found = curriculum::embedded().find(&words.replace_all(prose, " "));
    (found.matches.is_empty() && found.not_covered.is_empty()).then_some(kind)
}

/// Whether a question may be a follow-up, so that the conversation must be loaded.
#[must_use]
pub fn may_follow(asked: &QuestionAsked) -> bool {
    let is_bare = asked.agent.is_none() && asked.code.is_none() && asked.error.is_none();
    let question = asked.question.as_str();
    is_bare
        && (kind(question).is_some()
            || is_short(question) && code_explanation::refers_to_code(question))
}

/// A question may be about the program that was shown before, if it says little else.
fn is_short(question: &str) -> bool {
    question.split_whitespace().take(MAX_WORDS + 1).count() <= MAX_WORDS
}

/// The program that was shown last.
fn shown_before(before: &[AnsweredQuestion]) -> Option<Code> {
    before.iter().map(|earlier| &earlier.question).find_map(|question| {
        let pasted = || Code::try_from(pasted_text::split(question.question.as_str()).code).ok();
        question.code.clone().or_else(pasted).filter(|code| !code.as_str().trim().is_empty())
    })
}

/// Completes a question about a part of the program that was shown before: "what does line 3 do".
fn about_shown(
    asked: &mut QuestionAsked,
    before: &[AnsweredQuestion],
    routing: &Routing,
) -> Option<Routing> {
    let question = asked.question.as_str();
    let is_bare = asked.code.is_none() && asked.error.is_none() && is_short(question);
    if !is_bare
        || !pasted_text::split(question).code.is_empty()
        || !code_explanation::refers_to_code(question)
    {
        return None;
    }
    let code = shown_before(before)?;
    code_explanation::subject(question, Some(code.as_str()))?;
    asked.code = Some(code);
    Some(Routing {
        agent: Agent::Concepts,
        confidence: CONFIDENCE,
        reasons: vec!["asks about the program that was shown before".to_owned()],
        clarification: None,
        ..routing.clone()
    })
}

/// Completes a follow-up: it goes to the same agent, with the program and the exercise of the previous exchange.
/// `before` has the newest first.
#[must_use]
pub fn follow(
    asked: &mut QuestionAsked,
    before: &[AnsweredQuestion],
    routing: Routing,
) -> (Routing, Option<FollowUp>) {
    let Some(last) = before.first() else { return (routing, None) };
    if let Some(routing) = about_shown(asked, before, &routing) {
        return (routing, None);
    }
    let follow =
        kind(asked.question.as_str()).filter(|_| asked.code.is_none() && asked.error.is_none());
    let Some(kind) = follow else { return (routing, None) };
    let Some(agent) = agent(&last.agent) else { return (routing, None) };
    // A clear wish for something else counts, whatever was said before.
    if kind == FollowUpKind::Same && routing.agent != agent && routing.clarification.is_none() {
        return (routing, None);
    }
    let topics_of = |earlier: &AnsweredQuestion| earlier.topics.clone();
    let topics = before.iter().map(topics_of).find(|topics| !topics.is_empty()).unwrap_or_default();
    let same = before.iter().take_while(|earlier| {
        let own = &earlier.topics;
        *own == topics || own.is_empty()
    });
    let kind_of = |question: &QuestionBody| self::kind(question.question.as_str());
    let times = same.filter(|earlier| kind_of(&earlier.question) == Some(kind)).count();
    // The last program shown, maybe some questions ago.
    let mut shown = before
        .iter()
        .map(|earlier| &earlier.question)
        .take_while(|question| kind_of(question).is_some() || has_more(question));
    if let Some(shown) = shown.find(|question| has_more(question)) {
        asked.code.clone_from(&shown.code);
        asked.error.clone_from(&shown.error);
        asked.exercise_id = asked.exercise_id.or(shown.exercise_id);
    }
    if asked.code.is_none() && agent == Agent::Concepts {
        // What was explained may have been pasted into the question.
        asked.code = shown_before(&before[..1]);
    }
    let routing = Routing {
        agent,
        confidence: CONFIDENCE,
        reasons: vec![format!("follows up on the previous answer ({})", agent.as_str())],
        clarification: None,
        ..routing
    };
    let times = u32::try_from(times + 1).unwrap_or(u32::MAX);
    let question = last.question.question.as_str().to_owned();
    (routing, Some(FollowUp { kind, question, topics, times }))
}

/// The agent that answered, if its answers can be followed up.
fn agent(name: &str) -> Option<Agent> {
    let agents = [Agent::Concepts, Agent::Debug, Agent::CodeReview, Agent::Exercise];
    agents.into_iter().find(|agent| agent.as_str() == name)
}

#[cfg(test)]
mod tests {
    use events::question_routed::FollowUpKind;

    use super::kind;

    #[test]
    fn follow_ups_are_distinguished_from_new_questions() {
        for (question, expected) in [
            ("and why?", Some(FollowUpKind::Why)),
            ("Why is that?", Some(FollowUpKind::Why)),
            ("show me another example", Some(FollowUpKind::Example)),
            ("can I see one more example please", Some(FollowUpKind::Example)),
            ("I still don't get it", Some(FollowUpKind::Simpler)),
            ("explain it again", Some(FollowUpKind::Simpler)),
            ("huh?", Some(FollowUpKind::Simpler)),
            ("I feel so stupid, everybody else gets it", Some(FollowUpKind::Simpler)),
            ("tell me more", Some(FollowUpKind::More)),
            ("next hint please", Some(FollowUpKind::More)),
            ("and when do I need it?", Some(FollowUpKind::Same)),
            ("What is a list?", None),
            ("show me an example of a while loop", None),
            ("why do we use functions?", None),
            ("Traceback (most recent call last):\nNameError: name 'x' is not defined", None),
        ] {
            assert_eq!(kind(question), expected, "{question}");
        }
    }
}
