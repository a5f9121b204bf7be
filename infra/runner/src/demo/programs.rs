//! What beginners write and ask. Pure.

use curriculum::Topic;

/// Programs about loops that do not work, as beginners write them. The first five fail in a row, three of them alike.
const LOOPS: [&str; 6] = [
    "names = ['Ada', 'Ben', 'Cleo']\nfor i in range(4):\n    print(i, names[i])\n",
    "prices = [3, 4, 5]\ntotal = 0\nfor i in range(1, 4):\n    total = total + prices[i]\nprint(total)\n",
    "for i in range(3)\n    print(i)\n",
    "words = ['sun', 'moon']\ni = 0\nwhile i <= len(words):\n    print(words[i])\n    i = i + 1\n",
    "for number in range(5):\n    totle = total + number\nprint(totle)\n",
    "count = '0'\nwhile count < 3:\n    print(count)\n    count = count + 1\n",
];
/// Other programs that do not work.
const OTHERS: [&str; 6] = [
    "name = 'Ada'\nprint('Hello ' + nme)\n",
    "age = '12'\nprint(age + 1)\n",
    "print('The answer is ' + 42)\n",
    "number = int('twelve')\nprint(number)\n",
    "ages = {'Ada': 36}\nprint(ages['Ben'])\n",
    "if 3 > 2\n    print('yes')\n",
];

/// Whether a topic is about loops.
pub(super) fn is_about_loops(topic: &str) -> bool {
    ["for-loops", "while-loops", "break-continue"].contains(&topic)
}

/// Broken programs of a topic.
pub(super) fn broken(topic: &str) -> &'static [&'static str] {
    if is_about_loops(topic) { &LOOPS } else { &OTHERS }
}

/// A topic's title in the middle of a sentence.
pub(super) fn spoken(topic: &Topic) -> String {
    topic.title.to_lowercase()
}

/// A question about a topic, of four.
pub(super) fn question(topic: &Topic, which: usize) -> String {
    let about = spoken(topic);
    match which {
        0 => format!("Can you explain {about} to me?"),
        1 => format!("When do I need {about}?"),
        2 => format!("Show me an example of {about}, please."),
        _ => format!("What do beginners get wrong about {about}?"),
    }
}

/// A solution with a mistake, of three: printed instead of returned, a missing colon, a name that was mistyped.
pub(super) fn wrong(solution: &str, which: usize) -> String {
    let changed = match which {
        0 => printed(solution),
        1 => solution.contains(":\n").then(|| solution.replacen(":\n", "\n", 1)),
        _ => mistyped(solution),
    };
    changed.unwrap_or_else(|| format!("{solution}\nprint(reslt)\n"))
}

/// With the last `return` made a `print`.
fn printed(solution: &str) -> Option<String> {
    let start = solution.rfind("return ")?;
    let (before, rest) = solution.split_at(start);
    let (line, after) = rest.split_once('\n')?;
    let value = line.strip_prefix("return ")?;
    Some(format!("{before}print({value})\n{after}"))
}

/// With the last name that is returned mistyped.
fn mistyped(solution: &str) -> Option<String> {
    let at = solution.rfind("return ")? + "return ".len();
    solution[at..].starts_with(|first: char| first.is_ascii_alphabetic()).then(|| {
        let (before, after) = solution.split_at(at);
        format!("{before}my_{after}")
    })
}

#[cfg(test)]
mod tests {
    use curriculum::{bank, embedded};

    use super::{is_about_loops, wrong};

    #[test]
    fn wrong_solutions_differ_from_right_ones() {
        for one in bank(embedded()) {
            let reference = &one.exercise.reference;
            for which in 0..3 {
                assert_ne!(&wrong(reference, which), reference, "{}", one.exercise.slug);
            }
        }
        let right = "def twice(n):\n    result = n * 2\n    return result\n";
        let expected = [
            "def twice(n):\n    result = n * 2\n    print(result)\n",
            "def twice(n)\n    result = n * 2\n    return result\n",
            "def twice(n):\n    result = n * 2\n    return my_result\n",
        ];
        assert_eq!([0, 1, 2].map(|which| wrong(right, which)), expected);
    }

    #[test]
    fn the_topics_about_loops_are_in_the_course() {
        assert_eq!(embedded().topics().filter(|topic| is_about_loops(&topic.slug)).count(), 3);
    }
}
