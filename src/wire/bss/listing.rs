//! BSS seen as a client sees it: reading the list of boot parameters, and the bodies that change it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::entry::rank;
use super::request::{RawEntry, mac_key, nid_key};
use crate::model::{BootConfig, BootKey, Xname};

/// What a BSS holds, as far as it can be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// One item a key, in the order of the answer.
    pub entries: Vec<(BootKey, BootConfig)>,
    /// What could not be read: one sentence an entry or key. The rest of the answer is good.
    pub rejected: Vec<String>,
}

/// Reads the body of `GET bootparameters`. An entry that is not understood does not spoil the others.
///
/// # Errors
///
/// The message of the JSON reader when the body is neither a list nor `null`.
pub fn parse_listing(body: &[u8]) -> Result<Listing, serde_json::Error> {
    let items: Option<Vec<Box<RawValue>>> = serde_json::from_slice(body)?;
    let mut listing = Listing::default();
    for (number, item) in items.into_iter().flatten().enumerate() {
        match RawEntry::parse(item.get().as_bytes()) {
            Ok(entry) => listing.take(&entry),
            Err(error) => listing.rejected.push(format!("entry {number} of the boot parameters: {error}")),
        }
    }
    Ok(listing)
}

impl Listing {
    fn take(&mut self, entry: &RawEntry) {
        let config = entry.fields().over(&BootConfig::default());
        let hosts = entry.hosts.iter().flatten().map(|text| host(text).ok_or_else(|| format!("host `{text}`")));
        let macs = entry.macs.iter().flatten().map(|text| mac_key(text).ok_or_else(|| format!("MAC `{text}`")));
        let nids = entry.nids.iter().flatten().map(|nid| nid_key((*nid).into()).ok_or_else(|| format!("NID `{nid}`")));
        for key in hosts.chain(macs).chain(nids) {
            match key {
                Ok(key) => self.entries.push((key, config.clone())),
                Err(what) => self.rejected.push(format!("boot parameters of {what}, which cannot be one")),
            }
        }
    }
}

/// A host in a list: an xname in its normal form, or one of the special names, as it is.
fn host(text: &str) -> Option<BootKey> {
    let name: Arc<str> = text.parse::<Xname>().map_or_else(|_| text.into(), Into::into);
    (!name.is_empty()).then_some(BootKey::Host(name))
}

/// The body of one request, and the keys it is about, so that its failure can be reported for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// The keys named in it.
    pub keys: Vec<BootKey>,
    /// The JSON to send.
    pub json: String,
}

/// The bodies of `PUT bootparameters` that store these: keys with equal parameters share a body, of at most `most` keys
/// and of one kind, because BSS keeps only the hosts of a body that has several. Empty fields are left out.
///
/// BSS merges: a field that is left out keeps what it was. Who wants a field emptied has to delete the key first.
pub fn put_bodies<'a>(params: impl IntoIterator<Item = (&'a BootKey, &'a BootConfig)>, most: usize) -> Vec<Body> {
    let mut groups: BTreeMap<(u8, &BootConfig), Vec<BootKey>> = BTreeMap::new();
    for (key, config) in params {
        groups.entry((rank(key), config)).or_default().push(key.clone());
    }
    let fields = |config: &BootConfig| {
        let named = [("kernel", &config.kernel), ("initrd", &config.initrd), ("params", &config.params)];
        named
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(name, text)| (name, Value::from(&**text)))
            .collect()
    };
    groups.into_iter().flat_map(|((_, config), keys)| bodies(&keys, &fields(config), most)).collect()
}

/// The bodies of `DELETE bootparameters` that remove these keys, each of one kind and at most `most` keys.
pub fn delete_bodies<'a>(keys: impl IntoIterator<Item = &'a BootKey>, most: usize) -> Vec<Body> {
    let mut groups: BTreeMap<u8, Vec<BootKey>> = BTreeMap::new();
    for key in keys {
        groups.entry(rank(key)).or_default().push(key.clone());
    }
    groups.into_values().flat_map(|keys| bodies(&keys, &[].into(), most)).collect()
}

/// The bodies over keys of one kind.
fn bodies(keys: &[BootKey], fields: &BTreeMap<&str, Value>, most: usize) -> Vec<Body> {
    let chunks = keys.chunks(most.max(1));
    chunks
        .map(|keys| {
            let mut body = json!(fields);
            for key in keys {
                let (kind, value) = match key {
                    BootKey::Mac(mac) => ("macs", Value::from(mac.to_string())),
                    BootKey::Host(host) => ("hosts", Value::from(&**host)),
                    BootKey::Nid(nid) => ("nids", Value::from(nid.0)),
                };
                match &mut body[kind] {
                    Value::Array(list) => list.push(value),
                    list => *list = json!([value]),
                }
            }
            Body { keys: keys.to_vec(), json: body.to_string() }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::bss::{list_json, parse_request};

    fn config(kernel: &str) -> BootConfig {
        BootConfig { kernel: kernel.into(), initrd: "i".into(), ..BootConfig::default() }
    }

    fn key(text: &str) -> BootKey {
        text.parse().unwrap()
    }

    #[test]
    fn what_we_list_is_read_back() {
        let params = [
            (key("mac:02:00:00:00:00:01"), config("a")),
            (key("mac:02:00:00:00:00:02"), config("b")),
            (key("host:x1000c1s7b0n0"), config("a")),
            (key("nid:7"), config("a")),
        ];
        let text = list_json(params.iter().map(|(key, config)| (key, config)));
        let listing = parse_listing(text.as_bytes()).unwrap();
        assert_eq!(listing, Listing { entries: params.to_vec(), rejected: Vec::new() });
        assert_eq!(parse_listing(b"null").unwrap(), Listing::default());
    }

    #[test]
    fn an_entry_that_is_not_understood_does_not_spoil_the_others() {
        let text =
            br#"[{"macs":7},[],{"macs":["zz","02:00:00:00:00:01"],"nids":[-1],"hosts":["Default",""],"kernel":"k"}]"#;
        let listing = parse_listing(text).unwrap();
        let keys: Vec<String> = listing.entries.iter().map(|(key, _)| key.to_string()).collect();
        assert_eq!(keys, ["host:Default", "mac:02:00:00:00:00:01"]);
        assert_eq!(listing.rejected.len(), 5, "{:?}", listing.rejected);
        assert!(parse_listing(b"{}").is_err());
    }

    #[test]
    fn a_put_has_keys_of_one_kind_with_equal_parameters() {
        let macs: Vec<BootKey> = (1..=5).map(|n| key(&format!("mac:02:00:00:00:00:0{n}"))).collect();
        let (host, a, b) = (key("host:x1000c1s7b0n0"), config("a"), config("b"));
        let mut params: Vec<_> = macs.iter().map(|mac| (mac, &a)).collect();
        params.extend([(&host, &a), (&macs[0], &b)]);
        let bodies = put_bodies(params, 3);
        let counts: Vec<usize> = bodies.iter().map(|body| body.keys.len()).collect();
        assert_eq!(counts, [3, 2, 1, 1]);
        for body in bodies {
            let request = parse_request(body.json.as_bytes()).unwrap();
            assert!(request.keys.iter().eq(&body.keys));
            assert_eq!(request.fields.params, None, "an empty field is left out");
        }
    }

    #[test]
    fn a_delete_names_keys_and_nothing_else() {
        let keys = [key("mac:02:00:00:00:00:01"), key("nid:4"), key("mac:02:00:00:00:00:02")];
        let bodies = delete_bodies(&keys, 100);
        let texts: Vec<&str> = bodies.iter().map(|body| &*body.json).collect();
        assert_eq!(texts, [r#"{"macs":["02:00:00:00:00:01","02:00:00:00:00:02"]}"#, r#"{"nids":[4]}"#]);
    }
}
