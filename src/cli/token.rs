//! `token`: print an access token, minted by the daemon that serves the state directory.

use anyhow::Context as _;

use super::args::TokenArgs;
use super::exit::Exit;
use super::local;
use super::output::Printer;
use crate::server::local::TokenRequest;

pub(super) async fn run(args: TokenArgs, printer: Printer) -> anyhow::Result<Exit> {
    let request = TokenRequest { subject: args.subject, ttl_secs: args.ttl.as_secs() };
    let client = local::daemon(&args.state.state)
        .await?
        .with_context(|| format!("no daemon serves {}; start `ochami-sync serve` first", args.state.state.display()))?;
    let token = local::mint(&client, &request).await?;
    printer.data(&token);
    Ok(Exit::Success)
}
