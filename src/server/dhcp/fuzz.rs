//! DHCP under arbitrary packets: what has to hold whatever is sent. Run by the fuzzer, and by a test over its corpus.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::{Arc, Mutex};

use dhcproto::v4::{Decodable as _, Decoder, Message, MessageType, Opcode};

use super::answer::Server;
use super::limits::Limits;
use super::outcome::Outcome;
use super::place::Prepared;
use super::request::Request;
use super::{BootSettings, Link, PXE_PORT, SERVER_PORT};
use crate::model::{
    Component, DhcpHost, DhcpMode, DhcpNetwork, DhcpOptions, DhcpSettings, EthernetInterface, IpAddress, MacAddr, Nid,
    Object, Record, Timestamp, UnknownPolicy, Xname,
};
use crate::snapshot::{Change, Snapshot};

const OURS: Ipv4Addr = Ipv4Addr::new(172, 16, 0, 254);

/// Answers a series of packets, on networks with nodes, a pool of three addresses, and relays. Each packet is preceded by
/// a byte that says where it comes from and how much time passed, and by its length in two bytes.
///
/// # Panics
///
/// When an answer is not one that may be sent, or two machines have one address.
pub fn run(mut input: &[u8]) {
    let mut lab = Lab::new();
    while let [how, high, low, rest @ ..] = input {
        let (packet, behind) = rest.split_at(usize::from(u16::from_be_bytes([*high, *low])).min(rest.len()));
        lab.receive(*how, packet);
        input = behind;
    }
}

/// A server, and who has which address by what it said.
struct Lab {
    snapshot: Snapshot,
    prepared: Prepared,
    flags: BootSettings,
    link: Link,
    leases: Mutex<super::Leases>,
    sightings: Mutex<super::Sightings>,
    limits: Limits,
    now: Timestamp,
    held: HashMap<Ipv4Addr, (MacAddr, Timestamp)>,
}

impl Lab {
    fn new() -> Self {
        let settings = DhcpSettings {
            cluster: "demo".into(),
            networks: vec![
                network("near", "172.16.0.0/24", DhcpMode::Server, UnknownPolicy::Reboot),
                network("far", "10.1.0.0/24", DhcpMode::Server, UnknownPolicy::Shell),
                network("site", "192.168.7.0/24", DhcpMode::Proxy, UnknownPolicy::Reboot),
                network("closed", "10.2.0.0/24", DhcpMode::Server, UnknownPolicy::Ignore),
            ],
            hosts: [(MacAddr([2, 0, 0, 0, 2, 1]), host())].into(),
            short_name: "nid".into(),
            nid_length: 3,
            ..DhcpSettings::default()
        };
        let mut snapshot = Snapshot::default();
        for (number, ip) in [(1, Ipv4Addr::new(172, 16, 0, 1)), (2, Ipv4Addr::new(10, 1, 0, 2))] {
            know(&mut snapshot, number, ip);
        }
        Self {
            snapshot,
            prepared: Prepared::new(Arc::new(settings)),
            flags: BootSettings { boot_url: None, boot_port: 8081, boot_reachable: true, tftp: true },
            link: Link { name: "eth0".into(), address: Some(OURS), towards: vec![Some(OURS); 4] },
            leases: Mutex::default(),
            sightings: Mutex::default(),
            limits: Limits::default(),
            now: Timestamp(1_000_000_000),
            held: HashMap::new(),
        }
    }

    /// The lowest bit of `how` is the port, the next whether it came from an address and to ours alone; the others are time, and the more
    /// there is of it the longer is its unit, so that leases and offers end.
    fn receive(&mut self, how: u8, packet: &[u8]) {
        let port = if how & 1 == 0 { SERVER_PORT } else { PXE_PORT };
        let source = if how & 2 == 0 { Ipv4Addr::UNSPECIFIED } else { Ipv4Addr::new(172, 16, 0, 77) };
        self.now = Timestamp(self.now.0 + (i64::from(how >> 2)).pow(3) * 20_000);
        if !self.limits.admit(packet, source, self.now) {
            return;
        }
        let server = Server {
            view: &self.snapshot.boot,
            prepared: &self.prepared,
            flags: &self.flags,
            link: &self.link,
            leases: &self.leases,
            sightings: &self.sightings,
            now: self.now,
            direct: how & 2 != 0,
        };
        let Ok(request) = Request::read(packet) else { return };
        match server.answer(&request, SocketAddrV4::new(source, 68), port) {
            Ok(outcome) => self.check(packet, &outcome),
            Err(silence) => drop(silence.to_string()),
        }
    }

    fn check(&mut self, packet: &[u8], outcome: &Outcome) {
        self.keep(outcome.keep.as_ref());
        let Some((bytes, to)) = &outcome.reply else { return };
        let longest = Request::read(packet).expect("what is answered can be read").longest_answer();
        assert!((300..=longest).contains(&bytes.len()), "an answer of {} bytes", bytes.len());
        assert!(to.port() != 0, "an answer to nowhere");
        let message = Message::decode(&mut Decoder::new(bytes)).expect("an answer that can be read");
        assert_eq!(message.opcode(), Opcode::BootReply);
        assert_eq!(bytes[4..8], packet[4..8], "the answer is to this request");
        assert_eq!(message.chaddr(), &packet[28..34], "the answer is to this client");
        let kind = message.opts().msg_type().expect("an answer has a kind");
        assert!(matches!(kind, MessageType::Offer | MessageType::Ack | MessageType::Nak), "{kind:?}");
        assert!(kind != MessageType::Nak || message.yiaddr().is_unspecified(), "a refusal with an address");
        if !message.yiaddr().is_unspecified() {
            let network = self.prepared.settings.network_of(message.yiaddr());
            assert!(network.is_some_and(|network| network.mode == DhcpMode::Server), "{}", message.yiaddr());
            let holder = self.held.get(&message.yiaddr()).filter(|(_, until)| *until > self.now);
            let mac = packet.get(28..34).and_then(|mac| mac.try_into().ok()).map(MacAddr);
            assert!(holder.is_none_or(|(holder, _)| Some(*holder) == mac), "{} is somebody's", message.yiaddr());
        }
    }

    /// Takes note of a lease; whoever has the address until then is the client itself.
    fn keep(&mut self, change: Option<&Change>) {
        match change {
            Some(Change::PutRecord(Record::DhcpLease(lease))) => {
                let holder = self.held.get(&lease.ip).filter(|(_, until)| *until > self.now);
                if let (Some((holder, _)), Some(mac)) = (holder, lease.mac) {
                    assert_eq!(*holder, mac, "{} is leased twice", lease.ip);
                }
                self.held.remove(&lease.ip);
                self.held.extend(lease.mac.map(|mac| (lease.ip, (mac, lease.expires))));
            }
            Some(Change::DeleteRecord(_, key)) => {
                let ip: Ipv4Addr = key.parse().expect("a lease is stored by its address");
                self.held.remove(&ip);
            }
            _ => {}
        }
    }
}

fn network(name: &str, subnet: &str, mode: DhcpMode, unknown: UnknownPolicy) -> DhcpNetwork {
    let subnet: ipnet::Ipv4Net = subnet.parse().expect("a subnet");
    let address = |last: u32| Ipv4Addr::from(u32::from(subnet.network()) + last);
    let options = DhcpOptions {
        router: Some(vec![address(254)]),
        dns: Some(vec![OURS]),
        domain: Some("openchami.cluster".into()),
        mtu: Some(9000),
        ..DhcpOptions::default()
    };
    let pool = Some((address(200), address(202)));
    DhcpNetwork { name: name.into(), subnet, mode, pool, unknown, unknown_lease: 300, options }
}

fn host() -> DhcpHost {
    DhcpHost { name: "switch1".into(), ip: Ipv4Addr::new(172, 16, 0, 90), options: DhcpOptions::default() }
}

fn know(snapshot: &mut Snapshot, number: u8, ip: Ipv4Addr) {
    let xname: Xname = format!("x1000c0s0b{number}n0").parse().expect("an xname");
    let mut component = Component::bare(xname.clone());
    component.nid = Some(Nid(number.into()));
    snapshot.apply(&Change::Put(Object::Component(Arc::new(component))));
    let interface = EthernetInterface {
        mac: MacAddr([0xec, 0xe7, 0xa7, 5, 0xa1, number]),
        description: String::new(),
        last_update: Timestamp(0),
        component_id: Some(xname),
        ip_addresses: vec![IpAddress { ip: ip.into(), network: String::new() }],
    };
    snapshot.apply(&Change::Put(Object::EthernetInterface(Arc::new(interface))));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::server::common::corpus;

    #[test]
    fn the_corpus_and_what_is_near_it_keeps_every_promise() {
        corpus::walk("dhcp", 2_000, super::run);
    }

    proptest! {
        #[test]
        fn any_bytes_keep_every_promise(bytes in proptest::collection::vec(any::<u8>(), 0..800)) {
            super::run(&bytes);
        }
    }
}
