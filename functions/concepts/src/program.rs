//! Questions about a program: it is run once with a trace, and explained from that and from its text.

use code_explanation::{Explanation, Plan, Question, Subject};
use domain::{
    execution::{self, ExecutionResult, Timeout},
    level::Level,
    text::Stdin,
};
use events::{
    question_answered::{Answer, Details, Explained},
    question_routed::{FollowUpKind, QuestionRouted},
};
use serde::{Deserialize, Serialize};

use course_answers::answer::{self, Idea};

/// The longest run, in milliseconds: a student waits for it, and a trace ends after some thousand steps.
const LIMIT_MS: u64 = 2_000;
/// How the prompt tells facts from a lesson.
const FACTS: &str = "Facts about the student's program:";
/// Lessons that are named at the end.
const LESSONS: usize = 2;

/// A question whose program is being run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tracing {
    /// The question.
    pub(crate) traced: QuestionRouted,
}

/// A program, and what is asked about it.
struct Asked {
    code: String,
    subject: Subject,
    level: Level,
}

/// What comes next for a question about a program.
pub(crate) enum AboutProgram {
    /// It is run first; with the explanation without a run.
    Run(Box<execution::Program>, Box<Answer>),
    /// It is explained: our answer, and what a model gets to know.
    Explained(Box<Answer>, Idea),
}

/// Runs the program that a question asks to explain, or explains what is not run; `None` for other questions.
/// `lesson` is the course's answer to the same words, if it is sure what they are about.
pub(crate) fn begin(
    request: &QuestionRouted,
    prose: &str,
    lesson: impl FnOnce() -> Option<Answer>,
) -> Option<AboutProgram> {
    if let Some(explanation) = of_message(request) {
        return Some(explained(&explanation, request.level, ""));
    }
    let asked = asked(request, prose)?;
    if asked.code.is_empty() {
        return Some(beside_lesson(&asked.explain(None, None), asked.level, lesson()));
    }
    let plan = asked.plan();
    let without_run = asked.explain(plan.as_ref(), None);
    Some(match plan.as_ref().and_then(program) {
        Some(program) => {
            AboutProgram::Run(Box::new(program), Box::new(answer_of(&without_run, asked.level)))
        }
        None => explained(&without_run, asked.level, &asked.code),
    })
}

/// Explains the program that has been run.
pub(crate) fn resume(
    request: &QuestionRouted,
    prose: &str,
    run: &ExecutionResult,
) -> Option<AboutProgram> {
    let asked = asked(request, prose)?;
    let explanation = asked.explain(asked.plan().as_ref(), Some(run));
    Some(explained(&explanation, asked.level, &asked.code))
}

impl Asked {
    fn plan(&self) -> Option<Plan> {
        code_explanation::plan(&self.code, &self.subject)
    }

    fn explain(&self, plan: Option<&Plan>, run: Option<&ExecutionResult>) -> Explanation {
        let question = Question { code: &self.code, subject: &self.subject, level: self.level };
        code_explanation::explain(question, plan, run)
    }
}

/// What a question asks to explain; a follow-up asks for the same again.
fn asked(request: &QuestionRouted, prose: &str) -> Option<Asked> {
    let code = agents::code(request).unwrap_or_default();
    let subject = |prose: &str| code_explanation::subject(prose, Some(code.as_str()));
    let follow_up = request.follow_up.as_ref();
    let before = || {
        let follow_up = follow_up.filter(|_| !code.is_empty())?;
        subject(&pasted_text::split(&follow_up.question).prose)
    };
    let level = match follow_up.map(|follow_up| follow_up.kind) {
        Some(FollowUpKind::Simpler) => Level::Beginner,
        Some(FollowUpKind::More) => answer::deeper(request.level),
        _ => request.level,
    };
    let subject = subject(prose).or_else(before)?;
    Some(Asked { code, subject, level })
}

/// An error message that came without a program.
fn of_message(request: &QuestionRouted) -> Option<Explanation> {
    if agents::code(request).is_some() {
        return None;
    }
    let said = request.asked.error.as_ref().map_or("", |error| error.as_str());
    let report = pasted_text::read_report(&[said, request.asked.question.as_str()].join("\n"))?;
    let message = Some(report.message.as_str()).filter(|message| !message.is_empty())?;
    code_explanation::explain_message(&report.error_type, message)
}

/// One run with a trace. The same seed each time: what is said about a program must be true when it is run again.
fn program(plan: &Plan) -> Option<execution::Program> {
    let stdin = Stdin::try_from(plan.stdin.clone()).ok().filter(|_| !plan.stdin.is_empty());
    let timeout_ms = Timeout::try_from(LIMIT_MS).ok();
    let program = agents::plain_program(plan.program.clone())?;
    Some(execution::Program { stdin, timeout_ms, trace: true, ..program })
}

/// Our answer, and what a model gets to know.
fn explained(explanation: &Explanation, level: Level, code: &str) -> AboutProgram {
    AboutProgram::Explained(Box::new(answer_of(explanation, level)), idea_of(explanation, code))
}

fn idea_of(explanation: &Explanation, code: &str) -> Idea {
    let lesson = format!("{FACTS}\n\n{}\n\nThe program:\n{code}", explanation.text);
    Idea { name: explanation.title.clone(), lesson, is_plain: false }
}

/// Explains Python text that stands in no program: what it means comes first, then the lesson, if there is one.
fn beside_lesson(explanation: &Explanation, level: Level, lesson: Option<Answer>) -> AboutProgram {
    let ours = answer_of(explanation, level);
    let answer = match lesson {
        Some(lesson) => {
            Answer { content: format!("{}\n\n{}", ours.content, lesson.content), ..lesson }
        }
        None => ours,
    };
    AboutProgram::Explained(Box::new(answer), idea_of(explanation, ""))
}

fn answer_of(explanation: &Explanation, level: Level) -> Answer {
    let course = curriculum::embedded();
    let topics = explanation.topics.iter().filter_map(|slug| course.topic(slug));
    let topics: Vec<&curriculum::Topic> = topics.collect();
    let mut content = format!("**{}**\n\n{}", explanation.title, explanation.text);
    let titles: Vec<&str> = topics.iter().take(LESSONS).map(|topic| topic.title.as_str()).collect();
    if !titles.is_empty() {
        content.push_str(&format!("\n\nLessons about this: {}.", titles.join(", ")));
    }
    let slugs: Vec<String> = topics.iter().map(|topic| topic.slug.clone()).collect();
    Answer {
        content,
        examples: Vec::new(),
        topics: slugs,
        related: Vec::new(),
        details: Some(Details::Explanation(Explained {
            concept: explanation.title.clone(),
            level,
            explanation: explanation.text.clone(),
            common_mistakes: Vec::new(),
            diagram: None,
        })),
    }
}
