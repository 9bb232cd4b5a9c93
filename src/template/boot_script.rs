//! The iPXE scripts that a node is sent, from `templates/`.
//!
//! The sources are embedded and parsed once; a script is then rendered in under a microsecond. A variable that a
//! template names and nobody gives is an error, never an empty text in a node's boot.

use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, context};

const BOOT: &str = "boot.ipxe.j2";
const UNKNOWN: &str = "unknown.ipxe.j2";
pub(super) const CONFIG: &str = "config.ipxe.j2";
pub(super) const AUTOEXEC: &str = "autoexec.ipxe.j2";
pub(super) const DEFAULT: &str = "default.ipxe.j2";
pub(super) const SHELL: &str = "shell.ipxe.j2";

/// A script could not be made from its template.
#[derive(Debug, thiserror::Error)]
#[error("template {name} cannot be rendered: {cause}")]
pub struct RenderError {
    /// The template.
    name: Box<str>,
    /// What minijinja says.
    cause: minijinja::Error,
}

impl RenderError {
    pub(super) fn new(name: &str, cause: minijinja::Error) -> Self {
        Self { name: name.into(), cause }
    }
}

/// What the script of a node that boots is made of. Every text has to be free of line breaks.
#[derive(Debug, Clone, Copy)]
pub struct Boot<'a> {
    /// URL of the kernel.
    pub kernel: &'a str,
    /// URL of the initrd; empty means none.
    pub initrd: &'a str,
    /// The whole kernel command line.
    pub params: &'a str,
    /// Seconds to wait before the node asks again.
    pub retry_delay: u32,
    /// What it asks then.
    pub chain_url: &'a str,
}

/// What the script of a node that cannot boot yet is made of.
#[derive(Debug, Clone, Copy)]
pub struct Unknown<'a> {
    /// Seconds to wait before the node asks again.
    pub unknown_delay: u32,
    /// What it asks then; ends in a query, to which the template adds.
    pub chain_url: &'a str,
    /// The present moment, in seconds since 1970, which keeps caches from answering.
    pub now: i64,
}

/// Renders the script of a node that boots.
///
/// # Errors
///
/// [`RenderError`] when the template names a variable that is not among those of [`Boot`].
pub fn boot(values: &Boot<'_>) -> Result<String, RenderError> {
    let Boot { kernel, initrd, params, retry_delay, chain_url } = *values;
    render(BOOT, context! { kernel, initrd, params, retry_delay, chain_url })
}

/// Renders the script of a node that cannot boot yet.
///
/// # Errors
///
/// [`RenderError`] as [`boot`].
pub fn unknown(values: &Unknown<'_>) -> Result<String, RenderError> {
    let Unknown { unknown_delay, chain_url, now } = *values;
    render(UNKNOWN, context! { unknown_delay, chain_url, now })
}

pub(super) fn render(name: &'static str, values: minijinja::Value) -> Result<String, RenderError> {
    static TEMPLATES: LazyLock<Environment<'static>> = LazyLock::new(environment);
    let error = |cause| RenderError::new(name, cause);
    TEMPLATES.get_template(name).map_err(error)?.render(values).map_err(error)
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // Lines that hold only a tag leave nothing behind, and the blank line at the end of a script stays.
    let syntax = SyntaxConfig::builder().trim_blocks(true).keep_trailing_newline(true).build();
    environment.set_syntax(syntax.expect("only delimiters can be refused, and they are the usual ones"));
    for (name, source) in [
        (BOOT, include_str!("../../templates/boot.ipxe.j2")),
        (UNKNOWN, include_str!("../../templates/unknown.ipxe.j2")),
        (CONFIG, include_str!("../../templates/config.ipxe.j2")),
        (AUTOEXEC, include_str!("../../templates/autoexec.ipxe.j2")),
        (DEFAULT, include_str!("../../templates/default.ipxe.j2")),
        (SHELL, include_str!("../../templates/shell.ipxe.j2")),
    ] {
        environment.add_template(name, source).expect("the embedded templates are parsed by a test");
    }
    environment
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: Boot<'_> = Boot { kernel: "K", initrd: "I", params: "p <&>", retry_delay: 30, chain_url: "U?mac=m" };

    #[test]
    fn a_script_has_the_text_that_bss_sends() {
        let text = boot(&VALUES).unwrap();
        let expected = "#!ipxe\nkernel --name kernel K p <&> || goto boot_retry\n\
                        initrd --name initrd I || goto boot_retry\nboot || goto boot_retry\n\
                        :boot_retry\nsleep 30\nchain U?mac=m\n\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn without_an_initrd_there_is_no_line_for_it() {
        let text = boot(&Boot { initrd: "", ..VALUES }).unwrap();
        assert!(text.contains("|| goto boot_retry\nboot || goto"), "{text}");
        assert!(!text.contains("initrd"), "{text}");
    }

    #[test]
    fn an_unknown_node_is_told_to_ask_again_with_its_architecture() {
        let text = unknown(&Unknown { unknown_delay: 10, chain_url: "U?mac=m", now: 7 }).unwrap();
        assert_eq!(text, "#!ipxe\nsleep 10\nchain U?mac=m&arch=${buildarch}&ts=7\n\n");
    }

    #[test]
    fn a_variable_that_nobody_gives_is_an_error() {
        let error = render(BOOT, context! { kernel => "K" }).unwrap_err();
        assert!(error.to_string().contains("boot.ipxe.j2"), "{error}");
    }
}
