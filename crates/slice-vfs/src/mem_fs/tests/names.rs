//! The names of files in crash images.

use std::io::ErrorKind;

use proptest::prelude::*;

use super::{at, create_durable, everything, read};
use crate::conformance::HERE;
use crate::{Fs, MemFs};

#[test]
fn a_synced_file_is_lost_when_its_name_is_not() {
    let fs = MemFs::new();
    let mut file = fs.create_append(at("/a")).unwrap();
    file.append(b"bytes").unwrap();
    file.sync(HERE).unwrap();
    assert_eq!(read(&fs.crash_image(0.0, 0), "/a"), None);
    assert_eq!(read(&fs.crash_image(1.0, 0), "/a").unwrap(), b"bytes");
    fs.sync_dir(at("/"), HERE).unwrap();
    assert_eq!(read(&fs.crash_image(0.0, 0), "/a").unwrap(), b"bytes");
}

#[test]
fn a_directory_is_durable_once_made() {
    let fs = MemFs::new();
    fs.create_dir_all(at("/a/b")).unwrap();
    assert_eq!(fs.crash_image(0.0, 0).list_dir(at("/a")).unwrap(), ["b"]);
}

#[test]
fn a_removed_file_may_come_back_until_the_directory_is_synced() {
    let fs = MemFs::new();
    create_durable(&fs, "/a", b"bytes");
    fs.remove_file(at("/a")).unwrap();
    assert_eq!(read(&fs.crash_image(0.0, 0), "/a").unwrap(), b"bytes");
    assert_eq!(read(&fs.crash_image(1.0, 0), "/a"), None);
    fs.sync_dir(at("/"), HERE).unwrap();
    assert_eq!(read(&fs.crash_image(0.0, 0), "/a"), None);
}

#[test]
fn a_rename_happens_whole_or_not_at_all() {
    let fs = MemFs::new();
    create_durable(&fs, "/old", b"1");
    create_durable(&fs, "/new", b"2");
    fs.rename(at("/new"), at("/old")).unwrap();
    let neither = vec![("new".to_owned(), b"2".to_vec()), ("old".to_owned(), b"1".to_vec())];
    let both = vec![("old".to_owned(), b"2".to_vec())];
    let images: Vec<_> = (0..50).map(|seed| everything(&fs.crash_image(0.5, seed))).collect();
    assert!(images.iter().all(|image| *image == neither || *image == both));
    assert!(images.contains(&neither) && images.contains(&both));
}

#[test]
fn a_file_keeps_one_of_its_names_through_any_renames() {
    let fs = MemFs::new();
    create_durable(&fs, "/a", b"precious");
    fs.rename(at("/a"), at("/b")).unwrap();
    fs.create_append(at("/a")).unwrap();
    fs.rename(at("/b"), at("/c")).unwrap();
    fs.rename(at("/a"), at("/b")).unwrap();
    for seed in 0..100 {
        let image = everything(&fs.crash_image(0.5, seed));
        let holders = image.iter().filter(|(_, bytes)| bytes == b"precious").count();
        assert_eq!(holders, 1, "seed {seed}: {image:?}");
    }
}

#[test]
fn only_the_synced_directory_is_durable() {
    let fs = MemFs::new();
    fs.create_dir_all(at("/x")).unwrap();
    fs.create_dir_all(at("/y")).unwrap();
    fs.create_append(at("/x/a")).unwrap();
    fs.create_append(at("/y/b")).unwrap();
    fs.sync_dir(at("/x"), HERE).unwrap();
    let image = fs.crash_image(0.0, 0);
    assert_eq!(image.list_dir(at("/x")).unwrap(), ["a"]);
    assert!(image.list_dir(at("/y")).unwrap().is_empty());
}

#[test]
fn a_rename_between_directories_is_durable_with_either_and_takes_the_past_along() {
    for dir in ["/x", "/y"] {
        let fs = MemFs::new();
        fs.create_dir_all(at("/x")).unwrap();
        fs.create_dir_all(at("/y")).unwrap();
        fs.create_append(at("/x/a")).unwrap();
        fs.rename(at("/x/a"), at("/y/a")).unwrap();
        fs.create_append(at("/x/later")).unwrap();
        fs.sync_dir(at(dir), HERE).unwrap();
        let image = fs.crash_image(0.0, 0);
        assert_eq!(image.list_dir(at("/y")).unwrap(), ["a"], "synced {dir}");
        assert_eq!(image.list_dir(at("/x")).unwrap().len(), usize::from(dir == "/x"));
    }
}

#[test]
fn a_recycled_log_may_have_its_old_name_after_a_crash() {
    let fs = MemFs::new();
    let mut log = fs.create_log(at("/1")).unwrap();
    log.finish().unwrap();
    log.control().sync(HERE).unwrap();
    fs.sync_dir(at("/"), HERE).unwrap();
    let mut log = fs.recycle_log(at("/1"), at("/2")).unwrap();
    log.append(&[b"new life"]).unwrap();
    log.control().sync(HERE).unwrap();
    let image = fs.crash_image(0.0, 0);
    assert_eq!(image.list_dir(at("/")).unwrap(), ["1"]);
    assert!(read(&image, "/1").unwrap().starts_with(b"new life"));
}

#[test]
fn a_link_is_durable_once_its_own_directory_is_synced() {
    let fs = MemFs::new();
    fs.create_dir_all(at("/copy")).unwrap();
    create_durable(&fs, "/a", b"bytes");
    fs.hard_link(at("/a"), at("/copy/a")).unwrap();
    fs.sync_dir(at("/"), HERE).unwrap();
    assert_eq!(read(&fs.crash_image(0.0, 0), "/copy/a"), None);
    assert_eq!(read(&fs.crash_image(1.0, 0), "/copy/a").unwrap(), b"bytes");
    fs.sync_dir(at("/copy"), HERE).unwrap();
    assert_eq!(read(&fs.crash_image(0.0, 0), "/copy/a").unwrap(), b"bytes");
}

#[test]
fn a_link_keeps_the_bytes_of_a_file_that_is_removed_durably() {
    let fs = MemFs::new();
    create_durable(&fs, "/a", b"bytes");
    fs.hard_link(at("/a"), at("/b")).unwrap();
    fs.remove_file(at("/a")).unwrap();
    fs.sync_dir(at("/"), HERE).unwrap();
    assert_eq!(everything(&fs.crash_image(0.0, 0)), [("b".to_owned(), b"bytes".to_vec())]);
}

#[test]
fn a_synced_link_of_a_file_with_unsynced_bytes_has_no_bytes() {
    let fs = MemFs::new();
    let mut file = fs.create_append(at("/a")).unwrap();
    file.append(b"bytes").unwrap();
    fs.hard_link(at("/a"), at("/b")).unwrap();
    fs.sync_dir(at("/"), HERE).unwrap();
    assert_eq!(read(&fs.crash_image(0.0, 0), "/b").unwrap(), b"");
    fs.sync_file(at("/b"), HERE).unwrap();
    assert_eq!(
        read(&fs.crash_image(0.0, 0), "/a").unwrap(),
        b"bytes",
        "a sync is of the file, not of a name"
    );
}

#[test]
fn a_link_stays_where_it_is_when_the_other_name_is_renamed() {
    let fs = MemFs::new();
    create_durable(&fs, "/a", b"bytes");
    fs.hard_link(at("/a"), at("/link")).unwrap();
    fs.sync_dir(at("/"), HERE).unwrap();
    fs.rename(at("/a"), at("/b")).unwrap();
    fs.rename(at("/b"), at("/c")).unwrap();
    for seed in 0..50 {
        let names: Vec<_> =
            everything(&fs.crash_image(0.5, seed)).into_iter().map(|(name, _)| name).collect();
        assert!(names.len() == 2 && names[1] == "link", "seed {seed}: {names:?}");
    }
}

#[test]
fn neither_links_nor_renames_cross_from_one_device_to_another() {
    let fs = MemFs::new();
    fs.create_dir_all(at("/mnt")).unwrap();
    fs.mount(at("/mnt"));
    create_durable(&fs, "/a", b"bytes");
    assert_eq!(fs.hard_link(at("/a"), at("/mnt/a")).unwrap_err().kind(), ErrorKind::CrossesDevices);
    assert_eq!(fs.rename(at("/a"), at("/mnt/a")).unwrap_err().kind(), ErrorKind::CrossesDevices);
    create_durable(&fs, "/mnt/b", b"bytes");
    fs.hard_link(at("/mnt/b"), at("/mnt/c")).unwrap();
    fs.rename(at("/mnt/c"), at("/mnt/d")).unwrap();
    assert!(fs.list_dir(at("/mnt")).unwrap() == ["b", "d"]);
}

#[test]
fn paths_have_one_form() {
    let fs = MemFs::new();
    fs.create_dir_all(at("dir/sub")).unwrap();
    fs.create_append(at("dir/./a")).unwrap();
    assert!(fs.metadata(at("/dir/sub/../a")).is_ok());
    assert_eq!(fs.canonicalize(at("dir/a")).unwrap(), at("/dir/a"));
    assert_eq!(fs.open_random(at("/dir")).unwrap_err().kind(), ErrorKind::IsADirectory);
    assert_eq!(fs.list_dir(at("/dir/a")).unwrap_err().kind(), ErrorKind::NotADirectory);
}

#[test]
fn a_forgotten_file_takes_no_memory() {
    let fs = MemFs::new();
    for _ in 0..10 {
        create_durable(&fs, "/a", &[1; 1000]);
        fs.remove_file(at("/a")).unwrap();
        fs.sync_dir(at("/"), HERE).unwrap();
    }
    assert_eq!(fs.shared.read().state.files.len(), 0);
    assert_eq!(fs.shared.read().state.open.len(), 0);
}

#[derive(Clone, Debug)]
enum Step {
    Create(u8),
    Rename(u8, u8),
    Remove(u8),
    SyncDir,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0..4_u8).prop_map(Step::Create),
        3 => (0..4_u8, 0..4_u8).prop_map(|(from, to)| Step::Rename(from, to)),
        1 => (0..4_u8).prop_map(Step::Remove),
        1 => Just(Step::SyncDir),
    ];
    prop::collection::vec(step, 0..25)
}

proptest! {
    /// Whatever happens to names: a file that had a durable name and still has one is found under exactly one name,
    /// and no file is found under two.
    #[test]
    fn no_file_is_lost_or_doubled(steps in steps(), keep in 0.0..1.0, seed: u64) {
        let fs = MemFs::new();
        let mut durable = Vec::new();
        for (turn, step) in steps.iter().enumerate() {
            // An impossible step, such as the removal of nothing, is none.
            match step {
                Step::Create(name) => {
                    if let Ok(mut file) = fs.create_append(at(&name.to_string())) {
                        file.append(&[turn as u8]).unwrap();
                        file.sync(HERE).unwrap();
                    }
                }
                Step::Rename(from, to) => drop(fs.rename(at(&from.to_string()), at(&to.to_string()))),
                Step::Remove(name) => drop(fs.remove_file(at(&name.to_string()))),
                Step::SyncDir => {
                    fs.sync_dir(at("/"), HERE).unwrap();
                    durable = everything(&fs);
                }
            }
        }
        let files = |found: &[(String, Vec<u8>)]| found.iter().map(|(_, bytes)| bytes.clone()).collect::<Vec<_>>();
        let (live, image) = (files(&everything(&fs)), files(&everything(&fs.crash_image(keep, seed))));
        for bytes in files(&durable).iter().filter(|bytes| live.contains(bytes)) {
            prop_assert!(image.contains(bytes), "{bytes:?} of {live:?} is lost in {image:?}");
        }
        let mut distinct = image.clone();
        distinct.sort();
        distinct.dedup();
        prop_assert_eq!(distinct.len(), image.len());
        prop_assert_eq!(everything(&fs.crash_image(0.0, seed)), durable);
        prop_assert_eq!(everything(&fs.crash_image(1.0, seed)), everything(&fs));
    }
}
