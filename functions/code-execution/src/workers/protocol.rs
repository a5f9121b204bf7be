//! The protocol between a host and a worker process: frames of a length (4 bytes), the task's id (8 bytes), both
//! little-endian, and JSON.
//!
//! The id is outside of the JSON, so that a frame that cannot be written or read affects only its own task.

use std::io;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::sandbox::{Evaluated, Job, Run};

/// Bytes of the JSON of one frame: the longest value, trace, output and files, escaped, fit.
const MAX_FRAME: u32 = 16 << 20;
/// Not the id of a task: a worker has loaded its image and is ready.
pub(super) const READY: u64 = u64::MAX;
/// The id of a ping; there is one at a time.
pub(super) const PING: u64 = u64::MAX - 1;

/// Something to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Task {
    /// Run a student's program.
    Run(Box<Job>),
    /// Evaluate expressions that are not a student's.
    Values(Vec<String>),
    /// Show that turns are still taken.
    Ping,
}

/// The answer to a task.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    Run(Box<Run>),
    Values(Vec<Result<Evaluated, String>>),
    /// The answer to a ping.
    Pong,
    /// The task or its result cannot be put into a frame, or read from one.
    Unreadable,
}

/// From host to worker.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Order {
    Do(Task),
    /// Nobody waits for the answer any more.
    Cancel,
}

/// Why a frame cannot be written or read, while those after it can.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    #[error("the frame has {0} bytes, at most {MAX_FRAME} are allowed")]
    TooLong(usize),
    #[error("the frame's JSON cannot be written or read")]
    Json(#[from] serde_json::Error),
}

/// The next frame, with its task's id; `None` at the end.
pub(super) async fn read<T: DeserializeOwned>(
    stream: &mut (impl AsyncRead + Unpin),
) -> io::Result<Option<(u64, Result<T, FrameError>)>> {
    let length = match stream.read_u32_le().await {
        Ok(length) => length,
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    };
    let id = stream.read_u64_le().await?;
    if length > MAX_FRAME {
        tokio::io::copy(&mut stream.take(length.into()), &mut tokio::io::sink()).await?;
        return Ok(Some((id, Err(FrameError::TooLong(length as usize)))));
    }
    let mut json = vec![0; length as usize];
    stream.read_exact(&mut json).await?;
    Ok(Some((id, serde_json::from_slice(&json).map_err(FrameError::from))))
}

/// A frame, ready to be written.
pub(super) fn frame(id: u64, message: &impl Serialize) -> Result<Vec<u8>, FrameError> {
    let json = serde_json::to_vec(message)?;
    let length = u32::try_from(json.len()).ok().filter(|length| *length <= MAX_FRAME);
    let length = length.ok_or(FrameError::TooLong(json.len()))?;
    let mut frame = length.to_le_bytes().to_vec();
    frame.extend(id.to_le_bytes());
    frame.extend(json);
    Ok(frame)
}

/// Writes a frame.
pub(super) async fn write(stream: &mut (impl AsyncWrite + Unpin), frame: &[u8]) -> io::Result<()> {
    stream.write_all(frame).await?;
    stream.flush().await
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Answer, FrameError, MAX_FRAME, frame, read};

    fn bytes(id: u64, json: &[u8]) -> Vec<u8> {
        let length = u32::try_from(json.len()).expect("a length");
        [&length.to_le_bytes()[..], &id.to_le_bytes(), json].concat()
    }

    #[tokio::test]
    async fn a_frame_that_cannot_be_read_leaves_the_next_one_whole() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        let long = vec![b' '; MAX_FRAME as usize + 1];
        let good = frame(4, &json!({ "a": 1 })).expect("a frame");
        let stream = [bytes(1, deep.as_bytes()), bytes(2, &long), bytes(3, b"{"), good].concat();
        let mut stream = stream.as_slice();
        for id in 1..4 {
            let (found, read) = read::<Value>(&mut stream).await.expect("a frame").expect("one");
            assert_eq!(found, id);
            assert!(read.is_err(), "frame {id}");
        }
        let (id, good) = read::<Value>(&mut stream).await.expect("a frame").expect("one");
        assert_eq!((id, good.expect("it is read")), (4, json!({ "a": 1 })));
        assert!(read::<Value>(&mut stream).await.expect("an end").is_none());
    }

    #[test]
    fn what_is_too_long_is_not_written() {
        let answer = Answer::Values(vec![Err("\0".repeat(MAX_FRAME as usize / 6))]);
        assert!(matches!(frame(1, &answer), Err(FrameError::TooLong(_))));
    }
}
