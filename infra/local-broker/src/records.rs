//! The records inside a batch, parsed only to search by time: the broker does not change batches.

/// The bits of a batch's attributes that name its compression; 0 is none.
const COMPRESSION: u8 = 0x07;
/// The position of the second byte of a batch's attributes.
const ATTRIBUTES: usize = 22;
/// Longest varint of 64 bits.
const VARINT_LIMIT: usize = 10;

/// The first record of `timestamp` or later that has `offset` or a later one: its offset and time, both relative to the
/// batch's first. `None` if there is none, or if the batch cannot be decoded, as when it is compressed.
pub(crate) fn find(
    batch: &[u8],
    header_len: usize,
    timestamp: i64,
    offset: i64,
) -> Option<(i64, i64)> {
    if batch.get(ATTRIBUTES)? & COMPRESSION != 0 {
        return None;
    }
    let mut rest = batch.get(header_len..)?;
    loop {
        let len = usize::try_from(varint(&mut rest)?).ok()?;
        let (record, others) = rest.split_at_checked(len)?;
        let mut fields = record.get(1..)?;
        let (time, position) = (varint(&mut fields)?, varint(&mut fields)?);
        if time >= timestamp && position >= offset {
            return Some((position, time));
        }
        rest = others;
    }
}

/// A zigzag number of variable length.
fn varint(bytes: &mut &[u8]) -> Option<i64> {
    let mut value = 0_u64;
    for position in 0..VARINT_LIMIT {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << (7 * position);
        if byte & 0x80 == 0 {
            let half = i64::try_from(value >> 1).ok()?;
            return Some(if value & 1 == 0 { half } else { -half - 1 });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{find, varint};

    proptest! {
        #[test]
        fn damaged_records_are_not_found(batch: Vec<u8>, header: usize, timestamp: i64, offset: i64) {
            find(&batch, header % 64, timestamp, offset);
        }
    }

    #[test]
    fn numbers_are_zigzag() {
        let read = |mut bytes: &[u8]| varint(&mut bytes);
        assert_eq!([read(&[0]), read(&[1]), read(&[2])], [Some(0), Some(-1), Some(1)]);
        assert_eq!(read(&[0xac, 0x02]), Some(150));
        assert_eq!(read(&[0xff; 9].into_iter().chain([1]).collect::<Vec<_>>()), Some(i64::MIN));
        assert_eq!((read(&[0x80]), read(&[0x80; 11])), (None, None));
    }

    #[test]
    fn the_first_record_late_enough_is_found() {
        // Two records, 5 and 20 ms after the first time: length, attributes, time, offset, and the rest.
        let records = [&[0; 61][..], &[8, 0, 10, 0, 1], &[10, 0, 40, 2, 1, 1]].concat();
        let found = |timestamp, offset| find(&records, 61, timestamp, offset);
        assert_eq!(found(0, 0), Some((0, 5)));
        assert_eq!(found(6, 0), Some((1, 20)));
        assert_eq!(found(0, 1), Some((1, 20)));
        assert_eq!(found(21, 0), None);
        let mut compressed = records.clone();
        compressed[22] = 4;
        assert_eq!(find(&compressed, 61, 0, 0), None);
    }
}
