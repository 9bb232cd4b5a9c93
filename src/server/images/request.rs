//! The head of a request, as far as a file server needs it. Parsed by `httparse`, judged here (RFC 9112).

use std::borrow::Cow;

/// The most header lines of a request.
const HEADERS: usize = 64;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: Method,
    /// The path below the images, decoded, without its query.
    pub(super) name: String,
    /// Whether the connection stays open behind the answer.
    pub(super) keep_alive: bool,
    /// The value of `Range`.
    pub(super) range: Option<String>,
    pub(super) conditions: Conditions,
}

/// What may be done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Head,
}

/// The values of the headers that make a request conditional.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Conditions {
    pub(super) if_match: Option<String>,
    pub(super) if_none_match: Option<String>,
    pub(super) if_modified_since: Option<String>,
    pub(super) if_unmodified_since: Option<String>,
    pub(super) if_range: Option<String>,
}

/// What the bytes received so far are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Parsed {
    /// The beginning of a head.
    Partial,
    /// A head of this many bytes.
    Request(Request, usize),
    /// A request that is answered with this status, behind which the connection is closed.
    Refused(u16),
}

/// Reads a head.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut head = httparse::Request::new(&mut headers);
    let len = match head.parse(bytes) {
        Ok(httparse::Status::Complete(len)) => len,
        Ok(httparse::Status::Partial) => return Parsed::Partial,
        Err(httparse::Error::TooManyHeaders) => return Parsed::Refused(431),
        Err(httparse::Error::Version) => return Parsed::Refused(505),
        Err(_) => return Parsed::Refused(400),
    };
    match judge(&head) {
        Ok(request) => Parsed::Request(request, len),
        Err(status) => Parsed::Refused(status),
    }
}

fn judge(head: &httparse::Request<'_, '_>) -> Result<Request, u16> {
    let lines = |name: &'static str| head.headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name));
    // A body is never read, so what stands behind the head could be taken for another request.
    let length = lines("content-length").any(|header| header.value != b"0");
    if length || lines("transfer-encoding").next().is_some() {
        return Err(413);
    }
    let modern = head.version == Some(1);
    if lines("host").count() > 1 || (modern && lines("host").next().is_none()) {
        return Err(400);
    }
    let method = match head.method {
        Some("GET") => Method::Get,
        Some("HEAD") => Method::Head,
        _ => return Err(405),
    };
    // Values that are no text are values that we do not know.
    let joined = |name: &'static str| {
        let values: Option<Vec<&str>> = lines(name).map(|header| std::str::from_utf8(header.value).ok()).collect();
        values.filter(|values| !values.is_empty()).map(|values| values.join(","))
    };
    let connection = joined("connection").unwrap_or_default().to_ascii_lowercase();
    let said = |word: &str| connection.split(',').any(|option| option.trim() == word);
    Ok(Request {
        method,
        name: name(head.path.unwrap_or_default()).ok_or(400_u16)?,
        keep_alive: !said("close") && (modern || said("keep-alive")),
        // Of several lines none is meant to be followed.
        range: joined("range").filter(|_| lines("range").count() == 1),
        conditions: Conditions {
            if_match: joined("if-match"),
            if_none_match: joined("if-none-match"),
            if_modified_since: joined("if-modified-since"),
            if_unmodified_since: joined("if-unmodified-since"),
            if_range: joined("if-range"),
        },
    })
}

/// The path of a target, `/path?query` or `http://host/path?query`, decoded.
fn name(target: &str) -> Option<String> {
    let path = match target.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => {
            rest.split_once('/').map_or("", |(_, path)| path)
        }
        _ => target.strip_prefix('/')?,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    decoded(path).map(Cow::into_owned)
}

/// A text with its percent-encoded bytes put in; none for what is encoded wrongly or no text then.
fn decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(text.into());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, behind) = rest.split_first_chunk::<2>()?;
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        bytes.push(digit(digits[0])? << 4 | digit(digits[1])?);
        rest = behind;
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(text: &str) -> Request {
        match parse(text.as_bytes()) {
            Parsed::Request(request, len) => {
                assert_eq!(len, text.len());
                request
            }
            other => panic!("{text:?} is {other:?}"),
        }
    }

    fn refused(text: &str) -> u16 {
        match parse(text.as_bytes()) {
            Parsed::Refused(status) => status,
            other => panic!("{text:?} is {other:?}"),
        }
    }

    #[test]
    fn a_request_is_read_with_its_conditions() {
        let text = "GET /a/b%20c?x=1 HTTP/1.1\r\nhost: h\r\nRANGE: bytes=0-1\r\nIf-None-Match: \"a\"\r\nif-none-match: \"b\"\r\n\r\n";
        let request = request(text);
        assert_eq!((request.method, &*request.name, request.keep_alive), (Method::Get, "a/b c", true));
        assert_eq!(request.range.as_deref(), Some("bytes=0-1"));
        assert_eq!(request.conditions.if_none_match.as_deref(), Some("\"a\",\"b\""));
    }

    #[test]
    fn the_version_and_the_client_say_whether_the_connection_stays() {
        for (version, connection, stays) in [
            ("1.1", "", true),
            ("1.1", "Connection: Close\r\n", false),
            ("1.1", "Connection: upgrade, close\r\n", false),
            ("1.0", "", false),
            ("1.0", "Connection: keep-alive\r\n", true),
        ] {
            let text = format!("HEAD / HTTP/{version}\r\nHost: h\r\n{connection}\r\n");
            assert_eq!(request(&text).keep_alive, stays, "{text}");
        }
    }

    #[test]
    fn targets_are_decoded_and_may_be_absolute() {
        for (target, expected) in [
            ("/", ""),
            ("/a%2Fb", "a/b"),
            ("/%2e%2e/x", "../x"),
            ("http://h:1/a/b", "a/b"),
            ("HTTP://h", ""),
            ("/a#b", "a"),
            ("/%C3%A9", "é"),
        ] {
            assert_eq!(request(&format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n")).name, expected, "{target}");
        }
        for target in ["/%", "/%4", "/%zz", "/%ff", "*", "ftp://h/a", "a"] {
            assert_eq!(refused(&format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n")), 400, "{target}");
        }
    }

    #[test]
    fn what_is_no_request_for_a_file_is_refused() {
        for (text, status) in [
            ("POST / HTTP/1.1\r\nHost: h\r\n\r\n", 405),
            ("GET / HTTP/1.1\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", 413),
            ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n", 413),
            ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
            ("\u{16}\u{3}\u{1}", 400),
            ("GET / HTTP/1.1\r\nbad header\r\n\r\n", 400),
        ] {
            assert_eq!(refused(text), status, "{text:?}");
        }
        let many = (0..=HEADERS).map(|at| format!("x{at}: y\r\n")).collect::<String>();
        assert_eq!(refused(&format!("GET / HTTP/1.1\r\n{many}\r\n")), 431);
        assert_eq!(parse(b"GET / HTTP/1.1\r\nHost: "), Parsed::Partial);
    }

    #[test]
    fn two_range_lines_are_none() {
        let text = "GET / HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1\r\nRange: bytes=2-3\r\n\r\n";
        assert_eq!(request(text).range, None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_one_of_the_kinds(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn any_target_is_read_or_refused(target in "[!-~]{1,40}") {
            let text = format!("GET {target} HTTP/1.1\r\nHost: h\r\n\r\n");
            prop_assert!(!matches!(parse(text.as_bytes()), Parsed::Partial));
        }
    }
}
