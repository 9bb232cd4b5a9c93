//! `images list`, and the check of an inventory against the images that are there.

use std::path::Path;

use super::args::ImagesArgs;
use super::exit::Exit;
use super::output::{Format, Printer};
use crate::images::{self, Image};
use crate::inventory::{self, Diagnostic, Loaded};
use crate::plan::text::folded;

/// Names that are no node set are listed up to this many.
const LISTED: usize = 8;

/// Lists what is there. An inventory that is invalid or not there leaves the users out.
pub(super) fn list(args: &ImagesArgs, printer: Printer) -> anyhow::Result<Exit> {
    let loaded = inventory::load_settled(&args.inventory);
    if loaded.inventory.is_none() {
        let place = args.inventory.display();
        printer.talk(&format!("{place} is no valid inventory, so no users are named"));
    }
    let listed = match images::list(&args.images, loaded.inventory.as_ref()) {
        Ok(listed) => listed,
        Err(error) => {
            printer.error(&format!("{} cannot be read: {error}", args.images.display()));
            return Ok(Exit::Failure);
        }
    };
    match printer.format {
        Format::Json => printer.data(&serde_json::to_string_pretty(&listed)?),
        Format::Text if listed.is_empty() => {
            printer.talk(&format!("there is no image below {}", args.images.display()));
        }
        Format::Text => printer.data(&table(&listed)),
    }
    Ok(Exit::Success)
}

/// What the inventory names and the directory does not have, for verbs that show no diagnostics: as text it is told
/// here, a line each.
pub(super) fn check(loaded: &Loaded, prefix: &str, directory: &Path, printer: Printer) -> Vec<Diagnostic> {
    let missing = images::diagnostics(loaded, directory);
    for problem in missing.iter().filter(|_| printer.format == Format::Text) {
        let place = problem.place.as_ref().map(|place| format!("{}:{}", place.file, place.line)).unwrap_or_default();
        let help = problem.help.as_deref().unwrap_or_default();
        printer.error(&format!("{prefix}/{place}: {}; {help}", problem.message));
    }
    missing
}

fn table(images: &[Image]) -> String {
    let name = |image: &Image| match &image.link {
        Some(link) => format!("{} -> {link}", image.name),
        None => image.name.clone(),
    };
    let width = images.iter().map(|image| name(image).len()).chain([5]).max().unwrap_or(5);
    let mut text = format!("{:width$}  {:>9}  {:>6}  VERSIONS", "IMAGE", "SIZE", "NODES");
    for image in images {
        let versions = image.versions.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        let (size, nodes) = (size(image.bytes), image.nodes);
        text.push_str(&format!("\n{:width$}  {size:>9}  {nodes:>6}  {versions}", name(image)));
        for users in &image.users {
            let names: Vec<&str> = users.nodes.iter().map(String::as_str).collect();
            let groups = if users.groups.is_empty() { "in no group".to_owned() } else { users.groups.join(", ") };
            text.push_str(&format!("\n  {groups}: {}", folded(&names, LISTED)));
        }
        for problem in &image.problems {
            text.push_str(&format!("\n  warning: {problem}"));
        }
    }
    text
}

/// Bytes with a unit, one digit behind the point.
fn size(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_one_digit_behind_the_point() {
        for (bytes, text) in
            [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (3 << 20, "3.0 MiB"), (5 << 30, "5.0 GiB")]
        {
            assert_eq!(size(bytes), text);
        }
    }
}
