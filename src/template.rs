//! Templates: the one minijinja environment, for the scripts of iPXE, for `{{ variable }}` in `cluster.yaml`, and for
//! checking the syntax of templates that belong to the node.

mod bounded;

pub mod boot_script;
pub mod check;
pub mod firmware;
pub mod profile;

/// What is wrong with a template that somebody wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateFault {
    /// What is wrong, in lower case.
    pub message: String,
    /// The line of the template, from 1.
    pub line: usize,
}
