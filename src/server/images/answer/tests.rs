//! Conditions and ranges, in the order of the standard.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn version() -> Version {
    Version { len: 1000, modified: SystemTime::UNIX_EPOCH + 1_000_000 * SECOND, etag: "\"e\"".to_owned() }
}

fn request(change: impl FnOnce(&mut Request)) -> Request {
    let mut request = Request {
        method: Method::Get,
        name: "f".to_owned(),
        keep_alive: true,
        range: None,
        conditions: Conditions::default(),
    };
    change(&mut request);
    request
}

fn answer(change: impl FnOnce(&mut Request)) -> Answer {
    of_file(&request(change), &version(), version().modified + 3600 * SECOND)
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn date(seconds_later: i64) -> String {
    let offset = Duration::from_secs(seconds_later.unsigned_abs());
    let modified = version().modified;
    fmt_http_date(if seconds_later < 0 { modified - offset } else { modified + offset })
}

#[test]
fn a_whole_file_is_described_and_sent() {
    let whole = answer(|_| {});
    assert_eq!(whole.status, 200);
    assert_eq!(whole.body, [Piece::File(0..1000)]);
    for (name, value) in [
        ("Content-Length", "1000"),
        ("ETag", "\"e\""),
        ("Last-Modified", "Mon, 12 Jan 1970 13:46:40 GMT"),
        ("Accept-Ranges", "bytes"),
        ("Date", "Mon, 12 Jan 1970 14:46:40 GMT"),
        ("Connection", "keep-alive"),
    ] {
        assert_eq!(header(&whole, name), Some(value), "{name}");
    }
    let head = answer(|request| request.method = Method::Head);
    assert_eq!((head.head, head.body), (whole.head, Vec::new()));
}

#[test]
fn if_match_lets_only_what_it_names_pass() {
    for (tags, status) in [("\"e\"", 200), ("*", 200), ("\"x\", \"e\"", 200), ("\"x\"", 412), ("W/\"e\"", 412)] {
        assert_eq!(answer(|request| request.conditions.if_match = Some(tags.into())).status, status, "{tags}");
    }
}

#[test]
fn if_unmodified_since_counts_without_if_match() {
    for (since, status) in [(date(0), 200), (date(1), 200), (date(-1), 412), ("no date".into(), 200)] {
        let found = answer(|request| request.conditions.if_unmodified_since = Some(since.clone())).status;
        assert_eq!(found, status, "{since}");
    }
    let both = answer(|request| {
        request.conditions.if_match = Some("\"e\"".into());
        request.conditions.if_unmodified_since = Some(date(-1));
    });
    assert_eq!(both.status, 200);
}

#[test]
fn if_none_match_spares_what_the_client_has() {
    for (tags, status) in [("\"e\"", 304), ("W/\"e\"", 304), ("*", 304), ("\"x\",\"e\"", 304), ("\"x\"", 200)] {
        let found = answer(|request| request.conditions.if_none_match = Some(tags.into()));
        assert_eq!(found.status, status, "{tags}");
        if status == 304 {
            assert_eq!(
                (header(&found, "Content-Length"), header(&found, "ETag"), found.body.len()),
                (None, Some("\"e\""), 0)
            );
        }
    }
}

#[test]
fn if_modified_since_counts_without_if_none_match() {
    for (since, status) in [(date(0), 304), (date(1), 304), (date(-1), 200), ("no date".into(), 200)] {
        let found = answer(|request| request.conditions.if_modified_since = Some(since.clone())).status;
        assert_eq!(found, status, "{since}");
    }
    let both = answer(|request| {
        request.conditions.if_none_match = Some("\"x\"".into());
        request.conditions.if_modified_since = Some(date(0));
    });
    assert_eq!(both.status, 200);
}

#[test]
fn a_range_is_sent_alone_and_several_as_parts() {
    let one = answer(|request| request.range = Some("bytes=10-19".into()));
    assert_eq!((one.status, header(&one, "Content-Range")), (206, Some("bytes 10-19/1000")));
    assert_eq!((header(&one, "Content-Length"), &one.body[..]), (Some("10"), &[Piece::File(10..20)][..]));
    let two = answer(|request| request.range = Some("bytes=0-0,-2".into()));
    assert!(header(&two, "Content-Type").unwrap().starts_with("multipart/byteranges; boundary="));
    let len: u64 = two.body.iter().map(Piece::len).sum();
    assert_eq!(header(&two, "Content-Length"), Some(&*len.to_string()));
    let Piece::Text(text) = &two.body[0] else { panic!("{two:?}") };
    assert!(text.ends_with("Content-Range: bytes 0-0/1000\r\n\r\n") && text.starts_with("\r\n--"), "{text}");
    assert_eq!((&two.body[1], &two.body[3]), (&Piece::File(0..1), &Piece::File(998..1000)));
    assert!(matches!(&two.body[4], Piece::Text(text) if text.ends_with("--\r\n")));
}

#[test]
fn a_range_that_the_file_does_not_have_says_how_long_it_is() {
    let none = answer(|request| request.range = Some("bytes=1000-".into()));
    assert_eq!((none.status, header(&none, "Content-Range")), (416, Some("bytes */1000")));
}

#[test]
fn a_range_is_for_get_alone() {
    let head = answer(|request| {
        request.method = Method::Head;
        request.range = Some("bytes=0-1".into());
    });
    assert_eq!((head.status, header(&head, "Content-Length")), (200, Some("1000")));
}

#[test]
fn if_range_gives_the_whole_where_the_file_is_another() {
    let status = |value: &str, age: u32| {
        let request = request(|request| {
            request.range = Some("bytes=0-1".into());
            request.conditions.if_range = Some(value.into());
        });
        of_file(&request, &version(), version().modified + age * SECOND).status
    };
    for (value, expected) in
        [("\"e\"", 206), ("\"x\"", 200), ("W/\"e\"", 200), (&*date(0), 206), (&*date(1), 200), ("x", 200)]
    {
        assert_eq!(status(value, 3600), expected, "{value}");
    }
    assert_eq!(status(&date(0), 0), 200, "it may change again within the second");
}

#[test]
fn a_file_whose_time_http_cannot_say_is_sent_without_it() {
    const DATE: &str = "Thu, 01 Jan 1970 00:00:00 GMT";
    let epoch = SystemTime::UNIX_EPOCH;
    let year_10000 = epoch + Duration::from_secs(253_402_300_800);
    for (modified, said) in [
        (epoch - 3600 * SECOND, None),
        (epoch - Duration::from_nanos(1), None),
        (epoch, Some(DATE)),
        (year_10000 - Duration::from_nanos(1), Some("Fri, 31 Dec 9999 23:59:59 GMT")),
        (year_10000, None),
        (year_10000 + 3600 * SECOND, None),
    ] {
        let version = Version { modified, ..version() };
        let asked = |change: fn(&mut Request)| of_file(&request(change), &version, epoch + 1_000_000 * SECOND);
        let whole = asked(|_| {});
        assert_eq!((whole.status, header(&whole, "Last-Modified"), header(&whole, "ETag")), (200, said, Some("\"e\"")));
        assert_eq!(whole.body, [Piece::File(0..1000)]);
        if said.is_none() {
            let since = asked(|request| request.conditions.if_modified_since = Some(DATE.into()));
            let before = asked(|request| request.conditions.if_unmodified_since = Some(DATE.into()));
            let part = asked(|request| {
                request.range = Some("bytes=0-1".into());
                request.conditions.if_range = Some(DATE.into());
            });
            assert_eq!([since.status, before.status, part.status], [200; 3], "no date is the file's");
        }
    }
}

#[test]
fn an_answer_without_a_file_has_its_meaning_as_body() {
    let answer = without_file(405, None, false, SystemTime::UNIX_EPOCH);
    assert_eq!((header(&answer, "Allow"), header(&answer, "Connection")), (Some("GET, HEAD"), Some("close")));
    assert_eq!(answer.body, [Piece::Text("Method Not Allowed\n".into())]);
    assert!(without_file(404, Some(Method::Head), true, SystemTime::UNIX_EPOCH).body.is_empty());
}

#[test]
fn a_file_that_is_written_anew_has_another_etag() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("f");
    let written = |text: &str| {
        std::fs::write(&path, text).unwrap();
        Version::of(&std::fs::metadata(&path).unwrap()).etag
    };
    let first = written("one");
    assert_eq!(Version::of(&std::fs::metadata(&path).unwrap()).etag, first);
    assert_ne!(written("three"), first);
    assert!(first.starts_with('"') && first.ends_with('"') && first.is_ascii());
}
