//! Who may open a socket: as at the long-running function.

use chrono::TimeDelta;
use domain::user::Role;
use serde_json::{Value, json};
use tests::socket::token;

use super::Held;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_socket_is_for_whom_its_path_names() {
    let held = Held::new([("CORS_ORIGINS", "https://school.example")]).await;
    let Held { world, gateway, lambda, .. } = &held;
    let (ada, eve) = (world.student("ada").await, world.student("eve").await);
    let teacher = world.log_in("teacher@example.org", "learnflow-teacher").await;
    let late = token(world, ada.id, Role::Student, TimeDelta::hours(-1));
    let own = format!("/ws/chat/{}", ada.id);
    let open = async |path: &str, query: &[(&str, &str)], headers: &[(&str, &str)]| match gateway
        .connect(lambda, path, query, headers)
        .await
    {
        Ok(_) => (200, Value::Null),
        Err(answer) => (answer["statusCode"].as_u64().expect("a status"), answer),
    };
    for (path, token, expected) in [
        (own.as_str(), "", 401),
        (&own, "nonsense", 401),
        (&own, &late, 401),
        (&own, &world.service_token(), 401),
        (&own, &eve.token, 403),
        (&own, &teacher.token, 403),
        ("/ws/alerts", &ada.token, 403),
        ("/ws/alerts", &teacher.token, 200),
        (&own, &ada.token, 200),
        ("", &ada.token, 404),
        ("/ws/nothing", &ada.token, 404),
        // Another endpoint's success opens no socket.
        ("/health", &ada.token, 404),
    ] {
        let protocols = format!("learnflow.v1, bearer.{token}");
        let bearer = format!("Bearer {token}");
        let by_protocol = open(path, &[], &[("Sec-WebSocket-Protocol", &protocols)]).await;
        let by_header = open(path, &[], &[("Authorization", &bearer)]).await;
        let in_address = open(path, &[("token", token)], &[]).await;
        for (status, answer) in [by_protocol, by_header, in_address] {
            assert_eq!(status, expected, "{path} {token} {answer}");
        }
    }
    let twice = [("token", ada.token.as_str()), ("token", ada.token.as_str())];
    assert_eq!(open(&own, &twice, &[]).await.0, 422);
    let query = [("token", ada.token.as_str())];
    for (origin, expected) in [("https://school.example", 200), ("https://evil.example", 403)] {
        assert_eq!(open(&own, &query, &[("Origin", origin)]).await.0, expected, "{origin}");
    }
    world.get("/me", Some(&ada.token)).await;
    held.world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tickets_and_limits_are_the_same_for_held_sockets() {
    let held = Held::new([("SOCKETS_PER_USER", "2")]).await;
    let Held { world, gateway, lambda, .. } = &held;
    let ada = world.student("ada").await;
    let own = format!("/ws/chat/{}", ada.id);
    let ticket = world.post("/ws/ticket", Some(&ada.token), &json!({})).await.body;
    let ticket = [("ticket", ticket["ticket"].as_str().expect("a ticket"))];
    let first = gateway.connect(lambda, &own, &ticket, &[]).await.expect("it is opened");
    let again = gateway.connect(lambda, &own, &ticket, &[]).await.expect_err("it works once");
    assert_eq!(again["statusCode"], 401);
    let protocols = format!("learnflow.v1, bearer.{}", ada.token);
    let headers = [("Sec-WebSocket-Protocol", protocols.as_str())];
    held.chat(&ada, None).await;
    let third = gateway.connect(lambda, &own, &[], &headers).await.expect_err("too many");
    assert_eq!(third["statusCode"], 429);
    gateway.leave(lambda, &first).await;
    gateway.leave(lambda, &first).await;
    held.chat(&ada, None).await;
    // A socket whose end nobody was told of holds no place for long.
    world.advance(12 * 60);
    held.chat(&ada, None).await;
    held.world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_without_an_address_is_refused() {
    let held = Held::new([]).await;
    let mut settings = runtime::config::Settings::from_pairs([("SOCKETS_ENDPOINT_URL", "")]);
    let services = held.world.stack().services();
    let function = websocket::function(&mut settings, services);
    let lambda = runtime::lambda::LambdaFunction::new(function, services);
    let connection = held.gateway.ask(&held.lambda, "/ws/alerts", &[], &[]).await;
    assert_eq!(connection.expect_err("no token")["statusCode"], 401);
    assert!(held.gateway.say(&lambda, "x", "{}").await.is_err());
    let pairs = [("SOCKETS_ENDPOINT_URL", held.gateway.endpoint())];
    let mut settings = runtime::config::Settings::from_pairs(pairs);
    websocket::function(&mut settings, services);
    let faults = settings.check().expect_err("it cannot sign").to_string();
    assert!(faults.contains("AWS_REGION"), "{faults}");
    held.world.finish().await;
}
