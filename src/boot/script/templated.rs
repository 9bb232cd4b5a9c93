//! Scripts that are made of a profile's template, or of the site's for machines that have nothing to boot.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};

use super::super::params::{Identity, command_line, one_line};
use super::{ScriptAnswer, ScriptError, ScriptRequest, ScriptSettings};
use crate::model::{BootConfig, Component};
use crate::template::profile;

/// Attempts until a node starts over whose template counts them: with the usual delays some quarter of an hour.
const ATTEMPTS: u32 = 20;

/// The script of a node whose profile names a template.
pub(super) fn templated(
    config: &BootConfig,
    identity: &Identity<'_>,
    chain_url: &str,
    retry: i64,
    settings: &ScriptSettings,
) -> Result<ScriptAnswer, ScriptError> {
    let (kernel, initrd) = (one_line(&config.kernel), one_line(&config.initrd));
    let params = command_line(&config.params, !initrd.is_empty(), identity);
    let xname = identity.xname.unwrap_or_default();
    let script = profile::render(
        &config.template,
        &config.script,
        &profile::Values {
            kernel: &kernel,
            initrd: &initrd,
            params: params.trim_matches(' '),
            chain_url,
            xname,
            nid: identity.nid,
            mac: identity.mac.unwrap_or_default(),
            delay: delay(settings.retry_delay, xname),
            retry: counted(retry),
            attempts: ATTEMPTS,
        },
    )?;
    Ok(ScriptAnswer::Script(script))
}

/// The site's script for a machine that has nothing to boot; `node` is what is known of it.
pub(super) fn unknown_templated(
    config: &BootConfig,
    node: Option<&Component>,
    request: &ScriptRequest<'_>,
    chain_url: &str,
    settings: &ScriptSettings,
) -> Result<ScriptAnswer, ScriptError> {
    let mac = request.selector.dashed_mac().unwrap_or_default();
    let xname = node.map_or("", |node| node.id.as_str());
    let script = profile::render(
        &config.template,
        &config.script,
        &profile::Values {
            kernel: "",
            initrd: "",
            params: "",
            chain_url,
            xname,
            nid: node.and_then(|node| node.nid).map(|nid| nid.0),
            mac: &mac,
            delay: delay(settings.unknown_delay, if xname.is_empty() { &mac } else { xname }),
            retry: counted(request.retry),
            attempts: ATTEMPTS,
        },
    )?;
    Ok(ScriptAnswer::Wait(script))
}

/// The number of attempts before. It is the requester's, and one beyond the last attempt would keep a script from ever
/// giving up.
fn counted(retry: i64) -> i64 {
    retry.clamp(0, i64::from(ATTEMPTS) - 1)
}

/// The seconds that one node waits: up to half as long again as is set, another time for each, so that nodes which fail
/// together do not come again together.
pub(super) fn delay(least: u32, name: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    let spread = u64::from(least / 2) + 1;
    least.saturating_add(u32::try_from(hasher.finish() % spread).unwrap_or(0))
}
