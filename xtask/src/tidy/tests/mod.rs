//! Each rule finds what it is for, says where, and leaves alone what only looks like it.
//!
//! Words that the rules forbid stand in string literals here, which the rules do not look into.

mod files;
mod lexer;
mod primitives;
mod repository;

use super::tree::Tree;

/// A repository of these files.
fn tree_of(files: &[(&str, &str)]) -> Tree {
    let mut tree = Tree::default();
    for (path, text) in files {
        tree.add(path, text);
    }
    tree
}
