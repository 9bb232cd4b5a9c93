//! A running OpenCHAMI as a target: SMD, BSS and a cloud-init server of either generation, over REST.
//!
//! Reading takes eight calls, whatever the number of nodes; for an inventory that uses both forms of cloud-init, nine lists
//! and the document of the defaults. Writing follows the order of kinds, at most
//! [`PARALLEL`] requests at once; a write that fails leaves out what belongs to the same node and nothing else, so a
//! node is never half-configured and then told to boot. A group or a group's entry that fails holds its members' boot
//! parameters back for the same reason. The services have no conditional writes and keep no owner, so the ledger is
//! ours, in the state directory: before a phase it is told what is about to be created, after it what was written. A
//! run that breaks off is settled by the next one, which compares with what is really there.

mod client;
mod generation;
mod inexpressible;
mod reach;
mod read;
mod services;
mod write;

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tokio_util::sync::CancellationToken;

pub use self::reach::reach;
pub use self::services::{Services, ServicesError};

use self::client::Client;
use super::{Observed, Outcome, Run, Target, TargetError, Work};
use crate::clock;
use crate::desired::Desired;
use crate::model::{Kind, Secret};
use crate::plan::Write;
use crate::store::{ApplyRecord, Author, Decision, LedgerChange, Store, TargetId, WriteError};

/// Requests under way at once: enough to hide the services' latency, few enough not to starve their other clients.
pub const PARALLEL: usize = 8;

/// Where the services are. Travels over the local socket, which only root and our own user can open.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Endpoints {
    /// SMD with its prefix, `https://…/hsm/v2`.
    pub smd: String,
    /// BSS with its prefix, `https://…/boot/v1`.
    pub bss: String,
    /// cloud-init with its prefix, `https://…/cloud-init`; the secure store is at the same address with `-secure`.
    pub cloud_init: String,
    /// Sent as a bearer token.
    #[serde(default, serialize_with = "write_token", deserialize_with = "read_token")]
    pub token: Option<Secret<String>>,
    /// The environment variable that a token is looked for in, to be named where one is missing.
    #[serde(default)]
    pub token_variable: String,
    /// Certificates of the authority that signed the services', PEM.
    #[serde(default)]
    pub ca_pem: Option<String>,
}

/// The variable that holds the access token for a cluster, as the `ochami` client names it: `DEMO_ACCESS_TOKEN`.
#[must_use]
pub fn token_variable(cluster: &str) -> String {
    let name = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' };
    format!("{}_ACCESS_TOKEN", cluster.chars().map(name).collect::<String>())
}

fn write_token<S: Serializer>(token: &Option<Secret<String>>, serializer: S) -> Result<S::Ok, S::Error> {
    token.as_ref().map(Secret::expose).serialize(serializer)
}

fn read_token<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret<String>>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(Secret::new))
}

/// The services as a target.
pub struct OpenChami {
    store: Store,
    client: Arc<Client>,
}

impl OpenChami {
    /// The target at those addresses, with its ledger in `store`. Once `stop` is cancelled nothing more is sent, and an
    /// apply under way ends as one that was made in part.
    ///
    /// # Errors
    ///
    /// [`TargetError::Settings`] when an address or a certificate cannot be read.
    pub fn new(store: Store, endpoints: &Endpoints, stop: CancellationToken) -> Result<Self, TargetError> {
        Ok(Self { store, client: Arc::new(Client::new(endpoints, stop)?) })
    }

    async fn record(&self, author: &Author, ledger: Vec<(TargetId, LedgerChange)>) -> Result<(), TargetError> {
        if ledger.is_empty() {
            return Ok(());
        }
        self.decide(author, Decision { answer: (), changes: Vec::new(), ledger, history: None }).await
    }

    async fn decide(&self, author: &Author, decision: Decision<()>) -> Result<(), TargetError> {
        let decide = move |_: &_| -> Result<Decision<()>, std::convert::Infallible> { Ok(decision) };
        match self.store.write(author.clone(), decide).await {
            Ok(()) => Ok(()),
            Err(WriteError::Refused(never)) => match never {},
            Err(WriteError::Unavailable(error)) => Err(error.into()),
        }
    }
}

impl Target for OpenChami {
    fn id(&self, cluster_id: &str) -> TargetId {
        TargetId(format!("{cluster_id}/{}", self.client.smd).into())
    }

    fn refuses(&self, writes: &[Write]) -> Option<String> {
        inexpressible::first(writes)
    }

    fn is_transactional(&self) -> bool {
        false
    }

    async fn observe(&self, desired: &Desired) -> Result<Observed, TargetError> {
        let ledger = self.store.ledger(&self.id(&desired.cluster_id)).await?;
        read::observe(&self.client, ledger, desired).await
    }

    async fn apply(&self, run: Run, observed: &Observed, work: Work) -> Result<Outcome, TargetError> {
        inexpressible::refuse(&work.writes)?;
        let target = self.id(&run.cluster_id);
        let own = |changes: Vec<LedgerChange>| changes.into_iter().map(|change| (target.clone(), change)).collect();
        self.record(&run.author, work.moved).await?;
        self.record(&run.author, own(work.ledger)).await?;
        let mut session = write::Session::new(self.client.clone(), &observed.live, work.writes);
        while let Some(phase) = session.next_phase() {
            // An answer that is lost must not leave objects behind of which nobody knows that they are ours.
            self.record(&run.author, own(session.intend(&phase))).await?;
            let done = session.run(phase).await;
            self.record(&run.author, own(done)).await?;
        }
        let (written, failures) = session.finish();
        let history = ApplyRecord {
            number: 0,
            at: clock::now(),
            plan: run.plan.clone(),
            author: run.author.0.to_string(),
            inventory: run.inventory,
            writes: written,
            result: if failures.is_empty() { "applied" } else { "partial" }.to_owned(),
        };
        // What is owned was recorded as it was written; this is the line of history alone.
        let history = Some((target.clone(), history));
        self.decide(&run.author, Decision { answer: (), changes: Vec::new(), ledger: Vec::new(), history }).await?;
        let apply = self.store.last_apply(&target).await?.map_or(0, |record| record.number);
        Ok(Outcome { apply, written, failures })
    }
}

/// The service that keeps objects of a kind.
fn service(kind: Kind) -> &'static str {
    match kind {
        Kind::Component | Kind::RedfishEndpoint | Kind::ComponentEndpoint | Kind::EthernetInterface | Kind::Group => {
            "SMD"
        }
        Kind::CloudInit | Kind::CloudInitSecure | Kind::ClusterDefaults | Kind::CloudInitGroup | Kind::InstanceInfo => {
            "cloud-init"
        }
        Kind::BootParams => "BSS",
    }
}
