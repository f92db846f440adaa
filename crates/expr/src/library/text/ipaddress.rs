//! `System.Net.IPAddress`: <https://learn.microsoft.com/dotnet/api/system.net.ipaddress>

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use bytes::Bytes;

use super::enums::{self, ADDRESS_FAMILY};
use crate::Runtime;
use crate::exception::Exception;
use crate::library::{Args, Member, TypeDef};
use crate::string::Str;
use crate::types::Type;
use crate::value::{Object, Value};

const NAME: &str = "System.Net.IPAddress";
const OWN: Type = Type::named(NAME);
const STRING: Type = Type::String;

pub(crate) const TYPE: TypeDef = TypeDef::class(NAME, MEMBERS);

/// An address as an object.
#[derive(Debug)]
struct Address(IpAddr);

impl Object for Address {
    fn net_type(&self) -> Type {
        OWN
    }

    fn to_text(&self, _: Runtime) -> Str {
        self.0.to_string().into()
    }

    fn equals(&self, other: &Value) -> Option<bool> {
        Some(other.as_object::<Self>().is_some_and(|it| it.0 == self.0))
    }

    fn hash_code(&self) -> Option<u64> {
        Some(Value::from(self.0.to_string()).hash_code())
    }
}

const MEMBERS: &[Member] = &[
    Member::static_method("Parse", &[STRING], OWN, |args, _| {
        let (text,): (Str,) = args.get()?;
        let parsed = parse(text.as_str()).map(made);
        parsed.ok_or_else(|| Exception::format("An invalid IP address was specified."))
    })
    .params(&["ipString"]),
    Member::static_method("TryParse", &[STRING, Type::Out(&OWN)], Type::Bool, |args, _| {
        let text: Option<Str> = args.arg(0)?;
        let parsed = text.and_then(|it| parse(it.as_str()));
        args.set_out(1, parsed.map_or(Value::Null, made));
        Ok(parsed.is_some().into())
    })
    .params(&["ipString", "address"]),
    Member::static_method("IsLoopback", &[OWN], Type::Bool, |args, _| {
        let (it,): (Arc<Address>,) = args.get()?;
        Ok(it.0.is_loopback().into())
    })
    .params(&["address"]),
    Member::property("AddressFamily", Type::named(ADDRESS_FAMILY), |args, _| {
        let (it,): (Arc<Address>,) = args.get()?;
        Ok(enums::member(ADDRESS_FAMILY, if it.0.is_ipv4() { 2 } else { 23 }))
    }),
    Member::method("GetAddressBytes", &[], Type::BYTES, |args, _| {
        let (it,): (Arc<Address>,) = args.get()?;
        Ok(match it.0 {
            IpAddr::V4(it) => it.octets().to_vec(),
            IpAddr::V6(it) => it.octets().to_vec(),
        }
        .into())
    }),
    // Older revisions of Azure's list had all members.
    Member::constructor(&[Type::BYTES], OWN, |args, _| {
        let (bytes,): (Bytes,) = args.get()?;
        let wrong = "An invalid IP address was specified. (Parameter 'address')";
        of_bytes(&bytes).map(made).ok_or_else(|| Exception::argument(wrong))
    })
    .params(&["address"])
    .unlisted(),
    Member::constructor(&[Type::Int64], OWN, |args, _| {
        let (bits,): (i64,) = args.get()?;
        let bits = u32::try_from(bits);
        let bits = bits.map_err(|_| Exception::argument_out_of_range("newAddress"))?;
        Ok(made(IpAddr::V4(Ipv4Addr::from(bits.swap_bytes()))))
    })
    .params(&["newAddress"])
    .unlisted(),
    Member::static_property("Loopback", OWN, |_, _| fixed(Ipv4Addr::LOCALHOST)).unlisted(),
    Member::static_property("Any", OWN, |_, _| fixed(Ipv4Addr::UNSPECIFIED)).unlisted(),
    Member::static_property("Broadcast", OWN, |_, _| fixed(Ipv4Addr::BROADCAST)).unlisted(),
    Member::static_property("None", OWN, |_, _| fixed(Ipv4Addr::BROADCAST)).unlisted(),
    Member::static_property("IPv6Loopback", OWN, |_, _| fixed(Ipv6Addr::LOCALHOST)).unlisted(),
    Member::static_property("IPv6Any", OWN, |_, _| fixed(Ipv6Addr::UNSPECIFIED)).unlisted(),
    Member::property("IsIPv4MappedToIPv6", Type::Bool, |args, _| {
        let (it,): (Arc<Address>,) = args.get()?;
        Ok(matches!(it.0, IpAddr::V6(it) if it.to_ipv4_mapped().is_some()).into())
    })
    .unlisted(),
    Member::property("IsIPv6LinkLocal", Type::Bool, |args, _| {
        let (it,): (Arc<Address>,) = args.get()?;
        Ok(matches!(it.0, IpAddr::V6(it) if it.is_unicast_link_local()).into())
    })
    .unlisted(),
    Member::property("IsIPv6Multicast", Type::Bool, |args, _| {
        let (it,): (Arc<Address>,) = args.get()?;
        Ok(matches!(it.0, IpAddr::V6(it) if it.is_multicast()).into())
    })
    .unlisted(),
    Member::method("MapToIPv4", &[], OWN, |args, _| {
        let (it,): (Arc<Address>,) = args.get()?;
        Ok(made(match it.0 {
            IpAddr::V6(it) => {
                let [.., a, b, c, d] = it.octets();
                IpAddr::V4(Ipv4Addr::new(a, b, c, d))
            }
            own @ IpAddr::V4(_) => own,
        }))
    })
    .unlisted(),
    Member::method("MapToIPv6", &[], OWN, |args, _| {
        let (it,): (Arc<Address>,) = args.get()?;
        Ok(made(match it.0 {
            IpAddr::V4(it) => IpAddr::V6(it.to_ipv6_mapped()),
            own @ IpAddr::V6(_) => own,
        }))
    })
    .unlisted(),
];

fn made(address: IpAddr) -> Value {
    Value::object(Address(address))
}

fn fixed(address: impl Into<IpAddr>) -> Result<Value, Exception> {
    Ok(made(address.into()))
}

fn of_bytes(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::from(four));
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}

/// Reads IPv6 with or without brackets, and IPv4 in one to four parts, each decimal, octal or hex.
fn parse(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        let text = text.strip_prefix('[').and_then(|it| it.strip_suffix(']')).unwrap_or(text);
        let text = text.split_once('%').map_or(text, |(address, _)| address);
        return text.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    }
    let parts: Vec<u32> = text.split('.').map(part).collect::<Option<_>>()?;
    let (last, leading) = parts.split_last()?;
    if leading.len() > 3 || leading.iter().any(|it| *it > 255) {
        return None;
    }
    let rest_bits = 32 - 8 * leading.len() as u32;
    if rest_bits < 32 && *last >= 1 << rest_bits {
        return None;
    }
    let upper = leading.iter().fold(0_u64, |all, part| all << 8 | u64::from(*part));
    let bits = upper << rest_bits | u64::from(*last);
    u32::try_from(bits).ok().map(|it| IpAddr::V4(Ipv4Addr::from(it)))
}

fn part(text: &str) -> Option<u32> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', ..] => (text.get(2..)?, 16),
        [b'0', _, ..] => (text.get(1..)?, 8),
        _ => (text, 10),
    };
    let plain = digits.chars().all(|it| it.is_digit(radix));
    if plain { u32::from_str_radix(digits, radix).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn addresses_are_read_as_dotnet_reads_them() {
        for (text, expected) in [
            ("203.0.113.42", Some("203.0.113.42")),
            ("::1", Some("::1")),
            ("[::1]", Some("::1")),
            ("10.1", Some("10.0.0.1")),
            ("1.2.3", Some("1.2.0.3")),
            ("0x7f.1", Some("127.0.0.1")),
            ("010.0.0.1", Some("8.0.0.1")),
            ("16909060", Some("1.2.3.4")),
            ("256.1.1.1", None),
            ("bad", None),
            ("", None),
            ("1.2.3.4.5", None),
            ("1.2.3.256", None),
            (" 1.2.3.4", None),
        ] {
            assert_eq!(parse(text).map(|it| it.to_string()).as_deref(), expected, "{text}");
        }
    }
}
