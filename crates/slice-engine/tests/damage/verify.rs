//! What `verify` says: everything that is wrong, with file, place and kind, and nothing else.

use std::path::{Path, PathBuf};

use slice::vfs::{Fs, LogKind, MemFs};
use slice::{ErrorKind, FindingKind, Report};

use crate::base::{Base, DIR, builder, write};

fn kinds_of(report: &Report, file: &Path) -> Vec<(FindingKind, Option<u64>)> {
    report.findings.iter().filter(|f| f.file == file).map(|f| (f.kind, f.offset)).collect()
}

fn flip(base: &Base, file: &Path, at: usize) {
    let mut bytes = base.bytes(file);
    bytes[at] ^= 0x10;
    write(&base.fs, file, &bytes);
}

#[test]
fn a_killed_store_has_no_fault_and_what_it_left_is_named() {
    let base = Base::new(LogKind::Plain);
    let report = builder(&base.fs).verify().unwrap();
    assert!(report.is_clean(), "{report}");
    let leftover = base.only("CURRENT.tmp");
    assert_eq!(report.findings.len(), 1, "{report}");
    assert_eq!(kinds_of(&report, &leftover), [(FindingKind::Leftover, None)]);
    assert_eq!((report.tables, report.logs, report.batches), (3, 1, 6));
}

#[test]
fn every_fault_is_named_not_only_the_first() {
    let base = Base::new(LogKind::Plain);
    let [data, index, filter] = [".db", ".idx", ".bloom"].map(|end| base.files(end));
    flip(&base, &data[0], 20);
    let last = base.bytes(&data[0]).len() - 1;
    flip(&base, &data[0], last);
    flip(&base, &index[1], 30);
    base.fs.remove_file(&filter[2]).unwrap();
    let log = base.only(".log");
    flip(&base, &log, 40);
    let report = builder(&base.fs).verify().unwrap();
    let damaged = kinds_of(&report, &data[0]);
    assert_eq!(damaged.len(), 2, "{report}");
    assert_eq!(damaged[0], (FindingKind::Damaged, Some(16)));
    assert_eq!(kinds_of(&report, &index[1])[0].0, FindingKind::Damaged);
    assert_eq!(kinds_of(&report, &filter[2]), [(FindingKind::Missing, None)]);
    assert_eq!(kinds_of(&report, &log), [(FindingKind::Damaged, Some(32))]);
    assert_eq!(report.faults().count(), 5, "{report}");
}

#[test]
fn a_torn_tail_is_no_fault() {
    let base = Base::new(LogKind::Plain);
    let log = base.only(".log");
    let bytes = base.bytes(&log);
    write(&base.fs, &log, &bytes[..bytes.len() - 3]);
    let report = builder(&base.fs).verify().unwrap();
    assert!(report.is_clean(), "{report}");
    assert_eq!(kinds_of(&report, &log)[0].0, FindingKind::TornTail);
}

#[test]
fn a_table_in_the_place_of_another_contradicts_the_manifest() {
    let base = Base::new(LogKind::Plain);
    for end in [".db", ".idx", ".bloom"] {
        let files = base.files(end);
        let (one, other) = (base.bytes(&files[1]), base.bytes(&files[2]));
        write(&base.fs, &files[1], &other);
        write(&base.fs, &files[2], &one);
    }
    let report = builder(&base.fs).verify().unwrap();
    let contradictions: Vec<&PathBuf> =
        report.faults().filter(|f| f.kind == FindingKind::Contradiction).map(|f| &f.file).collect();
    assert_eq!(contradictions, base.files(".idx")[1..].iter().collect::<Vec<_>>(), "{report}");
}

#[test]
fn an_open_store_verifies_itself_and_nobody_else_can() {
    let base = Base::new(LogKind::Plain);
    let lsm = builder(&base.fs).open_blocking().unwrap();
    lsm.put(b"one", b"more").unwrap();
    let report = lsm.verify().unwrap();
    assert!(report.is_clean() && report.findings.is_empty(), "{report}");
    assert_eq!((report.tables, report.logs, report.batches), (4, 1, 1));
    assert_eq!(builder(&base.fs).verify().unwrap_err().kind(), ErrorKind::Locked);
    let table = base.files(".db").pop().unwrap();
    let len = base.bytes(&table).len();
    flip_in_place(&base.fs, &table, len - 1);
    let report = lsm.verify().unwrap();
    assert_eq!(kinds_of(&report, &table).len(), 1, "{report}");
    lsm.close().unwrap();
    assert_eq!(lsm.verify().unwrap_err().kind(), ErrorKind::Closed);
}

fn flip_in_place(fs: &MemFs, file: &Path, at: usize) {
    let mut bytes = slice::vfs::read_all(fs, file).unwrap();
    bytes[at] ^= 1;
    write(fs, file, &bytes);
}

#[tokio::test]
async fn an_open_store_verifies_itself_while_it_is_written_to() {
    let fs = MemFs::new();
    let lsm = slice::LSMTree::builder(DIR)
        .fs(std::sync::Arc::new(fs))
        .memtable_size(4 << 10)
        .l0_compaction_trigger(2)
        .open()
        .await
        .unwrap();
    let writer = tokio::spawn({
        let lsm = lsm.clone();
        async move {
            for n in 0..400_u32 {
                lsm.put(&(n % 100).to_be_bytes(), &[7; 60]).await.unwrap();
            }
        }
    });
    let mut looks = 0;
    while !writer.is_finished() || looks == 0 {
        let report = lsm.verify().await.unwrap();
        assert!(report.findings.is_empty(), "{report}");
        looks += 1;
    }
    writer.await.unwrap();
    assert!(lsm.verify().await.unwrap().tables > 0);
}

#[test]
fn there_is_nothing_to_verify_where_there_is_no_store() {
    let fs = MemFs::new();
    fs.create_dir_all(Path::new(DIR)).unwrap();
    assert_eq!(builder(&fs).verify().unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(fs.list_dir(Path::new(DIR)).unwrap(), Vec::<String>::new());
    write(&fs, &Path::new(DIR).join("MANIFEST-000001"), b"SLICE");
    assert_eq!(builder(&fs).verify().unwrap_err().kind(), ErrorKind::InvalidArgument);
}
