//! Case files: what goes in, what comes out, in plain text; run against the engine with fake edges.
//!
//! ```text
//! text ─parse─▶ Case ─World::run─▶ snapshot, proxy::Gateway::handle ─▶ Outcome ─compare─▶ differences
//! ```
//!
//! Start with [`run_text`] or [`run_folder`]. The engine is the one that serves; only the client,
//! the clock and the randomness are fakes, so a case gives the same result every time. Policies
//! come from outside: the caller hands in a [`Registry`](pipeline::Registry).
//!
//! With the feature `sockets`, [`World::over_sockets`] runs the same cases with a client, a
//! listener and a backend on loopback in place of the fakes.
//!
//! # The format
//!
//! A file holds one case or several, separated by lines of `===`. A case is a name on a line of
//! its own and then blocks, each headed by a line that starts with `--- `. Lines before the name
//! that start with `#` are comments.
//!
//! What goes in:
//!
//! | Block | Content |
//! |---|---|
//! | `inbound`, `backend`, `outbound`, `on-error` | the policies of the section, at API scope; a section without a block inherits. `backend` holds policies if it starts with `<` |
//! | `policies` | a whole document at API scope instead |
//! | `policies SCOPE` | a whole document at `global`, `product`, `api` or `operation` scope |
//! | `fragment NAME` | a policy fragment, with or without its root element |
//! | `named values` | lines `name: value`; `secret name: value` is never shown |
//! | `backends` | lines `name: URL` |
//! | `loggers` | lines `name: connection string of an event hub` |
//! | `connection PROVIDER NAME` | lines `token-url:`, `client-id:`, `client-secret:`, `refresh-token:`, `scopes:`, `secret-in:`, `access: managed` or `access: TENANT OBJECT` |
//! | `operation` | method and URL template; without it any request matches |
//! | `specification` | an OpenAPI document whose operations there are, instead of `operation` |
//! | `graphql` | the schema of a GraphQL API that the gateway serves; `graphql passed on`: that the backend serves |
//! | `resolver TYPE/FIELD` | the document of a resolver of that API |
//! | `certificate NAME` | a certificate as PEM, perhaps with its private key |
//! | `client certificate` | the client's certificate and those above it, as PEM |
//! | `client authorities` | who is trusted to name clients, as PEM; nobody if absent |
//! | `api schema NAME` | an XML schema of the API |
//! | `named schema NAME` | an uploaded schema: JSON, or XML if it starts with `<` |
//! | `described STATUS TYPE` | the example of a described response |
//! | `schema STATUS TYPE` | the JSON schema of a described response |
//! | `subscriptions` | lines `name: key`; each opens all APIs. `subscriptions required`: the API needs one |
//! | `largest body` | how many bytes of a body the gateway keeps in memory |
//! | `request` | request line, headers, an empty line, the body; `GET /` if absent |
//! | `request`, `request after 60s` again | the next request to the same gateway, the clock having gone on; what must come out of it follows |
//! | `backend response` | status line, headers, an empty line, the body; `200` if absent. `connection refused` and `timeout` are failures. Several blocks answer several calls in order, the last one all further ones |
//! | `answer URL` | the same for another address that the gateway calls |
//!
//! A body that is sent may be written in short: `(base64 TEXT)`, `(1000 times TEXT)`, `(gzip TEXT)`,
//! `(deflate TEXT)`, `(br TEXT)`, `(first 20 of TEXT)`, and each of them in place of `TEXT`.
//!
//! What must come out; what is not mentioned is not looked at:
//!
//! | Block | Content |
//! |---|---|
//! | `response` | status (and reason), headers, the body. `!name` is a header that is absent, `(empty)` an empty body |
//! | `backend` | `not called`, or the last request that the backend got: method and URL, headers, body. Several blocks are all its requests in order |
//! | `call` | a request that an address with an `answer` got |
//! | `variables` | lines `name: text`; `!name` is absent. `name (System.Int32): 5` looks at the type, too |
//! | `last error` | lines `source: ...`, `reason:`, `message:`, `scope:`, `section:`, `path:`, `policy-id:`; `none` |
//! | `metrics` | lines of the gateway's metrics, as Prometheus shows them; `!text` is in none |
//! | `error` | the problems that keep the document from loading: a code a line, perhaps followed by a part of the message |
//! | `warning` | the same for problems that do not |
//!
//! The service of the API is `https://backend.example`, the gateway is
//! `https://gateway.example`, and every request has the id
//! `00000000-0000-4000-8000-000000000000`. The clock starts at 2026-01-01T00:00:00Z and goes on
//! only while somebody waits for it, or before a request that says so. Identity providers and the metadata service
//! (`http://169.254.169.254`) are addresses like any other: give them an `answer`. An `answer`
//! without `?` answers whatever the query is.

mod caller;
mod case;
mod compare;
mod connections;
mod described;
mod edges;
mod meant;
mod parse;
mod report;
mod snapshot;
#[cfg(feature = "sockets")]
mod sockets;
mod world;

pub use case::{
    Answer, Case, Connection, Described, Exchange, Expected, ExpectedBackend, Got, Message,
};
pub use parse::{ParseError, parse};
pub use report::{CaseReport, Report, run_folder, run_in, run_text};
pub use world::{Outcome, World};
