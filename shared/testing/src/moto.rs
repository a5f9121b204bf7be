//! Services of AWS on this machine, as moto plays them: <https://docs.getmoto.org>.

use std::{
    net::Ipv4Addr,
    path::Path,
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use tokio::{net::TcpStream, sync::Mutex};

use crate::{eventually, outside_tools::python_packages, restart_port};

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
        let port = restart_port();
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
        let credential = format!("Credential=id/20260101/{region}/secretsmanager/aws4_request");
        let request = serde_json::json!({ "Name": name, "SecretString": value,
            "ClientRequestToken": uuid::Uuid::from_u128(1).to_string() });
        let made = runtime::http_client()
            .expect("a client")
            .post(self.endpoint())
            .header("x-amz-target", "secretsmanager.CreateSecret")
            .header("content-type", "application/x-amz-json-1.1")
            // Moto finds the region here, and checks nothing else.
            .header("authorization", format!("AWS4-HMAC-SHA256 {credential}, Signature=none"))
            .body(request.to_string())
            .send();
        let text = made.await.expect("it answers").text().await.expect("text");
        let made: Value = serde_json::from_str(&text).expect("JSON");
        made["ARN"].as_str().unwrap_or_else(|| panic!("no secret: {text}")).to_owned()
    }
}
