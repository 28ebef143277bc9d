//! Ordered reads: ranges, prefixes, backward, and a jump within a scan.

use slice::{LSMTree, Result};

#[tokio::main]
async fn main() -> Result<()> {
    let dir = tempfile::tempdir().expect("there is a place for temporary files");
    let lsm = LSMTree::new(&dir).await?;
    for (city, people) in [
        ("fr/lyon", "516"),
        ("fr/paris", "2133"),
        ("it/milan", "1366"),
        ("it/rome", "2755"),
        ("se/lund", "94"),
    ] {
        lsm.put(city.as_bytes(), people.as_bytes()).await?;
    }

    println!("in Italy:");
    let mut italy = lsm.prefix("it/");
    while let Some(entry) = italy.next().await {
        let (city, people) = entry?;
        println!("  {}: {},000", city.escape_ascii(), people.escape_ascii());
    }

    // A scan sees the moment at which it began, whatever is written meanwhile.
    let mut backward = lsm.range("fr/m".."se").rev();
    lsm.delete(b"it/milan").await?;
    let mut seen = Vec::new();
    while let Some(entry) = backward.next().await {
        seen.push(String::from_utf8_lossy(&entry?.0).into_owned());
    }
    println!("backward: {}", seen.join(", "));
    assert_eq!(seen, ["it/rome", "it/milan", "fr/paris"]);

    // From country to country, without reading the cities in between.
    let mut all = lsm.iter();
    let mut countries = Vec::new();
    while let Some(entry) = all.next().await {
        let country = String::from_utf8_lossy(&entry?.0[..2]).into_owned();
        all.seek(format!("{country}0"));
        countries.push(country);
    }
    println!("countries: {}", countries.join(", "));
    assert_eq!(countries, ["fr", "it", "se"]);
    Ok(())
}
