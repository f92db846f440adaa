//! A generator of well-typed random programs over the supported surface: the same seed gives the
//! same program.
//!
//! ```text
//! Generator::program -> statements (declarations, loops, switch, try) -> expressions by type
//! ```

use crate::random::Random;

/// Types of the programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ty {
    Int,
    Long,
    Byte,
    Double,
    Decimal,
    Bool,
    Char,
    Str,
    NullableInt,
    Ints,
    ListOfStrings,
    Json,
    Date,
    NullableDouble,
    NullableDecimal,
    NullableBool,
    Span,
    Id,
    Obj,
    Dict,
    Chain,
}

use Ty::*;

const TYPES: [Ty; 21] = [
    Int,
    Long,
    Byte,
    Double,
    Decimal,
    Bool,
    Char,
    Str,
    NullableInt,
    Ints,
    ListOfStrings,
    Json,
    Date,
    NullableDouble,
    NullableDecimal,
    NullableBool,
    Span,
    Id,
    Obj,
    Dict,
    Chain,
];

impl Ty {
    const fn name(self) -> &'static str {
        match self {
            Int => "int",
            Long => "long",
            Byte => "byte",
            Double => "double",
            Decimal => "decimal",
            Bool => "bool",
            Char => "char",
            Str => "string",
            NullableInt => "int?",
            Ints => "int[]",
            ListOfStrings => "List<string>",
            Json => "JObject",
            Date => "DateTime",
            NullableDouble => "double?",
            NullableDecimal => "decimal?",
            NullableBool => "bool?",
            Span => "TimeSpan",
            Id => "Guid",
            Obj => "object",
            Dict => "Dictionary<string, int>",
            Chain => "IEnumerable<int>",
        }
    }
}

/// A program under way.
pub(crate) struct Generator {
    random: Random,
    names: u32,
    /// Variables in scope, and whether they may be assigned to.
    variables: Vec<(String, Ty, bool)>,
    /// Local functions of an `int` that give an `int`.
    functions: Vec<String>,
    /// Local functions with optional parameters, and whether the last ones are a list.
    optional: Vec<(String, bool)>,
    /// How many statements are left.
    budget: u32,
    /// Programs that ask for much, and look at the request.
    is_wild: bool,
}

impl Generator {
    pub(crate) fn new(seed: u64) -> Self {
        let random = Random::new(seed);
        let (variables, functions, optional) = (Vec::new(), Vec::new(), Vec::new());
        Self { random, names: 0, variables, functions, optional, budget: 14, is_wild: false }
    }

    /// Programs for the fuzz targets alone: what they give differs between machines or is not kept.
    pub(crate) fn wild(seed: u64) -> Self {
        Self { is_wild: true, ..Self::new(seed) }
    }

    pub(crate) fn is_wild(&self) -> bool {
        self.is_wild
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.random.below(n)
    }

    pub(crate) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        self.random.pick(of)
    }

    /// A function of an `int` that is in scope.
    pub(crate) fn function(&mut self) -> String {
        if self.functions.is_empty() {
            return "Math.Abs".to_owned();
        }
        let at = self.below(self.functions.len());
        self.functions[at].clone()
    }

    /// How many functions with optional parameters there are.
    pub(crate) fn named(&self) -> usize {
        self.optional.len()
    }

    pub(crate) fn add_named(&mut self, name: String, has_list: bool) {
        self.optional.push((name, has_list));
    }

    pub(crate) fn any_named(&mut self) -> Option<(String, bool)> {
        let n = self.optional.len();
        if n == 0 { None } else { Some(self.optional[self.random.below(n)].clone()) }
    }

    pub(crate) fn fresh(&mut self) -> String {
        self.names += 1;
        format!("v{}", self.names)
    }

    /// The statements of a program; it returns text made of its variables.
    pub(crate) fn program(mut self) -> String {
        let mut out = String::new();
        for _ in 0..3 {
            let ty = self.pick(&TYPES);
            out.push_str(&self.declaration(ty));
        }
        if self.below(2) == 0 {
            out.push_str(&self.local_function());
        }
        if self.below(2) == 0 {
            out.push_str(&self.optional_function());
        }
        while self.budget > 0 {
            out.push_str(&self.statement(2));
        }
        let shown: Vec<String> =
            self.variables.iter().map(|(name, ty, _)| Self::shown(name, *ty)).collect();
        match self.below(4) {
            0 => {
                let ty = self.pick(&TYPES);
                let value = self.expression(ty, 3);
                out.push_str(&format!("return {value};"));
            }
            _ => out.push_str(&format!("return {};", shown.join(" + \"|\" + "))),
        }
        out
    }

    fn shown(name: &str, ty: Ty) -> String {
        match ty {
            Ints | ListOfStrings | Chain => format!("string.Join(\",\", {name})"),
            Dict => {
                format!("string.Join(\",\", {name}.Select(e => e.Key + \"=\" + e.Value))")
            }
            Obj => format!("({name} ?? \"null\")"),
            Json => format!("{name}.ToString(Newtonsoft.Json.Formatting.None)"),
            Date => format!("{name}.ToString(\"s\")"),
            Str => name.to_owned(),
            _ => format!("{name}.ToString()"),
        }
    }

    fn declaration(&mut self, ty: Ty) -> String {
        let value = self.expression(ty, 3);
        let name = self.fresh();
        let plain =
            matches!(ty, Str | Bool | Ints | ListOfStrings | Json | Date | Span | Id | Dict);
        let written = if plain && self.below(2) == 0 { "var" } else { ty.name() };
        let line = format!("{written} {name} = {value}; ");
        self.variables.push((name, ty, true));
        line
    }

    fn local_function(&mut self) -> String {
        let name = format!("F{}", self.functions.len());
        let before = self.variables.len();
        self.variables.push(("p".to_owned(), Int, true));
        let body = self.expression(Int, 2);
        self.variables.truncate(before);
        let text = if self.below(2) == 0 {
            format!("int {name}(int p) => {body}; ")
        } else {
            format!("int {name}(int p) {{ if (p > 5) return p - 1; return {body}; }} ")
        };
        self.functions.push(name);
        text
    }

    pub(crate) fn block(&mut self, depth: u32) -> String {
        let before = self.variables.len();
        let count = 1 + self.below(2);
        let body: String = (0..count).map(|_| self.statement(depth)).collect();
        self.variables.truncate(before);
        format!("{{ {body}}} ")
    }

    fn statement(&mut self, depth: u32) -> String {
        self.budget = self.budget.saturating_sub(1);
        let simple = depth == 0 || self.budget == 0;
        match if simple { self.below(5) } else { self.below(15) } {
            0 => {
                let ty = self.pick(&TYPES);
                self.declaration(ty)
            }
            1..=3 => self.assignment(),
            4 => self.mutation(),
            5 => {
                let condition = self.expression(Bool, 2);
                let then = self.block(depth - 1);
                let other = if self.below(2) == 0 {
                    format!("else {}", self.block(depth - 1))
                } else {
                    String::new()
                };
                format!("if ({condition}) {then}{other}")
            }
            6 => {
                let name = self.fresh();
                let most = 1 + self.below(4);
                self.variables.push((name.clone(), Int, false));
                let jump = self.jump();
                let body = self.block(depth - 1);
                self.variables.pop();
                format!("for (int {name} = 0; {name} < {most}; {name}++) {{ {jump}{body}}} ")
            }
            7 => {
                let (source, ty) = self.pick(&[(Ints, Int), (ListOfStrings, Str), (Str, Char)]);
                let source = self.expression(source, 2);
                let name = self.fresh();
                self.variables.push((name.clone(), ty, false));
                let jump = self.jump();
                let body = self.block(depth - 1);
                self.variables.pop();
                format!("foreach (var {name} in {source}) {{ {jump}{body}}} ")
            }
            8 => self.try_statement(depth),
            9 => self.switch(depth),
            10 => {
                let (name, body) = (self.fresh(), self.block(depth - 1));
                format!("int {name} = 0; while ({name} < 3) {{ {name}++; {body}}} ")
            }
            11 => format!("checked {}", self.block(depth - 1)),
            12 | 13 => self.pattern_statement(depth),
            _ => {
                let value = self.expression(Int, 2);
                let name = self.fresh();
                let text = format!("Func<int, int> {name} = {name}x => {value} + {name}x; ");
                self.functions.push(name);
                // Out of scope after the block it stands in: keep it in one.
                let inner = self.block(0);
                self.functions.pop();
                format!("{{ {text}{inner}}} ")
            }
        }
    }

    fn jump(&mut self) -> String {
        if self.below(3) > 0 {
            return String::new();
        }
        let condition = self.expression(Bool, 1);
        let word = self.pick(&["continue", "break"]);
        format!("if ({condition}) {word}; ")
    }

    fn try_statement(&mut self, depth: u32) -> String {
        let body = self.block(depth - 1);
        let types =
            ["Exception", "FormatException", "ArgumentException", "InvalidOperationException"];
        let caught = self.pick(&types);
        let name = self.fresh();
        let filter = if self.below(3) == 0 {
            format!(" when ({name}.Message.Length > {})", self.below(40))
        } else {
            String::new()
        };
        let handler = self.block(depth - 1);
        let finally =
            if self.below(2) == 0 { format!("finally {}", self.block(0)) } else { String::new() };
        format!("try {body}catch ({caught} {name}){filter} {handler}{finally}")
    }

    fn switch(&mut self, depth: u32) -> String {
        if self.below(3) == 0 {
            let ty = self.pick(&TYPES);
            let value = self.expression(ty, 2);
            let (a, b) = (self.fresh(), self.fresh());
            let (one, two, three) = (self.block(depth - 1), self.block(depth - 1), self.block(0));
            return format!(
                "switch ((object)({value})) {{ case int {a} when {a} > 2: {one}break; case null: {two}break; case string {b}: {three}break; default: break; }} "
            );
        }
        let value = self.expression(Int, 2);
        let (one, two, other) = (self.block(depth - 1), self.block(depth - 1), self.block(0));
        format!(
            "switch ({value}) {{ case 0: case 1: {one}break; case 2: {two}break; default: {other}break; }} "
        )
    }

    pub(crate) fn variable(&mut self, ty: Ty, assignable: bool) -> Option<String> {
        let fitting: Vec<String> = self
            .variables
            .iter()
            .filter(|(_, own, free)| *own == ty && (*free || !assignable))
            .map(|(name, ..)| name.clone())
            .collect();
        if fitting.is_empty() { None } else { Some(fitting[self.below(fitting.len())].clone()) }
    }

    fn assignment(&mut self) -> String {
        let ty = self.pick(&TYPES);
        let Some(name) = self.variable(ty, true) else { return self.declaration(ty) };
        let op = match ty {
            Int | Long => self.pick(&["=", "+=", "-=", "*=", "/=", "%=", "^=", "|=", "&=", "<<="]),
            Double | Decimal => self.pick(&["=", "+=", "-=", "*=", "/="]),
            NullableInt | NullableDouble | NullableDecimal => self.pick(&["=", "+=", "*=", "-="]),
            NullableBool => self.pick(&["=", "&=", "|="]),
            Span => self.pick(&["=", "+=", "-="]),
            Str => self.pick(&["=", "+="]),
            Bool => self.pick(&["=", "|=", "&=", "^="]),
            Byte => self.pick(&["=", "+=", "^="]),
            _ => "=",
        };
        let of = if matches!(op, "<<=") { Int } else { ty };
        let value = self.expression(of, 3);
        if matches!(ty, Int | Long | Byte | Char | NullableInt) && self.below(5) == 0 {
            let step = self.pick(&["++", "--"]);
            return format!("{name}{step}; ");
        }
        format!("{name} {op} {value}; ")
    }

    fn mutation(&mut self) -> String {
        match self.below(4) {
            0 => match self.variable(ListOfStrings, false) {
                Some(list) => {
                    let item = self.expression(Str, 2);
                    let call = self.pick(&["Add", "Remove"]);
                    format!("{list}.{call}({item}); ")
                }
                None => self.declaration(ListOfStrings),
            },
            1 => match self.variable(Json, false) {
                Some(object) => {
                    let ty = self.pick(&[Int, Str, Bool, Double, NullableInt, Json]);
                    let value = self.expression(ty, 2);
                    let name = self.pick(&["a", "b", "c"]);
                    format!("{object}[\"{name}\"] = {value}; ")
                }
                None => self.declaration(Json),
            },
            2 => match self.variable(Ints, false) {
                Some(array) => {
                    let (at, value) = (self.expression(Int, 1), self.expression(Int, 2));
                    format!("{array}[{at} & 1] = {value}; ")
                }
                None => self.declaration(Ints),
            },
            _ => self.assignment(),
        }
    }
}
