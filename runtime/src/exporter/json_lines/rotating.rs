//! A file of lines that is replaced when it is full.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::access::{self, Mode};
use super::settings::JsonFile;

/// A file that has its like beside it, numbered from the youngest.
#[derive(Debug)]
pub(super) struct Rotating {
    settings: JsonFile,
    file: File,
    /// Its size when it was last written to.
    length: u64,
    /// The last line was not written to its end.
    is_torn: bool,
}

impl Rotating {
    pub(super) fn open(settings: JsonFile) -> io::Result<Self> {
        Self::open_as(Mode::OWNER, settings)
    }

    fn open_as(mode: Mode, settings: JsonFile) -> io::Result<Self> {
        let file = access::open(&settings.path, mode)?;
        let is_torn = is_torn(&settings.path);
        Ok(Self {
            length: file.metadata()?.len(),
            settings,
            file,
            is_torn,
        })
    }

    pub(super) fn write(&mut self, line: &[u8]) -> Result<(), String> {
        let bytes = self.bytes().map_err(|error| self.failed(&error))?;
        if bytes.is_some_and(|bytes| bytes != self.length) {
            // Another process writes to the file, or has truncated it.
            self.is_torn |= is_torn(&self.settings.path);
        }
        match bytes {
            None => self.reopen()?,
            Some(bytes) if bytes > 0 && bytes + line.len() as u64 > self.settings.max_bytes => {
                self.rotate()?;
            }
            Some(_) => {}
        }
        let start = if self.is_torn { &b"\n"[..] } else { b"" };
        let written = self
            .file
            .write_all(start)
            .and_then(|()| self.file.write_all(line));
        self.is_torn = written.is_err();
        written.map_err(|error| self.failed(&error))?;
        self.length = self.file.metadata().map_or(0, |it| it.len());
        Ok(())
    }

    fn failed(&self, error: &io::Error) -> String {
        format!("{}: {error}", self.settings.path.display())
    }

    /// The file's size; `None` if the file has been deleted or renamed.
    fn bytes(&self) -> io::Result<Option<u64>> {
        let named = match fs::metadata(&self.settings.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            named => named?,
        };
        let own = self.file.metadata()?;
        Ok(access::is_same(&own, &named).then_some(own.len()))
    }

    fn reopen(&mut self) -> Result<(), String> {
        let mode = access::mode_of(&self.file);
        *self = Self::open_as(mode, self.settings.clone()).map_err(|error| self.failed(&error))?;
        Ok(())
    }

    /// Begins a new file. A failed step is tried again with the next line. Steps that are done already, also by other processes, are passed
    /// over.
    fn rotate(&mut self) -> Result<(), String> {
        let JsonFile { path, keep, .. } = &self.settings;
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
        self.reopen()
    }
}

/// Whether the file at `path` ends within a line, as a process that was killed leaves it.
fn is_torn(path: &Path) -> bool {
    let last = || {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::End(-1))?;
        let mut last = [0];
        file.read_exact(&mut last)?;
        io::Result::Ok(last)
    };
    // One without a last byte is not torn, and one that cannot be read is not to be judged.
    last().is_ok_and(|last| last != *b"\n")
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
