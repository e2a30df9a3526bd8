//! How a file is opened, as far as it depends on the system: on Unix for its owner alone, and only if no other user may have put it there.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;

#[cfg(unix)]
use rustix::fs::OFlags;

#[cfg(unix)]
use super::place::Folder;

/// The permissions of a new file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mode(
    #[cfg_attr(not(unix), expect(dead_code, reason = "other systems have no modes"))] u32,
);

impl Mode {
    /// Traces are not for everybody.
    pub(super) const OWNER: Self = Self(0o600);
}

/// Opens the file at `path` to append to it. A new one has that mode.
#[cfg(unix)]
pub(super) fn open(path: &Path, Mode(mode): Mode) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    if is_pipe(path) {
        return Err(io::Error::other(
            "opening a named pipe blocks until it is read: use `TelemetryBuilder::json_stdout` with a pipe instead",
        ));
    }
    let folder = Folder::of(path)?;
    let mut options = File::options();
    options.create(true).append(true).mode(mode);
    if !folder.is_shared() {
        return options.open(path);
    }
    // A link or a pipe that has taken its place by now is neither followed nor waited for.
    let mut flags = OFlags::NONBLOCK;
    flags.set(OFlags::NOFOLLOW, !folder.is_linked);
    let file = options
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    folder.check(&file.metadata()?)?;
    Ok(file)
}

#[cfg(not(unix))]
pub(super) fn open(path: &Path, _: Mode) -> io::Result<File> {
    File::options().create(true).append(true).open(path)
}

#[cfg(unix)]
fn is_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;

    path.metadata().is_ok_and(|it| it.file_type().is_fifo())
}

/// The mode of the file that replaces this one: what its owner has changed stays.
#[cfg(unix)]
pub(super) fn mode_of(file: &File) -> Mode {
    use std::os::unix::fs::MetadataExt;

    file.metadata()
        .map_or(Mode::OWNER, |file| Mode(file.mode() & 0o777))
}

#[cfg(not(unix))]
pub(super) fn mode_of(_: &File) -> Mode {
    Mode::OWNER
}

/// Whether these are of one file.
#[cfg(unix)]
pub(super) fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;

    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Elsewhere a file that is open keeps its name.
#[cfg(not(unix))]
pub(super) fn is_same(_: &Metadata, _: &Metadata) -> bool {
    true
}
