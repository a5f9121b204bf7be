//! `learnflow users`: the first administrator, who appoints the others in the front end.

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use domain::{text::Email, user::Role};
use ids::EventId;
use runtime::{Clock, Outgoing, Store};
use storage::administration::{self, Change};

use crate::terminal::say;

/// What to do with which account.
#[derive(Debug, Args)]
pub(crate) struct UserArguments {
    /// The database.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, global = true, default_value = "")]
    database_url: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make the owner of an account an administrator, who must have registered before; and enable the account.
    Promote {
        /// The address of the account.
        email: String,
    },
}

pub(crate) async fn run(arguments: UserArguments) -> anyhow::Result<()> {
    if arguments.database_url.is_empty() {
        bail!("no database given: use --database-url or DATABASE_URL");
    }
    let store = Store::open(&arguments.database_url)?;
    let Command::Promote { email } = arguments.command;
    let done = promote(&store, &Clock::System, &email).await?;
    say(done);
    Ok(())
}

/// Makes somebody an administrator; returns what was done, in words.
///
/// # Errors
/// The database is away, or there is no such account.
pub async fn promote(store: &Store, clock: &Clock, email: &str) -> anyhow::Result<String> {
    let email = Email::try_from(email.to_owned()).context("this is no address")?;
    let mut tx = store.begin("users").await.context("the database is away")?;
    administration::lock(tx.conn()).await?;
    let found = administration::find_by_email(tx.conn(), email.as_str()).await?;
    let account =
        found.with_context(|| format!("nobody has registered with {}", email.as_str()))?;
    let role = (account.role != Role::Admin).then_some(Change::Role(Role::Admin));
    let access = account.disabled_at.map(|_since| Change::Enabled);
    let changes: Vec<Change> = role.into_iter().chain(access).collect();
    let now = clock.now();
    for change in &changes {
        administration::change(tx.conn(), account.id, *change, clock.new_id(), None, now).await?;
    }
    tx.commit(EventId::from_uuid(clock.new_id()), Outgoing::none(), now).await?;
    // By address: the name is what whoever registered with it has chosen.
    let (email, id) = (email.as_str(), account.id);
    Ok(if changes.is_empty() {
        format!("{email} ({id}) is an administrator already")
    } else {
        format!("{email} ({id}) is an administrator now; log in again for a token that says so")
    })
}
