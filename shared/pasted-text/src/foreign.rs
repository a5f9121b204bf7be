//! Programs and error messages of other languages, and of the command line.

/// The command line, as it is called in an answer.
const SHELL: &str = "the command line";
/// Signs of an error report that is clearly not Python's.
const ERRORS: [(&str, &str); 44] = [
    ("java.lang.", "Java"),
    ("java.util.", "Java"),
    (".java:", "Java"),
    ("error: cannot find symbol", "Java"),
    ("error: incompatible types:", "Java"),
    ("ArrayIndexOutOfBoundsException", "Java"),
    ("NullPointerException", "Java"),
    ("Unresolved reference", "Kotlin"),
    ("Uncaught ReferenceError", "JavaScript"),
    ("Uncaught TypeError", "JavaScript"),
    ("Uncaught SyntaxError", "JavaScript"),
    ("Cannot read propert", "JavaScript"),
    ("Cannot set propert", "JavaScript"),
    ("undefined is not an object", "JavaScript"),
    ("undefined is not a function", "JavaScript"),
    ("at Object.<anonymous>", "JavaScript"),
    ("Unexpected token '", "JavaScript"),
    (".js:", "JavaScript"),
    ("error TS", "TypeScript"),
    ("error[E0", "Rust"),
    ("thread 'main' panicked", "Rust"),
    (": error CS", "C#"),
    ("System.NullReferenceException", "C#"),
    ("Unhandled exception. System.", "C#"),
    ("Segmentation fault", "C or C++"),
    ("segmentation fault", "C or C++"),
    ("undefined reference to", "C or C++"),
    ("was not declared in this scope", "C or C++"),
    ("error: expected ';'", "C or C++"),
    ("error: expected ‘;’", "C or C++"),
    ("terminate called after throwing", "C or C++"),
    ("ld returned 1 exit status", "C or C++"),
    ("panic: runtime error", "Go"),
    ("declared and not used", "Go"),
    ("undefined method `", "Ruby"),
    ("undefined local variable or method", "Ruby"),
    ("PHP Fatal error", "PHP"),
    ("PHP Parse error", "PHP"),
    ("You have an error in your SQL syntax", "SQL"),
    ("ORA-0", "SQL"),
    ("is not recognized as an internal or external command", SHELL),
    ("is not recognized as the name of a cmdlet", SHELL),
    ("command not found", SHELL),
    ("can't open file '", SHELL),
];
/// What no Python program contains, outside of its strings.
const PROGRAMS: [(&str, &str); 32] = [
    ("public static void main", "Java"),
    ("System.out.print", "Java"),
    ("import java.", "Java"),
    ("fun main(", "Kotlin"),
    ("#include <", "C or C++"),
    ("#include<", "C or C++"),
    ("using namespace std", "C or C++"),
    ("std::cout", "C or C++"),
    ("cout <<", "C or C++"),
    ("cout<<", "C or C++"),
    ("int main(", "C or C++"),
    ("printf(\"", "C or C++"),
    ("scanf(\"", "C or C++"),
    ("using System;", "C#"),
    ("Console.WriteLine(", "C#"),
    ("console.log(", "JavaScript"),
    ("document.getElementById(", "JavaScript"),
    ("document.querySelector(", "JavaScript"),
    ("=== undefined", "JavaScript"),
    ("fn main()", "Rust"),
    ("println!(", "Rust"),
    ("let mut ", "Rust"),
    ("package main", "Go"),
    ("fmt.Println(", "Go"),
    ("<?php", "PHP"),
    ("<!DOCTYPE html", "HTML"),
    ("<html", "HTML"),
    ("</div>", "HTML"),
    ("SELECT * FROM", "SQL"),
    ("CREATE TABLE", "SQL"),
    ("INSERT INTO", "SQL"),
    ("Dim ", "Visual Basic"),
];

/// The language of an error report that is clearly not Python's.
#[must_use]
pub fn foreign_language(text: &str) -> Option<&'static str> {
    if text.contains("Traceback (most recent call last)") {
        return None;
    }
    // Students use these words of Python, too.
    if text.contains("TypeError") && text.contains("is not a function") {
        return Some("JavaScript");
    }
    // Python has this class, too, for weak references only.
    if text.contains("ReferenceError: ") && text.contains(" is not defined") {
        return Some("JavaScript");
    }
    ERRORS.iter().find(|(sign, _)| text.contains(sign)).map(|(_, language)| *language)
}

/// The language of a program that is clearly not Python: it has a sign of another language, braces or semicolons, and
/// no line that only Python has.
#[must_use]
pub fn foreign_program(code: &str) -> Option<&'static str> {
    let mut language = None;
    for line in code.lines() {
        let text = line.trim();
        if is_pythons(text) {
            return None;
        }
        if language.is_none() {
            language = PROGRAMS.iter().find(|(sign, _)| begins(text, sign)).map(|(_, name)| *name);
        }
    }
    language
}

/// Whether a sign stands in a line before any string or comment begins; in markup, strings are everywhere.
fn begins(line: &str, sign: &str) -> bool {
    let Some(at) = line.find(sign) else { return false };
    let before = &line[..at];
    sign.starts_with('<') || !before.contains(['"', '\'', '#']) && (sign != "Dim " || at == 0)
}

/// A line that only Python has.
fn is_pythons(text: &str) -> bool {
    let starts = |words: &[&str]| words.iter().any(|word| text.starts_with(word));
    let is_block = text.ends_with(':')
        && starts(&["def ", "for ", "while ", "if ", "elif ", "else", "try", "class "]);
    is_block
        || starts(&["elif ", "print("]) && !text.ends_with(';')
        || (text.starts_with("from ") && text.contains(" import "))
}

/// The language that a fence names, if it is one that Python cannot be mistaken for.
pub(crate) fn of_fence(info: &str) -> Option<&'static str> {
    const NAMES: [(&str, &str); 17] = [
        ("java", "Java"),
        ("kotlin", "Kotlin"),
        ("js", "JavaScript"),
        ("javascript", "JavaScript"),
        ("ts", "TypeScript"),
        ("typescript", "TypeScript"),
        ("c", "C or C++"),
        ("cpp", "C or C++"),
        ("c++", "C or C++"),
        ("cs", "C#"),
        ("csharp", "C#"),
        ("rust", "Rust"),
        ("go", "Go"),
        ("ruby", "Ruby"),
        ("php", "PHP"),
        ("sql", "SQL"),
        ("html", "HTML"),
    ];
    let info = info.trim().to_ascii_lowercase();
    NAMES.iter().find(|(name, _)| *name == info).map(|(_, language)| *language)
}

#[cfg(test)]
mod tests {
    use super::{foreign_language, foreign_program};

    #[test]
    fn errors_of_other_languages_are_known_by_their_signs() {
        for (text, language) in [
            ("Uncaught TypeError: f is not a function", Some("JavaScript")),
            ("ReferenceError: total is not defined", Some("JavaScript")),
            ("java.lang.NullPointerException\n at A.main(A.java:3)", Some("Java")),
            ("main.cpp:4:5: error: 'x' was not declared in this scope", Some("C or C++")),
            (
                "'python' is not recognized as an internal or external command",
                Some("the command line"),
            ),
            ("TypeError: 'int' object is not callable", None),
            ("NameError: name 'x' is not defined", None),
        ] {
            assert_eq!(foreign_language(text), language, "{text}");
        }
    }

    #[test]
    fn programs_of_other_languages_are_told_from_faulty_python() {
        for (code, language) in [
            (
                "public class A {\n  public static void main(String[] a) {\n    System.out.println(1);\n  }\n}",
                Some("Java"),
            ),
            ("#include <stdio.h>\nint main() {\n  printf(\"hi\");\n}", Some("C or C++")),
            ("let x = 3;\nconsole.log(x);", Some("JavaScript")),
            ("for i in range(3):\n    console.log(i)", None),
            ("print('printf(\"x\")')", None),
            ("x = 3;", None),
        ] {
            assert_eq!(foreign_program(code), language, "{code}");
        }
    }
}
