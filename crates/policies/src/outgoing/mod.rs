//! Requests that policies make beside the one at hand: `send-request` and its like.
//!
//! ```text
//! element ─compile─▶ Draft ─make (reads the context)─▶ Call ─send (does not)─▶ Response
//! ```
//!
//! Start with [`Draft`]. Only [`Draft::make`] sees the context, so that others can use it while
//! [`Call::send`] waits.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/send-request-policy>

mod call;
mod draft;
mod url;

pub(crate) use call::{Call, variable};
pub(crate) use draft::{
    AUTHENTICATION_CERTIFICATE, AUTHENTICATION_MANAGED_IDENTITY, Draft, MODE, PROXY, SET_BODY,
    SET_HEADER, SET_METHOD, SET_URL, TIMEOUT, request,
};
pub(crate) use url::CallUrl;
