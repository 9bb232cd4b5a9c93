//! HTTP as the recordings have it: a request goes out byte for byte, odd paths and all, which client libraries would
//! mend; one connection each, and a connection that ends without an answer is an answer, too.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::exchange::Exchange;
use super::tokens::Tokens;
use crate::support::DEADLINE;

/// What came back.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// 0 when the connection ended without one.
    pub(super) status: u16,
    /// Without parameters, in lower case.
    pub(super) media_type: Option<String>,
    /// The path of `Location`.
    pub(super) location: Option<String>,
    pub(super) body: String,
}

/// Sends the request of an exchange to a listener, `http://IP:PORT`.
pub(super) fn send(listener: &str, exchange: &Exchange, tokens: &Tokens) -> Answer {
    let host = listener.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut answer = Vec::new();
    // A server may answer and close before it has read all; what counts is what it said.
    let _ = stream.write_all(request(host, exchange, tokens).as_bytes());
    let _ = stream.read_to_end(&mut answer);
    parse(&String::from_utf8_lossy(&answer), &exchange.method)
}

fn request(host: &str, exchange: &Exchange, tokens: &Tokens) -> String {
    let mut target = exchange.path.clone();
    if let Some(query) = exchange.query.as_ref().filter(|query| !query.is_empty()) {
        target += &format!("?{query}");
    }
    let mut headers = format!("Host: {host}\r\nConnection: close\r\n");
    for (name, value) in &exchange.headers {
        let _ = write!(headers, "{name}: {value}\r\n");
    }
    if let Some(name) = exchange.token.as_deref() {
        let token = tokens.named(name);
        match exchange.token_in.as_deref().unwrap_or("Bearer") {
            "cookie" => headers += &format!("Cookie: jwt={token}\r\n"),
            "query" => target += &format!("{}jwt={token}", if target.contains('?') { '&' } else { '?' }),
            _ if name == "none" => {}
            scheme => headers += &format!("Authorization: {scheme} {token}\r\n"),
        }
    }
    let body = exchange.body.as_deref().unwrap_or("");
    if !body.is_empty() || matches!(&*exchange.method, "POST" | "PUT" | "PATCH") {
        let _ = write!(headers, "Content-Length: {}\r\n", body.len());
    }
    format!("{} {target} HTTP/1.1\r\n{headers}\r\n{body}", exchange.method)
}

fn parse(text: &str, method: &str) -> Answer {
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return Answer { status: 0, media_type: None, location: None, body: String::new() };
    };
    let (first, headers) = head.split_once("\r\n").unwrap_or((head, ""));
    let header = |wanted: &str| {
        let named =
            |line: &str| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
        headers.split("\r\n").filter_map(named).find(|(name, _)| name == wanted).map(|(_, value)| value)
    };
    let bare = |value: String| value.split(';').next().unwrap_or_default().trim().to_lowercase();
    let chunked = header("transfer-encoding").is_some_and(|value| value == "chunked");
    assert!(!chunked || method == "HEAD", "answers have a length, so that a client knows when it has all of one");
    Answer {
        status: first.split(' ').nth(1).unwrap().parse().unwrap(),
        media_type: header("content-type").map(bare),
        location: header("location").map(|value| path(&value).to_owned()),
        body: body.to_owned(),
    }
}

/// The path of a URL, or of a reference that is only a path.
fn path(location: &str) -> &str {
    let behind_host =
        location.split_once("://").map_or(Some(location), |(_, rest)| rest.find('/').map(|at| &rest[at..]));
    behind_host.unwrap_or("").split(['?', '#']).next().unwrap_or_default()
}
