//! When a certificate ends: the one field of X.509 that is read here. Follows RFC 5280, section 4.1.

use crate::model::Timestamp;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The last moment at which a certificate in DER is valid; none for what is no certificate.
pub(super) fn end(certificate: &[u8]) -> Option<Timestamp> {
    let (body, _) = element(certificate, SEQUENCE)?;
    let (fields, _) = element(body, SEQUENCE)?;
    // The version is left out where it is the first one.
    let fields = element(fields, VERSION).map_or(fields, |(_, rest)| rest);
    let (_serial, fields) = element(fields, INTEGER)?;
    let (_algorithm, fields) = element(fields, SEQUENCE)?;
    let (_issuer, fields) = element(fields, SEQUENCE)?;
    let (validity, _) = element(fields, SEQUENCE)?;
    let (_tag, _from, rest) = any(validity)?;
    let (tag, until, _) = any(rest)?;
    moment(tag, until)
}

/// The moment as RFC 3339.
pub(super) fn text(moment: Timestamp) -> String {
    jiff::Timestamp::from_microsecond(moment.0).map_or_else(|_| moment.0.to_string(), |moment| format!("{moment:.0}"))
}

/// The content of an element that has this tag, and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = any(bytes)?;
    (found == tag).then_some((content, rest))
}

/// The first element: its tag, its content, and what follows it.
fn any(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, bytes) = bytes.split_first()?;
    let (&first, bytes) = bytes.split_first()?;
    let (length, bytes) = if first < 0x80 {
        (usize::from(first), bytes)
    } else {
        // The long form: so many bytes hold the length. Four are more than any certificate needs.
        let count = usize::from(first & 0x7f);
        let (length, bytes) = bytes.split_at_checked(count).filter(|_| (1..=4).contains(&count))?;
        (length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), bytes)
    };
    let (content, rest) = bytes.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// `YYMMDDHHMMSSZ`, whose years are those from 1950 to 2049, or `YYYYMMDDHHMMSSZ`.
fn moment(tag: u8, text: &[u8]) -> Option<Timestamp> {
    let digits = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = digits.split_at_checked(if tag == UTC_TIME { 2 } else { 4 })?;
    let year: i16 = match (tag, year.parse::<i16>().ok()?) {
        (UTC_TIME, short @ 0..50) => 2000 + short,
        (UTC_TIME, short) => 1900 + short,
        (GENERALIZED_TIME, year) => year,
        _ => return None,
    };
    let mut pairs = rest.as_bytes().chunks_exact(2).map(|pair| std::str::from_utf8(pair).ok()?.parse::<i8>().ok());
    let mut next = || pairs.next().flatten();
    let (month, day, hour, minute, second) = (next()?, next()?, next()?, next()?, next()?);
    let moment = jiff::civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    let moment = moment.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(Timestamp(moment.timestamp().as_microsecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_time_are_read_and_nothing_else_is() {
        let read = |tag, moment: &str| super::moment(tag, moment.as_bytes()).map(super::text);
        assert_eq!(read(UTC_TIME, "490228010203Z").unwrap(), "2049-02-28T01:02:03Z");
        assert_eq!(read(UTC_TIME, "500228010203Z").unwrap(), "1950-02-28T01:02:03Z");
        assert_eq!(read(GENERALIZED_TIME, "20500228010203Z").unwrap(), "2050-02-28T01:02:03Z");
        for odd in ["", "Z", "500228010203", "501328010203Z", "5002280102Z", "+50228010203Z", "\u{e9}\u{e9}Z"] {
            assert_eq!(read(UTC_TIME, odd), None, "{odd}");
        }
        assert_eq!(read(INTEGER, "490228010203Z"), None);
    }

    #[test]
    fn torn_and_foreign_bytes_have_no_end() {
        let made = rcgen::generate_simple_self_signed(["demo.example".to_owned()]).unwrap();
        let whole = made.cert.der().to_vec();
        assert!(end(&whole).is_some());
        // The validity lies in the first half; whatever is missing, nothing is made up.
        for length in 0..whole.len() {
            assert_eq!(end(&whole[..length]), None, "{length}");
        }
        for bytes in [&[0x30, 0x80][..], &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &[0x30, 0x85, 0, 0, 0, 0, 1]] {
            assert_eq!(end(bytes), None, "{bytes:?}");
        }
    }
}
