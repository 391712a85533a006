//! Reads a file of any other layout: the same text split otherwise, or a file of the original.

use std::borrow::Cow;
use std::ops::Range;

use super::{Protection, ReadOptions, Snapshot, changed, malformed};
use crate::compression::{self, Container};
use crate::error::Result;
use crate::hashing::Digest;
use crate::json::{self, Bounds, Member};
use crate::metadata::{MAX_METADATA, Metadata};

/// Metadata that stands first is found within this many bytes of text.
const PREFIX: u64 = 2 * MAX_METADATA as u64;

/// The metadata, when it stands first and whole in what these first bytes of a file unpack to.
pub(super) fn metadata_in_prefix(container: Container, start: &[u8]) -> Result<Option<Metadata>> {
    let text = unpack_prefix(container, start);
    let bounds = Bounds { depth: 16, integer_digits: 20, weight: u64::MAX };
    let first = json::first_member(&text, bounds).filter(|member| member.key == "metadata");
    let bytes = first.and_then(|member| text.get(member.value));
    let metadata = bytes.map(Metadata::parse).transpose()?;
    metadata.map(|metadata| check_algorithm(&metadata, container).map(|()| metadata)).transpose()
}

/// Reads a whole file.
pub(super) fn read(
    container: Container,
    file: Cow<'_, [u8]>,
    options: &ReadOptions,
) -> Result<Snapshot> {
    let bounds = options.limits.bounds(file.len() as u64);
    let mut text = unpack(container, file, options)?;
    let (metadata, place) = split(&text, bounds)?;
    let metadata = Metadata::parse(text.get(metadata).unwrap_or_default())?;
    check_algorithm(&metadata, container)?;
    let state = text.get(place.clone()).unwrap_or_default();
    if metadata.uncompressed_size != state.len() as u64 {
        return Err(changed("uncompressed_size does not match the state"));
    }
    if Digest::of(state) != metadata.content_hash {
        let message = "the state does not match content_hash: it was changed after it was written";
        return Err(changed(message));
    }
    let protection = match metadata.metadata_hash {
        Some(_) => Protection::Full,
        None => Protection::MetadataUnprotected,
    };
    // The text may be long: the state stays where it is.
    text.truncate(place.end);
    drop(text.drain(..place.start));
    Ok(Snapshot { metadata, state: text, protection })
}

fn unpack(container: Container, file: Cow<'_, [u8]>, options: &ReadOptions) -> Result<Vec<u8>> {
    let size = file.len() as u64;
    let enough = options.limits.unpacked_from(size).saturating_add(1);
    let text = match container {
        Container::Gzip => compression::inflate_all(&file, enough)?,
        Container::Plain => file.into_owned(),
        _ => compression::decompress_all(&file, enough)?,
    };
    options.limits.check_unpacked(text.len() as u64, size)?;
    Ok(text)
}

fn unpack_prefix(container: Container, start: &[u8]) -> Vec<u8> {
    match container {
        Container::Gzip => compression::inflate_start(start, PREFIX),
        Container::Plain => start.to_vec(),
        _ => compression::decompress_start(start, PREFIX),
    }
}

/// Where metadata and state stand in the document, which holds nothing else.
fn split(text: &[u8], bounds: Bounds) -> Result<(Range<usize>, Range<usize>)> {
    let members = json::members(text, bounds)?;
    let find = |name: &str| members.iter().find(|member| member.key == name);
    let place = |member: &Member| member.value.clone();
    match (find("metadata"), find("agent_state"), members.len()) {
        (Some(metadata), Some(state), 2) => Ok((place(metadata), place(state))),
        _ => Err(malformed("the document does not hold metadata and agent_state alone")),
    }
}

/// Whether the file is compressed as its metadata says. The original never looked at the field, but
/// always wrote gzip.
fn check_algorithm(metadata: &Metadata, container: Container) -> Result<()> {
    let name = match container {
        Container::Gzip => "gzip",
        Container::Plain => "none",
        _ => "zstd",
    };
    if metadata.compression_algorithm == name {
        return Ok(());
    }
    let said = &metadata.compression_algorithm;
    Err(malformed(format!("the metadata says {said:?}, but the file is {name:?}")))
}
