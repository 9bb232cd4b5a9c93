//! From a request and a file to an answer: preconditions in the order of RFC 9110, section 13.2.2, then ranges.

use std::fmt::Write as _;
use std::fs::Metadata;
use std::ops::Range;
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, SystemTime};

use httpdate::{fmt_http_date, parse_http_date};

use super::range::{self, Ranges};
use super::request::{Conditions, Method, Request};

/// The first second whose year has five digits, since 1970; dates of HTTP have four.
const YEAR_10000: u64 = 253_402_300_800;

/// What tells one content of a file from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) len: u64,
    pub(super) modified: SystemTime,
    /// Strong, made of device, inode, size, and the times of change in nanoseconds: reading gigabytes for a digest
    /// would cost more than it tells. Copies of a file on two servers have different ones.
    pub(super) etag: String,
}

impl Version {
    pub(super) fn of(file: &Metadata) -> Self {
        let etag = format!(
            "\"{:x}-{:x}-{:x}-{:x}.{:x}-{:x}.{:x}\"",
            file.dev(),
            file.ino(),
            file.len(),
            file.mtime(),
            file.mtime_nsec(),
            file.ctime(),
            file.ctime_nsec()
        );
        Self { len: file.len(), modified: file.modified().unwrap_or(SystemTime::UNIX_EPOCH), etag }
    }

    /// When it was modified, in seconds since 1970; none where HTTP has no date for it, which a file system or an
    /// archive may well have.
    fn seconds(&self) -> Option<u64> {
        let since = self.modified.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
        (since < YEAR_10000).then_some(since)
    }

    /// As [`Self::seconds`], as HTTP writes it.
    fn date(&self) -> Option<String> {
        self.seconds().map(|_| fmt_http_date(self.modified))
    }
}

/// An answer: its head, and what goes behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: Vec<Piece>,
}

/// A stretch of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Bytes that stand between the parts of a file.
    Text(String),
    /// Bytes of the file.
    File(Range<u64>),
}

impl Piece {
    fn len(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::File(range) => range.end - range.start,
        }
    }
}

/// What separates the parts of an answer. It would have to stand on a line of its own within the file to be mistaken,
/// and whoever reads parts knows the length of each.
const BOUNDARY: &str = "ochami-sync-5d1f6b3c8e274a90";

/// The answer to a request for a file that is there.
pub(super) fn of_file(request: &Request, version: &Version, now: SystemTime) -> Answer {
    let about = || {
        let modified = version.date().map(|date| format!("Last-Modified: {date}\r\n")).unwrap_or_default();
        format!("ETag: {}\r\n{modified}Accept-Ranges: bytes\r\n", version.etag)
    };
    match precondition(&request.conditions, version) {
        Some(304) => return plain(304, &about(), request.keep_alive, now, None),
        Some(status) => return plain(status, &about(), request.keep_alive, now, Some(request.method)),
        None => {}
    }
    // Ranges are for GET alone (section 14.2).
    let range = request.range.as_deref().filter(|_| request.method == Method::Get);
    let range = range.filter(|_| same_as_before(&request.conditions, version, now));
    match range.map_or(Ranges::Whole, |range| range::parse(range, version.len)) {
        Ranges::Unsatisfiable => {
            let extra = format!("{}Content-Range: bytes */{}\r\n", about(), version.len);
            plain(416, &extra, request.keep_alive, now, Some(request.method))
        }
        Ranges::Whole => {
            let extra = format!("{}Content-Type: application/octet-stream\r\n", about());
            with(200, &extra, vec![Piece::File(0..version.len)], request, now)
        }
        Ranges::Parts(parts) => match &parts[..] {
            [part] => {
                let place = content_range(part, version.len);
                let extra = format!("{}Content-Type: application/octet-stream\r\n{place}", about());
                with(206, &extra, vec![Piece::File(part.clone())], request, now)
            }
            parts => {
                let extra = format!("{}Content-Type: multipart/byteranges; boundary={BOUNDARY}\r\n", about());
                with(206, &extra, multipart(parts, version.len), request, now)
            }
        },
    }
}

/// The answer without a file, with a sentence as its body.
pub(super) fn without_file(status: u16, method: Option<Method>, keep_alive: bool, now: SystemTime) -> Answer {
    let extra = if status == 405 { "Allow: GET, HEAD\r\n" } else { "" };
    plain(status, extra, keep_alive, now, method.or(Some(Method::Get)))
}

/// The status that the conditions of a request come to; none where it is to be answered as if it had none.
fn precondition(conditions: &Conditions, version: &Version) -> Option<u16> {
    let seconds = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    // A condition on the date of a file that has none is passed over (sections 13.1.3 and 13.1.4).
    let modified_after = |date: &str| Some(version.seconds()? > seconds(parse_http_date(date).ok()?));
    let listed = |tags: &str, weak: bool| {
        tags.split(',').map(str::trim).any(|tag| {
            let tag = if weak { tag.strip_prefix("W/").unwrap_or(tag) } else { tag };
            tag == "*" || tag == version.etag
        })
    };
    let failed = match (&conditions.if_match, &conditions.if_unmodified_since) {
        (Some(tags), _) => !listed(tags, false),
        (None, Some(date)) => modified_after(date).unwrap_or(false),
        (None, None) => false,
    };
    if failed {
        return Some(412);
    }
    let known = match (&conditions.if_none_match, &conditions.if_modified_since) {
        (Some(tags), _) => listed(tags, true),
        (None, Some(date)) => modified_after(date).is_some_and(|after| !after),
        (None, None) => false,
    };
    known.then_some(304)
}

/// Whether the file is the one of which the client has a part. A date tells that only when it is some time ago, as a
/// file may change twice in one second (section 8.8.2.2).
fn same_as_before(conditions: &Conditions, version: &Version, now: SystemTime) -> bool {
    match conditions.if_range.as_deref().map(str::trim) {
        None => true,
        Some(tag) if tag.starts_with(['"', 'W']) && tag.ends_with('"') => tag == version.etag,
        Some(date) => {
            let settled = now.duration_since(version.modified).is_ok_and(|age| age >= Duration::from_secs(1));
            settled && version.date().is_some_and(|ours| ours == date)
        }
    }
}

fn content_range(part: &Range<u64>, len: u64) -> String {
    format!("Content-Range: bytes {}-{}/{len}\r\n", part.start, part.end - 1)
}

fn multipart(parts: &[Range<u64>], len: u64) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(2 * parts.len() + 1);
    for part in parts {
        let place = content_range(part, len);
        let head = format!("\r\n--{BOUNDARY}\r\nContent-Type: application/octet-stream\r\n{place}\r\n");
        pieces.push(Piece::Text(head));
        pieces.push(Piece::File(part.clone()));
    }
    pieces.push(Piece::Text(format!("\r\n--{BOUNDARY}--\r\n")));
    pieces
}

fn with(status: u16, extra: &str, body: Vec<Piece>, request: &Request, now: SystemTime) -> Answer {
    let len = body.iter().map(Piece::len).sum();
    let head = head(status, extra, Some(len), request.keep_alive, now);
    Answer { status, head, body: if request.method == Method::Head { Vec::new() } else { body } }
}

/// An answer with the meaning of its status as its body, for a method that has one; 304 has none.
fn plain(status: u16, extra: &str, keep_alive: bool, now: SystemTime, method: Option<Method>) -> Answer {
    let Some(method) = method else {
        return Answer { status, head: head(status, extra, None, keep_alive, now), body: Vec::new() };
    };
    let text = format!("{}\n", reason(status));
    let extra = format!("{extra}Content-Type: text/plain; charset=utf-8\r\n");
    let head = head(status, &extra, Some(text.len() as u64), keep_alive, now);
    Answer { status, head, body: if method == Method::Head { Vec::new() } else { vec![Piece::Text(text)] } }
}

fn head(status: u16, extra: &str, len: Option<u64>, keep_alive: bool, now: SystemTime) -> String {
    let mut head = format!("HTTP/1.1 {status} {}\r\nDate: {}\r\n{extra}", reason(status), fmt_http_date(now));
    if let Some(len) = len {
        let _ = write!(head, "Content-Length: {len}\r\n");
    }
    // What clients of HTTP/1.0 need to hear, and others may.
    head.push_str(if keep_alive { "Connection: keep-alive\r\n\r\n" } else { "Connection: close\r\n\r\n" });
    head
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        304 => "Not Modified",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        416 => "Range Not Satisfiable",
        431 => "Request Header Fields Too Large",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "Bad Request",
    }
}

#[cfg(test)]
mod tests;
