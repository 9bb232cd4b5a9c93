//! `explain`: what a diagnostic's code means.

use std::fmt::Write as _;

use super::args::ExplainArgs;
use super::exit::Exit;
use super::output::Printer;
use crate::inventory::explain::{self, Content, Explanation, File};

pub(super) fn run(args: &ExplainArgs, printer: Printer) -> Exit {
    if args.list {
        let line = |page: &Explanation| format!("{}  {:7}  {}", page.code.as_str(), page.level.as_str(), page.title);
        printer.data(&explain::all().iter().map(line).collect::<Vec<_>>().join("\n"));
        return Exit::Success;
    }
    let code = args.code.as_deref().unwrap_or_default();
    if let Some(page) = explain::page(code) {
        printer.data(&text(page));
        return Exit::Success;
    }
    printer.error(&format!("there is no code `{code}`; `ochami-sync explain --list` shows all"));
    Exit::Failure
}

fn text(page: &Explanation) -> String {
    let mut text = format!("{} ({}): {}\n\n{}\n", page.code.as_str(), page.level.as_str(), page.title, page.text);
    for (title, files) in [("Wrong", &page.wrong), ("Right", &page.right)] {
        let _ = write!(text, "\n{title}:\n");
        files.iter().for_each(|file| put_file(file, &mut text));
    }
    text
}

fn put_file(file: &File, text: &mut String) {
    match file.content {
        Content::Text(content) => {
            let _ = writeln!(text, "\n  {}", file.path);
            content.lines().for_each(|line| {
                let _ = writeln!(text, "    {line}");
            });
        }
        Content::Absent => {
            let _ = writeln!(text, "\n  {} is not there", file.path);
        }
        Content::Directory => {
            let _ = writeln!(text, "\n  {} is a directory", file.path);
        }
    }
}
