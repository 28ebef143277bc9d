//! The async face of a scan: entries on the spot while they are in memory, batches from a blocking thread when not.
//!
//! ```text
//!            in memory: one entry at a time, on this thread
//!          +------------------------------------------------+
//!          v                                                |
//!   Here(ends) -- the next step would block, or takes long -+-> Away(task): fills a batch, waiting for the disk
//!          ^                                                         |
//!          +---- ends come back, the batch goes into a buffer -------+
//! ```
//!
//! Dropped while away, the task is told so, stops at its next look, and drops what it holds: the view and the core,
//! never the handle, so the store closes when its last handle goes, not when a batch is done.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use slice_sstable::ReadMode;
use slice_types::{Error, ErrorKind, Result};
use tokio::task::{JoinError, JoinHandle, coop};

use super::batch::{BATCH_MIN, Batch, End, fill};
use super::ends::Source;
use super::{Ends, Item};
use crate::db::Handle;

/// The keys of a range with their values, as of one moment; made by [`LSMTree::range`](crate::LSMTree::range).
///
/// Nothing that is written, flushed or compacted after it was made changes what it gives, and it holds up nothing. It
/// owns what it needs: it may be kept, and sent to another task. While it lives, the store stays open, and memtables
/// and tables of its moment stay in memory and on disk.
///
/// A [`Stream`], and [`next`](Self::next) without one. Entries that are in memory are given at once; for others a
/// batch is read on a blocking thread. A dropped `next` loses nothing: the following one gives the same entry.
///
/// Keys and values share memory with the store's blocks where possible: a small value that is kept for long keeps its
/// block (some KiB) in memory. Copy what is to be kept.
///
/// After an error the scan is at its end, until a [`seek`](Self::seek). A range that ends before it begins gives
/// `InvalidArgument`, a closed store `Closed`.
///
/// ```
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// # let dir = tempfile::tempdir().unwrap();
/// # let lsm = slice::LSMTree::new(dir.path().join("data")).await?;
/// for user in ["user:ada", "user:bob", "zebra"] {
///     lsm.put(user.as_bytes(), b"...").await?;
/// }
/// let mut users = lsm.prefix("user:");
/// let mut names = Vec::new();
/// while let Some(entry) = users.next().await {
///     let (key, _value) = entry?;
///     names.push(key);
/// }
/// assert_eq!(names, [&b"user:ada"[..], b"user:bob"]);
/// # Ok::<(), slice::SliceError>(())
/// # }).unwrap();
/// ```
#[must_use = "a scan reads nothing until it is asked for an entry"]
pub struct Scan {
    state: State,
    /// Entries that were read ahead from the front, the next one first.
    front: VecDeque<Item>,
    /// The same from the back.
    back: VecDeque<Item>,
    /// The end that `next` takes from.
    direction: End,
    /// An error that comes once the entries before it have been given.
    failure: Option<Error>,
    has_failed: bool,
    /// Where to seek once the ends are back.
    seeks: Vec<(End, Bytes)>,
    /// The entries that the next batch takes.
    want: usize,
    source: Option<Arc<Source>>,
    /// Keeps the store open. Dropped last.
    _handle: Arc<Handle>,
}

enum State {
    Here(Box<Ends>),
    Away(JoinHandle<Batch>),
    /// There is nothing to read.
    Over,
}

impl Scan {
    pub(crate) fn new(handle: &Arc<Handle>, ends: Result<Ends>) -> Self {
        let (state, source, failure) = match ends {
            Ok(mut ends) => {
                ends.set_mode(ReadMode::CachedOnly);
                let source = Arc::clone(&ends.source);
                (State::Here(Box::new(ends)), Some(source), None)
            }
            Err(error) => (State::Over, None, Some(error)),
        };
        Self {
            state,
            front: VecDeque::new(),
            back: VecDeque::new(),
            direction: End::Front,
            failure,
            has_failed: false,
            seeks: Vec::new(),
            want: BATCH_MIN,
            source,
            _handle: Arc::clone(handle),
        }
    }

    /// The other way round: what was the last entry comes first, and `next` and `next_back` change places.
    pub fn rev(mut self) -> Self {
        self.direction = self.direction.opposite();
        self
    }

    /// The next key and its value; `None` at the end.
    ///
    /// # Errors
    ///
    /// `InvalidArgument` for a range that ends before it begins; `Closed`; `Corruption` or `Io` when a block cannot be
    /// read.
    pub async fn next(&mut self) -> Option<Result<(Bytes, Bytes)>> {
        poll_fn(|cx| self.poll(cx, self.direction)).await
    }

    /// The last key that is left, and its value: the two ends come towards each other, and give each key once.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    pub async fn next_back(&mut self) -> Option<Result<(Bytes, Bytes)>> {
        poll_fn(|cx| self.poll(cx, self.direction.opposite())).await
    }

    /// Lets [`next`](Self::next) go on at the first key of the range that is not below `key` (of a reversed scan: the
    /// last that is not above it), wherever it was before. Reads nothing yet.
    pub fn seek(&mut self, key: impl AsRef<[u8]>) {
        self.seek_end(self.direction, key.as_ref());
    }

    /// The same for [`next_back`](Self::next_back): the last key of the range that is not above `key`.
    pub fn seek_back(&mut self, key: impl AsRef<[u8]>) {
        self.seek_end(self.direction.opposite(), key.as_ref());
    }

    fn seek_end(&mut self, end: End, key: &[u8]) {
        match &mut self.state {
            State::Over => return,
            State::Here(ends) => seek(ends, end, key),
            State::Away(_) => self.seeks.push((end, Bytes::copy_from_slice(key))),
        }
        self.buffer(end).clear();
        self.failure = None;
        self.has_failed = false;
        self.want = BATCH_MIN;
    }

    fn buffer(&mut self, end: End) -> &mut VecDeque<Item> {
        match end {
            End::Front => &mut self.front,
            End::Back => &mut self.back,
        }
    }

    /// The next entry from one end.
    fn poll(&mut self, cx: &mut Context<'_>, end: End) -> Poll<Option<Result<Item>>> {
        // Entries in memory are ready at once, for ever: the other tasks of the thread want their turn, too.
        let budget = ready!(coop::poll_proceed(cx));
        let entry = ready!(self.poll_entry(cx, end));
        budget.made_progress();
        self.has_failed |= matches!(entry, Some(Err(_)));
        Poll::Ready(entry)
    }

    fn poll_entry(&mut self, cx: &mut Context<'_>, end: End) -> Poll<Option<Result<Item>>> {
        loop {
            if let State::Away(task) = &mut self.state {
                let batch = ready!(Pin::new(task).poll(cx));
                self.come_back(batch);
                continue;
            }
            if let Some(item) = self.buffer(end).pop_front() {
                return Poll::Ready(Some(Ok(item)));
            }
            if self.has_failed {
                return Poll::Ready(None);
            }
            if let Some(error) = self.failure.take() {
                return Poll::Ready(Some(Err(error)));
            }
            let State::Here(ends) = &mut self.state else { return Poll::Ready(None) };
            match end.take(ends) {
                Ok(Some(item)) => return Poll::Ready(Some(Ok(item))),
                // What the other end has read ahead is left.
                Ok(None) => return Poll::Ready(self.buffer(end.opposite()).pop_back().map(Ok)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.send_away(end),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
    }

    /// Reads a batch on a blocking thread; without a runtime, here.
    fn send_away(&mut self, end: End) {
        let State::Here(ends) = std::mem::replace(&mut self.state, State::Over) else { return };
        let want = self.want;
        self.want *= 2;
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => self.state = State::Away(runtime.spawn_blocking(move || fill(ends, end, want))),
            Err(_no_runtime) => self.take_batch(fill(ends, end, want)),
        }
    }

    fn come_back(&mut self, batch: Result<Batch, JoinError>) {
        self.state = State::Over;
        match batch.map_err(JoinError::try_into_panic) {
            Ok(batch) => self.take_batch(batch),
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            Err(Err(_cancelled)) => {
                self.failure = Some(Error::new(ErrorKind::Closed, "the runtime is shutting down"));
            }
        }
    }

    fn take_batch(&mut self, Batch { mut ends, end, items, failure }: Batch) {
        let seeks = std::mem::take(&mut self.seeks);
        if seeks.iter().all(|(sought, _)| *sought != end) {
            self.buffer(end).extend(items);
            self.failure = failure;
        }
        for (end, key) in seeks {
            seek(&mut ends, end, &key);
        }
        self.state = State::Here(ends);
    }
}

fn seek(ends: &mut Ends, end: End, key: &[u8]) {
    match end {
        End::Front => ends.seek(key),
        End::Back => ends.seek_back(key),
    }
}

impl Stream for Scan {
    type Item = Result<(Bytes, Bytes)>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let direction = self.direction;
        self.poll(cx, direction)
    }
}

impl Drop for Scan {
    fn drop(&mut self) {
        if let (State::Away(_), Some(source)) = (&self.state, &self.source) {
            source.abandon();
        }
    }
}

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scan").finish_non_exhaustive()
    }
}
