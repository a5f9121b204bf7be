use super::Filters;

fn passes(pattern: &str, value: &str) -> bool {
    Filters::read([pattern]).unwrap().pass(Some(value.as_bytes()))
}

/// Values that pass, and values that do not.
fn check(pattern: &str, pass: &[&str], fail: &[&str]) {
    for value in pass {
        assert!(passes(pattern, value), "{pattern} should let {value} pass");
    }
    for value in fail {
        assert!(!passes(pattern, value), "{pattern} should not let {value} pass");
    }
}

fn reason(pattern: &str) -> String {
    Filters::read([pattern]).unwrap_err().to_string()
}

#[test]
fn values_are_compared_by_all_rules_of_aws() {
    let all = [
        (r#"["a","b"]"#, vec![r#""a""#, r#"["x","b"]"#], vec![r#""A""#, "1", r#"{"a":"a"}"#]),
        (r"[null]", vec!["null"], vec![r#""""#, "0"]),
        (r#"[""]"#, vec![r#""""#], vec!["null", r#"" ""#]),
        (r"[true]", vec!["true"], vec!["false", r#""true""#]),
        (r"[300]", vec!["300"], vec![r#""300""#, "301"]),
        (r#"[{"prefix":"AB"}]"#, vec![r#""AB1""#], vec![r#""ab1""#, r#""XAB""#, "1"]),
        (r#"[{"suffix":".png"}]"#, vec![r#""x.png""#], vec![r#""x.png1""#]),
        (r#"[{"prefix":{"equals-ignore-case":"ab"}}]"#, vec![r#""aBc""#], vec![r#""b""#, r#""ä""#]),
        (r#"[{"suffix":{"equals-ignore-case":"BC"}}]"#, vec![r#""abc""#], vec![r#""c""#]),
        (r#"[{"equals-ignore-case":"Abc"}]"#, vec![r#""aBC""#], vec![r#""abcd""#]),
        (r#"[{"anything-but":["a","b"]}]"#, vec![r#""c""#, "1"], vec![r#""a""#]),
        (r#"[{"anything-but":5}]"#, vec!["6"], vec!["5"]),
        (r#"[{"numeric":[">",0,"<=",5]}]"#, vec!["5", "0.1"], vec!["0", "5.1", r#""3""#]),
        (r#"[{"numeric":["=",300]}]"#, vec!["300", "300.0", "3.0e2"], vec!["300.1"]),
        (r#"[{"exists":true}]"#, vec!["null", "1", "[1]"], vec![r#"{"b":1}"#, "[]"]),
        (r#"["a",{"numeric":["<",1]}]"#, vec![r#""a""#, "0"], vec!["1"]),
    ];
    for (rules, pass, fail) in all {
        let value = |leaf: &&str| format!(r#"{{"f":{leaf}}}"#);
        let pass: Vec<String> = pass.iter().map(value).collect();
        let fail: Vec<String> = fail.iter().map(value).collect();
        let texts = |values: &[String]| values.iter().map(String::clone).collect::<Vec<_>>();
        let (pass, fail) = (texts(&pass), texts(&fail));
        check(
            &format!(r#"{{"value":{{"f":{rules}}}}}"#),
            &pass.iter().map(String::as_str).collect::<Vec<_>>(),
            &fail.iter().map(String::as_str).collect::<Vec<_>>(),
        );
    }
}

#[test]
fn what_is_absent_passes_only_where_nothing_should_exist() {
    check(r#"{"value":{"f":[{"exists":false}]}}"#, &["{}"], &[r#"{"f":1}"#, r#"{"f":null}"#]);
    check(r#"{"value":{"f":[{"anything-but":["a"]}]}}"#, &[], &["{}"]);
    check(
        r#"{"value":{"a":{"b":[{"exists":false}]}}}"#,
        &["{}", r#"{"a":{}}"#],
        &[r#"{"a":{"b":1}}"#],
    );
}

#[test]
fn fields_are_joined_by_and_unless_or_is_written() {
    let both = r#"{"value":{"a":[1],"b":{"c":["x"]}}}"#;
    check(
        both,
        &[r#"{"a":1,"b":{"c":"x"}}"#, r#"{"a":1,"b":[{"c":"y"},{"c":"x"}]}"#],
        &[r#"{"a":1}"#, r#"{"a":2,"b":{"c":"x"}}"#, r#"{"a":1,"b":"x"}"#],
    );
    let either = r#"{"value":{"k":[1],"$or":[{"a":[1]},{"b":{"c":["x"]}}]}}"#;
    check(
        either,
        &[r#"{"k":1,"a":1}"#, r#"{"k":1,"b":{"c":"x"}}"#],
        &[r#"{"k":1,"a":2}"#, r#"{"k":2,"a":1}"#],
    );
}

#[test]
fn several_filters_are_joined_by_or_and_none_let_everything_pass() {
    let filters = Filters::read([r#"{"value":{"a":[1]}}"#, r#"{"value":{"a":[2]}}"#]).unwrap();
    assert!(filters.pass(Some(br#"{"a":2}"#)) && !filters.pass(Some(br#"{"a":3}"#)));
    assert!(Filters::default().pass(None) && Filters::default().pass(Some(b"x")));
    assert!(passes("{}", "anything"));
}

#[test]
fn values_that_are_not_of_the_patterns_form_are_left_out() {
    check(r#"{"value":{"a":[{"exists":false}]}}"#, &["{}"], &["plain", "[1]", "3", ""]);
    check(r#"{"value":["plain",{"prefix":"x-"}]}"#, &["plain", "x-1"], &[r#"{"a":1}"#, "other"]);
    let filters = Filters::read([r#"{"value":{"a":[1]}}"#, r#"{"value":["plain"]}"#]).unwrap();
    assert!(!filters.pass(None), "a tombstone has no value");
}

#[test]
fn a_pattern_that_aws_does_not_know_is_refused_with_its_path() {
    assert_eq!(reason(r#"{"key":["a"]}"#), "key: Kafka mappings can only filter on `value`");
    let wildcard = r#"{"value":{"a":{"b":[{"wildcard":"*"}]}}}"#;
    assert_eq!(reason(wildcard), "value.a.b: `wildcard` is no comparison that Lambda knows");
    assert_eq!(reason(r#"{"value":{"a":[{"prefix":1}]}}"#), "value.a: `prefix` does not take 1");
    assert!(reason("[]").starts_with("Pattern: must be a JSON object"));
    for pattern in [
        r#"{"value":{"a":1}}"#,
        r#"{"value":{"a":[]}}"#,
        r#"{"value":{}}"#,
        r#"{"value":1}"#,
        r#"{"value":{"a":[[1]]}}"#,
        r#"{"value":{"a":[{"numeric":["=",1,"<"]}]}}"#,
        r#"{"value":{"a":[{"numeric":["~",1]}]}}"#,
        r#"{"value":{"a":[{"prefix":"a","suffix":"b"}]}}"#,
        r#"{"value":{"a":[{"anything-but":[]}]}}"#,
        r#"{"value":{"$or":[1]}}"#,
    ] {
        assert!(Filters::read([pattern]).is_err(), "{pattern}");
    }
    assert!(Filters::read(["{}"; 11]).is_err());
    let deep =
        format!("{{\"value\":{}{}", "{\"a\":".repeat(50), "[1]".to_owned() + &"}".repeat(51));
    assert!(Filters::read([deep.as_str()]).is_err());
}
