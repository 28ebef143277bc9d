//! Damaged files: a torn log opens, and no length is believed before it is checked.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use slice::blocking::LSMTree;
use slice::vfs::{LogKind, MemFs};
use slice::{Compression, ErrorKind};
use slice_types::checksum_with;

use crate::child;
use crate::support::{
    DIR, assert_all, content, delete_all, files, key, put_all, quiet, replace_file, value, with_file,
};

const HEADER: usize = 32;
const RECORD: usize = 32;

/// A store whose last ten writes are in the log only.
fn logged() -> MemFs {
    let fs = MemFs::with_log_kind(LogKind::Plain);
    let lsm = quiet(&fs).open_blocking().unwrap();
    put_all(&lsm, 0..10, 1);
    fs
}

#[test]
fn a_torn_wal_tail_does_not_prevent_opening() {
    let fs = logged();
    let log = files(&fs, ".log").pop().unwrap();
    let bytes = content(&fs, &log);
    let mut most = 0;
    for len in 0..=bytes.len() {
        // Cut short; and with the rest of a page that never reached the disk.
        for rest in [0, 100] {
            let mut torn = bytes[..len].to_vec();
            torn.resize(len + rest, 0);
            let image = with_file(&fs, &log, &torn);
            let found = count(&image);
            assert!(found >= most, "{found} entries of {len} bytes, and {most} of fewer");
            most = found;
            // What was found stays found.
            assert_eq!(count(&image), found, "cut at {len}");
        }
    }
    assert_eq!(most, 10);
}

/// How many of the first entries are there; none may be behind a missing one.
fn count(fs: &MemFs) -> u32 {
    let lsm = quiet(fs).open_blocking().unwrap();
    let found = (0..10).take_while(|n| lsm.get(&key(*n)).unwrap() == Some(value(*n, 1))).count() as u32;
    assert_all(&lsm, found..10, None);
    found
}

/// The last edit of a manifest is synced before anything builds on it, so damage to it is no torn tail.
#[test]
fn damage_to_the_last_edit_of_the_manifest_is_refused() {
    let fs = MemFs::with_log_kind(LogKind::Plain);
    let lsm = quiet(&fs).open_blocking().unwrap();
    let manifest = files(&fs, "MANIFEST-000001").pop().unwrap();
    let before = content(&fs, &manifest).len();
    put_all(&lsm, 0..3, 1);
    lsm.flush().unwrap();
    drop(lsm);
    let bytes = content(&fs, &manifest);
    // Behind the edit stands its seal, an edit without fields.
    for at in before..bytes.len() - 16 {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        let error = quiet(&with_file(&fs, &manifest, &damaged)).open_blocking().unwrap_err();
        assert_eq!((error.kind(), error.offset()), (ErrorKind::Corruption, Some(before as u64)), "{error}");
        assert_eq!(error.file(), Some(&*manifest));
    }
}

/// Two tables with keys and values of the same lengths have their blocks in the same places.
#[test]
fn the_data_file_of_another_table_of_the_same_layout_is_not_believed() {
    let fs = MemFs::new();
    let lsm = quiet(&fs).compression(Compression::None).open_blocking().unwrap();
    for generation in [1, 2] {
        put_all(&lsm, 0..5, generation);
        lsm.flush().unwrap();
    }
    drop(lsm);
    let [old, new] = &files(&fs, ".db")[..] else { panic!("two tables were flushed") };
    let (old_bytes, new_bytes) = (content(&fs, old), content(&fs, new));
    assert_eq!(old_bytes.len(), new_bytes.len());
    replace_file(&fs, old, &new_bytes);
    replace_file(&fs, new, &old_bytes);
    let error = quiet(&fs).open_blocking().unwrap().get(&key(0)).unwrap_err();
    assert_eq!((error.kind(), error.file()), (ErrorKind::Corruption, Some(&**new)), "{error}");
}

/// In a process that may have 2 GiB of memory: a buffer for the lengths that are planted has more.
#[test]
fn a_length_field_does_not_allocate_gigabytes() {
    let limited = ["sh", "-c", "ulimit -v 2097152 && exec \"$0\" \"$@\""];
    let mut command =
        child::command(&limited, child::this_program(), "read long lengths", Path::new("/nowhere"));
    let output = command.stdout(Stdio::piped()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{}\n{said}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(said.contains("lengths were planted in 5 kinds of file"), "{said}");
}

pub(crate) fn read_long_lengths() {
    assert_memory_is_limited();
    let fs = every_kind_of_file();
    let mut kinds = 0;
    for end in [".log", ".db", ".idx", ".bloom", "MANIFEST-000001"] {
        let path = files(&fs, end).pop().unwrap_or_else(|| panic!("no {end}"));
        let bytes = content(&fs, &path);
        for at in 0..bytes.len().saturating_sub(4) {
            for planted in [&[0xff; 4][..], &[0xff, 0xff, 0xff, 0x7f], &[0xff, 0xff, 0xff, 0xff, 0x0f]] {
                let Some(slot) = bytes.get(at..at + planted.len()) else { continue };
                let mut damaged = bytes.clone();
                damaged[at..at + slot.len()].copy_from_slice(planted);
                read_all_of(&with_file(&fs, &path, &damaged));
                if end == ".log" && at >= HEADER + RECORD {
                    approve_record(&mut damaged);
                    read_all_of(&with_file(&fs, &path, &damaged));
                } else if end == ".idx" && at + 16 < bytes.len() {
                    approve_index(&mut damaged);
                    read_all_of(&with_file(&fs, &path, &damaged));
                }
            }
        }
        kinds += 1;
    }
    println!("lengths were planted in {kinds} kinds of file");
}

/// That the limit is in force: otherwise nothing here could fail.
fn assert_memory_is_limited() {
    let mut buffer = Vec::<u8>::new();
    assert!(buffer.try_reserve_exact(3 << 30).is_err(), "this process may have 3 GiB");
}

fn every_kind_of_file() -> MemFs {
    let fs = MemFs::with_log_kind(LogKind::Plain);
    let lsm = quiet(&fs).open_blocking().unwrap();
    put_all(&lsm, 0..8, 1);
    delete_all(&lsm, 2..4);
    lsm.flush().unwrap();
    put_all(&lsm, 8..9, 1);
    fs
}

/// Makes the checksum of a log's first record right, as it would be had its writer written these bytes.
fn approve_record(log: &mut [u8]) {
    let len = u32::from_le_bytes(log[HEADER + 8..HEADER + 12].try_into().unwrap()) as usize;
    let (head, body) = log[HEADER..].split_at(RECORD);
    let Some(body) = body.get(..len) else { return };
    let checksum = checksum_with(checksum_with(0, body), &head[8..]);
    log[HEADER..HEADER + 8].copy_from_slice(&checksum.to_le_bytes());
}

/// Makes the checksum at the end of a table's index right.
fn approve_index(index: &mut [u8]) {
    let (content, checksum) = index.split_at_mut(index.len() - 8);
    checksum.copy_from_slice(&slice_types::checksum(content).to_le_bytes());
}

/// Verifies and repairs the store, opens it and reads every key: what comes is an answer or a refusal.
fn read_all_of(fs: &MemFs) {
    let report = quiet(fs).verify().unwrap();
    let repaired = LSMTree::builder("/fresh").fs(Arc::new(fs.clone())).repair_from(DIR);
    assert!(repaired.is_ok() || !report.is_clean(), "{report}");
    let refused = match quiet(fs).open_blocking() {
        Err(error) => Some(error),
        Ok(lsm) => (0..9).find_map(|n| lsm.get(&key(n)).err()),
    };
    if let Some(error) = refused {
        assert!(matches!(error.kind(), ErrorKind::Corruption | ErrorKind::Unsupported), "{error}");
        assert!(error.to_string().contains("/db/"), "no file is named: {error}");
    }
}
