//! The script of a node whose boot profile names a template.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};

use super::super::params::{Identity, command_line, one_line};
use super::{ScriptAnswer, ScriptError, ScriptSettings};
use crate::model::BootConfig;
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
            // The number is the requester's. One beyond the last attempt would keep a script from ever giving up.
            retry: retry.clamp(0, i64::from(ATTEMPTS) - 1),
            attempts: ATTEMPTS,
        },
    )?;
    Ok(ScriptAnswer::Script(script))
}

/// The seconds that one node waits: up to half as long again as is set, another time for each, so that nodes which fail
/// together do not come again together.
pub(super) fn delay(least: u32, xname: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    xname.hash(&mut hasher);
    let spread = u64::from(least / 2) + 1;
    least.saturating_add(u32::try_from(hasher.finish() % spread).unwrap_or(0))
}
