//! The management API over a folder, with every policy that is built in.

mod folder;
mod property;
