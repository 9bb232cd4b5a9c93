//! Exit codes: one table, the same for every command.

use std::process::ExitCode;

/// What a command came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// It did what was asked; also when changes exist, unless `--exit-code` was given.
    Success = 0,
    /// Network, authentication, input or output, or a fault of ours.
    Failure = 1,
    /// The settings file is wrong, or what flags say together. Most of a wrong command line ends with the same by clap's doing.
    Usage = 2,
    /// The inventory is invalid, or lacks a secret.
    Invalid = 3,
    /// A safety rule refuses.
    Refused = 4,
    /// An apply would write or adopt something, or lacks the secret that tells (`--exit-code`).
    Pending = 5,
    /// Nothing but drift (`--exit-code`).
    Drift = 6,
    /// The plan is not the one that was expected.
    Stale = 7,
    /// Some writes failed; running it again goes on.
    Partial = 8,
    /// Another process has the state directory.
    Locked = 9,
    /// Not confirmed.
    NotConfirmed = 10,
}

/// What flags say together and cannot mean; the command ends with [`Exit::Usage`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Usage(pub(super) String);

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
