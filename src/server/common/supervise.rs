//! Background tasks that are started again when they end.

use std::fmt::Display;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::backoff::Backoff;
use super::health::Health;

/// How long to wait before a task is started again, and how long it must run to count as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restarts {
    /// After the first end.
    pub first: Duration,
    /// At most.
    pub longest: Duration,
    /// A task that has run for this long is well, and its next end is a first one.
    pub settled: Duration,
}

impl Default for Restarts {
    fn default() -> Self {
        Self { first: Duration::from_millis(200), longest: Duration::from_secs(30), settled: Duration::from_secs(10) }
    }
}

/// One set of background tasks with one shutdown. A task that ends before shutdown, in whatever way, is started again
/// with back-off, and until it has settled the health says that it is down.
pub struct Supervisor {
    tasks: JoinSet<()>,
    shutdown: CancellationToken,
    health: Health,
    restarts: Restarts,
}

impl Supervisor {
    /// No tasks yet.
    #[must_use]
    pub fn new(shutdown: CancellationToken, health: Health, restarts: Restarts) -> Self {
        Self { tasks: JoinSet::new(), shutdown, health, restarts }
    }

    /// Runs the task that `make` makes, and a new one each time it ends. The task is given the shutdown and ends by
    /// itself when it comes; its name is its component in the health.
    pub fn spawn<F, E>(
        &mut self,
        name: impl Into<String>,
        mut make: impl FnMut(CancellationToken) -> F + Send + 'static,
    ) where
        F: Future<Output = Result<(), E>> + Send,
        E: Display + Send,
    {
        let (name, restarts) = (name.into(), self.restarts);
        let (shutdown, health) = (self.shutdown.clone(), self.health.clone());
        self.tasks.spawn(async move {
            let mut backoff = Backoff::new(restarts.first, restarts.longest);
            loop {
                // The maker runs inside the guard too: it is as able to panic as the task.
                let guarded = AssertUnwindSafe(async { make(shutdown.clone()).await }).catch_unwind();
                tokio::pin!(guarded);
                let ended = tokio::select! {
                    ended = &mut guarded => ended,
                    () = tokio::time::sleep(restarts.settled) => {
                        health.set(&name, None);
                        backoff.reset();
                        guarded.await
                    }
                };
                if shutdown.is_cancelled() {
                    return;
                }
                let reason = match ended {
                    Ok(Ok(())) => "it ended".to_owned(),
                    Ok(Err(error)) => error.to_string(),
                    Err(panic) => format!("it panicked: {}", panic_text(&*panic)),
                };
                let pause = backoff.pause();
                tracing::error!(task.name = name, reason, restart.millis = pause.as_millis(), "a task is down");
                health.set(&name, Some(reason));
                if shutdown.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                    return;
                }
            }
        });
    }

    /// Waits for all tasks to end after shutdown, and aborts those that have not after `deadline`, counted from
    /// shutdown. Says whether all ended by themselves.
    pub async fn finish(mut self, deadline: Duration) -> bool {
        self.shutdown.cancelled().await;
        let all = async { while self.tasks.join_next().await.is_some() {} };
        let ended = tokio::time::timeout(deadline, all).await.is_ok();
        if !ended {
            tracing::warn!(tasks.left = self.tasks.len(), "tasks did not end in time and are aborted");
            self.tasks.shutdown().await;
        }
        ended
    }
}

/// What a panic said, if it said it in the usual way.
pub(super) fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use super::*;

    const QUICK: Restarts = Restarts {
        first: Duration::from_millis(1),
        longest: Duration::from_millis(4),
        settled: Duration::from_millis(50),
    };

    async fn until(what: &str, condition: impl Fn() -> bool) {
        let wait = async {
            while !condition() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap_or_else(|_| panic!("never: {what}"));
    }

    fn supervisor() -> (Supervisor, CancellationToken, Health) {
        let (shutdown, health) = (CancellationToken::new(), Health::new());
        (Supervisor::new(shutdown.clone(), health.clone(), QUICK), shutdown, health)
    }

    /// A task that fails in its own way until it is mended, and then runs until shutdown.
    async fn recovers_after(failure: fn() -> Result<(), String>, reason: &str) {
        let (mut supervisor, shutdown, health) = supervisor();
        let mended = Arc::new(AtomicBool::new(false));
        let flag = mended.clone();
        supervisor.spawn("watcher", move |shutdown| {
            let mended = flag.load(Ordering::SeqCst);
            async move {
                if !mended {
                    return failure();
                }
                shutdown.cancelled().await;
                Ok(())
            }
        });
        until("down", || health.degraded() == [("watcher".to_owned(), reason.to_owned())]).await;
        mended.store(true, Ordering::SeqCst);
        until("well again", || health.degraded().is_empty()).await;
        shutdown.cancel();
        assert!(supervisor.finish(Duration::from_secs(20)).await);
        assert!(health.degraded().is_empty(), "an end at shutdown is no fault");
    }

    #[tokio::test]
    async fn a_task_that_fails_ends_or_panics_is_started_again_and_is_degraded_meanwhile() {
        recovers_after(|| Err("disk full".into()), "disk full").await;
        recovers_after(|| Ok(()), "it ended").await;
        recovers_after(|| panic!("oh {}", "no"), "it panicked: oh no").await;
        recovers_after(|| panic!("oh"), "it panicked: oh").await;
    }

    #[tokio::test]
    async fn a_task_that_fails_does_not_disturb_another() {
        let (mut supervisor, shutdown, health) = supervisor();
        let beats = Arc::new(AtomicUsize::new(0));
        let counted = beats.clone();
        supervisor.spawn("broken", |_| async { Err("broken") });
        supervisor.spawn("steady", move |shutdown| {
            let counted = counted.clone();
            async move {
                while shutdown.run_until_cancelled(tokio::time::sleep(Duration::from_millis(1))).await.is_some() {
                    counted.fetch_add(1, Ordering::SeqCst);
                }
                Ok::<(), String>(())
            }
        });
        until("beats", || beats.load(Ordering::SeqCst) > 50).await;
        assert_eq!(health.degraded(), [("broken".to_owned(), "broken".to_owned())]);
        shutdown.cancel();
        assert!(supervisor.finish(Duration::from_secs(20)).await);
    }

    #[tokio::test]
    async fn a_task_that_ignores_shutdown_is_aborted_at_the_deadline() {
        let (mut supervisor, shutdown, _) = supervisor();
        supervisor.spawn("deaf", |_| std::future::pending::<Result<(), String>>());
        shutdown.cancel();
        assert!(!supervisor.finish(Duration::from_millis(10)).await);
    }
}
