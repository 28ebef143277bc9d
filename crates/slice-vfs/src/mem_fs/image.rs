//! What a power failure may leave: the synced state, and a part of what came after.
//!
//! The model of the disk:
//! - A file's bytes reach the disk by [`SECTOR`]s. Each pending write leaves, sector by sector, with probability
//!   `keep`, what the sector held in memory just after it. So a write may be torn, and a later one be there while an
//!   earlier one is not.
//! - A file's length covers the sectors that are kept; a change of length alone is kept or not like a write. A write
//!   that made the file longer may leave the new length and no bytes: zeros, then.
//! - Each pending change of names is kept or not, whole, in order, and independently of the bytes. But a change that
//!   takes a name from a file is not kept without the one that gave the file another name.
//! - A directory that was made is kept or not likewise; all that is in a lost one is lost.
//!
//! This is the model of "All File Systems Are Not Created Equal" (Pillai et al., OSDI 2014) without any ordering that
//! a particular file system happens to give.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::content::{Content, SECTOR};
use super::random::Random;
use super::state::{DataChange, File, Inode, Names, State};

impl State {
    /// What a power failure now may leave, all of it synced.
    pub(super) fn crashed(&self, keep: f64, seed: u64) -> State {
        let mut random = Random::new(seed);
        let dirs = self.dirs_kept(|| random.chance(keep));
        let mut names = self.synced.clone();
        for change in self.pending.iter().filter(|_| random.chance(keep)) {
            if !names.would_strand(change, &self.live) {
                names.apply(change);
            }
        }
        names.retain_in(&dirs);
        self.with_files(dirs, names, |inode, file| {
            file.crashed(keep, &mut Random::new(seed ^ (inode + 1) << 32))
        })
    }

    /// What the end of the process leaves: all that is live, and nothing is more durable for it.
    pub(super) fn killed(&self) -> State {
        let mut state = State { open: BTreeMap::new(), ..self.clone() };
        state.forget_unreachable();
        state
    }

    /// All that is live, but of the last write to `inode` only a part of the front.
    pub(super) fn torn(&self, inode: Inode, seed: u64) -> State {
        let mut random = Random::new(seed);
        self.with_files(self.dirs.clone(), self.live.clone(), |other, file| {
            if other == inode { file.torn(&mut random) } else { file.live.clone() }
        })
    }

    /// The directories that are left: not those that lost their name, nor what was in them.
    fn dirs_kept(&self, mut keep: impl FnMut() -> bool) -> BTreeSet<Arc<Path>> {
        let lost: Vec<_> = self.unsynced_dirs.iter().filter(|_| !keep()).collect();
        let is_lost = |dir: &Path| lost.iter().any(|lost| dir.starts_with(lost));
        self.dirs.iter().filter(|dir| !is_lost(dir)).cloned().collect()
    }

    /// A file system of these names, all synced, with what `content` makes of each named file.
    fn with_files(
        &self,
        dirs: BTreeSet<Arc<Path>>,
        names: Names,
        mut content: impl FnMut(Inode, &File) -> Content,
    ) -> State {
        let files = names.iter().filter_map(|(_, inode)| {
            let file = self.files.get(&inode)?;
            Some((inode, File::synced(content(inode, file))))
        });
        let files = files.collect();
        self.reborn(dirs, names, files)
    }

    /// The name of a file, for people: any that it has or had.
    pub(super) fn name_of(&self, inode: Inode) -> &Path {
        let named = self.live.iter().chain(self.synced.iter()).find(|(_, other)| *other == inode);
        named.map_or(Path::new(""), |(path, _)| path)
    }
}

impl File {
    fn crashed(&self, keep: f64, random: &mut Random) -> Content {
        let mut memory = self.synced.clone();
        let mut disk = self.synced.clone();
        for change in &self.pending {
            change.apply(&mut memory);
            match change {
                DataChange::Write { offset, bytes } => {
                    sectors(*offset, bytes.len())
                        .filter(|_| random.chance(keep))
                        .for_each(|sector| disk.copy_sector(&memory, sector));
                    if random.chance(keep) {
                        disk.set_len(disk.len().max(offset + bytes.len() as u64));
                    }
                }
                DataChange::SetLen(len) if random.chance(keep) => disk.set_len(*len),
                DataChange::SetLen(_) => {}
            }
        }
        disk
    }

    fn torn(&self, random: &mut Random) -> Content {
        let Some((DataChange::Write { offset, bytes }, before)) = self.pending.split_last() else {
            return self.live.clone();
        };
        let mut content = self.synced.clone();
        for change in before {
            change.apply(&mut content);
        }
        let kept = random.below(bytes.len() as u64) as usize;
        content.write(*offset, &bytes[..kept]);
        content
    }
}

/// The sectors that `len` bytes at `offset` touch.
fn sectors(offset: u64, len: usize) -> impl Iterator<Item = u64> {
    offset / SECTOR..(offset + len as u64).div_ceil(SECTOR)
}
