//! What the concepts agent decides, as a state machine.

use std::cell::LazyCell;

use agents::{
    Agent, Arrived, Ask, Begin, Effect, Load, Next, Reply, Run, Step,
    step::{self, Fallback},
};
use chrono::{DateTime, Utc};
use course_answers::{
    About, Asked, about,
    answer::{self, Idea},
};
use domain::agent::Author;
use events::{
    model_call::{ConceptsModelFinished, ConceptsModelRequested, Task},
    question_answered::Answer,
    question_routed::{QuestionRouted, Sign},
};
use ids::ExerciseId;
use meaning::Subject;
use runtime::HandlerError;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use tutor::{
    prompt,
    reply::{self, Explanation},
};

use crate::{
    explain::{Explaining, Verifying},
    program::{self, AboutProgram, Tracing},
};

/// Explains an idea.
#[derive(Debug)]
pub struct Concepts;

/// What is being run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Running {
    /// An example of a model's explanation. First, as it was stored before there were others.
    Verifying(Box<Verifying>),
    /// The student's program.
    Tracing(Box<Tracing>),
}

impl Begin<QuestionRouted> for Concepts {
    type Loaded = QuestionRouted;

    async fn load(
        request: QuestionRouted,
        _: DateTime<Utc>,
        _: &mut PgConnection,
    ) -> Result<QuestionRouted, HandlerError> {
        Ok(request)
    }

    fn begin(request: QuestionRouted, _: DateTime<Utc>) -> Step<Self> {
        let asked = asked(&request);
        let subject = asked.subject(page(&request));
        let course = curriculum::embedded();
        let about = LazyCell::new(|| about(course, &subject));
        let lesson = || about.is_sure().then(|| offline(&request, &subject, &about));
        if let Some(program) = program::begin(&request, &asked.prose, lesson) {
            return about_program(request, program);
        }
        let offline = offline(&request, &subject, &about);
        match answer::idea(course, &subject, &about, request.level) {
            Some(idea) => ask(request, offline, idea),
            None => Step::answer(Reply::offline(request.routing, offline)),
        }
    }
}

impl Agent for Concepts {
    type Running = Running;
    type Asking = Explaining;
    type ModelRequested = ConceptsModelRequested;
    type ModelFinished = ConceptsModelFinished;

    const AUTHOR: Author = Author::Concepts;
    const VERSION: u32 = 1;

    fn resume(arrived: Arrived<Self>, _: DateTime<Utc>) -> Step<Self> {
        match arrived {
            Arrived::Run { state: Running::Verifying(mut verifying), result } => {
                verifying.note(&result);
                verify(*verifying)
            }
            Arrived::Run { state: Running::Tracing(tracing), result } => {
                let Tracing { traced } = *tracing;
                let prose = asked(&traced).prose;
                match program::resume(&traced, &prose, &result) {
                    Some(about) => about_program(traced, about),
                    // An earlier version has read the question differently.
                    None => Step::answer(Reply::offline(traced.routing, answer::encourage())),
                }
            }
            Arrived::Model { state, text: None } => answer_offline(state),
            Arrived::Model { state, text: Some(text) } => {
                match reply::explanation(&text, prompt(Task::Explain), &state.idea) {
                    Ok(explanation) => match state.invented(&explanation.explanation) {
                        Some(number) => answer_offline(state)
                            .with(Effect::Withhold(format!("{number} is not among the facts"))),
                        None => without_solutions(state, explanation),
                    },
                    Err(withheld) => {
                        answer_offline(state).with(Effect::Withhold(withheld.to_string()))
                    }
                }
            }
        }
    }
}

/// The question in words that the course understands.
fn asked(request: &QuestionRouted) -> Asked {
    Asked::of(request.asked.question.as_str(), request.asked.code.is_some())
}

/// What "it" means: the previous topic, else the page that the student is on.
fn page(request: &QuestionRouted) -> Option<&str> {
    let spoken_of = request.follow_up.as_ref().and_then(|follow_up| follow_up.topics.first());
    let page = request.asked.topic.as_ref().map(|topic| topic.as_str());
    spoken_of.map(String::as_str).or(page)
}

/// The course's own answer.
fn offline(request: &QuestionRouted, subject: &Subject<'_>, about: &About<'_>) -> Answer {
    let course = curriculum::embedded();
    let follow_up = request
        .follow_up
        .as_ref()
        .and_then(|follow_up| answer::follow_up(course, subject.prose, follow_up, request.level));
    if let Some(answer) = follow_up {
        return answer;
    }
    let is_stuck = request.routing.signs.contains(&Sign::Struggle);
    if is_stuck && matches!(about, About::Unknown(_)) {
        return answer::encourage();
    }
    answer::answer(course, subject, about, request.level)
}

/// Has a program run, or answers about it, with a model's words beside ours if there is one.
fn about_program(request: QuestionRouted, about: AboutProgram) -> Step<Concepts> {
    match about {
        AboutProgram::Run(program, without_run) => {
            let fallback = Some(Reply::offline(request.routing.clone(), *without_run));
            let state = Running::Tracing(Box::new(Tracing { traced: request }));
            Next::Run(Box::new(Run { program: *program, state, fallback })).into()
        }
        AboutProgram::Explained(offline, idea) => {
            let facts = idea.lesson.clone();
            let mut step = ask(request, *offline, idea);
            if let Next::Ask(ask) = &mut step.next {
                ask.state.facts = Some(facts);
            }
            step
        }
    }
}

/// Asks the model; for a plain question about an idea, once for everybody.
fn ask(request: QuestionRouted, offline: Answer, idea: Idea) -> Step<Concepts> {
    let (asked, level) = (&request.asked, request.level);
    let is_plain = idea.is_plain && asked.code.is_none() && request.follow_up.is_none();
    let shared = is_plain.then(|| step::Subject { idea: idea.name.clone(), level });
    // An answer for everybody is asked for without anybody's own words.
    let question = if is_plain { "" } else { asked.question.as_str() };
    let before = request.follow_up.as_ref().map_or("", |follow_up| &follow_up.question);
    let fields = [
        ("topic", idea.name.as_str()),
        ("lesson", idea.lesson.as_str()),
        ("level", level.as_str()),
        ("before", before),
        ("question", question),
    ];
    let reply = Reply::offline(request.routing.clone(), offline.clone());
    let state =
        Explaining { request: request.clone(), offline, idea: idea.name.clone(), facts: None };
    let mut ask = Ask::new(Task::Explain, &fields, state);
    ask.fallback = Some(Fallback { reply, shared });
    Next::Ask(Box::new(ask)).into()
}

fn answer_offline(question: Explaining) -> Step<Concepts> {
    Step::answer(Reply::offline(question.request.routing, question.offline))
}

/// Leaves out examples that reveal too much of the exercise that the student is working on.
fn without_solutions(question: Explaining, mut explanation: Explanation) -> Step<Concepts> {
    let Some(id) = question.request.asked.exercise_id else {
        return verify(Verifying::new(question, explanation));
    };
    let load = Load::Exercise {
        id: ExerciseId::from_uuid(id),
        then: Box::new(|exercise| {
            if let Some(exercise) = exercise {
                let reveals_solution =
                    |code: &str| exercises::reveals_solution(code, &exercise.body);
                explanation.examples.retain(|example| !reveals_solution(&example.code));
            }
            verify(Verifying::new(question, explanation))
        }),
    };
    Next::Load(load).into()
}

/// Has the next example run, or answers with those that do what they should.
fn verify(verifying: Verifying) -> Step<Concepts> {
    let Some(program) = verifying.next().and_then(agents::plain_program) else {
        return match verifying.answer() {
            Some(answer) => {
                Step::answer(Reply::by_model(verifying.question.request.routing, answer))
            }
            None => answer_offline(verifying.question)
                .with(Effect::Withhold("no example of the explanation runs".to_owned())),
        };
    };
    let Explaining { request, offline, .. } = &verifying.question;
    let fallback = Some(Reply::offline(request.routing.clone(), offline.clone()));
    let state = Running::Verifying(Box::new(verifying));
    Next::Run(Box::new(Run { program, state, fallback })).into()
}

#[cfg(test)]
mod tests;
