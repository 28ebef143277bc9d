//! A series of runs, as the program does it: each run a process of its own, and all figures in one file.
#![expect(clippy::disallowed_methods, reason = "results are no files of a store")]

use std::path::Path;
use std::process::{Command, Output};

use slice_benches::results::{FORMAT, Results, Run};

fn series(dir: &Path, args: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_slice-bench"));
    command.arg("compare").args(args.split_whitespace());
    command.arg("--dir").arg(dir.join("stores")).arg("--out").arg(dir.join("results.json"));
    command.args(["--keys=3000", "--rounds=2", "--seconds=0.1", "--warmup=0", "--memtable=1"]);
    command.output().expect("the program is there")
}

fn results(dir: &Path) -> Results {
    let text = std::fs::read(dir.join("results.json")).expect("there are results");
    serde_json::from_slice(&text).expect("they can be read")
}

#[test]
fn all_runs_of_a_series_are_in_its_results_and_on_its_page() {
    let dir = tempfile::tempdir().unwrap();
    let workloads = "readrandom@2,overwrite@4,readrandom-cold,overwrite-fsync@16,mix-80-20@1";
    let output = series(
        dir.path(),
        &format!("--engines slice,slice-async --workloads {workloads} --verify --steady 1"),
    );
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let results = results(dir.path());
    assert_eq!((results.format, results.runs.len()), (FORMAT, 5 * 2 * 2));
    assert!(!results.machine.cpu.is_empty() && results.date.ends_with('Z'));
    let of = |workload: &'static str| results.runs.iter().filter(move |run| run.workload == workload);
    assert!(of("mix-80-20").all(|run| run.value_bytes == 800));
    assert!(results.runs.iter().all(|run| run.verified_keys.is_some()), "all keys were there");
    let engines: Vec<_> = of("overwrite").map(|run| (run.round, run.engine.as_str())).collect();
    assert_eq!(engines, [(0, "slice"), (0, "slice-async"), (1, "slice-async"), (1, "slice")]);
    let page = std::fs::read_to_string(dir.path().join("results.html")).expect("there is a page");
    assert!(page.contains("overwrite"), "{page}");
    assert!(!dir.path().join("stores/slice").exists(), "the stores are gone");
}

#[test]
fn a_process_that_crashed_leaves_what_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let run = |args: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_slice-bench"));
        command.args(args.split_whitespace()).args(["--keys=3000", "--json"]);
        command.arg("--dir").arg(dir.path().join("store")).output().expect("the program is there")
    };
    let crashed = run("--workload fillrandom-distinct --crash");
    assert!(!crashed.status.success() && crashed.stdout.is_empty());
    let opened = run("--workload readmissing --ops 1 --existing --verify");
    let opened: Run = serde_json::from_slice(&opened.stdout).expect("it opens, and all keys are there");
    assert_eq!(opened.verified_keys, Some(3000));
    assert!(opened.extra["open_s"] > 0.0);
}

#[test]
fn a_run_that_fails_is_told_and_the_others_are_done() {
    let dir = tempfile::tempdir().unwrap();
    // Its clients are threads: there is no runtime that a neighbour could live on.
    let output = series(dir.path(), "--engines slice,slice-async --workloads readhot@1 --neighbour");
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("slice, readhot@1, round 1"), "{told}");
    let runs = results(dir.path()).runs;
    assert!(runs.iter().all(|run: &Run| run.engine == "slice-async"));
    assert!(runs.iter().all(|run| run.latency.neighbour.is_some()));
    assert_eq!(runs.len(), 2);
}

#[test]
fn what_is_not_there_is_refused_before_anything_is_run() {
    let dir = tempfile::tempdir().unwrap();
    for (args, complaint) in [
        ("--engines levelup", "there is no levelup; there are slice"),
        ("--workloads reedrandom", "there is no reedrandom"),
    ] {
        let output = series(dir.path(), args);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && told.contains(complaint), "{told}");
        assert!(!dir.path().join("results.json").exists());
    }
}
