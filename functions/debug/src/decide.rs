//! What the debug agent decides, as a state machine.

use agents::{Agent, Arrived, Ask, Begin, Effect, Load, Next, Reply, Run, Step, step::Fallback};
use chrono::{DateTime, Utc};
use course_answers::{Asked, about};
use curriculum::Match;
use domain::{
    agent::Author,
    execution::{self, ExecutionResult},
    hints::{self, Ladder, Step as Climbed},
    text::{CallText, ExpectedText, Source, Stdin, TestName},
};
use events::{
    activity_recorded::Activity,
    debug_requested::DebugRequested,
    model_call::{DebugModelFinished, DebugModelRequested, Task},
    question_answered::{Answer, Details, DiagnosedError, Diagnosis, Hint},
    question_routed::{QuestionRouted, Sign},
};
use exercises::{Exercise, TestCase};
use ids::ExerciseId;
use runtime::HandlerError;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use tutor::{prompt, reply};

use crate::{
    diagnosis::{Evidence, Finding, Tests, diagnose},
    expected::{ReadFrom, expectations, without_asserts},
    hint, pasted,
    printed::{completed, judged, printed},
    problem::problem,
    reported::{is_reported, report, said, shows_report},
    search::{self, Found},
};

/// Words with which somebody tells what happens.
const TOLD_WORDS: usize = 12;

/// Finds why a program fails.
#[derive(Debug)]
pub struct Debug;

/// A question about a program.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The question.
    pub request: QuestionRouted,
    /// The exercise that the program is written for.
    pub exercise: Option<Exercise>,
}

/// A question whose program is being run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Running {
    /// The question.
    #[serde(flatten)]
    request: QuestionRouted,
    /// How the program did in its tests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tested: Option<Box<ExecutionResult>>,
    /// What is run after the tests.
    #[serde(default)]
    second: SecondRun,
}

/// What is run after the tests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SecondRun {
    /// The search for the place of a wrong result.
    #[default]
    Search,
    /// The program alone, which does all that its author expects.
    Alone,
}

/// What has been learnt from running a program.
#[derive(Debug, Default)]
struct Learnt {
    run: Option<ExecutionResult>,
    place: Option<Found>,
    /// Whether it does what its author expects.
    does_expected: bool,
}

/// A question whose hint a model rephrases.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rewording {
    /// The question.
    request: QuestionRouted,
    /// The answer with our own wording.
    answer: Answer,
    /// Names that must be in the hint.
    names: Vec<String>,
}

/// A program, and its exercise if there is one.
#[derive(Debug, Clone, Copy)]
struct Program<'a> {
    code: &'a str,
    exercise: Option<&'a Exercise>,
}

impl Begin<DebugRequested> for Debug {
    type Loaded = Loaded;

    async fn load(
        DebugRequested(request): DebugRequested,
        _: DateTime<Utc>,
        conn: &mut PgConnection,
    ) -> Result<Loaded, HandlerError> {
        let exercise = agents::find_exercise(conn, exercise_id(&request)).await?;
        Ok(Loaded { request, exercise: exercise.map(|exercise| exercise.body) })
    }

    fn begin(Loaded { request, exercise }: Loaded, now: DateTime<Utc>) -> Step<Self> {
        let tests = tests(&request, exercise.as_ref(), None);
        let program =
            agents::code(&request).and_then(|code| program(code, &tests, exercise.as_ref()));
        match program {
            Some(mut program) => {
                if exercise.is_none() && tests.is_empty() {
                    program.stdin = typed(&request);
                }
                run(program, Running { request, tested: None, second: SecondRun::default() })
            }
            None => explain(request, Learnt::default(), exercise, now),
        }
    }
}

impl Agent for Debug {
    type Running = Running;
    type Asking = Rewording;
    type ModelRequested = DebugModelRequested;
    type ModelFinished = DebugModelFinished;

    const AUTHOR: Author = Author::Debug;
    const VERSION: u32 = 1;

    fn resume(arrived: Arrived<Self>, now: DateTime<Utc>) -> Step<Self> {
        match arrived {
            Arrived::Run { state, result } => after_run(state, *result, now),
            Arrived::Model { state, text } => reword(state, text.as_deref()),
        }
    }
}

/// What a program is tested with. What it should print is only known from a run.
fn tests(
    request: &QuestionRouted,
    exercise: Option<&Exercise>,
    run: Option<&ExecutionResult>,
) -> Vec<TestCase> {
    if let Some(exercise) = exercise {
        return exercise.tests.clone();
    }
    let Some(code) = agents::code(request).filter(|_| !may_be_of_an_exercise(request)) else {
        return Vec::new();
    };
    let question = request.asked.question.as_str();
    // Beside an error, what it is about counts, and no test that the program happens to have.
    let read = if is_reported(request) { ReadFrom::Question } else { ReadFrom::QuestionAndProgram };
    let cases = expectations(question, &code, read);
    match run.filter(|_| cases.is_empty()) {
        Some(run) => {
            let said = printed(question, &code);
            said.and_then(|said| completed(&said, run.verdict, &run.stdout)).into_iter().collect()
        }
        None => cases,
    }
}

/// What the tests of an exercise that is gone have given says nothing of what its author expects.
const fn may_be_of_an_exercise(request: &QuestionRouted) -> bool {
    request.asked.exercise_id.is_some()
}

/// What the question says is typed into the program.
fn typed(request: &QuestionRouted) -> Option<Stdin> {
    let is_only_said = !may_be_of_an_exercise(request) && !is_reported(request);
    let code = agents::code(request).filter(|_| is_only_said)?;
    let said = printed(request.asked.question.as_str(), &code)?;
    Stdin::try_from(said.stdin).ok()
}

/// What is run: the program alone, or with tests.
fn program(
    code: String,
    tests: &[TestCase],
    exercise: Option<&Exercise>,
) -> Option<execution::Program> {
    if let Some(exercise) = exercise {
        let source = Source::try_from(code).ok()?;
        return Some(execution::Program { seed: Some(0), ..exercise.program(source) });
    }
    if tests.is_empty() {
        return agents::plain_program(code);
    }
    let mut program = agents::plain_program(without_asserts(&code))?;
    // All or none: results are told apart by their place.
    program.tests =
        tests.iter().enumerate().map(of_author).collect::<Option<_>>().unwrap_or_default();
    Some(program)
}

/// One of its author's expectations, as it is run.
fn of_author((number, case): (usize, &TestCase)) -> Option<execution::TestCase> {
    Some(execution::TestCase {
        name: TestName::try_from(format!("test {}", number + 1)).ok()?,
        stdin: case.stdin.clone().map(Stdin::try_from).transpose().ok()?,
        call: case.call.clone().map(CallText::try_from).transpose().ok()?,
        raises: None,
        hidden: false,
        expected: ExpectedText::try_from(case.expected.clone()?).ok()?,
    })
}

fn run(program: execution::Program, state: Running) -> Step<Debug> {
    Next::Run(Box::new(Run { program, state, fallback: None })).into()
}

/// Explains a run; a wrong result only after its place has been looked for.
fn after_run(state: Running, result: ExecutionResult, now: DateTime<Utc>) -> Step<Debug> {
    let Some(id) = exercise_id(&state.request) else {
        return after_run_of(state, result, None, now);
    };
    Next::Load(Load::Exercise {
        id,
        then: Box::new(move |exercise| {
            after_run_of(state, result, exercise.map(|exercise| exercise.body), now)
        }),
    })
    .into()
}

/// What comes after a run, once it is known whether there is an exercise.
fn after_run_of(
    state: Running,
    mut result: ExecutionResult,
    exercise: Option<Exercise>,
    now: DateTime<Utc>,
) -> Step<Debug> {
    let Running { request, tested, second } = state;
    match (tested, second) {
        (Some(tested), SecondRun::Search) => {
            let place = search::found(&result);
            let learnt = Learnt { place, run: Some(*tested), does_expected: false };
            return explain(request, learnt, exercise, now);
        }
        (Some(tested), SecondRun::Alone) => {
            let passes = tested.tests.iter().all(|test| test.passed);
            let does_expected = passes && tested.is_judged();
            let learnt = Learnt { place: None, run: Some(result), does_expected };
            return explain(request, learnt, exercise, now);
        }
        (None, _) => {}
    }
    let code = agents::code(&request).unwrap_or_default();
    let tests = tests(&request, exercise.as_ref(), Some(&result));
    if let [case @ TestCase { call: None, .. }] = &tests[..]
        && exercise.is_none()
    {
        let judged = judged(case, &result);
        if judged.passed {
            let learnt = Learnt { run: Some(result), place: None, does_expected: true };
            return explain(request, learnt, exercise, now);
        }
        result.tests = vec![judged];
    }
    let passes = !tests.is_empty()
        && !result.tests.is_empty()
        && result.tests.iter().all(|test| test.passed || test.problem.is_some());
    if exercise.is_none()
        && (passes || !shows_report(&request, &result))
        && let Some(program) = agents::plain_program(code.clone())
    {
        let tested = Some(Box::new(result));
        return run(program, Running { request, tested, second: SecondRun::Alone });
    }
    let searched = program(code, &tests, exercise.as_ref())
        .and_then(|program| search::search(program, &tests, &result));
    match searched {
        Some(program) => {
            let tested = Some(Box::new(result));
            run(program, Running { request, tested, second: SecondRun::Search })
        }
        None => explain(request, Learnt { run: Some(result), ..Learnt::default() }, exercise, now),
    }
}

fn exercise_id(request: &QuestionRouted) -> Option<ExerciseId> {
    request.asked.exercise_id.map(ExerciseId::from_uuid)
}

/// Finds what is wrong, and gives the next hint about it.
fn explain(
    request: QuestionRouted,
    Learnt { run, place, does_expected }: Learnt,
    exercise: Option<Exercise>,
    now: DateTime<Utc>,
) -> Step<Debug> {
    let code = agents::code(&request).unwrap_or_default();
    let asked = &request.asked;
    let said = said(&request);
    if let Some(content) = pasted::of_another_language(&said, asked.question.as_str(), &code) {
        return Step::answer(Reply::offline(request.routing, Answer::text(content)));
    }
    let report = report(&request);
    let expected = tests(&request, exercise.as_ref(), run.as_ref());
    let is_tested = !expected.is_empty() && run.as_ref().is_some_and(|run| !run.tests.is_empty());
    let tests = match &exercise {
        Some(exercise) => Some(Tests::Exercise(exercise)),
        None => is_tested.then_some(Tests::Author(&expected)),
    };
    let evidence = Evidence { code: &code, report: report.as_ref(), run: run.as_ref(), tests };
    let mut finding = diagnose(&evidence);
    if does_expected {
        finding.note = Some(as_expected(&expected));
    }
    let exercise_id = asked.exercise_id.map(|id| id.to_string());
    // Before the place is looked for, which may be another one after each change.
    let problem = problem(&finding, &code, exercise_id.as_deref());
    if let Some(place) = place {
        finding = search::placed(finding, &place, &code, exercise.is_none());
    }
    if finding.rule == "nothing_to_see" {
        if request.routing.signs.contains(&Sign::SolutionRequest) {
            finding.what = hint::NO_WHOLE_PROGRAMS.to_owned();
            finding.next = hint::BEGIN_SMALL.to_owned();
        } else if let Some(answer) = from_the_course(&request) {
            return Step::answer(Reply::offline(request.routing, answer));
        }
    }
    if let Some(damaged) = pasted::damaged(&finding.kind, &code) {
        finding.note = Some(match finding.note.take() {
            Some(note) => format!("{note}\n\n{damaged}"),
            None => damaged,
        });
    }
    let first = asked.hint_level.unwrap_or_else(|| hints::first_rung(&finding.kind, request.level));
    let key = problem.clone();
    let then = move |before| {
        let attempt = Sha256::digest(code.as_bytes());
        let (climbed, ladder) = hints::climb(before, first, &attempt, now);
        let program = Program { code: &code, exercise: exercise.as_ref() };
        let is_stuck = request.routing.signs.contains(&Sign::Struggle);
        let answer = compose(&finding, climbed, is_stuck, &ladder, program);
        let is_new_hint = climbed == Climbed::New && finding.is_a_fault();
        let given = Activity::HintGiven {
            level: ladder.rung,
            of: hints::RUNGS,
            rule: finding.rule.clone(),
            exercise_id: request.asked.exercise_id,
        };
        // The last rung is an example that was run; it needs no rephrasing.
        let step = if is_new_hint && ladder.rung < hints::RUNGS {
            ask_for_words(request, answer, &finding, &code)
        } else {
            Step::answer(Reply::offline(request.routing, answer))
        };
        let step = step.with(Effect::StoreLadder { problem: key, ladder });
        if is_new_hint { step.with(Effect::Record(given)) } else { step }
    };
    Next::Load(Load::Ladder { problem, then: Box::new(then) }).into()
}

/// What the course says to a question that comes without a program and without an error message, if it says what the
/// trouble is: "it gives an error" does not.
fn from_the_course(request: &QuestionRouted) -> Option<Answer> {
    let asked = Asked::of(request.asked.question.as_str(), false);
    let course = curriculum::embedded();
    let found = course.find(&asked.prose);
    let is_named = found.matches.first().is_some_and(|named| named.weight >= Match::WORD);
    let is_told = asked.prose.split_whitespace().nth(TOLD_WORDS - 1).is_some();
    if !is_named && !is_told {
        return None;
    }
    let subject = asked.subject(None);
    let about = about(course, &subject);
    about.is_explained().then(|| {
        let answer = course_answers::answer(course, &subject, &about, request.level);
        Answer { content: format!("{}\n\n{}", answer.content, hint::SHOW_PROGRAM), ..answer }
    })
}

/// Says that a program does what its author expects.
fn as_expected(expected: &[TestCase]) -> String {
    let calls: Vec<String> = expected
        .iter()
        .filter_map(|case| {
            Some(format!("`{}` gives `{}`", case.call.as_ref()?, case.expected.as_ref()?))
        })
        .collect();
    if calls.is_empty() {
        return "When I ran it, it printed what you expect.".to_owned();
    }
    format!("When I ran it, it did what you expect: {}.", calls.join(", "))
}

/// Asks a model to rephrase the hint for the student.
fn ask_for_words(
    request: QuestionRouted,
    answer: Answer,
    finding: &Finding,
    code: &str,
) -> Step<Debug> {
    let Some(Details::Debug(diagnosis)) = &answer.details else {
        return Step::answer(Reply::offline(request.routing, answer));
    };
    let mut names = hint::names(&diagnosis.hint.text);
    let place = diagnosis.error.line.map(|line| format!("line {line}"));
    names.extend(place.filter(|place| diagnosis.hint.text.contains(place)));
    let (rung, listed) = (diagnosis.hint.level.to_string(), names.join(", "));
    let ours = format!("{} {} {}", finding.what, finding.why, finding.next);
    let question = request.asked.question.as_str().to_owned();
    let hint = diagnosis.hint.text.clone();
    let fields = [
        ("finding", ours.as_str()),
        ("hint", hint.as_str()),
        ("rung", rung.as_str()),
        ("names", listed.as_str()),
        ("question", question.as_str()),
        ("code", code),
    ];
    let reply = Reply::offline(request.routing.clone(), answer.clone());
    let mut ask = Ask::new(Task::Hint, &fields, Rewording { request, answer, names });
    ask.fallback = Some(Fallback { reply, shared: None });
    Next::Ask(Box::new(ask)).into()
}

/// Takes the model's wording if it reveals no more than the hint, else ours.
fn reword(state: Rewording, text: Option<&str>) -> Step<Debug> {
    let Rewording { request, answer, names } = state;
    let routing = request.routing;
    let (Some(text), Some(Details::Debug(diagnosis))) = (text, &answer.details) else {
        return Step::answer(Reply::offline(routing, answer));
    };
    match reply::hint(text, prompt(Task::Hint), diagnosis.hint.level, &names) {
        Ok(said) => Step::answer(Reply::by_model(routing, hint::reworded(answer, &said.hint))),
        Err(withheld) => Step::answer(Reply::offline(routing, answer))
            .with(Effect::Withhold(withheld.to_string())),
    }
}

/// The answer to the student.
fn compose(
    finding: &Finding,
    climbed: Climbed,
    is_stuck: bool,
    ladder: &Ladder,
    Program { code, exercise }: Program<'_>,
) -> Answer {
    let rung = ladder.rung;
    let text = hint::hint(finding, rung, code, exercise);
    let mut content = finding.what.clone();
    if let Some(shown) = hint::shown_line(finding, code) {
        content.push_str(&format!("\n\n```text\n{shown}\n```"));
    }
    if let Some(note) = &finding.note {
        content.push_str(&format!("\n\n{note}"));
    }
    if !finding.is_a_fault() {
        content.push_str(&format!("\n\n{}", finding.next));
    } else if climbed != Climbed::Enough {
        content.push_str(&format!("\n\n**Hint {rung} of {}.** {text}", hints::RUNGS));
    }
    if let Some(about) =
        hint::about_the_step(climbed, rung, is_stuck).filter(|_| finding.is_a_fault())
    {
        content.push_str(&format!("\n\n{about}"));
    }
    let details = Details::Debug(Diagnosis {
        error: DiagnosedError {
            kind: finding.kind.clone(),
            message: finding.message.clone(),
            line: finding.line,
        },
        cause: finding.what.clone(),
        misconception: hint::misconception(&finding.rule).map(str::to_owned),
        hint: Hint { level: rung, of: hints::RUNGS, text },
    });
    let topics = vec!["debugging".to_owned()];
    let related = vec!["exception-types".to_owned()];
    Answer { content, examples: Vec::new(), topics, related, details: Some(details) }
}

#[cfg(test)]
mod tests;
