//! Restores the original program from pasted code.

/// Removes what consoles, notebooks and web pages add to code: prompts, output, common indentation, and special spaces.
#[must_use]
pub fn clean_code(pasted: &str) -> String {
    let text = pasted.replace("\r\n", "\n").replace('\r', "\n").replace('\u{a0}', " ");
    let text = text.trim_start_matches('\u{feff}');
    let lines: Vec<&str> = text.lines().collect();
    let has_prompts = lines.iter().any(|line| is_prompt(line));
    let lines: Vec<String> = if has_prompts {
        // Lines between prompts are output.
        lines.iter().filter_map(|line| after_prompt(line)).map(str::to_owned).collect()
    } else {
        let filled = lines.iter().filter(|line| !line.trim().is_empty());
        let margin = filled.map(|line| line.len() - line.trim_start_matches(' ').len()).min();
        let margin = margin.unwrap_or_default();
        lines.iter().map(|line| line.get(margin..).unwrap_or_default().to_owned()).collect()
    };
    let mut code = lines.join("\n");
    code.truncate(code.trim_end().len());
    code.push('\n');
    code
}

fn is_prompt(line: &str) -> bool {
    line.trim_start().starts_with(">>>") || is_cell(line)
}

/// `In [3]: x = 1`, as notebooks show it.
fn is_cell(line: &str) -> bool {
    let rest = line.trim_start().strip_prefix("In [");
    rest.is_some_and(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()).starts_with("]:"))
}

fn after_prompt(line: &str) -> Option<&str> {
    let trimmed = line.trim_start();
    let without_space = |rest: &'_ str| rest.len() - rest.strip_prefix(' ').unwrap_or(rest).len();
    for prompt in [">>>", "...:", "..."] {
        if let Some(rest) = trimmed.strip_prefix(prompt) {
            return Some(&rest[without_space(rest)..]);
        }
    }
    is_cell(line).then(|| {
        line.split_once("]:").map_or("", |(_, rest)| rest.strip_prefix(' ').unwrap_or(rest))
    })
}

/// The language of an error report that is clearly not Python's.
#[must_use]
pub fn foreign_language(text: &str) -> Option<&'static str> {
    const SIGNS: [(&str, &str); 13] = [
        ("java.lang.", "Java"),
        (".java:", "Java"),
        ("Uncaught ReferenceError", "JavaScript"),
        ("Uncaught TypeError", "JavaScript"),
        ("Uncaught SyntaxError", "JavaScript"),
        ("Cannot read properties of", "JavaScript"),
        (".js:", "JavaScript"),
        ("error[E0", "Rust"),
        (": error CS", "C#"),
        ("System.NullReferenceException", "C#"),
        ("Segmentation fault", "C or C++"),
        ("undefined reference to", "C or C++"),
        ("panic: runtime error", "Go"),
    ];
    if text.contains("Traceback (most recent call last)") {
        return None;
    }
    // Students use these words of Python, too.
    if text.contains("TypeError") && text.contains("is not a function") {
        return Some("JavaScript");
    }
    SIGNS.iter().find(|(sign, _)| text.contains(sign)).map(|(_, language)| *language)
}

#[cfg(test)]
mod tests {
    use super::{clean_code, foreign_language};

    #[test]
    fn prompts_outputs_and_margins_are_removed() {
        for (pasted, code) in [
            (
                ">>> x = 1\n>>> if x:\n...     print(x)\n... \n1\n>>> x\n1\n",
                "x = 1\nif x:\n    print(x)\n\nx\n",
            ),
            ("In [1]: a = 2\nIn [2]: a + 1\nOut[2]: 3\n", "a = 2\na + 1\n"),
            ("    def f():\n        return 1\n", "def f():\n    return 1\n"),
            ("x\u{a0}= 1\r\ny = 2", "x = 1\ny = 2\n"),
            ("print(1)\n\n\n", "print(1)\n"),
        ] {
            assert_eq!(clean_code(pasted), code);
        }
    }

    #[test]
    fn errors_of_other_languages_are_known_by_their_signs() {
        assert_eq!(foreign_language("Uncaught TypeError: f is not a function"), Some("JavaScript"));
        assert_eq!(
            foreign_language("java.lang.NullPointerException\n at A.main(A.java:3)"),
            Some("Java")
        );
        assert_eq!(foreign_language("TypeError: 'int' object is not callable"), None);
    }
}
