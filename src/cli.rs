//! The command line: a file per verb, one printer, one table of exit codes.

mod advice;
mod apply;
mod args;
mod coredhcp;
mod doctor;
mod exit;
mod explain;
mod images;
mod inventory;
mod local;
pub mod output;
mod plan;
mod serve;
mod settings;
mod token;
mod unknown;
mod validate;

use std::process::ExitCode;

use args::{Args, Verb};
pub use exit::Exit;
use output::Printer;

/// Reads the command line and runs its verb.
#[must_use]
pub fn main() -> ExitCode {
    // clap prints usage errors itself and ends with 2, help and version with 0.
    let args = match settings::read() {
        Ok(args) => args,
        Err(exit) => return exit.into(),
    };
    let printer = Printer { format: args.format, color: args.color, quiet: args.quiet };
    let exit = match run(args, printer) {
        Ok(exit) => exit,
        Err(error) => {
            printer.error(&format!("{error:#}"));
            if error.is::<exit::Usage>() { Exit::Usage } else { Exit::Failure }
        }
    };
    exit.into()
}

fn run(args: Args, printer: Printer) -> anyhow::Result<Exit> {
    match args.verb {
        // These need neither a runtime nor logging.
        Verb::Validate(verb) => Ok(validate::run(&verb, printer)),
        Verb::Explain(verb) => Ok(explain::run(&verb, printer)),
        Verb::Images(args::ImagesVerb::List(verb)) => images::list(&verb, printer),
        Verb::Import(args::ImportVerb::Coredhcp(verb)) => Ok(coredhcp::import(&verb, printer)),
        Verb::Render(args::RenderVerb::Coredhcp(verb)) => Ok(coredhcp::render(&verb, printer)),
        Verb::Doctor(verb) => doctor::run(&verb, printer),
        Verb::Plan(verb) => on_runtime(plan::run(verb, printer)),
        Verb::Apply(verb) => on_runtime(apply::run(verb, printer)),
        Verb::Token(verb) => on_runtime(token::run(verb, printer)),
        Verb::Unknown(verb) => on_runtime(unknown::run(verb, printer)),
        Verb::Serve(verb) => {
            crate::telemetry::start(args.verbose, verb.log_format == args::LogFormat::Json, printer.colors_stderr());
            on_runtime(serve::run(*verb, printer))
        }
    }
}

fn on_runtime(verb: impl Future<Output = anyhow::Result<Exit>>) -> anyhow::Result<Exit> {
    crate::server::common::tls::install_provider();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let exit = runtime.block_on(verb);
    // A thread may hang in a file system that does not answer; what has to be durable is.
    runtime.shutdown_background();
    exit
}
