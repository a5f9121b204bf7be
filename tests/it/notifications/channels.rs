//! E-mail and SNS.

use api_gateway::responses::{DeliveryStatus, LoggedDelivery};
use reqwest::StatusCode;
use serde_json::json;
use testing::{HttpTarget, Moto, SmtpServer, TargetAnswer, eventually};

use super::{
    alert, class, handled, header, log, logged, logged_in_again, received, subscribe, world,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_can_be_ended_with_one_click() {
    let server = SmtpServer::refusing(["451 later", "550 no such person"]).await;
    let url = server.url();
    let world = world(&[
        ("SMTP_URL", &url),
        ("MAIL_FROM", "LearnFlow <learnflow@example.org>"),
        ("PUBLIC_URL", "https://learnflow.example.org/"),
    ])
    .await;
    let here = class(&world, "a").await;
    let made = subscribe(&world, &here.teacher, json!({ "channel": "email" })).await;
    assert_eq!(made.secret, None);
    let tell = async || alert(&world, &here, world.clock().new_id(), "opened", "low").await;
    tell().await;
    let later = |one: &LoggedDelivery| one.response_status == Some(451);
    let first = logged(&world, &here.teacher, &made, "it is refused for now", later).await;
    assert_eq!(first.status, DeliveryStatus::Waiting);
    world.advance(6);
    let never = |one: &LoggedDelivery| one.response_status == Some(550);
    let first = logged(&world, &here.teacher, &made, "it is refused", never).await;
    assert_eq!(first.status, DeliveryStatus::Failed);
    // A server that refuses is left alone for an hour.
    world.advance(60 * 60);
    let teacher = logged_in_again(&world, "a").await;
    tell().await;
    let mail = eventually("a mail comes", async || server.mails().pop()).await;
    assert_eq!((mail.connection, mail.from.as_str()), (3, "MAIL FROM:<learnflow@example.org>"));
    assert!(mail.to.contains("<a-teacher@example.org>"), "{mail:?}");
    assert!(mail.data.contains("Subject: Needs help with Lists\r\n"), "{mail:?}");
    assert!(mail.data.contains("About a-student.\r\n\r\nFive failed runs"), "{mail:?}");
    assert!(
        mail.data.contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"),
        "{mail:?}"
    );
    let unfolded = mail.data.replace("\r\n ", " ");
    let link = unfolded.split("List-Unsubscribe: <https://learnflow.example.org/api/v1").nth(1);
    let link = link.and_then(|rest| rest.split('>').next()).expect("a link").trim().to_owned();
    let click = async |path: &str| {
        let reply = world.send("api-gateway", |client, url| {
            let request = client.post(format!("{url}/api/v1{path}"));
            request
                .header("content-type", "application/x-www-form-urlencoded")
                .body("List-Unsubscribe=One-Click")
        });
        reply.await.status
    };
    assert_eq!(click(&link[..link.len() - 1]).await, StatusCode::NOT_FOUND);
    assert_eq!(click(&link).await, StatusCode::NO_CONTENT);
    let event = tell().await;
    handled(&world, event).await;
    assert_eq!(log(&world, &teacher, &made).await.len(), 2);
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_subscribes_by_mail_where_none_is_sent() {
    let world = world(&[]).await;
    let here = class(&world, "a").await;
    for channel in ["email", "email_digest"] {
        let body = json!({ "channel": channel });
        let refused =
            world.post("/notifications/subscriptions", Some(&here.teacher.token), &body).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(refused.body["errors"][0]["field"], "channel", "{:?}", refused.body);
        let body = json!({ "user_id": here.teacher.id, "channel": channel });
        let refused = world.send("notification", |client, url| {
            client.post(format!("{url}/notifications/subscribe")).json(&body)
        });
        assert_eq!(refused.await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_of_sns_gets_a_signed_request_with_attributes_to_filter_by() {
    let published = "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
                     <MessageId>567910cd-659e-55d4-8ccb-5aaf14679dc0</MessageId></PublishResult>\
                     <ResponseMetadata><RequestId>d74b8436-ae13-5ab4-a9ff-ce54dfea72a0</RequestId>\
                     </ResponseMetadata></PublishResponse>";
    let missing = "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type>\
                   <Code>NotFound</Code><Message>Topic does not exist</Message></Error>\
                   <RequestId>9dd01905-5012-5f99-8663-4b3ecd0dfaef</RequestId></ErrorResponse>";
    let script = [TargetAnswer::Says(200, published.to_owned())];
    let aws = HttpTarget::playing(script, TargetAnswer::Says(404, missing.to_owned())).await;
    let endpoint = aws.url("");
    let world = world(&[
        ("AWS_ENDPOINT_URL_SNS", &endpoint),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "a-secret-of-aws"),
    ])
    .await;
    let here = class(&world, "a").await;
    let topic = "arn:aws:sns:eu-central-1:123456789012:alerts";
    let made = subscribe(&world, &here.teacher, json!({ "channel": "sns", "target": topic })).await;
    alert(&world, &here, world.clock().new_id(), "opened", "high").await;
    let request = received(&aws, 1).await.remove(0);
    let authorization = header(&request.headers, "authorization");
    assert!(
        authorization.starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"),
        "{authorization}"
    );
    assert!(authorization.contains("/eu-central-1/sns/aws4_request"), "{authorization}");
    for part in [
        "Action=Publish",
        "TopicArn=arn%3Aaws%3Asns%3Aeu-central-1%3A123456789012%3Aalerts",
        "Subject=Needs%20help%20with%20Lists",
        "alert.opened",
        "MessageAttributes.entry.1.Name=",
        "Value.StringValue=high",
    ] {
        assert!(request.body.contains(part), "{part} in {}", request.body);
    }
    assert!(!request.body.contains("a-secret-of-aws"));
    alert(&world, &here, world.clock().new_id(), "opened", "low").await;
    let failed = logged(&world, &here.teacher, &made, "it is refused", |one| {
        one.status == DeliveryStatus::Failed
    })
    .await;
    assert_eq!(failed.error.as_deref(), Some("SNS answered NotFound"));
    world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_subscribes_to_a_topic_of_sns_hears_of_the_alert() {
    const REGION: &str = "eu-central-1";
    let Some(moto) = Moto::start().await.expect("moto starts") else { return };
    let (topic, queue) = moto.make_topic(REGION, "alerts").await;
    let endpoint = moto.endpoint();
    let world = world(&[
        ("AWS_ENDPOINT_URL", &endpoint),
        ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "a-secret-of-aws"),
    ])
    .await;
    let here = class(&world, "a").await;
    let made = subscribe(&world, &here.teacher, json!({ "channel": "sns", "target": topic })).await;
    alert(&world, &here, world.clock().new_id(), "opened", "high").await;
    let message =
        eventually("it is in the queue", async || moto.receive(REGION, &queue).await).await;
    assert_eq!(message["TopicArn"], json!(topic));
    assert_eq!(message["Subject"], "Needs help with Lists");
    let text = message["Message"].as_str().expect("text");
    assert!(text.contains("alert.opened"), "{text}");
    logged(&world, &here.teacher, &made, "it is delivered", |one| {
        one.status == DeliveryStatus::Delivered
    })
    .await;
    world.finish().await;
}
