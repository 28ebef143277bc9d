//! What a signal cuts short is done all the same, once; what fails otherwise is not tried again.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use super::{ATTEMPTS, uninterrupted};
use crate::conformance::{self, HERE, SITES};
use crate::{Fault, FaultFs, Fs, MemFs, Span, read_all, write_atomic};

fn over_faults() -> (FaultFs, Arc<dyn Fs>) {
    let faults = FaultFs::new(Arc::new(MemFs::new()));
    (faults.clone(), uninterrupted(Arc::new(faults)))
}

#[test]
fn it_keeps_the_promises_of_the_traits() {
    conformance::run(&|| (uninterrupted(Arc::new(MemFs::new())), "/".into()));
}

#[test]
fn an_interrupted_change_is_done_once_in_the_end() {
    let (faults, fs) = over_faults();
    let path = Path::new("/value");
    let steps = {
        write_atomic(&*fs, path, b"first", SITES).unwrap();
        faults.operations()
    };
    for step in 0..steps {
        for _ in 0..5 {
            faults.fail_at(faults.operations() + step, Fault::Interrupted);
        }
        write_atomic(&*fs, path, format!("{step}").as_bytes(), SITES).unwrap();
        assert_eq!(read_all(&*fs, path).unwrap(), format!("{step}").as_bytes());
    }
}

#[test]
fn an_interrupted_append_to_a_log_is_there_once() {
    let (faults, fs) = over_faults();
    let mut log = fs.create_log(Path::new("/log")).unwrap();
    for n in 0..3 {
        faults.fail_at(faults.operations() + n, Fault::Interrupted);
    }
    log.append(&[b"one"]).unwrap();
    log.control().sync(HERE).unwrap();
    log.finish().unwrap();
    assert_eq!(read_all(&*fs, Path::new("/log")).unwrap(), b"one");
}

#[test]
fn who_is_interrupted_for_ever_is_told_so() {
    let (faults, fs) = over_faults();
    faults.fail_at_for(0, Fault::Interrupted, Span::Forever);
    assert_eq!(fs.create_append(Path::new("/a")).unwrap_err().kind(), ErrorKind::Interrupted);
    assert_eq!(faults.operations(), ATTEMPTS as u64);
}

#[test]
fn a_failed_sync_is_not_tried_again() {
    let (faults, fs) = over_faults();
    let mut file = fs.create_append(Path::new("/a")).unwrap();
    faults.fail_at(faults.operations(), Fault::Eio);
    let before = faults.operations();
    assert!(file.sync(HERE).is_err());
    assert_eq!(faults.operations(), before + 1);
}
