//! Memory for chunks, nodes and the index: what is large comes from the system, the largest as huge pages, and goes back to
//! it at once; what is small comes from the allocator.
//!
//! An allocator keeps what is freed for later. Memtables are filled by one thread and freed by another, so what one of them
//! leaves behind was not there for the next, and a store that was written to kept about a memtable's memory more than it used.
#![expect(unsafe_code, reason = "memory of the system, by its address")]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::marker::PhantomData;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

/// From this size on memory lies in huge pages if the system has them: a search that misses the cache misses the buffer of
/// page translations, too, unless pages are large.
pub(super) const HUGE: usize = 2 << 20;

/// From this size on memory comes from the system. Below, what is unused of a page would weigh.
const MAPPED_MIN: usize = 128 << 10;

/// What is mapped is a multiple of this, which is one of every page size.
const MAPPED_UNIT: usize = 64 << 10;

/// What mapped memory begins at a multiple of at least: the smallest page size.
const MAPPED_ALIGN: usize = 4 << 10;

/// How much is mapped now, by all memtables of the process, in bytes.
static MAPPED: AtomicUsize = AtomicUsize::new(0);

/// Memory that memtables have from the system itself, and that no allocator knows of, in bytes: of the whole process.
pub fn mapped_bytes() -> usize {
    MAPPED.load(Ordering::Relaxed)
}

/// Memory that is freed when this goes. What is in it is not known.
pub(super) struct Pages {
    start: NonNull<u8>,
    layout: Layout,
}

// SAFETY: the memory is this value's alone, and it does not matter which thread frees it.
unsafe impl Send for Pages {}
// SAFETY: through `&Pages` one learns an address and a length; it reads and writes nothing.
unsafe impl Sync for Pages {}

impl Pages {
    /// At least so many bytes, beginning at a multiple of `align`. A process that is out of memory is ended, as by `Vec`.
    pub(super) fn new(bytes: usize, align: usize) -> Self {
        debug_assert!(align <= MAPPED_ALIGN, "memory at a multiple of {align}");
        let (bytes, align) = match bytes {
            HUGE.. => (bytes, HUGE),
            MAPPED_MIN.. => (bytes.next_multiple_of(MAPPED_UNIT), align),
            _ => (bytes.max(1), align),
        };
        let layout = Layout::from_size_align(bytes, align).expect("no entry is half of all memory");
        let layout = layout.pad_to_align();
        let start = if is_mapped(layout) { map(layout.size()) } else { allocate(layout) };
        let start = start.unwrap_or_else(|| handle_alloc_error(layout));
        if is_mapped(layout) {
            MAPPED.fetch_add(layout.size(), Ordering::Relaxed);
        }
        Self { start, layout }
    }

    pub(super) const fn start(&self) -> NonNull<u8> {
        self.start
    }

    pub(super) const fn len(&self) -> usize {
        self.layout.size()
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        if is_mapped(self.layout) {
            MAPPED.fetch_sub(self.layout.size(), Ordering::Relaxed);
            unmap(self.start, self.layout.size());
            return;
        }
        // SAFETY: not mapped, so `start` came from `alloc` with this layout; and this is its only owner.
        unsafe { dealloc(self.start.as_ptr(), self.layout) }
    }
}

/// Whether memory of this layout comes from the system, and not from the allocator.
const fn is_mapped(layout: Layout) -> bool {
    cfg!(target_os = "linux") && layout.size() >= MAPPED_MIN
}

fn allocate(layout: Layout) -> Option<NonNull<u8>> {
    // SAFETY: the size of the layout is not zero: `Pages::new` has it at least 1.
    NonNull::new(unsafe { alloc(layout) })
}

#[cfg(target_os = "linux")]
fn map(len: usize) -> Option<NonNull<u8>> {
    if len < HUGE { map_pages(len) } else { map_huge(len) }
}

#[cfg(target_os = "linux")]
fn map_pages(len: usize) -> Option<NonNull<u8>> {
    use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};

    // SAFETY: without a wish for an address, the system maps memory where there is none.
    let mapped = unsafe {
        mmap_anonymous(std::ptr::null_mut(), len, ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE)
    };
    NonNull::new(mapped.ok()?.cast())
}

/// Maps a multiple of [`HUGE`] that begins at one: a huge page more is asked for, and what is too much on both sides goes
/// back. The system may refuse huge pages, which costs speed only.
#[cfg(target_os = "linux")]
fn map_huge(len: usize) -> Option<NonNull<u8>> {
    use rustix::mm::{Advice, madvise};

    let first = map_pages(len.checked_add(HUGE)?)?;
    let before = first.as_ptr().align_offset(HUGE);
    // SAFETY: `before` is below `HUGE`, so that both places are within the `len + HUGE` bytes that were mapped.
    let (start, end) = unsafe { (first.add(before), first.add(before + len)) };
    unmap(first, before);
    unmap(end, HUGE - before);
    // SAFETY: the range was just mapped, nobody else knows of it, and the advice does not change what is in it.
    let _ = unsafe { madvise(start.as_ptr().cast(), len, Advice::LinuxHugepage) };
    Some(start)
}

#[cfg(not(target_os = "linux"))]
fn map(_len: usize) -> Option<NonNull<u8>> {
    None
}

/// Gives so many bytes from there on back to the system. They are mapped, in whole pages, and nobody uses them any more.
#[cfg(target_os = "linux")]
fn unmap(start: NonNull<u8>, len: usize) {
    if len == 0 {
        return;
    }
    // SAFETY: the callers own the range, mapped it, and have no reference into it. Were it refused, the memory would be
    // lost, and nothing else.
    let _ = unsafe { rustix::mm::munmap(start.as_ptr().cast(), len) };
}

#[cfg(not(target_os = "linux"))]
fn unmap(_start: NonNull<u8>, _len: usize) {}

/// Items in memory of this kind, made when this is and dropped with it.
pub(super) struct Items<T> {
    pages: Pages,
    len: usize,
    owned: PhantomData<T>,
}

impl<T> Items<T> {
    pub(super) fn new(len: usize, mut make: impl FnMut() -> T) -> Self {
        let bytes = size_of::<T>().checked_mul(len).expect("no items are more than all memory");
        let pages = Pages::new(bytes, align_of::<T>());
        let mut items = Self { pages, len: 0, owned: PhantomData };
        while items.len < len {
            // SAFETY: the pages have `len` places for items, aligned for them, and `items.len` is below that. Nobody else
            // knows of them yet, and there is no item at this place that would have to be dropped.
            unsafe { items.pages.start().cast::<T>().add(items.len).write(make()) };
            items.len += 1;
        }
        items
    }

    /// The memory that they take, in bytes.
    pub(super) const fn bytes(&self) -> usize {
        self.pages.len()
    }
}

impl<T> Deref for Items<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: `new` has written `len` items to the start of the pages, which this value owns and hands out as shared
        // references only, so that they are changed by nobody else than by what they allow themselves.
        unsafe { std::slice::from_raw_parts(self.pages.start().cast().as_ptr(), self.len) }
    }
}

impl<T> Drop for Items<T> {
    fn drop(&mut self) {
        let items = std::ptr::slice_from_raw_parts_mut(self.pages.start().cast::<T>().as_ptr(), self.len);
        // SAFETY: the items were written by `new` and are dropped here only; the pages go after this.
        unsafe { items.drop_in_place() }
    }
}

#[cfg(all(test, not(slice_loom)))]
mod tests {
    use super::*;

    /// Writes the first and the last byte and one of each page, which would end the process if they were not there.
    fn is_usable(pages: &Pages) {
        for at in (0..pages.len()).step_by(4096).chain([pages.len() - 1]) {
            // SAFETY: `at` is below the length of memory that is owned here alone.
            unsafe { pages.start().as_ptr().add(at).write(7) };
        }
    }

    #[test]
    fn small_memory_has_the_alignment_asked_for() {
        let pages = Pages::new(100, 8);
        assert_eq!((pages.len(), pages.start().as_ptr().align_offset(8)), (104, 0));
        is_usable(&pages);
    }

    #[test]
    fn larger_memory_is_mapped_as_far_as_it_goes() {
        for bytes in [MAPPED_MIN - 1, MAPPED_MIN, MAPPED_MIN + 1, HUGE - 1] {
            let pages = Pages::new(bytes, 64);
            assert!((bytes..bytes + MAPPED_UNIT).contains(&pages.len()), "{bytes} in {}", pages.len());
            assert_eq!(pages.start().as_ptr().align_offset(64), 0);
            is_usable(&pages);
        }
    }

    #[test]
    fn items_are_there_and_are_dropped_once() {
        let counted = std::sync::Arc::new(());
        for len in [0, 1, 100, 100_000] {
            let items = Items::new(len, || std::sync::Arc::clone(&counted));
            assert_eq!((items.len(), std::sync::Arc::strong_count(&counted)), (len, len + 1));
            assert!(items.iter().all(|item| std::sync::Arc::ptr_eq(item, &counted)));
            assert!(items.bytes() >= len * size_of::<usize>());
            drop(items);
            assert_eq!(std::sync::Arc::strong_count(&counted), 1);
        }
    }

    #[test]
    fn items_that_were_made_before_a_panic_are_dropped() {
        let counted = std::sync::Arc::new(());
        let mut left = 3;
        let make = || {
            left -= 1;
            assert!(left > 0, "planted");
            std::sync::Arc::clone(&counted)
        };
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| Items::new(10, make)));
        assert!(outcome.is_err());
        assert_eq!(std::sync::Arc::strong_count(&counted), 1);
    }

    #[test]
    fn large_memory_lies_in_whole_huge_pages() {
        for bytes in [HUGE, HUGE + 1, 5 * HUGE] {
            let pages = Pages::new(bytes, 8);
            assert_eq!((pages.len() % HUGE, pages.start().as_ptr().align_offset(HUGE)), (0, 0));
            assert!(pages.len() >= bytes);
            is_usable(&pages);
        }
    }
}
