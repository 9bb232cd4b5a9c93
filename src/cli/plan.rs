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
    let local = match local {
        Ok(local) => local,
        Err(error) => return Ok(error.show(printer)),
    };
    let mut plan = match local.plan(&request).await {
        Ok(plan) => plan,
        Err(error) => return Ok(error.show(printer)),
    };
    warnings.put(&mut plan, printer);
    show(&plan, planning.limits.expand, printer)?;
    let exit = match plan.refusal_of(&command) {
        Some(refusal) => {
            printer.talk(&refusal);
            Exit::Refused
        }
        None if exit_code && plan.is_drift_only() => Exit::Drift,
        None if exit_code && plan.is_pending() => Exit::Pending,
        None => Exit::Success,
    };
    leave((plan, request, local));
    Ok(exit)
}

/// Leaves values to the end of the process, which is near: to give back a million small ones, one by one, is a tenth of
/// the time that a large plan takes. They may hold nothing that has to be closed.
pub(super) fn leave<T>(values: T) {
    std::mem::forget(values);
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
