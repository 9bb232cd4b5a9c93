//! Packets, byte by byte.

use super::*;

/// A packet with these options and nothing else that matters.
fn packet(options: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; SHORTEST];
    bytes[..3].copy_from_slice(&[1, 1, 6]);
    bytes[28..34].copy_from_slice(&[0xec, 0xe7, 0xa7, 5, 0xa1, 0xfc]);
    bytes[236..240].copy_from_slice(&MAGIC);
    bytes.extend_from_slice(options);
    bytes
}

#[test]
fn a_packet_cut_anywhere_is_refused_or_read_but_never_a_panic() {
    let whole = packet(&[53, 1, 1, 50, 4, 10, 0, 0, 1, 82, 6, 5, 4, 10, 0, 0, 0, 255]);
    for length in 0..whole.len() {
        let read = Request::read(&whole[..length]);
        assert_eq!(read.is_err(), length < 243, "{length}");
    }
}

#[test]
fn what_is_no_request_of_an_ethernet_client_is_refused() {
    let error = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = packet(&[53, 1, 1, 255]);
        change(&mut bytes);
        Request::read(&bytes).unwrap_err()
    };
    assert_eq!(error(&|bytes| bytes.truncate(239)), RequestError::Short);
    assert_eq!(error(&|bytes| bytes[0] = 2), RequestError::NotRequest);
    assert_eq!(error(&|bytes| bytes[236] = 0), RequestError::NotRequest);
    assert_eq!(error(&|bytes| bytes[2] = 255), RequestError::Hardware);
    assert_eq!(error(&|bytes| bytes[1] = 32), RequestError::Hardware);
    assert_eq!(error(&|bytes| bytes[28] |= 1), RequestError::Hardware);
    assert_eq!(error(&|bytes| bytes[28..34].fill(0)), RequestError::Hardware);
    assert_eq!(error(&|bytes| bytes[242] = 2), RequestError::Kind);
    assert_eq!(error(&|bytes| bytes[240] = 255), RequestError::Kind);
}

/// The packet above, with bytes in the fields for the names of a file and of a server.
fn overloaded(file: &[u8], sname: &[u8], options: &[u8]) -> Vec<u8> {
    let mut bytes = packet(options);
    bytes[FILE][..file.len()].copy_from_slice(file);
    bytes[SNAME][..sname.len()].copy_from_slice(sname);
    bytes
}

#[test]
fn options_in_the_fields_for_names_are_read_where_the_client_says_so() {
    // Option 60 in `file`, option 61 in `sname`; each field has an end of its own.
    let (file, sname) = ([60, 2, b'f', b'i', 255, 60, 1, b'x'], [0, 61, 2, b's', b'n', 255]);
    for (overload, vendor, client) in [
        (&[][..], None, None),
        (&[52, 1, 0], None, None),
        (&[52, 1, 1], Some("fi"), None),
        (&[52, 1, 2], None, Some("sn")),
        (&[52, 1, 3], Some("fi"), Some("sn")),
        (&[52, 1, 4], None, None),
        (&[52, 2, 3, 3], None, None),
        (&[52, 0], None, None),
    ] {
        let bytes = overloaded(&file, &sname, &[&[53, 1, 1], overload, &[255]].concat());
        let request = Request::read(&bytes).unwrap();
        let text = |code| request.option(code).map(|data| String::from_utf8(data.into_owned()).unwrap());
        assert_eq!((text(60).as_deref(), text(61).as_deref()), (vendor, client), "{overload:?}");
    }
}

#[test]
fn the_message_type_may_be_in_a_field_for_names_but_not_the_word_that_it_is_there() {
    assert_eq!(Request::read(&overloaded(&[53, 1, 3], &[], &[52, 1, 1, 255])).unwrap().kind, Kind::Request);
    assert_eq!(Request::read(&overloaded(&[], &[53, 1, 4], &[52, 1, 3, 255])).unwrap().kind, Kind::Decline);
    // `file` cannot send the reader on into `sname`.
    let bytes = overloaded(&[52, 1, 3], &[61, 1, 7], &[53, 1, 1, 52, 1, 1, 255]);
    assert_eq!(Request::read(&bytes).unwrap().option(61), None);
    let bytes = overloaded(&[52, 1, 3, 53, 1, 1], &[], &[255]);
    assert_eq!(Request::read(&bytes).unwrap_err(), RequestError::Kind);
}

#[test]
fn the_parts_of_an_option_are_put_together_in_the_order_options_file_server_name() {
    let options = [53, 1, 1, 60, 2, b'a', b'b', 60, 1, b'c', 52, 1, 3, 60, 1, b'd', 255];
    let bytes = overloaded(&[60, 1, b'e', 255], &[60, 1, b'f', 255], &options);
    assert_eq!(Request::read(&bytes).unwrap().option(60).as_deref(), Some(&b"abcdef"[..]));
}

#[test]
fn of_several_options_that_have_no_parts_the_first_counts() {
    let options = [53, 1, 3, 50, 4, 10, 0, 0, 1, 52, 1, 1, 53, 1, 7, 50, 4, 10, 0, 0, 2, 255];
    let bytes = overloaded(&[50, 4, 10, 0, 0, 3, 255], &[], &options);
    let request = Request::read(&bytes).unwrap();
    assert_eq!((request.kind, request.requested()), (Kind::Request, Some([10, 0, 0, 1].into())));
}

#[test]
fn an_option_that_does_not_end_within_its_field_is_not_read() {
    let mut file = [0; 128];
    file[120..128].copy_from_slice(&[61, 7, 1, 2, 3, 4, 5, 6]);
    let bytes = overloaded(&file, &[7; 64], &[53, 1, 1, 52, 1, 1, 255]);
    let request = Request::read(&bytes).unwrap();
    assert_eq!((request.option(61), request.option(7)), (None, None));
    // Without an end it ends with the field.
    file[121] = 6;
    let bytes = overloaded(&file, &[7; 64], &[53, 1, 1, 52, 1, 1, 255]);
    let request = Request::read(&bytes).unwrap();
    assert_eq!(request.option(61).as_deref(), Some(&[1, 2, 3, 4, 5, 6][..]));
    assert_eq!(request.option(7), None);
}

#[test]
fn an_option_of_a_wrong_length_counts_as_not_given() {
    let bytes = packet(&[53, 1, 3, 50, 3, 10, 0, 0, 54, 5, 1, 2, 3, 4, 5, 57, 1, 2, 82, 4, 5, 9, 1, 2, 255]);
    let request = Request::read(&bytes).unwrap();
    assert_eq!((request.requested(), request.server(), request.selected_subnet()), (None, None, None));
    assert_eq!(request.longest_answer(), 548);
}

#[test]
fn the_size_that_a_client_takes_is_believed_within_bounds() {
    for (stated, longest) in [(0_u16, 548), (576, 548), (1200, 1172), (u16::MAX, 1472)] {
        let [high, low] = stated.to_be_bytes();
        let bytes = packet(&[53, 1, 1, 57, 2, high, low, 255]);
        assert_eq!(Request::read(&bytes).unwrap().longest_answer(), longest, "{stated}");
    }
}

#[test]
fn a_relay_may_mean_another_subnet_than_its_own() {
    let bytes = packet(&[53, 1, 1, 82, 9, 1, 1, 7, 5, 4, 10, 9, 0, 0, 255]);
    assert_eq!(Request::read(&bytes).unwrap().selected_subnet(), Some([10, 9, 0, 0].into()));
    let bytes = packet(&[53, 1, 1, 118, 4, 10, 8, 0, 0, 255]);
    assert_eq!(Request::read(&bytes).unwrap().selected_subnet(), Some([10, 8, 0, 0].into()));
}
