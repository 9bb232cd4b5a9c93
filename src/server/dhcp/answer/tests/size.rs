//! Answers that have no room for everything.

use dhcproto::v4::{DhcpOption, OptionCode};

use super::SERVER;
use super::lab::{Lab, Packet, known};

#[test]
fn an_answer_fits_into_what_the_client_takes_and_keeps_what_it_needs() {
    let mut lab = Lab::new();
    lab.network(|network| {
        network.options.search = Some(vec!["a-rather-long-domain.example.org".to_owned(); 12]);
    });
    let long = lab.answer(&Packet::discover(known(1)).option(57, &1500_u16.to_be_bytes()));
    assert!(long.bytes.len() > 548 && long.option(OptionCode::DomainSearch).is_some(), "{}", long.bytes.len());
    let short = lab.answer(&Packet::discover(known(1)));
    assert!(short.bytes.len() <= 548 && short.option(OptionCode::DomainSearch).is_none());
    assert!(short.option(OptionCode::Router).is_some());
}

#[test]
fn what_the_inventory_adds_by_number_costs_an_answer_nothing_that_has_a_name() {
    let mut lab = Lab::new();
    lab.network(|network| {
        network.options.other = [(224, vec![1; 250]), (225, vec![2; 250]), (226, vec![3; 250])].into();
        network.options.search = Some(vec!["openchami.cluster".to_owned()]);
    });
    let named = [
        OptionCode::SubnetMask,
        OptionCode::Router,
        OptionCode::DomainNameServer,
        OptionCode::Hostname,
        OptionCode::DomainName,
        OptionCode::InterfaceMtu,
        OptionCode::BroadcastAddr,
        OptionCode::DomainSearch,
    ];
    let firmware = Packet::discover(known(1)).option(93, &[0, 7]);
    for packet in [Packet::discover(known(1)), firmware] {
        let offer = lab.answer(&packet);
        assert!(offer.bytes.len() <= 548, "{}", offer.bytes.len());
        for code in named {
            assert!(offer.option(code).is_some(), "{code:?}");
        }
        assert_eq!(offer.option(OptionCode::OptionOverload), None, "nothing that is short is left over");
    }
    let asked = lab.answer(&Packet::discover(known(1)).option(55, &[225, 1, 3]));
    let has = |number: u8| asked.option(OptionCode::Unknown(number)).is_some();
    assert!(!has(224) && has(225) && !has(226), "what it asks for is what it gets");
    let long = lab.answer(&Packet::discover(known(1)).option(57, &1500_u16.to_be_bytes()));
    assert!([224, 225, 226].iter().all(|number| long.option(OptionCode::Unknown(*number)).is_some()));
}

#[test]
fn what_finds_no_room_goes_into_the_fields_for_names_of_a_client_that_does_not_boot() {
    let mut lab = Lab::new();
    lab.network(|network| {
        network.options.other = [(224, vec![1; 150]), (225, vec![2; 100]), (226, vec![3; 40])].into();
    });
    let offer = lab.answer(&Packet::discover(known(1)));
    assert_eq!(offer.option(OptionCode::OptionOverload), Some(&DhcpOption::OptionOverload(1)), "{offer:?}");
    assert!(offer.bytes.len() <= 548, "{}", offer.bytes.len());
    // The reader of requests reads these fields as any client does.
    let mut bytes = offer.bytes.clone();
    bytes[0] = 1;
    let (at, kind) = (bytes.windows(3).position(|window| window == [53, 1, 2]).unwrap(), 1);
    bytes[at + 2] = kind;
    let read = crate::server::dhcp::request::Request::read(&bytes).unwrap();
    for (code, data) in [(224, vec![1; 150]), (225, vec![2; 100]), (226, vec![3; 40])] {
        assert_eq!(read.option(code).as_deref(), Some(&data[..]), "{code}");
    }
    for firmware in [Packet::discover(known(1)).option(93, &[0, 7]), Packet::discover(known(1)).option(77, b"iPXE")] {
        let offer = lab.answer(&firmware);
        assert_eq!(offer.option(OptionCode::OptionOverload), None, "it looks for a file name there");
        assert!(offer.message.fname().is_some() && offer.bytes.len() <= 548);
    }
}

#[test]
fn no_client_and_no_relay_can_make_an_answer_longer_than_it_may_be() {
    let mut lab = Lab::new();
    let long = [7; 255];
    let packet = Packet::discover(known(1)).option(61, &long).option(82, &long).option(82, &long);
    let offer = lab.answer(&packet);
    assert!(offer.bytes.len() <= 548, "{}", offer.bytes.len());
    assert_eq!(offer.server(), Some(SERVER));
    assert_eq!(offer.option(OptionCode::AddressLeaseTime), Some(&DhcpOption::AddressLeaseTime(3600)));
    assert_eq!(offer.option(OptionCode::RelayAgentInformation), None, "the whole of it or none (RFC 3046)");
}
