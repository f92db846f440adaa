//! A Lua script that Redis runs as one step, so that no other command comes in between.
//!
//! Source: <https://redis.io/docs/latest/develop/interact/programmability/eval-intro/>

use redis::{Cmd, FromRedisValue, ToRedisArgs};

use super::connection::{Redis, RedisFailure};

/// A script and its hash, by which the server finds it again.
#[derive(Clone, Debug)]
pub struct Script {
    code: &'static str,
    hash: String,
}

impl Script {
    /// A script; keys must all be given as keys, so that a cluster can place it.
    #[must_use]
    pub fn new(code: &'static str) -> Script {
        Script { code, hash: redis::Script::new(code).get_hash().to_owned() }
    }

    fn command<A: ToRedisArgs>(&self, by_hash: bool, keys: &[&str], args: &[A]) -> Cmd {
        let mut command = redis::cmd(if by_hash { "EVALSHA" } else { "EVAL" });
        command.arg(if by_hash { self.hash.as_str() } else { self.code }).arg(keys.len());
        for key in keys {
            command.arg(key);
        }
        for arg in args {
            command.arg(arg);
        }
        command
    }
}

impl Redis {
    /// Runs a script: one round trip, or two if the server does not know it yet (after its
    /// start, or after `SCRIPT FLUSH`). Both together take no longer than the bound of one.
    ///
    /// In a cluster all keys must have the same hash tag (`{...}`).
    ///
    /// # Errors
    ///
    /// As [`Redis::run`].
    pub async fn script<T: FromRedisValue, A: ToRedisArgs>(
        &self,
        script: &Script,
        keys: &[&str],
        args: &[A],
    ) -> Result<T, RedisFailure> {
        let by_hash = script.command(true, keys, args);
        let whole = || script.command(false, keys, args);
        self.run_or(&by_hash, whole).await
    }
}
