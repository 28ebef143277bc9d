//! What can be wrong with a filter's bytes, or with a request for one.

/// Why there is no filter.
///
/// All but [`InvalidRate`](Self::InvalidRate) are about bytes that are not what a builder made.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There are fewer bytes than the smallest filter has.
    #[error("a filter has at least {needed} bytes, and these are {found}")]
    TooShort {
        /// The length of the bytes.
        found: usize,
        /// The length of an empty filter.
        needed: usize,
    },
    /// The bytes do not begin as a filter does.
    #[error("not a filter: it starts with \"{}\"", found.escape_ascii())]
    Magic {
        /// The first four bytes.
        found: [u8; 4],
    },
    /// The bytes are of a newer format than this build knows, or damaged in the byte that says so.
    #[error("the filter has format version {found}, and this build reads version {known}")]
    Version {
        /// The version in the bytes.
        found: u8,
        /// The version of this build.
        known: u8,
    },
    /// The length is not the one that the header calls for.
    #[error(
        "the filter's header calls for {lines} lines of 64 bytes, which {found} bytes do not hold exactly"
    )]
    Length {
        /// The lines that the header calls for.
        lines: u64,
        /// The length of all bytes.
        found: usize,
    },
    /// The bytes were changed since they were written.
    #[error("the filter's checksum is {stored:#018x} and its bytes have {computed:#018x}")]
    Checksum {
        /// The checksum in the bytes.
        stored: u64,
        /// The checksum of the bytes.
        computed: u64,
    },
    /// The checksum is right, and the header is still one that no builder writes.
    #[error("the filter's header is not one that a builder writes: {what}")]
    Header {
        /// Which field, and what is wrong with it.
        what: &'static str,
    },
    /// A rate of false positives has to lie between 0 and 1, both excluded.
    #[error("a false positive rate lies between 0 and 1, and {rate} does not")]
    InvalidRate {
        /// The rate that was asked for.
        rate: f64,
    },
}
