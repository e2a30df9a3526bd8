//! `cargo biztrace`: shows what the attributes generate and record, and how a change affects it. It reads source only.

#![forbid(unsafe_code)]

mod annotated;
mod attributes;
mod catalogue;
mod check;
mod depth;
mod expand;
mod format;
mod generated;
mod highlight;
mod markdown;
mod mistake;
mod model;
mod modules;
mod mounts;
mod outcome;
mod table;
mod visible;
mod workspace;

use std::io::{self, Write};
use std::process::ExitCode;
use std::thread;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use clap::Parser;

use outcome::Outcome;
use visible::visible_lines;

/// Expressions and modules may be nested deeply, and parsing them is recursive. Only the used part takes memory.
const STACK_BYTES: usize = 512 << 20;

#[derive(Parser)]
#[command(name = "cargo", bin_name = "cargo")]
enum Cargo {
    Biztrace(Arguments),
}

/// Shows what biztrace's attributes generate, lists all spans and tags, and checks what a change does to them
///
/// Reads source and builds nothing. Code that other macros or build scripts generate is not seen.
#[derive(clap::Args)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    packages: workspace::Packages,
    /// Coloring
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: clap::ColorChoice,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Prints the code that the attributes, derives and `tag!` generate
    Expand(expand::Arguments),
    /// Lists every span and every tag of the libraries and binaries
    ///
    /// A handler's span is named by its method and route, with the scopes around the route: literal paths of `web::scope`, `Scope::new` and
    /// `#[scope]`, from an `App::new()` through `.service`, `.configure` and calls of functions. A handler without a route attribute has
    /// the route of `.route("/path", web::get().to(handler))`, also on a `web::resource`, and otherwise the function's name.
    /// If it is not certain where a handler is mounted, or it is mounted twice, its name starts with the function's path, and its route
    /// with `…`: `shop::orders::create: POST …/orders`. If the workspace has no scopes, the routes are whole.
    Catalogue(catalogue::Arguments),
    /// Compares spans and tags with a catalogue, and fails if a tag was removed or changed its type
    Check(check::Arguments),
}

fn main() -> ExitCode {
    let Cargo::Biztrace(arguments) = Cargo::parse();
    let choice = match arguments.color {
        clap::ColorChoice::Auto => ColorChoice::Auto,
        clap::ColorChoice::Always => ColorChoice::Always,
        clap::ColorChoice::Never => ColorChoice::Never,
    };
    let run = move || run(arguments, choice);
    let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn(run);
    match thread.map(thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        // A panic has been reported already; a thread that can't start is rare.
        _ => ExitCode::FAILURE,
    }
}

fn run(arguments: Arguments, choice: ColorChoice) -> ExitCode {
    let mut output = Vec::new();
    let outcome = match &arguments.command {
        Command::Expand(command) => expand::run(command, &arguments.packages, &mut output),
        Command::Catalogue(command) => catalogue::run(command, &arguments.packages, &mut output),
        Command::Check(command) => check::run(command, &arguments.packages, &mut output),
    };
    let mut stdout = AutoStream::new(io::stdout().lock(), choice);
    let written = stdout.write_all(&output).and_then(|()| stdout.flush());

    let mut stderr = AutoStream::new(io::stderr().lock(), choice);
    let mut say = |word: &str, color: AnsiColor, message: &dyn std::fmt::Display| {
        let style = Style::new().bold().fg_color(Some(color.into()));
        let message = message.to_string();
        let message = visible_lines(&message);
        let _ = writeln!(stderr, "{style}{word}{style:#}: {message}");
    };
    let failed = match outcome {
        Ok(Outcome {
            mistakes,
            warnings,
            failure,
        }) => {
            for warning in &warnings {
                say("warning", AnsiColor::Yellow, warning);
            }
            let mut error = |message: &dyn std::fmt::Display| say("error", AnsiColor::Red, message);
            mistakes.iter().for_each(|mistake| error(mistake));
            failure.iter().for_each(|failure| error(failure));
            failure.is_some() || !mistakes.is_empty()
        }
        Err(failure) => {
            say("error", AnsiColor::Red, &format!("{failure:#}"));
            true
        }
    };
    // A closed pipe, as behind `| head`, is not an error.
    let cut = written
        .err()
        .filter(|error| error.kind() != io::ErrorKind::BrokenPipe);
    if let Some(error) = &cut {
        say(
            "error",
            AnsiColor::Red,
            &format!("the output could not be written: {error}"),
        );
    }
    let failed = failed || cut.is_some();
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}
