//! Expressions of the generated programs, by type.

use crate::generate::{Generator, Ty};

use Ty::*;

impl Generator {
    /// A literal, or a variable of the type.
    fn leaf(&mut self, ty: Ty) -> String {
        if self.below(3) > 0
            && let Some(name) = self.variable(ty, false)
        {
            return name;
        }
        let pick: &[&str] = match ty {
            Int => &["0", "1", "2", "-1", "7", "42", "255", "int.MaxValue", "-13"],
            Long => &["0L", "1L", "-5L", "3000000000", "long.MaxValue", "99L"],
            Byte => &["(byte)0", "(byte)1", "(byte)200", "(byte)255"],
            Double => &["0.0", "1.5", "-2.25", "0.1", "1e10", "3.0", "double.NaN", "2.5"],
            Decimal => &["0m", "1.50m", "-2.5m", "0.10m", "100m", "3.333m"],
            Bool => &["true", "false"],
            Char => &["'a'", "'Z'", "'0'", "' '", "'é'", "'\\n'"],
            Str => &[
                "\"\"",
                "\"a\"",
                "\"Hello World\"",
                "\" x \"",
                "\"12\"",
                "\"a,b;c\"",
                "\"Äö\"",
                "(string)null",
            ],
            NullableInt => &["(int?)null", "(int?)5", "(int?)-3"],
            Ints => &["new[] {1, 2, 3}", "new int[0]", "new[] {5, -5, 5, 0}", "new int[2]"],
            ListOfStrings => &[
                "new List<string> {\"b\", \"a\"}",
                "new List<string>()",
                "new List<string> {\"x\", null, \"X\"}",
            ],
            Json => &[
                "new JObject()",
                "JObject.Parse(\"{\\\"a\\\":1,\\\"b\\\":\\\"t\\\"}\")",
                "new JObject(new JProperty(\"c\", 2.50), new JProperty(\"a\", null))",
            ],
            Date => &[
                "new DateTime(2024, 2, 29)",
                "new DateTime(1999, 12, 31, 23, 59, 59)",
                "DateTime.MinValue",
            ],
            other => crate::generate_more::leaves(other),
        };
        self.pick(pick).to_owned()
    }

    /// An expression of a type.
    pub(crate) fn expression(&mut self, ty: Ty, depth: u32) -> String {
        if depth == 0 || self.below(6) == 0 {
            return self.leaf(ty);
        }
        if self.below(9) == 0 {
            let (test, a, b) = (
                self.expression(Bool, depth - 1),
                self.expression(ty, depth - 1),
                self.expression(ty, depth - 1),
            );
            return format!("({test} ? {a} : {b})");
        }
        let forms: &[&str] = match ty {
            Int => INTS,
            Long => LONGS,
            Byte => BYTES,
            Double => DOUBLES,
            Decimal => DECIMALS,
            Bool => BOOLS,
            Char => CHARS,
            Str => STRINGS,
            NullableInt => NULLABLES,
            Ints => ARRAYS,
            ListOfStrings => LISTS,
            Json => JSON,
            Date => DATES,
            _ => &[],
        };
        let more = crate::generate_more::forms(ty);
        let forms = if forms.is_empty() || self.below(2) == 0 { more } else { forms };
        if ty == Int
            && self.below(10) == 0
            && let Some(call) = self.optional_call(depth - 1)
        {
            return call;
        }
        let wild = crate::generate_wild::forms(ty);
        let is_wild = self.is_wild() && !wild.is_empty() && self.below(12) == 0;
        let form = self.pick(if is_wild { wild } else { forms });
        self.filled(form, depth - 1)
    }

    /// Fills the holes of a form: `{i}` with an `int`, and so on.
    pub(crate) fn filled(&mut self, form: &str, depth: u32) -> String {
        let mut out = String::new();
        let mut rest = form;
        while let Some(at) = rest.find('~') {
            out.push_str(&rest[..at]);
            let mut letters = rest[at + 1..].chars();
            let hole = letters.next().unwrap();
            rest = letters.as_str();
            let ty = match hole {
                'i' => Int,
                'l' => Long,
                'y' => Byte,
                'd' => Double,
                'm' => Decimal,
                'b' => Bool,
                'c' => Char,
                's' => Str,
                'n' => NullableInt,
                'a' => Ints,
                't' => ListOfStrings,
                'j' => Json,
                'w' => Date,
                'D' => NullableDouble,
                'M' => NullableDecimal,
                'B' => NullableBool,
                'T' => Span,
                'G' => Id,
                'O' => Obj,
                'K' => Dict,
                'E' => Chain,
                '~' => {
                    out.push('~');
                    continue;
                }
                'v' => {
                    let changed = match self.variable(Int, true) {
                        Some(name) => {
                            let form = self.pick(&["@++", "++@", "@--", "@ += 3", "@", "@ *= 2"]);
                            format!("({})", form.replace('@', &name))
                        }
                        None => self.leaf(Int),
                    };
                    out.push_str(&changed);
                    continue;
                }
                'f' => {
                    let known = self.function();
                    out.push_str(&known);
                    continue;
                }
                'o' => {
                    let op = self.pick(&["+", "-", "*"]);
                    out.push_str(op);
                    continue;
                }
                'r' => {
                    let op = self.pick(&["<", "<=", ">", ">=", "==", "!="]);
                    out.push_str(op);
                    continue;
                }
                other => panic!("no such hole: {other}"),
            };
            let value = self.expression(ty, depth);
            // As an operand it must hold together.
            let simple = value.chars().all(|it| it.is_alphanumeric() || it == '_');
            if simple { out.push_str(&value) } else { out.push_str(&format!("({value})")) }
        }
        out.push_str(rest);
        // Lambda parameters get names of their own.
        if form.contains('#') {
            let own = self.fresh();
            out = out.replace('#', &own);
        }
        out
    }
}

const INTS: &[&str] = &[
    "(~i ~o ~i)",
    "(~i ~o ~i)",
    "(~i / ~i)",
    "(~i % ~i)",
    "(~i << ~i)",
    "(~i >> (~i & 7))",
    "(~i & ~i)",
    "(~i | ~i)",
    "(~i ^ ~i)",
    "(~y ~o ~y)",
    "(~c - ~c)",
    "(~c + ~i)",
    "(-~i)",
    "(int)(~l)",
    "(int)(~d)",
    "(int)(~m)",
    "(~s ?? \"\").Length",
    "~a.Length",
    "~a.Sum()",
    "~a.Max()",
    "~a.Where(# => # > ~i).Count()",
    "~t.Count",
    "~t.IndexOf(~s)",
    "(~n ?? ~i)",
    "~n.GetValueOrDefault()",
    "~n.Value",
    "~f(~i)",
    "Math.Abs(~i)",
    "Math.Max(~i, ~i)",
    "int.Parse(~s)",
    "Convert.ToInt32(~d)",
    "Convert.ToInt32(~s)",
    "(~s).IndexOf(~c)",
    "string.CompareOrdinal(~s, ~s)",
    "(int)~j[\"a\"]",
    "~j.Count",
    "~w.Day",
    "(~w - ~w).Days",
    "~a[~i & 1]",
    "checked(~i ~o ~i)",
    "unchecked(~i * ~i)",
    "~a.Aggregate(~i, (p1, p2) => p1 ~o p2)",
    "~a.OrderBy(# => -#).First()",
    "(int)(~c)",
    "Math.Sign(~d)",
    "~a.First(# => # ~r ~i)",
];
const LONGS: &[&str] = &[
    "(~l ~o ~l)",
    "(~l / ~l)",
    "(~l % ~i)",
    "(long)(~i)",
    "(~i ~o ~l)",
    "(~l << ~i)",
    "(~l & ~i)",
    "(long)(~d)",
    "checked(~l ~o ~l)",
    "Math.Max(~l, ~i)",
    "~w.Ticks",
    "long.Parse(~s)",
    "~a.Sum(# => (long)#)",
    "~a.LongCount()",
    "Convert.ToInt64(~m)",
    "(-~l)",
];
const BYTES: &[&str] = &[
    "(byte)(~i)",
    "(byte)(~y + ~y)",
    "Math.Max(~y, ~y)",
    "Convert.ToByte(~i)",
    "unchecked((byte)(~l))",
    "(byte)(~c)",
];
const DOUBLES: &[&str] = &[
    "(~d ~o ~d)",
    "(~d / ~d)",
    "(~d % ~d)",
    "(~i ~o ~d)",
    "(double)(~i)",
    "(double)(~m)",
    "(~l / ~d)",
    "Math.Round(~d, 1)",
    "Math.Floor(~d)",
    "Math.Sqrt(Math.Abs(~d))",
    "~a.Average()",
    "double.Parse(~s)",
    "Math.Min(~d, ~i)",
    "(~w - ~w).TotalHours",
    "~a.Select(# => # / 2.0).Sum()",
    "Math.Truncate(~d)",
    "Convert.ToDouble(~s)",
];
const DECIMALS: &[&str] = &[
    "(~m ~o ~m)",
    "(~m / ~m)",
    "(~m % ~m)",
    "(~i ~o ~m)",
    "(decimal)(~d)",
    "(decimal)(~i)",
    "Math.Round(~m, 1)",
    "decimal.Parse(~s)",
    "~a.Sum(# => # * ~m)",
    "Math.Round(~m, 0, MidpointRounding.AwayFromZero)",
    "(-~m)",
    "Math.Truncate(~m)",
    "decimal.Floor(~m)",
];
const BOOLS: &[&str] = &[
    "(~i ~r ~i)",
    "(~l ~r ~i)",
    "(~d ~r ~d)",
    "(~m ~r ~i)",
    "(~b && ~b)",
    "(~b || ~b)",
    "!~b",
    "(~b ^ ~b)",
    "(~b == ~b)",
    "(~s == ~s)",
    "(~s != null)",
    "(~c ~r ~c)",
    "(~n ~r ~n)",
    "(~n ~r ~i)",
    "~n.HasValue",
    "string.IsNullOrEmpty(~s)",
    "(~s).Contains(~s)",
    "~a.Any(# => # ~r ~i)",
    "~a.Contains(~i)",
    "~t.All(# => # != ~s)",
    "((object)(~i) is int)",
    "(~j[\"b\"] == null)",
    "(~w ~r ~w)",
    "char.IsDigit(~c)",
    "(~s).StartsWith(~s, StringComparison.Ordinal)",
    "int.TryParse(~s, out _)",
    "~a.SequenceEqual(~a)",
    "object.Equals(~i, ~l)",
    "(~s).Equals(~s)",
    "Regex.IsMatch(~s, \"[a-c]+\")",
    "(~i ~r ~c)",
    "double.IsNaN(~d)",
];
const CHARS: &[&str] = &[
    "(char)(~c + 1)",
    "char.ToUpperInvariant(~c)",
    "(~s)[~i & 1]",
    "(~s).First()",
    "(~s).LastOrDefault()",
    "(char)(~i & 127)",
];
const STRINGS: &[&str] = &[
    "(~s + ~s)",
    "(~s + ~i)",
    "(~i + ~s)",
    "(~c + ~s)",
    "(~s + ~d)",
    "(~s + ~m)",
    "(~s + ~b)",
    "(~s + ~n)",
    "~i.ToString()",
    "~d.ToString()",
    "~m.ToString()",
    "(~s).Trim()",
    "(~s).ToUpperInvariant()",
    "(~s).Substring(~i)",
    "(~s).Substring(~i & 3, ~i & 1)",
    "(~s).Replace(~s, ~s)",
    "(~s ?? ~s)",
    "$\"{~i}:{~s}\"",
    "$\"{~i,5}|{~d:F2}|{~m:0.0}\"",
    "string.Join(\"-\", ~a)",
    "string.Join(\",\", ~t)",
    "string.Format(\"{0:X}/{1,-4}|\", ~i, ~s)",
    "(~s).Split(',')[0]",
    "(~s).PadLeft(~i & 7, ~c)",
    "~t.FirstOrDefault()",
    "~t[~i & 1]",
    "(~s)?.ToLowerInvariant()",
    "string.Concat(~t)",
    "new string(~c, ~i & 3)",
    "~w.ToString(\"yyyy-MM-dd HH:mm\")",
    "(string)~j[\"b\"]",
    "~j.ToString(Newtonsoft.Json.Formatting.None)",
    "Convert.ToString(~i, 2)",
    "~i.ToString(\"N0\")",
    "~d.ToString(\"E2\")",
    "(~s).Insert(~i & 1, ~s)",
    "(~s).Remove(~i & 1)",
    "new { a = ~i, b = ~s }.ToString()",
    "Regex.Replace(~s, \"[a-m]\", \"<$0>\")",
    "string.Join(\",\", ~a.OrderBy(# => #).Distinct())",
    "(~b ? ~s : null)",
    "~t.Aggregate(~s, (p1, p2) => p1 + p2)",
    "string.Join(\";\", ~a.GroupBy(# => # & 1).Select(g => g.Key + \"=\" + g.Count()))",
    "Convert.ToBase64String(Encoding.UTF8.GetBytes(~s))",
    "JsonConvert.SerializeObject(~t)",
    "Uri.EscapeDataString(~s)",
    "JsonConvert.SerializeObject(new { x = ~d, y = ~n, z = ~s })",
    "string.Join(\",\", ~a.Zip(~t, (p1, p2) => p1 + p2))",
    "(~s).TrimEnd(~c)",
    "BitConverter.ToString(BitConverter.GetBytes(~i))",
];
const NULLABLES: &[&str] = &[
    "(~n ~o ~n)",
    "(~n ~o ~i)",
    "(~b ? ~n : ~i)",
    "(int?)(~i)",
    "(~s)?.Length",
    "(int?)~j[\"a\"]",
    "(~n / ~i)",
    "(int?)(~l)",
    "(~n ?? ~n)",
];
const ARRAYS: &[&str] = &[
    "~a.Select(# => # ~o ~i).ToArray()",
    "~a.Where(# => # ~r ~i).ToArray()",
    "~a.Concat(~a).ToArray()",
    "~a.OrderBy(# => #).ToArray()",
    "~a.Reverse().ToArray()",
    "~a.Skip(~i & 1).ToArray()",
    "new[] {~i, ~i}",
    "~a.Distinct().ToArray()",
    "(~s).Select(# => (int)#).ToArray()",
    "~a.Take(2).ToArray()",
    "Enumerable.Range(~i & 7, 3).ToArray()",
    "~a.Select((#, k) => # * k).ToArray()",
    "~t.Select(# => #.Length).ToArray()",
];
const LISTS: &[&str] = &[
    "~t.Where(# => # != ~s).ToList()",
    "~t.Select(# => # + ~i).ToList()",
    "~t.OrderBy(# => #, StringComparer.Ordinal).ToList()",
    "~a.Select(# => #.ToString()).ToList()",
    "new List<string> {~s, ~s}",
    "(~s).Split(',', ';').ToList()",
    "~t.Union(~t).ToList()",
    "~t.GroupBy(# => #?.Length).Select(g => g.First()).ToList()",
    "~j.Properties().Select(# => #.Name).ToList()",
];
const JSON: &[&str] = &[
    "new JObject(new JProperty(\"a\", ~i), new JProperty(\"b\", ~s))",
    "new JObject { [\"a\"] = ~n, [\"c\"] = new JArray(~a) }",
    "(JObject)~j.DeepClone()",
    "JObject.FromObject(new { a = ~i, b = ~t })",
    "JObject.FromObject(new { a = ~m, b = ~d })",
];
const DATES: &[&str] = &[
    "~w.AddDays(~i & 31)",
    "~w.AddMonths(~i & 15)",
    "~w.Date",
    "~w.AddHours(~d)",
    "new DateTime(2000 + (~i & 15), 1 + (~i & 7), 1 + (~i & 15))",
    "~w + TimeSpan.FromMinutes(~i & 255)",
];
