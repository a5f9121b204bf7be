//! How a held socket ends, with and without API Gateway's word of it.

use chrono::TimeDelta;
use domain::user::Role;
use serde_json::json;
use tests::{
    PASSWORD,
    socket::{emit, nudge, token},
};

use super::{super::ends::log_out, Held};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_gone_is_forgotten_but_not_one_that_is_not_there_yet() {
    let held = Held::new([]).await;
    let Held { world, gateway, lambda, .. } = &held;
    let ada = world.student("ada").await;
    let path = format!("/ws/chat/{}", ada.id);
    let query = [("token", ada.token.as_str())];
    // API Gateway has not got our answer.
    let slow = gateway.ask(lambda, &path, &query, &[]).await.expect("it may be opened");
    emit(world, &[nudge(ada.id, "1")]).await;
    held.hear(lambda).await;
    assert_eq!((held.texts(&slow).len(), held.stored().await), (0, 1));
    gateway.open(&slow);
    world.advance(11);
    held.tick().await;
    assert_eq!(held.texts(&slow), ["1"]);
    world.advance(31);
    gateway.vanish(&slow);
    emit(world, &[nudge(ada.id, "2")]).await;
    held.hear(lambda).await;
    assert_eq!((held.texts(&slow).len(), held.stored().await), (1, 0));
    held.world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_whose_end_nobody_was_told_of_is_found() {
    let held = Held::new([]).await;
    let ada = held.world.student("ada").await;
    let (gone, idle) = (held.chat(&ada, None).await, held.chat(&ada, None).await);
    held.hear(&held.lambda).await;
    held.gateway.vanish(&gone);
    held.world.advance(10 * 60);
    held.tick().await;
    assert_eq!(held.stored().await, 2);
    held.world.advance(61);
    held.tick().await;
    assert_eq!(held.stored().await, 1);
    emit(&held.world, &[nudge(ada.id, "Still there?")]).await;
    held.hear(&held.lambda).await;
    assert_eq!(held.texts(&idle), ["Still there?"]);
    held.gateway.leave(&held.lambda, &idle).await;
    held.gateway.leave(&held.lambda, &idle).await;
    assert_eq!(held.stored().await, 0);
    held.world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_socket_ends_with_its_token_unless_another_one_comes() {
    let held = Held::new([]).await;
    let Held { world, gateway, lambda, .. } = &held;
    let (ada, eve) = (world.student("ada").await, world.student("eve").await);
    let short = token(world, ada.id, Role::Student, TimeDelta::seconds(60));
    let (ends, stays) =
        (held.chat_of(ada.id, &short, None).await, held.chat_of(ada.id, &short, None).await);
    for (token, code) in [(&eve.token, json!("forbidden")), (&ada.token, json!(null))] {
        let frame = json!({ "type": "auth", "token": token }).to_string();
        gateway.say(lambda, &stays, &frame).await.expect("it is taken");
        let last = gateway.frames(&stays).pop().unwrap_or_default();
        assert!(code.is_null() || last["code"] == code, "{last}");
    }
    world.advance(61);
    let question = json!({ "content": "What is a list?" }).to_string();
    gateway.say(lambda, &ends, &question).await.expect("it is taken");
    let codes: Vec<_> = gateway.frames(&ends).iter().map(|frame| frame["code"].clone()).collect();
    assert_eq!((codes, gateway.is_open(&ends)), (vec![json!("token_expired")], false));
    let sql = "SELECT count(*) FROM queries WHERE student_id = $1";
    assert_eq!(world.count(sql, ada.id).await, 0, "it was not carried out");
    emit(world, &[nudge(ada.id, "Still there?")]).await;
    held.hear(lambda).await;
    assert_eq!(held.texts(&stays).last().map(String::as_str), Some("Still there?"));
    assert_eq!((gateway.frames(&ends).len(), held.stored().await), (1, 1));
    held.world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_socket_ends_with_its_session() {
    let held = Held::new([]).await;
    let Held { world, gateway, lambda, .. } = &held;
    let phone = world.student("ada").await;
    let laptop = world.log_in("ada@example.org", PASSWORD).await;
    let ticket = world.post("/ws/ticket", Some(&phone.token), &json!({})).await;
    let ticket = ticket.body["ticket"].as_str().expect("a ticket").to_owned();
    let path = format!("/ws/chat/{}", phone.id);
    let asks = gateway.connect(lambda, &path, &[("ticket", &ticket)], &[]).await;
    let asks = asks.expect("it is opened");
    let (hears, idle) = (held.chat(&phone, None).await, held.chat(&phone, None).await);
    let stays = held.chat(&laptop, None).await;
    held.hear(lambda).await;
    log_out(world, &phone).await;
    let question = json!({ "content": "What is a list?" }).to_string();
    gateway.say(lambda, &asks, &question).await.expect("it is taken");
    assert_eq!(gateway.frames(&asks)[0]["code"], "session_ended");
    let sql = "SELECT count(*) FROM queries WHERE student_id = $1";
    assert_eq!(world.count(sql, phone.id).await, 0, "it was not carried out");
    assert!(gateway.is_open(&idle), "nobody has looked");
    emit(world, &[nudge(phone.id, "Still there?")]).await;
    held.hear(lambda).await;
    for socket in [&asks, &hears, &idle] {
        assert_eq!(gateway.frames(socket).len(), 1, "the reason and nothing else");
        assert!(!gateway.is_open(socket));
    }
    assert_eq!((held.texts(&stays), held.stored().await), (vec!["Still there?".to_owned()], 1));
    log_out(world, &laptop).await;
    world.advance(11 * 60);
    held.tick().await;
    assert_eq!((gateway.is_open(&stays), held.stored().await), (false, 0), "found by itself");
    held.world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_socket_has_a_planned_end() {
    let held = Held::new([]).await;
    let ada = held.world.student("ada").await;
    let long = token(&held.world, ada.id, Role::Student, TimeDelta::hours(9));
    let short = token(&held.world, ada.id, Role::Student, TimeDelta::hours(1));
    let (old, expired) =
        (held.chat_of(ada.id, &long, None).await, held.chat_of(ada.id, &short, None).await);
    held.hear(&held.lambda).await;
    // Looked at now and then, and nothing is wrong.
    for _ in 0..9 {
        held.world.advance(11 * 60);
        held.tick().await;
    }
    assert_eq!((held.gateway.is_open(&old), held.gateway.is_open(&expired)), (true, false));
    assert_eq!(held.gateway.frames(&expired)[0]["code"], "token_expired");
    // An hour and 50 minutes.
    held.world.advance(11 * 60);
    held.tick().await;
    assert_eq!(held.gateway.frames(&old)[0]["code"], "connect_again");
    assert_eq!((held.gateway.is_open(&old), held.stored().await), (false, 0));
    held.world.finish().await;
}
