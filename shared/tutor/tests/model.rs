//! Asking a model over real HTTP: its answers, and everything that can go wrong.

use std::time::{Duration, Instant};

use environment::{Clock, config::Settings};
use events::model_call::{Field, Task};
use serde_json::{Value, json};
use testing::{ModelServer, Scripted};
use tutor::{Answered, ModelError, Tutor, TutorConfig};

const ANSWER: &str = "{\"explanation\": \"A list keeps order.\\n\\nIt can grow.\"}";

fn tutor(server: &ModelServer, timeout_ms: u64) -> Tutor {
    tutor_with(server, &[("MODEL_TIMEOUT_MS", &timeout_ms.to_string())])
}

fn tutor_with(server: &ModelServer, more: &[(&str, &str)]) -> Tutor {
    let mut settings = Settings::from_pairs([
        ("OPENAI_API_KEY", "a-secret-key".to_owned()),
        ("OPENAI_BASE_URL", server.base_url()),
        ("OPENAI_MODEL", "scripted".to_owned()),
    ]);
    for (name, value) in more {
        settings.set(*name, *value);
    }
    let config = TutorConfig::read(&mut settings).expect("there is a key");
    let now = Clock::System.now();
    Tutor::new(config, environment::http_client().expect("a client"), Clock::manual(now))
}

async fn ask(tutor: &Tutor) -> Answered {
    let fields = [Field { name: "question".to_owned(), text: "What is a list?".to_owned() }];
    tutor.ask(Task::Explain, &fields, |_| {}).await
}

#[tokio::test]
async fn an_answer_is_streamed_in_paragraphs_and_its_cost_is_known() {
    let server = ModelServer::playing([Scripted::Says(ANSWER.to_owned())]).await;
    let tutor = tutor(&server, 5_000);
    let fields = [Field { name: "question".to_owned(), text: "What is a list?".to_owned() }];
    let mut streamed = Vec::new();
    let answered = tutor.ask(Task::Explain, &fields, |paragraph| streamed.push(paragraph)).await;
    assert_eq!(answered.text.expect("an answer"), ANSWER);
    assert_eq!(streamed, ["A list keeps order.\n\n", "It can grow."]);
    assert_eq!((answered.spent.tokens_in, answered.spent.tokens_out), (100, 50));
    let request = &server.requests()[0];
    assert_eq!(request.headers["authorization"], "Bearer a-secret-key");
    assert_eq!(request.body["model"], "scripted");
    assert_eq!(request.body["response_format"]["json_schema"]["strict"], true);
    assert_eq!(request.data()["question"], "What is a list?");
}

#[tokio::test]
async fn a_busy_server_is_asked_again_when_it_says() {
    let server =
        ModelServer::playing([Scripted::Status(429, Some(1)), Scripted::Says(ANSWER.to_owned())])
            .await;
    let started = Instant::now();
    let answered = ask(&tutor(&server, 5_000)).await;
    assert!(answered.text.is_ok(), "{answered:?}");
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn nobody_waits_for_a_server_that_wants_too_much_time() {
    let server = ModelServer::playing([Scripted::Status(429, Some(600))]).await;
    let started = Instant::now();
    let answered = ask(&tutor(&server, 5_000)).await;
    assert!(matches!(answered.text, Err(ModelError::Busy(600))), "{answered:?}");
    assert!(started.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn a_transient_fault_is_retried_and_a_permanent_one_is_not() {
    let passing = [Scripted::Status(500, None), Scripted::Says(ANSWER.to_owned())];
    let server = ModelServer::playing(passing).await;
    assert!(ask(&tutor(&server, 5_000)).await.text.is_ok());
    let server = ModelServer::playing([Scripted::Status(401, None)]).await;
    let refused = ask(&tutor(&server, 5_000)).await;
    assert!(matches!(refused.text, Err(ModelError::Status(401, _))), "{refused:?}");
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_bad_answer_is_rejected() {
    let server = ModelServer::playing([
        Scripted::Hangs,
        Scripted::Cuts(ANSWER.to_owned()),
        Scripted::Refuses,
        Scripted::Garbles,
    ])
    .await;
    let tutor = tutor(&server, 500);
    assert!(matches!(ask(&tutor).await.text, Err(ModelError::Late)));
    assert!(matches!(ask(&tutor).await.text, Err(ModelError::Cut)));
    assert!(matches!(ask(&tutor).await.text, Err(ModelError::Refused)));
    assert!(matches!(ask(&tutor).await.text, Err(ModelError::Call(_))));
}

#[tokio::test]
async fn an_answer_that_is_cut_off_costs_what_has_arrived() {
    let server = ModelServer::playing([
        Scripted::Cuts(ANSWER.to_owned()),
        Scripted::Cuts("x".repeat(70 << 10)),
        Scripted::Refuses,
    ])
    .await;
    let tutor = tutor(&server, 5_000);
    let cut = ask(&tutor).await;
    assert!(matches!(cut.text, Err(ModelError::Cut)), "{cut:?}");
    let came = u32::try_from(ANSWER.len().div_ceil(4)).expect("a short answer");
    assert_eq!(cut.spent.tokens_out, came);
    assert!(cut.spent.tokens_in > 100, "the prompt was sent: {cut:?}");
    let endless = ask(&tutor).await;
    assert!(matches!(endless.text, Err(ModelError::TooLong)), "{endless:?}");
    assert!(endless.spent.tokens_out >= 16 << 10, "{:?}", endless.spent);
    let refused = ask(&tutor).await;
    assert!(matches!(refused.text, Err(ModelError::Refused)), "{refused:?}");
    assert!(refused.spent.tokens_out > 0, "{refused:?}");
}

#[tokio::test]
async fn a_model_that_fails_repeatedly_is_not_asked_for_a_while() {
    let server = ModelServer::playing((0..5).map(|_| Scripted::Status(401, None))).await;
    let tutor = tutor(&server, 5_000);
    for _ in 0..5 {
        assert!(matches!(ask(&tutor).await.text, Err(ModelError::Status(401, _))));
    }
    let answered = ask(&tutor).await;
    assert!(matches!(answered.text, Err(ModelError::Resting)), "{answered:?}");
    assert_eq!((server.requests().len(), answered.spent.tokens_in), (5, 0));
}

#[tokio::test]
async fn requests_that_are_refused_for_what_is_in_them_switch_the_model_off_for_nobody() {
    let refused = (0..6).map(|_| Scripted::Status(400, None));
    let server = ModelServer::playing(refused.chain([Scripted::Says(ANSWER.to_owned())])).await;
    let tutor = tutor(&server, 5_000);
    for _ in 0..6 {
        let answered = ask(&tutor).await;
        assert!(matches!(answered.text, Err(ModelError::Unsuitable(_))), "{answered:?}");
    }
    assert!(ask(&tutor).await.text.is_ok());
}

#[tokio::test]
async fn a_call_costs_rather_too_much_than_too_little_and_nothing_where_nothing_came() {
    let end = || choice(json!({ "delta": {}, "finish_reason": "stop" }));
    let says = || choice(json!({ "delta": { "content": ANSWER } }));
    let usage = |out: Value| json!({ "choices": [], "usage": { "prompt_tokens": 0, "completion_tokens": out } });
    let reasons = [("MODEL_REASONING_TOKENS", "2000")];
    let came = u32::try_from(ANSWER.len().div_ceil(4)).expect("a short answer");
    for (script, settings, tokens_out) in [
        (Scripted::Status(401, None), &reasons[..], 0),
        (Scripted::Streams(vec![says(), end(), usage(json!(0))]), &[], came),
        (Scripted::Streams(vec![usage(json!(0)), says()]), &[], came),
        (Scripted::Streams(vec![says(), end(), usage(Value::Null)]), &reasons, 3_200),
        (Scripted::Streams(vec![says(), end(), usage(json!(7))]), &reasons, 7),
    ] {
        let what = format!("{script:?}");
        let server = ModelServer::playing([script]).await;
        let spent = ask(&tutor_with(&server, settings)).await.spent;
        assert_eq!(spent.tokens_out, tokens_out, "{what}");
        assert!(spent.tokens_in > 100, "{what}: the prompt was sent");
    }
}

#[tokio::test]
async fn drafts_in_a_models_thoughts_are_not_streamed() {
    let thinks = "A {dict}? {\"explanation\": \"Maybe.\n\n\"}</think>";
    let says = |text: &str| choice(json!({ "delta": { "content": text } }));
    let end = choice(json!({ "delta": {}, "finish_reason": "eos" }));
    let server =
        ModelServer::playing([Scripted::Streams(vec![says(thinks), says(ANSWER), end])]).await;
    let tutor = tutor_with(&server, &[("MODEL_REASONING_TOKENS", "2000")]);
    let mut streamed = Vec::new();
    let answered = tutor.ask(Task::Explain, &[], |paragraph| streamed.push(paragraph)).await;
    assert_eq!(answered.text.expect("an answer"), ANSWER);
    assert!(streamed.is_empty(), "{streamed:?}");
}

#[tokio::test]
async fn only_the_default_model_is_asked_not_to_reason() {
    let server = ModelServer::answering(|_| Scripted::Says(ANSWER.to_owned())).await;
    let mut settings = Settings::from_pairs([
        ("OPENAI_BASE_URL", server.base_url()),
        ("OPENAI_MODEL_EXERCISE", "other".to_owned()),
    ]);
    let config = TutorConfig::read(&mut settings).expect("there is an address");
    let clock = Clock::manual(Clock::System.now());
    let tutor = Tutor::new(config, environment::http_client().expect("a client"), clock);
    for task in [Task::Explain, Task::Exercise] {
        assert!(tutor.ask(task, &[], |_| {}).await.text.is_ok());
    }
    let efforts =
        server.requests().into_iter().map(|request| request.body["reasoning_effort"].clone());
    assert_eq!(efforts.collect::<Vec<_>>(), [json!("none"), Value::Null]);
}

/// A chunk with this choice.
fn choice(choice: Value) -> Value {
    json!({ "choices": [choice] })
}

#[tokio::test]
async fn answers_of_other_servers_are_read() {
    let end = || choice(json!({ "delta": {}, "finish_reason": "stop" }));
    let says = |content: Value| choice(json!({ "delta": { "content": content } }));
    let streams = [
        // It thinks in the text.
        vec![says(json!("<think>A {list}?</think>\n")), says(json!(ANSWER)), end()],
        // It answers in parts, among which are thoughts.
        vec![
            says(
                json!([{ "type": "thinking", "thinking": [] }, { "type": "text", "text": ANSWER }]),
            ),
            end(),
        ],
        // It sends null where there is nothing, and counts only some tokens.
        vec![
            json!({ "choices": null, "usage": null }),
            choice(json!({ "delta": null })),
            choice(json!({ "delta": { "content": null, "refusal": "", "reasoning": "Hm." } })),
            says(json!(ANSWER)),
            end(),
            json!({ "choices": [], "usage": { "prompt_tokens": 100, "completion_tokens": null } }),
        ],
    ];
    for stream in streams {
        let server = ModelServer::playing([Scripted::Streams(stream.clone())]).await;
        let answered = ask(&tutor(&server, 5_000)).await;
        assert_eq!(answered.text.expect("an answer").trim(), ANSWER, "{stream:?}");
    }
}

#[tokio::test]
async fn why_an_answer_ended_is_known() {
    let error = json!({ "error": { "code": 400, "type": "exceed_context", "message": "private" } });
    let long = choice(json!({ "delta": { "content": "" }, "finish_reason": "length" }));
    let server = ModelServer::answering(move |_| Scripted::Streams(vec![long.clone()])).await;
    server.then([Scripted::Streams(vec![error])]);
    let tutor = tutor(&server, 5_000);
    let said = ask(&tutor).await.text.expect_err("an error").to_string();
    assert!(said.ends_with("400 exceed_context"), "{said}");
    // That says nothing of the server, so it is asked on and on.
    for _ in 0..6 {
        let answered = ask(&tutor).await;
        assert!(matches!(answered.text, Err(ModelError::Length)), "{answered:?}");
    }
}

#[tokio::test]
async fn a_server_is_asked_in_its_own_dialect() {
    let server = ModelServer::answering(|_| Scripted::Says(ANSWER.to_owned())).await;
    assert!(ask(&tutor(&server, 5_000)).await.text.is_ok());
    let other = tutor_with(
        &server,
        &[
            ("OPENAI_ANSWER_FORMAT", "json_object"),
            ("OPENAI_LIMIT_FIELD", "max_tokens"),
            ("OPENAI_REASONING_EFFORT", "low"),
            ("MODEL_REASONING_TOKENS", "2000"),
        ],
    );
    assert!(ask(&other).await.text.is_ok());
    let [first, second] = &server.requests()[..] else { panic!("two requests") };
    assert_eq!(first.body["max_completion_tokens"], 1_200);
    assert!(first.body.get("max_tokens").is_none() && first.body.get("reasoning_effort").is_none());
    assert_eq!(second.body["max_tokens"], 3_200);
    assert!(second.body.get("max_completion_tokens").is_none());
    assert_eq!(second.body["reasoning_effort"], "low");
    assert_eq!(second.body["response_format"], json!({ "type": "json_object" }));
    let instructions = second.body["messages"][0]["content"].as_str().expect("a text");
    assert!(instructions.contains("\"explanation\""), "the schema is a part of them");
}
