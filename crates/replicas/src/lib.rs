//! One configuration for many gateways, in a PostgreSQL database.
//!
//! ```text
//! push, management call ─▶ DatabaseFiles::write ─ one statement ─▶ tables ─ NOTIFY ─┐
//!                                                                                  ▼
//! Store ◀─ reload ◀─ follow ◀─ what changed since the known version ◀─ news, or a poll
//!                       └─▶ the local copy, from which a gateway starts without the database
//! ```
//!
//! Start with [`DatabaseFiles::open`] and [`follow`]. Each gateway has settings of its own: the
//! `portcullis.yaml` that names the database. All other files are the database's.
//!
//! Nothing here loads a configuration: that is what `config::Store` does.

mod copy;
mod database;
mod files;
mod follow;

pub use database::SET_UP;
pub use files::{DatabaseFiles, Standing, settings_file};
pub use follow::follow;
