//! The keys of the objects that are open: what finds one that stands twice.

use std::collections::HashSet;

/// The keys of the open objects, one behind the other.
#[derive(Default)]
pub(super) struct Keys {
    text: String,
    ends: Vec<(usize, usize)>,
}

/// Where the keys of one object begin; a set, when there are many.
pub(super) struct OwnKeys {
    first: usize,
    text: usize,
    /// One bit for the look of each key: most new keys have one of their own.
    looks: u64,
    many: Option<HashSet<String>>,
}

impl Keys {
    const FEW: usize = 32;

    /// Begins a new innermost object.
    pub(super) fn begin(&self) -> OwnKeys {
        OwnKeys { first: self.ends.len(), text: self.text.len(), looks: 0, many: None }
    }

    /// Forgets the keys of the innermost object.
    pub(super) fn end(&mut self, own: &OwnKeys) {
        self.ends.truncate(own.first);
        self.text.truncate(own.text);
    }

    /// Adds a key to the innermost object; false when it was there already.
    pub(super) fn add(&mut self, own: &mut OwnKeys, key: &str) -> bool {
        if let Some(many) = &mut own.many {
            return many.insert(key.to_owned());
        }
        let few = self.ends.get(own.first..).unwrap_or_default();
        let text = |&(start, end): &(usize, usize)| self.text.get(start..end);
        let look = look(key);
        if own.looks & look != 0 && few.iter().any(|place| text(place) == Some(key)) {
            return false;
        }
        if few.len() >= Self::FEW {
            let many: HashSet<_> = few.iter().filter_map(text).map(str::to_owned).collect();
            return own.many.insert(many).insert(key.to_owned());
        }
        own.looks |= look;
        let start = self.text.len();
        self.text.push_str(key);
        self.ends.push((start, self.text.len()));
        true
    }
}

/// A bit that depends on the length, the first and the last byte.
fn look(key: &str) -> u64 {
    let bytes = key.as_bytes();
    let ends = [bytes.first(), bytes.last()].map(|byte| byte.copied().map_or(0, usize::from));
    let [first, last] = ends;
    1_u64.rotate_left(u32::from((bytes.len() ^ (first << 1) ^ (last << 2)).to_le_bytes()[0]))
}
