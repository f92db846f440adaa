//! A request's body, gathered on its way to the backend.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use llm::{Format, ModelRequest};
use pipeline::{Context, Follow, Pass};

/// Most bytes of a body that are kept: twice what may be logged, since JSON is longer than its
/// texts.
const MAX_GATHERED_BYTES: usize = 4 << 20;

/// What a client asked of a model. `Debug` shows no content.
pub(crate) struct Prompt {
    path: String,
    has_anthropic_version: bool,
    gathered: Mutex<Gathered>,
}

#[derive(Default)]
struct Gathered {
    bytes: BytesMut,
    n_bytes: u64,
}

impl Prompt {
    /// Begins to gather the body, if it is JSON: at once if it is in memory, else as it is sent.
    pub(super) fn gather(context: &mut Context, path: String, is_json: bool) -> Arc<Prompt> {
        let request = &mut context.request;
        let prompt = Arc::new(Prompt {
            path,
            has_anthropic_version: request.headers.contains_key("anthropic-version"),
            gathered: Mutex::default(),
        });
        if is_json {
            request.body.follow(Gathering(Arc::clone(&prompt)));
        }
        prompt
    }

    /// The format, by the path or by what there is of the body.
    pub(crate) fn format(&self) -> Format {
        self.with(|request, _, _| request.format)
    }

    /// Reads what there is: the request, the bytes that were kept, and how many there were more.
    pub(super) fn with<T>(&self, read: impl FnOnce(ModelRequest<'_>, &[u8], u64) -> T) -> T {
        let gathered = self.gathered();
        let bytes: &[u8] = &gathered.bytes;
        let request = ModelRequest::read(&self.path, self.has_anthropic_version, bytes);
        read(request, bytes, gathered.n_bytes.saturating_sub(bytes.len() as u64))
    }

    /// Bytes that are kept.
    pub(super) fn len(&self) -> usize {
        self.gathered().bytes.len()
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prompt({} bytes)", self.len())
    }
}

struct Gathering(Arc<Prompt>);

impl Follow for Gathering {
    fn data(&mut self, data: Bytes) -> Pass {
        let mut gathered = self.0.gathered();
        let room = MAX_GATHERED_BYTES.saturating_sub(gathered.bytes.len());
        let kept = data.get(..room.min(data.len())).unwrap_or_default();
        gathered.bytes.extend_from_slice(kept);
        gathered.n_bytes = gathered.n_bytes.saturating_add(data.len() as u64);
        drop(gathered);
        Pass::On(data)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_body_is_cut_and_passes_whole() {
        let prompt = Arc::new(Prompt {
            path: "/chat/completions".to_owned(),
            has_anthropic_version: false,
            gathered: Mutex::default(),
        });
        let mut gathering = Gathering(Arc::clone(&prompt));
        let piece = Bytes::from(vec![b'x'; 1 << 20]);
        for _ in 0..6 {
            let Pass::On(passed) = gathering.data(piece.clone()) else { panic!() };
            assert_eq!((passed.as_ptr(), passed.len()), (piece.as_ptr(), piece.len()));
        }
        assert_eq!(prompt.len(), MAX_GATHERED_BYTES);
        prompt.with(|_, kept, n_more| assert_eq!((kept.len(), n_more), (4 << 20, 2 << 20)));
    }
}
