//! The figures of a run, for people and as JSON.

use std::fmt;
use std::time::Duration;

use hdrhistogram::Histogram;

/// One figure. What is not known is said to be so, and is `null` in JSON.
#[derive(Clone, Debug, PartialEq)]
pub enum Figure {
    /// Words.
    Text(String),
    /// A number of things.
    Count(u64),
    /// A number of bytes.
    Bytes(u64),
    /// A time, in seconds.
    Seconds(f64),
    /// A time, in microseconds.
    Micros(f64),
    /// A ratio or a rate.
    Number(f64),
    /// Not known on this system.
    Unknown,
}

impl Figure {
    /// A duration in seconds.
    pub fn seconds(duration: Duration) -> Self {
        Self::Seconds(duration.as_secs_f64())
    }

    /// `part / whole`, unknown if one of them is, or if the whole is nothing.
    pub fn ratio(part: Option<u64>, whole: u64) -> Self {
        part.filter(|_| whole > 0).map_or(Self::Unknown, |part| Self::Number(part as f64 / whole as f64))
    }

    /// Bytes that may be unknown.
    pub fn bytes(bytes: Option<u64>) -> Self {
        bytes.map_or(Self::Unknown, Self::Bytes)
    }

    fn json(&self) -> String {
        match self {
            Self::Text(text) => quoted(text),
            Self::Count(n) | Self::Bytes(n) => n.to_string(),
            Self::Seconds(x) | Self::Micros(x) | Self::Number(x) if x.is_finite() => format!("{x:.6}"),
            Self::Seconds(_) | Self::Micros(_) | Self::Number(_) | Self::Unknown => "null".to_owned(),
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Count(n) => write!(f, "{n}"),
            Self::Bytes(n) => write!(f, "{n} bytes ({:.1} MiB)", *n as f64 / f64::from(1 << 20)),
            Self::Seconds(x) => write!(f, "{x:.3} s"),
            Self::Micros(x) => write!(f, "{x:.2} us"),
            Self::Number(x) => write!(f, "{x:.3}"),
            Self::Unknown => f.write_str("not known"),
        }
    }
}

/// A text in quotes, as JSON wants it.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c < ' ' => quoted.extend(format!("\\u{:04x}", u32::from(c)).chars()),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Figures with names, in sections with names.
#[derive(Clone, Debug, Default)]
pub struct Report {
    sections: Vec<(String, Vec<(String, Figure)>)>,
}

impl Report {
    /// Starts a section.
    pub fn section(&mut self, name: &str) {
        self.sections.push((name.to_owned(), Vec::new()));
    }

    /// Adds a figure to the section.
    pub fn add(&mut self, name: &str, figure: Figure) {
        if self.sections.is_empty() {
            self.section("run");
        }
        if let Some((_, figures)) = self.sections.last_mut() {
            figures.push((name.to_owned(), figure));
        }
    }

    /// Puts the sections of another report behind.
    pub fn append(&mut self, other: Self) {
        self.sections.extend(other.sections);
    }

    /// Adds a section on latencies, unless there were none.
    pub fn latencies(&mut self, name: &str, times: &Histogram<u64>) {
        if times.is_empty() {
            return;
        }
        let micros = |nanos: u64| Figure::Micros(nanos as f64 / 1000.0);
        self.section(name);
        self.add("count", Figure::Count(times.len()));
        self.add("mean_us", Figure::Micros(times.mean() / 1000.0));
        for (name, quantile) in [("p50_us", 0.5), ("p99_us", 0.99), ("p99_9_us", 0.999)] {
            self.add(name, micros(times.value_at_quantile(quantile)));
        }
        self.add("max_us", micros(times.max()));
    }

    /// The report as one JSON object of objects.
    pub fn json(&self) -> String {
        let object = |fields: Vec<String>| format!("{{{}}}", fields.join(","));
        let sections = self.sections.iter().map(|(name, figures)| {
            let figures = figures.iter().map(|(name, figure)| format!("{}:{}", quoted(name), figure.json()));
            format!("{}:{}", quoted(name), object(figures.collect()))
        });
        object(sections.collect())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, figures) in &self.sections {
            writeln!(f, "{name}")?;
            for (name, figure) in figures {
                writeln!(f, "  {name:<26} {figure}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_escapes_texts_and_has_null_for_the_unknown() {
        let mut report = Report::default();
        report.section("a");
        report.add("t", Figure::Text("x\"\\\n".to_owned()));
        report.add("r", Figure::ratio(Some(1), 0));
        report.section("b");
        report.add("n", Figure::ratio(Some(3), 2));
        assert_eq!(report.json(), r#"{"a":{"t":"x\"\\\u000a","r":null},"b":{"n":1.500000}}"#);
    }
}
