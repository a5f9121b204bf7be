//! What administrators do: accounts and rights, the cost of models, events that were given up, and how everything is.

use api_gateway::responses::{
    AccountChangeKind, AccountDetail, AccountPage, DeadLetterDetail, DeadLetterPage, FeatureState,
    InstallationHealth, ReplayedDeadLetter, UsageReport,
};
use domain::user::Role;
use reqwest::StatusCode;
use runner::users;
use runtime::{Clock, Store};
use serde_json::json;
use storage::model_usage;
use testing::{bench::publish, eventually};
use tests::{PASSWORD, Student, World};
use uuid::Uuid;

async fn admin(world: &World) -> Student {
    world.log_in("admin@example.org", "learnflow-admin").await
}

/// The addresses on all pages of a search.
async fn found(world: &World, admin: &Student, query: &str) -> Vec<String> {
    let (mut addresses, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(&format!("/admin/users?{query}{cursor}"), Some(&admin.token)).await;
        let page: AccountPage = page.ok();
        addresses.extend(page.items.into_iter().map(|account| account.email));
        let Some(next) = page.next_cursor else { return addresses };
        cursor = format!("&cursor={}", urlencoded(&next));
    }
}

fn urlencoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_are_found_by_address_name_and_role_page_by_page() {
    let world = World::new().await;
    let admin = admin(&world).await;
    for name in ["grace", "ada", "adam"] {
        world.student(name).await;
    }
    world.teacher("adele").await;
    let many = "INSERT INTO users (id, email, display_name, role, created_at)
                SELECT gen_random_uuid(), 'many' || n || '@example.org', 'Same Name', 'student', now()
                FROM generate_series(100, 219) AS n WHERE $1 IS NOT NULL";
    sqlx::query(many).bind("").execute(&mut world.database().await).await.expect("rows");
    let by_address = found(&world, &admin, "email=Ada").await;
    assert_eq!(by_address, ["ada@example.org", "adam@example.org"]);
    assert_eq!(found(&world, &admin, "email=ad&role=teacher").await, ["adele@example.org"]);
    let mut ad = found(&world, &admin, "name=AD").await;
    ad.sort_unstable();
    assert_eq!(ad, ["ada@example.org", "adam@example.org", "adele@example.org"]);
    let expected: Vec<String> = (100..220).map(|n| format!("many{n}@example.org")).collect();
    assert_eq!(found(&world, &admin, "email=many").await, expected, "in order, without repeats");
    let mut same = found(&world, &admin, "name=same").await;
    same.sort_unstable();
    assert_eq!(same, expected, "people with one name are on several pages, each once");
    // And three demo accounts.
    assert_eq!(found(&world, &admin, "").await.len(), 4 + 120 + 3);
    assert_eq!(found(&world, &admin, "role=admin").await, ["admin@example.org"]);
    for wrong in
        ["email=a&name=b", "email=", "name=%00", "role=king", "cursor=x", "email=a&cursor=%00"]
    {
        let reply = world.get(&format!("/admin/users?{wrong}"), Some(&admin.token)).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disabled_account_has_no_sessions_until_it_is_enabled() {
    let world = World::new().await;
    let (admin, ada) = (admin(&world).await, world.student("ada").await);
    let path = format!("/admin/users/{}", ada.id);
    assert_eq!(world.get("/me", Some(&ada.token)).await.status, StatusCode::OK);
    let disabled = world.patch(&path, &admin.token, &json!({ "disabled": true })).await;
    let disabled: AccountDetail = disabled.ok();
    assert!(disabled.account.disabled_at.is_some());
    let refused = world.get("/me", Some(&ada.token)).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "the token that she has");
    assert_eq!(refused.body["detail"], "this account is disabled; ask an administrator");
    let login = json!({ "email": "ada@example.org", "password": PASSWORD });
    let refused = world.post("/auth/login", None, &login).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert_eq!(refused.body["code"], "account_disabled");
    let wrong = json!({ "email": "ada@example.org", "password": "not the right one" });
    let refused = world.post("/auth/login", None, &wrong).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "only its owner learns of it");
    let refresh = json!({ "refresh_token": ada.refresh_token });
    let refused = world.post("/auth/refresh", None, &refresh).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    world.patch(&path, &admin.token, &json!({ "disabled": false, "role": "teacher" })).await;
    let refused = world.get("/me", Some(&ada.token)).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "that session has ended for good");
    let ada = world.log_in("ada@example.org", PASSWORD).await;
    assert_eq!(world.get("/classes", Some(&ada.token)).await.status, StatusCode::OK, "a teacher");
    let shown: AccountDetail = world.get(&path, Some(&admin.token)).await.ok();
    let mut changes: Vec<_> = shown.changes.iter().map(|change| change.change).collect();
    assert_eq!(changes.pop(), Some(AccountChangeKind::Disabled), "newest first");
    assert!(changes.contains(&AccountChangeKind::Teacher));
    assert!(changes.contains(&AccountChangeKind::Enabled));
    let by = shown.changes.iter().map(|change| change.changed_by.expect("a person").as_uuid());
    assert!(by.into_iter().all(|id| id == admin.id));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_administrator_stays_one() {
    let world = World::new().await;
    let (admin, ada) = (admin(&world).await, world.student("ada").await);
    let (own, hers) = (format!("/admin/users/{}", admin.id), format!("/admin/users/{}", ada.id));
    for change in [json!({ "role": "student" }), json!({ "disabled": true })] {
        let refused = world.patch(&own, &admin.token, &change).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{change}");
        assert_eq!(refused.body["code"], "last_admin");
    }
    let appointed = world.patch(&hers, &admin.token, &json!({ "role": "admin" })).await;
    assert_eq!(appointed.ok::<AccountDetail>().account.role, Role::Admin);
    let ada = world.log_in("ada@example.org", PASSWORD).await;
    // Each demotes the other at the same time: one of them remains.
    let student = json!({ "role": "student" });
    let (one, other) = tokio::join!(
        world.patch(&hers, &admin.token, &student),
        world.patch(&own, &ada.token, &student),
    );
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_administrator_is_made_by_a_command() {
    let world = World::new().await;
    world.student("ada").await;
    let store = Store::open(world.database_url()).expect("a database");
    let promote = async |email: &str| users::promote(&store, &Clock::System, email).await;
    let unknown = promote("nobody@example.org").await.expect_err("there is none");
    assert!(unknown.to_string().contains("nobody has registered"), "{unknown}");
    promote("Ada@example.org").await.expect("she has registered");
    assert!(promote("ada@example.org").await.expect("again").contains("already"));
    let ada = world.log_in("ada@example.org", PASSWORD).await;
    let path = format!("/admin/users/{}", ada.id);
    let shown: AccountDetail = world.get(&path, Some(&ada.token)).await.ok();
    let [change] = &shown.changes[..] else { panic!("{shown:?}") };
    assert_eq!((change.change, change.changed_by), (AccountChangeKind::Admin, None));
    store.close().await;
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn costs_are_added_up_by_day_agent_and_model() {
    let world = World::new().await;
    let admin = admin(&world).await;
    let rows = "INSERT INTO model_usage
                SELECT gen_random_uuid(), NULL, agent, 'm', 10, tokens_out, cost, 5, cached, $1::timestamptz - ago
                FROM (VALUES ('debug', 7, 100, false, interval '0'), ('debug', 0, 50, false, '0'),
                             ('debug', 0, 0, true, '0'), ('concepts', 1, 20, false, '1 day'),
                             ('exercise', 3, 40, false, '20 days'), ('exercise', 4, 50, false, '20 days 1 hour'),
                             ('concepts', 1, 999, false, '40 days'))
                     AS used (agent, tokens_out, cost, cached, ago)";
    let insert = sqlx::query(rows).bind(world.now());
    insert.execute(&mut world.database().await).await.expect("rows");
    let report: UsageReport = world.get("/admin/usage", Some(&admin.token)).await.ok();
    let seen: Vec<_> = report
        .rows
        .iter()
        .map(|row| {
            (
                row.agent.as_str(),
                row.calls,
                row.saved,
                row.failed,
                row.tokens_out,
                row.cost_micro_usd,
            )
        })
        .collect();
    assert_eq!(seen, [("debug", 2, 1, 1, 7, 150), ("concepts", 1, 0, 0, 1, 20)]);
    let month: UsageReport = world.get("/admin/usage?days=31", Some(&admin.token)).await.ok();
    assert_eq!((month.calls, month.cost_micro_usd), (5, 260));
    for _ in 0..2 {
        let mut conn = world.database().await;
        while model_usage::sum_up_next(&mut conn, world.now()).await.expect("it is summed up") {}
        let summed: Option<i64> = sqlx::query_scalar("SELECT sum(calls)::bigint FROM model_days")
            .fetch_one(&mut conn)
            .await
            .expect("a number");
        assert_eq!(summed, Some(4), "what has just happened is counted call by call");
        let again: UsageReport = world.get("/admin/usage?days=31", Some(&admin.token)).await.ok();
        assert_eq!(again, month);
    }
    assert_eq!((report.calls, report.cost_micro_usd), (3, 170));
    let today: UsageReport = world.get("/admin/usage?days=1", Some(&admin.token)).await.ok();
    assert_eq!((today.from, today.cost_micro_usd), (today.to, 150));
    for wrong in ["days=0", "days=32", "to=soon", "to=-262143-01-01", "to=1969-01-01"] {
        let reply = world.get(&format!("/admin/usage?{wrong}"), Some(&admin.token)).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_letter_is_shown_without_its_data_and_sent_again() {
    let world = World::new().await;
    let (admin, ada) = (admin(&world).await, world.student("ada").await);
    let event = json!({
        "specversion": "1.0", "id": "foreign", "source": "test", "type": "question.asked.v1",
        "subject": ada.id, "datacontenttype": "application/json",
        "data": { "secret": "what a student wrote" },
    });
    let key = ada.id.to_string();
    publish(world.kafka(), "learning.requests", &key, Some(event.to_string().as_bytes())).await;
    let letters = async |count: usize| {
        eventually("triage has given it up", async || {
            let path = "/admin/dead-letters?function=triage&topic=learning.requests";
            let page: DeadLetterPage = world.get(path, Some(&admin.token)).await.ok();
            (page.items.len() == count).then_some(page.items)
        })
        .await
    };
    let letter = letters(1).await.remove(0);
    assert!(letter.reasons.concat().contains("question.asked.v1"), "{letter:?}");
    let path = format!("/admin/dead-letters/{}", letter.id);
    let shown = world.get(&path, Some(&admin.token)).await;
    assert!(!shown.body.to_string().contains("what a student wrote"), "{:?}", shown.body);
    let shown: DeadLetterDetail = shown.ok();
    assert_eq!(shown.event_type.as_deref(), Some("question.asked.v1"));
    assert_eq!(shown.subject.as_deref(), Some(&*key));
    let replay = async |query: &str| {
        world.post(&format!("{path}/replay{query}"), Some(&admin.token), &json!({})).await
    };
    let sent: ReplayedDeadLetter = replay("").await.expect(StatusCode::ACCEPTED);
    assert_eq!(sent.topic, "learning.requests");
    letters(2).await;
    let refused = replay("").await;
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (StatusCode::CONFLICT, &json!("replayed_before"))
    );
    assert_eq!(replay("?again=true").await.status, StatusCode::ACCEPTED);
    letters(3).await;
    let health: InstallationHealth = world.get("/admin/health", Some(&admin.token)).await.ok();
    let triage = health.features.iter().find(|feature| feature.name == "triage").expect("triage");
    assert_eq!(triage.state, FeatureState::Degraded, "{triage:?}");
    assert!(triage.summary.contains("given up 3 events"), "{triage:?}");
    let others = health.features.iter().filter(|feature| feature.name != "progress");
    let others = others.filter(|feature| feature.name != "triage");
    for feature in others {
        assert_eq!(feature.state, FeatureState::Ok, "{feature:?}");
    }
    assert!(health.features.iter().any(|feature| feature.name == "concepts"), "{health:?}");
    world.finish_with_dead_letters("triage", 3).await;
}

/// A question of a student that no function can read, because of what its data is: the dead letter's path.
async fn unreadable(world: &World, admin: &Student, student: &Student, query: Uuid) -> String {
    let event = json!({
        "specversion": "1.0", "id": "foreign", "source": "test", "type": "question.asked.v1",
        "subject": student.id, "correlationid": query, "datacontenttype": "application/json",
        "data": { "secret": "what a student wrote" },
    });
    let key = student.id.to_string();
    publish(world.kafka(), "learning.requests", &key, Some(event.to_string().as_bytes())).await;
    let letter = eventually("triage has given it up", async || {
        let path = "/admin/dead-letters?function=triage";
        let page: DeadLetterPage = world.get(path, Some(&admin.token)).await.ok();
        page.items.into_iter().next()
    })
    .await;
    format!("/admin/dead-letters/{}", letter.id)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_data_of_a_dead_letter_is_shown_to_who_asks_for_it() {
    let world = World::new().await;
    let (admin, ada) = (admin(&world).await, world.student("ada").await);
    let path = unreadable(&world, &admin, &ada, Uuid::from_u128(1)).await;
    for query in ["", "?payload=false"] {
        let shown: DeadLetterDetail =
            world.get(&format!("{path}{query}"), Some(&admin.token)).await.ok();
        assert_eq!((shown.data, shown.replays), (None, Vec::new()));
    }
    let shown = world.get(&format!("{path}?payload=true"), Some(&admin.token)).await;
    let data = shown.ok::<DeadLetterDetail>().data.expect("it was asked for");
    assert_eq!(data, json!({ "secret": "what a student wrote" }).to_string());
    let wrong = world.get(&format!("{path}?payload=yes"), Some(&admin.token)).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    world.finish_with_dead_letters("triage", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_is_repaired_before_it_is_sent_again() {
    let world = World::new().await;
    let (admin, ada, bob) =
        (admin(&world).await, world.student("ada").await, world.student("bob").await);
    let asked = world.ask(&ada, "What is a list?", 20).await;
    let query: Uuid = asked.body["id"].as_str().expect("an id").parse().expect("an id");
    let path = unreadable(&world, &admin, &ada, query).await;
    let post = async |options: &str, key: Option<&'static str>, data: &str| {
        let (path, body) = (format!("{path}/replay{options}"), json!({ "data": data }));
        match key {
            Some(key) => {
                world.post_with(&path, &admin.token, &body, [("idempotency-key", key)]).await
            }
            None => world.post(&path, Some(&admin.token), &body).await,
        }
    };
    let data = |student: &Student, question: &str| {
        json!({ "query_id": query, "student_id": student.id, "question": question }).to_string()
    };
    for (wrong, field) in [
        ("{", "data"),
        ("1", "data"),
        ("{}", "data.query_id"),
        (data(&ada, "").as_str(), "data.question"),
        (data(&bob, "Why?").as_str(), "data"),
    ] {
        for options in ["", "?dry_run=true"] {
            let refused = post(options, None, wrong).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}{options}");
            assert_eq!(refused.body["errors"][0]["field"], field, "{:?}", refused.body);
        }
    }
    let why = data(&ada, "Why?");
    let would: ReplayedDeadLetter = post("?dry_run=true", None, &why).await.ok();
    assert_eq!((would.event_id, would.topic.as_str()), (None, "learning.requests"));
    assert_eq!(would.changed, ["query_id", "question", "student_id"]);
    let shown: DeadLetterDetail = world.get(&path, Some(&admin.token)).await.ok();
    assert!(shown.replays.is_empty(), "nothing was sent");

    let sent: ReplayedDeadLetter = post("", Some("r1"), &why).await.expect(StatusCode::ACCEPTED);
    let again: ReplayedDeadLetter = post("", Some("r1"), &why).await.expect(StatusCode::ACCEPTED);
    assert_eq!(again, sent, "it is sent once");
    let other = post("", Some("r1"), &data(&ada, "How?")).await;
    assert_eq!(other.body["code"], "idempotency_key_reused", "{:?}", other.body);
    let late = post("?dry_run=true", None, &why).await;
    assert_eq!(late.body["code"], "replayed_before", "{:?}", late.body);
    let event = sent.event_id.expect("it was sent").as_uuid();
    eventually("triage has handled it", async || {
        let sql = "SELECT count(*) FROM inbox WHERE function = 'triage' AND event_id = $1";
        (world.count(sql, event).await == 1).then_some(())
    })
    .await;
    let sealed = "SELECT count(*) FROM events WHERE id = $1 AND data::text LIKE '{\"sealed\":%'";
    assert_eq!(world.count(sealed, event).await, 1, "it is about ada");
    let shown: DeadLetterDetail = world.get(&path, Some(&admin.token)).await.ok();
    let [replay] = &shown.replays[..] else { panic!("{shown:?}") };
    assert_eq!(replay.event_id.as_uuid(), event);
    assert_eq!(replay.replayed_by.map(|id| id.as_uuid()), Some(admin.id));
    assert_eq!(replay.changed, sent.changed);
    world.finish_with_dead_letters("triage", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_send_a_dead_letter_again_at_once_one_does() {
    let world = World::new().await;
    let (admin, ada) = (admin(&world).await, world.student("ada").await);
    let path = unreadable(&world, &admin, &ada, Uuid::from_u128(1)).await;
    let path = format!("{path}/replay");
    // Without a body, as a client does that changes nothing.
    let replay = async || {
        let sent = world.send("api-gateway", |client, url| {
            client.post(format!("{url}/api/v1{path}")).bearer_auth(&admin.token)
        });
        sent.await.status.as_u16()
    };
    let (one, other) = tokio::join!(replay(), replay());
    let mut statuses = [one, other];
    statuses.sort_unstable();
    assert_eq!(statuses, [202, 409]);
    eventually("it is given up once more", async || {
        (world.dead_letters("triage").await.len() == 2).then_some(())
    })
    .await;
    world.finish_with_dead_letters("triage", 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_again_about_an_erased_account() {
    let world = World::new().await;
    let (admin, ada) = (admin(&world).await, world.student("ada").await);
    let path = unreadable(&world, &admin, &ada, Uuid::from_u128(1)).await;
    let erased = world.send("api-gateway", |client, url| {
        let request = client.delete(format!("{url}/api/v1/me")).bearer_auth(&ada.token);
        request.json(&json!({ "password": PASSWORD }))
    });
    assert_eq!(erased.await.status, StatusCode::NO_CONTENT);
    let data = json!({ "query_id": Uuid::from_u128(1), "student_id": ada.id, "question": "Why?" });
    let body = json!({ "data": data.to_string() });
    let refused = world.post(&format!("{path}/replay"), Some(&admin.token), &body).await;
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (StatusCode::CONFLICT, &json!("not_replayable"))
    );
    let detail = refused.body["detail"].as_str().expect("a detail");
    assert!(detail.contains("was erased"), "{detail}");
    world.finish_with_dead_letters("triage", 1).await;
}
