//! No compression: the file is the plain document.

use super::{Algorithm, Container, Level};
use crate::error::{Error, ErrorKind, Result};

#[derive(Debug)]
pub(super) struct None;

impl Algorithm for None {
    fn name(&self) -> &'static str {
        "none"
    }

    fn container(&self) -> Container {
        Container::Plain
    }

    fn compress(&self, block: &[u8], level: Level) -> Result<Vec<u8>> {
        match level {
            Option::None => Ok(block.to_vec()),
            Some(level) => Err(Error::new(
                ErrorKind::Configuration,
                format!("level {level} was asked for without compression"),
            )),
        }
    }

    fn decompress(&self, bytes: &[u8], _plain_length: usize) -> Result<Vec<u8>> {
        Ok(bytes.to_vec())
    }
}
