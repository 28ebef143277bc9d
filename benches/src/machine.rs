//! What a series of runs ran on, and what of: so that figures of another machine or version are not taken for these.

use std::num::NonZero;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use crate::results::Machine;

/// The machine, with the file system of a directory that exists. What it does not tell is empty.
pub fn machine(dir: &Path) -> Machine {
    Machine {
        cpu: field(&read("/proc/cpuinfo"), "model name").unwrap_or_default(),
        cores: std::thread::available_parallelism().map_or(0, NonZero::get),
        memory_bytes: field(&read("/proc/meminfo"), "MemTotal").as_deref().and_then(kilobytes),
        kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        file_system: file_system(&read("/proc/self/mounts"), dir),
    }
}

/// The commit of the sources in the current directory, with `-dirty` if they differ from it; empty if it is not known.
pub fn commit() -> String {
    let output = Command::new("git").args(["describe", "--always", "--abbrev=12", "--dirty"]).output();
    let output = output.ok().filter(|output| output.status.success());
    output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
}

/// The date and time, in UTC, as RFC 3339 has it.
#[expect(clippy::disallowed_methods, reason = "it dates a file of figures, which no store reads")]
pub fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// The text behind `name:`, in its first line.
fn field(text: &str, name: &str) -> Option<String> {
    let lines = text.lines().filter_map(|line| line.split_once(':'));
    let mut found = lines.filter(|(found, _)| found.trim() == name);
    found.next().map(|(_, value)| value.trim().to_owned())
}

fn kilobytes(text: &str) -> Option<u64> {
    let number: u64 = text.split_whitespace().next()?.parse().ok()?;
    Some(number * 1024)
}

/// The type of the file system with the longest mount point above a directory; of those, the one mounted last.
fn file_system(mounts: &str, dir: &Path) -> String {
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let mounts = mounts.lines().filter_map(|line| {
        let mut fields = line.split(' ').skip(1);
        Some((fields.next()?, fields.next()?))
    });
    let above = mounts.filter(|(point, _)| dir.starts_with(point));
    above.max_by_key(|(point, _)| point.len()).map(|(_, kind)| kind.to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let text = "processor\t: 0\nmodel name\t: A: B @ 3 GHz\nmodel name\t: other\nMemTotal:  24 kB\n";
        assert_eq!(field(text, "model name").as_deref(), Some("A: B @ 3 GHz"));
        assert_eq!(field(text, "name"), None);
        assert_eq!(field(text, "MemTotal").as_deref().and_then(kilobytes), Some(24 << 10));
    }

    #[test]
    fn a_directory_is_on_the_file_system_that_is_mounted_nearest_above() {
        let mounts = "disk / ext4 rw 0 0\nfirst /no/where xfs rw 0 0\nlast /no/where tmpfs rw 0 0\n";
        assert_eq!(file_system(mounts, Path::new("/no/where/else")), "tmpfs");
        assert_eq!(file_system(mounts, Path::new("/no/whereabouts")), "ext4");
        assert_eq!(file_system("", Path::new("/no")), "");
    }

    #[test]
    fn dates_are_those_that_a_report_can_read() {
        assert!(humantime::parse_rfc3339(&now()).is_ok());
    }
}
