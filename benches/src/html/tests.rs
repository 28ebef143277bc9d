//! A page of made-up results: every run appears, text is escaped, nothing at all works as well.

use super::write;
use crate::results::{LatencyByKind, Run};
use crate::sample::{run, sitting};

fn three_engines() -> Vec<Run> {
    let mut runs = Vec::new();
    for round in 0..3 {
        let noise = 1.0 + round as f64 / 20.0;
        runs.push(run("slice", "slice", "overwrite", round, 500_000.0 * noise));
        runs.push(run("rocksdb", "RocksDB (tuned)", "overwrite", round, 180_000.0 * noise));
        runs.push(run("fjall", "fjall", "overwrite", round, 230_000.0));
    }
    runs
}

/// How often a text is in another.
fn count(page: &str, text: &str) -> usize {
    page.matches(text).count()
}

#[test]
fn every_run_appears() {
    let mut runs = three_engines();
    runs.push(run("redb", "redb", "fillseq", 0, 77_700_000.0 / 0.8));
    let page = write(&[sitting(runs)]).unwrap();
    for cell in
        ["420<small>400–440</small>", "151<small>144–158</small>", "189<small>180–198</small>", "184", "230"]
    {
        assert!(page.contains(&format!("<td>{cell}</td>")), "{cell}");
    }
    assert!(page.contains("<td>77,700</td>"), "an engine that only ran one workload");
    for text in ["0123abcd", "2026-01-02T03:04:05Z", "A processor", "buffered", "memtables 250 ms", "2.28 ×"]
    {
        assert!(page.contains(text), "{text}");
    }
}

#[test]
fn every_row_of_a_table_is_as_long_as_its_head() {
    let page = write(&[sitting(three_engines())]).unwrap();
    for table in page.split("<table>").skip(1) {
        let table = table.split("</table>").next().unwrap();
        let heads = count(table, "<th scope=\"col\">");
        for row in table.split("<tr>").skip(2) {
            assert_eq!(count(row, "<td>") + 1, heads, "{table}");
        }
    }
}

#[test]
fn losses_are_collected() {
    let mut runs = three_engines();
    assert!(!write(&[sitting(runs.clone())]).unwrap().contains("Where slice loses"));
    for run in runs.iter_mut().filter(|run| run.engine == "fjall") {
        run.disk_bytes = 90_000_000;
    }
    let page = write(&[sitting(runs)]).unwrap();
    let row = "overwrite@4</th><td>disk</td><td>180 MB</td><td>90.0 MB (fjall)</td><td>▼ 0.50</td>";
    assert!(page.contains("Where slice loses") && page.contains(row));
}

#[test]
fn sittings_stay_apart() {
    let page = write(&[sitting(three_engines()), sitting(three_engines())]).unwrap();
    assert_eq!((count(&page, "<article"), count(&page, "3 rounds.")), (2, 2), "no sitting has six rounds");
    assert!(page.contains("id=\"s1-0\"") && page.contains("id=\"s2-0\""));
}

#[test]
fn text_is_escaped() {
    let bad = "<script>alert('x')</script> & \"co\"";
    let mut results = sitting(vec![run("slice", bad, bad, 0, 1.0), run("fjall", "fjall", bad, 0, 2.0)]);
    results.commit = bad.to_owned();
    results.machine.cpu = bad.to_owned();
    results.settings = serde_json::json!({ bad: bad });
    let page = write(&[results]).unwrap();
    assert!(!page.contains("<script") && !page.contains("'x'") && !page.contains("\"co\""));
    assert!(page.contains("&lt;script&gt;"));
}

#[test]
fn nothing_at_all_makes_a_page() {
    for sittings in [vec![], vec![sitting(vec![])]] {
        let page = write(&sittings).unwrap();
        assert!(page.contains("Nothing was run") && page.ends_with("</html>\n"));
    }
}

#[test]
fn a_run_that_measured_little_makes_a_page() {
    let mut bare = run("slice", "slice", "readseq", 0, 0.0);
    bare.latency = LatencyByKind::default();
    bare.timeline.clear();
    (bare.settle_s, bare.ops_per_s_settled, bare.stalls) = (None, None, None);
    (bare.cpu_s, bare.peak_rss_bytes, bare.written_bytes) = (None, None, None);
    let page = write(&[sitting(vec![bare])]).unwrap();
    assert!(page.contains("readseq@4") && !page.contains("NaN"));
}

#[test]
fn the_page_needs_nothing_else_and_is_the_same_for_the_same_results() {
    let results = [sitting(three_engines())];
    let page = write(&results).unwrap();
    assert_eq!(page, write(&results).unwrap());
    for link in ["src=", "url(", "<link", "@import", "http"] {
        assert!(!page.contains(link), "{link}");
    }
}

#[test]
fn an_engine_has_one_colour_and_no_stand_in_is_left() {
    let page = write(&[sitting(three_engines())]).unwrap();
    assert!(!page.contains("\"#01"), "a stand-in of a colour is left");
    for (name, ink) in [("slice", 0), ("RocksDB (tuned)", 2), ("fjall", 3)] {
        let row = page.split("<th scope=\"row\">").filter(|row| row.contains(&format!("</svg>{name}</th>")));
        let colour = format!("var(--series-{ink})");
        assert!(row.clone().count() >= 4 && row.clone().all(|row| row.contains(&colour)), "{name}");
    }
}

#[test]
fn every_chart_says_what_it_shows() {
    let page = write(&[sitting(three_engines())]).unwrap();
    let charts = count(&page, "class=\"chart\"");
    assert!(charts >= 6, "{charts} charts");
    assert_eq!((count(&page, "role=\"img\" aria-label="), count(&page, "<title>") - 1), (charts, charts));
}
