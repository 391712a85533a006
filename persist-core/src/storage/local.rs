//! The local disk: atomic and durable.
//!
//! An upload is a temporary file in the folder of its target (mode 0600, created exclusively). A small
//! one is written at once. Commit writes the head, syncs the file, renames it (or links it, when the
//! target must not exist) and syncs the folder, and every folder that it made. Links are followed; only
//! regular files are read.

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io::{Seek, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tempfile::NamedTempFile;

use super::{ETag, Key, Object, ObjectInfo, PutOptions, Room, Storage, Upload};
use crate::error::{Error, ErrorKind, Result};
use crate::telemetry::spans::{self, span};

const TEMPORARY_PREFIX: &str = ".persist-";
const TEMPORARY_SUFFIX: &str = ".tmp";

/// So many bytes are held back, to be written with the head at once.
const HELD: usize = 64 * 1024;

/// Links that lead to links are followed this many times, as Linux does.
const MAX_LINKS: usize = 40;

/// Snapshots as files; keys are paths, relative ones below `base` or the working directory.
#[derive(Debug, Clone, Default)]
pub struct LocalStorage {
    base: PathBuf,
}

impl LocalStorage {
    /// Keys are paths as the operating system takes them.
    pub fn new() -> Self {
        Self::default()
    }

    /// Relative keys are below this folder.
    pub fn below(base: impl Into<PathBuf>) -> Self {
        Self { base: base.into() }
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.base.join(key.as_path())
    }
}

impl Storage for LocalStorage {
    fn open(&self, key: &Key) -> Result<Box<dyn Object>> {
        let path = self.path(key);
        let file = open_without_waiting(&path).map_err(|error| could_not("read", &path, error))?;
        let metadata = file.metadata().map_err(|error| could_not("read", &path, error))?;
        check_regular(&metadata, "read", &path)?;
        Ok(Box::new(LocalObject { file, size: metadata.len(), path }))
    }

    fn create(&self, key: &Key, options: &PutOptions) -> Result<Box<dyn Upload>> {
        if options.if_match.is_some() {
            let message =
                "the local disk does not know versions of a file: if_match has no meaning";
            return Err(Error::new(ErrorKind::Configuration, message)
                .with_hint("use overwrite=False, or a store with conditional writes"));
        }
        let target = follow_links(self.path(key))?;
        let permissions = permissions_of_target(&target, options)?;
        let folder = folder_of(&target)?;
        let made = make_folders(&folder).map_err(|error| could_not("create", &folder, error))?;
        let file = tempfile::Builder::new()
            .prefix(TEMPORARY_PREFIX)
            .suffix(TEMPORARY_SUFFIX)
            .tempfile_in(&folder)
            .map_err(|error| could_not("write", &target, error))?;
        let options = options.clone();
        let held = Some(vec![0; options.head_length]);
        Ok(Box::new(LocalUpload { file, held, target, folder, made, permissions, options }))
    }

    fn stat(&self, key: &Key) -> Result<ObjectInfo> {
        let path = self.path(key);
        let metadata = fs::metadata(&path).map_err(|error| could_not("find", &path, error))?;
        check_regular(&metadata, "find", &path)?;
        Ok(info(key.clone(), &metadata))
    }

    /// A folder is no object, as a prefix is none in a bucket.
    fn exists(&self, key: &Key) -> Result<bool> {
        match self.stat(key) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(_) if self.path(key).is_dir() => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn delete(&self, key: &Key) -> Result<()> {
        let path = self.path(key);
        let metadata =
            fs::symlink_metadata(&path).map_err(|error| could_not("delete", &path, error))?;
        if !metadata.is_symlink() {
            check_regular(&metadata, "delete", &path)?;
        }
        fs::remove_file(&path).map_err(|error| could_not("delete", &path, error))?;
        let folder = folder_of(&path)?;
        sync_folder(&folder).map_err(|error| could_not("sync", &folder, error))
    }

    fn list(&self, prefix: &Key) -> Result<Box<dyn Iterator<Item = Result<ObjectInfo>> + '_>> {
        let root = prefix.as_path().to_owned();
        let mut pending = vec![root.clone()];
        // What is deleted while the list is made is not in it.
        Ok(Box::new(std::iter::from_fn(move || {
            while let Some(path) = pending.pop() {
                match self.list_one(&path, &mut pending) {
                    Ok(None) => {}
                    Ok(Some(found)) => return Some(Ok(found)),
                    Err(error) if error.kind() == ErrorKind::NotFound && path != root => {}
                    Err(error) => return Some(Err(error)),
                }
            }
            None
        })))
    }

    #[cfg(unix)]
    fn room(&self, key: &Key) -> Option<Room> {
        let path = self.path(key);
        let below =
            path.ancestors().find(|path| path.exists()).filter(|path| !path.as_os_str().is_empty());
        let disk = rustix::fs::statvfs(below.unwrap_or(Path::new("."))).ok()?;
        let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
        Some(Room { free: bytes(disk.f_bavail), size: bytes(disk.f_blocks) })
    }
}

impl LocalStorage {
    /// What stands at this path; the entries of a folder are put on the list instead.
    fn list_one(&self, path: &Path, pending: &mut Vec<PathBuf>) -> Result<Option<ObjectInfo>> {
        let full = self.base.join(path);
        let metadata = fs::metadata(&full).map_err(|error| could_not("list", &full, error))?;
        if metadata.is_file() {
            return Ok(Some(info(Key::new(path.as_os_str())?, &metadata)));
        }
        if metadata.is_dir() {
            let mut names = entries(&full).map_err(|error| could_not("list", &full, error))?;
            names.sort_by(|a, b| b.cmp(a));
            pending.extend(names.into_iter().map(|name| path.join(name)));
        }
        Ok(None)
    }
}

/// The names in a folder, without the temporary files of uploads and without links that lead
/// nowhere or to another folder: those can make circles.
fn entries(folder: &Path) -> std::io::Result<Vec<std::ffi::OsString>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_link = entry.file_type()?.is_symlink();
        let is_file = || fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_file());
        let name = entry.file_name();
        let text = name.to_string_lossy();
        let is_temporary = text.starts_with(TEMPORARY_PREFIX) && text.ends_with(TEMPORARY_SUFFIX);
        if !is_temporary && (!is_link || is_file()) {
            names.push(name);
        }
    }
    Ok(names)
}

struct LocalObject {
    file: File,
    size: u64,
    path: PathBuf,
}

impl Object for LocalObject {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>> {
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; length.min(left)];
        read_exact_at(&self.file, &mut bytes, offset)
            .map_err(|error| could_not("read", &self.path, error))?;
        Ok(bytes)
    }
}

struct LocalUpload {
    file: NamedTempFile,
    /// Room for the head and all that came behind it; `None` once that is written.
    held: Option<Vec<u8>>,
    target: PathBuf,
    folder: PathBuf,
    made: Vec<PathBuf>,
    permissions: Option<Permissions>,
    options: PutOptions,
}

impl Upload for LocalUpload {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = match self.held.take() {
            Some(mut held) if bytes.len() <= HELD.saturating_sub(held.len()) => {
                held.extend_from_slice(bytes);
                self.held = Some(held);
                Ok(())
            }
            Some(held) => self.file.write_all(&held).and_then(|()| self.file.write_all(bytes)),
            None => self.file.write_all(bytes),
        };
        written.map_err(|error| could_not("write", &self.target, error))
    }

    fn commit(self: Box<Self>, head: &[u8]) -> Result<Option<ETag>> {
        let target = self.target.clone();
        self.publish(head).map_err(|error| could_not("write", &target, error))?;
        Ok(None)
    }
}

impl LocalUpload {
    fn publish(mut self, head: &[u8]) -> std::io::Result<()> {
        if let Some(mut held) = self.held.take() {
            if let Some(room) = held.get_mut(..head.len()) {
                room.copy_from_slice(head);
            }
            self.file.write_all(&held)?;
        } else {
            self.file.as_file_mut().rewind()?;
            self.file.write_all(head)?;
        }
        if let Some(permissions) = self.permissions.take() {
            self.file.as_file().set_permissions(permissions)?;
        }
        if self.options.durable {
            // A failed sync is never tried again: the kernel may have dropped the pages by then.
            span!(spans::FSYNC).in_scope(|| self.file.as_file().sync_all())?;
        }
        let (target, overwrite) = (&self.target, self.options.overwrite);
        span!(spans::RENAME).in_scope(|| {
            if overwrite { self.file.persist(target) } else { self.file.persist_noclobber(target) }
        })?;
        if self.options.durable {
            let _entered = span!(spans::FSYNC).entered();
            sync_folder(&self.folder)?;
            self.made.iter().try_for_each(|made| sync_folder(&folder_or_here(made)))?;
        }
        Ok(())
    }
}

fn info(key: Key, metadata: &Metadata) -> ObjectInfo {
    let modified = metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
    ObjectInfo { key, size: metadata.len(), modified, e_tag: None }
}

fn could_not(action: &str, path: &Path, error: std::io::Error) -> Error {
    Error::from_io(error, action, &path)
}

/// Opens without waiting for the other end of a FIFO.
fn open_without_waiting(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    options.open(path)
}

#[cfg(unix)]
fn read_exact_at(file: &File, bytes: &mut [u8], offset: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(not(unix))]
fn read_exact_at(mut file: &File, bytes: &mut [u8], offset: u64) -> std::io::Result<()> {
    use std::io::Read;
    file.seek(SeekFrom::Start(offset))?;
    file.read_exact(bytes)
}

fn check_regular(metadata: &Metadata, action: &str, path: &Path) -> Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    let what = if metadata.is_dir() { "a folder" } else { "not a regular file" };
    Err(Error::new(ErrorKind::Storage, format!("could not {action} {path:?}: it is {what}"))
        .with_hint("pass the path of a snapshot file"))
}

/// The path that a write ends at: the target of a link, even when that does not exist yet.
fn follow_links(mut path: PathBuf) -> Result<PathBuf> {
    for _ in 0..MAX_LINKS {
        let Ok(next) = fs::read_link(&path) else { return Ok(path) };
        path = path.parent().map(|folder| folder.join(&next)).unwrap_or(next);
    }
    Err(Error::new(ErrorKind::Storage, format!("could not write {path:?}: too many links")))
}

/// The permissions of the file that will be replaced, where a new file has others.
fn permissions_of_target(target: &Path, options: &PutOptions) -> Result<Option<Permissions>> {
    match fs::symlink_metadata(target) {
        Ok(metadata) if metadata.is_file() && !options.overwrite => {
            let message = format!("could not write {target:?}: it exists already");
            Err(Error::new(ErrorKind::Conflict, message))
        }
        Ok(metadata) => {
            check_regular(&metadata, "write", target)?;
            Ok(Some(metadata.permissions()).filter(|permissions| !is_as_made(permissions)))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(could_not("write", target, error)),
    }
}

/// Whether these are the permissions that a temporary file is made with.
#[cfg(unix)]
fn is_as_made(permissions: &Permissions) -> bool {
    std::os::unix::fs::PermissionsExt::mode(permissions) & 0o7777 == 0o600
}

#[cfg(not(unix))]
fn is_as_made(permissions: &Permissions) -> bool {
    !permissions.readonly()
}

fn folder_of(path: &Path) -> Result<PathBuf> {
    let ends_in_separator = path.as_os_str().as_encoded_bytes().ends_with(b"/");
    if path.file_name().is_none() || ends_in_separator {
        let message = format!("{path:?} does not name a file");
        return Err(Error::new(ErrorKind::Configuration, message));
    }
    Ok(folder_or_here(path))
}

fn folder_or_here(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Makes the folders that are missing; returns those that it made.
fn make_folders(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let missing =
        folder.ancestors().take_while(|path| !path.as_os_str().is_empty() && !path.exists());
    let made: Vec<_> = missing.map(Path::to_owned).collect();
    if !made.is_empty() {
        fs::create_dir_all(folder)?;
    }
    Ok(made)
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> std::io::Result<()> {
    Ok(())
}
