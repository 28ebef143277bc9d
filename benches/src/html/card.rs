//! One piece of work: how fast each engine did it, how long operations took, and when.

use super::charts::{Bar, Curve, Lane, WIDE, bars, latency, timeline};
use super::escape::escaped;
use super::palette::Palette;
use super::table::{Cell, Table};
use crate::cases::{Case, Column, text};
use crate::compare::measure::Measure;
use crate::compare::ratio::Ratio;
use crate::numbers;
use crate::results::Run;

/// The kinds of operation that have latencies.
const KINDS: [&str; 4] = ["reads", "writes", "scans", "neighbour"];

/// The card of a case.
pub(super) fn card(id: &str, case: &Case<'_>, palette: &Palette) -> anyhow::Result<String> {
    let mut html = format!("<article id=\"{id}\">\n<h3>{}</h3>\n", escaped(&case.to_string()));
    html.push_str(&verdict(case));
    html.push_str(&pair(&headline(case, palette)?, &figures(case, palette)));
    for kind in KINDS {
        html.push_str(&latencies(kind, case, palette)?);
    }
    html.push_str(&over_time(case, palette)?);
    html.push_str("</article>\n");
    Ok(html)
}

fn pair(chart: &str, table: &str) -> String {
    format!("<div class=\"pair\">\n<figure>\n{chart}</figure>\n<div>\n{table}</div>\n</div>\n")
}

/// What became of it, in a sentence.
fn verdict(case: &Case<'_>) -> String {
    let rounds = case.columns.iter().map(|column| column.runs().count()).max().unwrap_or(0);
    let keys = format!(
        "{} keys, values of {} bytes, {rounds} {}",
        numbers::grouped(case.keys),
        numbers::grouped(case.value_bytes),
        if rounds == 1 { "round" } else { "rounds" }
    );
    let headline = case.headline();
    let ratio = case.ratio(headline).zip(case.best_rival(headline));
    let Some((Ratio { median, min, max }, rival)) = ratio else { return format!("<p>{keys}.</p>\n") };
    let (class, word) = if median >= 1.0 { ("win", "better") } else { ("loss", "worse") };
    let rival = escaped(rival.name);
    let [median, least, most] = [median, min, max].map(numbers::ratio);
    let spread = if max > min { format!("; {least} to {most} over the rounds") } else { String::new() };
    format!(
        "<p>{keys}. Beside the best rival ({rival}): <strong class=\"{class}\">{median} ×</strong>, {word}{spread}.</p>\n"
    )
}

fn headline(case: &Case<'_>, palette: &Palette) -> anyhow::Result<String> {
    let measure = case.headline();
    let rows: Vec<_> = case.columns.iter().filter_map(|column| bar(column, measure, palette)).collect();
    bars(&format!("{case}: {}", measure.title()), WIDE, &rows)
}

fn bar<'a>(column: &Column<'a>, measure: Measure, palette: &Palette) -> Option<Bar<'a>> {
    let value = column.median(measure)?;
    let bounds = column.bounds(measure).filter(|(least, most)| least < most);
    Some(Bar { name: column.name, ink: palette.of(column.name), value, bounds, figure: text(measure, value) })
}

/// The exact numbers beside the bars.
fn figures(case: &Case<'_>, palette: &Palette) -> String {
    let measures: Vec<_> = Measure::ALL.into_iter().filter(|measure| case.tells(*measure)).collect();
    let titles = measures.iter().map(|measure| measure.title());
    let heads: Vec<_> = ["engine"].into_iter().chain(titles).chain(["CPU, in seconds"]).collect();
    let mut table = Table::new("Medians; below them the least and the most of the rounds", &heads);
    for column in &case.columns {
        let cpu = column.median_of(|run| run.cpu_s).map(numbers::exact);
        let cells = measures.iter().map(|measure| spread(column, *measure)).chain([cpu.into()]);
        let cells: Vec<_> = cells.collect();
        table.row(palette.of(column.name), column.name, &cells);
    }
    table.end()
}

/// A median; below it, where there is more than one round, the bounds.
fn spread(column: &Column<'_>, measure: Measure) -> Cell {
    let figure = column.median(measure).map(numbers::exact);
    let bounds = column.bounds(measure).filter(|(least, most)| least < most);
    let below = bounds.map(|(least, most)| format!("{}–{}", numbers::exact(least), numbers::exact(most)));
    Cell { figure, below }
}

/// Curves of one kind of operation with their table, or nothing if there were none.
fn latencies(kind: &str, case: &Case<'_>, palette: &Palette) -> anyhow::Result<String> {
    let mut curves = Vec::new();
    let caption = format!("Latency of {kind}; as the curves, of the round in the middle");
    let mut table = Table::new(&caption, &["engine", "mean", "p50", "p99", "p99.9", "longest"]);
    for column in &case.columns {
        let Some(latency) = column.latency(kind) else { continue };
        let ink = palette.of(column.name);
        let times = [latency.mean_us, latency.p50_us, latency.p99_us, latency.p99_9_us, latency.max_us];
        table.row(ink, column.name, &times.map(|us| numbers::micros(us).into()));
        curves.push(Curve { ink, count: latency.count, quantiles: &latency.curve });
    }
    if curves.is_empty() {
        return Ok(String::new());
    }
    Ok(pair(&latency(&format!("Latency of {kind} by percentile: {case}"), &curves)?, &table.end()))
}

/// Throughput over time, beside what the engines say of their stalls.
fn over_time(case: &Case<'_>, palette: &Palette) -> anyhow::Result<String> {
    let typical = || case.columns.iter().filter_map(|column| Some((column, column.typical()?)));
    let lanes: Vec<_> = typical()
        .filter(|(_, run)| run.timeline.len() > 1 && run.timeline_ms > 0)
        .map(|(column, run)| Lane {
            name: column.name,
            ink: palette.of(column.name),
            window_s: run.timeline_ms as f64 / 1000.0,
            windows: &run.timeline,
        })
        .collect();
    if lanes.is_empty() {
        return Ok(String::new());
    }
    let heads = ["engine", "slowest window", "median window", "stalls that it counted"];
    let mut table = Table::new("Throughput over time, of the round in the middle", &heads);
    for (column, run) in typical() {
        table.row(palette.of(column.name), column.name, &window_cells(run));
    }
    Ok(pair(&timeline(&format!("Operations a second over time: {case}"), &lanes)?, &table.end()))
}

fn window_cells(run: &Run) -> [Cell; 3] {
    let mut windows = run.timeline.clone();
    windows.pop();
    windows.sort_unstable();
    let rate =
        |ops: &u64| format!("{}/s", numbers::short(*ops as f64 * 1000.0 / run.timeline_ms.max(1) as f64));
    let stalls = run.stalls.as_ref().map(|stalls| {
        let stalls: Vec<_> = stalls.iter().filter(|(_, seconds)| **seconds > 0.0).collect();
        let named = stalls.iter().map(|(cause, seconds)| format!("{cause} {}", numbers::seconds(**seconds)));
        if stalls.is_empty() { "none".to_owned() } else { named.collect::<Vec<_>>().join(", ") }
    });
    [windows.first().map(rate), windows.get(windows.len() / 2).map(rate), stalls].map(Cell::from)
}
