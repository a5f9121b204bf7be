//! Accounts that are there by default.

use api_gateway::seed::DEMO_LOGINS;
use runtime::Store;
use storage::feature_health;

use super::finding::Finding;

/// Looks for demo accounts, whose passwords everybody knows.
pub(super) async fn check(database_url: &str) -> Vec<Finding> {
    let emails = DEMO_LOGINS.map(|login| login.email.to_owned());
    let looked = async {
        let store = Store::open(database_url)?;
        let found = feature_health::usable_accounts(&mut *store.connection().await?, &emails).await;
        store.close().await;
        found
    };
    // That the database is away was found before.
    let Ok(found) = looked.await else { return Vec::new() };
    vec![Finding::warn(
        found.is_empty(),
        "accounts: no demo account can be used".to_owned(),
        format!(
            "accounts: the passwords of the demo accounts are public ({}); where others can reach this, make another \
             administrator with `learnflow users promote` and disable them",
            found.join(", ")
        ),
    )]
}
