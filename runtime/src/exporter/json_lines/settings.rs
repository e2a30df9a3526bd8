//! The settings of a file.

use std::path::PathBuf;

/// A file to which each export, a batch of spans, is appended as a line of OTLP's JSON, one `TracesData` each, as OpenTelemetry's
/// file exporter has it. Needs the feature `json`.
///
/// ```no_run
/// use biztrace::Telemetry;
/// use biztrace::settings::JsonFile;
///
/// let telemetry = Telemetry::builder().json_file(JsonFile::new("traces.jsonl").max_bytes(10_000_000).keep(3)).build()?;
/// # telemetry.shutdown_blocking();
/// # Ok::<(), biztrace::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a file gets nothing until `TelemetryBuilder::json_file` is given it"]
pub struct JsonFile {
    pub(super) path: PathBuf,
    pub(super) max_bytes: u64,
    pub(super) keep: usize,
}

impl JsonFile {
    /// The file at `path`, which is created if need be, within a folder that exists, and begun anew if somebody deletes or renames
    /// it. A line that a process left unfinished is ended first. Not a named pipe.
    ///
    /// Use a folder of the service's own. On Unix a new file is for its owner alone, with the mode `0600`; if you change the mode, the
    /// files that replace it have yours. In a folder that everybody may write to, such as `/tmp`, what another user may have put in its place is
    /// an error: a link, a file that belongs neither to the service's user nor to root, a file that everybody may write to. So is a folder on
    /// the way that is a link or belongs to another user. A volume with the mode `0777` works.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            max_bytes: 100_000_000,
            keep: 4,
        }
    }

    /// Bytes after which a new file is begun, and the full one renamed: `traces.jsonl` to `traces.jsonl.1`, and so on. A single
    /// request may be larger. Default 100 MB.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Full files that are kept beside the current one; older ones are deleted. Default 4. All are renamed when a new one is begun.
    /// Those that a larger number has left are not touched.
    pub fn keep(mut self, files: usize) -> Self {
        self.keep = files;
        self
    }
}
