//! What cannot be right is refused: by a typed error that says where, and without changing a byte of the directory.

#![expect(
    clippy::disallowed_methods,
    reason = "the files are looked at, and damaged, behind the store's back"
)]

#[path = "regressions/child.rs"]
mod child;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use slice::blocking::LSMTree;
use slice::compaction::CompactionConfig;
use slice::{Builder, Durability, Error, ErrorKind, MAX_KEY_LEN, MAX_VALUE_LEN};

use child::Waiting;

/// Not a test of its own: the body of the processes that tests of this file start.
#[test]
fn the_part_of_a_child_process() {
    match child::part().as_deref() {
        Some("hold the store") => {
            let _lsm = LSMTree::new(child::dir()).unwrap();
            child::ready_and_wait();
        }
        Some("open without permission") => {
            let error = LSMTree::new(child::dir()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Io, "{error}");
            let source = error.io_source().expect("the operating system's error").kind();
            assert_eq!(source, std::io::ErrorKind::PermissionDenied, "{error}");
            println!("refused: {error}");
        }
        Some(unknown) => panic!("no such part: {unknown}"),
        None => {}
    }
}

type Listing = BTreeMap<String, Option<Vec<u8>>>;

/// All files with their contents. The lock's content does not count: it is a note about who tried last.
fn listing(dir: &Path) -> Listing {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let content = (path.is_file() && name != "LOCK").then(|| std::fs::read(&path).unwrap());
            (name, content)
        })
        .collect()
}

struct Dir {
    _temp: tempfile::TempDir,
    path: PathBuf,
}

impl Dir {
    fn new() -> Self {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().canonicalize().unwrap();
        Self { _temp: temp, path }
    }

    /// With a store that has a table, a log with an entry in it, and nobody who holds it.
    fn with_store() -> Self {
        let dir = Self::new();
        let lsm = LSMTree::new(&dir.path).unwrap();
        lsm.put(b"in a table", b"1").unwrap();
        lsm.flush().unwrap();
        lsm.put(b"in the log", b"2").unwrap();
        lsm.close().unwrap();
        dir
    }

    /// The file whose name begins and ends like this.
    fn file(&self, start: &str, end: &str) -> PathBuf {
        let listing = listing(&self.path);
        let name = listing.keys().rfind(|name| name.starts_with(start) && name.ends_with(end));
        self.path.join(name.unwrap_or_else(|| panic!("no {start}*{end}")))
    }

    /// Asserts that opening is refused, naming `file`, and changes nothing.
    #[track_caller]
    fn refuses(&self, builder: Builder, kind: ErrorKind, file: &Path) -> Error {
        let before = listing(&self.path);
        let error = builder.open_blocking().unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(
            error.to_string().contains(&file.display().to_string()),
            "{} is not named: {error}",
            file.display()
        );
        let after = listing(&self.path);
        assert!(before == after, "{error}: {:?} became {:?}", before.keys(), after.keys());
        error
    }
}

#[test]
fn a_key_of_64_kib_is_a_key_and_a_longer_one_is_refused() {
    let dir = Dir::new();
    let lsm = LSMTree::new(&dir.path).unwrap();
    let longest = vec![7; MAX_KEY_LEN];
    let longer = vec![7; MAX_KEY_LEN + 1];
    lsm.put(&longest, b"v").unwrap();
    let before = lsm.stats().last_seqno;
    for error in
        [lsm.put(&longer, b"v").unwrap_err(), lsm.delete(&longer).unwrap_err(), lsm.get(&longer).unwrap_err()]
    {
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains("65537") && error.to_string().contains("65536"), "{error}");
    }
    assert_eq!(lsm.stats().last_seqno, before);
    lsm.flush().unwrap();
    assert_eq!(lsm.get(&longest).unwrap(), Some(b"v".to_vec()));
    drop(lsm);
    assert_eq!(LSMTree::new(&dir.path).unwrap().get(&longest).unwrap(), Some(b"v".to_vec()));
}

#[test]
fn the_empty_key_is_a_key() {
    let dir = Dir::new();
    for round in 0..3_u8 {
        let lsm = LSMTree::new(&dir.path).unwrap();
        let expected = (round > 0).then(|| vec![round - 1]);
        assert_eq!(lsm.get(b"").unwrap(), expected);
        lsm.delete(b"").unwrap();
        assert_eq!(lsm.get(b"").unwrap(), None);
        lsm.flush().unwrap();
        assert_eq!(lsm.get(b"").unwrap(), None);
        lsm.put(b"", &[round]).unwrap();
        if round > 0 {
            lsm.compact().unwrap();
        }
        assert_eq!(lsm.get(b"").unwrap(), Some(vec![round]));
    }
}

#[test]
fn a_value_over_1_gib_is_refused() {
    let dir = Dir::new();
    let lsm = LSMTree::new(&dir.path).unwrap();
    // Zeros that nobody looks at take no memory.
    let error = lsm.put(b"k", &vec![0; MAX_VALUE_LEN + 1]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains("1073741825"), "{error}");
    assert_eq!((lsm.get(b"k").unwrap(), lsm.stats().last_seqno), (None, 0));
}

#[test]
fn a_path_that_is_a_file_is_refused() {
    let dir = Dir::new();
    let file = dir.path.join("notes");
    std::fs::write(&file, "mine").unwrap();
    dir.refuses(LSMTree::builder(&file), ErrorKind::InvalidArgument, &file);
}

#[test]
fn a_directory_of_other_files_is_refused() {
    let dir = Dir::new();
    let file = dir.path.join("notes.txt");
    std::fs::write(&file, "mine").unwrap();
    dir.refuses(LSMTree::builder(&dir.path), ErrorKind::InvalidArgument, &file);
}

#[test]
fn nothing_is_made_where_nothing_is_to_be_made() {
    let dir = Dir::new();
    let missing = dir.path.join("missing");
    for path in [&missing, &dir.path] {
        let builder = LSMTree::builder(path).create_if_missing(false);
        dir.refuses(builder, ErrorKind::InvalidArgument, path);
    }
}

#[test]
fn a_newer_format_of_each_kind_of_file_is_refused() {
    for (start, end) in [
        ("MANIFEST-", ""),
        ("wal_", ".log"),
        ("sstable_", ".db"),
        ("sstable_", ".idx"),
        ("sstable_", ".bloom"),
    ] {
        let dir = Dir::with_store();
        let file = if end == ".log" { dir.log_in_use() } else { dir.file(start, end) };
        let mut bytes = std::fs::read(&file).unwrap();
        bytes[8] += 1;
        if end == ".log" {
            let checksum = slice_types::checksum(&bytes[..24]);
            bytes[24..32].copy_from_slice(&checksum.to_le_bytes());
        }
        std::fs::write(&file, bytes).unwrap();
        let error = dir.refuses(LSMTree::builder(&dir.path), ErrorKind::Unsupported, &file);
        assert!(error.to_string().contains("version 2"), "{error}");
    }
}

impl Dir {
    /// The log that has the last entry.
    fn log_in_use(&self) -> PathBuf {
        let has_entry = |content: &Vec<u8>| content.windows(10).any(|bytes| bytes == b"in the log");
        let listing = listing(&self.path);
        let mut logs = listing.iter().filter(|(name, _)| name.starts_with("wal_0"));
        let found = logs.find(|(_, content)| content.as_ref().is_some_and(has_entry));
        self.path.join(found.expect("a log with the entry").0)
    }
}

#[test]
fn a_store_without_its_current_file_is_refused() {
    let dir = Dir::with_store();
    std::fs::remove_file(dir.path.join("CURRENT")).unwrap();
    dir.refuses(LSMTree::builder(&dir.path), ErrorKind::Corruption, &dir.path);
}

#[test]
fn garbage_in_current_is_refused() {
    for garbage in ["", "\n", "MANIFEST-000001", "MANIFEST-999999\n", "../MANIFEST-000001\n", "\u{fffd}"] {
        let dir = Dir::with_store();
        let current = dir.path.join("CURRENT");
        std::fs::write(&current, garbage).unwrap();
        let named =
            if garbage.contains("999999") { dir.path.join("MANIFEST-999999") } else { current.clone() };
        dir.refuses(LSMTree::builder(&dir.path), ErrorKind::Corruption, &named);
    }
}

#[test]
fn options_out_of_range_are_refused_before_anything_is_made() {
    let dir = Dir::new();
    let path = dir.path.join("new");
    let new = || LSMTree::builder(&path);
    let no_compactions = CompactionConfig { max_concurrent_compactions: 0, ..CompactionConfig::default() };
    for (option, builder) in [
        ("memtable_size", new().memtable_size(0)),
        ("max_frozen_memtables", new().max_frozen_memtables(0)),
        ("block_size", new().block_size(usize::MAX)),
        ("filter_bits_per_key", new().filter_bits_per_key(-1.0)),
        ("max_levels", new().max_levels(21)),
        ("l0_slowdown_trigger", new().l0_slowdown_trigger(1)),
        ("target_table_bytes", new().target_table_bytes(0)),
        ("durability interval", new().durability(Durability::Interval(Duration::ZERO))),
        ("max_concurrent_compactions", new().compaction(no_compactions)),
    ] {
        dir.refuses(builder, ErrorKind::InvalidArgument, Path::new(option));
    }
    assert!(!path.exists());
}

#[test]
fn a_second_process_is_refused() {
    // Empty, so that its holder has nothing to flush meanwhile.
    let dir = Dir::new();
    let holder = Waiting::start("hold the store", &dir.path);
    let error = dir.refuses(LSMTree::builder(&dir.path), ErrorKind::Locked, &dir.path);
    assert!(error.to_string().contains(&format!("pid {}", holder.pid())), "{error}");
    holder.kill();
    LSMTree::new(&dir.path).unwrap();
}

/// As another user when this one is root, whom no mode keeps out.
#[cfg(unix)]
#[test]
fn a_directory_without_permission_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let place = Dir::new();
    mode(&place.path, 0o755);
    let program = place.path.join("program");
    std::fs::copy(child::this_program(), &program).unwrap();
    for bits in [0o000, 0o555] {
        let dir = place.path.join(format!("{bits:o}"));
        std::fs::create_dir(&dir).unwrap();
        mode(&dir, bits);
        let is_root = std::fs::write(dir.join("try"), "").is_ok();
        let other: &[&str] =
            if is_root { &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] } else { &[] };
        if is_root {
            std::fs::remove_file(dir.join("try")).unwrap();
        }
        for path in [dir.clone(), dir.join("below")] {
            let mut command = child::command(other, &program, "open without permission", &path);
            let output = command.stdout(Stdio::piped()).output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            let complaint = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() && said.contains("refused: "), "{bits:o}: {said}\n{complaint}");
            assert!(said.contains(&dir.display().to_string()), "{said}");
        }
        mode(&dir, 0o755);
        assert!(listing(&dir).is_empty());
    }
}
