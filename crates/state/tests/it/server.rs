//! A `redis-server` of the test's own, on a port that the system chose.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use portcullis_state::{Redis, RedisSettings};
use tokio::runtime::Handle;

/// A running server; it ends with the test.
pub(crate) struct Server {
    port: u16,
    is_cluster: bool,
    child: Option<Child>,
}

impl Server {
    /// Starts a server that keeps nothing on disk; `None` where no `redis-server` is installed.
    pub(crate) fn start() -> Option<Server> {
        Server::begin(false)
    }

    /// The same, as the only node of a cluster that has no slots yet.
    pub(crate) fn start_cluster() -> Option<Server> {
        Server::begin(true)
    }

    fn begin(is_cluster: bool) -> Option<Server> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let mut server = Server { port, is_cluster, child: None };
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
        if self.is_cluster {
            let nodes = format!("nodes-{}.conf", self.port);
            command.args(["--cluster-enabled", "yes", "--cluster-config-file", &nodes]);
            // Its second port must be one, too.
            command
                .args(["--cluster-port", &self.port.saturating_sub(20_000).max(1024).to_string()]);
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
        if self.is_cluster {
            let nodes = std::env::temp_dir().join(format!("nodes-{}.conf", self.port));
            let _ = std::fs::remove_file(nodes);
        }
    }
}
