//! Messages that say no more than that somebody wants help, or how somebody feels.

use std::sync::LazyLock;

use meaning::compile;
use regex::Regex;

/// Words of the longest plea that says nothing more.
const PLEA_WORDS: usize = 8;

/// Words of a plea, such as "Help! I'm really stuck".
static PLEA: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"^\W*((hi|hey|hello|oh|ok|so|please|pls|plz|just|really|very|so|totally|completely|still|again|here|now|me|i|i'?m|im|am|need|some|can|could|you|someone|anyone|somebody|help|stuck|lost)\W*)+$",
    )
});
/// A plea of somebody who does not know where to begin.
static LOST: LazyLock<Regex> = LazyLock::new(|| compile(r"\blost\b"));
/// A message that says how its author feels, and nothing else.
static ONLY_MOOD: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"(?x)^(?:\W*(?:
            (?:i\ (?:just\ |really\ )?feel|i\ am|i['’]?m)(?:\ (?:so|too|such|really|very|totally|like|just|an?))*\ (?:stupid|dumb|idiot|hopeless|useless|sad|bad|tired|frustrated|angry|desperate|crying)(?:\ for\ (?:this|it))?
            |(?:everybody|everyone|all\ (?:the\ )?others|the\ others)(?:\ else)?(?:\ in\ (?:my|the)\ (?:class|course|group))?\ (?:gets?|got|understands?|understood|knows?)(?:\ (?:it|this|that))?
            |(?:only|but|not)\ (?:i|me)(?:\ (?:do\ ?n['’]?t|do\ not|not))?
            |i\ (?:hate|ca\ ?n['’]?t\ do)\ (?:this|it|python|coding|programming)
            |i(?:['’]?ll|\ will)\ never\ (?:get|learn|understand|manage)\ (?:it|this|that|python)
            |i['’]?m\ not\ (?:smart|clever|good)\ enough(?:\ for\ (?:this|it))?
            |i\ (?:want|am\ going|['’]?m\ going)\ to\ (?:give\ up|quit|cry)
            |and|but|because|so|ugh|oh|really|again|today|now|right\ now|sorry
        )\b)+\W*$",
    )
});

/// Whether a message asks for help, and says nothing more.
pub(crate) fn is_plea(prose: &str) -> bool {
    prose.split_whitespace().count() <= PLEA_WORDS && PLEA.is_match(prose)
}

/// Whether its author does not know where to begin.
pub(crate) fn is_lost(prose: &str) -> bool {
    LOST.is_match(prose)
}

/// Whether a message says how its author feels, and nothing else.
pub(crate) fn is_only_mood(prose: &str) -> bool {
    ONLY_MOOD.is_match(prose)
}

#[cfg(test)]
mod tests {
    use super::is_only_mood;

    #[test]
    fn a_mood_alone_is_told_from_a_question() {
        for mood in [
            "I feel so stupid, everybody else gets it",
            "i'm too dumb for this",
            "ugh, I hate this",
            "Everyone in my class understands it but not me",
            "I'll never get it and I'm so frustrated!",
        ] {
            assert!(is_only_mood(mood), "{mood}");
        }
        for question in [
            "I feel so stupid, what is a loop?",
            "I'm too dumb for loops",
            "I hate this, it crashes",
            "everybody else gets 5, I get 4",
            "",
        ] {
            assert!(!is_only_mood(question), "{question}");
        }
    }
}
