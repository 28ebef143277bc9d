//! Text files as records: key `path:line`, value the line.

use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// A key and its value.
pub(crate) type Record = (String, String);

const MAX_RECORDS: usize = 300_000;
const MAX_FILE_BYTES: u64 = 16 << 20;
const SKIPPED_DIRECTORIES: [&str; 2] = ["target", ".git"];

/// What was found.
#[derive(Default)]
pub(crate) struct Text {
    pub(crate) records: Vec<Record>,
    files: usize,
    skipped: usize,
    capped: bool,
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { records, files, skipped, capped } = self;
        write!(f, "{} lines of {files} files, {skipped} files skipped", records.len())?;
        if *capped { write!(f, ", capped at {MAX_RECORDS} lines") } else { Ok(()) }
    }
}

/// Reads every text file under a directory, in the order of their names.
pub(crate) fn collect(root: &Path) -> Result<Text> {
    let mut text = Text::default();
    let mut waiting = vec![root.to_owned()];
    while let Some(path) = waiting.pop().filter(|_| !text.capped) {
        let metadata = std::fs::symlink_metadata(&path).with_context(|| path.display().to_string())?;
        if metadata.is_dir() {
            waiting.extend(children(&path)?);
        } else if metadata.is_file() && metadata.len() <= MAX_FILE_BYTES {
            text.add_file(path.strip_prefix(root).unwrap_or(&path), &path)?;
        } else {
            text.skipped += 1;
        }
    }
    Ok(text)
}

/// Last name first: they are taken from the end.
fn children(dir: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(dir).with_context(|| dir.display().to_string())?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.retain(|path| !SKIPPED_DIRECTORIES.iter().any(|name| path.is_dir() && path.ends_with(name)));
    paths.sort_unstable_by(|a, b| b.cmp(a));
    Ok(paths)
}

impl Text {
    fn add_file(&mut self, name: &Path, path: &Path) -> Result<()> {
        let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
        let Ok(content) = String::from_utf8(bytes) else {
            self.skipped += 1;
            return Ok(());
        };
        self.files += 1;
        for (number, line) in content.lines().enumerate() {
            if self.records.len() == MAX_RECORDS {
                self.capped = true;
                return Ok(());
            }
            self.records.push((format!("{}:{}", name.display(), number + 1), line.to_owned()));
        }
        Ok(())
    }
}
