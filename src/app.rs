//! The wiring of `serve`: store, sockets, routers, watcher; one set of tasks, one shutdown.
//!
//! Every socket is bound before anything is served, and a socket that cannot be had is what ends a start, beside a
//! state directory that another process holds and flags that make no sense. Whatever else is missing or broken degrades
//! what is served, is told by `/ready`, and is looked at again until it is well.

mod boot_servers;
mod database;
mod dhcp;
pub(crate) mod listeners;
mod routers;
mod watching;

use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

pub use self::boot_servers::BootServers;
use crate::boot::ScriptSettings;
use crate::clock;
use crate::reconcile::Reconciler;
use crate::reconcile::watch::Event;
use crate::server::cloud_init::CloudInitSettings;
use crate::server::common::exposure::{AuthMode, ExposureError};
use crate::server::common::listener::{BindError, Sockets};
use crate::server::common::role::{Bound, Role};
use crate::server::common::served::Shared;
use crate::server::common::supervise::{Restarts, Supervisor};
use crate::server::common::{Accesses, Gate, Health, Metrics, Tls, TrustedProxies, check_exposure};
use crate::server::dhcp::DhcpBindError;
use crate::store::StoreError;
use crate::target::Services;
use crate::token::{Issuer, TokenError, Verifier, VerifierSettings};

/// What to serve, and how.
#[derive(Debug, Clone)]
pub struct Config {
    /// The inventory directory to watch.
    pub inventory: Option<PathBuf>,
    /// Where `$secret` files are.
    pub secrets: PathBuf,
    /// Apply every change, or only plan it.
    pub apply: bool,
    /// The services of a running OpenCHAMI that the inventory is for; our own store unless there are any.
    pub services: Option<Services>,
    /// The state directory.
    pub state: PathBuf,
    /// A database elsewhere.
    pub database: Option<String>,
    /// API listeners, `http://IP:PORT` or `https://IP:PORT`.
    pub api: Vec<String>,
    /// Boot listeners.
    pub boot: Vec<SocketAddr>,
    /// Interfaces on which DHCP is served.
    pub dhcp: Vec<String>,
    /// Whether router advertisements are sent on them.
    pub router_advertisements: bool,
    /// The metrics listener.
    pub metrics: Option<SocketAddr>,
    /// How nodes reach the boot listener, `http://HOST:PORT`.
    pub boot_url: Option<String>,
    /// What answers say of this installation.
    pub answers: Answers,
    /// Who may use the API.
    pub auth: AuthMode,
    /// Whose tokens are taken beside our own.
    pub tokens: VerifierSettings,
    /// Certificate chain and key of `https` listeners.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// TFTP, loaders and images.
    pub boot_servers: BootServers,
    /// `OCHAMI_SYNC_INSECURE` is `1`.
    pub insecure: bool,
}

/// What answers say of this installation; what is open is the address at which a requester reached us.
#[derive(Debug, Clone)]
pub struct Answers {
    /// BSS's advertised address.
    pub bss_advertise: Option<String>,
    /// What precedes `/boot/v1/bootscript` where a boot script chains to itself; that of [`Config::boot_url`] unless
    /// given.
    pub bss_chain_url: Option<String>,
    /// Seconds that a node waits before it tries again when its boot failed.
    pub bss_retry_delay: u32,
    /// Seconds that a node waits which has nothing to boot yet.
    pub bss_unknown_delay: u32,
    /// cloud-init's.
    pub cloud_init: CloudInitSettings,
}

/// What `serve` has to tell.
#[derive(Debug)]
pub enum Report<'a> {
    /// It is ready: the listeners as one line of JSON.
    Ready(&'a str),
    /// The watcher speaks.
    Watch(&'a Event),
}

/// Tells a [`Report`] to whoever started us.
pub type Reporter = Arc<dyn Fn(Report<'_>) + Send + Sync>;

/// Why `serve` does not start.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// An API listener is not of the form `http://IP:PORT` or `https://IP:PORT`.
    #[error("--api {url}: {reason}")]
    Api {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The listeners would expose the API.
    #[error(transparent)]
    Exposure(#[from] ExposureError),
    /// A socket cannot be had.
    #[error("{}", chain(.0))]
    Bind(#[from] BindError),
    /// An interface cannot be served.
    #[error("{}", chain(.0))]
    Dhcp(#[from] DhcpBindError),
    /// The state directory cannot be used.
    #[error("{}", chain(.0))]
    Store(#[from] StoreError),
    /// The key that signs tokens cannot be used.
    #[error("{}", chain(.0))]
    Token(#[from] TokenError),
}

/// An error with its causes, one sentence.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// The name in our tokens' `iss`.
const ISSUER: &str = "ochami-sync";

/// The list of listeners, in the state directory; there while they listen.
const LISTENERS: &str = "listeners.json";

/// How long background tasks have to end at a shutdown.
const DRAIN: Duration = Duration::from_secs(10);

/// Serves until `shutdown`.
///
/// # Errors
///
/// [`AppError`], all of it before anything is served.
pub async fn serve(config: Config, report: Reporter, shutdown: CancellationToken) -> Result<(), AppError> {
    let tls = config.tls.as_ref().map(|(certificate, key)| Tls::new(certificate, key));
    let listeners = listeners::configured(&config, tls.as_ref())?;
    check_exposure(&listeners, config.auth, config.insecure)?;
    let health = Health::new();
    if let Some(tls) = &tls {
        // Before the sockets are there, so that whoever finds them open is shown a certificate, if there is one.
        health.set("certificate", tls.look(clock::now()));
    }
    let (store, late) = database::open(&config, &health).await?;
    // The state directory is ours from here on, and what an earlier run left would send people to sockets that are gone.
    withdraw(&config);
    let issuer = issuer(&config, &health)?;
    let verifier = Verifier::new(&issuer, config.tokens.clone())?;
    boot_servers::allow_files();
    let sockets = Sockets::bind(listeners)?;
    let interfaces = dhcp::bind(&config)?;
    let metrics = Metrics::new(routers::ROOMS);
    let boot_servers = boot_servers::Bound::bind(&config.boot_servers, &metrics)?;
    let bound = [sockets.bound(), boot_servers.bound()].concat();
    let reconciler = Reconciler::new(store.clone()).until(shutdown.clone());
    let script = script_settings(&config, &bound);
    let cloud_init = CloudInitSettings { boot_port: script.boot_port, ..config.answers.cloud_init.clone() };
    let accesses = Accesses::default();
    let parts = routers::Parts {
        store: store.clone(),
        reconciler: reconciler.clone(),
        gate: Gate::new((config.auth == AuthMode::Jwt).then(|| verifier.clone())),
        issuer,
        health: health.clone(),
        metrics: metrics.clone(),
        script: Arc::new(script),
        cloud_init: Arc::new(cloud_init),
        accesses: accesses.clone(),
        loaders: boot_servers.loaders(),
        services: config.services.clone(),
    };
    let trusted_proxies = TrustedProxies::new(config.trusted_proxies.clone());
    let shared = Shared { metrics: metrics.clone(), trusted_proxies };

    let mut tasks = Supervisor::new(shutdown.clone(), health.clone(), Restarts::default());
    let replan = Arc::new(Notify::new());
    watching::spawn(&mut tasks, &config, reconciler, &health, report.clone(), replan.clone());
    dhcp::spawn_advertisers(&mut tasks, &config);
    let dhcp = dhcp::spawn(&mut tasks, interfaces, &store, &config, boot_port(&bound), (&health, &metrics));
    if let Some(late) = late {
        database::spawn(&mut tasks, (store.clone(), late), health.clone(), replan, dhcp);
    }
    watching::spawn_store(&mut tasks, store.clone(), health.clone());
    watching::spawn_smd(&mut tasks, &store);
    watching::spawn_accesses(&mut tasks, &store, accesses);
    watching::spawn_keys(&mut tasks, verifier, health.clone());
    if let Some(tls) = tls {
        watching::spawn_certificate(&mut tasks, tls, health.clone());
    }
    boot_servers.spawn(&mut tasks);
    health.set_loaded();
    announce(&config, &bound, &report, &health);
    // Both have the same time to end in, so it is given to them together.
    tokio::join!(sockets.run(parts.routers(), shared, shutdown), tasks.finish(DRAIN));
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    withdraw(&config);
    store.close().await;
    Ok(())
}

/// What boot scripts say of this installation: the flags, and what they leave open is the address at which a node
/// reached us.
fn script_settings(config: &Config, bound: &[Bound]) -> ScriptSettings {
    let chain = || config.boot_url.as_ref().map(|url| format!("{}/apis/bss", url.trim_end_matches('/')));
    let answers = &config.answers;
    ScriptSettings {
        advertise_address: answers.bss_advertise.clone().unwrap_or_default(),
        chain_base_url: answers.bss_chain_url.clone().or_else(chain).unwrap_or_default(),
        boot_port: boot_port(bound),
        retry_delay: answers.bss_retry_delay,
        unknown_delay: answers.bss_unknown_delay,
    }
}

/// The port of the first boot listener.
fn boot_port(bound: &[Bound]) -> u16 {
    bound.iter().find(|bound| bound.role == Role::Boot).map_or(80, |bound| bound.addr.port())
}

/// Writes a file that is its owner's alone, like everything in the state directory.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

/// Our signing key. One that cannot be used must not keep nodes from booting: tokens are then signed with a key that is
/// gone with this process, and `/ready` says so.
fn issuer(config: &Config, health: &Health) -> Result<Issuer, AppError> {
    Issuer::load_or_create(&config.state, ISSUER).or_else(|error| {
        let reason = chain(&error);
        tracing::error!(error = reason, "the signing key cannot be used; signing with one that is not kept");
        health.set("token-key", Some(reason));
        Ok(Issuer::ephemeral(ISSUER)?)
    })
}

/// Takes the list of listeners away. One that stays is wrong, but nothing that may keep nodes from booting.
fn withdraw(config: &Config) {
    let path = config.state.join(LISTENERS);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::warn!(path = %path.display(), error = %error, "the list of listeners cannot be removed");
        }
        _ => {}
    }
}

/// Says that we are ready: to whoever started us, to systemd, and in the state directory.
fn announce(config: &Config, bound: &[Bound], report: &Reporter, health: &Health) {
    let line = serde_json::to_string(bound).expect("listeners are texts");
    let path = config.state.join(LISTENERS);
    let beside = config.state.join(".listeners.json.new");
    let written = write_private(&beside, &line).and_then(|()| std::fs::rename(&beside, &path));
    if let Err(error) = written {
        tracing::error!(path = %path.display(), error = %error, "the list of listeners cannot be written");
        health.set("listeners.json", Some(format!("{} cannot be written: {error}", path.display())));
    }
    for bound in bound {
        tracing::info!(listener.role = bound.role.name(), listener.url = bound.url, "listening");
    }
    report(Report::Ready(&line));
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
}
