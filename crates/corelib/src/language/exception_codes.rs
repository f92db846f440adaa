//! `HResult` of exceptions: the number that each type has, unless it is set.
//!
//! Source: results recorded from .NET Core, and from Mono for what .NET Framework has of its own.

use dotnet::Runtime;

/// What types have that name none of their own.
const ANY: i32 = -2_146_233_088;

/// The number of a type.
pub(super) fn code(type_name: &str, runtime: Runtime) -> i32 {
    let name = type_name.rsplit('.').next().unwrap_or(type_name);
    match name {
        "ApplicationException" => -2_146_232_832,
        "ArgumentException" | "DecoderFallbackException" | "EncoderFallbackException" => {
            -2_147_024_809
        }
        "ArgumentNullException" | "NullReferenceException" => -2_147_467_261,
        "ArgumentOutOfRangeException" => -2_146_233_086,
        "ArithmeticException" => -2_147_024_362,
        "ArrayTypeMismatchException" | "InvalidDataException" => -2_146_233_085,
        "DivideByZeroException" => -2_147_352_558,
        "FormatException" | "UriFormatException" => -2_146_233_033,
        "IOException" => -2_146_232_800,
        "IndexOutOfRangeException" => -2_146_233_080,
        "InvalidCastException" => -2_147_467_262,
        "InvalidOperationException" => -2_146_233_079,
        "KeyNotFoundException" => -2_146_232_969,
        "NotImplementedException" => -2_147_467_263,
        "NotSupportedException" => -2_146_233_067,
        "ObjectDisposedException" => -2_146_232_798,
        "OperationCanceledException" => -2_146_233_029,
        "OutOfMemoryException" => -2_147_024_882,
        "OverflowException" => -2_146_233_066,
        "PlatformNotSupportedException" => -2_146_233_031,
        "RankException" => -2_146_233_065,
        "RegexMatchTimeoutException" | "TimeoutException" => -2_146_233_083,
        "SocketException" => -2_147_467_259,
        "CryptographicException" if runtime == Runtime::Framework => -2_146_233_296,
        "SystemException" | "CryptographicException" => -2_146_233_087,
        "UnauthorizedAccessException" => -2_147_024_891,
        "XmlException" => -2_146_232_000,
        _ => ANY,
    }
}

#[cfg(test)]
mod tests {
    use super::{ANY, Runtime, code};

    #[test]
    fn a_type_has_its_own_number_or_that_of_all() {
        let of = |name| code(name, Runtime::Modern);
        assert_eq!(of("System.FormatException"), -2_146_233_033);
        assert_eq!(of("Newtonsoft.Json.JsonReaderException"), ANY);
    }
}
