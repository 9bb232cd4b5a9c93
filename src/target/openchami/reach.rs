//! Whether the services answer with what is given, for who asks before anything is planned.

use tokio_util::sync::CancellationToken;

use super::client::{ADDRESS_HINT, Client};
use super::read::parse;
use super::{Endpoints, service};
use crate::model::Kind;
use crate::target::TargetError;

/// A list of each service, the second for a server that does not have the first: cloud-init has two generations.
const LISTS: [&[(Kind, &str)]; 3] = [
    &[(Kind::Group, "/groups")],
    &[(Kind::BootParams, "/bootparameters")],
    &[(Kind::CloudInitGroup, "/admin/groups"), (Kind::CloudInit, "")],
];

/// Reads a list of each service, and answers for each its address, or why it cannot be read.
///
/// # Errors
///
/// [`TargetError::Settings`] when an address or a certificate cannot be read.
pub async fn reach(endpoints: &Endpoints) -> Result<Vec<Result<String, TargetError>>, TargetError> {
    let client = Client::new(endpoints, CancellationToken::new())?;
    let mut reached = Vec::with_capacity(LISTS.len());
    for lists in LISTS {
        reached.push(one(&client, lists).await);
    }
    Ok(reached)
}

async fn one(client: &Client, lists: &[(Kind, &str)]) -> Result<String, TargetError> {
    let mut missed = None;
    for (kind, path) in lists {
        match client.list(*kind, path).await? {
            Some(body) => {
                let url = client.base(*kind);
                return match parse(*kind, &body) {
                    Ok(_) => Ok(format!("{} at {url}", service(*kind))),
                    Err(error) => {
                        let reason = format!("the list cannot be read: {error}{ADDRESS_HINT}");
                        Err(TargetError::Service { service: service(*kind), url, reason })
                    }
                };
            }
            None => missed = Some((service(*kind), client.base(*kind))),
        }
    }
    let (service, url) = missed.unwrap_or_default();
    Err(TargetError::Service { service, url, reason: format!("404 Not Found{ADDRESS_HINT}") })
}
