//! Text that is not what it should be: bytes, encodings, JSON.

use crate::failure::{Advice, Failure, Rule, advice, by_rules};

/// The mark at the beginning of some files, as it shows in messages.
const MARKS: [&str; 4] = ["\\ufeff", "\u{feff}", "ï»¿", "utf-8-sig"];

/// A byte order mark that came with the text of a file.
pub(crate) fn byte_order_mark(failure: &Failure<'_>) -> Option<Advice> {
    let has_mark = |text: &str| MARKS.iter().any(|mark| text.contains(mark));
    let in_value =
        || failure.variables.iter().any(|variable| variable.text.as_deref().is_some_and(has_mark));
    let is_about_text = matches!(failure.kind, "ValueError" | "KeyError" | "JSONDecodeError");
    (is_about_text && (has_mark(failure.message) || (failure.kind == "KeyError" && in_value()))).then(|| {
        advice(
            "unicode_error.byte_order_mark",
            format!("The text that {} works with begins with an invisible mark, the byte order mark.", failure.place()),
            "Some programs, mostly on Windows, write it at the beginning of a file. The encoding utf-8-sig reads such a file without the mark.",
            "With which encoding is the file opened?",
        )
    })?
}

/// Advice on a `UnicodeDecodeError`.
pub(crate) fn decode(failure: &Failure<'_>) -> Option<Advice> {
    let message = failure.message;
    let codec =
        message.strip_prefix('\'').and_then(|rest| rest.split('\'').next()).unwrap_or("utf-8");
    let begins = message.contains("position 0:");
    let why = if begins && (message.contains("byte 0xff") || message.contains("byte 0xfe")) {
        "It begins like text in UTF-16, which some programs on Windows write."
    } else if begins && message.contains("byte 0x89") {
        "It begins like a picture, which is not text at all."
    } else {
        "Files hold bytes, and an encoding says which bytes mean which characters. Older programs use others than UTF-8, such as cp1252."
    };
    advice(
        "unicode_error.decode",
        format!(
            "On {} your program reads bytes as {codec}, and they are something else.",
            failure.place()
        ),
        why,
        "Which program wrote that file, and with which encoding? Is it a text file?",
    )
}

/// Advice on a `UnicodeEncodeError`.
pub(crate) fn encode(failure: &Failure<'_>) -> Option<Advice> {
    if failure.message.contains("surrogates") || failure.message.contains("ud8") {
        return advice(
            "unicode_error.encode",
            format!(
                "On {} your program prints half of a character, which is not possible.",
                failure.place()
            ),
            "\\ud800 to \\udfff are halves of pairs, not complete characters.",
            "Where does that text come from?",
        );
    }
    let codec = failure.message.strip_prefix('\'').and_then(|rest| rest.split('\'').next());
    let codec = codec.unwrap_or("that encoding");
    advice(
        "unicode_error.narrow",
        format!(
            "On {} your program writes a character that {codec} does not have.",
            failure.place()
        ),
        "An encoding turns characters into bytes, and only UTF-8 and its like have all of them.",
        "Which encoding does the file or the window use, and can you choose another?",
    )
}

/// Advice on a `JSONDecodeError`.
pub(crate) fn json(failure: &Failure<'_>) -> Option<Advice> {
    let message = failure.message;
    if message.starts_with("Expecting value") && message.contains("(char 0)") {
        return advice(
            "json_error.nothing",
            format!(
                "The text that {} reads as JSON is empty, or it does not begin like JSON.",
                failure.place()
            ),
            "JSON begins with {, [, a double quote, a number, true, false or null. The name of a file is no JSON, and a web page neither.",
            "Print the first characters of that text. What are they?",
        );
    }
    by_rules(&JSON, failure)
}

const JSON: [Rule; 5] = [
    Rule {
        rule: "json_error.quotes",
        parts: &["property name enclosed in double quotes"],
        what: "the text that {place} reads as JSON has something else where a key in double quotes is needed.",
        why: "JSON knows only double quotes, and no comma after the last item: {message}.",
        hint: "Which quotes are around the keys, and is there a comma too much?",
    },
    Rule {
        rule: "json_error.extra",
        parts: &["Extra data"],
        what: "the text that {place} reads as JSON goes on after its end.",
        why: "A JSON text is a single value. A file with one on each line is read line by line: {message}.",
        hint: "What follows the first complete value?",
    },
    Rule {
        rule: "json_error.sign",
        parts: &["delimiter"],
        what: "a comma or a colon is missing in the text that {place} reads as JSON.",
        why: "The message says where: {message}.",
        hint: "Print that part of the text. What is there?",
    },
    Rule {
        rule: "json_error.text",
        parts: &["Unterminated string", "Invalid control character", "Invalid \\\\"],
        what: "a string is not complete in the text that {place} reads as JSON.",
        why: "Line breaks and backslashes are written in a special way in JSON: {message}.",
        hint: "Print that part of the text. What is there?",
    },
    Rule {
        rule: "json_error.value",
        parts: &["Expecting value", "Illegal trailing comma"],
        what: "a value is missing in the text that {place} reads as JSON.",
        why: "JSON has no trailing comma, no single quotes, and writes true, false and null in small letters: {message}.",
        hint: "Print that part of the text. What is there?",
    },
];
