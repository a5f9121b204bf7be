//! `learnflow poll`, with the template of this repository.

use std::{path::Path, process::Command};

/// Whether `poll check` accepts a template, and what it prints.
fn check(template: &Path) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_learnflow"))
        .args(["poll", "check", "--parameter", "KafkaClusterArn=local", "--template"])
        .arg(template)
        .output()
        .expect("it runs");
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).expect("UTF-8"))
}

#[test]
fn the_poller_understands_every_mapping_of_our_template() {
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
    let (is_good, said) = check(&template);
    assert!(is_good, "{said}");
    let text = std::fs::read_to_string(&template).expect("the template is there");
    let mappings = text.matches("Type: MSK").count();
    assert!(mappings > 0);
    for function in ["Triage", "Concepts", "Notification"] {
        assert!(said.contains(function), "{function} is not in\n{said}");
    }
    let broken = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(&broken, text.replace("BatchSize:", "BatchSise:")).expect("it is written");
    let (is_good, said) = check(broken.path());
    assert!(!is_good, "SAM and cfn-lint do not see this");
    assert_eq!(said.matches("is BatchSize meant?").count(), mappings, "{said}");
}
