//! Image requests of arbitrary bytes: what has to hold whatever is sent. Run by the fuzzer, and by a test over its corpus.

use std::time::{Duration, SystemTime};

use super::answer::{self, Answer, Piece, Version};
use super::request::{self, Method, Parsed};

/// Reads heads one behind the other and answers each with a file; the first two bytes say how long that is.
///
/// # Panics
///
/// When an answer does not have the form that its head says, or more than the file.
pub fn run(input: &[u8]) {
    let Some(([high, low], mut received)) = input.split_first_chunk() else { return };
    let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    let now = modified + Duration::from_secs(3600);
    let version = Version { len: u16::from_be_bytes([*high, *low]).into(), modified, etag: "\"1-2\"".to_owned() };
    loop {
        match request::parse(received) {
            Parsed::Request(request, len) => {
                let bodiless = request.method == Method::Head;
                check(&answer::of_file(&request, &version, now), version.len, bodiless);
                let missing = answer::without_file(404, Some(request.method), request.keep_alive, now);
                check(&missing, 0, bodiless);
                assert!(len > 0 && len <= received.len(), "a head of {len} bytes of {}", received.len());
                received = &received[len..];
            }
            Parsed::Refused(status) => {
                assert!((400..600).contains(&status), "{status}");
                return check(&answer::without_file(status, None, false, now), 0, false);
            }
            Parsed::Partial => return,
        }
    }
}

fn check(answer: &Answer, len: u64, bodiless: bool) {
    let lines: Vec<&str> = answer.head.split("\r\n").collect();
    let [status, fields @ .., "", ""] = &lines[..] else { panic!("not the form of a head: {:?}", answer.head) };
    assert!(status.starts_with(&format!("HTTP/1.1 {} ", answer.status)), "{status}");
    assert!(fields.iter().all(|field| field.contains(": ") && !field.contains(['\r', '\n'])), "{fields:?}");
    let stated = fields.iter().find_map(|field| field.strip_prefix("Content-Length: "));
    let stated = stated.map(|length| length.parse::<u64>().expect("a length is a number"));
    let sent: u64 = answer.body.iter().map(|piece| size(piece, len)).sum();
    if bodiless || answer.status == 304 {
        assert_eq!(sent, 0, "a body where there is none: {:?}", answer.head);
    } else {
        assert_eq!(stated, Some(sent), "{:?}", answer.head);
    }
}

fn size(piece: &Piece, len: u64) -> u64 {
    match piece {
        Piece::Text(text) => text.len() as u64,
        Piece::File(range) => {
            assert!(range.start <= range.end && range.end <= len, "{range:?} of {len}");
            range.end - range.start
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::server::common::corpus;

    #[test]
    fn the_corpus_and_what_is_near_it_keeps_every_promise() {
        corpus::walk("images", 5_000, super::run);
    }

    proptest! {
        #[test]
        fn any_head_keeps_every_promise(
            len in any::<[u8; 2]>(),
            lines in proptest::collection::vec("(range|if-range|if-match|if-none-match|connection): [ -~]{0,40}", 0..5),
        ) {
            let text = format!("GET /a HTTP/1.1\r\nhost: a\r\n{}\r\n\r\n", lines.join("\r\n"));
            super::run(&[&len[..], text.as_bytes()].concat());
        }
    }
}
