//! What a process has used, as the kernel counts it.

use std::time::Duration;

use anyhow::{Context, Result};
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// Processor time of all its threads, in user and kernel mode.
pub(crate) fn cpu_time(process: u32) -> Result<Duration> {
    let clock = clock_getcpuclockid(Pid::from_raw(process.try_into()?))?;
    Ok(clock_gettime(clock)?.into())
}

/// Processor time of its thread of that name; none, if there is none.
pub(crate) fn thread_time(process: u32, name: &str) -> Result<Option<Duration>> {
    for task in std::fs::read_dir(format!("/proc/{process}/task"))? {
        let task = task?.path();
        // A thread may have ended since.
        let Ok(comm) = std::fs::read_to_string(task.join("comm")) else {
            continue;
        };
        if comm.trim_end() == name {
            let stat = std::fs::read_to_string(task.join("schedstat"))?;
            let nanos = stat.split(' ').next().unwrap_or_default();
            return Ok(Some(Duration::from_nanos(nanos.parse()?)));
        }
    }
    Ok(None)
}

/// The most memory that it has had resident, in MiB.
pub(crate) fn peak_memory(process: u32) -> Result<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status"))?;
    let kib: f64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB"))
        .context("/proc/PID/status without VmHWM; is this Linux?")?
        .trim()
        .parse()?;
    Ok(kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_grow_with_use() {
        let process = std::process::id();
        let (time, memory) = (cpu_time(process).unwrap(), peak_memory(process).unwrap());
        let used = vec![1_u8; 64 << 20];
        assert!(std::hint::black_box(&used).iter().all(|&byte| byte == 1));
        assert!(cpu_time(process).unwrap() > time);
        assert!(peak_memory(process).unwrap() > memory + 32.0);
    }
}
