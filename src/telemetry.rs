//! Logging: one line per event on stderr, readable alone, with fields to search for.

use tracing_subscriber::EnvFilter;

/// Starts logging. `RUST_LOG` overrides the verbosity (0 information, 1 debug, 2 everything).
pub fn start(verbose: u8, json: bool, color: bool) {
    let level = match verbose {
        0 => "info",
        1 => "ochami_sync=debug,info",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(false);
    // When a line cannot be written, as to a pipe whose reader is gone, it would be told on the same stderr, and that fails
    // with a panic of whoever had something to log.
    let builder = builder.log_internal_errors(false);
    // A second start, in a test, keeps the first subscriber.
    let _ = if json { builder.json().try_init() } else { builder.with_ansi(color).try_init() };
}
