//! A connection to PostgreSQL that is kept up, for what several gateways share.
//!
//! ```text
//! Settings::parse ─▶ Postgres::start ─▶ a task: connect, set up, watch, connect again
//!                         │
//!                         ├▶ query: at once an error while there is no connection
//!                         └▶ news: notifications, and the connection's coming and going
//! ```
//!
//! Nothing here waits for a database that is away, and nothing shows what was sent to it.

mod connection;
mod settings;

pub use connection::{Failure, Postgres};
pub use settings::{AddressError, Settings};
pub use tokio_postgres::Row;
pub use tokio_postgres::types::{FromSql, ToSql, Type};
