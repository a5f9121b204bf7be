//! Finds where a program was when it was stopped, by reading its interpreter's memory.
//!
//! CPython describes its structures for external debuggers: `_Py_DebugOffsets` at the start of `_PyRuntime`
//! (`Include/internal/pycore_debug_offsets.h` of 3.14). No code of the program runs for this, and nothing that it
//! changes from Python can affect what is read.

use std::sync::OnceLock;

/// The first bytes of the description.
const COOKIE: &[u8; 8] = b"xdebugpy";
/// Python 3.14, any patch and release level.
const VERSION: u64 = 0x030E;
/// Most frames that are read, innermost first.
const MAX_FRAMES: usize = 64;
/// Most characters of a name.
const MAX_NAME: usize = 200;
/// Low bits of a stack reference, which say how it is counted (`Py_TAG_BITS`).
const TAG: u32 = 0b11;

/// The name of a code object's type.
const CODE: &[u8; 5] = b"code\0";

/// One call in the program, as a traceback would name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) file: String,
    pub(crate) function: String,
    pub(crate) line: Option<u32>,
}

/// Positions in the description, in 8-byte words from its start.
mod word {
    pub(super) const INTERPRETERS_HEAD: usize = 5;
    pub(super) const THREADS_HEAD: usize = 9;
    pub(super) const CURRENT_FRAME: usize = 26;
    pub(super) const FRAME_PREVIOUS: usize = 32;
    pub(super) const FRAME_EXECUTABLE: usize = 33;
    pub(super) const FRAME_INSTRUCTION: usize = 34;
    pub(super) const CODE_FILENAME: usize = 40;
    pub(super) const CODE_QUALIFIED_NAME: usize = 42;
    pub(super) const CODE_LINE_TABLE: usize = 43;
    pub(super) const CODE_FIRST_LINE: usize = 44;
    pub(super) const CODE_INSTRUCTIONS: usize = 48;
    pub(super) const OBJECT_TYPE: usize = 51;
    pub(super) const TYPE_NAME: usize = 53;
}

/// The memory of an interpreter, with the way through it.
struct Interpreter<'m> {
    memory: &'m [u8],
    runtime: u32,
}

/// Where every interpreter of an image has its runtime, once one was searched for it.
pub(crate) type RuntimeAddress = OnceLock<u32>;

/// The Python stack in `memory`, innermost frame first; empty if none is found.
pub(crate) fn read(memory: &[u8], address: &RuntimeAddress) -> Vec<Frame> {
    let runtime = *address.get_or_init(|| find(memory).unwrap_or(0));
    Interpreter { memory, runtime }.frames().unwrap_or_default()
}

fn find(memory: &[u8]) -> Option<u32> {
    memchr::memmem::find_iter(memory, COOKIE).find_map(|position| {
        let runtime = u32::try_from(position).ok()?;
        let version = Interpreter { memory, runtime }.described(1)? >> 16;
        (version == VERSION).then_some(runtime)
    })
}

impl Interpreter<'_> {
    fn bytes(&self, address: u32, length: usize) -> Option<&[u8]> {
        let start = address as usize;
        self.memory.get(start..start.checked_add(length)?)
    }

    fn pointer(&self, address: u32) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes(address, 4)?.try_into().ok()?))
    }

    /// A word of the description.
    fn described(&self, word: usize) -> Option<u64> {
        let address = self.runtime.checked_add(u32::try_from(word * 8).ok()?)?;
        Some(u64::from_le_bytes(self.bytes(address, 8)?.try_into().ok()?))
    }

    /// The pointer in a field that the description names.
    fn field(&self, object: u32, word: usize) -> Option<u32> {
        self.pointer(self.address_of(object, word)?)
    }

    fn address_of(&self, object: u32, word: usize) -> Option<u32> {
        object.checked_add(u32::try_from(self.described(word)?).ok()?)
    }

    fn frames(&self) -> Option<Vec<Frame>> {
        if self.bytes(self.runtime, COOKIE.len())? != COOKIE {
            return None;
        }
        let interpreter = self.field(self.runtime, word::INTERPRETERS_HEAD)?;
        let thread = self.field(interpreter, word::THREADS_HEAD)?;
        let mut frame = self.field(thread, word::CURRENT_FRAME)?;
        let mut frames = Vec::new();
        let mut steps = 0;
        while frame != 0 && frames.len() < MAX_FRAMES && steps < 4 * MAX_FRAMES {
            steps += 1;
            frames.extend(self.frame(frame));
            frame = self.field(frame, word::FRAME_PREVIOUS)?;
        }
        Some(frames)
    }

    /// `None` for frames of the interpreter's own, which run no code object.
    fn frame(&self, frame: u32) -> Option<Frame> {
        let code = self.field(frame, word::FRAME_EXECUTABLE)? & !TAG;
        let class = self.field(code, word::OBJECT_TYPE)?;
        if self.bytes(self.field(class, word::TYPE_NAME)?, CODE.len())? != CODE {
            return None;
        }
        let file = self.text(self.field(code, word::CODE_FILENAME)?)?;
        let function = self.text(self.field(code, word::CODE_QUALIFIED_NAME)?)?;
        let instructions = self.address_of(code, word::CODE_INSTRUCTIONS)?;
        let instruction = self.field(frame, word::FRAME_INSTRUCTION)?;
        let line =
            instruction.checked_sub(instructions).and_then(|offset| self.line(code, offset / 2));
        Some(Frame { file, function, line })
    }

    /// An ASCII string; others are shown as `?`, since their layout is not described.
    fn text(&self, object: u32) -> Option<String> {
        // PyASCIIObject: reference count, type, length, hash, state, characters.
        let length = (self.pointer(object.checked_add(8)?)? as usize).min(MAX_NAME);
        let state = self.pointer(object.checked_add(16)?)?;
        let characters = object.checked_add(20)?;
        // `interned` has 2 bits, then `kind` 3, `compact` 1, `ascii` 1.
        let (kind, ascii) = ((state >> 2) & 0b111, (state >> 6) & 1);
        if kind != 1 || ascii != 1 {
            return Some("?".to_owned());
        }
        let bytes = self.bytes(characters, length)?;
        bytes.is_ascii().then(|| String::from_utf8_lossy(bytes).into_owned())
    }

    /// The line of an instruction (`Objects/locations.md` of CPython).
    fn line(&self, code: u32, instruction: u32) -> Option<u32> {
        let table = self.field(code, word::CODE_LINE_TABLE)?;
        // PyBytesObject: reference count, type, size, hash, bytes.
        let size = self.pointer(table.checked_add(8)?)? as usize;
        let mut entries = self.bytes(table.checked_add(16)?, size)?.iter().copied();
        let mut line = i64::from(self.field(code, word::CODE_FIRST_LINE)?);
        let mut end = 0u32;
        while let Some(first) = entries.next() {
            let form = (first >> 3) & 0b1111;
            end = end.saturating_add(u32::from(first & 0b111) + 1);
            let mut known = true;
            match form {
                0..=9 => drop(entries.next()),
                10..=12 => {
                    line = line.saturating_add(i64::from(form - 10));
                    entries.next();
                    entries.next();
                }
                13 => line = line.saturating_add(signed(&mut entries)?),
                14 => {
                    line = line.saturating_add(signed(&mut entries)?);
                    for _ in 0..3 {
                        varint(&mut entries)?;
                    }
                }
                _ => known = false,
            }
            if instruction < end {
                return if known { u32::try_from(line).ok() } else { None };
            }
        }
        None
    }
}

fn varint(entries: &mut impl Iterator<Item = u8>) -> Option<u32> {
    let mut value = 0;
    for shift in (0..30).step_by(6) {
        let byte = entries.next()?;
        value |= u32::from(byte & 0b11_1111) << shift;
        if byte & 0b100_0000 == 0 {
            return Some(value);
        }
    }
    None
}

fn signed(entries: &mut impl Iterator<Item = u8>) -> Option<i64> {
    let value = varint(entries)?;
    let magnitude = i64::from(value >> 1);
    Some(if value & 1 == 1 { -magnitude } else { magnitude })
}
