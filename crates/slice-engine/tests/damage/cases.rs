//! Ways to damage a file.

use std::fmt;
use std::path::{Path, PathBuf};

use slice::vfs::{Fs, MemFs};

use crate::base::{Base, write};

/// One way to damage one file.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) file: PathBuf,
    pub(crate) how: How,
}

#[derive(Clone, Debug)]
pub(crate) enum How {
    Flip { at: usize, bit: u8 },
    Truncate { len: usize },
    Extend { bytes: Vec<u8> },
    Zero { from: usize, to: usize },
    Remove,
    Swap { with: PathBuf },
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.file.display(), self.how)
    }
}

impl Case {
    /// A copy of the store in which the file is damaged.
    pub(crate) fn image(&self, base: &Base) -> MemFs {
        let image = base.fs.crash_image(1.0, 0);
        if matches!(self.how, How::Remove) {
            image.remove_file(&self.file).unwrap();
            return image;
        }
        let bytes = base.bytes(&self.file);
        if let How::Swap { with } = &self.how {
            write(&image, &self.file, &base.bytes(with));
            write(&image, with, &bytes);
        } else {
            write(&image, &self.file, &self.damaged(bytes));
        }
        image
    }

    fn damaged(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        match &self.how {
            How::Flip { at, bit } => bytes[*at] ^= 1 << bit,
            How::Truncate { len } => bytes.truncate(*len),
            How::Extend { bytes: more } => bytes.extend_from_slice(more),
            How::Zero { from, to } => bytes[*from..*to].fill(0),
            How::Remove | How::Swap { .. } => {}
        }
        bytes
    }

    /// Whether it may leave a log that is shorter and whole: bytes behind its end may be anything, and zeros are an end.
    pub(crate) fn is_cut(&self) -> bool {
        matches!(self.how, How::Remove | How::Truncate { .. } | How::Zero { .. })
    }

    /// Whether a repair is tried, too: it takes longer than the rest. Of the bits of a byte, for one.
    pub(crate) fn is_repaired(&self) -> bool {
        !matches!(self.how, How::Flip { at, bit } if at % 8 != usize::from(bit))
    }

    /// Whether the damage changes anything.
    pub(crate) fn is_damage(&self, base: &Base) -> bool {
        let bytes = base.bytes(&self.file);
        match &self.how {
            How::Remove => true,
            How::Swap { with } => base.bytes(with) != bytes,
            _ => self.damaged(bytes.clone()) != bytes,
        }
    }
}

/// Every bit of a file, every length, and more.
pub(crate) fn all(base: &Base, file: &Path) -> Vec<Case> {
    let bytes = base.bytes(file);
    let len = bytes.len();
    let mut ways = vec![How::Remove];
    for at in 0..len {
        ways.extend((0..8).map(|bit| How::Flip { at, bit }));
        ways.push(How::Truncate { len: at });
        ways.push(match at % 3 {
            0 => How::Zero { from: at, to: len },
            1 => How::Zero { from: at, to: (at + 16).min(len) },
            _ => How::Zero { from: 0, to: at + 1 },
        });
    }
    for more in [1, 7, 16, 33, 512] {
        ways.push(How::Extend { bytes: vec![0; more] });
        ways.push(How::Extend { bytes: vec![0xff; more] });
        ways.push(How::Extend { bytes: (0..more).map(|n| (n * 151 + 7) as u8).collect() });
        ways.push(How::Extend { bytes: bytes.iter().copied().take(more).collect() });
    }
    ways.push(How::Extend { bytes });
    let cases = ways.into_iter().map(|how| Case { file: file.to_owned(), how });
    cases.filter(|case| case.is_damage(base)).collect()
}

/// Every pair of files of a kind in each other's place.
pub(crate) fn swaps(files: &[PathBuf]) -> Vec<Case> {
    let pairs =
        files.iter().enumerate().flat_map(|(i, one)| files[i + 1..].iter().map(move |other| (one, other)));
    pairs.map(|(one, other)| Case { file: one.clone(), how: How::Swap { with: other.clone() } }).collect()
}
