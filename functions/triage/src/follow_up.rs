//! Questions that go on from the answer before them: «and why?», «show me another example», «I still don't get
//! it». They are understood within the last exchanges of the conversation.

use std::sync::LazyLock;

use domain::agent::Agent;
use events::{
    question_answered::Answer,
    question_asked::QuestionAsked,
    question_routed::{FollowUp, FollowUpKind, Routing},
};
use regex::Regex;
use serde::Deserialize;
use storage::conversations::Exchange;

use crate::patterns::compile;

/// Exchanges that are looked at.
pub const WINDOW: i64 = 4;
/// Words of a question that can go on from another one: longer ones say themselves what they are about.
const MAX_WORDS: usize = 14;
/// How sure a question makes that goes on from an answer.
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

/// Holds something against what was spoken of.
static COMPARED: LazyLock<Regex> =
    LazyLock::new(|| compile(r"^\W*(and|but|so)\b.*\b(instead|rather)\b"));

/// What of a question is kept.
#[derive(Debug, Deserialize)]
struct Kept {
    question: String,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    exercise_id: Option<uuid::Uuid>,
}

impl Kept {
    /// Whether there is more than words.
    const fn has_more(&self) -> bool {
        self.code.is_some() || self.error.is_some() || self.exercise_id.is_some()
    }
}

#[derive(Debug, Deserialize)]
struct KeptAnswer {
    answer: Answer,
}

/// What a question wants of the answer before it, by its words alone.
#[must_use]
pub fn kind(question: &str) -> Option<FollowUpKind> {
    let paste = python::split(question);
    let prose = paste.prose.trim();
    if prose.split_whitespace().count() > MAX_WORDS
        || !paste.code.is_empty()
        || !paste.report.is_empty()
    {
        return None;
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
    // A question that names its own subject is about that.
    let found = curriculum::embedded().find(&words.replace_all(prose, " "));
    (found.matches.is_empty() && found.not_covered.is_empty()).then_some(kind)
}

/// Makes a question that goes on from an answer whole: it goes to the same agent, with the program and the
/// exercise that were spoken of. `before` is the newest first.
#[must_use]
pub fn follow(
    asked: &mut QuestionAsked,
    before: &[Exchange],
    routing: Routing,
) -> (Routing, Option<FollowUp>) {
    let follow =
        kind(asked.question.as_str()).filter(|_| asked.code.is_none() && asked.error.is_none());
    let Some((kind, last)) = follow.zip(before.first()) else { return (routing, None) };
    let read = |exchange: &Exchange| {
        let kept: Option<Kept> = serde_json::from_value(exchange.question.clone()).ok();
        let answer = exchange.answer.clone().and_then(|body| serde_json::from_value(body).ok());
        kept.zip(answer.map(|kept: KeptAnswer| kept.answer))
    };
    let (Some((kept, answer)), Some(agent)) = (read(last), agent(last.agent.as_deref())) else {
        return (routing, None);
    };
    // A clear wish for something else is one, whatever was said before.
    if kind == FollowUpKind::Same && routing.agent != agent && routing.clarification.is_none() {
        return (routing, None);
    }
    let subject = before.iter().filter_map(read).find(|(_, answer)| !answer.topics.is_empty());
    let topics = if answer.topics.is_empty() {
        subject.map(|(_, answer)| answer.topics).unwrap_or_default()
    } else {
        answer.topics
    };
    let earlier = before.iter().filter_map(read);
    let same =
        earlier.take_while(|(_, answer)| answer.topics == topics || answer.topics.is_empty());
    let times = same.filter(|(kept, _)| self::kind(&kept.question) == Some(kind)).count();
    // What was shown last, maybe some questions ago.
    let shown = before.iter().filter_map(read).map(|(kept, _)| kept);
    let shown = shown.take_while(|kept| self::kind(&kept.question).is_some() || kept.has_more());
    if let Some(shown) = shown.into_iter().find(Kept::has_more) {
        asked.code = shown.code.and_then(|code| code.try_into().ok());
        asked.error = shown.error.and_then(|error| error.try_into().ok());
        asked.exercise_id = asked.exercise_id.or(shown.exercise_id);
    }
    let routing = Routing {
        agent,
        confidence: CONFIDENCE,
        reasons: vec![format!("goes on from the answer before it ({})", agent.as_str())],
        clarification: None,
        ..routing
    };
    let times = u32::try_from(times + 1).unwrap_or(u32::MAX);
    (routing, Some(FollowUp { kind, question: kept.question, topics, times }))
}

/// The agent that has answered, if a question can go on from its answer.
fn agent(name: Option<&str>) -> Option<Agent> {
    let agents = [Agent::Concepts, Agent::Debug, Agent::CodeReview, Agent::Exercise];
    agents.into_iter().find(|agent| Some(agent.as_str()) == name)
}

#[cfg(test)]
mod tests {
    use events::question_routed::FollowUpKind;

    use super::kind;

    #[test]
    fn what_goes_on_from_an_answer_is_told_from_what_begins_anew() {
        for (question, expected) in [
            ("and why?", Some(FollowUpKind::Why)),
            ("Why is that?", Some(FollowUpKind::Why)),
            ("show me another example", Some(FollowUpKind::Example)),
            ("can I see one more example please", Some(FollowUpKind::Example)),
            ("I still don't get it", Some(FollowUpKind::Simpler)),
            ("explain it again", Some(FollowUpKind::Simpler)),
            ("huh?", Some(FollowUpKind::Simpler)),
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
