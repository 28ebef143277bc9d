//! What a crash may leave, and what it must.

use std::path::Path;

use super::MemFs;
use crate::{Fs, read_all};

fn with_synced_file(path: &str, bytes: &[u8]) -> MemFs {
    let fs = MemFs::new();
    let mut file = fs.create_append(Path::new(path)).unwrap();
    file.append(bytes).unwrap();
    file.sync().unwrap();
    fs.sync_dir(Path::new("/")).unwrap();
    fs
}

#[test]
fn synced_bytes_are_never_lost() {
    let fs = with_synced_file("/a", b"synced");
    for seed in 0..20 {
        assert_eq!(read_all(&fs.crash_image(0.5, seed), Path::new("/a")).unwrap(), b"synced");
    }
}
