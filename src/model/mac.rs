//! MAC addresses of Ethernet interfaces.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A 48-bit MAC address. Its text form is lower case with colons, `ec:e7:a7:05:a1:fc`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct MacAddr(pub [u8; 6]);

/// Why a text is not a MAC address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MacAddrError {
    /// A character that is neither a hexadecimal digit nor a separator (`:`, `-`, `.`, blank).
    #[error("`{0}` is not a hexadecimal digit")]
    Digit(char),
    /// Some other number of digits than twelve.
    #[error("it has {count} hexadecimal digit{s}, not 12", count = .0, s = if *.0 == 1 { "" } else { "s" })]
    Length(usize),
}

impl MacAddr {
    /// The identifier SMD gives the interface: the twelve digits without separators, `ece7a705a1fc`.
    #[must_use]
    pub fn id(self) -> String {
        self.to_string().replace(':', "")
    }

    /// The digits joined by dashes, as in the `BOOTIF` kernel parameter.
    #[must_use]
    pub fn dashed(self) -> String {
        self.to_string().replace(':', "-")
    }

    /// The text form. Plans and stores write it hundreds of thousands of times, hence no formatting machinery.
    fn text(self) -> [u8; 17] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b':'; 17];
        for (at, byte) in self.0.into_iter().enumerate() {
            text[at * 3] = DIGITS[usize::from(byte >> 4)];
            text[at * 3 + 1] = DIGITS[usize::from(byte & 15)];
        }
        text
    }

    /// True for a group address, which no interface can own (IEEE 802: the lowest bit of the first octet).
    #[must_use]
    pub fn is_multicast(self) -> bool {
        self.0[0] & 1 == 1
    }

    /// True for an address that somebody made up: the second-lowest bit of the first octet.
    #[must_use]
    pub fn is_locally_administered(self) -> bool {
        self.0[0] & 2 == 2
    }
}

impl FromStr for MacAddr {
    type Err = MacAddrError;

    /// Reads every spelling that SMD takes: `:`, `-`, `.`, blanks or nothing between the digits, in any case.
    fn from_str(text: &str) -> Result<Self, MacAddrError> {
        let mut octets = [0_u8; 6];
        let mut digits = 0;
        for c in text.trim().chars() {
            if matches!(c, ':' | '-' | '.' | ' ') {
                continue;
            }
            let value = c.to_digit(16).ok_or(MacAddrError::Digit(c))?;
            if let Some(octet) = octets.get_mut(digits / 2) {
                *octet = *octet << 4 | u8::try_from(value).unwrap_or(0);
            }
            digits += 1;
        }
        if digits == 12 { Ok(Self(octets)) } else { Err(MacAddrError::Length(digits)) }
    }
}

impl TryFrom<String> for MacAddr {
    type Error = MacAddrError;

    fn try_from(text: String) -> Result<Self, MacAddrError> {
        text.parse()
    }
}

impl Serialize for MacAddr {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl fmt::Debug for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_reads_the_same() {
        for text in ["ec:e7:a7:05:a1:fc", "EC-E7-A7-05-A1-FC", "ece7.a705.a1fc", "ece7a705a1fc", " ec e7 a7 05 a1 fc "]
        {
            assert_eq!(text.parse::<MacAddr>().unwrap().to_string(), "ec:e7:a7:05:a1:fc", "{text}");
        }
    }

    #[test]
    fn errors_name_what_is_wrong() {
        assert_eq!("de:ad:be:ef:00:2z".parse::<MacAddr>(), Err(MacAddrError::Digit('z')));
        assert_eq!("de:ad:be".parse::<MacAddr>(), Err(MacAddrError::Length(6)));
        assert_eq!("de:ad:be:ef:00:02:03".parse::<MacAddr>(), Err(MacAddrError::Length(14)));
    }

    #[test]
    fn the_first_octet_tells_group_and_local_addresses() {
        assert!("01:00:5e:00:00:01".parse::<MacAddr>().unwrap().is_multicast());
        assert!("02:00:00:a8:4f:04".parse::<MacAddr>().unwrap().is_locally_administered());
        assert!(!"ec:e7:a7:05:a1:fc".parse::<MacAddr>().unwrap().is_locally_administered());
    }
}
