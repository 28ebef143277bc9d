//! What concerns a whole sitting: where it ran, how it ended, and how much was written and kept.

use std::fmt::Write as _;

use super::card_id;
use super::charts::{Bar, NARROW, Row, bars, ratios};
use super::escape::escaped;
use super::palette::Palette;
use super::table::{Cell, Table};
use crate::cases::Case;
use crate::facts::facts;
use crate::numbers;
use crate::results::{Results, Run};
use crate::verdicts::Verdict;

/// Machine, commit and settings.
pub(super) fn settings(sitting: &Results) -> String {
    let mut html = "<dl class=\"facts\">\n".to_owned();
    for (name, fact) in facts(sitting) {
        let _ = writeln!(html, "<div><dt>{}</dt><dd>{}</dd></div>", escaped(&name), escaped(&fact));
    }
    html + "</dl>\n"
}

/// The ratios of all cases, as a chart and as a table that leads to each.
pub(super) fn at_a_glance(number: usize, cases: &[Case<'_>]) -> anyhow::Result<String> {
    let mut html = "<h3>slice beside the best rival</h3>\n".to_owned();
    let rows: Vec<_> = cases.iter().filter_map(ratio_row).collect();
    if rows.is_empty() {
        html.push_str("<p>No rival was run beside slice.</p>\n");
    } else {
        html.push_str(
            "<p>How many times better slice is: in throughput, of writes until the store has settled. The point is the \
             median of the rounds, the line reaches from the worst round to the best. A cross is a loss.</p>\n",
        );
        html.push_str(&ratios("slice beside the best rival: the ratio for each workload", &rows)?);
    }
    html.push_str("<nav aria-label=\"Workloads\"><ul>\n");
    for (at, case) in cases.iter().enumerate() {
        let _ = writeln!(
            html,
            "<li><a href=\"#{}\">{}</a></li>",
            card_id(number, at),
            escaped(&case.to_string())
        );
    }
    html.push_str("</ul></nav>\n");
    Ok(html)
}

/// What is worse than the best rival's, whatever is measured, the worst first.
pub(super) fn losses(cases: &[Case<'_>], palette: &Palette) -> String {
    let mut losses: Vec<_> = cases.iter().flat_map(Verdict::of).filter(|verdict| !verdict.wins()).collect();
    losses.sort_by(|a, b| a.ratio.median.total_cmp(&b.ratio.median));
    if losses.is_empty() {
        return String::new();
    }
    let caption = "Every measure whose median ratio is below 1";
    let mut table = Table::new(caption, &["work", "measure", "slice", "best rival", "ratio"]);
    for loss in &losses {
        table.row(palette.of(&loss.rival), &loss.case, &loss.cells().map(Cell::from));
    }
    format!("<h3>Where slice loses</h3>\n<div class=\"scroll\">\n{}</div>\n", table.end())
}

fn ratio_row(case: &Case<'_>) -> Option<Row> {
    let rival = case.best_rival(case.headline())?.name.to_owned();
    Some(Row { name: case.to_string(), ratio: case.ratio(case.headline())?, rival })
}

/// Write and space amplification of all cases that wrote.
pub(super) fn amplification(cases: &[Case<'_>], palette: &Palette) -> anyhow::Result<String> {
    let written = |run: &Run| run.write_amplification.filter(|_| run.put_raw_bytes > 0);
    let kept = |run: &Run| run.space_amplification.filter(|_| run.put_raw_bytes > 0);
    let write = section(
        "Write amplification",
        "Bytes that the kernel counted as written, logs included, for each byte of keys and values put.",
        cases,
        palette,
        written,
    )?;
    let space = section(
        "Space",
        "Bytes set aside on the disk after settling, for each byte of live keys and values.",
        cases,
        palette,
        kept,
    )?;
    Ok(write + &space)
}

fn section(
    name: &str,
    meaning: &str,
    cases: &[Case<'_>],
    palette: &Palette,
    figure: impl Fn(&Run) -> Option<f64>,
) -> anyhow::Result<String> {
    let mut html = String::new();
    for case in cases {
        html.push_str(&figures_of(name, case, palette, &figure)?);
    }
    if html.is_empty() {
        return Ok(html);
    }
    Ok(format!("<h3>{name}</h3>\n<p>{meaning} Less is better.</p>\n<div class=\"tiles\">\n{html}</div>\n"))
}

/// A chart of one case with its table, or nothing if no run tells the figure.
fn figures_of(
    name: &str,
    case: &Case<'_>,
    palette: &Palette,
    figure: impl Fn(&Run) -> Option<f64>,
) -> anyhow::Result<String> {
    let mut rows = Vec::new();
    let mut table = Table::new(&format!("{name}: {case}"), &["engine", "median"]);
    for column in &case.columns {
        let (ink, median) = (palette.of(column.name), column.median_of(&figure));
        table.row(ink, column.name, &[median.map(|median| format!("{median:.3}")).into()]);
        let bar = |value| Bar { name: column.name, ink, value, bounds: None, figure: numbers::ratio(value) };
        rows.extend(median.map(bar));
    }
    if rows.is_empty() {
        return Ok(String::new());
    }
    let chart = bars(&format!("{name} of {case}"), NARROW, &rows)?;
    Ok(format!(
        "<figure>\n<figcaption>{}</figcaption>\n{chart}<details><summary>Numbers</summary>\n{}</details>\n</figure>\n",
        escaped(&case.to_string()),
        table.end()
    ))
}
