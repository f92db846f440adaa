//! What agents speak, without a socket: MCP servers made of operations, and agent cards of A2A.
//!
//! ```text
//! operations ─▶ Server ─ answer(message) ─▶ a reply, or the call of a tool ─▶ HttpCall
//!                                                                               │
//!                                           ToolResult ◀── status, headers, body ┘
//! agent card of the backend ─ rewrite ─▶ agent card of the gateway
//! ```
//!
//! Start with [`mcp::Server`] or [`card::rewrite`]. Everything here is computed at once and on plain
//! values; who runs the pipeline of a tool's operation stands above.
//!
//! Source: <https://modelcontextprotocol.io/specification>, <https://a2a-protocol.org/>

pub mod card;
pub mod mcp;
