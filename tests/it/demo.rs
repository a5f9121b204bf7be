//! The demonstration: a small class lives through three days, and the API shows what came of it.

use api_gateway::responses::{ClassAlertPage, HeatMap, NotificationPage};
use chrono::TimeDelta;
use progress_report::ProgressReport;
use runner::demo::{Doors, Plan, play};
use runtime::Clock;
use testing::eventually;
use tests::{Setup, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_class_fills_mastery_streaks_alerts_the_heat_map_and_digests() {
    let plan = Plan { students: 4, days: 3, seed: 1 };
    let clock = plan.clock();
    let world = World::with(Setup { clock: Some(clock.clone()), ..Setup::default() }).await;
    let url = |function| world.stack().url(function).expect("there is such a function");
    let doors = Doors { gateway: url("api-gateway"), websocket: url("websocket") };
    let seen = std::sync::Mutex::new((0, 0));
    let show = |standing: runner::demo::Standing| {
        *seen.lock().expect("nobody panics") = (standing.done, standing.of);
    };
    let played = Box::pin(play(&doors, &clock, plan, &show)).await.expect("it is played");
    let (done, of) = *seen.lock().expect("nobody panics");
    assert_eq!((done, played.acts), (of, of), "everything was done");
    let shown = world.now();
    let lag = Clock::System.now() - shown;
    assert!(lag >= TimeDelta::zero() && lag < TimeDelta::seconds(5), "it has caught up: {lag}");

    let teacher = world.log_in(&played.teacher.email, played.teacher.password).await;
    let token = Some(teacher.token.as_str());
    let path = format!("/classes/{}/heatmap", played.class_id);
    let map: HeatMap = world.get(&path, token).await.ok();
    assert_eq!(map.students.len(), 4);
    for student in &map.students {
        let scored = student.scores.iter().flatten().count();
        assert!(scored >= 3 && student.mastery.is_some(), "{}: {scored} topics", student.name);
        let path = format!("/progress/{}", student.id);
        let report: ProgressReport = world.get(&path, token).await.ok();
        assert!(report.streak.longest >= 2, "{}: {:?}", student.name, report.streak);
    }
    let alerts: ClassAlertPage = world.get("/alerts", token).await.ok();
    let struggler = &played.students[1].name;
    assert!(alerts.items.iter().any(|alert| &alert.student_name == struggler), "{alerts:?}");
    assert!(alerts.items.iter().all(|alert| alert.opened_at < world.now()), "in the past");
    eventually("a day is summed up", async || {
        let news: NotificationPage = world.get("/notifications", token).await.ok();
        let mut all = news.items.into_iter().map(|item| item.notification);
        all.find(|one| one.alert_id.is_none() && one.title.starts_with("Your day"))
    })
    .await;
    // Records have the machine's time, which is days ahead of the demonstration's.
    let longest = "SELECT max(waited_ms)::bigint FROM inbox WHERE $1 IS NOT NULL";
    let longest = world.count(longest, uuid::Uuid::nil()).await;
    assert!(longest < 120_000, "{longest} ms of waiting");
    world.finish().await;
}
