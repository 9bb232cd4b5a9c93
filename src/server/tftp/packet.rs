//! TFTP packets: what clients send, and what we send them. RFC 1350, with the options of RFC 2347.

/// The largest request that is read, in bytes. RFC 2347 allows 512; anything longer is no request of firmware.
pub(super) const REQUEST_LIMIT: usize = 1500;

/// The most options that are looked at; six are defined.
const OPTION_LIMIT: usize = 16;

/// Error codes of RFC 1350 and RFC 2347.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    NotDefined = 0,
    NotFound = 1,
    AccessViolation = 2,
    IllegalOperation = 4,
}

/// How a file is sent (RFC 1350).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Byte for byte.
    Octet,
    /// As a text whose lines end as on a terminal ([`netascii`]). No firmware asks for it; people with a client may.
    NetAscii,
}

/// A request for a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    /// The name as it was sent; it has at least one character, and no control characters.
    pub(super) name: String,
    /// How the file is to be sent.
    pub(super) mode: Mode,
    /// Options in their order, names in any case; of a name that is given twice the first counts.
    pub(super) options: Vec<(String, String)>,
}

/// What a client sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Packet {
    /// It wants a file.
    Read(Request),
    /// It has this block, and all before it.
    Acknowledge(u16),
    /// It wants no more.
    Error(u16),
    /// Something that is answered with this error.
    Refused(Code, &'static str),
    /// Something that is not answered: what is no packet may be the start of a loop between two servers.
    Noise,
}

/// Reads a packet. Every byte string is one of the kinds.
pub(super) fn parse(bytes: &[u8]) -> Packet {
    let Some((opcode, rest)) = bytes.split_at_checked(2) else { return Packet::Noise };
    let number = |rest: &[u8]| rest.first_chunk().map(|bytes| u16::from_be_bytes(*bytes));
    match opcode {
        [0, 1] => request(rest),
        [0, 2] => Packet::Refused(Code::AccessViolation, "this server is read-only"),
        [0, 4] => number(rest).map_or(Packet::Noise, Packet::Acknowledge),
        [0, 5] => Packet::Error(number(rest).unwrap_or(0)),
        _ => Packet::Noise,
    }
}

fn request(rest: &[u8]) -> Packet {
    let malformed = Packet::Refused(Code::IllegalOperation, "the request cannot be read");
    if rest.len() > REQUEST_LIMIT {
        return malformed;
    }
    // The zero byte ends a text. A request whose last text is not ended was cut on its way.
    let Some(texts) = rest.strip_suffix(&[0]) else { return malformed };
    let mut texts = texts.split(|byte| *byte == 0).map(std::str::from_utf8);
    let (Some(Ok(name)), Some(Ok(mode))) = (texts.next(), texts.next()) else { return malformed };
    let mode = match mode {
        mode if mode.eq_ignore_ascii_case("octet") => Mode::Octet,
        mode if mode.eq_ignore_ascii_case("netascii") => Mode::NetAscii,
        _ => return Packet::Refused(Code::IllegalOperation, "the mode is neither octet nor netascii"),
    };
    if name.is_empty() || name.contains(char::is_control) {
        return malformed;
    }
    let mut options: Vec<(String, String)> = Vec::new();
    while let Some(option) = texts.next() {
        // Some firmware pads its requests with zero bytes, and an option that cannot be read is one we do not know.
        let (Ok(option), Some(Ok(value))) = (option, texts.next()) else { break };
        if option.is_empty() || options.len() == OPTION_LIMIT {
            break;
        }
        if !options.iter().any(|(known, _)| known.eq_ignore_ascii_case(option)) {
            options.push((option.to_owned(), value.to_owned()));
        }
    }
    Packet::Read(Request { name: name.to_owned(), mode, options })
}

/// A text as RFC 764 has it on its way: a line feed is sent as two characters, and so is a carriage return.
pub(super) fn netascii(text: &[u8]) -> Vec<u8> {
    let mut sent = Vec::with_capacity(text.len() + text.len() / 16);
    for byte in text {
        match byte {
            b'\n' => sent.extend_from_slice(b"\r\n"),
            b'\r' => sent.extend_from_slice(b"\r\0"),
            byte => sent.push(*byte),
        }
    }
    sent
}

/// An `ERROR` packet.
pub(super) fn error(code: Code, message: &str) -> Vec<u8> {
    let mut packet = vec![0, 5, 0, code as u8];
    packet.extend_from_slice(message.as_bytes());
    packet.push(0);
    packet
}

/// An `OACK` packet.
pub(super) fn option_acknowledgement(options: &[(&'static str, u64)]) -> Vec<u8> {
    let mut packet = vec![0, 6];
    for (name, value) in options {
        packet.extend_from_slice(name.as_bytes());
        packet.push(0);
        packet.extend_from_slice(value.to_string().as_bytes());
        packet.push(0);
    }
    packet
}

/// The head of a `DATA` packet; the block's bytes go behind it.
pub(super) fn data_head(block: u16) -> [u8; 4] {
    let [high, low] = block.to_be_bytes();
    [0, 3, high, low]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Request {
        match parse(bytes) {
            Packet::Read(request) => request,
            other => panic!("{bytes:?} is {other:?}"),
        }
    }

    fn pairs(request: &Request) -> Vec<(&str, &str)> {
        request.options.iter().map(|(name, value)| (&**name, &**value)).collect()
    }

    #[test]
    fn requests_are_read_with_their_options_in_any_case_of_the_mode() {
        let modes = [
            ("octet", Mode::Octet),
            ("OCTET", Mode::Octet),
            ("netascii", Mode::NetAscii),
            ("NetASCII", Mode::NetAscii),
        ];
        for (mode, expected) in modes {
            let bytes = format!("\0\u{1}undionly.kpxe\0{mode}\0blksize\x001428\0tsize\x000\0");
            let request = read(bytes.as_bytes());
            assert_eq!((&*request.name, request.mode), ("undionly.kpxe", expected));
            assert_eq!(pairs(&request), [("blksize", "1428"), ("tsize", "0")]);
        }
    }

    #[test]
    fn a_text_is_sent_with_the_ends_of_lines_of_a_terminal() {
        assert_eq!(netascii(b"#!ipxe\nboot\r\n\r"), b"#!ipxe\r\nboot\r\0\r\n\r\0");
        assert_eq!(netascii(b""), b"");
    }

    #[test]
    fn of_an_option_given_twice_the_first_counts_and_padding_is_none() {
        let request = read(b"\0\x01a\0octet\0tsize\x000\0TSIZE\x001\0");
        assert_eq!(pairs(&request), [("tsize", "0")]);
        assert_eq!(pairs(&read(b"\0\x01a\0octet\0tsize\x000\0\0\0\0\0")), [("tsize", "0")]);
        assert_eq!(read(b"\0\x01a\0octet\0tsize\0").options.len(), 0, "a name without a value");
    }

    #[test]
    fn many_options_are_not_all_kept() {
        let mut bytes = b"\0\x01a\0octet\0".to_vec();
        (0..300).for_each(|number| bytes.extend_from_slice(format!("{number}\0x\0").as_bytes()));
        bytes.truncate(1400);
        bytes.push(0);
        assert_eq!(read(&bytes).options.len(), OPTION_LIMIT);
    }

    #[test]
    fn what_is_no_request_that_can_be_answered_is_refused() {
        for (bytes, code) in [
            (&b"\0\x01"[..], Code::IllegalOperation),
            (b"\0\x01a\0", Code::IllegalOperation),
            (b"\0\x01a\0octet", Code::IllegalOperation),
            (b"\0\x01\0octet\0", Code::IllegalOperation),
            (b"\0\x01a\nb\0octet\0", Code::IllegalOperation),
            (b"\0\x01\xff\0octet\0", Code::IllegalOperation),
            (b"\0\x01a\0mail\0", Code::IllegalOperation),
            (b"\0\x02a\0octet\0", Code::AccessViolation),
        ] {
            assert!(matches!(parse(bytes), Packet::Refused(found, _) if found == code), "{bytes:?}");
        }
        let long = [b"\0\x01".to_vec(), vec![b'a'; REQUEST_LIMIT], b"\0octet\0".to_vec()].concat();
        assert!(matches!(parse(&long), Packet::Refused(..)));
    }

    #[test]
    fn acknowledgements_and_errors_are_read_and_the_rest_is_noise() {
        assert_eq!(parse(b"\0\x04\x12\x34"), Packet::Acknowledge(0x1234));
        assert_eq!(parse(b"\0\x05\0\x08no\0"), Packet::Error(8));
        assert_eq!(parse(b"\0\x05"), Packet::Error(0));
        for bytes in [&b""[..], b"\0", b"\0\x04\x12", b"\0\x03\0\x01x", b"\0\x06tsize\x001\0", b"\0\x07", b"\x01\x01a"]
        {
            assert_eq!(parse(bytes), Packet::Noise, "{bytes:?}");
        }
    }

    #[test]
    fn packets_are_written_as_the_standards_say() {
        assert_eq!(error(Code::NotFound, "gone"), b"\0\x05\0\x01gone\0");
        assert_eq!(option_acknowledgement(&[("tsize", 10), ("blksize", 512)]), b"\0\x06tsize\x0010\0blksize\x00512\0");
        assert_eq!(data_head(0xfffe), [0, 3, 0xff, 0xfe]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_one_of_the_kinds(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn any_request_gives_a_name_that_can_be_shown(
            opcode in prop_oneof![Just(1_u8), Just(2), any::<u8>()],
            texts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..30),
        ) {
            let mut bytes = vec![0, opcode];
            texts.iter().for_each(|text| { bytes.extend_from_slice(text); bytes.push(0); });
            if let Packet::Read(request) = parse(&bytes) {
                prop_assert!(!request.name.is_empty() && !request.name.contains(char::is_control));
                prop_assert!(request.options.len() <= OPTION_LIMIT);
            }
        }
    }
}
