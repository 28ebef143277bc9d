//! How a block is stored: compressed where that pays, and with a checksum.
//!
//! Invariant: what [`open`] returns is what [`Sealer::seal`] was given, or it returns an error.
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use lz4_flex::block::{CompressTable, compress_into_with_table, decompress_into, get_maximum_output_size};
use slice_types::coding::Decoder;
use slice_types::{Error, Result, checksum, checksum_with};

use crate::format::{BLOCK_TRAILER_LEN, CHECKSUM_LEN, MAX_RAW_BLOCK_LEN};

/// How the blocks of a table are compressed. A block that does not shrink by an eighth is stored as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Compression {
    /// Not at all.
    None,
    /// [LZ4](https://lz4.org): cheap both ways.
    #[default]
    Lz4,
    /// [Zstandard](https://datatracker.ietf.org/doc/html/rfc8878), level 3: smaller and slower.
    #[cfg(feature = "zstd")]
    Zstd,
}

/// The bytes that name the codecs on disk.
const NONE: u8 = 0;
const LZ4: u8 = 1;
const ZSTD: u8 = 2;

/// One byte of LZ4 stands for at most 255 bytes of output: the longest match that a length byte can extend.
const LZ4_MAX_RATIO: usize = 255;
#[cfg(feature = "zstd")]
const ZSTD_LEVEL: i32 = 3;

impl Compression {
    /// The byte that names it on disk.
    pub(crate) const fn to_u8(self) -> u8 {
        match self {
            Self::None => NONE,
            Self::Lz4 => LZ4,
            #[cfg(feature = "zstd")]
            Self::Zstd => ZSTD,
        }
    }

    /// The codec of this name.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](slice_types::ErrorKind::Unsupported) for one that this build leaves out, otherwise
    /// [`Corruption`](slice_types::ErrorKind::Corruption).
    pub(crate) fn from_u8(byte: u8) -> Result<Self> {
        match byte {
            NONE => Ok(Self::None),
            LZ4 => Ok(Self::Lz4),
            #[cfg(feature = "zstd")]
            ZSTD => Ok(Self::Zstd),
            #[cfg(not(feature = "zstd"))]
            ZSTD => Err(Error::new(
                slice_types::ErrorKind::Unsupported,
                "the table is compressed with zstd; build slice with its feature `zstd`",
            )),
            _ => Err(Error::corruption(format!("codec {byte} has no meaning"))),
        }
    }
}

/// The place of a block as the seed of its checksum: which table, and where in it. A block in any other place does not
/// pass for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BlockSeed(u64);

impl BlockSeed {
    /// The place at `offset` of the table with this salt.
    #[inline]
    pub(crate) const fn new(salt: u64, offset: u64) -> Self {
        // An odd factor loses nothing of the salt, and moves small ones away from offsets.
        Self(offset ^ salt.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }
}

/// Compresses blocks one after another, reusing the compressor's memory.
pub(crate) struct Sealer {
    compression: Compression,
    lz4: CompressTable,
}

impl Sealer {
    pub(crate) fn new(compression: Compression) -> Self {
        Self { compression, lz4: CompressTable::small() }
    }

    /// Appends `raw` as it is stored at this place, and returns the bytes that it takes.
    pub(crate) fn seal(&mut self, raw: &[u8], place: BlockSeed, out: &mut Vec<u8>) -> Result<usize> {
        assert!(raw.len() <= MAX_RAW_BLOCK_LEN, "a block of {} bytes could not be read back", raw.len());
        let start = out.len();
        let codec = self.append_payload(raw, out)?;
        out.push(codec.to_u8());
        let sum = checksum_with(place.0, out.split_at(start).1);
        out.extend_from_slice(&sum.to_le_bytes());
        Ok(out.len() - start)
    }

    fn append_payload(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<Compression> {
        let start = out.len();
        if self.compression != Compression::None {
            out.extend_from_slice(&(raw.len() as u32).to_le_bytes());
            self.append_compressed(raw, out)?;
            if out.len() - start <= raw.len() - raw.len() / 8 {
                return Ok(self.compression);
            }
            out.truncate(start);
        }
        out.extend_from_slice(raw);
        Ok(Compression::None)
    }

    fn append_compressed(&mut self, raw: &[u8], out: &mut Vec<u8>) -> Result<()> {
        match self.compression {
            Compression::None => out.extend_from_slice(raw),
            Compression::Lz4 => {
                let start = out.len();
                out.resize(start + get_maximum_output_size(raw.len()), 0);
                let len = compress_into_with_table(raw, out.split_at_mut(start).1, &mut self.lz4)
                    .map_err(|e| Error::invalid_argument(format!("a block could not be compressed: {e}")))?;
                out.truncate(start + len);
            }
            #[cfg(feature = "zstd")]
            Compression::Zstd => {
                let frame =
                    zstd::bulk::compress(raw, ZSTD_LEVEL).map_err(|e| Error::io("compress a block", e))?;
                out.extend_from_slice(&frame);
            }
        }
        Ok(())
    }
}

/// Checks the block stored at this place and gives its raw bytes: those of `stored`, or in `scratch` where it is
/// compressed.
///
/// # Errors
///
/// [`Corruption`](slice_types::ErrorKind::Corruption) when the bytes are not what was written.
pub(crate) fn open<'a>(stored: &'a [u8], place: BlockSeed, scratch: &'a mut Vec<u8>) -> Result<&'a [u8]> {
    let damaged = || Error::corruption(format!("{} bytes are too few for a stored block", stored.len()));
    let payload_len = stored.len().checked_sub(BLOCK_TRAILER_LEN).ok_or_else(damaged)?;
    let mut decoder = Decoder::new(stored);
    let summed = decoder.take(stored.len() - CHECKSUM_LEN)?;
    compare_sums(checksum_with(place.0, summed), decoder.u64()?, "block")?;

    let payload = stored.get(..payload_len).ok_or_else(damaged)?;
    let codec = summed.last().copied().ok_or_else(damaged)?;
    match Compression::from_u8(codec)? {
        Compression::None => Ok(payload),
        Compression::Lz4 => open_lz4(payload, scratch),
        #[cfg(feature = "zstd")]
        Compression::Zstd => open_zstd(payload, scratch),
    }
}

/// Compares a checksum with that of the bytes that it speaks for.
pub(crate) fn check_sum(bytes: &[u8], stored: u64, what: &str) -> Result<()> {
    compare_sums(checksum(bytes), stored, what)
}

fn compare_sums(computed: u64, stored: u64, what: &str) -> Result<()> {
    if computed == stored {
        return Ok(());
    }
    Err(Error::corruption(format!(
        "the checksum of the {what} is {computed:016x}, and {stored:016x} was written; restore the file"
    )))
}

fn open_lz4<'a>(payload: &[u8], raw: &'a mut Vec<u8>) -> Result<&'a [u8]> {
    let mut decoder = Decoder::new(payload);
    let raw_len = decoder.u32()? as usize;
    check_raw_len(raw_len, payload.len().saturating_mul(LZ4_MAX_RATIO))?;
    raw.resize(raw_len, 0);
    let len = decompress_into(decoder.rest(), raw)
        .map_err(|e| Error::corruption(format!("a block does not decompress: {e}")))?;
    if len == raw_len { Ok(raw) } else { Err(wrong_len(len, raw_len)) }
}

#[cfg(feature = "zstd")]
fn open_zstd<'a>(payload: &[u8], raw: &'a mut Vec<u8>) -> Result<&'a [u8]> {
    let mut decoder = Decoder::new(payload);
    let raw_len = decoder.u32()? as usize;
    check_raw_len(raw_len, MAX_RAW_BLOCK_LEN)?;
    *raw = zstd::bulk::decompress(decoder.rest(), raw_len)
        .map_err(|e| Error::corruption(format!("a block does not decompress: {e}")))?;
    if raw.len() == raw_len { Ok(raw) } else { Err(wrong_len(raw.len(), raw_len)) }
}

/// Refuses a length that no block of these stored bytes can have, before memory is taken for it.
fn check_raw_len(raw_len: usize, most: usize) -> Result<()> {
    if raw_len <= most.min(MAX_RAW_BLOCK_LEN) {
        return Ok(());
    }
    Err(Error::corruption(format!("a block claims {raw_len} raw bytes, and {most} are possible")))
}

#[cold]
fn wrong_len(found: usize, claimed: usize) -> Error {
    Error::corruption(format!("a block claims {claimed} raw bytes, and decompresses to {found}"))
}
