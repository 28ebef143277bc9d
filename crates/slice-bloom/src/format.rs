//! The bytes of a filter, and the only code that trusts or distrusts them.
//!
//! ```text
//!   0        4         5        6          8         16        24                24 + 64 n    32 + 64 n
//!   +--------+---------+--------+----------+---------+---------+-- - - - - - - --+------------+
//!   | "SLBF" | version | probes | reserved | lines n |  keys   | n lines of 64 B | xxh3-64    |
//!   +--------+---------+--------+----------+---------+---------+-- - - - - - - --+------------+
//!       4         1        1         2          8         8            64 n            8
//! ```
//!
//! All integers are little-endian. Bit `b` of a line is bit `b % 8` of its byte `b / 8`. The checksum is over all bytes
//! before it. A filter of no keys has no lines, and one of some keys has at least one.
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use xxhash_rust::xxh3::xxh3_64;

use crate::Error;
use crate::probe::{LINE_LEN, MAX_PROBES};

const MAGIC: [u8; 4] = *b"SLBF";
const VERSION: u8 = 1;
const CHECKSUM_LEN: usize = 8;

/// The length of everything before the lines.
pub(crate) const HEADER_LEN: usize = 24;

/// The length of a filter without lines, the smallest there is.
pub(crate) const MIN_LEN: usize = HEADER_LEN + CHECKSUM_LEN;

/// What the header says about the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) probes: u32,
    pub(crate) lines: usize,
    pub(crate) keys: u64,
}

impl Header {
    /// The length of the whole filter in bytes.
    ///
    /// # Panics
    ///
    /// When it is beyond what memory can hold; a builder of so many keys could not have existed.
    pub(crate) fn filter_len(&self) -> usize {
        self.checked_filter_len().expect("the hashes that asked for these lines took eight bytes each")
    }

    fn checked_filter_len(&self) -> Option<usize> {
        self.lines.checked_mul(LINE_LEN)?.checked_add(MIN_LEN)
    }

    fn to_bytes(self) -> [u8; HEADER_LEN] {
        assert!((1..=MAX_PROBES).contains(&self.probes), "{} probes cannot be written", self.probes);
        assert_eq!(self.lines == 0, self.keys == 0, "lines and keys come together");
        let mut bytes = [0; HEADER_LEN];
        let fields = MAGIC
            .into_iter()
            .chain([VERSION, self.probes as u8, 0, 0])
            .chain((self.lines as u64).to_le_bytes())
            .chain(self.keys.to_le_bytes());
        for (slot, byte) in bytes.iter_mut().zip(fields) {
            *slot = byte;
        }
        bytes
    }
}

/// Appends a filter to `out`: its header, lines of zeros that `fill` sets bits in, and the checksum.
pub(crate) fn encode_into(out: &mut Vec<u8>, header: Header, fill: impl FnOnce(&mut [[u8; LINE_LEN]])) {
    let start = out.len();
    let end = start + header.filter_len();
    out.extend_from_slice(&header.to_bytes());
    out.resize(end - CHECKSUM_LEN, 0);
    let (lines, rest) = out.split_at_mut(start + HEADER_LEN).1.as_chunks_mut();
    assert!(
        rest.is_empty() && lines.len() == header.lines,
        "the lines fill the space between header and checksum"
    );
    fill(lines);
    let checksum = xxh3_64(out.split_at(start).1);
    out.extend_from_slice(&checksum.to_le_bytes());
}

/// Checks everything that can be checked about a filter's bytes, and returns what they say.
///
/// After this, the lines are exactly the bytes between the header and the checksum.
pub(crate) fn decode(bytes: &[u8]) -> Result<Header, Error> {
    let found = bytes.len();
    let too_short = Error::TooShort { found, needed: MIN_LEN };
    let (body, checksum) = bytes.split_last_chunk::<CHECKSUM_LEN>().ok_or(too_short)?;
    let (header, _) = body.split_first_chunk::<HEADER_LEN>().ok_or(too_short)?;

    let [m0, m1, m2, m3, version, probes, r0, r1, counts @ ..] = *header;
    let counts = u128::from_le_bytes(counts);
    let (lines, keys) = (counts as u64, (counts >> 64) as u64);
    check_kind([m0, m1, m2, m3], version)?;
    let wrong_length = Error::Length { lines, found };
    let header =
        Header { probes: probes.into(), lines: usize::try_from(lines).map_err(|_| wrong_length)?, keys };
    if header.checked_filter_len() != Some(found) {
        return Err(wrong_length);
    }
    check_checksum(body, u64::from_le_bytes(*checksum))?;
    check_fields(header, [r0, r1])?;
    Ok(header)
}

fn check_kind(magic: [u8; 4], version: u8) -> Result<(), Error> {
    if magic != MAGIC {
        return Err(Error::Magic { found: magic });
    }
    if version != VERSION {
        return Err(Error::Version { found: version, known: VERSION });
    }
    Ok(())
}

fn check_checksum(body: &[u8], stored: u64) -> Result<(), Error> {
    let computed = xxh3_64(body);
    if computed != stored {
        return Err(Error::Checksum { stored, computed });
    }
    Ok(())
}

fn check_fields(header: Header, reserved: [u8; 2]) -> Result<(), Error> {
    if !(1..=MAX_PROBES).contains(&header.probes) {
        return Err(Error::Header { what: "the number of probes is out of its range" });
    }
    if reserved != [0, 0] {
        return Err(Error::Header { what: "the reserved bytes are not zero" });
    }
    if (header.lines == 0) != (header.keys == 0) {
        return Err(Error::Header { what: "lines without keys, or keys without lines" });
    }
    Ok(())
}
