//! The boot scripts that a boot profile names: those of this program, and the site's own, `templates/NAME.j2` of the
//! inventory. Two names are special: a site's `boot` is for the profiles that name none, its `unknown` for machines that
//! have nothing to boot.
//!
//! A site's template can put values in, choose by `if` and repeat by `for`, and nothing else: there are no functions, and
//! of the filters only `lower`, `upper` and `trim`. It is checked before it is applied, by rendering it with sample
//! values, and both its work and what it makes are bounded, because it is rendered for a node that waits for it.

use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior, Value, context};

use super::TemplateFault;
use super::boot_script::RenderError;
use super::bounded::{Bounded, add_filters};

/// The name of the script that nodes get whose profile names no template: the site's, or the one that BSS sends.
pub const BOOT: &str = "boot";

/// The name of the site's script for machines that have nothing to boot, and of those that no inventory knows.
pub const UNKNOWN: &str = "unknown";

/// The templates of this program, by the names that a profile gives them.
const BUILT_IN: &[(&str, &str)] = &[
    ("bounded", include_str!("../../templates/bounded.ipxe.j2")),
    ("maintenance", include_str!("../../templates/maintenance.ipxe.j2")),
    ("shell", include_str!("../../templates/node-shell.ipxe.j2")),
];

/// What a template may put in, in alphabetical order.
pub const VARIABLES: &[&str] =
    &["attempts", "chain_url", "delay", "initrd", "kernel", "mac", "nid", "params", "retry", "xname"];

/// The longest script, in bytes; iPXE keeps it in memory beside kernel and initrd.
const MAX_SCRIPT: usize = 64 << 10;

/// The longest command line, in bytes, that kernels of x86-64 and ARM64 take.
const LONGEST_PARAMS: usize = 2048;

/// The most work that the script of a sample may be, in minijinja's fuel: an instruction costs one, and so do 64 bytes of
/// text. The longest script is a twentieth of it, and all of it is spent in about a millisecond.
const MAX_WORK: u64 = 20_000;

/// The most work for a node. What passed the check shall not fail when the node waits for it, although its values are
/// longer than those of the samples.
const MAX_WORK_FOR_NODE: u64 = 4 * MAX_WORK;

/// How every script of iPXE begins.
const FIRST_LINE: &str = "#!ipxe";

/// What a script is made of. Every text has to be free of line breaks.
#[derive(Debug, Clone, Copy)]
pub struct Values<'a> {
    /// URL of the kernel; empty for a machine that has nothing to boot.
    pub kernel: &'a str,
    /// URL of the initrd; empty means none.
    pub initrd: &'a str,
    /// The whole kernel command line; empty for a machine that has nothing to boot.
    pub params: &'a str,
    /// Where the node asks for its script again.
    pub chain_url: &'a str,
    /// The node's xname; empty for a machine that SMD does not know.
    pub xname: &'a str,
    /// The node's number, if it has one.
    pub nid: Option<u64>,
    /// The MAC address that asked, joined by dashes; empty where it asked by name or number.
    pub mac: &'a str,
    /// Seconds to wait before the node asks again; another number for each node.
    pub delay: u32,
    /// How often the node has asked before since it was started.
    pub retry: i64,
    /// After how many attempts it had better start over.
    pub attempts: u32,
}

/// The template of this program that has this name; none for others and for [`BOOT`].
#[must_use]
pub fn built_in(name: &str) -> Option<&'static str> {
    BUILT_IN.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// The names of [`built_in`] templates, [`BOOT`] among them.
pub fn names() -> impl Iterator<Item = &'static str> {
    std::iter::once(BOOT).chain(BUILT_IN.iter().map(|(name, _)| *name))
}

/// Checks a template: that it parses, names no variable but [`VARIABLES`], and makes a script of iPXE.
///
/// # Errors
/// The first fault and its line.
pub fn check(text: &str) -> Result<(), TemplateFault> {
    let of = |error: &minijinja::Error| TemplateFault { message: words(error), line: error.line().unwrap_or(1) };
    let template = CHECKING.template_from_str(text).map_err(|error| of(&error))?;
    let mut unknown: Vec<String> = template.undeclared_variables(false).into_iter().collect();
    unknown.retain(|name| !VARIABLES.contains(&name.as_str()));
    unknown.sort_unstable();
    if let Some(name) = unknown.first() {
        let line = line_of(text, name);
        return Err(TemplateFault { message: format!("`{name}` is no variable of boot scripts"), line });
    }
    // As long as a kernel takes it, so that a loop over it does not first become too much at a node.
    let params = "quiet ".repeat(LONGEST_PARAMS / 6);
    let whole = Values {
        kernel: "http://172.16.0.254:8080/vmlinuz",
        initrd: "http://172.16.0.254:8080/initramfs.img",
        params: &params,
        chain_url: "http://172.16.0.254:8081/boot/v1/bootscript?mac=ec:e7:a7:05:a1:fc&retry=1",
        xname: "x1000c1s7b0n0",
        nid: Some(1),
        mac: "ec-e7-a7-05-a1-fc",
        delay: 30,
        retry: 0,
        attempts: 20,
    };
    let bare = Values { kernel: "", initrd: "", params: "", xname: "", nid: None, mac: "", retry: 99, ..whole };
    for values in [whole, bare] {
        let script = rendered(&CHECKING, text, &values).map_err(|error| of(&error))?;
        if script.lines().next() != Some(FIRST_LINE) {
            let message = format!("the script does not begin with the line `{FIRST_LINE}`");
            return Err(TemplateFault { message, line: 1 });
        }
    }
    Ok(())
}

/// Makes the script of a template that [`check`] found sound.
///
/// # Errors
///
/// [`RenderError`] with the name of the template.
pub fn render(name: &str, text: &str, values: &Values<'_>) -> Result<String, RenderError> {
    rendered(&SERVING, text, values).map_err(|cause| RenderError::new(name, cause))
}

static CHECKING: LazyLock<Environment<'static>> = LazyLock::new(|| environment(MAX_WORK));
static SERVING: LazyLock<Environment<'static>> = LazyLock::new(|| environment(MAX_WORK_FOR_NODE));

fn environment(most_work: u64) -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(most_work));
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    let syntax = SyntaxConfig::builder().trim_blocks(true).keep_trailing_newline(true).build();
    environment.set_syntax(syntax.expect("only delimiters can be refused, and they are the usual ones"));
    add_filters(&mut environment);
    environment
}

fn rendered(environment: &Environment<'_>, text: &str, values: &Values<'_>) -> Result<String, minijinja::Error> {
    let Values { kernel, initrd, params, chain_url, xname, mac, delay, retry, attempts, nid } = *values;
    let nid = nid.map_or_else(|| Value::from(""), Value::from);
    let values = context! { kernel, initrd, params, chain_url, xname, nid, mac, delay, retry, attempts };
    let mut script = Bounded::new(MAX_SCRIPT);
    environment.template_from_str(text)?.render_captured_to(values, &mut script)?;
    String::from_utf8(script.bytes)
        .map_err(|_| minijinja::Error::new(ErrorKind::BadSerialization, "the script is not UTF-8"))
}

fn words(error: &minijinja::Error) -> String {
    match error.kind() {
        ErrorKind::WriteFailure => format!("the script becomes longer than {} KiB", MAX_SCRIPT >> 10),
        ErrorKind::OutOfFuel => "it does too much: loops within loops, or over long texts".to_owned(),
        kind => error.detail().map_or_else(|| kind.to_string(), str::to_owned),
    }
}

/// The first line that has this word within an expression or statement.
fn line_of(text: &str, name: &str) -> usize {
    let mut rest = text;
    while let Some(at) = rest.find(name) {
        let offset = text.len() - rest.len() + at;
        let (before, behind) = (&text[..offset], &text[offset + name.len()..]);
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let apart = !before.ends_with(is_word) && !behind.starts_with(is_word);
        let open = [("{{", "}}"), ("{%", "%}")].iter().any(|(from, to)| before.rfind(from) > before.rfind(to));
        if apart && open {
            return before.matches('\n').count() + 1;
        }
        rest = behind;
    }
    1
}

#[cfg(test)]
mod tests;
