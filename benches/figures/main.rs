//! The figures of `docs/performance.md`, measured on the program itself:
//!
//! ```text
//! cargo bench --bench figures -- 1000 10000 50000
//! ```
//!
//! For each number of nodes it makes an inventory, then times `validate`, the first `apply`, the plan that is in sync,
//! the start of `serve`, its memory, requests per second with their latencies, and single writes through the API.
//! Everything runs on the loopback interface and ends by itself. The machine should have nothing else to do.
#![expect(clippy::print_stdout, reason = "printing is what it is for")]
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on ends")]

mod generate;
mod load;
mod peers;
mod program;

use std::time::Duration;

use load::Summary;
use program::Program;

/// How long each kind of request is sent.
const LOAD: Duration = Duration::from_secs(5);

fn main() {
    // Cargo adds `--bench`; whatever is a number is a number of nodes.
    let mut sizes: Vec<usize> = std::env::args().skip(1).filter_map(|arg| arg.parse().ok()).collect();
    if sizes.is_empty() {
        sizes = vec![1_000, 10_000, 50_000];
    }
    if std::env::args().any(|arg| arg == "peers") {
        return beside_peers(&sizes);
    }
    println!("| what | {} |", sizes.iter().map(|n| format!("{n} nodes")).collect::<Vec<_>>().join(" | "));
    println!("|---|{}", "---|".repeat(sizes.len()));
    let columns: Vec<Vec<(String, String)>> = sizes.iter().map(|&nodes| measure(nodes)).collect();
    for row in 0..columns[0].len() {
        let cells: Vec<&str> = columns.iter().map(|column| column[row].1.as_str()).collect();
        println!("| {} | {} |", columns[0][row].0, cells.join(" | "));
    }
}

/// A table for each number of nodes: the program beside the services it stands for.
fn beside_peers(sizes: &[usize]) {
    for &nodes in sizes {
        println!("| {nodes} nodes | ochami-sync | SMD, BSS, cloud-init | better by |\n|---|---|---|---|");
        for row in peers::measure(nodes, std::env::args().any(|arg| arg == "loads")) {
            println!("| {} |", row.join(" | "));
        }
        println!();
    }
}

/// One column of the table: what was measured, and the figure.
fn measure(nodes: usize) -> Vec<(String, String)> {
    let directory = tempfile::tempdir().unwrap();
    generate::inventory(directory.path(), nodes);
    let program = Program::new(directory.path());
    let mut rows = Vec::new();
    let mut row = |what: &str, figure: String| rows.push((what.to_owned(), figure));

    row("`validate`, median of 5", seconds(program.median(5, &["validate", "--quiet"])));
    row("first `plan`, empty store, median of 3", seconds(program.median(3, &["plan", "--format", "json"])));
    row("first `apply`", seconds(program.run(&["apply", "--yes", "--quiet"])));
    row("`plan` in sync, no daemon, median of 5", seconds(program.median(5, &["plan", "--quiet"])));

    let serving = program.serve();
    row("`serve` to ready", seconds(serving.ready_after));
    row("`plan` in sync, through the daemon, median of 5", seconds(program.median(5, &["plan", "--quiet"])));
    row("resident memory, right after those plans", megabytes(serving.resident()));
    for connections in [1, 16] {
        let url = |at: usize| format!("/boot/v1/bootscript?mac={}", generate::mac(at % nodes));
        let answer = load::run(&serving.boot, connections, LOAD, &url);
        row(&format!("boot script, random node, {connections} connections"), rate(&answer));
        let url = |at: usize| format!("/cloud-init/{}/meta-data", generate::xname(at % nodes));
        let answer = load::run(&serving.api, connections, LOAD, &url);
        row(&format!("meta-data, random node, {connections} connections"), rate(&answer));
        let url = |at: usize| format!("/hsm/v2/State/Components/{}", generate::xname(at % nodes));
        let answer = load::run(&serving.api, connections, LOAD, &url);
        row(&format!("SMD component, random node, {connections} connections"), rate(&answer));
    }
    let writes = load::writes(&serving.api, nodes, 200);
    row("one API write (BulkFlagOnly of one component), 1 connection", latency(&writes));
    row("resident memory, half a minute later, after the load", megabytes(serving.resident()));
    rows
}

fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

fn megabytes(kilobytes: u64) -> String {
    format!("{:.0} MB", kilobytes as f64 / 1000.0)
}

fn rate(summary: &Summary) -> String {
    assert_eq!(summary.bad, 0, "answers other than 200");
    format!("{:.0}/s, {}", summary.per_second, latency(summary))
}

fn latency(summary: &Summary) -> String {
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    format!("p50 {:.2} ms, p99 {:.2} ms, max {:.1} ms", ms(summary.p50), ms(summary.p99), ms(summary.max))
}
