//! Processes under callgrind, the tool of valgrind that counts instructions.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Fails without valgrind, and says how to get it.
pub(super) fn ensure_available() -> Result<()> {
    let output = Command::new("valgrind").arg("--version").output();
    ensure!(
        output.is_ok_and(|output| output.status.success()),
        "instructions are counted with valgrind, which cannot be started here: `apt-get install valgrind` gets it"
    );
    Ok(())
}

/// The same command under callgrind, which writes its profile to `out` when the process ends.
pub(super) fn wrap(command: &Command, out: &Path) -> Command {
    let mut wrapped = Command::new("valgrind");
    wrapped
        .args(["--tool=callgrind", "--quiet"])
        // fastrace's clock is calibrated before `main`, in a loop whose turns depend on the time.
        .arg("--zero-before=main")
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(command.get_program())
        .args(command.get_args())
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
    wrapped
}

/// The instructions of all threads, in user mode.
pub(super) fn total(profile: &str) -> Result<u64> {
    let mut lines = profile.lines();
    let total = lines.find_map(|line| line.strip_prefix("totals: "));
    let total = total.context("callgrind's profile has no line `totals:`")?;
    let total = total.trim();
    let parsed = total.parse();
    parsed.with_context(|| format!("callgrind's total is {total:?}, not one number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_is_at_the_profiles_end() {
        let profile = "# callgrind format\nversion: 1\nevents: Ir\nsummary: 12\n\nfn=(1) main\n3 12\n\ntotals: 12345678901\n";
        assert_eq!(total(profile).unwrap(), 12_345_678_901);
    }

    #[test]
    fn a_profile_without_one_total_is_an_error() {
        for profile in ["", "events: Ir\n", "totals: 12 34\n", "totals: \n"] {
            assert!(total(profile).is_err(), "{profile:?}");
        }
    }

    #[test]
    fn a_wrapped_command_keeps_its_arguments_and_environment() {
        let mut command = Command::new("service");
        command.args(["serve", "bare"]).env("NAME", "value");
        let wrapped = wrap(&command, Path::new("profile"));
        let arguments: Vec<_> = wrapped.get_args().collect();
        assert_eq!(wrapped.get_program(), "valgrind");
        assert!(arguments.ends_with(&["service", "serve", "bare"].map(AsRef::as_ref)));
        let environment: Vec<_> = wrapped.get_envs().collect();
        assert_eq!(environment, [("NAME".as_ref(), Some("value".as_ref()))]);
    }
}
