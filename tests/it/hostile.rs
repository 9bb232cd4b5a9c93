//! Bad input on the listeners: a problem body or a closed connection, never a panic, never half a write.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::{Cluster, DEADLINE, Serving, get, send};

fn insecure(cluster: &Cluster) -> Serving {
    cluster.serve_with(&["--auth", "none"], &[("OCHAMI_SYNC_INSECURE", "1")])
}

/// Sends bytes as they are and nothing more, and reads what comes until the server closes.
fn raw_and_done(listener: &str, bytes: &[u8]) -> Vec<u8> {
    let mut stream = sent(listener, bytes);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

/// As [`raw_and_done`], but ready to send more, as a client is that waits for its answer.
fn raw(listener: &str, bytes: &[u8]) -> Vec<u8> {
    let mut stream = sent(listener, bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

fn sent(listener: &str, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(listener.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let _ = stream.write_all(bytes);
    stream
}

#[test]
fn bodies_that_are_no_json_or_of_the_wrong_shape_are_the_clients_fault() {
    let cluster = Cluster::demo();
    let serving = insecure(&cluster);
    let routes = [
        ("POST", "/hsm/v2/State/Components"),
        ("PUT", "/hsm/v2/State/Components/x1c0s0b0n0"),
        ("PATCH", "/hsm/v2/State/Components/BulkNID"),
        ("POST", "/hsm/v2/Inventory/EthernetInterfaces"),
        ("POST", "/hsm/v2/Inventory/RedfishEndpoints"),
        ("POST", "/hsm/v2/groups"),
        ("POST", "/hsm/v2/groups/compute/members"),
        ("POST", "/boot/v1/bootparameters"),
        ("PUT", "/boot/v1/bootparameters"),
        ("PATCH", "/boot/v1/bootparameters"),
        ("DELETE", "/boot/v1/bootparameters"),
        ("POST", "/cloud-init"),
        ("PUT", "/cloud-init/compute"),
        ("POST", "/cloud-init-secure"),
    ];
    let bodies = ["", "{", "[]", "null", "1", "\"x\"", "{\"Components\":7}", "\u{0}", "{\"macs\":{}}", "{\"name\":[]}"];
    for (method, path) in routes {
        for body in bodies {
            let answer = send(method, &format!("{}{path}", serving.api), &[], Some(body));
            assert!((200..500).contains(&answer.status), "{method} {path} {body:?}: {} {}", answer.status, answer.body);
            if answer.kind.starts_with("application/problem+json") {
                assert_eq!(answer.json()["status"], answer.status);
            }
        }
    }
    let components = get(&format!("{}/hsm/v2/State/Components", serving.api)).json();
    assert_eq!(components["Components"].as_array().map(Vec::len), Some(0), "something was half written");
    assert!(!serving.log().contains("panicked"), "{}", serving.log());
}

#[test]
fn a_bulk_write_with_one_bad_entry_writes_nothing() {
    let cluster = Cluster::demo();
    let serving = insecure(&cluster);
    let body = r#"{"Components":[{"ID":"x1c0s0b0n0","State":"Ready"},{"ID":"nonsense","State":"Ready"}]}"#;
    assert_eq!(send("POST", &format!("{}/hsm/v2/State/Components", serving.api), &[], Some(body)).status, 400);
    assert_eq!(get(&format!("{}/hsm/v2/State/Components/x1c0s0b0n0", serving.api)).status, 404);
}

#[test]
fn odd_paths_and_unknown_things_are_refused_calmly() {
    let cluster = Cluster::demo();
    let serving = insecure(&cluster);
    for path in [
        "/",
        "//",
        "/../../etc/passwd",
        "/hsm/v2/../../etc/passwd",
        "/hsm/v2/State/Components/%00",
        "/hsm/v2/State/Components/%ff%fe",
        "/hsm/v2/State/Components/..%2f..",
        "/boot/v1/bootscript",
        "/boot/v1/bootscript?mac=%ff",
        "/boot/v1/bootscript?mac=&name=&nid=",
        "/boot/v1/bootscript?nid=99999999999999999999",
        "/cloud-init/%2e%2e/user-data",
        "/cloud-init/nobody/user-data",
        "/hsm/v2/Inventory/Nothing",
        "/hsm/v2/State/Components?type=%ff",
    ] {
        for listener in [&serving.api, &serving.boot] {
            let answer =
                raw(listener, format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes());
            let text = String::from_utf8_lossy(&answer);
            assert!(text.starts_with("HTTP/1.1 4") || text.starts_with("HTTP/1.1 200"), "{path}: {text}");
        }
    }
    assert!(!serving.log().contains("panicked"), "{}", serving.log());
}

#[test]
fn any_bytes_at_all_leave_the_daemon_answering() {
    let cluster = Cluster::demo();
    let serving = insecure(&cluster);
    let mut runner = TestRunner::new(Config { cases: 200, failure_persistence: None, ..Config::default() });
    let line = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..400),
        "(GET|PUT|POST|XYZZY) /[ -~]{0,60} HTTP/1\\.[01]\r\n([a-z-]{1,12}: [ -~]{0,30}\r\n){0,4}\r\n[ -~]{0,60}"
            .prop_map(String::into_bytes),
    ];
    runner
        .run(&line, |bytes| {
            for listener in [&serving.api, &serving.boot, &serving.metrics] {
                let answer = raw_and_done(listener, &bytes);
                prop_assert!(!answer.starts_with(b"HTTP/1.1 5"), "{}", String::from_utf8_lossy(&answer));
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(get(&format!("{}/health", serving.boot)).status, 200);
    assert!(!serving.log().contains("panicked"), "{}", serving.log());
}

/// The most memory that the daemon has had, in MiB.
fn peak_memory(serving: &Serving) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", serving.child.0.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

#[test]
fn every_listener_answers_the_oddities_of_http_with_the_right_status() {
    let cluster = Cluster::demo();
    let serving = insecure(&cluster);
    let head = |first: &str, rest: &str| format!("{first}\r\nhost: x\r\nconnection: close\r\n{rest}\r\n").into_bytes();
    let get_health = |rest: &str| head("GET /health HTTP/1.1", rest);
    let long = "a".repeat(70_000);
    let many: String = (0..200).map(|n| format!("x{n}: 1\r\n")).collect();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("a header of 70,000 bytes", get_health(&format!("x: {long}\r\n")), "431"),
        ("200 headers", get_health(&many), "431"),
        ("a path of 40,000 bytes", head(&format!("GET /{} HTTP/1.1", &long[..40_000]), ""), "414"),
        ("HTTP/1.0", b"GET /health HTTP/1.0\r\n\r\n".to_vec(), "200"),
        ("HTTP/0.9", b"GET /health\r\n".to_vec(), "400"),
        ("an absolute URI", head("GET http://elsewhere/health HTTP/1.1", ""), "200"),
        ("an authority", head("CONNECT elsewhere:443 HTTP/1.1", ""), "400"),
        ("an asterisk", head("OPTIONS * HTTP/1.1", ""), "400"),
        ("TRACE", head("TRACE /health HTTP/1.1", ""), "405"),
        ("an unknown method", head("XYZZY /health HTTP/1.1", ""), "405"),
        ("bytes that are no text", b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n".to_vec(), "400"),
        ("a NUL in a header", get_health("a: b\0c\r\n"), "400"),
        ("a folded header", get_health("a: b\r\n c\r\n"), "400"),
        ("two lengths", get_health("content-length: 3\r\ncontent-length: 4\r\n"), "400"),
        ("a negative length", get_health("content-length: -1\r\n"), "400"),
        ("a length beyond all numbers", get_health("content-length: 99999999999999999999999\r\n"), "400"),
        ("a TLS greeting", [&b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03"[..], &[7; 200]].concat(), "400"),
        ("a NUL in the path", head("GET /%00 HTTP/1.1", ""), "404"),
        ("half an escape", head("GET /a% HTTP/1.1", ""), "400"),
        ("a path upwards", head("GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.1", ""), "404"),
    ];
    for (what, bytes, status) in &cases {
        for listener in [&serving.api, &serving.boot, &serving.metrics] {
            let answer = raw(listener, bytes);
            let text = String::from_utf8_lossy(&answer);
            assert_eq!(text.split(' ').nth(1), Some(*status), "{what} at {listener}: {text}");
        }
    }
    for listener in [&serving.api, &serving.boot, &serving.metrics] {
        let preface = raw(listener, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
        assert!(!preface.starts_with(b"HTTP/1.1 5"), "HTTP/2 without asking");
        let one = b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n".to_vec();
        let pipelined = raw(listener, &[one.repeat(3), get_health("")].concat());
        let answers = String::from_utf8_lossy(&pipelined).matches("HTTP/1.1 200 OK").count();
        assert_eq!(answers, 4, "requests in one piece are answered one by one");
    }
    assert!(!serving.log().contains("panicked"), "{}", serving.log());
}

#[test]
fn bodies_that_lie_about_themselves_or_are_huge_cost_their_sender_an_error_and_us_no_memory() {
    let cluster = Cluster::demo();
    let serving = insecure(&cluster);
    let send_raw = |path: &str, rest: &str, body: &[u8]| {
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{rest}\r\n");
        let answer = raw(&serving.api, &[head.as_bytes(), body].concat());
        String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned()
    };
    let path = "/hsm/v2/State/Components";
    let chunked = "transfer-encoding: chunked\r\n";
    for (what, rest, body) in [
        ("garbage for a chunk", chunked, &b"ZZZ\r\nxx\r\n"[..]),
        ("a chunk beyond all numbers", chunked, b"FFFFFFFFFFFFFFFFFF\r\nxx\r\n"),
        ("an expectation nobody meets", "expect: 200-maybe\r\ncontent-length: 2\r\n", b"{}"),
    ] {
        assert!(send_raw(path, rest, body).starts_with("HTTP/1.1 4"), "{what}");
    }
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{{}}");
    let torn = raw_and_done(&serving.api, head.as_bytes());
    assert!(torn.is_empty() || torn.starts_with(b"HTTP/1.1 4"), "{}", String::from_utf8_lossy(&torn));
    for path in [path, "/hsm/v2/groups", "/boot/v1/bootparameters", "/cloud-init", "/cloud-init-secure"] {
        // A million structures would be some hundred times as large as their text.
        let objects = format!("{{\"Components\":[{}{{}}]}}", "{},".repeat(999_999));
        for (expected, body) in [
            (413, "[".repeat(1_000_000)),
            (413, "{\"a\":".repeat(500_000)),
            (413, objects),
            (400, "[".repeat(100_000)),
            (400, format!("[{}1]", "1,".repeat(999_999))),
        ] {
            let length = format!("content-length: {}\r\n", body.len());
            let status = send_raw(path, &length, body.as_bytes());
            assert!(status.starts_with(&format!("HTTP/1.1 {expected}")), "{path} {:.20}: {status}", body);
        }
        for body in [&b"{\"name\":\"\xff\xfe\"}"[..], br#"{"name":"\ud800","label":"\u0000","nids":[1e999]}"#] {
            let length = format!("content-length: {}\r\n", body.len());
            assert!(send_raw(path, &length, body).starts_with("HTTP/1.1 400"), "{path}");
        }
    }
    assert!(peak_memory(&serving) < 300, "{} MiB", peak_memory(&serving));
    assert!(!serving.log().contains("panicked"), "{}", serving.log());
}

#[test]
fn peers_that_are_slow_are_let_go_and_hold_nobody_up() {
    let cluster = Cluster::demo();
    let serving = insecure(&cluster);
    let begun = std::time::Instant::now();
    let slow: Vec<TcpStream> =
        (0..24).map(|_| sent(&serving.boot, b"GET /boot/v1/bootscript HTTP/1.1\r\nx: ")).collect();
    let quick = std::time::Instant::now();
    assert_eq!(get(&format!("{}/health", serving.boot)).status, 200);
    assert!(quick.elapsed() < std::time::Duration::from_secs(3), "after {:?}", quick.elapsed());
    for mut stream in slow {
        let mut rest = Vec::new();
        // Closed or reset: either way it is over.
        let _ = stream.read_to_end(&mut rest);
        assert!(!rest.starts_with(b"HTTP/1.1 2"));
    }
    assert!(begun.elapsed() < std::time::Duration::from_secs(15), "after {:?}", begun.elapsed());
}

#[test]
fn plain_bytes_on_a_tls_listener_are_turned_away() {
    let cluster = Cluster::demo();
    let signed = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(cluster.path("cert.pem"), signed.cert.pem()).unwrap();
    std::fs::write(cluster.path("key.pem"), signed.signing_key.serialize_pem()).unwrap();
    let mut command = cluster.command(&["serve", "--api", "https://127.0.0.1:0", "--boot", "127.0.0.1:0"]);
    command.args(["--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
    let serving = Serving::start(command);
    let listener = serving.api.replace("https://", "");
    for bytes in [&b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n"[..], &[0xa5; 3000], b"\x16\x03\x01\x00\x02\xff\xff"] {
        let answer = raw(&listener, bytes);
        assert!(!answer.starts_with(b"HTTP/"), "{}", String::from_utf8_lossy(&answer));
    }
    assert_eq!(get(&format!("{}/health", serving.boot)).status, 200);
    assert!(!serving.log().contains("panicked"), "{}", serving.log());
}
