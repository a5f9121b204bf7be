//! What a paste tells by itself: that it is no Python, or that it was damaged when it was copied.

use pasted_text::Damage;

/// The command line, as `pasted_text` calls it.
const COMMAND_LINE: &str = "the command line";

/// The answer to a program or an error of another language.
pub(crate) fn of_another_language(said: &str, question: &str, code: &str) -> Option<String> {
    if let Some(language) = pasted_text::foreign_language(said) {
        return Some(match language {
            COMMAND_LINE => "This message comes from the command line, not from a Python program: what you typed there \
                             could not be started. Check the spelling, and whether you are in the folder of your file."
                .to_owned(),
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
