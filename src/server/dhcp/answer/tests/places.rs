//! Machines that move between the subnets of a wire, and known ones where they have no address.

use std::net::Ipv4Addr;

use dhcproto::v4::{DhcpOption, MessageType, OptionCode};

use super::lab::{self, Lab, Packet, UNKNOWN, ip, known};
use super::{BROADCAST, SERVER};
use crate::server::dhcp::outcome::Silence;

#[test]
fn a_machine_that_became_known_in_another_subnet_of_its_wire_is_refused_and_gets_its_address_there() {
    let own = Ipv4Addr::new(10, 1, 0, 7);
    let renewing = |leased| Packet::request(UNKNOWN).from(leased).direct();
    let rebinding = |leased| Packet::request(UNKNOWN).from(leased);
    let rebooting = |leased| Packet::request(UNKNOWN).requested(leased);
    for packet in [&renewing as &dyn Fn(Ipv4Addr) -> Packet, &rebinding, &rebooting] {
        let mut lab = Lab::new();
        let second = lab.share_the_wire();
        let leased = lab.bind(UNKNOWN);
        assert_eq!(lab.answer(&packet(leased)).kind(), MessageType::Ack);
        lab.know(UNKNOWN, own);
        let nak = lab.answer(&packet(leased));
        assert_eq!((nak.kind(), nak.to), (MessageType::Nak, BROADCAST));
        assert_eq!(nak.server(), Some(SERVER), "the server that gave it the address it has");
        let offer = lab.answer(&Packet::discover(UNKNOWN));
        assert_eq!((offer.address(), offer.server()), (own, Some(second)));
        let selecting = Packet::request(UNKNOWN).server(second).requested(own);
        assert_eq!(lab.answer(&selecting).kind(), MessageType::Ack);
        let other = Packet::request(UNKNOWN).server(second).requested(leased);
        let nak = lab.answer(&other);
        assert_eq!((nak.kind(), nak.server()), (MessageType::Nak, Some(second)), "the server that it chose");
        for packet in [renewing(own), rebinding(own)] {
            let ack = lab.answer(&packet);
            assert_eq!((ack.kind(), ack.address(), ack.server()), (MessageType::Ack, own, Some(second)));
        }
    }
}

#[test]
fn a_machine_with_an_address_in_each_subnet_of_its_wire_keeps_the_one_that_it_has() {
    let mut lab = Lab::new();
    lab.share_the_wire();
    let second = Ipv4Addr::new(10, 1, 0, 40);
    let machine = crate::model::DhcpMachine { ips: vec![ip(40), second], ..Default::default() };
    lab.settings(|settings| drop(settings.machines.insert(UNKNOWN, machine.clone())));
    assert_eq!(lab.answer(&Packet::discover(UNKNOWN)).address(), ip(40), "the first is the usual one");
    for own in [ip(40), second] {
        let ack = lab.answer(&Packet::request(UNKNOWN).from(own));
        assert_eq!((ack.kind(), ack.address()), (MessageType::Ack, own));
    }
}

#[test]
fn a_machine_that_has_an_address_is_told_what_holds_there() {
    let mut lab = Lab::new();
    let second = lab.share_the_wire();
    let inform = lab.answer(&Packet::new(8, known(1)).from([10, 1, 0, 33].into()));
    assert_eq!(inform.option(OptionCode::Router), Some(&DhcpOption::Router(vec![[10, 1, 0, 1].into()])));
    assert_eq!(inform.server(), Some(second));
    assert_eq!(inform.option(OptionCode::Hostname), Some(&DhcpOption::Hostname("nid001".into())));
}

#[test]
fn an_address_of_any_subnet_of_the_wire_may_be_another_servers() {
    let mut lab = Lab::new();
    let asks = Packet::request(UNKNOWN).requested([10, 1, 0, 9].into());
    assert_eq!(lab.answer(&asks).kind(), MessageType::Nak, "it is on the wrong network");
    lab.share_the_wire();
    assert_eq!(lab.silence(&asks), Silence::NoRecord);
}

#[test]
fn a_renewal_past_a_relay_is_answered_by_the_network_of_the_address_alone() {
    let mut lab = Lab::new();
    let relayed = Packet::request(UNKNOWN).from([10, 1, 0, 100].into()).direct();
    assert_eq!(lab.answer(&relayed).address(), Ipv4Addr::new(10, 1, 0, 100));
    lab.know(UNKNOWN, ip(7));
    let ack = lab.answer(&relayed);
    assert_eq!(ack.kind(), MessageType::Ack, "its own address would not work there");
}

#[test]
fn a_known_machine_is_noted_where_it_has_no_address_until_it_comes_to_its_own() {
    let mut lab = Lab::new();
    let far = Ipv4Addr::new(10, 1, 0, 1);
    assert_eq!(lab.answer(&Packet::discover(known(1))).address(), ip(1));
    assert_eq!((lab.noted(), lab.settled()), (vec![], vec![]), "where it belongs it is not noted");
    let offer = lab.answer(&Packet::discover(known(1)).relay(far));
    assert_eq!(offer.address(), Ipv4Addr::new(10, 1, 0, 100));
    let ack = lab.answer(&Packet::request(known(1)).server(SERVER).requested(offer.address()).relay(far));
    assert!(ack.kind() == MessageType::Ack && ack.keep.is_some(), "its lease is stored like any other of a pool");
    lab.answer(&Packet::discover(lab::HOST).relay(far));
    lab.answer(&Packet::discover(UNKNOWN).relay(far));
    assert_eq!(lab.noted(), [UNKNOWN, lab::HOST, known(1)]);
    assert_eq!(lab.settled(), [], "the upkeep forgets none of them");
    lab.answer(&Packet::discover(known(1)));
    assert_eq!(lab.noted().len(), 3, "it has not taken the offer yet");
    lab.answer(&Packet::request(known(1)).server(SERVER).requested(ip(1)));
    assert_eq!(lab.noted(), [UNKNOWN, lab::HOST], "its cable was put right");
    lab.know(UNKNOWN, [10, 1, 0, 9].into());
    assert_eq!(lab.settled(), [UNKNOWN], "it was given an address there");
    lab.settings(|settings| settings.networks[1].mode = crate::model::DhcpMode::Proxy);
    assert_eq!(lab.settled(), [UNKNOWN, lab::HOST], "a site's own server gives the addresses there");
    lab.settings(|settings| drop(settings.networks.pop()));
    assert_eq!(lab.settled(), [UNKNOWN, lab::HOST], "there is no such network any more");
}
