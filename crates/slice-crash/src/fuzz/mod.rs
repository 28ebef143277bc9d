//! What a fuzzer does to the decoders: bytes that nobody has checked are read as each kind of file.
//!
//! A target is a function of bytes. It panics when a decoder does what it must not: panic itself, take memory by an
//! unchecked length, go on for ever, or contradict itself. The folder `fuzz` gives each target to libFuzzer
//! (`cargo xtask fuzz`); the tests here try the committed corpus, and changes of it.
//!
//! A checksum keeps a fuzzer out of all that lies behind it. So the targets have two doors, chosen by the first byte:
//!
//! ```text
//!   even   the bytes are the file
//!   odd    the bytes are what the file holds; the target puts headers and right checksums around it
//! ```

mod block;
mod filter;
mod log;
mod manifest;
mod store;
mod table;

#[cfg(test)]
mod tests;

/// A target: its name, which is that of its corpus, and what is done with the bytes.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// As in `cargo xtask fuzz NAME`.
    pub name: &'static str,
    /// Panics when a decoder does what it must not.
    pub run: fn(&[u8]),
    /// Inputs to begin with.
    pub seeds: fn() -> Vec<Vec<u8>>,
}

/// All targets.
pub const TARGETS: [Target; 6] = [
    Target { name: "block", run: block::run, seeds: block::seeds },
    Target { name: "filter", run: filter::run, seeds: filter::seeds },
    Target { name: "log", run: log::run, seeds: log::seeds },
    Target { name: "manifest", run: manifest::run, seeds: manifest::seeds },
    Target { name: "store", run: store::run, seeds: store::seeds },
    Target { name: "table", run: table::run, seeds: table::seeds },
];

/// Runs a target by its name.
///
/// # Panics
///
/// When the decoder does what it must not, and when there is no such target.
pub fn run(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.expect("a name of `TARGETS`").run)(input);
}

/// Splits bytes into pieces, each behind a length of one byte. The last takes what is left.
fn pieces(mut bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (len, rest) = bytes.split_first()?;
        let (piece, rest) = rest.split_at(rest.len().min(usize::from(*len)));
        bytes = rest;
        Some(piece)
    })
}

/// The opposite of [`pieces`].
fn joined<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let with_len =
        |piece: &'a [u8]| std::iter::once(piece.len().min(255) as u8).chain(piece.iter().copied().take(255));
    pieces.into_iter().flat_map(with_len).collect()
}

/// Changes a file as `bytes` say: three bytes for each change, a place and what is written there. A place behind the
/// end cuts the file.
fn patch(file: &mut Vec<u8>, bytes: &[u8]) {
    for change in bytes.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]]));
        match file.get_mut(at) {
            Some(byte) => *byte = change[2],
            None => file.truncate(usize::from(change[2])),
        }
    }
}
