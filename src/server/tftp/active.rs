//! The transfers under way of all ports, each by the port of ours and its client's address and port.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::heard::Heard;
use super::link::Reply;

/// Between whom a transfer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Between {
    /// The number of the listener that was asked.
    pub(super) listener: usize,
    /// Who asked.
    pub(super) client: SocketAddr,
}

/// The transfers under way of all ports.
#[derive(Debug, Default)]
pub(super) struct Active {
    transfers: Mutex<HashMap<Between, Transfer>>,
    /// The number of the next one.
    next: AtomicU64,
}

#[derive(Debug)]
struct Transfer {
    number: u64,
    /// The request as it came, to tell a repetition from another request.
    request: Box<[u8]>,
    heard: Arc<Heard>,
    cancel: CancellationToken,
    inbox: Option<mpsc::Sender<Reply>>,
}

/// Forgets a transfer when it ends, in whatever way.
pub(super) struct UnderWay {
    active: Arc<Active>,
    between: Between,
    number: u64,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut transfers = self.active.transfers();
        // Its client may have begun another meanwhile.
        if transfers.get(&self.between).is_some_and(|transfer| transfer.number == self.number) {
            transfers.remove(&self.between);
        }
    }
}

impl Active {
    /// Whether another transfer may begin: not while one of the same request has had no answer yet. Any other one of this
    /// client ends; its firmware started anew, or uses one port for everything.
    pub(super) fn gives_way(&self, between: Between, request: &[u8]) -> bool {
        let transfers = self.transfers();
        let Some(transfer) = transfers.get(&between) else { return true };
        if *transfer.request == *request && !transfer.heard.has_answered() {
            return false;
        }
        transfer.cancel.cancel();
        true
    }

    /// A transfer begins. It is known until what this gives is dropped.
    pub(super) fn begin(
        self: &Arc<Self>,
        between: Between,
        request: &[u8],
        heard: Arc<Heard>,
        cancel: CancellationToken,
        inbox: Option<mpsc::Sender<Reply>>,
    ) -> UnderWay {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.transfers().insert(between, Transfer { number, request: request.into(), heard, cancel, inbox });
        UnderWay { active: self.clone(), between, number }
    }

    /// Passes an answer to its transfer. One that has none is of a transfer that is over.
    pub(super) fn answer(&self, between: Between, reply: Reply) {
        let inbox = self.transfers().get(&between).and_then(|transfer| transfer.inbox.clone());
        // A client that sends more than its transfer can take loses some, as it would on a network.
        inbox.map(|inbox| inbox.try_send(reply).ok());
    }

    /// Ends the transfer whose client was not heard of for the longest, of those at one of these addresses, if it is idle.
    /// One that is about to end is passed over, so that each of several requests at once makes room for one.
    pub(super) fn end_idle(&self, whose: impl Fn(IpAddr) -> bool) {
        let transfers = self.transfers();
        let theirs = transfers.iter().filter(|(between, _)| whose(between.client.ip())).map(|(_, transfer)| transfer);
        let idle = theirs.filter(|transfer| transfer.heard.is_idle() && !transfer.cancel.is_cancelled());
        if let Some(longest) = idle.max_by_key(|transfer| transfer.heard.silence()) {
            longest.cancel.cancel();
        }
    }

    fn transfers(&self) -> MutexGuard<'_, HashMap<Between, Transfer>> {
        self.transfers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
