//! Waiting for several things at once, in the order of their results.

use std::future::poll_fn;
use std::task::Poll;

use super::BoxFuture;

/// Waits for all of them; the results are in the order of the futures.
pub(super) async fn join_all<'a, T: Unpin>(futures: Vec<BoxFuture<'a, T>>) -> Vec<T> {
    let mut slots: Vec<Slot<'a, T>> = futures.into_iter().map(Slot::Waiting).collect();
    poll_fn(|cx| {
        let mut is_ready = true;
        for slot in &mut slots {
            if let Slot::Waiting(future) = slot {
                match future.as_mut().poll(cx) {
                    Poll::Ready(value) => *slot = Slot::Done(value),
                    Poll::Pending => is_ready = false,
                }
            }
        }
        if is_ready { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    let done = |it| match it {
        Slot::Done(value) => Some(value),
        Slot::Waiting(_) => None,
    };
    slots.into_iter().filter_map(done).collect()
}

enum Slot<'a, T> {
    Waiting(BoxFuture<'a, T>),
    Done(T),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn results_come_in_the_order_of_the_futures() {
        let after = |n_turns: usize| -> BoxFuture<'static, usize> {
            Box::pin(async move {
                for _ in 0..n_turns {
                    tokio::task::yield_now().await;
                }
                n_turns
            })
        };
        assert_eq!(join_all(vec![after(3), after(0), after(1)]).await, [3, 0, 1]);
        assert_eq!(join_all(Vec::<BoxFuture<'_, ()>>::new()).await, []);
    }
}
