//! The files of the repository: which there are, and the text of those that people write.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::Context;

/// Folders that are not of the repository, wherever they are.
const FOREIGN_FOLDERS: [&str; 3] = [".git", "target", "data"];

/// Files whose text is checked. Others, such as test images of tables, are only known by name.
const TEXT_EXTENSIONS: [&str; 6] = ["rs", "md", "toml", "lock", "sh", "yml"];

/// A file of text.
pub(crate) struct TextFile {
    /// From the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl TextFile {
    pub(crate) fn has_extension(&self, extension: &str) -> bool {
        extension_of(&self.path) == extension
    }
}

/// All files of the repository.
#[derive(Default)]
pub(crate) struct Tree {
    texts: BTreeMap<String, TextFile>,
    /// Files and folders, without a `/` at the end.
    names: BTreeSet<String>,
}

impl Tree {
    /// The files under `root`.
    pub(crate) fn read(root: &Path) -> anyhow::Result<Self> {
        let mut tree = Self::default();
        tree.read_folder(root, "")?;
        Ok(tree)
    }

    #[expect(clippy::disallowed_methods, reason = "it reads the sources, which no store keeps")]
    fn read_folder(&mut self, folder: &Path, prefix: &str) -> anyhow::Result<()> {
        for entry in fs::read_dir(folder).with_context(|| format!("could not list {}", folder.display()))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            if entry.file_type()?.is_file() {
                self.read_file(&entry.path(), path)?;
            } else if entry.file_type()?.is_dir() && !FOREIGN_FOLDERS.contains(&name.as_str()) {
                self.read_folder(&entry.path(), &format!("{path}/"))?;
                self.names.insert(path);
            }
        }
        Ok(())
    }

    fn read_file(&mut self, file: &Path, path: String) -> anyhow::Result<()> {
        if TEXT_EXTENSIONS.contains(&extension_of(&path)) || path.starts_with(".ci/") {
            let text = fs::read_to_string(file).with_context(|| format!("could not read {path} as text"))?;
            self.add(&path, &text);
        }
        self.names.insert(path);
        Ok(())
    }

    /// Adds a file of text, and the folders above it.
    pub(crate) fn add(&mut self, path: &str, text: &str) {
        let file = TextFile { path: path.to_owned(), text: text.to_owned() };
        self.texts.insert(path.to_owned(), file);
        self.names.extend(path.match_indices('/').map(|(end, _)| path[..end].to_owned()));
        self.names.insert(path.to_owned());
    }

    /// The files of text, sorted by path.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &TextFile> {
        self.texts.values()
    }

    /// The text of one file.
    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(|file| file.text.as_str())
    }

    /// Whether there is such a file or folder. The root is the empty path.
    pub(crate) fn contains(&self, path: &str) -> bool {
        path.is_empty() || self.names.contains(path)
    }

    /// The number of files of text.
    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }
}

fn extension_of(path: &str) -> &str {
    path.rsplit('/').next().and_then(|name| name.rsplit_once('.')).map_or("", |(_, extension)| extension)
}
