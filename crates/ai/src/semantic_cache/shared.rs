//! Answers in a PostgreSQL database with the extension `vector`, for several gateways.
//!
//! The database compares exactly, within a partition, which an index finds. The time is the
//! database's, so that clocks of gateways need not agree. Answers are written behind the request, in
//! the order of their coming; what cannot be written is dropped and told. The bounds are kept by
//! whichever gateway wrote the last [`TRIM_AFTER`] answers, so they may be passed by so many for each.
//!
//! Source: <https://github.com/pgvector/pgvector>

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, StatusCode};
use pipeline::SemanticCacheSettings;
use postgres::{Failure, Postgres, Row, ToSql, Type};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::answers::Kept;
use super::index::{ENTRY_BYTES, Gathered, PartitionKey, ROUNDING, Stored};

/// Longest wait for the nearest answer: a cache that takes longer is no use.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(1);
/// Longest time for writing an answer or removing old ones.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// Answers that may wait to be written. Their bytes are bounded by what may be gathered.
const MAX_WAITING: usize = 256;
/// Answers after which the bounds are looked at.
const TRIM_AFTER: u32 = 64;

/// The table, made when it is not there. Gateways that start together take turns. The lock's number
/// is the name's first letters.
const SET_UP: &str = "
    SET statement_timeout = '20s';
    SELECT pg_advisory_lock(8102099357864587);
    CREATE EXTENSION IF NOT EXISTS vector;
    CREATE TABLE IF NOT EXISTS portcullis_semantic_cache (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        partition bytea NOT NULL,
        embedding vector NOT NULL,
        status smallint NOT NULL,
        content_type bytea,
        body bytea NOT NULL,
        n_bytes bigint NOT NULL,
        expires timestamptz NOT NULL
    );
    CREATE INDEX IF NOT EXISTS portcullis_semantic_cache_partition
        ON portcullis_semantic_cache (partition, expires);
    SELECT pg_advisory_unlock(8102099357864587);
";

/// The body is read for the one that is found only.
const NEAREST: &str = "
    SELECT kept.status, kept.content_type, kept.body
    FROM (
        SELECT id, embedding <=> $2::real[]::vector AS distance
        FROM portcullis_semantic_cache
        WHERE partition = $1 AND expires > now()
        ORDER BY distance
        LIMIT 1
    ) AS nearest
    JOIN portcullis_semantic_cache AS kept ON kept.id = nearest.id
    WHERE nearest.distance <= $3";

const KEEP: &str = "
    INSERT INTO portcullis_semantic_cache
        (partition, embedding, status, content_type, body, n_bytes, expires)
    VALUES ($1, $2::real[]::vector, $3, $4, $5, $6, now() + make_interval(secs => $7))";

const TRIM: &str = "
    WITH kept AS (
        SELECT id, expires,
            row_number() OVER newest AS n_entries,
            sum(n_bytes) OVER newest AS n_bytes
        FROM portcullis_semantic_cache
        WINDOW newest AS (ORDER BY id DESC)
    )
    DELETE FROM portcullis_semantic_cache
    USING kept
    WHERE portcullis_semantic_cache.id = kept.id
        AND (kept.expires <= now() OR kept.n_entries > $1 OR kept.n_bytes > $2)";

/// Answers in a database. Found by the policies as an extension.
pub struct SharedAnswers {
    postgres: Postgres,
    writer: mpsc::Sender<Job>,
}

struct Job {
    kept: Kept,
    bounds: SemanticCacheSettings,
    /// Given back when the job is done.
    _gathered: Gathered,
}

impl fmt::Debug for SharedAnswers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedAnswers").field(&self.postgres).finish()
    }
}

impl SharedAnswers {
    /// Statements for [`Postgres::start`], which make the table if it is not there.
    pub const SET_UP: &str = SET_UP;

    /// Starts the task that writes, on that runtime; it ends with the last reference.
    #[must_use]
    pub fn start(postgres: Postgres, runtime: &Handle) -> SharedAnswers {
        let (writer, jobs) = mpsc::channel(MAX_WAITING);
        runtime.spawn(write(postgres.clone(), jobs));
        SharedAnswers { postgres, writer }
    }

    pub(crate) async fn nearest(
        &self,
        key: &PartitionKey,
        vector: &[f32],
        threshold: f32,
    ) -> Result<Option<Stored>, Failure> {
        let partition = partition(key, vector);
        let threshold = f64::from(threshold + ROUNDING);
        let parameters: [(&(dyn ToSql + Sync), Type); 3] =
            [(&partition, Type::BYTEA), (&vector, Type::FLOAT4_ARRAY), (&threshold, Type::FLOAT8)];
        let rows = self.postgres.query(NEAREST, &parameters, LOOKUP_TIMEOUT).await?;
        rows.first().map(|row| stored(row).ok_or(Failure::Odd)).transpose()
    }

    pub(crate) fn keep(&self, kept: Kept, gathered: Gathered, bounds: SemanticCacheSettings) {
        if n_bytes(&kept) > bounds.max_total_bytes || bounds.max_entries == 0 {
            return;
        }
        if self.writer.try_send(Job { kept, bounds, _gathered: gathered }).is_err() {
            tracing::warn!("an answer is not kept: {MAX_WAITING} wait to be written");
        }
    }
}

/// Vectors of different lengths cannot be compared, so they share no partition.
fn partition(key: &PartitionKey, vector: &[f32]) -> Vec<u8> {
    let mut partition = key.to_vec();
    partition.extend_from_slice(&(vector.len() as u64).to_be_bytes());
    partition
}

fn n_bytes(kept: &Kept) -> usize {
    ENTRY_BYTES + size_of_val(&*kept.vector) + kept.stored.body.len()
}

fn stored(row: &Row) -> Option<Stored> {
    let status: i16 = row.try_get(0).ok()?;
    let content_type: Option<&[u8]> = row.try_get(1).ok()?;
    let body: &[u8] = row.try_get(2).ok()?;
    let mut headers = HeaderMap::new();
    if let Some(content_type) = content_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_bytes(content_type).ok()?);
    }
    let status = StatusCode::from_u16(u16::try_from(status).ok()?).ok()?;
    Some(Stored { status, headers, body: Bytes::copy_from_slice(body) })
}

async fn write(postgres: Postgres, mut jobs: mpsc::Receiver<Job>) {
    let mut n_since_trim = TRIM_AFTER;
    while let Some(job) = jobs.recv().await {
        if let Err(problem) = keep(&postgres, &job.kept).await {
            tracing::warn!(%problem, "an answer is not kept");
            continue;
        }
        n_since_trim += 1;
        if n_since_trim >= TRIM_AFTER {
            match trim(&postgres, &job.bounds).await {
                Ok(()) => n_since_trim = 0,
                Err(problem) => tracing::warn!(%problem, "old answers are not removed"),
            }
        }
    }
}

async fn keep(postgres: &Postgres, kept: &Kept) -> Result<(), Failure> {
    let partition = partition(&kept.key, &kept.vector);
    let status = i16::try_from(kept.stored.status.as_u16()).map_err(|_| Failure::Odd)?;
    let content_type = kept.stored.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let n_bytes = i64::try_from(n_bytes(kept)).unwrap_or(i64::MAX);
    let (vector, body) = (&*kept.vector, &*kept.stored.body);
    let seconds = kept.life.as_secs_f64();
    let parameters: [(&(dyn ToSql + Sync), Type); 7] = [
        (&partition, Type::BYTEA),
        (&vector, Type::FLOAT4_ARRAY),
        (&status, Type::INT2),
        (&content_type, Type::BYTEA),
        (&body, Type::BYTEA),
        (&n_bytes, Type::INT8),
        (&seconds, Type::FLOAT8),
    ];
    postgres.query(KEEP, &parameters, WRITE_TIMEOUT).await.map(drop)
}

async fn trim(postgres: &Postgres, bounds: &SemanticCacheSettings) -> Result<(), Failure> {
    let most = |it: usize| i64::try_from(it).unwrap_or(i64::MAX);
    let (n_entries, n_bytes) = (most(bounds.max_entries), most(bounds.max_total_bytes));
    let parameters: [(&(dyn ToSql + Sync), Type); 2] =
        [(&n_entries, Type::INT8), (&n_bytes, Type::INT8)];
    postgres.query(TRIM, &parameters, WRITE_TIMEOUT).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_of_another_length_are_in_another_partition() {
        let key = [7; 32];
        assert_ne!(partition(&key, &[1.0]), partition(&key, &[1.0, 0.0]));
        assert_eq!(partition(&key, &[1.0]), partition(&key, &[0.5]));
        assert_ne!(partition(&[8; 32], &[1.0]), partition(&key, &[1.0]));
    }
}
