//! Reaching the local API: through the daemon's socket where one serves the state directory, else in this process.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::args::{AdoptArg, LimitArgs, StateArgs, TargetArgs};
use super::exit::{Exit, Usage};
use super::output::Printer;
use crate::app::listeners::SOCKET;
use crate::desired::Desired;
use crate::inventory::Adopt;
use crate::plan::{Plan, text};
use crate::reconcile::{Applied, Reconciler, Request, TargetSpec};
use crate::server::local::{Refusal, TokenRequest};
use crate::store::{self, Store, StoreConfig, StoreError};
use crate::target::Services;

/// What a verb is going to do with the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Read; creates nothing.
    Read,
    /// Write; creates and migrates what is needed.
    Write,
}

/// The local API, wherever it runs.
pub(super) enum Local {
    /// The daemon's.
    Daemon(reqwest::Client),
    /// Our own.
    Here(Store, Reconciler),
}

/// Why the local API did not do it.
#[derive(Debug, thiserror::Error)]
pub(super) enum LocalError {
    /// It was refused, with the reason.
    #[error("refused")]
    Refusal(Box<Refusal>),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The daemon does not answer as it should.
    #[error("{0:#}")]
    Daemon(#[from] anyhow::Error),
}

impl LocalError {
    /// Prints the error and tells what the command came to.
    pub(super) fn show(&self, printer: Printer) -> Exit {
        match self {
            Self::Refusal(refusal) => match refusal.as_ref() {
                Refusal::Safety { text, .. } => {
                    printer.talk(text);
                    Exit::Refused
                }
                Refusal::Stale { text } => {
                    printer.error(text);
                    Exit::Stale
                }
                Refusal::Unresolved { unresolved } => {
                    for one in unresolved {
                        printer.error(&format!("{}: {} needs a secret: {}", one.origin, one.key, one.reason));
                    }
                    Exit::Invalid
                }
                Refusal::Failed { text } => {
                    printer.error(text);
                    Exit::Failure
                }
            },
            Self::Store(error @ StoreError::Locked { .. }) => {
                printer.error(&error.to_string());
                Exit::Locked
            }
            other => {
                printer.error(&other.to_string());
                Exit::Failure
            }
        }
    }
}

impl Local {
    /// Reaches the daemon of the state directory, or opens the store.
    pub(super) async fn connect(state: &StateArgs, mode: Mode) -> Result<Self, LocalError> {
        if let Some(client) = daemon(&state.state).await? {
            if state.database.is_some() {
                let path = state.state.display();
                return Err(
                    anyhow::anyhow!("a daemon serves {path} with a database of its own; leave --database out").into()
                );
            }
            return Ok(Self::Daemon(client));
        }
        let mode = match mode {
            Mode::Read => store::Mode::ReadOnly,
            Mode::Write => store::Mode::ReadWrite,
        };
        let config = StoreConfig { state_dir: state.state.clone(), mode, url: state.database.clone() };
        let store = Store::open(config).await?;
        let reconciler = match mode {
            store::Mode::ReadOnly => Reconciler::new(store.clone()),
            store::Mode::ReadWrite => Reconciler::for_one_command(store.clone()),
        };
        Ok(Self::Here(store, reconciler))
    }

    pub(super) async fn plan(&self, request: &Request) -> Result<Plan, LocalError> {
        match self {
            Self::Daemon(client) => post(client, "/v1/plan", request).await,
            Self::Here(_, reconciler) => reconciler.plan(request).await.map_err(refusal),
        }
    }

    pub(super) async fn apply(&self, request: &Request) -> Result<Applied, LocalError> {
        match self {
            Self::Daemon(client) => post(client, "/v1/apply", request).await,
            Self::Here(_, reconciler) => reconciler.apply(request).await.map_err(refusal),
        }
    }

    /// Ends the writing of our own store.
    pub(super) async fn close(&self) {
        if let Self::Here(store, _) = self {
            store.close().await;
        }
    }
}

fn refusal(error: crate::reconcile::ReconcileError) -> LocalError {
    LocalError::Refusal(Box::new(error.into()))
}

/// The socket of a state directory.
pub(super) fn socket(state: &Path) -> PathBuf {
    state.join(SOCKET)
}

/// A client of the daemon that serves the state directory; none when no daemon does.
pub(super) async fn daemon(state: &Path) -> anyhow::Result<Option<reqwest::Client>> {
    let path = socket(state);
    // A socket file without a daemon is what a crash leaves; connecting tells the two apart.
    if tokio::net::UnixStream::connect(&path).await.is_err() {
        return Ok(None);
    }
    let client = reqwest::Client::builder().unix_socket(path).build().context("cannot set up a client")?;
    Ok(Some(client))
}

async fn post<T: DeserializeOwned>(
    client: &reqwest::Client,
    path: &str,
    body: &(impl serde::Serialize + Sync),
) -> Result<T, LocalError> {
    let url = format!("http://localhost{path}");
    let response = client.post(url).json(body).send().await.context("the daemon does not answer")?;
    let status = response.status();
    let bytes = response.bytes().await.context("the daemon broke off its answer")?;
    if status.is_success() {
        return Ok(
            serde_json::from_slice(&bytes).context("the daemon's answer cannot be read; is it another version?")?
        );
    }
    if let Ok(refusal) = serde_json::from_slice::<Refusal>(&bytes) {
        return Err(LocalError::Refusal(Box::new(refusal)));
    }
    let detail = serde_json::from_slice::<Value>(&bytes).ok().and_then(|p| Some(p.get("detail")?.as_str()?.to_owned()));
    Err(anyhow::anyhow!("the daemon refused: {}", detail.unwrap_or_else(|| status.to_string())).into())
}

/// Has the daemon mint a token.
pub(super) async fn mint(client: &reqwest::Client, request: &TokenRequest) -> anyhow::Result<String> {
    let answer: Value = post(client, "/v1/token", request).await.map_err(|error| anyhow::anyhow!("{error}"))?;
    answer.get("token").and_then(Value::as_str).map(str::to_owned).context("the daemon's answer holds no token")
}

/// What the flags ask for.
pub(super) fn request(desired: Desired, target: &TargetArgs, limits: &LimitArgs) -> anyhow::Result<Request> {
    let target = target_spec(target, &desired.cluster_name)?;
    let author = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "unknown".to_owned());
    Ok(Request {
        adopt: limits.adopt.map(|adopt| match adopt {
            AdoptArg::Matching => Adopt::Matching,
            AdoptArg::Always => Adopt::Always,
            AdoptArg::Never => Adopt::Never,
        }),
        allow_delete: limits.allow_delete,
        allow_replace: limits.allow_replace,
        accept_empty_live: limits.accept_empty_live,
        give_up_unreadable: limits.give_up_unreadable,
        take_over: limits.take_over.clone(),
        ..Request::new(Arc::new(desired), target, author)
    })
}

fn target_spec(args: &TargetArgs, cluster: &str) -> anyhow::Result<TargetSpec> {
    Ok(match services(args)? {
        Some(services) => TargetSpec::OpenChami(services.endpoints(cluster)?),
        None => TargetSpec::Builtin,
    })
}

/// The services that the flags name; none where they name none.
pub(super) fn services(args: &TargetArgs) -> anyhow::Result<Option<Services>> {
    let given = [&args.base_uri, &args.smd, &args.bss, &args.cloud_init];
    if given.iter().all(|url| url.is_none()) {
        return Ok(None);
    }
    let service = |url: &Option<String>, flag: &str, path: &str| {
        let base = args.base_uri.as_ref();
        url.clone()
            .or_else(|| base.map(|base| format!("{base}{path}")))
            .ok_or_else(|| Usage(format!("give --{flag} URL, or --base-uri URL for all three")))
    };
    Ok(Some(Services {
        smd: service(&args.smd, "smd", "/hsm/v2")?,
        bss: service(&args.bss, "bss", "/boot/v1")?,
        cloud_init: service(&args.cloud_init, "cloud-init", "/cloud-init")?,
        token_file: args.token_file.clone(),
        ca_cert: args.ca_cert.clone(),
    }))
}

/// How a plan is shown by commands that print it as talk.
pub(super) fn plan_text(plan: &Plan, printer: Printer) -> String {
    let options =
        text::TextOptions { width: printer.width(), color: printer.colors_stderr(), expand: false, ascii: false };
    text::render(plan, &options)
}
