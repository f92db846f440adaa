//! More forms of the generated programs: patterns, named and optional arguments, lifted operators,
//! chains and queries, formats, spans of time, unique ids.

use crate::generate::{Generator, Ty};

use Ty::*;

/// The leaves of the types that only these forms have.
pub(crate) fn leaves(ty: Ty) -> &'static [&'static str] {
    match ty {
        NullableDouble => &["(double?)null", "(double?)1.5", "(double?)-0.25"],
        NullableDecimal => &["(decimal?)null", "(decimal?)1.50m", "(decimal?)-3m"],
        NullableBool => &["(bool?)null", "(bool?)true", "(bool?)false"],
        Span => &[
            "TimeSpan.Zero",
            "new TimeSpan(1, 2, 3)",
            "new TimeSpan(-1, 30, 0)",
            "new TimeSpan(3, 4, 5, 6, 7)",
            "TimeSpan.FromTicks(15L)",
        ],
        Id => &[
            "Guid.Empty",
            "new Guid(\"0f8fad5b-d9cb-469f-a165-70867728950e\")",
            "new Guid(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)",
        ],
        Obj => &[
            "(object)null",
            "(object)5",
            "(object)\"a\"",
            "(object)'a'",
            "(object)2.5",
            "(object)7L",
            "(object)new[] {1, 2}",
            "(object)true",
            "(object)new DateTime(2020, 1, 2)",
            "(object)new List<string> {\"q\"}",
        ],
        Dict => &[
            "new Dictionary<string, int> {{\"a\", 1}, {\"b\", 2}}",
            "new Dictionary<string, int>()",
            "new Dictionary<string, int> {[\"x\"] = 5}",
        ],
        Chain => &[
            "Enumerable.Range(1, 4)",
            "Enumerable.Empty<int>()",
            "new List<int> {3, 1, 2}.AsEnumerable()",
        ],
        _ => &[],
    }
}

/// The forms of a type, beside those it has already.
pub(crate) fn forms(ty: Ty) -> &'static [&'static str] {
    match ty {
        Int => INTS,
        Long => LONGS,
        Byte => BYTES,
        Double => DOUBLES,
        Decimal => DECIMALS,
        Bool => BOOLS,
        Char => CHARS,
        Str => STRINGS,
        NullableInt => NULLABLE_INTS,
        NullableDouble => NULLABLE_DOUBLES,
        NullableDecimal => NULLABLE_DECIMALS,
        NullableBool => NULLABLE_BOOLS,
        Ints => ARRAYS,
        ListOfStrings => LISTS,
        Json => JSON,
        Date => DATES,
        Span => SPANS,
        Id => IDS,
        Obj => OBJECTS,
        Dict => DICTIONARIES,
        Chain => CHAINS,
    }
}

impl Generator {
    /// A local function with optional parameters.
    pub(crate) fn optional_function(&mut self) -> String {
        let name = format!("G{}", self.named());
        let form = self.pick(&[
            "int ~N(int p, int q = 3, string r = \"x\") { return p * 2 - q + (r ?? \"\").Length; } ",
            "int ~N(int p, int q = -1, string r = null) => checked(p + q * 3) - (r?.Length ?? 7); ",
            "int ~N(int p = 4, int q = int.MaxValue, string r = \"\") { unchecked { return p + q + r.Length; } } ",
            "int ~N(int p, int q = 1, params string[] r) => p - q + r.Length; ",
        ]);
        self.add_named(name.clone(), form.contains("params"));
        form.replace("~N", &name)
    }

    /// A call of such a function.
    pub(crate) fn optional_call(&mut self, depth: u32) -> Option<String> {
        let (name, has_list) = self.any_named()?;
        let form = self.pick(if has_list {
            &["(~i)", "(~i, ~i)", "(~i, ~i, ~s)", "(~i, ~i, ~s, ~s)", "(q: ~i, p: ~i)"][..]
        } else {
            &[
                "(~i)",
                "(~i, ~i)",
                "(~i, q: ~i)",
                "(~i, r: ~s)",
                "(r: ~s, p: ~i)",
                "(q: ~v, p: ~v)",
                "(p: ~v, r: ~s, q: ~v)",
                "(~v, ~v, ~s)",
            ][..]
        });
        Some(self.filled(&format!("{name}{form}"), depth))
    }

    /// A statement that looks at what a value is.
    pub(crate) fn pattern_statement(&mut self, depth: u32) -> String {
        let (a, b, c, d) = (self.fresh(), self.fresh(), self.fresh(), self.fresh());
        let value = self.expression(Obj, 2);
        let guard = self.expression(Bool, 1);
        let [one, two, three] =
            [self.block(depth - 1), self.block(depth - 1), self.block(depth.saturating_sub(2))];
        match self.below(6) {
            0 => format!(
                "switch ({value}) {{ case int {a} when {a} > 1 && {guard}: {one}break; case 5: case \"a\": {two}break; case string {b} when {b}.Length > 0: {three}break; case null: break; case var {c} when {guard}: {{ string {d} = {c}.ToString(); }} break; default: break; }} "
            ),
            1 => format!(
                "switch ({value}) {{ case int[] {a} when {a}.Length > 1: {one}break; case IEnumerable<string> {b}: {two}break; case DateTime {c} when {c}.Year > 2000: {three}break; case long {d}: {{ }} break; }} "
            ),
            2 => format!(
                "if ({value} is int {a} && {a} > 2) {one}else if (({value}) is string {b} && {guard}) {two}"
            ),
            3 => format!("if (!({value} is string {a})) {one}else {{ {a} = {a} + \"!\"; {two}}} "),
            4 => {
                let text = self.expression(Str, 2);
                format!(
                    "switch ({text}) {{ case \"a\" when {guard}: {one}break; case \"a\": case \"12\": {two}break; case null: {three}break; case string {a} when {a}.Length > 3: {{ }} break; default: {{ }} break; }} "
                )
            }
            _ => {
                let number = self.expression(NullableInt, 2);
                format!(
                    "switch ({number}) {{ case null: {one}break; case 5 when {guard}: {two}break; case int {a} when {a} < 0: {three}break; default: {{ }} break; }} "
                )
            }
        }
    }
}

const INTS: &[&str] = &[
    "(~O is int # ? # : ~i)",
    "(~O is string # ? #.Length : ~i)",
    "((~O as string)?.Length ?? ~i)",
    "(~O is int[] # && #.Length > 1 ? #[1] : -1)",
    "(int.TryParse(~s, out var #) ? # : ~i)",
    "(int.TryParse(~s, out int #) ? # : #)",
    "(~K.TryGetValue(~s, out var #) ? # : -#)",
    "(~n ?? ~n ?? ~i)",
    "(~n?.CompareTo(~i) ?? -9)",
    "(~v + ~v * ~v)",
    "(~a[~v & 1] - ~v)",
    "~E.Where(# => # ~r ~i).DefaultIfEmpty(~i).Last()",
    "~E.TakeWhile(# => # ~r ~i).Count()",
    "~E.SkipWhile(# => # ~r ~i).FirstOrDefault()",
    "~E.Except(~a).Sum()",
    "~E.Intersect(~a).Count()",
    "~E.ElementAtOrDefault(~i & 3)",
    "~E.Single(# => # == ~i)",
    "~E.Min(# => # ~o ~i)",
    "~a.Aggregate((p1, p2) => p1 ~o p2)",
    "~a.Aggregate(seed: ~i, func: (p1, p2) => p1 ~o p2)",
    "(from # in ~a where # ~r ~i select # ~o 2).Sum()",
    "(from # in ~a let sq = # * # orderby sq descending, # select sq - #).FirstOrDefault()",
    "(from # in ~a from r2 in ~E select # ~o r2).Count(q => q ~r ~i)",
    "~K.Values.Sum()",
    "~K.Count",
    "~K[~s]",
    "~w.DayOfYear",
    "(int)~w.DayOfWeek",
    "DateTime.DaysInMonth(2000 + (~i & 31), 1 + (~i & 7))",
    "~w.CompareTo(~w)",
    "~T.Minutes",
    "~T.CompareTo(~T)",
    "~G.CompareTo(~G)",
    "~G.ToByteArray()[~i & 15]",
    "string.Compare(strA: ~s, strB: ~s, comparisonType: StringComparison.Ordinal)",
    "(~s).IndexOf(value: ~c, startIndex: 0)",
    "(~s).LastIndexOf('a')",
    "Math.Max(val2: ~v, val1: ~v)",
    "Convert.ToInt32(~s, 16)",
    "Convert.ToInt32(~c)",
    "((Func<int, int, int>)((p1, p2) => p1 ~o p2))(~v, ~v)",
    "(~b ? (int?)~i : null).GetValueOrDefault(~i)",
    "(int)((uint)~i >> 3)",
    "(short)(~i)",
    "(sbyte)(~i)",
    "((~b ? 1 : (int?)null) ?? ~i)",
    "~i.GetHashCode()",
    "~i.CompareTo(~i)",
    "new[] {~v, ~v, ~v}.Sum()",
    "(~i == ~v ? ~v : ~v)",
    "default(int)",
    "nameof(Math).Length",
    "~E.Zip(~a, (p1, p2) => p1 * p2).Sum()",
    "~t.Max(# => (#?.Length) ?? 0)",
    "~t.Sum(# => #?.Length) ?? -1",
    "~a.ToLookup(# => # & 1)[1].Count()",
    "~a.ToDictionary(# => #, # => # ~o 1).Count",
    "Math.DivRem(~i, ~i, out var #) + #",
];
const LONGS: &[&str] = &[
    "~T.Ticks",
    "(~n * 3L ?? ~l)",
    "(uint)(~i)",
    "(~i + (uint)~i)",
    "((uint)~i * (uint)~i)",
    "(~O is long # ? # : ~l)",
    "(long)(ulong)(~l)",
    "new DateTimeOffset(~w, TimeSpan.Zero).ToUnixTimeSeconds()",
    "Math.BigMul(~i, ~i)",
    "(~l >> ~i)",
    "(~l ^ ~i)",
    "(long)~T.TotalSeconds",
    "Convert.ToInt64(~s, 8)",
    "Convert.ToInt64(~d)",
    "~a.Select(# => (long?)#).Sum() ?? 0L",
];
const BYTES: &[&str] =
    &["checked((byte)(~i))", "(byte)~n.GetValueOrDefault()", "byte.Parse(~s)", "(byte)(~y >> 1)"];
const DOUBLES: &[&str] = &[
    "~T.TotalMinutes",
    "(~D ?? ~d)",
    "(~O is double # ? # : ~d)",
    "Math.Round(value: ~d, digits: 2)",
    "Math.Round(~d, MidpointRounding.AwayFromZero)",
    "Math.Pow(~d, ~i & 3)",
    "~a.Average(# => # ~o ~d)",
    "(~w - ~w).TotalDays",
    "(float)(~d)",
    "~T.TotalMilliseconds",
    "Convert.ToDouble(~m)",
    "~a.Max(# => # / 3.0)",
    "(~i / (double)~i)",
    "(double.TryParse(~s, out var #) ? # : -0.5)",
];
const DECIMALS: &[&str] = &[
    "(~M ?? ~m)",
    "Math.Round(d: ~m, decimals: 1, mode: MidpointRounding.AwayFromZero)",
    "decimal.Remainder(~m, ~m)",
    "(decimal.TryParse(~s, out var #) ? # : 0.5m)",
    "~a.Average(# => (decimal)#)",
    "Math.Max(~m, ~i)",
    "(~m * ~l)",
    "decimal.Truncate(~m)",
    "Convert.ToDecimal(~d)",
];
const BOOLS: &[&str] = &[
    "(~O is int)",
    "(~O is int # && # ~r ~i)",
    "(~O is string # && #.Length ~r ~i)",
    "(~O is null)",
    "(~O is 5)",
    "(~O is \"a\")",
    "(~O is var # && # != null)",
    "!(~O is string)",
    "(~O is IEnumerable<int> # && #.Any())",
    "(~n is null)",
    "(~n is int # && # ~r ~i)",
    "(~n is 5)",
    "(~n == null)",
    "(~n != ~n)",
    "(~D ~r ~n)",
    "(~D ~r ~d)",
    "(~M ~r ~n)",
    "(~M == ~m)",
    "(~B == true)",
    "(~B ?? ~b)",
    "(~B & ~B) == null",
    "((~B | ~B) ?? false)",
    "((~B ^ ~B) == false)",
    "((!~B) ?? true)",
    "(~T ~r ~T)",
    "(~G == ~G)",
    "~G.Equals(~O)",
    "~K.ContainsKey(~s)",
    "~K.Any(# => #.Value ~r ~i)",
    "Guid.TryParse(~s, out var #) && # == Guid.Empty",
    "~E.All(# => # ~r ~i)",
    "~E.OrderBy(# => #).SequenceEqual(~a)",
    "~w.Equals(~w)",
    "DateTime.IsLeapYear(1999 + (~i & 15))",
    "object.ReferenceEquals(~O, ~O)",
    "object.Equals(~O, ~O)",
    "(~s as object == (object)~s)",
    "~O == null",
    "string.Equals(a: ~s, b: ~s, comparisonType: StringComparison.OrdinalIgnoreCase)",
    "(~s).EndsWith(\"a\")",
    "(~i ~r ~l) == (~d ~r ~i)",
    "((uint)~i ~r ~i)",
    "(~y ~r ~c)",
    "~t.Contains(~s, StringComparer.OrdinalIgnoreCase)",
    "(~v ~r ~v) || (~v ~r ~v)",
    "bool.TryParse(~s, out var #) & #",
];
const CHARS: &[&str] = &[
    "(~O is char # ? # : ~c)",
    "(~s).ElementAtOrDefault(~i & 3)",
    "(~s).Max()",
    "(~s).OrderBy(# => #).FirstOrDefault()",
    "Convert.ToChar(~i & 127)",
];
const STRINGS: &[&str] = &[
    "$\"{~d,10:F3}|{~m,-8:0.00}|{~i:X4}\"",
    "$\"{~w:yyyy-MM-dd HH:mm:ss.fff}|{~w:R}|{~w,30:s}\"",
    "$\"{~T:c}|{~T:g}|{~T:hh\\\\:mm}\"",
    "$\"{~G:N}|{~n}|{~B}|{~D:E2}\"",
    "$\"{{{~i}}}{~c}{~O}\"",
    "$@\"{~i:D5}\\{~s}\"\"q\"",
    "$\"{~l:N0}|{~d:P1}|{~d:G4}|{~m:C2}\"",
    "$\"{(~b ? ~i : ~i),6:D3}\"",
    "string.Format(\"{0:yyyy}{1:D2}{2,5}\", ~w, ~i, ~O)",
    "string.Format(\"{1}{0}{1:X}\", ~s, ~i)",
    "(~s).PadLeft(paddingChar: ~c, totalWidth: ~i & 7)",
    "(~s).Substring(length: ~i & 1, startIndex: 0)",
    "(~s).Replace(newValue: ~s, oldValue: \"a\")",
    "string.Join(separator: \"+\", values: ~E)",
    "string.Join(\",\", ~E.OrderByDescending(# => # & 3).ThenBy(# => -#))",
    "string.Join(\",\", ~E.GroupBy(# => # % 3, (k, g) => k + \":\" + g.Sum()))",
    "string.Join(\",\", ~a.Join(~E, # => # & 1, q => q & 1, (p1, p2) => p1 * 10 + p2))",
    "string.Join(\",\", ~a.GroupJoin(~E, # => #, q => q, (p1, g) => p1 + \"/\" + g.Count()))",
    "string.Join(\",\", from # in ~a group # by # & 1 into g orderby g.Key select g.Key + \"=\" + g.Sum())",
    "string.Join(\",\", from # in ~a join q in ~E on # equals q into g select g.Count() ~o #)",
    "string.Join(\";\", ~K.OrderBy(# => #.Key).Select(# => $\"{#.Key}={#.Value}\"))",
    "string.Join(\",\", ~t.SelectMany(# => # ?? \"-\", (p1, p2) => p1 + p2))",
    "string.Join(\",\", ~t.Select((#, n2) => n2 + # + ~i))",
    "string.Join(\",\", ~E.Cast<object>().OfType<int>())",
    "string.Join(\",\", ~E.Select(# => new { # = #, y = # ~o ~i }).Where(o => o.y ~r ~i).Select(o => o.y))",
    "string.Join(\" \", ~E.Reverse().Append(~i).Prepend(~i))",
    "(~O is string # ? # + \"!\" : ~O?.ToString())",
    "(~O as string ?? ~s)",
    "(~O?.ToString() ?? \"nil\")",
    "(~n?.ToString(\"D4\") ?? ~s)",
    "(~n == null ? \"null\" : ~n.Value.ToString())",
    "(\"\" + ~B + ~n + ~D + ~M)",
    "(~s + ~T)",
    "(~s + ~G)",
    "(~s + ~O)",
    "~T.ToString()",
    "~T.ToString(\"c\")",
    "~T.ToString(@\"d\\.hh\\:mm\")",
    "~G.ToString(\"B\")",
    "~G.ToString().Substring(0, 8)",
    "~w.ToString(\"o\")",
    "~w.ToString(\"ddd, d MMM yyyy h:mm tt\")",
    "~w.ToString(\"D\")",
    "~w.TimeOfDay.ToString()",
    "~w.DayOfWeek.ToString()",
    "~m.ToString(\"N3\")",
    "~d.ToString(\"R\")",
    "~d.ToString(\"0,000.00;(0)\")",
    "~l.ToString(\"X\")",
    "~i.ToString(\"000;-00;zero\")",
    "((DayOfWeek)(~i & 7)).ToString()",
    "JsonConvert.SerializeObject(~O)",
    "JsonConvert.SerializeObject(~K)",
    "JsonConvert.SerializeObject(new { t = ~T, g = ~G, w = ~w, o = ~O })",
    "JsonConvert.SerializeObject(new { n = ~n, b = ~B, m = ~M, d = ~D })",
    "new { a = ~n, b = ~T, c = ~B }.ToString()",
    "string.Concat(~i, ~s, ~O)",
    "string.Concat((~s).Reverse())",
    "new StringBuilder().Append(~i).Append(~c).Append(~b).AppendFormat(\"{0:F1}\", ~d).ToString()",
    "(~s).Split(new[] {',', ';'}, StringSplitOptions.RemoveEmptyEntries).LastOrDefault()",
    "Regex.Replace(~s, \"[a-z]\", # => #.Value.ToUpperInvariant() + #.Index)",
    "((Func<string, int, string>)((p1, p2) => p1 + p2))(~s, ~v)",
    "((~b ? null : ~s) ?? \"none\")",
    "typeof(int).Name",
];
const NULLABLE_INTS: &[&str] = &[
    "(~O as int?)",
    "-~n",
    "~~~n",
    "(~n & ~n)",
    "(~n << ~i)",
    "(~n >> ~n)",
    "(~n % ~n)",
    "(int?)(~D)",
    "(int?)~M",
    "(~b ? (int?)null : ~v)",
    "~a.Select(# => (int?)#).Max()",
    "~a.Where(# => # ~r ~i).Select(# => (int?)#).Min()",
    "~t.FirstOrDefault()?.Length",
    "~K.FirstOrDefault().Key?.Length",
    "(~n + (~n ?? ~i))",
    "(~s?.IndexOf('a'))",
    "checked(~n * ~n)",
    "default(int?)",
];
const NULLABLE_DOUBLES: &[&str] = &[
    "(~D ~o ~n)",
    "(~D / ~D)",
    "(~n * ~d)",
    "-~D",
    "(double?)(~n)",
    "(~O as double?)",
    "~a.Select(# => (int?)#).Average()",
    "(~b ? ~D : ~i)",
    "(~D ?? ~n)",
];
const NULLABLE_DECIMALS: &[&str] = &[
    "(~M ~o ~n)",
    "(~M / ~M)",
    "(~M % ~m)",
    "(decimal?)~D",
    "-~M",
    "(~n * ~m)",
    "~a.Sum(# => (decimal?)#)",
];
const NULLABLE_BOOLS: &[&str] = &[
    "(~B & ~B)",
    "(~B | ~b)",
    "(~B ^ ~B)",
    "!~B",
    "(~O as bool?)",
    "(~b ? ~B : null)",
    "(bool?)(~n ~r ~n)",
    "~t.FirstOrDefault()?.Contains(\"a\")",
];
const ARRAYS: &[&str] = &[
    "~E.ToArray()",
    "~E.Where(# => # ~r ~i).Select((#, k2) => # ~o k2).ToArray()",
    "(from # in ~E where # ~r ~i orderby # descending select # ~o ~i).ToArray()",
    "~a.OrderByDescending(# => # & 3).ThenByDescending(# => #).ToArray()",
    "~K.Values.ToArray()",
    "new[] {~v, ~v, ~v}",
    "new int[] {~i}",
    "~a.SelectMany(# => new[] {#, # ~o 1}).ToArray()",
    "~a.SkipWhile(# => # ~r ~i).TakeWhile(# => # ~r ~i).ToArray()",
    "~t.Where(# => # != null).Select(# => #.Length).ToArray()",
    "Array.ConvertAll(~a, # => # ~o ~i)",
    "(~O as int[] ?? ~a)",
    "~a.GroupBy(# => # & 3).OrderBy(g => g.Key).Select(g => g.Max()).ToArray()",
];
const LISTS: &[&str] = &[
    "~K.Keys.ToList()",
    "(~O as List<string> ?? ~t)",
    "~t.ConvertAll(# => # + \"?\")",
    "~E.Select(# => $\"{#:D2}\").ToList()",
    "~t.Where(# => !string.IsNullOrEmpty(#)).Distinct(StringComparer.OrdinalIgnoreCase).ToList()",
    "(from # in ~t where # != null select #.ToUpperInvariant()).ToList()",
    "~t.FindAll(# => #?.Length ~r ~i)",
    "new List<string>(~t) {~s}",
    "Enumerable.Repeat(element: ~s, count: ~i & 3).ToList()",
];
const JSON: &[&str] = &[
    "new JObject { [\"a\"] = ~i, [\"t\"] = JToken.FromObject(~T), [\"n\"] = ~n }",
    "JObject.FromObject(~K)",
    "new JObject(from # in ~a.Distinct() select new JProperty(\"p\" + #, #))",
    "JObject.FromObject(new { b = ~B, d = ~D, m = ~M })",
];
const DATES: &[&str] = &[
    "~w.AddMilliseconds(~i)",
    "~w.AddYears(~i & 15)",
    "~w.Add(~T)",
    "~w.Subtract(~T)",
    "(~w - ~T)",
    "(~O is DateTime # ? # : ~w)",
    "DateTime.Parse(~w.ToString(\"yyyy-MM-ddTHH:mm:ss\"))",
    "new DateTime(ticks: ~l)",
    "new DateTime(year: 2001, month: 1 + (~i & 7), day: 2, hour: ~i & 15, minute: 4, second: 5)",
    "~w.AddMinutes(~d)",
    "(~w ~r ~w ? ~w : ~w)",
];
const SPANS: &[&str] = &[
    "(~T + ~T)",
    "(~T - ~T)",
    "-~T",
    "(~w - ~w)",
    "~w.TimeOfDay",
    "~w.Subtract(~w)",
    "TimeSpan.FromMinutes(~i)",
    "TimeSpan.FromSeconds(~d)",
    "TimeSpan.FromDays(~i & 1023)",
    "TimeSpan.FromMilliseconds(~i)",
    "~T.Add(~T)",
    "~T.Negate()",
    "~T.Duration()",
    "new TimeSpan(~i & 63, ~i, ~i & 255)",
    "new TimeSpan(~l)",
    "TimeSpan.Parse(~T.ToString())",
    "TimeSpan.Parse(~s)",
];
const IDS: &[&str] = &[
    "(~b ? ~G : ~G)",
    "new Guid(~G.ToString(\"N\"))",
    "Guid.Parse(~G.ToString(\"P\"))",
    "new Guid(~G.ToByteArray())",
    "Guid.Parse(~s)",
    "(~O is Guid # ? # : ~G)",
];
const OBJECTS: &[&str] = &[
    "(object)(~i)",
    "(object)(~s)",
    "(object)(~n)",
    "(object)(~d)",
    "(object)(~B)",
    "(object)(~w)",
    "(object)(~a)",
    "(object)(~c)",
    "(object)(~l)",
    "(object)(~t)",
    "(object)(~G)",
    "(~b ? (object)~i : ~s)",
    "(~O ?? (object)~i)",
    "(object)~K.FirstOrDefault().Value",
];
const DICTIONARIES: &[&str] = &[
    "~t.Where(# => # != null).Distinct().ToDictionary(# => #, # => #.Length)",
    "~a.Distinct().ToDictionary(# => # + \"\", # => # ~o ~i)",
    "new Dictionary<string, int>(~K)",
    "new Dictionary<string, int> {[~s] = ~i, [\"z\"] = ~i}",
    "~a.GroupBy(# => # ~r 2 ? \"lo\" : \"hi\").ToDictionary(g => g.Key, g => g.Count())",
    "~K.Where(# => #.Value ~r ~i).ToDictionary(# => #.Key, # => #.Value)",
];
const CHAINS: &[&str] = &[
    "~a.Where(# => # ~r ~i)",
    "~a.Select(# => # ~o ~i)",
    "~E.Concat(~a)",
    "~E.Union(~a)",
    "~E.Skip(~i & 1).Take(3)",
    "~E.Distinct()",
    "~E.OrderBy(# => # ~o ~i)",
    "(from # in ~E where # ~r ~i select #)",
    "~E.SelectMany(# => Enumerable.Repeat(#, # & 1))",
    "Enumerable.Repeat(~i, 2)",
    "~E.DefaultIfEmpty(~i)",
    "~E.Reverse()",
    "~a.AsEnumerable()",
];
