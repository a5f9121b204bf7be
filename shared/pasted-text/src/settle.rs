//! Decides about lines that could be code or prose by the lines around them.

use std::collections::HashSet;

use crate::{
    foreign, marks,
    shape::{Shape, shape},
    token::{pairs, tokens},
};

/// What a line is, as far as that can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tag {
    Blank,
    Prose,
    /// Code if code is beside it.
    Weak,
    Code,
    Report,
    Output,
    Command,
    Foreign(&'static str),
    Mark,
}

/// A line without its end.
pub(crate) fn content(line: &str) -> &str {
    line.trim_end_matches(['\n', '\r'])
}

/// A single statement and nothing else may be what the question is about; the header of a block is a part of a program.
pub(crate) fn a_line_alone(lines: &[&str], tags: &mut [Tag]) {
    let mut filled = (0..tags.len()).filter(|at| tags[*at] != Tag::Blank);
    let (Some(alone), None) = (filled.next(), filled.next()) else { return };
    let line = content(lines[alone]);
    let is_statement = shape(line) != Shape::Header && marks::after_prompt(line).is_none();
    if tags[alone] == Tag::Code && is_statement {
        tags[alone] = Tag::Prose;
    }
}

/// Decides about lines that could be code by the lines beside them.
pub(crate) fn settle(lines: &[&str], tags: &mut [Tag]) {
    shown_in_report(lines, tags);
    let is_indented = |at: usize| lines[at].starts_with("  ") || lines[at].starts_with('\t');
    // Downwards: below code, what could be code is code, and so is what is indented.
    let (mut near, mut after) = (Tag::Prose, Tag::Prose);
    for at in 0..tags.len() {
        let is_said = || marks::is_said(lines[at]) && lines[at].trim_end().ends_with('?');
        match tags[at] {
            Tag::Blank => near = Tag::Blank,
            Tag::Weak if after == Tag::Code && (near != Tag::Blank || is_indented(at)) => {
                tags[at] = Tag::Code;
            }
            Tag::Prose if near == Tag::Code && is_indented(at) && !is_said() => {
                tags[at] = Tag::Code;
            }
            _ => {}
        }
        if tags[at] != Tag::Blank {
            (near, after) = (tags[at], tags[at]);
        }
    }
    // Upwards: above code. Comments and docstrings may have an empty line below them.
    let (mut next, mut below) = (Tag::Prose, Tag::Prose);
    for at in (0..tags.len()).rev() {
        if tags[at] == Tag::Weak {
            let is_comment = lines[at].trim_start().starts_with(['#', '"', '\'']);
            let beside = if is_comment { below } else { next };
            tags[at] = if beside == Tag::Code { Tag::Code } else { Tag::Prose };
        }
        next = tags[at];
        below = if next == Tag::Blank { below } else { next };
    }
    between(lines, tags);
    other_languages(lines, tags);
}

/// Lines of the program that a report shows below its frames are code, however faulty they are.
fn shown_in_report(lines: &[&str], tags: &mut [Tag]) {
    let shown: HashSet<&str> = (1..tags.len())
        .filter(|at| tags[*at] == Tag::Report && lines[at - 1].contains("File \""))
        .map(|at| lines[at].trim())
        .collect();
    for (line, tag) in lines.iter().zip(tags) {
        if matches!(tag, Tag::Prose | Tag::Weak) && shown.contains(line.trim()) {
            *tag = Tag::Code;
        }
    }
}

/// A faulty line with code directly above and below it.
fn between(lines: &[&str], tags: &mut [Tag]) {
    for at in 1..tags.len().saturating_sub(1) {
        let is_between =
            tags[at] == Tag::Prose && tags[at - 1] == Tag::Code && tags[at + 1] == Tag::Code;
        if is_between {
            let words = tokens(lines[at]);
            let (outer, inner) = pairs(&words);
            if outer + inner <= 2
                && !marks::is_said(lines[at])
                && !lines[at].trim_end().ends_with([':', '?'])
            {
                tags[at] = Tag::Code;
            }
        }
    }
}

/// Runs of lines that are a program in another language.
fn other_languages(lines: &[&str], tags: &mut [Tag]) {
    let is_block = |tag: Tag| matches!(tag, Tag::Code);
    let mut at = 0;
    while at < tags.len() {
        let begin = at;
        while at < tags.len()
            && (is_block(tags[at])
                || tags[at] == Tag::Blank
                || is_foreign_line(lines[at], tags[at]))
        {
            at += 1;
        }
        if at > begin {
            let code = lines[begin..at].concat();
            if let Some(language) = foreign::foreign_program(&code) {
                for tag in &mut tags[begin..at] {
                    if *tag != Tag::Blank {
                        *tag = Tag::Foreign(language);
                    }
                }
            }
        }
        at = at.max(begin + 1);
    }
}

/// A line that is prose by its form, and has the braces or semicolons of another language.
fn is_foreign_line(line: &str, tag: Tag) -> bool {
    let text = line.trim();
    tag == Tag::Prose
        && (text.ends_with(['{', '}', ';'])
            || text.starts_with("#include")
            || text.starts_with("package "))
}
