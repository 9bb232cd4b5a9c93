//! What a client and we agree on: block size (RFC 2348), timeout and size (RFC 2349), window (RFC 7440).

use std::time::Duration;

use super::packet::Request;

/// The bytes that may be on their way to one client without an acknowledgement. They bound the memory of a transfer.
pub(super) const FLIGHT: usize = 128 << 10;

/// The most blocks that are sent without an acknowledgement. A client that loses one of a window takes none of those
/// behind it, so more would only be sent twice.
const WINDOW_LIMIT: u64 = 64;

/// The block size of RFC 1350.
const BLOCK_SIZE: usize = 512;

/// How long to wait for an acknowledgement before something is sent again, the first time.
const TIMEOUT: Duration = Duration::from_secs(1);

/// How a file is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Terms {
    /// Bytes of a block, from 8 to 65464.
    pub(super) block_size: usize,
    /// Blocks sent without an acknowledgement, at least one.
    pub(super) window: u16,
    /// How long to wait for an acknowledgement.
    pub(super) timeout: Duration,
    /// Whether the client asked for that time; it is then the same each time.
    pub(super) fixed_timeout: bool,
}

/// The terms for a request of a file of this length, and the options to acknowledge, in the order of the request. An
/// option that we do not know, or whose value is out of its range, is passed over, as RFC 2347 has it.
pub(super) fn agree(request: &Request, len: u64) -> (Terms, Vec<(&'static str, u64)>) {
    let mut terms = Terms { block_size: BLOCK_SIZE, window: 1, timeout: TIMEOUT, fixed_timeout: false };
    let mut agreed = Vec::new();
    let mut window = None;
    for (name, value) in &request.options {
        let Ok(value) = value.parse::<u64>() else { continue };
        if name.eq_ignore_ascii_case("blksize") && (8..=65_464).contains(&value) {
            terms.block_size = usize::try_from(value).unwrap_or(BLOCK_SIZE);
            agreed.push(("blksize", value));
        } else if name.eq_ignore_ascii_case("timeout") && (1..=255).contains(&value) {
            (terms.timeout, terms.fixed_timeout) = (Duration::from_secs(value), true);
            agreed.push(("timeout", value));
        } else if name.eq_ignore_ascii_case("tsize") {
            agreed.push(("tsize", len));
        } else if name.eq_ignore_ascii_case("windowsize") && (1..=65_535).contains(&value) {
            window = Some(value);
            agreed.push(("windowsize", value));
        }
    }
    if let Some(wanted) = window {
        // A smaller window may be answered than was asked for, and depends on the size of blocks.
        let fits = (FLIGHT / terms.block_size).max(1) as u64;
        let window = wanted.min(WINDOW_LIMIT).min(fits);
        terms.window = u16::try_from(window).unwrap_or(1);
        agreed.iter_mut().filter(|(name, _)| *name == "windowsize").for_each(|(_, value)| *value = window);
    }
    (terms, agreed)
}

#[cfg(test)]
mod tests {
    use super::super::packet::Mode;
    use super::*;

    fn with(options: &[(&str, &str)]) -> (Terms, Vec<(&'static str, u64)>) {
        let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        agree(&Request { name: "a".to_owned(), mode: Mode::Octet, options }, 1_000_000)
    }

    #[test]
    fn without_options_there_is_nothing_to_acknowledge() {
        let (terms, agreed) = with(&[]);
        assert_eq!((terms.block_size, terms.window, terms.timeout), (512, 1, Duration::from_secs(1)));
        assert_eq!(agreed, []);
    }

    #[test]
    fn all_four_options_are_taken_in_their_order() {
        let (terms, agreed) =
            with(&[("TSIZE", "0"), ("blksize", "1428"), ("multicast", ""), ("windowsize", "8"), ("timeout", "3")]);
        assert_eq!(agreed, [("tsize", 1_000_000), ("blksize", 1428), ("windowsize", 8), ("timeout", 3)]);
        let expected = Terms { block_size: 1428, window: 8, timeout: Duration::from_secs(3), fixed_timeout: true };
        assert_eq!(terms, expected);
    }

    #[test]
    fn values_out_of_range_are_passed_over() {
        for option in [
            ("blksize", "7"),
            ("blksize", "65465"),
            ("blksize", "x"),
            ("blksize", "-1"),
            ("timeout", "0"),
            ("timeout", "256"),
            ("windowsize", "0"),
            ("windowsize", "65536"),
            ("windowsize", "99999999999999999999999"),
        ] {
            assert_eq!(with(&[option]), with(&[]), "{option:?}");
        }
        assert_eq!(with(&[("blksize", "8")]).0.block_size, 8);
        assert_eq!(with(&[("blksize", "65464")]).0.block_size, 65_464);
    }

    #[test]
    fn a_window_is_cut_to_what_may_be_on_its_way() {
        assert_eq!(with(&[("windowsize", "65535")]).1, [("windowsize", 64)]);
        assert_eq!(with(&[("windowsize", "64"), ("blksize", "65464")]).1, [("windowsize", 2), ("blksize", 65_464)]);
        assert_eq!(with(&[("windowsize", "64"), ("blksize", "8192")]).0.window, 16);
    }
}
