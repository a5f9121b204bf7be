//! Services of AWS on this machine, as moto plays them: <https://docs.getmoto.org>.

use std::{
    net::Ipv4Addr,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use tokio::{net::TcpStream, sync::Mutex};

use crate::{eventually, outside_tools::python_packages, reserved_port};

/// One test installs it, and the others wait.
static INSTALLING: Mutex<()> = Mutex::const_new(());

/// A server of moto; it stops when dropped, and keeps nothing.
#[derive(Debug)]
pub struct Moto {
    process: Child,
    port: u16,
}

impl Drop for Moto {
    fn drop(&mut self) {
        self.process.kill().and_then(|()| self.process.wait()).map(drop).unwrap_or_default();
    }
}

impl Moto {
    /// Starts a server, installing it once. `None`, with a clear message, if Python is missing.
    ///
    /// # Errors
    /// Python is there, and moto cannot be installed or does not start.
    pub async fn start() -> anyhow::Result<Option<Self>> {
        let requirements =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/moto/requirements.txt");
        let installing = INSTALLING.lock().await;
        let installed = tokio::task::spawn_blocking(move || python_packages(&requirements));
        let Some(folder) = installed.await?? else { return Ok(None) };
        drop(installing);
        let port = reserved_port();
        let process = Command::new(folder.join("bin/moto_server"))
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let started = Self { process, port };
        eventually("moto answers", async || {
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()
        })
        .await;
        Ok(Some(started))
    }

    /// The address of all its services.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Makes a secret in a region, and returns its ARN.
    ///
    /// # Panics
    /// Moto refuses it.
    pub async fn make_secret(&self, region: &str, name: &str, value: &str) -> String {
        let request = serde_json::json!({ "Name": name, "SecretString": value,
            "ClientRequestToken": uuid::Uuid::from_u128(1).to_string() });
        let made = runtime::http_client()
            .expect("a client")
            .post(self.endpoint())
            .header("x-amz-target", "secretsmanager.CreateSecret")
            .header("content-type", "application/x-amz-json-1.1")
            .header("authorization", authorization(region, "secretsmanager"))
            .body(request.to_string())
            .send();
        let text = made.await.expect("it answers").text().await.expect("text");
        let made: Value = serde_json::from_str(&text).expect("JSON");
        made["ARN"].as_str().unwrap_or_else(|| panic!("no secret: {text}")).to_owned()
    }

    /// Makes a topic of SNS in a region, with a queue of SQS that gets what is published there. Returns the topic's ARN
    /// and the queue's URL.
    ///
    /// # Panics
    /// Moto refuses it.
    pub async fn make_topic(&self, region: &str, name: &str) -> (String, String) {
        let made = self.call(region, "sns", &[("Action", "CreateTopic"), ("Name", name)]).await;
        let topic = text_of(&made, "TopicArn");
        let made =
            self.call(region, "sqs", &[("Action", "CreateQueue"), ("QueueName", name)]).await;
        let queue = text_of(&made, "QueueUrl");
        let endpoint = topic.replace(":sns:", ":sqs:");
        let subscribe = [
            ("Action", "Subscribe"),
            ("TopicArn", &*topic),
            ("Protocol", "sqs"),
            ("Endpoint", &*endpoint),
        ];
        self.call(region, "sns", &subscribe).await;
        (topic, queue)
    }

    /// The next message of a queue, as SNS put it there.
    ///
    /// # Panics
    /// There is no such queue, or what is in it is not of SNS.
    pub async fn receive(&self, region: &str, queue: &str) -> Option<Value> {
        let received =
            self.call(region, "sqs", &[("Action", "ReceiveMessage"), ("QueueUrl", queue)]).await;
        let body = received.contains("<Body>").then(|| text_of(&received, "Body"))?;
        Some(serde_json::from_str(&body.replace("&quot;", "\"")).expect("JSON"))
    }

    /// A call of the query protocol.
    async fn call(&self, region: &str, service: &str, form: &[(&str, &str)]) -> String {
        let client = runtime::http_client().expect("a client");
        // None of the values has a character that a form escapes.
        let body: Vec<String> =
            form.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = client
            .post(self.endpoint())
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", authorization(region, service))
            .body(body.join("&"));
        let response = request.send().await.expect("it answers");
        let status = response.status();
        let text = response.text().await.expect("text");
        assert!(status.is_success(), "{form:?}: {text}");
        text
    }
}

/// Moto finds the region and the service here, and checks nothing else.
fn authorization(region: &str, service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=id/20260101/{region}/{service}/aws4_request, Signature=none"
    )
}

/// The text of an element that is there.
fn text_of(xml: &str, element: &str) -> String {
    let found = xml.split_once(&format!("<{element}>"));
    let text = found.and_then(|(_, rest)| rest.split_once(&format!("</{element}>")));
    text.unwrap_or_else(|| panic!("no {element}: {xml}")).0.to_owned()
}
