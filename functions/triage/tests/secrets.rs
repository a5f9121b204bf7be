//! What a function does at its start with a setting that is the ARN of a secret.

use std::process::Command;

#[test]
fn a_function_reads_secrets_before_it_uses_its_settings() {
    let arn =
        "arn:aws:secretsmanager:eu-central-1:123456789012:secret:learnflow/database-url-AbCdEf";
    let output = Command::new(env!("CARGO_BIN_EXE_triage"))
        .env_clear()
        .env("DATABASE_URL", arn)
        .output()
        .expect("it runs");
    assert!(!output.status.success());
    let said = String::from_utf8([output.stdout, output.stderr].concat()).expect("UTF-8");
    let expected =
        format!("DATABASE_URL: the secret {arn} cannot be used: there are no credentials");
    assert!(said.contains(&expected), "{said}");
}
