//! Ceilings of bandwidth, so that a cluster that fetches its images leaves room for DHCP and boot scripts.

use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// What may be sent at once after a pause, as time at the ceiling.
const BURST: Duration = Duration::from_millis(50);

/// The most that is sent under a ceiling before it is another connection's turn, in bytes, and the least.
const TURN: (u64, u64) = (16 << 10, 256 << 10);

/// Images of which the ceilings are remembered; those that nobody fetches are forgotten beyond it.
const REMEMBERED: usize = 1024;

/// Ceilings in bytes per second; no ceiling where there is none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// Of all connections together.
    pub total: Option<NonZeroU64>,
    /// Of all connections that fetch the same image, which is the directory of the file.
    pub image: Option<NonZeroU64>,
}

/// The ceilings of a server.
#[derive(Debug)]
pub(super) struct Ceilings {
    total: Option<Arc<Ceiling>>,
    image: Option<NonZeroU64>,
    images: Mutex<HashMap<String, Arc<Ceiling>>>,
}

/// The ceilings that hold for one answer.
#[derive(Debug)]
pub(super) struct Pace(Vec<Arc<Ceiling>>);

/// One ceiling: turns are given in the order in which they are asked for, each behind the one before.
#[derive(Debug)]
struct Ceiling {
    bytes_per_second: NonZeroU64,
    /// When the next turn begins.
    next: Mutex<Instant>,
}

impl Ceilings {
    pub(super) fn new(rates: Rates) -> Self {
        let total = rates.total.map(|rate| Arc::new(Ceiling::new(rate)));
        Self { total, image: rates.image, images: Mutex::default() }
    }

    /// What holds for a file.
    pub(super) fn of(&self, name: &str) -> Pace {
        let image = self.image.map(|rate| {
            let image = name.trim_start_matches('/').rsplit_once('/').map_or("", |(image, _)| image);
            let mut images = self.images.lock().unwrap_or_else(PoisonError::into_inner);
            if images.len() >= REMEMBERED {
                images.retain(|_, ceiling| Arc::strong_count(ceiling) > 1);
            }
            images.entry(image.to_owned()).or_insert_with(|| Arc::new(Ceiling::new(rate))).clone()
        });
        Pace(image.into_iter().chain(self.total.clone()).collect())
    }
}

impl Pace {
    /// Waits for a turn, and says how many bytes it is for; at most `wanted`, and all of it without a ceiling.
    pub(super) async fn turn(&self, wanted: u64) -> u64 {
        let turn = self.0.iter().map(|ceiling| ceiling.turn()).fold(wanted, u64::min);
        for ceiling in &self.0 {
            if let Some(when) = ceiling.reserve(turn, Instant::now()) {
                sleep_until(when).await;
            }
        }
        turn
    }
}

impl Ceiling {
    fn new(bytes_per_second: NonZeroU64) -> Self {
        Self { bytes_per_second, next: Mutex::new(Instant::now()) }
    }

    fn turn(&self) -> u64 {
        (self.bytes_per_second.get() / 50).clamp(TURN.0, TURN.1)
    }

    /// Takes a turn of this many bytes; when it begins, unless that is now.
    fn reserve(&self, bytes: u64, now: Instant) -> Option<Instant> {
        let takes = Duration::from_secs_f64(bytes as f64 / self.bytes_per_second.get() as f64);
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        // What was not used is kept for the length of a burst.
        let begins = now.checked_sub(BURST).map_or(*next, |earliest| earliest.max(*next));
        *next = begins + takes;
        (begins > now).then_some(begins)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: NonZeroU64 = NonZeroU64::new(1_000_000).unwrap();

    #[test]
    fn turns_follow_one_another_at_the_rate() {
        let ceiling = Ceiling::new(RATE);
        let now = Instant::now() + Duration::from_secs(1);
        let mut last = now;
        for _ in 0..100 {
            last = ceiling.reserve(20_000, now).unwrap_or(now);
        }
        // A hundred turns of 20 ms, the first beginning before now by the burst.
        assert_eq!(last - now, Duration::from_millis(99 * 20) - BURST);
    }

    #[test]
    fn time_that_was_not_used_is_not_saved_up() {
        let ceiling = Ceiling::new(RATE);
        let later = Instant::now() + Duration::from_secs(3600);
        assert_eq!(ceiling.reserve(50_000, later), None, "the burst");
        assert_eq!(ceiling.reserve(50_000, later), None, "the turn that begins now");
        assert_eq!(ceiling.reserve(1, later), Some(later + BURST));
    }

    #[tokio::test]
    async fn files_of_one_image_share_a_ceiling_and_others_have_their_own() {
        let ceilings = Ceilings::new(Rates { total: None, image: Some(RATE) });
        let (kernel, initrd) = (ceilings.of("/a/b/vmlinuz"), ceilings.of("a/b/initrd"));
        assert!(Arc::ptr_eq(&kernel.0[0], &initrd.0[0]));
        assert!(!Arc::ptr_eq(&kernel.0[0], &ceilings.of("a/c/vmlinuz").0[0]));
        assert_eq!(kernel.turn(1 << 20).await, 20_000);
        (0..3 * REMEMBERED).for_each(|number| drop(ceilings.of(&format!("{number}/x"))));
        assert!(ceilings.images.lock().unwrap().len() <= REMEMBERED);
    }

    #[tokio::test]
    async fn without_a_ceiling_there_is_no_wait() {
        let ceilings = Ceilings::new(Rates::default());
        assert_eq!(ceilings.of("a").turn(u64::MAX).await, u64::MAX);
    }
}
