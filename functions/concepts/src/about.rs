//! What a question is about: an idea of the course, one outside it, or one of a few that it may mean.

use curriculum::{Comparison, Concept, Curriculum, Found, Match, Topic};
use meaning::{Likely, Subject, asking};

/// The topic about installing packages that the course does not teach.
const INSTALLING: &str = "installing-packages";
/// The share from which an answer is about one topic: below it, one in two would be wrong.
const SURE: f64 = 0.5;
/// The share from which a topic is offered as a choice.
const LIKELY: f64 = 0.08;
/// The share from which each of two sentences is answered.
const SURE_OF_EACH: f64 = 0.85;
/// The share from which a topic is meant if a phrase names an idea of it.
const NAMED: f64 = 0.15;
/// The share from which an idea is explained at once, with the other choices below.
const LEADS: f64 = 0.3;
/// Most choices that are offered.
const CHOICES: usize = 3;
/// Characters of the shortest word that a question may be about.
const CONTENT_CHARS: usize = 5;
/// How sure a phrase of the course makes.
const CERTAIN: f64 = 1.0;
/// How likely all choices together must be: else the question is about something else.
const ONE_OF_THEM: f64 = 0.3;

/// What a question is about.
#[derive(Debug)]
pub(crate) enum About<'a> {
    /// How two topics differ.
    Comparison(&'a Comparison),
    /// A topic, or an idea within it.
    Topic(&'a Topic, Option<&'a Concept>),
    /// Two ideas, each asked about in a sentence of its own.
    Both([(&'a Topic, &'a Concept); 2]),
    /// Something that the course does not teach, and a topic that is named beside it.
    NotCovered(&'a str, Option<&'a Topic>),
    /// Perhaps an idea, or one of the others.
    Perhaps(&'a Topic, &'a Concept, Vec<(&'a Topic, Option<&'a Concept>)>),
    /// One of these, likeliest first.
    OneOf(Vec<(&'a Topic, Option<&'a Concept>)>),
    /// Nothing that the course knows; the word that it does not know, if there is just one.
    Unknown(Option<String>),
}

/// Finds what a question is about: the whole of it, or, of several sentences, the one that says it best. A story around
/// the question does not hide it.
pub(crate) fn about<'a>(course: &'a Curriculum, subject: &Subject<'_>) -> About<'a> {
    let (mut surest, mut sure) = read(course, subject);
    let mut ideas: Vec<(&Topic, &Concept)> = Vec::new();
    for sentence in asking::sentences(subject.prose) {
        // Code that came with it is not what the sentence says.
        let alone = Subject { prose: sentence, has_code: false, ..*subject };
        let (about, share) = read(course, &alone);
        if let About::Topic(topic, Some(concept)) = about
            && share >= SURE_OF_EACH
            && ideas.iter().all(|(known, _)| known.slug != topic.slug)
        {
            ideas.push((topic, concept));
        }
        if share > sure {
            (surest, sure) = (about, share);
        }
    }
    match ideas[..] {
        [one, other, ..] => About::Both([one, other]),
        _ => surest,
    }
}

/// What a text is about, and how sure that is, from 0 to 1.
fn read<'a>(course: &'a Curriculum, subject: &Subject<'_>) -> (About<'a>, f64) {
    let found = course.find(subject.prose);
    let is_installed = found.matches.first().is_some_and(|best| best.topic.slug == INSTALLING);
    // An idea outside the course is what the question is about, whatever else it mentions; only a package is
    // installed like any other.
    if let Some(idea) = found.not_covered.first().filter(|_| !is_installed) {
        return (About::NotCovered(idea, found.matches.first().map(|near| near.topic)), SURE);
    }
    if let Some(comparison) = comparison(course, &found) {
        return (About::Comparison(comparison), CERTAIN);
    }
    // A whole phrase of the course, and nothing else: the course knows best what it means.
    let phrase = found.matches.first().filter(|named| {
        let is_whole = named.weight >= Match::PHRASE && found.unknown.is_empty();
        named.concept.is_some() && (is_whole || named.longest >= Match::LONG_PHRASE)
    });
    if let Some(named) = phrase {
        return (About::Topic(named.topic, named.concept), CERTAIN);
    }
    let page = subject.page.and_then(|page| course.topic(page));
    match page.filter(|_| names_nothing(&found)) {
        Some(page) => (About::Topic(page, None), SURE),
        None => by_meaning(course, subject, found),
    }
}

/// What a text is about whose words alone do not say it.
fn by_meaning<'a>(
    course: &'a Curriculum,
    subject: &Subject<'_>,
    found: Found<'a>,
) -> (About<'a>, f64) {
    let likely = meaning::topics(subject);
    let in_course = |likely: &Likely<'_>| {
        let topic = course.topic(&likely.topic?.slug)?;
        let same =
            |concept: &&Concept| likely.concept.is_some_and(|likely| likely.title == concept.title);
        Some((topic, topic.lesson.concepts.iter().find(same)))
    };
    let best = likely.iter().find(|likely| likely.topic.is_some());
    let share = best.map_or(0.0, |best| best.share);
    if let Some((topic, concept)) = best.filter(|_| share >= SURE).and_then(in_course) {
        return match concept {
            // It speaks of something that the idea's texts do not know.
            Some(concept)
                if found
                    .unknown
                    .iter()
                    .any(|word| is_content(word) && !concept.speaks_of(word)) =>
            {
                let others =
                    likely.iter().filter(|other| other.share >= LIKELY).filter_map(in_course);
                let others = others.filter(|(other, _)| other.slug != topic.slug).take(CHOICES - 1);
                (About::Perhaps(topic, concept, others.collect()), share)
            }
            _ => (About::Topic(topic, concept), share),
        };
    }
    // What is named is meant, if all words are known, or if nothing is likelier.
    let likeliest = likely.first().and_then(|best| best.topic);
    let named = found.matches.first().filter(|named| {
        let is = |topic: &Topic| topic.slug == named.topic.slug;
        let is_likely = |likely: &Likely<'_>| likely.topic.is_some_and(is) && likely.share >= NAMED;
        (found.unknown.is_empty() && (named.longest >= Match::WORD || share < LEADS))
            || (likeliest.is_some_and(is) && named.weight >= Match::WORD)
            || (named.concept.is_some()
                && named.longest >= Match::PHRASE
                && likely.iter().any(is_likely))
    });
    if let Some(named) = named.filter(|_| !subject.has_code) {
        return (About::Topic(named.topic, named.concept), SURE);
    }
    let choices = likely.iter().filter(|likely| likely.topic.is_some() && likely.share >= LIKELY);
    let choices: Vec<&Likely<'_>> = choices.take(CHOICES).collect();
    let together: f64 = choices.iter().map(|choice| choice.share).sum();
    // "Hello?" and "I am so lost" name nothing that a choice could be about.
    if together >= ONE_OF_THEM && !names_nothing(&found) {
        let choices: Vec<_> = choices.into_iter().filter_map(in_course).collect();
        return match choices[..] {
            [(topic, Some(concept)), ref others @ ..] if share >= LEADS => {
                (About::Perhaps(topic, concept, others.to_vec()), share / 2.0)
            }
            _ => (About::OneOf(choices), share / 2.0),
        };
    }
    (About::Unknown(<[String; 1]>::try_from(found.unknown).ok().map(|[word]| word)), 0.0)
}

/// Whether a text has everyday words only.
fn names_nothing(found: &Found<'_>) -> bool {
    found.matches.is_empty() && found.unknown.is_empty()
}

/// Whether a word may be what a question is about.
fn is_content(word: &str) -> bool {
    word.chars().count() >= CONTENT_CHARS && word.chars().all(char::is_alphabetic)
}

/// Two topics that a question names side by side; a finer idea ("remove duplicates from a list") is more than that.
fn comparison<'a>(course: &'a Curriculum, found: &Found<'_>) -> Option<&'a Comparison> {
    let strongest = found.matches.first()?.weight;
    let named: Vec<&Match<'_>> =
        found.matches.iter().filter(|found| found.weight * 2 >= strongest).collect();
    match named[..] {
        [one, other, ..] if one.concept.is_none() && other.concept.is_none() => {
            course.comparison(&one.topic.slug, &other.topic.slug)
        }
        _ => None,
    }
}
