//! `serve`: the daemon. One JSON line on stdout when it is ready; everything else is talk on stderr.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::advice::command_of_daemon;
use super::apply::{applied_text, remarks};
use super::args::{AnswerArgs, Auth, BootServerArgs, ServeArgs};
use super::exit::{Exit, Usage};
use super::inventory::secrets_dir;
use super::local::{plan_text, services};
use super::output::{Printer, counted};
use crate::app::{self, Answers, AppError, BootServers, Config, Report};
use crate::inventory::render;
use crate::plan::CommandLine;
use crate::reconcile::ReconcileError;
use crate::reconcile::watch::Event;
use crate::server::cloud_init::CloudInitSettings;
use crate::server::common::exposure::AuthMode;
use crate::server::images::Rates;
use crate::store::StoreError;
use crate::token::VerifierSettings;

pub(super) async fn run(args: ServeArgs, printer: Printer) -> anyhow::Result<Exit> {
    let shutdown = CancellationToken::new();
    let (mut term, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let ending = shutdown.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("shutting down");
        ending.cancel();
    });
    let prefix = args.inventory.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
    let command = command_of_daemon(&args);
    let report = move |report: Report<'_>| match report {
        Report::Ready(listeners) => printer.data(listeners),
        Report::Watch(event) => tell(event, &prefix, &command, printer),
    };
    match app::serve(config(args)?, Arc::new(report), shutdown).await {
        Ok(()) => Ok(Exit::Success),
        Err(error @ AppError::Store(StoreError::Locked { .. })) => {
            printer.error(&error.to_string());
            Ok(Exit::Locked)
        }
        Err(error) => {
            printer.error(&error.to_string());
            Ok(match error {
                AppError::Api { .. } | AppError::Exposure(_) => Exit::Usage,
                _ => Exit::Failure,
            })
        }
    }
}

fn config(args: ServeArgs) -> anyhow::Result<Config> {
    let services = services(&args.target)?;
    if services.is_some() && args.inventory.is_none() {
        return Err(Usage("what is to be applied to a running OpenCHAMI? Give --inventory DIR, too".to_owned()).into());
    }
    let secrets = args.inventory.as_deref().map(|inventory| secrets_dir(args.secrets.secrets_dir, inventory));
    Ok(Config {
        services,
        secrets: secrets.unwrap_or_default(),
        inventory: args.inventory,
        apply: args.apply,
        state: args.state.state,
        database: args.state.database,
        api: args.api,
        boot: args.boot,
        dhcp: args.dhcp,
        router_advertisements: args.router_advertisements,
        metrics: args.metrics,
        boot_url: args.boot_url,
        answers: answers(args.answers),
        auth: match args.auth {
            Auth::Jwt => AuthMode::Jwt,
            Auth::None => AuthMode::None,
        },
        tokens: VerifierSettings {
            jwks_urls: args.jwks_url,
            trusted_issuers: args.jwks_issuer,
            audiences: args.jwks_audience,
        },
        tls: args.tls_cert.zip(args.tls_key),
        trusted_proxies: args.trusted_proxy,
        boot_servers: boot_servers(args.boot_servers),
        insecure: std::env::var_os("OCHAMI_SYNC_INSECURE").is_some_and(|value| value == "1"),
    })
}

fn answers(args: AnswerArgs) -> Answers {
    Answers {
        bss_advertise: args.bss_advertise_address,
        bss_chain_url: args.bss_chain_url,
        bss_retry_delay: args.bss_retry_delay,
        bss_unknown_delay: args.bss_unknown_delay,
        cloud_init: CloudInitSettings {
            base_url: args.cloud_init_base_url.unwrap_or_default(),
            cluster_name: args.cluster_name.unwrap_or_default(),
            ..CloudInitSettings::default()
        },
    }
}

fn boot_servers(args: BootServerArgs) -> BootServers {
    BootServers {
        tftp: args.tftp,
        tftp_single_port: args.tftp_single_port,
        tftp_per_client: args.tftp_per_client,
        loaders: args.loaders,
        images: args.images,
        image_listen: args.image_listen,
        image_rates: Rates { total: args.image_rate, image: args.image_rate_each },
    }
}

fn tell(event: &Event, prefix: &str, command: &CommandLine, printer: Printer) {
    match event {
        Event::Loaded { desired, diagnostics, sources, took, recovered } => {
            if !diagnostics.is_empty() {
                printer.talk(&render::text(diagnostics, sources, prefix, printer.colors_stderr()));
            }
            let word = if *recovered { "recovered" } else { "loaded" };
            let (nodes, hash) = (counted(desired.counts.nodes, "node"), &desired.inventory_hash);
            let (hash, ms) = (hash.get(..8).unwrap_or(hash), took.as_millis());
            printer.talk(&format!("{word} {prefix}: {nodes}, hash {hash}, {ms} ms"));
        }
        Event::Invalid { diagnostics, sources } => {
            printer.talk(&render::text(diagnostics, sources, prefix, printer.colors_stderr()));
            printer.talk(&format!("{prefix} is invalid; what was applied last stays in force"));
        }
        Event::Planned(plan) => {
            printer.talk(&plan_text(plan, printer));
            if let Some(refusal) = plan.refusal_of(command) {
                printer.talk(&refusal);
            }
        }
        Event::Applied(applied) => {
            if applied.plan.has_changes() {
                printer.talk(&applied_text(applied));
            }
            remarks(applied).iter().for_each(|line| printer.talk(line));
        }
        // The plan was told before, with the ways out.
        Event::Failed(ReconcileError::Refused { .. }) => printer.talk("not applied: a safety rule refuses the plan"),
        Event::Failed(error) => printer.talk(&format!("not applied: {error}")),
        // It was told when it came first; the log of a night without a service would be full of it.
        Event::Again(_) => {}
    }
}
