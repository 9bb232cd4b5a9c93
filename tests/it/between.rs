//! Something between a client and a service that spoils chosen exchanges: a real server on a real socket that hands
//! everything else on.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::send;

/// What is done with a request.
pub(crate) enum Fate {
    /// It is handed on.
    Pass,
    /// It is handed on with another path, as a gateway does.
    PassAs(String),
    /// It is answered here, and the service never sees it.
    Answer(u16, &'static str),
    /// It is handed on, and the answer is lost.
    LoseAnswer,
    /// It is never answered, until the test ends.
    Hold,
}

/// A request as it came.
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Path with query.
    pub(crate) path: String,
    pub(crate) body: String,
}

impl Asked {
    /// True for a request with this method whose path ends so.
    pub(crate) fn is(&self, method: &str, end: &str) -> bool {
        self.method == method && self.path.ends_with(end)
    }
}

/// The server in between.
pub(crate) struct Between {
    /// Where clients are to go.
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Between {
    /// Stands before `service`, a URL without a path, until the test ends.
    pub(crate) fn new(service: &str, decide: impl Fn(&Asked) -> Fate + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (service, decide, list) = (service.to_owned(), Arc::new(decide), seen.clone());
        std::thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let (service, decide, list) = (service.clone(), decide.clone(), list.clone());
                std::thread::spawn(move || serve(connection, &service, &*decide, &list));
            }
        });
        Self { url, seen }
    }

    /// `METHOD PATH` of every request so far.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// How many requests so far were not mere questions.
    pub(crate) fn writes(&self) -> usize {
        self.seen().iter().filter(|line| !line.starts_with("GET ")).count()
    }
}

fn serve(mut connection: TcpStream, service: &str, decide: &dyn Fn(&Asked) -> Fate, seen: &Mutex<Vec<String>>) {
    let Some(asked) = read(&connection) else { return };
    seen.lock().unwrap().push(format!("{} {}", asked.method, asked.path));
    let fate = decide(&asked);
    let hand_on = |path: &str| {
        let body = (!asked.body.is_empty()).then_some(asked.body.as_str());
        send(&asked.method, &format!("{service}{path}"), &[("content-type", "application/json")], body)
    };
    let (status, body) = match fate {
        Fate::Pass => {
            let answer = hand_on(&asked.path);
            (answer.status, answer.body)
        }
        Fate::PassAs(path) => {
            let answer = hand_on(&path);
            (answer.status, answer.body)
        }
        Fate::Answer(status, body) => (status, body.to_owned()),
        Fate::LoseAnswer => return drop(hand_on(&asked.path)),
        Fate::Hold => return std::thread::park_timeout(Duration::from_secs(600)),
    };
    let head = format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nconnection: close\r\n");
    // A status without a body has none, whatever its length would be.
    let length = if status == 204 { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    let _ = connection.write_all(format!("{head}{length}\r\n{body}").as_bytes());
}

fn read(connection: &TcpStream) -> Option<Asked> {
    let mut reader = BufReader::new(connection);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        if header.trim().is_empty() {
            break;
        }
        if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { method, path, body: String::from_utf8(body).ok()? })
}
