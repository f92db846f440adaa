//! Names of .NET types that several files speak of.

macro_rules! names {
    ($($name:ident = $text:literal),* $(,)?) => { $(
        #[doc = concat!("`", $text, "`")]
        pub const $name: &str = $text;
    )* };
}
names! {
    IENUMERABLE = "System.Collections.Generic.IEnumerable",
    IENUMERATOR = "System.Collections.Generic.IEnumerator",
    ICOLLECTION = "System.Collections.Generic.ICollection",
    ILIST = "System.Collections.Generic.IList",
    ISET = "System.Collections.Generic.ISet",
    IDICTIONARY = "System.Collections.Generic.IDictionary",
    IREADONLYCOLLECTION = "System.Collections.Generic.IReadOnlyCollection",
    IREADONLYLIST = "System.Collections.Generic.IReadOnlyList",
    IREADONLYDICTIONARY = "System.Collections.Generic.IReadOnlyDictionary",
    SORTEDDICTIONARY = "System.Collections.Generic.SortedDictionary",
    DICTIONARY = "System.Collections.Generic.Dictionary",
    LIST = "System.Collections.Generic.List",
    HASHSET = "System.Collections.Generic.HashSet",
    QUEUE = "System.Collections.Generic.Queue",
    STACK = "System.Collections.Generic.Stack",
    KEYVALUEPAIR = "System.Collections.Generic.KeyValuePair",
    IEQUALITYCOMPARER = "System.Collections.Generic.IEqualityComparer",
    ICOMPARER = "System.Collections.Generic.IComparer",
    IGROUPING = "System.Linq.IGrouping",
    ILOOKUP = "System.Linq.ILookup",
    IORDEREDENUMERABLE = "System.Linq.IOrderedEnumerable",
    IENUMERABLE_PLAIN = "System.Collections.IEnumerable",
    IDISPOSABLE = "System.IDisposable",
    ICOMPARABLE = "System.IComparable",
    IEQUATABLE = "System.IEquatable",
    IFORMATTABLE = "System.IFormattable",
    IFORMATPROVIDER = "System.IFormatProvider",
    EXCEPTION = "System.Exception",
    ENUM = "System.Enum",
    VALUETYPE = "System.ValueType",
    DELEGATE = "System.Delegate",
    ARRAY = "System.Array",
    TUPLE = "System.Tuple",
    VALUETUPLE = "System.ValueTuple",
    ARRAY2 = "System.Array[,]",
    ARRAY3 = "System.Array[,,]",
    STRINGCOMPARER = "System.StringComparer",
    STRINGCOMPARISON = "System.StringComparison",
    STRINGBUILDER = "System.Text.StringBuilder",
    ENCODING = "System.Text.Encoding",
    URI = "System.Uri",
    RANDOM = "System.Random",
    TYPE = "System.Type",
    SPAN = "System.Span",
    READONLYSPAN = "System.ReadOnlySpan",
    JTOKEN = "Newtonsoft.Json.Linq.JToken",
    JCONTAINER = "Newtonsoft.Json.Linq.JContainer",
    JOBJECT = "Newtonsoft.Json.Linq.JObject",
    JARRAY = "Newtonsoft.Json.Linq.JArray",
    JVALUE = "Newtonsoft.Json.Linq.JValue",
    JPROPERTY = "Newtonsoft.Json.Linq.JProperty",
    JTOKENTYPE = "Newtonsoft.Json.Linq.JTokenType",
    FORMATTING = "Newtonsoft.Json.Formatting",
    XOBJECT = "System.Xml.Linq.XObject",
    XNODE = "System.Xml.Linq.XNode",
    XCONTAINER = "System.Xml.Linq.XContainer",
    XELEMENT = "System.Xml.Linq.XElement",
    XDOCUMENT = "System.Xml.Linq.XDocument",
    XATTRIBUTE = "System.Xml.Linq.XAttribute",
    XNAME = "System.Xml.Linq.XName",
    XNAMESPACE = "System.Xml.Linq.XNamespace",
    REGEX = "System.Text.RegularExpressions.Regex",
    MATCH = "System.Text.RegularExpressions.Match",
    X509CERTIFICATE2 = "System.Security.Cryptography.X509Certificates.X509Certificate2",
    ICONTEXT = "Apim.IProxyRequestContext",
    IREQUEST = "Apim.IRequest",
    IRESPONSE = "Apim.IResponse",
    IMESSAGEBODY = "Apim.IMessageBody",
    IURL = "Apim.IUrl",
    AUTHORIZATION = "Apim.Authorization",
    JWT = "Apim.Jwt",
    BASIC = "Apim.BasicAuthCredentials",
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_full() {
        assert!(super::LIST.starts_with("System.") && super::JTOKEN.contains(".Linq."));
    }
}
