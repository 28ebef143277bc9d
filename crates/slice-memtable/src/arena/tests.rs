//! The arena: where entries land, and what they are charged.

use super::{Arena, CHUNK_MAX, CHUNK_MIN, CHUNK_OVERHEAD, LARGE};

#[test]
fn entries_lie_behind_each_other_in_one_chunk() {
    let mut arena = Arena::default();
    let first = arena.store(b"key", b"value");
    let second = arena.store(b"k", b"");
    assert_eq!((&first[..], &second[..]), (&b"keyvalue"[..], &b"k"[..]));
    assert_eq!(first.as_ptr() as usize + first.len(), second.as_ptr() as usize);
    assert_eq!(arena.allocated(), CHUNK_MIN + CHUNK_OVERHEAD);
}

#[test]
fn a_chunk_is_filled_to_its_last_byte_and_never_moved() {
    let mut arena = Arena::default();
    let entries: Vec<_> = (0..CHUNK_MIN / 16).map(|i| arena.store(&[i as u8; 6], &[i as u8; 10])).collect();
    assert_eq!(arena.allocated(), CHUNK_MIN + CHUNK_OVERHEAD);
    arena.store(b"", b"x");
    assert!(arena.allocated() > CHUNK_MIN + CHUNK_OVERHEAD);
    for (i, entry) in entries.iter().enumerate() {
        assert_eq!(entry[..], [i as u8; 16]);
    }
}

#[test]
fn chunks_grow_with_the_arena_up_to_a_bound() {
    let mut arena = Arena::default();
    let mut steps = Vec::new();
    while arena.allocated() < 4 * CHUNK_MAX {
        let before = arena.allocated();
        arena.store(&[0; 100], &[0; 924]);
        steps.push(arena.allocated() - before);
    }
    steps.retain(|&step| step > 0);
    assert!(steps.is_sorted(), "{steps:?}");
    assert_eq!(steps.first(), Some(&(CHUNK_MIN + CHUNK_OVERHEAD)));
    assert_eq!(steps.last(), Some(&(CHUNK_MAX + CHUNK_OVERHEAD)));
}

#[test]
fn a_large_entry_leaves_the_chunk_alone() {
    let mut arena = Arena::default();
    let before = arena.store(b"a", b"1");
    let large = arena.store(b"key", &vec![7; LARGE]);
    let after = arena.store(b"b", b"2");
    assert_eq!((large.len(), &large[..4]), (LARGE + 3, &b"key\x07"[..]));
    assert_eq!(before.as_ptr() as usize + before.len(), after.as_ptr() as usize);
}

#[test]
fn an_entry_outlives_the_arena() {
    let mut arena = Arena::default();
    let entry = arena.store(b"key", b"value");
    drop(arena);
    assert_eq!(&entry[..], b"keyvalue");
}

#[test]
fn an_empty_key_with_an_empty_value_takes_no_memory() {
    let mut arena = Arena::default();
    assert!(arena.store(b"", b"").is_empty());
    assert_eq!(arena.allocated(), 0);
}
