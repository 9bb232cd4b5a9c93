//! Which blocks to send next: the sender's half of RFC 1350 and RFC 7440, without any input or output.
//!
//! Blocks have their true numbers here, from 1; on the wire they are counted modulo 65536, which every client that
//! fetches more than 65535 blocks has agreed on without a standard.

use std::ops::RangeInclusive;

/// How far a file has been sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Window {
    size: u64,
    /// The number of the last block, which is shorter than the others, if only by being empty.
    last: u64,
    /// The last block that the client has; 0 when it has none.
    have: u64,
    /// The last block that was sent.
    sent: u64,
    /// The client's repetition of its acknowledgement was answered; another one is not, or each block would be sent
    /// twice from then on (RFC 1123, 4.2.3.1).
    repeated: bool,
}

/// What an acknowledgement calls for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Next {
    /// These blocks are to be sent.
    Send(RangeInclusive<u64>),
    /// Nothing is to be done.
    Wait,
    /// The client has all of it.
    Done,
}

impl Window {
    /// Nothing is sent yet of a file of this length.
    pub(super) fn new(len: u64, block_size: usize, size: u16) -> Self {
        Self { size: size.max(1).into(), last: len / block_size as u64 + 1, have: 0, sent: 0, repeated: false }
    }

    /// The blocks that the client does not have, as far as the window reaches; they count as sent.
    pub(super) fn send(&mut self) -> RangeInclusive<u64> {
        self.sent = (self.have + self.size).min(self.last);
        self.have + 1..=self.sent
    }

    /// As [`Self::send`], when nothing came for too long.
    pub(super) fn send_again(&mut self) -> RangeInclusive<u64> {
        self.repeated = false;
        self.send()
    }

    /// What to do when the client acknowledges a block.
    pub(super) fn acknowledged(&mut self, number: u16) -> Next {
        let ahead = u64::from(number.wrapping_sub(self.have as u16));
        if ahead > self.sent - self.have {
            // It is an old one that was delayed, or one of a block that was never sent.
            return Next::Wait;
        }
        if ahead == 0 {
            // With a window it says that the first block of it was lost. Without one it is a repetition that answers
            // one of ours, and answering it would be the sorcerer's apprentice.
            if self.size == 1 || self.repeated || self.sent == self.have {
                return Next::Wait;
            }
            self.repeated = true;
            return Next::Send(self.send());
        }
        self.have += ahead;
        self.repeated = false;
        if self.have == self.last { Next::Done } else { Next::Send(self.send()) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn block_by_block_the_last_one_is_shorter_than_the_others() {
        for (len, blocks) in [(0, 1), (1, 1), (511, 1), (512, 2), (1023, 2), (1024, 3)] {
            let mut window = Window::new(len, 512, 1);
            assert_eq!(window.send(), 1..=1);
            for block in 1..blocks {
                assert_eq!(
                    window.acknowledged(block),
                    Next::Send(u64::from(block) + 1..=u64::from(block) + 1),
                    "{len}"
                );
            }
            assert_eq!(window.acknowledged(blocks), Next::Done, "{len}");
        }
    }

    #[test]
    fn without_a_window_a_repeated_acknowledgement_calls_for_nothing() {
        let mut window = Window::new(10_000, 512, 1);
        window.send();
        assert_eq!(window.acknowledged(0), Next::Wait);
        assert_eq!(window.acknowledged(1), Next::Send(2..=2));
        for _ in 0..3 {
            assert_eq!(window.acknowledged(1), Next::Wait);
            assert_eq!(window.acknowledged(0), Next::Wait);
        }
        assert_eq!(window.send_again(), 2..=2);
    }

    #[test]
    fn a_window_goes_on_behind_what_the_client_has() {
        let mut window = Window::new(512 * 100, 512, 8);
        assert_eq!(window.send(), 1..=8);
        assert_eq!(window.acknowledged(8), Next::Send(9..=16));
        assert_eq!(window.acknowledged(11), Next::Send(12..=19), "block 12 was lost");
        assert_eq!(window.acknowledged(11), Next::Send(12..=19), "and was lost again");
        assert_eq!(window.acknowledged(11), Next::Wait, "but is not sent a third time for the same word");
        assert_eq!(window.send_again(), 12..=19);
        assert_eq!(window.acknowledged(8), Next::Wait, "a delayed one is old");
        assert_eq!(window.acknowledged(20), Next::Wait, "and one too far ahead is a lie");
    }

    #[test]
    fn the_last_window_is_as_short_as_the_file() {
        let mut window = Window::new(512 * 3, 512, 8);
        assert_eq!(window.send(), 1..=4);
        assert_eq!(window.acknowledged(4), Next::Done);
    }

    #[test]
    fn numbers_roll_over() {
        let mut window = Window::new(512 * 70_000, 512, 16);
        let mut blocks = window.send();
        while *blocks.end() < 70_001 {
            let Next::Send(next) = window.acknowledged(*blocks.end() as u16) else { panic!("{blocks:?}") };
            assert_eq!(*next.start(), blocks.end() + 1);
            blocks = next;
        }
        assert_eq!(window.acknowledged(70_001_u64 as u16), Next::Done);
    }

    proptest! {
        /// A client that may answer anything: what is sent stays within the window behind what it has.
        #[test]
        fn whatever_a_client_acknowledges_no_block_is_skipped(
            len in 0_u64..200_000, size in 1_u16..70, acks in proptest::collection::vec(any::<u16>(), 0..200),
        ) {
            let mut window = Window::new(len, 512, size);
            window.send();
            for number in acks {
                // Half of the numbers are made likely ones.
                let number = if number % 2 == 0 { number } else { (window.have as u16).wrapping_add(number % 70) };
                match window.acknowledged(number) {
                    Next::Send(blocks) => {
                        prop_assert_eq!(*blocks.start(), window.have + 1);
                        prop_assert!(blocks.end() - blocks.start() < u64::from(size) && *blocks.end() <= window.last);
                    }
                    Next::Wait => {}
                    Next::Done => { prop_assert_eq!(window.have, window.last); break; }
                }
            }
        }
    }
}
