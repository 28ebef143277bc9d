//! The manifest's bytes: a header, then records (see the module above for the picture).
#![deny(clippy::unwrap_used, clippy::indexing_slicing)]

use slice_types::coding::Decoder;
use slice_types::{Error, FileFormat, HEADER_LEN, Result, checksum};

use super::{Edit, State};

/// The manifest's magic and version.
pub(crate) const FORMAT: FileFormat = FileFormat { magic: *b"SLICEMAN", version: 1, name: "manifest" };

/// The length of a seal, an edit without fields: the head of a record, in bytes.
const SEAL_LEN: usize = 16;

/// Appends an edit as a record.
pub(crate) fn put_record(out: &mut Vec<u8>, edit: &Edit) {
    let mut body = vec![0; 8];
    edit.encode(&mut body);
    let len =
        u32::try_from(body.len() - 8).unwrap_or_else(|_| panic!("a manifest edit of {} bytes", body.len()));
    for (slot, byte) in body.iter_mut().zip(len.to_le_bytes()) {
        *slot = byte;
    }
    out.extend_from_slice(&checksum(&body).to_le_bytes());
    out.extend_from_slice(&body);
}

/// What a manifest's bytes add up to.
#[derive(Debug)]
pub(crate) struct Replayed {
    pub(crate) state: State,
    /// Where a torn tail begins, if there is one.
    pub(crate) torn_at: Option<u64>,
}

/// Adds up a manifest's bytes.
///
/// A last record that is cut short or damaged is one that nobody was told of, and is left out. The first record is
/// the snapshot, written before anything pointed to the file: without it there is no state.
///
/// # Errors
///
/// Corruption, with its offset, for damage anywhere else; `Unsupported` for a newer format.
pub(crate) fn replay(bytes: &[u8]) -> Result<Replayed> {
    FORMAT.check(bytes)?;
    let mut state = None;
    let mut at = HEADER_LEN;
    let mut torn_at = None;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let (body, len) = match record(rest) {
            Ok(found) => found,
            Err(_) if state.is_some() && is_lost_seal(rest) => {
                at += SEAL_LEN;
                continue;
            }
            Err(_) if state.is_some() && is_tail(rest) => {
                torn_at = Some(at as u64);
                break;
            }
            Err(error) => return Err(error.with_offset(at as u64)),
        };
        let edit = Edit::decode(body).map_err(|error| error.with_offset(at as u64))?;
        let before = state.take().unwrap_or_else(State::unknown);
        state = Some(before.apply(&edit).map_err(|error| error.with_offset(at as u64))?);
        at += len;
    }
    let state = state
        .ok_or_else(|| Error::corruption("the manifest has no snapshot").with_offset(HEADER_LEN as u64))?;
    Ok(Replayed { state, torn_at })
}

/// The first record of `rest`: its edit and its length.
fn record(rest: &[u8]) -> Result<(&[u8], usize)> {
    let mut decoder = Decoder::new(rest);
    let expected = decoder.u64()?;
    let checked = decoder.rest();
    let len = decoder.u32()? as usize;
    let reserved = decoder.u32()?;
    let body = decoder.take(len)?;
    if reserved != 0 || checked.get(..8 + len).map(checksum) != Some(expected) {
        return Err(Error::corruption("a manifest record does not match its checksum"));
    }
    Ok((body, decoder.position()))
}

/// Whether a record stands where it would behind a seal. Nobody waited for the seal to reach the disk: a power failure
/// may take it and leave what was written behind it. No edit is as short as a seal, so this is none.
fn is_lost_seal(rest: &[u8]) -> bool {
    rest.get(SEAL_LEN..).is_some_and(|next| record(next).is_ok())
}

/// Whether no intact record follows: edits are synced one by one, so a record behind a damaged one proves that the
/// damaged one had been complete.
fn is_tail(rest: &[u8]) -> bool {
    (1..rest.len()).all(|skip| rest.get(skip..).is_none_or(|later| record(later).is_err()))
}
