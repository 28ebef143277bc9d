//! The document on made-up results: what is won and lost is said, and the marks are all replaced.
#![expect(clippy::disallowed_methods, reason = "what criterion leaves is made up in files")]

use super::{SeedTerms, TEMPLATE, write};
use crate::results::Results;
use crate::sample::{run, sitting};

/// A win of 2.5 in one piece of work, and a loss of 0.5 in another.
fn won_and_lost() -> Results {
    let mut runs = Vec::new();
    for round in 0..2 {
        for (workload, own) in [("readrandom", 500_000.0), ("readmissing", 100_000.0)] {
            runs.push(run("slice", "slice", workload, round, own));
            runs.push(run("rocksdb", "RocksDB (tuned)", workload, round, 200_000.0));
            runs.push(run("redb", "redb", workload, round, 900_000.0));
        }
    }
    for run in &mut runs {
        (run.settle_s, run.ops_per_s_settled, run.put_raw_bytes) = (None, None, 0);
    }
    sitting(runs)
}

fn part<'a>(document: &'a str, heading: &str) -> &'a str {
    let (_, rest) = document.split_once(&format!("\n## {heading}\n")).expect("the heading is there");
    rest.split_once("\n## ").map_or(rest, |(part, _)| part)
}

#[test]
fn losses_and_wins_are_told_apart() {
    let document = write(&[won_and_lost()], None);
    let (losses, wins) = (part(&document, "Where slice loses"), part(&document, "Where slice wins"));
    let loss = "| readmissing@4 (1) | throughput | 100 K/s | 200 K/s (RocksDB (tuned)) | ▼ 0.50 |";
    let win = "| readrandom@4 (1) | throughput | 500 K/s | 200 K/s (RocksDB (tuned)) | 2.50 |";
    assert!(losses.contains(loss) && !losses.contains(win), "{losses}");
    assert!(wins.contains(win) && !wins.contains(loss), "{wins}");
    assert!(part(&document, "In short").contains("| throughput | 1 | 1 | 0.50 | 1.12 |"));
}

#[test]
fn a_table_has_all_engines_and_the_ratio_to_the_best_rival_alone() {
    let document = write(&[won_and_lost()], None);
    let figures = part(&document, "All figures");
    assert!(figures.contains("| work | slice | RocksDB (tuned) | redb | to the best rival |"), "{figures}");
    assert!(figures.contains("| readrandom@4 | 500 | 200 | 900 | 2.50 |"), "redb is no rival: {figures}");
    assert!(figures.contains("| readmissing@4 | 100 | 200 | 900 | ▼ 0.50 |"), "{figures}");
    assert!(figures.contains("| commit | 0123abcd |") && figures.contains("| durability | buffered |"));
}

#[test]
fn rounds_that_disagree_are_said_to() {
    let mut results = won_and_lost();
    for run in results.runs.iter_mut().filter(|run| run.engine == "slice" && run.round == 1) {
        run.ops_per_s = 220_000.0;
    }
    let document = write(&[results], None);
    let losses = part(&document, "Where slice loses");
    assert!(losses.contains("| ▼ 0.80 (0.50–1.10), rounds disagree |"), "{losses}");
}

#[test]
fn every_mark_of_the_template_is_replaced_also_by_nothing() {
    assert_eq!(TEMPLATE.matches("<!-- ").count(), 5);
    for sittings in [vec![], vec![sitting(vec![])], vec![won_and_lost()]] {
        let document = write(&sittings, None);
        assert!(!document.contains("<!--") && document.ends_with('\n'));
        assert!(document.lines().all(|line| !line.ends_with(' ')));
    }
    assert!(write(&[], None).contains("Nothing was run") && write(&[], None).contains("No rival was run"));
}

#[test]
fn the_same_results_give_the_same_document() {
    assert_eq!(write(&[won_and_lost()], None), write(&[won_and_lost()], None));
}

#[test]
fn no_name_breaks_a_table() {
    let mut results = won_and_lost();
    for run in &mut results.runs {
        run.workload = "a|b\nc".to_owned();
    }
    let document = write(&[results], None);
    assert!(document.contains("| a\\|b c@4 |"));
}

#[test]
fn the_seeds_figures_stand_beside_ours() {
    let terms = SeedTerms([("ycsb-a".to_owned(), 1_962_000.0), ("fillseq".to_owned(), 328_000.0)].into());
    let document = write(&[], Some(&terms));
    let table = part(&document, "The seed's own terms");
    assert!(table.contains("| ycsb-a | 981 K | 1.96 M | 2.00 |"), "{table}");
    assert!(table.contains("| fillseq | 656 K | 328 K | ▼ 0.50 |"), "{table}");
    assert!(table.contains("| mix-80-20 | 579 K | – | – |"), "what was not measured: {table}");
}

#[test]
fn what_criterion_leaves_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let new = dir.path().join("Seed/ycsb-b/new");
    std::fs::create_dir_all(&new).unwrap();
    std::fs::write(new.join("benchmark.json"), r#"{"group_id":"Seed","throughput":{"Elements":1000}}"#)
        .unwrap();
    std::fs::write(
        new.join("estimates.json"),
        r#"{"median":{"point_estimate":250000.0,"standard_error":1.0}}"#,
    )
    .unwrap();
    let terms = SeedTerms::read(dir.path()).unwrap();
    assert_eq!(terms.0.into_iter().collect::<Vec<_>>(), [("ycsb-b".to_owned(), 4e6)]);
    std::fs::remove_file(new.join("estimates.json")).unwrap();
    assert!(SeedTerms::read(dir.path()).is_err(), "half of it is no measurement");
}
