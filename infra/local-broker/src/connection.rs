//! One client's connection: frames in, requests told apart, frames out, in order.

use std::io;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::{
    ResponseError,
    messages::{
        ApiKey, ApiVersionsRequest, ApiVersionsResponse, RequestHeader, ResponseHeader,
        api_versions_response::ApiVersion,
    },
    protocol::{Decodable, Encodable, HeaderVersion},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{State, admin, fetch, group_api, produce};

/// Most bytes of a request: Kafka's own `socket.request.max.bytes` is 100 MiB; nothing local is near.
const FRAME_LIMIT: usize = 32 * 1024 * 1024;

/// What is served, with the versions of each that are: wide enough for librdkafka and Java clients,
/// below the versions that name topics by id.
const SERVED: [(ApiKey, i16, i16); 17] = [
    (ApiKey::Produce, 3, 9),
    (ApiKey::Fetch, 4, 12),
    (ApiKey::ListOffsets, 1, 7),
    (ApiKey::Metadata, 0, 9),
    (ApiKey::OffsetCommit, 2, 8),
    (ApiKey::OffsetFetch, 1, 8),
    (ApiKey::FindCoordinator, 0, 4),
    (ApiKey::JoinGroup, 0, 9),
    (ApiKey::Heartbeat, 0, 4),
    (ApiKey::LeaveGroup, 0, 5),
    (ApiKey::SyncGroup, 0, 5),
    (ApiKey::ApiVersions, 0, 3),
    (ApiKey::CreateTopics, 2, 7),
    (ApiKey::DeleteTopics, 1, 5),
    (ApiKey::InitProducerId, 0, 4),
    (ApiKey::DescribeConfigs, 1, 4),
    (ApiKey::IncrementalAlterConfigs, 0, 1),
];

/// Why a connection is closed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("the connection broke")]
    Io(#[from] io::Error),
    #[error("a request of {0} bytes is over the limit")]
    TooLong(usize),
    #[error("API {0} version {1} is not served")]
    NotServed(i16, i16),
    #[error("a request or response does not have its form: {0}")]
    Malformed(anyhow::Error),
}

/// One request's place on the wire.
pub(crate) struct Call {
    pub(crate) version: i16,
    pub(crate) client_id: String,
    body: Bytes,
    correlation_id: i32,
}

impl Call {
    /// Reads the request's body.
    pub(crate) fn request<R: Decodable>(&mut self) -> Result<R, Error> {
        R::decode(&mut self.body, self.version).map_err(Error::Malformed)
    }

    /// Writes the response's frame.
    pub(crate) fn respond<R: Encodable + HeaderVersion>(
        &self,
        response: &R,
    ) -> Result<Bytes, Error> {
        self.respond_as(response, self.version)
    }

    fn respond_as<R: Encodable + HeaderVersion>(
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
            i32::try_from(frame.len() - 4).map_err(|_over_2_gib| Error::TooLong(frame.len()))?;
        frame[..4].copy_from_slice(&len.to_be_bytes());
        Ok(frame.freeze())
    }
}

pub(crate) async fn serve(mut stream: TcpStream, state: &State) -> Result<(), Error> {
    stream.set_nodelay(true)?;
    loop {
        let len = match stream.read_i32().await {
            Ok(len) => usize::try_from(len).unwrap_or(usize::MAX),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if len > FRAME_LIMIT {
            return Err(Error::TooLong(len));
        }
        let mut frame = vec![0; len];
        stream.read_exact(&mut frame).await?;
        if let Some(response) = answer(frame.into(), state).await? {
            stream.write_all(&response).await?;
        }
    }
}

/// Answers one request; `None` where the client wants no answer.
async fn answer(mut frame: Bytes, state: &State) -> Result<Option<Bytes>, Error> {
    if frame.len() < 8 {
        return Err(Error::TooLong(frame.len()));
    }
    let (key, version) = ((&frame[..]).get_i16(), (&frame[2..]).get_i16());
    let api = SERVED.iter().find(|(api, ..)| *api as i16 == key);
    let Some((api, min, max)) = api.copied() else { return Err(Error::NotServed(key, version)) };
    let served = (min..=max).contains(&version);
    if !served && api != ApiKey::ApiVersions {
        return Err(Error::NotServed(key, version));
    }
    let correlation_id = (&frame[4..]).get_i32();
    if !served {
        let call = Call { version, client_id: String::new(), body: frame, correlation_id };
        return api_versions(&call, ResponseError::UnsupportedVersion.code()).map(Some);
    }
    let header = RequestHeader::decode(&mut frame, api.request_header_version(version));
    let header = header.map_err(Error::Malformed)?;
    let client_id = header.client_id.map(|id| id.to_string()).unwrap_or_default();
    let mut call = Call { version, client_id, body: frame, correlation_id };
    match api {
        ApiKey::Produce => return produce::produce(&mut call, state),
        ApiKey::InitProducerId => produce::init_producer_id(&mut call),
        ApiKey::Fetch => fetch::fetch(&mut call, state).await,
        ApiKey::ListOffsets => fetch::list_offsets(&mut call, state),
        ApiKey::Metadata => admin::metadata(&mut call, state),
        ApiKey::CreateTopics => admin::create_topics(&mut call, state),
        ApiKey::DeleteTopics => admin::delete_topics(&mut call, state),
        ApiKey::DescribeConfigs => admin::describe_configs(&mut call, state),
        ApiKey::IncrementalAlterConfigs => admin::alter_configs(&mut call, state),
        ApiKey::FindCoordinator => group_api::find_coordinator(&mut call, state),
        ApiKey::JoinGroup => group_api::join(&mut call, state).await,
        ApiKey::SyncGroup => group_api::sync(&mut call, state).await,
        ApiKey::Heartbeat => group_api::heartbeat(&mut call, state),
        ApiKey::LeaveGroup => group_api::leave(&mut call, state),
        ApiKey::OffsetCommit => group_api::commit_offsets(&mut call, state),
        ApiKey::OffsetFetch => group_api::fetch_offsets(&mut call, state),
        _ => {
            call.request::<ApiVersionsRequest>()?;
            api_versions(&call, 0)
        }
    }
    .map(Some)
}

/// An unknown version is answered as version 0, which every client reads (KIP-511).
fn api_versions(call: &Call, error_code: i16) -> Result<Bytes, Error> {
    let versions = SERVED.map(|(api, min, max)| {
        ApiVersion::default().with_api_key(api as i16).with_min_version(min).with_max_version(max)
    });
    let response =
        ApiVersionsResponse::default().with_error_code(error_code).with_api_keys(versions.into());
    call.respond_as(&response, if error_code == 0 { call.version } else { 0 })
}
