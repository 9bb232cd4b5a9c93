//! Configurations of CoreDHCP with coresmd: read into lines for `cluster.yaml`, and written of an inventory.
//!
//! All three generations of coresmd's arguments are read: five values in a row, six of them, and `key=value` with
//! comments; of bootloop's, both. Nothing is written into an inventory: the lines are for a person to put there, and what
//! cannot be expressed is a comment with its line.

mod arguments;
mod config;
mod lines;
mod render;
#[cfg(test)]
mod tests;

use std::path::Path;

pub use render::{Generation, render};

use self::config::Config;
use super::diagnostic::Report;
use super::settings::Problems;
use super::source::{Sheet, Sources};
use super::span::Span;
use super::yaml::{self, Parsed};
use super::{files, load};

/// Reads a configuration and answers lines for `cluster.yaml`.
///
/// Files of hosts that it names are read, too, where they are there.
///
/// # Errors
///
/// The file cannot be read, is not YAML, or has no `server4` with plugins.
pub fn import(path: &Path) -> Result<String, Problems> {
    let name = path.display().to_string();
    let bytes = files::read_file(path).map_err(|error| Problems {
        diagnostics: vec![files::unreadable(&name, &error)],
        sources: Sources::default(),
    })?;
    let (source, problem) = load::decode(&name, bytes);
    let report = Report::default();
    let config = match problem {
        Some(problem) => {
            report.push(problem);
            None
        }
        None => {
            let sheet = Sheet::new(&source, &report);
            match yaml::parse(sheet) {
                Parsed::Tree(tree) => Config::read(sheet, &tree),
                Parsed::Empty => {
                    config::no_plugins(sheet, Span::new(0, 0));
                    None
                }
                Parsed::Failed(_) => None,
            }
        }
    };
    match (config, report.into_inner()) {
        (Some(config), diagnostics) if diagnostics.is_empty() => Ok(lines::of(&config, &name)),
        (_, diagnostics) => {
            let mut sources = Sources::default();
            sources.insert(source);
            Err(Problems { diagnostics, sources })
        }
    }
}
