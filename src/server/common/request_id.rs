//! A name for each request, by which an answer and its log lines are found together.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

/// The header in which it comes and goes.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The longest name that is taken over from a client.
const LIMIT: usize = 128;

/// The name of a request; every request carries it as an extension. It is made of letters, digits and `-_.:` only, so
/// that it can be printed anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The name that the client gave, where it is fit for a log line, else a new one.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        headers
            .get(HEADER)
            .filter(|given| is_fit(given.as_bytes()))
            .map_or_else(Self::mint, |given| Self(given.clone()))
    }

    /// The value of the header in the answer.
    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }

    /// A name that no other request of any run has: a random start for each run, and a number.
    fn mint() -> Self {
        static RUN: OnceLock<String> = OnceLock::new();
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let run = RUN.get_or_init(|| uuid::Uuid::new_v4().simple().to_string());
        let text = format!("{}-{}", &run[..12], NUMBER.fetch_add(1, Ordering::Relaxed));
        Self(HeaderValue::try_from(text).expect("hexadecimal digits, a hyphen and decimal digits are a header value"))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or_default())
    }
}

fn is_fit(given: &[u8]) -> bool {
    (1..=LIMIT).contains(&given.len())
        && given.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(given: &[u8]) -> String {
        let headers = HeaderMap::from_iter([(HEADER, HeaderValue::from_bytes(given).unwrap())]);
        RequestId::of(&headers).to_string()
    }

    #[test]
    fn a_clients_name_is_taken_over_and_an_unfit_one_is_not() {
        assert_eq!(of(b"4bf92f35-77b3_4da6.a3ce:1"), "4bf92f35-77b3_4da6.a3ce:1");
        for unfit in [&b""[..], b"two words", b"a\tb", b"<script>", b"\xff", &[b'a'; LIMIT + 1]] {
            assert_ne!(of(unfit).as_bytes(), unfit);
        }
    }

    #[test]
    fn new_names_differ() {
        let (first, second) = (RequestId::of(&HeaderMap::new()), RequestId::of(&HeaderMap::new()));
        assert_ne!(first, second);
        assert!(is_fit(first.to_string().as_bytes()) && first.header() == first.to_string());
    }
}
