//! The password and the sessions of an account.

use api_gateway::responses::{OwnSessions, Session};
use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::{PASSWORD, Reply, Student, World};

const NEW: &str = "battery staple";

/// Seconds after which a used refresh token is no longer taken for one whose answer was lost.
const LATER_THAN_LOST: i64 = 16;

async fn change(world: &World, student: &Student, current: &str, new: &str) -> Reply {
    let body = json!({ "current_password": current, "new_password": new });
    world.post("/me/password", Some(&student.token), &body).await
}

async fn refresh(world: &World, student: &Student) -> StatusCode {
    let body = json!({ "refresh_token": student.refresh_token });
    world.post("/auth/refresh", None, &body).await.status
}

async fn sessions(world: &World, student: &Student) -> OwnSessions {
    world.get("/me/sessions", Some(&student.token)).await.ok()
}

async fn delete(world: &World, student: &Student, path: &str) -> StatusCode {
    let token = student.token.clone();
    let sent = world.send("api-gateway", |client, url| {
        client.request(Method::DELETE, format!("{url}/api/v1{path}")).bearer_auth(token)
    });
    sent.await.status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_password_ends_all_other_sessions_and_a_wrong_one_changes_nothing() {
    let world = World::new().await;
    let phone = world.student("ada").await;
    let laptop = world.log_in("ada@example.org", PASSWORD).await;
    let wrong = change(&world, &laptop, "wrong password", NEW).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(wrong.body["errors"][0]["field"], "current_password", "{:?}", wrong.body);
    let short = change(&world, &laptop, PASSWORD, "short").await;
    assert_eq!(short.body["errors"][0]["field"], "new_password", "{:?}", short.body);
    assert_eq!(sessions(&world, &laptop).await.items.len(), 2, "nothing has happened yet");

    assert_eq!(change(&world, &laptop, PASSWORD, NEW).await.status, StatusCode::NO_CONTENT);
    assert_eq!(refresh(&world, &phone).await, StatusCode::UNAUTHORIZED);
    assert_eq!(
        refresh(&world, &laptop).await,
        StatusCode::OK,
        "the session that changed it goes on"
    );
    let old = json!({ "email": "ada@example.org", "password": PASSWORD });
    assert_eq!(world.post("/auth/login", None, &old).await.status, StatusCode::UNAUTHORIZED);
    world.log_in("ada@example.org", NEW).await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_at_the_current_password_count_like_logins() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let mut last = change(&world, &ada, "wrong password", NEW).await;
    for _ in 0..20 {
        if last.status == StatusCode::TOO_MANY_REQUESTS {
            break;
        }
        last = change(&world, &ada, "wrong password", NEW).await;
    }
    assert_eq!(last.status, StatusCode::TOO_MANY_REQUESTS);
    let login = json!({ "email": "ada@example.org", "password": PASSWORD });
    let login = world.post("/auth/login", None, &login).await;
    assert_eq!(login.status, StatusCode::TOO_MANY_REQUESTS, "it is the same limit");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_listed_and_ended_one_by_one_and_all_others_at_once() {
    let world = World::new().await;
    let (first, bob) = (world.student("ada").await, world.student("bob").await);
    let login = json!({ "email": "ada@example.org", "password": PASSWORD });
    let named = world.send("api-gateway", |client, url| {
        let request = client.post(format!("{url}/api/v1/auth/login")).json(&login);
        request.header("user-agent", "Ada's telephone")
    });
    let phone: Student = named.await.ok::<Session>().into();
    let third = world.log_in("ada@example.org", PASSWORD).await;
    let listed = sessions(&world, &phone).await.items;
    assert_eq!(listed.len(), 3);
    let current: Vec<_> = listed.iter().filter(|session| session.current).collect();
    assert_eq!(current.len(), 1, "{listed:?}");
    assert_eq!(current[0].user_agent.as_deref(), Some("Ada's telephone"));
    // A refresh continues a session and makes no other one.
    world.advance(60);
    let body = json!({ "refresh_token": third.refresh_token });
    let third: Student = world.post("/auth/refresh", None, &body).await.ok::<Session>().into();
    let listed = sessions(&world, &third).await.items;
    assert_eq!((listed.len(), listed[0].current), (3, true), "{listed:?}");
    assert!(listed[0].last_used_at > listed[1].last_used_at);

    let path = format!("/me/sessions/{}", listed[0].id);
    assert_eq!(delete(&world, &bob, &path).await, StatusCode::NOT_FOUND, "it is another's");
    assert_eq!(delete(&world, &phone, "/me/sessions/x").await, StatusCode::NOT_FOUND);
    assert_eq!(delete(&world, &phone, &path).await, StatusCode::NO_CONTENT);
    assert_eq!(delete(&world, &phone, &path).await, StatusCode::NOT_FOUND, "it has ended");
    assert_eq!(refresh(&world, &third).await, StatusCode::UNAUTHORIZED);
    assert_eq!(delete(&world, &phone, "/me/sessions").await, StatusCode::NO_CONTENT);
    assert_eq!(refresh(&world, &first).await, StatusCode::UNAUTHORIZED);
    assert_eq!(sessions(&world, &phone).await.items.len(), 1);
    assert_eq!(refresh(&world, &phone).await, StatusCode::OK);
    assert_eq!(refresh(&world, &bob).await, StatusCode::OK, "nobody else's");
    world.finish().await;
}

/// Whether a session's access token works, or the reason why not.
async fn works(world: &World, student: &Student) -> Result<(), String> {
    let reply = world.get("/me", Some(&student.token)).await;
    if reply.status == StatusCode::OK {
        return Ok(());
    }
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    Err(reply.body["detail"].as_str().expect("a reason").to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_access_token_ends_with_its_session() {
    let world = World::new().await;
    let (ada, bob) = (world.student("ada").await, world.student("bob").await);
    let log_in = async || {
        let session = world.log_in("ada@example.org", PASSWORD).await;
        // Each is known to the process from here on.
        assert_eq!(works(&world, &session).await, Ok(()));
        session
    };
    let is_ended = async |session: &Student, how: &str| {
        let reason = works(&world, session).await.expect_err(how);
        assert!(reason.contains("session has ended"), "{how}: {reason}");
        assert_eq!(works(&world, &ada).await, Ok(()), "{how}: the other goes on");
    };

    let phone = log_in().await;
    let current = sessions(&world, &phone).await.items.into_iter().find(|session| session.current);
    let path = format!("/me/sessions/{}", current.expect("it is listed").id);
    assert_eq!(delete(&world, &ada, &path).await, StatusCode::NO_CONTENT);
    is_ended(&phone, "deleted").await;

    let phone = log_in().await;
    assert_eq!(delete(&world, &ada, "/me/sessions").await, StatusCode::NO_CONTENT);
    is_ended(&phone, "deleted with all others").await;

    let phone = log_in().await;
    let body = json!({ "refresh_token": phone.refresh_token });
    assert_eq!(world.post("/auth/logout", None, &body).await.status, StatusCode::NO_CONTENT);
    is_ended(&phone, "logged out").await;

    let phone = log_in().await;
    let body = json!({ "refresh_token": phone.refresh_token });
    let second: Student = world.post("/auth/refresh", None, &body).await.ok::<Session>().into();
    assert_eq!(works(&world, &second).await, Ok(()));
    assert_eq!(works(&world, &phone).await, Ok(()), "renewed, it is the same session");
    world.advance(LATER_THAN_LOST);
    assert_eq!(refresh(&world, &phone).await, StatusCode::UNAUTHORIZED);
    is_ended(&phone, "a refresh token was used twice").await;
    is_ended(&second, "a refresh token was used twice").await;

    let phone = log_in().await;
    assert_eq!(change(&world, &ada, PASSWORD, NEW).await.status, StatusCode::NO_CONTENT);
    is_ended(&phone, "the password was changed").await;
    assert_eq!(works(&world, &bob).await, Ok(()), "nobody else's");
    world.finish().await;
}

/// The successor of a refresh token, if it is exchanged.
async fn exchange(world: &World, token: &str) -> Option<String> {
    let reply = world.post("/auth/refresh", None, &json!({ "refresh_token": token })).await;
    match reply.status {
        StatusCode::OK => reply.ok::<Session>().refresh_token,
        status => {
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{:?}", reply.body);
            None
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_lost_the_answer_to_a_refresh_may_ask_again_for_a_moment() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let lost = exchange(&world, &ada.refresh_token).await.expect("a successor");
    world.advance(LATER_THAN_LOST - 1);
    let got = exchange(&world, &ada.refresh_token).await.expect("another one");
    assert_ne!(got, lost);
    assert_eq!(sessions(&world, &ada).await.items.len(), 1, "it is the same session");
    // The session goes on, and so it does when the next answer is lost.
    let next = exchange(&world, &got).await.expect("a successor");
    let again = exchange(&world, &got).await.expect("another one");
    assert_ne!(next, again);
    assert!(exchange(&world, &again).await.is_some());
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_that_refresh_at_once_all_go_on_but_only_one_line_does() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let all = join_all((0..8).map(|_| exchange(&world, &ada.refresh_token))).await;
    let mut all: Vec<String> = all.into_iter().flatten().collect();
    assert_eq!(all.len(), 8, "the browser keeps one of them");
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 8, "each has its own");
    let kept = exchange(&world, &all[0]).await.expect("it works");
    // Whoever has another one is not that browser.
    world.advance(LATER_THAN_LOST);
    assert_eq!(exchange(&world, &all[1]).await, None);
    assert_eq!(exchange(&world, &kept).await, None, "the family is revoked");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_comes_after_the_successor_was_used_is_stolen_however_soon() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let first = exchange(&world, &ada.refresh_token).await.expect("a successor");
    let second = exchange(&world, &first).await.expect("its successor");
    assert_eq!(exchange(&world, &ada.refresh_token).await, None, "no time has passed");
    assert_eq!(exchange(&world, &second).await, None, "the family is revoked");
    let reason = works(&world, &ada).await.expect_err("so is the access token");
    assert!(reason.contains("session has ended"), "{reason}");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_comes_too_late_for_a_lost_answer_is_stolen() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let successor = exchange(&world, &ada.refresh_token).await.expect("a successor");
    world.advance(LATER_THAN_LOST - 1);
    let other = exchange(&world, &ada.refresh_token).await.expect("in time");
    // The time counts from the first use, so nobody can stretch it.
    world.advance(1);
    assert_eq!(exchange(&world, &ada.refresh_token).await, None, "too late");
    for successor in [successor, other] {
        assert_eq!(exchange(&world, &successor).await, None, "the family is revoked");
    }
    world.finish().await;
}

/// What a student writes is not in the events, and everything works all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_student_writes_is_sealed_in_events() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let code = "print('swordfish')\nprint(1 / 0)";
    let body = json!({ "question": "swordfish: why does it fail?", "code": code });
    let reply = world.post_with("/query", &ada.token, &body, [("prefer", "wait=20")]).await;
    assert_eq!(reply.status, StatusCode::OK, "{:?}", reply.body);
    let id = reply.body["id"].as_str().expect("an id").to_owned();
    let asked: Vec<Value> = world.events_of_request(&id, "question.asked.v1").await;
    assert_eq!(asked[0]["code"], code, "who has the key can read it");
    let nil = uuid::Uuid::nil();
    let sql = "SELECT count(*) FROM events WHERE $1 IS NOT NULL";
    assert!(world.count(sql, nil).await >= 5);
    let sql =
        "SELECT count(*) FROM events WHERE data::text NOT LIKE '{\"sealed\":%' AND $1 IS NOT NULL";
    assert_eq!(world.count(sql, nil).await, 0);
    world.finish().await;
}
