//! What the course's texts have in common with a question.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
};

use curriculum::{Concept, Curriculum, Topic};

use crate::{
    bm25::Bm25,
    questions::Question,
    synonyms::Synonyms,
    vectors::{self, Vector},
    vocabulary::{Vocabulary, WordId},
};

/// Words of the shortest sentence that says something by itself.
const SHORTEST: usize = 4;

/// What may be meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The topic's place in the course.
    pub(crate) topic: usize,
    /// The idea's place in the topic; `None`: the topic as a whole.
    pub(crate) idea: Option<usize>,
}

/// The texts of all ideas and topics, ready to be compared with.
pub(crate) struct Index {
    pub(crate) candidates: Vec<Candidate>,
    by_entry: Bm25,
    by_candidate: Bm25,
    by_topic: Bm25,
    synonyms: Synonyms,
    /// For each word of the course, where it is.
    postings: Vec<Postings>,
    /// The texts of each candidate.
    entries: Vec<Range<usize>>,
    /// How rare all words of a text are together, if a question may be the same.
    weights: Vec<f32>,
    /// The same of all titles and terms of a candidate.
    heads: Vec<f32>,
    /// What the texts of each candidate, and of each topic, are about.
    about: Vec<Vector>,
    about_topics: Vec<Vector>,
}

/// Where a word is.
#[derive(Debug, Clone, Default)]
struct Postings {
    /// Candidates with the word in any text.
    any: Vec<u32>,
    /// Candidates with the word in a title or term.
    head: Vec<u32>,
    /// Titles, terms and questions with the word.
    entries: Vec<u32>,
}

/// A text while the index is made.
struct Text {
    candidate: usize,
    text: String,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Title,
    Asked,
    Explains,
}

/// What a candidate has in common with a question, each from 0 to about 1 unless said.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Common {
    /// How near they are by the mean of their words.
    pub(crate) about: f32,
    /// Rare words that one of its texts has, from 0.
    pub(crate) rare: f32,
    /// Rare words that all of its texts have, from 0.
    pub(crate) whole: f32,
    /// The share of the question's words that it has.
    pub(crate) exact: f32,
    /// The same with synonyms.
    pub(crate) covered: f32,
    /// The same with synonyms, of titles and terms only.
    pub(crate) covered_by_head: f32,
    /// The share of its titles and terms that the question has.
    pub(crate) head: f32,
    /// The largest share of a title, a term or a question of it that the question has.
    pub(crate) answered: f32,
}

/// What a topic has in common with a question.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OfTopic {
    /// How near they are by the mean of their words.
    pub(crate) about: f32,
    /// Rare words that its texts have, from 0.
    pub(crate) whole: f32,
}

impl Index {
    /// Of a course, and questions whose topic is known.
    pub(crate) fn of(course: &'static Curriculum, asked: &[Question]) -> Self {
        let topics: Vec<&Topic> = course.topics().collect();
        let (candidates, mut texts) = texts(&topics, asked);
        texts.sort_by_key(|text| text.candidate);
        let mut vocabulary = Vocabulary::default();
        let words: Vec<Vec<WordId>> = texts.iter().map(|text| vocabulary.add(&text.text)).collect();
        let mut whole = vec![Vec::new(); candidates.len()];
        let mut of_topic = vec![Vec::new(); topics.len()];
        let mut about = vec![[0.0; vectors::WIDTH]; candidates.len()];
        let mut about_topics = vec![[0.0; vectors::WIDTH]; topics.len()];
        for (text, words) in texts.iter().zip(&words) {
            let topic = candidates[text.candidate].topic;
            whole[text.candidate].extend(words);
            of_topic[topic].extend(words);
            let vector = vectors::about(&text.text);
            add(&mut about[text.candidate], &vector);
            add(&mut about_topics[topic], &vector);
        }
        about.iter_mut().chain(&mut about_topics).for_each(vectors::normalise);
        let different = vocabulary.written().len();
        let by_candidate = Bm25::of(&whole, different, 0.75);
        let synonyms = Synonyms::of(vocabulary, |word| by_candidate.rarity_of(Some(word)));
        let mut postings = vec![Postings::default(); different];
        let mut seen = vec![(BTreeSet::new(), BTreeSet::new()); candidates.len()];
        let mut weights = vec![0.0; texts.len()];
        for (at, (text, words)) in (0..).zip(texts.iter().zip(&words)) {
            let (any, head) = &mut seen[text.candidate];
            let candidate = as_u32(text.candidate);
            for word in words.iter().copied().collect::<BTreeSet<WordId>>() {
                let of_word = &mut postings[word as usize];
                if any.insert(word) {
                    of_word.any.push(candidate);
                }
                if text.kind == Kind::Title && head.insert(word) {
                    of_word.head.push(candidate);
                }
                if text.kind != Kind::Explains {
                    of_word.entries.push(at);
                    weights[at as usize] += synonyms.rarity(word);
                }
            }
        }
        let heads = seen.iter().map(|(_, head)| head.iter().map(|at| synonyms.rarity(*at)).sum());
        Self {
            heads: heads.collect(),
            candidates,
            by_entry: Bm25::of(&words, different, 0.5),
            by_candidate,
            by_topic: Bm25::of(&of_topic, different, 0.75),
            synonyms,
            postings,
            entries: texts
                .chunk_by(|one, other| one.candidate == other.candidate)
                .scan(0, |end, of| {
                    let begin = std::mem::replace(end, *end + of.len());
                    Some(begin..*end)
                })
                .collect(),
            weights,
            about,
            about_topics,
        }
    }

    /// What each candidate, and each topic, has in common with a question.
    pub(crate) fn compare(&self, prose: &str) -> (Vec<Common>, Vec<OfTopic>) {
        let words = self.synonyms.vocabulary().known(prose);
        let about = vectors::about(prose);
        let mut common = vec![Common::default(); self.candidates.len()];
        let whole = self.by_candidate.scores(&words);
        let near = vectors::nearness_of_all(&self.about, &about);
        for (common, (whole, about)) in common.iter_mut().zip(whole.into_iter().zip(near)) {
            (common.whole, common.about) = (whole, about);
        }
        self.most_of_entries(&self.by_entry.scores(&words), |candidate, rare| {
            common[candidate].rare = rare;
        });
        self.by_synonyms(prose, &mut common);
        let near = vectors::nearness_of_all(&self.about_topics, &about);
        let of_topics = near.into_iter().zip(self.by_topic.scores(&words));
        (common, of_topics.map(|(about, whole)| OfTopic { about, whole }).collect())
    }

    fn by_synonyms(&self, prose: &str, common: &mut [Common]) {
        let words = self.synonyms.words(prose, self.by_candidate.rarity_of(None));
        let all: f32 = words.iter().map(|word| word.rarity).sum();
        // How near the nearest word of the question is to a word of the course.
        let mut nearest = Most::of(self.synonyms.len());
        let mut any = Most::of(self.candidates.len());
        let mut head = Most::of(self.candidates.len());
        for word in &words {
            for (other, near) in word.near.iter() {
                nearest.add(*other as usize, *near);
                let postings = &self.postings[*other as usize];
                postings.any.iter().for_each(|candidate| any.add(*candidate as usize, *near));
                postings.head.iter().for_each(|candidate| head.add(*candidate as usize, *near));
            }
            let share = word.rarity / all;
            for candidate in word.known.iter().flat_map(|word| &self.postings[*word as usize].any) {
                common[*candidate as usize].exact += share;
            }
            any.take(|at, near| common[at].covered += share * near);
            head.take(|at, near| common[at].covered_by_head += share * near);
        }
        let mut answered = vec![0.0_f32; self.weights.len()];
        nearest.take(|word, near| {
            let weight = self.synonyms.rarity(as_u32(word)) * near;
            let postings = &self.postings[word];
            for candidate in postings.head.iter().map(|candidate| *candidate as usize) {
                common[candidate].head += weight / self.heads[candidate];
            }
            for entry in postings.entries.iter().map(|entry| *entry as usize) {
                answered[entry] += weight / self.weights[entry];
            }
        });
        self.most_of_entries(&answered, |candidate, share| common[candidate].answered = share);
    }

    /// The largest number among each candidate's texts.
    fn most_of_entries(&self, numbers: &[f32], mut each: impl FnMut(usize, f32)) {
        for (candidate, texts) in self.entries.iter().enumerate() {
            each(candidate, largest(&numbers[texts.clone()]));
        }
    }
}

/// The largest number, at least 0.
fn largest(numbers: &[f32]) -> f32 {
    // Side by side, so that none waits for another.
    let (parts, rest) = numbers.as_chunks::<8>();
    let mut most = [0.0_f32; 8];
    for part in parts {
        for (most, number) in most.iter_mut().zip(part) {
            *most = if number > most { *number } else { *most };
        }
    }
    most.into_iter().chain(rest.iter().copied()).fold(0.0, f32::max)
}

/// The largest number at each of a few places among many.
struct Most {
    numbers: Vec<f32>,
    places: Vec<usize>,
}

impl Most {
    fn of(places: usize) -> Self {
        Self { numbers: vec![0.0; places], places: Vec::new() }
    }

    fn add(&mut self, at: usize, number: f32) {
        let most = &mut self.numbers[at];
        if *most == 0.0 {
            self.places.push(at);
        }
        if number > *most {
            *most = number;
        }
    }

    fn take(&mut self, mut each: impl FnMut(usize, f32)) {
        for at in self.places.drain(..) {
            each(at, std::mem::take(&mut self.numbers[at]));
        }
    }
}

/// Everything that may be meant, and the texts that it is known by.
fn texts(topics: &[&'static Topic], asked: &[Question]) -> (Vec<Candidate>, Vec<Text>) {
    let mut candidates = Vec::new();
    let mut texts = Vec::new();
    let mut places: HashMap<(&str, Option<&str>), usize> = HashMap::new();
    for (at, topic) in topics.iter().enumerate() {
        places.insert((topic.slug.as_str(), None), candidates.len());
        of_whole(&mut texts, candidates.len(), topic);
        candidates.push(Candidate { topic: at, idea: None });
        for (place, concept) in topic.lesson.concepts.iter().enumerate() {
            places.insert((topic.slug.as_str(), Some(&concept.title)), candidates.len());
            of_idea(&mut texts, candidates.len(), concept);
            candidates.push(Candidate { topic: at, idea: Some(place) });
        }
    }
    for question in asked {
        let Some(slug) = question.topic.as_deref() else { continue };
        if let Some(candidate) = places.get(&(slug, question.idea.as_deref())) {
            let text = question.text.clone();
            texts.push(Text { candidate: *candidate, text, kind: Kind::Asked });
        }
    }
    (candidates, texts)
}

fn of_whole(texts: &mut Vec<Text>, candidate: usize, topic: &Topic) {
    let lesson = &topic.lesson;
    let mut add = |text: &str, kind| texts.push(Text { candidate, text: text.to_owned(), kind });
    add(&topic.title, Kind::Title);
    add(&format!("What are {} in Python?", topic.title.to_lowercase()), Kind::Asked);
    topic.own_terms().for_each(|term| add(term, Kind::Title));
    add(&lesson.summary, Kind::Explains);
    let explained = [&lesson.explanation.beginner, &lesson.explanation.learning];
    let mistakes = lesson.mistakes.iter().flat_map(|mistake| [&mistake.title, &mistake.text]);
    for text in explained.into_iter().chain(mistakes) {
        sentences(text).for_each(|sentence| add(sentence, Kind::Explains));
    }
}

fn of_idea(texts: &mut Vec<Text>, candidate: usize, concept: &Concept) {
    let mut add = |text: &str, kind| texts.push(Text { candidate, text: text.to_owned(), kind });
    add(&concept.title, Kind::Title);
    concept.terms.iter().for_each(|term| add(term, Kind::Title));
    sentences(&concept.text).for_each(|sentence| add(sentence, Kind::Explains));
    add(&concept.example.title, Kind::Explains);
}

fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split(['.', '!', '?', ';', ':', '\n'])
        .map(str::trim)
        .filter(|sentence| sentence.split_whitespace().count() >= SHORTEST)
}

fn as_u32(place: usize) -> u32 {
    u32::try_from(place).expect("there are no billions of texts or words")
}

fn add(to: &mut Vector, other: &Vector) {
    to.iter_mut().zip(other).for_each(|(to, number)| *to += number);
}
