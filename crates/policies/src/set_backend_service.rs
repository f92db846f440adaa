//! `<set-backend-service>`: sends the request to another base URL or backend entity.
//!
//! Path and query stay; the last one that runs counts, but where a policy of a broader scope has set
//! a `backend-id`, a `base-url` has no effect. With `backend-id="dapr"` the request goes to
//! a method of a service through the Dapr sidecar, the path being that method's. Service Fabric is
//! refused.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/set-backend-service-policy>

use std::sync::Arc;

use pipeline::url::BaseUrl;
use pipeline::{
    Attr, Blame, CompileCx, Computed, Context, Diagnostic, Element, Flow, Immediate, PolicyError,
    PolicyKind, Scope, Scopes, Sections, Step, ValueType, codes,
};

use crate::dapr::{SIDECAR, segment};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "set-backend-service",
    summary: "Sends the request to another base URL or backend entity.",
    sections: Sections::INBOUND.and(Sections::BACKEND),
    scopes: Scopes::ALL,
    attrs: &[
        BASE_URL,
        BACKEND_ID,
        SF_RESOLVE_CONDITION,
        SF_SERVICE_INSTANCE_NAME,
        SF_PARTITION_KEY,
        SF_LISTENER_NAME,
        SF_REPLICA_TYPE,
        DAPR_APP_ID,
        DAPR_METHOD,
        DAPR_NAMESPACE,
    ],
    children: &[],
    compile,
};

const BASE_URL: Attr =
    Attr::absent_by_default("base-url").expressions().doc("New base URL.").of(ValueType::Url);
const BACKEND_ID: Attr = Attr::absent_by_default("backend-id").expressions().doc("Backend entity.");
const SF_RESOLVE_CONDITION: Attr = Attr::absent_by_default("sf-resolve-condition")
    .expressions()
    .doc("Service Fabric only.")
    .differs("Refused when it loads: there is no Service Fabric here.");
const SF_SERVICE_INSTANCE_NAME: Attr = Attr::absent_by_default("sf-service-instance-name")
    .expressions()
    .doc("Service Fabric only.")
    .differs("Refused when it loads: there is no Service Fabric here.");
const SF_PARTITION_KEY: Attr = Attr::absent_by_default("sf-partition-key")
    .expressions()
    .doc("Service Fabric only.")
    .differs("Refused when it loads: there is no Service Fabric here.");
const SF_LISTENER_NAME: Attr = Attr::absent_by_default("sf-listener-name")
    .expressions()
    .doc("Service Fabric only.")
    .differs("Refused when it loads: there is no Service Fabric here.");
const SF_REPLICA_TYPE: Attr = Attr::absent_by_default("sf-replica-type")
    .expressions()
    .doc("Service Fabric only.")
    .differs("Refused when it loads: there is no Service Fabric here.");
const DAPR_APP_ID: Attr =
    Attr::absent_by_default("dapr-app-id").expressions().doc("Service, for Dapr.");
const DAPR_METHOD: Attr =
    Attr::absent_by_default("dapr-method").expressions().doc("Method or path, for Dapr.");
const DAPR_NAMESPACE: Attr =
    Attr::absent_by_default("dapr-namespace").expressions().doc("Namespace, for Dapr.");

/// Attributes of ways to reach a backend that are not built.
const REFUSED: [(Attr, &str); 5] = [
    (SF_RESOLVE_CONDITION, "Service Fabric"),
    (SF_SERVICE_INSTANCE_NAME, "Service Fabric"),
    (SF_PARTITION_KEY, "Service Fabric"),
    (SF_LISTENER_NAME, "Service Fabric"),
    (SF_REPLICA_TYPE, "Service Fabric"),
];

#[derive(Debug)]
struct SetBackendService {
    to: To,
    scope: Scope,
}

#[derive(Debug)]
enum To {
    BaseUrl(Computed<Arc<BaseUrl>>),
    BackendId(Computed<String>),
    Dapr { app_id: Computed<String>, method: Computed<String>, namespace: Option<Computed<String>> },
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    if let Some((attr, what)) = REFUSED.iter().find(|(attr, _)| element.has(attr)) {
        let message = format!("{what} backends are not supported by this gateway");
        return Err(cx
            .refuse_attr(element, attr, codes::NOT_SUPPORTED, message)
            .label("cannot be reached"));
    }
    if [&DAPR_APP_ID, &DAPR_METHOD, &DAPR_NAMESPACE].into_iter().any(|it| element.has(it)) {
        return dapr(element, cx);
    }
    let base_url = cx.attr_if(element, &BASE_URL)?;
    let backend_id: Option<Computed<String>> = cx.attr_if(element, &BACKEND_ID)?;
    let to = match (base_url, backend_id) {
        (base_url, Some(id)) => {
            if base_url.is_some() {
                cx.report(
                    Diagnostic::warning(
                        codes::EXCLUSIVE_ATTRIBUTES,
                        element.attr_span(&BASE_URL),
                        "`base-url` has no effect beside `backend-id`",
                    )
                    .label("not used"),
                );
            }
            if let Some(id) = id.as_literal() {
                check_backend(element, cx, id.trim())?;
            }
            To::BackendId(id)
        }
        (Some(url), None) => To::BaseUrl(url),
        (None, None) => {
            let message = "`set-backend-service` needs `base-url` or `backend-id`";
            return Err(cx.refuse(element, codes::ONE_OF_ATTRIBUTES, message).label("names none"));
        }
    };
    Ok(Step::immediate(SetBackendService { to, scope: cx.scope() }))
}

fn dapr(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let id: Option<String> = cx.literal_if(element, &BACKEND_ID)?;
    if id.is_none_or(|it| it.trim() != "dapr") {
        let message = "attributes of Dapr need `backend-id=\"dapr\"`";
        let it = cx.refuse_attr(element, &BACKEND_ID, codes::BAD_VALUE, message);
        return Err(it.label("must be `dapr`"));
    }
    let missing = |attr: &Attr, cx: &CompileCx<'_>| {
        let message = format!("a call through Dapr needs the attribute `{}`", attr.name());
        cx.refuse(element, codes::MISSING_ATTRIBUTE, message).label("is missing")
    };
    let app_id = cx.attr_if(element, &DAPR_APP_ID)?;
    let method = cx.attr_if(element, &DAPR_METHOD)?;
    let to = To::Dapr {
        app_id: app_id.ok_or_else(|| missing(&DAPR_APP_ID, cx))?,
        method: method.ok_or_else(|| missing(&DAPR_METHOD, cx))?,
        namespace: cx.attr_if(element, &DAPR_NAMESPACE)?,
    };
    Ok(Step::immediate(SetBackendService { to, scope: cx.scope() }))
}

fn check_backend(element: Element<'_>, cx: &mut CompileCx, id: &str) -> Result<(), Diagnostic> {
    let code = document::codes::UNKNOWN_BACKEND;
    let message = format!("unknown backend `{id}`");
    match cx.has_backend(id) {
        Some(true) => Ok(()),
        Some(false) => {
            let it = cx.refuse_attr(element, &BACKEND_ID, code, message);
            Err(match document::closest(id, cx.backend_names()) {
                Some(near) => it.label(format!("did you mean `{near}`?")),
                None => it.label("no backend has this name"),
            })
        }
        None => {
            cx.report(
                Diagnostic::note(code, element.attr_span(&BACKEND_ID), message)
                    .label("not at hand: the document is checked on its own"),
            );
            Ok(())
        }
    }
}

impl Immediate for SetBackendService {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        match &self.to {
            To::BaseUrl(url) => {
                if context.has_backend_of_broader_scope(self.scope) {
                    tracing::debug!("`base-url` has no effect: a broader scope set `backend-id`");
                    return Ok(Flow::Next);
                }
                let url = url.get(context)?;
                context.use_base_url(url);
            }
            To::BackendId(id) => {
                let id = id.borrow(context)?.trim().to_owned();
                context.use_backend(&id).map_err(|_| {
                    PolicyError::new("BackendNotFound", format!("Backend {id} was not found."))
                        .blame(Blame::Configuration)
                })?;
                context.note_backend_scope(self.scope);
            }
            To::Dapr { app_id, method, namespace } => {
                let mut service = segment(&app_id.get(context)?)?;
                if let Some(namespace) = namespace {
                    service = format!("{service}.{}", segment(&namespace.get(context)?)?);
                }
                let method = method.get(context)?;
                // The method may be a path.
                let parts: Vec<String> = method
                    .trim()
                    .trim_matches('/')
                    .split('/')
                    .map(segment)
                    .collect::<Result<_, _>>()?;
                let url = format!("{SIDECAR}/invoke/{service}/method/{}", parts.join("/"));
                let base = BaseUrl::parse(&url).map_err(PolicyError::evaluation)?;
                context.use_base_url(Arc::new(base));
                let query = context.request.url.own_query().to_owned();
                context.request.url.rewrite("", &query);
            }
        }
        Ok(Flow::Next)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use expr::host::BackendInfo;
    use pipeline::url::BaseUrl;
    use pipeline::{BackendEntry, Backends};

    use crate::test_support::{Trial, problems};

    fn with_backends(policy: &str) -> Trial {
        let info = BackendInfo { id: "east".to_owned(), ..BackendInfo::default() };
        let url = Arc::new(BaseUrl::parse("https://east.example/v1").unwrap());
        let entry = BackendEntry { info: Arc::new(info), url: Some(url), ..Default::default() };
        let mut trial = Trial::inbound(policy);
        trial.backends = Some([entry].into_iter().collect::<Backends>());
        trial
    }

    fn url(policy: &str) -> String {
        with_backends(policy).run("GET /orders?a=1").context.request.url.to_string()
    }

    #[test]
    fn a_backend_of_a_broader_scope_gives_way_to_another_backend_only() {
        let of = |broader: &str, own: &str| {
            let mut trial = with_backends(own);
            trial.before = broader.to_owned();
            trial.run("GET /orders").context.request.url.to_string()
        };
        let (entity, plain) = (
            r#"<set-backend-service backend-id="east" />"#,
            r#"<set-backend-service base-url="https://plain.example" />"#,
        );
        assert_eq!(of(entity, plain), "https://east.example/v1/orders");
        assert_eq!(of(plain, entity), "https://east.example/v1/orders");
        assert_eq!(of(entity, &format!("{entity}{plain}")), "https://plain.example/orders");
        assert_eq!(of(plain, plain), "https://plain.example/orders");
    }

    #[test]
    fn only_the_base_changes() {
        let policy = r#"<set-backend-service base-url="https://other.example:8443/x/" />"#;
        assert_eq!(url(policy), "https://other.example:8443/x/orders?a=1");
        let policy = r#"<set-backend-service backend-id="east" />"#;
        assert_eq!(url(policy), "https://east.example/v1/orders?a=1");
    }

    #[test]
    fn the_last_one_counts() {
        let policy = r#"<set-backend-service backend-id="east" />
                        <set-backend-service base-url="https://last.example" />"#;
        let ran = with_backends(policy).run("GET /orders");
        assert_eq!(ran.context.request.url.to_string(), "https://last.example/orders");
        assert!(ran.context.backend().is_none());
    }

    #[test]
    fn a_backend_wins_over_a_url_with_a_warning() {
        let policy = r#"<set-backend-service base-url="https://x" backend-id="east" />"#;
        assert_eq!(url(policy), "https://east.example/v1/orders?a=1");
        assert_eq!(with_backends(policy).problems(), "PC0410");
    }

    #[test]
    fn an_unknown_backend_does_not_load_and_is_a_note_where_none_are_at_hand() {
        let policy = r#"<set-backend-service backend-id="esat" />"#;
        assert_eq!(with_backends(policy).problems(), "PC0202");
        assert_eq!(problems(policy), "PC0202");
        assert_eq!(Trial::inbound(policy).run("").outcome, "500 - (BackendNotFound)");
    }

    #[test]
    fn dapr_calls_a_method_of_a_service() {
        for (attributes, expected) in [
            (r#"dapr-app-id="app" dapr-method="m""#, "invoke/app/method/m?a=1"),
            (
                r#"dapr-app-id="app" dapr-method="/v1/do it/" dapr-namespace="@("n" + 1)""#,
                "invoke/app.n1/method/v1/do%20it?a=1",
            ),
        ] {
            let policy = format!(r#"<set-backend-service backend-id="dapr" {attributes} />"#);
            assert_eq!(url(&policy), format!("http://localhost:3500/v1.0/{expected}"));
        }
        let climbs =
            r#"<set-backend-service backend-id="dapr" dapr-app-id="a" dapr-method="m/../../x" />"#;
        assert_eq!(
            with_backends(climbs).run("").outcome,
            "500 - (ExpressionValueEvaluationFailure)"
        );
    }

    #[test]
    fn what_cannot_be_called_does_not_load() {
        for (attributes, code) in [
            ("", "PC0425"),
            (r#"base-url="orders""#, "PC0409"),
            (r#"base-url="fabric:/app/service""#, "PC0409"),
            (r#"base-url="https://x" sf-replica-type="primary""#, "PC0423"),
            (r#"backend-id="dapr" dapr-app-id="a" dapr-method="m""#, "fine"),
            (r#"backend-id="dapr" dapr-app-id="a""#, "PC0404"),
            (r#"backend-id="dapr" dapr-namespace="n""#, "PC0404"),
            (r#"backend-id="east" dapr-app-id="a" dapr-method="m""#, "PC0409"),
            (r#"dapr-app-id="a" dapr-method="m""#, "PC0409"),
        ] {
            assert_eq!(problems(&format!("<set-backend-service {attributes} />")), code);
        }
    }
}
