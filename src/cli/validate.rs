//! `validate`: check an inventory, offline.

use super::args::ValidateArgs;
use super::exit::Exit;
use super::output::{Format, Printer};
use crate::images;
use crate::inventory::{self, Severity, render};

/// Prints every problem. With `--quiet` only errors are printed as text, and nothing for an inventory without any; the
/// JSON document is for programs, which choose themselves, and always whole.
pub(super) fn run(args: &ValidateArgs, printer: Printer) -> Exit {
    let mut loaded = inventory::load_settled(&args.inventory);
    let prefix = args.inventory.display().to_string();
    let missing = args.images.as_ref().map(|directory| images::diagnostics(&loaded, directory)).unwrap_or_default();
    let served = missing.is_empty();
    loaded.diagnostics.extend(missing);
    if printer.quiet && printer.format == Format::Text {
        loaded.diagnostics.retain(|diagnostic| diagnostic.severity == Severity::Error);
    }
    match printer.format {
        Format::Json => printer.data(&render::json(&loaded.diagnostics, &prefix)),
        Format::Text if printer.quiet && loaded.diagnostics.is_empty() => {}
        Format::Text => {
            let text = render::text(&loaded.diagnostics, &loaded.sources, &prefix, printer.colors_stdout());
            printer.data(&text);
            if let Some(inventory) = loaded.inventory.as_ref().filter(|_| served) {
                let (nodes, groups) = (inventory.nodes.len(), inventory.group_labels().len());
                let noun = |count: usize, word: &str| format!("{count} {word}{}", if count == 1 { "" } else { "s" });
                printer.data(&format!("{prefix} is valid: {}, {}", noun(nodes, "node"), noun(groups, "group")));
            }
        }
    }
    if loaded.inventory.is_some() && served { Exit::Success } else { Exit::Invalid }
}
