//! What a snapshot says about itself: the fields, their order and their rules (format v1, section 3).

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::borrow::Cow;

use jiff::Timestamp;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind, Result};
use crate::hashing::Digest;
use crate::id::{AgentId, SessionId, SnapshotId};
use crate::json::{self, Bounds, Member};

/// The version of the format that this release reads and writes.
pub const FORMAT_VERSION: u64 = 1;

/// The version of the typed JSON inside `agent_state` that this release knows.
pub const STATE_FORMAT: u64 = 1;

/// Metadata longer than this many bytes is refused.
pub const MAX_METADATA: usize = 64 * 1024;

const BOUNDS: Bounds = Bounds { depth: 16, integer_digits: 20, weight: u64::MAX };

/// The fields that the original xenoscale/Persist writes; any other needs `metadata_hash`.
const ORIGINAL_FIELDS: [&str; 11] = [
    "agent_id",
    "session_id",
    "snapshot_index",
    "timestamp",
    "content_hash",
    "format_version",
    "snapshot_id",
    "description",
    "uncompressed_size",
    "compressed_size",
    "compression_algorithm",
];

/// What a snapshot says about itself.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Metadata {
    /// The agent that this is a snapshot of.
    pub agent_id: AgentId,
    /// The session or conversation that it belongs to.
    pub session_id: SessionId,
    /// The number of this snapshot in its session, from 0.
    pub snapshot_index: u64,
    /// When it was taken.
    pub timestamp: Timestamp,
    /// SHA-256 of the exact bytes of `agent_state`.
    pub content_hash: Digest,
    /// The id of this snapshot.
    pub snapshot_id: SnapshotId,
    /// What a person wrote about it.
    pub description: Option<String>,
    /// The length of `agent_state` in bytes.
    pub uncompressed_size: u64,
    /// The length in bytes of the members that hold `agent_state`; the original leaves it out.
    pub compressed_size: Option<u64>,
    /// The name of the algorithm that the file is compressed with.
    pub compression_algorithm: String,
    /// The version of the typed JSON in `agent_state`; absent in files of the original.
    pub state_format: Option<u64>,
    /// SHA-256 over the digests of the blocks, in order; absent without a block table.
    pub block_root: Option<Digest>,
    /// SHA-256 of the metadata's own bytes; absent in files of the original.
    pub metadata_hash: Option<Digest>,
    /// The snapshot that this one follows.
    pub parent: Option<SnapshotId>,
    /// Names and values that the user chose.
    pub tags: Map<String, Value>,
    /// The distributions that the agent was made with, and their versions.
    pub framework: Map<String, Value>,
    /// The adapter that captured the agent.
    pub adapter: Option<String>,
    /// The release of Persist that wrote the snapshot.
    pub persist_version: Option<String>,
    /// Fields that this release does not know: kept, shown, and covered by `metadata_hash`.
    pub unknown: Map<String, Value>,
}

impl Metadata {
    /// Shows each field, in the order in which they are shown and written.
    pub fn visit(&self, mut see: impl FnMut(&str, Field<'_>)) {
        use Field::{Null, Number, Text};
        see("agent_id", Text(self.agent_id.as_str()));
        see("session_id", Text(self.session_id.as_str()));
        see("snapshot_index", Number(self.snapshot_index));
        see("timestamp", Text(&self.timestamp.to_string()));
        see("content_hash", Text(&self.content_hash.to_string()));
        see("format_version", Number(FORMAT_VERSION));
        see("snapshot_id", Text(&self.snapshot_id.to_string()));
        see("description", self.description.as_deref().map_or(Null, Text));
        see("uncompressed_size", Number(self.uncompressed_size));
        see("compressed_size", self.compressed_size.map_or(Null, Number));
        see("compression_algorithm", Text(&self.compression_algorithm));
        self.visit_own(&mut see);
    }

    /// What the original does not write is left out where it is empty.
    fn visit_own(&self, see: &mut impl FnMut(&str, Field<'_>)) {
        if let Some(version) = self.state_format {
            see("state_format", Field::Number(version));
        }
        let digests = [("block_root", self.block_root), ("metadata_hash", self.metadata_hash)];
        for (name, digest) in digests {
            if let Some(digest) = digest {
                see(name, Field::Text(&digest.to_string()));
            }
        }
        if let Some(parent) = self.parent {
            see("parent", Field::Text(&parent.to_string()));
        }
        for (name, texts) in [("tags", &self.tags), ("framework", &self.framework)] {
            if !texts.is_empty() {
                see(name, Field::Texts(texts));
            }
        }
        let texts = [("adapter", &self.adapter), ("persist_version", &self.persist_version)];
        for (name, text) in texts {
            if let Some(text) = text {
                see(name, Field::Text(text));
            }
        }
        self.unknown.iter().for_each(|(name, value)| see(name, Field::Unknown(value)));
    }

    /// The fields in their order.
    pub fn to_map(&self) -> Map<String, Value> {
        let mut map = Map::new();
        self.visit(|name, field| {
            let value = match field {
                Field::Null => Value::Null,
                Field::Number(number) => number.into(),
                Field::Text(text) => text.into(),
                Field::Texts(texts) => texts.clone().into(),
                Field::Unknown(value) => value.clone(),
            };
            map.insert(name.to_owned(), value);
        });
        map
    }

    /// Writes the metadata with its hash; the hash is kept in the value as well.
    pub(crate) fn seal(&mut self) -> String {
        let zeros = Digest::from_bytes([0; 32]);
        self.metadata_hash = Some(zeros);
        let zeroed = self.to_json();
        let hash = Digest::of(zeroed.as_bytes());
        self.metadata_hash = Some(hash);
        // What users chose stands behind it, or has its quotes escaped.
        let field = |digest| format!("\"metadata_hash\":\"{digest}\"");
        zeroed.replacen(&field(zeros), &field(hash), 1)
    }

    /// Writes the metadata as one compact JSON object.
    pub(crate) fn to_json(&self) -> String {
        // Only a key that is no text could fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads and checks the metadata object that stands in this text.
    ///
    /// Fails with `Format`, `UnsupportedVersion`, `LimitExceeded`, or with `Integrity` when the
    /// metadata's own hash does not match.
    pub(crate) fn parse(text: &[u8]) -> Result<Self> {
        if text.len() > MAX_METADATA {
            let message = format!("the metadata is longer than {MAX_METADATA} bytes");
            return Err(Error::new(ErrorKind::LimitExceeded, message));
        }
        let fields = Fields::read(text)?;
        fields.check_version("format_version", FORMAT_VERSION)?;
        if fields.get("state_format").is_some() {
            fields.check_version("state_format", STATE_FORMAT)?;
        }
        fields.check_hash()?;
        fields.build()
    }
}

impl Serialize for Metadata {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let mut written = Ok(());
        self.visit(|name, field| {
            if written.is_ok() {
                written = map.serialize_entry(name, &field);
            }
        });
        written?;
        map.end()
    }
}

/// What a field of the metadata holds.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Field<'a> {
    /// Nothing was said.
    Null,
    /// A count of bytes or snapshots, or a version.
    Number(u64),
    /// A name, a time, an id or a digest.
    Text(&'a str),
    /// Names and texts.
    Texts(&'a Map<String, Value>),
    /// What this release does not know.
    Unknown(&'a Value),
}

impl Serialize for Field<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Number(number) => serializer.serialize_u64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::Texts(texts) => texts.serialize(serializer),
            Self::Unknown(value) => value.serialize(serializer),
        }
    }
}

/// The members of a metadata object, looked up by name and read one by one.
struct Fields<'a> {
    text: &'a [u8],
    members: Vec<Member>,
}

impl<'a> Fields<'a> {
    fn read(text: &'a [u8]) -> Result<Self> {
        Ok(Self { text, members: json::members(text, BOUNDS)? })
    }

    fn find(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.key == name)
    }

    /// The text of the value of this field; `None` when it is absent or null.
    fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.find(name).and_then(|member| self.value(member))
    }

    fn value(&self, member: &Member) -> Option<&'a [u8]> {
        self.text.get(member.value.clone()).filter(|value| *value != b"null")
    }

    fn check_version(&self, name: &str, known: u64) -> Result<()> {
        let number = self.required_number(name)?;
        if number == known {
            return Ok(());
        }
        let message = format!("{name} {number} is unknown; this release reads {name} {known}");
        Err(Error::new(ErrorKind::UnsupportedVersion, message)
            .with_hint("open it with the release that wrote it, or with a newer one"))
    }

    /// Compares `metadata_hash` with the bytes as they stand, its own digits taken as zeros.
    fn check_hash(&self) -> Result<()> {
        let Some(Member { value: range, .. }) = self.find("metadata_hash") else {
            return self.check_hash_may_be_absent();
        };
        let stated = self.digest("metadata_hash")?;
        let (before, rest) = self.text.split_at(range.start);
        let after = rest.get(range.len()..).unwrap_or_default();
        let zeros = format!("\"{}\"", "0".repeat(64));
        if Some(Digest::of_parts([before, zeros.as_bytes(), after])) == stated {
            return Ok(());
        }
        let message = "the metadata does not match its hash: it was changed after it was written";
        Err(Error::new(ErrorKind::Integrity, message))
    }

    fn check_hash_may_be_absent(&self) -> Result<()> {
        let is_own = |member: &&Member| !ORIGINAL_FIELDS.contains(&member.key.as_str());
        match self.members.iter().find(is_own) {
            None => Ok(()),
            Some(own) => Err(Error::new(
                ErrorKind::Integrity,
                format!("metadata_hash is missing, though the field {:?} is there", own.key),
            )),
        }
    }

    fn build(&self) -> Result<Metadata> {
        Ok(Metadata {
            agent_id: AgentId::new(&*self.required_text("agent_id")?)
                .map_err(|error| empty(&error))?,
            session_id: SessionId::new(&*self.required_text("session_id")?)
                .map_err(|error| empty(&error))?,
            snapshot_index: self.required_number("snapshot_index")?,
            timestamp: self.timestamp()?,
            content_hash: self.digest("content_hash")?.ok_or_else(|| missing("content_hash"))?,
            snapshot_id: self.required_text("snapshot_id")?.parse()?,
            description: self.owned_text("description")?,
            uncompressed_size: self.required_number("uncompressed_size")?,
            compressed_size: self.number("compressed_size")?,
            compression_algorithm: self.required_text("compression_algorithm")?.into_owned(),
            state_format: self.number("state_format")?,
            block_root: self.digest("block_root")?,
            metadata_hash: self.digest("metadata_hash")?,
            parent: self.text("parent")?.map(|text| text.parse()).transpose()?,
            tags: self.object("tags")?,
            framework: self.object("framework")?,
            adapter: self.owned_text("adapter")?,
            persist_version: self.owned_text("persist_version")?,
            unknown: self.unknown(),
        })
    }

    fn text(&self, name: &str) -> Result<Option<Cow<'a, str>>> {
        let read = |value| {
            let plain = serde_json::from_slice(value).map(Cow::Borrowed);
            plain.or_else(|_| serde_json::from_slice(value).map(Cow::Owned))
        };
        self.get(name).map(|value| read(value).map_err(|_| wrong(name, "a string"))).transpose()
    }

    fn owned_text(&self, name: &str) -> Result<Option<String>> {
        self.text(name).map(|text| text.map(Cow::into_owned))
    }

    fn required_text(&self, name: &str) -> Result<Cow<'a, str>> {
        self.text(name)?.ok_or_else(|| missing(name))
    }

    fn number(&self, name: &str) -> Result<Option<u64>> {
        let read = |value| serde_json::from_slice(value).map_err(|_| wrong(name, "a whole number"));
        self.get(name).map(read).transpose()
    }

    fn required_number(&self, name: &str) -> Result<u64> {
        self.number(name)?.ok_or_else(|| missing(name))
    }

    fn digest(&self, name: &str) -> Result<Option<Digest>> {
        let wrong = || wrong(name, "64 lower-case hexadecimal digits");
        self.text(name)?.map(|text| Digest::from_hex(&text).ok_or_else(wrong)).transpose()
    }

    fn object(&self, name: &str) -> Result<Map<String, Value>> {
        let Some(value) = self.get(name) else {
            return Ok(Map::new());
        };
        let map = serde_json::from_slice(value).ok();
        let of_texts = map.filter(|map: &Map<String, Value>| map.values().all(Value::is_string));
        of_texts.ok_or_else(|| wrong(name, "an object of strings"))
    }

    /// RFC 3339 alone: the parser of the library takes more than that.
    fn timestamp(&self) -> Result<Timestamp> {
        let text = self.required_text("timestamp")?;
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"-+:.TZ".contains(&byte));
        let parsed = text.parse().ok().filter(|_| is_plain && text.contains('T'));
        parsed.ok_or_else(|| wrong("timestamp", "an RFC 3339 time"))
    }

    fn unknown(&self) -> Map<String, Value> {
        let own = [
            "state_format",
            "block_root",
            "metadata_hash",
            "parent",
            "tags",
            "framework",
            "adapter",
            "persist_version",
        ];
        let is_known = |key: &str| ORIGINAL_FIELDS.contains(&key) || own.contains(&key);
        let unknown = self.members.iter().filter(|member| !is_known(&member.key));
        let read = |member| serde_json::from_slice(self.value(member)?).ok();
        unknown.filter_map(|member| Some((member.key.clone(), read(member)?))).collect()
    }
}

fn missing(name: &str) -> Error {
    Error::new(ErrorKind::Format, format!("the metadata field {name:?} is missing"))
}

fn wrong(name: &str, wanted: &str) -> Error {
    Error::new(ErrorKind::Format, format!("the metadata field {name:?} is not {wanted}"))
}

fn empty(error: &Error) -> Error {
    Error::new(ErrorKind::Format, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGINAL: &str = concat!(
        r#"{"agent_id":"a1","session_id":"s1","snapshot_index":3,"#,
        r#""timestamp":"2026-11-23T20:00:16.454119329Z","content_hash":"#,
        r#""ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","format_version":1,"#,
        r#""snapshot_id":"3b241101-e2bb-4255-8caf-4136c566a962","description":null,"#,
        r#""uncompressed_size":51,"compressed_size":null,"compression_algorithm":"gzip"}"#
    );

    fn kind(text: &str) -> Option<ErrorKind> {
        Metadata::parse(text.as_bytes()).err().map(|error| error.kind())
    }

    #[test]
    fn the_originals_metadata_comes_back_as_it_was() {
        let metadata = Metadata::parse(ORIGINAL.as_bytes()).unwrap();
        assert_eq!(metadata.to_json(), ORIGINAL);
    }

    #[test]
    fn sealed_metadata_passes_and_a_changed_one_does_not() {
        let mut metadata = Metadata::parse(ORIGINAL.as_bytes()).unwrap();
        metadata.adapter = Some("plain".into());
        metadata.description = Some(format!("\"metadata_hash\":\"{}\"", "0".repeat(64)));
        metadata.tags.insert("metadata_hash".into(), "0".repeat(64).into());
        let sealed = metadata.seal();
        assert_eq!(sealed, metadata.to_json());
        assert_eq!(Metadata::parse(sealed.as_bytes()).unwrap(), metadata);
        assert_eq!(kind(&sealed.replace("\"a1\"", "\"a2\"")), Some(ErrorKind::Integrity));
        let hash = format!("\"metadata_hash\":\"{}\",", metadata.metadata_hash.unwrap());
        assert_eq!(kind(&sealed.replace(&hash, "")), Some(ErrorKind::Integrity));
    }

    #[test]
    fn wrong_fields_are_refused_by_name() {
        for (from, to) in [
            (r#""agent_id":"a1""#, r#""agent_id":"""#),
            (r#""agent_id":"a1","#, ""),
            (r#""snapshot_index":3"#, r#""snapshot_index":3.0"#),
            (r#""snapshot_index":3"#, r#""snapshot_index":-1"#),
            ("2026-11-23T20:00:16.454119329Z", "2026-11-23"),
            ("ba7816bf", "BA7816BF"),
            ("3b241101-e2bb-4255-8caf-4136c566a962", "not-a-uuid"),
            (r#""format_version":1,"#, ""),
        ] {
            assert_eq!(kind(&ORIGINAL.replace(from, to)), Some(ErrorKind::Format), "{to}");
        }
        let newer = ORIGINAL.replace(r#""format_version":1"#, r#""format_version":2"#);
        assert_eq!(kind(&newer), Some(ErrorKind::UnsupportedVersion));
    }

    #[test]
    fn an_offset_is_accepted_in_a_timestamp() {
        let text = ORIGINAL.replace("20:00:16.454119329Z", "22:00:16+02:00");
        let metadata = Metadata::parse(text.as_bytes()).unwrap();
        assert_eq!(metadata.timestamp.to_string(), "2026-11-23T20:00:16Z");
    }
}
