//! Resources as Azure shows them, out of files.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use config::Source;
use serde_json::{Map, Value, json};

use crate::address::{ServiceName, Target};
use crate::index::{Found, Index};
use crate::kinds::{KeptIn, Kind};
use crate::{described, references, secrets};

/// The files of one version, with what they describe.
#[derive(Clone, Debug)]
pub(crate) struct View {
    pub(crate) source: Arc<Source>,
    pub(crate) index: Arc<Index>,
    pub(crate) service: Arc<ServiceName>,
}

/// A resource.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) target: Target,
    /// All properties, secrets included.
    pub(crate) properties: Map<String, Value>,
    /// Whether it is there without a file.
    pub(crate) is_built_in: bool,
}

impl Resource {
    /// Changes whenever the resource does: a digest of all that it says.
    pub(crate) fn etag(&self) -> String {
        let name = self.target.name().unwrap_or("");
        let text = format!("{name}\n{}", Value::Object(self.properties.clone()));
        let digest = digest(&SHA256, text.as_bytes());
        let hex: String = digest.as_ref().iter().take(12).map(|it| format!("{it:02x}")).collect();
        format!("\"{hex}\"")
    }

    /// What a client sees: the envelope, without secrets.
    pub(crate) fn to_json(&self, service: &ServiceName) -> Value {
        let kind = self.target.kind();
        let mut properties = self.properties.clone();
        for (name, json) in kind.defaults {
            if !properties.contains_key(*name)
                && let Ok(value) = serde_json::from_str(json)
            {
                properties.insert((*name).to_owned(), value);
            }
        }
        secrets::hide(kind, &mut properties);
        references::expand(service, self.target.workspace.as_deref(), &mut properties);
        if kind.is_long {
            properties.insert("provisioningState".to_owned(), "Succeeded".into());
        }
        json!({
            "id": self.target.id(service),
            "type": self.target.type_name(),
            "name": self.target.name(),
            "properties": properties,
        })
    }
}

impl View {
    /// The same resource by the name that its folder has. The current revision of an API has two:
    /// with its number and without.
    pub(crate) fn canonical(&self, target: &Target) -> Target {
        let mut target = target.clone();
        for n in 0..target.steps.len() {
            let Some(step) = target.steps.get(n).cloned() else { continue };
            let Some(name) = step.name else { continue };
            let so_far = Target {
                steps: target.steps.iter().take(n + 1).cloned().collect(),
                ..target.clone()
            };
            let found = self.index.find(&so_far).map(|it| it.name.clone());
            let found = found.or_else(|| self.without_revision(&so_far, &name));
            if let (Some(found), Some(step)) = (found, target.steps.get_mut(n)) {
                step.name = Some(found);
            }
        }
        if let Some(workspace) = &target.workspace {
            let found = self.index.all("workspaces").find(|it| *it.0 == workspace.to_lowercase());
            target.workspace =
                Some(found.map_or_else(|| workspace.clone(), |it| it.1.name.clone()));
        }
        target
    }

    fn without_revision(&self, target: &Target, name: &str) -> Option<String> {
        if !target.kind().is(&["apis"]) {
            return None;
        }
        let (base, revision) = name.rsplit_once(";rev=")?;
        let current = target.with_name(base);
        let found = self.index.find(&current)?;
        (revision_of(&self.information(found)) == revision).then(|| found.name.clone())
    }

    /// A resource; `None`: there is none.
    pub(crate) fn get(&self, target: &Target) -> Option<Resource> {
        let kind = target.kind();
        if kind.is(&["apis", "operations"]) {
            let name = target.name()?.to_lowercase();
            return self.operations(target).remove(&name);
        }
        match self.index.find(target) {
            Some(found) => self.read(target, found),
            None => built_in(kind, target.name()?).map(|properties| Resource {
                target: target.clone(),
                properties,
                is_built_in: true,
            }),
        }
    }

    /// The resources of a collection by name.
    pub(crate) fn list(&self, collection: &Target) -> Vec<Resource> {
        let kind = collection.kind();
        if kind.is(&["apis", "operations"]) {
            return self.operations(collection).into_values().collect();
        }
        let all = self.index.all(&collection.collection());
        let mut found: BTreeMap<String, Resource> = all
            .filter_map(|(key, found)| {
                Some((key.clone(), self.read(&collection.with_name(&found.name), found)?))
            })
            .collect();
        for (name, _) in kind.built_in.iter().filter(|_| collection.workspace.is_none()) {
            if !found.contains_key(*name)
                && let Some(resource) = self.get(&collection.with_name(name))
            {
                found.insert((*name).to_owned(), resource);
            }
        }
        found.into_values().collect()
    }

    fn read(&self, target: &Target, found: &Found) -> Option<Resource> {
        let kind = target.kind();
        let mut properties = match kind.kept_in {
            KeptIn::Policy => Map::new(),
            KeptIn::Folder { .. } => self.information(found),
            KeptIn::Link { .. } => {
                let linked = self.linked(target)?;
                return Some(Resource { target: target.with_name(&found.name), ..linked });
            }
        };
        if let KeptIn::Folder { .. } = kind.kept_in
            && found.info.is_none()
            && found.policy.is_none()
        {
            // A folder that holds only what belongs to the resource: links of a group that every
            // service has, say.
            let mut own = built_in(kind, &found.name)?;
            own.append(&mut properties);
            return Some(Resource {
                target: target.with_name(&found.name),
                properties: own,
                is_built_in: true,
            });
        }
        if let (true, Some((_, number))) = (kind.is(&["apis"]), found.name.rsplit_once(";rev=")) {
            properties.entry("apiRevision").or_insert_with(|| number.into());
            properties.entry("isCurrent").or_insert_with(|| false.into());
        }
        if let Some(text) = found.policy.as_ref().and_then(|it| self.source.text(it)) {
            properties.insert("value".to_owned(), Value::from(&**text));
            properties.insert("format".to_owned(), "rawxml".into());
        }
        Some(Resource { target: target.with_name(&found.name), properties, is_built_in: false })
    }

    /// The `properties` of an information file; none if there is no such file, or it is no JSON.
    pub(crate) fn information(&self, found: &Found) -> Map<String, Value> {
        match self.information_file(found).remove("properties") {
            Some(Value::Object(properties)) => properties,
            _ => Map::new(),
        }
    }

    /// All of an information file.
    pub(crate) fn information_file(&self, found: &Found) -> Map<String, Value> {
        let text = found.info.as_ref().and_then(|it| self.source.text(it));
        let text = text.map_or("", |it| it.trim_start_matches('\u{feff}'));
        serde_json::from_str(text).unwrap_or_default()
    }

    /// What a link leads to.
    pub(crate) fn linked(&self, link: &Target) -> Option<Resource> {
        let KeptIn::Link { target: segment, .. } = link.kind().kept_in else { return None };
        let kind = crate::kinds::child(&[], segment, false)?;
        let target = self.canonical(&link.sibling(kind, link.name()?));
        self.get(&target)
    }

    /// The operations of an API: those of its specification, and those with files.
    pub(crate) fn operations(&self, of: &Target) -> BTreeMap<String, Resource> {
        let mut all = BTreeMap::new();
        let Some(api) = of.parent().and_then(|it| self.index.find(&it)) else { return all };
        for (name, properties) in described::operations(self, api) {
            let target = of.with_name(&name);
            all.insert(name.to_lowercase(), Resource { target, properties, is_built_in: false });
        }
        for (key, found) in self.index.all(&of.collection()) {
            let own = self.information(found);
            match all.get_mut(key) {
                Some(described) => described.properties.extend(own),
                // A policy of an operation that is not there does not make it.
                None if found.info.is_some() => {
                    let target = of.with_name(&found.name);
                    let resource = Resource { target, properties: own, is_built_in: false };
                    all.insert(key.clone(), resource);
                }
                None => {}
            }
        }
        all
    }

    /// Whether what `target` belongs to is there.
    pub(crate) fn has_parent(&self, target: &Target) -> bool {
        let workspace = target
            .workspace
            .as_ref()
            .is_none_or(|name| self.index.all("workspaces").any(|it| *it.0 == name.to_lowercase()));
        workspace
            && target.parent().is_none_or(|it| self.get(&it).is_some() && self.has_parent(&it))
    }
}

/// The revision that an API's properties name.
pub(crate) fn revision_of(properties: &Map<String, Value>) -> String {
    match properties.get("apiRevision") {
        Some(Value::String(text)) if !text.is_empty() => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        _ => "1".to_owned(),
    }
}

fn built_in(kind: &Kind, name: &str) -> Option<Map<String, Value>> {
    let (_, json) = kind.built_in.iter().find(|it| it.0.eq_ignore_ascii_case(name))?;
    serde_json::from_str(json).ok()
}
