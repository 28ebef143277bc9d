//! A site whose syncs are ignored makes nothing durable, live and in a replay alike, and changes nothing that is live.

use super::{at, read};
use crate::{AtomicSites, Fs, MemFs, OpKind, SyncSite, write_atomic};

const BYTES: SyncSite = SyncSite::new("bytes");
const NAME: SyncSite = SyncSite::new("name");
const SITES: AtomicSites = AtomicSites { bytes: BYTES, name: NAME };

/// A file with bytes, in a directory that is made for it.
fn workload(fs: &MemFs) {
    fs.create_dir_all(at("/dir")).unwrap();
    write_atomic(fs, at("/dir/a"), b"content", SITES).unwrap();
}

/// What is left of the file when nothing unsynced is.
fn left(fs: &MemFs) -> Option<Vec<u8>> {
    read(&fs.crash_image(0.0, 0), "/dir/a")
}

#[test]
fn a_mutant_loses_what_its_site_would_have_kept() {
    let lost = [(BYTES, Some(Vec::new())), (NAME, None), (SyncSite::DIRECTORY_NAME, None)];
    for (site, expected) in lost {
        let fs = MemFs::new();
        fs.ignore_syncs(site);
        workload(&fs);
        assert_eq!(read(&fs, "/dir/a").unwrap(), b"content", "{site}: what is live is there");
        assert_eq!(left(&fs), expected, "{site}");
    }
}

#[test]
fn one_history_serves_the_mutants_of_all_sites() {
    let fs = MemFs::recording();
    workload(&fs);
    let history = fs.history();
    for site in [BYTES, NAME, SyncSite::DIRECTORY_NAME] {
        let mutant = MemFs::new();
        mutant.ignore_syncs(site);
        workload(&mutant);
        let mut replay = history.replay().ignoring(site);
        while replay.advance().is_some() {}
        assert_eq!(read(&replay.crash_image(0.0, 0), "/dir/a"), left(&mutant), "{site}");
        assert_eq!(read(&replay.crash_image(1.0, 0), "/dir/a").unwrap(), b"content", "{site}");
    }
}

#[test]
fn an_image_inherits_what_is_ignored() {
    let fs = MemFs::new();
    fs.create_dir_all(at("/dir")).unwrap();
    fs.ignore_syncs(BYTES);
    let image = fs.crash_image(1.0, 0);
    workload(&image);
    assert_eq!(left(&image), Some(Vec::new()));
}

#[test]
fn a_history_tells_why_each_sync_was_made() {
    let fs = MemFs::recording();
    workload(&fs);
    let history = fs.history();
    let sites: Vec<_> = history.iter().filter_map(|op| Some((op.kind, op.site?))).collect();
    // Of the root, which was there already, and of the directory that was made in it.
    let names = (OpKind::SyncDir, SyncSite::DIRECTORY_NAME);
    assert_eq!(sites, [names, names, (OpKind::SyncFile, BYTES), (OpKind::SyncDir, NAME)]);
}

#[test]
fn a_directory_whose_name_is_lost_takes_its_files_along() {
    let fs = MemFs::new();
    fs.ignore_syncs(SyncSite::DIRECTORY_NAME);
    fs.create_dir_all(at("/dir/inner")).unwrap();
    write_atomic(&fs, at("/dir/inner/a"), b"x", SITES).unwrap();
    write_atomic(&fs, at("/b"), b"y", SITES).unwrap();
    let image = fs.crash_image(0.0, 0);
    // The name of `/dir` went with `/b`'s; that of `/dir/inner` is in `/dir`, which nobody synced.
    assert_eq!(image.list_dir(at("/")).unwrap(), ["b", "dir"]);
    assert!(image.list_dir(at("/dir")).unwrap().is_empty());
    assert_eq!(read(&fs.crash_image(1.0, 0), "/dir/inner/a").unwrap(), b"x");
}
