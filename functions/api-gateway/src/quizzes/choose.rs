//! Which questions a quiz asks: pure, by what is known of the student and a seed.

use curriculum::{Curriculum, Question, Topic};
use domain::quiz::shuffle;
use storage::quizzes::{AskedOption, AskedQuestion, QuizBody};

/// Questions of each topic in a mixed quiz: one alone says little, and more leave no room for other topics.
pub(super) const OF_EACH_TOPIC: usize = 2;

/// The topics for a mixed quiz, the most useful first: those whose review is `due`, in their order, then those that
/// were tried, the weakest first, then the others as the course has them.
pub(super) fn topics<'a>(
    course: &'a Curriculum,
    due: &[String],
    scores: &[(String, u8)],
) -> Vec<&'a Topic> {
    let mut weakest: Vec<&(String, u8)> = scores.iter().collect();
    weakest.sort_by_key(|(_, score)| *score);
    let known = due.iter().chain(weakest.into_iter().map(|(slug, _)| slug));
    let mut chosen: Vec<&Topic> = Vec::new();
    for topic in known.filter_map(|slug| course.topic(slug)).chain(course.topics()) {
        if chosen.iter().all(|other| other.slug != topic.slug) {
            chosen.push(topic);
        }
    }
    chosen
}

/// Up to `count` questions of the topics in their order, up to `each` of one topic. What the student was not asked
/// before comes first, then what was asked longest ago; `asked` are the latest quizzes, newest first.
pub(super) fn questions(
    topics: &[&Topic],
    each: usize,
    count: usize,
    asked: &[QuizBody],
    seed: u64,
) -> QuizBody {
    let mut chosen = Vec::new();
    for topic in topics {
        let mut candidates: Vec<&Question> = topic.practice.questions.iter().collect();
        shuffle(&mut candidates, seed);
        candidates.sort_by_key(|question| {
            let quizzes_ago = asked.iter().position(|quiz| {
                quiz.questions.iter().any(|asked| is_same(asked, topic, question))
            });
            std::cmp::Reverse(quizzes_ago.unwrap_or(usize::MAX))
        });
        let wanted = each.min(count - chosen.len());
        chosen.extend(candidates.into_iter().take(wanted).map(|question| (*topic, question)));
    }
    let numbered = (1..).zip(chosen);
    let questions =
        numbered.map(|(number, (topic, question))| ask(topic, question, seed.wrapping_add(number)));
    QuizBody { questions: questions.collect() }
}

fn is_same(asked: &AskedQuestion, topic: &Topic, question: &Question) -> bool {
    asked.topic == topic.slug && asked.ask == question.ask && asked.code == question.code
}

/// A question with its options in an order that depends on the seed.
fn ask(topic: &Topic, question: &Question, seed: u64) -> AskedQuestion {
    let right = AskedOption { text: question.answer.clone(), misconception: None, is_right: true };
    let wrong = question.wrong.iter().enumerate().map(|(at, text)| AskedOption {
        text: text.clone(),
        misconception: question.because.get(at).cloned(),
        is_right: false,
    });
    let mut options: Vec<AskedOption> = std::iter::once(right).chain(wrong).collect();
    shuffle(&mut options, seed);
    AskedQuestion {
        topic: topic.slug.clone(),
        ask: question.ask.clone(),
        code: question.code.clone(),
        stdin: question.stdin.clone(),
        options,
        why: question.why.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use curriculum::embedded;
    use storage::quizzes::QuizBody;

    use super::{OF_EACH_TOPIC, questions, topics};

    fn slugs(due: &[&str], scores: &[(&str, u8)]) -> Vec<&'static str> {
        let due: Vec<String> = due.iter().map(|slug| (*slug).to_owned()).collect();
        let scores: Vec<_> =
            scores.iter().map(|(slug, score)| ((*slug).to_owned(), *score)).collect();
        topics(embedded(), &due, &scores).into_iter().map(|topic| topic.slug.as_str()).collect()
    }

    #[test]
    fn due_topics_come_first_then_weak_ones_then_new_ones_in_the_order_of_the_course() {
        assert_eq!(slugs(&[], &[])[..3], ["variables", "data-types", "input-output"]);
        let found = slugs(&["json", "sets", "gone"], &[("lists", 80), ("tuples", 20), ("sets", 5)]);
        assert_eq!(found[..6], ["json", "sets", "tuples", "lists", "variables", "data-types"]);
        assert_eq!(found.len(), 31, "each topic once");
    }

    fn asks(quiz: &QuizBody) -> BTreeSet<(String, String)> {
        let asked = quiz
            .questions
            .iter()
            .map(|question| (question.ask.clone(), question.code.clone().unwrap_or_default()));
        asked.collect()
    }

    #[test]
    fn a_retake_asks_what_was_not_asked_and_then_what_was_asked_longest_ago() {
        let lists = [embedded().topic("lists").expect("a topic")];
        let first = questions(&lists, 2, 2, &[], 1);
        let second = questions(&lists, 2, 2, std::slice::from_ref(&first), 2);
        assert!(asks(&first).is_disjoint(&asks(&second)), "there are four questions");
        let third = questions(&lists, 2, 2, &[second.clone(), first.clone()], 3);
        assert_eq!(asks(&third), asks(&first), "the second was just now");
        let all = questions(&lists, 20, 20, &[second, first], 4);
        assert_eq!(all.questions.len(), 4, "all that there are");
    }

    #[test]
    fn a_mixed_quiz_has_a_few_questions_of_each_topic() {
        let topics = topics(embedded(), &[], &[]);
        let quiz = questions(&topics, OF_EACH_TOPIC, 5, &[], 7);
        let found: Vec<&str> =
            quiz.questions.iter().map(|question| question.topic.as_str()).collect();
        assert_eq!(found, ["variables", "variables", "data-types", "data-types", "input-output"]);
    }

    #[test]
    fn the_seed_decides_the_questions_and_the_order_of_their_options() {
        let topics = [embedded().topic("lists").expect("a topic")];
        let quiz = |seed| questions(&topics, 2, 2, &[], seed);
        assert_eq!(quiz(5), quiz(5));
        let quizzes: Vec<QuizBody> = (0..200).map(quiz).collect();
        let distinct: BTreeSet<_> = quizzes.iter().map(asks).collect();
        assert_eq!(distinct.len(), 6, "each pair of four");
        let places: BTreeSet<_> = quizzes
            .iter()
            .flat_map(|quiz| &quiz.questions)
            .map(|question| question.options.iter().position(|option| option.is_right))
            .collect();
        assert_eq!(places.len(), 4, "the right answer stands in every place");
        for option in quizzes.iter().flat_map(|quiz| &quiz.questions).flat_map(|q| &q.options) {
            assert_eq!(option.is_right, option.misconception.is_none(), "{option:?}");
        }
    }
}
