//! `import coredhcp` and `render coredhcp`: from and to a configuration of CoreDHCP. Both print, and write nothing.

use super::args::{CoreDhcpArgs, GenerationArg, ImportArgs};
use super::exit::Exit;
use super::output::{Format, Printer};
use crate::inventory::coredhcp::{self, Generation};
use crate::inventory::{self, render};

/// Prints lines for `cluster.yaml`.
pub(super) fn import(args: &ImportArgs, printer: Printer) -> Exit {
    match coredhcp::import(&args.file) {
        Ok(lines) => {
            print(&lines, printer);
            Exit::Success
        }
        Err(problems) => {
            let text = render::text(&problems.diagnostics, &problems.sources, "", printer.colors_stderr());
            printer.report(&text);
            Exit::Failure
        }
    }
}

/// Prints the configuration that the inventory makes.
pub(super) fn render(args: &CoreDhcpArgs, printer: Printer) -> Exit {
    let loaded = inventory::load_settled(&args.inventory);
    let Some(inventory) = &loaded.inventory else {
        let prefix = args.inventory.display().to_string();
        printer.report(&render::text(&loaded.diagnostics, &loaded.sources, &prefix, printer.colors_stderr()));
        return Exit::Invalid;
    };
    let generation = match args.generation {
        GenerationArg::Five => Generation::Five,
        GenerationArg::Six => Generation::Six,
        GenerationArg::Keys => Generation::Keys,
    };
    let cluster = &inventory.cluster;
    let usual = || format!("https://{}.{}:8443", cluster.name, cluster.domain);
    let services = args.base_uri.clone().unwrap_or_else(usual);
    print(&coredhcp::render(inventory, generation, &services), printer);
    Exit::Success
}

/// The text as it is, or as the one member of a JSON document.
fn print(text: &str, printer: Printer) {
    match printer.format {
        Format::Text => printer.data(text),
        Format::Json => printer.data(&format!("{:#}", serde_json::json!({"version": 1, "text": text}))),
    }
}
