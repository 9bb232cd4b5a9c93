//! Loading an inventory for a verb: its desired state, or its problems and what the verb came to.
//!
//! People read problems on stderr. Programs read them on stdout, as the document that `validate` prints; the warnings of a
//! valid inventory are in the document of the plan.

use std::path::{Path, PathBuf};

use super::args::InventoryArgs;
use super::exit::Exit;
use super::images;
use super::output::{Format, Printer, counted};
use crate::desired::Desired;
use crate::inventory::{self, Diagnostic, Loaded, Severity, render};
use crate::plan::Plan;
use crate::plan::document::{self, Remark};
use crate::reconcile::watch;

/// An inventory that is valid.
pub(super) struct Checked {
    /// What it asks for.
    pub(super) desired: Desired,
    /// Its warnings.
    pub(super) warnings: Warnings,
}

/// The warnings of a valid inventory, for the documents that programs read.
pub(super) struct Warnings(Vec<Remark>);

impl Warnings {
    /// Puts them into the plan that is printed as data. Whoever reads text has been told their number, and a screen of
    /// them would hide the plan.
    pub(super) fn put(&self, plan: &mut Plan, printer: Printer) {
        if printer.format == Format::Json {
            plan.diagnostics.extend_from_slice(&self.0);
        }
    }
}

/// Loads, and shows problems; the error is what the command came to when the inventory is invalid. Runs beside other
/// tasks, because a large inventory takes as long as opening a large store.
pub(super) async fn load(args: &InventoryArgs, printer: Printer) -> anyhow::Result<Result<Checked, Exit>> {
    let (directory, secrets) = (args.place.inventory.clone(), args.secrets.secrets_dir.clone());
    let served = args.place.images.clone();
    let loading = tokio::task::spawn_blocking(move || {
        let mut loaded = inventory::load_settled(&directory);
        show(&loaded, &directory, printer);
        let prefix = directory.display().to_string();
        let missing = served.map(|served| images::check(&loaded, &prefix, &served, printer)).unwrap_or_default();
        let complete = missing.is_empty();
        loaded.diagnostics.extend(missing);
        let Some(inventory) = loaded.inventory.filter(|_| complete) else {
            if printer.format == Format::Json {
                printer.data(&render::json(&loaded.diagnostics, &prefix));
            }
            return Err(Exit::Invalid);
        };
        let warnings = Warnings(loaded.diagnostics.iter().filter_map(remark).collect());
        Ok(Checked { desired: watch::desired(&inventory, &secrets_dir(secrets, &directory)), warnings })
    });
    Ok(loading.await?)
}

/// A warning as the plan tells it; none for what is only worth knowing.
fn remark(diagnostic: &Diagnostic) -> Option<Remark> {
    let origin = diagnostic.place.as_ref().map(|place| document::Place {
        file: place.file.clone(),
        line: place.line,
        end_line: place.end_line,
        pointer: None,
        removed: false,
    });
    (diagnostic.severity == Severity::Warning).then(|| Remark {
        severity: document::Severity::Warning,
        code: diagnostic.code.as_str().into(),
        object: diagnostic.node.clone().unwrap_or_else(|| "inventory".to_owned()),
        message: diagnostic.message.clone(),
        origin,
    })
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
