//! The running OpenCHAMI that the inventory is applied to.

use super::Finding;
use crate::cli::args::TargetArgs;
use crate::cli::local;
use crate::inventory::Loaded;
use crate::target::TargetError;
use crate::target::openchami::reach;

/// Whether each service that the flags name answers, with the token that they name. One that does not is a warning:
/// `serve` answers nodes without them, and asks again.
pub(super) fn services(args: &TargetArgs, loaded: Option<&Loaded>) -> Vec<Finding> {
    const CHECK: &str = "services";
    let refused = |error: &dyn std::fmt::Display| {
        vec![Finding::error(CHECK, error.to_string(), "`serve` cannot apply anything so; give both the same flags")]
    };
    let services = match local::services(args) {
        Ok(Some(services)) if loaded.is_some() => services,
        Ok(Some(_)) => return refused(&"no inventory is named that could be applied there"),
        Ok(None) => return Vec::new(),
        Err(error) => return refused(&error),
    };
    let cluster = loaded.and_then(|loaded| loaded.inventory.as_ref()).map(|inventory| &*inventory.cluster.name);
    if cluster.is_none() && services.token_file.is_none() {
        let message =
            "not asked: the variable that holds the token is named after the cluster, and the inventory is invalid";
        return vec![Finding::warning(CHECK, message, "mend the inventory, or give --token-file")];
    }
    let endpoints = match services.endpoints(cluster.unwrap_or_default()) {
        Ok(endpoints) => endpoints,
        Err(error) => return vec![Finding::error(CHECK, error.to_string(), "name a file that can be read")],
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refused(&error),
    };
    match runtime.block_on(reach(&endpoints)) {
        Ok(reached) => reached.into_iter().map(|service| finding(CHECK, service)).collect(),
        Err(error) => refused(&error),
    }
}

fn finding(check: &'static str, reached: Result<String, TargetError>) -> Finding {
    match reached {
        Ok(service) => Finding::ok(check, format!("{service} answers")),
        Err(error @ TargetError::Denied { .. }) => {
            Finding::warning(check, error.to_string(), "nothing is applied until the service takes the token")
        }
        Err(error) => Finding::warning(check, error.to_string(), "nothing is applied until the service answers"),
    }
}
