//! The world of one case: its documents made a snapshot, its request handled by the gateway.

use std::io;
use std::pin::pin;
use std::sync::Arc;

use document::{Diagnostic, NamedValue, NamedValues};
use identity::{
    ClientTrust, IdentitySource, ManagedIdentities, ManagedIdentitySettings, ProviderSettings,
    Providers,
};
use pipeline::{
    Backends, Caches, Certificate, CertificateEntry, Certificates, CompiledDocument, EventHub,
    Extensions, Fragments, GraphQlApi, LogTarget, Logger, Loggers, NamedSchema, NamedSchemas,
    Operation, Pipeline, Registry, Scope, Services, Surroundings, Target, compile_default_global,
    compile_document,
};
use proxy::{Gateway, HttpForward};
use telemetry::Metrics;
use tokio::runtime::{Builder, Runtime};
use transport::{FakeClock, HttpClient, RecordedRequest};

use crate::caller;
use crate::case::{Case, Expected, Got, Message};
use crate::connections;
use crate::described::{graphql_api, operations};
use crate::edges::{self, TICK, Watch};
use crate::snapshot::{backends, deployment, snapshot, subscription};
#[cfg(feature = "sockets")]
use crate::sockets;

/// Where the metadata service is.
const IMDS: &str = "http://169.254.169.254";
/// 2026-01-01T00:00:00Z.
const START_UNIX: u64 = 1_767_225_600;
/// Most turns that background tasks get before a request counts as stuck.
const MAX_ROUNDS: u32 = 500_000;
/// Turns without an end after which the clock goes on.
const ROUNDS_PER_TICK: u32 = 16;

/// Runs cases with the policies of a registry.
#[derive(Clone, Copy, Debug)]
pub struct World<'a> {
    registry: &'a Registry,
    edge: Edge,
}

/// What requests and calls go over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Edge {
    /// Nothing: the request is handed to the gateway, and answers to its calls to it.
    Memory,
    /// HTTP/1.1 over loopback, both to the gateway and from it.
    #[cfg(feature = "sockets")]
    Sockets,
}

/// What a case brought.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Problems of its documents.
    pub problems: Vec<Diagnostic>,
    /// How the last request went; none if the documents do not load.
    pub ran: Option<Got>,
    /// How those before it went.
    pub earlier: Vec<Got>,
    /// Why the case itself could not be run.
    pub broken: Option<String>,
}

/// Gives the calls that were made, in order.
type Made = Box<dyn Fn() -> Vec<RecordedRequest>>;

/// The documents of a case, compiled.
struct Compiled {
    /// The effective policies of the global scope and of the operation, if there is no error.
    pipelines: Option<(Pipeline, Pipeline)>,
    graphql: Option<GraphQlApi>,
    problems: Vec<Diagnostic>,
}

/// The edges of one case.
struct Edges {
    client: Arc<dyn HttpClient>,
    made: Made,
    clock: FakeClock,
    watch: Arc<Watch>,
    trust: Arc<ClientTrust>,
    extensions: Extensions,
}

impl<'a> World<'a> {
    /// A world with these policies.
    #[must_use]
    pub fn new(registry: &'a Registry) -> World<'a> {
        World { registry, edge: Edge::Memory }
    }

    /// The same, with real sockets on both sides of the gateway.
    #[cfg(feature = "sockets")]
    #[must_use]
    pub fn over_sockets(registry: &'a Registry) -> World<'a> {
        World { registry, edge: Edge::Sockets }
    }

    /// Compiles the documents of a case and runs its request.
    #[must_use]
    pub fn run(&self, case: &Case) -> Outcome {
        let mut outcome =
            Outcome { problems: Vec::new(), ran: None, earlier: Vec::new(), broken: None };
        match self.try_run(case, &mut outcome.problems) {
            Ok(mut all) => (outcome.ran, outcome.earlier) = (all.pop(), all),
            Err(problem) => outcome.broken = Some(problem),
        }
        outcome
    }

    fn try_run(&self, case: &Case, problems: &mut Vec<Diagnostic>) -> Result<Vec<Got>, String> {
        let runtime = self.edge.runtime().map_err(|error| error.to_string())?;
        // Policies may start to fetch keys while they are compiled.
        let _guard = runtime.enter();
        let edges = Edges::of(case, self.edge)?;
        let operations = operations(case)?;
        let backends = backends(case)?;
        let first = operations.first().ok_or("the specification has no operation")?;
        let compiled = self.compile(case, first, &backends, &edges.extensions)?;
        *problems = compiled.problems;
        let Some((global, pipeline)) = compiled.pipelines else { return Ok(Vec::new()) };
        let graphql = compiled.graphql.map(Arc::new);
        let operations: Vec<Arc<Operation>> = operations
            .into_iter()
            .map(|it| Arc::new(Operation { graphql: graphql.clone(), ..it }))
            .collect();
        let of_resolvers =
            graphql.as_ref().zip(operations.first()).map(|(api, it)| api.prepare(it));
        let of_policies = operations.iter().flat_map(|it| pipeline.prepare(it));
        for problem in of_policies.chain(of_resolvers.into_iter().flatten()) {
            let code = config::codes::SPECIFICATION;
            problems.push(Diagnostic::error(code, document::Span::default(), problem));
        }
        if problems.iter().any(Diagnostic::is_error) {
            return Ok(Vec::new());
        }
        let mut snapshot = snapshot(global, pipeline, operations, backends)?;
        snapshot.deployment = deployment(case)?;
        snapshot.subscriptions = case.subscriptions.iter().map(subscription).collect();
        for api in &mut snapshot.apis {
            api.subscription_required = case.is_subscription_required;
        }
        let gateway = edges.gateway(case.max_body_bytes);
        gateway.install(Arc::new(snapshot));
        let last = (&case.request, case.after, &case.expected);
        let earlier = case.earlier.iter().map(|it| (&it.request, it.after, &it.expected));
        let mut all = Vec::new();
        for (request, after, expected) in earlier.chain([last]) {
            edges.clock.advance(after);
            all.push(self.ask(case, &runtime, (&edges, &gateway), (request, expected))?);
        }
        Ok(all)
    }

    /// Has a request handled.
    fn ask(
        &self,
        case: &Case,
        runtime: &Runtime,
        (edges, gateway): (&Edges, &Arc<Gateway>),
        (request, expected): (&Message, &Expected),
    ) -> Result<Got, String> {
        let request = edges::request(request)?;
        let peer = caller::peer(case)?;
        let settling = Arc::clone(gateway);
        let n_before = (edges.made)().len();
        let response = runtime.block_on(self.edge.exchange(&edges.clock, async {
            let gateway = Arc::clone(gateway);
            let response = match self.edge {
                Edge::Memory => edges::response(gateway.handle(request, peer).await).await,
                #[cfg(feature = "sockets")]
                Edge::Sockets => sockets::ask(gateway, peer, request).await,
            };
            // Calls that nobody waits for get their turns as well, if the case looks at them.
            if !expected.calls.is_empty() {
                self.edge.linger().await;
            }
            // What is measured behind the answer.
            if !expected.metrics.is_empty() {
                self.edge.linger().await;
                transport::Service::settled(Arc::clone(&settling)).await;
            }
            response
        }))??;
        let made = (edges.made)();
        let (backend, others) = edges::calls(case, made.get(n_before..).unwrap_or_default());
        let metrics: Arc<Metrics> = gateway.services().extensions().shared();
        let lines = if expected.metrics.is_empty() { String::new() } else { metrics.prometheus() };
        let samples = lines.lines().filter(|it| !it.starts_with('#'));
        let metrics = samples.map(str::to_owned).collect();
        Ok(Got { response, backend, others, metrics, ..edges.watch.seen() })
    }

    /// The effective policies of the global scope and of the operation.
    fn compile(
        &self,
        case: &Case,
        operation: &Operation,
        backends: &Backends,
        extensions: &Extensions,
    ) -> Result<Compiled, String> {
        let mut named_values = NamedValues::new();
        for (name, value, is_secret) in &case.named_values {
            let value = value.as_str();
            let value =
                if *is_secret { NamedValue::secret(value) } else { NamedValue::plain(value) };
            named_values.insert(name.as_str(), value);
        }
        let mut fragments = Fragments::new();
        for (name, text) in &case.fragments {
            fragments.insert(name, format!("fragment {name}").into(), text);
        }
        let surroundings = Surroundings {
            registry: self.registry,
            named_values: &named_values,
            fragments: &fragments,
            backends: Some(backends),
            extensions,
            options: &expr::Options::default(),
        };
        let mut problems = Vec::new();
        let mut compiled: Vec<CompiledDocument> = Vec::new();
        if !case.documents.iter().any(|(scope, _)| *scope == Scope::Global) {
            compiled.extend(compile_default_global(&surroundings));
        }
        let mut is_whole = true;
        let graphql = graphql_api(case, &surroundings, &mut problems)?;
        for (scope, text) in &case.documents {
            let (document, found) = document::parse(text);
            let is_readable = !found.iter().any(Diagnostic::is_error);
            problems.extend(found);
            let is_operation = *scope == Scope::Operation;
            let target = Target { scope: *scope, operation: is_operation.then_some(operation) };
            let (result, found) = compile_document(&document, None, target, &surroundings);
            problems.extend(found);
            is_whole &= is_readable && result.is_some();
            compiled.extend(result);
        }
        let all: Vec<&CompiledDocument> = compiled.iter().collect();
        let global: Vec<&CompiledDocument> =
            all.iter().copied().filter(|it| it.scope() == Scope::Global).collect();
        let pipelines = (Pipeline::splice(&global), Pipeline::splice(&all));
        is_whole &= !problems.iter().any(Diagnostic::is_error);
        // As loading does: reading a document and compiling it may tell of the same.
        let key = |it: &Diagnostic| (it.file.clone(), it.span, it.severity, it.code);
        problems.sort_by_key(key);
        problems.dedup_by(|a, b| key(a) == key(b) && a.message == b.message);
        Ok(Compiled { pipelines: is_whole.then_some(pipelines), graphql, problems })
    }
}

impl Edge {
    fn runtime(self) -> io::Result<Runtime> {
        let mut builder = Builder::new_current_thread();
        builder.enable_all();
        #[cfg(feature = "sockets")]
        builder.start_paused(self == Edge::Sockets);
        builder.build()
    }

    /// The client of a case, and the list of what it was asked.
    fn client(self, case: &Case) -> Result<(Arc<dyn HttpClient>, Made), String> {
        match self {
            Edge::Memory => {
                let client = edges::client(case);
                Ok((Arc::new(client.clone()), Box::new(move || client.requests())))
            }
            #[cfg(feature = "sockets")]
            Edge::Sockets => {
                let wire = sockets::Wire::start(case).map_err(|error| error.to_string())?;
                Ok((Arc::new(wire.clone()), Box::new(move || wire.requests())))
            }
        }
    }

    /// Waits for the end; the clock goes on while nothing else does.
    async fn exchange<T>(
        self,
        clock: &FakeClock,
        work: impl Future<Output = T>,
    ) -> Result<T, String> {
        match self {
            Edge::Memory => to_the_end(clock, work).await,
            #[cfg(feature = "sockets")]
            Edge::Sockets => sockets::to_the_end(clock, work).await,
        }
    }

    /// Gives background tasks their turns.
    async fn linger(self) {
        match self {
            Edge::Memory => {
                for _ in 0..ROUNDS_PER_TICK {
                    tokio::task::yield_now().await;
                }
            }
            #[cfg(feature = "sockets")]
            Edge::Sockets => tokio::time::sleep(TICK).await,
        }
    }
}

impl Edges {
    fn of(case: &Case, edge: Edge) -> Result<Edges, String> {
        let (client, made) = edge.client(case)?;
        let clock = FakeClock::at_unix(START_UNIX);
        let base = IMDS.parse().map_err(|_| format!("`{IMDS}` is no URL"))?;
        let settings =
            ManagedIdentitySettings { source: IdentitySource::Imds { base }, runtime: None };
        let mut certificates = Certificates::default();
        for (name, text) in &case.certificates {
            let private_key_pem = text.contains("PRIVATE KEY").then(|| text.as_str().into());
            let entry = CertificateEntry { chain_pem: text.clone(), private_key_pem };
            certificates.insert(name, Certificate::Usable(entry));
        }
        let mut schemas = NamedSchemas::default();
        for (name, text) in &case.named_schemas {
            let schema = match text.trim_start().starts_with('<') {
                true => NamedSchema::Xml(text.as_str().into()),
                false => {
                    let schema = serde_json::from_str(text).map_err(|error| error.to_string())?;
                    NamedSchema::Json(Arc::new(schema))
                }
            };
            schemas.insert(name, schema);
        }
        let mut extensions = Extensions::default();
        extensions.insert(Arc::new(schemas));
        extensions.insert(Arc::new(certificates));
        let (shared, time) = (Arc::clone(&client), Arc::new(clock.clone()));
        extensions.insert(Arc::new(ManagedIdentities::new(shared, time, settings)));
        let (shared, time) = (Arc::clone(&client), Arc::new(clock.clone()));
        extensions.insert(Arc::new(Providers::new(shared, time, ProviderSettings::default())));
        extensions.insert(Arc::new(loggers(case)));
        extensions.insert(Arc::new(connections::all(case)?));
        extensions.insert(Arc::new(connections::tokens(Arc::clone(&client), clock.clone())));
        let trust = Arc::new(caller::trust(case, Arc::clone(&client), clock.clone())?);
        extensions.insert(Arc::clone(&trust));
        extensions.insert(Arc::new(Caches::default()));
        Ok(Edges { client, made, clock, watch: Arc::default(), trust, extensions })
    }

    fn gateway(&self, max_body_bytes: Option<usize>) -> Arc<Gateway> {
        let mut services = Services::new(
            Arc::clone(&self.client),
            Arc::new(self.clock.clone()),
            Arc::new(HttpForward::default()),
        )
        .with_extensions(self.extensions.clone())
        .with_random(|bytes| bytes.fill(0));
        if let Some(bytes) = max_body_bytes {
            services.max_buffered_body_bytes = bytes;
        }
        services.trust = Some(Arc::<ClientTrust>::clone(&self.trust));
        services.observer = Some(Arc::<Watch>::clone(&self.watch));
        Gateway::new(Arc::new(services), None)
    }
}

/// Waits for the end; the clock goes on while nothing else does.
async fn to_the_end<T>(clock: &FakeClock, work: impl Future<Output = T>) -> Result<T, String> {
    let mut work = pin!(work);
    for round in 1..=MAX_ROUNDS {
        tokio::select! {
            biased;
            done = &mut work => return Ok(done),
            () = tokio::task::yield_now() => {}
        }
        // What works on a thread of its own needs the processor as well.
        std::thread::yield_now();
        if round % ROUNDS_PER_TICK == 0 && clock.sleepers() > 0 {
            clock.advance(TICK);
        }
    }
    Err("the request does not come to an end".to_owned())
}

fn loggers(case: &Case) -> Loggers {
    let logger = |(id, text): &(String, String)| {
        let hub = EventHub::from_connection_string(text, None);
        let unusable = |why: pipeline::BadEventHub| LogTarget::Unusable(why.to_string());
        let target = hub.map_or_else(unusable, LogTarget::EventHub);
        Logger { id: id.clone(), is_buffered: false, target }
    };
    case.loggers.iter().map(logger).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::parse;

    #[tokio::test]
    async fn the_clock_goes_on_while_somebody_waits_for_it() {
        use transport::Clock;
        let clock = FakeClock::at_unix(0);
        let minute = clock.sleep(Duration::from_secs(60));

        assert_eq!(to_the_end(&clock, minute).await, Ok(()));
        assert!(to_the_end(&clock, std::future::pending::<()>()).await.is_err());
    }

    #[test]
    fn a_case_that_cannot_be_run_says_why() {
        let broken = |blocks: &str| {
            let case = parse(&format!("name\n{blocks}")).unwrap().remove(0);
            World::new(&Registry::default()).run(&case).broken.unwrap_or_default()
        };

        assert!(broken("--- backends\na: b").contains("`b`"));
        assert!(broken("--- request\nGET").contains("no request line"));
        assert!(broken("--- schema 200 application/json\n{").contains("EOF"));
    }

    #[test]
    fn requests_of_one_case_go_to_one_gateway() {
        let text = "name\n--- subscriptions\nacme: k1\n--- request\nGET /a\n\
                    --- request after 60s\nGET /b?subscription-key=k1\n\
                    --- request\nGET /c?subscription-key=k2\n";
        let case = parse(text).unwrap().remove(0);
        let outcome = World::new(&Registry::default()).run(&case);
        let statuses: Vec<&str> =
            outcome.earlier.iter().map(|it| it.response.first_line.as_str()).collect();

        assert_eq!(statuses, ["200 OK", "200 OK"]);
        assert!(outcome.ran.unwrap().response.first_line.starts_with("401"));
    }

    #[test]
    fn without_policies_nothing_is_called() {
        let case = parse("name\n--- request\nGET /x\n").unwrap().remove(0);
        let got = World::new(&Registry::default()).run(&case).ran.unwrap();

        assert_eq!(got.response.first_line, "200 OK");
        assert!(got.backend.is_empty());
    }
}
