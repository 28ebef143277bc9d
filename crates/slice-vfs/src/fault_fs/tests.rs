//! The chosen operation fails as chosen, and no other.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::{Arc, Mutex};

use super::{Call, Fault, FaultFs, Span};
use crate::conformance::{HERE, SITES};
use crate::{Fs, MemFs, read_all, write_atomic};

fn over_memory() -> (MemFs, FaultFs) {
    let memory = MemFs::new();
    (memory.clone(), FaultFs::new(Arc::new(memory)))
}

#[test]
fn each_fault_is_the_error_that_a_caller_would_see() {
    let cases = [
        (Fault::Eio, rustix::io::Errno::IO.kind()),
        (Fault::Enospc, ErrorKind::StorageFull),
        (Fault::ShortWrite, ErrorKind::WriteZero),
        (Fault::Interrupted, ErrorKind::Interrupted),
    ];
    for (fault, kind) in cases {
        let (_, fs) = over_memory();
        fs.fail_at(0, fault);
        assert_eq!(fs.create_log(Path::new("/log")).unwrap_err().kind(), kind);
    }
}

#[test]
fn every_change_of_an_atomic_write_can_fail_and_leaves_the_old_or_the_new_content() {
    let path = Path::new("/value");
    let (_, fs) = over_memory();
    write_atomic(&fs, path, b"old", SITES).unwrap();
    let before = fs.operations();
    write_atomic(&fs, path, b"old", SITES).unwrap();
    let steps = fs.operations() - before;
    assert_eq!(steps, 6, "remove, create, append, sync, rename, sync of the directory");
    for step in 0..steps {
        write_atomic(&fs, path, b"old", SITES).unwrap();
        let result = {
            fs.fail_at(fs.operations() + step, Fault::Eio);
            write_atomic(&fs, path, b"new", SITES)
        };
        assert_eq!(result.unwrap_err().raw_os_error(), Some(5), "step {step}");
        let expected: &[u8] = if step < 5 { b"old" } else { b"new" };
        assert_eq!(read_all(&fs, path).unwrap(), expected, "step {step}");
    }
}

#[test]
fn a_fault_comes_once_or_for_ever_until_cleared() {
    let (_, fs) = over_memory();
    fs.fail_at(1, Fault::Eio);
    let mut file = fs.create_append(Path::new("/a")).unwrap();
    assert!(file.append(b"x").is_err());
    assert!(file.append(b"x").is_ok());

    fs.fail_at_for(fs.operations() + 1, Fault::Enospc, Span::Forever);
    assert!(file.append(b"x").is_ok());
    for _ in 0..3 {
        assert_eq!(file.append(b"x").unwrap_err().kind(), ErrorKind::StorageFull);
    }
    fs.clear();
    assert!(file.append(b"x").is_ok());
}

#[test]
fn a_short_write_leaves_half_of_the_bytes() {
    let (_, fs) = over_memory();
    let mut file = fs.create_append(Path::new("/a")).unwrap();
    fs.fail_at(fs.operations(), Fault::ShortWrite);
    assert_eq!(file.append(b"12345678").unwrap_err().kind(), ErrorKind::WriteZero);
    assert_eq!(read_all(&fs, Path::new("/a")).unwrap(), b"1234");
}

#[test]
fn a_log_takes_a_short_write_back() {
    let (_, fs) = over_memory();
    let mut log = fs.create_log(Path::new("/log")).unwrap();
    log.append(&[b"one"]).unwrap();
    fs.fail_at(fs.operations(), Fault::ShortWrite);
    assert!(log.append(&[b"lost"]).is_err());
    log.append(&[b"two"]).unwrap();
    log.finish().unwrap();
    assert_eq!(read_all(&fs, Path::new("/log")).unwrap(), b"onetwo");
}

#[test]
fn a_failed_sync_makes_nothing_durable() {
    let (memory, fs) = over_memory();
    let mut file = fs.create_append(Path::new("/a")).unwrap();
    fs.sync_dir(Path::new("/"), HERE).unwrap();
    file.append(b"x").unwrap();
    fs.fail_at(fs.operations(), Fault::Eio);
    assert!(file.sync(HERE).is_err());
    assert_eq!(read_all(&memory.crash_image(0.0, 0), Path::new("/a")).unwrap(), b"");
}

#[test]
fn reads_are_counted_and_fail_apart_from_changes() {
    let (_, fs) = over_memory();
    write_atomic(&fs, Path::new("/a"), b"x", SITES).unwrap();
    let changes = fs.operations();
    assert_eq!(fs.read_operations(), 0);

    fs.fail_read_at(2, Fault::Eio);
    let file = fs.open_random(Path::new("/a")).unwrap();
    assert_eq!(file.len().unwrap(), 1);
    let mut buf = [0];
    assert!(file.read_exact_at(&mut buf, 0).is_err());
    assert!(file.read_exact_at(&mut buf, 0).is_ok());
    assert_eq!((fs.operations(), fs.read_operations()), (changes, 4));

    fs.fail_read_at_for(4, Fault::Interrupted, Span::Forever);
    assert!(fs.metadata(Path::new("/a")).is_err());
    assert!(fs.list_dir(Path::new("/")).is_err());
    assert!(fs.remove_file(Path::new("/a")).is_ok());
}

#[test]
fn a_silent_fault_reports_success_for_what_was_not_done() {
    let (memory, fs) = over_memory();
    let mut file = fs.create_append(Path::new("/a")).unwrap();
    fs.sync_dir(Path::new("/"), HERE).unwrap();
    file.append(b"x").unwrap();
    fs.fail_at(fs.operations(), Fault::Silent);
    fs.fail_at(fs.operations() + 1, Fault::Silent);
    file.sync(HERE).unwrap();
    file.append(b"y").unwrap();
    assert_eq!(read_all(&fs, Path::new("/a")).unwrap(), b"x");
    assert_eq!(read_all(&memory.crash_image(0.0, 0), Path::new("/a")).unwrap(), b"");
}

#[test]
fn a_watcher_is_told_of_every_operation_and_how_it_will_fail() {
    let (_, fs) = over_memory();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    fs.watch(move |operation| told.lock().unwrap().push(operation.clone()));
    fs.fail_at(1, Fault::Eio);
    let mut file = fs.create_append(Path::new("/a")).unwrap();
    file.append(b"x").unwrap_err();
    file.sync(HERE).unwrap();
    fs.metadata(Path::new("/a")).unwrap();
    let seen = seen.lock().unwrap();
    let calls: Vec<_> = seen.iter().map(|operation| operation.call).collect();
    assert_eq!(calls, [Call::CreateAppend, Call::Append, Call::Sync(HERE), Call::Metadata]);
    assert_eq!(
        seen.iter().map(|operation| operation.fault).collect::<Vec<_>>(),
        [None, Some(Fault::Eio), None, None]
    );
    assert!(seen[1].handle.is_some() && seen[1].handle == seen[2].handle);
    assert_eq!(seen[3].to_string(), "Metadata of /a");
}
