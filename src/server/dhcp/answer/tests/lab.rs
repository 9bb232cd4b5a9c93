//! A cluster of three nodes on two networks, and packets for it.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::{Arc, Mutex};

use dhcproto::v4::{Decodable as _, Decoder, DhcpOption, Message, MessageType, OptionCode};

use super::super::{Outcome, Server, Silence};
use crate::model::{
    BootConfig, BootKey, Component, DhcpHost, DhcpNetwork, DhcpOptions, DhcpSettings, DhcpUnknown, EthernetInterface,
    Group, IpAddress, MacAddr, Nid, Object, Record, Timestamp, UnknownPolicy, Xname,
};
use crate::server::dhcp::astray::is_settled;
use crate::server::dhcp::leases::Leases;
use crate::server::dhcp::place::Prepared;
use crate::server::dhcp::request::Request;
use crate::server::dhcp::sightings::Sightings;
use crate::server::dhcp::{BootSettings, Link};
use crate::snapshot::{Change, Snapshot};

pub(super) const UNKNOWN: MacAddr = MacAddr([2, 0, 0, 0, 1, 1]);
pub(super) const HOST: MacAddr = MacAddr([2, 0, 0, 0, 2, 1]);
const SERVER: Ipv4Addr = Ipv4Addr::new(172, 16, 0, 254);

pub(super) fn mac(number: u8) -> MacAddr {
    MacAddr([2, 0, 0, 0, 3, number])
}

/// The MAC address of a node.
pub(super) fn known(number: u8) -> MacAddr {
    MacAddr([0xec, 0xe7, 0xa7, 5, 0xa1, number])
}

pub(super) fn ip(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(172, 16, 0, last)
}

pub(super) fn xname(number: u8) -> Xname {
    format!("x1000c0s0b{number}n0").parse().unwrap()
}

/// The server's side.
pub(super) struct Lab {
    snapshot: Snapshot,
    settings: DhcpSettings,
    flags: BootSettings,
    link: Link,
    leases: Mutex<Leases>,
    sightings: Mutex<Sightings>,
    now: Timestamp,
}

impl Lab {
    pub(super) fn new() -> Self {
        let network = |name: &str, subnet: &str, router: Ipv4Addr, pool| DhcpNetwork {
            name: name.into(),
            subnet: subnet.parse().unwrap(),
            mode: crate::model::DhcpMode::Server,
            pool: Some(pool),
            unknown: UnknownPolicy::Reboot,
            unknown_lease: 300,
            options: DhcpOptions {
                router: Some(vec![router]),
                dns: Some(vec![SERVER]),
                domain: Some("openchami.cluster".into()),
                mtu: Some(9000),
                ..DhcpOptions::default()
            },
        };
        let far = Ipv4Addr::new(10, 1, 0, 1);
        let host = DhcpHost { name: "switch1".into(), ip: ip(90), options: DhcpOptions::default() };
        let settings = DhcpSettings {
            cluster: "demo".into(),
            networks: vec![
                network("near", "172.16.0.0/24", SERVER, (ip(200), ip(250))),
                network("far", "10.1.0.0/24", far, ([10, 1, 0, 100].into(), [10, 1, 0, 120].into())),
            ],
            hosts: [(HOST, host)].into(),
            short_name: "nid".into(),
            nid_length: 3,
            names: [(xname(2), "login1".into())].into(),
            ..DhcpSettings::default()
        };
        let mut lab = Self {
            snapshot: Snapshot::default(),
            settings,
            flags: BootSettings { boot_url: None, boot_port: 8081, boot_reachable: true, tftp: true },
            link: Link { name: "eth0".into(), address: Some(SERVER), towards: vec![Some(SERVER), Some(SERVER)] },
            leases: Mutex::default(),
            sightings: Mutex::default(),
            now: Timestamp(1_000_000_000),
        };
        for number in 1..=3 {
            let mut component = Component::bare(xname(number));
            component.nid = Some(Nid(number.into()));
            lab.put(Object::Component(Arc::new(component)));
            let address = if number == 3 { Ipv4Addr::new(10, 1, 0, 3) } else { ip(number) };
            lab.interface(known(number), address, Some(xname(number)));
        }
        let members = [xname(1), xname(2)].into_iter().collect();
        let group = Group { members, ..serde_json::from_str(r#"{"label":"compute","members":[]}"#).unwrap() };
        lab.put(Object::Group(Arc::new(group)));
        lab
    }

    fn put(&mut self, object: Object) {
        self.snapshot.apply(&Change::Put(object));
    }

    fn interface(&mut self, mac: MacAddr, ip: Ipv4Addr, component_id: Option<Xname>) {
        let ip_addresses = vec![IpAddress { ip: ip.into(), network: String::new() }];
        let description = String::new();
        let last_update = Timestamp(0);
        let interface = EthernetInterface { mac, description, last_update, component_id, ip_addresses };
        self.put(Object::EthernetInterface(Arc::new(interface)));
    }

    /// Puts in force a script of the site's for machines that have nothing to boot.
    pub(super) fn unknown_script(&mut self, script: &str) {
        let config = BootConfig { template: "unknown".into(), script: script.into(), ..BootConfig::default() };
        self.put(Object::BootParams(BootKey::unknown(), Arc::new(config)));
    }

    /// Makes a machine known.
    pub(super) fn know(&mut self, mac: MacAddr, ip: Ipv4Addr) {
        self.interface(mac, ip, None);
    }

    /// Changes the first network.
    pub(super) fn network(&mut self, change: impl Fn(&mut DhcpNetwork)) {
        change(&mut self.settings.networks[0]);
    }

    /// Gives the interface an address in the second network, too, whose machines are on its wire then. The result is that
    /// address.
    pub(super) fn share_the_wire(&mut self) -> Ipv4Addr {
        let second = Ipv4Addr::new(10, 1, 0, 254);
        self.link.towards[1] = Some(second);
        second
    }

    pub(super) fn settings(&mut self, change: impl Fn(&mut DhcpSettings)) {
        change(&mut self.settings);
    }

    pub(super) fn flags(&mut self, flags: BootSettings) {
        self.flags = flags;
    }

    /// Time passes.
    pub(super) fn seconds(&mut self, seconds: i64) {
        self.now = Timestamp(self.now.0 + seconds * 1_000_000);
    }

    /// The unknown machines that were noted, as they would be stored.
    pub(super) fn seen(&self) -> Vec<MacAddr> {
        let changes = self.sightings.lock().unwrap().changes(usize::MAX);
        let mac = |change| match change {
            Change::PutRecord(Record::DhcpUnknown(one)) => one.mac,
            other => panic!("{other:?}"),
        };
        changes.into_iter().map(mac).collect()
    }

    /// The machines that are noted.
    pub(super) fn noted(&self) -> Vec<MacAddr> {
        self.sightings.lock().unwrap().noted().map(|one| one.mac).collect()
    }

    /// Those of them that need nobody's attention any more.
    pub(super) fn settled(&self) -> Vec<MacAddr> {
        let sightings = self.sightings.lock().unwrap();
        let settled = |one: &&DhcpUnknown| is_settled(&self.snapshot.boot, &self.settings, one);
        sightings.noted().filter(settled).map(|one| one.mac).collect()
    }

    /// Gives an unknown machine a lease.
    pub(super) fn bind(&mut self, mac: MacAddr) -> Ipv4Addr {
        let offered = self.answer(&Packet::discover(mac)).address();
        let ack = self.answer(&Packet::request(mac).server(SERVER).requested(offered));
        assert_eq!(ack.kind(), MessageType::Ack);
        offered
    }

    pub(super) fn outcome(&mut self, packet: &Packet) -> Result<Outcome, Silence> {
        let bytes = packet.bytes();
        self.outcome_of(&Request::read(&bytes).unwrap(), packet.port, packet.direct)
    }

    /// Feeds bytes; whatever the outcome.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let _ = Request::read(bytes).map(|request| self.outcome_of(&request, 67, false));
    }

    fn outcome_of(&mut self, request: &Request<'_>, port: u16, direct: bool) -> Result<Outcome, Silence> {
        let prepared = Prepared::new(Arc::new(self.settings.clone()));
        let server = Server {
            view: &self.snapshot.boot,
            prepared: &prepared,
            flags: &self.flags,
            link: &self.link,
            leases: &self.leases,
            sightings: &self.sightings,
            now: self.now,
            direct,
        };
        server.answer(request, SocketAddrV4::new(ip(77), 68), port)
    }

    #[track_caller]
    pub(super) fn answer(&mut self, packet: &Packet) -> Answer {
        let outcome = self.outcome(packet).unwrap();
        let (bytes, to) = outcome.reply.expect("an answer");
        let message = Message::decode(&mut Decoder::new(&bytes)).unwrap();
        Answer { bytes, message, to, keep: outcome.keep }
    }

    #[track_caller]
    pub(super) fn silence(&mut self, packet: &Packet) -> Silence {
        self.outcome(packet).unwrap_err()
    }
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) bytes: Vec<u8>,
    pub(super) message: Message,
    pub(super) to: SocketAddrV4,
    pub(super) keep: Option<Change>,
}

impl Answer {
    pub(super) fn kind(&self) -> MessageType {
        self.message.opts().msg_type().unwrap()
    }

    pub(super) fn address(&self) -> Ipv4Addr {
        self.message.yiaddr()
    }

    pub(super) fn option(&self, code: OptionCode) -> Option<&DhcpOption> {
        self.message.opts().get(code)
    }

    pub(super) fn server(&self) -> Option<Ipv4Addr> {
        match self.option(OptionCode::ServerIdentifier)? {
            DhcpOption::ServerIdentifier(ip) => Some(*ip),
            other => panic!("{other:?}"),
        }
    }

    /// The boot file of option 67, as text.
    pub(super) fn boot_file(&self) -> Option<String> {
        match self.option(OptionCode::BootfileName)? {
            DhcpOption::BootfileName(name) => Some(String::from_utf8(name.clone()).unwrap()),
            other => panic!("{other:?}"),
        }
    }
}

/// A packet of a client.
#[derive(Clone)]
pub(super) struct Packet {
    header: [u8; 240],
    options: Vec<u8>,
    port: u16,
    direct: bool,
}

impl Packet {
    pub(super) fn new(kind: u8, mac: MacAddr) -> Self {
        let mut header = [0; 240];
        header[..8].copy_from_slice(&[1, 1, 6, 0, 1, 2, 3, 4]);
        header[28..34].copy_from_slice(&mac.0);
        header[236..].copy_from_slice(&[99, 130, 83, 99]);
        Self { header, options: vec![53, 1, kind], port: 67, direct: false }
    }

    pub(super) fn discover(mac: MacAddr) -> Self {
        Self::new(1, mac)
    }

    pub(super) fn request(mac: MacAddr) -> Self {
        Self::new(3, mac)
    }

    pub(super) fn option(mut self, code: u8, data: &[u8]) -> Self {
        self.options.extend([code, u8::try_from(data.len()).unwrap()]);
        self.options.extend_from_slice(data);
        self
    }

    pub(super) fn server(self, ip: Ipv4Addr) -> Self {
        self.option(54, &ip.octets())
    }

    pub(super) fn requested(self, ip: Ipv4Addr) -> Self {
        self.option(50, &ip.octets())
    }

    pub(super) fn from(mut self, ip: Ipv4Addr) -> Self {
        self.header[12..16].copy_from_slice(&ip.octets());
        self
    }

    pub(super) fn relay(mut self, ip: Ipv4Addr) -> Self {
        self.header[24..28].copy_from_slice(&ip.octets());
        self
    }

    pub(super) fn broadcast(mut self) -> Self {
        self.header[10] = 0x80;
        self
    }

    /// Options in the header's field for the name of a file.
    pub(super) fn in_file(mut self, options: &[u8]) -> Self {
        self.header[108..][..options.len()].copy_from_slice(options);
        self.option(52, &[1])
    }

    /// To our address, and not to everybody.
    pub(super) fn direct(mut self) -> Self {
        self.direct = true;
        self
    }

    /// To the port of boot servers.
    pub(super) fn at_boot_port(mut self) -> Self {
        self.port = 4011;
        self
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        [&self.header[..], &self.options, &[255]].concat()
    }
}
