//! What comes of a packet.

use std::net::{Ipv4Addr, SocketAddrV4};

use crate::snapshot::Change;

/// What came of a packet.
#[derive(Debug)]
pub(super) struct Outcome {
    /// The answer and where to it goes.
    pub(super) reply: Option<(Vec<u8>, SocketAddrV4)>,
    /// What has to be stored before the answer is sent.
    pub(super) keep: Option<Change>,
    /// The address of ours that the answer names, and from which it has to come.
    pub(super) from: Option<Ipv4Addr>,
    /// The message in a word, for logs and figures.
    pub(super) word: &'static str,
}

/// Why a packet gets no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Silence {
    /// It came from no network that is served.
    #[error("it came from no network that is served")]
    NoNetwork,
    /// It is for another server.
    #[error("it is for another server")]
    OtherServer,
    /// Nothing is known of the client, so another server may know it.
    #[error("nothing is known of the client")]
    NoRecord,
    /// Unknown machines are ignored on its network.
    #[error("unknown machines are ignored on its network")]
    Ignored,
    /// The pool has no address left.
    #[error("the pool is spent")]
    PoolSpent,
    /// The client does not boot over the network, and this server only tells what to boot.
    #[error("there is nothing to boot for it")]
    NothingToBoot,
    /// The message says less than it has to.
    #[error("the message is incomplete")]
    Incomplete,
}
