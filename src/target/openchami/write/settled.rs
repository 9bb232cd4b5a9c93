//! What requests came to, and running many of them.

use std::future::Future;
use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream;
use reqwest::StatusCode;

use crate::store::LedgerChange;
use crate::target::openchami::PARALLEL;
use crate::target::openchami::client::Fault;

/// What one request, or a few that belong together, settled: the positions of the writes in it, and how it went.
pub(super) type Settled = (Vec<usize>, Result<(), Failed>);

/// Why writes were not made.
#[derive(Debug, Default)]
pub(super) struct Failed {
    /// What the service answered, or what keeps us from asking it.
    pub(super) reason: String,
    /// True when the service holds nothing of it.
    pub(super) changed_nothing: bool,
    /// Nodes that lack something because of it, by xname; that of the write itself need not be among them.
    pub(super) nodes: Vec<Arc<str>>,
    /// What is owned all the same.
    pub(super) owned: Option<Box<LedgerChange>>,
}

impl Failed {
    /// A failure after something was written already.
    pub(super) fn in_part(self) -> Self {
        Self { changed_nothing: false, ..self }
    }
}

impl From<Fault> for Failed {
    fn from(fault: Fault) -> Self {
        Self { changed_nothing: fault.changed_nothing(), reason: fault.reason, ..Self::default() }
    }
}

impl From<String> for Failed {
    /// What we found out ourselves, before anything was sent.
    fn from(reason: String) -> Self {
        Self { reason, changed_nothing: true, ..Self::default() }
    }
}

impl From<&str> for Failed {
    fn from(reason: &str) -> Self {
        reason.to_owned().into()
    }
}

/// Runs requests, at most [`PARALLEL`] at once.
pub(super) async fn parallel<T, F: Future<Output = T>>(requests: impl Iterator<Item = F>) -> Vec<T> {
    stream::iter(requests).buffer_unordered(PARALLEL).collect().await
}

/// Whether it was done.
pub(super) fn done<T>(answer: Result<T, Fault>) -> Result<(), Failed> {
    answer.map(|_| ()).map_err(Failed::from)
}

/// What is gone already is what was wanted.
pub(super) fn gone<T>(answer: Result<T, Fault>) -> Result<(), Failed> {
    match answer {
        Err(fault) if fault.status == Some(StatusCode::NOT_FOUND) => Ok(()),
        other => done(other),
    }
}

/// What is there already is what was wanted.
pub(super) fn there<T>(answer: Result<T, Fault>) -> Result<(), Failed> {
    match answer {
        Err(fault) if fault.status == Some(StatusCode::CONFLICT) => Ok(()),
        other => done(other),
    }
}
