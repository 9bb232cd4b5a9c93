//! Paths and queries, made plain before they are routed.

use std::borrow::Cow;

use axum::http::uri::PathAndQuery;
use axum::http::{StatusCode, Uri};

use super::Problem;

/// The end of the path of boot scripts.
const BOOT_SCRIPT: &str = "/boot/v1/bootscript";

/// Takes one trailing slash off the path, as SMD does, after checking that path and query can be decoded. Of the query of
/// a booting node what cannot be is left out instead, as by BSS: firmware may add what it likes, and has to boot.
///
/// A path is never redirected and empty segments are never merged: `//host/x` stays a path that no route has, and what
/// authentication sees is what routing sees.
///
/// # Errors
///
/// 414 when it is longer than `limit` bytes; 400 when a percent sign has no two hexadecimal digits behind it or when
/// what it decodes to is not UTF-8; 400 for what is no path, such as `*`.
pub(super) fn normalize(uri: &mut Uri, limit: usize) -> Result<(), Problem> {
    let Some(whole) = uri.path_and_query() else {
        return Err(Problem::bad_request("the request has no path"));
    };
    if whole.as_str().len() > limit {
        return Err(Problem::new(StatusCode::URI_TOO_LONG, format!("the path is longer than {limit} bytes")));
    }
    let path = whole.path();
    if !path.starts_with('/') {
        return Err(Problem::bad_request("the path does not begin with a slash"));
    }
    check_decodes(path, "path")?;
    let shorter = path.strip_suffix('/').filter(|shorter| !shorter.is_empty());
    let bare = shorter.unwrap_or(path);
    let query = match whole.query() {
        Some(query) if bare.ends_with(BOOT_SCRIPT) && check_decodes(query, "query").is_err() => {
            let sound: Vec<&str> = query.split('&').filter(|pair| check_decodes(pair, "query").is_ok()).collect();
            Some(Cow::Owned(sound.join("&")))
        }
        Some(query) => check_decodes(query, "query").map(|()| Some(Cow::Borrowed(query)))?,
        None => None,
    };
    if shorter.is_some() || query.as_deref() != whole.query() {
        let plain = query.map_or_else(|| bare.to_owned(), |query| format!("{bare}?{query}"));
        let mut parts = uri.clone().into_parts();
        parts.path_and_query =
            Some(PathAndQuery::try_from(plain).map_err(|_| Problem::bad_request("the path is not a path"))?);
        *uri = Uri::from_parts(parts).map_err(|_| Problem::bad_request("the path is not a path"))?;
    }
    Ok(())
}

fn check_decodes(text: &str, what: &str) -> Result<(), Problem> {
    // Nearly every request has no escapes, and then there is nothing to decode.
    if !text.contains('%') {
        return Ok(());
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let (Some(high), Some(low)) = (digit(bytes.next()), digit(bytes.next())) else {
            return Err(Problem::bad_request(format!("the {what} has a percent sign without two hexadecimal digits")));
        };
        decoded.push(u8::try_from(high * 16 + low).expect("two hexadecimal digits are one byte"));
    }
    match std::str::from_utf8(&decoded) {
        Ok(_) => Ok(()),
        Err(_) => Err(Problem::bad_request(format!("the {what} is not UTF-8"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalized(uri: &str) -> Result<String, u16> {
        let mut uri: Uri = uri.parse().unwrap();
        normalize(&mut uri, 100).map(|()| uri.to_string()).map_err(|problem| problem.status.as_u16())
    }

    #[test]
    fn one_trailing_slash_is_taken_off_and_the_query_stays() {
        for (given, expected) in [
            ("/", "/"),
            ("/a", "/a"),
            ("/a/", "/a"),
            ("/a/?x=/", "/a?x=/"),
            ("/a//", "/a/"),
            ("/a//b", "/a//b"),
            ("//", "/"),
            ("//host/a/", "//host/a"),
            ("/a%2F", "/a%2F"),
            ("/../a/", "/../a"),
        ] {
            assert_eq!(normalized(given).as_deref(), Ok(expected), "{given}");
        }
    }

    #[test]
    fn what_cannot_be_decoded_is_the_callers_fault() {
        for (given, status) in [
            ("/a%", 400),
            ("/a%2", 400),
            ("/a%zz", 400),
            ("/a%+1", 400),
            ("/%ff", 400),
            ("/%c3%28", 400),
            ("/a?x=%e2%82", 400),
            ("*", 400),
        ] {
            assert_eq!(normalized(given), Err(status), "{given}");
        }
        assert_eq!(normalized("/%e2%82%ac?x=%20").as_deref(), Ok("/%e2%82%ac?x=%20"));
    }

    #[test]
    fn of_the_query_of_a_booting_node_what_cannot_be_decoded_is_left_out() {
        for (given, expected) in [
            ("/boot/v1/bootscript?mac=02%3A00&x=%zz&nid=1", "/boot/v1/bootscript?mac=02%3A00&nid=1"),
            ("/boot/v1/bootscript/?x=%&mac=a", "/boot/v1/bootscript?mac=a"),
            ("/boot/v1/bootscript?%ff", "/boot/v1/bootscript?"),
        ] {
            assert_eq!(normalized(given).as_deref(), Ok(expected), "{given}");
        }
        assert_eq!(normalized("/boot/v1/bootparameters?mac=a&x=%zz"), Err(400));
    }

    #[test]
    fn a_path_beyond_the_limit_is_414() {
        assert_eq!(normalized(&format!("/{}", "a".repeat(100))), Err(414));
        assert_eq!(normalized(&format!("/?{}", "a".repeat(99))), Err(414));
        assert!(normalized(&format!("/{}", "a".repeat(99))).is_ok());
    }
}
