//! The helpers keep their promises through crashes and over odd paths.

use std::path::Path;

use super::{parent, read_all, write_atomic};
use crate::conformance::SITES;
use crate::{Fs, MemFs};

#[test]
fn an_atomic_write_is_old_or_new_at_every_crash_and_new_after_its_return() {
    let path = Path::new("/value");
    let fs = MemFs::recording();
    write_atomic(&fs, path, &[1; 2000], SITES).unwrap();
    let first = fs.operations();
    // A leftover of a write that did not come to its end.
    fs.create_append(Path::new("/value.tmp")).unwrap();
    write_atomic(&fs, path, &[2; 3000], SITES).unwrap();
    let second = fs.operations();

    let mut replay = fs.history().replay();
    let mut seen_old = 0;
    while replay.advance().is_some() {
        let applied = replay.applied() as u64;
        for seed in 0..60 {
            let image = replay.crash_image(f64::from(seed as u8 % 3) / 2.0, seed);
            match read_all(&image, path).ok() {
                None => assert!(applied < first),
                Some(found) if found == [1; 2000] => {
                    assert!(applied < second);
                    seen_old += usize::from(applied > first);
                }
                Some(found) => assert_eq!(found, [2; 3000]),
            }
        }
    }
    assert!(seen_old > 0);
}

#[test]
fn a_whole_file_is_read_and_nothing_else_is() {
    let fs = MemFs::new();
    let mut file = fs.create_append(Path::new("/a")).unwrap();
    file.append(b"x").unwrap();
    assert_eq!(read_all(&fs, Path::new("/a")).unwrap(), b"x");
    assert!(read_all(&fs, Path::new("/")).is_err());
    assert!(read_all(&fs, Path::new("/missing")).is_err());
}

#[test]
fn every_path_has_a_parent() {
    assert_eq!(parent(Path::new("/a/b")), Path::new("/a"));
    assert_eq!(parent(Path::new("/a")), Path::new("/"));
    assert_eq!(parent(Path::new("/")), Path::new("/"));
    assert_eq!(parent(Path::new("a")), Path::new("."));
    assert_eq!(parent(Path::new("a/b")), Path::new("a"));
}
