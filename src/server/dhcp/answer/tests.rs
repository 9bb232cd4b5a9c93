//! Packet tables, in the order of RFC 2131 section 4.3: bytes in, bytes out. Answers are read back by dhcproto's owned
//! reader, which shares nothing with the way they were written but the library.

mod boot;
mod lab;
mod places;
mod size;

use std::net::{Ipv4Addr, SocketAddrV4};

use dhcproto::v4::{DhcpOption, MessageType, OptionCode};

use self::lab::{Lab, Packet, UNKNOWN, ip, known};
use super::Silence;
use crate::model::UnknownPolicy;

const SERVER: Ipv4Addr = Ipv4Addr::new(172, 16, 0, 254);
const BROADCAST: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::BROADCAST, 68);

#[test]
fn discover_of_a_known_machine_is_offered_its_own_address_with_everything_about_it() {
    let mut lab = Lab::new();
    let offer = lab.answer(&Packet::discover(known(1)));
    assert_eq!((offer.kind(), offer.address(), offer.to), (MessageType::Offer, ip(1), BROADCAST));
    assert_eq!(offer.server(), Some(SERVER));
    let expected = [
        DhcpOption::SubnetMask([255, 255, 255, 0].into()),
        DhcpOption::Router(vec![SERVER]),
        DhcpOption::DomainNameServer(vec![SERVER]),
        DhcpOption::Hostname("nid001".into()),
        DhcpOption::DomainName("openchami.cluster".into()),
        DhcpOption::InterfaceMtu(9000),
        DhcpOption::BroadcastAddr([172, 16, 0, 255].into()),
        DhcpOption::AddressLeaseTime(3600),
        DhcpOption::Renewal(1800),
        DhcpOption::Rebinding(3150),
    ];
    for option in expected {
        assert_eq!(offer.option(OptionCode::from(&option)), Some(&option));
    }
    assert!(offer.keep.is_none(), "a known machine costs no write");
    assert_eq!(lab.answer(&Packet::discover(known(1))).bytes, offer.bytes, "equally each time");
}

#[test]
fn a_host_that_is_no_node_and_a_node_with_a_name_of_its_own_are_told_their_names() {
    let mut lab = Lab::new();
    let host = lab.answer(&Packet::discover(lab::HOST));
    assert_eq!(host.address(), ip(90));
    assert_eq!(host.option(OptionCode::Hostname), Some(&DhcpOption::Hostname("switch1".into())));
    let named = lab.answer(&Packet::discover(known(2)));
    assert_eq!(named.option(OptionCode::Hostname), Some(&DhcpOption::Hostname("login1".into())));
}

#[test]
fn discover_of_an_unknown_machine_is_offered_a_short_lease_of_the_pool() {
    let mut lab = Lab::new();
    let offer = lab.answer(&Packet::discover(UNKNOWN));
    assert_eq!((offer.kind(), offer.address()), (MessageType::Offer, ip(200)));
    assert_eq!(offer.option(OptionCode::AddressLeaseTime), Some(&DhcpOption::AddressLeaseTime(300)));
    assert!(offer.keep.is_none(), "an offer is not stored");
    assert_eq!(offer.option(OptionCode::Hostname), None);
}

#[test]
fn unknown_machines_are_ignored_where_that_is_the_policy_or_there_is_no_pool() {
    let mut lab = Lab::new();
    lab.network(|network| network.unknown = UnknownPolicy::Ignore);
    assert_eq!(lab.silence(&Packet::discover(UNKNOWN)), Silence::Ignored);
    let mut lab = Lab::new();
    lab.network(|network| network.pool = None);
    assert_eq!(lab.silence(&Packet::discover(UNKNOWN)), Silence::Ignored);
    assert_eq!(lab.answer(&Packet::discover(known(1))).address(), ip(1));
    assert_eq!(lab.seen(), [UNKNOWN], "it is seen all the same");
}

#[test]
fn a_spent_pool_is_silence() {
    let mut lab = Lab::new();
    lab.network(|network| network.pool = Some((ip(200), ip(200))));
    lab.bind(UNKNOWN);
    assert_eq!(lab.silence(&Packet::discover(lab::mac(9))), Silence::PoolSpent);
}

#[test]
fn request_in_selecting_is_acknowledged_for_what_was_offered() {
    let mut lab = Lab::new();
    let ack = lab.answer(&Packet::request(known(1)).server(SERVER).requested(ip(1)));
    assert_eq!((ack.kind(), ack.address(), ack.keep.is_none()), (MessageType::Ack, ip(1), true));
    let offer = lab.answer(&Packet::discover(UNKNOWN));
    let ack = lab.answer(&Packet::request(UNKNOWN).server(SERVER).requested(offer.address()));
    assert_eq!((ack.kind(), ack.address()), (MessageType::Ack, ip(200)));
    assert!(ack.keep.is_some(), "the lease is stored first");
}

#[test]
fn request_in_selecting_for_another_address_is_refused() {
    let mut lab = Lab::new();
    for (mac, wanted) in [(known(1), ip(2)), (known(1), ip(200)), (UNKNOWN, ip(1)), (UNKNOWN, ip(201))] {
        let nak = lab.answer(&Packet::request(mac).server(SERVER).requested(wanted));
        assert_eq!(nak.kind(), MessageType::Nak, "{mac} {wanted}");
    }
}

#[test]
fn request_for_another_server_is_silence_and_frees_our_offer() {
    let mut lab = Lab::new();
    let other = Ipv4Addr::new(172, 16, 0, 253);
    assert_eq!(lab.silence(&Packet::request(known(1)).server(other).requested(ip(1))), Silence::OtherServer);
    assert_eq!(lab.answer(&Packet::discover(UNKNOWN)).address(), ip(200));
    assert_eq!(lab.silence(&Packet::request(UNKNOWN).server(other).requested(ip(77))), Silence::OtherServer);
    assert_eq!(lab.answer(&Packet::discover(lab::mac(9))).address(), ip(200));
}

#[test]
fn request_in_init_reboot_is_acknowledged_refused_or_left_to_others() {
    let mut lab = Lab::new();
    assert_eq!(lab.answer(&Packet::request(known(1)).requested(ip(1))).kind(), MessageType::Ack);
    assert_eq!(lab.answer(&Packet::request(known(1)).requested(ip(9))).kind(), MessageType::Nak);
    // Of this one nothing is known, and the address is on this network but not ours to give.
    assert_eq!(lab.silence(&Packet::request(UNKNOWN).requested(ip(9))), Silence::NoRecord);
    let elsewhere = Ipv4Addr::new(192, 168, 1, 1);
    assert_eq!(lab.answer(&Packet::request(UNKNOWN).requested(elsewhere)).kind(), MessageType::Nak, "wrong network");
    lab.bind(UNKNOWN);
    assert_eq!(lab.answer(&Packet::request(UNKNOWN).requested(ip(200))).kind(), MessageType::Ack);
    assert_eq!(lab.answer(&Packet::request(UNKNOWN).requested(ip(9))).kind(), MessageType::Nak, "it has another");
}

#[test]
fn renewing_of_what_we_never_gave_is_refused_and_rebinding_of_it_is_left_to_others() {
    let mut lab = Lab::new();
    let stranger = Packet::request(UNKNOWN).from(ip(9));
    assert_eq!(lab.silence(&stranger), Silence::NoRecord, "REBINDING: another server may know it");
    assert_eq!(lab.answer(&stranger.clone().direct()).kind(), MessageType::Nak, "RENEWING: it takes us for its server");
    let relayed = stranger.direct().relay(ip(253));
    assert_eq!(lab.silence(&relayed), Silence::NoRecord, "a relay sends to us alone whatever its client meant");
    let ours = Packet::request(lab::mac(9)).from(ip(210));
    assert_eq!(
        lab.answer(&ours).kind(),
        MessageType::Ack,
        "of our pool and free: the lease goes on after a loss of ours"
    );
}

#[test]
fn request_in_renewing_and_rebinding_prolongs_the_lease_and_goes_to_the_client() {
    let mut lab = Lab::new();
    let ack = lab.answer(&Packet::request(known(1)).from(ip(1)));
    assert_eq!((ack.kind(), ack.address(), ack.message.ciaddr()), (MessageType::Ack, ip(1), ip(1)));
    assert_eq!(ack.to, SocketAddrV4::new(ip(1), 68));
    let leased = lab.bind(UNKNOWN);
    lab.seconds(299);
    assert_eq!(lab.answer(&Packet::request(UNKNOWN).from(leased)).kind(), MessageType::Ack);
    lab.seconds(299);
    assert_eq!(lab.answer(&Packet::request(UNKNOWN).from(leased)).kind(), MessageType::Ack);
    let nak = lab.answer(&Packet::request(known(1)).from(ip(9)));
    assert_eq!((nak.kind(), nak.to), (MessageType::Nak, BROADCAST), "a refusal reaches who has a wrong address");
}

#[test]
fn a_lease_that_was_lost_is_taken_up_again_where_nobody_is_hurt() {
    let mut lab = Lab::new();
    assert_eq!(lab.answer(&Packet::request(UNKNOWN).from(ip(205))).kind(), MessageType::Ack);
    assert_eq!(lab.answer(&Packet::request(lab::mac(9)).from(ip(205))).kind(), MessageType::Nak);
    assert_eq!(lab.silence(&Packet::request(lab::mac(9)).from(ip(77))), Silence::NoRecord);
}

#[test]
fn a_machine_that_became_known_is_refused_once_and_gets_its_address() {
    let mut lab = Lab::new();
    let leased = lab.bind(UNKNOWN);
    lab.know(UNKNOWN, ip(7));
    let nak = lab.answer(&Packet::request(UNKNOWN).from(leased));
    assert_eq!(nak.kind(), MessageType::Nak);
    assert_eq!(lab.answer(&Packet::discover(UNKNOWN)).address(), ip(7));
    let ack = lab.answer(&Packet::request(UNKNOWN).server(SERVER).requested(ip(7)));
    assert_eq!((ack.kind(), ack.address()), (MessageType::Ack, ip(7)));
}

#[test]
fn an_address_that_the_inventory_gives_to_another_machine_leaves_the_pool() {
    let mut lab = Lab::new();
    let leased = lab.bind(UNKNOWN);
    lab.know(lab::mac(8), leased);
    assert_eq!(lab.answer(&Packet::request(UNKNOWN).from(leased)).kind(), MessageType::Nak);
    assert_eq!(lab.answer(&Packet::discover(UNKNOWN)).address(), ip(201));
}

#[test]
fn a_refusal_names_the_server_and_nothing_that_could_be_taken_for_an_address() {
    let mut lab = Lab::new();
    let nak = lab.answer(&Packet::request(known(1)).requested(ip(9)).option(61, b"\x01abc"));
    let message = &nak.message;
    assert_eq!((message.ciaddr(), message.yiaddr(), message.siaddr()), (ip0(), ip0(), ip0()));
    assert_eq!(nak.server(), Some(SERVER));
    assert_eq!(nak.option(OptionCode::AddressLeaseTime), None);
    assert!(nak.option(OptionCode::ClientIdentifier).is_some() && nak.option(OptionCode::Message).is_some());
    let relayed = lab.answer(&Packet::request(known(1)).requested(ip(9)).relay(Ipv4Addr::new(172, 16, 0, 253)));
    assert!(relayed.message.flags().broadcast(), "the relay has to broadcast it");
    assert_eq!(relayed.to, SocketAddrV4::new(Ipv4Addr::new(172, 16, 0, 253), 67));
}

fn ip0() -> Ipv4Addr {
    Ipv4Addr::UNSPECIFIED
}

#[test]
fn decline_takes_an_address_of_the_pool_out_of_use() {
    let mut lab = Lab::new();
    let leased = lab.bind(UNKNOWN);
    let outcome = lab.outcome(&Packet::new(4, UNKNOWN).server(SERVER).requested(leased)).unwrap();
    assert!(outcome.reply.is_none() && outcome.keep.is_some());
    assert_eq!(lab.answer(&Packet::discover(UNKNOWN)).address(), ip(201));
    assert_eq!(lab.silence(&Packet::new(4, lab::mac(9)).server(SERVER).requested(ip(201))), Silence::NoRecord);
    assert_eq!(lab.silence(&Packet::new(4, UNKNOWN).server(SERVER)), Silence::Incomplete);
}

#[test]
fn decline_of_a_known_machine_changes_nothing() {
    let mut lab = Lab::new();
    let outcome = lab.outcome(&Packet::new(4, known(1)).server(SERVER).requested(ip(1))).unwrap();
    assert!(outcome.reply.is_none() && outcome.keep.is_none());
    assert_eq!(lab.answer(&Packet::discover(known(1))).address(), ip(1));
}

#[test]
fn release_frees_the_address_of_its_holder_only() {
    let mut lab = Lab::new();
    let leased = lab.bind(UNKNOWN);
    assert!(lab.outcome(&Packet::new(7, lab::mac(9)).server(SERVER).from(leased)).unwrap().keep.is_none());
    assert!(lab.outcome(&Packet::new(7, UNKNOWN).server(SERVER).from(leased)).unwrap().keep.is_some());
    assert_eq!(lab.answer(&Packet::discover(lab::mac(9)).requested(leased)).address(), leased);
}

#[test]
fn inform_is_told_everything_but_an_address() {
    let mut lab = Lab::new();
    for mac in [known(1), UNKNOWN] {
        let ack = lab.answer(&Packet::new(8, mac).from(ip(33)));
        assert_eq!((ack.kind(), ack.address(), ack.to), (MessageType::Ack, ip0(), SocketAddrV4::new(ip(33), 68)));
        assert_eq!(ack.option(OptionCode::AddressLeaseTime), None);
        assert!(ack.option(OptionCode::Router).is_some() && ack.keep.is_none());
    }
    assert_eq!(lab.silence(&Packet::new(8, UNKNOWN)), Silence::Incomplete);
}

#[test]
fn a_relayed_packet_is_answered_through_the_relay_by_the_network_of_the_relay() {
    let mut lab = Lab::new();
    let relay = Ipv4Addr::new(10, 1, 0, 1);
    let information = [1, 2, b'p', b'7', 2, 1, 9];
    let offer = lab.answer(&Packet::discover(UNKNOWN).relay(relay).option(82, &information));
    assert_eq!(offer.to, SocketAddrV4::new(relay, 67));
    assert_eq!((offer.address(), offer.message.giaddr()), ([10, 1, 0, 100].into(), relay));
    assert_eq!(offer.option(OptionCode::Router), Some(&DhcpOption::Router(vec![relay])));
    assert_eq!(offer.server(), Some(SERVER), "the address that relays reach");
    let end = [&[82, 7][..], &information, &[255]].concat();
    let last = offer.bytes.windows(end.len()).any(|window| window == end);
    assert!(last, "what the relay added comes back unchanged and last");
    let known = lab.answer(&Packet::discover(known(3)).relay(relay));
    assert_eq!(known.address(), Ipv4Addr::new(10, 1, 0, 3));
}

#[test]
fn a_packet_of_a_network_that_is_not_served_is_silence() {
    let mut lab = Lab::new();
    assert_eq!(lab.silence(&Packet::discover(known(1)).relay([10, 9, 0, 1].into())), Silence::NoNetwork);
    lab.network(|network| network.mode = crate::model::DhcpMode::Off);
    assert_eq!(lab.silence(&Packet::discover(known(1))), Silence::NoNetwork);
}

#[test]
fn the_client_identifier_and_the_flags_are_given_back() {
    let mut lab = Lab::new();
    let offer = lab.answer(&Packet::discover(known(1)).option(61, b"\xffwhatever").broadcast());
    let echoed = DhcpOption::ClientIdentifier(b"\xffwhatever".to_vec());
    assert_eq!(offer.option(OptionCode::ClientIdentifier), Some(&echoed));
    assert!(offer.message.flags().broadcast());
    assert_eq!(offer.message.xid(), 0x0102_0304);
    assert_eq!(offer.message.chaddr(), known(1).0);
}

#[test]
fn options_of_groups_and_nodes_go_before_those_of_the_network() {
    let mut lab = Lab::new();
    lab.settings(|settings| {
        let group = crate::model::DhcpOptions { mtu: Some(1400), lease: Some(600), ..Default::default() };
        settings.groups.insert("compute".parse().unwrap(), group);
        let own = crate::model::DhcpOptions { lease: Some(900), ..Default::default() };
        settings.nodes.insert(lab::xname(1), own);
    });
    let one = lab.answer(&Packet::discover(known(1)));
    assert_eq!(one.option(OptionCode::InterfaceMtu), Some(&DhcpOption::InterfaceMtu(1400)));
    assert_eq!(one.option(OptionCode::AddressLeaseTime), Some(&DhcpOption::AddressLeaseTime(900)));
    let two = lab.answer(&Packet::discover(known(2)));
    assert_eq!(two.option(OptionCode::AddressLeaseTime), Some(&DhcpOption::AddressLeaseTime(600)));
}

#[test]
fn no_bytes_whatever_make_it_panic() {
    use proptest::prelude::*;
    let lab = std::cell::RefCell::new(Lab::new());
    proptest!(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() }, |(
        kind in 0_u8..20,
        options in proptest::collection::vec((any::<u8>(), proptest::collection::vec(any::<u8>(), 0..40)), 0..12),
        tail in proptest::collection::vec(any::<u8>(), 0..60),
        cut in 0_usize..400,
    )| {
        let mut packet = Packet::new(kind, known(1));
        for (code, data) in &options {
            packet = packet.option(*code, data);
        }
        let mut bytes = packet.bytes();
        bytes.extend_from_slice(&tail);
        bytes.truncate(cut.max(200));
        lab.borrow_mut().feed(&bytes);
    });
}
