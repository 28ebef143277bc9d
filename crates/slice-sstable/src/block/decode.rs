//! From raw bytes to a validated block.
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use std::fmt;

use slice_types::coding::Decoder;
use slice_types::{Error, MAX_KEY_LEN, Result, Trailer};
use triomphe::ThinArc;

use super::column::{Column, MAX_WIDTH};
use super::{Block, HEADER_LEN, Layout};

impl Block {
    /// Reads the raw bytes of a block, and checks its structure once and for all.
    ///
    /// # Errors
    ///
    /// [`Corruption`](slice_types::ErrorKind::Corruption) when these are not the bytes of a block.
    pub fn decode(bytes: impl AsRef<[u8]>) -> Result<Self> {
        let bytes = bytes.as_ref();
        Ok(Self(ThinArc::from_header_and_slice(Layout::decode(bytes)?, bytes)))
    }
}

impl Layout {
    /// That of these raw bytes, checked: see [`Block::decode`].
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let mut layout = Self::decode_header(bytes)?;
        layout.locate_columns(bytes)?;
        layout.check_keys(bytes)?;
        layout.check_values(bytes)?;
        layout.check_trailers(bytes)?;
        Ok(layout)
    }

    fn decode_header(bytes: &[u8]) -> Result<Self> {
        let mut header = Decoder::new(bytes);
        let (count, shared_len) = (header.u32()?, header.u32()?);
        let (key_width, value_width) = (header.u8()?, header.u8()?);
        let (trailer_width, shift) = (header.u8()?, header.u8()?);
        let (key_step, value_step) = (header.u32()?, header.u32()?);
        let base = header.u64()?;
        // Entries differ, so each but the first costs a byte of key or of trailer: a count beyond the length is a lie,
        // and would make the checks below run for ever.
        if count == 0 || count as usize > bytes.len() {
            return Err(damaged(format_args!("{count} entries in {} bytes", bytes.len())));
        }
        if u32::try_from(bytes.len()).is_err() {
            return Err(damaged(format_args!("{} bytes are more than a block has", bytes.len())));
        }
        if key_width.max(value_width).max(trailer_width) > MAX_WIDTH || !matches!(shift, 0 | 8) {
            return Err(damaged(format_args!(
                "a column is {key_width}, {value_width} or {trailer_width} bytes wide"
            )));
        }
        let ends = |step, width| Column { base: u64::from(step), start: 0, step, width, shift: 0 };
        Ok(Self {
            count,
            shared_len,
            suffixes: 0,
            values: 0,
            key_ends: ends(key_step, key_width),
            value_ends: ends(value_step, value_width),
            trailers: Column { base, start: 0, step: 0, width: trailer_width, shift },
        })
    }

    fn locate_columns(&mut self, bytes: &[u8]) -> Result<()> {
        let count = self.count as usize;
        let mut rest = Decoder::new(bytes);
        rest.take(HEADER_LEN)?;
        rest.take(self.shared_len as usize)?;
        for column in [&mut self.key_ends, &mut self.value_ends, &mut self.trailers] {
            column.start = rest.position() as u32;
            rest.take(column.len(count))?;
        }
        self.suffixes = rest.position() as u32;
        Ok(())
    }

    fn check_keys(&mut self, bytes: &[u8]) -> Result<()> {
        let room = bytes.len() as u64 - u64::from(self.suffixes);
        let longest = (MAX_KEY_LEN as u64).checked_sub(u64::from(self.shared_len));
        let longest = longest.ok_or_else(|| damaged(format_args!("a key of {} bytes", self.shared_len)))?;
        let end = self.check_ends(bytes, &self.key_ends, room, longest, "key")?;
        self.values = self.suffixes + end as u32;
        Ok(())
    }

    fn check_values(&self, bytes: &[u8]) -> Result<()> {
        let room = bytes.len() as u64 - u64::from(self.values);
        let end = self.check_ends(bytes, &self.value_ends, room, room, "value")?;
        if end == room {
            return Ok(());
        }
        Err(damaged(format_args!("its values end {} bytes before it does", room - end)))
    }

    /// Checks that ends ascend, lie within `room`, and are never further apart than `longest`. Returns the last.
    fn check_ends(&self, bytes: &[u8], ends: &Column, room: u64, longest: u64, what: &str) -> Result<u64> {
        if let Some(len) = ends.equal_len().map(|len| len as u64) {
            // They ascend by their one length: the last says all.
            let end = len * u64::from(self.count);
            if end > room || len > longest {
                return Err(damaged(format_args!("{what}s of {len} bytes run to {end} of {room} bytes")));
            }
            return Ok(end);
        }
        let mut start = 0;
        for i in 0..self.count as usize {
            let end = ends.get(bytes, i);
            if end < start || end > room || end - start > longest {
                return Err(damaged(format_args!("{what} {i} runs from {start} to {end} of {room} bytes")));
            }
            start = end;
        }
        Ok(start)
    }

    fn check_trailers(&self, bytes: &[u8]) -> Result<()> {
        // Where the kind is in none of the residuals, all are of one kind.
        let count = if self.trailers.has_one_kind() { 1 } else { self.count as usize };
        for i in 0..count {
            let word = self.trailers.get(bytes, i);
            if Trailer::from_u64(word).is_none() {
                return Err(damaged(format_args!("entry {i} is of the unknown kind {}", word as u8)));
            }
        }
        Ok(())
    }
}

#[cold]
fn damaged(what: fmt::Arguments<'_>) -> Error {
    Error::corruption(format!("not a block: {what}"))
}
