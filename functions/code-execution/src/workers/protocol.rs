//! What a host and a worker process say to each other: frames of a length, 4 bytes little-endian, and
//! JSON.

use std::io;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::sandbox::{Called, Job, Run};

/// Bytes of one frame: the longest trace and output, escaped, fit.
const MAX_FRAME: u32 = 16 << 20;

/// Something to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Task {
    /// Run a student's program.
    Run(Box<Job>),
    /// Work out expressions that are not a student's.
    Values(Vec<String>),
}

/// What came of it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer {
    Run(Box<Run>),
    Values(Vec<Result<Called, String>>),
}

/// From host to worker.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Order {
    Do(u64, Task),
    /// Nobody wants the answer any more.
    Cancel(u64),
}

/// From worker to host.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Done(pub(super) u64, pub(super) Answer);

/// The next frame; `None` at the end.
pub(super) async fn read<T: DeserializeOwned>(
    stream: &mut (impl AsyncRead + Unpin),
) -> io::Result<Option<T>> {
    let length = match stream.read_u32_le().await {
        Ok(length) if length <= MAX_FRAME => length,
        Ok(_) => return Err(io::Error::new(io::ErrorKind::InvalidData, "the frame is too long")),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut frame = vec![0; length as usize];
    stream.read_exact(&mut frame).await?;
    Ok(Some(serde_json::from_slice(&frame)?))
}

/// Writes a frame.
pub(super) async fn write(
    stream: &mut (impl AsyncWrite + Unpin),
    message: &impl Serialize,
) -> io::Result<()> {
    let json = serde_json::to_vec(message)?;
    let length = u32::try_from(json.len()).ok().filter(|length| *length <= MAX_FRAME);
    let length = length
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the frame is too long"))?;
    let mut frame = length.to_le_bytes().to_vec();
    frame.extend(json);
    stream.write_all(&frame).await?;
    stream.flush().await
}
