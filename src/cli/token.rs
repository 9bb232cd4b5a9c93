//! `token`: print an access token, minted by the daemon that serves the state directory.

use anyhow::Context as _;
use serde::Serialize;

use super::args::TokenArgs;
use super::exit::Exit;
use super::local;
use super::output::{Format, Printer};
use crate::server::local::TokenRequest;

/// The token with what it was minted for, in the words of OAuth's token answer (RFC 6749 section 5.1).
#[derive(Serialize)]
struct Document<'d> {
    format: &'static str,
    format_version: &'static str,
    access_token: &'d str,
    token_type: &'static str,
    /// Seconds from now.
    expires_in: u64,
    subject: &'d str,
}

pub(super) async fn run(args: TokenArgs, printer: Printer) -> anyhow::Result<Exit> {
    let request = TokenRequest { subject: args.subject, ttl_secs: args.ttl.as_secs() };
    let client = local::daemon(&args.state.state)
        .await?
        .with_context(|| format!("no daemon serves {}; start `ochami-sync serve` first", args.state.state.display()))?;
    let token = local::mint(&client, &request).await?;
    match printer.format {
        Format::Text => printer.data(&token),
        Format::Json => printer.data(&serde_json::to_string_pretty(&Document {
            format: "ochami-sync/token",
            format_version: "1.0",
            access_token: &token,
            token_type: "Bearer",
            expires_in: request.ttl_secs,
            subject: &request.subject,
        })?),
    }
    Ok(Exit::Success)
}
