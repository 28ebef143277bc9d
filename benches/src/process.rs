//! What the operating system says of this process: memory, CPU time, bytes written. Linux only; elsewhere nothing is
//! known, and nothing is made up.

use std::time::Duration;

/// Ticks a second in `/proc/self/stat`: `USER_HZ`, which is 100 on all machines that Linux runs on today.
const TICKS_PER_SECOND: u64 = 100;

/// A picture of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// The most memory it had resident at any time, pages of mapped files included, in bytes: `VmHWM`.
    pub peak_resident: Option<u64>,
    /// The memory resident now, in bytes: `VmRSS`.
    pub resident: Option<u64>,
    /// The part of that which is no mapped file, in bytes: `RssAnon`.
    pub resident_anonymous: Option<u64>,
    /// User and system time of all threads.
    pub cpu: Option<Duration>,
    /// Bytes that it caused to be sent to the disk: `write_bytes`. Pages are counted when they become dirty.
    pub written: Option<u64>,
}

impl Process {
    /// This process now.
    pub fn now() -> Self {
        let status = read("/proc/self/status");
        Self {
            peak_resident: kilobytes(&status, "VmHWM:"),
            resident: kilobytes(&status, "VmRSS:"),
            resident_anonymous: kilobytes(&status, "RssAnon:"),
            cpu: cpu(&read("/proc/self/stat")),
            written: field(&read("/proc/self/io"), "write_bytes:"),
        }
    }
}

impl Process {
    /// The CPU time between this picture and a later one.
    pub fn cpu_until(&self, later: &Self) -> Option<Duration> {
        Some(later.cpu?.saturating_sub(self.cpu?))
    }

    /// The bytes written between this picture and a later one.
    pub fn written_until(&self, later: &Self) -> Option<u64> {
        Some(later.written?.saturating_sub(self.written?))
    }
}

/// Empty if there is no such file: then no field is found.
fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

fn kilobytes(text: &str, name: &str) -> Option<u64> {
    field(text, name).map(|kilobytes| kilobytes * 1024)
}

/// `utime` and `stime` are the 14th and 15th field; the second is a name, which may have spaces and parentheses.
fn cpu(stat: &str) -> Option<Duration> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_millis((user + system) * 1000 / TICKS_PER_SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_found_by_their_whole_name() {
        let io = "rchar: 1\nwchar: 2\nread_bytes: 3\nwrite_bytes: 4096\ncancelled_write_bytes: 5\n";
        assert_eq!(field(io, "write_bytes:"), Some(4096));
        assert_eq!(kilobytes("VmPeak:\t 9 kB\nVmHWM:\t    12 kB\n", "VmHWM:"), Some(12 * 1024));
        assert_eq!(field("", "write_bytes:"), None);
    }

    #[test]
    fn cpu_time_is_read_behind_any_name() {
        let stat = "1 (a) b (c) R 1 1 1 0 -1 0 10 0 0 0 250 50 0 0 20 0 1 0";
        assert_eq!(cpu(stat), Some(Duration::from_secs(3)));
        assert_eq!(cpu("garbage"), None);
    }
}
