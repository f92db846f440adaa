//! Work that goes on when its request is answered: one-way requests, events for loggers.
//!
//! It runs on the worker that began it. A worker ends when its requests are answered and
//! [`Background::settled`] says that nothing is left; the time that draining has bounds both.

use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::watch;

/// The work of a process that nobody waits for, until the process ends. One for all policies:
/// ask `CompileCx::shared` for it.
#[derive(Debug)]
pub struct Background(watch::Sender<State>);

#[derive(Debug, Default)]
struct State {
    n_tasks: usize,
    is_closing: bool,
}

impl Default for Background {
    fn default() -> Background {
        Background(watch::Sender::new(State::default()))
    }
}

impl Background {
    /// Starts work on the current runtime. Without one nothing starts.
    pub fn spawn(self: &Arc<Self>, work: impl Future<Output = ()> + Send + 'static) {
        let Ok(runtime) = Handle::try_current() else { return };
        let task = Task::begin(self);
        runtime.spawn(async move {
            work.await;
            drop(task);
        });
    }

    /// Ends when the process is about to end: work that only waits for more should come to its
    /// end.
    pub async fn closing(&self) {
        // The sender is here, so there is no error.
        let _ = self.0.subscribe().wait_for(|it| it.is_closing).await;
    }

    /// Says that the process is about to end, and waits until no work is left.
    pub async fn settled(&self) {
        self.0.send_modify(|it| it.is_closing = true);
        let _ = self.0.subscribe().wait_for(|it| it.n_tasks == 0).await;
    }
}

/// One piece of work; counted until it is dropped, however it ends.
struct Task(Arc<Background>);

impl Task {
    fn begin(all: &Arc<Background>) -> Task {
        all.0.send_modify(|it| it.n_tasks += 1);
        Task(Arc::clone(all))
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.0.0.send_modify(|it| it.n_tasks = it.n_tasks.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    use super::*;

    #[tokio::test]
    async fn the_end_waits_for_all_work_and_tells_what_waits() {
        let (background, n_done) = (Arc::<Background>::default(), Arc::<AtomicUsize>::default());
        for waits in [false, true, true] {
            let (own, n_done) = (background.clone(), n_done.clone());
            background.spawn(async move {
                if waits {
                    own.closing().await;
                }
                n_done.fetch_add(1, Relaxed);
            });
        }
        background.settled().await;
        assert_eq!(n_done.load(Relaxed), 3);
    }

    #[tokio::test]
    async fn work_that_panics_or_is_given_up_holds_nobody_up() {
        let background = Arc::<Background>::default();
        background.spawn(async { assert_eq!(1, 2, "this is what the test wants") });
        background.settled().await;
        drop(Task::begin(&background));
        background.settled().await;
    }

    #[test]
    fn without_a_runtime_nothing_starts() {
        let background = Arc::<Background>::default();
        background.spawn(async {});
        assert_eq!(background.0.borrow().n_tasks, 0);
    }
}
