//! A manifest: a store either opens with it or says what is wrong, and what opened once opens again.

use std::sync::Arc;

use slice::blocking::LSMTree;
use slice::vfs::MemFs;
use slice::{Background, ErrorKind};
use slice_types::{FileFormat, checksum};

const FORMAT: FileFormat = FileFormat { magic: *b"SLICEMAN", version: 1, name: "manifest" };

pub(super) fn run(bytes: &[u8]) {
    let Some((door, content)) = bytes.split_first() else { return };
    let file = if door & 1 == 1 { sealed(content) } else { content.to_vec() };
    let fs = disk(file);
    match open(&fs) {
        Ok(lsm) => {
            lsm.put(b"key", b"value").expect("a store that opens takes writes");
            drop(lsm);
            let lsm = open(&fs).expect("a store that opened opens again");
            assert_eq!(lsm.get(b"key").expect("it was just written"), Some(b"value".to_vec()));
        }
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::Corruption | ErrorKind::Unsupported), "{error:?}");
        }
    }
}

/// A store of nothing but its manifest.
fn disk(manifest: Vec<u8>) -> MemFs {
    let current = b"MANIFEST-000001\n".to_vec();
    super::store::disk(&[("MANIFEST-000001".to_owned(), manifest), ("CURRENT".to_owned(), current)])
}

fn open(fs: &MemFs) -> slice::Result<LSMTree> {
    LSMTree::builder("/db")
        .fs(Arc::new(fs.clone()))
        .background(Background::Inline)
        .create_if_missing(false)
        .open_blocking()
}

/// A manifest whose records have right checksums: each piece is an edit.
fn sealed(content: &[u8]) -> Vec<u8> {
    let mut file = FORMAT.header().to_vec();
    for edit in super::pieces(content) {
        let body = [&(edit.len() as u32).to_le_bytes()[..], &[0; 4], edit].concat();
        file.extend(checksum(&body).to_le_bytes());
        file.extend(body);
    }
    file
}

pub(super) fn seeds() -> Vec<Vec<u8>> {
    // The snapshot of an empty store: a keyspace, its first log, the next table, the last sequence number.
    let snapshot: &[u8] =
        &[1, 9, 0, 7, b'd', b'e', b'f', b'a', b'u', b'l', b't', 2, 2, 0, 3, 5, 1, 9, 6, 1, 77];
    let first_log: &[u8] = &[2, 2, 0, 5];
    let log_end: &[u8] = &[7, 2, 5, 40];
    let added: &[u8] = &[3, 12, 0, 1, 4, 100, 2, 0, 3, 9, 1, b'a', 1, b'z'];
    let removed: &[u8] = &[4, 2, 0, 4];
    let sealed = |edits: &[&[u8]]| [&[1], &super::joined(edits.iter().copied())[..]].concat();
    vec![
        sealed(&[snapshot]),
        sealed(&[snapshot, first_log, log_end]),
        sealed(&[snapshot, added]),
        sealed(&[snapshot, added, removed]),
        [&[0], &self::sealed(&sealed(&[snapshot])[1..])[..]].concat(),
    ]
}

#[test]
fn the_first_seeds_are_stores_that_open() {
    for seed in &seeds()[..2] {
        open(&disk(sealed(&seed[1..]))).unwrap();
    }
}
