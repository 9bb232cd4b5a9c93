//! From files to a checked inventory: each file is parsed once, then everything is checked together.

use std::collections::HashSet;
use std::path::Path;

use super::addresses::Addresses;
use super::assign::Assignment;
use super::cluster::{self, ClusterDraft};
use super::code::Severity;
use super::dhcp_checks::DhcpChecks;
use super::diagnostic::{Diagnostic, Report};
use super::files::{self, Content, Files};
use super::forms;
use super::nodes::{self, NodeDraft};
use super::serving::Dhcp;
use super::source::{Source, Sources};
use super::tree::tree;
use super::types::{Bmc, Boot, Cluster, Interface, Inventory, Node};
use super::yaml::MAX_BYTES;
use super::{Code, dhcp_sizes, templates, unique, versions};
use crate::model::IpAddress;

/// What became of a directory.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The inventory; none when a diagnostic is an error.
    pub inventory: Option<Inventory>,
    /// Every problem, in the order of files and lines.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts, for rendering.
    pub sources: Sources,
    /// BLAKE3 over the names and contents of all files that could be read, in hexadecimal.
    pub hash: String,
}

impl Loaded {
    /// The number of diagnostics with a severity.
    #[must_use]
    pub fn count(&self, severity: Severity) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity).count()
    }

    /// A problem at a line of a file, found by somebody who knows more than the files say.
    #[must_use]
    pub fn at_line(&self, code: Code, file: &str, line: u32, message: String, help: String) -> Diagnostic {
        let place = self.sources.get(file).map(|source| {
            let range = source.line_range(usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX));
            source.place(range.start, range.end)
        });
        Diagnostic::new(code, place, message).help(help)
    }
}

/// Loads and checks the inventory in a directory. Never fails: what is wrong is a diagnostic.
#[must_use]
pub fn load(directory: &Path) -> Loaded {
    check(files::read(directory))
}

/// As [`load`], for a directory that somebody may be saving into: it is read again until two readings are the same, at
/// most five times, so that half a save is not taken for the whole.
#[must_use]
pub fn load_settled(directory: &Path) -> Loaded {
    let mut files = files::read(directory);
    let mut last = hash(&files);
    for _ in 1..READINGS {
        let again = files::read(directory);
        let now = hash(&again);
        files = again;
        if now == last {
            break;
        }
        last = now;
    }
    check(files)
}

/// A directory that never comes to rest is read this often; the next event brings the rest.
const READINGS: usize = 5;

/// Checks files.
pub(super) fn check(files: Files) -> Loaded {
    let hash = hash(&files);
    let order: Vec<String> = files.files.iter().map(|(path, _)| path.clone()).collect();
    let report = Report::default();
    let outside: Vec<String> = files.problems.iter().filter_map(linked).collect();
    let is_outside = |path: &str| {
        let below =
            |link: &String| path.strip_prefix(link).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        outside.iter().any(below)
    };
    files.problems.into_iter().for_each(|problem| report.push(problem));
    let mut sources = Sources::default();
    for (path, content) in files.files {
        match content {
            Content::Problem(problem) => report.push(*problem),
            Content::Bytes(bytes) => {
                let (mut source, problem) = decode(&path, bytes);
                source.sound = problem.is_none();
                source.outside = is_outside(&path);
                problem.into_iter().for_each(|problem| report.push(problem));
                sources.insert(source);
            }
        }
    }
    let inventory = examine(&sources, &report, &hash);
    let mut diagnostics = report.into_inner();
    let rank = |file: &str| order.iter().position(|path| path == file).unwrap_or(order.len());
    diagnostics.sort_by_cached_key(|diagnostic| {
        let place = diagnostic.place.as_ref();
        (place.map(|place| (rank(&place.file), place.file.clone(), place.start)), diagnostic.code)
    });
    // An unquoted mode is one mistake, though it is also a number that readers of YAML disagree about.
    diagnostics.dedup_by(|next, last| {
        (last.code, next.code) == (Code::Permissions, Code::OldYaml) && last.place == next.place
    });
    // Two checks may read the same value, and a file with slips is read several times.
    let mut told = HashSet::new();
    diagnostics.retain(|problem| {
        let Some(place) = &problem.place else { return true };
        told.insert((problem.code, place.clone(), problem.message.clone()))
    });
    let sound = diagnostics.iter().all(|diagnostic| diagnostic.severity != Severity::Error);
    Loaded { inventory: inventory.filter(|_| sound), diagnostics, sources, hash }
}

/// The path of a link that leads out of the inventory, of which this problem tells.
fn linked(problem: &Diagnostic) -> Option<String> {
    let place = problem.place.as_ref().filter(|_| problem.code == Code::LinkOutside)?;
    Some(place.file.to_string())
}

/// Names and contents, each with its length in front so that no two trees look the same.
fn hash(files: &Files) -> String {
    let mut hasher = blake3::Hasher::new();
    for (path, content) in &files.files {
        let Content::Bytes(bytes) = content else { continue };
        for part in [path.as_bytes(), bytes] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    hasher.finalize().to_hex().to_string()
}

/// The text of a file; one that is not sound becomes an empty or patched one, and a problem.
pub(super) fn decode(path: &str, mut bytes: Vec<u8>) -> (Source, Option<Diagnostic>) {
    if bytes.len() > MAX_BYTES {
        let message = format!("`{path}` is larger than {} MiB", MAX_BYTES >> 20);
        let problem = Diagnostic::new(Code::TooLarge, Some(files::whole(path)), message);
        let problem = problem.help("an inventory is written by hand; what else is in the file does not belong here");
        return (Source::new(path, String::new()), Some(problem));
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    match String::from_utf8(bytes) {
        Ok(text) => (Source::new(path, text), None),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let utf16 = error.as_bytes().starts_with(b"\xff\xfe") || error.as_bytes().starts_with(b"\xfe\xff");
            let encoding = if utf16 { "UTF-16" } else { "ISO-8859-1" };
            let byte = error.as_bytes().get(at).copied().unwrap_or_default();
            let source = Source::new(path, String::from_utf8_lossy(error.as_bytes()).into_owned());
            let place = source.place(at, at + '\u{fffd}'.len_utf8());
            let problem = Diagnostic::new(Code::NotUtf8, Some(place), format!("`{path}` is not UTF-8"));
            let problem = problem
                .label(format!("the byte 0x{byte:02x}"))
                .help(format!("save the file as UTF-8, for example by `iconv -f {encoding} -t UTF-8`"));
            (source, Some(problem))
        }
    }
}

fn examine(sources: &Sources, report: &Report, hash: &str) -> Option<Inventory> {
    let nodes_tree = tree(sources, report, "nodes.yaml");
    let cluster_tree = tree(sources, report, "cluster.yaml");
    let nodes = nodes_tree.as_ref().and_then(|(sheet, tree)| Some((*sheet, nodes::read(*sheet, tree)?)));
    // What a node that could not be read whole is called, and which groups it is in, is not known. Nothing is said to be
    // for nobody then.
    let complete = !report.has_error_in("nodes.yaml");
    let cluster = cluster_tree.as_ref().and_then(|(sheet, tree)| Some((*sheet, cluster::read(*sheet, tree)?)));

    let templates = templates::read(sources, report);
    if let Some((sheet, cluster)) = &cluster {
        templates.check_names(*sheet, &cluster.boot);
    }
    let mut boots = None;
    let mut dhcp = None;
    if let Some((sheet, nodes)) = &nodes {
        unique::check(*sheet, nodes);
        if let Some((cluster_sheet, cluster)) = &cluster {
            let (networks, boot_ip) = (cluster.networks.as_slice(), cluster.boot_ip);
            Addresses { nodes: *sheet, cluster: *cluster_sheet, networks, boot_ip }.check(nodes);
            let (nodes_sheet, cluster_sheet) = (*sheet, *cluster_sheet);
            let checks = DhcpChecks { nodes_sheet, cluster_sheet, nodes, complete, networks, boot_ip };
            dhcp_sizes::check(&checks, &cluster.dhcp);
            dhcp = Some(checks.resolve(&cluster.dhcp));
            let resolved = Assignment::new(nodes_sheet, cluster_sheet, &cluster.boot, complete).resolve(nodes);
            versions::check(cluster_sheet, &resolved);
            boots = Some(resolved);
        }
    }

    let known = nodes.as_ref().map(|(sheet, nodes)| (*sheet, nodes.as_slice()));
    let mut cloud_init = forms::read(sources, report, known, complete);
    if let Some((sheet, root)) = &cluster_tree {
        cloud_init.pointers.add(*sheet, root);
    }

    let (_, nodes) = nodes?;
    let (_, cluster) = cluster?;
    let boots = boots?.into_iter().map(|boot| {
        boot.map(|mut boot: Boot| {
            templates.fill(&mut boot);
            boot
        })
    });
    let nodes = nodes.into_iter().zip(boots).map(|(draft, boot)| node(draft, boot)).collect::<Option<Vec<_>>>()?;
    let hash = hash.to_owned();
    Some(Inventory {
        cluster: finish(cluster, dhcp?)?,
        nodes,
        cloud_init: cloud_init.open,
        cloud_init_secure: cloud_init.secure,
        cloud_init_defaults: cloud_init.defaults,
        cloud_init_groups: cloud_init.groups,
        cloud_init_instances: cloud_init.instances,
        unknown_script: templates.unknown(sources),
        pointers: cloud_init.pointers,
        hash,
    })
}

/// The node of a complete draft.
fn node(draft: NodeDraft, boot: Option<Boot>) -> Option<Node> {
    let xname = draft.xname?.value;
    let bmc = match draft.bmc {
        None => None,
        Some(bmc) => Some(Bmc {
            xname: xname.parent()?,
            mac: bmc.mac.map(|at| at.value),
            ip: bmc.ip.map(|at| at.value),
            fqdn: bmc.fqdn,
            origin: bmc.origin,
        }),
    };
    let interfaces = draft.interfaces.into_iter().map(|interface| {
        let ips = interface.ips.into_iter().map(|address| IpAddress {
            ip: address.ip.value,
            network: address.network.map(|at| at.value).unwrap_or_default(),
        });
        Some(Interface { mac: interface.mac?.value, ips: ips.collect(), origin: interface.origin })
    });
    Some(Node {
        name: draft.name?.value,
        xname,
        nid: draft.nid?.value,
        groups: draft.groups.into_iter().map(|at| at.value).collect(),
        role: draft.role,
        sub_role: draft.sub_role,
        arch: draft.arch,
        class: draft.class,
        bmc,
        interfaces: interfaces.collect::<Option<Vec<_>>>()?,
        boot,
        lines: draft.lines,
        origin: draft.origin,
    })
}

/// The cluster of a complete draft.
fn finish(draft: ClusterDraft, dhcp: Dhcp) -> Option<Cluster> {
    let name = draft.name?;
    Some(Cluster {
        id: draft.id.unwrap_or_else(|| name.clone()),
        name,
        short_name: draft.short_name,
        nid_length: draft.nid_length,
        domain: draft.domain,
        boot_ip: draft.boot_ip?.0,
        boot_interface: draft.boot_interface,
        networks: draft.networks.into_iter().map(|draft| draft.network).collect(),
        dhcp,
        sync: draft.sync,
    })
}
