//! `learnflow token`: what opens the functions' internal endpoints where they are not on loopback.

use std::path::PathBuf;

use chrono::TimeDelta;
use clap::Args;
use runtime::{
    Clock,
    auth::{AuthConfig, Signer},
    config::Settings,
};

use crate::{dev, terminal::say};

/// As long as a person's access token.
const LIFE: TimeDelta = TimeDelta::hours(1);

/// Whom the token is for, and whose secret signs it.
#[derive(Debug, Args)]
pub(crate) struct TokenArguments {
    /// Make a service's token: it opens internal endpoints, and nothing of `/api/v1`. The name goes into the logs.
    #[arg(long, value_name = "NAME", required = true, num_args = 0..=1, default_missing_value = "learnflow")]
    service: Option<String>,
    /// Where `learnflow dev` keeps its secret; `JWT_SECRET` goes before it.
    #[arg(long, env = "LEARNFLOW_DATA", default_value = ".learnflow")]
    data: PathBuf,
}

pub(crate) fn run(arguments: &TokenArguments) -> anyhow::Result<()> {
    let mut settings = Settings::from_process();
    if settings.secret("JWT_SECRET").is_none() {
        settings.set("JWT_SECRET", dev::jwt_secret(&arguments.data)?);
    }
    let config = AuthConfig::read(&mut settings);
    settings.check()?;
    let signer = Signer::new(&config).ok_or_else(|| anyhow::anyhow!("JWT_SECRET is not set"))?;
    let (clock, name) = (Clock::System, arguments.service.as_deref().unwrap_or_default());
    say(signer.sign_service(name, clock.new_id(), clock.now(), LIFE)?);
    Ok(())
}
