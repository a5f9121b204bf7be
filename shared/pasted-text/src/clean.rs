//! Restores the original program from pasted code.

use crate::{
    marks,
    pieces::{self, Default, Part},
    strings,
};

/// Removes what consoles, notebooks and web pages add to code: prompts, output, common indentation, and special spaces.
#[must_use]
pub fn clean_code(pasted: &str) -> String {
    let text = pasted.replace("\r\n", "\n").replace('\r', "\n").replace('\u{a0}', " ");
    let text = text.trim_start_matches('\u{feff}');
    let lines: Vec<&str> = text.lines().collect();
    let in_string = strings::inside(&lines);
    let has_prompts = lines
        .iter()
        .zip(&in_string)
        .any(|(line, in_string)| !in_string && marks::after_prompt(line).is_some());
    let lines = if has_prompts { without_session(text) } else { without_margin(&lines) };
    let mut code = lines.join("\n");
    code.truncate(code.trim_end().len());
    code.push('\n');
    code
}

/// The lines of a session without its prompts; what is neither behind a prompt nor code of its own is output.
fn without_session(text: &str) -> Vec<String> {
    let pieces = pieces::read(text, Default::Code);
    let code: String =
        pieces.iter().filter(|piece| piece.part == Part::Code).map(|piece| piece.text).collect();
    let lines: Vec<&str> = code.lines().collect();
    let in_string = strings::inside(&lines);
    let mut was_prompt = false;
    let mut cleaned = Vec::with_capacity(lines.len());
    for (line, in_string) in lines.iter().zip(in_string) {
        let prompt = marks::after_prompt(line).filter(|_| !in_string);
        let dots = marks::after_dots(line).filter(|_| was_prompt && !in_string);
        was_prompt =
            prompt.is_some() || dots.is_some() || (was_prompt && line.starts_with([' ', '\t']));
        cleaned.push(prompt.or(dots).unwrap_or(line).to_owned());
    }
    cleaned
}

fn without_margin(lines: &[&str]) -> Vec<String> {
    let filled = lines.iter().filter(|line| !line.trim().is_empty());
    let margin = filled.map(|line| line.len() - line.trim_start_matches(' ').len()).min();
    let margin = margin.unwrap_or_default();
    lines.iter().map(|line| line.get(margin..).unwrap_or_default().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::clean_code;

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
            (
                ">>> for i in range(2):\n\tprint(i)\n\n\n0\n1\n>>> i\n1\n",
                "for i in range(2):\n\tprint(i)\n\n\ni\n",
            ),
        ] {
            assert_eq!(clean_code(pasted), code);
        }
    }

    #[test]
    fn an_example_in_a_docstring_stays_where_it_is() {
        let program = "def half(x):\n    \"\"\"Half of it.\n\n    >>> half(4)\n    2.0\n    \"\"\"\n    return x / 2\n";
        assert_eq!(clean_code(program), program);
        let session = format!("{program}>>> half(3)\n1.5\n");
        assert_eq!(clean_code(&session), format!("{program}half(3)\n"));
    }
}
