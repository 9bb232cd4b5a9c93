//! The scripts that iPXE fetches before it knows which node it runs on, from `templates/`.
//!
//! They follow the names that OpenCHAMI's builds of iPXE ask for: `config.ipxe`, which the script embedded in those
//! builds chains to, `default`, which is the boot file of machines that nobody knows, and `autoexec.ipxe`, which iPXE
//! since 2024 asks for beside the file that it came from. `shell.ipxe` is that boot file where such machines are to have
//! a shell.

use minijinja::context;

use super::boot_script::{AUTOEXEC, CONFIG, DEFAULT, RenderError, SHELL, render};

/// How a machine goes on when something does not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Seconds between two attempts.
    pub delay: u32,
    /// Attempts until the machine restarts, which lets it try its other boot devices.
    pub attempts: u32,
}

/// The script of this name; none when no template has it.
///
/// # Errors
///
/// [`RenderError`] when the template names a variable that is not among those of [`Retry`].
pub fn script(name: &str, retry: &Retry) -> Result<Option<String>, RenderError> {
    let Retry { delay, attempts } = *retry;
    let template = match name {
        "config.ipxe" => CONFIG,
        "autoexec.ipxe" => AUTOEXEC,
        "default" => DEFAULT,
        "shell.ipxe" => SHELL,
        _ => return Ok(None),
    };
    render(template, context! { delay, attempts }).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETRY: Retry = Retry { delay: 7, attempts: 20 };

    #[test]
    fn every_script_is_for_ipxe_and_waits_before_the_machine_starts_over() {
        for name in ["config.ipxe", "autoexec.ipxe", "default", "shell.ipxe"] {
            let text = script(name, &RETRY).unwrap().unwrap();
            assert!(text.starts_with("#!ipxe\n") && text.contains("sleep 7\n") && text.contains("reboot"), "{text}");
        }
    }

    #[test]
    fn what_dhcp_named_is_chained_and_not_for_ever() {
        for name in ["config.ipxe", "autoexec.ipxe"] {
            let text = script(name, &RETRY).unwrap().unwrap();
            assert!(text.contains("chain --autofree ${filename}"), "{text}");
            assert!(text.contains("iseq ${tries} 20 && reboot"), "{text}");
        }
    }

    #[test]
    fn a_machine_that_leaves_its_shell_or_has_none_starts_over() {
        let text = script("shell.ipxe", &RETRY).unwrap().unwrap();
        assert!(text.contains("\nshell || echo "), "a build without a shell goes on: {text}");
        assert!(text.ends_with("sleep 7\nreboot\n"), "{text}");
    }

    #[test]
    fn other_names_have_no_script() {
        assert_eq!(script("undionly.kpxe", &RETRY).unwrap(), None);
    }
}
