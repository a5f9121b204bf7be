//! Splits a text into its pieces: prose, code, reports, output, commands, and what other languages have.

use std::ops::Range;

use crate::{
    foreign, inline, marks, report,
    settle::{Tag, a_line_alone, content, settle},
    shape::{Shape, shape},
    strings,
    token::{pairs, tokens},
};

/// What a piece of a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Natural language.
    Prose,
    /// Lines of a program, with the prompts of a console.
    Code,
    /// Code inside a sentence.
    Inline,
    /// Python's report about an error.
    Report,
    /// What a program has written.
    Output,
    /// A command of a terminal or an editor.
    Command,
    /// Lines of a program in another language.
    Foreign(&'static str),
    /// A fence or a backtick.
    Mark,
}

/// A piece of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece<'a> {
    /// What it is.
    pub part: Part,
    /// Its text, with the ends of its lines.
    pub text: &'a str,
}

/// What a text is taken for where its lines do not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Default {
    Prose,
    Code,
}

/// Splits a text. The pieces, one after the other, are the text again.
#[must_use]
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    read(text, Default::Prose)
}

pub(crate) fn read(text: &str, default: Default) -> Vec<Piece<'_>> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let mut tags = Reader::new(&lines, default).tags();
    settle(&lines, &mut tags);
    if default == Default::Prose {
        a_line_alone(&lines, &mut tags);
    }
    join(text, &lines, &tags)
}

/// Where a reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Text,
    /// In a report; whether a notebook has written it, and whether its next line belongs to it whatever it is.
    Report {
        is_notebook: bool,
        shows_line: bool,
    },
    /// Behind a prompt; whether a block is open.
    Session {
        is_open: bool,
    },
    /// Behind a command, in its output.
    Output,
    /// Behind words that announce output; whether some has come.
    Announced {
        has_begun: bool,
    },
}

struct Reader<'a, 'b> {
    lines: &'b [&'a str],
    in_string: Vec<bool>,
    default: Default,
    /// The language of the fence that is open, as it names it.
    fence: Option<&'a str>,
    place: Place,
}

impl<'a, 'b> Reader<'a, 'b> {
    fn new(lines: &'b [&'a str], default: Default) -> Self {
        Self { lines, in_string: strings::inside(lines), default, fence: None, place: Place::Text }
    }

    fn tags(mut self) -> Vec<Tag> {
        let mut tags = Vec::with_capacity(self.lines.len());
        for at in 0..self.lines.len() {
            let line = content(self.lines[at]);
            let opens_string = line.trim_start().starts_with(['"', '\''])
                && self.in_string.get(at + 1).is_some_and(|next| *next);
            // The line that a report shows may open a string that never ends.
            let is_report = matches!(self.place, Place::Report { .. });
            let is_inside = self.in_string[at] && tags.last() != Some(&Tag::Prose);
            let is_string = (opens_string || is_inside) && !is_report;
            let tag = if is_string { Tag::Code } else { self.tag(line) };
            tags.push(tag);
        }
        tags
    }

    fn tag(&mut self, line: &'a str) -> Tag {
        let trimmed = line.trim();
        if let Some(info) = fence(trimmed) {
            self.fence = if self.fence.is_some() { None } else { Some(info) };
            self.place = Place::Text;
            return Tag::Mark;
        }
        if let Some(tag) = self.in_report(line) {
            return tag;
        }
        if let Some(tag) = self.in_session(line) {
            return tag;
        }
        if trimmed.is_empty() {
            if matches!(self.place, Place::Announced { has_begun: true }) {
                self.place = Place::Text;
            }
            return Tag::Blank;
        }
        if let Some(info) = self.fence {
            return match (foreign::of_fence(info), info.trim()) {
                (Some(language), _) => Tag::Foreign(language),
                (None, "text" | "output" | "txt") => Tag::Output,
                _ => Tag::Code,
            };
        }
        if self.default == Default::Code {
            return Tag::Code;
        }
        self.by_shape(line)
    }

    /// A line of a report, or the beginning of one.
    fn in_report(&mut self, line: &str) -> Option<Tag> {
        if let Some(start) = marks::report_start(line) {
            let was_notebook = matches!(self.place, Place::Report { is_notebook: true, .. });
            let is_notebook = start.is_notebook || was_notebook;
            // The line of the program comes below its frame.
            let shows_line = !is_notebook && line.contains("File \"");
            self.place = Place::Report { is_notebook, shows_line };
            return Some(Tag::Report);
        }
        if report::last_line(line).is_some() {
            self.place = Place::Text;
            return Some(Tag::Report);
        }
        let Place::Report { is_notebook, shows_line } = self.place else {
            return marks::is_rule(line).then_some(Tag::Report);
        };
        let is_own_class = report::is_own_last_line(line);
        if is_own_class {
            self.place = Place::Text;
            return Some(Tag::Report);
        }
        if shows_line && !line.trim().is_empty() || marks::continues_report(line, is_notebook) {
            self.place = Place::Report { is_notebook, shows_line: false };
            return Some(Tag::Report);
        }
        self.place = Place::Text;
        None
    }

    /// A line of a console, a notebook or a terminal.
    fn in_session(&mut self, line: &str) -> Option<Tag> {
        let is_fenced = self.fence.is_some() || self.default == Default::Code;
        if let Some(rest) = marks::after_prompt(line) {
            if marks::is_command(rest) && rest.starts_with(['%', '!']) {
                self.place = Place::Output;
                return Some(Tag::Command);
            }
            self.place = Place::Session { is_open: opens_block(rest) };
            return Some(Tag::Code);
        }
        if marks::is_command(line) && self.default == Default::Prose {
            self.place = Place::Output;
            return Some(Tag::Command);
        }
        if marks::is_result(line) {
            return Some(Tag::Output);
        }
        let is_blank = line.trim().is_empty();
        if let Place::Session { is_open } = self.place {
            if marks::after_dots(line).is_some() {
                self.place = Place::Session { is_open: true };
                return Some(Tag::Code);
            }
            let goes_on = line.starts_with([' ', '\t'])
                || ["else", "elif", "except", "finally"].iter().any(|word| line.starts_with(word));
            if is_open && goes_on && !is_blank {
                return Some(Tag::Code);
            }
        }
        if !matches!(self.place, Place::Session { .. } | Place::Output) {
            return None;
        }
        if is_blank {
            let is_over = !is_fenced && matches!(self.place, Place::Session { .. });
            self.place = if is_over { Place::Text } else { self.place };
            return Some(Tag::Blank);
        }
        let is_program = matches!(shape(line), Shape::Header) || line.starts_with("import ");
        let is_over = !is_fenced && (marks::is_said(line) || is_program);
        if is_over {
            self.place = Place::Text;
            return None;
        }
        if let Place::Session { .. } = self.place {
            self.place = Place::Session { is_open: false };
        }
        Some(Tag::Output)
    }

    fn by_shape(&mut self, line: &str) -> Tag {
        let found = shape(line);
        if let Place::Announced { .. } = self.place {
            let (outer, inner) = pairs(&tokens(line));
            let is_output = found == Shape::Weak || found == Shape::Other && outer + inner <= 1;
            if is_output && !marks::introduces_output(line) && !marks::is_said(line) {
                self.place = Place::Announced { has_begun: true };
                return Tag::Output;
            }
            self.place = Place::Text;
        }
        match found {
            Shape::Header | Shape::Statement => Tag::Code,
            Shape::Weak => Tag::Weak,
            Shape::Other => {
                if marks::introduces_output(line) {
                    self.place = Place::Announced { has_begun: false };
                }
                Tag::Prose
            }
        }
    }
}

/// The language that a fence names; none if the line is no fence.
fn fence(trimmed: &str) -> Option<&str> {
    let info = trimmed.strip_prefix("```")?.trim_start_matches('`');
    (!info.contains('`') && info.split_whitespace().count() <= 2).then_some(info)
}

fn opens_block(code: &str) -> bool {
    let code = code.trim_end();
    code.ends_with([':', '(', '[', '{', ',', '\\'])
}

/// Puts the pieces together, and looks for code and reports inside the lines of prose.
fn join<'a>(text: &'a str, lines: &[&str], tags: &[Tag]) -> Vec<Piece<'a>> {
    let mut joined = Joined { text, found: Vec::new() };
    let mut start = 0;
    for (at, line) in lines.iter().enumerate() {
        let whole = start..start + line.len();
        start = whole.end;
        let above = at.checked_sub(1).map(|above| tags[above]);
        let below = tags.get(at + 1).copied();
        match tags[at] {
            Tag::Blank => joined.blank(whole),
            Tag::Prose | Tag::Weak => {
                joined.prose(whole, above == Some(Tag::Code), below == Some(Tag::Code));
            }
            Tag::Report => joined.report(whole),
            Tag::Code => joined.marked(whole, Part::Code),
            Tag::Output => joined.marked(whole, Part::Output),
            Tag::Command => joined.push(whole, Part::Command),
            Tag::Foreign(language) => joined.push(whole, Part::Foreign(language)),
            Tag::Mark => joined.push(whole, Part::Mark),
        }
    }
    let found = joined.found.into_iter();
    found.map(|(range, part)| Piece { part, text: &text[range] }).collect()
}

struct Joined<'a> {
    text: &'a str,
    found: Vec<(Range<usize>, Part)>,
}

impl Joined<'_> {
    fn push(&mut self, range: Range<usize>, part: Part) {
        if range.is_empty() {
            return;
        }
        match self.found.last_mut() {
            Some((last, of)) if *of == part && part != Part::Inline => last.end = range.end,
            _ => self.found.push((range, part)),
        }
    }

    /// An empty line belongs to what stands above it.
    fn blank(&mut self, range: Range<usize>) {
        let part = self.found.last().map_or(Part::Prose, |(_, part)| *part);
        let is_block = matches!(part, Part::Code | Part::Report | Part::Output | Part::Foreign(_));
        self.push(range, if is_block { part } else { Part::Prose });
    }

    /// A line of code or output, without the backtick or fence at its beginning and end.
    fn marked(&mut self, range: Range<usize>, part: Part) {
        let line = &self.text[range.clone()];
        let odd = line.matches('`').count() % 2 == 1;
        let indent = line.len() - line.trim_start().len();
        let opening = line[indent..].len() - line[indent..].trim_start_matches('`').len();
        let filled = line.trim_end().len();
        let closing = filled - line.trim_end().trim_end_matches('`').len();
        match (odd, opening, closing) {
            (true, 1.., _) => {
                self.push(range.start..range.start + indent + opening, Part::Mark);
                self.push(range.start + indent + opening..range.end, part);
            }
            (true, 0, 1..) => {
                self.push(range.start..range.start + filled - closing, part);
                self.push(range.start + filled - closing..range.end, Part::Mark);
            }
            _ => self.push(range, part),
        }
    }

    /// A line of a report, with what its author has said before and behind it.
    fn report(&mut self, range: Range<usize>) {
        let line = &self.text[range.clone()];
        let (start, end) = report::extent(line);
        self.prose(range.start..range.start + start, false, false);
        self.marked(range.start + start..range.start + end, Part::Report);
        let rest = &line[end..];
        if rest.trim().is_empty() {
            self.push(range.start + end..range.end, Part::Report);
        } else {
            self.prose(range.start + end..range.end, false, false);
        }
    }

    /// A line of prose, or a part of one, with the code in it.
    fn prose(&mut self, range: Range<usize>, is_below_code: bool, is_above_code: bool) {
        let line = &self.text[range.clone()];
        let mut at = 0;
        for span in inline::spans(line) {
            let before = &line[at..span.whole.start];
            let after = &line[span.whole.end..];
            // The first line of a program that begins behind a colon, or its last one with a question behind it.
            let is_first =
                is_above_code && after.trim().is_empty() && before.trim_end().ends_with(':');
            let is_last =
                is_below_code && at == 0 && before.trim().is_empty() && span.code == span.whole;
            let part = if is_first || is_last { Part::Code } else { Part::Inline };
            self.push(range.start + at..range.start + span.whole.start, Part::Prose);
            self.push(range.start + span.whole.start..range.start + span.code.start, Part::Mark);
            self.push(range.start + span.code.start..range.start + span.code.end, part);
            self.push(range.start + span.code.end..range.start + span.whole.end, Part::Mark);
            at = span.whole.end;
            if is_first {
                self.push(range.start + at..range.end, part);
                return;
            }
        }
        self.push(range.start + at..range.end, Part::Prose);
    }
}
