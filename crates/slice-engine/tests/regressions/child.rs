//! Processes that a test starts: its own binary once more, told by its environment which part to play.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

const PART: &str = "SLICE_TEST_PART";
const DIR: &str = "SLICE_TEST_DIR";
/// The test that plays the parts.
const BODY: [&str; 4] = ["--exact", "the_part_of_a_child_process", "--nocapture", "--test-threads=1"];
/// What a child says when it has come to the point that its parent waits for.
const READY: &str = "child is ready";

/// The part that this process was started for.
pub(crate) fn part() -> Option<String> {
    std::env::var(PART).ok()
}

/// The directory that this child works in.
pub(crate) fn dir() -> PathBuf {
    PathBuf::from(std::env::var_os(DIR).expect("a child is told its directory"))
}

/// The command that starts a child, by way of `wrapper` (a program that runs the program in its arguments).
pub(crate) fn command(wrapper: &[&str], program: impl AsRef<OsStr>, part: &str, dir: &Path) -> Command {
    let mut command = match wrapper {
        [] => Command::new(program),
        [first, rest @ ..] => {
            let mut command = Command::new(first);
            command.args(rest).arg(program);
            command
        }
    };
    command.args(BODY).env(PART, part).env(DIR, dir).stderr(Stdio::piped());
    command
}

/// This binary.
pub(crate) fn this_program() -> PathBuf {
    std::env::current_exe().expect("a process knows its program")
}

/// A child that has said that it is ready and waits; killed when the guard goes.
pub(crate) struct Waiting {
    child: Child,
    _output: BufReader<ChildStdout>,
}

impl Waiting {
    pub(crate) fn start(part: &str, dir: &Path) -> Self {
        let mut command = command(&[], this_program(), part, dir);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains(READY) {
            line.clear();
            assert_ne!(output.read_line(&mut line).unwrap(), 0, "the child ended before it was ready");
        }
        Self { child, _output: output }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// SIGKILL, and the end of it.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        // Ended already when `kill` was called; there is nothing else to do about a child that will not die.
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// In a child: tells the parent that the point is reached, and waits for it to let go.
pub(crate) fn ready_and_wait() {
    println!("{READY}");
    std::io::stdout().flush().unwrap();
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
}
