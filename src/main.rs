//! The `ochami-sync` command.

use std::process::ExitCode;

// A plan of 10,000 nodes makes and drops a million small values. This allocator does it faster than the system's and
// gives the memory back soon after (`.cargo/config.toml` says when), which counts in a daemon that serves for months.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    ochami_sync::cli::main()
}
