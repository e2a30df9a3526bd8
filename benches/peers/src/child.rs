//! Processes that the benchmark starts, and that end with it.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child as Process, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

/// How long a process may take for what it is asked to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process that serves until its stdin closes.
///
/// Dropping it kills it, and its stdin closes with this process, however that ends.
#[derive(Debug)]
pub(crate) struct Child {
    process: Process,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
    address: SocketAddr,
}

impl Child {
    /// Starts it, and waits until it listens.
    pub(crate) fn start(mut command: Command) -> Result<Self> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        let stdin = process.stdin.take();
        let stdout = process.stdout.take().context("stdout is a pipe")?;
        let (sender, lines) = channel();
        // A thread that reads, so that a silent process is waited for no longer than `PATIENCE`.
        thread::spawn(move || {
            let lines = BufReader::new(stdout).lines().map_while(Result::ok);
            lines.map(|line| sender.send(line)).all(|sent| sent.is_ok())
        });
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut child = Self {
            process,
            stdin,
            lines,
            address,
        };
        let line = child
            .line()
            .with_context(|| format!("while starting {command:?}"))?;
        child.address = line
            .strip_prefix("listening ")
            .and_then(|address| address.parse().ok())
            .with_context(|| {
                format!("instead of `listening ADDRESS`, {command:?} says {line:?}")
            })?;
        Ok(child)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// Has it export all spans that have ended.
    pub(crate) fn flush(&mut self) -> Result<()> {
        let line = self.ask("flush")?;
        ensure!(line == "flushed", "instead of `flushed`, it says {line:?}");
        Ok(())
    }

    /// What it says of the spans that it has recorded.
    pub(crate) fn report(&mut self) -> Result<String> {
        self.ask("report")
    }

    fn ask(&mut self, command: &str) -> Result<String> {
        let stdin = self.stdin.as_mut().context("stdin is open")?;
        writeln!(stdin, "{command}")?;
        self.line().with_context(|| format!("of {command}"))
    }

    /// Has it end in order.
    pub(crate) fn stop(mut self) -> Result<()> {
        self.stdin = None;
        let asked = Instant::now();
        while asked.elapsed() < PATIENCE {
            if let Some(status) = self.process.try_wait()? {
                ensure!(status.success(), "the process ended with {status}");
                return Ok(());
            }
            thread::sleep(Duration::from_millis(5));
        }
        bail!("the process does not end though its stdin is closed");
    }

    fn line(&self) -> Result<String> {
        let line = self.lines.recv_timeout(PATIENCE);
        line.context("the process ended, or says nothing; see stderr")
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Both fail if it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// This binary, with other arguments.
pub(crate) fn this_binary(subcommand: &str) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(subcommand);
    Ok(command)
}
