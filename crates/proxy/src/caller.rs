//! The client's address as text, which policies see and `X-Forwarded-For` names.
//!
//! Callers keep their connections, so a thread writes most addresses once and shares the text.

use std::cell::RefCell;
use std::net::IpAddr;
use std::sync::Arc;

use http::HeaderValue;
use transport::Peer;

/// Addresses that a thread remembers.
const MAX_KNOWN: usize = 16;

struct Known {
    address: IpAddr,
    text: Arc<str>,
    value: Option<HeaderValue>,
}

thread_local! {
    static KNOWN: RefCell<[Option<Known>; MAX_KNOWN]> = const { RefCell::new([const { None }; MAX_KNOWN]) };
}

/// The address of a caller.
pub(crate) fn address(peer: &Peer) -> Arc<str> {
    let address = peer.address.ip();
    KNOWN.with_borrow_mut(|known| {
        let Some(slot) = known.get_mut(place(address)) else { return peer.ip_text().into() };
        match slot {
            Some(known) if known.address == address => known.text.clone(),
            _ => {
                let text: Arc<str> = peer.ip_text().into();
                let value = HeaderValue::from_str(&text).ok();
                *slot = Some(Known { address, text: text.clone(), value });
                text
            }
        }
    })
}

/// The address as a header's value; none if it can stand in none.
pub(crate) fn header_value(address: &Arc<str>) -> Option<HeaderValue> {
    let known = KNOWN.with_borrow(|known| {
        let mut known = known.iter().flatten();
        known.find(|it| Arc::ptr_eq(&it.text, address)).map(|it| it.value.clone())
    });
    known.unwrap_or_else(|| HeaderValue::from_str(address).ok())
}

fn place(address: IpAddr) -> usize {
    let last = match address {
        IpAddr::V4(it) => it.octets()[3],
        IpAddr::V6(it) => it.octets()[15],
    };
    usize::from(last) % MAX_KNOWN
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::Arc;

    use transport::Peer;

    use super::{address, header_value};

    fn of(last: u8) -> Arc<str> {
        address(&Peer::plain(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last))))
    }

    #[test]
    fn an_address_is_written_once_and_never_taken_for_another() {
        assert!(Arc::ptr_eq(&of(1), &of(1)));
        for last in [1, 17, 1, 33, 2] {
            assert_eq!(&*of(last), format!("10.0.0.{last}"));
        }
    }

    #[test]
    fn its_header_says_the_same_whether_or_not_it_is_remembered() {
        let first = of(1);
        assert_eq!(header_value(&first).unwrap(), "10.0.0.1");
        of(17);
        assert_eq!(header_value(&first).unwrap(), "10.0.0.1");
        assert_eq!(header_value(&Arc::from("10.0.0.1")).unwrap(), "10.0.0.1");
        assert_eq!(header_value(&Arc::from("a\nb")), None);
    }
}
