//! OTLP in JSON, a line a request: to a file that is replaced when it is full, or to stdout.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

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
        })
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.bytes > 0 && self.bytes + line.len() as u64 > self.settings.max_bytes {
            self.rotate()?;
        }
        self.file.write_all(line)?;
        self.bytes += line.len() as u64;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        let config::JsonLines { path, keep, .. } = &self.settings;
        let numbered = |number: usize| {
            let mut name = path.clone().into_os_string();
            name.push(format!(".{number}"));
            PathBuf::from(name)
        };
        for number in (1..*keep).rev() {
            if numbered(number).exists() {
                fs::rename(numbered(number), numbered(number + 1))?;
            }
        }
        if *keep > 0 {
            fs::rename(path, numbered(1))?;
        } else {
            fs::remove_file(path)?;
        }
        *self = Self::open(self.settings.clone())?;
        Ok(())
    }
}

impl Export for JsonLines {
    async fn export(&mut self, request: Request) -> Result<Delivery, Failure> {
        let mut line = json::encode(&request)?;
        line.push(b'\n');
        let written = match self {
            Self::Stdout => io::stdout().lock().write_all(&line),
            Self::File(file) => file.write(&line),
        };
        written.map(|()| Delivery::default()).map_err(|error| {
            Failure::permanent(DropReason::Refused, format!("{}: {error}", self.place()))
        })
    }
}

impl JsonLines {
    fn place(&self) -> String {
        match self {
            Self::Stdout => "stdout".into(),
            Self::File(file) => file.settings.path.display().to_string(),
        }
    }
}
