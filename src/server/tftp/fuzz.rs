//! TFTP under arbitrary packets: what has to hold whatever is sent. Run by the fuzzer, and by a test over its corpus.

use bytes::Bytes;

use super::blocks::Blocks;
use super::options::{self, FLIGHT};
use super::packet::{self, Packet};
use super::window::{Next, Window};
use crate::loaders::Content;

/// The largest file that is made up.
const LARGEST: usize = 1 << 20;

/// Reads a request, and walks the transfer that it begins through whatever the client acknowledges. Two bytes say how
/// large the file is and two how long the request; behind it each two bytes are a packet of the client.
///
/// # Panics
///
/// When more is sent than may be on its way, or something other than the file.
pub fn run(input: &[u8]) {
    let Some(([large, small, high, low], rest)) = input.split_first_chunk() else { return };
    let len = (usize::from(*large) * usize::from(*large) * 17 + usize::from(*small)).min(LARGEST);
    let (head, answers) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])).min(rest.len()));
    match packet::parse(head) {
        Packet::Read(request) => {
            let (terms, agreed) = options::agree(&request, len as u64);
            assert!(packet::option_acknowledgement(&agreed).len() <= 512, "an answer that no client has room for");
            assert!(usize::from(terms.window) * terms.block_size <= FLIGHT.max(terms.block_size), "{terms:?}");
            let window = Window::new(len as u64, terms.block_size, terms.window);
            transfer(len, terms.block_size, usize::from(terms.window), window, answers);
        }
        Packet::Refused(code, why) => assert!(packet::error(code, why).len() <= 512, "{why}"),
        Packet::Acknowledge(_) | Packet::Error(_) | Packet::Noise => {}
    }
}

/// The first bit of an answer tells a time that ran out from an acknowledgement; one below 256 is so many blocks behind
/// what was acknowledged last, so that arbitrary bytes come to the end of a file, too.
fn transfer(len: usize, size: usize, most: usize, mut window: Window, answers: &[u8]) {
    let blocks = Blocks::new(Content::Memory(Bytes::from(vec![7; len])), size);
    let last = (len / size + 1) as u64;
    let (mut have, mut sent) = (0, *window.send().end());
    for answer in answers.chunks_exact(2) {
        let number = u16::from_be_bytes([answer[0], answer[1]]);
        let next = match number {
            0x8000.. => Next::Send(window.send_again()),
            0..256 => window.acknowledged((have as u16).wrapping_add(number)),
            _ => window.acknowledged(number),
        };
        match next {
            Next::Wait => {}
            Next::Done => return assert_eq!(sent, last, "it ended before all was sent"),
            Next::Send(range) => {
                let count = usize::try_from(range.end() + 1 - range.start()).expect("a window");
                assert!((1..=most).contains(&count), "{count} blocks of a window of {most}");
                assert!(*range.start() > have && *range.end() <= last, "{range:?} of {last}, {have} acknowledged");
                have = range.start() - 1;
                sent = sent.max(*range.end());
                for number in range {
                    let wanted = if number == last { len % size } else { size };
                    assert_eq!(blocks.block(number).len(), wanted, "block {number} of {last}");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::server::common::corpus;

    #[test]
    fn the_corpus_and_what_is_near_it_keeps_every_promise() {
        corpus::walk("tftp", 5_000, super::run);
    }

    proptest! {
        #[test]
        fn any_bytes_keep_every_promise(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            super::run(&bytes);
        }
    }
}
