//! `learnflow token`: issues tokens for the functions' internal endpoints, where they are not on loopback.

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

/// The service, and the secret that signs the token.
#[derive(Debug, Args)]
pub(crate) struct TokenArguments {
    /// The service's name, which goes into the logs. The token is for internal endpoints, and not for `/api/v1`.
    #[arg(long, value_name = "NAME", required = true, num_args = 0..=1, default_missing_value = "learnflow")]
    service: Option<String>,
    /// The data folder of `learnflow dev`, which has its secret; `JWT_SECRET` takes precedence.
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
