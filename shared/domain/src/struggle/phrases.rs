//! Words in which students say that they are stuck.

/// What says so, as words without punctuation.
const SAYS: [&str; 38] = [
    "i dont understand",
    "i do not understand",
    "i still dont understand",
    "i cant understand",
    "dont get it",
    "do not get it",
    "dont get this",
    "i am stuck",
    "im stuck",
    "i got stuck",
    "i keep getting stuck",
    "still stuck",
    "so stuck",
    "totally stuck",
    "completely stuck",
    "really stuck",
    "i am lost",
    "im lost",
    "im so lost",
    "completely lost",
    "totally lost",
    "i am confused",
    "im confused",
    "im so confused",
    "really confused",
    "very confused",
    "i have no idea",
    "no clue",
    "makes no sense",
    "doesnt make sense",
    "does not make sense",
    "i give up",
    "i want to give up",
    "too hard for me",
    "this is too hard",
    "i cant do this",
    "nothing works",
    "i hate this",
];
/// Words shortly before it that turn it into the opposite, or into something else.
const TURNS: [&str; 12] = [
    "not", "never", "isnt", "arent", "wasnt", "was", "were", "used", "if", "when", "before",
    "longer",
];
/// Words after it that say that it is over.
const OVER: [&str; 5] = ["but now", "until i", "but then", "anymore", "any more"];
/// How many words before it are looked at.
const REACH: usize = 3;
/// Words after it that are looked at.
const AHEAD: usize = 8;

/// Whether a question says that its author is stuck. Quoted text and code do not count.
#[must_use]
pub fn says_stuck(question: &str) -> bool {
    let text = without_quotes(question);
    sentences(&text).any(|sentence| {
        let words: Vec<String> = words(sentence);
        SAYS.iter().any(|phrase| {
            let phrase: Vec<&str> = phrase.split(' ').collect();
            let starts = words.windows(phrase.len()).enumerate();
            starts.filter(|(_, window)| *window == phrase.as_slice()).any(|(start, window)| {
                let before = &words[start.saturating_sub(REACH)..start];
                let end = start + window.len();
                let after = words[end..words.len().min(end + AHEAD)].join(" ");
                before.iter().all(|word| !TURNS.contains(&word.as_str()))
                    && OVER.iter().all(|over| !after.contains(over))
            })
        })
    })
}

/// The text without what is in quotes, in backticks, or in lines that are quoted or indented.
fn without_quotes(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut in_block = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_block = !in_block;
            continue;
        }
        if in_block || line.starts_with("    ") || line.trim_start().starts_with('>') {
            continue;
        }
        let mut open: Option<char> = None;
        for c in line.chars() {
            let closing = match c {
                '"' | '`' => c,
                '“' | '”' => '”',
                '«' | '»' => '»',
                _ => '\0',
            };
            match open {
                Some(quote) if quote == closing => open = None,
                Some(_) => {}
                None if closing != '\0' => open = Some(closing),
                None => kept.push(c),
            }
        }
        kept.push('\n');
    }
    kept
}

fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split(['.', '!', '?', ';', '\n'])
}

/// The words in lower case; apostrophes are left out, so that "don't" and "dont" are the same.
fn words(sentence: &str) -> Vec<String> {
    sentence
        .to_lowercase()
        .replace(['\'', '’', '`'], "")
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::says_stuck;

    #[test]
    fn students_say_it_in_many_words() {
        for said in [
            "I don't understand this at all",
            "i dont get it",
            "I’m stuck, please help",
            "im so lost with this exercise",
            "this makes no sense to me",
            "I have no idea what to do next",
            "nothing works!!! i give up",
            "Why does this fail? I am really confused.",
            "I still don't understand why the loop stops",
        ] {
            assert!(says_stuck(said), "{said}");
        }
    }

    #[test]
    fn negations_quotes_and_the_past_do_not_say_it() {
        for said in [
            "I'm not stuck, I just want to know more",
            "I am no longer stuck",
            "I was stuck but now it works",
            "Yesterday I was lost, today I get it",
            "My friend says \"I don't understand loops\", how do I explain them?",
            "What should I do when I am stuck?",
            "What does `nothing works` print?",
            "```\nprint('i am stuck')\n```\nWhat does this print?",
            "How do I find out whether a process is stuck in a loop?",
            "What is a list?",
            "",
        ] {
            assert!(!says_stuck(said), "{said}");
        }
    }
}
