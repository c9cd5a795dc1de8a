//! The tables, and how those of an older version become them.

use super::{StoreError, StoreErrorKind};
use rusqlite::{Connection, TransactionBehavior};

/// One step per version. A file says in `user_version` how many it has behind it.
pub(crate) const MIGRATIONS: &[&str] = &[include_str!("schema/1.sql")];

/// Brings a file up to date; all or nothing.
pub(crate) fn migrate(connection: &mut Connection, migrations: &[&str]) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: usize = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let Some(missing) = migrations.get(version..) else {
        return Err(StoreError::new(
            StoreErrorKind::TooNew,
            format!("the store is of version {version}, written by a newer jkool; this one knows {}", migrations.len()),
        ));
    };
    for migration in missing {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", migrations.len())?;
    Ok(transaction.commit()?)
}

#[cfg(test)]
mod tests {
    use super::{StoreErrorKind, migrate};
    use rusqlite::Connection;

    const FIRST: &str = "CREATE TABLE a (x); INSERT INTO a VALUES (1);";

    #[test]
    fn only_what_is_missing_is_done() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &[FIRST]).unwrap();
        for _ in 0..2 {
            migrate(&mut connection, &[FIRST, "ALTER TABLE a ADD COLUMN y DEFAULT 2;"]).unwrap();
        }
        let row = connection.query_row("SELECT x, y FROM a", [], |row| Ok((row.get(0)?, row.get(1)?)));
        assert_eq!(row, Ok((1, 2)));
    }

    #[test]
    fn a_step_that_fails_leaves_all_as_it_was() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &[FIRST]).unwrap();
        let broken = "CREATE TABLE b (x); INSERT INTO nowhere VALUES (1);";
        assert!(migrate(&mut connection, &[FIRST, broken]).is_err());
        let tables = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0));
        assert_eq!(tables, Ok(1));
        assert_eq!(connection.pragma_query_value(None, "user_version", |row| row.get(0)), Ok(1));
    }

    #[test]
    fn a_newer_file_is_left_alone() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &[FIRST, ""]).unwrap();
        assert_eq!(migrate(&mut connection, &[FIRST]).unwrap_err().kind(), StoreErrorKind::TooNew);
    }
}
