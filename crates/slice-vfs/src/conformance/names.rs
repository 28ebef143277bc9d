//! Names: directories, creation, renames, removals, locks.

use std::io::ErrorKind;
use std::path::Path;

use super::{Check, HERE, SITES, fails, write};
use crate::{Fs, Metadata, read_all, write_atomic};

pub(super) const CHECKS: &[Check] = &[
    directories_are_made_with_their_parents,
    a_file_is_no_place_for_a_directory,
    names_are_listed_in_order,
    what_is_not_there_is_not_found,
    an_existing_file_is_not_created_again,
    metadata_tells_files_from_directories,
    a_rename_replaces,
    a_rename_to_itself_changes_nothing,
    a_removed_file_is_gone,
    a_link_is_another_name_of_the_same_file,
    a_link_replaces_nothing,
    a_rename_to_another_name_of_the_same_file_changes_nothing,
    canonical_names_are_unique,
    the_id_is_stable,
    a_lock_excludes_until_it_is_dropped,
    the_note_of_a_lock_is_its_content,
    a_shared_lock_excludes_only_who_wants_it_alone,
    a_shared_lock_writes_nothing,
    an_atomic_write_replaces_in_spite_of_a_leftover,
];

fn directories_are_made_with_their_parents(fs: &dyn Fs, dir: &Path) {
    let deep = dir.join("a/b/c");
    fs.create_dir_all(&deep).unwrap();
    fs.create_dir_all(&deep).unwrap();
    assert!(fs.metadata(&deep).unwrap().is_dir);
    assert_eq!(fs.list_dir(&dir.join("a")).unwrap(), ["b"]);
    fs.sync_dir(&deep, HERE).unwrap();
}

fn a_file_is_no_place_for_a_directory(fs: &dyn Fs, dir: &Path) {
    write(fs, &dir.join("file"), b"x");
    assert!(fs.create_dir_all(&dir.join("file")).is_err());
    assert!(fs.create_dir_all(&dir.join("file/below")).is_err());
    assert_eq!(read_all(fs, &dir.join("file")).unwrap(), b"x");
}

fn names_are_listed_in_order(fs: &dyn Fs, dir: &Path) {
    for name in ["b", "a10", "a2", "C", "ä"] {
        write(fs, &dir.join(name), b"");
    }
    fs.create_dir_all(&dir.join("aa/inside")).unwrap();
    assert_eq!(fs.list_dir(dir).unwrap(), ["C", "a10", "a2", "aa", "b", "ä"]);
}

fn what_is_not_there_is_not_found(fs: &dyn Fs, dir: &Path) {
    let missing = dir.join("missing");
    fails(fs.canonicalize(&missing), ErrorKind::NotFound);
    fails(fs.list_dir(&missing), ErrorKind::NotFound);
    fails(fs.metadata(&missing), ErrorKind::NotFound);
    fails(fs.open_random(&missing), ErrorKind::NotFound);
    fails(fs.rename(&missing, &dir.join("other")), ErrorKind::NotFound);
    fails(fs.hard_link(&missing, &dir.join("other")), ErrorKind::NotFound);
    fails(fs.remove_file(&missing), ErrorKind::NotFound);
    fails(fs.recycle_log(&missing, &dir.join("other")), ErrorKind::NotFound);
    fails(fs.sync_file(&missing, HERE), ErrorKind::NotFound);
    fails(fs.sync_dir(&missing, HERE), ErrorKind::NotFound);
    fails(fs.create_append(&missing.join("file")), ErrorKind::NotFound);
    fails(fs.create_log(&missing.join("file")), ErrorKind::NotFound);
    fails(fs.try_lock(&missing.join("LOCK"), "me"), ErrorKind::NotFound);
    fails(fs.try_lock_shared(&missing), ErrorKind::NotFound);
    assert!(fs.list_dir(dir).unwrap().is_empty(), "and nothing came of it");
}

fn an_existing_file_is_not_created_again(fs: &dyn Fs, dir: &Path) {
    let path = dir.join("file");
    write(fs, &path, b"mine");
    fails(fs.create_append(&path), ErrorKind::AlreadyExists);
    fails(fs.create_log(&path), ErrorKind::AlreadyExists);
    assert_eq!(read_all(fs, &path).unwrap(), b"mine");
    fs.create_dir_all(&dir.join("sub")).unwrap();
    fails(fs.create_append(&dir.join("sub")), ErrorKind::AlreadyExists);
}

fn metadata_tells_files_from_directories(fs: &dyn Fs, dir: &Path) {
    write(fs, &dir.join("file"), b"12345");
    assert_eq!(fs.metadata(&dir.join("file")).unwrap(), Metadata { is_dir: false, len: 5 });
    assert!(fs.metadata(dir).unwrap().is_dir);
}

fn a_rename_replaces(fs: &dyn Fs, dir: &Path) {
    let (from, to) = (dir.join("from"), dir.join("to"));
    write(fs, &from, b"new");
    write(fs, &to, b"old");
    fs.rename(&from, &to).unwrap();
    assert_eq!(fs.list_dir(dir).unwrap(), ["to"]);
    assert_eq!(read_all(fs, &to).unwrap(), b"new");

    fs.create_dir_all(&dir.join("sub")).unwrap();
    assert!(fs.rename(&to, &dir.join("sub")).is_err(), "a directory is not replaced");
    fs.rename(&to, &dir.join("sub/moved")).unwrap();
    assert_eq!(read_all(fs, &dir.join("sub/moved")).unwrap(), b"new");
}

fn a_rename_to_itself_changes_nothing(fs: &dyn Fs, dir: &Path) {
    let path = dir.join("file");
    write(fs, &path, b"x");
    fs.rename(&path, &path).unwrap();
    assert_eq!(read_all(fs, &path).unwrap(), b"x");
}

fn a_removed_file_is_gone(fs: &dyn Fs, dir: &Path) {
    let path = dir.join("file");
    write(fs, &path, b"x");
    fs.remove_file(&path).unwrap();
    fails(fs.metadata(&path), ErrorKind::NotFound);
    write(fs, &path, b"again");
    assert_eq!(read_all(fs, &path).unwrap(), b"again");
}

fn a_link_is_another_name_of_the_same_file(fs: &dyn Fs, dir: &Path) {
    fs.create_dir_all(&dir.join("sub")).unwrap();
    let (original, link) = (dir.join("original"), dir.join("sub/link"));
    let mut file = fs.create_append(&original).unwrap();
    file.append(b"one").unwrap();
    fs.hard_link(&original, &link).unwrap();
    file.append(b", two").unwrap();
    assert_eq!(read_all(fs, &link).unwrap(), b"one, two");
    fs.remove_file(&original).unwrap();
    fails(fs.metadata(&original), ErrorKind::NotFound);
    assert_eq!(read_all(fs, &link).unwrap(), b"one, two");
    fs.sync_dir(&dir.join("sub"), HERE).unwrap();
}

fn a_link_replaces_nothing(fs: &dyn Fs, dir: &Path) {
    let (file, other, sub) = (dir.join("file"), dir.join("other"), dir.join("sub"));
    write(fs, &file, b"x");
    write(fs, &other, b"y");
    fs.create_dir_all(&sub).unwrap();
    fails(fs.hard_link(&file, &other), ErrorKind::AlreadyExists);
    fails(fs.hard_link(&file, &file), ErrorKind::AlreadyExists);
    fails(fs.hard_link(&file, &sub), ErrorKind::AlreadyExists);
    assert!(fs.hard_link(&sub, &dir.join("link")).is_err(), "a directory has one name");
    assert_eq!(read_all(fs, &other).unwrap(), b"y");
}

fn a_rename_to_another_name_of_the_same_file_changes_nothing(fs: &dyn Fs, dir: &Path) {
    let (one, two) = (dir.join("one"), dir.join("two"));
    write(fs, &one, b"x");
    fs.hard_link(&one, &two).unwrap();
    fs.rename(&one, &two).unwrap();
    assert_eq!(fs.list_dir(dir).unwrap(), ["one", "two"]);
}

fn canonical_names_are_unique(fs: &dyn Fs, dir: &Path) {
    fs.create_dir_all(&dir.join("sub")).unwrap();
    write(fs, &dir.join("file"), b"x");
    let canonical = fs.canonicalize(&dir.join("file")).unwrap();
    assert!(canonical.is_absolute());
    assert_eq!(fs.canonicalize(&dir.join("sub/.././file")).unwrap(), canonical);
    assert_eq!(fs.canonicalize(&canonical).unwrap(), canonical);
    assert_eq!(read_all(fs, &canonical).unwrap(), b"x");
}

fn the_id_is_stable(fs: &dyn Fs, dir: &Path) {
    let id = fs.id();
    write(fs, &dir.join("file"), b"x");
    assert_eq!(fs.id(), id);
}

fn a_lock_excludes_until_it_is_dropped(fs: &dyn Fs, dir: &Path) {
    let path = dir.join("LOCK");
    let held = fs.try_lock(&path, "first").unwrap();
    assert!(held.is_some());
    assert!(fs.try_lock(&path, "second").unwrap().is_none());
    assert!(fs.try_lock(&dir.join("OTHER"), "second").unwrap().is_some());
    drop(held);
    assert!(fs.try_lock(&path, "third").unwrap().is_some());
}

fn the_note_of_a_lock_is_its_content(fs: &dyn Fs, dir: &Path) {
    let path = dir.join("LOCK");
    drop(fs.try_lock(&path, "a long note").unwrap());
    let held = fs.try_lock(&path, "short").unwrap();
    assert!(fs.try_lock(&path, "not the holder's").unwrap().is_none());
    assert_eq!(read_all(fs, &path).unwrap(), b"short");
    drop(held);
}

fn a_shared_lock_excludes_only_who_wants_it_alone(fs: &dyn Fs, dir: &Path) {
    let path = dir.join("LOCK");
    drop(fs.try_lock(&path, "made").unwrap());
    let (one, two) = (fs.try_lock_shared(&path).unwrap(), fs.try_lock_shared(&path).unwrap());
    assert!(one.is_some() && two.is_some());
    drop(one);
    assert!(fs.try_lock(&path, "alone").unwrap().is_none());
    drop(two);
    let alone = fs.try_lock(&path, "alone").unwrap();
    assert!(alone.is_some());
    assert!(fs.try_lock_shared(&path).unwrap().is_none());
}

fn a_shared_lock_writes_nothing(fs: &dyn Fs, dir: &Path) {
    let path = dir.join("LOCK");
    fails(fs.try_lock_shared(&path), ErrorKind::NotFound);
    assert!(fs.list_dir(dir).unwrap().is_empty());
    write(fs, &path, b"a note");
    let held = fs.try_lock_shared(&path).unwrap();
    assert_eq!(read_all(fs, &path).unwrap(), b"a note");
    drop(held);
}

fn an_atomic_write_replaces_in_spite_of_a_leftover(fs: &dyn Fs, dir: &Path) {
    let path = dir.join("CURRENT");
    write(fs, &dir.join("CURRENT.tmp"), b"half of someth");
    write_atomic(fs, &path, b"one", SITES).unwrap();
    write_atomic(fs, &path, b"two", SITES).unwrap();
    assert_eq!(read_all(fs, &path).unwrap(), b"two");
    assert_eq!(fs.list_dir(dir).unwrap(), ["CURRENT"]);
}
