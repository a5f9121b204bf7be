//! The program's own in-memory file system, with a limit on everything.
//!
//! No path leads to the host's file system: with a host directory, a program could fill the disk and use up
//! descriptors.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;

/// Bytes of all files together.
const MAX_BYTES: usize = 10 << 20;
/// A growing file reserves this part of its length in advance, so that writing byte by byte does not copy it each time.
/// No more than this is held beyond [`MAX_BYTES`].
const ADVANCE: usize = 8;
/// Files and folders.
const MAX_NODES: usize = 1_000;
/// Files and folders that are open at once.
const MAX_OPEN: usize = 64;
/// Bytes of a name, as on most systems.
const MAX_NAME: usize = 255;
/// Bytes of a path, as on most systems.
const MAX_PATH: usize = 4_096;
/// Folders within folders.
const MAX_DEPTH: usize = 32;

pub(crate) type NodeId = usize;
const ROOT: NodeId = 0;

#[derive(Debug)]
pub(crate) enum Content {
    File(Vec<u8>),
    Folder(BTreeMap<String, NodeId>),
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) content: Content,
    /// Whether a folder still contains it.
    linked: bool,
    /// How many descriptors are open on it.
    open: usize,
    /// When it was changed, since 1970.
    pub(crate) modified: Duration,
}

/// What an open descriptor stands for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Open {
    pub(crate) node: NodeId,
    pub(crate) read: bool,
    pub(crate) write: bool,
}

/// How to open a path.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct How {
    pub(crate) read: bool,
    pub(crate) write: bool,
    pub(crate) create: bool,
    pub(crate) exclusive: bool,
    pub(crate) truncate: bool,
    pub(crate) folder: bool,
}

/// The files of one run.
#[derive(Debug)]
pub(crate) struct Files {
    nodes: Vec<Option<Node>>,
    open: Vec<Option<Open>>,
    bytes: usize,
    started: (Duration, Instant),
}

impl Files {
    /// An empty file system.
    pub(crate) fn empty() -> Self {
        Self::with_root(Duration::ZERO)
    }

    fn with_root(now: Duration) -> Self {
        let root = Node::new(Content::Folder(BTreeMap::new()), now);
        let started = (now, Instant::now());
        Self { nodes: vec![Some(root)], open: Vec::new(), bytes: 0, started }
    }

    /// A file system with the given files and an empty `/tmp`; `now` is the time since 1970.
    pub(crate) fn new(given: &BTreeMap<String, Vec<u8>>, now: Duration) -> Result<Self, ErrorCode> {
        let mut files = Self::with_root(now);
        files.create_folder(ROOT, "tmp")?;
        for (path, data) in given {
            if let Some((folder, _)) = path.rsplit_once('/') {
                files.create_folders(folder)?;
            }
            let how = How { write: true, create: true, exclusive: true, ..How::default() };
            let handle = files.open_at(ROOT, path, how)?;
            let node = files.handle(handle)?.node;
            files.write(node, 0, data)?;
            files.close(handle);
        }
        Ok(files)
    }

    /// All files but those under `/tmp`, by path.
    pub(crate) fn all(&self) -> BTreeMap<String, &[u8]> {
        let mut found = BTreeMap::new();
        let mut folders = vec![(ROOT, String::new())];
        while let Some((folder, prefix)) = folders.pop() {
            let Some(Node { content: Content::Folder(names), .. }) = self.node(folder) else {
                continue;
            };
            for (name, &id) in names {
                let path = format!("{prefix}{name}");
                if path.len() > MAX_PATH {
                    // Folders were moved into one another until no path leads here any more.
                    continue;
                }
                match self.node(id).map(|node| &node.content) {
                    Some(Content::File(data)) => {
                        found.insert(path, data.as_slice());
                    }
                    Some(Content::Folder(_)) if path != "tmp" => {
                        folders.push((id, format!("{path}/")));
                    }
                    Some(Content::Folder(_)) | None => {}
                }
            }
        }
        found
    }

    pub(crate) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(id)?.as_ref()
    }

    fn node_mut(&mut self, id: NodeId) -> Result<&mut Node, ErrorCode> {
        self.nodes.get_mut(id).and_then(Option::as_mut).ok_or(ErrorCode::NoEntry)
    }

    fn now(&self) -> Duration {
        self.started.0 + self.started.1.elapsed()
    }

    pub(crate) fn root(&mut self) -> Result<usize, ErrorCode> {
        self.hold(Open { node: ROOT, read: true, write: true })
    }

    pub(crate) fn handle(&self, handle: usize) -> Result<Open, ErrorCode> {
        self.open.get(handle).copied().flatten().ok_or(ErrorCode::BadDescriptor)
    }

    fn hold(&mut self, open: Open) -> Result<usize, ErrorCode> {
        let free = self.open.iter().position(Option::is_none);
        let handle = match free {
            Some(handle) => handle,
            None if self.open.len() < MAX_OPEN => {
                self.open.push(None);
                self.open.len() - 1
            }
            // WASI has no code for "too many open files".
            None => return Err(ErrorCode::Quota),
        };
        self.node_mut(open.node)?.open += 1;
        if let Some(place) = self.open.get_mut(handle) {
            *place = Some(open);
        }
        Ok(handle)
    }

    pub(crate) fn close(&mut self, handle: usize) {
        let Some(open) = self.open.get_mut(handle).and_then(Option::take) else { return };
        if let Ok(node) = self.node_mut(open.node) {
            node.open -= 1;
        }
        self.release(open.node);
    }

    /// Drops a node that nothing refers to any more.
    fn release(&mut self, id: NodeId) {
        let Some(Some(node)) = self.nodes.get(id) else { return };
        if id == ROOT || node.linked || node.open > 0 {
            return;
        }
        self.bytes -= node.len();
        if let Some(place) = self.nodes.get_mut(id) {
            *place = None;
        }
    }

    fn add(&mut self, folder: NodeId, name: &str, content: Content) -> Result<NodeId, ErrorCode> {
        check_name(name)?;
        let node = Node::new(content, self.now());
        let id = match self.nodes.iter().position(Option::is_none) {
            Some(id) => id,
            None if self.nodes.len() < MAX_NODES => {
                self.nodes.push(None);
                self.nodes.len() - 1
            }
            None => return Err(ErrorCode::InsufficientSpace),
        };
        if let Some(place) = self.nodes.get_mut(id) {
            *place = Some(node);
        }
        self.names_mut(folder)?.insert(name.to_owned(), id);
        Ok(id)
    }

    pub(crate) fn names(&self, folder: NodeId) -> Result<&BTreeMap<String, NodeId>, ErrorCode> {
        match self.node(folder).map(|node| &node.content) {
            Some(Content::Folder(names)) => Ok(names),
            Some(Content::File(_)) => Err(ErrorCode::NotDirectory),
            None => Err(ErrorCode::NoEntry),
        }
    }

    fn names_mut(&mut self, folder: NodeId) -> Result<&mut BTreeMap<String, NodeId>, ErrorCode> {
        let now = self.now();
        let node = self.node_mut(folder)?;
        node.modified = now;
        match &mut node.content {
            Content::Folder(names) => Ok(names),
            Content::File(_) => Err(ErrorCode::NotDirectory),
        }
    }

    /// The folder that a path is in, and its last name: `None` where that is the folder itself.
    fn walk<'p>(
        &self,
        from: NodeId,
        path: &'p str,
    ) -> Result<(NodeId, Option<&'p str>), ErrorCode> {
        if path.len() > MAX_PATH {
            return Err(ErrorCode::NameTooLong);
        }
        let mut way = if path.starts_with('/') { vec![ROOT] } else { vec![ROOT, from] };
        let mut names = path.split('/').filter(|name| !name.is_empty() && *name != ".").peekable();
        while let Some(name) = names.next() {
            let here = way.last().copied().unwrap_or(ROOT);
            if name == ".." {
                // The root's parent is the root, as everywhere.
                if way.len() > 1 {
                    way.pop();
                }
            } else if names.peek().is_none() {
                check_name(name)?;
                return Ok((here, Some(name)));
            } else {
                check_name(name)?;
                let next = *self.names(here)?.get(name).ok_or(ErrorCode::NoEntry)?;
                self.names(next)?;
                if way.len() > MAX_DEPTH {
                    return Err(ErrorCode::NameTooLong);
                }
                way.push(next);
            }
        }
        Ok((way.last().copied().unwrap_or(ROOT), None))
    }

    /// The node at a path.
    pub(crate) fn find(&self, from: NodeId, path: &str) -> Result<NodeId, ErrorCode> {
        let (folder, name) = self.walk(from, path)?;
        let Some(name) = name else { return Ok(folder) };
        let id = *self.names(folder)?.get(name).ok_or(ErrorCode::NoEntry)?;
        if path.ends_with('/') {
            self.names(id)?;
        }
        Ok(id)
    }

    /// Opens a path; returns the handle.
    pub(crate) fn open_at(
        &mut self,
        from: NodeId,
        path: &str,
        how: How,
    ) -> Result<usize, ErrorCode> {
        let (folder, name) = self.walk(from, path)?;
        let existing = match name {
            None => Some(folder),
            Some(name) => self.names(folder)?.get(name).copied(),
        };
        let id = match (existing, name) {
            (Some(_), _) if how.create && how.exclusive => return Err(ErrorCode::Exist),
            (Some(id), _) => id,
            (None, Some(name)) if how.create && !how.folder => {
                self.add(folder, name, Content::File(Vec::new()))?
            }
            (None, _) => return Err(ErrorCode::NoEntry),
        };
        match (self.node(id).map(|node| &node.content), how) {
            (Some(Content::File(_)), How { folder: true, .. }) => {
                return Err(ErrorCode::NotDirectory);
            }
            (Some(Content::Folder(_)), How { write: true, .. } | How { truncate: true, .. }) => {
                return Err(ErrorCode::IsDirectory);
            }
            _ => {}
        }
        if how.truncate {
            self.resize(id, 0)?;
        }
        self.hold(Open { node: id, read: how.read, write: how.write })
    }

    /// Makes a file longer, with zeros, or shorter.
    pub(crate) fn resize(&mut self, id: NodeId, length: u64) -> Result<(), ErrorCode> {
        let length = usize::try_from(length).map_err(|_huge| ErrorCode::InsufficientSpace)?;
        let others = self.bytes - self.node(id).map_or(0, Node::len);
        if length > MAX_BYTES.saturating_sub(others) {
            return Err(ErrorCode::InsufficientSpace);
        }
        let now = self.now();
        let node = self.node_mut(id)?;
        node.modified = now;
        let Content::File(data) = &mut node.content else { return Err(ErrorCode::IsDirectory) };
        let most = length + length / ADVANCE;
        if length > data.capacity() {
            data.reserve_exact(most - data.len());
        }
        data.resize(length, 0);
        // Only what is really allocated counts.
        data.shrink_to(most);
        self.bytes = others + length;
        Ok(())
    }

    /// Writes all of `data`.
    pub(crate) fn write(&mut self, id: NodeId, offset: u64, data: &[u8]) -> Result<(), ErrorCode> {
        let start = usize::try_from(offset).map_err(|_huge| ErrorCode::InsufficientSpace)?;
        let end = start.checked_add(data.len()).ok_or(ErrorCode::InsufficientSpace)?;
        if end > self.node(id).map_or(0, Node::len) {
            self.resize(id, end as u64)?;
        }
        let now = self.now();
        let node = self.node_mut(id)?;
        node.modified = now;
        let Content::File(content) = &mut node.content else { return Err(ErrorCode::IsDirectory) };
        if let Some(place) = content.get_mut(start..end) {
            place.copy_from_slice(data);
        }
        Ok(())
    }

    /// Up to `length` bytes from `offset`.
    pub(crate) fn read(&self, id: NodeId, offset: u64, length: usize) -> Result<&[u8], ErrorCode> {
        match self.node(id).map(|node| &node.content) {
            Some(Content::File(data)) => {
                let start = usize::try_from(offset).unwrap_or(usize::MAX).min(data.len());
                let end = start.saturating_add(length).min(data.len());
                Ok(data.get(start..end).unwrap_or_default())
            }
            Some(Content::Folder(_)) => Err(ErrorCode::IsDirectory),
            None => Err(ErrorCode::BadDescriptor),
        }
    }

    pub(crate) fn create_folder(&mut self, from: NodeId, path: &str) -> Result<(), ErrorCode> {
        let (folder, name) = self.walk(from, path)?;
        let name = name.ok_or(ErrorCode::Exist)?;
        if self.names(folder)?.contains_key(name) {
            return Err(ErrorCode::Exist);
        }
        self.add(folder, name, Content::Folder(BTreeMap::new())).map(|_id| ())
    }

    fn create_folders(&mut self, path: &str) -> Result<(), ErrorCode> {
        for (end, _) in path.match_indices('/').chain([(path.len(), "")]) {
            match self.create_folder(ROOT, path.get(..end).unwrap_or(path)) {
                Ok(()) | Err(ErrorCode::Exist) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Removes a file, or an empty folder.
    pub(crate) fn remove(
        &mut self,
        from: NodeId,
        path: &str,
        folder_wanted: bool,
    ) -> Result<(), ErrorCode> {
        let (folder, name) = self.walk(from, path)?;
        let name = name.ok_or(ErrorCode::Busy)?;
        let id = *self.names(folder)?.get(name).ok_or(ErrorCode::NoEntry)?;
        match (self.node(id).map(|node| &node.content), folder_wanted) {
            (Some(Content::File(_)), true) => return Err(ErrorCode::NotDirectory),
            (Some(Content::Folder(_)), false) => return Err(ErrorCode::IsDirectory),
            (Some(Content::Folder(names)), true) if !names.is_empty() => {
                return Err(ErrorCode::NotEmpty);
            }
            _ => {}
        }
        self.names_mut(folder)?.remove(name);
        self.node_mut(id)?.linked = false;
        self.release(id);
        Ok(())
    }

    /// Renames a file or folder, replacing a file of that name.
    pub(crate) fn rename(
        &mut self,
        from: (NodeId, &str),
        to: (NodeId, &str),
    ) -> Result<(), ErrorCode> {
        let (old_folder, old_name) = self.walk(from.0, from.1)?;
        let (new_folder, new_name) = self.walk(to.0, to.1)?;
        let (old_name, new_name) = old_name.zip(new_name).ok_or(ErrorCode::Busy)?;
        let id = *self.names(old_folder)?.get(old_name).ok_or(ErrorCode::NoEntry)?;
        let replaced = self.names(new_folder)?.get(new_name).copied();
        if replaced == Some(id) {
            return Ok(());
        }
        if self.holds(id, new_folder) {
            return Err(ErrorCode::Invalid);
        }
        if let Some(replaced) = replaced {
            let is_folder = self.names(replaced).is_ok();
            if is_folder != self.names(id).is_ok() {
                return Err(if is_folder {
                    ErrorCode::IsDirectory
                } else {
                    ErrorCode::NotDirectory
                });
            }
            self.remove(new_folder, new_name, is_folder)?;
        }
        self.names_mut(old_folder)?.remove(old_name);
        self.names_mut(new_folder)?.insert(new_name.to_owned(), id);
        Ok(())
    }

    /// Whether a folder is `inner` or contains it at any depth.
    fn holds(&self, outer: NodeId, inner: NodeId) -> bool {
        outer == inner
            || self.names(outer).is_ok_and(|names| names.values().any(|&id| self.holds(id, inner)))
    }
}

impl Node {
    const fn new(content: Content, now: Duration) -> Self {
        Self { content, linked: true, open: 0, modified: now }
    }

    pub(crate) const fn len(&self) -> usize {
        match &self.content {
            Content::File(data) => data.len(),
            Content::Folder(_) => 0,
        }
    }
}

fn check_name(name: &str) -> Result<(), ErrorCode> {
    if name.len() > MAX_NAME { Err(ErrorCode::NameTooLong) } else { Ok(()) }
}

/// A time as stored with files.
pub(crate) fn since_1970(now: DateTime<Utc>) -> Duration {
    Duration::from_millis(u64::try_from(now.timestamp_millis()).unwrap_or_default())
}

#[cfg(test)]
mod tests;
