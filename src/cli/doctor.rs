//! `doctor`: whether this machine has what `serve` needs with the same flags and the same settings file. Looks, and
//! changes nothing; sockets are taken for a moment and given back.

mod files;
mod network;
mod services;

use serde::Serialize;

use super::args::ServeArgs;
use super::exit::Exit;
use super::output::{Format, Printer, counted};
use crate::inventory;

/// How something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    /// As it should be.
    Ok,
    /// It serves, but somebody should look.
    Warning,
    /// It would not serve.
    Error,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    /// What: `inventory`, `loaders`, `images`, `certificate`, `socket`, `interface`, `permissions`, `state`, `clock`,
    /// `services`.
    check: &'static str,
    status: Status,
    /// A sentence.
    message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, message: impl Into<String>) -> Self {
        Self { check, status: Status::Ok, message: message.into(), help: None }
    }

    fn warning(check: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { check, status: Status::Warning, message: message.into(), help: Some(help.into()) }
    }

    fn error(check: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { check, status: Status::Error, message: message.into(), help: Some(help.into()) }
    }
}

/// Looks at everything. Ends with success unless something would keep `serve` from serving.
pub(super) fn run(args: &ServeArgs, printer: Printer) -> anyhow::Result<Exit> {
    crate::server::common::tls::install_provider();
    let mut findings = files::state(&args.state.state);
    findings.extend(files::clock());
    let served = &args.boot_servers;
    findings.extend(files::loaders(served.loaders.as_deref(), !served.tftp.is_empty() || !args.dhcp.is_empty()));
    let loaded = args.inventory.as_deref().map(inventory::load_settled);
    findings.extend(loaded.as_ref().map(files::inventory));
    if let Some(images) = &served.images {
        findings.extend(files::images(images, loaded.as_ref()));
    }
    if let Some((certificate, key)) = args.tls_cert.as_ref().zip(args.tls_key.as_ref()) {
        findings.push(files::certificate(certificate, key));
    }
    findings.extend(network::sockets(args));
    findings.extend(network::dhcp(args));
    findings.extend(services::services(&args.target, loaded.as_ref()));
    match printer.format {
        Format::Json => {
            let document = serde_json::json!({
                "format": "ochami-sync/doctor", "format_version": "1.0", "findings": findings,
            });
            printer.data(&serde_json::to_string_pretty(&document)?);
        }
        Format::Text => printer.data(&text(&findings, printer.quiet)),
    }
    let worst = findings.iter().map(|finding| finding.status).max();
    Ok(if worst == Some(Status::Error) { Exit::Failure } else { Exit::Success })
}

fn text(findings: &[Finding], quiet: bool) -> String {
    let mut text = String::new();
    for finding in findings.iter().filter(|finding| !quiet || finding.status != Status::Ok) {
        let status = match finding.status {
            Status::Ok => "ok",
            Status::Warning => "warning",
            Status::Error => "error",
        };
        text.push_str(&format!("{status:7}  {:11}  {}\n", finding.check, finding.message));
        if let Some(help) = &finding.help {
            text.push_str(&format!("{:22}{help}\n", ""));
        }
    }
    let count = |status| findings.iter().filter(|finding| finding.status == status).count() as u64;
    let (errors, warnings) = (count(Status::Error), count(Status::Warning));
    text + &format!("{}, {}\n", counted(errors, "error"), counted(warnings, "warning"))
}
