//! Plays the students of a class day by day, only by the public API, and moves the clock between their steps.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::Context;
use api_gateway::{
    responses::{ClassAlertPage, ClassDetail, Quiz, QuizQuestion, SubmissionStatus},
    seed::DEMO_LOGINS,
};
use chrono::{DateTime, Days, TimeDelta, Utc};
use curriculum::embedded;
use domain::user::Role;
use futures::{StreamExt as _, TryStreamExt as _, future::try_join_all, stream};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use reqwest::Method;
use runtime::Clock;
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest as _, http::HeaderValue};
use tokio_util::task::AbortOnDropHandle;

use super::{
    api::{Account, Api},
    people::{self, Act, HOURS, Session, Student},
};

/// The password of every student. Known to all, so the demonstration has a folder of its own and listens on loopback.
pub const PASSWORD: &str = "learnflow-student";
/// Between two steps of somebody at work.
const STEP: TimeDelta = TimeDelta::seconds(95);
/// When the teacher looks in, in minutes after midnight UTC: shortly after the day before is summed up.
const MORNING: i64 = 7 * 60 + 5;
/// How often the teacher assigns a topic, in days.
const ASSIGN_EVERY: usize = 4;
/// Registrations at once: each takes a core for a moment.
const AT_ONCE: usize = 2;
/// How long the work of an hour may take to arrive where progress is kept.
const SETTLE_LIMIT: Duration = Duration::from_secs(20);
/// How often we check.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What is played.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// How many students, 1 to 100.
    pub students: usize,
    /// How many days, 1 to 28.
    pub days: usize,
    /// Decides what they do.
    pub seed: u64,
}

impl Plan {
    /// A clock that shows the first moment of the first day; the last day is yesterday.
    #[must_use]
    pub fn clock(&self) -> Clock {
        let now = Clock::System.now();
        let days = Days::new(self.days as u64);
        let first = (now.date_naive() - days).and_time(chrono::NaiveTime::MIN).and_utc();
        Clock::lagging(now - first)
    }
}

/// Where the product answers.
#[derive(Debug, Clone)]
pub struct Doors {
    /// The gateway.
    pub gateway: String,
    /// The websocket function.
    pub websocket: String,
}

/// How far the demonstration is.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// The day, from 1.
    pub day: usize,
    /// What has been done.
    pub done: usize,
    /// What there is to do.
    pub of: usize,
    /// Notifications that the teacher has got on a socket.
    pub news: usize,
}

/// Somebody's login.
#[derive(Debug, Clone)]
pub struct Login {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
    /// The password.
    pub password: &'static str,
}

/// What was played.
#[derive(Debug)]
pub struct Played {
    /// The class's id.
    pub class_id: String,
    /// The teacher.
    pub teacher: Login,
    /// The students, in the order of joining.
    pub students: Vec<Login>,
    /// What they did.
    pub acts: usize,
}

/// Plays it, and has the clock catch up with the machine's.
///
/// # Errors
/// The product refuses something, or does not answer.
pub async fn play(
    doors: &Doors,
    clock: &Clock,
    plan: Plan,
    show: &(dyn Fn(Standing) + Sync),
) -> anyhow::Result<Played> {
    let first = clock.now();
    let class = Student::class(plan.students);
    let days: Vec<Vec<Session>> =
        (0..plan.days).map(|day| people::day(&class, plan.seed, day, plan.days)).collect();
    let of = days.iter().flatten().map(|session| session.acts.len()).sum();
    let mut stage = Stage::set(doors, clock, &class).await?;
    let mut standing = Standing { day: 0, done: 0, of, news: 0 };
    for (number, sessions) in days.iter().enumerate() {
        let midnight = first + TimeDelta::days(i64::try_from(number)?);
        advance_to(clock, midnight + TimeDelta::minutes(MORNING));
        stage.morning(number, plan.days).await?;
        standing.day = number + 1;
        for (hour, minutes) in HOURS.into_iter().enumerate() {
            let begin = midnight + TimeDelta::minutes(minutes.into());
            let at_work = sessions.iter().filter(|session| session.hour == hour);
            let at_work: Vec<&Session> = at_work.collect();
            let longest = at_work.iter().map(|session| session.acts.len()).max();
            for step in 0..longest.unwrap_or_default() {
                advance_to(clock, begin + STEP * i32::try_from(step)?);
                standing.done += Box::pin(stage.step(&at_work, step)).await?;
                standing.news = stage.news.load(Ordering::Relaxed);
                show(standing);
            }
            stage.settle().await?;
        }
    }
    clock.advance(Clock::System.now() - clock.now());
    let students = class.iter().map(|student| Login {
        name: student.name.clone(),
        email: student.email(),
        password: PASSWORD,
    });
    Ok(Played {
        class_id: stage.class_id,
        teacher: stage.teacher_login,
        students: students.collect(),
        acts: standing.done,
    })
}

fn advance_to(clock: &Clock, at: DateTime<Utc>) {
    clock.advance((at - clock.now()).max(TimeDelta::zero()));
}

/// A student at work.
#[derive(Debug)]
struct Actor {
    account: Account,
    /// What was handed in and graded since the beginning.
    graded: u64,
    /// Whether all of that has arrived where progress is kept.
    is_settled: bool,
}

/// Everybody who plays.
#[derive(Debug)]
struct Stage {
    api: Api,
    clock: Clock,
    teacher: Account,
    teacher_login: Login,
    class_id: String,
    actors: Vec<Actor>,
    news: Arc<AtomicUsize>,
    _socket: AbortOnDropHandle<()>,
}

impl Stage {
    /// The teacher logs in and makes a class; the students register and join it.
    async fn set(doors: &Doors, clock: &Clock, class: &[Student]) -> anyhow::Result<Self> {
        let api = Api::new(&doors.gateway)?;
        // Teachers are appointed by administrators; this one comes with every local installation.
        let login = DEMO_LOGINS.iter().find(|login| login.role == Role::Teacher);
        let login = login.context("there is no teacher")?;
        let credentials = (login.email.to_owned(), login.password);
        let teacher = Account::log_in(&api, clock, credentials).await?;
        let named = json!({ "name": "Python 1" });
        let made: ClassDetail = api.post("/classes", teacher.token(), named).await?;
        let (class_id, code) = (made.class.id.to_string(), made.class.invite_code);
        for channel in ["in_app", "digest"] {
            let wanted = json!({ "channel": channel });
            let path = "/notifications/subscriptions";
            let _made: Value = api.post(path, teacher.token(), wanted).await?;
        }
        let joining = class.iter().map(|student| enrol(&api, clock, student, &code));
        let actors = stream::iter(joining).buffered(AT_ONCE).try_collect().await?;
        let news = Arc::new(AtomicUsize::new(0));
        let socket = listen(&doors.websocket, teacher.token(), Arc::clone(&news)).await?;
        let teacher_login = Login {
            name: login.name.to_owned(),
            email: login.email.to_owned(),
            password: login.password,
        };
        let clock = clock.clone();
        Ok(Self { api, clock, teacher, teacher_login, class_id, actors, news, _socket: socket })
    }

    /// The teacher reads the alerts, sees to the oldest one, and assigns a topic from time to time.
    async fn morning(&mut self, day: usize, days: usize) -> anyhow::Result<()> {
        self.teacher.renew(&self.api, &self.clock).await?;
        let token = self.teacher.token();
        let open: ClassAlertPage = self.api.get("/alerts?status=open", token).await?;
        if let Some(oldest) = open.items.last() {
            let path = format!("/alerts/{}/acknowledge", oldest.id);
            let _alert: Value = self.api.post(&path, token, json!({})).await?;
        }
        if day.is_multiple_of(ASSIGN_EVERY)
            && let Some(topic) = people::taught(day, days).first()
        {
            let due = self.clock.now() + TimeDelta::days(3);
            let path = format!("/classes/{}/assignments", self.class_id);
            let body = json!({ "topic": topic.slug, "due_at": due });
            let _assignment: Value = self.api.post(&path, token, body).await?;
        }
        Ok(())
    }

    /// One act of everybody who is at work. Returns how many acted.
    async fn step(&mut self, at_work: &[&Session], step: usize) -> anyhow::Result<usize> {
        let Self { api, clock, actors, .. } = self;
        let acting = actors.iter_mut().enumerate().filter_map(|(number, actor)| {
            let session = at_work.iter().find(|session| session.student == number)?;
            let act = session.acts.get(step)?;
            Some(actor.act(api, clock, act))
        });
        Ok(try_join_all(acting).await?.len())
    }

    /// Waits until what was handed in has arrived where progress is kept, since alerts are about what is new: the clock
    /// must not leap over it.
    async fn settle(&mut self) -> anyhow::Result<()> {
        let Self { api, actors, .. } = self;
        let waiting = actors.iter_mut().filter(|actor| !actor.is_settled);
        try_join_all(waiting.map(|actor| actor.settle(api))).await?;
        Ok(())
    }
}

async fn enrol(api: &Api, clock: &Clock, student: &Student, code: &str) -> anyhow::Result<Actor> {
    let credentials = (student.email(), PASSWORD);
    let account = Account::register(api, clock, credentials, &student.name).await?;
    let token = account.token();
    let _joined: Value = api.post("/classes/join", token, json!({ "code": code })).await?;
    if let Some(zone) = student.time_zone() {
        let changes = json!({ "time_zone": zone });
        api.call(Method::PATCH, "/me", Some(token), Some(changes)).await?;
    }
    Ok(Actor { account, graded: 0, is_settled: true })
}

/// Counts what the teacher is told on a socket.
async fn listen(
    url: &str,
    token: &str,
    news: Arc<AtomicUsize>,
) -> anyhow::Result<AbortOnDropHandle<()>> {
    let url = format!("{}/ws/alerts", url.replacen("http://", "ws://", 1));
    let mut request = url.into_client_request()?;
    let protocols = HeaderValue::from_str(&format!("learnflow.v1, bearer.{token}"))?;
    request.headers_mut().insert("sec-websocket-protocol", protocols);
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await?;
    Ok(AbortOnDropHandle::new(tokio::spawn(async move {
        while let Some(Ok(message)) = socket.next().await {
            if matches!(&message, Message::Text(_)) {
                news.fetch_add(1, Ordering::Relaxed);
            }
        }
    })))
}

impl Actor {
    async fn act(&mut self, api: &Api, clock: &Clock, act: &Act) -> anyhow::Result<()> {
        self.account.renew(api, clock).await?;
        let token = self.account.token();
        let (path, body) = match act {
            Act::Run { code, stdin } => {
                ("/executions".to_owned(), json!({ "code": code, "stdin": stdin }))
            }
            Act::Ask { question, topic } => {
                ("/query".to_owned(), json!({ "question": question, "topic": topic }))
            }
            Act::Hint { code, exercise } => {
                ("/debug".to_owned(), json!({ "code": code, "exercise_id": exercise }))
            }
            Act::HandIn { exercise, code } => {
                (format!("/exercises/{exercise}/submissions"), json!({ "code": code }))
            }
            Act::Pieces { exercise } => (format!("/exercises/{exercise}/parsons"), json!({})),
            Act::Review { code, topic } => {
                ("/reviews".to_owned(), json!({ "code": code, "topic": topic }))
            }
            Act::Quiz { topic, sureness, seed } => {
                take_quiz(api, token, topic, *sureness, *seed).await?;
                (self.graded, self.is_settled) = (self.graded + 1, false);
                return Ok(());
            }
        };
        let answer = api.call(Method::POST, &path, Some(token), Some(body)).await?;
        let is_graded = serde_json::to_value(SubmissionStatus::Graded)? == answer["status"];
        if matches!(act, Act::HandIn { .. }) && is_graded {
            (self.graded, self.is_settled) = (self.graded + 1, false);
        }
        Ok(())
    }

    async fn settle(&mut self, api: &Api) -> anyhow::Result<()> {
        let until = Instant::now() + SETTLE_LIMIT;
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while Instant::now() < until {
            ticks.tick().await;
            let path = "/progress/me/history?days=30";
            let history: Value = api.get(path, self.account.token()).await?;
            let days = history["days"].as_array().into_iter().flatten();
            let arrived: u64 = days.filter_map(|day| day["graded"].as_u64()).sum();
            if arrived >= self.graded {
                break;
            }
        }
        // What has not arrived by then arrives later; the demonstration goes on.
        self.is_settled = true;
        Ok(())
    }
}

/// Takes a quiz: each answer is right with a chance of `sureness` percent.
async fn take_quiz(
    api: &Api,
    token: &str,
    topic: &str,
    sureness: u32,
    seed: u64,
) -> anyhow::Result<()> {
    let mut random = StdRng::seed_from_u64(seed);
    let quiz: Quiz = api.post("/quizzes", token, json!({ "topic": topic })).await?;
    for question in &quiz.questions {
        let right = right_choice(question).context("a quiz asks what the course does not")?;
        let is_known = random.random_range(0..100) < sureness;
        let others = question.options.len().max(2) - 1;
        let wrong = (right + random.random_range(0..others)) % question.options.len() + 1;
        let choice = json!({ "choice": if is_known { right } else { wrong } });
        let path = format!("/quizzes/{}/answers/{}", quiz.id, question.number);
        api.call(Method::PUT, &path, Some(token), Some(choice)).await?;
    }
    let path = format!("/quizzes/{}/submission", quiz.id);
    let _result: Value = api.post(&path, token, json!({})).await?;
    Ok(())
}

/// The number of the right option: students know the course, not the server's keys.
fn right_choice(asked: &QuizQuestion) -> Option<usize> {
    let mut known = embedded().topic(&asked.topic)?.practice.questions.iter();
    let known = known.find(|known| known.ask == asked.ask && known.code == asked.code)?;
    Some(asked.options.iter().position(|option| *option == known.answer)? + 1)
}
