//! Answers that break off.

use bytes::Bytes;
use transport::{Body, Response};

/// Chunks that may wait for the reader.
const AHEAD: usize = 8;

/// The same answer, whose connection breaks after `n_events` events; one that is no stream breaks
/// in the middle of its body.
pub(crate) fn after(response: Response, n_events: u32) -> Response {
    let (mut head, mut body) = response.into_parts();
    head.headers.remove(http::header::CONTENT_LENGTH);
    let half = body.as_bytes().map(|it| it.slice(..it.len() / 2));
    let (sender, broken) = Body::channel(AHEAD);
    tokio::spawn(async move {
        if let Some(half) = half {
            if sender.send(half).await.is_ok() {
                sender.abort("the stand-in was told to break").await;
            }
            return;
        }
        let mut left = n_events;
        while let Ok(Some(data)) = body.next_data().await {
            let (kept, is_last) = keep(&data, &mut left);
            if !kept.is_empty() && sender.send(kept).await.is_err() {
                return;
            }
            if is_last {
                break;
            }
        }
        sender.abort("the stand-in was told to break").await;
    });
    Response::from_parts(head, broken)
}

/// What of `data` stands before the end of the last event that is `left`; whether that was it.
fn keep(data: &Bytes, left: &mut u32) -> (Bytes, bool) {
    let mut from = 0;
    while *left > 0 {
        let Some(rest) = data.get(from..) else { break };
        let Some(at) = rest.windows(2).position(|it| it == b"\n\n") else {
            return (data.clone(), false);
        };
        from += at + 2;
        *left -= 1;
    }
    (data.slice(..from.min(data.len())), true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stream_breaks_after_so_many_events_wherever_its_chunks_end() {
        for chunks in
            [vec!["a\n\nb\n\nc\n\n"], vec!["a\n\n", "b\n\n", "c\n\n"], vec!["a\n\nb", "\n\nc"]]
        {
            let (sender, body) = Body::channel(8);
            for chunk in chunks {
                sender.send(chunk).await.unwrap();
            }
            drop(sender);
            let mut body = after(Response::new(body), 2).into_body();
            let mut read = String::new();
            let problem = loop {
                match body.next_data().await {
                    Ok(Some(data)) => read.push_str(std::str::from_utf8(&data).unwrap()),
                    Ok(None) => panic!("ended"),
                    Err(problem) => break problem.to_string(),
                }
            };
            assert_eq!(read, "a\n\nb\n\n");
            assert!(problem.contains("told to break"));
        }
    }

    #[tokio::test]
    async fn a_whole_answer_breaks_in_its_middle() {
        let mut body = after(Response::new(Body::full("abcd")), 1).into_body();
        assert_eq!(body.next_data().await.unwrap().unwrap(), "ab");
        assert!(body.next_data().await.is_err());
    }
}
