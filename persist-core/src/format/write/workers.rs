//! Packs blocks on threads while the state goes on; they end with the writer.
//!
//! Blocks go to the packers in turn, and the assembler takes them back in the same order. What
//! bounds the memory is the number of buffers: a block's buffer comes back when it is written.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use super::BLOCK;
use super::assembly::{Assembly, Packed, Packer};
use crate::error::{Error, ErrorKind, Result};
use crate::parallel;
use crate::telemetry::spans;

type Done = (Vec<u8>, Result<Packed>);

pub(super) struct Workers {
    packers: Vec<Sender<Vec<u8>>>,
    free: Receiver<Vec<u8>>,
    /// Buffers that may still be made.
    unmade: usize,
    pushed: usize,
    threads: Vec<JoinHandle<()>>,
    assembler: Option<JoinHandle<Result<Assembly>>>,
}

impl Workers {
    pub(super) fn start(packer: &Packer, assembly: Assembly) -> Result<Self> {
        let count = parallel::threads();
        let (give, free) = channel();
        let mut workers = Self {
            packers: Vec::new(),
            free,
            // Beside those of the blocks that were kept until now, which are pushed next.
            unmade: count,
            pushed: 0,
            threads: Vec::new(),
            assembler: None,
        };
        let mut done = Vec::new();
        for _ in 0..count {
            let packer = packer.clone();
            let (jobs, blocks) = channel();
            let (results, packed) = channel();
            workers.packers.push(jobs);
            done.push(packed);
            workers.threads.push(spawn("persist-pack", move || pack(&packer, &blocks, &results))?);
        }
        workers.assembler = Some(spawn("persist-write", move || assemble(assembly, &done, &give))?);
        Ok(workers)
    }

    /// An empty buffer; waits until one comes back.
    pub(super) fn buffer(&mut self) -> Result<Vec<u8>> {
        if let Some(left) = self.unmade.checked_sub(1) {
            self.unmade = left;
            return Ok(Vec::with_capacity(BLOCK));
        }
        self.free.recv().map_err(|_| self.failure())
    }

    pub(super) fn push(&mut self, block: Vec<u8>) -> Result<()> {
        let turn = self.pushed.checked_rem(self.packers.len()).unwrap_or_default();
        let sent = self.packers.get(turn).map(|packer| packer.send(block));
        if !matches!(sent, Some(Ok(()))) {
            return Err(self.failure());
        }
        self.pushed = self.pushed.saturating_add(1);
        Ok(())
    }

    /// Waits until every block is written.
    pub(super) fn finish(mut self) -> Result<Assembly> {
        let assembly = self.join()?;
        if assembly.count() == self.pushed { Ok(assembly) } else { Err(parallel::worker_died()) }
    }

    /// Why the assembler ended before its time.
    fn failure(&mut self) -> Error {
        self.join().err().unwrap_or_else(parallel::worker_died)
    }

    fn join(&mut self) -> Result<Assembly> {
        self.packers.clear();
        let assembly = self.assembler.take().map(JoinHandle::join);
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
        assembly.and_then(thread::Result::ok).unwrap_or_else(|| Err(parallel::worker_died()))
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        drop(self.join());
    }
}

fn spawn<T: Send + 'static>(
    name: &str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>> {
    let work = spans::carried(work);
    thread::Builder::new().name(name.to_owned()).spawn(work).map_err(|error| {
        Error::new(ErrorKind::Storage, "could not start a thread").with_source(error)
    })
}

/// Packs blocks until there are no more, or nobody listens.
fn pack(packer: &Packer, blocks: &Receiver<Vec<u8>>, results: &Sender<Done>) {
    for block in blocks {
        let packed = packer.pack(&block);
        if results.send((block, packed)).is_err() {
            return;
        }
    }
}

/// Takes the packed blocks in their order; ends at the first packer that has no more.
fn assemble(
    mut assembly: Assembly,
    done: &[Receiver<Done>],
    free: &Sender<Vec<u8>>,
) -> Result<Assembly> {
    for results in done.iter().cycle() {
        let Ok((mut block, packed)) = results.recv() else { break };
        assembly.check(&block)?;
        assembly.take(&block, &packed?)?;
        block.clear();
        // Nobody waits for it when the last block was pushed.
        let _ = free.send(block);
    }
    Ok(assembly)
}
