//! A settings file: one YAML mapping from names to texts or lists of texts. It is no part of an inventory, but is read
//! with the same reader, so that a slip in it is told with its place and a way out.

use std::io;
use std::path::Path;

use super::diagnostic::{Diagnostic, Place, Report};
use super::source::{Sheet, Source, Sources};
use super::walker::{Fields, list, text};
use super::yaml::{self, Data, Parsed, Yaml};
use super::{files, load};

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name, one of those that are known.
    pub name: String,
    /// Its values as they are written; one, unless it is a list.
    pub values: Vec<String>,
    /// Where the value stands.
    pub place: Place,
}

/// What is wrong with a settings file, and its text for showing it.
#[derive(Debug, Clone)]
pub struct Problems {
    /// At least one.
    pub diagnostics: Vec<Diagnostic>,
    /// The file.
    pub sources: Sources,
}

/// Reads a settings file; an empty one has no settings.
///
/// # Errors
///
/// Every problem of the file: that it cannot be read, that it is not YAML, names that are not among `known` or given
/// twice, values that are neither texts nor lists of texts.
pub fn read(path: &Path, known: &[&str]) -> Result<Vec<Setting>, Problems> {
    let name = path.display().to_string();
    match files::read_file(path) {
        Ok(bytes) => parse(&name, bytes, known),
        Err(error) => Err(unreadable(&name, &error)),
    }
}

fn unreadable(name: &str, error: &io::Error) -> Problems {
    Problems { diagnostics: vec![files::unreadable(name, error)], sources: Sources::default() }
}

fn parse(name: &str, bytes: Vec<u8>, known: &[&str]) -> Result<Vec<Setting>, Problems> {
    let (source, problem) = load::decode(name, bytes);
    let report = Report::default();
    let settings = match problem {
        Some(problem) => {
            report.push(problem);
            Vec::new()
        }
        None => settings(&source, &report, known),
    };
    let diagnostics = report.into_inner();
    if diagnostics.is_empty() {
        return Ok(settings);
    }
    let mut sources = Sources::default();
    sources.insert(source);
    Err(Problems { diagnostics, sources })
}

fn settings(source: &Source, report: &Report, known: &[&str]) -> Vec<Setting> {
    let sheet = Sheet::new(source, report);
    let Parsed::Tree(tree) = yaml::parse(sheet) else { return Vec::new() };
    let Some(fields) = Fields::read(sheet, &tree, "the settings file", None) else { return Vec::new() };
    fields.known(known, |_| None);
    let setting = |pair: &yaml::Pair<'_>| {
        let (name, place) = (pair.key.text.to_string(), sheet.place(pair.value.span));
        Some(Setting { values: values(sheet, &pair.value, &name)?, name, place })
    };
    fields.pairs().iter().filter_map(setting).collect()
}

fn values<'y>(sheet: Sheet<'y>, value: &'y Yaml<'y>, name: &str) -> Option<Vec<String>> {
    let read = |item: &'y Yaml<'y>| text(sheet, item, name, None).map(|text| text.text.to_owned());
    match value.data {
        Data::List(_) => list(sheet, value, name, None).iter().map(read).collect(),
        _ => read(value).map(|text| vec![text]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["boot-url", "api", "apply"];

    fn messages(text: &[u8]) -> Vec<String> {
        let problems = parse("serve.yaml", text.to_vec(), KNOWN).unwrap_err();
        let message = |problem: &Diagnostic| {
            let line = problem.place.as_ref().map_or(0, |place| place.line);
            format!("{line}: {} {}", problem.message, problem.help.as_deref().unwrap_or(""))
        };
        problems.diagnostics.iter().map(message).collect()
    }

    #[test]
    fn texts_numbers_words_and_lists_are_read_as_they_are_written() {
        let text = "# ours\nboot-url: http://head:8081\napply: true\napi: [\"http://127.0.0.1:0\", 'x']\n";
        let settings = parse("serve.yaml", text.into(), KNOWN).unwrap();
        let told: Vec<_> = settings.iter().map(|s| (s.name.as_str(), s.values.join(","), s.place.line)).collect();
        assert_eq!(
            told,
            [
                ("boot-url", "http://head:8081".to_owned(), 2),
                ("apply", "true".to_owned(), 3),
                ("api", "http://127.0.0.1:0,x".to_owned(), 4)
            ]
        );
    }

    #[test]
    fn a_file_of_comments_has_no_settings() {
        for text in ["", "# nothing yet\n"] {
            assert_eq!(parse("serve.yaml", text.into(), KNOWN).unwrap(), []);
        }
    }

    #[test]
    fn an_unknown_name_is_told_with_the_one_that_was_meant() {
        let told = messages(b"boot-url: x\nboot_ulr: y\n");
        assert_eq!(told, ["2: unknown field `boot_ulr` did you mean `boot-url`?"]);
    }

    #[test]
    fn every_problem_is_told_at_once() {
        assert_eq!(messages(b"nope: 1\napi: {a: b}\nboot-url:\n").len(), 3);
        assert_eq!(messages(b"api: x\napi: y\n").len(), 1);
        assert_eq!(messages(b"api: [x, [y]]\n").len(), 1);
    }

    #[test]
    fn what_is_no_mapping_of_texts_is_refused() {
        for text in [&b"- api\n"[..], b"api", b"api: \"x\n", b"\xff: x\n"] {
            assert_eq!(messages(text).len(), 1, "{text:?}");
        }
    }

    #[test]
    fn a_file_that_cannot_be_read_is_named() {
        for path in ["/nowhere/serve.yaml", "/"] {
            let problems = read(Path::new(path), KNOWN).unwrap_err();
            assert!(problems.diagnostics[0].message.contains(path), "{problems:?}");
        }
    }
}
