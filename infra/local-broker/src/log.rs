//! A partition: an append-only file of record batches, stored as the producer made them.

use std::{
    collections::{HashMap, VecDeque},
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use bytes::{Bytes, BytesMut};

use crate::records;

/// Bytes before a batch's records (Kafka protocol, "Record Batch", magic 2).
const HEADER_LEN: usize = 61;
/// Bytes of `baseOffset` and `batchLength`, which the length does not count.
const LENGTH_PREFIX: usize = 12;
/// The CRC covers everything from the attributes on.
const CRC_FROM: usize = 21;
/// The attribute bit of a transaction's batch.
const TRANSACTIONAL: i16 = 0x10;
/// Recent batches remembered for each producer, as many as a client may have in flight.
const REMEMBERED_BATCHES: usize = 5;

/// Why a batch is not appended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum AppendError {
    UnknownPartition,
    TooLarge,
    Corrupt,
    Invalid,
    UnsupportedFormat,
    Transactional,
    OutOfOrder,
    StaleProducer,
    Io,
}

/// A batch's header.
#[derive(Debug, Clone, Copy)]
struct Header {
    base_offset: i64,
    len: usize,
    last_offset_delta: i32,
    records: i32,
    base_timestamp: i64,
    max_timestamp: i64,
    producer_id: i64,
    producer_epoch: i16,
    base_sequence: i32,
}

/// Where a batch is in the file.
#[derive(Debug, Clone, Copy)]
struct Entry {
    base_offset: i64,
    last_offset: i64,
    base_timestamp: i64,
    max_timestamp: i64,
    position: u64,
    len: usize,
}

#[derive(Debug, Default)]
struct ProducerState {
    epoch: i16,
    batches: VecDeque<KnownBatch>,
}

/// A recent batch of a producer, to recognise duplicates.
#[derive(Debug)]
struct KnownBatch {
    first_sequence: i32,
    last_sequence: i32,
    base_offset: i64,
}

/// A partition's records.
#[derive(Debug)]
pub(crate) struct PartitionLog {
    file: File,
    /// The file that stores `start`.
    start_path: PathBuf,
    /// The first offset; records before it were deleted.
    start: i64,
    entries: Vec<Entry>,
    end: u64,
    producers: HashMap<i64, ProducerState>,
}

impl PartitionLog {
    /// Opens a log, rebuilding its index; a tail that a crash left half written is cut off.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let len = file.metadata()?.len();
        let start_path = path.with_extension("start");
        let mut log = Self {
            file,
            start_path,
            start: 0,
            entries: Vec::new(),
            end: 0,
            producers: HashMap::new(),
        };
        let mut head = [0; HEADER_LEN];
        while log.end + HEADER_LEN as u64 <= len {
            log.file.read_exact_at(&mut head, log.end)?;
            let Some(header) = parse(&head) else { break };
            if log.end + header.len as u64 > len || header.base_offset != log.next_offset() {
                break;
            }
            let mut batch = vec![0; header.len];
            log.file.read_exact_at(&mut batch, log.end)?;
            if !crc_matches(&batch) {
                break;
            }
            log.note(header, header.base_offset);
        }
        if log.end < len {
            tracing::warn!(path = %path.display(), cut = len - log.end, "cutting off a torn tail");
            log.file.set_len(log.end)?;
        }
        if let Ok(start) = fs::read_to_string(&log.start_path) {
            log.start = start.trim().parse().unwrap_or(0).clamp(0, log.next_offset());
        }
        Ok(log)
    }

    /// The first offset.
    pub(crate) const fn start_offset(&self) -> i64 {
        self.start
    }

    /// Deletes all records before `offset`, as far as clients can see: the space is not freed.
    pub(crate) fn delete_before(&mut self, offset: i64) -> io::Result<()> {
        if offset <= self.start {
            return Ok(());
        }
        let new = self.start_path.with_extension("start.new");
        fs::write(&new, offset.to_string())?;
        fs::rename(new, &self.start_path)?;
        self.start = offset;
        Ok(())
    }

    /// The offset that the next record gets.
    pub(crate) fn next_offset(&self) -> i64 {
        self.entries.last().map_or(0, |entry| entry.last_offset + 1)
    }

    /// Appends a batch of at most `limit` bytes; returns its base offset. A duplicate is not appended again and yields
    /// its existing offset.
    pub(crate) fn append(&mut self, batch: &[u8], limit: usize) -> Result<i64, AppendError> {
        let header = parse_incoming(batch, limit)?;
        match self.duplicate_of(&header)? {
            Some(offset) => Ok(offset),
            None => self.append_batch(&header, batch),
        }
    }

    fn append_batch(&mut self, header: &Header, batch: &[u8]) -> Result<i64, AppendError> {
        let base_offset = self.next_offset();
        let mut stored = BytesMut::from(batch);
        stored[..8].copy_from_slice(&base_offset.to_be_bytes());
        // The leader epoch, which the CRC does not cover either: there is only one leader.
        stored[12..16].copy_from_slice(&0_i32.to_be_bytes());
        self.file.write_all_at(&stored, self.end).map_err(|error| {
            tracing::error!(%error, "a batch cannot be written");
            AppendError::Io
        })?;
        self.note(*header, base_offset);
        Ok(base_offset)
    }

    fn note(&mut self, header: Header, base_offset: i64) {
        self.entries.push(Entry {
            base_offset,
            last_offset: base_offset + i64::from(header.last_offset_delta),
            base_timestamp: header.base_timestamp,
            max_timestamp: header.max_timestamp,
            position: self.end,
            len: header.len,
        });
        self.end += header.len as u64;
        if header.producer_id >= 0 {
            let state = self.producers.entry(header.producer_id).or_default();
            if state.epoch != header.producer_epoch {
                *state = ProducerState { epoch: header.producer_epoch, ..ProducerState::default() };
            }
            if state.batches.len() == REMEMBERED_BATCHES {
                state.batches.pop_front();
            }
            state.batches.push_back(KnownBatch {
                first_sequence: header.base_sequence,
                last_sequence: header.last_sequence(),
                base_offset,
            });
        }
    }

    /// Checks an idempotent producer's sequence: `Some` offset if the batch is a duplicate.
    fn duplicate_of(&self, header: &Header) -> Result<Option<i64>, AppendError> {
        let Some(state) = self.producers.get(&header.producer_id) else { return Ok(None) };
        if header.producer_epoch < state.epoch {
            return Err(AppendError::StaleProducer);
        }
        if header.producer_epoch > state.epoch {
            return if header.base_sequence == 0 { Ok(None) } else { Err(AppendError::OutOfOrder) };
        }
        let same = state.batches.iter().find(|batch| {
            batch.first_sequence == header.base_sequence
                && batch.last_sequence == header.last_sequence()
        });
        if let Some(same) = same {
            return Ok(Some(same.base_offset));
        }
        match state.batches.back() {
            // Sequences wrap from the largest number to 0.
            Some(last)
                if header.base_sequence != last.last_sequence.checked_add(1).unwrap_or(0) =>
            {
                Err(AppendError::OutOfOrder)
            }
            _ => Ok(None),
        }
    }

    /// Whole batches from the one that holds `offset` on, at most `max_bytes` but at least one; empty
    /// at the end of the log.
    pub(crate) fn read(&self, offset: i64, max_bytes: usize) -> io::Result<Bytes> {
        let from = self.entries.partition_point(|entry| entry.last_offset < offset);
        let Some(first) = self.entries.get(from) else { return Ok(Bytes::new()) };
        let mut len = first.len;
        for entry in &self.entries[from + 1..] {
            if len + entry.len > max_bytes {
                break;
            }
            len += entry.len;
        }
        let mut records = vec![0; len];
        self.file.read_exact_at(&mut records, first.position)?;
        Ok(records.into())
    }

    /// The first record of `timestamp` or later: its offset and time. Compressed batches are not decoded, so a client
    /// may get a few earlier records of one.
    pub(crate) fn offset_for_time(&self, timestamp: i64) -> io::Result<Option<(i64, i64)>> {
        let late_enough = |entry: &&Entry| entry.max_timestamp >= timestamp;
        let Some(entry) = self.visible().find(late_enough) else { return Ok(None) };
        let mut batch = vec![0; entry.len];
        self.file.read_exact_at(&mut batch, entry.position)?;
        let wanted = timestamp.saturating_sub(entry.base_timestamp);
        let first = self.start.saturating_sub(entry.base_offset);
        let found = records::find(&batch, HEADER_LEN, wanted, first);
        Ok(Some(match found {
            Some((offset, time)) => (
                entry.base_offset.saturating_add(offset),
                entry.base_timestamp.saturating_add(time),
            ),
            None => {
                let time = entry.base_timestamp.max(timestamp.min(entry.max_timestamp));
                (entry.base_offset.max(self.start), time)
            }
        }))
    }

    /// The last record of the batch with the latest timestamp, and that timestamp.
    pub(crate) fn offset_of_latest(&self) -> Option<(i64, i64)> {
        // Of several the first, as in Kafka.
        let latest = self.visible().rev().max_by_key(|entry| entry.max_timestamp)?;
        Some((latest.last_offset, latest.max_timestamp))
    }

    fn visible(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.last_offset >= self.start)
    }
}

impl Header {
    fn last_sequence(&self) -> i32 {
        self.base_sequence.wrapping_add(self.last_offset_delta) & i32::MAX
    }
}

fn parse(bytes: &[u8]) -> Option<Header> {
    let at = |from: usize, len: usize| bytes.get(from..from + len);
    let long = |from| at(from, 8).and_then(|b| b.try_into().ok()).map(i64::from_be_bytes);
    let int = |from| at(from, 4).and_then(|b| b.try_into().ok()).map(i32::from_be_bytes);
    let short = |from| at(from, 2).and_then(|b| b.try_into().ok()).map(i16::from_be_bytes);
    let len = usize::try_from(int(8)?).ok()?.checked_add(LENGTH_PREFIX)?;
    let last_offset_delta = int(23)?;
    (len >= HEADER_LEN && last_offset_delta >= 0).then_some(Header {
        base_offset: long(0)?,
        len,
        last_offset_delta,
        records: int(57)?,
        base_timestamp: long(27)?,
        max_timestamp: long(35)?,
        producer_id: long(43)?,
        producer_epoch: short(51)?,
        base_sequence: int(53)?,
    })
}

fn parse_incoming(bytes: &[u8], limit: usize) -> Result<Header, AppendError> {
    if bytes.get(16).is_some_and(|magic| *magic != 2) {
        return Err(AppendError::UnsupportedFormat);
    }
    let header = parse(bytes).filter(|header| header.len <= bytes.len());
    let header = header.ok_or(AppendError::Corrupt)?;
    if header.len > limit {
        return Err(AppendError::TooLarge);
    }
    // One batch in a request for each partition, and an offset for each of its records, as in Kafka.
    if header.len != bytes.len()
        || i64::from(header.records) != i64::from(header.last_offset_delta) + 1
    {
        return Err(AppendError::Invalid);
    }
    if !crc_matches(bytes) {
        return Err(AppendError::Corrupt);
    }
    if i16::from_be_bytes([bytes[21], bytes[22]]) & TRANSACTIONAL != 0 {
        return Err(AppendError::Transactional);
    }
    Ok(header)
}

fn crc_matches(batch: &[u8]) -> bool {
    let stored = u32::from_be_bytes([batch[17], batch[18], batch[19], batch[20]]);
    crc32c::crc32c(&batch[CRC_FROM..]) == stored
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{AppendError, HEADER_LEN, PartitionLog};

    const LIMIT: usize = 1_000;

    fn batch(producer: i64, epoch: i16, sequence: i32, records: i32) -> Bytes {
        let mut bytes = vec![0; HEADER_LEN + 9];
        let len = i32::try_from(bytes.len() - 12).unwrap();
        bytes[8..12].copy_from_slice(&len.to_be_bytes());
        bytes[16] = 2;
        bytes[23..27].copy_from_slice(&(records - 1).to_be_bytes());
        bytes[43..51].copy_from_slice(&producer.to_be_bytes());
        bytes[51..53].copy_from_slice(&epoch.to_be_bytes());
        bytes[53..57].copy_from_slice(&sequence.to_be_bytes());
        bytes[57..61].copy_from_slice(&records.to_be_bytes());
        let crc = crc32c::crc32c(&bytes[21..]);
        bytes[17..21].copy_from_slice(&crc.to_be_bytes());
        bytes.into()
    }

    #[test]
    fn an_idempotent_producer_is_kept_in_order_across_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut log = PartitionLog::open(&path).unwrap();
        assert_eq!(log.append(&batch(7, 0, 0, 3), LIMIT), Ok(0));
        assert_eq!(log.append(&batch(7, 0, 3, 2), LIMIT), Ok(3));
        drop(log);
        let mut log = PartitionLog::open(&path).unwrap();
        assert_eq!(log.append(&batch(7, 0, 3, 2), LIMIT), Ok(3), "sent again");
        assert_eq!(log.append(&batch(7, 0, 9, 1), LIMIT), Err(AppendError::OutOfOrder), "a gap");
        assert_eq!(log.append(&batch(7, 1, 0, 1), LIMIT), Ok(5), "a new epoch");
        assert_eq!(log.append(&batch(7, 0, 5, 1), LIMIT), Err(AppendError::StaleProducer));
        assert_eq!(log.next_offset(), 6);
    }

    #[test]
    fn a_torn_tail_is_cut_and_a_damaged_batch_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let mut log = PartitionLog::open(&path).unwrap();
        log.append(&batch(-1, -1, -1, 1), LIMIT).unwrap();
        drop(log);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes.extend(&batch(-1, -1, -1, 1)[..40]);
        std::fs::write(&path, &bytes).unwrap();
        let mut log = PartitionLog::open(&path).unwrap();
        assert_eq!(log.next_offset(), 1);
        let mut damaged = batch(-1, -1, -1, 1).to_vec();
        damaged[HEADER_LEN] ^= 1;
        assert_eq!(log.append(&damaged, LIMIT), Err(AppendError::Corrupt));
        assert_eq!(log.append(&batch(-1, -1, -1, 1), LIMIT), Ok(1));
    }
    #[test]
    fn a_batch_over_the_limit_or_with_miscounted_records_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let mut log = PartitionLog::open(&dir.path().join("log")).unwrap();
        let good = batch(-1, -1, -1, 1);
        assert_eq!(log.append(&good, good.len() - 1), Err(AppendError::TooLarge));
        assert_eq!(log.append(&good, good.len()), Ok(0));
        let two = [&good[..], &good].concat();
        assert_eq!(log.append(&two, LIMIT), Err(AppendError::Invalid));
        let mut claims = good.to_vec();
        claims[23..27].copy_from_slice(&i32::MAX.to_be_bytes());
        assert_eq!(log.append(&claims, LIMIT), Err(AppendError::Invalid));
        assert_eq!(log.append(&[], LIMIT), Err(AppendError::Corrupt));
        assert_eq!(log.next_offset(), 1);
    }

    #[test]
    fn deleted_records_stay_deleted_over_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("0.log");
        let mut log = PartitionLog::open(&path).unwrap();
        for _ in 0..3 {
            log.append(&batch(-1, -1, -1, 2), LIMIT).unwrap();
        }
        log.delete_before(3).unwrap();
        log.delete_before(1).unwrap();
        let log = PartitionLog::open(&path).unwrap();
        assert_eq!((log.start_offset(), log.next_offset()), (3, 6));
        assert_eq!(log.offset_for_time(0).unwrap(), Some((3, 0)));
    }
}
