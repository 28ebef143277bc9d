//! Waiting for the background work of an engine that does not tell whether it has any.
//!
//! A thread that compacts runs, or waits for the disk. Once all threads of the process but the one that asks have been
//! asleep for a while, nothing is left to do.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;

const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// So many looks in a row have to find all threads asleep.
const LOOKS: u32 = 10;

/// Returns when the other threads of the process have been asleep for a while: for how long.
#[expect(clippy::disallowed_methods, reason = "an engine that is watched from outside can only be polled")]
pub(crate) fn wait() -> anyhow::Result<Duration> {
    let mut asleep = 0;
    while asleep < LOOKS {
        std::thread::sleep(BETWEEN_LOOKS);
        asleep = if others_work()? { 0 } else { asleep + 1 };
    }
    Ok(BETWEEN_LOOKS * LOOKS)
}

#[expect(clippy::disallowed_methods, reason = "these files tell of threads, and are no store's")]
fn others_work() -> anyhow::Result<bool> {
    let this = std::fs::read_link("/proc/thread-self").context("only Linux tells of threads")?;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let thread = thread?;
        if Some(thread.file_name().as_os_str()) != this.file_name() && works(&thread.path()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a thread runs or waits for the disk. One that has just ended does neither.
fn works(thread: &Path) -> bool {
    let stat = std::fs::read_to_string(thread.join("stat")).unwrap_or_default();
    matches!(state(&stat), Some("R" | "D"))
}

/// The third field. The second is a name, which may have spaces and parentheses.
fn state(stat: &str) -> Option<&str> {
    stat.rsplit_once(')')?.1.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_read_behind_any_name() {
        assert_eq!(state("12 (a) R b) S 1 2 3"), Some("S"));
        assert_eq!(state("12 (rocksdb:low) D 1 2 3"), Some("D"));
        assert_eq!(state(""), None);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a thread that works is what is looked for")]
    fn a_thread_that_works_is_waited_for() {
        let worker =
            std::thread::spawn(|| (0..400_000_000_u64).fold(0, |sum, i| std::hint::black_box(sum ^ i)));
        wait().unwrap();
        assert!(worker.is_finished());
    }
}
