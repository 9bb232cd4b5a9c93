//! Values of fields: addresses, names, numbers and words, each checked where it stands.

use std::net::{IpAddr, Ipv4Addr};

use super::Code;
use super::diagnostic::Diagnostic;
use super::near::did_you_mean;
use super::source::Sheet;
use super::walker::{Text, words};
use crate::model::{GroupLabel, MacAddr, Nid, Xname};

/// The greatest NID. SMD would keep 64 bits, but BSS keeps 32, signed, and the boot parameters are found by it.
const MAX_NID: u64 = i32::MAX as u64;

/// Reads values of one file, on behalf of one node.
#[derive(Clone, Copy)]
pub(super) struct Values<'y> {
    pub(super) sheet: Sheet<'y>,
    pub(super) node: Option<&'y str>,
}

impl Values<'_> {
    fn problem(&self, code: Code, text: Text<'_>, message: String) -> Diagnostic {
        self.sheet.problem(code, text.span, message).node(self.node)
    }

    /// The xname of a node.
    pub(super) fn xname(&self, text: Text<'_>) -> Option<Xname> {
        let problem = match text.text.parse::<Xname>() {
            // SMD's own parser drops what surrounds an xname; in a file it is a slip that nobody sees.
            Ok(_) if text.text != text.text.trim() => self
                .problem(Code::Xname, text, format!("`{}` is not an xname", text.text.escape_debug()))
                .label("blanks surround it"),
            Ok(xname) if xname.is_node() => return Some(xname),
            Ok(xname) => self
                .problem(Code::Xname, text, format!("`{}` is not the xname of a node", text.text))
                .label(format!("this names a {}", xname.kind())),
            Err(_) => self.problem(Code::Xname, text, format!("`{}` is not an xname", text.text)).label("not an xname"),
        };
        self.sheet.push(problem.help("a node's xname is `xXcCsSbBnN` with numbers, as `x1000c0s0b0n0`"));
        None
    }

    /// The MAC address of an interface; one that somebody made up gets a warning.
    pub(super) fn mac(&self, text: Text<'_>) -> Option<MacAddr> {
        let shown = text.text.trim();
        let mac: MacAddr = match shown.parse() {
            Ok(mac) => mac,
            Err(error) => {
                let problem = self.problem(Code::MacAddress, text, format!("`{shown}` is not a MAC address"));
                self.sheet.push(
                    problem.label(error.to_string()).help("six two-digit hexadecimal octets, as `02:00:00:00:00:01`"),
                );
                return None;
            }
        };
        if mac.0 == [0; 6] {
            let problem = self.problem(Code::MacAddress, text, format!("`{shown}` is no interface's MAC address"));
            self.sheet.push(problem.label("all zero").help("write the address that is on the interface's label"));
            return None;
        }
        if mac.is_multicast() {
            let problem = self.problem(Code::MulticastMac, text, format!("`{shown}` is a multicast MAC address"));
            self.sheet.push(
                problem
                    .label("a group of interfaces, not one")
                    .help("the second digit of an interface's address is even"),
            );
            return None;
        }
        if mac.is_locally_administered() {
            let problem =
                self.problem(Code::LocalMac, text, format!("`{shown}` is a locally administered MAC address"));
            self.sheet.push(
                problem
                    .label("made up, not the manufacturer's")
                    .help("replace it with the real address, unless the interface is virtual"),
            );
        }
        Some(mac)
    }

    /// The IP address of an interface.
    pub(super) fn ip(&self, text: Text<'_>) -> Option<IpAddr> {
        let shown = text.text.trim();
        let refuse = |label: &str, help: &str| {
            let problem =
                self.problem(Code::IpAddress, text, format!("`{shown}` is not an IP address of an interface"));
            self.sheet.push(problem.label(label).help(help));
            None
        };
        match shown.parse::<IpAddr>() {
            Ok(ip) if ip.is_unspecified() => refuse("the unspecified address", "write the interface's own address"),
            Ok(ip) if ip.is_loopback() => refuse("a loopback address", "write the address on the network"),
            Ok(ip) if ip.is_multicast() || ip == IpAddr::V4(Ipv4Addr::BROADCAST) => {
                refuse("an address of many", "write the interface's own address")
            }
            Ok(ip) => Some(ip),
            Err(_) if shown.contains('/') => refuse("an address and a prefix length", "write the address only"),
            Err(_) => refuse("not an IP address", "four numbers from 0 to 255 without leading zeros, as `172.16.0.1`"),
        }
    }

    /// An IPv4 address of the boot network.
    pub(super) fn ipv4(&self, text: Text<'_>) -> Option<Ipv4Addr> {
        match self.ip(text)? {
            IpAddr::V4(ip) => Some(ip),
            IpAddr::V6(_) => {
                let problem = self.problem(Code::IpAddress, text, format!("`{}` is not an IPv4 address", text.text));
                self.sheet.push(problem.label("IPv6").help("an IPv4 address is meant here, as `172.16.0.254`"));
                None
            }
        }
    }

    /// A node's number. Leading zeros are refused: YAML 1.1 would read `010` as eight.
    pub(super) fn nid(&self, text: Text<'_>) -> Option<Nid> {
        let shown = text.text.trim();
        let digits = !shown.is_empty() && shown.bytes().all(|b| b.is_ascii_digit());
        let number = shown.parse::<u64>().ok().filter(|number| *number <= MAX_NID);
        let problem = self.problem(Code::Nid, text, format!("`{shown}` is not a NID"));
        let problem = match number {
            Some(number) if digits && shown.len() > 1 && shown.starts_with('0') => {
                let octal = u64::from_str_radix(shown, 8).ok().filter(|octal| *octal != number);
                let label = match octal {
                    Some(octal) => format!("{number} to some readers of YAML, {octal} to others"),
                    None => "a number with leading zeros".into(),
                };
                problem.label(label).help("write the number without leading zeros").suggest(
                    "the same number without zeros in front",
                    self.sheet.place(text.span),
                    number.to_string(),
                )
            }
            Some(0) if digits => problem.label("zero is no node's number").help("number the nodes from 1"),
            Some(number) if digits => return Some(Nid(number)),
            _ if digits => problem.label("too large").help(format!("the greatest NID is {MAX_NID}")),
            _ => problem.label("not a whole number").help("a NID is a whole number, as `1`"),
        };
        self.sheet.push(problem);
        None
    }

    /// A host name (RFC 1123), one label or several.
    pub(super) fn host_name<'t>(&self, text: Text<'t>) -> Option<&'t str> {
        let Some(fault) = host_name_fault(text.text) else { return Some(text.text) };
        let problem = self.problem(Code::HostName, text, format!("`{}` is not a host name", text.text)).label(fault);
        let help = match text.text.contains(['“', '”', '„', '‘', '’']) {
            true => "the quotes are a word processor's; write plain ones, or none",
            false => "letters, digits and inner dashes, at most 63 between dots",
        };
        self.sheet.push(problem.help(help));
        None
    }

    /// A group's label, in lower case.
    pub(super) fn group(&self, text: Text<'_>) -> Option<GroupLabel> {
        let group = text.text.parse().ok();
        if group.is_none() {
            let problem = self.problem(Code::GroupLabel, text, format!("`{}` is not a group label", text.text));
            self.sheet
                .push(problem.label("has characters that SMD refuses").help("letters, digits, `.`, `_`, `:` and `-`"));
        }
        group
    }

    /// A whole number within bounds.
    pub(super) fn number(
        &self,
        code: Code,
        what: &str,
        text: Text<'_>,
        bounds: std::ops::RangeInclusive<u64>,
    ) -> Option<u64> {
        let number = text.text.trim().parse().ok().filter(|number| bounds.contains(number));
        if number.is_none() {
            let message = format!("`{what}` cannot be `{}`", text.text);
            let help = format!("write a whole number from {} to {}", bounds.start(), bounds.end());
            self.sheet.push(self.problem(code, text, message).label("not such a number").help(help));
        }
        number
    }

    /// One of some words, in any case.
    pub(super) fn word<T>(
        &self,
        code: Code,
        what: &str,
        text: Text<'_>,
        allowed: &[&str],
        read: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let value = read(text.text);
        if value.is_none() {
            let mut problem = self
                .problem(code, text, format!("`{what}` cannot be `{}`", text.text))
                .label("not one of the words that are possible");
            problem = match did_you_mean(text.text, allowed.iter().copied()) {
                Some(similar) => problem.help(format!("did you mean `{similar}`?")),
                None if allowed.len() == 1 => {
                    problem.help(format!("{} is the only word that is possible", words(allowed)))
                }
                None => problem.help(format!("{} are possible", words(allowed))),
            };
            self.sheet.push(problem);
        }
        value
    }
}

/// Why a text is not a host name.
fn host_name_fault(name: &str) -> Option<&'static str> {
    if name.len() > 253 {
        return Some("longer than 253 characters");
    }
    for label in name.split('.') {
        if label.is_empty() {
            return Some("nothing between, before or behind the dots");
        }
        if label.len() > 63 {
            return Some("a part is longer than 63 characters");
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Some("a part starts or ends with a dash");
        }
        if !label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Some("has a character that host names cannot have");
        }
    }
    None
}
