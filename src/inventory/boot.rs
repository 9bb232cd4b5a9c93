//! Boot profiles: what `cluster.yaml` says that nodes boot.
//!
//! From the least to the most specific: the profile that the `bss_*` variables make, `boot.default`, the profiles of the
//! node's groups from the lowest `priority` (0 where it is not given) to the highest, the profile of the node. Each takes
//! from the one before it what it does not say itself. `template` names another script than the usual one.

mod trace;

use std::net::Ipv4Addr;
use std::sync::Arc;

use super::Code;
use super::places::BootStretches;
use super::reader::Reader;
use super::source::Origin;
use super::span::Span;
use super::types::Boot;
use super::values::Values;
use super::walker::{self, Fields, Text};
use super::yaml::{Data, Yaml};
use crate::model::GroupLabel;
use crate::template::profile;

/// What the recipe passes to every kernel.
const DEFAULT_OPTIONS: &str = "overlayroot=tmpfs overlayroot_cfgdisk=disabled nomodeset ro ip=dhcp apparmor=0 selinux=0 \
                               console=ttyS0,115200 ip6=off network-config=disabled rd.shell";

/// A profile that may leave things to a less specific one.
#[derive(Debug, Clone)]
pub(super) struct Profile {
    pub(super) kernel: Option<Arc<str>>,
    pub(super) initrd: Option<Arc<str>>,
    pub(super) params: Option<Arc<str>>,
    /// The name of a template, with its place.
    pub(super) template: Option<(Arc<str>, Span)>,
    /// The lines that each of the three comes from.
    pub(super) stretches: BootStretches,
    pub(super) priority: u64,
    /// Something that it says was refused, so what it lacks says nothing.
    pub(super) broken: bool,
    /// Where it is declared in `cluster.yaml`.
    pub(super) span: Span,
    pub(super) origin: Origin,
}

/// One of the values of a profile.
type Value = fn(&Profile) -> Option<&str>;

impl Profile {
    /// What a profile gives, by name.
    pub(super) const VALUES: [(&'static str, Value); 4] = [
        ("kernel", |profile| profile.kernel.as_deref()),
        ("initrd", |profile| profile.initrd.as_deref()),
        ("params", |profile| profile.params.as_deref()),
        ("template", |profile| profile.template.as_ref().map(|(name, _)| &**name)),
    ];

    /// This profile, with what it leaves out taken from a less specific one.
    pub(super) fn over(&self, base: Option<&Self>) -> Self {
        let base_broken = base.is_some_and(|base| base.broken);
        let empty = BootStretches::default();
        let (own, theirs) = (&self.stretches, base.map_or(&empty, |base| &base.stretches));
        let stretches = BootStretches {
            kernel: if self.kernel.is_some() { &own.kernel } else { &theirs.kernel }.clone(),
            initrd: if self.initrd.is_some() { &own.initrd } else { &theirs.initrd }.clone(),
            params: if self.params.is_some() { &own.params } else { &theirs.params }.clone(),
        };
        let base_template = base.and_then(|base| base.template.clone());
        let base = |field: fn(&Self) -> &Option<Arc<str>>| base.and_then(|base| field(base).clone());
        Self {
            stretches,
            kernel: self.kernel.clone().or_else(|| base(|b| &b.kernel)),
            initrd: self.initrd.clone().or_else(|| base(|b| &b.initrd)),
            params: self.params.clone().or_else(|| base(|b| &b.params)),
            template: self.template.clone().or(base_template),
            broken: self.broken || base_broken,
            ..self.clone()
        }
    }

    /// The name of the template; empty for the usual script.
    fn template_name(&self) -> &str {
        match &self.template {
            Some((name, _)) if **name != *profile::BOOT => name,
            _ => "",
        }
    }

    /// What a node is given; none without a kernel.
    pub(super) fn boot(&self) -> Option<Boot> {
        let text = |field: &Option<Arc<str>>| field.clone().unwrap_or_default();
        Some(Boot {
            kernel: self.kernel.clone()?,
            initrd: text(&self.initrd),
            params: text(&self.params),
            template: self.template_name().into(),
            script: Arc::default(),
            stretches: self.stretches.clone(),
            origin: self.origin.clone(),
        })
    }
}

/// All profiles of a cluster.
#[derive(Debug, Default)]
pub(super) struct BootDraft {
    /// For every node.
    pub(super) default: Option<Profile>,
    pub(super) groups: Vec<(GroupLabel, Profile)>,
    /// By node name or xname, as it is written.
    pub(super) nodes: Vec<(String, Profile)>,
}

/// Reads the `bss_*` variables and `boot`.
pub(super) fn read<'y>(reader: &Reader<'y>, cluster: &Fields<'y>, boot_ip: Option<Ipv4Addr>) -> BootDraft {
    let mut draft = BootDraft { default: from_variables(reader, cluster, boot_ip), ..BootDraft::default() };
    let sheet = reader.sheet;
    let Some(fields) = cluster.get("boot").and_then(|yaml| Fields::read(sheet, yaml, "boot", None)) else {
        return draft;
    };
    fields.known(&["default", "groups", "nodes"], |key| {
        matches!(key, "kernel" | "initrd" | "params" | "template").then_some("write it under `default:`")
    });
    if let Some(profile) = fields.get("default").and_then(|yaml| profile(reader, yaml, yaml.span, false)) {
        draft.default = Some(profile.over(draft.default.as_ref()));
    }
    if let Some(groups) = fields.get("groups").and_then(|yaml| Fields::read(sheet, yaml, "groups", None)) {
        for pair in groups.pairs() {
            let key = Text { text: &pair.key.text, span: pair.key.span };
            let Some(label) = (Values { sheet, node: None }).group(key) else { continue };
            if let Some(profile) = profile(reader, &pair.value, pair.key.span, true) {
                draft.groups.push((label, profile));
            }
        }
    }
    if let Some(nodes) = fields.get("nodes").and_then(|yaml| Fields::read(sheet, yaml, "nodes", None)) {
        for pair in nodes.pairs() {
            if let Some(profile) = profile(reader, &pair.value, pair.key.span, false) {
                draft.nodes.push((pair.key.text.to_string(), profile));
            }
        }
    }
    draft
}

/// The profile that the recipe makes of its variables.
fn from_variables<'y>(reader: &Reader<'y>, cluster: &Fields<'y>, boot_ip: Option<Ipv4Addr>) -> Option<Profile> {
    let first = cluster.pairs().iter().find(|pair| pair.key.text.starts_with("bss_") && pair.key.text != "bss_macs")?;
    let text = |key: &str| cluster.text(key).and_then(|text| reader.named(text));
    let (version, image) = (text("bss_kernel_version"), text("bss_image_version"));
    let kernel = text("bss_kernel_url").and_then(|(url, span)| url_value(reader, url, span, "bss_kernel_url"));
    let has_url = kernel.is_some();
    let initrd = text("bss_initrd_url").and_then(|(url, span)| url_value(reader, url, span, "bss_initrd_url"));
    let derived = match (boot_ip, &version, &image) {
        (Some(ip), Some((version, span)), Some((image, image_span))) => {
            let version_fits = segment(reader, version, *span, "bss_kernel_version");
            let image_fits = segment(reader, image, *image_span, "bss_image_version");
            let base = || format!("http://{ip}:8080/openchami/{}", image.trim_matches('/'));
            (version_fits && image_fits).then(|| (base(), version))
        }
        _ => None,
    };
    let given = |key: &str| cluster.get(key).is_some();
    let (has_version, has_image) = (given("bss_kernel_version"), given("bss_image_version"));
    if has_version != has_image && !given("bss_kernel_url") {
        let missing = if has_version { "bss_image_version" } else { "bss_kernel_version" };
        let message = format!("without `{missing}` there is no kernel to boot");
        let problem = reader.sheet.problem(Code::NoKernel, first.key.span, message);
        reader.sheet.push(problem.help(format!("write `{missing}`, too, or the whole URL as `bss_kernel_url`")));
    }
    let file = |name: &str| derived.as_ref().map(|(base, version)| format!("{base}/{name}-{version}"));
    let whole = optional(reader, cluster, "bss_params").and_then(|(params, span)| line(reader, params, span));
    let params = whole.or_else(|| {
        let part = |key: &'static str, default: Option<String>| match given(key) {
            true => optional(reader, cluster, key).and_then(|(part, span)| line(reader, part, span)),
            false => default,
        };
        let root = part("bss_params_root", file("rootfs").map(|url| format!("root=live:{url}")));
        let seed = boot_ip.map(|ip| format!("ds=nocloud;s=http://{ip}:8081/cloud-init/"));
        let options = part("bss_params_opts", Some(DEFAULT_OPTIONS.into()));
        let parts = [root, part("bss_params_cloud_init", seed), options].into_iter().flatten();
        Some(parts.filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" "))
    });
    let cause = cluster.pairs().iter().find(|pair| pair.key.text == "bss_image_version").unwrap_or(first);
    let span = cause.key.span.to(cause.value.span);
    let profile = Profile {
        kernel: kernel.or_else(|| file("vmlinuz")).map(Arc::from),
        initrd: initrd.or_else(|| file("initramfs").map(|url| format!("{url}.img"))).map(Arc::from),
        params: params.map(Arc::from),
        stretches: BootStretches::default(),
        template: None,
        priority: 0,
        broken: has_version != has_image || (has_version && derived.is_none()) || (given("bss_kernel_url") && !has_url),
        span,
        origin: reader.sheet.origin(span),
    };
    Some(trace::of_variables(reader, cluster, boot_ip, profile))
}

/// One profile; `at` is what problems with it as a whole point at.
fn profile<'y>(reader: &Reader<'y>, yaml: &'y Yaml<'y>, at: Span, group: bool) -> Option<Profile> {
    let sheet = reader.sheet;
    let fields = Fields::read(sheet, yaml, "a boot profile", None)?;
    let known: &[&str] = match group {
        true => &["kernel", "initrd", "params", "template", "priority"],
        false => &["kernel", "initrd", "params", "template"],
    };
    fields.known(known, |key| match key {
        "cmdline" | "append" => Some("write `params`"),
        "priority" => Some("only profiles of groups have a priority"),
        _ => None,
    });
    let url = |key: &'static str| {
        let (url, span) = optional(reader, &fields, key)?;
        if url.is_empty() { Some(String::new()) } else { url_value(reader, url, span, key) }
    };
    let kernel = fields.text("kernel").and_then(|text| reader.named(text));
    let kernel = kernel.and_then(|(kernel, span)| url_value(reader, kernel, span, "kernel"));
    let priority = fields
        .text("priority")
        .and_then(|text| Values { sheet, node: None }.number(Code::Number, "priority", text, 0..=u64::from(u32::MAX)));
    let span = at.to(if at == yaml.span { at } else { yaml.span });
    let profile = Profile {
        broken: kernel.is_none() && fields.get("kernel").is_some(),
        kernel: kernel.map(Arc::from),
        initrd: url("initrd").map(Arc::from),
        params: optional(reader, &fields, "params")
            .and_then(|(params, span)| line(reader, params, span))
            .map(Arc::from),
        template: fields.text("template").and_then(|text| reader.named(text)).map(|(name, at)| (name.into(), at)),
        stretches: BootStretches::default(),
        priority: priority.unwrap_or(0),
        span: at,
        origin: sheet.origin(span),
    };
    Some(trace::of_profile(reader, &fields, profile))
}

/// A text that may be empty on purpose: `initrd: ""` boots without one, `bss_params_opts: ""` adds nothing.
fn optional<'y>(reader: &Reader<'y>, fields: &Fields<'y>, key: &'static str) -> Option<(String, Span)> {
    let yaml = fields.get(key)?;
    match &yaml.data {
        Data::Scalar(scalar) if !scalar.plain && scalar.text.is_empty() => Some((String::new(), yaml.span)),
        _ => walker::text(reader.sheet, yaml, key, None).and_then(|text| reader.named(text)),
    }
}

/// A URL that iPXE can fetch as OpenCHAMI builds it: its FTP and NFS are left out of the build.
fn url_value(reader: &Reader<'_>, url: String, span: Span, what: &str) -> Option<String> {
    let rest = ["http://", "https://", "tftp://"].iter().find_map(|scheme| url.strip_prefix(scheme));
    let fault = match rest {
        None if url.contains("://") => "iPXE as OpenCHAMI builds it cannot fetch this",
        None => "it does not start with `http://` or `https://`",
        Some(rest) if rest.is_empty() || rest.starts_with(['/', ':']) => "it names no host",
        Some(_) if url.contains(|c: char| c.is_whitespace() || c.is_control()) => "it contains a blank",
        Some(_) => return Some(url),
    };
    let problem = reader.sheet.problem(Code::BootUrl, span, format!("`{what}` is not a URL that nodes can boot from"));
    reader.sheet.push(
        problem
            .label(fault)
            .help("`http`, `https` and `tftp` are possible, as `http://172.16.0.254:8080/openchami/compute/vmlinuz`"),
    );
    None
}

/// True for a text that can be part of a URL's path; any other is reported.
fn segment(reader: &Reader<'_>, text: &str, span: Span, what: &str) -> bool {
    if !text.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '?' | '#' | '\\')) {
        return true;
    }
    let problem = reader.sheet.problem(Code::BootUrl, span, format!("`{what}` cannot be part of a URL"));
    reader.sheet.push(
        problem
            .label("has a blank or another character that a path cannot have")
            .help("letters, digits, `/`, `.`, `_` and `-` are safe"),
    );
    false
}

/// Parameters are one line; the line end of a YAML block is no part of them.
fn line(reader: &Reader<'_>, params: String, span: Span) -> Option<String> {
    let params = params.trim();
    if !params.contains(char::is_control) {
        return Some(params.to_owned());
    }
    let problem = reader.sheet.problem(Code::BootParameters, span, "boot parameters have to be one line");
    reader.sheet.push(
        problem.label("has a line end or control character").help("write `>-` in place of `|` to fold lines into one"),
    );
    None
}
