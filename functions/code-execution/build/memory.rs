//! Rearranges the snapshot of the interpreter's memory so that a program dirties few pages: each dirty page must be
//! reset after the run.

use std::collections::HashSet;

use anyhow::{Context as _, Result, ensure};

/// Begins the list of objects that `guest/layout.py` leaves.
const OBJECTS: [u32; 4] = [0x4D4D_4F52, 0x5441_4C53, 0x424F_4A45, 0x4354_5321];
/// The reference count of an object that lives forever (`_Py_IMMORTAL_INITIAL_REFCNT` of 3.14 where pointers have 32
/// bits).
const IMMORTAL: u32 = 5 << 28;
/// More references than any object has; where an object was freed, an address can be instead.
const MAX_COUNT: u32 = 500_000;
/// Fewer objects than the image has.
const FEW_OBJECTS: usize = 100_000;

/// Positions in the state of the allocator, `malloc_state` of dlmalloc 2.8.6, in words.
mod state {
    pub(super) const SMALL_MAP: u32 = 0;
    pub(super) const TREE_MAP: u32 = 1;
    pub(super) const VICTIM_SIZE: u32 = 2;
    pub(super) const TOP_SIZE: u32 = 3;
    pub(super) const VICTIM: u32 = 5;
    pub(super) const TOP: u32 = 6;
    pub(super) const SMALL_BINS: u32 = 10;
    pub(super) const TREE_BINS: u32 = 76;
    pub(super) const SEGMENT: u32 = 112;
    pub(super) const NEXT_SEGMENT: u32 = 114;
}
/// Bins of small chunks, and of large ones.
const BINS: u32 = 32;
/// Alignment of all chunks in bytes, after the two words of their header.
const ALIGNMENT: u32 = 16;
/// Bytes that `guest/layout.py` leaves free in one place.
const ROOM: u32 = 4 << 20;
/// Flags next to the size of a chunk: the chunk before it is in use, and it is itself.
const TAKEN_BEFORE: u32 = 1;
const TAKEN: u32 = 2;
const FLAGS: u32 = 7;

/// The memory of an interpreter.
pub(crate) struct Memory(Vec<u8>);

impl Memory {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    fn get(&self, address: u32) -> Option<u32> {
        let place = address as usize;
        Some(u32::from_le_bytes(self.0.get(place..place.checked_add(4)?)?.try_into().ok()?))
    }

    fn set(&mut self, address: u32, value: u32) -> Result<()> {
        let place = address as usize;
        let word = self.0.get_mut(place..place + 4).context("an address is outside of memory")?;
        word.copy_from_slice(&value.to_le_bytes());
        Ok(())
    }

    /// Makes all objects of the image immortal, as the interpreter's own are: otherwise counting a reference dirties a
    /// page.
    pub(crate) fn make_objects_immortal(&mut self) -> Result<()> {
        let mark: Vec<u8> = OBJECTS.iter().flat_map(|word| word.to_le_bytes()).collect();
        let start = memchr::memmem::find(&self.0, &mark).context("there is no list")? + mark.len();
        let (words, _) = self.0.get(start..).unwrap_or_default().as_chunks::<4>();
        let mut words = words.iter().map(|word| u32::from_le_bytes(*word));
        let types: HashSet<u32> = words.by_ref().take_while(|word| *word > 0).collect();
        let objects: Vec<u32> = words.take_while(|word| *word > 0).collect();
        let mut immortal = 0;
        for object in objects {
            // A few were freed since they were listed.
            let (Some(count), Some(kind)) = (self.get(object), self.get(object + 4)) else {
                continue;
            };
            if (1..MAX_COUNT).contains(&count) && types.contains(&kind) {
                self.set(object, IMMORTAL)?;
                immortal += 1;
            }
        }
        ensure!(immortal > FEW_OBJECTS, "{immortal} objects were found");
        Ok(())
    }

    /// Allocates the thousands of free chunks between live objects, all but the largest, so that a program's own
    /// objects lie together.
    pub(crate) fn take_free_pieces(&mut self) -> Result<()> {
        let state = self.allocator().context("the state of the allocator is not found")?;
        let of_state = |word: u32| state + 4 * word;
        let field = |memory: &Self, word| memory.get(of_state(word)).context("no allocator");
        ensure!(field(self, state::NEXT_SEGMENT)? == 0, "the heap has several parts");
        let top = field(self, state::TOP)?;
        let mut pieces = self.pieces(field(self, state::SEGMENT)?, top)?;
        let free = pieces.iter().filter(|(_, head)| head & TAKEN == 0);
        let (room, size) = free
            .map(|(piece, head)| (*piece, head & !FLAGS))
            .max_by_key(|(_, size)| *size)
            .filter(|(_, size)| *size > field(self, state::TOP_SIZE).unwrap_or(0))
            .unwrap_or((0, 0));
        ensure!(size.max(field(self, state::TOP_SIZE)?) >= ROOM, "there is no room in one place");
        pieces.push((top, self.get(top + 4).context("the heap ends early")? & !FLAGS));
        let mut taken_before = TAKEN_BEFORE;
        for (piece, head) in pieces {
            let taken = if piece == room || piece == top { 0 } else { TAKEN };
            self.set(piece + 4, (head & !FLAGS) | taken | taken_before)?;
            taken_before = taken >> 1;
        }
        // The remainder of the last split chunk, from which the next is split.
        self.set(of_state(state::VICTIM), room)?;
        self.set(of_state(state::VICTIM_SIZE), size)?;
        self.set(of_state(state::SMALL_MAP), 0)?;
        self.set(of_state(state::TREE_MAP), 0)?;
        for number in 0..BINS {
            let bin = small_bin(state, number);
            self.set(bin + 8, bin)?;
            self.set(bin + 12, bin)?;
            self.set(of_state(state::TREE_BINS + number), 0)?;
        }
        Ok(())
    }

    /// All chunks of the heap up to `top`, with their sizes and flags.
    fn pieces(&self, heap: u32, top: u32) -> Result<Vec<(u32, u32)>> {
        let mut piece = (heap + 8).next_multiple_of(ALIGNMENT) - 8;
        let mut pieces = Vec::new();
        while piece < top {
            let head = self.get(piece + 4).context("the heap ends early")?;
            ensure!(head & !FLAGS >= ALIGNMENT, "there is no piece at {piece:#x}");
            pieces.push((piece, head));
            piece += head & !FLAGS;
        }
        ensure!(piece == top, "the last piece has no end");
        Ok(pieces)
    }

    /// Every other small bin is empty, since no chunk has that size, and an empty bin points to itself.
    fn allocator(&self) -> Option<u32> {
        let is_one = |state: &u32| {
            (1..BINS).step_by(2).all(|number| {
                let bin = small_bin(*state, number);
                self.get(bin + 8) == Some(bin) && self.get(bin + 12) == Some(bin)
            })
        };
        (0..u32::try_from(self.0.len()).ok()?).step_by(4).find(is_one)
    }
}

/// A small bin, as the pointer to a chunk that it is used as.
const fn small_bin(state: u32, number: u32) -> u32 {
    state + 4 * state::SMALL_BINS + 8 * number
}
