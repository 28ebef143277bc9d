//! What a checkpoint holds, what it shares with the store, and where it cannot be.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use slice::blocking::LSMTree;
use slice::vfs::{Call, Fault, FaultFs, Fs, MemFs};
use slice::{Error, ErrorKind};

use super::{at, fill, holds, key, store, value};

#[test]
fn a_checkpoint_holds_tables_and_logs_and_nothing_later() {
    let fs = MemFs::new();
    let lsm = store(&fs);
    fill(&lsm, 0..300, 1);
    lsm.compact().unwrap();
    fill(&lsm, 300..310, 1);
    lsm.delete(&key(7)).unwrap();
    lsm.checkpoint("/copy").unwrap();
    fill(&lsm, 0..310, 2);
    lsm.compact().unwrap();

    assert!(at("/copy", &fs).verify().unwrap().is_clean());
    let copy = at("/copy", &fs).open_blocking().unwrap();
    holds(&copy, 0..7, 1);
    assert_eq!(copy.get(&key(7)).unwrap(), None);
    holds(&copy, 8..310, 1);
    holds(&lsm, 0..310, 2);
}

#[test]
fn store_and_checkpoint_go_on_without_each_other() {
    let fs = MemFs::new();
    let lsm = store(&fs);
    fill(&lsm, 0..100, 1);
    lsm.checkpoint("/copy").unwrap();
    let copy = at("/copy", &fs).open_blocking().unwrap();
    fill(&copy, 0..100, 2);
    copy.compact().unwrap();
    fill(&lsm, 0..100, 3);
    lsm.compact().unwrap();
    drop((lsm, copy));
    holds(&store(&fs), 0..100, 3);
    holds(&at("/copy", &fs).open_blocking().unwrap(), 0..100, 2);
}

#[test]
fn a_checkpoint_of_a_checkpoint_of_a_new_store_is_a_store() {
    let fs = MemFs::new();
    store(&fs).checkpoint("/one").unwrap();
    let one = at("/one", &fs).open_blocking().unwrap();
    one.put(b"k", b"v").unwrap();
    one.checkpoint("/deep/down/two").unwrap();
    let two = at("/deep/down/two", &fs).create_if_missing(false).open_blocking().unwrap();
    assert_eq!(two.get(b"k").unwrap(), Some(b"v".to_vec()));
}

/// The store is opened anew, so that some of its logs are of an earlier process.
#[test]
fn a_checkpoint_has_what_was_replayed() {
    let fs = MemFs::new();
    let threads = || at("/db", &fs).background(slice::Background::Threads).memtable_size(1 << 20);
    let lsm = threads().open_blocking().unwrap();
    fill(&lsm, 0..50, 1);
    drop(lsm);
    let lsm = threads().open_blocking().unwrap();
    fill(&lsm, 50..60, 1);
    lsm.checkpoint("/copy").unwrap();
    holds(&at("/copy", &fs).open_blocking().unwrap(), 0..60, 1);
}

#[test]
fn a_checkpoint_is_durable_when_it_returns() {
    let fs = MemFs::new();
    let lsm = store(&fs);
    fill(&lsm, 0..80, 1);
    lsm.put(b"in the log", b"and not synced").unwrap();
    lsm.checkpoint("/copies/1").unwrap();
    let after = fs.crash_image(0.0, 1);
    let copy = at("/copies/1", &after).open_blocking().unwrap();
    holds(&copy, 0..80, 1);
    assert_eq!(copy.get(b"in the log").unwrap(), Some(b"and not synced".to_vec()));
}

#[test]
fn tables_are_shared_and_on_another_device_copied() {
    let fs = MemFs::new();
    let lsm = store(&fs);
    fill(&lsm, 0..300, 1);
    lsm.compact().unwrap();
    fs.create_dir_all(Path::new("/usb")).unwrap();
    fs.mount(Path::new("/usb"));
    let links = |dir: &str| {
        let faults = FaultFs::new(Arc::new(fs.clone()));
        let lsm = at("/db", &faults);
        let (linked, copied) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (is_link, is_copy, prefix) = (Arc::clone(&linked), Arc::clone(&copied), dir.to_owned());
        let lsm = lsm.open_blocking().unwrap();
        faults.watch(move |operation| {
            let is_table = operation.path.starts_with(&prefix)
                && operation
                    .path
                    .file_name()
                    .is_some_and(|name| name.to_string_lossy().starts_with("sstable_"));
            match operation.call {
                Call::HardLink if is_table => is_link.fetch_add(1, Ordering::Relaxed),
                Call::CreateAppend if is_table => is_copy.fetch_add(1, Ordering::Relaxed),
                _ => 0,
            };
        });
        lsm.checkpoint(dir).unwrap();
        (linked.load(Ordering::Relaxed), copied.load(Ordering::Relaxed))
    };
    drop(lsm);
    let (linked, copied) = links("/copy");
    assert!(linked > 0 && copied == 0, "{linked} links, {copied} copies");
    let (tried, copied) = links("/usb/copy");
    assert!(copied > 0 && tried == copied, "{tried} links, {copied} copies");
    let image = fs.crash_image(0.0, 3);
    for dir in ["/copy", "/usb/copy"] {
        assert!(at(dir, &image).verify().unwrap().is_clean(), "{dir}");
        holds(&at(dir, &image).open_blocking().unwrap(), 0..300, 1);
    }
}

fn refused(result: slice::Result<()>, kind: ErrorKind, says: &str) -> Error {
    let error = result.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(says), "{error}");
    error
}

#[test]
fn a_checkpoint_needs_an_empty_directory_of_its_own() {
    let fs = MemFs::new();
    let lsm = store(&fs);
    lsm.put(b"k", b"v").unwrap();
    refused(lsm.checkpoint("/db"), ErrorKind::InvalidArgument, "its own directory");
    refused(lsm.checkpoint("/db/../db/."), ErrorKind::InvalidArgument, "its own directory");
    refused(lsm.checkpoint("/db/CURRENT"), ErrorKind::InvalidArgument, "is a file");
    fs.create_dir_all(Path::new("/full")).unwrap();
    drop(fs.create_append(Path::new("/full/notes.txt")).unwrap());
    let error = refused(lsm.checkpoint("/full"), ErrorKind::InvalidArgument, "not empty");
    assert_eq!(error.file(), Some(Path::new("/full")));
    assert_eq!(fs.list_dir(Path::new("/full")).unwrap(), ["notes.txt"]);
    lsm.checkpoint("/copy").unwrap();
    refused(lsm.checkpoint("/copy"), ErrorKind::InvalidArgument, "not empty");
    lsm.close().unwrap();
    refused(lsm.checkpoint("/late"), ErrorKind::Closed, "closed");
    assert!(fs.metadata(Path::new("/late")).is_err());
}

#[test]
fn a_checkpoint_that_fails_anywhere_leaves_nothing_and_the_store_unharmed() {
    let mut failures = 0;
    for n in 0.. {
        let fs = MemFs::new();
        let faults = FaultFs::new(Arc::new(fs.clone()));
        let lsm = store(&faults);
        fill(&lsm, 0..30, 1);
        let before = faults.operations();
        faults.fail_at(before + n, Fault::Enospc);
        let copied = lsm.checkpoint("/copy");
        if faults.operations() <= before + n {
            break;
        }
        holds(&lsm, 0..30, 1);
        lsm.put(b"on", b"it goes").unwrap();
        if copied.is_ok() {
            // A failure that cost nothing, such as that of a seal.
            holds(&at("/copy", &fs).open_blocking().unwrap(), 0..30, 1);
            continue;
        }
        failures += 1;
        assert_eq!(copied.unwrap_err().kind(), ErrorKind::StorageFull, "operation {n}");
        let left = fs.list_dir(Path::new("/copy")).unwrap_or_default();
        assert!(left.is_empty(), "operation {n} left {left:?}");
        lsm.checkpoint("/copy").unwrap();
        holds(&at("/copy", &fs).open_blocking().unwrap(), 0..30, 1);
    }
    assert!(failures > 10, "{failures} failures");
}

/// Writers count up two keys in turn, the second never ahead of the first; every checkpoint has to agree.
#[test]
fn checkpoints_taken_while_others_write_flush_and_compact_are_prefixes() {
    let fs = MemFs::new();
    let builder = at("/db", &fs).background(slice::Background::Threads);
    let lsm = builder.l0_compaction_trigger(2).open_blocking().unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0_u32.. {
                for name in ["first", "second", "third"] {
                    lsm.put(name.as_bytes(), &round.to_be_bytes()).unwrap();
                }
                lsm.put(&key(round % 200), &value(round % 200, round)).unwrap();
                if done.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        for n in 0..20 {
            let dir = format!("/copies/{n}");
            lsm.checkpoint(&dir).unwrap();
            let image = fs.crash_image(0.0, n);
            check_prefix(&at(&dir, &image).open_blocking().unwrap());
        }
        done.store(true, Ordering::Relaxed);
    });
}

fn check_prefix(copy: &LSMTree) {
    let round = |name: &str| {
        let value = copy.get(name.as_bytes()).unwrap();
        value.map_or(-1, |value| i64::from(u32::from_be_bytes(value.try_into().unwrap())))
    };
    let [first, second, third] = ["first", "second", "third"].map(round);
    assert!(first >= second && second >= third && first - third <= 1, "{first}, {second}, {third}");
    // Each round behind them wrote one more key.
    if let Ok(n) = u32::try_from(third - 1) {
        assert_eq!(copy.get(&key(n % 200)).unwrap(), Some(value(n % 200, n)));
    }
}

#[tokio::test]
async fn the_async_face_makes_checkpoints_on_a_real_disk() {
    let dir = tempfile::tempdir().unwrap();
    let (path, copy) = (dir.path().join("data"), dir.path().join("copies/today"));
    let lsm = slice::LSMTree::new(&path).await.unwrap();
    lsm.put(b"k", b"table").await.unwrap();
    lsm.flush().await.unwrap();
    lsm.put(b"l", b"log").await.unwrap();
    lsm.checkpoint(&copy).await.unwrap();
    assert!(slice::verify(&copy).unwrap().is_clean());
    let copied = slice::LSMTree::new(&copy).await.unwrap();
    assert_eq!(copied.get(b"k").await.unwrap(), Some(b"table".to_vec()));
    assert_eq!(copied.get(b"l").await.unwrap(), Some(b"log".to_vec()));
    let error = lsm.checkpoint(&copy).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}
