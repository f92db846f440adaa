//! One context for policies that run beside each other, such as the children of `wait`.

use std::fmt;
use std::ops::{Deref, DerefMut};

use tokio::sync::{Mutex, MutexGuard};

use crate::context::Context;

/// A context that several policies take turns with.
///
/// Whoever holds it is alone with it, so each change is whole; the last writer of a variable
/// wins. A policy that waits for another service lets go of it meanwhile, and the others go on.
pub struct SharedContext<'a>(Mutex<&'a mut Context>);

impl<'a> SharedContext<'a> {
    /// Shares a context until this is dropped.
    #[must_use]
    pub fn new(context: &'a mut Context) -> SharedContext<'a> {
        SharedContext(Mutex::new(context))
    }

    /// Waits for the context, in the order of asking.
    pub async fn lock(&self) -> ContextTurn<'_, 'a> {
        ContextTurn(self.0.lock().await)
    }
}

impl fmt::Debug for SharedContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedContext(..)")
    }
}

/// The context, for one policy alone until this is dropped.
pub struct ContextTurn<'s, 'a>(MutexGuard<'s, &'a mut Context>);

impl Deref for ContextTurn<'_, '_> {
    type Target = Context;

    fn deref(&self) -> &Context {
        &self.0
    }
}

impl DerefMut for ContextTurn<'_, '_> {
    fn deref_mut(&mut self) -> &mut Context {
        &mut self.0
    }
}

impl fmt::Debug for ContextTurn<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContextTurn(..)")
    }
}

#[cfg(test)]
mod tests {
    use expr::Value;

    use super::SharedContext;
    use crate::test_support::context;

    #[tokio::test]
    async fn only_one_holds_the_context_and_changes_stay() {
        let mut context = context();
        let shared = SharedContext::new(&mut context);
        let mut turn = shared.lock().await;
        turn.variables.set("a", Value::from(1));

        let second = async {
            assert_eq!(shared.lock().await.variables.len(), 2);
        };
        let first = async {
            tokio::task::yield_now().await;
            turn.variables.set("b", Value::from(2));
            drop(turn);
        };
        tokio::join!(second, first);
        assert_eq!(context.variables.len(), 2);
    }
}
