//! Follows what the store asks of the disk, and what became of it.
//!
//! - A file whose sync or append failed is abandoned: it is neither appended to nor synced again. A log may be appended
//!   to after a failed append, which is taken back, and not after a failed sync.
//! - After a failed sync of a log, or of its name, no log is synced again until the store is opened anew.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use slice::sync_sites::{LOG_BYTES, LOG_NAME};
use slice::vfs::{Call, Fault, Operation};

/// What has been seen so far.
#[derive(Debug, Default)]
pub(super) struct Watch(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    has_fired: bool,
    first_fault: Option<String>,
    log_sync_failed: bool,
    /// By the number of the handle.
    abandoned: HashMap<u64, String>,
    broken: Option<String>,
}

impl Watch {
    /// Of an operation that is about to be done or to fail. Interruptions count as failures if they are `endless`.
    pub(super) fn see(&self, operation: &Operation, endless: bool) {
        let mut seen = self.lock();
        seen.look_for_a_second_try(operation);
        let Some(fault) = operation.fault else { return };
        seen.has_fired = true;
        seen.first_fault.get_or_insert_with(|| operation.to_string());
        let is_failure = fault != Fault::Silent && (endless || fault != Fault::Interrupted);
        if is_failure {
            seen.note_failure(operation, fault);
        }
    }

    /// The store is opened anew: what failed before counts no more.
    pub(super) fn new_session(&self) {
        self.lock().log_sync_failed = false;
    }

    /// Whether a fault has come to pass.
    pub(super) fn has_fired(&self) -> bool {
        self.lock().has_fired
    }

    /// Whether, since the store was opened, a log may have lost what it was asked to make durable.
    pub(super) fn log_sync_failed(&self) -> bool {
        self.lock().log_sync_failed
    }

    /// The first operation that failed, for messages.
    pub(super) fn first_fault(&self) -> String {
        self.lock().first_fault.clone().unwrap_or_else(|| "no operation".to_owned())
    }

    /// What the store did that it must not do.
    pub(super) fn check(&self) -> Result<(), String> {
        self.lock().broken.clone().map_or(Ok(()), Err)
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn look_for_a_second_try(&mut self, operation: &Operation) {
        // What was interrupted is asked for again.
        if operation.fault == Some(Fault::Interrupted) {
            return;
        }
        if self.log_sync_failed && is_log_sync(operation.call) {
            self.broken.get_or_insert(format!("a log's sync has failed, and then comes: {operation}"));
        }
        let failed = operation.handle.and_then(|handle| self.abandoned.get(&handle));
        if let (Some(failed), Call::Append | Call::Sync(_)) = (failed, operation.call) {
            self.broken.get_or_insert(format!("the file has failed ({failed}), and then comes: {operation}"));
        }
    }

    fn note_failure(&mut self, operation: &Operation, fault: Fault) {
        self.log_sync_failed |= is_log_sync(operation.call);
        let is_log =
            operation.path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("wal_"));
        let Some(handle) = operation.handle else { return };
        if !is_log && fault != Fault::Interrupted && matches!(operation.call, Call::Append | Call::Sync(_)) {
            self.abandoned.insert(handle, operation.to_string());
        }
    }
}

fn is_log_sync(call: Call) -> bool {
    call.site().is_some_and(|site| [LOG_BYTES, LOG_NAME].contains(&site))
}
