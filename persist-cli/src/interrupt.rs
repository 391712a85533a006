//! Ctrl-C: what is written to a cloud's store is taken back before the process ends.

use std::sync::{LazyLock, Once};
use std::thread;
use std::time::Duration;

use persist_core::CancelToken;
use tokio::runtime::Builder;
use tokio::signal::ctrl_c;

/// The exit code of a process that Ctrl-C ended: 128, and the number of the signal.
pub(crate) const INTERRUPTED: u8 = 130;

/// How long taking back may take; a second Ctrl-C ends the process before.
const PATIENCE: Duration = Duration::from_secs(15);

static CANCEL: LazyLock<CancelToken> = LazyLock::new(CancelToken::new);

/// Ends what this process does on the stores of the clouds.
pub(crate) fn token() -> CancelToken {
    CANCEL.clone()
}

/// From now on Ctrl-C ends the operation that runs, which leaves no object and no parts, and then
/// the process. Before, it ends the process at once.
pub(crate) fn takes_back() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| drop(thread::spawn(wait)));
}

fn wait() {
    // Without it, Ctrl-C ends the process as it did before.
    let Ok(runtime) = Builder::new_current_thread().enable_all().build() else { return };
    runtime.block_on(async {
        if ctrl_c().await.is_err() {
            return;
        }
        CANCEL.cancel();
        // Whichever comes first.
        let _ = tokio::time::timeout(PATIENCE, ctrl_c()).await;
        #[expect(
            clippy::exit,
            clippy::disallowed_methods,
            reason = "the user asked for it, and the main thread does not end"
        )]
        std::process::exit(INTERRUPTED.into());
    });
}
