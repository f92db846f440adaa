//! A channel between two processes: what is told and heard, outages, bounds.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portcullis_state::RedisChannel;
use tokio::runtime::Handle;

use crate::server::Server;

const LONG: Duration = Duration::from_secs(20);
const MAX_BYTES: usize = 1024 * 1024;

/// One end, and what it has heard: the first bytes of each message.
struct End {
    channel: RedisChannel,
    heard: Arc<Mutex<Vec<String>>>,
}

impl End {
    async fn new(server: &Server, name: &str) -> End {
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let all = Arc::clone(&heard);
        let hear = move |message: &[u8]| {
            let start = String::from_utf8_lossy(&message[..message.len().min(10)]).into_owned();
            all.lock().unwrap().push(start);
        };
        let redis = server.connect().await;
        End {
            channel: RedisChannel::start(redis, name, MAX_BYTES, &Handle::current(), hear),
            heard,
        }
    }

    async fn listens(&self, wanted: bool) {
        let since = Instant::now();
        while self.channel.is_listening() != wanted {
            assert!(since.elapsed() < LONG, "it stays {}", !wanted);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    async fn hears(&self, expected: &[&str]) {
        let since = Instant::now();
        while self.heard.lock().unwrap().len() < expected.len() {
            assert!(since.elapsed() < LONG, "{:?}", self.heard);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert_eq!(*self.heard.lock().unwrap(), expected);
        self.heard.lock().unwrap().clear();
    }
}

#[tokio::test]
async fn what_one_tells_all_of_the_channel_hear_in_order() {
    let Some(server) = Server::start() else { return };
    let ends = [End::new(&server, "a").await, End::new(&server, "a").await];
    let other = End::new(&server, "b").await;
    for end in ends.iter().chain([&other]) {
        end.listens(true).await;
    }
    for message in ["1", "2", "3"] {
        assert!(ends[0].channel.tell(message.into()));
    }
    for end in &ends {
        end.hears(&["1", "2", "3"]).await;
    }
    other.channel.tell("4".into());
    other.hears(&["4"]).await;
    assert!(ends[0].heard.lock().unwrap().is_empty());
}

#[tokio::test]
async fn after_an_outage_messages_are_heard_again_and_those_within_it_are_lost() {
    let Some(mut server) = Server::start() else { return };
    let ends = [End::new(&server, "a").await, End::new(&server, "a").await];
    for end in &ends {
        end.listens(true).await;
    }
    server.kill();
    for end in &ends {
        end.listens(false).await;
    }
    assert!(ends[0].channel.tell("lost".into()));
    server.start_again();
    for end in &ends {
        end.listens(true).await;
    }
    // The connection that tells comes back by itself as well.
    let since = Instant::now();
    while ends[1].heard.lock().unwrap().is_empty() {
        assert!(since.elapsed() < LONG);
        ends[0].channel.tell("again".into());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(ends[1].heard.lock().unwrap().iter().all(|it| it == "again"));
}

#[tokio::test]
async fn messages_that_wait_are_bounded_and_so_is_each() {
    let Some(server) = Server::start() else { return };
    let end = End::new(&server, "a").await;
    end.listens(true).await;
    let longest = vec![b'x'; MAX_BYTES];
    assert!(!end.channel.tell([&longest[..], b"y"].concat()));
    assert!(end.channel.tell(longest.clone()));
    end.hears(&["xxxxxxxxxx"]).await;
    // Nothing runs in between here, so all of them wait.
    assert_eq!((0..20).filter(|_| end.channel.tell(longest.clone())).count(), 16);
    end.hears(&["xxxxxxxxxx"; 16]).await;
    assert_eq!((0..2000).filter(|_| end.channel.tell(vec![b'x'])).count(), 1024);
    end.hears(&["x"; 1024]).await;
}

#[tokio::test]
async fn a_message_that_nobody_here_could_have_told_is_not_heard() {
    let Some(server) = Server::start() else { return };
    let end = End::new(&server, "a").await;
    end.listens(true).await;
    let redis = server.connect().await;
    for message in [vec![b'x'; MAX_BYTES + 1], b"short".to_vec()] {
        let n: i64 = redis.run(redis::cmd("PUBLISH").arg("a").arg(message)).await.unwrap();
        assert_eq!(n, 1);
    }
    end.hears(&["short"]).await;
}

#[tokio::test]
async fn a_server_that_stops_answering_is_given_up() {
    let Some(server) = Server::start() else { return };
    let end = End::new(&server, "a").await;
    end.listens(true).await;
    server.signal("-STOP");
    end.listens(false).await;
    server.signal("-CONT");
    end.listens(true).await;
}
