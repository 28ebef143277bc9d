//! That the checks of this file object: to a value that changed in silence, and to an oracle that is not told.

use std::path::Path;

use slice::Report;
use slice::vfs::LogKind;
use slice_types::checksum_with;

use crate::base::{Base, builder, key, write};
use crate::cases::{Case, How};
use crate::check::{Outcome, Tail, agree, check, finds};

/// Damage to what is left over, which harms nobody.
fn harmless(base: &Base) -> Case {
    Case { file: base.only("CURRENT.tmp"), how: How::Truncate { len: 5 } }
}

#[test]
fn a_harmless_case_is_not_objected_to() {
    let base = Base::new(LogKind::Plain);
    check(&base, &harmless(&base), Tail::None).unwrap();
}

#[test]
fn a_value_that_the_oracle_does_not_know_is_objected_to() {
    let mut base = Base::new(LogKind::Plain);
    base.history.last_mut().unwrap().insert(key(9), b"another".to_vec());
    for tail in [Tail::None, Tail::OfTheLog, Tail::OfTheManifest] {
        let problem = check(&base, &harmless(&base), tail).unwrap_err();
        assert!(problem.contains("key009") || problem.contains("no state"), "{problem}");
    }
}

#[test]
fn an_entry_that_went_missing_is_objected_to() {
    let mut base = Base::new(LogKind::Plain);
    base.history.last_mut().unwrap().insert(key(0), b"deleted".to_vec());
    assert!(check(&base, &harmless(&base), Tail::OfTheLog).is_err());
}

/// As of a `verify` that skips checksums.
#[test]
fn a_look_that_sees_nothing_is_objected_to() {
    let base = Base::new(LogKind::Plain);
    let (blind, how) = (Report::default(), How::Flip { at: 40, bit: 0 });
    let case = Case { file: base.files(".db").remove(0), how: how.clone() };
    assert!(finds(&case, &blind).is_err());
    assert!(agree(&case, &blind, &Outcome::Refused).is_err());
    let case = Case { file: base.only(".log"), how };
    assert!(agree(&case, &blind, &Outcome::TailLost(3)).is_err());
    assert!(agree(&case, &blind, &Outcome::Exact).is_ok());
}

/// As a store would answer that does not compare checksums: the bytes of a value are others, and the checksum is made
/// to fit.
#[test]
fn a_value_changed_under_a_right_checksum_is_objected_to() {
    let base = Base::new(LogKind::Plain);
    let newest = base.files(".db").pop().unwrap();
    let mut bytes = base.bytes(&newest);
    let at = find(&bytes, b"value 008 of generation 4");
    let block = block_around(&bytes, at, salt_of(&newest));
    bytes[at] ^= 1;
    approve(&mut bytes, block, salt_of(&newest));
    write(&base.fs, &newest, &bytes);
    assert_eq!(
        builder(&base.fs.crash_image(1.0, 0)).open_blocking().unwrap().get(&key(8)).unwrap().unwrap()[0],
        b'w'
    );
    let problem = check(&base, &harmless(&base), Tail::None).unwrap_err();
    assert!(problem.contains("key008"), "{problem}");
}

fn find(bytes: &[u8], wanted: &[u8]) -> usize {
    bytes.windows(wanted.len()).position(|window| window == wanted).expect("the value is stored as it is")
}

/// The number in the file's name.
fn salt_of(path: &Path) -> u64 {
    let name = path.file_stem().unwrap().to_str().unwrap();
    name.rsplit('_').next().unwrap().parse().unwrap()
}

fn sum(bytes: &[u8], start: usize, salt: u64) -> [u8; 8] {
    checksum_with(start as u64 ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15), bytes).to_le_bytes()
}

/// The stored block that holds the byte at `at`, without its checksum: the one whose checksum fits.
fn block_around(bytes: &[u8], at: usize, salt: u64) -> (usize, usize) {
    let starts = (16..=at).rev();
    let mut places = starts.flat_map(|start| (at + 1..bytes.len() - 7).map(move |end| (start, end)));
    let fits = |&(start, end): &(usize, usize)| bytes[end..end + 8] == sum(&bytes[start..end], start, salt);
    places.find(fits).expect("the byte is in a block")
}

fn approve(bytes: &mut [u8], (start, end): (usize, usize), salt: u64) {
    let sum = sum(&bytes[start..end], start, salt);
    bytes[end..end + 8].copy_from_slice(&sum);
}
