//! What comes on a held socket: everything, in order, each message once, whatever API Gateway answers.

use std::sync::Arc;

use events::submission_graded::{Feedback, SubmissionGraded};
use ids::{ExerciseId, SubmissionId, UserId};
use serde_json::{Value, json};
use testing::{Reaction, eventually};
use tests::{
    World,
    socket::{emit, enrol, nudge},
};
use tokio::sync::Notify;
use uuid::Uuid;

use super::{
    super::{id_of, text_of},
    Held, batch, of_key,
};

/// Waits until a client has this many frames, as events come in.
async fn frames(held: &Held, connection: &str, count: usize) -> Vec<Value> {
    eventually("the frames come", async || {
        held.hear(&held.lambda).await;
        let frames = held.gateway.frames(connection);
        (frames.len() >= count).then_some(frames)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_in_a_frame_gets_its_answer_on_the_held_socket() {
    let held = Held::new([]).await;
    let ada = held.world.student("ada").await;
    let connection = held.chat(&ada, None).await;
    let question = json!({ "id": "1", "content": "What is a list?" }).to_string();
    held.gateway.say(&held.lambda, &connection, &question).await.expect("it is taken");
    let accepted = held.gateway.frames(&connection).remove(0);
    assert_eq!((&accepted["type"], &accepted["reply_to"]), (&json!("ai_delta"), &json!("1")));
    let answers = frames(&held, &connection, 2).await;
    assert_eq!(answers[1]["type"], "ai_response");
    assert_eq!(answers[1]["query_id"], accepted["query_id"]);
    held.gateway.say(&held.lambda, &connection, &question).await.expect("it is taken");
    held.gateway.say(&held.lambda, &connection, "no JSON").await.expect("it is taken");
    held.gateway.say(&held.lambda, &connection, r#"{"type":"ping"}"#).await.expect("it is taken");
    let rest = held.gateway.frames(&connection).split_off(2);
    assert_eq!(rest[0]["query_id"], accepted["query_id"], "it was accepted once");
    assert_eq!((rest.len(), &rest[1]["code"]), (2, &json!("malformed_json")));
    // Pieces are passed on as they come, and none after the answer.
    let piece = |query: &Value, sequence: u32| {
        json!({
            "specversion": "1.0", "id": held.world.clock().new_id(), "source": "learnflow/concepts", "type": "answer.delta.v1",
            "subject": ada.id, "datacontenttype": "application/json", "ephemeral": "true",
            "data": { "query_id": query, "student_id": ada.id, "agent": "concepts", "sequence": sequence, "text": "A" }
        })
    };
    let other = json!(held.world.clock().new_id());
    let pieces = [piece(&accepted["query_id"], 9), piece(&other, 0), piece(&other, 1)];
    let key = ada.id.to_string();
    let records = pieces.iter().enumerate();
    let records: Vec<_> =
        records.map(|(at, piece)| of_key("learning.responses", at, &key, piece)).collect();
    held.lambda.invoke(batch(&json!({ "all": records }))).await.expect("a batch");
    let pieces = held.gateway.frames(&connection).split_off(4);
    let found: Vec<_> = pieces.iter().map(|one| (&one["query_id"], &one["sequence"])).collect();
    assert_eq!(found, [(&other, &json!(0)), (&other, &json!(1))]);
    held.world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_held_socket_continues_behind_the_last_message_on_any_instance() {
    let held = Held::new([]).await;
    let Held { world, gateway, lambda, .. } = &held;
    let (ada, eve) = (world.student("ada").await, world.student("eve").await);
    emit(world, &[nudge(ada.id, "before")]).await;
    let first = held.chat(&ada, None).await;
    emit(world, &[nudge(ada.id, "1"), nudge(eve.id, "hers")]).await;
    held.hear(lambda).await;
    assert_eq!(held.texts(&first), ["1"]);
    gateway.leave(lambda, &first).await;
    emit(world, &[nudge(ada.id, "2"), nudge(ada.id, "3")]).await;
    held.hear(lambda).await;
    let last = id_of(&gateway.frames(&first)[0]);
    let second = held.chat(&ada, Some(&last)).await;
    // What was missed needs no event of anybody else.
    held.hear(&held.another()).await;
    assert_eq!(held.texts(&second), ["2", "3"]);
    emit(world, &[nudge(ada.id, "4")]).await;
    held.hear(lambda).await;
    held.wake(&held.another(), ada.id).await;
    assert_eq!(held.texts(&second), ["2", "3", "4"], "each once");
    let lost = held.chat(&ada, Some(&held.world.clock().new_id().to_string())).await;
    held.hear(lambda).await;
    let frames = gateway.frames(&lost);
    assert_eq!(frames[0]["errors"][0]["field"], "after");
    let rest: Vec<_> = frames[1..].iter().map(text_of).collect();
    assert_eq!(rest, ["before", "1", "2", "3", "4"]);
    held.world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_send_each_message_once_and_in_order() {
    let held = Held::new([]).await;
    let (one, two) = (&held.lambda, held.another());
    let ada = held.world.student("ada").await;
    let connection = held.chat(&ada, None).await;
    // While one is sending, the other leaves the rest to it.
    let answer = Arc::new(Notify::new());
    held.gateway.plays(&connection, [Reaction::Held(Arc::clone(&answer))]);
    emit(&held.world, &[nudge(ada.id, "0")]).await;
    let waits = async {
        eventually("it is sent", async || (held.texts(&connection).len() == 1).then_some(())).await;
        emit(&held.world, &[nudge(ada.id, "1")]).await;
        held.hear(&two).await;
        assert_eq!(held.texts(&connection), ["0"], "one at a time");
        answer.notify_one();
    };
    tokio::join!(held.wake(one, ada.id), waits);
    assert_eq!(held.texts(&connection), ["0", "1"]);
    for number in 2..30 {
        emit(&held.world, &[nudge(ada.id, number.to_string())]).await;
        tokio::join!(held.wake(one, ada.id), held.wake(&two, ada.id), held.wake(&two, ada.id));
    }
    let expected: Vec<_> = (0..30).map(|number| number.to_string()).collect();
    assert_eq!(held.texts(&connection), expected);
    held.world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_when_an_instance_died_is_sent_again() {
    let held = Held::new([]).await;
    let ada = held.world.student("ada").await;
    let connection = held.chat(&ada, None).await;
    held.hear(&held.lambda).await;
    held.gateway.plays(&connection, [Reaction::Held(Arc::default())]);
    emit(&held.world, &[nudge(ada.id, "1"), nudge(ada.id, "2")]).await;
    let sent =
        eventually("it is sent", async || (held.texts(&connection).len() == 1).then_some(()));
    tokio::select! {
        () = held.wake(&held.lambda, ada.id) => panic!("it has no answer"),
        () = sent => {}
    }
    let other = held.another();
    held.wake(&other, ada.id).await;
    assert_eq!(held.texts(&connection), ["1"], "the dead one has its claim for a while");
    held.world.advance(31);
    held.tick().await;
    let frames = held.gateway.frames(&connection);
    assert_eq!(held.texts(&connection), ["1", "1", "2"]);
    assert_eq!(id_of(&frames[0]), id_of(&frames[1]), "a client can tell");
    held.world.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_throttled_message_is_sent_again_and_later_if_need_be() {
    let held = Held::new([]).await;
    let ada = held.world.student("ada").await;
    let connection = held.chat(&ada, None).await;
    held.gateway.plays(&connection, [429, 500, 429].map(Reaction::Refused));
    emit(&held.world, &[nudge(ada.id, "1"), nudge(ada.id, "2")]).await;
    held.hear(&held.lambda).await;
    assert_eq!(held.texts(&connection), ["1", "2"], "after some pauses");
    held.gateway.plays(&connection, [429; 5].map(Reaction::Refused));
    emit(&held.world, &[nudge(ada.id, "3"), nudge(ada.id, "4")]).await;
    held.wake(&held.lambda, ada.id).await;
    assert_eq!(held.texts(&connection), ["1", "2"], "it is left to a later one");
    held.world.advance(11);
    held.tick().await;
    assert_eq!(held.texts(&connection), ["1", "2", "3", "4"]);
    held.world.finish().await;
}

fn graded(student: Uuid, message: String) -> SubmissionGraded {
    SubmissionGraded {
        submission_id: SubmissionId::from_uuid(student),
        student_id: UserId::from_uuid(student),
        exercise_id: ExerciseId::from_uuid(student),
        feedback: Feedback {
            passed: true,
            tested: true,
            score: 100,
            tests: Vec::new(),
            not_as_asked: Vec::new(),
            quality: None,
            message,
            attempt: 1,
            best: 100,
            parsons: false,
        },
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_api_gateway_finds_too_large_is_shortened_or_left_out() {
    let held = Held::new([]).await;
    let ada = held.world.student("ada").await;
    let connection = held.chat(&ada, None).await;
    emit(&held.world, &[graded(ada.id, "x".repeat(200_000))]).await;
    held.hear(&held.lambda).await;
    held.gateway.plays(&connection, [413].map(Reaction::Refused));
    emit(&held.world, &[graded(ada.id, "Well done.".to_owned())]).await;
    held.hear(&held.lambda).await;
    let frames = held.gateway.frames(&connection);
    assert_eq!(frames.len(), 2);
    for frame in frames {
        assert!(frame["feedback"].is_null() && frame["content"].is_null(), "it has no room");
        assert_eq!(frame["url"], format!("/api/v1/submissions/{}", ada.id));
    }
    // What cannot be shortened holds nothing up.
    held.gateway.plays(&connection, [413, 413].map(Reaction::Refused));
    emit(&held.world, &[nudge(ada.id, "Too large."), nudge(ada.id, "Go on.")]).await;
    held.hear(&held.lambda).await;
    let frames = held.gateway.frames(&connection);
    assert_eq!((frames.len(), frames.last().map(text_of)), (3, Some("Go on.")));
    held.world.finish().await;
}

/// Students, each with two open pages.
const STUDENTS: usize = 40;

async fn tell(world: &World, students: &[(Uuid, String)], number: usize) {
    let words = students.iter().map(|(id, _)| nudge(*id, format!("{number} for {id}")));
    emit(world, &words.collect::<Vec<_>>()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gets_what_is_for_somebody_else_on_held_sockets() {
    let held = Held::new([("RATE_LIMIT_ADDRESS", "1000000")]).await;
    let students = enrol(&held.world, STUDENTS).await;
    let mut pages = Vec::new();
    for (id, token) in students.iter().chain(&students) {
        pages.push((*id, held.chat_of(*id, token, None).await));
    }
    for number in 0..2 {
        tell(&held.world, &students, number).await;
        held.hear(&held.lambda).await;
    }
    for (id, connection) in &pages {
        let expected: Vec<_> = (0..2).map(|number| format!("{number} for {id}")).collect();
        assert_eq!(held.texts(connection), expected);
        let frames = held.gateway.frames(connection);
        assert!(frames.iter().all(|frame| frame["student_id"] == id.to_string()));
    }
    // A connection that is nobody's learns nothing, and is closed.
    let stranger = &pages[0].1;
    held.gateway.leave(&held.lambda, stranger).await;
    held.gateway.open(stranger);
    let question = json!({ "content": "What is a list?" }).to_string();
    held.gateway.say(&held.lambda, stranger, &question).await.expect("it is taken");
    let last = held.gateway.frames(stranger).pop().expect("a frame");
    assert_eq!((&last["code"], held.gateway.is_open(stranger)), (&json!("connect_again"), false));
    let sql = "SELECT count(*) FROM queries WHERE student_id = $1";
    assert_eq!(held.world.count(sql, pages[0].0).await, 0);
    held.world.finish().await;
}
