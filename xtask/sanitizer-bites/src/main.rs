//! Bugs that a sanitizer must find, and sound code that it must not complain about: `cargo xtask sanitize` runs each
//! before the tests, and gives up when the sanitizer is wrong about one.
//!
//! The sound program hands plain memory from thread to thread by what the standard library has for that, the contended
//! paths included. ThreadSanitizer takes it for a race when the standard library is not built for it.
#![expect(unsafe_code, reason = "the bugs are those that safe code does not have")]

use std::cell::UnsafeCell;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Barrier, Condvar, Mutex, OnceLock, PoisonError, RwLock, mpsc};
use std::thread;

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("race") => race(),
        Some("unpublished") => unpublished(),
        Some("use-after-free") => use_after_free(),
        Some("overrun") => overrun(),
        Some("leak") => leak(),
        Some("sound") => sound(),
        _ => return ExitCode::from(2),
    }
    ExitCode::SUCCESS
}

/// Memory that anybody may write at any time, which is the bug.
#[derive(Default)]
struct Unguarded(UnsafeCell<u64>);

// SAFETY: none, on purpose. What comes of it are races on a plain integer.
unsafe impl Sync for Unguarded {}

impl Unguarded {
    fn add_one(&self) {
        // SAFETY: none, on purpose: another thread may write at the same time.
        unsafe { *self.0.get() += 1 }
    }
}

/// Where two threads wait for each other, and which orders nothing.
///
/// Without it one could end before the other starts. Both happens under a lock of the standard library, which puts what
/// they do in order, so that it is no race.
#[derive(Default)]
struct Start(AtomicU32);

impl Start {
    fn wait(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
        while self.0.load(Ordering::Relaxed) < 2 {
            thread::yield_now();
        }
    }
}

/// Two threads write the same word.
fn race() {
    let (word, start) = (Unguarded::default(), Start::default());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                start.wait();
                word.add_one();
            });
        }
    });
}

/// A word is handed over by a flag that orders nothing.
fn unpublished() {
    let (word, start, is_there) = (Unguarded::default(), Start::default(), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            start.wait();
            word.add_one();
            is_there.store(true, Ordering::Relaxed);
        });
        scope.spawn(|| {
            start.wait();
            while !is_there.load(Ordering::Relaxed) {
                thread::yield_now();
            }
            word.add_one();
        });
    });
}

fn use_after_free() {
    let place = Box::into_raw(Box::new(1_u64));
    // SAFETY: it came from a box, and is freed once.
    drop(unsafe { Box::from_raw(place) });
    // SAFETY: none, on purpose: it is freed.
    black_box(unsafe { place.read_volatile() });
}

fn overrun() {
    let bytes = black_box(vec![0_u8; 64]);
    // SAFETY: none, on purpose: the byte behind the last one.
    black_box(unsafe { bytes.as_ptr().add(bytes.len()).read_volatile() });
}

fn leak() {
    for n in 0..100_u8 {
        std::mem::forget(black_box(vec![n; 64]));
    }
}

fn sound() {
    by_a_condition();
    by_a_channel();
    by_a_barrier_and_a_lock_of_many();
    by_the_last_owner();
}

/// A vector goes back and forth between two threads, which wait for each other.
fn by_a_condition() {
    let (turns, changed) = (Mutex::new(Vec::new()), Condvar::new());
    thread::scope(|scope| {
        for me in 0..2 {
            let (turns, changed) = (&turns, &changed);
            scope.spawn(move || {
                for _ in 0..1000 {
                    let guard = turns.lock().unwrap_or_else(PoisonError::into_inner);
                    let is_mine = |turns: &mut Vec<usize>| turns.len() % 2 != me;
                    let mut guard =
                        changed.wait_while(guard, is_mine).unwrap_or_else(PoisonError::into_inner);
                    guard.push(me);
                    changed.notify_all();
                }
            });
        }
    });
    assert_eq!(turns.lock().map_or(0, |turns| turns.len()), 2000);
}

fn by_a_channel() {
    let (give, take) = mpsc::channel();
    let (give_back, take_back) = mpsc::sync_channel(1);
    thread::scope(|scope| {
        scope.spawn(move || {
            for mut words in take {
                Vec::push(&mut words, 2_u64);
                if give_back.send(words).is_err() {
                    return;
                }
            }
        });
        for _ in 0..1000 {
            let is_sent = give.send(vec![1]).is_ok();
            assert!(is_sent && take_back.recv() == Ok(vec![1, 2]));
        }
        drop(give);
    });
}

fn by_a_barrier_and_a_lock_of_many() {
    static ONCE: OnceLock<Vec<u64>> = OnceLock::new();
    let (barrier, words) = (Barrier::new(3), RwLock::new(vec![0_u64]));
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..100 {
                    barrier.wait();
                    words.write().unwrap_or_else(PoisonError::into_inner).push(1);
                    let sum: u64 = words.read().unwrap_or_else(PoisonError::into_inner).iter().sum();
                    assert!(sum >= ONCE.get_or_init(|| vec![1])[0]);
                }
            });
        }
    });
}

/// Whoever lets go of it last frees what the others have written.
fn by_the_last_owner() {
    for n in 0..1000 {
        let shared = Arc::new(Mutex::new(vec![n]));
        let theirs = Arc::clone(&shared);
        let other = thread::Builder::new().spawn(move || {
            theirs.lock().unwrap_or_else(PoisonError::into_inner).push(n);
        });
        shared.lock().unwrap_or_else(PoisonError::into_inner).push(n);
        drop(shared);
        drop(other);
    }
}
