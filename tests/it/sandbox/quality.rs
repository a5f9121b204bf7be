//! The minimum quality of the tutor on the project's own labelled cases.

use checks::quality;

use super::workers;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tutor_stays_as_good_as_it_was_on_labelled_cases() {
    let tuned = quality::triage(&triage::cases::tuned());
    assert_eq!(tuned.agents.right, tuned.agents.all, "{:?}", tuned.wrong);
    let held_out = quality::triage(&triage::cases::held_out());
    assert!(held_out.agents.percent() >= 94, "{}: {:?}", held_out.agents, held_out.wrong);
    assert!(held_out.signs.percent() >= 95, "{}", held_out.signs);
    let explaining = quality::concepts(&concepts::cases::tuned());
    assert!(explaining.topics.percent() >= 95, "{:?}", explaining.wrong);
    assert!(explaining.ideas.percent() >= 95, "{:?}", explaining.wrong);
    let held_out = quality::concepts(&concepts::cases::held_out());
    assert!(held_out.topics.percent() >= 93, "{:?}", held_out.wrong);
    assert!(held_out.ideas.percent() >= 89, "{:?}", held_out.wrong);
    let debugging = quality::debugging(&workers()).await;
    assert!(debugging.classes.percent() >= 98, "{}: {:?}", debugging.classes, debugging.wrong);
    assert!(debugging.lines.percent() >= 98, "{}: {:?}", debugging.lines, debugging.wrong);
    assert!(debugging.advised.percent() >= 90, "{}", debugging.advised);
    let reviewing = quality::reviewing();
    assert!(
        reviewing.rules.values().all(|share| share.right == share.all),
        "{:?}",
        reviewing.rules
    );
    assert_eq!(reviewing.invented, [""; 0]);
    assert_eq!(reviewing.missed, [""; 0]);
    assert!(reviewing.shown >= 50, "{}", reviewing.shown);
    let tuned = quality::reviewing_programs(&code_review::cases::tuned());
    assert_eq!(tuned.true_findings.percent(), 100, "{:?}", tuned.wrong);
    assert!(tuned.found.percent() >= 95, "{:?}", tuned.wrong);
    let held_out = quality::reviewing_programs(&code_review::cases::held_out());
    assert_eq!(held_out.wrong, [""; 0]);
    let leaking = quality::leaking(&workers()).await;
    assert_eq!(leaking.leaks, [""; 0]);
    assert!(leaking.checked > 3_000, "{}", leaking.checked);
}
