//! What a sitting says of itself: where it ran, what ran, and how it was set.

use serde_json::Value;

use crate::cases::Case;
use crate::numbers;
use crate::results::Results;

/// What stands for a fact that the machine did not tell.
const NOT_KNOWN: &str = "not known";
/// Settings that say where files lay and what was chosen to be run, but nothing of how.
const PLACES: [&str; 5] = ["dir", "engines", "keep", "out", "workloads"];

/// Names and facts, in the order in which they are shown.
pub fn facts(sitting: &Results) -> Vec<(String, String)> {
    let machine = &sitting.machine;
    let memory = machine.memory_bytes.map(|bytes| format!("{:.0} GiB", bytes as f64 / f64::from(1 << 30)));
    let cores = Some(machine.cores).filter(|cores| *cores > 0).map(|cores| cores.to_string());
    let own = [
        ("commit", sitting.commit.clone()),
        ("date", sitting.date.clone()),
        ("processor", machine.cpu.clone()),
        ("processors", cores.unwrap_or_default()),
        ("memory", memory.unwrap_or_default()),
        ("kernel", machine.kernel.clone()),
        ("file system", machine.file_system.clone()),
    ];
    let own = own.into_iter().map(|(name, fact)| (name.to_owned(), fact));
    let set = settings(&sitting.settings).into_iter().filter(|(name, _)| !PLACES.contains(&name.as_str()));
    let known =
        |(name, fact): (String, String)| (name, if fact.is_empty() { NOT_KNOWN.to_owned() } else { fact });
    own.chain(versions(sitting)).chain(set).map(known).collect()
}

/// The version of each column, in the order in which they first came.
fn versions(sitting: &Results) -> Vec<(String, String)> {
    let mut versions: Vec<(String, String)> = Vec::new();
    for run in &sitting.runs {
        if versions.iter().all(|(name, _)| *name != run.column) {
            versions.push((run.column.clone(), run.version.clone()));
        }
    }
    versions
}

/// Each setting by its name; those within others by both names.
fn settings(settings: &Value) -> Vec<(String, String)> {
    let Value::Object(settings) = settings else { return Vec::new() };
    let mut facts = Vec::new();
    for (name, value) in settings {
        match value {
            Value::Null => {}
            Value::Object(_) => {
                let within = self::settings(value).into_iter();
                facts.extend(within.map(|(inner, value)| (format!("{name} {inner}"), value)));
            }
            value => facts.push((name.clone(), plain(value))),
        }
    }
    facts
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(plain).collect::<Vec<_>>().join(", "),
        value => value.to_string(),
    }
}

/// What a sitting is called among others: its number, and how many keys there were at most.
pub fn heading(number: usize, cases: &[Case<'_>]) -> String {
    let keys = cases.first().map(|case| format!(": {} keys", numbers::keys(case.keys_max)));
    format!("Sitting {number}{}", keys.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_within_others_have_both_names_and_nothing_is_left_out_but_what_is_not_set() {
        let all =
            serde_json::json!({ "ops": null, "knobs": { "codec": "lz4", "bits": 10 }, "rows": ["a", 2] });
        let expected = [("knobs bits", "10"), ("knobs codec", "lz4"), ("rows", "a, 2")];
        let expected = expected.map(|(name, fact)| (name.to_owned(), fact.to_owned()));
        assert_eq!(settings(&all), expected);
    }
}
