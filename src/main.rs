//! The `ochami-sync` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    ochami_sync::cli::main()
}
