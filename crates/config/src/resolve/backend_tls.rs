//! The certificates of a backend: the one that is presented to it, and those that are pinned.

use document::Diagnostic;
use pipeline::{Certificate, Certificates};
use transport::{ClientIdentity, Thumbprint};

use crate::codes;
use crate::entity::CertificateRef;
use crate::place::Place;

/// The certificates of the configuration that can be presented; opened once for all backends.
#[derive(Default)]
pub(super) struct Identities {
    usable: Vec<(String, ClientIdentity)>,
    unusable: Vec<(String, String)>,
    /// Whether some have not been read, as when a configuration is only checked.
    some_unread: bool,
}

/// What a certificate is looked up by: named values are put in.
#[derive(Debug)]
pub(super) enum Wanted {
    Id(String),
    Thumbprint(Thumbprint),
}

impl Identities {
    pub(super) fn open(certificates: &Certificates) -> Identities {
        let mut all = Identities::default();
        for name in certificates.names() {
            let opened = match certificates.get(name) {
                None => continue,
                Some(Certificate::NotAtHand) => {
                    all.some_unread = true;
                    continue;
                }
                Some(Certificate::Unusable(why)) => Err(why.clone()),
                Some(Certificate::Usable(it)) => match &it.private_key_pem {
                    None => Err("it has no private key".to_owned()),
                    Some(key) => ClientIdentity::from_pem(&it.chain_pem, key)
                        .map_err(|error| error.to_string()),
                },
            };
            match opened {
                Ok(it) => all.usable.push((name.to_owned(), it)),
                Err(why) => all.unusable.push((name.to_owned(), why)),
            }
        }
        all
    }

    /// The certificate; none if it has not been read.
    ///
    /// # Errors
    ///
    /// There is none that can be presented: why.
    pub(super) fn find(&self, wanted: &Wanted) -> Result<Option<ClientIdentity>, String> {
        let found = self.usable.iter().find(|(name, it)| match wanted {
            Wanted::Id(id) => name.eq_ignore_ascii_case(id),
            Wanted::Thumbprint(thumbprint) => it.thumbprint() == Some(*thumbprint),
        });
        if let Some((_, it)) = found {
            return Ok(Some(it.clone()));
        }
        if self.some_unread {
            return Ok(None);
        }
        let why = match wanted {
            Wanted::Id(id) => {
                let mut all = self.unusable.iter();
                let why = all.find(|(name, _)| name.eq_ignore_ascii_case(id));
                why.map(|(_, why)| format!("certificate `{id}` cannot be presented: {why}"))
                    .unwrap_or_else(|| format!("there is no certificate `{id}`"))
            }
            Wanted::Thumbprint(it) => {
                format!("no certificate with a private key has the thumbprint {it}")
            }
        };
        Err(why)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.usable.iter().map(|(name, _)| name.as_str())
    }
}

impl Wanted {
    /// What a reference with its text resolved asks for; none if it is no thumbprint.
    pub(super) fn of(reference: &CertificateRef, text: &str) -> Option<Wanted> {
        match reference {
            // `/subscriptions/.../certificates/NAME`, or the name alone.
            CertificateRef::Id(_) => {
                text.trim().rsplit('/').next().map(|it| Wanted::Id(it.to_owned()))
            }
            CertificateRef::Thumbprint(_) => Thumbprint::parse(text).map(Wanted::Thumbprint),
        }
    }
}

/// The problem of a certificate that is not there.
pub(super) fn unknown(
    place: &Place,
    backend: &str,
    why: &str,
    wanted: &Wanted,
    all: &Identities,
) -> Diagnostic {
    let problem = place.error(codes::UNKNOWN_ENTITY, format!("backend `{backend}`: {why}"));
    let near = match wanted {
        Wanted::Id(id) => document::closest(id, all.names()),
        Wanted::Thumbprint(_) => None,
    };
    match near {
        Some(near) => problem.label(format!("did you mean `{near}`?")),
        None => problem.help(
            "give the certificate with its key in `certificates:` of `portcullis.yaml`, or in Key \
             Vault",
        ),
    }
}
