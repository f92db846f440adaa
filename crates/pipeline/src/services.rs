//! What outlives a request and a snapshot: client, clock, randomness, and what other crates add.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::StatusCode;
use transport::{BoxFuture, CertificateTrust, Clock, HttpClient, HttpVersion};

use crate::context::Context;
use crate::error::{Blame, PolicyError};

/// Largest body that is held in memory for policies, unless configured: 16 MiB.
pub const DEFAULT_MAX_BUFFERED_BODY_BYTES: usize = 16 * 1024 * 1024;

type Random = dyn Fn(&mut [u8]) + Send + Sync;

/// What a step may use besides the request at hand. Made once, shared by all requests.
#[derive(Clone)]
pub struct Services {
    /// Makes calls to other services.
    pub client: Arc<dyn HttpClient>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Sends the request to its backend.
    pub forward: Arc<dyn Forward>,
    /// Largest body that is held in memory for policies.
    pub max_buffered_body_bytes: usize,
    /// Judges the certificates of clients for expressions; without it none is trusted.
    pub trust: Option<Arc<dyn CertificateTrust>>,
    /// Is told of every request that went through a pipeline.
    pub observer: Option<Arc<dyn Observer>>,
    random: Arc<Random>,
    extensions: Extensions,
}

impl Services {
    /// Services without extensions.
    #[must_use]
    pub fn new(
        client: Arc<dyn HttpClient>,
        clock: Arc<dyn Clock>,
        forward: Arc<dyn Forward>,
    ) -> Services {
        Services {
            client,
            clock,
            forward,
            max_buffered_body_bytes: DEFAULT_MAX_BUFFERED_BODY_BYTES,
            trust: None,
            observer: None,
            random: Arc::new(transport::fill_random),
            extensions: Extensions::default(),
        }
    }

    /// Adds what a policy needs and this crate does not know, found again by its type.
    #[must_use]
    pub fn with<T: Send + Sync + 'static>(mut self, extension: Arc<T>) -> Services {
        self.extensions.insert(extension);
        self
    }

    /// Takes all extensions of this set in place of its own.
    #[must_use]
    pub fn with_extensions(mut self, extensions: Extensions) -> Services {
        self.extensions = extensions;
        self
    }

    /// Another source of randomness: for tests.
    #[must_use]
    pub fn with_random(mut self, random: impl Fn(&mut [u8]) + Send + Sync + 'static) -> Services {
        self.random = Arc::new(random);
        self
    }

    /// What was added of that type.
    #[must_use]
    pub fn extension<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.extensions.get()
    }

    /// All extensions, for compiling documents.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// Fills the bytes with randomness.
    pub fn random(&self, bytes: &mut [u8]) {
        (self.random)(bytes);
    }
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Services").field("extensions", &self.extensions).finish_non_exhaustive()
    }
}

/// Values found by their type: token providers, caches, sinks.
#[derive(Clone, Default)]
pub struct Extensions {
    given: ByType,
    made: Arc<Mutex<ByType>>,
}

type ByType = HashMap<TypeId, Arc<dyn Any + Send + Sync>>;

impl Extensions {
    /// Adds a value, replacing one of the same type.
    pub fn insert<T: Send + Sync + 'static>(&mut self, value: Arc<T>) {
        self.given.insert(TypeId::of::<T>(), value);
    }

    /// Whether another set has the very same values, and shares the same.
    #[must_use]
    pub fn is_same(&self, other: &Extensions) -> bool {
        let has = |(id, it): (&TypeId, &Arc<dyn Any + Send + Sync>)| {
            other.given.get(id).is_some_and(|other| Arc::ptr_eq(it, other))
        };
        Arc::ptr_eq(&self.made, &other.made)
            && self.given.len() == other.given.len()
            && self.given.iter().all(has)
    }

    /// The value of that type.
    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.given.get(&TypeId::of::<T>()).and_then(|it| Arc::clone(it).downcast().ok())
    }

    /// What all policies of a process share, such as counters: made empty for the first that
    /// asks, the same for all clones of this set, and kept when documents are compiled anew.
    #[must_use]
    pub fn shared<T: Default + Send + Sync + 'static>(&self) -> Arc<T> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let it = made.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default()));
        Arc::clone(it).downcast().unwrap_or_default()
    }
}

impl fmt::Debug for Extensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Extensions({})", self.given.len())
    }
}

/// How `forward-request` wants the backend called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardCall {
    /// Longest wait for the response's headers; `None`: no bound.
    pub timeout: Option<Duration>,
    /// Longest wait for `100 Continue`, if the policy says so.
    pub continue_timeout: Option<Duration>,
    /// The protocol towards the backend.
    pub http_version: HttpVersion,
    /// Whether the gateway follows redirects itself.
    pub follow_redirects: bool,
    /// Whether the request's body is kept so that it can be sent again.
    pub buffer_request_body: bool,
    /// Whether small chunks of the response may be gathered before they are passed on.
    pub buffer_response: bool,
}

impl Default for ForwardCall {
    fn default() -> ForwardCall {
        ForwardCall {
            timeout: Some(Duration::from_secs(300)),
            continue_timeout: None,
            http_version: HttpVersion::Http1,
            follow_redirects: false,
            buffer_request_body: false,
            buffer_response: true,
        }
    }
}

/// Calls the backend that the context has chosen.
pub trait Forward: fmt::Debug + Send + Sync {
    /// Sends the context's request and puts the backend's response into the context, its body
    /// still streaming. A 4xx or 5xx of the backend is no error.
    fn forward<'a>(
        &'a self,
        context: &'a mut Context,
        call: ForwardCall,
    ) -> BoxFuture<'a, Result<(), PolicyError>>;
}

/// Is told how requests went through their pipelines: for traces and tests.
pub trait Observer: fmt::Debug + Send + Sync {
    /// The pipeline is done, the context has the response; `failure` went through `on-error`.
    fn finished(&self, context: &Context, failure: Option<&PolicyError>);
}

/// Refuses to call any backend: for checking documents without running them.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoForward;

impl Forward for NoForward {
    fn forward<'a>(
        &'a self,
        _: &'a mut Context,
        _: ForwardCall,
    ) -> BoxFuture<'a, Result<(), PolicyError>> {
        Box::pin(async {
            Err(PolicyError::new("BackendConnectionFailure", "no backend may be called here")
                .status(StatusCode::INTERNAL_SERVER_ERROR)
                .blame(Blame::Gateway))
        })
    }
}

#[cfg(test)]
mod tests {
    use transport::{FakeClient, FakeClock};

    use super::*;

    fn services() -> Services {
        Services::new(
            Arc::new(FakeClient::unreachable()),
            Arc::new(FakeClock::at_unix(0)),
            Arc::new(NoForward),
        )
    }

    #[test]
    fn an_extension_is_found_by_its_type() {
        let it = services().with(Arc::new(7_u32)).with(Arc::new("text".to_owned()));

        assert_eq!(it.extension::<u32>().as_deref(), Some(&7));
        assert_eq!(it.extension::<String>().as_deref().map(String::as_str), Some("text"));
        assert_eq!(it.extension::<u64>(), None);
    }

    #[test]
    fn what_is_shared_is_made_once_for_all_clones() {
        let first = Extensions::default();
        let second = first.clone();
        let counter: Arc<std::sync::atomic::AtomicU32> = first.shared();
        counter.store(5, std::sync::atomic::Ordering::Relaxed);

        let same: Arc<std::sync::atomic::AtomicU32> = second.shared();
        assert!(Arc::ptr_eq(&counter, &same));
        assert!(!Arc::ptr_eq(&counter, &Extensions::default().shared()));
    }

    #[test]
    fn randomness_fills_every_byte_and_can_be_replaced() {
        let mut bytes = [0_u8; 64];
        services().random(&mut bytes);
        assert!(bytes.iter().filter(|it| **it == 0).count() < 8);

        services().with_random(|it| it.fill(3)).random(&mut bytes);
        assert!(bytes.iter().all(|it| *it == 3));
    }
}
