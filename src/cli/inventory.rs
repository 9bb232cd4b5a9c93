//! Loading an inventory for a verb: its diagnostics on stderr, its desired state, and what the verb came to if neither.

use std::path::{Path, PathBuf};

use super::args::InventoryArgs;
use super::exit::Exit;
use super::images;
use super::output::{Format, Printer, counted};
use crate::desired::Desired;
use crate::inventory::{self, Loaded, render};
use crate::reconcile::watch;

/// Loads, and shows problems; the error is what the command came to when the inventory is invalid. Runs beside other
/// tasks, because a large inventory takes as long as opening a large store.
pub(super) async fn load(args: &InventoryArgs, printer: Printer) -> anyhow::Result<Result<Desired, Exit>> {
    let (directory, secrets) = (args.place.inventory.clone(), args.secrets.secrets_dir.clone());
    let served = args.place.images.clone();
    let loading = tokio::task::spawn_blocking(move || {
        let loaded = inventory::load_settled(&directory);
        show(&loaded, &directory, printer);
        let prefix = directory.display().to_string();
        let missing = served.map(|served| images::check(&loaded, &prefix, &served, printer)).unwrap_or_default();
        if !missing.is_empty() {
            if printer.format == Format::Json {
                printer.data(&render::json(&missing, &prefix));
            }
            return Err(Exit::Invalid);
        }
        let inventory = loaded.inventory.ok_or(Exit::Invalid)?;
        Ok(watch::desired(&inventory, &secrets_dir(secrets, &directory)))
    });
    Ok(loading.await?)
}

fn show(loaded: &Loaded, directory: &Path, printer: Printer) {
    let prefix = directory.display().to_string();
    if loaded.inventory.is_none() {
        printer.report(&render::text(&loaded.diagnostics, &loaded.sources, &prefix, printer.colors_stderr()));
    } else if !loaded.diagnostics.is_empty() {
        // Whoever plans has seen them, or can; a screen of warnings would hide the plan.
        let count = counted(loaded.diagnostics.len() as u64, "warning");
        printer.talk(&format!("{count}: see `ochami-sync validate -i {prefix}`"));
    }
}

/// The directory of secrets: the one given, or `secrets/` beside the inventory directory.
pub(super) fn secrets_dir(given: Option<PathBuf>, inventory: &Path) -> PathBuf {
    given.unwrap_or_else(|| {
        // `inventory` and `.` have a parent only once they are absolute.
        let whole = std::path::absolute(inventory).unwrap_or_else(|_| inventory.to_owned());
        whole.parent().unwrap_or(Path::new("/")).join("secrets")
    })
}
