//! Every input that is kept, and some thousands of changes of each target's seeds.

use std::path::Path;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{TARGETS, Target, joined, patch, pieces};

/// Changed inputs of each target.
const CHANGED: u64 = 2000;

fn target(name: &str) -> &'static Target {
    TARGETS.iter().find(|target| target.name == name).unwrap()
}

/// Runs a target, and says which input it was when it panics.
fn try_input(target: &Target, input: &[u8], what: &str) {
    let outcome = std::panic::catch_unwind(|| (target.run)(input));
    assert!(outcome.is_ok(), "target {}, {what}: {input:?}", target.name);
}

fn survives_changed_seeds(name: &str) {
    let (target, mut random) = (target(name), StdRng::seed_from_u64(1));
    let seeds = (target.seeds)();
    for seed in &seeds {
        try_input(target, seed, "a seed");
    }
    for n in 0..CHANGED {
        let mut input = seeds[random.random_range(0..seeds.len())].clone();
        change(&mut input, &mut random);
        try_input(target, &input, &format!("changed input {n}"));
    }
}

/// One to four changes: a byte, a bit, a cut, a piece more, a piece twice.
fn change(input: &mut Vec<u8>, random: &mut StdRng) {
    for _ in 0..random.random_range(1..=4) {
        let at = random.random_range(0..=input.len());
        match (random.random_range(0..5), input.get_mut(at)) {
            (0, Some(byte)) => *byte = random.random(),
            (1, Some(byte)) => *byte ^= 1 << random.random_range(0..8),
            (2, _) if at > 1 => input.truncate(at),
            (3, _) => input.extend((0..4).map(|_| random.random::<u8>())),
            _ => input.extend_from_within(at..(at + 8).min(input.len())),
        }
    }
}

#[test]
fn blocks_survive_changes() {
    survives_changed_seeds("block");
}

#[test]
fn filters_survive_changes() {
    survives_changed_seeds("filter");
}

#[test]
fn logs_survive_changes() {
    survives_changed_seeds("log");
}

#[test]
fn manifests_survive_changes() {
    survives_changed_seeds("manifest");
}

#[test]
fn stores_survive_changes() {
    survives_changed_seeds("store");
}

#[test]
fn tables_survive_changes() {
    survives_changed_seeds("table");
}

/// What the fuzzer once found worth keeping, above all what made a decoder fail.
#[test]
#[expect(clippy::disallowed_methods, reason = "the corpus lies beside the sources, in no store")]
fn the_kept_corpus_survives() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for target in TARGETS {
        let mut inputs = 0;
        for file in std::fs::read_dir(corpus.join(target.name)).unwrap() {
            let path = file.unwrap().path();
            try_input(&target, &std::fs::read(&path).unwrap(), &path.display().to_string());
            inputs += 1;
        }
        assert!(inputs > 0, "no corpus for {}", target.name);
    }
}

#[test]
fn pieces_that_are_joined_come_apart_again() {
    let all: [&[u8]; 3] = [b"one", b"", b"three"];
    assert_eq!(pieces(&joined(all)).collect::<Vec<_>>(), all);
    assert_eq!(pieces(&[9, 1, 2]).collect::<Vec<_>>(), [&[1, 2][..]], "the last takes what there is");
}

#[test]
fn a_patch_writes_where_it_can_and_cuts_where_it_cannot() {
    let mut file = vec![0; 10];
    patch(&mut file, &[3, 0, 7, 200, 0, 5]);
    assert_eq!(file, [0, 0, 0, 7, 0]);
}

/// A decoder that fails is noticed.
#[test]
fn a_target_that_panics_fails_its_test() {
    let broken = Target { name: "broken", run: |input| assert!(input.len() < 3), seeds: Vec::new };
    assert!(std::panic::catch_unwind(|| try_input(&broken, &[1, 2, 3], "a long one")).is_err());
}
