//! `explain`: what a diagnostic's code means.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::args::ExplainArgs;
use super::exit::Exit;
use super::output::{Format, Printer};
use crate::inventory::explain::{self, Content, Explanation, File};

pub(super) fn run(args: &ExplainArgs, printer: Printer) -> Exit {
    if args.list {
        match printer.format {
            Format::Text => {
                let line =
                    |page: &Explanation| format!("{}  {:7}  {}", page.code.as_str(), page.level.as_str(), page.title);
                printer.data(&explain::all().iter().map(line).collect::<Vec<_>>().join("\n"));
            }
            Format::Json => printer.data(&document(explain::all().iter().map(summary).collect())),
        }
        return Exit::Success;
    }
    let code = args.code.as_deref().unwrap_or_default();
    let Some(page) = explain::page(code) else {
        printer.error(&format!("there is no code `{code}`; `ochami-sync explain --list` shows all"));
        return Exit::Failure;
    };
    printer.data(&match printer.format {
        Format::Text => text(page),
        Format::Json => document(vec![whole(page)]),
    });
    Exit::Success
}

/// The pages as a JSON document, `ochami-sync/explanations` version 1.0.
fn document(codes: Vec<Value>) -> String {
    let document = json!({"format": "ochami-sync/explanations", "format_version": "1.0", "codes": codes});
    format!("{document:#}")
}

fn summary(page: &Explanation) -> Value {
    json!({"code": page.code.as_str(), "severity": page.level.as_str(), "title": page.title})
}

/// A page with its examples. The content of a file is `null` when the file is absent, a directory or a link.
fn whole(page: &Explanation) -> Value {
    let mut whole = summary(page);
    whole["text"] = page.text.into();
    for (name, files) in [("wrong", &page.wrong), ("right", &page.right)] {
        whole[name] = files.iter().map(file).collect();
    }
    whole
}

fn file(file: &File) -> Value {
    let (kind, content) = match file.content {
        Content::Text(content) => ("text", Some(content.replace('→', "\t"))),
        Content::Absent => ("absent", None),
        Content::Directory => ("directory", None),
        Content::Link => ("link", None),
    };
    json!({"path": file.path, "kind": kind, "content": content})
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
        Content::Link => {
            let _ = writeln!(text, "\n  {} is a link to a file outside of the inventory", file.path);
        }
    }
}
