//! The students of the demonstration, and what each of them does on each day. Pure: a seed decides.

use curriculum::{BankExercise, Topic, bank, embedded};
use domain::difficulty::Difficulty;
use ids::ExerciseId;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};

use super::programs;

/// Topics that the class gets through in the time of the demonstration: up to the data structures.
const TOPICS: usize = 13;
/// Names, in the order of joining; beyond them they are numbered.
const NAMES: [&str; 30] = [
    "Ada", "Ben", "Chloe", "Deniz", "Elif", "Finn", "Grace", "Hugo", "Ines", "Jonas", "Kofi",
    "Lena", "Mateo", "Nora", "Omar", "Priya", "Quinn", "Rosa", "Samir", "Tara", "Uma", "Viktor",
    "Wanda", "Xia", "Yusuf", "Zoe", "Amir", "Bea", "Carlos", "Dana",
];

/// How someone learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Character {
    /// Works nearly every day, and gets most of it right at the second try.
    Diligent,
    /// Gets on well, until loops come.
    LostInLoops,
    /// Is ahead of the class.
    Fast,
    /// Stays away after the first days, and looks in once more near the end.
    Absent,
    /// Tries things out rather than think.
    Guesser,
    /// Works around midnight in California.
    NightOwl,
    /// Comes every third day.
    Occasional,
}

/// In which order they come.
const CLASS: [Character; 10] = [
    Character::Diligent,
    Character::LostInLoops,
    Character::Fast,
    Character::NightOwl,
    Character::Guesser,
    Character::Diligent,
    Character::Absent,
    Character::LostInLoops,
    Character::Occasional,
    Character::Diligent,
];

/// A student of the demonstration.
#[derive(Debug, Clone)]
pub(super) struct Student {
    pub(super) name: String,
    pub(super) character: Character,
}

impl Student {
    /// The students of a class of this size.
    pub(super) fn class(size: usize) -> Vec<Self> {
        let student = |number: usize| {
            let (round, place) = (number / NAMES.len(), number % NAMES.len());
            let name = NAMES[place];
            let name = if round == 0 { name.to_owned() } else { format!("{name} {}", round + 1) };
            Self { name, character: CLASS[number % CLASS.len()] }
        };
        (0..size).map(student).collect()
    }

    /// The address to log in with.
    pub(super) fn email(&self) -> String {
        format!("{}@example.org", self.name.to_lowercase().replace(' ', "-"))
    }

    /// Where the student lives, if it is not where the clock is that counts for the others.
    pub(super) const fn time_zone(&self) -> Option<&'static str> {
        match self.character {
            Character::NightOwl => Some("America/Los_Angeles"),
            _ => None,
        }
    }
}

/// When in the day somebody works, in minutes after midnight UTC, in the order of the day.
pub(super) const HOURS: [u16; 4] = [
    // Midnight in California, on one side of it or the other.
    7 * 60 + 40,
    9 * 60,
    15 * 60 + 30,
    19 * 60 + 30,
];

/// Something that a student does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// Runs a program.
    Run { code: String, stdin: String },
    /// Asks the tutor.
    Ask { question: String, topic: &'static str },
    /// Asks why a program does not work.
    Hint { code: String, exercise: ExerciseId },
    /// Hands in a solution.
    HandIn { exercise: ExerciseId, code: String },
    /// Wants to see the solution in pieces.
    Pieces { exercise: ExerciseId },
    /// Wants a program to be reviewed.
    Review { code: String, topic: &'static str },
    /// Takes a quiz, in which each answer is right with this chance, in percent.
    Quiz { topic: &'static str, sureness: u32, seed: u64 },
}

/// What a student does one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session {
    /// The student's number.
    pub(super) student: usize,
    /// Which of the [`HOURS`].
    pub(super) hour: usize,
    pub(super) acts: Vec<Act>,
}

/// What the class does on a day.
pub(super) fn day(students: &[Student], seed: u64, day: usize, days: usize) -> Vec<Session> {
    let exercises: Vec<BankExercise<'static>> = bank(embedded()).collect();
    let plan = |(number, student): (usize, &Student)| {
        // A generator for each student and day, so that a larger class changes nothing for those who are in it.
        let mixed = seed ^ ((number as u64) << 32) ^ ((day as u64) << 16);
        let random = StdRng::seed_from_u64(mixed);
        let mut planner = Planner { exercises: &exercises, random, acts: Vec::new() };
        planner.plan(student.character, day, days);
        let hour = match student.character {
            Character::NightOwl => 0,
            _ => 1 + number % (HOURS.len() - 1),
        };
        Session { student: number, hour, acts: planner.acts }
    };
    let sessions = students.iter().enumerate().map(plan);
    sessions.filter(|session| !session.acts.is_empty()).collect()
}

/// The topics that are taught on a day.
pub(super) fn taught(day: usize, days: usize) -> Vec<&'static Topic> {
    let from = day * TOPICS / days;
    let to = ((day + 1) * TOPICS / days).max(from + 1);
    embedded().topics().skip(from).take(to - from).collect()
}

struct Planner<'a> {
    exercises: &'a [BankExercise<'static>],
    random: StdRng,
    acts: Vec<Act>,
}

impl Planner<'_> {
    fn plan(&mut self, character: Character, day: usize, days: usize) {
        let topics = taught(day, days);
        match character {
            Character::Diligent | Character::NightOwl => {
                // Not on the last day but one of a week.
                if day % 7 != 5 || character == Character::Diligent {
                    topics.into_iter().for_each(|topic| self.learn(topic, 70, 80));
                }
            }
            Character::LostInLoops => {
                for topic in topics {
                    if programs::is_about_loops(&topic.slug) {
                        self.struggle(topic);
                    } else if day % 3 != 2 {
                        self.learn(topic, 50, 60);
                    }
                }
            }
            Character::Fast => {
                let ahead = taught((day + 1).min(days - 1), days);
                ahead.into_iter().for_each(|topic| self.excel(topic));
            }
            Character::Absent => {
                if day < days.div_ceil(5) || day + 2 == days {
                    topics.into_iter().take(1).for_each(|topic| self.learn(topic, 40, 45));
                }
            }
            Character::Guesser => {
                if day.is_multiple_of(2) {
                    topics.into_iter().for_each(|topic| self.guess(topic));
                }
            }
            Character::Occasional => {
                if day % 3 == 1 {
                    topics.into_iter().for_each(|topic| self.learn(topic, 60, 75));
                }
            }
        }
    }

    /// Works through a topic: an example, an exercise or two, a quiz. `luck` is the chance of being right at
    /// once, `sureness` that of a right answer in the quiz, in percent.
    fn learn(&mut self, topic: &'static Topic, luck: u32, sureness: u32) {
        if self.happens(20) {
            self.ask(topic);
        }
        if self.happens(50) {
            self.example(topic);
        }
        for difficulty in [Difficulty::Easy, Difficulty::Medium] {
            if difficulty == Difficulty::Medium && !self.happens(luck / 2) {
                continue;
            }
            let Some((exercise, solution)) = self.exercise(topic, difficulty) else { continue };
            if !self.happens(luck) {
                let code = self.wrong(&solution);
                if self.happens(30) {
                    self.acts.push(Act::Run { code: code.clone(), stdin: String::new() });
                }
                self.acts.push(Act::HandIn { exercise, code: code.clone() });
                if self.happens(40) {
                    self.acts.push(Act::Hint { code, exercise });
                }
            }
            self.acts.push(Act::HandIn { exercise, code: solution });
        }
        self.quiz(topic, 45, sureness);
    }

    /// Solves a harder exercise at once, and asks how the program could be better.
    fn excel(&mut self, topic: &'static Topic) {
        let difficulty = if self.happens(50) { Difficulty::Medium } else { Difficulty::Hard };
        if let Some((exercise, code)) = self.exercise(topic, difficulty) {
            if self.happens(40) {
                self.acts.push(Act::Review { code: code.clone(), topic: &topic.slug });
            }
            self.acts.push(Act::HandIn { exercise, code });
        }
        self.quiz(topic, 60, 95);
    }

    /// Runs one broken program after the other, takes hints, and says so in the end.
    fn struggle(&mut self, topic: &'static Topic) {
        let exercise = self.exercise(topic, Difficulty::Easy);
        let mut broken = programs::broken(&topic.slug).iter();
        if let Some((exercise, solution)) = &exercise {
            let code = self.wrong(solution);
            self.acts.push(Act::HandIn { exercise: *exercise, code });
        }
        for code in broken.by_ref().take(5) {
            self.acts.push(Act::Run { code: (*code).to_owned(), stdin: String::new() });
            if let Some((exercise, _)) = &exercise
                && self.happens(20)
            {
                self.acts.push(Act::Hint { code: (*code).to_owned(), exercise: *exercise });
            }
        }
        if self.happens(60) {
            let question = format!("I'm stuck with {}. Nothing works.", programs::spoken(topic));
            self.acts.push(Act::Ask { question, topic: &topic.slug });
        }
        if let Some((exercise, solution)) = exercise {
            let code = if self.happens(40) { solution } else { self.wrong(&solution) };
            self.acts.push(Act::HandIn { exercise, code });
        }
        self.quiz(topic, 50, 35);
    }

    /// Hands in whatever comes to mind until the solution can be seen in pieces.
    fn guess(&mut self, topic: &'static Topic) {
        if let Some((exercise, solution)) = self.exercise(topic, Difficulty::Easy) {
            for _ in 0..3 {
                let code = self.wrong(&solution);
                self.acts.push(Act::HandIn { exercise, code });
            }
            self.acts.push(Act::Pieces { exercise });
            self.acts.push(Act::HandIn { exercise, code: solution });
        }
        self.quiz(topic, 100, 30);
    }

    fn ask(&mut self, topic: &'static Topic) {
        let question = programs::question(topic, self.random.random_range(0..4));
        self.acts.push(Act::Ask { question, topic: &topic.slug });
    }

    fn example(&mut self, topic: &'static Topic) {
        if let Some(example) = topic.lesson.examples.choose(&mut self.random) {
            let (code, stdin) = (example.code.clone(), example.stdin.clone());
            self.acts.push(Act::Run { code, stdin });
        }
    }

    fn quiz(&mut self, topic: &'static Topic, chance: u32, sureness: u32) {
        if self.happens(chance) {
            let seed = self.random.random();
            self.acts.push(Act::Quiz { topic: &topic.slug, sureness, seed });
        }
    }

    /// An exercise of a topic, with its solution.
    fn exercise(&mut self, topic: &Topic, difficulty: Difficulty) -> Option<(ExerciseId, String)> {
        let fits = |one: &&BankExercise<'_>| {
            one.topic.slug == topic.slug && one.exercise.difficulty == difficulty
        };
        let fitting: Vec<&BankExercise<'_>> = self.exercises.iter().filter(fits).collect();
        let chosen = fitting.choose(&mut self.random)?;
        Some((chosen.id, chosen.exercise.reference.clone()))
    }

    fn wrong(&mut self, solution: &str) -> String {
        programs::wrong(solution, self.random.random_range(0..3))
    }

    fn happens(&mut self, percent: u32) -> bool {
        self.random.random_range(0..100) < percent
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Act, Student, day, taught};

    #[test]
    fn a_seed_decides_and_a_larger_class_changes_nothing_for_its_first_students() {
        let (small, large) = (Student::class(10), Student::class(40));
        let of_small = |session: &super::Session| session.student < 10;
        for number in 0..14 {
            let first = day(&small, 1, number, 14);
            assert_eq!(first, day(&small, 1, number, 14));
            let mut more = day(&large, 1, number, 14);
            more.retain(of_small);
            assert_eq!(first, more, "day {number}");
        }
        assert_ne!(day(&small, 1, 0, 14), day(&small, 2, 0, 14));
        let addresses: BTreeSet<String> = large.iter().map(Student::email).collect();
        assert_eq!(addresses.len(), 40);
    }

    #[test]
    fn every_topic_is_taught_however_many_days_there_are() {
        for days in 1..=30 {
            let all: BTreeSet<&str> =
                (0..days).flat_map(|day| taught(day, days)).map(|topic| &*topic.slug).collect();
            assert_eq!(all.len(), super::TOPICS, "{days} days");
        }
    }

    #[test]
    fn a_fortnight_has_every_kind_of_work() {
        let class = Student::class(30);
        let all: Vec<Act> = (0..14)
            .flat_map(|number| day(&class, 1, number, 14))
            .flat_map(|session| session.acts)
            .collect();
        let count = |is: fn(&Act) -> bool| all.iter().filter(|act| is(act)).count();
        for (kind, number) in [
            ("run", count(|act| matches!(act, Act::Run { .. }))),
            ("ask", count(|act| matches!(act, Act::Ask { .. }))),
            ("hint", count(|act| matches!(act, Act::Hint { .. }))),
            ("hand in", count(|act| matches!(act, Act::HandIn { .. }))),
            ("pieces", count(|act| matches!(act, Act::Pieces { .. }))),
            ("review", count(|act| matches!(act, Act::Review { .. }))),
            ("quiz", count(|act| matches!(act, Act::Quiz { .. }))),
        ] {
            assert!(number >= 10, "{kind}: {number} of {}", all.len());
        }
        // What takes about a minute on two cores.
        assert!((900..1_200).contains(&all.len()), "{} activities", all.len());
    }
}
