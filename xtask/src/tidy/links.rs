//! Rules about Markdown: a relative link leads somewhere, and each format is found from the architecture.

use super::finding::Finding;
use super::tree::{TextFile, Tree};

const ARCHITECTURE: &str = "docs/ARCHITECTURE.md";
const FORMATS: &str = "docs/formats/";

/// A link: the line it is in, from 1, and where it leads.
type Link<'a> = (usize, &'a str);

/// Checks all Markdown files.
pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let broken =
        tree.texts().filter(|file| file.has_extension("md")).flat_map(|file| broken_links(tree, file));
    broken.chain(unlinked_formats(tree)).collect()
}

fn broken_links(tree: &Tree, file: &TextFile) -> Vec<Finding> {
    links(&file.text)
        .into_iter()
        .filter(|(_, target)| !resolve(&file.path, target).is_none_or(|path| tree.contains(&path)))
        .map(|(line, target)| Finding::new(&file.path, line, format!("the link leads nowhere: {target}")))
        .collect()
}

fn unlinked_formats(tree: &Tree) -> Vec<Finding> {
    let Some(text) = tree.text(ARCHITECTURE) else { return Vec::new() };
    let linked: Vec<String> =
        links(text).into_iter().filter_map(|(_, target)| resolve(ARCHITECTURE, target)).collect();
    tree.texts()
        .filter(|file| file.path.starts_with(FORMATS) && file.has_extension("md"))
        .filter(|file| !linked.contains(&file.path))
        .map(|file| Finding::new(&file.path, 1, format!("{ARCHITECTURE} has no link to it")))
        .collect()
}

/// The path from the root that a relative link in the file `from` leads to; `None` when it is no link to a file.
///
/// A link above the root leads to `..`, which no tree contains.
fn resolve(from: &str, target: &str) -> Option<String> {
    let path = target.split(['#', '?']).next().unwrap_or_default();
    // With a colon it is a URL, or an item in a crate's README, which is its front page too.
    if path.is_empty() || path.contains(':') {
        return None;
    }
    let mut parts: Vec<&str> = if path.starts_with('/') { Vec::new() } else { from.split('/').collect() };
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return Some("..".to_owned());
                }
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// All links of a Markdown text, `[like](this)` and `[like]: this`, but for those in code.
fn links(text: &str) -> Vec<Link<'_>> {
    let mut in_code = false;
    let mut links = Vec::new();
    for (at, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            links.extend(links_of_line(line).into_iter().map(|target| (at + 1, target)));
        }
    }
    links
}

fn links_of_line(line: &str) -> Vec<&str> {
    let outside_code =
        line.match_indices("](").filter(|(at, _)| line[..*at].matches('`').count().is_multiple_of(2));
    let inline = outside_code.filter_map(|(at, _)| line[at + 2..].split([')', ' ']).next());
    let defined =
        line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")).map(|(_, target)| target.trim());
    inline.chain(defined).collect()
}
