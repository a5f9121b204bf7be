//! Further signs in a question: that its author is stuck, wants the solution, is in distress, or wants something that
//! we do not do.

use std::sync::LazyLock;

use events::question_routed::Sign;
use meaning::compile;
use regex::Regex;

/// Phrases about something else, or about the past: no signs of the present.
static NOT_NOW: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r#"\b(not|never|no longer|isn'?t|aren'?t|wasn'?t) (so |really |totally |very |at all )?(stuck|lost|confused)\b|\b(was|were|had been|used to be|got) (so |really |totally |very )?(stuck|lost|confused)\b[^.?!]*\b(but|until|then|now)\b|\b(my|our) (own )?(solution|answer)\b|"[^"\n]*"|'[^'\n]{12,}'|«[^»\n]*»"#,
    )
});
static STRUGGLE: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"\b(do ?n'?t|do not|dont|did ?n'?t|ca ?n'?t|cannot|never) (really |even |still |quite )*(get|understand|understood|see how|figure)( it| this| that| recursion| loops?| \w+)?\b|\b(i'?m|im|i am) (so |really |totally |completely |very |still )*(stuck|lost|confused|frustrated)\b|\bstuck\b|\bno (idea|clue)\b|\bmakes? no sense\b|\bgiv(e|ing) up\b|\btoo (hard|difficult)\b|\bhate (this|it|python|coding)\b|\bnothing works\b|\b(i )?(do ?n'?t|dont) know (why|how|what)\b|\bi still do ?n'?t\b|\b(feel|feeling|am|i'?m|im) (so |too |really |just |such |like )*(an? )?(stupid|dumb|idiot|hopeless|useless)\b|\b(i'?ll|ill|i will) never (get|learn|understand|manage)\b|\bnot (smart|clever|good) enough\b",
    )
});
static SOLUTION: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"\b(give|show|write|send|tell|do)\b.{0,30}\b(the answer|solution|full code|whole (code|program|function)|it for me)\b|\b(give|send|write)\b.{0,12}\bthe code\b|\bsolve (this|it|my|that)\b|\bcomplete (this|the|my) (code|assignment|homework)\b|\bdo my \w*\s?homework\b",
    )
});
static DISTRESS: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"\bkill(ing)? myself\b|\bsuicid\w*|\b(want|going|wish) to die\b|\bdo ?n'?t want to (live|be alive|exist)\b|\b(hurt|harm|cut)(ing)? myself\b|\bend my life\b|\bno reason to live\b",
    )
});
static UNSAFE: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"\b(make|build|create|buy)\b.{0,15}\b(bomb|explosives?|weapons?|gun|drugs|poison)\b|\b(key ?logger|ransomware|malware|spyware|virus that|ddos)\b|\bhack(ing)? (into|someone|my (school|teacher|friend|girlfriend|boyfriend|neighbou?r)|the (school|bank))|\bsteal\b.{0,25}\b(passwords?|accounts?|credit cards?|cookies)\b|\bcheat (on|in) (the|my) (exam|test)\b",
    )
});
static INJECTION: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r"\b(ignore|disregard|forget|override)\b.{0,30}\b(previous|prior|above|all|your)\b.{0,20}\b(instructions?|rules?|prompts?|guidelines)\b|\b(system|hidden|initial) prompt\b|\bact as (dan|an? unrestricted)\b|\bdeveloper mode\b|\bjailbreak\b",
    )
});

/// All signs in a student's own words.
#[must_use]
pub fn signs(prose: &str) -> Vec<Sign> {
    let now = NOT_NOW.replace_all(prose, " ");
    let all: [(Sign, &Regex, &str); 5] = [
        (Sign::Distress, &DISTRESS, prose),
        (Sign::Unsafe, &UNSAFE, prose),
        (Sign::Injection, &INJECTION, prose),
        (Sign::SolutionRequest, &SOLUTION, &now),
        (Sign::Struggle, &STRUGGLE, &now),
    ];
    let held = all.into_iter().filter(|(_, pattern, text)| pattern.is_match(text));
    held.map(|(sign, ..)| sign).collect()
}

#[cfg(test)]
mod tests {
    use events::question_routed::Sign;

    use super::signs;

    #[test]
    fn many_ways_to_say_stuck_are_recognised() {
        for text in [
            "I don't understand this",
            "i dont get it",
            "I'm so lost",
            "im stuck",
            "this makes no sense",
            "I give up",
            "no idea what to do",
            "it's too hard for me",
            "I feel so stupid",
            "I'll never learn this",
            "I still don't get loops",
        ] {
            assert!(signs(text).contains(&Sign::Struggle), "{text}");
        }
    }

    #[test]
    fn what_is_denied_quoted_or_over_is_no_struggle() {
        for text in [
            "I'm not stuck",
            "I am no longer confused about loops",
            "I was stuck but now it works",
            "what does \"I'm stuck\" mean in English?",
            "How do I use break?",
            "I understand lists, what is next?",
        ] {
            assert!(!signs(text).contains(&Sign::Struggle), "{text}");
        }
    }

    #[test]
    fn words_of_programming_are_no_danger() {
        for text in [
            "how do I kill a process?",
            "killing a child thread",
            "my program died",
            "execute a command",
            "how to attack this problem",
            "ignore the first line of a file",
            "a virus scanner as an exercise",
            "die() function",
        ] {
            let found = signs(text);
            let serious = [Sign::Distress, Sign::Unsafe, Sign::Injection];
            assert!(!found.iter().any(|sign| serious.contains(sign)), "{text}: {found:?}");
        }
    }
}
