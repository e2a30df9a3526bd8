//! OTLP in JSON, a line a request: to a file that is replaced when it is full, or to stdout.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::json;
use crate::config;
use crate::pipeline::{Delivery, DropReason, Export, Failure, Request};

/// Where lines go.
#[derive(Debug)]
pub(crate) enum JsonLines {
    Stdout,
    File(Rotating),
}

/// A file that has its like beside it, numbered from the youngest.
#[derive(Debug)]
pub(crate) struct Rotating {
    settings: config::JsonLines,
    file: File,
    bytes: u64,
    /// The last line was not written to its end.
    is_torn: bool,
}

impl Rotating {
    pub(crate) fn open(settings: config::JsonLines) -> io::Result<Self> {
        let file = File::options()
            .create(true)
            .append(true)
            .open(&settings.path)?;
        let bytes = file.metadata()?.len();
        Ok(Self {
            settings,
            file,
            bytes,
            is_torn: false,
        })
    }

    fn write(&mut self, line: &[u8]) -> Result<(), String> {
        if self.bytes > 0 && self.bytes + line.len() as u64 > self.settings.max_bytes {
            self.rotate()?;
        }
        let start = if self.is_torn { &b"\n"[..] } else { b"" };
        let written = self
            .file
            .write_all(start)
            .and_then(|()| self.file.write_all(line));
        self.is_torn = written.is_err();
        written.map_err(|error| format!("{}: {error}", self.settings.path.display()))?;
        self.bytes += line.len() as u64;
        Ok(())
    }

    /// Begins a new file. Whatever fails is tried again with the next line: what is done by then, or by somebody else, is passed
    /// over.
    fn rotate(&mut self) -> Result<(), String> {
        let config::JsonLines { path, keep, .. } = &self.settings;
        let numbered = |number: usize| {
            let mut name = path.clone().into_os_string();
            name.push(format!(".{number}"));
            PathBuf::from(name)
        };
        let full = (1..*keep).take_while(|number| numbered(*number).exists());
        for number in (1..=full.count()).rev() {
            rename(&numbered(number), &numbered(number + 1))?;
        }
        if *keep > 0 {
            rename(path, &numbered(1))?;
        } else {
            unless_gone(fs::remove_file(path))
                .map_err(|error| format!("cannot delete {}: {error}", path.display()))?;
        }
        let path = path.display().to_string();
        *self = Self::open(self.settings.clone()).map_err(|error| format!("{path}: {error}"))?;
        Ok(())
    }
}

fn rename(from: &Path, to: &Path) -> Result<(), String> {
    unless_gone(fs::rename(from, to)).map_err(|error| {
        format!(
            "cannot rename {} to {}: {error}",
            from.display(),
            to.display()
        )
    })
}

fn unless_gone(result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| match error.kind() {
        io::ErrorKind::NotFound => Ok(()),
        _ => Err(error),
    })
}

impl Export for JsonLines {
    async fn export(&mut self, request: Request) -> Result<Delivery, Failure> {
        let mut line = json::encode(&request)?;
        line.push(b'\n');
        request.sent.set();
        let written = match self {
            Self::Stdout => {
                let written = io::stdout().lock().write_all(&line);
                written.map_err(|error| format!("stdout: {error}"))
            }
            Self::File(file) => file.write(&line),
        };
        written
            .map(|()| Delivery::default())
            .map_err(|problem| Failure::permanent(DropReason::Refused, problem))
    }
}
