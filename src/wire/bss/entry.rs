//! What BSS answers: lists of boot parameters, and a boot script as JSON.

use std::collections::HashMap;

use serde::Serialize;

use crate::model::{BootConfig, BootKey, MacAddr, Nid};

/// An entry of `GET bootparameters`, in BSS's order of members.
#[derive(Serialize)]
struct Entry<'a> {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hosts: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    macs: Vec<MacAddr>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    nids: Vec<Nid>,
    #[serde(skip_serializing_if = "str::is_empty")]
    params: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    kernel: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    initrd: &'a str,
    #[serde(rename = "cloud-init")]
    cloud_init: CloudInit,
}

/// The member that BSS sends with every entry, always with nothing in it.
#[derive(Serialize, Default)]
#[serde(rename_all = "kebab-case")]
struct CloudInit {
    meta_data: Option<()>,
    user_data: Option<()>,
    phone_home: PhoneHome,
}

#[derive(Serialize, Default)]
struct PhoneHome {
    pub_key_dsa: &'static str,
    pub_key_rsa: &'static str,
    pub_key_ecdsa: &'static str,
    instance_id: &'static str,
    hostname: &'static str,
    fqdn: &'static str,
}

/// The body of `GET bootparameters`: keys of one kind with equal parameters share an entry, entries stand in the order
/// of their first keys. `null` when there is nothing, as BSS sends it.
///
/// Kinds are kept apart because today's BSS drops all but the hosts of an entry with several kinds when it is sent back.
pub fn list_json<'a>(params: impl IntoIterator<Item = (&'a BootKey, &'a BootConfig)>) -> String {
    let mut entries: Vec<Entry<'a>> = Vec::new();
    let mut at: HashMap<(u8, &'a BootConfig), usize> = HashMap::new();
    for (key, config) in params {
        let index = *at.entry((rank(key), config)).or_insert_with(|| {
            entries.push(Entry {
                hosts: Vec::new(),
                macs: Vec::new(),
                nids: Vec::new(),
                params: &config.params,
                kernel: &config.kernel,
                initrd: &config.initrd,
                cloud_init: CloudInit::default(),
            });
            entries.len() - 1
        });
        match key {
            BootKey::Mac(mac) => entries[index].macs.push(*mac),
            BootKey::Host(host) => entries[index].hosts.push(host),
            BootKey::Nid(nid) => entries[index].nids.push(*nid),
        }
    }
    let entries = (!entries.is_empty()).then_some(entries);
    serde_json::to_string(&entries).expect("an entry is a structure of texts and numbers")
}

/// A number for the kind of key.
pub(super) fn rank(key: &BootKey) -> u8 {
    match key {
        BootKey::Mac(_) => 0,
        BootKey::Host(_) => 1,
        BootKey::Nid(_) => 2,
    }
}

/// A boot script in the parts that `json=1` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptParts {
    /// The whole kernel command line.
    pub params: String,
    /// URL of the kernel.
    pub kernel: String,
    /// URL of the initrd; empty means none.
    pub initrd: String,
}

/// The body of `GET bootscript?json=1`.
#[must_use]
pub fn script_json(parts: &ScriptParts) -> String {
    serde_json::json!({
        "params": format!("kernel {}", parts.params),
        "kernel": {"path": parts.kernel},
        "initrd": {"path": parts.initrd},
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_parameters_of_one_kind_share_an_entry_in_stable_order() {
        let same = BootConfig { kernel: "k".into(), params: "p".into(), ..BootConfig::default() };
        let other = BootConfig { kernel: "o".into(), ..same.clone() };
        let keys: Vec<BootKey> = ["mac:02:00:00:00:00:01", "mac:02:00:00:00:00:02", "mac:02:00:00:00:00:03", "nid:3"]
            .map(|k| k.parse().unwrap())
            .to_vec();
        let text = list_json([(&keys[0], &same), (&keys[1], &other), (&keys[2], &same), (&keys[3], &same)]);
        let list: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(list[0]["macs"], serde_json::json!(["02:00:00:00:00:01", "02:00:00:00:00:03"]));
        assert_eq!(list[1]["macs"], serde_json::json!(["02:00:00:00:00:02"]));
        assert_eq!(list[2]["nids"], serde_json::json!([3]));
        assert!(list[0].get("initrd").is_none());
        assert_eq!(list.as_array().unwrap().len(), 3);
    }

    #[test]
    fn nothing_is_null() {
        assert_eq!(list_json([]), "null");
    }

    #[test]
    fn a_script_as_json_names_its_parts() {
        let parts = ScriptParts { params: "initrd=initrd q".into(), kernel: "k".into(), initrd: String::new() };
        let expected = r#"{"initrd":{"path":""},"kernel":{"path":"k"},"params":"kernel initrd=initrd q"}"#;
        assert_eq!(script_json(&parts), expected);
    }
}
