//! Settings that are secrets of Secrets Manager, as moto plays it.

use aws::secrets::fill_in;
use environment::config::Settings;
use testing::Moto;

const REGION: &str = "eu-central-1";

/// The settings of a function that is started with these.
async fn started(moto: &Moto, pairs: &[(&str, &str)]) -> Settings {
    let endpoint = moto.endpoint();
    let mut all = vec![
        ("AWS_ENDPOINT_URL_SECRETS_MANAGER", endpoint.as_str()),
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "key"),
    ];
    all.extend(pairs);
    let mut settings = Settings::from_pairs(all);
    fill_in(&mut settings).await;
    settings
}

#[tokio::test]
async fn an_arn_is_replaced_by_the_secret_and_nothing_else_is() {
    let Some(moto) = Moto::start().await.unwrap() else { return };
    let object = r#"{"url": "postgres://db/learnflow"}"#;
    let database = moto.make_secret(REGION, "learnflow/dev/database", object).await;
    let jwt = moto.make_secret(REGION, "learnflow/dev/jwt", "a secret that signs tokens").await;
    let (database, jwt) = (format!("{database}:url"), format!("{jwt}::"));
    let topic = "arn:aws:sns:eu-central-1:123456789012:alerts";
    let pairs = [("DATABASE_URL", &*database), ("JWT_SECRET", &*jwt), ("TOPIC", topic)];
    let mut settings = started(&moto, &pairs).await;
    settings.check().unwrap();
    let value = |name: &str| settings.optional(name).unwrap();
    assert_eq!(value("DATABASE_URL"), "postgres://db/learnflow");
    assert_eq!(value("JWT_SECRET"), "a secret that signs tokens");
    assert_eq!(value("TOPIC"), topic);
}

#[tokio::test]
async fn every_secret_that_cannot_be_used_is_named_and_none_is_shown() {
    let Some(moto) = Moto::start().await.unwrap() else { return };
    let jwt = moto.make_secret(REGION, "learnflow/dev/jwt", "a secret that signs tokens").await;
    let missing = jwt.replace("/jwt-", "/nowhere-");
    // A secret is looked for in the region that its ARN names.
    let elsewhere = jwt.replace(REGION, "eu-west-1");
    let wrong = format!("{jwt}:key");
    let pairs = [("DATABASE_URL", &*missing), ("JWT_SECRET", &*wrong), ("SMTP_URL", &*elsewhere)];
    let text = started(&moto, &pairs).await.check().unwrap_err().to_string();
    for words in [
        format!("DATABASE_URL: the secret {missing} cannot be used"),
        format!("SMTP_URL: the secret {elsewhere} cannot be used"),
        "ResourceNotFoundException".to_owned(),
        "JWT_SECRET".to_owned(),
        "`key`".to_owned(),
    ] {
        assert!(text.contains(&words), "{words} in {text}");
    }
    assert!(!text.contains("signs"), "{text}");
}
