//! Rules about blanks and line ends, which no one wants to see in a diff.

use super::finding::Finding;
use super::tree::TextFile;

/// Checks a file of text.
pub(crate) fn check(file: &TextFile) -> Vec<Finding> {
    let mut findings: Vec<Finding> =
        file.text.split('\n').enumerate().filter_map(|(at, line)| check_line(file, at + 1, line)).collect();
    if !file.text.is_empty() && !file.text.ends_with('\n') {
        findings.push(Finding::new(
            &file.path,
            file.text.lines().count(),
            "no line end at the end of the file",
        ));
    }
    findings
}

fn check_line(file: &TextFile, number: usize, line: &str) -> Option<Finding> {
    let reason = if line.ends_with('\r') {
        "a line end of Windows"
    } else if line.ends_with([' ', '\t']) {
        "blanks at the end of the line"
    } else if file.has_extension("rs") && line.contains('\t') {
        "a tab in Rust code"
    } else {
        return None;
    };
    Some(Finding::new(&file.path, number, reason))
}
