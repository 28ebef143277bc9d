//! Tables: a caption, heads, and rows that begin with an engine and its mark.

use std::fmt::Write as _;

use super::escape::escaped;
use super::palette::Ink;

/// What stands in a table: a figure, and what is said of it in small letters.
#[derive(Default)]
pub(super) struct Cell {
    /// The figure; a dash if it is not known.
    pub(super) figure: Option<String>,
    /// What stands below it.
    pub(super) below: Option<String>,
}

impl From<Option<String>> for Cell {
    fn from(figure: Option<String>) -> Self {
        Self { figure, below: None }
    }
}

impl From<String> for Cell {
    fn from(figure: String) -> Self {
        Some(figure).into()
    }
}

/// A table that grows by rows.
pub(super) struct Table {
    html: String,
}

impl Table {
    /// An empty one. The first head is that of the engines.
    pub(super) fn new(caption: &str, heads: &[&str]) -> Self {
        let mut html = format!("<table>\n<caption>{}</caption>\n<thead><tr>", escaped(caption));
        for head in heads {
            let _ = write!(html, "<th scope=\"col\">{}</th>", escaped(head));
        }
        html.push_str("</tr></thead>\n<tbody>\n");
        Self { html }
    }

    /// Adds a row for an engine.
    pub(super) fn row(&mut self, ink: Ink, name: &str, cells: &[Cell]) {
        let _ = write!(self.html, "<tr><th scope=\"row\">{}{}</th>", mark(ink), escaped(name));
        for cell in cells {
            let _ = write!(self.html, "<td>{}", escaped(cell.figure.as_deref().unwrap_or("–")));
            if let Some(below) = &cell.below {
                let _ = write!(self.html, "<small>{}</small>", escaped(below));
            }
            self.html.push_str("</td>");
        }
        self.html.push_str("</tr>\n");
    }

    /// The whole of it.
    pub(super) fn end(self) -> String {
        self.html + "</tbody>\n</table>\n"
    }
}

/// The mark of an engine: the line that it has in charts.
fn mark(ink: Ink) -> String {
    format!(
        "<svg class=\"mark\" viewBox=\"0 0 28 12\" aria-hidden=\"true\"><polyline fill=\"none\" stroke=\"{}\" stroke-width=\"4\" points=\"0,6 28,6\"/></svg>",
        ink.variable()
    )
}
