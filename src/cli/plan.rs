//! `plan`: show what applying the inventory would change.

use super::advice;
use super::args::PlanArgs;
use super::exit::Exit;
use super::inventory::{load, show_unresolved};
use super::local::{Local, Mode, request};
use super::output::{Format, Printer};
use crate::plan::{Plan, text};

pub(super) async fn run(args: PlanArgs, printer: Printer) -> anyhow::Result<Exit> {
    let (loaded, local) = tokio::join!(load(&args.inventory, printer), Local::connect(&args.state, Mode::Read));
    let desired = match loaded? {
        Ok(desired) => desired,
        Err(exit) => return Ok(exit),
    };
    show_unresolved(&desired, printer);
    let command = advice::command(&args.inventory, &args.state, &args.target, &args.limits);
    let request = request(desired, &args.target, &args.limits)?;
    let plan = match local {
        Ok(local) => match local.plan(&request).await {
            Ok(plan) => plan,
            Err(error) => return Ok(error.show(printer)),
        },
        Err(error) => return Ok(error.show(printer)),
    };
    show(&plan, args.limits.expand, printer)?;
    if let Some(refusal) = plan.refusal_of(&command) {
        printer.talk(&refusal);
        return Ok(Exit::Refused);
    }
    Ok(match args.exit_code {
        true if plan.is_drift_only() => Exit::Drift,
        true if plan.has_changes() => Exit::Pending,
        _ => Exit::Success,
    })
}

/// Prints the plan as data.
pub(super) fn show(plan: &Plan, expand: bool, printer: Printer) -> anyhow::Result<()> {
    match printer.format {
        Format::Json => printer.data(&serde_json::to_string_pretty(plan)?),
        Format::Text => printer.data(&text::render(plan, &options(expand, printer))),
    }
    Ok(())
}

/// How plans are laid out on stdout.
pub(super) fn options(expand: bool, printer: Printer) -> text::TextOptions {
    text::TextOptions { width: printer.width(), color: printer.colors_stdout(), expand, ascii: false }
}
