//! `System.Net.IPAddress`: <https://learn.microsoft.com/dotnet/api/system.net.ipaddress>

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use bytes::Bytes;
use clr::exception::Exception;
use clr::rows::{Member, TypeDef};
use clr::types::Type;
use clr::value::{Object, Value};
use dotnet::text::ip::parse;
use dotnet::{Runtime, Str};

use super::enums::{self, ADDRESS_FAMILY};

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

#[cfg(test)]
mod tests {
    use super::of_bytes;

    #[test]
    fn four_or_sixteen_bytes_make_an_address() {
        assert_eq!(of_bytes(&[1, 2, 3, 4]).unwrap().to_string(), "1.2.3.4");
        assert_eq!(of_bytes(&[0; 16]).unwrap().to_string(), "::");
        assert!(of_bytes(&[1]).is_none());
    }
}
