//! Tables of Markdown.

/// A table that grows by rows. All columns but the first are numbers.
pub(super) struct Table(String);

impl Table {
    /// An empty one.
    pub(super) fn new(heads: &[&str]) -> Self {
        let mut table = Self(String::new());
        table.row(heads.iter().map(|head| (*head).to_owned()));
        table.0.push_str("|---|");
        (1..heads.len()).for_each(|_| table.0.push_str("---:|"));
        table.0.push('\n');
        table
    }

    /// Adds a row.
    pub(super) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.0.push('|');
        for cell in cells {
            self.0.push(' ');
            self.0.push_str(&escaped(&cell));
            self.0.push_str(" |");
        }
        self.0.push('\n');
    }

    /// The whole of it.
    pub(super) fn end(self) -> String {
        self.0
    }
}

/// The text, on one line and with nothing that is markup or that ends a cell. Stars are ours: they mark.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' => escaped.push_str("\\|"),
            '<' => escaped.push_str("&lt;"),
            '\n' | '\r' => escaped.push(' '),
            '[' | ']' | '`' | '_' | '\\' => escaped.extend(['\\', c]),
            c => escaped.push(c),
        }
    }
    escaped
}
