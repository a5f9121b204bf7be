//! The topics of SNS that people want to be told on.

use domain::notification::{Channel, Route};
use notification::{SnsTopic, look_at_sns};
use runtime::{Store, config::Settings};
use storage::feature_health;

use super::finding::Finding;

/// Most topics that are asked for.
const MOST: i64 = 20;

/// Asks SNS for each topic, and publishes nothing.
pub(super) async fn check(database_url: &str, settings: &mut Settings) -> Vec<Finding> {
    let looked = async {
        let store = Store::open(database_url)?;
        let found = feature_health::sns_topics(&mut *store.connection().await?, MOST).await;
        store.close().await;
        found
    };
    let Ok(topics) = looked.await else { return Vec::new() };
    if topics.is_empty() {
        return vec![Finding::Fine("SNS: nobody is told by it".to_owned())];
    }
    let mut findings = Vec::new();
    for topic in topics {
        findings.push(look(&topic, settings).await);
    }
    findings
}

async fn look(topic: &str, settings: &mut Settings) -> Finding {
    let Ok(Route::Sns(arn)) = Route::parse(Channel::Sns, Some(topic)) else {
        return Finding::Fault(format!("SNS: {topic} is no topic; end the subscription"));
    };
    match look_at_sns(settings, &arn).await {
        Ok(answer) => finding(topic, &answer),
        Err(error) => Finding::Fault(format!("SNS: no HTTP client can be made ({error})")),
    }
}

fn finding(topic: &str, answer: &SnsTopic) -> Finding {
    match answer {
        SnsTopic::There => Finding::Fine(format!(
            "SNS: {topic} is there; whether we may publish, only `sns:Publish` in the policy tells"
        )),
        SnsTopic::NoCredentials => Finding::Fault(format!(
            "SNS: {topic} is subscribed, and there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )),
        SnsTopic::Missing => {
            Finding::Fault(format!("SNS: {topic} does not exist; make it, or end the subscription"))
        }
        SnsTopic::Refused(code) if code == "AuthorizationError" => Finding::Warning(format!(
            "SNS: we may not ask for {topic}, which needs `sns:GetTopicAttributes`; make sure of `sns:Publish`"
        )),
        SnsTopic::Refused(code) => Finding::Fault(format!(
            "SNS: it refuses our credentials for {topic} ({code}); renew AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and \
             AWS_SESSION_TOKEN"
        )),
        SnsTopic::Unreachable => Finding::Fault(format!(
            "SNS: nothing answers for {topic}; check AWS_ENDPOINT_URL_SNS and the way out of this network"
        )),
    }
}
