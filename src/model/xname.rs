//! Xnames: the location names of hardware in an OpenCHAMI (and Cray) system.
//!
//! An [`Xname`] is always whole and normalised: lower case, no leading zeros, every segment within the bounds of its
//! type. The grammar follows `hms-xname` 1.4.0 (the library SMD itself uses), with two differences: the whole string
//! has to match, where other readers ignore trailing garbage, and its names that mean no single piece of hardware
//! (`all`, `all_svc`, `all_comp`, `sms01`) are not xnames.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A normalised xname such as `x1000c1s7b0n0`.
///
/// Cloning is cheap. The order is the natural one of the text.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "Arc<str>", into = "Arc<str>")]
pub struct Xname(Arc<str>, XnameType);

/// Why a text is not an xname.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an xname")]
pub struct XnameError {
    /// The text as it was given.
    pub text: String,
}

/// One row of the grammar: the letters of the segments, the type they form, and bounds `(segment, minimum, maximum)`.
type Row = (&'static str, XnameType, &'static [(usize, u32, u32)]);

macro_rules! xname_types {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// The type of component that an xname names, called `Type` by SMD.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "the variants carry SMD's own names, which are their documentation")]
        pub enum XnameType { $($(#[$doc])* $name),+ }

        impl XnameType {
            /// Every type, in the order of the grammar.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The type's name as SMD writes it, for example `NodeBMC`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text),+ }
            }
        }
    };
}

xname_types! {
    Cdu = "CDU", CduMgmtSwitch = "CDUMgmtSwitch", CabinetCdu = "CabinetCDU", Cabinet = "Cabinet",
    CabinetBmc = "CabinetBMC", CabinetPduController = "CabinetPDUController", CabinetPdu = "CabinetPDU",
    CabinetPduNic = "CabinetPDUNic", CabinetPduOutlet = "CabinetPDUOutlet",
    CabinetPduPowerConnector = "CabinetPDUPowerConnector", Cec = "CEC", Chassis = "Chassis",
    ChassisBmc = "ChassisBMC", ChassisBmcNic = "ChassisBMCNic", CmmFpga = "CMMFpga", CmmRectifier = "CMMRectifier",
    ComputeModule = "ComputeModule", NodeEnclosure = "NodeEnclosure",
    NodeEnclosurePowerSupply = "NodeEnclosurePowerSupply", NodePowerConnector = "NodePowerConnector",
    NodeBmc = "NodeBMC", NodeBmcNic = "NodeBMCNic", NodeFpga = "NodeFpga", Node = "Node",
    VirtualNode = "VirtualNode", Processor = "Processor", Memory = "Memory", StorageGroup = "StorageGroup",
    Drive = "Drive", NodeAccel = "NodeAccel", NodeAccelRiser = "NodeAccelRiser", NodeNic = "NodeNic",
    NodeHsnNic = "NodeHsnNic", MgmtHlSwitchEnclosure = "MgmtHLSwitchEnclosure", MgmtHlSwitch = "MgmtHLSwitch",
    MgmtSwitch = "MgmtSwitch", MgmtSwitchConnector = "MgmtSwitchConnector", RouterModule = "RouterModule",
    RouterBmc = "RouterBMC", RouterBmcNic = "RouterBMCNic", RouterFpga = "RouterFpga", RouterTor = "RouterTOR",
    RouterTorFpga = "RouterTORFpga", HsnAsic = "HSNAsic", HsnBoard = "HSNBoard", HsnConnector = "HSNConnector",
    HsnConnectorPort = "HSNConnectorPort", HsnLink = "HSNLink", RouterPowerConnector = "RouterPowerConnector",
    System = "System", Partition = "Partition",
}

/// The segments by their letters. A segment without bounds takes any number.
const GRAMMAR: &[Row] = {
    use XnameType as T;
    const X: (usize, u32, u32) = (0, 0, 9999);
    const C: (usize, u32, u32) = (1, 0, 7);
    &[
        ("d", T::Cdu, &[]),
        ("dw", T::CduMgmtSwitch, &[]),
        ("xd", T::CabinetCdu, &[X, (1, 0, 1)]),
        ("x", T::Cabinet, &[X]),
        ("xb", T::CabinetBmc, &[X, (1, 0, 0)]),
        ("xm", T::CabinetPduController, &[X, (1, 0, 3)]),
        ("xmp", T::CabinetPdu, &[X, (1, 0, 3), (2, 0, 7)]),
        ("xmi", T::CabinetPduNic, &[X, (1, 0, 3), (2, 0, 3)]),
        ("xmpj", T::CabinetPduOutlet, &[X, (1, 0, 3), (2, 0, 7), (3, 1, u32::MAX)]),
        ("xmpv", T::CabinetPduPowerConnector, &[X, (1, 0, 3), (2, 0, 7), (3, 1, u32::MAX)]),
        ("xe", T::Cec, &[X, (1, 0, 1)]),
        ("xc", T::Chassis, &[X, C]),
        ("xcb", T::ChassisBmc, &[X, C, (2, 0, 0)]),
        ("xcbi", T::ChassisBmcNic, &[X, C, (2, 0, 0), (3, 0, 3)]),
        ("xcf", T::CmmFpga, &[X, C, (2, 0, 0)]),
        ("xct", T::CmmRectifier, &[X, C, (2, 0, 9)]),
        ("xcs", T::ComputeModule, &[X, C]),
        ("xcse", T::NodeEnclosure, &[X, C]),
        ("xcset", T::NodeEnclosurePowerSupply, &[X, C]),
        ("xcsv", T::NodePowerConnector, &[X, C, (3, 1, 2)]),
        // The older spelling of the same connector, which hms-xname still reads.
        ("xcsj", T::NodePowerConnector, &[X, C, (3, 1, 2)]),
        ("xcsb", T::NodeBmc, &[X, C]),
        ("xcsbi", T::NodeBmcNic, &[X, C, (4, 0, 3)]),
        ("xcsbf", T::NodeFpga, &[X, C, (4, 0, 0)]),
        ("xcsbn", T::Node, &[X, C]),
        ("xcsbnv", T::VirtualNode, &[X, C]),
        ("xcsbnp", T::Processor, &[X, C, (5, 0, 3)]),
        ("xcsbnd", T::Memory, &[X, C]),
        ("xcsbng", T::StorageGroup, &[X, C]),
        ("xcsbngk", T::Drive, &[X, C]),
        ("xcsbna", T::NodeAccel, &[X, C]),
        ("xcsbnr", T::NodeAccelRiser, &[X, C, (5, 0, 7)]),
        ("xcsbni", T::NodeNic, &[X, C, (5, 0, 3)]),
        ("xcsbnh", T::NodeHsnNic, &[X, C, (5, 0, 3)]),
        ("xch", T::MgmtHlSwitchEnclosure, &[X, C, (2, 1, u32::MAX)]),
        ("xchs", T::MgmtHlSwitch, &[X, C, (2, 1, u32::MAX), (3, 1, 9)]),
        ("xcw", T::MgmtSwitch, &[X, C, (2, 1, u32::MAX)]),
        ("xcwj", T::MgmtSwitchConnector, &[X, C, (2, 1, u32::MAX), (3, 1, u32::MAX)]),
        ("xcr", T::RouterModule, &[X, C]),
        ("xcrb", T::RouterBmc, &[X, C]),
        ("xcrbi", T::RouterBmcNic, &[X, C, (4, 0, 3)]),
        ("xcrf", T::RouterFpga, &[X, C, (3, 0, 1)]),
        ("xcrt", T::RouterTor, &[X, C]),
        ("xcrtf", T::RouterTorFpga, &[X, C, (4, 0, 1)]),
        ("xcra", T::HsnAsic, &[X, C, (3, 0, 3)]),
        ("xcre", T::HsnBoard, &[X, C]),
        ("xcrj", T::HsnConnector, &[X, C, (3, 1, u32::MAX)]),
        ("xcrjp", T::HsnConnectorPort, &[X, C, (3, 1, u32::MAX), (4, 0, 2)]),
        ("xcral", T::HsnLink, &[X, C, (3, 0, 3)]),
        ("xcrv", T::RouterPowerConnector, &[X, C, (3, 1, 2)]),
        ("s", T::System, &[(0, 0, 0)]),
        ("p", T::Partition, &[]),
    ]
};

impl Xname {
    /// The text, for example `x1000c1s7b0n0`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The type that the shape of the name tells.
    #[must_use]
    pub fn kind(&self) -> XnameType {
        self.1
    }

    /// True for a compute node (`xXcCsSbBnN`).
    #[must_use]
    pub fn is_node(&self) -> bool {
        self.kind() == XnameType::Node
    }

    /// The enclosing component: the name without its last segment, where that is an xname itself.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let cut = self.0.rfind(|c: char| c.is_ascii_alphabetic())?;
        self.0.get(..cut)?.parse().ok()
    }

    /// The NID that SMD gives a node that nobody numbered: unique by construction and far above real ones.
    ///
    /// `((cabinet + 1) * 16384) + (chassis * 2048) + (slot * 32) + (bmc * 4) + node`, as measured on SMD v2.20.5. For a
    /// virtual node its own number takes the place of the node's.
    #[must_use]
    pub fn default_nid(&self) -> Option<super::Nid> {
        let (_, segments, _) = classify(&self.0)?;
        let ([(_, cabinet), (_, chassis), (_, slot), (_, bmc), (b'n', node)]
        | [(_, cabinet), (_, chassis), (_, slot), (_, bmc), (b'n', _), (b'v', node)]) = *segments.as_slice()
        else {
            return None;
        };
        let sum = (u64::from(cabinet) + 1) * 16384
            + u64::from(chassis) * 2048
            + u64::from(slot) * 32
            + u64::from(bmc) * 4
            + u64::from(node);
        Some(super::Nid(sum))
    }
}

/// The most segments that any type has (`xXcCsSbBnNgGkK`).
const MOST_SEGMENTS: usize = 7;

/// The letter and the number of every segment, without allocation: a large cluster reads hundreds of thousands.
#[derive(Default)]
struct Segments {
    all: [(u8, u32); MOST_SEGMENTS],
    count: usize,
}

impl Segments {
    fn as_slice(&self) -> &[(u8, u32)] {
        &self.all[..self.count]
    }
}

/// The type and the segments of a text, and whether it is in normal form already.
fn classify(text: &str) -> Option<(XnameType, Segments, bool)> {
    let bytes = text.as_bytes();
    let mut segments = Segments::default();
    let (mut at, mut normal) = (0, true);
    while at < bytes.len() {
        let letter = bytes[at].to_ascii_lowercase();
        let digits = bytes[at + 1..].iter().take_while(|b| b.is_ascii_digit()).count();
        if !letter.is_ascii_lowercase() || digits == 0 {
            return None;
        }
        normal &= bytes[at] == letter && (digits == 1 || bytes[at + 1] != b'0');
        let number = text.get(at + 1..at + 1 + digits)?.parse().ok()?;
        *segments.all.get_mut(segments.count)? = (letter, number);
        segments.count += 1;
        at += 1 + digits;
    }
    let segment = segments.as_slice();
    let kind = GRAMMAR.iter().find_map(|(letters, kind, bounds)| {
        let same = letters.len() == segment.len() && letters.bytes().zip(segment).all(|(l, (s, _))| l == *s);
        let within = || bounds.iter().all(|&(i, low, high)| (low..=high).contains(&segment[i].1));
        (same && within()).then_some(*kind)
    })?;
    Some((kind, segments, normal))
}

impl FromStr for Xname {
    type Err = XnameError;

    fn from_str(text: &str) -> Result<Self, XnameError> {
        let text = text.trim();
        // A partition may carry a sub-partition behind a dot: `p1.2`.
        let (head, tail) = match text.split_once('.') {
            Some((head, tail)) if !tail.is_empty() && tail.bytes().all(|b| b.is_ascii_digit()) => (head, Some(tail)),
            Some(_) => return Err(XnameError { text: text.to_owned() }),
            None => (text, None),
        };
        let error = || XnameError { text: text.to_owned() };
        let (kind, segments, is_normal) = classify(head).ok_or_else(error)?;
        if tail.is_some() && kind != XnameType::Partition {
            return Err(error());
        }
        if is_normal && tail.is_none() {
            return Ok(Self(text.into(), kind));
        }
        let mut normal: String =
            segments.as_slice().iter().map(|(letter, number)| format!("{}{number}", char::from(*letter))).collect();
        if let Some(tail) = tail {
            let number: u32 = tail.parse().map_err(|_| error())?;
            normal.push_str(&format!(".{number}"));
        }
        Ok(Self(normal.into(), kind))
    }
}

impl TryFrom<Arc<str>> for Xname {
    type Error = XnameError;

    fn try_from(text: Arc<str>) -> Result<Self, XnameError> {
        text.parse()
    }
}

impl From<Xname> for Arc<str> {
    fn from(xname: Xname) -> Self {
        xname.0
    }
}

impl fmt::Display for Xname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Xname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for XnameType {
    type Err = ();

    /// Reads a type name in any case, as SMD's filters do.
    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|t| t.as_str().eq_ignore_ascii_case(text)).ok_or(())
    }
}

impl fmt::Display for XnameType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_xname_is_normalised() {
        let xname: Xname = "X1000c00S00b03N00".parse().unwrap();
        assert_eq!(xname.as_str(), "x1000c0s0b3n0");
        assert_eq!(xname.kind(), XnameType::Node);
    }

    #[test]
    fn the_whole_text_has_to_match() {
        for text in [
            "x1000c0s0b0n0 junk",
            "x1000c0s0b0n0x",
            "nodeA",
            "",
            "x",
            "x12345",
            "x1c8",
            "x1c0b1",
            "p1.a",
            "x1.2",
            "x1c0h0",
        ] {
            assert!(text.parse::<Xname>().is_err(), "{text}");
        }
    }

    #[test]
    fn types_follow_the_shape() {
        for (text, kind) in [
            ("x0", "Cabinet"),
            ("x1c7", "Chassis"),
            ("x1c0s3", "ComputeModule"),
            ("x1c0s3b1", "NodeBMC"),
            ("x1c0b0", "ChassisBMC"),
            ("x3000c0r1b0", "RouterBMC"),
            ("x3000m1", "CabinetPDUController"),
            ("x3000c0w14", "MgmtSwitch"),
            ("x3000c0h1s2", "MgmtHLSwitch"),
            ("x3000c0s1j2", "NodePowerConnector"),
            ("s0", "System"),
            ("p1.2", "Partition"),
        ] {
            assert_eq!(text.parse::<Xname>().unwrap().kind().as_str(), kind, "{text}");
        }
    }

    #[test]
    fn the_default_nid_is_the_one_smd_gives() {
        assert_eq!("x1000c0s0b0n0".parse::<Xname>().unwrap().default_nid().unwrap().0, 16_400_384);
        assert_eq!("x3000c1s7b56n0".parse::<Xname>().unwrap().default_nid().unwrap().0, 49_170_880);
        assert_eq!("x5000c0s30b0n0v1".parse::<Xname>().unwrap().default_nid().unwrap().0, 81_937_345);
        assert_eq!("x3000c1s7b56".parse::<Xname>().unwrap().default_nid(), None);
    }

    #[test]
    fn the_parent_of_a_node_is_its_bmc() {
        let node: Xname = "x1000c1s7b0n0".parse().unwrap();
        assert_eq!(node.parent().unwrap().as_str(), "x1000c1s7b0");
        assert_eq!("x1".parse::<Xname>().unwrap().parent(), None);
    }
}
