//! From the text of a file to its tree.

use super::diagnostic::{Diagnostic, Report};
use super::source::{Sheet, Sources};
use super::yaml::{self, Parsed, Yaml};
use super::{Code, files, folders, salvage, titles};

/// Parses a file; none when there is nothing to look at, for which there is a problem.
pub(super) fn tree<'s>(sources: &'s Sources, report: &'s Report, path: &str) -> Option<(Sheet<'s>, Yaml<'s>)> {
    let source = sources.get(path).filter(|source| source.sound)?;
    let sheet = Sheet::new(source, report);
    match yaml::parse(sheet) {
        Parsed::Tree(tree) => {
            titles::fill(sheet, Some(&tree));
            Some((sheet, tree))
        }
        Parsed::Failed(unread) => {
            titles::fill(sheet, unread.tree.as_ref());
            salvage::rest(sheet, unread).map(|tree| (sheet, tree))
        }
        Parsed::Empty => {
            let help = match path {
                "nodes.yaml" => "write `nodes:` and the nodes; to delete them all is not done by an empty file",
                folders::DEFAULTS => "write what every node is told, as `cluster-name: demo`, or remove the file",
                "cluster.yaml" => "write at least `cluster_name` and `cluster_boot_ip`",
                _ => "write an entry, or remove the file",
            };
            let problem = Diagnostic::new(Code::EmptyFile, Some(files::whole(path)), format!("`{path}` is empty"));
            report.push(problem.help(help));
            None
        }
    }
}
