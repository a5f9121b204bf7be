//! The project's own labelled questions, and the course's answers to them.

use course_answers::{about, answer};
use curriculum::Curriculum;
use domain::level::Level;
use events::question_answered::Details;
use meaning::Subject;
use serde::Deserialize;

/// A question, and what it is about.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The question.
    pub ask: String,
    /// The topic's slug; empty if the course does not teach it.
    pub topic: String,
    /// The finer idea, where one answers better than the whole topic.
    pub idea: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    #[serde(rename = "case")]
    cases: Vec<Case>,
}

/// What an answer is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Whether it is about the right topic, or says that there is none.
    pub is_right_topic: bool,
    /// Whether it is about the right idea; `None` where any will do.
    pub is_right_idea: Option<bool>,
    /// What it is about.
    pub found: String,
}

fn read(text: &str) -> Vec<Case> {
    toml::from_str::<Cases>(text).expect("the tests read the files").cases
}

/// The questions on which the course's search terms were tuned.
#[must_use]
pub fn tuned() -> Vec<Case> {
    read(include_str!("../cases/tuned.toml"))
}

/// Questions that were held out meanwhile.
#[must_use]
pub fn held_out() -> Vec<Case> {
    read(include_str!("../cases/held_out.toml"))
}

impl Case {
    /// What the course's answer is about.
    #[must_use]
    pub fn about(&self, course: &Curriculum) -> About {
        let subject = Subject { prose: &self.ask, ..Subject::default() };
        let answer = answer::answer(course, &subject, &about(course, &subject), Level::Beginner);
        let idea = match &answer.details {
            Some(Details::Explanation(explained)) => explained.concept.as_str(),
            _ => "",
        };
        About {
            is_right_topic: match self.topic.as_str() {
                "" => answer.topics.is_empty(),
                topic => answer.topics.iter().any(|slug| slug == topic),
            },
            is_right_idea: self.idea.as_deref().map(|expected| expected == idea),
            found: format!("{}: {idea}", answer.topics.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Case, held_out, tuned};

    /// The cases whose answer is about something else.
    fn faults(cases: &[Case]) -> Vec<String> {
        let course = curriculum::embedded();
        let fault = |case: &Case| {
            let about = case.about(course);
            (!about.is_right_topic)
                .then(|| format!("{:?}: {}, not {}", case.ask, about.found, case.topic))
        };
        cases.iter().filter_map(fault).collect()
    }

    #[test]
    fn answers_are_about_what_was_asked() {
        for cases in [tuned(), held_out()] {
            let faults = faults(&cases);
            let most = cases.len() / 20;
            assert!(
                faults.len() <= most,
                "{} of {}:\n{}",
                faults.len(),
                cases.len(),
                faults.join("\n")
            );
        }
    }
}
