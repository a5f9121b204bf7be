//! A program's output, in the order of writing, with a limit.

use std::sync::Arc;

use bytes::Bytes;
use domain::execution::{Stream, Written};
use parking_lot::Mutex;
use wasmtime_wasi::{
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamError, StreamResult},
};

use super::stop::Stop;

/// Bytes that a program may write, to both streams together: about 1,500 full lines, more than
/// anyone reads.
pub const MAX_OUTPUT: usize = 128 << 10;
/// How often a program may switch between the streams with its order preserved; switching at every byte, it could make
/// the host hold 128 Ki strings.
const MAX_PARTS: usize = 4_096;

/// Everything written so far.
#[derive(Debug, Default)]
pub(crate) struct Output {
    parts: Vec<(Stream, Vec<u8>)>,
    bytes: usize,
    stdout_characters: u32,
    pub(crate) truncated: bool,
}

impl Output {
    /// Appends what fits; returns whether all of it did.
    fn write(&mut self, stream: Stream, data: &[u8]) -> bool {
        let left = MAX_OUTPUT.saturating_sub(self.bytes);
        let kept = data.get(..left).unwrap_or(data);
        self.truncated |= kept.len() < data.len();
        self.bytes += kept.len();
        if stream == Stream::Stdout {
            let characters = kept.iter().filter(|byte| (**byte as i8) >= -0x40).count();
            let characters = u32::try_from(characters).unwrap_or(u32::MAX);
            self.stdout_characters = self.stdout_characters.saturating_add(characters);
        }
        let is_full = self.parts.len() >= MAX_PARTS;
        let mut last = self.parts.iter_mut().rev();
        // The last two parts are one of each stream.
        let part = if is_full { last.find(|part| part.0 == stream) } else { last.next() };
        match part {
            Some((last, text)) if *last == stream => text.extend_from_slice(kept),
            _ if kept.is_empty() => {}
            _ => self.parts.push((stream, kept.to_vec())),
        }
        !self.truncated
    }

    /// Characters of standard output, in UTF-8.
    pub(crate) const fn stdout_characters(&self) -> u32 {
        self.stdout_characters
    }

    /// The parts in the order of writing; what is not UTF-8 is replaced by U+FFFD.
    pub(crate) fn into_parts(self) -> Vec<Written> {
        let text = |bytes: Vec<u8>| match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        };
        let written = |(stream, bytes)| Written { stream, text: text(bytes) };
        self.parts.into_iter().map(written).collect()
    }
}

/// One of the program's streams.
#[derive(Debug, Clone)]
pub(crate) struct Sink {
    pub(crate) stream: Stream,
    pub(crate) output: Arc<Mutex<Output>>,
}

impl IsTerminal for Sink {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Sink {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        // Only components of WASI 0.3 ask for it; ours is not one.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Sink {
    async fn ready(&mut self) {}
}

impl OutputStream for Sink {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        if self.output.lock().write(self.stream, &bytes) {
            Ok(())
        } else {
            Err(StreamError::Trap(Stop::OutputLimit.into()))
        }
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(MAX_OUTPUT)
    }
}
