//! `plan`: show what applying the inventory would change.

use super::advice;
use super::args::PlanArgs;
use super::exit::Exit;
use super::inventory::{Checked, load};
use super::local::{Local, Mode, request};
use super::output::{Format, Printer};
use crate::plan::{Plan, text};

pub(super) async fn run(args: PlanArgs, printer: Printer) -> anyhow::Result<Exit> {
    let PlanArgs { planning, exit_code } = args;
    let (loaded, local) = tokio::join!(load(&planning.inventory, printer), Local::connect(&planning.state, Mode::Read));
    let Checked { desired, warnings } = match loaded? {
        Ok(checked) => checked,
        Err(exit) => return Ok(exit),
    };
    let command = advice::command(&planning);
    let request = request(desired, &planning.target, &planning.limits)?;
    let mut plan = match local {
        Ok(local) => match local.plan(&request).await {
            Ok(plan) => plan,
            Err(error) => return Ok(error.show(printer)),
        },
        Err(error) => return Ok(error.show(printer)),
    };
    warnings.put(&mut plan, printer);
    show(&plan, planning.limits.expand, printer)?;
    if let Some(refusal) = plan.refusal_of(&command) {
        printer.talk(&refusal);
        return Ok(Exit::Refused);
    }
    Ok(match exit_code {
        true if plan.is_drift_only() => Exit::Drift,
        true if plan.is_pending() => Exit::Pending,
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
