//! The order of a chain: the key's own certificate, then each issuer.

use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer as _;

use crate::bags::Certificate;

/// Subject and issuer of a certificate, in DER; none if it cannot be read.
type Names = Option<(Vec<u8>, Vec<u8>)>;

/// The certificates, that of the key first, then its issuer and so on; those outside of the chain
/// are left out if there is one. Without a mark the key's certificate is the one that issued
/// no other.
pub(crate) fn own_first(certificates: Vec<Certificate>, key_id: Option<&[u8]>) -> Vec<Vec<u8>> {
    let names: Vec<Names> = certificates.iter().map(|it| subject_and_issuer(&it.der)).collect();
    let has_issued = |subject: &[u8], own: usize| {
        let others = names.iter().enumerate().filter(|(at, _)| *at != own);
        others.filter_map(|(_, it)| it.as_ref()).any(|(_, issuer)| issuer == subject)
    };
    let marked =
        certificates.iter().position(|it| key_id.is_some() && it.key_id.as_deref() == key_id);
    let is_leaf = |(at, it): &(usize, &Names)| {
        it.as_ref().is_some_and(|(subject, _)| !has_issued(subject, *at))
    };
    let leaf = || names.iter().enumerate().find(is_leaf).map(|(at, _)| at);
    let Some(mut next) = marked.or_else(leaf) else {
        return certificates.into_iter().map(|it| it.der).collect();
    };
    let mut order = Vec::new();
    loop {
        order.push(next);
        let issuer = names.get(next).and_then(Option::as_ref).map(|(_, issuer)| issuer.as_slice());
        let found = names.iter().enumerate().find(|(at, it)| {
            !order.contains(at) && it.as_ref().map(|(subject, _)| subject.as_slice()) == issuer
        });
        match found {
            Some((at, Some(_))) => next = at,
            _ => break,
        }
    }
    let mut all: Vec<Option<Vec<u8>>> = certificates.into_iter().map(|it| Some(it.der)).collect();
    order.into_iter().filter_map(|at| all.get_mut(at).and_then(Option::take)).collect()
}

fn subject_and_issuer(der: &[u8]) -> Names {
    let (_, it) = X509Certificate::from_der(der).ok()?;
    Some((it.subject().as_raw().to_vec(), it.issuer().as_raw().to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_keeps_its_order() {
        let of = |text: &str, key_id: Option<&[u8]>| Certificate {
            der: text.as_bytes().to_vec(),
            key_id: key_id.map(<[u8]>::to_vec),
        };
        let texts = |it: Vec<Vec<u8>>| -> Vec<String> {
            it.into_iter().map(|it| String::from_utf8(it).unwrap()).collect()
        };
        assert_eq!(texts(own_first(vec![of("a", None), of("b", None)], None)), ["a", "b"]);
        let marked = own_first(vec![of("a", None), of("b", Some(b"k"))], Some(b"k"));
        assert_eq!(texts(marked), ["b"]);
    }
}
