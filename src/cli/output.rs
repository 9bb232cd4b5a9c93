//! The one place that prints: data on stdout, talk on stderr.
#![expect(clippy::print_stderr, reason = "this is the printer")]

use std::io::{IsTerminal as _, Write as _};

use clap::ValueEnum;

/// Whether to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set or `TERM` is `dumb`.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The form of the data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people; may change between versions.
    Text,
    /// For programs; versioned.
    Json,
}

/// A number with its noun: `1 node`, `9 nodes`.
pub(super) fn counted(count: u64, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Prints in the way the command line asked for.
#[derive(Debug, Clone, Copy)]
pub struct Printer {
    /// The form of the data.
    pub format: Format,
    /// Whether to colour.
    pub color: Color,
    /// Say nothing but data and errors.
    pub quiet: bool,
}

impl Printer {
    /// Prints data on stdout. A closed pipe is not our error: the reader had enough.
    pub fn data(&self, text: &str) {
        let mut stdout = std::io::stdout().lock();
        let _ = stdout.write_all(text.as_bytes());
        if !text.ends_with('\n') {
            let _ = stdout.write_all(b"\n");
        }
        let _ = stdout.flush();
    }

    /// Says something on stderr.
    pub fn talk(&self, text: &str) {
        if !self.quiet {
            eprintln!("{}", text.trim_end());
        }
    }

    /// Says what went wrong on stderr.
    pub fn error(&self, text: &str) {
        self.report(&format!("error: {text}"));
    }

    /// Prints a report of errors, which says by itself what it is, on stderr.
    pub fn report(&self, text: &str) {
        eprintln!("{}", text.trim_end());
    }

    /// Asks on stderr and reads a line, or nothing when there is nobody to answer.
    pub fn ask(&self, question: &str) -> Option<String> {
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return None;
        }
        eprint!("{question} ");
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).ok()?;
        Some(answer.trim().to_owned())
    }

    /// True when stdout takes colour.
    pub fn colors_stdout(&self) -> bool {
        self.colors(std::io::stdout().is_terminal())
    }

    /// True when stderr takes colour.
    pub fn colors_stderr(&self) -> bool {
        self.colors(std::io::stderr().is_terminal())
    }

    fn colors(&self, terminal: bool) -> bool {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => terminal && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb"),
        }
    }

    /// The width to lay text out in.
    pub fn width(&self) -> usize {
        terminal_size::terminal_size().map_or(100, |(width, _)| usize::from(width.0)).clamp(60, 160)
    }
}
