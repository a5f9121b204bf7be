//! Changes of a program.

use ruff_text_size::{Ranged, TextRange};
use serde::{Deserialize, Serialize};

use crate::Program;

/// The kind of mistake that a change mends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The wrong comparison, such as `<` for `<=`.
    Comparison,
    /// The wrong operator, such as `+` for `-`.
    Operator,
    /// A number that is wrong.
    Number,
    /// `and`, `or` or `not` is wrong or missing.
    Logic,
    /// The wrong name.
    Name,
    /// One too far, or not far enough.
    OffByOne,
    /// A function ends without its value.
    MissingReturn,
    /// The wrong value is returned.
    ReturnValue,
    /// A value is printed instead of returned.
    PrintForReturn,
    /// A line is inside a block and belongs after it, or the other way round.
    Indentation,
    /// Two lines are in the wrong order.
    Order,
    /// A line does harm.
    ExtraLine,
    /// `if` for `elif`, or the other way round.
    ElseIf,
    /// Parentheses of a call are missing.
    MissingCall,
    /// A name begins with the wrong value.
    FirstValue,
    /// A loop that should end earlier.
    LeavesLoop,
    /// Two names for one list, where a copy is needed.
    Alias,
    /// The empty list or text is not handled.
    EmptyCase,
    /// A loop over the wrong thing: items for positions, or the other way round.
    LoopOver,
    /// A value of the wrong type.
    Conversion,
    /// A name that has no value, next to one that has.
    Misspelt,
    /// A result is thrown away, or None is kept instead.
    Result,
    /// The wrong part of a list or text.
    Slice,
    /// The last item is not handled when a loop ends.
    LastItem,
    /// Something is not done that belongs into a block: an item is not kept, or not counted.
    MissingLine,
}

impl Kind {
    /// How far down the kind is among beginners' mistakes: if several changes help, the one for a common mistake tells
    /// more. Another number can give one right result by chance; a line that does harm, or a case of its own, can hide
    /// any other mistake.
    pub(super) const fn rareness(self) -> u8 {
        match self {
            Self::Misspelt
            | Self::Comparison
            | Self::Logic
            | Self::OffByOne
            | Self::Slice
            | Self::LastItem => 0,
            Self::ExtraLine
            | Self::LeavesLoop
            | Self::EmptyCase
            | Self::ReturnValue
            | Self::MissingLine => 2,
            _ => 1,
        }
    }
}

/// Which part of a program is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Its functions, if a call gives the wrong value.
    Functions,
    /// All of it, if it prints the wrong text.
    Program,
}

/// A small change of a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The line of the change in the student's program, from 1.
    pub line: u32,
    /// The kind of mistake that the change would mend.
    pub kind: Kind,
    /// What is replaced: from and to which byte, and by what. In the order of the text, without overlap.
    pub edits: Vec<(usize, usize, String)>,
}

/// Most parameters of a function that are tried in one place.
pub(super) const MAX_PARAMETERS: usize = 8;

/// Replacements in the text.
pub(super) type Edits = Vec<(TextRange, String)>;

/// The changes so far.
pub(super) struct Changes<'p, 'a> {
    pub(super) program: &'p Program<'a>,
    pub(super) made: Vec<(TextRange, Kind, Edits)>,
}

impl Changes<'_, '_> {
    /// One replacement.
    pub(super) fn replace(&mut self, kind: Kind, place: impl Ranged, new: impl Into<String>) {
        let place = place.range();
        self.made.push((place, kind, vec![(place, new.into())]));
    }

    /// Replacements in several places; the mistake is at `place`.
    pub(super) fn edit(&mut self, kind: Kind, place: impl Ranged, edits: Edits) {
        self.made.push((place.range(), kind, edits));
    }
}
