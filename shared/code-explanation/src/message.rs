//! Error messages, and texts that are no program.

use error_advice::advise_on_report;

use crate::{
    known::Explanation,
    value::{code, cut},
};

/// Most characters of a line or a message that are shown.
const WIDTH: usize = 120;

/// Explains an error message that came without a program; `None` if it is not one of Python's that are known.
#[must_use]
pub fn explain_message(kind: &str, message: &str) -> Option<Explanation> {
    let advice = advise_on_report(kind, message, None, "")?;
    let shown = if message.is_empty() { kind.to_owned() } else { format!("{kind}: {message}") };
    let text = format!(
        "{} is what Python says when it cannot go on.\n\n- **What happened**: {}\n- **Why Python stops**: {}\n- \
         **Where to look**: {}\n\nWith the program I could say which line it is and which value is to blame: paste it \
         beside the message.",
        code(&cut(&shown, WIDTH)),
        advice.what,
        advice.why,
        advice.hint
    );
    Some(Explanation { title: kind.to_owned(), text, topics: vec!["exception-types"] })
}

/// Says where a text stops being Python.
pub(crate) fn unreadable(source: &str, line: u32, message: &str) -> Explanation {
    let advice = advise_on_report("SyntaxError", message, Some(line), source);
    let line = advice.as_ref().and_then(|advice| advice.place).map_or(line, |place| place.line);
    let shown = error_advice::line(source, line).trim();
    let mut text = format!(
        "Python cannot read this program, so it does not run at all: nothing on its other lines happens either. The \
         place is line {line}"
    );
    if !shown.is_empty() {
        text.push_str(&format!(", {}", code(&cut(shown, WIDTH))));
    }
    text.push('.');
    if let Some(advice) = advice {
        text.push_str(&format!("\n\n{} {}\n\n{}", advice.what, advice.why, advice.hint));
    }
    text.push_str(
        "\n\nWhen that line is right, ask me again, and I will explain what the program does.",
    );
    Explanation { title: "Your program".to_owned(), text, topics: vec!["debugging"] }
}

pub(crate) fn too_deep() -> Explanation {
    let text = "This text is nested deeper than programs that people write, so I do not read it. Show me a smaller \
                part of it."
        .to_owned();
    Explanation { title: "Your program".to_owned(), text, topics: Vec::new() }
}
