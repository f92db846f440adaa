//! Templates of Azure Resource Manager, evaluated to the resources that they declare.
//!
//! ```text
//! template, parameters, what only Azure knows ─evaluate─▶ Deployment { resources, outputs, problems }
//! ```
//!
//! Written by hand or compiled from Bicep (`languageVersion` 2.0, too). Nothing is deployed and
//! nothing is fetched: `reference` of a resource that the template declares answers with what it
//! declares; what only a deployment would know (a key, an address that Azure chose) has to be
//! given by name, and a problem says which name that is.
//!
//! Source: <https://learn.microsoft.com/azure/azure-resource-manager/templates/syntax>

mod evaluate;
mod fault;
mod functions;
mod parameters;
mod resources;
mod scope;
mod syntax;
mod template;

pub use fault::{Missing, Problem};
pub use parameters::{parameter_of_text, read_parameters};
pub use template::{Deployment, Inputs, Resource, evaluate};
