//! What a crash may leave, and what it must.

mod bytes;
mod content;
mod names;
mod replay;
mod sites;

use std::path::Path;

use super::MemFs;
use crate::conformance::HERE;
use crate::{AppendFile, Fs, read_all};

/// Short for a path.
fn at(path: &str) -> &Path {
    Path::new(path)
}

/// What a file holds; `None` when there is none.
fn read(fs: &MemFs, path: &str) -> Option<Vec<u8>> {
    read_all(fs, at(path)).ok()
}

/// Creates a file in the root with durable bytes and name.
fn create_durable(fs: &MemFs, path: &str, bytes: &[u8]) -> Box<dyn AppendFile> {
    let mut file = fs.create_append(at(path)).unwrap();
    file.append(bytes).unwrap();
    file.sync(HERE).unwrap();
    fs.sync_dir(at("/"), HERE).unwrap();
    file
}

/// All that a reader can see, in order.
fn everything(fs: &MemFs) -> Vec<(String, Vec<u8>)> {
    let names = fs.list_dir(at("/")).unwrap();
    names.into_iter().map(|name| (name.clone(), read(fs, &name).unwrap())).collect()
}
