//! SIGINT and SIGTERM.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::exit::Exit;

/// Waits for one of the signals that ask a process to end, and says how it then ends when nothing
/// else is to be done.
pub(crate) async fn first() -> Exit {
    match Signals::listen() {
        Ok(mut signals) => match signals.next().await {
            Ending::Interrupt => Exit::Interrupted,
            Ending::Terminate => Exit::Success,
        },
        // Without signal handlers the default action ends the process.
        Err(_) => std::future::pending().await,
    }
}

/// Which signal came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Interrupt,
    Terminate,
}

/// Both signals.
#[derive(Debug)]
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(crate) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    pub(crate) async fn next(&mut self) -> Ending {
        tokio::select! {
            _ = self.interrupt.recv() => Ending::Interrupt,
            _ = self.terminate.recv() => Ending::Terminate,
        }
    }
}
