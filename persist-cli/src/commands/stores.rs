//! How the stores of a command are reached: what the command line says, and the environment.

use std::ffi::OsString;

use clap::Args;
use persist_core::{Error, ErrorKind, Location, Result, StorageOptions};

use super::places::Place;
use crate::interrupt;

/// A name and a value.
type Pair = (String, String);

/// Options of the stores that a command uses.
#[derive(Debug, Args)]
pub(crate) struct Stores {
    /// Say how a cloud's store is reached, as region=eu-west-1; again for each option
    ///
    /// The names are those of `persist.options`, and tag.NAME for a tag. What is said here wins over
    /// the environment; keys are safer there. Where a command uses two stores, an option is for each
    /// that has it.
    #[arg(short = 'O', long = "option", value_name = "NAME=VALUE")]
    options: Vec<String>,
}

/// Options of the store that a command writes to.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// Say how the store of the new file is reached, where it is another than the first
    #[arg(long = "to-option", value_name = "NAME=VALUE")]
    to_options: Vec<String>,
}

impl Stores {
    /// Opens the store of a path or URL.
    pub(crate) fn open(&self, text: &OsString) -> Result<Place> {
        let location = Location::parse(text)?;
        let options = pairs(&self.options, std::slice::from_ref(&location))?;
        open(location, &options)
    }

    /// Opens the store of each path or URL.
    pub(crate) fn open_all(&self, texts: &[OsString]) -> Result<Vec<Place>> {
        let locations = texts.iter().map(Location::parse).collect::<Result<Vec<_>>>()?;
        let options = pairs(&self.options, &locations)?;
        locations.into_iter().map(|location| open(location, &options)).collect()
    }

    /// Opens the stores of two locations.
    pub(crate) fn open_two(&self, one: &OsString, other: &OsString) -> Result<(Place, Place)> {
        let (one, other) = (Location::parse(one)?, Location::parse(other)?);
        let options = pairs(&self.options, &[one.clone(), other.clone()])?;
        Ok((open(one, &options)?, open(other, &options)?))
    }

    /// Opens the store that is read and the one that is written to. Ctrl-C takes back what is
    /// written there.
    pub(crate) fn open_both(
        &self,
        from: &OsString,
        to: &OsString,
        target: &Target,
    ) -> Result<(Place, Place)> {
        let (from, to) = (Location::parse(from)?, Location::parse(to)?);
        let options = pairs(&self.options, &[from.clone(), to.clone()])?;
        let to_options = pairs(&target.to_options, std::slice::from_ref(&to))?;
        if !to.is_local() {
            interrupt::takes_back();
        }
        Ok((open(from, &options)?, open(to, options.iter().chain(&to_options))?))
    }
}

/// Takes the options apart; refuses one that none of these stores has.
fn pairs(texts: &[String], locations: &[Location]) -> Result<Vec<Pair>> {
    let options = texts.iter().map(|text| pair(text)).collect::<Result<Vec<_>>>()?;
    let is_known = |name: &str| locations.iter().any(|location| location.has_option(name));
    let Some((name, _)) = options.iter().find(|(name, _)| !is_known(name)) else {
        return Ok(options);
    };
    let message = format!("no store of this command has an option {name:?}");
    let mut known: Vec<_> = locations.iter().flat_map(Location::option_names).collect();
    known.sort_unstable();
    known.dedup();
    let hint = if known.is_empty() {
        "the local disk and the memory of a process have none".to_owned()
    } else {
        format!("there are {} and tag.NAME", known.join(", "))
    };
    Err(Error::new(ErrorKind::Configuration, message).with_hint(hint))
}

fn open<'a>(location: Location, options: impl IntoIterator<Item = &'a Pair>) -> Result<Place> {
    let environment = persist_environment::storage_options().with_cancel(interrupt::token());
    let set = |all: StorageOptions, (name, value): &Pair| all.set(name, value);
    let ours = options.into_iter().filter(|(name, _)| location.has_option(name));
    let options = ours.fold(environment, set);
    Place::open(location, &options)
}

/// The refusal does not repeat the text: it can be a key.
fn pair(text: &str) -> Result<Pair> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(Error::new(ErrorKind::Configuration, "an option is not NAME=VALUE")
            .with_hint("write it as in --option region=eu-west-1")),
    }
}
