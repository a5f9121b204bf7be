//! A client of the gateway, as a front end is one.

use std::time::Duration;

use anyhow::{Context, bail};
use api_gateway::responses::Session;
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::{Client, Method, StatusCode};
use runtime::Clock;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior};

/// How long a result may take: far longer than usual, for a machine that is busy with something else.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is asked for.
const ASK_EVERY: Duration = Duration::from_millis(100);
/// Within this time of its end an access token is exchanged: longer than a session of work.
const SOON: TimeDelta = TimeDelta::minutes(40);
/// After this time without a login one logs in again, since refresh tokens live for a week.
const LONG_AWAY: TimeDelta = TimeDelta::days(6);

/// The gateway.
#[derive(Debug)]
pub(super) struct Api {
    client: Client,
    url: String,
}

impl Api {
    pub(super) fn new(gateway: &str) -> anyhow::Result<Self> {
        let client = runtime::http_client().context("there is no HTTP client")?;
        Ok(Self { client, url: gateway.to_owned() })
    }

    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        token: &str,
    ) -> anyhow::Result<T> {
        Ok(serde_json::from_value(self.call(Method::GET, path, Some(token), None).await?)?)
    }

    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        token: &str,
        body: Value,
    ) -> anyhow::Result<T> {
        Ok(serde_json::from_value(self.call(Method::POST, path, Some(token), Some(body)).await?)?)
    }

    /// Sends a request; if its result is still to come, waits for it.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> anyhow::Result<Value> {
        let path = format!("/api/v1{path}");
        let (mut status, mut value) = self.send(method.clone(), &path, token, body).await?;
        let until = Instant::now() + PATIENCE;
        let mut ticks = tokio::time::interval(ASK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while status == StatusCode::ACCEPTED {
            let later = value["status_url"].as_str().map(str::to_owned);
            let later =
                later.with_context(|| format!("{path} does not say where its result is"))?;
            if Instant::now() > until {
                bail!("{method} {path}: no result within {} s", PATIENCE.as_secs());
            }
            ticks.tick().await;
            (status, value) = self.send(Method::GET, &later, token, None).await?;
        }
        if status.is_success() {
            return Ok(value);
        }
        bail!(
            "{method} {path}: {status}: {}",
            value["detail"].as_str().unwrap_or("no reason given")
        )
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        request = request.header("prefer", "wait=20");
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.with_context(|| format!("{path} is not answered"))?;
        let status = response.status();
        let bytes = response.bytes().await.with_context(|| format!("{path} breaks off"))?;
        // Some responses have no body.
        Ok((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
    }
}

/// An account that somebody is logged in to.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) session: Session,
    email: String,
    password: &'static str,
    since: DateTime<Utc>,
}

impl Account {
    pub(super) async fn register(
        api: &Api,
        clock: &Clock,
        (email, password): (String, &'static str),
        name: &str,
    ) -> anyhow::Result<Self> {
        let body = json!({ "email": email, "password": password, "display_name": name });
        let session = api.call(Method::POST, "/auth/register", None, Some(body)).await?;
        let session = serde_json::from_value(session)?;
        Ok(Self { session, email, password, since: clock.now() })
    }

    pub(super) async fn log_in(
        api: &Api,
        clock: &Clock,
        (email, password): (String, &'static str),
    ) -> anyhow::Result<Self> {
        let body = json!({ "email": email, "password": password });
        let session = api.call(Method::POST, "/auth/login", None, Some(body)).await?;
        let session = serde_json::from_value(session)?;
        Ok(Self { session, email, password, since: clock.now() })
    }

    /// Makes sure that the access token lasts for a while.
    pub(super) async fn renew(&mut self, api: &Api, clock: &Clock) -> anyhow::Result<()> {
        let now = clock.now();
        let life = TimeDelta::seconds(self.session.expires_in);
        if now + SOON < self.since + life {
            return Ok(());
        }
        if now - self.since > LONG_AWAY {
            *self = Self::log_in(api, clock, (self.email.clone(), self.password)).await?;
            return Ok(());
        }
        let body = json!({ "refresh_token": self.session.refresh_token });
        let session = api.call(Method::POST, "/auth/refresh", None, Some(body)).await?;
        (self.session, self.since) = (serde_json::from_value(session)?, now);
        Ok(())
    }

    pub(super) fn token(&self) -> &str {
        &self.session.access_token
    }
}
