//! A whole directory, changed anywhere: it opens or says what is wrong, and no key has a value that nobody gave it.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use slice::blocking::LSMTree;
use slice::vfs::{Fs, LogKind, MemFs, read_all};
use slice::{Background, Builder, ErrorKind, RecoveryMode};

const MODES: [RecoveryMode; 4] = [
    RecoveryMode::TolerateTornTail,
    RecoveryMode::PointInTime,
    RecoveryMode::Absolute,
    RecoveryMode::Salvage,
];
const KEYS: u8 = 30;

/// A store of some tables and a log, without its lock: names and contents.
static STORE: LazyLock<Vec<(String, Vec<u8>)>> = LazyLock::new(|| {
    let fs = MemFs::with_log_kind(LogKind::Plain);
    let lsm = builder(&fs).open_blocking().expect("an empty disk");
    let write = |keys: std::ops::Range<u8>, round| {
        for key in keys {
            lsm.put(&[key], &value(key, round)).expect("a sound disk");
        }
    };
    write(0..KEYS, 0);
    lsm.compact().expect("a sound disk");
    write(5..15, 1);
    lsm.delete(&[20]).expect("a sound disk");
    lsm.flush().expect("a sound disk");
    write(10..25, 2);
    drop(lsm);
    let names = fs.list_dir(Path::new("/db")).expect("it is there");
    let files = names.into_iter().filter(|name| name != "LOCK");
    files
        .map(|name| (name.clone(), read_all(&fs, &Path::new("/db").join(name)).expect("it is there")))
        .collect()
});

fn value(key: u8, round: u8) -> Vec<u8> {
    [key, round].repeat(20)
}

fn builder(fs: &MemFs) -> Builder {
    LSMTree::builder("/db").fs(Arc::new(fs.clone())).background(Background::Inline).block_size(128)
}

/// The first byte chooses the recovery mode; then come changes, each behind the number of its file.
pub(super) fn run(bytes: &[u8]) {
    let Some((mode, changes)) = bytes.split_first() else { return };
    let mut files = STORE.clone();
    for change in changes.chunks_exact(4) {
        let file = usize::from(change[0]) % files.len();
        super::patch(&mut files[file].1, &change[1..]);
    }
    let fs = disk(&files);
    let opened = builder(&fs)
        .create_if_missing(false)
        .recovery_mode(MODES[usize::from(*mode) % MODES.len()])
        .open_blocking();
    match opened {
        Ok(lsm) => (0..KEYS).for_each(|key| check(key, lsm.get(&[key]))),
        Err(error) => check_error(&error),
    }
}

fn check(key: u8, found: slice::Result<Option<Vec<u8>>>) {
    match found {
        Ok(None) => {}
        Ok(Some(found)) => assert!((0..3).any(|round| found == value(key, round)), "key {key} is {found:?}"),
        Err(error) => check_error(&error),
    }
}

fn check_error(error: &slice::Error) {
    assert!(matches!(error.kind(), ErrorKind::Corruption | ErrorKind::Unsupported), "{error:?}");
    assert!(error.file().is_some(), "{error:?} names no file");
}

/// A disk with these files in `/db`.
pub(super) fn disk(files: &[(String, Vec<u8>)]) -> MemFs {
    let fs = MemFs::with_log_kind(LogKind::Plain);
    fs.create_dir_all(Path::new("/db")).expect("an empty disk");
    for (name, content) in files {
        let mut file = fs.create_append(&Path::new("/db").join(name)).expect("an empty disk");
        file.append(content).expect("a sound disk");
    }
    fs
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    let each_file = 0..STORE.len() as u8;
    let mut seeds: Vec<Vec<u8>> = (0..4).map(|mode| vec![mode]).collect();
    seeds.extend(each_file.clone().map(|file| vec![0, file, 20, 0, 255]));
    seeds.extend(each_file.map(|file| vec![3, file, 255, 255, 40]));
    seeds
}
