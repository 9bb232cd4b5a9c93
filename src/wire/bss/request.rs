//! What clients send to `bootparameters`: bodies of writes and deletes, and the selectors of a read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{SharedHost, listed, whole_number};
use crate::model::{BootConfig, BootKey, MacAddr, Nid, Xname};
use crate::wire::json;

/// A body as it is sent. Go clients send `null` for what they leave out, so every member may be that.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct RawEntry {
    pub(super) hosts: Option<Vec<String>>,
    pub(super) macs: Option<Vec<String>>,
    /// BSS counts nodes in 32 bits.
    pub(super) nids: Option<Vec<i32>>,
    params: Option<Arc<str>>,
    kernel: Option<Arc<str>>,
    initrd: Option<Arc<str>>,
    /// Not kept, and refused where BSS would refuse it.
    #[serde(rename = "cloud-init")]
    _cloud_init: Option<CloudInit>,
}

/// The shape of the member that only BSS's oldest storage keeps.
#[derive(Deserialize)]
struct CloudInit {
    #[serde(rename = "meta-data")]
    _meta_data: Option<Map<String, Value>>,
    #[serde(rename = "user-data")]
    _user_data: Option<Map<String, Value>>,
    #[serde(rename = "phone-home")]
    _phone_home: Option<BTreeMap<String, Option<String>>>,
}

/// Why a request for boot parameters is wrong as it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BootParamsError {
    /// The body is not JSON, or not JSON of this shape.
    #[error("Bad Request: {0}")]
    Body(String),
    /// A MAC address that is not six pairs of hexadecimal digits joined by colons.
    #[error("Bad Request: invalid MAC address format: {0}")]
    Mac(String),
    /// A host that is no xname, or the xname of something that does not boot, and no name for many nodes either.
    #[error("Bad Request: invalid xname: {0} is not the xname of a node, nor Default, Global, a role or Unknown-ARCH")]
    Host(String),
    /// A NID that no node can have.
    #[error("Bad Request - Invalid nid '{0}'")]
    Nid(String),
    /// A new key with an xname that is not spelled as SMD spells it.
    #[error("Bad Request: invalid xname: {given} is spelled {canonical}")]
    Spelling {
        /// As it was sent.
        given: String,
        /// As SMD spells it.
        canonical: String,
    },
    /// A new key that stands for many nodes, which BSS stores by PUT only.
    #[error("Bad Request: invalid xname: {0}; what is for many nodes is stored with PUT")]
    Shared(String),
    /// A host that is none, where only those that have parameters are meant.
    #[error("Not Found: data does not exist: {0} is no xname of a node")]
    NoSuchHost(String),
    /// A body that selects nothing.
    #[error("No specified data requested")]
    NothingSelected,
}

/// The fields of a configuration that a request gives. An empty text counts as not given, as it does for BSS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigFields {
    /// URL of the kernel.
    pub kernel: Option<Arc<str>>,
    /// URL of the initrd.
    pub initrd: Option<Arc<str>>,
    /// The kernel command line.
    pub params: Option<Arc<str>>,
}

impl ConfigFields {
    /// True when no field is given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kernel.is_none() && self.initrd.is_none() && self.params.is_none()
    }

    /// The configuration with the given fields replaced.
    #[must_use]
    pub fn over(&self, old: &BootConfig) -> BootConfig {
        BootConfig {
            kernel: self.kernel.as_ref().unwrap_or(&old.kernel).clone(),
            initrd: self.initrd.as_ref().unwrap_or(&old.initrd).clone(),
            params: self.params.as_ref().unwrap_or(&old.params).clone(),
            ..old.clone()
        }
    }

    /// True when a configuration has every field that is given.
    #[must_use]
    pub fn matches(&self, config: &BootConfig) -> bool {
        let same = |asked: &Option<Arc<str>>, has: &Arc<str>| asked.as_ref().is_none_or(|text| text == has);
        same(&self.kernel, &config.kernel) && same(&self.initrd, &config.initrd) && same(&self.params, &config.params)
    }
}

/// A POST, PUT, PATCH or DELETE of boot parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// The keys named, of all three kinds.
    pub keys: BTreeSet<BootKey>,
    /// The configuration given.
    pub fields: ConfigFields,
}

/// Reads the body of a write or a delete.
///
/// # Errors
///
/// [`BootParamsError`], naming the first thing that is wrong.
pub fn parse_request(body: &[u8]) -> Result<Request, BootParamsError> {
    let raw = RawEntry::parse(body)?;
    let mut keys = BTreeSet::new();
    for text in raw.macs.iter().flatten() {
        keys.insert(mac_key(text).ok_or_else(|| BootParamsError::Mac(text.clone()))?);
    }
    for text in raw.hosts.iter().flatten() {
        keys.insert(host_key(text).ok_or_else(|| BootParamsError::Host(text.clone()))?);
    }
    for number in raw.nids.iter().flatten() {
        keys.insert(nid_key((*number).into()).ok_or_else(|| BootParamsError::Nid(number.to_string()))?);
    }
    Ok(Request { keys, fields: raw.fields() })
}

/// Reads the body of a POST, whose hosts have to be xnames as SMD spells them.
///
/// # Errors
///
/// As [`parse_request`], and [`BootParamsError::Spelling`] and [`BootParamsError::Shared`].
pub fn parse_new(body: &[u8]) -> Result<Request, BootParamsError> {
    let request = parse_request(body)?;
    for given in RawEntry::parse(body)?.hosts.unwrap_or_default() {
        let Ok(xname) = given.parse::<Xname>() else { return Err(BootParamsError::Shared(given)) };
        if xname.as_str() != given {
            return Err(BootParamsError::Spelling { given, canonical: xname.to_string() });
        }
    }
    Ok(request)
}

/// Reads the body of a PATCH, which is about keys that have parameters: a host that is none has none.
///
/// # Errors
///
/// As [`parse_request`], with [`BootParamsError::NoSuchHost`] in the place of [`BootParamsError::Host`].
pub fn parse_known(body: &[u8]) -> Result<Request, BootParamsError> {
    parse_request(body).map_err(|error| match error {
        BootParamsError::Host(host) => BootParamsError::NoSuchHost(host),
        error => error,
    })
}

/// What a read asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// All boot parameters.
    All,
    /// Those of these keys. What cannot be a key is left out, because it can match nothing.
    Keys {
        /// The keys.
        keys: BTreeSet<BootKey>,
        /// What was asked for, for the message when nothing is found: `MACs`, `Hosts`, `NIDs`, `kernel`, `initrd`.
        kinds: Vec<&'static str>,
    },
}

/// Reads the selectors of a read: the parameters `mac`, `name` and `nid` of the query, each repeatable and each a list
/// with commas, and those of the body. Other parameters are ignored, as BSS does.
///
/// # Errors
///
/// [`BootParamsError`] for a NID that is no number, and for a body that is not JSON or selects nothing.
pub fn parse_selection(query: &[(String, String)], body: &[u8]) -> Result<Selection, BootParamsError> {
    let asked = |name| listed(query, name).unwrap_or_default();
    let number = |text: &str| whole_number(text).ok_or_else(|| BootParamsError::Nid(text.to_owned()));
    let nids = asked("nid").into_iter().map(number).collect::<Result<Vec<i64>, _>>();
    let (macs, hosts) = (asked("mac"), asked("name"));
    let in_query = !(macs.is_empty() && hosts.is_empty() && nids.as_ref().is_ok_and(Vec::is_empty));
    let raw = match body {
        [] if in_query => RawEntry::default(),
        [] => return Ok(Selection::All),
        // Beside a query, a body that cannot be read counts as none.
        body => RawEntry::parse(body).or_else(|error| if in_query { Ok(RawEntry::default()) } else { Err(error) })?,
    };
    let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect::<Vec<_>>();
    let macs: Vec<String> = raw.macs.into_iter().flatten().chain(owned(macs)).collect();
    let hosts: Vec<String> = raw.hosts.into_iter().flatten().chain(owned(hosts)).collect();
    let nids: Vec<i64> = raw.nids.into_iter().flatten().map(i64::from).chain(nids?).collect();
    let given = |text: &Option<Arc<str>>| text.as_ref().is_some_and(|text| !text.is_empty());
    let asked = [
        ("Hosts", !hosts.is_empty()),
        ("MACs", !macs.is_empty()),
        ("NIDs", !nids.is_empty()),
        // BSS's other storages find what boots a kernel or an initrd; its SQL storage never does.
        ("kernel", given(&raw.kernel)),
        ("initrd", given(&raw.initrd)),
    ];
    let kinds: Vec<_> = asked.into_iter().filter_map(|(kind, asked)| asked.then_some(kind)).collect();
    if kinds.is_empty() {
        return Err(BootParamsError::NothingSelected);
    }
    let macs = macs.iter().filter_map(|text| mac_key(text));
    // A host is asked for as it is spelled in the answer.
    let hosts = hosts
        .iter()
        .filter_map(|text| host_key(text).filter(|key| matches!(key, BootKey::Host(host) if **host == **text)));
    let nids = nids.into_iter().filter_map(nid_key);
    Ok(Selection::Keys { keys: macs.chain(hosts).chain(nids).collect(), kinds })
}

impl From<serde_json::Error> for BootParamsError {
    fn from(error: serde_json::Error) -> Self {
        Self::Body(error.to_string())
    }
}

impl RawEntry {
    /// Reads an object, the names of its fields in any capitals; `null` is one without members, as for the original.
    pub(super) fn parse(text: &[u8]) -> Result<Self, serde_json::Error> {
        json::from_slice::<Option<Self>>(text).map(Option::unwrap_or_default)
    }

    pub(super) fn fields(&self) -> ConfigFields {
        let given = |text: &Option<Arc<str>>| text.clone().filter(|text| !text.is_empty());
        ConfigFields { kernel: given(&self.kernel), initrd: given(&self.initrd), params: given(&self.params) }
    }
}

/// A MAC address as BSS takes it: colons, either case.
#[must_use]
pub fn colon_mac(text: &str) -> Option<MacAddr> {
    let colons = text.len() == 17 && text.bytes().enumerate().all(|(at, byte)| (at % 3 == 2) == (byte == b':'));
    if colons { text.parse().ok() } else { None }
}

pub(super) fn mac_key(text: &str) -> Option<BootKey> {
    colon_mac(text).map(BootKey::Mac)
}

/// A host as BSS's storages other than SQL take it: the xname of a node, or one of the names that stand for many nodes.
fn host_key(text: &str) -> Option<BootKey> {
    if let Some(shared) = SharedHost::named(text) {
        return Some(shared.key());
    }
    let xname: Xname = text.parse().ok()?;
    xname.is_node().then(|| BootKey::Host(xname.into()))
}

pub(super) fn nid_key(number: i64) -> Option<BootKey> {
    u64::try_from(number).ok().map(|number| BootKey::Nid(Nid(number)))
}

#[cfg(test)]
mod tests;
