//! Connections with subscriptions, on a clock that is moved by hand.

use std::time::Duration;

use graphql::Schema;
use serde_json::{Value, json};
use tokio::io::{DuplexStream, ReadHalf, WriteHalf};
use tokio::task::JoinHandle;
use transport::FakeClock;
use transport::websocket::{End, Incoming, Receiver, Sender};

use super::*;
use crate::graphql::events::Topic;
use crate::services::Services;
use crate::test_support::context;

const SDL: &str = "type Query { a: Int } type Subscription { made: String gone: String }";

/// One that says yes, no, or leaves nothing to be judged by.
#[derive(Debug)]
struct Rule(&'static str);

impl OperationCheck for Rule {
    fn check(
        &self,
        _: &Context,
        _: &GraphQlApi,
        request: &Request,
    ) -> Result<Checked, PolicyError> {
        match self.0 {
            "yes" => Ok(Checked::Left(request.clone(), vec![Error::new("noted")])),
            "no" => Ok(Checked::Refused(vec![Error::new("no").code("NO")])),
            _ => Err(PolicyError::evaluation("broken")),
        }
    }
}

fn handshake(clock: &FakeClock, rules: &[&'static str]) -> Handshake {
    let mut context = context();
    let mut services = Services::clone(&context.services);
    services.clock = Arc::new(clock.clone());
    context.services = Arc::new(services);
    for rule in rules {
        context.check_operations(Arc::new(Rule(rule)));
    }
    let api = Arc::new(GraphQlApi::new(Schema::parse(SDL).unwrap(), false));
    Handshake { api: Some(api), ..Handshake::of(&context) }
}

/// A client, a clock, and the task that serves it.
struct World {
    clock: FakeClock,
    events: Arc<Events>,
    receiver: Receiver<ReadHalf<DuplexStream>>,
    sender: Sender<WriteHalf<DuplexStream>>,
    task: JoinHandle<()>,
}

impl World {
    fn new(bounds: Bounds, n_bytes: usize, rules: &[&'static str]) -> World {
        let clock = FakeClock::at_unix(0);
        let events = Arc::<Events>::default();
        let session = session::Session::new(handshake(&clock, rules), Arc::clone(&events), bounds);
        let (client, server) = tokio::io::duplex(n_bytes);
        let task = tokio::spawn(session.serve(server, std::future::pending()));
        let (receiver, sender) = websocket::split(client, End::Client, 1 << 20);
        World { clock, events, receiver, sender, task }
    }

    async fn begun(bounds: Bounds, n_bytes: usize, rules: &[&'static str]) -> World {
        let mut world = World::new(bounds, n_bytes, rules);
        world.sender.text(r#"{"type":"connection_init"}"#).await.unwrap();
        assert_eq!(world.hear().await, r#"{"type":"connection_ack"}"#);
        world
    }

    async fn hear(&mut self) -> String {
        match self.receiver.next().await.unwrap() {
            Incoming::Text(text) => text,
            other => format!("{other:?}"),
        }
    }

    async fn subscribe(&mut self, query: &str) {
        let message = json!({ "type": "subscribe", "id": "1", "payload": { "query": query } });
        self.sender.text(&message.to_string()).await.unwrap();
    }

    fn publish(&self, event: &str) {
        self.events.publish(&Topic::new(None, "made"), &Arc::new(Value::from(event)));
    }

    /// Lets every task go on until all of them wait.
    async fn settle() {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    async fn advance(&self, time: Duration) {
        World::settle().await;
        self.clock.advance(time);
        World::settle().await;
    }
}

#[tokio::test]
async fn who_does_not_begin_in_time_is_sent_away() {
    let mut world = World::new(BOUNDS, 1024, &[]);
    world.advance(BOUNDS.init_timeout).await;
    assert_eq!(world.hear().await, r#"Close(Some(4408), "Connection initialisation timeout")"#);
    assert!(!world.task.is_finished());
    world.advance(BOUNDS.linger_timeout).await;
    world.task.await.unwrap();
}

#[tokio::test]
async fn who_is_still_sending_hears_why_the_connection_ends() {
    let bounds = Bounds { max_message_bytes: 100, ..BOUNDS };
    let mut world = World::begun(bounds, 64, &[]).await;
    world.sender.text(&"x".repeat(10_000)).await.unwrap();
    let closed = r#"Close(Some(1009), "the message is longer than 100 bytes")"#;
    assert_eq!(world.hear().await, closed);
    drop((world.receiver, world.sender));
    world.task.await.unwrap();

    let mut between = Between::new(bounds, &[]);
    between.client.1.text(&"x".repeat(10_000)).await.unwrap();
    assert_eq!(format!("{:?}", between.client.0.next().await.unwrap()), closed);
}

#[tokio::test]
async fn a_silent_client_is_asked_and_in_the_end_sent_away() {
    let mut world = World::begun(BOUNDS, 1024, &[]).await;
    world.advance(BOUNDS.init_timeout).await;
    assert_eq!(world.hear().await, "Ping([])");
    world.sender.pong(&[]).await.unwrap();
    World::settle().await;
    for _ in 0..14 {
        world.advance(BOUNDS.ping_interval).await;
        assert_eq!(world.hear().await, "Ping([])");
    }
    world.advance(BOUNDS.ping_interval).await;
    assert_eq!(world.hear().await, r#"Close(Some(1001), "Nothing was heard for too long")"#);
}

#[tokio::test]
async fn what_is_left_by_policies_judges_each_subscription() {
    for (rules, expected) in [
        (
            &["yes", "yes"][..],
            r#"{"id":"1","type":"next","payload":{"data":{"x":"e"},"errors":[{"message":"noted"},{"message":"noted"}]}}"#,
        ),
        (
            &["yes", "no"],
            r#"{"id":"1","type":"error","payload":[{"message":"no","extensions":{"code":"NO"}}]}"#,
        ),
        (
            &["broken"],
            r#"{"id":"1","type":"error","payload":[{"message":"The operation cannot be judged.","extensions":{"code":"ExpressionValueEvaluationFailure"}}]}"#,
        ),
    ] {
        let mut world = World::begun(BOUNDS, 1024, rules).await;
        world.subscribe("subscription { x: made }").await;
        World::settle().await;
        world.publish("e");
        assert_eq!(world.hear().await, expected);
    }
}

#[tokio::test]
async fn who_does_not_keep_up_with_events_is_told_that_there_are_no_more() {
    let bounds = Bounds { max_queued_events: 2, max_queued_texts: 1, ..BOUNDS };
    let mut world = World::begun(bounds, 64, &[]).await;
    world.subscribe("subscription { made }").await;
    World::settle().await;
    for number in 0..20 {
        world.publish(&format!("{number} {}", "x".repeat(100)));
        World::settle().await;
    }
    let mut n_told = 0;
    loop {
        let text = world.hear().await;
        if text.contains("SUBSCRIBER_TOO_SLOW") {
            break;
        }
        assert!(text.contains(&format!("{n_told} xxx")), "{text}");
        n_told += 1;
    }
    assert!((2..8).contains(&n_told), "{n_told}");
    // The id is free again.
    world.subscribe("subscription { made }").await;
    World::settle().await;
    world.publish("again");
    assert!(world.hear().await.contains("again"));
}

#[tokio::test]
async fn who_takes_nothing_is_left_alone() {
    let world = World::begun(BOUNDS, 64, &[]).await;
    let mut world = world;
    world.subscribe("subscription { made }").await;
    World::settle().await;
    world.publish(&"x".repeat(1000));
    world.advance(BOUNDS.send_timeout).await;
    world.task.await.unwrap();
}

/// A relay between a client and a service, and both of them.
struct Between {
    client: (Receiver<ReadHalf<DuplexStream>>, Sender<WriteHalf<DuplexStream>>),
    service: (Receiver<ReadHalf<DuplexStream>>, Sender<WriteHalf<DuplexStream>>),
    clock: FakeClock,
}

impl Between {
    fn new(bounds: Bounds, rules: &[&'static str]) -> Between {
        let clock = FakeClock::at_unix(0);
        let relay = relay::Relay::new(handshake(&clock, rules), bounds);
        let (client, at_client) = tokio::io::duplex(4096);
        let (service, at_service) = tokio::io::duplex(4096);
        tokio::spawn(relay.run(
            websocket::split(at_client, End::Server, bounds.max_message_bytes),
            websocket::split(at_service, End::Client, 200),
            std::future::pending(),
        ));
        Between {
            client: websocket::split(client, End::Client, 1 << 20),
            service: websocket::split(service, End::Server, 1 << 20),
            clock,
        }
    }

    async fn told(&mut self, message: &Value) -> String {
        self.client.1.text(&message.to_string()).await.unwrap();
        tokio::select! {
            biased;
            it = self.client.0.next() => format!("client {:?}", it.unwrap()),
            it = self.service.0.next() => format!("service {:?}", it.unwrap()),
        }
    }
}

#[tokio::test]
async fn a_relay_lets_good_subscriptions_pass_and_bounds_them() {
    let mut between = Between::new(Bounds { max_subscriptions: 2, ..BOUNDS }, &["yes"]);
    let subscribe = |id: &str, query: &str| json!({ "type": "subscribe", "id": id, "payload": { "query": query } });
    for (message, expected) in [
        (json!({ "type": "connection_init" }), "service Text"),
        (subscribe("1", "subscription { made }"), "service Text"),
        (subscribe("2", "subscription { gone }"), "service Text"),
        (subscribe("3", "subscription { made }"), "client Text"),
        (json!({ "type": "complete", "id": "2" }), "service Text"),
        (subscribe("3", "{ a }"), "client Text"),
        (subscribe("3", "subscription { made }"), "service Text"),
        (subscribe("3", "subscription { made }"), "client Close(Some(4409)"),
    ] {
        let told = between.told(&message).await;
        assert!(told.starts_with(expected), "{message}: {told}");
    }
    let closed = format!("{:?}", between.service.0.next().await.unwrap());
    assert!(closed.starts_with("Close(Some(4409)"), "{closed}");
}

#[tokio::test]
async fn a_relay_ends_with_either_side_and_when_nothing_moves() {
    let mut silent = Between::new(BOUNDS, &[]);
    World::settle().await;
    silent.clock.advance(BOUNDS.idle_timeout);
    let closed = format!("{:?}", silent.client.0.next().await.unwrap());
    assert!(closed.starts_with("Close(Some(1001)"), "{closed}");

    let mut long = Between::new(BOUNDS, &[]);
    long.service.1.text(&"x".repeat(201)).await.unwrap();
    let closed = format!("{:?}", long.client.0.next().await.unwrap());
    assert_eq!(closed, r#"Close(Some(1001), "The GraphQL service has gone")"#);

    let mut ended = Between::new(BOUNDS, &[]);
    ended.service.1.close(Some(4403), "Forbidden").await.unwrap();
    let closed = format!("{:?}", ended.client.0.next().await.unwrap());
    assert_eq!(closed, r#"Close(Some(4403), "Forbidden")"#);
}

#[test]
fn a_handshake_for_a_service_agrees_on_nothing_else() {
    let mut context = context();
    let headers = &mut context.request.headers;
    headers.insert(SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static("permessage-deflate"));
    headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static("graphql-ws"));
    assert_eq!(
        prepare_subscriptions(&mut context).unwrap_err().reason(),
        "GraphQLProtocolNotOffered"
    );
    let offered = HeaderValue::from_static("graphql-ws, graphql-transport-ws");
    context.request.headers.insert(SEC_WEBSOCKET_PROTOCOL, offered);
    prepare_subscriptions(&mut context).unwrap();
    let headers = &context.request.headers;
    assert_eq!(headers[SEC_WEBSOCKET_PROTOCOL], "graphql-transport-ws");
    assert!(!headers.contains_key(SEC_WEBSOCKET_EXTENSIONS));
}
