//! Operations over resolvers that are tables.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::*;
use crate::{Request, Schema};

const SDL: &str = r#"
interface Named { name: String }
type User implements Named { id: ID! name: String age: Int boss: User friends(first: Int = 2): [User!] posts: [Post]! }
type Robot implements Named { name: String model: String! }
type Post { title: String! author: User! }
union Any = User | Robot
enum Colour { RED GREEN }
input Filter { colour: Colour = RED, tags: [String!], inner: Filter, at: Int! }
scalar Anything
type Query {
  user(id: ID!): User
  users(filter: Filter, ids: [ID]): [User]
  named: Named
  any: [Any]
  must: Post!
  plain: String
  anything(in: Anything): Anything
}
type Mutation { first: Int second: Int third: Int! }
"#;

/// Answers from a table `Type.field`; strings that begin with `!` are errors. `*` answers with the
/// call itself.
#[derive(Default)]
struct Table {
    rows: Vec<(&'static str, Value)>,
    log: Mutex<Vec<String>>,
    n_running: AtomicUsize,
    n_most: AtomicUsize,
}

impl Resolver for Table {
    fn has(&self, type_name: &str, field: &str) -> bool {
        self.rows.iter().any(|(name, _)| *name == format!("{type_name}.{field}"))
    }

    fn resolve<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Resolved> {
        let name = format!("{}.{}", call.type_name, call.field);
        self.log.lock().unwrap().push(format!("{name} {}", Value::Object(call.arguments.clone())));
        Box::pin(async move {
            let n_running = self.n_running.fetch_add(1, Ordering::Relaxed) + 1;
            self.n_most.fetch_max(n_running, Ordering::Relaxed);
            tokio::task::yield_now().await;
            self.n_running.fetch_sub(1, Ordering::Relaxed);
            let (_, value) = self.rows.iter().find(|(it, _)| *it == name).unwrap();
            match value.as_str() {
                Some("*") => {
                    Ok(json!({ "name": call.parent["id"], "id": call.arguments.get("id") }))
                }
                Some(text) if text.starts_with('!') => Err(Error::new(text).code("BROKEN")),
                _ => Ok(value.clone()),
            }
        })
    }
}

async fn run(query: &str, rows: &[(&'static str, Value)], limits: Limits) -> (Value, Table) {
    let request = Request { query: query.to_owned(), ..Request::default() };
    run_request(&request, rows, limits).await
}

async fn run_request(
    request: &Request,
    rows: &[(&'static str, Value)],
    limits: Limits,
) -> (Value, Table) {
    let schema = Schema::parse(SDL).unwrap();
    let operation = schema.check(request, &limits).unwrap_or_else(|it| panic!("{it:?}"));
    let table = Table { rows: rows.to_vec(), ..Table::default() };
    let response = execute(&operation, &table, &limits).await;
    (response.to_json(), table)
}

async fn data(query: &str, rows: &[(&'static str, Value)]) -> String {
    run(query, rows, Limits::default()).await.0.to_string()
}

#[tokio::test]
async fn fields_are_read_from_their_parent_or_resolved() {
    let rows = [
        ("Query.user", json!({ "id": 7, "name": "Ann", "age": 3.0, "posts": [{ "title": "t" }] })),
        ("User.boss", json!("*")),
    ];
    let query = "{ user(id: \"x\") { id call: name age posts { title } boss { name id @skip(if: true) } __typename } }";
    assert_eq!(
        data(query, &rows).await,
        r#"{"data":{"user":{"id":"7","call":"Ann","age":3,"posts":[{"title":"t"}],"boss":{"name":"7"},"__typename":"User"}}}"#
    );
}

#[tokio::test]
async fn what_is_selected_twice_is_merged() {
    let rows =
        [("Query.user", json!({ "id": 1, "name": "Ann", "boss": { "id": 2, "name": "Bob" } }))];
    let query = "{ user(id: 1) { boss { id } ...f ... on Named { name } ... on User { id } } } \
        fragment f on User { boss { name } }";
    let (json, table) = run(query, &rows, Limits::default()).await;
    assert_eq!(
        json.to_string(),
        r#"{"data":{"user":{"boss":{"id":"2","name":"Bob"},"name":"Ann","id":"1"}}}"#
    );
    assert_eq!(table.log.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn abstract_types_are_told_by_typename() {
    let rows = [
        ("Query.named", json!({ "__typename": "Robot", "name": "R2", "model": "D2" })),
        (
            "Query.any",
            json!([{ "__typename": "User", "id": 1 }, { "name": "?" }, { "__typename": "Post" }]),
        ),
    ];
    let query = "{ named { __typename name ... on Robot { model } ... on User { id } } any { ... on User { id } __typename } }";
    let (json, _) = run(query, &rows, Limits::default()).await;
    assert_eq!(
        json["data"].to_string(),
        r#"{"named":{"__typename":"Robot","name":"R2","model":"D2"},"any":[{"id":"1","__typename":"User"},null,null]}"#
    );
    assert_eq!(json["errors"].as_array().unwrap().len(), 2);
    assert_eq!(json["errors"][0]["path"], json!(["any", 1]));
}

#[tokio::test]
async fn missing_values_go_up_to_what_may_be_null() {
    let error = |message: &str, code: &str, path: Value| json!([{ "message": message, "locations": [{ "line": 1, "column": 17 }], "path": path, "extensions": { "code": code } }]);
    let rows = [("Query.user", json!({ "id": 1 })), ("User.posts", json!("!no posts"))];
    let (json, _) = run("{ user(id: 1) { posts { title } } }", &rows, Limits::default()).await;
    assert_eq!(
        json,
        json!({ "data": { "user": null }, "errors": error("!no posts", "BROKEN", json!(["user", "posts"])) })
    );

    let rows = [("Query.user", json!({ "name": null }))];
    let (json, _) = run("{ user(id: 1) { id } }", &rows, Limits::default()).await;
    let message = "`User.id` must not be null and has no value.";
    assert_eq!(
        json,
        json!({ "data": { "user": null }, "errors": error(message, "NULL_VALUE", json!(["user", "id"])) })
    );

    assert!(
        data("{ must { title } }", &[("Query.must", json!("!x"))])
            .await
            .starts_with(r#"{"data":null,"#)
    );
    let rows = [("Query.users", json!([{ "id": 1 }, {}]))];
    assert!(
        data("{ users { id } }", &rows)
            .await
            .starts_with(r#"{"data":{"users":[{"id":"1"},null]},"#)
    );
    let rows = [("Query.user", json!({ "friends": [{ "id": 1 }, {}] }))];
    assert!(
        data("{ user(id: 1) { friends { id } } }", &rows)
            .await
            .starts_with(r#"{"data":{"user":{"friends":null}},"#)
    );
}

#[tokio::test]
async fn values_that_do_not_fit_are_errors_without_showing_them() {
    for (query, rows, wanted) in [
        ("{ user(id: 1) { id } }", ("Query.user", json!("secret")), "an object of the type `User`"),
        ("{ users { id } }", ("Query.users", json!({ "a": "secret" })), "a list"),
        ("{ plain }", ("Query.plain", json!({ "a": "secret" })), "a `String`"),
        (
            "{ named { name } }",
            ("Query.named", json!({ "name": "secret" })),
            "an object of `Named` that names its type in `__typename`",
        ),
    ] {
        let told = data(query, &[rows]).await;
        assert!(told.contains(&format!("is not {wanted}.")) && !told.contains("secret"), "{told}");
    }
}

#[tokio::test]
async fn arguments_have_their_types_defaults_and_variables() {
    let rows = [
        ("Query.users", json!([])),
        ("Query.anything", json!([1])),
        ("Query.user", json!({ "id": 1 })),
        ("User.friends", json!([])),
    ];
    let request = Request {
        query: "query q($tag: String!, $none: Filter, $at: Int!, $list: [ID]) { \
            users(filter: { tags: [\"x\", $tag], at: $at, inner: $none }, ids: $list) \
            b: users(filter: { colour: GREEN, tags: \"one\", inner: { at: 2 }, at: 1 }, ids: 5) \
            anything(in: { a: [1, 2.5, $tag, null, true, E] }) \
            user(id: 3) { friends } }"
            .replace("users(filter: { tags", "u1: users(filter: { tags")
            .replace("ids: $list)", "ids: $list) { id }")
            .replace("ids: 5)", "ids: 5) { id }")
            .replace("{ friends }", "{ friends { id } }"),
        variables: json!({ "tag": "t", "at": 9, "list": ["alone", 6] })
            .as_object()
            .unwrap()
            .clone(),
        operation_name: None,
    };
    let (json, table) = run_request(&request, &rows, Limits::default()).await;
    assert!(json.get("errors").is_none(), "{json}");
    let mut log = table.log.into_inner().unwrap();
    log.sort();
    assert_eq!(
        log,
        [
            r#"Query.anything {"in":{"a":[1,2.5,"t",null,true,"E"]}}"#,
            r#"Query.user {"id":"3"}"#,
            r#"Query.users {"filter":{"colour":"GREEN","tags":["one"],"inner":{"colour":"RED","at":2},"at":1},"ids":["5"]}"#,
            r#"Query.users {"filter":{"colour":"RED","tags":["x","t"],"at":9},"ids":["alone","6"]}"#,
            r#"User.friends {"first":2}"#,
        ]
    );
}

#[tokio::test]
async fn fields_of_a_query_run_together_and_those_of_a_mutation_in_order() {
    let rows = [("Query.plain", json!("x")), ("Query.users", json!([])), ("Query.any", json!([]))];
    let (_, table) =
        run("{ plain users { id } any { __typename } }", &rows, Limits::default()).await;
    assert_eq!(table.n_most.into_inner(), 3);

    let rows = [
        ("Mutation.first", json!(1)),
        ("Mutation.second", json!("!no")),
        ("Mutation.third", json!(3)),
    ];
    let (json, table) = run("mutation { third second first }", &rows, Limits::default()).await;
    assert_eq!(table.n_most.into_inner(), 1);
    let log = table.log.into_inner().unwrap();
    assert_eq!(log, ["Mutation.third {}", "Mutation.second {}", "Mutation.first {}"]);
    assert_eq!(json["data"].to_string(), r#"{"third":3,"second":null,"first":1}"#);
}

#[tokio::test]
async fn introspection_is_answered_beside_other_fields() {
    let query = "{ plain __type(name: \"Colour\") { enumValues { name } } s: __schema { queryType { name } } __typename }";
    assert_eq!(
        data(query, &[("Query.plain", json!("x"))]).await,
        r#"{"data":{"plain":"x","__type":{"enumValues":[{"name":"RED"},{"name":"GREEN"}]},"s":{"queryType":{"name":"Query"}},"__typename":"Query"}}"#
    );
}

#[tokio::test]
async fn lists_values_calls_and_errors_are_bounded() {
    let users = json!([{ "id": 1 }, { "id": 2 }, { "id": 3 }]);
    let rows = [("Query.users", users), ("User.age", json!("!x"))];
    let told = async |limits, query: &str| run(query, &rows, limits).await.0;
    let code = |json: &Value, at: usize| json["errors"][at]["extensions"]["code"].clone();
    let usual = Limits::default();

    let json = told(Limits { max_list_items: 2, ..usual }, "{ users { id } }").await;
    assert_eq!(
        (&json["data"], code(&json, 0)),
        (&json!({ "users": null }), json!("RESPONSE_TOO_LARGE"))
    );
    let json = told(Limits { max_values: 4, ..usual }, "{ users { id } }").await;
    assert_eq!(code(&json, 0), json!("RESPONSE_TOO_LARGE"));
    let json = told(Limits { max_calls: 2, ..usual }, "{ users { id age } }").await;
    assert_eq!(
        json["errors"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|it| it["extensions"]["code"] == "TOO_MANY_CALLS")
            .count(),
        2
    );
    assert_eq!(json["data"]["users"][2], json!({ "id": "3", "age": null }));
    let json = told(Limits { max_errors: 1, ..usual }, "{ users { age } }").await;
    assert_eq!(json["errors"].as_array().unwrap().len(), 2);
    assert_eq!(json["errors"][1]["message"], "2 more errors.");
}

/// Answers of another service, and resolvers of a table beside it.
struct Beside {
    table: Table,
    answer: Value,
    asked: Mutex<Vec<String>>,
}

impl Resolver for Beside {
    fn has(&self, type_name: &str, field: &str) -> bool {
        self.table.has(type_name, field)
    }

    fn resolve<'a>(&'a self, call: Call<'a>) -> BoxFuture<'a, Resolved> {
        self.asked
            .lock()
            .unwrap()
            .push(format!("{}.{} of {}", call.type_name, call.field, call.parent));
        self.table.resolve(call)
    }

    fn has_service(&self) -> bool {
        true
    }

    fn ask(&self, request: Request) -> BoxFuture<'_, Resolved> {
        // What is asked is a good request by itself.
        let schema = Schema::parse(SDL).unwrap();
        schema.check(&request, &Limits::default()).unwrap_or_else(|it| panic!("{it:?}"));
        self.asked.lock().unwrap().push(request.to_json().to_string());
        Box::pin(async { Ok(self.answer.clone()) })
    }
}

async fn beside(
    request: &Request,
    rows: &[(&'static str, Value)],
    answer: Value,
) -> (Value, Vec<String>) {
    let schema = Schema::parse(SDL).unwrap();
    let limits = Limits::default();
    let operation = schema.check(request, &limits).unwrap_or_else(|it| panic!("{it:?}"));
    let table = Table { rows: rows.to_vec(), ..Table::default() };
    let beside = Beside { table, answer, asked: Mutex::default() };
    let response = execute(&operation, &beside, &limits).await;
    (response.to_json(), beside.asked.into_inner().unwrap())
}

#[tokio::test]
async fn fields_without_a_resolver_are_asked_of_the_service_and_others_are_not() {
    let request = Request {
        query: "query q($id: ID!, $n: Int) { user(id: $id) { call: name boss { ...f } friends(first: $n) { id } } plain } \
                fragment f on User { age friends(first: 7) { id } }"
            .to_owned(),
        variables: json!({ "id": 5, "n": 3 }).as_object().unwrap().clone(),
        operation_name: None,
    };
    let answer = json!({ "data": { "user": {
        "call": "Ann", "portcullis_id": "5", "portcullis_name": "Ann", "portcullis_age": null,
        "boss": { "age": 50, "portcullis_id": "6" },
    } } });
    let rows = [("User.friends", json!([{ "id": "f" }])), ("Query.plain", json!("here"))];
    let (json, mut asked) = beside(&request, &rows, answer).await;
    assert_eq!(
        json.to_string(),
        r#"{"data":{"user":{"call":"Ann","boss":{"age":50,"friends":[{"id":"f"}]},"friends":[{"id":"f"}]},"plain":"here"}}"#
    );
    asked.sort();
    assert_eq!(
        asked,
        [
            "Query.plain of null",
            r#"User.friends of {"id":"5","name":"Ann","age":null}"#,
            r#"User.friends of {"id":"6"}"#,
            r#"{"query":"query($id: ID!) { user(id: $id) { call: name boss { ... on User { age portcullis___typename: __typename portcullis_id: id portcullis_name: name portcullis_age: age } portcullis___typename: __typename } portcullis___typename: __typename portcullis_id: id portcullis_name: name portcullis_age: age } }","variables":{"id":5}}"#,
        ]
    );
}

#[tokio::test]
async fn names_of_the_client_stand_in_for_nothing() {
    let request = |query: &str| Request { query: query.to_owned(), ..Request::default() };
    let rows = [("User.friends", json!([]))];
    // The client names another field `id`: a resolver still gets the real one.
    let answer = json!({ "data": { "user": { "id": "forged", "portcullis_id": "real" } } });
    let query = "{ user(id: 1) { id: name friends { id } } }";
    let (json, asked) = beside(&request(query), &rows, answer).await;
    assert_eq!(json["data"]["user"]["id"], "forged");
    assert!(asked.contains(&r#"User.friends of {"id":"real"}"#.to_owned()), "{asked:?}");

    let query = "{ user(id: 1) { portcullis_id: name friends { id } } }";
    let (json, asked) = beside(&request(query), &rows, json!({})).await;
    assert_eq!(json["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
    assert!(asked.is_empty());

    let answer = json!({ "data": { "named": {
        "__typename": "User", "portcullis___typename": "Robot", "model": "D2" } } });
    let query = "{ named { __typename: name ... on Robot { model } ... on User { id } } }";
    let (json, _) = beside(&request(query), &rows, answer).await;
    assert_eq!(json["data"]["named"]["model"], "D2");
}

#[tokio::test]
async fn errors_of_the_service_come_through() {
    let request =
        Request { query: "{ user(id: 1) { name } plain }".to_owned(), ..Request::default() };
    let error = json!({ "message": "no", "path": ["user", "name"], "locations": [{ "line": 9, "column": 9 }], "extensions": { "code": "X" } });
    let answer = json!({ "data": { "user": { "name": null } }, "errors": [error] });
    let (json, _) = beside(&request, &[("Query.plain", json!("p"))], answer).await;
    assert_eq!(
        json.to_string(),
        r#"{"data":{"user":{"name":null},"plain":"p"},"errors":[{"message":"no","path":["user","name"],"extensions":{"code":"X"}}]}"#
    );
    let (json, _) = beside(&request, &[("Query.plain", json!("p"))], json!({ "data": null })).await;
    assert_eq!(json["errors"][0]["extensions"]["code"], "NO_DATA");
    assert_eq!(json["data"]["plain"], "p");
}
