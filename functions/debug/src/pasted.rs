//! What a paste tells by itself: that it is no Python, or that it was damaged when it was copied.

use std::sync::LazyLock;

use pasted_text::Damage;
use regex::Regex;

use crate::expected::compile;

/// The command line, as `pasted_text` calls it.
const COMMAND_LINE: &str = "the command line";

/// Python itself, or its installer, is not found.
static NO_PYTHON: LazyLock<Regex> = LazyLock::new(|| {
    compile(
        r#"(?i)\b(?:python3?|py|pip3?)(?:\.exe)?['’"]?\s*(?:is not recognized|:\s*(?:command )?not found)|command not found: (?:python3?|py|pip3?)\b"#,
    )
});
/// Python was started, and its file is not found.
static NO_FILE: LazyLock<Regex> = LazyLock::new(|| compile(r"can't open file '"));

/// What a message of the command line means.
fn of_command_line(said: &str) -> &'static str {
    if NO_PYTHON.is_match(said) {
        "This message comes from the command line: it does not find Python, which is not installed, or not where the \
         command line looks for programs (PATH). On Windows try `py hello.py`, and `py -m pip` for `pip`; on macOS and \
         Linux `python3 hello.py`, and `python3 -m pip`. If that is not found either, install Python from python.org; on \
         Windows, tick \"Add python.exe to PATH\" there. Then open a new window."
    } else if NO_FILE.is_match(said) {
        "Python was started, but it does not find your file: there is none of this name in the folder that you are in. \
         Check the spelling, and go to the folder of your file with `cd` first."
    } else {
        "This message comes from the command line, not from a Python program: what you typed there could not be started. \
         Check the spelling, and whether you are in the folder of your file."
    }
}

/// The answer to a program or an error of another language.
pub(crate) fn of_another_language(said: &str, question: &str, code: &str) -> Option<String> {
    if let Some(language) = pasted_text::foreign_language(said) {
        return Some(match language {
            COMMAND_LINE => of_command_line(said).to_owned(),
            _ => format!(
                "This looks like an error from {language}. I teach Python, so I could only guess what it means. If it \
                 came from a Python program, paste that program and the whole message."
            ),
        });
    }
    let program = if code.trim().is_empty() { question } else { code };
    let language = pasted_text::foreign_program(program)?;
    Some(format!(
        "This looks like a program in {language}. I teach Python, so I cannot say what is wrong with it. If you want to \
         write it in Python, ask me about one part at a time."
    ))
}

/// What was probably damaged, if Python cannot read the program or does not know one of its names.
pub(crate) fn damaged(kind: &str, code: &str) -> Option<String> {
    if !matches!(kind, "SyntaxError" | "IndentationError" | "TabError" | "NameError") {
        return None;
    }
    let sentences = pasted_text::damage(code).into_iter().map(|damage| match damage {
        Damage::Misread { line, word, meant } => format!(
            "`{word}` on line {line} may be a misread `{meant}`: in a program that was copied from a picture, letters and \
             digits that look alike are often confused."
        ),
        Damage::NoIndentation => "No line of your program is indented. If it was indented where you copied it from, the \
                                  spaces were lost on the way."
            .to_owned(),
    });
    let sentences: Vec<String> = sentences.collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

#[cfg(test)]
mod tests {
    use super::of_another_language;

    #[test]
    fn the_command_line_says_different_things() {
        let answer = |said: &str| of_another_language(said, said, "").expect("it is known");
        for said in [
            "python : The term 'python' is not recognized as the name of a cmdlet, function, script file, or operable program.",
            "'pip' is not recognized as an internal or external command",
            "bash: python: command not found",
            "zsh: command not found: python",
        ] {
            assert!(answer(said).contains("does not find Python"), "{said}");
        }
        let no_file =
            "python: can't open file 'C:\\\\me\\\\helo.py': [Errno 2] No such file or directory";
        assert!(answer(no_file).contains("does not find your file"));
        assert!(answer("bash: gti: command not found").contains("Check the spelling"));
    }
}
