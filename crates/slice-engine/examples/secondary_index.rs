//! Users by number, and by city as well: an index is keys of its own, kept in step by batches and transactions.
//!
//! ```text
//!   user:{number}               -> city
//!   city:{city}:{number}        -> nothing; the key says it all
//! ```

use slice::{Isolation, LSMTree, Result};

#[tokio::main]
async fn main() -> Result<()> {
    let dir = tempfile::tempdir().expect("there is a place for temporary files");
    let lsm = LSMTree::new(&dir).await?;

    for (number, city) in [(1, "Lund"), (2, "Rome"), (3, "Lund"), (4, "Lyon")] {
        move_user(&lsm, number, city).await?;
    }
    assert_eq!(users_in(&lsm, "Lund").await?, ["1", "3"]);

    move_user(&lsm, 3, "Rome").await?;
    println!("in Lund: {:?}; in Rome: {:?}", users_in(&lsm, "Lund").await?, users_in(&lsm, "Rome").await?);
    assert_eq!(users_in(&lsm, "Lund").await?, ["1"]);
    assert_eq!(users_in(&lsm, "Rome").await?, ["2", "3"]);
    Ok(())
}

/// Sets a user's city, in the record and in the index, as one. Two at the same time do not leave both cities behind:
/// the one that read what the other has changed is run again.
async fn move_user(lsm: &LSMTree, number: u32, city: &str) -> Result<()> {
    let (user, entry) = (format!("user:{number}"), format!("city:{city}:{number}"));
    let (user, entry) = (user.as_str(), entry.as_str());
    lsm.transact(Isolation::Serializable, |transaction| async move {
        if let Some(old) = transaction.get(user.as_bytes()).await? {
            let old = format!("city:{}:{number}", String::from_utf8_lossy(&old));
            transaction.delete(old.as_bytes())?;
        }
        transaction.put(user.as_bytes(), city.as_bytes())?;
        transaction.put(entry.as_bytes(), b"")
    })
    .await
}

async fn users_in(lsm: &LSMTree, city: &str) -> Result<Vec<String>> {
    let prefix = format!("city:{city}:");
    let mut entries = lsm.prefix(&prefix);
    let mut users = Vec::new();
    while let Some(entry) = entries.next().await {
        users.push(String::from_utf8_lossy(&entry?.0[prefix.len()..]).into_owned());
    }
    Ok(users)
}
