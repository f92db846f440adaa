//! The answer to a message: at once, or by calling a tool.

use serde_json::{Map, Value, json};

use super::arguments::HttpCall;
use super::message::{Failure, INVALID_PARAMS, METHOD_NOT_FOUND, Message, failure, reply};
use super::result::{Answered, tool_error};
use super::tool::Tool;
use super::version::{self, Headers, Version};
use super::{PAGE, Server};

const META_SERVER: &str = "io.modelcontextprotocol/serverInfo";

/// What a message asks for.
#[derive(Debug)]
pub enum Answer<'a> {
    /// This is the reply.
    Reply(Value),
    /// The protocol was not kept.
    Failed(Value, Failure),
    /// A tool is to be called.
    Call(Call<'a>),
    /// There is nothing to reply to.
    Accepted,
}

/// A tool that is to be called.
#[derive(Debug)]
pub struct Call<'a> {
    /// The tool.
    pub tool: &'a Tool,
    /// The request to its operation.
    pub http: HttpCall,
    id: Value,
    version: Version,
    info: Value,
}

impl Call<'_> {
    /// The reply, from what the operation answered.
    #[must_use]
    pub fn reply(&self, answered: Answered) -> Value {
        reply(&self.id, complete(answered.into_value(), self.version, &self.info))
    }
}

impl Server {
    /// Answers a message.
    #[must_use]
    pub fn answer(&self, message: &Message, version: Version, headers: Headers<'_>) -> Answer<'_> {
        let Some(id) = message.id() else { return Answer::Accepted };
        let checked = version.check(message, headers);
        match checked.and_then(|()| self.dispatch(id, message, version)) {
            Ok(answer) => answer,
            Err(error) => Answer::Failed(failure(id, &error), error),
        }
    }

    fn dispatch(
        &self,
        id: &Value,
        message: &Message,
        version: Version,
    ) -> Result<Answer<'_>, Failure> {
        let params = message.params();
        let done =
            |result: Value| Ok(Answer::Reply(reply(id, complete(result, version, &self.info()))));
        match (message.method(), version.is_stateless()) {
            ("initialize", false) => Ok(Answer::Reply(reply(id, self.initialize(params)?))),
            ("ping", false) => Ok(Answer::Reply(reply(id, json!({})))),
            ("server/discover", true) => {
                let mut result = json!({
                    "supportedVersions": version::all(),
                    "capabilities": { "tools": {} },
                    "ttlMs": 0,
                    "cacheScope": "private",
                });
                self.instruct(&mut result);
                done(result)
            }
            ("tools/list", is_stateless) => {
                let mut result = self.list(params)?;
                if let Some(members) = result.as_object_mut().filter(|_| is_stateless) {
                    members.insert("ttlMs".to_owned(), json!(0));
                    members.insert("cacheScope".to_owned(), json!("private"));
                }
                done(result)
            }
            ("tools/call", _) => self.call(id, params, version),
            (other, _) => {
                let shown: String = other.chars().take(100).collect();
                Err(Failure::new(METHOD_NOT_FOUND, format!("Method not found: {shown}")))
            }
        }
    }

    fn info(&self) -> Value {
        json!({ "name": self.name, "title": self.title, "version": self.version })
    }

    fn instruct(&self, result: &mut Value) {
        if let (Some(members), Some(text)) = (result.as_object_mut(), &self.instructions) {
            members.insert("instructions".to_owned(), json!(text));
        }
    }

    fn initialize(&self, params: &Map<String, Value>) -> Result<Value, Failure> {
        let Some(asked) = params.get("protocolVersion").and_then(Value::as_str) else {
            return Err(Failure::new(INVALID_PARAMS, "`protocolVersion` must be a string"));
        };
        let mut result = json!({
            "protocolVersion": Version::agreed(asked).name(),
            "capabilities": { "tools": { "listChanged": false } },
            "serverInfo": self.info(),
        });
        self.instruct(&mut result);
        Ok(result)
    }

    /// A page of the tools. A cursor is the place of the first tool of its page.
    fn list(&self, params: &Map<String, Value>) -> Result<Value, Failure> {
        let start = match params.get("cursor") {
            None | Some(Value::Null) => 0,
            Some(cursor) => cursor
                .as_str()
                .and_then(|it| it.parse::<usize>().ok())
                .filter(|it| *it < self.tools.len())
                .ok_or_else(|| Failure::new(INVALID_PARAMS, "Invalid cursor"))?,
        };
        let page: Vec<&Value> =
            self.tools.iter().skip(start).take(PAGE).map(Tool::listed).collect();
        let next = start + page.len();
        let mut result = json!({ "tools": page });
        if let Some(members) = result.as_object_mut().filter(|_| next < self.tools.len()) {
            members.insert("nextCursor".to_owned(), json!(next.to_string()));
        }
        Ok(result)
    }

    /// Arguments that do not fit are told as the tool's own error, which the model sees and can
    /// correct.
    fn call(
        &self,
        id: &Value,
        params: &Map<String, Value>,
        version: Version,
    ) -> Result<Answer<'_>, Failure> {
        let Some(name) = params.get("name").and_then(Value::as_str) else {
            return Err(Failure::new(INVALID_PARAMS, "`name` must be a string"));
        };
        let Some(tool) = self.tool(name) else {
            let shown: String = name.chars().take(100).collect();
            return Err(Failure::new(INVALID_PARAMS, format!("Unknown tool: {shown}")));
        };
        let none = Map::new();
        let arguments = match params.get("arguments") {
            None | Some(Value::Null) => &none,
            Some(Value::Object(arguments)) => arguments,
            Some(_) => return Err(Failure::new(INVALID_PARAMS, "`arguments` must be an object")),
        };
        let info = self.info();
        match tool.http_call(arguments) {
            Ok(http) => Ok(Answer::Call(Call { tool, http, id: id.clone(), version, info })),
            Err(text) => {
                let result = complete(tool_error(&text).into_value(), version, &info);
                Ok(Answer::Reply(reply(id, result)))
            }
        }
    }
}

/// A result as its version has it.
fn complete(mut result: Value, version: Version, info: &Value) -> Value {
    let Some(members) = result.as_object_mut() else { return result };
    if version == Version::V2025March {
        members.remove("structuredContent");
    }
    if version.is_stateless() {
        members.insert("resultType".to_owned(), json!("complete"));
        members.insert("_meta".to_owned(), json!({ META_SERVER: info }));
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::message::HEADER_MISMATCH;

    fn server(n_tools: usize) -> Server {
        let tools = (0..n_tools).map(|n| Tool::test(&format!("tool{n}"))).collect();
        let server = Server {
            name: "orders".to_owned(),
            title: "Orders".to_owned(),
            version: "1".to_owned(),
            instructions: Some("Ask kindly.".to_owned()),
            ..Server::default()
        };
        server.with_tools(tools).unwrap()
    }

    fn asked(server: &Server, version: Version, method: &str, params: Value) -> Value {
        let message = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let message = Message::read(message).unwrap();
        let headers = Headers { method: Some(method), ..Headers::default() };
        match server.answer(&message, version, headers) {
            Answer::Reply(reply) | Answer::Failed(reply, _) => reply,
            Answer::Call(call) => call.reply(tool_error("called")),
            Answer::Accepted => Value::Null,
        }
    }

    #[test]
    fn initialize_names_the_server_and_what_it_can() {
        let result = asked(
            &server(1),
            Version::V2025March,
            "initialize",
            json!({ "protocolVersion": "2025-06-18" }),
        );
        let result = &result["result"];
        assert_eq!(result["protocolVersion"], "2025-06-18");
        assert_eq!(result["serverInfo"]["name"], "orders");
        assert_eq!(result["capabilities"]["tools"]["listChanged"], false);
        assert_eq!(result["instructions"], "Ask kindly.");
        let bad = asked(&server(1), Version::V2025March, "initialize", json!({}));
        assert_eq!(bad["error"]["code"], INVALID_PARAMS);
    }

    #[test]
    fn tools_are_listed_page_by_page() {
        let server = server(PAGE + 1);
        let ask = |params| asked(&server, Version::V2025June, "tools/list", params);
        let first = ask(json!({}));
        assert_eq!(first["result"]["tools"].as_array().unwrap().len(), PAGE);
        let cursor = first["result"]["nextCursor"].clone();
        let second = ask(json!({ "cursor": cursor }));
        assert_eq!(second["result"]["tools"][0]["name"], format!("tool{PAGE}"));
        assert!(second["result"].get("nextCursor").is_none());
        for cursor in [json!("x"), json!("101"), json!(1)] {
            assert_eq!(ask(json!({ "cursor": cursor }))["error"]["code"], INVALID_PARAMS);
        }
    }

    #[test]
    fn what_is_not_there_is_an_error_of_the_protocol() {
        let server = server(1);
        let code = |version, method, params| {
            asked(&server, version, method, params)["error"]["code"].clone()
        };
        let old = Version::V2025November;
        assert_eq!(code(old, "resources/list", json!({})), METHOD_NOT_FOUND);
        assert_eq!(code(old, "server/discover", json!({})), METHOD_NOT_FOUND);
        assert_eq!(code(old, "tools/call", json!({ "name": "other" })), INVALID_PARAMS);
        assert_eq!(code(old, "tools/call", json!({})), INVALID_PARAMS);
        let list = json!({ "name": "tool0", "arguments": [] });
        assert_eq!(code(old, "tools/call", list), INVALID_PARAMS);
    }

    #[test]
    fn arguments_that_do_not_fit_are_the_tools_own_error() {
        let params = json!({ "name": "tool0", "arguments": { "other": 1 } });
        let reply = asked(&server(1), Version::V2025June, "tools/call", params);
        assert_eq!(reply["result"]["isError"], true);
        let text = reply["result"]["content"][0]["text"].as_str().unwrap();
        assert_eq!(text, "there is no argument `other`");
    }

    #[test]
    fn without_sessions_every_result_says_that_it_is_complete() {
        let server = server(1);
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let ask = |method| asked(&server, Version::V2026July, method, json!({ "_meta": meta }));
        let found = ask("server/discover");
        assert_eq!(found["result"]["supportedVersions"][0], "2026-07-28");
        assert_eq!(found["result"]["resultType"], "complete");
        assert_eq!(found["result"]["_meta"][META_SERVER]["name"], "orders");
        assert_eq!(ask("tools/list")["result"]["cacheScope"], "private");
        for method in ["initialize", "ping"] {
            assert_eq!(ask(method)["error"]["code"], METHOD_NOT_FOUND);
        }
        let bare = asked(&server, Version::V2026July, "tools/list", json!({}));
        assert_eq!(bare["error"]["code"], INVALID_PARAMS);
        assert_ne!(bare["error"]["code"], HEADER_MISMATCH);
    }

    #[test]
    fn notifications_are_accepted() {
        let message = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        let message = Message::read(message).unwrap();
        let server = server(1);
        let answer = server.answer(&message, Version::V2025March, Headers::default());
        assert!(matches!(answer, Answer::Accepted));
    }
}
