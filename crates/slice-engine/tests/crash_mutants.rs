//! Each sync of the store is needed, and the crashes would find that it is missing: see `slice_crash::crashes::mutants`.

use slice_crash::crashes::{Config, mutants};

#[test]
fn a_store_without_any_one_of_its_syncs_loses_something() {
    let mutants = mutants::run(0..6, &Config::default(), |mutant| println!("{mutant}"));
    assert_eq!(mutants.len(), slice::sync_sites::ALL.len());
    let survivors: Vec<_> = mutants.iter().filter(|mutant| mutant.caught.is_none()).collect();
    assert!(survivors.is_empty(), "{survivors:#?}");
}
