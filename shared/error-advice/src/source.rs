//! Navigates a program's text line by line: enough to name a loop or a function.

use std::ops::RangeInclusive;

/// A loop, from its header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loop<'a> {
    /// The line of its header, from 1.
    pub line: u32,
    /// The header's text.
    pub header: &'a str,
    /// The lines from its first to its last.
    pub lines: RangeInclusive<u32>,
}

/// One line, from 1; empty if there is none.
#[must_use]
pub fn line(source: &str, number: u32) -> &str {
    let index = number.checked_sub(1).map_or(usize::MAX, |index| index as usize);
    source.lines().nth(index).unwrap_or_default()
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn is_code(line: &str) -> bool {
    let text = line.trim();
    !text.is_empty() && !text.starts_with('#')
}

/// The innermost loop that a line is in, or whose header it is.
pub(crate) fn innermost_loop(source: &str, number: u32) -> Option<Loop<'_>> {
    loops_around(source, number).into_iter().next()
}

/// The loops that a line is in, or whose header it is, in the same function; the innermost first.
#[must_use]
pub fn loops_around(source: &str, number: u32) -> Vec<Loop<'_>> {
    let lines: Vec<&str> = source.lines().collect();
    let mut loops = Vec::new();
    let Some((start, own)) =
        (number as usize).checked_sub(1).and_then(|start| Some((start, lines.get(start)?)))
    else {
        return loops;
    };
    let mut inside = indent(own) + 1;
    for (index, text) in lines.iter().enumerate().take(start + 1).rev() {
        if !is_code(text) || indent(text) >= inside {
            continue;
        }
        inside = indent(text);
        let header = text.trim();
        if header.starts_with("while ")
            || header.starts_with("while(")
            || header.starts_with("for ")
        {
            let after = lines.iter().enumerate().skip(index + 1);
            let end = after
                .filter(|(_, line)| is_code(line))
                .find(|(_, line)| indent(line) <= inside)
                .map_or(lines.len(), |(end, _)| end);
            let number = |index: usize| u32::try_from(index).unwrap_or(u32::MAX);
            let line = number(index + 1);
            loops.push(Loop { line, header, lines: line..=number(end) });
        }
        if header.starts_with("def ") || header.starts_with("async def ") {
            break;
        }
    }
    loops
}

/// The words in a piece of code that could be names.
pub fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| {
        word.chars().next().is_some_and(|first| first.is_alphabetic() || first == '_')
            && !KEYWORDS.contains(word)
    })
}

const KEYWORDS: [&str; 17] = [
    "while", "for", "in", "not", "and", "or", "True", "False", "None", "is", "len", "range", "if",
    "else", "def", "return", "int",
];

/// Whether one of these lines assigns `name`, or changes what it holds.
#[must_use]
pub fn assigns(source: &str, name: &str, mut lines: RangeInclusive<u32>) -> bool {
    lines.any(|number| {
        let text = line(source, number).trim();
        text.match_indices(name).any(|(start, _)| {
            let before = text.get(..start).unwrap_or_default().chars().next_back();
            let rest = text.get(start + name.len()..).unwrap_or_default().trim_start();
            let whole = before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != '.');
            let assigned = (rest.starts_with('=') && !rest.starts_with("=="))
                || rest.starts_with(',')
                || [
                    "+=", "-=", "*=", "/=", "//=", "%=", "^=", "&=", "|=", "<<=", ">>=", ":=",
                    ".append", ".pop", ".remove", ".add", ".clear", ".insert", ".popleft", " in ",
                ]
                .iter()
                .any(|mark| rest.starts_with(mark.trim_start()));
            whole && assigned
        })
    })
}

/// The line on which a function or class of this name begins.
pub(crate) fn definition(source: &str, name: &str) -> Option<u32> {
    let position = source.lines().position(|line| {
        let text = line.trim_start();
        ["def ", "async def ", "class "].iter().any(|word| {
            text.strip_prefix(word)
                .and_then(|rest| rest.strip_prefix(name))
                .is_some_and(|rest| rest.starts_with(['(', ':', ' ']))
        })
    })?;
    u32::try_from(position + 1).ok()
}

/// Whether a line of the program begins with this text.
pub(crate) fn has_line(source: &str, text: &str) -> bool {
    source.lines().any(|line| line.trim_start().starts_with(text))
}

/// The `try` whose import failed, if a line is in the handler for that.
pub(crate) fn tried_before(source: &str, number: u32) -> Option<u32> {
    let lines: Vec<&str> = source.lines().collect();
    let at = (number as usize).checked_sub(1)?;
    let own = indent(lines.get(at)?);
    let above = |from: usize, depth: usize| {
        (0..from).rev().find(|index| {
            lines.get(*index).is_some_and(|line| is_code(line) && indent(line) < depth)
        })
    };
    let header = above(at, own)?;
    let text = lines.get(header)?.trim();
    if !(text.starts_with("except") && (text.contains("Import") || text.contains("ModuleNotFound")))
    {
        return None;
    }
    let depth = indent(lines.get(header)?);
    let begin = (0..header).rev().find(|index| {
        lines
            .get(*index)
            .is_some_and(|line| indent(line) == depth && line.trim_start().starts_with("try"))
    })?;
    u32::try_from(begin + 1).ok()
}
