//! A session with a program that measures nothing: it notes what it is told, and gives figures that were made up.
#![expect(
    clippy::disallowed_methods,
    reason = "the files are those of a program that only seems to have a store"
)]

use std::os::unix::fs::PermissionsExt;

use clap::Parser;

use super::*;
use crate::compare::rows::choose;

/// Makes the directory of a store, notes whether there was one, and dies where it is told to, or as `broken`.
const PROGRAM: &str = r#"#!/bin/sh
here=$(dirname "$0")
all="$*"
while [ $# -gt 0 ]; do
    case $1 in
        --engine) engine=$2 ;; --workload) workload=$2 ;; --dir) dir=$2 ;; --round) round=$2 ;;
        --crash) crash=1 ;;
    esac
    shift
done
found=empty; [ -e "$dir" ] && found=$(cat "$dir/store")
echo "$round $engine $workload $(basename "$dir") of $found | $all" >> "$here/log"
mkdir -p "$dir" && echo "$workload" > "$dir/store"
[ -n "$crash" ] && exit 134
[ "$engine" = broken ] && exit 1
cat <<END
{"engine": "$engine", "column": "$engine", "version": "", "workload": "$workload", "round": $round, "keys": 1,
"value_bytes": 100, "clients": 1, "ops": 1, "wall_s": 1, "ops_per_s": 1, "settle_s": null, "ops_per_s_settled": null,
"writer_ops_per_s": null, "latency": {}, "cpu_s": null, "peak_rss_bytes": null, "written_bytes": null,
"disk_bytes": 1, "live_raw_bytes": 1, "put_raw_bytes": 1, "write_amplification": null, "space_amplification": null,
"stalls": null, "timeline_ms": 100, "timeline": [], "extra": {"open_s": 0.5}}
END
"#;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    settings: Settings,
}

struct Outcome {
    runs: Vec<Run>,
    failures: Vec<String>,
    /// What the program was told: round, engine, workload, directory and what was in it, then all of it.
    log: Vec<String>,
    stores_are_left: bool,
}

fn session(args: &[&str], workloads: &[&str]) -> Outcome {
    let dir = tempfile::tempdir().unwrap();
    let stores = dir.path().join("stores");
    std::fs::create_dir(&stores).unwrap();
    let program = dir.path().join("program");
    std::fs::write(&program, PROGRAM).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut settings = Line::parse_from([&["line"], args].concat()).settings;
    settings.dir.clone_from(&stores);
    let rows = choose(&workloads.iter().map(ToString::to_string).collect::<Vec<_>>(), true).unwrap();
    let (mut runs, mut failures) = (Vec::new(), Vec::new());
    let take = |run: anyhow::Result<Run>| {
        match run {
            Ok(run) => runs.push(run),
            Err(failure) => failures.push(format!("{failure:#}")),
        }
        Ok(())
    };
    Session::new(&settings, rows, program).run(take).unwrap();
    let log = std::fs::read_to_string(dir.path().join("log")).unwrap();
    let log = log.lines().map(str::to_owned).collect();
    let left = settings.engines.iter().any(|engine| stores.join(engine).exists());
    Outcome { runs, failures, log, stores_are_left: left }
}

/// What comes before all that the program was told.
fn heads(outcome: &Outcome) -> Vec<&str> {
    outcome.log.iter().filter_map(|line| line.split(" | ").next()).collect()
}

#[test]
fn engines_take_turns_and_each_is_loaded_once() {
    let outcome = session(&["--engines", "a,b", "--rounds", "2"], &["readhot"]);
    let expected = [
        "0 a fillrandom-distinct loaded of empty",
        "0 a readhot loaded of fillrandom-distinct",
        "0 b fillrandom-distinct loaded of empty",
        "0 b readhot loaded of fillrandom-distinct",
        "1 b readhot loaded of readhot",
        "1 a readhot loaded of readhot",
    ];
    assert_eq!(heads(&outcome), expected);
    assert_eq!(outcome.runs.iter().map(|run| run.engine.as_str()).collect::<String>(), "abba");
    assert!(outcome.failures.is_empty() && !outcome.stores_are_left);
}

#[test]
fn what_writes_gets_a_copy_and_what_fills_nothing() {
    let outcome = session(&["--engines", "a", "--rounds", "1"], &["overwrite@4", "fillseq@1", "ycsb-a"]);
    let expected = [
        "0 a fillseq work of empty",
        "0 a fillrandom-distinct loaded of empty",
        "0 a overwrite work of fillrandom-distinct",
        "0 a ycsb-a work of fillrandom-distinct",
    ];
    assert_eq!(heads(&outcome), expected);
}

#[test]
fn rows_of_one_workload_are_told_apart() {
    let outcome = session(
        &["--engines", "a", "--rounds", "1"],
        &["overwrite@1", "overwrite-fsync@1", "readrandom@2", "readrandom-cold"],
    );
    let names: Vec<_> = outcome.runs.iter().map(|run| run.workload.as_str()).collect();
    assert_eq!(names, ["overwrite", "overwrite-fsync", "readrandom", "readrandom-cold"]);
    let told = |line: usize, what: &str| outcome.log[line].contains(what);
    assert!(told(1, "--durability buffered") && told(2, "--durability fsync"), "{:#?}", outcome.log);
    assert!(!told(3, "--cold") && told(4, "--cold"), "{:#?}", outcome.log);
}

#[test]
fn a_store_is_opened_after_its_process_has_died() {
    let outcome = session(&["--engines", "a", "--rounds", "1"], &["open-after-crash"]);
    let expected = ["0 a fillrandom-distinct work of empty", "0 a readmissing work of fillrandom-distinct"];
    assert_eq!(heads(&outcome), expected);
    assert_eq!(outcome.runs[0].workload, "open-after-crash");
    assert_eq!(outcome.runs[0].extra.get(OPEN_MS), Some(&500.0));
}

#[test]
fn a_run_that_fails_is_told_and_the_others_go_on() {
    let outcome = session(&["--engines", "broken,a", "--rounds", "1"], &["fillseq@1"]);
    assert_eq!(outcome.runs.iter().map(|run| run.engine.as_str()).collect::<String>(), "a");
    assert!(outcome.failures[0].starts_with("broken, fillseq@1, round 0: "), "{:?}", outcome.failures);
}

#[test]
fn stores_are_left_for_the_next_comparison_if_that_is_asked_for() {
    assert!(session(&["--engines", "a", "--rounds", "1", "--keep"], &["readhot"]).stores_are_left);
}
