//! What a question is about: an idea of the course, one outside it, or one of a few that it may mean.

use curriculum::{Comparison, Concept, Curriculum, Found, Match, Topic};
use meaning::{Likely, Subject, asking};

/// The topic about installing packages that the course does not teach.
const INSTALLING: &str = "installing-packages";
// The shares were chosen on strangers' questions of the development half: an idea of which the model is sure is mostly
// right there, and one that leads is more often right than any other.

/// The share from which an answer is about one idea.
const SURE: f64 = 0.6;
/// The share from which each of two sentences is answered.
const SURE_OF_EACH: f64 = 0.75;
/// The share from which an idea is explained alone, with the other choices named below.
const LEADS: f64 = 0.35;
/// The same if no other idea is nearly as likely: long texts share little with any other, so all their shares are
/// small.
const STANDS_OUT: f64 = 0.12;
/// How many times likelier than the next an idea is that stands out.
const BY_FAR: f64 = 1.5;
/// The share of a topic, with all its ideas, from which it is explained if it is the likeliest choice as a whole.
const SURE_OF_TOPIC: f64 = 0.5;
/// The share from which an idea is offered as a choice.
const LIKELY: f64 = 0.03;
/// How likely all choices together must be: else the question is about something else.
const ONE_OF_THEM: f64 = 0.2;
/// The same for a long question.
const ONE_OF_THEM_IF_LONG: f64 = 0.1;
/// Words of a long question.
const LONG: usize = 12;
/// Words of a question that says nothing unless it names something: "I don't get it".
const SHORT: usize = 4;
/// Most choices that are offered.
const CHOICES: usize = 4;
/// How sure the names of two topics make that their comparison is meant.
const CERTAIN: f64 = 1.0;

/// An idea of a topic, or the topic as a whole.
pub type Choice<'a> = (&'a Topic, Option<&'a Concept>);

/// What a question is about.
#[derive(Debug)]
pub enum About<'a> {
    /// How two topics differ.
    Comparison(&'a Comparison),
    /// A topic, or an idea within it.
    Topic(&'a Topic, Option<&'a Concept>),
    /// Two ideas, each asked about in a sentence of its own.
    Both([(&'a Topic, &'a Concept); 2]),
    /// Something that the course does not teach, and a topic that is named beside it.
    NotCovered(&'a str, Option<&'a Topic>),
    /// Perhaps an idea, or one of the others.
    Perhaps(Choice<'a>, Vec<Choice<'a>>),
    /// One of these, likeliest first.
    OneOf(Vec<Choice<'a>>),
    /// Nothing that the course knows; the word that it does not know, if there is just one.
    Unknown(Option<String>),
}

impl About<'_> {
    /// Whether there is no doubt about it.
    #[must_use]
    pub const fn is_sure(&self) -> bool {
        matches!(self, Self::Comparison(_) | Self::Topic(..) | Self::Both(_))
    }

    /// Whether it is something that the course explains.
    #[must_use]
    pub const fn is_explained(&self) -> bool {
        !matches!(self, Self::NotCovered(..) | Self::Unknown(_))
    }
}

/// Finds what a question is about, by the whole of it and by each of its sentences that asks.
///
/// A story around the question does not hide it. The page that the student is looking at decides what "this" means, and
/// never overrides what the question names.
pub fn about<'a>(course: &'a Curriculum, subject: &Subject<'_>) -> About<'a> {
    // Code that came with it is not what a sentence says.
    let alone = |prose| Subject { prose, has_code: false, ..*subject };
    let sentences = asking::sentences(subject.prose);
    let tells_a_story = !sentences.is_empty();
    let texts = std::iter::once(*subject).chain(sentences.into_iter().map(alone));
    let mut named: Option<(About<'a>, f64)> = None;
    let mut readings = Vec::new();
    let mut of_whole = Found::default();
    for (at, text) in texts.enumerate() {
        let mut found = course.find(text.prose);
        if at == 0 && tells_a_story {
            // What only the story mentions ("in my game with pygame") is not asked about.
            found.not_covered.clear();
        }
        match by_name(course, &text, &found) {
            Some((about, sure)) if named.as_ref().is_none_or(|(_, known)| sure > *known) => {
                named = Some((about, sure));
            }
            Some(_) => {}
            None => readings.push(meaning::ideas(&text, &found)),
        }
        if at == 0 {
            of_whole = found;
        }
    }
    let surest = surest(&readings).map_or(0.0, |likely| likely.share);
    match named.filter(|(_, sure)| *sure >= surest) {
        Some((about, _)) => about,
        None => two_ideas(course, &readings)
            .unwrap_or_else(|| by_meaning(course, &readings, subject.prose, of_whole)),
    }
}

/// What a text names without doubt, and how sure that is, from 0 to 1.
fn by_name<'a>(
    course: &'a Curriculum,
    subject: &Subject<'_>,
    found: &Found<'a>,
) -> Option<(About<'a>, f64)> {
    let is_installed = found.matches.first().is_some_and(|best| best.topic.slug == INSTALLING);
    // An idea outside the course is what the question is about, whatever else it mentions; only a package is
    // installed like any other.
    if let Some(idea) = found.not_covered.first().filter(|_| !is_installed) {
        return Some((About::NotCovered(idea, found.matches.first().map(|near| near.topic)), SURE));
    }
    if let Some(comparison) = comparison(course, found) {
        return Some((About::Comparison(comparison), CERTAIN));
    }
    let page = subject.page.and_then(|page| course.topic(page));
    page.filter(|_| names_nothing(found)).map(|page| (About::Topic(page, None), SURE))
}

/// Two ideas of different topics, if two texts surely ask for one each.
fn two_ideas<'a>(course: &'a Curriculum, readings: &[Vec<Likely<'static>>]) -> Option<About<'a>> {
    let mut ideas: Vec<(&Topic, &Concept)> = Vec::new();
    for best in readings.iter().filter_map(|reading| reading.first()) {
        if best.share >= SURE_OF_EACH
            && let Some((topic, Some(concept))) = in_course(course, best)
            && ideas.iter().all(|(known, _)| known.slug != topic.slug)
        {
            ideas.push((topic, concept));
        }
    }
    match ideas[..] {
        [one, other, ..] => Some(About::Both([one, other])),
        _ => None,
    }
}

/// What a question is about by what it means: one idea or topic, or the likeliest of several.
fn by_meaning<'a>(
    course: &'a Curriculum,
    readings: &[Vec<Likely<'static>>],
    prose: &str,
    found: Found<'a>,
) -> About<'a> {
    let words = prose.split_whitespace().take(LONG).count();
    let (is_long, is_short) = (words == LONG, words <= SHORT);
    let is_vague = names_nothing(&found) || is_short && found.matches.is_empty();
    let likely = meaning::together(readings);
    let is_choice = |likely: &&Likely<'_>| likely.topic.is_some() && likely.share >= LIKELY;
    let choices: Vec<&Likely<'_>> = likely.iter().filter(is_choice).take(CHOICES).collect();
    let together: f64 = choices.iter().map(|choice| choice.share).sum();
    let next = choices.get(1).map_or(0.0, |next| next.share);
    // Where the readings disagree, none of them is trusted.
    let best = match (choices.first(), surest(readings)) {
        (Some(first), Some(surest)) if first.is_same(surest) => surest.share,
        (Some(first), _) => first.share,
        (None, _) => 0.0,
    };
    let choices: Vec<_> = choices.into_iter().filter_map(|it| in_course(course, it)).collect();
    let is_none = likely.first().is_some_and(|best| best.topic.is_none() && best.share >= SURE);
    let of_topic = meaning::topic(&likely).map_or(0.0, |topic| topic.share);
    match choices.as_slice() {
        [(topic, concept), ..] if best >= SURE => About::Topic(topic, *concept),
        // "Hello?" and "I am so lost" name nothing that a choice could be about.
        _ if is_none || is_vague => unknown(found),
        [first @ (_, None), others @ ..] if of_topic >= SURE_OF_TOPIC => {
            About::Perhaps(*first, others.to_vec())
        }
        [first, others @ ..] if best >= LEADS || best >= STANDS_OUT && best >= BY_FAR * next => {
            About::Perhaps(*first, others.to_vec())
        }
        [..] if let Some(topic) = only_topic(&found) => {
            let ideas = choices.into_iter().filter(|(_, concept)| concept.is_some());
            About::Perhaps((topic, None), ideas.collect())
        }
        [only] if is_long && together >= ONE_OF_THEM_IF_LONG => About::Perhaps(*only, Vec::new()),
        _ if together >= ONE_OF_THEM || is_long && together >= ONE_OF_THEM_IF_LONG => {
            About::OneOf(choices)
        }
        _ => unknown(found),
    }
}

/// What one of several texts says most surely.
fn surest<'a>(readings: &'a [Vec<Likely<'static>>]) -> Option<&'a Likely<'static>> {
    let all = readings.iter().flatten().filter(|likely| likely.topic.is_some());
    all.max_by(|one, other| one.share.total_cmp(&other.share))
}

/// The same topic and idea of a course, which may be another than the one that questions are read by.
fn in_course<'a>(course: &'a Curriculum, likely: &Likely<'_>) -> Option<Choice<'a>> {
    let topic = course.topic(&likely.topic?.slug)?;
    let same =
        |concept: &&Concept| likely.concept.is_some_and(|likely| likely.title == concept.title);
    Some((topic, topic.lesson.concepts.iter().find(same)))
}

/// The topic that is named, if it is the only one and none of its ideas is.
fn only_topic<'a>(found: &Found<'a>) -> Option<&'a Topic> {
    match found.matches[..] {
        [Match { topic, concept: None, weight, .. }] if weight >= Match::WORD => Some(topic),
        _ => None,
    }
}

fn unknown(found: Found<'_>) -> About<'_> {
    About::Unknown(<[String; 1]>::try_from(found.unknown).ok().map(|[word]| word))
}

/// Whether a text has everyday words only.
fn names_nothing(found: &Found<'_>) -> bool {
    found.matches.is_empty() && found.unknown.is_empty()
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

#[cfg(test)]
mod tests {
    use meaning::Likely;

    use super::{About, by_meaning};

    /// A reading with these shares for the first ideas of the first topic.
    fn reading(shares: &[f64]) -> Vec<Likely<'static>> {
        let topic = curriculum::embedded().topics().next();
        let concepts = topic.iter().flat_map(|topic| &topic.lesson.concepts);
        let likely =
            |(concept, share): (_, &f64)| Likely { topic, concept: Some(concept), share: *share };
        let mut likely: Vec<Likely<'static>> = concepts.zip(shares).map(likely).collect();
        likely.sort_by(|one, other| other.share.total_cmp(&one.share));
        likely
    }

    fn meant(readings: &[Vec<Likely<'static>>], prose: &str) -> About<'static> {
        let course = curriculum::embedded();
        by_meaning(course, readings, prose, course.find(prose))
    }

    fn about(readings: &[Vec<Likely<'static>>]) -> About<'static> {
        meant(readings, "what is this teapot for")
    }

    #[test]
    fn the_surer_a_reading_the_more_is_said() {
        assert!(matches!(about(&[reading(&[0.7, 0.1])]), About::Topic(_, Some(_))));
        assert!(
            matches!(about(&[reading(&[0.4, 0.3])]), About::Perhaps(_, others) if others.len() == 1)
        );
        let prose = "a teapot and eleven cups of which I do not know what to do";
        let leading = meant(&[reading(&[0.2, 0.1])], prose);
        assert!(matches!(leading, About::Perhaps(..)), "it stands out: {leading:?}");
        let only = meant(&[reading(&[0.11])], prose);
        assert!(matches!(only, About::Perhaps(..)), "there is no other: {only:?}");
        assert!(
            matches!(about(&[reading(&[0.2, 0.2, 0.1])]), About::OneOf(ideas) if ideas.len() == 3)
        );
        assert!(matches!(about(&[reading(&[0.05, 0.05])]), About::Unknown(Some(_))));
    }

    #[test]
    fn a_sure_reading_is_trusted_only_where_the_others_agree() {
        let agree = [reading(&[0.7, 0.1]), reading(&[0.3, 0.2])];
        assert!(matches!(about(&agree), About::Topic(_, Some(_))));
        let disagree = [reading(&[0.1, 0.7]), reading(&[0.5, 0.0]), reading(&[0.4, 0.1])];
        assert!(matches!(about(&disagree), About::OneOf(_)));
    }
}
