//! Closing beside everything else: whoever waits is sent home, what was acknowledged is there when it is opened anew,
//! and the next opener waits for the last to be gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use slice::ErrorKind;

use super::{builder, check, disk, join, number, open, start, write_all};

#[test]
fn what_was_acknowledged_before_a_close_is_there_afterwards() {
    check(|| {
        let fs = disk();
        let store = open(&fs);
        let acknowledged = Arc::new(AtomicU32::new(0));
        let (writer, written) = (store.clone(), Arc::clone(&acknowledged));
        let writer = start(move || {
            for n in 1..=4 {
                match write_all(&writer, &["a", "b"], n) {
                    Ok(()) => written.store(n, Ordering::SeqCst),
                    Err(error) => return assert_eq!(error.kind(), ErrorKind::Closed, "{error}"),
                }
            }
        });
        let flusher = store.clone();
        let flusher = start(move || {
            let flushed = flusher.flush().and_then(|()| flusher.compact());
            assert!(flushed.is_done_or_closed(), "{flushed:?}");
        });
        store.close().expect("it closes");
        join([writer, flusher]);
        let store = open(&fs);
        let (a, b) = (number(&store, "a").unwrap_or(0), number(&store, "b").unwrap_or(0));
        assert_eq!(a, b, "half a batch");
        assert!(a >= acknowledged.load(Ordering::SeqCst), "an acknowledged write is lost");
    });
}

#[test]
fn an_opener_waits_for_the_last_handle_to_go() {
    check(|| {
        let fs = disk();
        let store = open(&fs);
        let next = {
            let fs = Arc::clone(&fs);
            start(move || {
                let store = builder(&fs).open_blocking().expect("it opens");
                // Shared with the handle that closes it, or opened anew.
                let written = write_all(&store, &["next"], 1);
                assert!(written.is_done_or_closed(), "{written:?}");
            })
        };
        write_all(&store, &["first"], 1).expect("it writes");
        let closed = store.close();
        assert!(closed.is_ok(), "{closed:?}");
        join([next]);
        let store = open(&fs);
        assert_eq!(number(&store, "first"), Some(1));
    });
}

trait Ended {
    /// Whether it went well, or was refused because the store was closed.
    fn is_done_or_closed(&self) -> bool;
}

impl Ended for slice::Result<()> {
    fn is_done_or_closed(&self) -> bool {
        self.is_ok() || self.as_ref().is_err_and(|error| error.kind() == ErrorKind::Closed)
    }
}
