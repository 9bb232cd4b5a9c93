//! A thread of its own for work that takes long and much memory.
//!
//! A plan of 10,000 nodes keeps a core busy for a while and makes a million small values. On a thread of the runtime it
//! would hold up the answers to booting nodes; and what a thread allocated is given back whole when it ends.

use std::future::Future;

use tokio::sync::oneshot;

/// Runs the work to its end on a thread of its own, and waits for it. The work goes on when nobody waits any more.
///
/// # Errors
///
/// [`Broken`] when the work panicked or no thread can be had.
pub async fn aside<T, F>(work: impl FnOnce() -> F + Send + 'static) -> Result<T, Broken>
where
    T: Send + 'static,
    F: Future<Output = T>,
{
    let (done, result) = oneshot::channel();
    let body = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let Ok(runtime) = runtime else { return };
        // Nobody may be waiting any more; the work was done all the same.
        let _ = done.send(runtime.block_on(work()));
    };
    std::thread::Builder::new().name("reconcile".to_owned()).spawn(body).map_err(|_| Broken)?;
    result.await.map_err(|_| Broken)
}

/// The work ended without a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the work broke off by a defect of this program, or no thread could be had; the log has the message")]
pub struct Broken;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_result_comes_back_and_a_panic_is_an_error() {
        assert_eq!(aside(|| async { 7 }).await, Ok(7));
        assert_eq!(aside(|| async { panic!("as the test wants it") }).await, Err::<(), _>(Broken));
    }

    #[tokio::test]
    async fn the_work_goes_on_when_nobody_waits() {
        let (told, heard) = oneshot::channel();
        drop(tokio::spawn(aside(move || async move { told.send(()) })));
        assert_eq!(heard.await, Ok(()));
    }
}
