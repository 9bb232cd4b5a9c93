//! `apply`: show the plan, ask, and make it so.

use super::args::ApplyArgs;
use super::exit::Exit;
use super::inventory::load;
use super::local::{Local, Mode, request};
use super::output::{Format, Printer, counted};
use super::plan;
use crate::plan::Plan;
use crate::reconcile::{Applied, ReconcileError};
use crate::target::Outcome;

pub(super) async fn run(args: ApplyArgs, printer: Printer) -> anyhow::Result<Exit> {
    let desired = match load(&args.planning.inventory, printer).await? {
        Ok(desired) => desired,
        Err(exit) => return Ok(exit),
    };
    if !desired.unresolved.is_empty() {
        printer.error(&ReconcileError::Unresolved(desired.unresolved).to_string());
        printer.talk("put the secret there, or name its directory with --secrets-dir");
        return Ok(Exit::Invalid);
    }
    let mut request = request(desired, &args.planning.target, &args.planning.limits)?;
    let local = match Local::connect(&args.planning.state, Mode::Write).await {
        Ok(local) => local,
        Err(error) => return Ok(error.show(printer)),
    };
    let exit = match agree(&args, &request, &local, printer).await? {
        Ok(plan) => {
            // What was shown is what is applied: should anything have changed, the apply refuses.
            request.expect = Some(plan.id.clone());
            match local.apply(&request).await {
                Ok(applied) => report(&applied, printer)?,
                Err(error) => error.show(printer),
            }
        }
        Err(exit) => exit,
    };
    local.close().await;
    Ok(exit)
}

/// Shows the plan and has it confirmed. The error is what the command came to without an apply.
async fn agree(
    args: &ApplyArgs,
    request: &crate::reconcile::Request,
    local: &Local,
    printer: Printer,
) -> anyhow::Result<Result<Plan, Exit>> {
    let plan = match local.plan(request).await {
        Ok(plan) => plan,
        Err(error) => return Ok(Err(error.show(printer))),
    };
    if printer.format == Format::Text {
        plan::show(&plan, args.planning.limits.expand, printer)?;
    }
    if let Some(expected) = args.expect.as_ref().filter(|id| **id != plan.id) {
        printer.error(&format!("the plan is {}, not the expected {expected}; plan again", plan.id));
        return Ok(Err(Exit::Stale));
    }
    if let Some(refusal) = plan.refusal() {
        printer.talk(&refusal);
        return Ok(Err(Exit::Refused));
    }
    if !plan.has_changes() || args.yes || confirmed(&plan, printer) {
        return Ok(Ok(plan));
    }
    printer.error("not confirmed; nothing was changed (--yes answers the question)");
    Ok(Err(Exit::NotConfirmed))
}

fn confirmed(plan: &Plan, printer: Printer) -> bool {
    let (deletes, replaces) = (plan.summary.delete, plan.summary.replace);
    let dangerous = deletes + replaces;
    if dangerous > 0 {
        let question = format!("This deletes {deletes} and replaces {replaces}. Type {dangerous} to continue:");
        return printer.ask(&question).is_some_and(|answer| answer == dangerous.to_string());
    }
    let question = format!("Apply {} to {}? [y/N]", counted(plan.summary.writes, "write"), plan.cluster.name);
    printer.ask(&question).is_some_and(|answer| matches!(answer.as_str(), "y" | "Y" | "yes"))
}

/// What an apply did, in a line. Where no object changed there is no apply of that number.
pub(super) fn done(outcome: &Outcome) -> String {
    match outcome.apply {
        0 => "applied: what DHCP is told".to_owned(),
        number => format!("applied: {} (apply #{number})", counted(outcome.written, "write")),
    }
}

fn report(applied: &Applied, printer: Printer) -> anyhow::Result<Exit> {
    let Applied { plan, outcome, unverified, unsettled } = applied;
    match printer.format {
        Format::Json => printer.data(&serde_json::to_string_pretty(applied)?),
        Format::Text if !plan.has_changes() => {}
        Format::Text => printer.data(&done(outcome)),
    }
    for failure in &outcome.failures {
        let what = if failure.skipped { "left out" } else { "failed" };
        printer.talk(&format!("{what}: {}: {}", failure.key, failure.reason));
    }
    for key in unsettled {
        printer.talk(&format!("{key} does not hold what was written; somebody else writes it, too"));
    }
    if let Some(reason) = unverified {
        printer.talk(&format!("what was written could not be read back: {reason}"));
    }
    if outcome.failures.is_empty() && unsettled.is_empty() && unverified.is_none() {
        return Ok(Exit::Success);
    }
    printer.talk("run the same command again to go on");
    Ok(Exit::Partial)
}
