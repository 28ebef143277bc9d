//! The report as one page of HTML that needs nothing else: no scripts, no fonts, no pictures from elsewhere.
//!
//! Each chart has a table beside it with the exact numbers, and the tables are the legend: the same mark stands for an
//! engine everywhere. The same results give the same bytes.

mod card;
mod charts;
mod escape;
mod overview;
mod palette;
mod table;
#[cfg(test)]
mod tests;

use crate::cases::cases;
use crate::facts::heading;
use crate::results::Results;
use escape::escaped;
use palette::Palette;

const STYLE: &str = include_str!("style.css");
const TITLE: &str = "slice: benchmark results";

/// The report on some sittings. Nothing of one is compared with another.
///
/// # Errors
///
/// If a chart cannot be drawn.
pub fn write(sittings: &[Results]) -> anyhow::Result<String> {
    let columns = sittings.iter().flat_map(|sitting| &sitting.runs);
    let palette = Palette::new(columns.map(|run| (run.column.as_str(), run.engine.as_str())));
    let mut body = format!("<h1>{TITLE}</h1>\n");
    if sittings.iter().all(|sitting| sitting.runs.is_empty()) {
        body.push_str("<p>Nothing was run.</p>\n");
    }
    for (number, sitting) in (1..).zip(sittings) {
        body.push_str(&one(number, sitting, &palette)?);
    }
    Ok(format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{TITLE}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{body}</main>\n</body>\n</html>\n"
    ))
}

/// A sitting: what it ran on, what came of it at a glance, and each piece of work.
fn one(number: usize, sitting: &Results, palette: &Palette) -> anyhow::Result<String> {
    let cases = cases(sitting);
    let mut html = format!("<section class=\"sitting\">\n<h2>{}</h2>\n", escaped(&heading(number, &cases)));
    html.push_str(&overview::settings(sitting));
    html.push_str(&overview::at_a_glance(number, &cases)?);
    html.push_str(&overview::losses(&cases, palette));
    for (at, case) in cases.iter().enumerate() {
        html.push_str(&card::card(&card_id(number, at), case, palette)?);
    }
    html.push_str(&overview::amplification(&cases, palette)?);
    html.push_str("</section>\n");
    Ok(html)
}

/// What a card is found by.
fn card_id(number: usize, at: usize) -> String {
    format!("s{number}-{at}")
}
