//! One request, and its response.

use std::io;

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::{
    messages::ResponseHeader,
    protocol::{Decodable, Encodable, HeaderVersion},
};

use crate::wire;

/// Why a connection is closed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the connection broke")]
    Io(#[from] io::Error),
    #[error("a request or response of {0} bytes is out of bounds")]
    Length(usize),
    #[error("API {0} version {1} is not served")]
    NotServed(i16, i16),
    #[error("a request or response does not have its form: {0}")]
    Malformed(anyhow::Error),
}

/// A request's context on its connection.
pub(crate) struct Call {
    pub(crate) version: i16,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    pub(crate) body: Bytes,
    pub(crate) correlation_id: i32,
}

impl Call {
    /// Reads the request's body.
    pub(crate) fn request<R: Decodable>(&mut self) -> Result<R, Error> {
        wire::decode(&mut self.body, self.version).map_err(Error::Malformed)
    }

    /// Writes the response's frame.
    pub(crate) fn respond<R: Encodable + HeaderVersion>(
        &self,
        response: &R,
    ) -> Result<Bytes, Error> {
        self.respond_as(response, self.version)
    }

    /// Writes the response's frame as another version of it.
    pub(crate) fn respond_as<R: Encodable + HeaderVersion>(
        &self,
        response: &R,
        version: i16,
    ) -> Result<Bytes, Error> {
        let mut frame = BytesMut::new();
        frame.put_i32(0);
        let header = ResponseHeader::default().with_correlation_id(self.correlation_id);
        header.encode(&mut frame, R::header_version(version)).map_err(Error::Malformed)?;
        response.encode(&mut frame, version).map_err(Error::Malformed)?;
        let len =
            i32::try_from(frame.len() - 4).map_err(|_over_2_gib| Error::Length(frame.len()))?;
        frame[..4].copy_from_slice(&len.to_be_bytes());
        Ok(frame.freeze())
    }
}
