//! A client's connection: reads frames, dispatches requests, and writes responses in order.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use kafka_protocol::{
    ResponseError,
    messages::{
        ApiKey, ApiVersionsRequest, ApiVersionsResponse, RequestHeader,
        api_versions_response::ApiVersion,
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    call::{Call, Error},
    cluster, config_api, fetch, group_admin, group_api, offset_api, produce,
    state::State,
    topic_api, wire,
};

/// Most bytes of a request that produces: many times the largest batch that a topic takes by default.
const PRODUCE_LIMIT: usize = 16 * 1024 * 1024;
/// Most bytes of any other: the largest are the assignments of a group's leader, some kilobytes.
const REQUEST_LIMIT: usize = 1024 * 1024;
/// Bytes of the common header of a request: API, version, correlation id.
const HEAD: usize = 8;
/// Memory that is reserved at a time: only for received bytes, not for what a length claims.
const PIECE: usize = 64 * 1024;

/// The supported APIs and versions: enough for librdkafka and Java clients, below the versions that name topics by id.
const SERVED: [(ApiKey, i16, i16); 25] = [
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
    (ApiKey::DescribeGroups, 0, 5),
    (ApiKey::ListGroups, 0, 5),
    (ApiKey::ApiVersions, 0, 3),
    (ApiKey::CreateTopics, 2, 7),
    (ApiKey::DeleteTopics, 1, 5),
    (ApiKey::DeleteRecords, 0, 2),
    (ApiKey::InitProducerId, 0, 4),
    (ApiKey::DescribeConfigs, 1, 4),
    (ApiKey::AlterConfigs, 0, 2),
    (ApiKey::CreatePartitions, 0, 3),
    (ApiKey::DeleteGroups, 0, 2),
    (ApiKey::IncrementalAlterConfigs, 0, 1),
    (ApiKey::OffsetDelete, 0, 0),
    (ApiKey::DescribeCluster, 0, 1),
];

pub(crate) async fn serve(mut stream: TcpStream, state: &State) -> Result<(), Error> {
    stream.set_nodelay(true)?;
    let peer = stream.peer_addr()?.ip().to_string();
    while let Some(frame) = read_frame(&mut stream).await? {
        let response = tokio::select! {
            biased;
            response = answer(frame, &peer, state) => response?,
            // A client that is gone loses its place in a waiting group.
            () = gone(&stream) => return Ok(()),
        };
        if let Some(response) = response {
            stream.write_all(&response).await?;
        }
    }
    Ok(())
}

/// The next request; `None` after the last one.
async fn read_frame(stream: &mut TcpStream) -> Result<Option<Bytes>, Error> {
    let len = match stream.read_i32().await {
        Ok(len) => usize::try_from(len).unwrap_or(usize::MAX),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if !(HEAD..=PRODUCE_LIMIT).contains(&len) {
        return Err(Error::Length(len));
    }
    let mut frame = BytesMut::with_capacity(len.min(PIECE));
    while frame.len() < len {
        let missing = len - frame.len();
        frame.reserve(missing.min(PIECE));
        if (&mut *stream).take(missing as u64).read_buf(&mut frame).await? == 0 {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        let produces = frame.len() < 2 || (&frame[..]).get_i16() == ApiKey::Produce as i16;
        if len > REQUEST_LIMIT && !produces {
            return Err(Error::Length(len));
        }
    }
    Ok(Some(frame.freeze()))
}

/// Ends when the client has closed the connection. A client that sends more requests meanwhile is alive.
async fn gone(stream: &TcpStream) {
    match stream.peek(&mut [0]).await {
        Ok(0) | Err(_) => {}
        Ok(_) => std::future::pending().await,
    }
}

/// Answers one request; `None` if the client wants no response.
async fn answer(mut frame: Bytes, peer: &str, state: &State) -> Result<Option<Bytes>, Error> {
    let (key, version) = ((&frame[..]).get_i16(), (&frame[2..]).get_i16());
    let api = SERVED.iter().find(|(api, ..)| *api as i16 == key);
    let Some((api, min, max)) = api.copied() else { return Err(Error::NotServed(key, version)) };
    let served = (min..=max).contains(&version);
    if !served && api != ApiKey::ApiVersions {
        return Err(Error::NotServed(key, version));
    }
    let correlation_id = (&frame[4..]).get_i32();
    let mut call = Call {
        version,
        client_id: String::new(),
        client_host: format!("/{peer}"),
        body: Bytes::new(),
        correlation_id,
    };
    if !served {
        return api_versions(&call, ResponseError::UnsupportedVersion.code()).map(Some);
    }
    let header = wire::decode(&mut frame, api.request_header_version(version));
    let header: RequestHeader = header.map_err(Error::Malformed)?;
    call.client_id = header.client_id.map(|id| id.to_string()).unwrap_or_default();
    call.body = frame;
    if api == ApiKey::Produce {
        return produce::produce(&mut call, state);
    }
    dispatch(api, &mut call, state).await.map(Some)
}

async fn dispatch(api: ApiKey, call: &mut Call, state: &State) -> Result<Bytes, Error> {
    match api {
        ApiKey::InitProducerId => produce::init_producer_id(call, state),
        ApiKey::Fetch => fetch::fetch(call, state).await,
        ApiKey::ListOffsets => fetch::list_offsets(call, state),
        ApiKey::Metadata => cluster::metadata(call, state),
        ApiKey::DescribeCluster => cluster::describe(call, state),
        ApiKey::FindCoordinator => cluster::find_coordinator(call, state),
        ApiKey::CreateTopics => topic_api::create_topics(call, state),
        ApiKey::DeleteTopics => topic_api::delete_topics(call, state),
        ApiKey::CreatePartitions => topic_api::create_partitions(call, state),
        ApiKey::DeleteRecords => topic_api::delete_records(call, state),
        ApiKey::DescribeConfigs => config_api::describe(call, state),
        ApiKey::AlterConfigs => config_api::replace(call, state),
        ApiKey::IncrementalAlterConfigs => config_api::alter(call, state),
        ApiKey::JoinGroup => group_api::join(call, state).await,
        ApiKey::SyncGroup => group_api::sync(call, state).await,
        ApiKey::Heartbeat => group_api::heartbeat(call, state),
        ApiKey::LeaveGroup => group_api::leave(call, state),
        ApiKey::ListGroups => group_admin::list(call, state),
        ApiKey::DescribeGroups => group_admin::describe(call, state),
        ApiKey::DeleteGroups => group_admin::delete(call, state),
        ApiKey::OffsetCommit => offset_api::commit(call, state),
        ApiKey::OffsetFetch => offset_api::fetch(call, state),
        ApiKey::OffsetDelete => offset_api::delete(call, state),
        _ => {
            call.request::<ApiVersionsRequest>()?;
            api_versions(call, 0)
        }
    }
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
