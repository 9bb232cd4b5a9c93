//! When a client was last heard of: whoever asks for files and does not fetch them has not to keep others waiting.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long a client that never answered keeps its place when another one wants it. A request may have come from anywhere,
/// with any address as its sender.
const UNANSWERED: Duration = Duration::from_secs(2);

/// How long one that did answer keeps it. The longest time between two repetitions of ours is four seconds, unless the
/// client asked for another.
const SILENT: Duration = Duration::from_secs(15);

/// When the client of a transfer was last heard of.
#[derive(Debug)]
pub(super) struct Heard {
    asked: Instant,
    /// Milliseconds after the request.
    last: AtomicU64,
    answered: AtomicBool,
}

impl Default for Heard {
    fn default() -> Self {
        Self { asked: Instant::now(), last: AtomicU64::new(0), answered: AtomicBool::new(false) }
    }
}

impl Heard {
    /// It has answered, and the transfer goes on.
    pub(super) fn answer(&self) {
        let since = u64::try_from(self.asked.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(since, Ordering::Relaxed);
        self.answered.store(true, Ordering::Relaxed);
    }

    /// Whether it ever did.
    pub(super) fn has_answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }

    /// For how long nothing was heard of it.
    pub(super) fn silence(&self) -> Duration {
        self.asked.elapsed().saturating_sub(Duration::from_millis(self.last.load(Ordering::Relaxed)))
    }

    /// Whether it may lose its place.
    pub(super) fn is_idle(&self) -> bool {
        self.silence() > if self.has_answered() { SILENT } else { UNANSWERED }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_never_answered_is_idle_sooner_than_who_did() {
        let before = |time| Instant::now().checked_sub(time).unwrap();
        let heard = |asked: Duration| Heard { asked: before(asked), ..Heard::default() };
        assert!(!heard(Duration::from_secs(1)).is_idle());
        let silent = heard(Duration::from_secs(16));
        assert!(silent.is_idle());
        assert!(silent.silence() > heard(Duration::from_secs(3)).silence());
        silent.answer();
        assert!(silent.has_answered() && !silent.is_idle() && silent.silence() < UNANSWERED);
        let answered_once = Heard { answered: AtomicBool::new(true), ..heard(Duration::from_secs(3)) };
        assert!(!answered_once.is_idle());
        assert!(Heard { answered: AtomicBool::new(true), ..heard(Duration::from_secs(16)) }.is_idle());
    }
}
