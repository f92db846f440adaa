//! A `redis-server` of the test's own, on a port that the system chose.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use portcullis_state::{Redis, RedisSettings};
use tokio::runtime::Handle;

/// A running server; it ends with the test.
pub(crate) struct Server {
    port: u16,
    /// The port that nodes of a cluster talk over, if it is one.
    bus_port: Option<u16>,
    child: Option<Child>,
}

impl Server {
    /// Starts a server that keeps nothing on disk; `None` where no `redis-server` is installed.
    pub(crate) fn start() -> Option<Server> {
        Server::begin(false)
    }

    fn begin(is_node: bool) -> Option<Server> {
        let listeners = [(), ()].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
        let [port, bus_port] = listeners.each_ref().map(|it| it.local_addr().unwrap().port());
        drop(listeners);
        let mut server = Server { port, bus_port: is_node.then_some(bus_port), child: None };
        if server.start_again() {
            return Some(server);
        }
        eprintln!("SKIPPED: there is no `redis-server` on this machine");
        None
    }

    /// Starts it on the same port; it has forgotten everything.
    pub(crate) fn start_again(&mut self) -> bool {
        let mut command = Command::new("redis-server");
        command
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no"])
            .current_dir(std::env::temp_dir());
        if let Some(bus_port) = self.bus_port {
            let nodes = format!("nodes-{}.conf", self.port);
            command.args(["--cluster-enabled", "yes", "--cluster-config-file", &nodes]);
            command.args(["--cluster-port", &bus_port.to_string()]);
        }
        let child = command.stdout(Stdio::null()).spawn();
        self.child = child.ok();
        self.child.is_some()
    }

    /// Kills it without notice.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Stops it so that it takes connections and answers nothing, or lets it go on.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.as_ref().unwrap().id().to_string();
        let status = Command::new("kill").args([name, &pid]).status().unwrap();
        assert!(status.success());
    }

    /// Where it is, with waits that a busy machine can keep.
    pub(crate) fn settings(&self) -> RedisSettings {
        let mut settings =
            RedisSettings::parse(&format!("redis://127.0.0.1:{}", self.port)).unwrap();
        settings.timeout = Duration::from_secs(2);
        settings
    }

    /// A connection that is up.
    pub(crate) async fn connect(&self) -> Redis {
        let redis = Redis::start(self.settings(), &Handle::current());
        assert!(redis.is_up_within(Duration::from_secs(20)).await);
        redis
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if self.bus_port.is_some() {
            let nodes = std::env::temp_dir().join(format!("nodes-{}.conf", self.port));
            let _ = std::fs::remove_file(nodes);
        }
    }
}

/// A cluster whose nodes share the slots evenly.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Server>,
}

impl Cluster {
    /// Starts so many nodes and waits until they agree; `None` where no `redis-server` is
    /// installed.
    pub(crate) async fn start(n_nodes: u16) -> Option<Cluster> {
        let mut nodes = Vec::new();
        for _ in 0..n_nodes {
            nodes.push(Server::begin(true)?);
        }
        let cluster = Cluster { nodes };
        for (n, _) in (0..n_nodes).zip(&cluster.nodes) {
            let (first, last) = (16384 / n_nodes * n, 16384 / n_nodes * (n + 1) - 1);
            let last = if n + 1 == n_nodes { 16383 } else { last };
            let slots = format!("CLUSTER ADDSLOTSRANGE {first} {last}");
            assert_eq!(cluster.ask(n.into(), &slots).await, "OK");
        }
        for node in cluster.nodes.iter().skip(1) {
            let bus = node.bus_port.unwrap();
            let meet = format!("CLUSTER MEET 127.0.0.1 {} {bus}", node.port);
            assert_eq!(cluster.ask(0, &meet).await, "OK");
        }
        for n in 0..cluster.nodes.len() {
            let knows_all = format!("cluster_known_nodes:{n_nodes}");
            cluster.until(n, |it| it.contains("cluster_state:ok") && it.contains(&knows_all)).await;
        }
        Some(cluster)
    }

    async fn until(&self, node: usize, is_so: impl Fn(&str) -> bool) {
        let since = std::time::Instant::now();
        loop {
            let info = self.ask(node, "CLUSTER INFO").await;
            if is_so(&info) {
                return;
            }
            assert!(since.elapsed() < Duration::from_secs(30), "{info}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What a node itself answers to a command.
    pub(crate) async fn ask(&self, node: usize, command: &str) -> String {
        let address = format!("redis://127.0.0.1:{}", self.nodes[node].port);
        let client = redis::Client::open(address).unwrap();
        let since = std::time::Instant::now();
        let mut connection = loop {
            match client.get_multiplexed_async_connection().await {
                Ok(it) => break it,
                Err(error) => assert!(since.elapsed() < Duration::from_secs(20), "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let mut words = command.split(' ');
        let mut asked = redis::cmd(words.next().unwrap());
        words.for_each(|it| {
            asked.arg(it);
        });
        asked.query_async(&mut connection).await.unwrap()
    }
}
