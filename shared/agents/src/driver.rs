//! Executes an agent's decisions within the transaction of the event: loads, stores, emits, and stores drafts of
//! waiting work.

use chrono::TimeDelta;
use domain::agent::AnsweredBy;
use events::{
    Event,
    activity_recorded::ActivityRecorded,
    debug_requested::DebugRequested,
    execution_requested::{ExecutionRequested, Purpose},
    exercise_requested::ExerciseRequested,
    model_call::{ModelRequested, Task},
    progress_requested::ProgressRequested,
    question_answered::{Answer, QuestionAnswered},
    question_routed::QuestionRouted,
    review_requested::ReviewRequested,
};
use ids::{ExecutionId, QueryId, UserId};
use runtime::{HandlerError, Outgoing};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use sqlx::PgConnection;
use storage::{
    drafts,
    model_answers::{self, Cached},
    queries::{self, AnswerBody, NewAnswer},
};
use tutor::{Tutor, prompt};

use crate::{
    budget,
    draft::{self, Draft, DraftError, Header, Origin, Slot, WaitsFor},
    step::{Agent, Arrived, Ask, Destination, Effect, Fallback, Next, Reply, Run, Step, Subject},
    store,
};

/// Most decisions for one event. The longest chain is an exercise that is made and then not assigned; more than this is
/// an endless loop.
const MAX_DECISIONS: usize = 20;
/// Most characters of one field. Longer programs and questions are answered without a model.
const MAX_FIELD: usize = 8_000;
/// How long a shared answer is valid.
const LIFE: TimeDelta = TimeDelta::hours(1);
/// How long a question's claim on a shared answer lasts: a model takes 25 s at most, and a run 10 s.
const CLAIM: TimeDelta = TimeDelta::seconds(60);
/// Most questions that are answered together with the one that asked: what one transaction can easily emit. Later ones
/// are answered without a model.
const MAX_TOGETHER: i64 = 200;

/// An agent makes decision after decision for one event, without an end.
#[derive(Debug, thiserror::Error)]
#[error("the agent did not finish within {MAX_DECISIONS} decisions")]
struct Endless;

/// One event that an agent handles.
pub(crate) struct Driver<'a> {
    pub(crate) conn: &'a mut PgConnection,
    pub(crate) origin: Origin,
    /// The model, if there is one.
    pub(crate) tutor: Option<&'a Tutor>,
    /// The key of the shared answer, if the answer is to be shared.
    pub(crate) shares: Option<Vec<u8>>,
    /// What is emitted.
    pub(crate) outgoing: Outgoing,
}

/// The result of asking a model.
enum Asked<A: Agent> {
    /// The work waits.
    Waits,
    /// The answer was stored already.
    Answered(Box<Reply>),
    /// The model is not asked.
    Not(A::Asking),
}

impl Driver<'_> {
    /// Executes decisions until the work waits or is done.
    pub(crate) async fn drive<A: Agent>(
        mut self,
        mut step: Step<A>,
    ) -> Result<Outgoing, HandlerError> {
        for _ in 0..MAX_DECISIONS {
            for effect in step.effects {
                self.perform(effect).await?;
            }
            step = match step.next {
                Next::Load(load) => store::load(self.conn, self.origin, load).await?,
                Next::Ask(ask) => match self.ask(*ask).await? {
                    Asked::Waits => return Ok(self.outgoing),
                    Asked::Answered(reply) => Next::Answer(reply).into(),
                    Asked::Not(state) => {
                        A::resume(Arrived::Model { state, text: None }, self.origin.now)
                    }
                },
                last => return self.finish(last).await,
            };
        }
        Err(HandlerError::fail(Endless))
    }

    /// Executes the final step.
    async fn finish<A: Agent>(mut self, next: Next<A>) -> Result<Outgoing, HandlerError> {
        match next {
            Next::Run(run) => self.run(*run).await?,
            Next::Answer(reply) => self.answer(*reply).await?,
            Next::Assign { exercise, reply } => {
                store::assign(self.conn, self.origin, exercise).await?;
                self.answer(*reply).await?;
            }
            Next::Route { to, question } => self.route(to, *question)?,
            Next::Grade(graded) => {
                store::grade(self.conn, self.origin, &graded).await?;
                self.emit(&*graded)?;
            }
            Next::GiveUp(submission) => {
                store::give_up(self.conn, self.origin, submission).await?;
            }
            Next::Fail(error) => return Err(error),
            Next::Load(_) | Next::Ask(_) => return Err(HandlerError::fail(Endless)),
        }
        Ok(self.outgoing)
    }

    fn emit<E: Event>(&mut self, event: &E) -> Result<(), HandlerError> {
        self.outgoing = std::mem::take(&mut self.outgoing).with(event)?;
        Ok(())
    }

    async fn perform(&mut self, effect: Effect) -> Result<(), HandlerError> {
        let Origin { agent, query, student, .. } = self.origin;
        match effect {
            Effect::StoreLadder { problem, ladder } => {
                store::ladder(self.conn, self.origin, &problem, &ladder).await
            }
            Effect::StoreExercise(made) => store::exercise(self.conn, self.origin, &made).await,
            Effect::Record(activity) => {
                let request_id = query.as_uuid();
                self.emit(&ActivityRecorded {
                    student_id: student,
                    request_id,
                    activity,
                    done_at: None,
                })
            }
            Effect::Announce(generated) => self.emit(&*generated),
            Effect::Withhold(reason) => {
                tracing::warn!(agent = agent.as_str(), reason, "the model's answer is withheld");
                Ok(())
            }
        }
    }

    /// Stores the draft, and requests a run.
    async fn run<A: Agent>(&mut self, run: Run<A>) -> Result<(), HandlerError> {
        let Run { program, state, fallback } = run;
        let id = self.origin.id(WaitsFor::Run);
        let slot = Slot { id, shared_key: None };
        self.wait::<A, _>(slot, fallback.as_ref(), &state).await?;
        self.emit(&ExecutionRequested {
            execution_id: ExecutionId::from_uuid(id),
            student_id: self.origin.student,
            request_id: Some(self.origin.query.as_uuid()),
            requester: Some(A::AUTHOR.into()),
            purpose: Purpose::Check,
            work: None,
            program,
        })
    }

    async fn wait<A: Agent, S: Serialize + Sync>(
        &mut self,
        slot: Slot<'_>,
        fallback: Option<&Reply>,
        state: &S,
    ) -> Result<(), HandlerError> {
        let Origin { agent, query, student, .. } = self.origin;
        let draft = Draft {
            version: A::VERSION,
            query_id: query,
            student_id: student,
            agent,
            fallback,
            shares: self.shares.as_deref(),
            state,
        };
        draft::store(self.conn, self.origin, slot, &draft).await
    }

    /// Asks the model within the budget, unless somebody has asked the same.
    async fn ask<A: Agent>(&mut self, ask: Ask<A>) -> Result<Asked<A>, HandlerError> {
        let Ask { task, fields, state, fallback } = ask;
        let Some(tutor) = self.tutor else { return Ok(Asked::Not(state)) };
        let (reply, shared) = match fallback {
            Some(Fallback { reply, shared }) => (Some(reply), shared),
            None => (None, None),
        };
        if let (Some(reply), Some(subject)) = (&reply, shared) {
            let key = shared_key(tutor, task, &subject);
            match self.find_shared::<A>(key, reply, &state).await? {
                Some(Shared::There(answer)) => {
                    budget::enter_saved(self.conn, tutor, self.origin, task).await?;
                    let reply = Reply::by_model(reply.routing.clone(), *answer);
                    return Ok(Asked::Answered(Box::new(reply)));
                }
                Some(Shared::Waits) => {
                    budget::enter_saved(self.conn, tutor, self.origin, task).await?;
                    return Ok(Asked::Waits);
                }
                Some(Shared::Full) => return Ok(Asked::Answered(Box::new(reply.clone()))),
                None => {}
            }
        }
        if fields.iter().any(|field| field.text.chars().count() > MAX_FIELD) {
            return Ok(Asked::Not(state));
        }
        let student = budget::standing(self.conn, self.origin).await?;
        let requested = ModelRequested {
            draft_id: self.origin.id(WaitsFor::Model),
            query_id: self.origin.query,
            student_id: self.origin.student,
            agent: A::AUTHOR,
            task: Some(task),
            fields: budget::anonymous(&student, fields),
        };
        if !budget::reserve(self.conn, tutor, self.origin, &student, &requested).await? {
            return Ok(Asked::Not(state));
        }
        let slot = Slot { id: requested.draft_id, shared_key: None };
        self.wait::<A, _>(slot, reply.as_ref(), &state).await?;
        self.emit(&A::ModelRequested::from(requested))?;
        Ok(Asked::Waits)
    }

    /// Looks for a shared answer; `None` if this question is to ask for it.
    async fn find_shared<A: Agent>(
        &mut self,
        key: Vec<u8>,
        reply: &Reply,
        state: &A::Asking,
    ) -> Result<Option<Shared>, HandlerError> {
        let now = self.origin.now;
        let found = model_answers::find_or_claim(self.conn, &key, now, now + CLAIM).await;
        match found.map_err(HandlerError::retry)? {
            Cached::Hit(answer) => Ok(Some(Shared::There(Box::new(answer)))),
            Cached::Claimed => {
                self.shares = Some(key);
                Ok(None)
            }
            // The answer's row is locked, so no other question begins to wait between count and insert.
            Cached::Asked => {
                let waiting = drafts::count_waiting(self.conn, &key).await;
                if waiting.map_err(HandlerError::retry)? >= MAX_TOGETHER {
                    return Ok(Some(Shared::Full));
                }
                let id = self.origin.id(WaitsFor::SharedAnswer);
                let slot = Slot { id, shared_key: Some(&key) };
                self.wait::<A, _>(slot, Some(reply), state).await?;
                Ok(Some(Shared::Waits))
            }
        }
    }

    /// Answers the question, and all that wait for the same answer.
    pub(crate) async fn answer(&mut self, reply: Reply) -> Result<(), HandlerError> {
        let Origin { query, student, .. } = self.origin;
        let Some(key) = self.shares.take() else {
            return self.deliver(query, student, reply).await;
        };
        let is_by_model = reply.answered_by == AnsweredBy::Model;
        let answer = is_by_model.then(|| reply.answer.clone());
        self.deliver(query, student, reply).await?;
        self.share(&key, answer).await
    }

    /// Stores a shared answer, or releases the claim if there is none, and answers the waiting questions.
    async fn share(&mut self, key: &[u8], answer: Option<Answer>) -> Result<(), HandlerError> {
        let stored = match &answer {
            Some(answer) => {
                model_answers::store(self.conn, key, answer, self.origin.now + LIFE).await
            }
            None => model_answers::release(self.conn, key).await,
        };
        stored.map_err(HandlerError::retry)?;
        let waiting = drafts::take_waiting(self.conn, key, MAX_TOGETHER).await;
        for body in waiting.map_err(HandlerError::retry)? {
            let header = Header::read(&body).map_err(HandlerError::fail)?;
            let Header { query_id: Some(query), student_id: Some(student), .. } = header else {
                continue;
            };
            let Some(fallback) = header.fallback else { continue };
            let reply = match &answer {
                Some(answer) => Reply::by_model(fallback.routing, answer.clone()),
                None => fallback,
            };
            self.deliver(query, student, reply).await?;
        }
        Ok(())
    }

    /// Stores and announces an answer. If the question has one already, that one stays.
    pub(crate) async fn deliver(
        &mut self,
        query: QueryId,
        student: UserId,
        reply: Reply,
    ) -> Result<(), HandlerError> {
        let Reply { answered_by, routing, answer } = reply;
        let (agent, body) = (self.origin.agent, AnswerBody { answer, routing });
        let new = NewAnswer { query, student, agent, answered_by, body: &body };
        let recorded = queries::record_answer(self.conn, new, self.origin.now).await;
        if !recorded.map_err(HandlerError::retry)? {
            tracing::info!(%query, "the question already has an answer");
            return Ok(());
        }
        let AnswerBody { answer, routing } = body;
        self.emit(&QuestionAnswered {
            query_id: query,
            student_id: student,
            agent,
            answered_by,
            routing,
            answer,
        })
    }

    fn route(&mut self, to: Destination, question: QuestionRouted) -> Result<(), HandlerError> {
        match to {
            Destination::Concepts => self.emit(&question),
            Destination::Debug => self.emit(&DebugRequested(question)),
            Destination::CodeReview => self.emit(&ReviewRequested(question)),
            Destination::Exercise => self.emit(&ExerciseRequested(question)),
            Destination::Progress => self.emit(&ProgressRequested(question)),
        }
    }

    /// Answers with the fallback: another version of the agent stored the work, so it cannot be continued.
    pub(crate) async fn fall_back(mut self, header: Header) -> Result<Outgoing, HandlerError> {
        let version = header.version.unwrap_or_default();
        let Some(reply) = header.fallback else {
            return Err(HandlerError::fail(DraftError::UnknownVersion(version)));
        };
        tracing::warn!(version, "the draft is of another version, the fallback answer is given");
        self.shares = header.shares;
        self.answer(reply).await?;
        Ok(self.outgoing)
    }
}

/// The state of a shared answer that this question need not ask for.
enum Shared {
    /// It is stored.
    There(Box<Answer>),
    /// Another question has asked for it; both are answered together.
    Waits,
    /// Another question has asked for it, and no more can wait.
    Full,
}

/// The key of a shared answer: the task with its prompt and model, the idea, and the level.
fn shared_key(tutor: &Tutor, task: Task, subject: &Subject) -> Vec<u8> {
    let Subject { idea, level } = subject;
    let text = [prompt(task).name, tutor.model(task), idea, level.as_str()].join("\n");
    Sha256::digest(text.as_bytes()).to_vec()
}
