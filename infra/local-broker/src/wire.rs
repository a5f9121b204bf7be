//! Lengths from the wire, checked before anything is allocated for them.
//!
//! The protocol's crate reserves memory for as many elements as an array claims to have, and would abort the process
//! for a few bytes that claim two billion. So a request is parsed twice, the first time treating impossible lengths as
//! errors.

use bytes::{Buf, Bytes, TryGetError};
use kafka_protocol::protocol::{Decodable, buf::ByteBuf};

/// Refused as the length of an array or of bytes, and harmless as any other number, since the result is discarded.
const NO_LENGTH: i32 = -2;

/// Reads a message that is no larger in memory than its bytes justify: no array has more elements than there
/// are bytes left.
pub(crate) fn decode<R: Decodable>(bytes: &mut Bytes, version: i16) -> anyhow::Result<R> {
    R::decode(&mut Trial(bytes.clone()), version)?;
    R::decode(bytes, version)
}

/// The first reading.
struct Trial(Bytes);

impl Buf for Trial {
    fn remaining(&self) -> usize {
        self.0.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.0.chunk()
    }

    fn advance(&mut self, count: usize) {
        self.0.advance(count);
    }

    /// May be a length; most are timeouts, partition numbers and the like.
    fn try_get_i32(&mut self) -> Result<i32, TryGetError> {
        let value = self.0.try_get_i32()?;
        let too_long = usize::try_from(value).is_ok_and(|length| length > self.0.remaining());
        Ok(if too_long { NO_LENGTH } else { value })
    }

    /// May begin a length of the compact form (KIP-482), which counts one more than there is.
    fn try_get_u8(&mut self) -> Result<u8, TryGetError> {
        let length = unsigned_varint(self.0.chunk());
        let first = self.0.try_get_u8()?;
        let available = self.0.remaining();
        // A single byte cannot claim much, and is more often a flag or a field number.
        if first & CONTINUES != 0 && length > available + 1 {
            return Err(TryGetError { requested: length, available });
        }
        Ok(first)
    }
}

impl ByteBuf for Trial {
    fn peek_bytes(&mut self, range: std::ops::Range<usize>) -> Bytes {
        self.0.slice(range)
    }

    fn get_bytes(&mut self, size: usize) -> Bytes {
        self.0.split_to(size)
    }
}

/// The bit of a varint's byte that says that another one follows.
const CONTINUES: u8 = 0x80;

/// The number that begins here, even if it is cut short.
fn unsigned_varint(bytes: &[u8]) -> usize {
    let mut value = 0;
    for (position, byte) in bytes.iter().take(5).enumerate() {
        value |= usize::from(byte & !CONTINUES) << (7 * position);
        if byte & CONTINUES == 0 {
            break;
        }
    }
    value
}
