//! The core through its public door; one binary, to link once.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod blocks;
mod corruption;
mod health;
mod local;
mod many;
mod rooms;
mod round_trip;
mod vectors;
mod writer;
