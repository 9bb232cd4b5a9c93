//! What is where below an inventory directory.

/// The folders with cloud-init entries.
pub(super) const OPEN: &str = "cloud-init";
/// Those for the secure store.
pub(super) const SECURE: &str = "cloud-init/secure";
/// The folders with groups and instances in today's form, which may stand among the entries, too.
pub(super) const GROUPS: &str = "cloud-init/groups";
pub(super) const INSTANCES: &str = "cloud-init/instances";
/// The file with the defaults in today's form.
pub(super) const DEFAULTS: &str = "cloud-init/defaults.yaml";
/// The folder with templates of boot scripts.
pub(super) const TEMPLATES: &str = "templates";
