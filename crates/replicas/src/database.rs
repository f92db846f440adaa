//! The tables and the statements.
//!
//! A change is one statement, so it happens as a whole or not at all, and of two writers that know
//! the same version one finds no row to update. Removed files leave a row without a text, so that
//! gateways that come back learn of it; after [`KEPT_REMOVALS`] versions the row goes, and who has
//! been away for longer reads everything again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use config::files::Change;
use postgres::{Failure, Postgres, Row, ToSql, Type};

/// The version of the tables.
pub(crate) const SCHEMA: i32 = 1;
/// Versions for which a removed file is remembered.
pub(crate) const KEPT_REMOVALS: i64 = 1_000;
/// Longest waits for an answer: to the question for the version, to reading, and to writing.
const POLL_TIMEOUT: Duration = Duration::from_secs(2);
const READ_TIMEOUT: Duration = Duration::from_secs(20);
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// Statements for [`Postgres::start`]: they make the tables if there are none, and listen. Gateways
/// that start together take turns. A gateway that may only read is served if the tables are there.
pub const SET_UP: &str = "
    SET statement_timeout = '60s';
    DO $$ BEGIN
        PERFORM pg_advisory_xact_lock(8102099357864588);
        IF to_regclass('portcullis_configuration') IS NULL THEN
            CREATE TABLE portcullis_configuration (
                one boolean PRIMARY KEY DEFAULT true CHECK (one),
                schema integer NOT NULL,
                id text NOT NULL,
                version bigint NOT NULL,
                complete_since bigint NOT NULL,
                last_write text NOT NULL,
                changed timestamptz NOT NULL DEFAULT now()
            );
            CREATE TABLE portcullis_configuration_file (
                name text PRIMARY KEY,
                text text,
                version bigint NOT NULL
            );
            INSERT INTO portcullis_configuration (schema, id, version, complete_since, last_write)
            VALUES (1, md5(random()::text || clock_timestamp()::text), 0, 0, '');
        END IF;
    END $$;
    LISTEN portcullis_configuration;
";

const HEAD: &str = "SELECT schema, id, version, last_write FROM portcullis_configuration";

/// As [`HEAD`], once a write that is being carried out is done.
const HEAD_AFTER: &str =
    "SELECT schema, id, version, last_write FROM portcullis_configuration FOR UPDATE";

/// What has changed since the version that is known, or everything.
const READ: &str = "
    SELECT head.schema, head.id, head.version, head.is_whole, file.name, file.text
    FROM (
        SELECT *, NOT (id = $1 AND $2 BETWEEN complete_since AND version) AS is_whole
        FROM portcullis_configuration
    ) AS head
    LEFT JOIN portcullis_configuration_file AS file
        ON CASE WHEN head.is_whole THEN file.text IS NOT NULL ELSE file.version > $2 END";

const WRITE: &str = "
    WITH head AS (
        UPDATE portcullis_configuration
        SET version = version + 1, last_write = $4, changed = now(),
            complete_since = greatest(complete_since, version + 1 - $5)
        WHERE version = $1 AND schema = $6
        RETURNING version, complete_since
    ), put AS (
        INSERT INTO portcullis_configuration_file AS file (name, text, version)
        SELECT change.name, change.text, head.version
        FROM head, unnest($2::text[], $3::text[]) AS change (name, text)
        ON CONFLICT (name) DO UPDATE SET text = EXCLUDED.text, version = EXCLUDED.version
    ), forgotten AS (
        DELETE FROM portcullis_configuration_file AS file USING head
        WHERE file.text IS NULL AND file.version <= head.complete_since
            AND NOT file.name = ANY ($2::text[])
    )
    SELECT version, pg_notify('portcullis_configuration', version::text)::text FROM head";

/// The first row of the tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) schema: i32,
    pub(crate) id: String,
    pub(crate) version: i64,
    pub(crate) last_write: String,
}

/// What a read gave.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) schema: i32,
    pub(crate) id: String,
    pub(crate) version: i64,
    /// Whether these are all files, or those that have changed.
    pub(crate) is_whole: bool,
    /// Texts by name; none: the file is gone.
    pub(crate) files: BTreeMap<Arc<str>, Option<Arc<str>>>,
}

pub(crate) async fn head(postgres: &Postgres) -> Result<Head, Failure> {
    head_of(&postgres.query(HEAD, &[], POLL_TIMEOUT).await?)
}

/// The head once no write is being carried out any more.
pub(crate) async fn head_after(postgres: &Postgres) -> Result<Head, Failure> {
    head_of(&postgres.query(HEAD_AFTER, &[], READ_TIMEOUT).await?)
}

fn head_of(rows: &[Row]) -> Result<Head, Failure> {
    let row = rows.first().ok_or(Failure::Odd)?;
    Ok(Head {
        schema: get(row, 0)?,
        id: get(row, 1)?,
        version: get(row, 2)?,
        last_write: get(row, 3)?,
    })
}

pub(crate) async fn read(postgres: &Postgres, id: &str, version: i64) -> Result<Answer, Failure> {
    let parameters: [(&(dyn ToSql + Sync), Type); 2] = [(&id, Type::TEXT), (&version, Type::INT8)];
    let rows = postgres.query(READ, &parameters, READ_TIMEOUT).await?;
    let first = rows.first().ok_or(Failure::Odd)?;
    let mut files = BTreeMap::new();
    for row in &rows {
        let Some(name) = get::<Option<&str>>(row, 4)? else { continue };
        files.insert(name.into(), get::<Option<&str>>(row, 5)?.map(Arc::from));
    }
    Ok(Answer {
        schema: get(first, 0)?,
        id: get(first, 1)?,
        version: get(first, 2)?,
        is_whole: get(first, 3)?,
        files,
    })
}

/// Writes if the version is the `expected` one; the new version then. `mark` tells this write from
/// others.
pub(crate) async fn write(
    postgres: &Postgres,
    changes: &[Change],
    expected: i64,
    mark: &str,
) -> Result<Option<i64>, Failure> {
    let names: Vec<&str> = changes.iter().map(Change::name).collect();
    let texts: Vec<Option<&str>> = changes
        .iter()
        .map(|it| match it {
            Change::Put { text, .. } => Some(text.as_str()),
            Change::Delete { .. } => None,
        })
        .collect();
    let parameters: [(&(dyn ToSql + Sync), Type); 6] = [
        (&expected, Type::INT8),
        (&names, Type::TEXT_ARRAY),
        (&texts, Type::TEXT_ARRAY),
        (&mark, Type::TEXT),
        (&KEPT_REMOVALS, Type::INT8),
        (&SCHEMA, Type::INT4),
    ];
    let rows = postgres.query(WRITE, &parameters, WRITE_TIMEOUT).await?;
    rows.first().map(|row| get(row, 0)).transpose()
}

fn get<'a, T: postgres::FromSql<'a>>(row: &'a Row, at: usize) -> Result<T, Failure> {
    row.try_get(at).map_err(|_| Failure::Odd)
}
