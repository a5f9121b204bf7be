//! Drafts on every device: nothing that one device wrote is overwritten by another one without a word.

use api_gateway::responses::{Draft, SavedDraft};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tests::{Reply, Setup, Student, World};
use uuid::Uuid;

const IF_MATCH: &str = "if-match";

/// Sends a request about a draft, with a header of its condition if there is one.
async fn send(
    world: &World,
    student: &Student,
    (method, key): (Method, &str),
    text: Option<&str>,
    condition: Option<(&str, &str)>,
) -> Reply {
    world
        .send("api-gateway", |client, url| {
            let request = client.request(method, format!("{url}/api/v1/drafts/{key}"));
            let request = request.bearer_auth(&student.token);
            let request = match text {
                Some(text) => request.json(&json!({ "text": text })),
                None => request,
            };
            match condition {
                Some((name, value)) => request.header(name, value),
                None => request,
            }
        })
        .await
}

async fn put(
    world: &World,
    student: &Student,
    key: &str,
    text: &str,
    condition: Option<(&str, &str)>,
) -> Reply {
    send(world, student, (Method::PUT, key), Some(text), condition).await
}

async fn get(world: &World, student: &Student, key: &str) -> Reply {
    send(world, student, (Method::GET, key), None, None).await
}

fn tag(reply: &Reply) -> String {
    reply.headers["etag"].to_str().expect("a tag").to_owned()
}

/// Checks a refusal that says what to do.
fn is_refused(reply: &Reply, status: StatusCode, code: &str, words: &str) {
    assert_eq!((reply.status, &reply.body["code"]), (status, &json!(code)), "{:?}", reply.body);
    let detail = reply.body["detail"].as_str().expect("a detail");
    assert!(detail.contains(words), "{words} not in {detail}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_device_goes_on_where_the_first_one_was_left() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let second = world.log_in("ada@example.org", tests::PASSWORD).await;
    assert_eq!(get(&world, &ada, "workspace").await.status, StatusCode::NOT_FOUND);
    let made = put(&world, &ada, "workspace", "print(1)", None).await;
    let made_tag = tag(&made);
    assert_eq!(made.expect::<SavedDraft>(StatusCode::CREATED).key, "workspace");

    let found = get(&world, &second, "workspace").await;
    assert_eq!(tag(&found), made_tag);
    let draft: Draft = found.ok();
    assert_eq!((draft.text.as_str(), draft.updated_at), ("print(1)", world.now()));
    let known = ("if-none-match", made_tag.as_str());
    let again = send(&world, &second, (Method::GET, "workspace"), None, Some(known)).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);

    world.advance(60);
    let condition = Some((IF_MATCH, made_tag.as_str()));
    let replaced = put(&world, &second, "workspace", "print(2)", condition).await;
    assert_ne!(tag(&replaced), made_tag);
    assert_eq!(replaced.ok::<SavedDraft>().updated_at, world.now());
    assert_eq!(get(&world, &ada, "workspace").await.ok::<Draft>().text, "print(2)");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn devices_do_not_overwrite_each_other() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let precondition = StatusCode::PRECONDITION_FAILED;
    let first = tag(&put(&world, &ada, "workspace", "one", None).await);
    let second = tag(&put(&world, &ada, "workspace", "two", Some((IF_MATCH, &first))).await);
    // Whoever knows nothing, or what was there before.
    let none = Some(("if-none-match", "*"));
    for condition in [None, none, Some((IF_MATCH, first.as_str())), Some((IF_MATCH, "\"x\""))] {
        let refused = put(&world, &ada, "workspace", "three", condition).await;
        is_refused(&refused, precondition, "draft_changed", "GET it");
    }
    let old = Some((IF_MATCH, first.as_str()));
    let refused = send(&world, &ada, (Method::DELETE, "workspace"), None, old).await;
    is_refused(&refused, precondition, "draft_changed", "GET it");
    assert_eq!(get(&world, &ada, "workspace").await.ok::<Draft>().text, "two");
    // A request whose response was lost may be repeated.
    let repeated = put(&world, &ada, "workspace", "two", old).await;
    assert_eq!((repeated.status, tag(&repeated)), (StatusCode::OK, second.clone()));
    // Of two at once, one comes first.
    let known = Some((IF_MATCH, second.as_str()));
    let (one, other) = tokio::join!(
        put(&world, &ada, "workspace", "left", known),
        put(&world, &ada, "workspace", "right", known)
    );
    let mut statuses = [one.status, other.status];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::OK, precondition]);
    let kept = get(&world, &ada, "workspace").await.ok::<Draft>().text;
    assert_eq!(kept, if one.status == StatusCode::OK { "left" } else { "right" });
    let key = format!("exercise:{}", Uuid::from_u128(1));
    let (one, other) =
        tokio::join!(put(&world, &ada, &key, "left", None), put(&world, &ada, &key, "right", None));
    let mut statuses = [one.status, other.status];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::CREATED, precondition]);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_draft_is_not_brought_back_by_who_knew_it() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    let made = tag(&put(&world, &ada, "workspace", "one", None).await);
    let delete =
        async |condition| send(&world, &ada, (Method::DELETE, "workspace"), None, condition).await;
    let unconditional = delete(None).await;
    is_refused(&unconditional, StatusCode::PRECONDITION_REQUIRED, "if_match_required", "If-Match");
    let known = Some((IF_MATCH, made.as_str()));
    assert_eq!(delete(known).await.status, StatusCode::NO_CONTENT);
    assert_eq!(delete(known).await.status, StatusCode::NOT_FOUND);
    let refused = put(&world, &ada, "workspace", "two", known).await;
    is_refused(&refused, StatusCode::PRECONDITION_FAILED, "draft_gone", "If-None-Match: *");
    // Made again, it is another one, even with the same text.
    let again = put(&world, &ada, "workspace", "one", Some(("if-none-match", "*"))).await;
    assert_eq!(again.status, StatusCode::CREATED);
    let refused = put(&world, &ada, "workspace", "two", known).await;
    is_refused(&refused, StatusCode::PRECONDITION_FAILED, "draft_changed", "GET it");
    let any = put(&world, &ada, "workspace", "two", Some((IF_MATCH, "*"))).await;
    assert_eq!(any.status, StatusCode::OK, "who asks for it replaces anything");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_is_its_owners_alone() {
    let world = World::new().await;
    let (ada, tom) = (world.student("ada").await, world.teacher("tom").await);
    world.class(&tom, &[&ada]).await;
    let admin = world.log_in("admin@example.org", "learnflow-admin").await;
    put(&world, &ada, "workspace", "mine", None).await;
    for other in [&tom, &admin] {
        assert_eq!(get(&world, other, "workspace").await.status, StatusCode::NOT_FOUND);
        let any = Some((IF_MATCH, "*"));
        let deleted = send(&world, other, (Method::DELETE, "workspace"), None, any).await;
        assert_eq!(deleted.status, StatusCode::NOT_FOUND);
        let own = put(&world, other, "workspace", "theirs", None).await;
        assert_eq!(own.status, StatusCode::CREATED);
    }
    assert_eq!(get(&world, &ada, "workspace").await.ok::<Draft>().text, "mine");
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_drafts_are_refused_with_their_fault() {
    let world = World::new().await;
    let ada = world.student("ada").await;
    for key in ["x", "exercise:", "exercise:1", "WORKSPACE", "workspace%00"] {
        let all = [
            put(&world, &ada, key, "x", None).await,
            get(&world, &ada, key).await,
            send(&world, &ada, (Method::DELETE, key), None, Some((IF_MATCH, "*"))).await,
        ];
        for reply in all {
            assert_eq!(reply.body["errors"][0]["field"], "key", "{key}: {:?}", reply.body);
            is_refused(&reply, StatusCode::UNPROCESSABLE_ENTITY, "validation_failed", "workspace");
        }
    }
    let longest = put(&world, &ada, "workspace", &"é".repeat(65_536), None).await;
    assert_eq!(longest.status, StatusCode::CREATED);
    for (text, words) in [("x".repeat(65_537).as_str(), "at most 65536"), ("a\0b", "NUL")] {
        let refused = put(&world, &ada, "workspace", text, Some((IF_MATCH, "*"))).await;
        assert_eq!(refused.body["errors"][0]["field"], "text");
        is_refused(&refused, StatusCode::UNPROCESSABLE_ENTITY, "validation_failed", words);
    }
    let tagged = Some(("if-none-match", "\"x\""));
    let refused = put(&world, &ada, "workspace", "x", tagged).await;
    assert_eq!(refused.body["errors"][0]["field"], "If-None-Match", "{:?}", refused.body);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_oldest_of_too_many_drafts_goes() {
    let settings = vec![("RATE_LIMIT_USER", "1000".to_owned())];
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    let ada = world.student("ada").await;
    let key = |number: u128| format!("exercise:{}", Uuid::from_u128(number));
    for number in 0..100 {
        world.advance(1);
        let made = put(&world, &ada, &key(number), "x", None).await;
        assert_eq!(made.status, StatusCode::CREATED, "{number}");
    }
    // The first one is changed, so it is not the oldest any more.
    world.advance(1);
    put(&world, &ada, &key(0), "y", Some((IF_MATCH, "*"))).await;
    world.advance(1);
    put(&world, &ada, "workspace", "x", None).await;
    assert_eq!(get(&world, &ada, &key(1)).await.status, StatusCode::NOT_FOUND);
    for key in [key(0), key(2), key(99), "workspace".to_owned()] {
        assert_eq!(get(&world, &ada, &key).await.status, StatusCode::OK, "{key}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drafts_count_towards_the_limit_of_a_person() {
    let settings = vec![("RATE_LIMIT_USER", "3".to_owned())];
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    let ada = world.student("ada").await;
    for number in 0..3 {
        let kept = put(&world, &ada, "workspace", "x", None).await;
        assert!(kept.status.is_success(), "{number}: {:?}", kept.body);
    }
    let refused = put(&world, &ada, "workspace", "x", None).await;
    is_refused(&refused, StatusCode::TOO_MANY_REQUESTS, "rate_limited", "3 requests");
    world.finish().await;
}
