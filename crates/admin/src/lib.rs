//! The management API: Azure Resource Manager's shapes over the files of a configuration.
//!
//! ```text
//! request ─▶ ManagementService: token, api-version, audit
//!                └▶ Engine ─▶ View: files as resources (kinds.rs: one row per resource type)
//!                     └ write::put ─▶ changes of files ─▶ Configuration: load, write, swap
//! ```
//!
//! The files of an artifact folder are the resources, and their information files hold Azure's
//! `properties`, so one engine serves every kind. A change is loaded before it is written: what
//! would not load is refused with the reasons, and nothing changes.
//!
//! Start with [`ManagementService`] for the listener, with [`Engine`] for calls without one.
//! Nothing is answered without a token but the documents that clients read before they sign in.
//! This crate never sees a policy by name.

mod address;
mod audit;
mod auth;
mod certificate;
mod configuration;
mod described;
mod documents;
mod draft;
mod engine;
mod exported;
mod filter;
mod import;
mod index;
mod kinds;
mod links;
mod metadata;
mod problem;
mod references;
mod revisions;
mod secrets;
mod service;
mod shown;
mod special;
mod store_files;
#[cfg(test)]
mod test_support;
mod view;
mod write;

pub use address::ServiceName;
pub use auth::{Authority, BadTokens, StaticTokens};
pub use configuration::{Configuration, FileChange, Held, Refused};
pub use engine::{Answer, Call, Engine};
pub use metadata::Surroundings;
pub use problem::{Detail, Problem};
pub use service::{ManagementService, ManagementSettings, details};
pub use store_files::StoreFiles;
