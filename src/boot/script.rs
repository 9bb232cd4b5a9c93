//! The iPXE script of a node, after BSS `bootscript`.
//!
//! Unlike BSS, which looks only under the kind of key that was asked for, parameters are found under whatever kind of key
//! they are stored and the node asks; and a node needs no component endpoint. It has to be a node that SMD knows, and one
//! that asks by its MAC address must not be `Empty`. It may ask by its MAC address in any spelling, because firmware has
//! its own, and by its xname as SMD spells it. Parameters of its role and those for every node come after its own; a
//! machine with nothing to boot gets those for its architecture, where there are some. The site's own templates take the
//! place of BSS's scripts.

mod templated;

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use self::templated::{templated, unknown_templated};
use super::params::{Identity, command_line, one_line};
use crate::model::{BootConfig, BootKey, Component, MacAddr, Nid, State, Timestamp, Xname};
use crate::snapshot::BootView;
use crate::template::boot_script as template;
use crate::wire::bss::{ScriptParts, SharedHost};

/// What the scripts say that is the same for every node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptSettings {
    /// Where the node's cloud-init finds its seed, for `ds=nocloud-net;s=…/`; without the slash at its end. Empty for
    /// the address at which the node reached us.
    pub advertise_address: String,
    /// What precedes `/boot/v1/bootscript` in the URL that a script chains to. Empty for the boot listener at the address
    /// at which the node reached us.
    pub chain_base_url: String,
    /// The port of the boot listener.
    pub boot_port: u16,
    /// Seconds that a node waits when its boot failed.
    pub retry_delay: u32,
    /// Seconds that a node waits which has nothing to boot yet.
    pub unknown_delay: u32,
}

impl ScriptSettings {
    /// The settings with what is left open filled in. The address at which a node reached us is one it can reach again;
    /// nothing that may be missing or broken at a start, such as a file, is needed to know it.
    #[must_use]
    pub fn reached_at(&self, address: Option<IpAddr>) -> Cow<'_, Self> {
        if !self.advertise_address.is_empty() && !self.chain_base_url.is_empty() {
            return Cow::Borrowed(self);
        }
        let host = match address {
            Some(IpAddr::V6(ip)) => format!("[{ip}]"),
            Some(IpAddr::V4(ip)) => ip.to_string(),
            None => String::new(),
        };
        let mut whole = self.clone();
        if whole.chain_base_url.is_empty() {
            whole.chain_base_url = format!("http://{host}:{}/apis/bss", self.boot_port);
        }
        if whole.advertise_address.is_empty() {
            whole.advertise_address = host;
        }
        Cow::Owned(whole)
    }
}

/// Whose script is asked for, in the words of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selector<'a> {
    /// The node that has this MAC address, in any spelling.
    Mac(&'a str),
    /// The node of this xname, as SMD spells it.
    Name(&'a str),
    /// The node of this number.
    Nid(Nid),
}

impl Selector<'_> {
    /// The MAC address that asks, its digits as they were asked, joined in pairs by dashes.
    fn dashed_mac(self) -> Option<String> {
        match self {
            Self::Mac(text) => Some(dashed(padded(text).as_deref().unwrap_or(text))),
            Self::Name(_) | Self::Nid(_) => None,
        }
    }
}

/// A request for a boot script.
#[derive(Debug, Clone, Copy)]
pub struct ScriptRequest<'a> {
    /// Whose script.
    pub selector: Selector<'a>,
    /// How many times the node has tried before.
    pub retry: i64,
    /// The architecture that iPXE was built for; a node without anything to boot gives it the second time it asks.
    pub arch: Option<&'a str>,
    /// Whether the parts are wanted instead of the script.
    pub json: bool,
    /// The present moment.
    pub now: Timestamp,
}

/// The answer to a request for a boot script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptAnswer {
    /// The script.
    Script(String),
    /// A script that has the machine wait and ask again.
    Wait(String),
    /// Its parts.
    Parts(ScriptParts),
    /// There is none; a sentence says why.
    NotConfigured(String),
}

/// Why a script could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// The template is at fault.
    #[error(transparent)]
    Template(#[from] template::RenderError),
}

/// What stands in the parameters of systems that give their nodes SPIRE tokens.
const JOIN_TOKEN: &str = "${SPIRE_JOIN_TOKEN}";

/// The script of a node.
///
/// # Errors
///
/// [`ScriptError`] when the template cannot be rendered.
pub fn script(
    view: &BootView,
    request: &ScriptRequest<'_>,
    settings: &ScriptSettings,
) -> Result<ScriptAnswer, ScriptError> {
    let found = node(view, request.selector);
    let asked_mac = request.selector.dashed_mac();
    let identity = Identity {
        xname: found.map(|node| node.id.as_str()),
        nid: found.and_then(|node| node.nid).map(|nid| nid.0),
        mac: asked_mac.as_deref(),
        seed: &settings.advertise_address,
    };
    let Some((node, config)) = found.and_then(|node| Some((node, config_of(view, node, request.selector)?))) else {
        // As JSON there is always an answer, in which there is no kernel.
        return match request.json {
            true => Ok(ScriptAnswer::Parts(parts(&BootConfig::default(), &identity))),
            false => unknown(view, found, request, settings),
        };
    };
    if let Some(what) = unavailable(config) {
        return Ok(ScriptAnswer::NotConfigured(format!("{}: {what}", node.id)));
    }
    if request.json {
        return Ok(ScriptAnswer::Parts(parts(config, &identity)));
    }
    let again = who(view, Some(node), request.selector);
    let chain_url =
        format!("{}/boot/v1/bootscript?{again}&retry={}", settings.chain_base_url, request.retry.saturating_add(1));
    if !config.script.is_empty() {
        return templated(config, &identity, &chain_url, request.retry, settings);
    }
    rendered(config, &identity, &chain_url, settings)
}

fn parts(config: &BootConfig, identity: &Identity<'_>) -> ScriptParts {
    let (kernel, initrd) = (one_line(&config.kernel), one_line(&config.initrd));
    let params = command_line(&config.params, !initrd.is_empty(), identity);
    ScriptParts { params, kernel: kernel.into_owned(), initrd: initrd.into_owned() }
}

fn rendered(
    config: &BootConfig,
    identity: &Identity<'_>,
    chain_url: &str,
    settings: &ScriptSettings,
) -> Result<ScriptAnswer, ScriptError> {
    let (kernel, initrd) = (one_line(&config.kernel), one_line(&config.initrd));
    let params = command_line(&config.params, !initrd.is_empty(), identity);
    let script = template::boot(&template::Boot {
        kernel: &kernel,
        initrd: &initrd,
        params: params.trim_matches(' '),
        retry_delay: settings.retry_delay,
        chain_url,
    })?;
    Ok(ScriptAnswer::Script(script))
}

/// The script of a node that has nothing to boot: wait, and ask again with the architecture. Where there is nothing for
/// the architecture, the second answer is that there is none, which lets the machine try its next boot device.
fn unknown(
    view: &BootView,
    node: Option<&Component>,
    request: &ScriptRequest<'_>,
    settings: &ScriptSettings,
) -> Result<ScriptAnswer, ScriptError> {
    let asked = match request.selector {
        Selector::Mac(mac) => format!("MAC {mac}"),
        Selector::Name(name) => name.to_owned(),
        Selector::Nid(nid) => format!("NID {nid}"),
    };
    let not_configured = "this host not configured for booting.";
    let again = || format!("{}/boot/v1/bootscript?{}", settings.chain_base_url, who(view, node, request.selector));
    let now = request.now.0.div_euclid(1_000_000);
    if let Some(arch) = request.arch {
        if let Some(config) = config_for(view, arch).filter(|config| unavailable(config).is_none()) {
            let nobody = Identity { xname: None, nid: None, mac: None, seed: &settings.advertise_address };
            let chain_url = format!("{}&arch=${{buildarch}}&ts={now}", again());
            return rendered(config, &nobody, &chain_url, settings);
        }
        return Ok(ScriptAnswer::NotConfigured(format!("Unknown {asked} architecture {arch}: {not_configured}")));
    }
    if let Some(config) = view.boot_params.get(&BootKey::unknown()).filter(|config| !config.script.is_empty()) {
        let chain_url = format!("{}&arch=${{buildarch}}&ts={now}", again());
        return unknown_templated(config, node, request, &chain_url, settings);
    }
    let (unknown_delay, chain_url) = (settings.unknown_delay, again());
    let script = template::unknown(&template::Unknown { unknown_delay, chain_url: &chain_url, now })?;
    Ok(ScriptAnswer::Wait(script))
}

/// What machines of an architecture boot that have nothing else.
fn config_for<'a>(view: &'a BootView, arch: &str) -> Option<&'a BootConfig> {
    kernel_under(view, &SharedHost::Unknown(arch.to_owned()).key())
}

/// The parameters of a key. Those without a kernel are none.
fn kernel_under<'a>(view: &'a BootView, key: &BootKey) -> Option<&'a BootConfig> {
    view.boot_params.get(key).filter(|config| !config.kernel.is_empty()).map(|config| &**config)
}

/// The node that is meant; the first where several have one number. SMD turns a node `Empty` when its endpoint is deleted,
/// and BSS does not know it by its MAC addresses then.
#[must_use]
pub fn node<'a>(view: &'a BootView, selector: Selector<'_>) -> Option<&'a Component> {
    let if_node = |found: &'a Arc<Component>| Some(&**found).filter(|found| found.id.is_node());
    let known = |id: &Xname| if_node(view.components.get(id)?);
    match selector {
        Selector::Mac(text) => {
            let found = if_node(view.component_by_mac(mac_of(text)?)?);
            found.filter(|node| node.state != Some(State::Empty))
        }
        Selector::Name(text) => known(&text.parse().ok().filter(|id: &Xname| id.as_str() == text)?),
        Selector::Nid(nid) => view.index.by_nid.get(&nid)?.iter().find_map(known),
    }
}

fn mac_of(text: &str) -> Option<MacAddr> {
    text.parse().ok().or_else(|| padded(text)?.parse().ok())
}

/// The digits of a MAC address that is told with the type of its hardware in front, `01-02-00-00-00-00-01` (PXELINUX), or
/// without the zeros in front of its octets.
fn padded(text: &str) -> Option<String> {
    let octets: Vec<&str> = text.split([':', '-']).collect();
    let octets = octets.strip_prefix(&["01"]).filter(|octets| octets.len() == 6).unwrap_or(&octets);
    let spelled = octets.len() == 6 && octets.iter().all(|octet| matches!(octet.len(), 1 | 2));
    spelled.then(|| octets.iter().map(|octet| format!("{octet:0>2}")).collect())
}

/// What the node boots: the parameters of the MAC address that asks, of any other of its MAC addresses, of its xname,
/// of its number, of its role, and those for every node.
fn config_of<'a>(view: &'a BootView, node: &Component, selector: Selector<'_>) -> Option<&'a BootConfig> {
    let asked = match selector {
        Selector::Mac(text) => mac_of(text),
        _ => None,
    };
    let get = |key: BootKey| kernel_under(view, &key);
    asked
        .and_then(|mac| get(BootKey::Mac(mac)))
        .or_else(|| view.interfaces_of(&node.id).find_map(|interface| get(BootKey::Mac(interface.mac))))
        .or_else(|| get(BootKey::Host(node.id.clone().into())))
        .or_else(|| node.nid.and_then(|nid| get(BootKey::Nid(nid))))
        .or_else(|| node.role.and_then(|role| get(SharedHost::Role(role).key())))
        .or_else(|| get(SharedHost::Default.key()))
}

/// What would have to be fetched from services that are not here, in the words of the reason.
fn unavailable(config: &BootConfig) -> Option<&'static str> {
    let stored = |url: &str| url.starts_with("s3://");
    if stored(&config.kernel) || stored(&config.initrd) {
        Some("a node cannot fetch s3:// URLs, and nobody here signs them; use http:// or https://")
    } else if config.params.contains(JOIN_TOKEN) {
        Some("the parameters ask for a SPIRE join token, and there is no SPIRE service")
    } else {
        None
    }
}

/// The query by which the node asks again: its MAC address as it asked or the one that is known for the longest, else its
/// xname, else what it asked.
fn who(view: &BootView, node: Option<&Component>, selector: Selector<'_>) -> String {
    let first = |node: &Component| view.interfaces_of(&node.id).min_by_key(|interface| interface.last_update);
    let known = || node.and_then(first).map(|interface| interface.mac);
    match selector {
        Selector::Mac(text) => format!("mac={}", encoded(text)),
        Selector::Name(name) => known().map_or_else(|| format!("name={}", encoded(name)), |mac| format!("mac={mac}")),
        Selector::Nid(nid) => match (known(), node) {
            (Some(mac), _) => format!("mac={mac}"),
            (None, Some(node)) => format!("name={}", node.id),
            (None, None) => format!("nid={nid}"),
        },
    }
}

/// The digits of a MAC address as they were asked, in pairs joined by dashes.
fn dashed(mac: &str) -> String {
    let digits = mac.chars().filter(char::is_ascii_hexdigit);
    let mut text = String::with_capacity(17);
    for (at, digit) in digits.enumerate() {
        if at > 0 && at % 2 == 0 {
            text.push('-');
        }
        text.push(digit);
    }
    text
}

/// A text of the requester's within a URL within a script: whatever could end either is percent-encoded.
fn encoded(text: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':');
    if text.bytes().all(plain) {
        return text.into();
    }
    let escape = |byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(escape).collect::<String>().into()
}

#[cfg(test)]
mod tests;
