//! The core through its public door; one binary, to link once.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod blocks;
#[cfg(feature = "cloud")]
mod cloud;
mod corruption;
#[cfg(feature = "conformance")]
mod faults;
mod health;
mod local;
mod many;
mod rooms;
mod round_trip;
mod vectors;
mod writer;
