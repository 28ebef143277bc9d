//! Every workload on slice, by both faces, with every key looked at afterwards: the driver's books and the store agree.

use clap::{Parser, ValueEnum};
use slice_benches::contender::ours;
use slice_benches::results::Run;
use slice_benches::settings::RunArgs;
use slice_benches::workload::Workload;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: RunArgs,
}

fn args(line: &str) -> RunArgs {
    Line::parse_from(["test"].into_iter().chain(line.split_whitespace())).args
}

fn run(engine: &str, line: &str) -> anyhow::Result<Run> {
    let contenders = ours();
    let contender = contenders.iter().find(|contender| contender.label().engine == engine);
    contender.expect("both are there").run(&args(line))
}

#[test]
fn every_workload_leaves_what_it_should_in_slice() {
    for engine in ["slice", "slice-async"] {
        for &workload in Workload::value_variants() {
            let ops = if workload.fills_once() { "" } else { "--ops 1000" };
            let name = workload.name();
            let line = format!("--workload {name} --keys 2000 --clients 3 --memtable 1 --verify {ops}");
            let run = run(engine, &line).unwrap_or_else(|error| panic!("{engine}, {line}: {error:#}"));
            assert!(run.verified_keys > Some(500), "{engine}, {line}: {:?}", run.verified_keys);
            assert_eq!(run.settle_s.is_none(), workload.only_reads(), "{line}");
            assert_eq!(run.put_raw_bytes == 0, workload.only_reads(), "{line}");
        }
    }
}

#[test]
fn a_store_that_is_kept_serves_the_next_run() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("store");
    let dir = dir.display();
    run("slice", &format!("--workload fillrandom-distinct --keys 3000 --dir {dir}")).unwrap();
    let reads = run("slice-async", &format!("--workload ycsb-c --keys 3000 --dir {dir} --existing --verify"));
    assert_eq!(reads.unwrap().verified_keys, Some(3000));
    let refused = run("slice", &format!("--workload readrandom --keys 3000 --dir {dir}")).unwrap_err();
    assert!(refused.to_string().contains("is not empty"), "{refused}");
}

#[test]
fn keys_that_are_missing_end_the_run_with_an_error_that_names_one() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("store");
    let dir = dir.display();
    run("slice", &format!("--workload fillseq --keys 1000 --dir {dir}")).unwrap();
    let error = run("slice", &format!("--workload readseq --clients 1 --keys 1001 --dir {dir} --existing"))
        .unwrap_err();
    assert!(format!("{error:#}").contains("a scan ends after 1000 entries"), "{error:#}");
    let line = format!("--workload readrandom --keys 100000 --dir {dir} --existing");
    let error = run("slice", &line).unwrap_err();
    assert!(format!("{error:#}").contains("is not there"), "{error:#}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (line, complaint) in [
        ("--workload readrandom --value-bytes 31", "--value-bytes is 32 at least"),
        ("--workload readrandom --keys 2 --clients 3", "--clients is 1 to --keys"),
        ("--workload fillseq --ops 7", "--ops of this workload is --keys"),
        ("--workload fillseq --dir /nowhere --existing", "a fill starts with an empty store"),
        ("--workload readseq --steady 3", "--steady is for workloads that overwrite"),
    ] {
        let error = run("slice", line).unwrap_err().to_string();
        assert!(error.contains(complaint), "{line}: {error}");
    }
}

#[test]
fn a_run_after_many_overwrites_and_with_a_forgetful_system_finds_all_keys() {
    for engine in ["slice", "slice-async"] {
        let line = "--workload overwrite --keys 2000 --ops 500 --steady 2 --cold --verify --clients 2";
        assert_eq!(run(engine, line).unwrap().verified_keys, Some(2000));
        let line = "--workload readrandom --keys 2000 --ops 500 --cold --warmup 0.05 --verify";
        assert_eq!(run(engine, line).unwrap().verified_keys, Some(2000));
    }
}

#[test]
fn a_neighbour_of_tasks_is_measured_and_threads_have_none() {
    let line = "--workload overwrite --keys 2000 --seconds 0.2 --neighbour";
    let neighbour = run("slice-async", line).unwrap().latency.neighbour.expect("it was asked for");
    assert!(neighbour.count > 10 && neighbour.max_us > 0.0, "{neighbour}");
    let refused = run("slice", line).unwrap_err();
    assert!(refused.to_string().contains("whose clients are tasks"), "{refused}");
}
