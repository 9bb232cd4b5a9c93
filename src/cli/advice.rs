//! The command that advice repeats: `ochami-sync apply` with the flags that were given, so that it can be copied.

use std::path::Path;

use clap::ValueEnum as _;

use super::args::{PlanningArgs, ServeArgs, StateArgs, TargetArgs};
use crate::plan::CommandLine;

/// The `apply` that does what a `plan` or an `apply` with these flags shows.
pub(super) fn command(planning: &PlanningArgs) -> CommandLine {
    let PlanningArgs { inventory, state, limits, target } = planning;
    let mut command = places(&inventory.place.inventory, inventory.secrets.secrets_dir.as_deref(), state);
    command = command.with_some("--database", state.database.as_ref());
    command = at(command, target);
    command = command.with_some("--allow-delete", limits.allow_delete);
    command = command.with_some("--allow-replace", limits.allow_replace);
    let adopt = limits.adopt.and_then(|adopt| adopt.to_possible_value());
    command = command.with_some("--adopt", adopt.map(|value| value.get_name().to_owned()));
    if limits.accept_empty_live {
        command = command.with("--accept-empty-live", None);
    }
    if limits.give_up_unreadable {
        command = command.with("--give-up-unreadable", None);
    }
    command.with_some("--take-over", limits.take_over.as_ref())
}

/// The `apply` of a person that does what the daemon with these flags refused. The daemon has the database open, and is
/// found by its state directory.
pub(super) fn command_of_daemon(args: &ServeArgs) -> CommandLine {
    match &args.inventory {
        Some(inventory) => at(places(inventory, args.secrets.secrets_dir.as_deref(), &args.state), &args.target),
        None => CommandLine::default(),
    }
}

/// The services of a running OpenCHAMI.
fn at(command: CommandLine, target: &TargetArgs) -> CommandLine {
    let command = command.with_some("--base-uri", target.base_uri.as_ref()).with_some("--smd", target.smd.as_ref());
    let command = command.with_some("--bss", target.bss.as_ref()).with_some("--cloud-init", target.cloud_init.as_ref());
    let command = command.with_some("--token-file", path(target.token_file.as_deref()));
    command.with_some("--ca-cert", path(target.ca_cert.as_deref()))
}

/// The directories, those left out that the command finds by itself.
fn places(inventory: &Path, secrets: Option<&Path>, state: &StateArgs) -> CommandLine {
    let inventory = Some(inventory).filter(|path| *path != Path::new("inventory"));
    let known = std::env::var_os("OCHAMI_SYNC_STATE").unwrap_or_else(|| "/var/lib/ochami-sync".into());
    let state = Some(&*state.state).filter(|path| *path != Path::new(&known));
    CommandLine::default()
        .with_some("-i", path(inventory))
        .with_some("--secrets-dir", path(secrets))
        .with_some("--state", path(state))
}

fn path(path: Option<&Path>) -> Option<String> {
    path.map(|path| path.display().to_string())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::super::args::{Args, Verb};
    use super::*;

    fn repeated(words: &[&str]) -> String {
        match Args::parse_from([&["ochami-sync"], words].concat()).verb {
            Verb::Plan(args) => command(&args.planning).to_string(),
            Verb::Apply(args) => command(&args.planning).to_string(),
            Verb::Serve(args) => command_of_daemon(&args).to_string(),
            _ => unreachable!("the tests of this file use three verbs"),
        }
    }

    #[test]
    fn every_flag_that_an_apply_needs_again_is_repeated() {
        let words =
            ["plan --exit-code -i lab --secrets-dir keys --state here --database sqlite:x.db --base-uri http://a \
             --smd http://b --bss http://c --cloud-init http://d/c --token-file t --ca-cert c.pem --allow-delete 7 \
             --allow-replace 2 --adopt always --accept-empty-live --give-up-unreadable --take-over old --expand"];
        let words: Vec<&str> = words[0].split_whitespace().collect();
        let wanted: Vec<&str> = words[2..words.len() - 1].to_vec();
        assert_eq!(repeated(&words), format!("ochami-sync apply {}", wanted.join(" ")));
    }

    #[test]
    fn what_the_command_finds_by_itself_is_left_out() {
        assert_eq!(repeated(&["apply", "--yes", "-i", "inventory"]), "ochami-sync apply");
        assert_eq!(repeated(&["serve", "-i", "lab", "--state", "here"]), "ochami-sync apply -i lab --state here");
    }
}
