//! `wasi:filesystem` over [`Files`].

use std::{sync::Arc, time::Duration, vec};

use bytes::Bytes;
use parking_lot::Mutex;
use wasmtime::component::{HasData, Resource, ResourceTable};
use wasmtime_wasi::{
    async_trait,
    filesystem::Descriptor,
    p2::{
        DynInputStream, DynOutputStream, FsError, FsResult, InputStream, OutputStream, Pollable,
        StreamError, StreamResult,
        bindings::{
            clocks::wall_clock::Datetime,
            filesystem::{
                preopens,
                types::{
                    self, Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry,
                    DirectoryEntryStream, ErrorCode, Filesize, HostDescriptor,
                    HostDirectoryEntryStream, MetadataHashValue, NewTimestamp, OpenFlags,
                    PathFlags,
                },
            },
        },
    },
};

use super::files::{Content, Files, How, Node, NodeId, Open};

/// Bytes that one call reads or writes.
const CHUNK: usize = 64 << 10;
/// Folder listings that are open at once.
const MAX_LISTINGS: usize = 64;
/// Names that all open listings together still hold: four times as many as there can be files, since walking a tree
/// lists one folder after the other.
const MAX_LISTED: usize = 4_000;

/// The files of a run as WASI sees them. Handles are our own indices, not the resource table's.
#[derive(Debug)]
pub(crate) struct WasiFiles {
    pub(crate) files: Arc<Mutex<Files>>,
    listings: Vec<Option<vec::IntoIter<DirectoryEntry>>>,
}

impl WasiFiles {
    pub(crate) fn new(files: Files) -> Self {
        Self { files: Arc::new(Mutex::new(files)), listings: Vec::new() }
    }
}

/// A run's files with its streams.
#[derive(Debug)]
pub(crate) struct View<'a> {
    pub(crate) wasi: &'a mut WasiFiles,
    pub(crate) table: &'a mut ResourceTable,
}

/// Names [`View`] for the linker.
#[derive(Debug)]
pub(crate) struct HasFiles;

impl HasData for HasFiles {
    type Data<'a> = View<'a>;
}

fn index<T>(resource: &Resource<T>) -> usize {
    resource.rep() as usize
}

fn new_handle<T: 'static>(index: usize) -> FsResult<Resource<T>> {
    Ok(Resource::new_own(u32::try_from(index).map_err(|_many| ErrorCode::Overflow)?))
}

impl View<'_> {
    fn open(&self, descriptor: &Resource<Descriptor>) -> FsResult<Open> {
        Ok(self.wasi.files.lock().handle(index(descriptor))?)
    }

    fn node(&self, descriptor: &Resource<Descriptor>) -> FsResult<NodeId> {
        Ok(self.open(descriptor)?.node)
    }

    fn stream(
        &self,
        descriptor: &Resource<Descriptor>,
        offset: Option<u64>,
    ) -> FsResult<FileStream> {
        let open = self.open(descriptor)?;
        let files = Arc::clone(&self.wasi.files);
        Ok(FileStream { files, node: open.node, offset })
    }
}

impl preopens::Host for View<'_> {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Resource<Descriptor>, String)>> {
        let root = self.wasi.files.lock().root().map_err(FsError::from)?;
        Ok(vec![(new_handle(root)?, "/".to_owned())])
    }
}

impl types::Host for View<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }

    fn filesystem_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        Ok(self.table.get(&error)?.downcast_ref::<FileError>().map(|error| error.0))
    }
}

impl HostDescriptor for View<'_> {
    fn read_via_stream(
        &mut self,
        descriptor: Resource<Descriptor>,
        offset: Filesize,
    ) -> FsResult<Resource<DynInputStream>> {
        let stream: DynInputStream = Box::new(self.stream(&descriptor, Some(offset))?);
        Ok(self.table.push(stream)?)
    }

    fn write_via_stream(
        &mut self,
        descriptor: Resource<Descriptor>,
        offset: Filesize,
    ) -> FsResult<Resource<DynOutputStream>> {
        let stream: DynOutputStream = Box::new(self.stream(&descriptor, Some(offset))?);
        Ok(self.table.push(stream)?)
    }

    fn append_via_stream(
        &mut self,
        descriptor: Resource<Descriptor>,
    ) -> FsResult<Resource<DynOutputStream>> {
        let stream: DynOutputStream = Box::new(self.stream(&descriptor, None)?);
        Ok(self.table.push(stream)?)
    }

    async fn advise(
        &mut self,
        _: Resource<Descriptor>,
        _: Filesize,
        _: Filesize,
        _: Advice,
    ) -> FsResult<()> {
        Ok(())
    }

    async fn sync_data(&mut self, _: Resource<Descriptor>) -> FsResult<()> {
        Ok(())
    }

    async fn sync(&mut self, _: Resource<Descriptor>) -> FsResult<()> {
        Ok(())
    }

    async fn get_flags(&mut self, descriptor: Resource<Descriptor>) -> FsResult<DescriptorFlags> {
        let open = self.open(&descriptor)?;
        let mut flags = DescriptorFlags::empty();
        if open.read {
            flags |= DescriptorFlags::READ;
        }
        if open.write {
            flags |= DescriptorFlags::WRITE | DescriptorFlags::MUTATE_DIRECTORY;
        }
        Ok(flags)
    }

    async fn get_type(&mut self, descriptor: Resource<Descriptor>) -> FsResult<DescriptorType> {
        let files = self.wasi.files.lock();
        let node = files.handle(index(&descriptor))?.node;
        files.node(node).map(kind).ok_or_else(|| ErrorCode::BadDescriptor.into())
    }

    async fn set_size(&mut self, descriptor: Resource<Descriptor>, size: Filesize) -> FsResult<()> {
        let node = self.node(&descriptor)?;
        Ok(self.wasi.files.lock().resize(node, size)?)
    }

    async fn set_times(
        &mut self,
        _: Resource<Descriptor>,
        _: NewTimestamp,
        _: NewTimestamp,
    ) -> FsResult<()> {
        Ok(())
    }

    async fn set_times_at(
        &mut self,
        _: Resource<Descriptor>,
        _: PathFlags,
        _: String,
        _: NewTimestamp,
        _: NewTimestamp,
    ) -> FsResult<()> {
        Ok(())
    }

    async fn read(
        &mut self,
        descriptor: Resource<Descriptor>,
        length: Filesize,
        offset: Filesize,
    ) -> FsResult<(Vec<u8>, bool)> {
        let node = self.node(&descriptor)?;
        let length = usize::try_from(length).unwrap_or(CHUNK).min(CHUNK);
        let files = self.wasi.files.lock();
        let data = files.read(node, offset, length)?;
        Ok((data.to_vec(), data.len() < length))
    }

    async fn write(
        &mut self,
        descriptor: Resource<Descriptor>,
        data: Vec<u8>,
        offset: Filesize,
    ) -> FsResult<Filesize> {
        let node = self.node(&descriptor)?;
        self.wasi.files.lock().write(node, offset, &data)?;
        Ok(data.len() as u64)
    }

    async fn read_directory(
        &mut self,
        descriptor: Resource<Descriptor>,
    ) -> FsResult<Resource<DirectoryEntryStream>> {
        let files = self.wasi.files.lock();
        let folder = files.handle(index(&descriptor))?.node;
        let entry = |(name, id): (&String, &NodeId)| {
            let type_ = files.node(*id).map_or(DescriptorType::Unknown, kind);
            DirectoryEntry { type_, name: name.clone() }
        };
        let names = files.names(folder)?;
        let listings = &mut self.wasi.listings;
        let listed: usize = listings.iter().flatten().map(ExactSizeIterator::len).sum();
        if listed + names.len() > MAX_LISTED {
            return Err(ErrorCode::Quota.into());
        }
        let entries: Vec<DirectoryEntry> = names.iter().map(entry).collect();
        let place = match listings.iter().position(Option::is_none) {
            Some(place) => place,
            None if listings.len() < MAX_LISTINGS => {
                listings.push(None);
                listings.len() - 1
            }
            None => return Err(ErrorCode::Quota.into()),
        };
        if let Some(listing) = listings.get_mut(place) {
            *listing = Some(entries.into_iter());
        }
        new_handle(place)
    }

    async fn create_directory_at(
        &mut self,
        descriptor: Resource<Descriptor>,
        path: String,
    ) -> FsResult<()> {
        let from = self.node(&descriptor)?;
        Ok(self.wasi.files.lock().create_folder(from, &path)?)
    }

    async fn stat(&mut self, descriptor: Resource<Descriptor>) -> FsResult<DescriptorStat> {
        let files = self.wasi.files.lock();
        let node = files.handle(index(&descriptor))?.node;
        files.node(node).map(stat).ok_or_else(|| ErrorCode::BadDescriptor.into())
    }

    async fn stat_at(
        &mut self,
        descriptor: Resource<Descriptor>,
        _: PathFlags,
        path: String,
    ) -> FsResult<DescriptorStat> {
        let files = self.wasi.files.lock();
        let from = files.handle(index(&descriptor))?.node;
        let node = files.find(from, &path)?;
        files.node(node).map(stat).ok_or_else(|| ErrorCode::NoEntry.into())
    }

    async fn link_at(
        &mut self,
        _: Resource<Descriptor>,
        _: PathFlags,
        _: String,
        _: Resource<Descriptor>,
        _: String,
    ) -> FsResult<()> {
        Err(ErrorCode::Unsupported.into())
    }

    async fn open_at(
        &mut self,
        descriptor: Resource<Descriptor>,
        _: PathFlags,
        path: String,
        how: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Resource<Descriptor>> {
        let from = self.node(&descriptor)?;
        let how = How {
            read: flags.contains(DescriptorFlags::READ),
            write: flags.contains(DescriptorFlags::WRITE),
            create: how.contains(OpenFlags::CREATE),
            exclusive: how.contains(OpenFlags::EXCLUSIVE),
            truncate: how.contains(OpenFlags::TRUNCATE),
            folder: how.contains(OpenFlags::DIRECTORY),
        };
        new_handle(self.wasi.files.lock().open_at(from, &path, how)?)
    }

    async fn readlink_at(&mut self, _: Resource<Descriptor>, _: String) -> FsResult<String> {
        // There are no links, and reading anything else as a link is invalid.
        Err(ErrorCode::Invalid.into())
    }

    async fn remove_directory_at(
        &mut self,
        descriptor: Resource<Descriptor>,
        path: String,
    ) -> FsResult<()> {
        let from = self.node(&descriptor)?;
        Ok(self.wasi.files.lock().remove(from, &path, true)?)
    }

    async fn rename_at(
        &mut self,
        descriptor: Resource<Descriptor>,
        old_path: String,
        new_descriptor: Resource<Descriptor>,
        new_path: String,
    ) -> FsResult<()> {
        let (from, to) = (self.node(&descriptor)?, self.node(&new_descriptor)?);
        Ok(self.wasi.files.lock().rename((from, &old_path), (to, &new_path))?)
    }

    async fn symlink_at(&mut self, _: Resource<Descriptor>, _: String, _: String) -> FsResult<()> {
        Err(ErrorCode::Unsupported.into())
    }

    async fn unlink_file_at(
        &mut self,
        descriptor: Resource<Descriptor>,
        path: String,
    ) -> FsResult<()> {
        let from = self.node(&descriptor)?;
        Ok(self.wasi.files.lock().remove(from, &path, false)?)
    }

    async fn is_same_object(
        &mut self,
        one: Resource<Descriptor>,
        other: Resource<Descriptor>,
    ) -> wasmtime::Result<bool> {
        let files = self.wasi.files.lock();
        let node = |descriptor| files.handle(index(descriptor)).map(|open| open.node).ok();
        Ok(node(&one).is_some() && node(&one) == node(&other))
    }

    async fn metadata_hash(
        &mut self,
        descriptor: Resource<Descriptor>,
    ) -> FsResult<MetadataHashValue> {
        Ok(hash(self.node(&descriptor)?))
    }

    async fn metadata_hash_at(
        &mut self,
        descriptor: Resource<Descriptor>,
        _: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        let from = self.node(&descriptor)?;
        Ok(hash(self.wasi.files.lock().find(from, &path)?))
    }

    fn drop(&mut self, descriptor: Resource<Descriptor>) -> wasmtime::Result<()> {
        self.wasi.files.lock().close(index(&descriptor));
        Ok(())
    }
}

impl HostDirectoryEntryStream for View<'_> {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        let listing = self.wasi.listings.get_mut(index(&stream)).and_then(Option::as_mut);
        Ok(listing.and_then(Iterator::next))
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        if let Some(listing) = self.wasi.listings.get_mut(index(&stream)) {
            *listing = None;
        }
        Ok(())
    }
}

fn kind(node: &Node) -> DescriptorType {
    match node.content {
        Content::File(_) => DescriptorType::RegularFile,
        Content::Folder(_) => DescriptorType::Directory,
    }
}

fn stat(node: &Node) -> DescriptorStat {
    let time = Some(datetime(node.modified));
    DescriptorStat {
        type_: kind(node),
        link_count: 1,
        size: node.len() as u64,
        data_access_timestamp: time,
        data_modification_timestamp: time,
        status_change_timestamp: time,
    }
}

const fn datetime(since_1970: Duration) -> Datetime {
    Datetime { seconds: since_1970.as_secs(), nanoseconds: since_1970.subsec_nanos() }
}

/// Where libc takes the inode number from.
const fn hash(node: NodeId) -> MetadataHashValue {
    MetadataHashValue { lower: node as u64 + 1, upper: 0 }
}

/// Why a file's stream failed, for callers that ask for its error code.
#[derive(Debug, thiserror::Error)]
#[error("{0:?}")]
struct FileError(ErrorCode);

/// A position in a file that advances with reads and writes; `None` is always its end.
#[derive(Debug)]
struct FileStream {
    files: Arc<Mutex<Files>>,
    node: NodeId,
    offset: Option<u64>,
}

#[async_trait]
impl Pollable for FileStream {
    async fn ready(&mut self) {}
}

#[async_trait]
impl InputStream for FileStream {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        let files = self.files.lock();
        let offset = self.offset.unwrap_or_default();
        let data = files.read(self.node, offset, size.min(CHUNK)).map_err(failed)?;
        if data.is_empty() && size > 0 {
            return Err(StreamError::Closed);
        }
        self.offset = Some(offset.saturating_add(data.len() as u64));
        Ok(Bytes::copy_from_slice(data))
    }
}

#[async_trait]
impl OutputStream for FileStream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut files = self.files.lock();
        let end = files.node(self.node).map_or(0, Node::len) as u64;
        files.write(self.node, self.offset.unwrap_or(end), &bytes).map_err(failed)?;
        self.offset = self.offset.map(|offset| offset.saturating_add(bytes.len() as u64));
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(CHUNK)
    }
}

fn failed(code: ErrorCode) -> StreamError {
    StreamError::LastOperationFailed(FileError(code).into())
}
