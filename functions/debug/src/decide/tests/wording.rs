//! Tests of the model's part: it gets our hint and the facts behind it, and only its wording is taken.

use agents::{Agent as _, Arrived, Effect, Step};
use domain::agent::AnsweredBy;
use serde_json::json;

use super::{
    super::Debug, ADDS, CODE, asking, at, begin, climbing, diagnosis, first_hint, of_author, ran,
    replied, result,
};

/// What is decided when the model says the hint so.
fn said(text: Option<&str>) -> Step<Debug> {
    let state = asking(first_hint()).state;
    Debug::resume(Arrived::Model { state, text: text.map(str::to_owned) }, at(0))
}

#[test]
fn the_model_is_asked_to_say_our_hint() {
    let ask = asking(first_hint());
    let field =
        |name: &str| ask.fields.iter().find(|field| field.name == name).unwrap().text.clone();
    assert_eq!(
        (field("rung"), field("code"), field("names")),
        ("1".into(), CODE.into(), "line 2".into())
    );
    assert!(field("hint").contains("line 2"));
}

#[test]
fn the_model_gets_what_the_runs_have_shown_and_not_the_change() {
    let mut found = result(None);
    found["stdout"] =
        json!("{\"places\": [{\"line\": 2, \"kind\": \"operator\"}], \"mends_all\": true}\n");
    let tested = ran(begin(json!({ "code": ADDS })), of_author(false), at(0));
    let ask = asking(climbing(ran(tested, found, at(0)), None).1);
    let finding = &ask.fields.iter().find(|field| field.name == "finding").unwrap().text;
    for fact in
        ["`double(2)` gives `3`, and you expect `4`", "change on line 2, it does what you expect"]
    {
        assert!(finding.contains(fact), "{finding}");
    }
}

#[test]
fn the_models_words_are_given_if_they_are_about_the_same() {
    let reply = replied(said(Some(r#"{"hint": "Count the places of the list on line 2."}"#)));
    assert_eq!(reply.answered_by, AnsweredBy::Model);
    assert_eq!(diagnosis(&reply).hint.text, "Count the places of the list on line 2.");
    assert!(reply.answer.content.contains("Count the places"));
}

#[test]
fn a_rewording_with_another_meaning_is_withheld() {
    for text in [
        r#"{"hint": "Look at the list."}"#,
        r#"{"hint": "On line 2 just write numbers[1]."}"#,
        r#"{"hint": ""}"#,
        "Look at line 2.",
    ] {
        let step = said(Some(text));
        assert!(matches!(step.effects[..], [Effect::Withhold(_)]), "{text}");
        assert_eq!(replied(step), asking(first_hint()).fallback.unwrap().reply, "{text}");
    }
}

#[test]
fn without_a_model_our_wording_is_used() {
    let reply = replied(said(None));
    assert_eq!(reply.answered_by, AnsweredBy::Offline);
    assert_eq!(reply, asking(first_hint()).fallback.unwrap().reply);
}
