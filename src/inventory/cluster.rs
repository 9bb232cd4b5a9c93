//! `cluster.yaml`: the tutorial's variables, networks, boot profiles and the sync policy.
//!
//! The file takes the variables of the tutorial's Ansible inventory as they are. Those that only its playbook needs are
//! named in a warning and ignored.

use std::net::Ipv4Addr;

use super::Code;
use super::boot::{self, BootDraft};
use super::dhcp::{self, DhcpDraft};
use super::near::did_you_mean;
use super::networks::{self, NetworkDraft};
use super::policy;
use super::reader::Reader;
use super::source::Sheet;
use super::span::Span;
use super::types::SyncPolicy;
use super::variables::Variables;
use super::walker::{Fields, suggest_name, words};
use super::yaml::Yaml;

/// `cluster.yaml` as far as it could be read.
#[derive(Debug)]
pub(super) struct ClusterDraft {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) short_name: String,
    pub(super) nid_length: usize,
    pub(super) domain: String,
    pub(super) boot_ip: Option<(Ipv4Addr, Span)>,
    pub(super) boot_interface: Option<String>,
    pub(super) networks: Vec<NetworkDraft>,
    pub(super) dhcp: DhcpDraft,
    pub(super) boot: BootDraft,
    pub(super) sync: SyncPolicy,
}

/// Keys that mean something here.
const KNOWN: &[&str] = &[
    "cluster_id",
    "cluster_name",
    "cluster_shortname",
    "cluster_nidlength",
    "cluster_domain",
    "cluster_boot_ip",
    "cluster_boot_interface",
    "cluster_boot_ssh_pub_key",
    "bss_kernel_version",
    "bss_image_version",
    "bss_kernel_url",
    "bss_initrd_url",
    "bss_params_root",
    "bss_params_cloud_init",
    "bss_params_opts",
    "bss_params",
    "networks",
    "hosts",
    "dhcp",
    "boot",
    "sync",
];

/// Keys of the Ansible recipe that only its playbook needs.
const IGNORED: &[&str] =
    &["cluster_proxy", "bss_macs", "_bss_macs", "enable_wireguard", "packages", "volumes", "containers"];

/// Beginnings of such keys.
const IGNORED_PREFIXES: &[&str] =
    &["ochami_", "coredhcp_", "wireguard_", "podman_", "quadlet", "configurator_", "dnsmasq_", "ansible_"];

/// Keys of the recipe whose content belongs elsewhere, and where.
const MOVED: &[(&str, &str)] = &[
    ("cluster_cloud_init", "write each entry into a file `cloud-init/NAME.yaml`"),
    ("cluster_cloud_init_templates", "write each entry into a file `cloud-init/NAME.yaml`"),
    ("cluster_cloud_init_metadata", "write it as `metadata` of an entry in `cloud-init/NAME.yaml`"),
    (
        "cluster_munge_key",
        "refer to the key in `cloud-init/secure/NAME.yaml`: `$secret: {file: munge.key, encode: base64}`",
    ),
    ("nodes", "the nodes belong in `nodes.yaml`"),
    ("ochami_groups", "name the groups of a node in `nodes.yaml`: `groups: [compute]`"),
];

/// Reads the whole file.
pub(super) fn read<'y>(sheet: Sheet<'y>, root: &'y Yaml<'y>) -> Option<ClusterDraft> {
    let fields = Fields::read(sheet, root, "cluster.yaml", None)?;
    let misspelt = check_keys(&fields);
    let reader = Reader { sheet, variables: Variables::new(sheet, fields.pairs()) };
    misspelt.into_iter().for_each(|key| reader.variables.mistrust(key));
    // Either is missed when only the other is there; that is told with the boot profile.
    let versions = ["bss_kernel_version", "bss_image_version"];
    if versions.iter().any(|key| fields.get(key).is_some()) {
        versions.into_iter().filter(|key| fields.get(key).is_none()).for_each(|key| reader.variables.mistrust(key));
    }
    let required = |key: &'static str| match fields.required_text(key) {
        None => {
            reader.variables.mistrust(key);
            None
        }
        text => text,
    };
    let text = |key: &str| fields.text(key).and_then(|text| reader.named(text)).map(|(text, _)| text);
    let host_name = |key: &str| fields.text(key).and_then(|text| reader.host_name(text));
    let nid_length = fields.text("cluster_nidlength").and_then(|text| {
        reader.value(text, |values, text| values.number(Code::Number, "cluster_nidlength", text, 1..=18))
    });
    let boot_ip = required("cluster_boot_ip").and_then(|text| {
        let ip = reader.ipv4(text);
        if ip.is_none() {
            reader.variables.mistrust("cluster_boot_ip");
        }
        Some((ip?, text.span))
    });
    let name = required("cluster_name").and_then(|text| reader.host_name(text));
    // The key is for the nodes' cloud-init, where it is written out; here it only has to be sound.
    text("cluster_boot_ssh_pub_key");
    Some(ClusterDraft {
        id: text("cluster_id"),
        name,
        short_name: host_name("cluster_shortname").unwrap_or_else(|| "nid".into()),
        nid_length: nid_length.and_then(|length| usize::try_from(length).ok()).unwrap_or(3),
        domain: host_name("cluster_domain").unwrap_or_else(|| "openchami.cluster".into()),
        boot_interface: text("cluster_boot_interface"),
        networks: fields.get("networks").map(|yaml| networks::read(&reader, yaml)).unwrap_or_default(),
        dhcp: dhcp::read(&reader, &fields),
        boot: boot::read(&reader, &fields, boot_ip.map(|(ip, _)| ip)),
        sync: fields.get("sync").map(|yaml| policy::read(sheet, yaml)).unwrap_or_default(),
        boot_ip,
    })
}

/// Reports keys that mean nothing here, those of the recipe in one warning. The result is the keys that were meant.
fn check_keys(fields: &Fields<'_>) -> Vec<&'static str> {
    let sheet = fields.sheet;
    let mut meant = Vec::new();
    let mut ignored = Vec::new();
    for key in fields.pairs().iter().map(|pair| &pair.key).filter(|key| !KNOWN.contains(&&*key.text)) {
        if let Some((name, help)) = MOVED.iter().find(|(name, _)| *name == key.text) {
            let problem = sheet.problem(Code::MovedKey, key.span, format!("`{name}` is not read from `cluster.yaml`"));
            sheet.push(problem.label("ignored").help(*help));
        } else if IGNORED.contains(&&*key.text) || IGNORED_PREFIXES.iter().any(|prefix| key.text.starts_with(prefix)) {
            ignored.push(key);
        } else {
            let problem = sheet
                .problem(Code::UnknownField, key.span, format!("unknown field `{}`", key.text))
                .label("not a field of cluster.yaml");
            match did_you_mean(&key.text, KNOWN.iter().copied()) {
                Some(similar) => {
                    meant.push(similar);
                    fields.tell(suggest_name(sheet, problem, key, similar));
                }
                None => sheet.push(problem.help("the fields are listed by `ochami-sync explain OS0102`")),
            }
        }
    }
    let Some((first, rest)) = ignored.split_first() else { return meant };
    let names: Vec<&str> = ignored.iter().map(|key| &*key.text).collect();
    let message = match names.len() {
        1 => format!("the Ansible variable {} has no meaning here", words(&names)),
        _ => format!("the Ansible variables {} have no meaning here", words(&names)),
    };
    let problem =
        sheet.problem(Code::AnsibleKey, first.span, message).label("ignored").help("remove what only Ansible reads");
    sheet.push(rest.iter().fold(problem, |problem, key| problem.related(sheet.place(key.span), "ignored")));
    meant
}
