//! What other users may have put in the place of a file, on Unix: in a folder that everybody may write to, such as `/tmp`, they make files,
//! links and folders of any name. `access` asks before it opens a file, and asks what it has opened.

use std::fmt::Display;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{self, Path};

use rustix::io::Errno;
use rustix::process::geteuid;

/// The folder that a file is in.
#[derive(Debug)]
pub(super) struct Folder {
    mode: u32,
    /// The path ends with a link to the file. Only the folder's owner can have made it.
    pub(super) is_linked: bool,
}

impl Folder {
    /// Follows a path to its folder. Fails if another user may have made a folder or a link on the way.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        follow(&path::absolute(path)?, &mut 40)
    }

    /// Whether everybody may make files in it. Without the sticky bit they may replace those of others, too.
    pub(super) fn is_shared(&self) -> bool {
        self.mode & 0o002 != 0
    }

    /// Fails if a file that was opened in this shared folder may be another user's.
    pub(super) fn check(&self, file: &Metadata) -> io::Result<()> {
        if !file.is_file() {
            return Err(refused("it is not a regular file"));
        }
        check_owner("it", file)?;
        if file.nlink() > 1 {
            return Err(refused("it is a hard link"));
        }
        // Without the sticky bit, the mode of a file does not protect it. Volumes that have no modes show `0777` for everything.
        let is_sticky = self.mode & 0o1000 != 0;
        if is_sticky && file.mode() & 0o002 != 0 {
            let mode = file.mode() & 0o777;
            return Err(refused(format!(
                "it is writable by everybody (mode {mode:03o})"
            )));
        }
        Ok(())
    }
}

/// Follows an absolute path, as far as it exists, through that many links. What is asked by name may change before it is opened. In a
/// sticky folder, others cannot change what has passed here.
fn follow(path: &Path, links: &mut usize) -> io::Result<Folder> {
    let Some(parent) = path.parent() else {
        return Ok(Folder {
            mode: 0,
            is_linked: false,
        });
    };
    follow(parent, links)?;
    let folder = Folder {
        mode: fs::metadata(parent)?.mode(),
        is_linked: false,
    };
    let entry = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(folder),
        entry => entry?,
    };
    if entry.is_symlink() {
        if folder.is_shared() {
            let what = format!("{} is a symbolic link", path.display());
            return Err(refused(what));
        }
        *links = links.checked_sub(1).ok_or(Errno::LOOP)?;
        let target = follow(&parent.join(fs::read_link(path)?), links)?;
        return Ok(Folder {
            is_linked: true,
            ..target
        });
    }
    if folder.is_shared() && entry.is_dir() {
        check_owner(path.display(), &entry)?;
    }
    Ok(folder)
}

/// Fails for what belongs neither to the user of this process nor to root.
fn check_owner(name: impl Display, it: &Metadata) -> io::Result<()> {
    let owner = it.uid();
    if owner == geteuid().as_raw() || owner == 0 {
        return Ok(());
    }
    Err(refused(format!(
        "{name} belongs to another user (uid {owner})"
    )))
}

fn refused(what: impl Display) -> io::Error {
    io::Error::other(format!(
        "{what} in a folder that everybody may write to: another user may have made it. Use a folder of the service's own"
    ))
}
