use domain::level::Level;
use events::question_answered::Answer;

use meaning::Subject;

use crate::about::about;

fn answer(subject: &Subject<'_>, level: Level) -> Answer {
    let course = curriculum::embedded();
    super::answer(course, subject, &about(course, subject), level)
}

fn ask(question: &str) -> Answer {
    let subject = Subject { prose: question, ..Subject::default() };
    answer(&subject, Level::Beginner)
}

#[test]
fn a_comparison_is_answered_as_one() {
    let answer = ask("What is the difference between a list and a tuple?");
    assert_eq!(answer.topics, ["lists", "tuples"]);
    assert!(answer.content.contains("a list can change and a tuple cannot"));
    assert_eq!(answer.examples.len(), 2);
}

#[test]
fn the_answer_is_about_what_was_asked() {
    for (question, topic, words) in [
        ("What is a variable?", "variables", "a name for a value"),
        ("How do I sort a list?", "lists", "sorted(items)"),
        ("what is modulo", "operators", "left over after dividing"),
        ("How do while loops work?", "while-loops", "as long as"),
        ("remove duplicates from a list", "sets", "keeps every value once"),
        ("what are f-strings?", "input-output", "values in curly braces"),
        ("How do I define a function?", "defining-functions", "gives a name to some lines"),
    ] {
        let answer = ask(question);
        assert_eq!(answer.topics, [topic], "{question}");
        assert!(answer.content.contains(words), "{question}: {}", answer.content);
        assert!(!answer.examples.is_empty(), "{question}");
    }
}

#[test]
fn a_story_around_the_question_does_not_hide_it() {
    let answer = ask(
        "Hello everybody, I began two weeks ago and my cat sleeps on the keyboard. How can I print a \
                      list without brackets? My brother could not tell me either.",
    );
    assert!(answer.content.contains("print(*items)"), "{}", answer.content);
}

#[test]
fn what_a_story_only_mentions_is_not_what_is_asked() {
    let answer = ask(
        "I write a game with pygame and a click gives me a pair such as (30, 12). How do I get the two numbers out of it?",
    );
    assert!(!answer.content.contains("is not part of this course"), "{}", answer.content);
    let answer = ask("I am making a game. What is pygame and how do I use it?");
    assert!(answer.content.contains("is not part of this course"), "{}", answer.content);
}

#[test]
fn of_two_ideas_that_are_equally_likely_both_are_explained() {
    let subject = Subject { prose: "colour", ..Subject::default() };
    let course = curriculum::embedded();
    let topic = course.topics().next().unwrap();
    let ideas = topic.lesson.concepts.iter().take(3).map(|concept| (topic, Some(concept)));
    let about = crate::About::OneOf(ideas.collect());
    let content = super::answer(course, &subject, &about, Level::Beginner).content;
    let [first, second, third] = &topic.lesson.concepts[..3] else { unreachable!() };
    assert!(content.contains(first.text.trim()) && content.contains(second.text.trim()));
    assert!(content.contains(&third.title) && !content.contains(third.text.trim()));
}

#[test]
fn two_questions_get_two_answers() {
    let answer = ask("How do I merge two dictionaries? And what does while True mean?");
    assert!(answer.content.contains("a | b"), "{}", answer.content);
    assert!(answer.content.contains("ends only by `break`"), "{}", answer.content);
    assert_eq!(answer.topics, ["dictionaries", "while-loops"]);
}

#[test]
fn beside_an_idea_that_is_only_likely_others_are_named() {
    let answer = ask("how do i shuffle my marbles onto a plate");
    assert!(answer.content.contains("If you mean something else"), "{}", answer.content);
}

#[test]
fn a_name_that_the_program_does_not_have_is_said_to_be_missing() {
    let subject = Subject { prose: "what is count_sheep", has_code: true, ..Subject::default() };
    let answer = answer(&subject, Level::Beginner);
    assert!(answer.content.contains("I do not find `count_sheep`"), "{}", answer.content);
}

#[test]
fn what_the_course_does_not_teach_is_said_and_nothing_else() {
    for (question, words) in [
        ("What is a decorator?", "**decorator** is not part of this course"),
        ("How do I reverse a linked list?", "**linked list** is not part of this course"),
        ("What is a flurble?", "I do not know \"flurble\""),
        ("Hello?", "I do not know which idea you mean"),
    ] {
        let answer = ask(question);
        assert!(answer.content.contains(words), "{question}: {}", answer.content);
        assert!(answer.examples.is_empty() && answer.topics.is_empty(), "{question}");
        let leads_on = ["The course covers", "I can explain: Lists"];
        assert!(leads_on.iter().any(|words| answer.content.contains(words)), "{question}");
    }
}

#[test]
fn the_page_gives_this_its_meaning_and_the_level_decides_the_explanation() {
    let asked = |prose| Subject { prose, page: Some("sets"), ..Subject::default() };
    let on_page = |level| answer(&asked("I don't understand this"), level);
    assert_eq!(on_page(Level::Beginner).topics, ["sets"]);
    assert!(on_page(Level::Beginner).content.contains("appears only once"));
    assert!(on_page(Level::Mastered).content.contains("O(1) on average"));
    let named = answer(&asked("What is a tuple?"), Level::Beginner);
    assert_eq!(named.topics, ["tuples"]);
}
