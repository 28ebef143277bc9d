//! What is particular to the operating system: chunks, full disks, durable names.

use crate::{Fs, StdFs, read_all};

#[test]
fn a_log_grows_over_its_chunks() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    let mut log = StdFs::new().create_log(&path).unwrap();
    let record: Vec<u8> = (0..300_007_u32).map(|n| n as u8).collect();
    for _ in 0..40 {
        log.append(&[&record[..1000], &record[1000..]]).unwrap();
    }
    assert_eq!(log.len(), 40 * record.len() as u64);
    log.finish().unwrap();
    assert_eq!(read_all(&StdFs::new(), &path).unwrap(), record.repeat(40));
}
