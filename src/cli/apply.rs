//! `apply`: show the plan, ask, and make it so.

mod remarks;

pub(super) use remarks::remarks;
use serde::Serialize;

use super::advice;
use super::args::{ApplyArgs, PlanningArgs};
use super::exit::Exit;
use super::inventory::{Checked, Warnings, load};
use super::local::{Local, LocalError, Mode, request};
use super::output::{Format, Printer, counted};
use super::plan;
use crate::plan::text::{self, TextOptions};
use crate::plan::{CommandLine, Plan};
use crate::reconcile::{Applied, ReconcileError};
use crate::server::local::Refusal;

/// The name of the format of what an apply did.
const FORMAT: &str = "ochami-sync/apply";
/// Its version.
const FORMAT_VERSION: &str = "1.0";

/// What an apply did, as `--format json` prints it.
#[derive(Serialize)]
struct Document<'a> {
    format: &'static str,
    format_version: &'static str,
    #[serde(flatten)]
    applied: &'a Applied,
}

pub(super) async fn run(args: ApplyArgs, printer: Printer) -> anyhow::Result<Exit> {
    let Checked { desired, warnings } = match load(&args.planning.inventory, printer).await? {
        Ok(checked) => checked,
        Err(exit) => return Ok(exit),
    };
    let PlanningArgs { state, limits, target, .. } = &args.planning;
    let command = advice::command(&args.planning);
    let mut request = request(desired, target, limits)?;
    if !request.desired.unresolved.is_empty() {
        printer.error(&ReconcileError::Unresolved(request.desired.unresolved.clone()).to_string());
        printer.talk("put the secret there; nothing was changed");
        return unresolved(&args, &request, &warnings, printer).await;
    }
    let local = match Local::connect(state, Mode::Write).await {
        Ok(local) => local,
        Err(error) => return Ok(error.show(printer)),
    };
    let exit = match agree(&args, &request, &local, &command, &warnings, printer).await? {
        Ok(plan) => {
            // What was shown is what is applied: should anything have changed, the apply refuses.
            request.expect = Some(plan.id.clone());
            match local.apply(&request).await {
                Ok(mut applied) => {
                    warnings.put(&mut applied.plan, printer);
                    let exit = report(&applied, printer)?;
                    plan::leave((plan, applied));
                    exit
                }
                Err(error) => show(error, plan, &command, &warnings, printer)?,
            }
        }
        Err(exit) => exit,
    };
    local.close().await;
    plan::leave((request, local));
    Ok(exit)
}

/// Prints the plan of an inventory of which a secret is missing to programs, which read what was not applied and why.
async fn unresolved(
    args: &ApplyArgs,
    request: &crate::reconcile::Request,
    warnings: &Warnings,
    printer: Printer,
) -> anyhow::Result<Exit> {
    if printer.format == Format::Text {
        return Ok(Exit::Invalid);
    }
    let planned = match Local::connect(&args.planning.state, Mode::Read).await {
        Ok(local) => local.plan(request).await,
        Err(error) => Err(error),
    };
    match planned {
        Ok(mut plan) => {
            warnings.put(&mut plan, printer);
            document(&plan, printer)?;
        }
        // The secret is what the command ends with; this comes on top of it.
        Err(error) => drop(error.show(printer)),
    }
    Ok(Exit::Invalid)
}

/// Shows the plan and has it confirmed. The error is what the command came to without an apply.
async fn agree(
    args: &ApplyArgs,
    request: &crate::reconcile::Request,
    local: &Local,
    command: &CommandLine,
    warnings: &Warnings,
    printer: Printer,
) -> anyhow::Result<Result<Plan, Exit>> {
    let mut plan = match local.plan(request).await {
        Ok(plan) => plan,
        Err(error) => return Ok(Err(error.show(printer))),
    };
    warnings.put(&mut plan, printer);
    if printer.format == Format::Text {
        plan::show(&plan, args.planning.limits.expand, printer)?;
    }
    if let Some(expected) = args.expect.as_ref().filter(|id| **id != plan.id) {
        printer.error(&format!("the plan is {}, not the expected {expected}; plan again", plan.id));
        document(&plan, printer)?;
        return Ok(Err(Exit::Stale));
    }
    if let Some(refusal) = plan.refusal_of(command) {
        printer.talk(&refusal);
        document(&plan, printer)?;
        return Ok(Err(Exit::Refused));
    }
    if !plan.has_changes()
        || args.yes
        || confirmed(&plan, &|question| printer.ask(question), &|| details(&plan, printer))
    {
        return Ok(Ok(plan));
    }
    printer.error("not confirmed; nothing was changed (--yes answers the question)");
    document(&plan, printer)?;
    Ok(Err(Exit::NotConfirmed))
}

/// Prints the plan that is not applied as `plan --format json` does. As text it has been shown already.
fn document(plan: &Plan, printer: Printer) -> anyhow::Result<()> {
    if printer.format == Format::Json {
        plan::show(plan, false, printer)?;
    }
    Ok(())
}

/// A refusal by the apply itself, when something changed after `shown` was made, with our own ways out.
fn show(
    error: LocalError,
    shown: Plan,
    command: &CommandLine,
    warnings: &Warnings,
    printer: Printer,
) -> anyhow::Result<Exit> {
    if let LocalError::Refusal(refusal) = error {
        return match *refusal {
            Refusal::Safety { mut plan, text } => {
                printer.talk(&plan.refusal_of(command).unwrap_or(text));
                warnings.put(&mut plan, printer);
                document(&plan, printer)?;
                Ok(Exit::Refused)
            }
            refusal => {
                if matches!(refusal, Refusal::Stale { .. }) {
                    document(&shown, printer)?;
                }
                Ok(LocalError::Refusal(Box::new(refusal)).show(printer))
            }
        };
    }
    Ok(error.show(printer))
}

/// Prints the plan with every field of every object, as talk: it belongs to the question.
fn details(plan: &Plan, printer: Printer) {
    let options = TextOptions { expand: true, color: printer.colors_stderr(), ..plan::options(true, printer) };
    printer.talk(&text::render(plan, &options));
}

/// Asks until the answer is one; `d` shows the details and asks again. Nobody there to answer means no.
fn confirmed(plan: &Plan, ask: &dyn Fn(&str) -> Option<String>, details: &dyn Fn()) -> bool {
    let (question, wanted) = question(plan);
    loop {
        match ask(&question) {
            Some(answer) if matches!(answer.as_str(), "d" | "D") => details(),
            Some(answer) => return wanted.contains(&answer),
            None => return false,
        }
    }
}

/// The question, and the answers that mean yes. What takes something away has to be counted by whoever agrees.
fn question(plan: &Plan) -> (String, Vec<String>) {
    let summary = &plan.summary;
    let counts = [(summary.delete, "deletes"), (summary.release, "gives up"), (summary.replace, "replaces")];
    let dangerous: u64 = counts.iter().map(|(count, _)| count).sum();
    if dangerous > 0 {
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts.map(|(count, verb)| format!("{verb} {count}")).collect();
        let question = format!("This {}. Type {dangerous} to continue, d for details:", counts.join(" and "));
        return (question, vec![dangerous.to_string()]);
    }
    let name = &plan.cluster.name;
    let question = match summary.writes {
        0 => format!("Nothing is written; record what is there as {name}'s? [y/N/d]"),
        count => format!("Apply {} to {name}? [y/N/d]", writes(count)),
    };
    (question, ["y", "Y", "yes"].map(str::to_owned).to_vec())
}

/// `1 write`, `75 writes`.
fn writes(count: u64) -> String {
    counted(count, "write")
}

/// What an apply did, in one line.
pub(super) fn applied_text(applied: &Applied) -> String {
    let Applied { plan, outcome, .. } = applied;
    let done = match (outcome.written, plan.summary.adopt) {
        // Where no object changed there is no apply of that number.
        _ if outcome.apply == 0 => return "applied: what DHCP is told".to_owned(),
        (0, 0) if plan.summary.writes == 0 => "recorded: nothing had to be written".to_owned(),
        (0, adopted) if plan.summary.writes == 0 => format!("adopted: {adopted}; nothing had to be written"),
        (written, _) => format!("applied: {}", writes(written)),
    };
    format!("{done} (apply #{})", outcome.apply)
}

fn report(applied: &Applied, printer: Printer) -> anyhow::Result<Exit> {
    let Applied { plan, outcome, unverified, unsettled } = applied;
    match printer.format {
        Format::Json => {
            let document = Document { format: FORMAT, format_version: FORMAT_VERSION, applied };
            printer.data(&serde_json::to_string_pretty(&document)?);
        }
        Format::Text if !plan.has_changes() => {}
        Format::Text => printer.data(&applied_text(applied)),
    }
    remarks(applied).iter().for_each(|line| printer.talk(line));
    if outcome.failures.is_empty() && unsettled.is_empty() && unverified.is_none() {
        return Ok(Exit::Success);
    }
    printer.talk("run the same command again to go on");
    Ok(Exit::Partial)
}

#[cfg(test)]
mod tests;
