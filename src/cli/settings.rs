//! `serve --config FILE`: flags from a file; `doctor`, which is given the same flags, reads it in the same way. What is
//! typed, or set in the environment, wins over the file; a flag that takes several values is taken from one of the two,
//! never from both.
//!
//! The file's names are those of the flags, so that there is one list of them, one help and one reader of their values:
//! what the file says is put behind what was typed, and the whole is read as one command line.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::error::{ContextKind, ContextValue};
use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Command, CommandFactory as _, Parser as _};

use super::args::Args;
use super::exit::Exit;
use super::output::{Color, Format, Printer};
use crate::inventory::render;
use crate::inventory::settings::{self, Setting};

/// The verbs that take a settings file; their flags are the same.
const VERBS: [&str; 2] = ["serve", "doctor"];

/// The flag that names it, which it cannot set.
const FLAG: &str = "config";

/// Reads the command line and the settings file it names. A command line that is wrong ends the process, as clap does
/// it; the error is what the program came to when the file is.
pub(super) fn read() -> Result<Args, Exit> {
    let mut typed: Vec<OsString> = std::env::args_os().collect();
    let Some((verb, file, matches)) = named(&typed) else { return Ok(Args::parse_from(typed)) };
    let printer = Printer { format: Format::Text, color: Color::Auto, quiet: false };
    let command = Args::command();
    let verb = command.find_subcommand(verb).expect("the verb is one of ours");
    let settings = settings::read(&file, &names(verb)).map_err(|problems| {
        printer.report(&render::text(&problems.diagnostics, &problems.sources, "", printer.colors_stderr()));
        Exit::Usage
    })?;
    for setting in settings.iter().filter(|setting| !given(&matches, &setting.name)) {
        typed.extend(flags(verb, setting).map_err(|reason| {
            printer.error(&format!("{}: {reason}", place(&file, setting)));
            Exit::Usage
        })?);
    }
    Args::try_parse_from(typed).map_err(|error| match culprit(&error, &settings, &matches) {
        Some(setting) => {
            let text = error.to_string();
            let reason = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
            printer.error(&format!("{}: {reason}", place(&file, setting)));
            Exit::Usage
        }
        None => error.exit(),
    })
}

/// The verb of a command line, the settings file that it names, and what was typed beside that.
fn named(typed: &[OsString]) -> Option<(&'static str, PathBuf, ArgMatches)> {
    // What is wrong or missing may be in the file, so this reading looks over it.
    let matches = Args::command().ignore_errors(true).try_get_matches_from(typed).ok()?;
    let (name, flags) = matches.subcommand()?;
    let verb = VERBS.into_iter().find(|verb| *verb == name)?;
    Some((verb, flags.get_one::<PathBuf>(FLAG)?.clone(), flags.clone()))
}

/// The flags of the verb that a file can set.
fn names(verb: &Command) -> Vec<&str> {
    verb.get_arguments().filter_map(|flag| flag.get_long()).filter(|name| *name != FLAG).collect()
}

/// True for a flag that was typed or set in the environment.
fn given(matches: &ArgMatches, name: &str) -> bool {
    let source = matches.value_source(&name.replace('-', "_"));
    matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable))
}

/// A setting as it would be typed.
fn flags(verb: &Command, setting: &Setting) -> Result<Vec<OsString>, String> {
    let name = &setting.name;
    let switch = verb
        .get_arguments()
        .any(|flag| flag.get_long() == Some(name.as_str()) && matches!(flag.get_action(), ArgAction::SetTrue));
    if !switch {
        return Ok(setting.values.iter().map(|value| format!("--{name}={value}").into()).collect());
    }
    match &*setting.values.join(" ") {
        "true" => Ok(vec![format!("--{name}").into()]),
        "false" => Ok(Vec::new()),
        other => Err(format!("`{name}` is true or false, not `{other}`")),
    }
}

/// The setting that an error is about.
fn culprit<'s>(error: &clap::Error, settings: &'s [Setting], matches: &ArgMatches) -> Option<&'s Setting> {
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return None };
    let name = flag.trim_start_matches('-').split([' ', '=']).next()?;
    settings.iter().find(|setting| setting.name == name && !given(matches, name))
}

fn place(file: &Path, setting: &Setting) -> String {
    format!("{}:{}:{}", file.display(), setting.place.line, setting.place.column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_flag_that_a_file_can_set_has_the_name_by_which_it_is_looked_up() {
        let command = Args::command();
        for verb in VERBS.map(|verb| command.find_subcommand(verb).unwrap()) {
            for flag in verb.get_arguments().filter(|flag| flag.get_long().is_some()) {
                assert_eq!(flag.get_id().as_str(), flag.get_long().unwrap().replace('-', "_"));
            }
            assert!(verb.get_arguments().any(|flag| flag.get_long() == Some(FLAG)));
        }
    }
}
