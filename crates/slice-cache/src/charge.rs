//! What a cached value costs.

use std::sync::Arc;

use bytes::Bytes;

/// A value that knows how much memory it keeps alive.
pub trait Charge {
    /// The heap memory that the value keeps alive, in bytes; without the value itself (`size_of::<Self>()`), which
    /// the cache adds.
    ///
    /// Asked when the value is inserted, and when its table goes: always the same for a value.
    fn charge(&self) -> usize;
}

/// The bytes it shows. One that is a slice of something larger keeps all of that alive, and does not know.
impl Charge for Bytes {
    fn charge(&self) -> usize {
        self.len()
    }
}

impl Charge for Vec<u8> {
    fn charge(&self) -> usize {
        self.capacity()
    }
}

/// The value behind it, what that charges, and the two counts.
impl<T: Charge> Charge for Arc<T> {
    fn charge(&self) -> usize {
        size_of::<T>() + 2 * size_of::<usize>() + T::charge(self)
    }
}

/// Head and bytes, and the two words before them.
impl<H> Charge for triomphe::ThinArc<H, u8> {
    fn charge(&self) -> usize {
        size_of::<H>() + self.slice.len() + 2 * size_of::<usize>()
    }
}
