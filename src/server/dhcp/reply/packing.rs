//! Which options an answer holds when there is no room for all of them, and where.
//!
//! Options are taken by their importance, each as a whole, and one that does not fit is left out while smaller ones behind
//! it may still fit: first what the exchange, the address and the boot need, then what the client asks for (option 55)
//! and what it does not ask for. Of each of these two, options with a name in the inventory come in the order of
//! [`NAMED`], and then the others by their number.
//!
//! A client that does not boot over the network has no use for the header's fields `file` and `sname`, so that what finds
//! no room among the options goes there (option 52, RFC 2132 section 9.3). Firmware and iPXE look for a file name in
//! `file` whatever option 52 says.

use crate::server::dhcp::code;

/// An option: its number and its content.
pub(super) type Entry = (u8, Vec<u8>);

/// What every answer needs. These are never in `file` and `sname`: neither may what a relay added be there (RFC 3046
/// section 2.2), which has to be left out as a whole where it does not fit, nor the message type, nor option 54 that a
/// NAK is told by.
const NEEDED: &[u8] = &[
    code::MESSAGE_TYPE,
    code::SERVER_IDENTIFIER,
    code::LEASE_TIME,
    code::SUBNET_MASK,
    code::BOOT_FILE,
    code::VENDOR_CLASS,
    code::CLIENT_IDENTIFIER,
    code::RELAY_AGENT,
    code::ROUTER,
    code::IPXE,
    code::VENDOR,
    code::RENEWAL_TIME,
    code::REBINDING_TIME,
];

/// The others that the inventory has names for, or that the server sets itself, the most needed first.
const NAMED: &[u8] = &[
    code::HOST_NAME,
    code::NAME_SERVER,
    code::MTU,
    code::DOMAIN,
    code::CLASSLESS_ROUTES,
    code::ROOT_PATH,
    code::TFTP_SERVER,
    code::SEARCH,
    code::TIME_SERVER,
    code::BROADCAST,
    code::MACHINE_IDENTIFIER,
    code::MESSAGE,
];

/// The longest content of one option, or of one part of a longer one (RFC 3396).
const PART: usize = 255;

/// Bytes of option 52.
const OVERLOAD: usize = 3;

/// Where options are.
#[derive(Debug, Default)]
pub(super) struct Packed {
    /// Among the options, in the field `file` and in the field `sname`.
    pub(super) fields: [Vec<Entry>; 3],
    /// The numbers of those that are left out.
    pub(super) left_out: Vec<u8>,
}

impl Packed {
    /// Packs options into so many bytes among the options, and where `overload` gives them, into so many of `file` and of
    /// `sname`; the end of each field not counted. `asked` is what the client asks for.
    pub(super) fn new(mut options: Vec<Entry>, asked: &[u8], room: usize, overload: Option<[usize; 2]>) -> Self {
        if options.iter().map(size).sum::<usize>() <= room {
            return Self { fields: [options, Vec::new(), Vec::new()], left_out: Vec::new() };
        }
        options.sort_by_key(|(code, _)| importance(*code, asked));
        let Some([file, sname]) = overload else { return Self::fill(options, [room, 0, 0]) };
        let packed = Self::fill(options.clone(), [room.saturating_sub(OVERLOAD), file, sname]);
        match packed.overload() {
            // Nothing is short enough for these fields: they are not worth the room of option 52.
            0 => Self::fill(options, [room, 0, 0]),
            _ => packed,
        }
    }

    fn fill(options: Vec<Entry>, mut rooms: [usize; 3]) -> Self {
        let mut packed = Self::default();
        for option in options {
            let size = size(&option);
            let fields = if NEEDED.contains(&option.0) { 1 } else { rooms.len() };
            let mut places = rooms.iter_mut().zip(&mut packed.fields).take(fields);
            match places.find(|(room, _)| size <= **room) {
                Some((room, field)) => {
                    *room -= size;
                    field.push(option);
                }
                None => packed.left_out.push(option.0),
            }
        }
        packed
    }

    /// The value of option 52: 1 for `file`, 2 for `sname`, 3 for both; 0 where neither holds options.
    pub(super) fn overload(&self) -> u8 {
        let [_, file, sname] = &self.fields;
        u8::from(!file.is_empty()) + 2 * u8::from(!sname.is_empty())
    }
}

/// How many bytes an option takes with its numbers and lengths.
fn size((_, data): &Entry) -> usize {
    data.len() + 2 * data.len().div_ceil(PART)
}

/// A key that sorts options by how much they are needed.
fn importance(code: u8, asked: &[u8]) -> (u8, usize) {
    let position = |list: &[u8]| list.iter().position(|one| *one == code);
    if let Some(position) = position(NEEDED) {
        return (0, position);
    }
    let unasked = if asked.contains(&code) { 0 } else { 2 };
    match position(NAMED) {
        Some(position) => (1 + unasked, position),
        None => (2 + unasked, code.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(list: &[(u8, usize)]) -> Vec<Entry> {
        list.iter().map(|(code, length)| (*code, vec![7; *length])).collect()
    }

    fn codes(entries: &[Entry]) -> Vec<u8> {
        entries.iter().map(|(code, _)| *code).collect()
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        let packed = Packed::new(options(&[(224, 10), (53, 1)]), &[], 15, Some([127, 63]));
        assert_eq!((codes(&packed.fields[0]), packed.overload(), packed.left_out), (vec![224, 53], 0, vec![]));
    }

    #[test]
    fn what_is_needed_goes_before_what_is_asked_for_and_names_before_numbers() {
        let all = options(&[(225, 4), (224, 4), (28, 4), (42, 4), (12, 4), (6, 4), (54, 4), (53, 4)]);
        let order = [53, 54, 12, 42, 224, 6, 28, 225];
        for count in 0..order.len() {
            let packed = Packed::new(all.clone(), &[224, 42, 12], count * 6, None);
            assert_eq!(codes(&packed.fields[0]), order[..count]);
            assert_eq!(packed.left_out, order[count..]);
        }
    }

    #[test]
    fn a_long_option_that_does_not_fit_takes_no_short_one_with_it() {
        let packed = Packed::new(options(&[(12, 40), (6, 4), (15, 20)]), &[], 30, None);
        assert_eq!((codes(&packed.fields[0]), packed.left_out), (vec![6, 15], vec![12]));
    }

    #[test]
    fn what_finds_no_room_goes_into_the_fields_for_names_unless_it_is_needed() {
        let all = options(&[(53, 1), (6, 120), (224, 120), (225, 60), (226, 60)]);
        let packed = Packed::new(all, &[], 130, Some([127, 63]));
        let fields = packed.fields.each_ref().map(|field| codes(field));
        assert_eq!((fields, packed.overload()), ([vec![53, 6], vec![224], vec![225]], 3));
        assert_eq!(packed.left_out, [226]);
        let packed = Packed::new(options(&[(53, 1), (82, 100), (61, 20)]), &[], 30, Some([127, 63]));
        assert_eq!((codes(&packed.fields[0]), packed.left_out), (vec![53, 61], vec![82]));
        let packed = Packed::new(options(&[(53, 1), (6, 60), (12, 60)]), &[], 68, Some([127, 63]));
        assert_eq!(packed.overload(), 1, "the word that options are there has its own room: {packed:?}");
    }

    #[test]
    fn fields_for_names_that_nothing_fits_into_cost_no_room() {
        let packed = Packed::new(options(&[(53, 1), (6, 130), (224, 200)]), &[], 135, Some([127, 63]));
        assert_eq!((codes(&packed.fields[0]), packed.overload(), packed.left_out), (vec![53, 6], 0, vec![224]));
    }

    #[test]
    fn an_option_in_parts_has_a_head_for_each() {
        assert_eq!([0, 1, 255, 256, 511].map(|length| size(&(224, vec![0; length]))), [0, 3, 257, 260, 517]);
    }
}
