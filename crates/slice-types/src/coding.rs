//! How numbers and byte strings are laid out: little-endian fixed widths, LEB128 varints, length-prefixed strings.
//!
//! Writing appends to a `Vec<u8>`. Reading goes through [`Decoder`], which never reads past its end, never trusts a
//! length, and never panics: damage is an error.
#![expect(clippy::missing_errors_doc, reason = "one section speaks for all methods")]
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use crate::{Error, Result};

/// The most bytes that a varint takes.
pub const MAX_VARINT_LEN: usize = 10;

/// Appends a number in 1 to 10 bytes: seven bits a byte, lowest first, the top bit set on all but the last.
#[inline]
pub fn put_varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Appends a byte string behind its length.
#[inline]
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Reads what the `put_*` functions and `to_le_bytes` wrote, front to back.
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    rest: &'a [u8],
    len: usize,
}

impl<'a> Decoder<'a> {
    /// Starts at the front of `bytes`.
    #[inline]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, len: bytes.len() }
    }

    /// What has not been read yet.
    #[inline]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// How many bytes have been read.
    #[inline]
    pub const fn position(&self) -> usize {
        self.len - self.rest.len()
    }

    /// Whether all has been read.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Reads `n` bytes as they are.
    ///
    /// # Errors
    ///
    /// [`Corruption`](crate::ErrorKind::Corruption) when fewer are left; so for every method below.
    #[inline]
    pub fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(n).ok_or_else(|| self.short(n))?;
        self.rest = rest;
        Ok(taken)
    }

    /// Reads one byte.
    #[inline]
    pub fn u8(&mut self) -> Result<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Reads a little-endian `u16`.
    #[inline]
    pub fn u16(&mut self) -> Result<u16> {
        self.array().map(u16::from_le_bytes)
    }

    /// Reads a little-endian `u32`.
    #[inline]
    pub fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// Reads a little-endian `u64`.
    #[inline]
    pub fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// Reads a varint, in its shortest form or not.
    #[inline]
    pub fn varint(&mut self) -> Result<u64> {
        let mut n = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            n |= bits << shift;
            if byte < 0x80 {
                return Ok(n);
            }
        }
        Err(Error::corruption(format!("a varint before byte {} does not end in 64 bits", self.position())))
    }

    /// Reads a varint that must fit 32 bits.
    #[inline]
    pub fn varint_u32(&mut self) -> Result<u32> {
        let n = self.varint()?;
        u32::try_from(n).map_err(|_| Error::corruption(format!("{n} does not fit the 32 bits of its field")))
    }

    /// Reads a byte string behind its length.
    #[inline]
    pub fn bytes(&mut self) -> Result<&'a [u8]> {
        let len = self.varint()?;
        let len = usize::try_from(len).map_err(|_| self.short(usize::MAX))?;
        self.take(len)
    }

    /// Insists that all has been read.
    pub fn finish(self) -> Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        Err(Error::corruption(format!(
            "{} bytes are left over behind byte {}",
            self.rest.len(),
            self.position()
        )))
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or_else(|| self.short(N))?;
        self.rest = rest;
        Ok(*taken)
    }

    #[cold]
    fn short(&self, wanted: usize) -> Error {
        Error::corruption(format!(
            "{wanted} bytes are wanted at byte {}, and {} are left",
            self.position(),
            self.rest.len()
        ))
    }
}
