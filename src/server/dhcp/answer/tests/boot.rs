//! What each kind of client is told to boot.

use std::net::{Ipv4Addr, SocketAddrV4};

use dhcproto::v4::{DhcpOption, MessageType, OptionCode};

use super::lab::{self, Lab, Packet, UNKNOWN, ip, known};
use crate::model::{DhcpMachine, DhcpMode, DhcpOptions, Nid, UnknownPolicy};
use crate::server::dhcp::BootSettings;
use crate::server::dhcp::outcome::Silence;

const SERVER: Ipv4Addr = Ipv4Addr::new(172, 16, 0, 254);

fn pxe(arch: u16) -> Packet {
    Packet::discover(known(1)).option(60, b"PXEClient:Arch:00000:UNDI:003016").option(93, &arch.to_be_bytes())
}

fn ipxe(mac: crate::model::MacAddr) -> Packet {
    Packet::discover(mac).option(93, &[0, 7]).option(77, b"iPXE")
}

#[test]
fn every_architecture_gets_its_loader_over_tftp() {
    let loaders = [
        (0, "undionly.kpxe"),
        (6, "ipxe-i386.efi"),
        (7, "ipxe-x86_64.efi"),
        (9, "ipxe-x86_64.efi"),
        (10, "ipxe-arm32.efi"),
        (11, "ipxe-arm64.efi"),
    ];
    for (arch, file) in loaders {
        let offer = Lab::new().answer(&pxe(arch));
        assert_eq!(offer.boot_file().as_deref(), Some(file), "{arch}");
        let in_header = offer.message.fname().unwrap_or_default();
        assert_eq!(in_header.strip_suffix(b"\0"), Some(file.as_bytes()), "in the header, too");
        assert_eq!(offer.message.siaddr(), SERVER);
        let text = SERVER.to_string().into_bytes();
        assert_eq!(offer.option(OptionCode::TFTPServerName), Some(&DhcpOption::TFTPServerName(text)));
        assert_eq!(offer.option(OptionCode::RootPath), Some(&DhcpOption::RootPath(SERVER.to_string())));
    }
    assert_eq!(Lab::new().answer(&pxe(27)).boot_file(), None, "there is no loader for this one");
}

#[test]
fn firmware_that_says_what_it_is_in_the_field_for_a_file_gets_its_loader_in_an_answer_without_overload() {
    let in_file = [&[93, 2, 0, 11, 60, 20][..], b"PXEClient:Arch:00011", &[255]].concat();
    let offer = Lab::new().answer(&Packet::discover(known(1)).in_file(&in_file));
    assert_eq!(offer.boot_file().as_deref(), Some("ipxe-arm64.efi"));
    assert_eq!(offer.option(OptionCode::OptionOverload), None);
}

#[test]
fn firmware_that_boots_over_http_gets_a_url_and_its_class_back() {
    for (arch, file) in [(15_u16, "ipxe-i386.efi"), (16, "ipxe-x86_64.efi"), (19, "ipxe-arm64.efi")] {
        let packet = Packet::discover(known(1)).option(60, b"HTTPClient:Arch:00016:UNDI:003001");
        let offer = Lab::new().answer(&packet.option(93, &arch.to_be_bytes()));
        let url = format!("http://172.16.0.254:8081/loaders/{file}");
        assert_eq!(offer.boot_file(), Some(url), "{arch}");
        let class = DhcpOption::ClassIdentifier(b"HTTPClient".to_vec());
        assert_eq!(offer.option(OptionCode::ClassIdentifier), Some(&class));
    }
}

#[test]
fn ipxe_is_known_by_its_options_and_by_its_name_in_both_spellings() {
    let script = "http://172.16.0.254:8081/boot/v1/bootscript?mac=ec:e7:a7:05:a1:01";
    let told: [(u8, &[u8]); 4] = [(77, b"iPXE"), (77, b"\x04iPXE"), (77, b"\x03abc\x04iPXE"), (175, b"\x13\x01\x01")];
    for (code, data) in told {
        let offer = Lab::new().answer(&pxe(7).option(code, data));
        assert_eq!(offer.boot_file().as_deref(), Some(script), "{code} {data:?}");
    }
    let others: [(u8, &[u8]); 5] = [(77, b"iPXE2"), (77, b"\x05iPXE"), (77, b"\xffiPXE"), (77, b""), (175, b"")];
    for (code, data) in others {
        let offer = Lab::new().answer(&pxe(7).option(code, data));
        assert_eq!(offer.boot_file().as_deref(), Some("ipxe-x86_64.efi"), "{code} {data:?}");
    }
}

#[test]
fn an_architecture_of_a_wrong_length_is_none() {
    for data in [&b""[..], b"\x07"] {
        let offer = Lab::new().answer(&Packet::discover(known(1)).option(60, b"PXEClient").option(93, data));
        assert_eq!((offer.address(), offer.boot_file()), (ip(1), None), "{data:?}");
    }
}

#[test]
fn a_machine_that_does_not_boot_over_the_network_is_told_nothing_of_it() {
    let offer = Lab::new().answer(&Packet::discover(known(1)));
    assert_eq!((offer.boot_file(), offer.message.siaddr()), (None, Ipv4Addr::UNSPECIFIED));
}

#[test]
fn what_is_set_goes_before_what_is_usual() {
    let mut lab = Lab::new();
    lab.settings(|settings| drop(settings.loaders.insert(7, "snponly.efi".into())));
    assert_eq!(lab.answer(&pxe(7)).boot_file().as_deref(), Some("snponly.efi"));
    lab.network(|network| {
        network.options.boot_file = Some("own.efi".into());
        network.options.next_server = Some(ip(253));
        network.options.root_path = Some("/srv".into());
    });
    let offer = lab.answer(&pxe(7));
    assert_eq!((offer.boot_file().as_deref(), offer.message.siaddr()), (Some("own.efi"), ip(253)));
    assert_eq!(offer.option(OptionCode::RootPath), Some(&DhcpOption::RootPath("/srv".into())));
    lab.flags(BootSettings {
        boot_url: Some("https://boot.example:8443/".into()),
        boot_port: 1,
        boot_reachable: true,
        tftp: true,
    });
    let script = "https://boot.example:8443/boot/v1/bootscript?mac=ec:e7:a7:05:a1:01";
    assert_eq!(lab.answer(&ipxe(known(1))).boot_file().as_deref(), Some(script));
}

#[test]
fn a_url_too_long_for_the_header_is_an_option_only() {
    let mut lab = Lab::new();
    let url = format!("http://{}.example", "a".repeat(150));
    lab.flags(BootSettings { boot_url: Some(url.clone()), boot_port: 1, boot_reachable: true, tftp: true });
    let offer = lab.answer(&ipxe(known(1)));
    assert!(offer.boot_file().unwrap().starts_with(&url));
    assert_eq!(offer.message.fname(), None);
}

#[test]
fn an_old_rom_is_told_to_look_for_no_boot_server() {
    let offer = Lab::new().answer(&pxe(0).option(55, &[1, 3, 43, 60]));
    let class = DhcpOption::ClassIdentifier(b"PXEClient".to_vec());
    assert_eq!(offer.option(OptionCode::ClassIdentifier), Some(&class));
    assert!(offer.bytes.windows(6).any(|window| window == [43, 4, 6, 1, 8, 255]));
    let efi = Lab::new().answer(&pxe(7).option(55, &[1, 3, 43, 60]));
    assert_eq!(efi.option(OptionCode::ClassIdentifier), None);
}

#[test]
fn an_unknown_machine_is_told_what_the_policy_of_its_network_says() {
    let policies = [
        (UnknownPolicy::Reboot, "default"),
        (UnknownPolicy::Shell, "shell.ipxe"),
        (UnknownPolicy::Script("discover.ipxe".into()), "discover.ipxe"),
    ];
    for (policy, file) in policies {
        let mut lab = Lab::new();
        lab.network(|network| network.unknown = policy.clone());
        assert_eq!(lab.answer(&ipxe(UNKNOWN)).boot_file().as_deref(), Some(file));
        let firmware = Packet::discover(UNKNOWN).option(93, &[0, 7]);
        assert_eq!(lab.answer(&firmware).boot_file().as_deref(), Some("ipxe-x86_64.efi"), "it needs iPXE first");
    }
}

#[test]
fn an_unknown_machine_that_is_to_start_over_runs_the_sites_own_script_where_there_is_one() {
    let own = "http://172.16.0.254:8081/boot/v1/bootscript?mac=02:00:00:00:01:01";
    for (policy, file) in [
        (UnknownPolicy::Reboot, own),
        (UnknownPolicy::Shell, "shell.ipxe"),
        (UnknownPolicy::Script("discover.ipxe".into()), "discover.ipxe"),
    ] {
        for mode in [DhcpMode::Server, DhcpMode::Proxy] {
            let mut lab = Lab::new();
            lab.network(|network| (network.unknown, network.mode) = (policy.clone(), mode));
            lab.unknown_script("#!ipxe\nreboot\n");
            assert_eq!(lab.answer(&ipxe(UNKNOWN)).boot_file().as_deref(), Some(file), "{mode:?}");
        }
    }
    let mut lab = Lab::new();
    lab.settings(|settings| settings.boot_script_url = Some("http://bss.example/bootscript".into()));
    lab.unknown_script("#!ipxe\nreboot\n");
    assert_eq!(lab.answer(&ipxe(UNKNOWN)).boot_file().as_deref(), Some(own), "the BSS of others does not have it");
}

#[test]
fn a_known_machine_boots_its_own_script_wherever_it_is_unless_unknown_ones_are_ignored_there() {
    let far: Ipv4Addr = [10, 1, 0, 1].into();
    let script = "http://172.16.0.254:8081/boot/v1/bootscript?mac=ec:e7:a7:05:a1:01";
    for policy in [UnknownPolicy::Reboot, UnknownPolicy::Shell, UnknownPolicy::Script("discover.ipxe".into())] {
        let mut lab = Lab::new();
        lab.settings(|settings| settings.networks[1].unknown = policy.clone());
        let offer = lab.answer(&ipxe(known(1)).relay(far));
        assert_eq!(offer.boot_file().as_deref(), Some(script), "{policy:?}");
        assert_eq!(offer.option(OptionCode::AddressLeaseTime), Some(&DhcpOption::AddressLeaseTime(300)));
    }
    let mut lab = Lab::new();
    lab.settings(|settings| settings.networks[1].unknown = UnknownPolicy::Ignore);
    assert_eq!(lab.silence(&ipxe(known(1)).relay(far)), Silence::Ignored);
    assert_eq!(lab.seen(), [known(1)], "it is seen all the same");
    // Other DHCP servers leave what they know of unknown machines in SMD.
    let mut lab = Lab::new();
    lab.know(UNKNOWN, ip(7));
    assert_eq!(lab.answer(&ipxe(UNKNOWN).relay(far)).boot_file().as_deref(), Some("default"));
}

#[test]
fn a_known_machine_is_told_the_options_of_its_groups_and_its_own_wherever_it_is() {
    let far: Ipv4Addr = [10, 1, 0, 1].into();
    let mut lab = Lab::new();
    lab.settings(|settings| {
        let group = DhcpOptions { boot_file: Some("snponly.efi".into()), ..DhcpOptions::default() };
        settings.groups.insert("compute".parse().unwrap(), group);
        let own = DhcpOptions { mtu: Some(1400), ..DhcpOptions::default() };
        settings.hosts.get_mut(&lab::HOST).unwrap().options = own;
    });
    let node = lab.answer(&pxe(7).relay(far));
    assert_eq!((node.address(), node.boot_file().as_deref()), ([10, 1, 0, 100].into(), Some("snponly.efi")));
    assert_eq!(node.option(OptionCode::Hostname), Some(&DhcpOption::Hostname("nid001".into())));
    assert_eq!(node.option(OptionCode::Router), Some(&DhcpOption::Router(vec![far])));
    let host = lab.answer(&Packet::discover(lab::HOST).relay(far));
    assert_eq!(host.option(OptionCode::InterfaceMtu), Some(&DhcpOption::InterfaceMtu(1400)));
    assert_eq!(host.option(OptionCode::Hostname), Some(&DhcpOption::Hostname("switch1".into())));
}

#[test]
fn a_proxy_answers_pxe_without_an_address_and_nobody_else() {
    let mut lab = Lab::new();
    lab.network(|network| network.mode = DhcpMode::Proxy);
    let offer = lab.answer(&pxe(7).option(97, b"\0machine"));
    assert_eq!((offer.kind(), offer.address()), (MessageType::Offer, Ipv4Addr::UNSPECIFIED));
    assert_eq!(offer.boot_file().as_deref(), Some("ipxe-x86_64.efi"));
    let class = DhcpOption::ClassIdentifier(b"PXEClient".to_vec());
    assert_eq!(offer.option(OptionCode::ClassIdentifier), Some(&class));
    for absent in [OptionCode::AddressLeaseTime, OptionCode::SubnetMask, OptionCode::Router] {
        assert_eq!(offer.option(absent), None);
    }
    assert_eq!(lab.silence(&Packet::discover(known(1))), Silence::NothingToBoot);
    assert_eq!(lab.silence(&Packet::request(known(1)).requested(ip(1))), Silence::NothingToBoot);
}

#[test]
fn a_boot_server_is_asked_at_its_own_port_and_answers_to_where_it_was_asked_from() {
    let mut lab = Lab::new();
    lab.network(|network| network.mode = DhcpMode::Proxy);
    let request = Packet::request(known(1)).from(ip(77)).option(60, b"PXEClient").option(93, &[0, 7]);
    let ack = lab.answer(&request.clone().at_boot_port());
    assert_eq!((ack.kind(), ack.to), (MessageType::Ack, SocketAddrV4::new(ip(77), 68)));
    assert_eq!(ack.boot_file().as_deref(), Some("ipxe-x86_64.efi"));
    assert_eq!(lab.silence(&Packet::discover(known(1)).at_boot_port()), Silence::NothingToBoot);
}

#[test]
fn a_node_of_somebody_elses_smd_has_its_address_name_options_and_their_boot_script() {
    let mut lab = Lab::new();
    let machine = |ips: &[Ipv4Addr], id: &str, nid| DhcpMachine {
        ips: ips.to_vec(),
        id: Some(id.parse().unwrap()),
        nid,
        groups: vec!["gpu".parse().unwrap()],
    };
    lab.settings(|settings| {
        settings.machines.insert(UNKNOWN, machine(&[[10, 9, 0, 1].into(), ip(40)], "x1000c0s1b0n0", Some(Nid(40))));
        settings.machines.insert(lab::mac(9), machine(&[ip(41)], "x1000c0s1b0", None));
        settings.boot_script_url = Some("http://172.16.0.253/boot/v1/bootscript".into());
        settings.groups.insert("gpu".parse().unwrap(), DhcpOptions { mtu: Some(1400), ..DhcpOptions::default() });
    });
    let offer = lab.answer(&ipxe(UNKNOWN));
    assert_eq!(offer.address(), ip(40), "the address on its network");
    assert_eq!(offer.option(OptionCode::Hostname), Some(&DhcpOption::Hostname("nid040".into())));
    assert_eq!(offer.option(OptionCode::InterfaceMtu), Some(&DhcpOption::InterfaceMtu(1400)));
    let script = "http://172.16.0.253/boot/v1/bootscript?mac=02:00:00:00:01:01";
    assert_eq!(offer.boot_file().as_deref(), Some(script));
    let controller = lab.answer(&Packet::discover(lab::mac(9)));
    assert_eq!(controller.option(OptionCode::Hostname), Some(&DhcpOption::Hostname("x1000c0s1b0".into())));
    lab.network(|network| network.pool = Some((ip(40), ip(42))));
    assert_eq!(lab.answer(&Packet::discover(lab::mac(7))).address(), ip(42), "no pool hands out what they have");
    lab.network(|network| network.mode = DhcpMode::Proxy);
    assert_eq!(lab.answer(&ipxe(UNKNOWN)).boot_file().as_deref(), Some(script));
    let http = Packet::discover(UNKNOWN).option(60, b"HTTPClient").option(93, &[0, 16]);
    let loader = "http://172.16.0.254:8081/loaders/ipxe-x86_64.efi";
    assert_eq!(lab.answer(&http).boot_file().as_deref(), Some(loader), "loaders are ours all the same");
}
