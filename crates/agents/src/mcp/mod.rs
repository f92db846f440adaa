//! An MCP server whose tools are operations of APIs.
//!
//! It keeps nothing of a session: every message is answered by itself, so that several gateways can
//! answer one client.
//!
//! Source: <https://modelcontextprotocol.io/specification/2025-11-25/server/tools>,
//! <https://learn.microsoft.com/azure/api-management/export-rest-mcp-server>

mod answer;
mod arguments;
mod message;
mod portable;
mod result;
mod tool;
mod version;
mod written;

use std::collections::HashMap;

pub use answer::{Answer, Call};
pub use arguments::{Argument, HttpCall};
pub use message::{
    BadMessage, Failure, HEADER_MISMATCH, INVALID_PARAMS, INVALID_REQUEST, Incoming, Message,
    PARSE_ERROR, failure, reply,
};
pub use result::{Answered, Content, tool_error, tool_result};
pub use tool::{Target, Tool, ToolText};
pub use version::{Headers, Version, decode_name};

/// Most tools of a server.
pub const MAX_TOOLS: usize = 1_000;

/// Tools of one answer to `tools/list`.
pub const PAGE: usize = 100;

/// Most messages of a batch (2025-03-26 only).
pub const MAX_BATCH: usize = 32;

/// Longest message, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;

/// Longest name of a tool, in characters.
pub const MAX_NAME: usize = 128;

/// An MCP server.
#[derive(Debug, Default)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// Its name for people.
    pub title: String,
    /// Its version.
    pub version: String,
    /// What a model is told of it.
    pub instructions: Option<String>,
    tools: Vec<Tool>,
    by_name: HashMap<String, usize>,
}

impl Server {
    /// A server with these tools.
    ///
    /// # Errors
    ///
    /// The name that two of them have, or that there are too many.
    pub fn with_tools(mut self, tools: Vec<Tool>) -> Result<Server, String> {
        if tools.len() > MAX_TOOLS {
            return Err(format!("more than {MAX_TOOLS} tools"));
        }
        for (n, tool) in tools.iter().enumerate() {
            if self.by_name.insert(tool.name().to_owned(), n).is_some() {
                return Err(format!("two tools are called `{}`", tool.name()));
            }
        }
        self.tools = tools;
        Ok(self)
    }

    /// Its tools, in the order in which they are listed.
    #[must_use]
    pub fn tools(&self) -> &[Tool] {
        &self.tools
    }

    /// The tool of a name.
    #[must_use]
    pub fn tool(&self, name: &str) -> Option<&Tool> {
        self.tools.get(*self.by_name.get(name)?)
    }
}

/// Whether a text can be the name of a tool: 1 to 128 of `A-Z a-z 0-9 _ - .`.
///
/// Source: <https://modelcontextprotocol.io/specification/2025-11-25/server/tools#tool-names>
#[must_use]
pub fn is_tool_name(text: &str) -> bool {
    let is_fine = |it: char| it.is_ascii_alphanumeric() || matches!(it, '_' | '-' | '.');
    !text.is_empty() && text.len() <= MAX_NAME && text.chars().all(is_fine)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tools_are_of_few_characters() {
        for (name, is_fine) in [
            ("get-order", true),
            ("Orders.get_1", true),
            ("", false),
            ("get order", false),
            ("é", false),
        ] {
            assert_eq!(is_tool_name(name), is_fine, "{name}");
        }
        assert!(is_tool_name(&"a".repeat(MAX_NAME)) && !is_tool_name(&"a".repeat(MAX_NAME + 1)));
    }

    #[test]
    fn tools_have_names_of_their_own_and_are_bounded() {
        let tool = |name: &str| Tool::test(name);
        let two = Server::default().with_tools(vec![tool("a"), tool("a")]);
        assert_eq!(two.unwrap_err(), "two tools are called `a`");
        let many = (0..=MAX_TOOLS).map(|n| tool(&n.to_string())).collect();
        assert_eq!(Server::default().with_tools(many).unwrap_err(), "more than 1000 tools");
        let server = Server::default().with_tools(vec![tool("a"), tool("b")]).unwrap();
        assert_eq!(server.tool("b").unwrap().name(), "b");
        assert!(server.tool("c").is_none());
    }
}
