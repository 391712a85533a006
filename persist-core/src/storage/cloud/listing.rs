//! The objects below a prefix, page by page.

use std::collections::VecDeque;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use object_store::ObjectMeta;
use object_store::path::Path;

use super::CloudStorage;
use crate::error::{ErrorKind, Result};
use crate::storage::{Key, ObjectInfo, Storage};

/// The stores list at most this many at once.
const PAGE: usize = 1000;

type Found = BoxStream<'static, object_store::Result<ObjectMeta>>;

/// A listing that goes on; it holds one page.
pub(super) struct Listing<'a> {
    storage: &'a CloudStorage,
    prefix: Key,
    /// `None` when all was listed, or listing failed.
    left: Option<Found>,
    page: VecDeque<object_store::Result<ObjectMeta>>,
    is_empty: bool,
}

impl<'a> Listing<'a> {
    pub(super) fn new(storage: &'a CloudStorage, prefix: &Key) -> Result<Self> {
        let text = prefix.as_os_str().to_string_lossy();
        let trimmed = text.trim_end_matches('/');
        let path = match trimmed {
            "" => Path::default(),
            trimmed => storage.place().path(&Key::new(trimmed)?)?,
        };
        let left = storage.client()?.store.list(Some(&path));
        let prefix = if trimmed.is_empty() { Key::root() } else { Key::new(trimmed)? };
        let mut listing =
            Self { storage, prefix, left: Some(left), page: VecDeque::new(), is_empty: true };
        listing.fetch()?;
        Ok(listing)
    }

    /// Fetches the next page; an error ends the listing.
    fn fetch(&mut self) -> Result<()> {
        let Some(mut left) = self.left.take() else { return Ok(()) };
        let (call, deadline) = (self.storage.call("list"), self.storage.settings.deadline);
        let (page, left) =
            self.storage.run(call, Some(&self.prefix), Some(deadline), async move {
                let mut page = VecDeque::with_capacity(PAGE);
                while let Some(found) = left.next().await {
                    page.push_back(Ok(found?));
                    if page.len() == PAGE {
                        return Ok((page, Some(left)));
                    }
                }
                Ok((page, None))
            })?;
        (self.page, self.left) = (page, left);
        self.is_empty &= self.page.is_empty();
        Ok(())
    }

    /// A prefix below which there is nothing may be the key of an object.
    fn itself(&mut self) -> Option<Result<ObjectInfo>> {
        if !self.is_empty || self.prefix.is_root() {
            return None;
        }
        self.is_empty = false;
        match self.storage.stat(&self.prefix) {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            found => Some(found),
        }
    }
}

impl Iterator for Listing<'_> {
    type Item = Result<ObjectInfo>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.is_empty()
            && self.left.is_some()
            && let Err(error) = self.fetch()
        {
            self.is_empty = false;
            return Some(Err(error));
        }
        let Some(Ok(meta)) = self.page.pop_front() else { return self.itself() };
        let key = Key::new(meta.location.to_string());
        Some(key.map(|key| self.storage.info(key, &meta)))
    }
}
