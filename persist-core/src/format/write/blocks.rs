//! Where full blocks go: a few are kept and packed at the end, many are packed on threads.

use super::assembly::{Assembled, Assembly, Packer};
use super::workers::Workers;
use super::{BLOCK, Draft};
use crate::error::{Error, ErrorKind, Result};
use crate::parallel;

/// The blocks of a state whose length is not known yet.
pub(super) struct Blocks {
    packer: Packer,
    stage: Stage,
}

enum Stage {
    /// So few that a thread may not be worth its start.
    Few {
        kept: Vec<Vec<u8>>,
        assembly: Assembly,
    },
    /// Packed on this thread, as they come: there is only one core.
    Alone(Assembly),
    Many(Workers),
    /// An error was returned.
    Failed,
}

impl Blocks {
    pub(super) fn new(draft: &Draft, assembly: Assembly) -> Self {
        let packer = Packer::new(draft);
        Self { packer, stage: Stage::Few { kept: Vec::new(), assembly } }
    }

    /// An empty buffer for the next block; waits while too many are on their way.
    pub(super) fn buffer(&mut self) -> Result<Vec<u8>> {
        match &mut self.stage {
            Stage::Many(workers) => workers.buffer(),
            _ => Ok(Vec::with_capacity(BLOCK)),
        }
    }

    /// Takes a block that is not the last one.
    pub(super) fn push(&mut self, block: Vec<u8>) -> Result<()> {
        let stage = std::mem::replace(&mut self.stage, Stage::Failed);
        let (stage, result) = self.next(stage, block);
        self.stage = stage;
        result
    }

    fn next(&self, stage: Stage, block: Vec<u8>) -> (Stage, Result<()>) {
        let result = match stage {
            Stage::Few { mut kept, assembly } => {
                kept.push(block);
                self.leave_few(kept, assembly)
            }
            Stage::Alone(mut assembly) => {
                take(&mut assembly, &self.packer, &block).map(|()| Stage::Alone(assembly))
            }
            Stage::Many(mut workers) => workers.push(block).map(|()| Stage::Many(workers)),
            Stage::Failed => Err(given_up()),
        };
        match result {
            Ok(stage) => (stage, Ok(())),
            Err(error) => (Stage::Failed, Err(error)),
        }
    }

    /// Starts threads, once there is enough to do for them.
    fn leave_few(&self, kept: Vec<Vec<u8>>, mut assembly: Assembly) -> Result<Stage> {
        if !parallel::is_worth_a_thread(kept.iter().map(Vec::len).sum()) {
            return Ok(Stage::Few { kept, assembly });
        }
        if parallel::threads() < 2 {
            take_all(&mut assembly, &self.packer, &kept)?;
            return Ok(Stage::Alone(assembly));
        }
        let mut workers = Workers::start(&self.packer, assembly)?;
        kept.into_iter().try_for_each(|block| workers.push(block))?;
        Ok(Stage::Many(workers))
    }

    /// Takes the last block, and waits for all.
    pub(super) fn finish(self, last: Vec<u8>) -> Result<Assembled> {
        let packer = &self.packer;
        let mut assembly = match self.stage {
            Stage::Few { kept, mut assembly } if kept.is_empty() => {
                assembly.check(&last)?;
                assembly.check_end()?;
                return assembly.end_with_one(&packer.pack(&last)?);
            }
            Stage::Few { kept, mut assembly } => {
                take_all(&mut assembly, packer, &kept)?;
                take(&mut assembly, packer, &last)?;
                assembly
            }
            Stage::Alone(mut assembly) => {
                take(&mut assembly, packer, &last)?;
                assembly
            }
            Stage::Many(mut workers) => {
                workers.push(last)?;
                workers.finish()?
            }
            Stage::Failed => return Err(given_up()),
        };
        assembly.check_end()?;
        Ok(assembly.end())
    }
}

fn take_all(assembly: &mut Assembly, packer: &Packer, blocks: &[Vec<u8>]) -> Result<()> {
    blocks.iter().try_for_each(|block| take(assembly, packer, block))
}

fn take(assembly: &mut Assembly, packer: &Packer, block: &[u8]) -> Result<()> {
    assembly.check(block)?;
    assembly.take(block, &packer.pack(block)?)
}

fn given_up() -> Error {
    Error::new(ErrorKind::Storage, "the snapshot was given up at an earlier error")
}
