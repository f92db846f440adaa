//! `<ip-filter>`: lets requests pass, or not, by the address of the caller.
//!
//! IPv4 and IPv6 are both compared; an IPv4 address written as IPv6 counts as IPv4. The caller is
//! not told why it is refused.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/ip-filter-policy>

use std::net::IpAddr;

use http::StatusCode;
use pipeline::{
    Attr, Child, CompileCx, Computed, Context, Convert, Diagnostic, Element, Flow, Immediate,
    PolicyError, PolicyKind, Scopes, Sections, Step, Unfit, codes, words,
};

pub(crate) const KIND: PolicyKind = PolicyKind {
    name: "ip-filter",
    summary: "Lets requests pass, or not, by the address of the caller.",
    sections: Sections::INBOUND,
    scopes: Scopes::ALL,
    attrs: &[ACTION],
    children: &[ADDRESS, RANGE],
    compile,
};

const ACTION: Attr = Attr::required("action")
    .expressions()
    .one_of(Action::WORDS)
    .doc("Whether the listed addresses alone pass, or alone do not.");
const ADDRESS: Child =
    Child::repeated("address").expressions().doc("One address, or a network such as `10.0.0.0/8`.");
const RANGE: Child = Child::repeated("address-range")
    .empty()
    .attrs(&[FROM, TO])
    .doc("Addresses from one to another.");
const FROM: Attr = Attr::required("from").expressions().doc("First address.");
const TO: Attr = Attr::required("to").expressions().doc("Last address.");

words! {
    /// What happens to listed callers.
    enum Action {
        /// They alone pass.
        Allow = "allow",
        /// They alone do not.
        Forbid = "forbid",
    }
}

#[derive(Debug)]
struct IpFilter {
    action: Computed<Action>,
    networks: Vec<Computed<Network>>,
    ranges: Vec<(Computed<Address>, Computed<Address>)>,
}

/// One address; an IPv4 address written as IPv6 is IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Address(IpAddr);

/// An address with the number of leading bits that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    n_bits: u32,
}

fn compile(element: Element<'_>, cx: &mut CompileCx) -> Result<Step, Diagnostic> {
    let mut networks = Vec::new();
    for it in element.children(&ADDRESS) {
        let network: Computed<Network> = cx.text(it)?;
        if network.as_literal().is_some_and(|it| !it.is_one_address()) {
            let message = "networks in `address` are understood by this gateway only";
            cx.report(
                Diagnostic::warning(codes::NOT_PORTABLE, it.span(), message)
                    .label("a network")
                    .help("use `address-range` where the document must stay portable"),
            );
        }
        networks.push(network);
    }
    let mut ranges = Vec::new();
    for it in element.children(&RANGE) {
        let (from, to) = (cx.attr::<Address>(it, &FROM)?, cx.attr::<Address>(it, &TO)?);
        let problem = match (from.as_literal(), to.as_literal()) {
            (Some(from), Some(to)) => misfit(*from, *to),
            _ => None,
        };
        if let Some(problem) = problem {
            cx.report(cx.refuse_attr(it, &TO, codes::BAD_VALUE, problem).label("does not fit"));
        }
        ranges.push((from, to));
    }
    if networks.is_empty() && ranges.is_empty() {
        let message = "`ip-filter` needs an `address` or an `address-range` element";
        return Err(cx.refuse(element, codes::MISSING_CHILD, message).label("lists no address"));
    }
    Ok(Step::immediate(IpFilter { action: cx.attr(element, &ACTION)?, networks, ranges }))
}

impl Immediate for IpFilter {
    fn apply(&self, context: &mut Context) -> Result<Flow, PolicyError> {
        let text = &*context.request.ip_address;
        let Ok(Address(caller)) = Address::from_text(text) else {
            return Err(refused(
                "FailedToParseCallerIP",
                "Failed to establish IP address for the caller. Access denied.".to_owned(),
            ));
        };
        let is_listed = self.lists(caller, context)?;
        match self.action.get(context)? {
            Action::Allow if !is_listed => Err(refused(
                "CallerIpNotAllowed",
                format!("Caller IP address {text} is not allowed. Access denied."),
            )),
            Action::Forbid if is_listed => Err(refused(
                "CallerIpBlocked",
                "Caller IP address is blocked. Access denied.".to_owned(),
            )),
            Action::Allow | Action::Forbid => Ok(Flow::Next),
        }
    }
}

impl IpFilter {
    /// Whether an entry covers the address. Every entry is evaluated until one does.
    fn lists(&self, caller: IpAddr, context: &Context) -> Result<bool, PolicyError> {
        for network in &self.networks {
            if network.get(context)?.contains(caller) {
                return Ok(true);
            }
        }
        for (from, to) in &self.ranges {
            let (from, to) = (from.get(context)?, to.get(context)?);
            if let Some(problem) = misfit(from, to) {
                return Err(PolicyError::evaluation(problem));
            }
            if from.0.is_ipv4() == caller.is_ipv4() && from.0 <= caller && caller <= to.0 {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// What is wrong with a range.
fn misfit(from: Address, to: Address) -> Option<&'static str> {
    if from.0.is_ipv4() != to.0.is_ipv4() {
        return Some("`address-range` mixes IPv4 and IPv6");
    }
    (from.0 > to.0).then_some("`address-range` ends before it starts")
}

fn refused(reason: &'static str, message: String) -> PolicyError {
    PolicyError::new(reason, message).respond(StatusCode::FORBIDDEN, "Forbidden")
}

impl Convert for Address {
    fn from_text(text: &str) -> Result<Address, Unfit> {
        let text = text.trim();
        let address: Result<IpAddr, _> = text.parse();
        address
            .map(|it| Address(it.to_canonical()))
            .map_err(|_| Unfit::wanted("an IP address").got(text))
    }
}

impl Convert for Network {
    fn from_text(text: &str) -> Result<Network, Unfit> {
        let text = text.trim();
        let unfit = || Unfit::wanted("an IP address or a network such as `10.0.0.0/8`").got(text);
        let (address, n_bits) = match text.split_once('/') {
            None => (text, None),
            Some((address, n_bits)) => {
                let is_number = !n_bits.is_empty() && n_bits.bytes().all(|it| it.is_ascii_digit());
                let n_bits: u32 = n_bits.parse().ok().filter(|_| is_number).ok_or_else(unfit)?;
                (address, Some(n_bits))
            }
        };
        let written: IpAddr = address.parse().map_err(|_| unfit())?;
        let max = width(written);
        if n_bits.is_some_and(|it| it > max) {
            return Err(unfit());
        }
        let address = written.to_canonical();
        // A network of IPv4 addresses written as IPv6 has 96 bits more.
        let n_extra = max - width(address);
        let n_bits = match n_bits {
            None => width(address),
            Some(it) if it >= n_extra => it - n_extra,
            Some(it) => return Ok(Network { address: written, n_bits: it }),
        };
        Ok(Network { address, n_bits })
    }
}

impl Network {
    fn is_one_address(&self) -> bool {
        self.n_bits == width(self.address)
    }

    fn contains(&self, caller: IpAddr) -> bool {
        let differing = match (self.address, caller) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
            (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
            _ => return false,
        };
        differing >= self.n_bits
    }
}

fn width(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::{Trial, problems};

    fn network(text: &str) -> Result<(String, u32), String> {
        Network::from_text(text)
            .map(|it| (it.address.to_string(), it.n_bits))
            .map_err(|it| it.to_string())
    }

    #[test]
    fn addresses_and_networks_are_read() {
        for (text, expected) in [
            ("10.0.0.1", Some(("10.0.0.1", 32))),
            (" 10.0.0.0/8 ", Some(("10.0.0.0", 8))),
            ("::ffff:10.0.0.1", Some(("10.0.0.1", 32))),
            ("::ffff:10.0.0.0/104", Some(("10.0.0.0", 8))),
            ("2001:db8::/32", Some(("2001:db8::", 32))),
            ("0.0.0.0/0", Some(("0.0.0.0", 0))),
            ("10.0.0.0/33", None),
            ("10.0.0.0/", None),
            ("10.0.0.0/+8", None),
            ("10.0.0", None),
            ("example.com", None),
            ("", None),
        ] {
            let expected = expected.map(|(address, n_bits)| (address.to_owned(), n_bits));
            assert_eq!(network(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn a_network_contains_what_shares_its_leading_bits() {
        for (text, address, is_in) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.0", false),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("0.0.0.0/0", "::1", false),
            ("2001:db8::/32", "2001:db8:1::5", true),
            ("2001:db8::/32", "2001:db9::", false),
            ("::/0", "fe80::1", true),
            ("192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(Network::from_text(text).unwrap().contains(address), is_in, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_enforced_does_not_load() {
        let with =
            |inside: &str| problems(&format!("<ip-filter action='allow'>{inside}</ip-filter>"));
        assert_eq!(with(""), "PC0406");
        assert_eq!(with("<address>10.0.0.1</address>"), "fine");
        assert_eq!(with("<address>10.0.0.0/8</address>"), "PC0432");
        assert_eq!(with("<address>ten</address>"), "PC0409");
        assert_eq!(with("<address-range from='1.1.1.2' to='1.1.1.1' />"), "PC0409");
        assert_eq!(with("<address-range from='1.1.1.2' to='::1' />"), "PC0409");
        assert_eq!(with("<address-range from='1.1.1.2' />"), "PC0404");
        assert_eq!(
            problems("<ip-filter action='deny'><address>10.0.0.1</address></ip-filter>"),
            "PC0409"
        );
    }

    #[test]
    fn a_caller_without_an_address_is_refused_whatever_the_action() {
        for action in ["allow", "forbid"] {
            let policy =
                format!("<ip-filter action='{action}'><address>10.0.0.1</address></ip-filter>");
            // The trial's request has no address.
            assert_eq!(
                Trial::inbound(&policy).run("").outcome,
                "403 Forbidden (FailedToParseCallerIP)"
            );
        }
    }
}
