//! How a file is opened, as far as it depends on the system: on Unix for its owner alone, and not by a link that somebody else may have
//! made.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;

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
    let mut options = File::options();
    options.create(true).append(true).mode(mode);
    if !is_shared(path) {
        return options.open(path);
    }
    let opened = options.custom_flags(libc::O_NOFOLLOW).open(path);
    opened.map_err(|error| match error.raw_os_error() {
        Some(libc::ELOOP) => io::Error::other(
            "it is a symbolic link in a folder that everybody may write to: anybody may have made it. Use a folder of the service's own",
        ),
        _ => error,
    })
}

#[cfg(not(unix))]
pub(super) fn open(path: &Path, _: Mode) -> io::Result<File> {
    File::options().create(true).append(true).open(path)
}

/// Whether everybody may make files beside it, as in `/tmp`: its folder is sticky and world-writable.
#[cfg(unix)]
fn is_shared(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;

    const STICKY_AND_WORLD_WRITABLE: u32 = 0o1002;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::metadata(folder)
        .is_ok_and(|folder| folder.mode() & STICKY_AND_WORLD_WRITABLE == STICKY_AND_WORLD_WRITABLE)
}

#[cfg(unix)]
fn is_pipe(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;

    fs::metadata(path).is_ok_and(|it| it.file_type().is_fifo())
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
