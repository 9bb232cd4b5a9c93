//! The directories that are watched, and what their names lead to.
//!
//! A watch of the operating system is one of a directory, not of a name: it stays with a directory that was moved away,
//! and sees nothing of the one that took its place. Directories are replaced all the time, by `mv`, by a checkout, by
//! the swap of a symbolic link. So what each name leads to is looked at several times a second, which costs next to
//! nothing and works on every file system, and the watches are set anew whenever anything moved.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

use super::{Timing, WatchConfig};

/// What a name leads to: device and inode, behind all symbolic links; none where there is nothing.
type Identity = Option<(u64, u64)>;

/// The watched directories.
pub(super) struct Places {
    /// The inventory directory with its subfolders, and that of the secrets.
    watched: [(PathBuf, RecursiveMode); 2],
    /// Everything whose replacement by something else has to be seen.
    named: Vec<PathBuf>,
    /// What these names led to when the watches were set.
    identities: Vec<Identity>,
    /// Dropped with its watches when new ones are set.
    watcher: Option<RecommendedWatcher>,
    events: mpsc::Receiver<()>,
    sender: mpsc::Sender<()>,
    /// Why there are no watches, as it was logged last.
    fault: Option<String>,
}

impl Places {
    pub(super) fn new(config: &WatchConfig) -> Self {
        let (sender, events) = mpsc::channel(1);
        let inventory = &config.inventory;
        let below = ["nodes.yaml", "cluster.yaml", "cloud-init", "cloud-init/secure", "templates"];
        let below = below.map(|name| inventory.join(name));
        let named = [inventory.clone(), config.secrets.clone()].into_iter().chain(below).collect();
        let watched =
            [(inventory.clone(), RecursiveMode::Recursive), (config.secrets.clone(), RecursiveMode::NonRecursive)];
        Self { watched, named, identities: Vec::new(), watcher: None, events, sender, fault: None }
    }

    /// Sets the watches on what the names lead to. Without them everything goes on, and changes within the directories are
    /// found by the regular comparison.
    pub(super) async fn arm(&mut self) {
        self.identities = identities(self.named.clone()).await;
        let (sender, watched) = (self.sender.clone(), self.watched.clone());
        // Setting a watch reads directories, which may lie on a file system that does not answer.
        let set = tokio::task::spawn_blocking(move || set(sender, &watched));
        let (watcher, fault) = match set.await {
            Ok(Ok(watcher)) => (Some(watcher), None),
            Ok(Err(error)) => (None, Some(error.to_string())),
            Err(_) => (None, Some("setting the watches panicked".to_owned())),
        };
        if let Some(fault) = fault.as_ref().filter(|fault| self.fault.as_ref() != Some(*fault)) {
            tracing::warn!(error = fault, "no watches can be set; changes are found by regular comparison only");
        }
        (self.watcher, self.fault) = (watcher, fault);
    }

    /// Returns when a burst of changes has ended, or after `wait` without any.
    pub(super) async fn change(&mut self, timing: Timing, wait: Duration) {
        let end = Instant::now() + wait;
        while !self.moved(timing.quiet).await {
            if Instant::now() >= end {
                return;
            }
        }
        let end = Instant::now() + timing.ceiling;
        while Instant::now() < end && self.moved(timing.quiet).await {}
    }

    /// True when something moved within that time.
    async fn moved(&mut self, within: Duration) -> bool {
        if timeout(within, self.events.recv()).await.is_ok() {
            return true;
        }
        let found = identities(self.named.clone()).await;
        let moved = found != self.identities;
        self.identities = found;
        moved
    }
}

/// Watches those of the directories that are there.
fn set(sender: mpsc::Sender<()>, watched: &[(PathBuf, RecursiveMode)]) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        if event.map_or(true, |event| concerns_us(&event)) {
            // A full channel already says what there is to say: something moved.
            let _ = sender.try_send(());
        }
    })?;
    for (path, mode) in watched.iter().filter(|(path, _)| path.is_dir()) {
        match watcher.watch(path, *mode) {
            // It went away between the two calls, which is seen by its name.
            Err(error) if !path.is_dir() => tracing::debug!(%error, "a directory went away"),
            set => set?,
        }
    }
    Ok(watcher)
}

/// What the names lead to.
async fn identities(named: Vec<PathBuf>) -> Vec<Identity> {
    let look = |path: &PathBuf| path.metadata().ok().map(|metadata| (metadata.dev(), metadata.ino()));
    tokio::task::spawn_blocking(move || named.iter().map(look).collect()).await.unwrap_or_default()
}

/// Editors' swap and backup files are not part of the tree.
fn concerns_us(event: &notify::Event) -> bool {
    if matches!(event.kind, notify::EventKind::Access(_)) {
        return false;
    }
    event.need_rescan() || event.paths.is_empty() || !event.paths.iter().all(|path| is_editor_file(path))
}

fn is_editor_file(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name == "4913" || name.ends_with('~') || name.ends_with(".swp") || name.ends_with(".swx") || name.starts_with(".#")
}

#[cfg(test)]
mod tests;
