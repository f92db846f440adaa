//! One case: what goes in and what must come out.

use std::time::Duration;

use bytes::Bytes;

use crate::meant;

/// A connection of a credential provider: provider, name, and lines about it.
pub type Connection = (String, String, Vec<(String, String)>);

/// A case as its file has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Case {
    /// Its name: a sentence.
    pub name: String,
    /// The line of the file where the name stands.
    pub line: usize,
    /// Documents by scope; sections that stand alone make one at API scope.
    pub documents: Vec<(pipeline::Scope, String)>,
    /// Fragments by name, with their root element.
    pub fragments: Vec<(String, String)>,
    /// Named values: name, value, whether it is secret.
    pub named_values: Vec<(String, String, bool)>,
    /// Backends: name and URL.
    pub backends: Vec<(String, String)>,
    /// Loggers: name and the connection string of an event hub.
    pub loggers: Vec<(String, String)>,
    /// Connections of credential providers: provider, name, and lines about it.
    pub connections: Vec<Connection>,
    /// The operation: method and URL template.
    pub operation: Option<(String, String)>,
    /// The specification that describes the operations, instead of `operation`.
    pub specification: Option<String>,
    /// The schema of a GraphQL API, and whether requests can be passed on to the backend.
    pub graphql: Option<(String, bool)>,
    /// Resolvers of the GraphQL API: `type/field` and document.
    pub resolvers: Vec<(String, String)>,
    /// Uploaded schemas: name and text.
    pub named_schemas: Vec<(String, String)>,
    /// XML schemas of the API by name.
    pub api_schemas: Vec<(String, String)>,
    /// Certificates: name and PEM text, perhaps with the private key.
    pub certificates: Vec<(String, String)>,
    /// The client's certificate and those above it, as PEM; none if it sends none.
    pub client_certificates: Option<String>,
    /// Certificate authorities that are trusted to name clients, as PEM.
    pub client_authorities: Option<String>,
    /// Described responses: status, media type, example or schema.
    pub described: Vec<(u16, String, Described)>,
    /// Subscriptions to all APIs: name and key.
    pub subscriptions: Vec<(String, String)>,
    /// Whether the API needs one.
    pub is_subscription_required: bool,
    /// Largest body that is kept in memory; the gateway's own bound if absent.
    pub max_body_bytes: Option<usize>,
    /// The requests before the last one, in order, each with what must come out of it.
    pub earlier: Vec<Exchange>,
    /// The request: its first line is the request line.
    pub request: Message,
    /// How far the clock goes on before the request.
    pub after: Duration,
    /// What the backend answers, call by call; the last answer again and again.
    pub backend_responses: Vec<Answer>,
    /// What other addresses answer; several of one address as those of the backend.
    pub answers: Vec<(String, Answer)>,
    /// What must come out.
    pub expected: Expected,
}

/// One request and what must come out of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// The request: its first line is the request line.
    pub request: Message,
    /// How far the clock goes on before the request.
    pub after: Duration,
    /// What must come out; problems of the documents are those of the case.
    pub expected: Expected,
}

/// What a described response brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Described {
    /// The text of an example.
    Example(String),
    /// A JSON schema.
    Schema(String),
}

/// A message: a first line, headers, and perhaps a body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The request line, or the status line.
    pub first_line: String,
    /// Names and values; a name that starts with `!` is absent.
    pub headers: Vec<(String, String)>,
    /// The body; none if it is not mentioned.
    pub body: Option<String>,
}

impl Message {
    /// The body as it is sent: its text, or the bytes that it means in short ([`crate::meant`]).
    pub(crate) fn bytes(&self) -> Bytes {
        self.body.as_deref().map_or_else(Bytes::new, |it| meant::bytes(it).into())
    }
}

/// What a call brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A response.
    Response(Message),
    /// Nobody listens.
    ConnectionRefused,
    /// Nothing comes in time.
    Timeout,
}

impl Default for Answer {
    fn default() -> Answer {
        Answer::Response(Message { first_line: "200".to_owned(), ..Message::default() })
    }
}

/// What must come out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// The response to the client.
    pub response: Option<Message>,
    /// What the backend got.
    pub backend: Option<ExpectedBackend>,
    /// Calls that other addresses got; `Message::first_line` is method and URL.
    pub calls: Vec<Message>,
    /// Variables: name, type if it matters, text; a name that starts with `!` is absent.
    pub variables: Vec<(String, Option<String>, String)>,
    /// Lines of the gateway's metrics; what begins with `!` is in none.
    pub metrics: Vec<String>,
    /// Members of `context.LastError`; empty and present: there is none.
    pub last_error: Option<Vec<(String, String)>>,
    /// Problems that keep the document from loading: code and part of the message.
    pub errors: Option<Vec<(String, String)>>,
    /// Problems that do not.
    pub warnings: Option<Vec<(String, String)>>,
}

/// What the backend must have got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpectedBackend {
    /// Nothing.
    NotCalled,
    /// One: the last call. Several: all calls in order. `Message::first_line` is method and URL.
    Called(Vec<Message>),
}

/// How a request went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Got {
    /// The response to the client.
    pub response: Message,
    /// What the backend (or another address without an answer of its own) got, in order.
    pub backend: Vec<Message>,
    /// What addresses with an answer of their own got, in order.
    pub others: Vec<Message>,
    /// Variables: name, .NET type, text.
    pub variables: Vec<(String, String, String)>,
    /// Lines of the gateway's metrics.
    pub metrics: Vec<String>,
    /// Members of `context.LastError`; empty if there was no error.
    pub last_error: Vec<(String, String)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_is_not_mentioned_is_empty() {
        let message = Message { body: Some("(2 times a)".to_owned()), ..Message::default() };
        assert_eq!(message.bytes(), "aa");
        assert!(Message::default().bytes().is_empty());
    }
}
