//! What follows the files of a configuration while the gateway runs, beside the snapshot itself:
//! host names that lead elsewhere, readiness, and a word on what only a restart changes.

use std::sync::Arc;

use config::{GatewaySettings, Loaded, Reload, SecretSource};
use document::render::{self, Colours};
use proxy::Gateway;
use transport::{Client, HostMap};

use crate::commands::{complain, mention};
use crate::serve::report;

/// What follows the files while the gateway runs.
pub(crate) struct Follow {
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) client: Client,
    /// Host names that lead elsewhere whatever the settings say.
    pub(crate) hosts: HostMap,
    /// The settings that the process started with.
    pub(crate) started: GatewaySettings,
    pub(crate) colours: Colours,
}

impl Follow {
    /// Acts on what a reload came to.
    pub(crate) fn told(&self, reload: &Reload) {
        match reload {
            Reload::Swapped { loaded, .. } => {
                report(loaded, self.colours);
                self.follow_hosts(loaded);
                let fixed = needs_restart(&self.started, &loaded.settings);
                if !fixed.is_empty() {
                    let keys = fixed.join("`, `");
                    complain(&format!("`{keys}` of portcullis.yaml changed: restart to apply"));
                }
            }
            Reload::Kept { loaded } => {
                report(loaded, self.colours);
                let errors = || loaded.diagnostics.iter().filter(|it| it.is_error());
                let first = errors().next().map_or_else(String::new, |it| match &it.file {
                    Some(file) => format!(": {file}: {it}"),
                    None => format!(": {it}"),
                });
                let problem = match errors().count() {
                    1 => format!("the last change has an error and is not in force{first}"),
                    n => format!("the last change has {n} errors and is not in force{first}"),
                };
                self.gateway.health().refused(Some(problem));
            }
            Reload::Unchanged => {}
        }
    }

    fn follow_hosts(&self, loaded: &Loaded) {
        let (own, problems) = loaded.settings.host_map(loaded.folder.as_deref());
        for problem in &problems {
            mention(&render::human(problem, &loaded.sources, self.colours));
        }
        if let Some(problem) = problems.iter().find(|it| it.is_error()) {
            let problem = format!("`hosts` of the last change are not in force: {problem}");
            self.gateway.health().refused(Some(problem));
            return;
        }
        let hosts = own.or(self.hosts.clone());
        if self.client.hosts() != hosts {
            self.client.set_hosts(hosts);
            tracing::info!("hosts are in place");
        }
    }
}

fn same_store(old: &GatewaySettings, new: &GatewaySettings) -> bool {
    let parts = |it: &GatewaySettings| {
        let store = it.store.clone();
        store.map_or((None, None), |it| (Some(it.postgres), it.copy))
    };
    let ((old, old_copy), (new, new_copy)) = (parts(old), parts(new));
    old_copy == new_copy && names_the_same(&old, &new)
}

/// Whether two sources are one, as far as the file tells. A text in the file holds no password.
fn names_the_same(old: &Option<SecretSource>, new: &Option<SecretSource>) -> bool {
    let text = |it: &Option<SecretSource>| match it {
        Some(SecretSource::Text(text)) => text.expose().to_owned(),
        other => format!("{other:?}"),
    };
    text(old) == text(new)
}

/// The settings that only a new process takes up.
fn needs_restart(old: &GatewaySettings, new: &GatewaySettings) -> Vec<&'static str> {
    let same = [
        ("listen", old.listen == new.listen),
        ("tls-listen", old.tls_listen == new.tls_listen),
        ("tls", old.tls == new.tls),
        ("admin", old.admin == new.admin),
        ("drain", old.drain == new.drain),
        ("telemetry", old.telemetry == new.telemetry),
        ("workers", old.workers == new.workers),
        ("identity", old.identity == new.identity),
        ("management", format!("{:?}", old.management) == format!("{:?}", new.management)),
        ("counters", old.counters == new.counters),
        ("store", same_store(old, new)),
        ("ai.semantic-cache.postgres", names_the_same(&old.semantic_store, &new.semantic_store)),
        (
            "limits",
            old.limits == new.limits
                && old.max_buffered_body_bytes == new.max_buffered_body_bytes
                && old.caches == new.caches,
        ),
    ];
    same.into_iter().filter_map(|(key, is_same)| (!is_same).then_some(key)).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_what_a_process_fixes_at_its_start_needs_a_restart() {
        let old = GatewaySettings::default();
        let mut new = old.clone();
        new.requests.any_protocol = true;
        assert_eq!(needs_restart(&old, &new), [""; 0]);
        new.listen = vec![":1".to_owned()];
        new.drain = Duration::from_secs(1);
        new.max_buffered_body_bytes = 1;
        new.counters.token_bucket = true;
        assert_eq!(needs_restart(&old, &new), ["listen", "drain", "counters", "limits"]);
    }
}
